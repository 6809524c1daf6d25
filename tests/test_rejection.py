"""Telling what is outside by a score: areas and shares by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from keras_seq.rejection import accepted_outside, auroc, roc_curve


def test_the_area_is_the_share_of_pairs_in_order():
    assert auroc([3, 2], [1, 0]) == 1.0
    assert auroc([1, 0], [3, 2]) == 0.0
    assert auroc([5, 5, 5], [5, 5]) == 0.5
    assert auroc([0.9, 0.3], [0.5, 0.3]) == (1 + 1 + 0 + 0.5) / 4


def test_it_is_what_scikit_learn_says_and_the_area_under_the_curve():
    random = np.random.default_rng(1)
    inside, outside = random.integers(3, 12, 57), random.integers(0, 9, 31)  # with ties
    wanted = roc_auc_score(np.repeat([1, 0], [57, 31]), np.concatenate([inside, outside]))
    assert auroc(inside, outside) == pytest.approx(wanted, abs=1e-12)
    wrong, right = roc_curve(inside, outside)
    assert np.trapezoid(right, wrong) == pytest.approx(wanted, abs=1e-12)
    assert (np.diff(wrong) >= 0).all() and (np.diff(right) >= 0).all()
    assert (wrong[0], right[0], wrong[-1], right[-1]) == (0, 0, 1, 1)


def test_what_gets_through_where_most_of_the_inside_does():
    inside, outside = np.arange(100, 120), np.array([90, 100, 101, 110, 130])
    # 95 % of twenty are nineteen: the threshold is 101, which 101, 110 and 130 reach.
    assert accepted_outside(inside, outside) == 3 / 5
    assert accepted_outside(inside, outside, share=1.0) == 4 / 5


@pytest.mark.parametrize(("inside", "outside", "name"), [([], [1], "inside"), ([1], [float("nan")], "outside")])
def test_no_scores_are_refused(inside, outside, name):
    with pytest.raises(ValueError, match=f"{name} holds"):
        auroc(inside, outside)
