import numpy as np
import pytest

from keras_seq import text_scores

WANTED = ["The cat sat on the mat.", "A dog runs in the park today.", "Two men look at a red car."]
WRITTEN = ["the cat sat on a mat.", "A dog runs in the park today.", "Two women look at the red car."]


def test_bleu_is_the_geometric_mean_of_precisions():
    """Two sentences of five and six words counted by hand."""
    # tokens "a b c d e" against "a b c d f": precisions 4/5, 3/4, 2/3, 1/2, no brevity penalty
    found = text_scores.bleu(["a b c d e"], ["a b c d f"])
    assert found.score == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_bleu_punishes_what_is_short():
    """Brevity penalty exp(1 - 6 / 5)."""
    assert text_scores.bleu(["a b c d e"], ["a b c d e f"]).score == pytest.approx(100 * np.exp(1 - 6 / 5))


def test_case_matters_unless_lowered():
    cased, lowered = (text_scores.bleu(WRITTEN, WANTED, lowercase=lowercase) for lowercase in (False, True))
    assert lowered.score > cased.score
    assert "case:mixed" in cased.signature and "case:lc" in lowered.signature


@pytest.mark.parametrize("score", [text_scores.bleu, text_scores.chrf])
def test_the_bootstrap_surrounds_the_score(score):
    found = score(WRITTEN * 20, WANTED * 20, draws=100)
    assert found.low < found.score < found.high
    assert "bs:100" in found.signature
    assert score(WRITTEN * 20, WANTED * 20).low is None


def test_texts_with_little_in_common_have_a_score():
    outputs, wanted = ["NOUN", *["zzz"] * 5], ["DET NOUN PUNCT"] * 6
    found = text_scores.of_translations(outputs, wanted, draws=20)
    assert 0 < found["chrf"]["score"] < 20 and found["bleu"]["low"] <= found["bleu"]["score"]


def test_a_gain_is_the_difference_of_both_scores_drawn_together():
    others = ["the cat sat on a mat.", "A dog ran in the park.", "Two women look at the red car."]
    gain, low, high = text_scores.bleu_gain(WRITTEN * 20, others * 20, WANTED * 20, lowercase=True, draws=200)
    own, other = (text_scores.bleu(texts * 20, WANTED * 20, lowercase=True, draws=200) for texts in (WRITTEN, others))
    assert gain == pytest.approx(own.score - other.score)
    assert 0 < low < gain < high < gain + own.high - own.low  # what both share drops out of the difference
    assert text_scores.bleu_gain(WRITTEN, WRITTEN, WANTED, draws=5) == (0, 0, 0)
    with pytest.raises(ValueError, match="1 texts and 3 references"):
        text_scores.bleu_gain(WRITTEN, ["a"], WANTED)


def test_translations_are_scored_by_three_measures():
    found = text_scores.of_translations(WRITTEN, WANTED, draws=5)
    assert list(found) == ["bleu_lowercase", "bleu", "chrf"]
    assert found["bleu_lowercase"]["score"] > found["bleu"]["score"]
    assert found["chrf"]["low"] <= found["chrf"]["high"] and "nc:6" in found["chrf"]["signature"]


def test_a_word_s_ending_does_not_count_for_rouge():
    assert text_scores.rouge(["it rains"], ["it is raining"])["rouge1"] == pytest.approx([4 / 5])


def test_rouge_of_each_text():
    found = text_scores.rouge(["police arrest two men", "rain"], ["police arrest three men", "sun"])
    assert found["rouge1"].tolist() == pytest.approx([3 / 4, 0])
    assert found["rouge2"].tolist() == pytest.approx([1 / 3, 0])
    assert found["rougeL"].tolist() == pytest.approx([3 / 4, 0])


def test_distinct_counts_different_ones():
    assert text_scores.distinct(["a b a", "A b"], 1) == 2 / 5
    assert text_scores.distinct(["a b a", "A b"], 2) == 2 / 3
    assert text_scores.distinct(["a"], 2) == 0


@pytest.mark.parametrize(
    ("output", "reference", "edits"),
    [
        ("one two three", "one two three", 0),
        ("one three", "one two three", 1),
        ("one one two three", "one two three", 1),
        ("one nine three", "one two three", 1),
        ("", "one two three", 3),
        ("three one two", "one two three", 2),
        ("nine", "", 1),
    ],
)
def test_words_put_in_left_out_and_changed_are_counted(output, reference, edits):
    assert text_scores.word_errors([output], [reference]).tolist() == [[edits, len(reference.split())]]


@pytest.mark.parametrize(("outputs", "references"), [([], []), (["a"], ["a", "b"])])
@pytest.mark.parametrize("score", [text_scores.bleu, text_scores.chrf, text_scores.rouge, text_scores.word_errors])
def test_a_text_for_each_reference(score, outputs, references):
    with pytest.raises(ValueError, match=rf"{len(outputs)} texts and {len(references)} references"):
        score(outputs, references)
