"""Scores of written texts against what people wrote: BLEU, chrF, ROUGE, word errors, and how varied texts are.

BLEU and chrF are sacreBLEU's, and come with its signature: a figure without one cannot be compared. Lower-cased and
cased BLEU, tokenised and detokenised, are different scales.

References: Papineni et al., 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation"; Popovic, 2015,
"chrF: character n-gram F-score for automatic MT evaluation"; Post, 2018, "A Call for Clarity in Reporting BLEU Scores";
Koehn, 2004, "Statistical Significance Tests for Machine Translation Evaluation" (the bootstrap); Lin, 2004, "ROUGE: A
Package for Automatic Evaluation of Summaries"; Li et al., 2016, "A Diversity-Promoting Objective Function for Neural
Conversation Models" (distinct-n).
"""

import dataclasses
import functools
import json

import numpy as np

from keras_seq.scores import bootstrap
from keras_seq.word_errors import word_edits

# Decimals of the interval that sacreBLEU is asked for: all that a float of up to 100 has.
_DECIMALS = 15


@dataclasses.dataclass(frozen=True)
class TextScore:
    """A score of a whole set of texts.

    Attributes:
        score: float, in points: 100 is the most.
        low, high: floats, bounds that hold 95 of 100 draws of as many texts with replacement; None without a bootstrap,
            and of chrF where some draws have nothing in common with their references.
        signature: str, how it was computed, as sacreBLEU writes it.
    """

    score: float
    low: float | None
    high: float | None
    signature: str


def bleu(outputs, references, *, lowercase=False, tokenize="13a", draws=0):
    """Corpus BLEU-4.

    Args:
        outputs: list of str, detokenised.
        references: list of str, one for each.
        lowercase: bool, lower-case both first.
        tokenize: str, of sacreBLEU: "13a", for Chinese "zh", "char", ...
        draws: int, draws of the bootstrap; 0 leaves it out.

    Returns:
        `TextScore`.

    Raises:
        ValueError: if there are none, or not as many of both.

    Example:
        >>> found = bleu(["the cat sat on the mat ."], ["The cat sat on the mat."], lowercase=True)
        >>> print(round(found.score, 1), found.signature)
        100.0 nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|version:2.6.0
    """
    from sacrebleu.metrics import BLEU

    return _corpus_score(BLEU(lowercase=lowercase, tokenize=tokenize), outputs, references, draws)


def chrf(outputs, references, *, draws=0):
    """Corpus chrF2: F-score of character n-grams up to 6, recall weighing twice as much as precision.

    Args:
        outputs, references, draws: as for `bleu`.

    Returns:
        `TextScore`.

    Raises:
        ValueError: as `bleu`.

    Example:
        >>> print(round(chrf(["a cat"], ["a cat"]).score, 1))
        100.0
    """
    from sacrebleu.metrics import CHRF

    return _corpus_score(CHRF(), outputs, references, draws)


def of_translations(outputs, references, *, draws=0):
    """The scores that translations are compared by.

    Args:
        outputs, references, draws: as for `bleu`.

    Returns:
        dict of "bleu_lowercase", "bleu" and "chrf" -> dict of a `TextScore`.

    Raises:
        ValueError: as `bleu`.
    """
    return {
        "bleu_lowercase": vars(bleu(outputs, references, lowercase=True, draws=draws)),
        "bleu": vars(bleu(outputs, references, draws=draws)),
        "chrf": vars(chrf(outputs, references, draws=draws)),
    }


def bleu_gain(outputs, others, references, *, lowercase=False, draws=1000):
    """By how much the BLEU of one system is above another's on the same texts: both are drawn anew together.

    Args:
        outputs, others: lists of str, detokenised, of the one and the other system.
        references: list of str, one for each.
        lowercase: bool, lower-case all first.
        draws: int, draws of the bootstrap.

    Returns:
        (gain, low, high), floats in points; the bounds hold 95 of 100 draws of as many texts with replacement.

    Raises:
        ValueError: as `bleu`.

    Example:
        >>> print(bleu_gain(["a b c d"], ["a b c d"], ["a b c d"], draws=10))
        (0.0, 0.0, 0.0)

    Reference: Koehn, 2004, section 4 (paired bootstrap resampling).
    """
    from sacrebleu.metrics import BLEU

    _check(outputs, references)
    _check(others, references)
    metric = BLEU(lowercase=lowercase, effective_order=True)  # of one sentence; the corpus' own order is full
    counts = np.hstack([_counts(metric, own, references) for own in (outputs, others)])  # (texts, 2 x 10)
    low, high = bootstrap(counts, draws, score=functools.partial(np.apply_along_axis, _gain, -1))
    return _gain(counts.sum(axis=0)), low, high


def _counts(metric, outputs, references):
    """What corpus BLEU sums up, `(texts, 10)`: n-grams that are right, n-grams of 1 to 4, and both lengths."""
    found = (metric.sentence_score(*pair) for pair in zip(outputs, ([own] for own in references), strict=True))
    return np.array([[*score.counts, *score.totals, score.sys_len, score.ref_len] for score in found])


def _gain(sums):
    """BLEU of the first system less that of the second, of summed `_counts` of both."""
    from sacrebleu.metrics import BLEU

    first, second = (
        BLEU.compute_bleu(own[:4], own[4:8], own[8], own[9], smooth_method="exp").score
        for own in np.asarray(sums, int).reshape(2, -1).tolist()
    )
    return first - second


def _corpus_score(metric, outputs, references, draws):
    _check(outputs, references)
    found = metric.corpus_score(outputs, [references])
    plain = TextScore(found.score, None, None, str(metric.get_signature()))
    if not draws:
        return plain
    try:
        found = metric.corpus_score(outputs, [references], n_bootstrap=draws)
    except TypeError:  # sacreBLEU 2.6 cannot average chrF's 32-bit floats with the zeros of draws without a match
        return plain
    signature = str(metric.get_signature())
    said = json.loads(found.format(width=_DECIMALS, signature=signature, is_json=True))
    mean, half = said.get("confidence_mean", 0.0), said.get("confidence_var", 0.0)  # left out where all are 0
    return TextScore(found.score, mean - half, mean + half, signature)


def rouge(outputs, references):
    """ROUGE-1, ROUGE-2 and ROUGE-L: F1 of words, of pairs of words, and of the longest common subsequence.

    Words are lower-cased letters and digits, and Porter's stemmer takes the endings off those of more than three, as is
    common: *rains* and *raining* are one word.

    Args:
        outputs: list of str, English.
        references: list of str, one for each.

    Returns:
        dict of "rouge1", "rouge2" and "rougeL" -> float array `(texts,)` in [0, 1], of each text: `mean` is the score
        of the set, and `keras_seq.scores.bootstrap` gives its interval.

    Raises:
        ValueError: as `bleu`.

    Example:
        >>> found = rouge(["a dog runs"], ["a dog sleeps"])
        >>> print({name: round(float(values.mean()), 3) for name, values in found.items()})
        {'rouge1': 0.667, 'rouge2': 0.5, 'rougeL': 0.667}
    """
    from rouge_score.rouge_scorer import RougeScorer

    _check(outputs, references)
    names = ("rouge1", "rouge2", "rougeL")
    scorer = RougeScorer(names, use_stemmer=True)
    rows = [scorer.score(reference, output) for output, reference in zip(outputs, references, strict=True)]
    return {name: np.array([row[name].fmeasure for row in rows]) for name in names}


def distinct(outputs, n):
    """Share of the n-grams of words in all texts that are different ones.

    Args:
        outputs: list of str.
        n: int.

    Returns:
        float in [0, 1]; 0 where no text has n words.

    Example:
        >>> print(distinct(["i do not know", "i do not know"], 2))
        0.5
    """
    words = [output.lower().split() for output in outputs]
    grams = [tuple(own[start : start + n]) for own in words for start in range(len(own) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def word_errors(outputs, references):
    """Edits that make each output its reference, and words of the reference: what the word error rate is made of.

        word error rate = sum of edits / sum of words       an edit puts in, takes out or changes one word

    `keras_seq.scores.ratio` of the sum is the rate of the set, and `bootstrap(..., score=ratio)` gives its interval.

    Args:
        outputs: list of str, words with spaces between.
        references: list of str, one for each.

    Returns:
        int array `(texts, 2)`.

    Raises:
        ValueError: as `bleu`.

    Example:
        >>> print(word_errors(["three one", "five"], ["three four one", "nine"]).tolist())
        [[1, 3], [1, 1]]
    """
    _check(outputs, references)
    pairs = zip(outputs, references, strict=True)
    return np.array([(word_edits(ours, theirs), len(theirs.split())) for ours, theirs in pairs])


def _check(outputs, references):
    if not outputs or len(outputs) != len(references):
        raise ValueError(
            f"{len(outputs)} texts and {len(references)} references came; give one or more, as many of both"
        )
