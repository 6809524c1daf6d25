"""Beam search in the graph is the slow one in Python, and of a small model both are what trying every output finds."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq import decoding
from keras_seq.beam import beam, beam_reference, n_best, n_best_reference
from keras_seq.models import Seq2Seq, Transformer

LENGTHS = np.array([3, 9, 1, 6], "int32")
LONGEST = 7


def make(kind, seed, tokens=13):
    keras.utils.set_random_seed(seed)
    if kind == "transformer":
        sizes = {"units": 8, "num_layers": 1, "num_heads": 2, "feed_forward": 8, "max_target": LONGEST}
        model = Transformer(23, tokens, **sizes, dropout=0)
    else:
        model = Seq2Seq(23, tokens, embedding_size=6, units=10, attention=kind == "attention")
    random = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.6)
    return model


def sources(seed):
    ids = np.zeros((len(LENGTHS), 9), "int32")
    for row, length in enumerate(LENGTHS):
        ids[row, :length] = np.random.default_rng(seed + row).integers(4, 23, length)
    return ids


def compare(found, wanted):
    ids, length, scores = (np.asarray(tensor) for tensor in found)
    for row, (wanted_ids, wanted_scores) in enumerate(wanted):
        size = len(wanted_ids)
        assert ids[row, :size].tolist() == wanted_ids and not ids[row, size:].any()
        np.testing.assert_allclose(scores[row, :size], wanted_scores, atol=1e-4)
        assert not scores[row, size:].any()
        assert length[row] == size - (wanted_ids[-1] == decoding.END)


KINDS = pytest.mark.parametrize("kind", ["attention", "no attention", "transformer"])


@KINDS
@pytest.mark.parametrize(("beams", "length_penalty"), [(2, 1.0), (4, 0.6)])
def test_it_equals_the_slow_reference(kind, beams, length_penalty):
    for seed in range(2):
        model, source = make(kind, seed), sources(seed)
        options = {"beams": beams, "length_penalty": length_penalty}
        found = beam(model, source, LENGTHS, LONGEST, **options)
        compare(found, beam_reference(model, source, LENGTHS, LONGEST, **options))


def test_one_beam_without_a_penalty_is_greedy():
    for seed in range(2):
        model, source = make("attention", seed), sources(seed)
        found = beam(model, source, LENGTHS, LONGEST, beams=1, length_penalty=0.0)
        greedy = decoding.greedy(model, source, LENGTHS, LONGEST)
        for one, other in zip(found, greedy, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_more_beams_find_no_worse_outputs():
    """Of a model small enough to try all outputs, many beams find the best one."""
    model, source = make("attention", 5), sources(5)
    scores = {}
    for beams in (1, 6):
        _, _, log_probability = beam(model, source, LENGTHS, LONGEST, beams=beams, length_penalty=0.0)
        scores[beams] = np.asarray(log_probability).sum(axis=1)
    assert (scores[6] >= scores[1] - 1e-5).all() and (scores[6] > scores[1] + 1e-3).any()


def ending_early(model):
    """The model with ends likelier by e^4 to one, so that outputs end at different lengths."""
    bias = model.get_layer("readout").weights[-1]
    bias.assign(bias + 4 * np.eye(1, bias.shape[0], decoding.END)[0])
    return model


def compare_n_best(found, wanted, count, max_length):
    """Holds the arrays of `n_best` to the lists of the reference, and what is not filled to nothing."""
    ids, length, log_probability, score = (np.asarray(tensor) for tensor in found)
    assert ids.shape == log_probability.shape == (len(wanted), count, max_length)
    assert length.shape == score.shape == (len(wanted), count)
    assert [tensor.dtype.name for tensor in (ids, length, log_probability, score)] == ["int32"] * 2 + ["float32"] * 2
    for row, outputs in enumerate(wanted):
        some = len(outputs)
        compare((ids[row, :some], length[row, :some], log_probability[row, :some]), [output[:2] for output in outputs])
        np.testing.assert_allclose(score[row, :some], [output[2] for output in outputs], atol=1e-4)
        assert (score[row, some:] == -np.inf).all()
        assert not (ids[row, some:].any() or length[row, some:].any() or log_probability[row, some:].any())


@KINDS
@pytest.mark.parametrize(
    ("beams", "count", "max_length", "length_penalty"), [(4, 4, LONGEST, 1.0), (5, 3, 4, 0.0), (3, 2, 1, 0.6)]
)
def test_the_n_best_are_those_of_the_slow_reference(kind, beams, count, max_length, length_penalty):
    model, source = ending_early(make(kind, 1)), sources(1)
    inputs = (model, source, LENGTHS, max_length, beams, count, length_penalty)
    wanted = n_best_reference(*inputs)
    compare_n_best(n_best(*inputs), wanted, count, max_length)
    assert [len(outputs) for outputs in wanted] == [count] * len(LENGTHS)
    assert len({len(ids) for outputs in wanted for ids, _, _ in outputs}) > 1 or max_length == 1


def every_output(model, source, tokens, max_length, length_penalty):
    """All outputs that there are, as (score, ids), the best first."""
    memory, first = model.encode(source, np.array([source.shape[1]], "int32"))
    outputs, unfinished = [], [([], 0.0, first)]
    for length in range(1, max_length + 1):
        longer = []
        for ids, total, state in unfinished:
            logits, after = model.step(np.array([ids[-1] if ids else decoding.START], "int32"), state, memory)
            added = tf.nn.log_softmax(logits)[0].numpy().tolist()
            longer += [([*ids, token], total + added[token], after) for token in range(tokens)]
        ended = [output for output in longer if output[0][-1] == decoding.END or length == max_length]
        outputs += [(total / length**length_penalty, ids) for ids, total, _ in ended]
        unfinished = [output for output in longer if output[0][-1] != decoding.END]
    return sorted(outputs, reverse=True)


@pytest.mark.parametrize("kind", ["attention", "transformer"])
def test_with_beams_for_all_outputs_the_n_best_are_found_by_trying_every_one(kind):
    tokens, max_length, penalty = 4, 3, 0.8
    model, source = make(kind, 2, tokens), np.array([[5, 20, 9]], "int32")
    every = every_output(model, source, tokens, max_length, penalty)  # 27 that do not end, and 1 + 3 + 9 that do
    ids, length, _, score = map(np.asarray, n_best(model, source, [3], max_length, 41, 41, penalty))
    for place, (wanted, output) in enumerate(every):
        assert score[0, place] == pytest.approx(wanted, abs=1e-5)
        assert ids[0, place].tolist() == output + [0] * (max_length - len(output))
        assert length[0, place] == len(output) - (decoding.END in output)
    assert len(every) == 40 and score[0, 40] == -np.inf and not ids[0, 40].any() and length[0, 40] == 0


def test_where_there_are_fewer_outputs_than_places_the_others_are_empty():
    model, source = make("attention", 0, tokens=3), sources(0)  # 0, the start and the end: seven outputs of two tokens
    found = _, length, log_probability, score = [np.asarray(a) for a in n_best(model, source, LENGTHS, 2, 9, 9)]
    compare_n_best(found, n_best_reference(model, source, LENGTHS, 2, 9, 9), 9, 2)
    assert np.isfinite(score).tolist() == [[True] * 7 + [False] * 2] * 4
    np.testing.assert_allclose(np.exp(log_probability[:, :7].sum(axis=2)).sum(axis=1), 1, rtol=1e-5)
    assert (np.sort(length[:, :7]) == [0, 1, 1, 2, 2, 2, 2]).all()  # the end alone is an output of length 0


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 99), st.integers(1, 5), st.data(), st.sampled_from([0.0, 0.6, 1.0, 2.0]))
def test_the_n_best_are_sorted_unlike_and_led_by_the_best(seed, beams, data, length_penalty):
    count, max_length = data.draw(st.integers(1, beams)), data.draw(st.integers(1, LONGEST))
    model, source = ending_early(make("no attention", seed)), sources(seed)
    inputs = (model, source, LENGTHS, max_length)
    found = n_best(*inputs, beams=beams, count=count, length_penalty=length_penalty)
    ids, length, log_probability, score = map(np.asarray, found)
    assert (np.diff(score, axis=1) <= 0).all()
    assert all(len({tuple(output) for output in row}) == count for row in ids.tolist())
    written = length + (ids == decoding.END).any(axis=2)
    np.testing.assert_allclose(score, log_probability.sum(axis=2) / written**length_penalty, rtol=1e-5)
    assert ((ids == decoding.END).sum(axis=2) == (length < max_length)).all()
    for one, all_of_them in zip(beam(*inputs, beams, length_penalty), (ids, length, log_probability), strict=True):
        np.testing.assert_array_equal(one, all_of_them[:, 0])


def test_n_best_hangs_neither_on_padding_nor_on_the_batch():
    model, source = make("attention", 4), sources(4)
    together = n_best(model, source, LENGTHS, LONGEST)
    wider = n_best(model, np.pad(source, ((0, 0), (0, 4))), LENGTHS, LONGEST)
    for row, length in enumerate(LENGTHS):
        alone = n_best(model, source[row : row + 1, :length], LENGTHS[row : row + 1], LONGEST)
        for one, padded, batched in zip(alone, wider, together, strict=True):
            np.testing.assert_allclose(one[0], batched[row], atol=1e-5)
            np.testing.assert_allclose(padded[row], batched[row], atol=1e-5)


class Counting:
    """A generator that counts its steps."""

    def __init__(self, model):
        self.encode, self.steps, self._model = model.encode, 0, model

    def step(self, *inputs):
        self.steps += 1
        return self._model.step(*inputs)


def test_the_search_for_more_outputs_goes_on_until_none_can_be_better():
    model, source, steps = ending_early(make("no attention", 2)), sources(2), {}
    for count in (1, 4):
        counting = Counting(model)
        n_best(counting, source, LENGTHS, 30, beams=4, count=count, length_penalty=0.0)
        steps[count] = counting.steps
    assert 1 <= steps[1] < steps[4] < 30


def test_compiled_with_a_dynamic_batch_the_n_best_are_the_same():
    model, source = ending_early(make("transformer", 1)), sources(1)
    specs = [tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)]
    compiled = tf.function(lambda ids, length: n_best(model, ids, length, LONGEST, count=3), specs, autograph=False)
    wanted = n_best_reference(model, source, LENGTHS, LONGEST, count=3)
    compare_n_best(compiled(source, LENGTHS), wanted, 3, LONGEST)
    compare_n_best(compiled(source[1:3], LENGTHS[1:3]), wanted[1:3], 3, LONGEST)


def test_compiled_with_a_dynamic_batch_it_is_the_same():
    model, source = make("transformer", 1), sources(1)
    specs = [tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)]
    compiled = tf.function(lambda ids, length: beam(model, ids, length, LONGEST), specs, autograph=False)
    wanted = beam_reference(model, source, LENGTHS, LONGEST)
    compare(compiled(source, LENGTHS), wanted)
    compare(compiled(source[1:3], LENGTHS[1:3]), wanted[1:3])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"beams": 0}, "beams=0 is not a number of beams"), ({"length_penalty": -1.0}, "length_penalty=-1.0 is below 0")],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        beam(make("attention", 0), sources(0), LENGTHS, LONGEST, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count=0 is not a number of outputs; give a whole number of 1 or more"),
        ({"count": 2.0}, "count=2.0 is not a number of outputs"),
        ({"count": 5, "beams": 4}, "count=5 outputs are more than beams=4 .* give at least 5 beams"),
        ({"beams": 0}, "beams=0 is not a number of beams"),
        ({"length_penalty": -1.0}, "length_penalty=-1.0 is below 0"),
    ],
)
@pytest.mark.parametrize("search", [n_best, n_best_reference])
def test_a_number_of_outputs_that_makes_no_sense_is_refused(search, options, message):
    with pytest.raises(ValueError, match=message):
        search(make("attention", 0), sources(0), LENGTHS, LONGEST, **options)
