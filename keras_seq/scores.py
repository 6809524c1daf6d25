"""What a score is worth: spans as conlleval counts them, F1, and an interval by resampling the test examples.

    precision = right spans / guessed spans      recall = right spans / wanted spans
    F1        = 2 right / (guessed + wanted)     a span is right where its ends and its kind are

A score here is a function of sums over examples (tokens right and tokens, or spans right, guessed and wanted), so that
an interval is one matrix product: each of many draws weighs every example by how often it was drawn.

References: Tjong Kim Sang and Buchholz, 2000, "Introduction to the CoNLL-2000 Shared Task: Chunking" (conlleval);
Efron, 1979, "Bootstrap Methods: Another Look at the Jackknife".
"""

import numpy as np

OUTSIDE = "O"


def bootstrap(values, draws=1000, seed=0, score=None):
    """The interval in which 95 of 100 scores lie when the test examples are drawn anew, with replacement.

    Args:
        values: `(examples,)`, such as 1 for right and 0 for wrong; or `(examples, counts)` with `score`.
        draws: int, number of draws.
        seed: int.
        score: function from the sums of the drawn values, `(draws, counts)`, to scores `(draws,)`, such as `ratio` and
            `f1`; default: the mean of the values.

    Returns:
        (low, high), the 2.5th and the 97.5th of 100 parts, floats.

    Raises:
        ValueError: if there are no values, or several an example and no `score`.

    Example:
        >>> low, high = bootstrap([1] * 900 + [0] * 100)
        >>> print(0.87 < low < 0.89, 0.91 < high < 0.93)  # 0.9 give or take 1.96 sqrt(0.9 * 0.1 / 1000)
        True True
    """
    values = np.asarray(values, np.float64)
    if not len(values) or values.ndim > 2 or (values.ndim == 2) != (score is not None):
        raise ValueError(
            f"values have shape {values.shape} and score is {score}; give (examples,), or (examples, counts) with a "
            "score such as ratio or f1"
        )
    random = np.random.default_rng(seed)
    share = np.full(len(values), 1 / len(values))
    sums = np.array([random.multinomial(len(values), share) @ values for _ in range(draws)])  # (draws,) or (.., counts)
    low, high = np.quantile(sums / len(values) if score is None else score(sums), [0.025, 0.975])
    return float(low), float(high)


def ratio(counts):
    """Right ones by all of them, of sums `(..., 2)`; 0 where there is none at all."""
    right, total = np.moveaxis(np.asarray(counts, np.float64), -1, 0)
    return np.divide(right, total, out=np.zeros_like(right), where=total > 0)


def f1(counts):
    """F1 of sums `(..., 3)` of right, guessed and wanted spans; 0 where there is none at all.

    Example:
        >>> print(f1([3, 4, 5]))  # precision 3/4, recall 3/5
        0.6666666666666666
    """
    right, guessed, wanted = np.moveaxis(np.asarray(counts, np.float64), -1, 0)
    return np.divide(2 * right, guessed + wanted, out=np.zeros_like(right), where=guessed + wanted > 0)


def spans(tags):
    """The spans that BIO tags mark, read as conlleval reads them.

    A span begins at B, at I behind O, and at I of another kind than the tag before it; it ends where the next one
    begins or at O.

    Args:
        tags: sequence of str: "O", "B-kind" or "I-kind".

    Returns:
        list of (kind, begin, end), end being the place behind the last.

    Raises:
        ValueError: if a tag is none of these.

    Example:
        >>> spans("O B-artist I-artist I-album O I-album B-album".split())
        [('artist', 1, 3), ('album', 3, 4), ('album', 5, 6), ('album', 6, 7)]
    """
    found, kind, begin = [], None, 0
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, dash, name = tag.partition("-")
        if tag != OUTSIDE and (prefix not in ("B", "I") or not dash):
            raise ValueError(f"tag {tag!r} at {place} is not known; wanted 'O', 'B-kind' or 'I-kind'")
        goes_on = prefix == "I" and name == kind
        if kind is not None and not goes_on:
            found.append((kind, begin, place))
            kind = None
        if tag != OUTSIDE and not goes_on:
            kind, begin = name, place
    return found


def span_counts(guessed, wanted):
    """Spans right, guessed and wanted of each sentence, for `f1` of their sum and `bootstrap`.

    Args:
        guessed: sequence of sequences of BIO tags.
        wanted: sequence of as many, as long.

    Returns:
        int array `(sentences, 3)`.

    Raises:
        ValueError: if they differ in number or length, or a tag is not known.

    Example:
        >>> counts = span_counts([["B-a", "I-a", "O"]], [["B-a", "O", "B-b"]])
        >>> counts.tolist(), float(f1(counts.sum(axis=0)))
        ([[0, 1, 2]], 0.0)
    """
    _check_alike(guessed, wanted)
    pairs = [(set(spans(ours)), set(spans(theirs))) for ours, theirs in zip(guessed, wanted, strict=True)]
    return np.array([(len(ours & theirs), len(ours), len(theirs)) for ours, theirs in pairs]).reshape(-1, 3)


def token_counts(guessed, wanted):
    """Tokens right and tokens of each sentence, for `ratio` of their sum and `bootstrap`.

    Args:
        guessed: sequence of sequences of labels.
        wanted: sequence of as many, as long.

    Returns:
        int array `(sentences, 2)`.

    Raises:
        ValueError: if they differ in number or length.

    Example:
        >>> counts = token_counts([["NOUN", "VERB"], ["NOUN"]], [["NOUN", "NOUN"], ["NOUN"]])
        >>> counts.tolist(), round(float(ratio(counts.sum(axis=0))), 4)
        ([[1, 2], [1, 1]], 0.6667)
    """
    _check_alike(guessed, wanted)
    pairs = zip(guessed, wanted, strict=True)
    return np.array(
        [(sum(a == b for a, b in zip(ours, theirs, strict=True)), len(theirs)) for ours, theirs in pairs]
    ).reshape(-1, 2)


def _check_alike(guessed, wanted):
    if len(guessed) != len(wanted):
        raise ValueError(f"{len(guessed)} sentences guessed and {len(wanted)} wanted came; give as many of both")
    for index, (ours, theirs) in enumerate(zip(guessed, wanted, strict=True)):
        if len(ours) != len(theirs):
            raise ValueError(f"sentence {index} has {len(ours)} tags guessed and {len(theirs)} wanted; give as many")
