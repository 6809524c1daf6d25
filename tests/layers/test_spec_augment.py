"""Stripes of a spectrogram: as wide as drawn, anywhere, and in training alone."""

import numpy as np
import pytest
from keras import ops

from keras_seq.layers import SpecAugment


def taken(layer, shape=(400, 50, 40)):
    """What became of ones in training, True where they are gone."""
    return ops.convert_to_numpy(layer(ops.ones(shape), training=True)) == 0


def test_what_is_gone_is_whole_stripes_no_wider_than_allowed():
    gone = taken(SpecAugment(stripes=1, bands=0.25, time=0.1, seed=3))
    moments, heights = gone.all(axis=2), gone.all(axis=1)
    np.testing.assert_array_equal(gone, moments[:, :, None] | heights[:, None, :])
    for own, most in ((moments, 5), (heights, 10)):
        widths = own.sum(axis=1)
        begins = np.diff(own.astype(int), axis=1, prepend=0) == 1
        assert begins.sum(axis=1).max() == 1 and set(widths) == set(range(most + 1))
        assert own.any(axis=0).all()  # anywhere, from the first place to the last


def test_the_share_that_is_gone_is_what_is_drawn_on_average():
    """A stripe of time is 5 % wide on average, one of bands 10 %."""
    gone = taken(SpecAugment(stripes=1, bands=0.2, time=0.1, seed=5), (3000, 100, 100))
    assert gone.mean() == pytest.approx(1 - 0.95 * 0.9, abs=0.005)


def test_each_call_and_each_example_has_stripes_of_its_own():
    layer = SpecAugment(seed=1)
    first, second = taken(layer), taken(layer)
    assert (first != second).any() and (first[0] != first[1]).any()
    np.testing.assert_array_equal(first, taken(SpecAugment(seed=1)))
    features = ops.ones((2, 5, 4))
    assert layer(features) is features and SpecAugment(0)(features, training=True) is features
    assert not SpecAugment(0).variables


def test_arguments_out_of_range_are_refused():
    with pytest.raises(ValueError, match="stripes=-1 is no number of stripes"):
        SpecAugment(-1)
    with pytest.raises(ValueError, match="time=1.0 is outside"):
        SpecAugment(time=1.0)
