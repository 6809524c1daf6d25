"""Strided convolutions over frames: a quarter of them, at the same places whatever the padding."""

import keras
import numpy as np
import pytest
import torch

from keras_seq.layers import ConvolutionSubsampling, subsampled

CHANNELS, UNITS, FEATURES = 3, 5, 9


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(2)
    layer = ConvolutionSubsampling(CHANNELS, UNITS)
    layer.build((None, None, FEATURES))
    return layer


def inputs(time, seed=0):
    return np.random.default_rng(seed).normal(size=(2, time, FEATURES)).astype("float32")


@pytest.mark.parametrize("time", [1, 2, 11, 12])
def test_it_is_pytorch_s_convolution_with_padding_1(layer, time):
    given, maps = inputs(time), torch.tensor(inputs(time))[:, None]  # (batch, 1, time, features)
    weights = layer.get_weights()
    for kernel, bias in (weights[:2], weights[2:4]):
        kernel = torch.tensor(kernel.transpose(3, 2, 0, 1))
        maps = torch.relu(torch.nn.functional.conv2d(maps, kernel, torch.tensor(bias), stride=2, padding=1))
    flat = maps.permute(0, 2, 3, 1).reshape(2, subsampled(time), -1).numpy()
    found = layer(given, np.array([time, time]))
    np.testing.assert_allclose(found, flat @ weights[4] + weights[5], atol=1e-5)


@pytest.mark.parametrize("padding", [0, 1, 2, 3, 9])
def test_sequences_are_the_same_whatever_is_behind_them(layer, padding):
    lengths, batch = np.array([10, 7]), inputs(10 + padding)
    found = np.asarray(layer(batch, lengths))
    for row, length in enumerate(lengths):
        alone = np.asarray(layer(batch[row : row + 1, :length], lengths[row : row + 1]))[0]
        np.testing.assert_allclose(found[row, : len(alone)], alone, atol=1e-5)
        assert len(alone) == subsampled(length) and not found[row, len(alone) :].any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ConvolutionSubsampling(0, 3), "channels=0 is not a width"),
        (lambda: ConvolutionSubsampling(3, 0), "units=0 is not a width"),
        (lambda: ConvolutionSubsampling(3, 4)(np.ones((2, 9)), np.ones(2, "int32")), "wanted .batch, time, features"),
        (lambda: ConvolutionSubsampling(3, 4)(inputs(5), np.ones(3, "int32")), "they must be equal"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
