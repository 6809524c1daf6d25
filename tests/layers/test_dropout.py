"""Dropout: as many zeros as asked for, in places that nothing predicts."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.layers.dropout import Dropout, dropout, mix

ROWS, COLUMNS = 300, 700


def zeros(rate, key, shape=(ROWS, COLUMNS)):
    """Where ones become zero: bool array."""
    return ops.convert_to_numpy(dropout(ops.ones(shape), rate, ops.convert_to_tensor(key, "int32"))) == 0


def published(numbers):
    """lowbias32 on unsigned numbers, in 64 bits."""
    x = np.asarray(numbers, "int64") % 2**32
    x = (x ^ (x >> 16)) * 0x7FEB352D % 2**32
    x = (x ^ (x >> 15)).astype("uint64") * np.uint64(0x846CA68B) % np.uint64(2**32)
    return (x ^ (x >> np.uint64(16))).astype("int64")


def test_mix_is_the_published_function():
    numbers = np.array([0, 1, 2, 77, 2**31 - 1, -1, -(2**31)], "int32")
    mixed = ops.convert_to_numpy(mix(ops.convert_to_tensor(numbers)))
    np.testing.assert_array_equal(mixed.astype("int64") % 2**32, published(numbers))


def test_the_places_are_those_of_the_equation_on_every_backend():
    first, second = published([8, -3])
    bits = published(published(np.arange(15) + first) + (first ^ second))
    wanted = (bits + 2**31) % 2**32 < 0.4 * 2**32  # the smallest signed numbers, from -2^31 up
    np.testing.assert_array_equal(zeros(0.4, [8, -3], (5, 3)), wanted.reshape(5, 3))


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.97])
def test_the_share_of_zeros_is_the_rate_and_the_mean_stays(rate):
    number = ROWS * COLUMNS
    deviation = np.sqrt(rate * (1 - rate) / number)
    for first in range(5):
        made = ops.convert_to_numpy(dropout(ops.ones((ROWS, COLUMNS)), rate, ops.array([first, 7], "int32")))
        assert abs(np.mean(made == 0) - rate) < 4 * deviation
        np.testing.assert_allclose(np.unique(made.round(3)), [0, 1 / (1 - rate)], rtol=1e-3)


@pytest.mark.parametrize("other", [[3, 5], [4, 4], [4, 3], [3, 4 + 2**16], [3 + COLUMNS, 4]])
def test_places_of_two_keys_are_independent(other):
    """Products of independent centred bits have mean 0 and deviation p (1 - p) / sqrt(n)."""
    one, two = zeros(0.3, [3, 4]) - 0.3, zeros(0.3, other) - 0.3
    for shifted in (two, np.roll(two, 1), np.roll(two, COLUMNS), two[::-1]):
        assert abs(np.mean(one * shifted)) < 4 * 0.21 / np.sqrt(one.size)


@pytest.mark.parametrize("distance", [1, 2, 3, 4, 16, 64, COLUMNS, 2**15])
def test_neighbours_are_independent(distance):
    made = zeros(0.3, [11, 12]).reshape(-1) - 0.3
    assert abs(np.mean(made[distance:] * made[:-distance])) < 4 * 0.21 / np.sqrt(made.size - distance)


def test_rows_and_columns_have_as_many_zeros_as_chance_gives_them():
    """Chi-squared of n cells has mean n and deviation sqrt(2 n)."""
    made = zeros(0.3, [21, 22])
    for axis in (0, 1):
        counted, cells = made.sum(axis=axis), made.shape[axis]
        chi = np.sum((counted - 0.3 * cells) ** 2 / (0.21 * cells))
        assert abs(chi - len(counted)) < 4 * np.sqrt(2 * len(counted))


def test_a_layer_drops_other_places_at_every_call_and_none_outside_training():
    layer, inputs = Dropout(0.3, seed=5), ops.ones((ROWS, COLUMNS))
    one, two = (ops.convert_to_numpy(layer(inputs, training=True)) == 0 for _ in range(2))
    assert abs(np.mean((one - 0.3) * (two - 0.3))) < 4 * 0.21 / np.sqrt(one.size)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(inputs)), ops.convert_to_numpy(inputs))
    again = Dropout(0.3, seed=5)
    np.testing.assert_array_equal(ops.convert_to_numpy(again(inputs, training=True)) == 0, one)
    assert np.mean((ops.convert_to_numpy(Dropout(0.3, seed=6)(inputs, training=True)) == 0) == one) < 0.6


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_the_dtype_stays(dtype):
    made = Dropout(0.5, dtype=dtype)(ops.ones((3, 4), dtype), training=True)
    assert keras.backend.standardize_dtype(made.dtype) == dtype


def test_a_rate_of_nothing_has_no_state_and_a_rate_of_one_is_refused():
    assert not Dropout(0).variables
    with pytest.raises(ValueError, match=r"rate=1 is outside \[0, 1\)"):
        Dropout(1)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function is TensorFlow's")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_graph_drops_the_same_places_and_its_gradient_too(compiled):
    import tensorflow as tf

    def both(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
        return outputs, tape.gradient(outputs, inputs)

    inputs = tf.ones((5, 6, 7))
    layer = Dropout(0.4, seed=9)
    wanted = both(inputs)
    layer = Dropout(0.4, seed=9)
    made = tf.function(both, jit_compile=compiled, input_signature=[tf.TensorSpec((None, None, 7))])(inputs)
    for one, other in zip(made, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    np.testing.assert_allclose(made[0], made[1], rtol=1e-6)
