"""Pooling: the largest and the mean of each window, on every backend."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_seq.layers.pooling import AveragePooling2D, MaxPooling2D, average_pooling, max_pooling

BATCH, HEIGHT, WIDTH, CHANNELS = 2, 7, 9, 3
LAYERS = (MaxPooling2D, AveragePooling2D)
on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function and its gradients")


def pictures(seed=0):
    return np.random.default_rng(seed).normal(size=(BATCH, HEIGHT, WIDTH, CHANNELS)).astype("float32")


def by_hand(reduce, images, size, strides, padding):
    """One window at a time; pixels of padding are NaN, which `reduce` leaves out."""
    sides = []
    for pixels, length, stride in zip(images.shape[1:3], size, strides, strict=True):
        if padding == "same":
            missing = max((int(np.ceil(pixels / stride)) - 1) * stride + length - pixels, 0)
            sides.append((missing // 2, missing - missing // 2))
        else:
            sides.append((0, 0) if padding == "valid" else (padding, padding))
    padded = np.pad(images.astype("float64"), [(0, 0), *sides, (0, 0)], constant_values=np.nan)
    rows = range(0, padded.shape[1] - size[0] + 1, strides[0])
    columns = range(0, padded.shape[2] - size[1] + 1, strides[1])
    return np.stack(
        [
            np.stack([reduce(padded[:, y : y + size[0], x : x + size[1]], axis=(1, 2)) for x in columns], axis=1)
            for y in rows
        ],
        axis=1,
    )


def test_four_by_four_becomes_two_by_two():
    image = np.array([[1, 2, 0, 0], [3, 4, 0, 8], [5, 5, 1, 2], [5, 5, 3, 6]], "float32")[None, :, :, None]
    assert ops.convert_to_numpy(max_pooling(image))[0, :, :, 0].tolist() == [[4, 8], [5, 6]]
    assert ops.convert_to_numpy(average_pooling(image))[0, :, :, 0].tolist() == [[2.5, 2], [5, 3]]


def test_padding_is_never_the_largest_and_does_not_count_in_the_mean():
    image = -np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], "float32")[None, :, :, None]
    assert ops.convert_to_numpy(max_pooling(image, 2, padding=1))[0, :, :, 0].tolist() == [[-1, -2], [-4, -5]]
    assert ops.convert_to_numpy(average_pooling(image, 2, padding="same"))[0, :, :, 0].tolist() == [
        [-3, -4.5],
        [-7.5, -9],
    ]


@settings(deadline=None, max_examples=15)
@given(
    pixels=st.tuples(st.integers(3, 8), st.integers(3, 8)),
    size=st.tuples(st.integers(2, 3), st.integers(2, 3)),
    strides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.sampled_from(["valid", "same", 1]),
)
def test_the_map_equals_the_equation(pixels, size, strides, padding):
    images = np.random.default_rng(4).normal(size=(2, *pixels, 3)).astype("float32")
    for pooling, reduce in ((max_pooling, np.nanmax), (average_pooling, np.nanmean)):
        output = ops.convert_to_numpy(pooling(images, size, strides, padding))
        np.testing.assert_allclose(output, by_hand(reduce, images, size, strides, padding), atol=1e-6)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_layer_equals_keras_layer(kind, padding):
    ours = kind((3, 2), (2, 3), padding)
    theirs = getattr(keras.layers, kind.__name__)((3, 2), (2, 3), padding, data_format="channels_last")
    images = pictures()
    np.testing.assert_allclose(ops.convert_to_numpy(ours(images)), ops.convert_to_numpy(theirs(images)), atol=1e-6)
    assert ours.compute_output_shape(images.shape) == tuple(ours(images).shape)


@on_tensorflow
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_for_unknown_sizes_equals_eager(kind, jit_compile):
    import tensorflow as tf

    layer = kind(3, (2, 4), "same")
    compiled = tf.function(
        layer, input_signature=[tf.TensorSpec((None, None, None, CHANNELS), "float32")], jit_compile=jit_compile
    )
    for images in (pictures(), pictures()[:, :6, :5]):
        np.testing.assert_allclose(compiled(images), layer(images), atol=1e-6)


@on_tensorflow
def test_equal_largest_pixels_share_the_gradient():
    import tensorflow as tf

    image = tf.reshape(tf.constant([3.0, 1.0, 3.0, 2.0]), (1, 2, 2, 1))
    with tf.GradientTape() as tape:
        tape.watch(image)
        largest = max_pooling(image)
    assert tape.gradient(largest, image).numpy().ravel().tolist() == [0.5, 0, 0.5, 0]


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float32"])
def test_large_pixels_stay_finite_in_every_precision(kind, dtype):
    images = np.full((1, 5, 5, 2), 3e4, "float32")  # four of them are more than float16 can hold
    output = kind(2, padding="same", dtype=dtype)(images)
    assert keras.backend.standardize_dtype(output.dtype) == dtype.removeprefix("mixed_")
    np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(output, "float32")), 3e4, rtol=0.01)


@pytest.mark.parametrize("kind", LAYERS)
def test_its_configuration_makes_it_again_and_a_model_with_it_survives_saving(kind, tmp_path):
    layer = kind((3, 2), padding=1, name="pool")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is kind and again.get_config() == layer.get_config() and again.strides == (3, 2)
    model = keras.Sequential([keras.Input((None, None, CHANNELS)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(pictures(), verbose=0), model.predict(pictures(), verbose=0))


@pytest.mark.parametrize("kind", LAYERS)
def test_shapes_are_known_before_there_are_pixels(kind):
    assert kind(2)(keras.Input((None, 9, None))).shape == (None, None, 4, None)
    assert kind(2, padding="same")(keras.Input((7, 9, 3))).shape == (None, 4, 5, 3)


@pytest.mark.parametrize("kind", LAYERS)
def test_wrong_calls_say_what_was_wanted(kind):
    with pytest.raises(ValueError, match="pool_size=0 is not a size"):
        kind(0)
    with pytest.raises(ValueError, match="strides=0 is not a size"):
        kind(2, strides=0)
    with pytest.raises(ValueError, match="padding='full' is unknown"):
        kind(2, padding="full")
    with pytest.raises(ValueError, match=r"padding=2 makes windows of pool_size=\(3, 2\) .* give at most 1"):
        kind((3, 2), padding=2)
    with pytest.raises(ValueError, match=r"wanted \(batch, height, width, channels\)"):
        kind()(pictures()[0])
    with pytest.raises(ValueError, match="images are int32; wanted floats"):
        kind()(pictures().astype("int32"))
    with pytest.raises(ValueError, match="kernel=8 does not fit into size=7"):
        kind(8)(pictures())
    with pytest.raises(ValueError, match="kernel=8 does not fit into size=7"):
        kind(8)(keras.Input((7, 9, 3)))
