import numpy as np
import pytest

from keras_seq.scores import bootstrap, f1, ratio, span_counts, spans, token_counts


@pytest.mark.parametrize(
    "tags, wanted",
    [
        ("O O", []),
        ("B-a", [("a", 0, 1)]),
        ("B-a I-a O", [("a", 0, 2)]),
        ("B-a B-a", [("a", 0, 1), ("a", 1, 2)]),
        ("I-a I-a", [("a", 0, 2)]),
        ("O I-a", [("a", 1, 2)]),
        ("B-a I-b I-b", [("a", 0, 1), ("b", 1, 3)]),
        ("I-a B-a I-a", [("a", 0, 1), ("a", 1, 3)]),
        ("B-object_type I-object-type", [("object_type", 0, 1), ("object-type", 1, 2)]),
    ],
)
def test_spans_begin_and_end_as_conlleval_says(tags, wanted):
    assert spans(tags.split()) == wanted


def test_f1_counts_a_span_only_with_both_ends_and_its_kind():
    wanted = [["B-a", "I-a", "O", "B-b", "O"], ["O", "B-c"]]
    guessed = [["B-a", "I-a", "O", "B-c", "O"], ["B-c", "I-c"]]
    counts = span_counts(guessed, wanted)
    assert counts.tolist() == [[1, 2, 2], [0, 1, 1]]
    assert f1(counts.sum(axis=0)) == pytest.approx(2 * (1 / 3) * (1 / 3) / (2 / 3))
    assert f1([0, 0, 0]) == 0 and f1([[2, 2, 2], [1, 2, 4]]).tolist() == [1, 1 / 3]


def test_an_interval_of_a_mean_is_that_of_the_binomial():
    values = np.zeros(4500)
    values[:4230] = 1
    low, high = bootstrap(values)
    spread = 1.96 * np.sqrt(0.94 * 0.06 / 4500)
    assert low == pytest.approx(0.94 - spread, abs=0.001) and high == pytest.approx(0.94 + spread, abs=0.001)
    assert bootstrap(values) == (low, high) != bootstrap(values, seed=1)
    assert bootstrap([1, 1, 1]) == (1, 1)


def test_an_interval_draws_whole_sentences():
    """Sentences right or wrong as a whole spread more than as many single tokens."""
    rows = np.array([[10, 10]] * 90 + [[0, 10]] * 10)
    low, high = bootstrap(rows, score=ratio)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.9 * 0.1 / 100), rel=0.15)
    tokens = bootstrap(np.repeat([1, 0], [900, 100]))
    assert high - low > 2.5 * (tokens[1] - tokens[0])


def test_token_counts_leave_nothing_out():
    counts = token_counts([["a", "b", "c"], []], [["a", "c", "c"], []])
    assert counts.tolist() == [[2, 3], [0, 0]] and ratio(counts).tolist() == [2 / 3, 0]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: spans(["B-a", "X-a"]), "tag 'X-a' at 1 is not known"),
        (lambda: spans(["B"]), "tag 'B' at 0 is not known"),
        (lambda: span_counts([["O"]], []), "1 sentences guessed and 0 wanted"),
        (lambda: token_counts([["O"]], [["O", "O"]]), "sentence 0 has 1 tags guessed and 2 wanted"),
        (lambda: bootstrap([]), r"values have shape \(0,\)"),
        (lambda: bootstrap([[1, 2]]), r"values have shape \(1, 2\) and score is None"),
    ],
)
def test_what_is_wrong_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()
