"""Telling what is none of the labels by how sure a model is: what is accepted at each threshold, and the area under it.

    accepted(threshold)  = share of scores at or above it, of what is inside and of what is outside
    AUROC                = P(score of one inside > score of one outside), a tie counting half

0.5 is chance, 1.0 means that some threshold parts them.

Reference: Hendrycks and Gimpel, 2017, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in
Neural Networks" (the largest probability as the score); Hanley and McNeil, 1982, "The Meaning and Use of the Area under
a Receiver Operating Characteristic (ROC) Curve".
"""

import numpy as np


def auroc(inside, outside):
    """Area under the ROC curve.

    Args:
        inside: `(examples,)`, scores of what should be accepted.
        outside: `(others,)`, scores of what should not.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: if there are no scores of either, or one is not a number.

    Example:
        >>> print(auroc([0.9, 0.8, 0.4], [0.4, 0.1]))  # of six pairs five are in order, one is a tie
        0.9166666666666666
    """
    inside, outside = _checked(inside, "inside"), np.sort(_checked(outside, "outside"))
    below = np.searchsorted(outside, inside, "left") + np.searchsorted(outside, inside, "right")  # twice, ties once
    return float(below.sum() / (2 * len(inside) * len(outside)))


def roc_curve(inside, outside):
    """What is accepted of both, threshold by threshold from none to all.

    Args:
        inside, outside: as for `auroc`.

    Returns:
        (outside accepted, inside accepted), two arrays of shares that rise from 0 to 1.

    Raises:
        ValueError: as `auroc`.

    Example:
        >>> wrong, right = roc_curve([0.9, 0.4], [0.4])
        >>> print(wrong.tolist(), right.tolist())
        [0.0, 0.0, 1.0] [0.0, 0.5, 1.0]
    """
    inside, outside = np.sort(_checked(inside, "inside")), np.sort(_checked(outside, "outside"))
    thresholds = np.concatenate([[np.inf], np.unique(np.concatenate([inside, outside]))[::-1]])
    accepted = [1 - np.searchsorted(scores, thresholds, "left") / len(scores) for scores in (outside, inside)]
    return accepted[0], accepted[1]


def accepted_outside(inside, outside, share=0.95):
    """Share of what is outside that is accepted where `share` of the inside is (FPR at 95 % TPR).

    Args:
        inside, outside: as for `auroc`.
        share: float in (0, 1].

    Returns:
        float.

    Raises:
        ValueError: as `auroc`.

    Example:
        >>> print(accepted_outside([0.9, 0.8, 0.7, 0.2], [0.75, 0.1], share=0.75))
        0.5
    """
    wrong, right = roc_curve(inside, outside)
    return float(wrong[np.argmax(right >= share - 1e-12)])


def _checked(scores, name):
    scores = np.asarray(scores, np.float64).reshape(-1)
    if not len(scores) or np.isnan(scores).any():
        raise ValueError(
            f"{name} holds {len(scores)} scores, {int(np.isnan(scores).sum())} of them no numbers; give some"
        )
    return scores
