"""The word error rate, by hand."""

import pytest

from keras_seq.word_errors import word_edits, word_error_rate


@pytest.mark.parametrize(
    ("output", "reference", "edits"),
    [
        ("one two", "one two", 0),
        ("", "one two", 2),
        ("one two", "", 2),
        ("one three", "one two", 1),
        ("two", "one two", 1),
        ("one two one two", "two one", 2),
        ("a b c d", "b c d e", 2),
    ],
)
def test_edits_are_the_fewest(output, reference, edits):
    assert word_edits(output, reference) == word_edits(reference, output) == edits


def test_the_rate_is_of_all_words_together():
    assert word_error_rate(["one", "two two"], ["one", "two three four"]) == 2 / 4
    assert word_error_rate(["one two three"], ["four"]) == 3
    with pytest.raises(ValueError, match="1 outputs and 2 references"):
        word_error_rate(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="the 1 references hold no word"):
        word_error_rate(["a"], [""])
