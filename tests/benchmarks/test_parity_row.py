"""A row of a parity table: what it measures, when it holds, what it refuses."""

import numpy as np
import pytest

from benchmarks.parity.row import compare


def test_the_difference_is_the_largest_and_the_bar_depends_on_the_dtype():
    ours, theirs = np.array([[1.0, 2.0]]), np.array([[1.0, 2.0 - 1e-7]])
    double, single = (compare("cell", "Keras", "outputs", ours, theirs, dtype) for dtype in ("float64", "float32"))
    assert abs(double.difference - 1e-7) < 1e-12 and (double.tolerance, single.tolerance) == (1e-10, 1e-5)
    assert single.holds and not double.holds


def test_nan_does_not_hold():
    assert not compare("cell", "Keras", "outputs", np.array([np.nan]), np.array([np.nan]), "float32").holds


@pytest.mark.parametrize(
    ("ours", "theirs", "dtype", "message"),
    [
        (np.ones((2, 3)), np.ones((3, 2)), "float32", r"cell against Keras, outputs: ours has shape \(2, 3\), theirs"),
        (np.ones(1), np.ones((1, 1)), "float32", r"theirs \(1, 1\); bring both to one layout"),
        (np.ones((0, 2)), np.ones((0, 2)), "float32", r"shape \(0, 2\) has no number"),
        (np.ones(2), np.ones(2), "float16", "dtype='float16' has no tolerance; choose one of float64, float32"),
    ],
)
def test_what_cannot_be_compared_is_refused(ours, theirs, dtype, message):
    with pytest.raises(ValueError, match=message):
        compare("cell", "Keras", "outputs", ours, theirs, dtype)
