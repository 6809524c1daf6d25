"""The mean over time, as the maximum, looks at what the mask keeps alone."""

import numpy as np
import pytest

from keras_seq.layers.over_time import MeanOverTime

LENGTHS = np.array([5, 2, 3])
INPUTS = np.random.default_rng(1).normal(size=(3, 5, 4)).astype("float32")


def test_the_mean_is_of_the_kept_positions():
    mask = np.arange(5) < LENGTHS[:, None]
    wanted = np.stack([row[:length].mean(axis=0) for row, length in zip(INPUTS, LENGTHS, strict=True)])
    np.testing.assert_allclose(MeanOverTime()(INPUTS, mask=mask), wanted, atol=1e-6)
    np.testing.assert_allclose(MeanOverTime()(INPUTS), INPUTS.mean(axis=1), atol=1e-6)
    assert not np.any(MeanOverTime()(INPUTS, mask=np.zeros((3, 5), bool)))


def test_a_wrong_rank_is_refused():
    with pytest.raises(ValueError, match=r"wanted \(batch, time, features\)"):
        MeanOverTime()(INPUTS[0])
