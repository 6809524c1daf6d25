"""Cross-correlation: the equation, sizes and counts, and the contract of a Keras layer, on every backend."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_seq.layers.convolution import CrossCorrelation2D, cross_correlation, parameter_count

BATCH, HEIGHT, WIDTH, CHANNELS, FILTERS = 2, 7, 9, 3, 5
on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function and its gradients")


def pictures(seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=(BATCH, HEIGHT, WIDTH, CHANNELS)).astype(dtype)


def by_hand(images, kernel, strides, padding, dilation=(1, 1)):
    """The equation, one number at a time; the padding from its definition: ceil(size / stride) places.

    A dilated kernel is a larger one with zeros between its numbers.
    """
    wide = np.zeros((*(d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape, strict=False)), *kernel.shape[2:]))
    wide[:: dilation[0], :: dilation[1]] = kernel
    kernel, sides = wide, []
    for size, length, stride in zip(images.shape[1:3], kernel.shape[:2], strides, strict=True):
        if padding == "same":
            missing = max((int(np.ceil(size / stride)) - 1) * stride + length - size, 0)
            sides.append((missing // 2, missing - missing // 2))
        else:
            sides.append((0, 0) if padding == "valid" else (padding, padding))
    padded = np.pad(images.astype("float64"), [(0, 0), *sides, (0, 0)])
    height, width = kernel.shape[:2]
    rows = range(0, padded.shape[1] - height + 1, strides[0])
    columns = range(0, padded.shape[2] - width + 1, strides[1])
    output = np.zeros((len(images), len(rows), len(columns), kernel.shape[3]))
    for row, y in enumerate(rows):
        for column, x in enumerate(columns):
            window = padded[:, y : y + height, x : x + width]
            for o in range(kernel.shape[3]):
                output[:, row, column, o] = (window * kernel[..., o]).sum(axis=(1, 2, 3))
    return output


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(3)
    layer = CrossCorrelation2D(FILTERS, (3, 4), (2, 3), "same", activation="tanh", bias_initializer="normal")
    layer.build((None, None, None, CHANNELS))
    return layer


def test_an_edge_is_where_neighbours_differ():
    image = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]], "float32")[None, :, :, None]
    kernel = np.array([[-1.0, 1.0]], "float32")[:, :, None, None]
    edges = ops.convert_to_numpy(cross_correlation(image, kernel))
    np.testing.assert_array_equal(edges[0, :, :, 0], [[0, 1, 0]] * 3)


def test_the_kernel_is_not_flipped():
    """1 at the origin of the kernel copies the picture; the convolution of mathematics would move it."""
    images = pictures()
    kernel = np.zeros((2, 2, CHANNELS, CHANNELS), "float32")
    kernel[0, 0] = np.eye(CHANNELS)
    output = ops.convert_to_numpy(cross_correlation(images, kernel))
    np.testing.assert_array_equal(output, images[:, :-1, :-1])


@settings(deadline=None, max_examples=15)
@given(
    size=st.tuples(st.integers(3, 8), st.integers(3, 8)),
    kernel_size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.sampled_from(["valid", "same", 1, 2]),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_the_map_equals_the_equation(size, kernel_size, strides, padding, dilation):
    random = np.random.default_rng(4)
    size = tuple(s + (d - 1) * (k - 1) for s, d, k in zip(size, dilation, kernel_size, strict=True))  # so that it fits
    images = random.normal(size=(2, *size, 3)).astype("float32")
    kernel = random.normal(size=(*kernel_size, 3, 4)).astype("float32")
    output = ops.convert_to_numpy(cross_correlation(images, kernel, strides, padding, dilation))
    np.testing.assert_allclose(output, by_hand(images, kernel, strides, padding, dilation), atol=1e-5)


def test_a_dilated_kernel_skips_pixels():
    """1 at both ends of a kernel of two, three pixels apart: the sum of each pixel and the third one after it."""
    images = np.arange(7, dtype="float32").reshape(1, 1, 7, 1)
    sums = ops.convert_to_numpy(cross_correlation(images, np.ones((1, 2, 1, 1), "float32"), dilation_rate=3))
    np.testing.assert_array_equal(sums[0, 0, :, 0], [3, 5, 7, 9])


def test_a_shifted_picture_has_a_shifted_map():
    images, kernel = pictures(), np.random.default_rng(1).normal(size=(3, 2, CHANNELS, 4)).astype("float32")
    output = ops.convert_to_numpy(cross_correlation(images, kernel))
    shifted = ops.convert_to_numpy(cross_correlation(np.roll(images, 1, axis=2), kernel))
    np.testing.assert_allclose(shifted[:, :, 1:], output[:, :, :-1], atol=1e-6)


def test_three_channels_to_ten_by_three_times_three_are_280_parameters():
    assert parameter_count(3, 10, 3) == 280 and parameter_count(3, 10, (3, 3), use_bias=False) == 270
    for use_bias in (True, False):
        layer = CrossCorrelation2D(FILTERS, (2, 4), use_bias=use_bias)
        layer.build((None, 8, 8, CHANNELS))
        assert layer.count_params() == parameter_count(CHANNELS, FILTERS, (2, 4), use_bias)


def test_the_layer_equals_its_equation(layer):
    images = pictures()
    kernel, bias = (ops.convert_to_numpy(weight) for weight in layer.weights)
    wanted = np.tanh(by_hand(images, kernel, (2, 3), "same") + bias)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(images)), wanted, atol=1e-6)


def test_its_weights_fit_into_keras_layer(layer):
    images = pictures()
    peer = keras.layers.Conv2D(FILTERS, (3, 4), (2, 3), "same", activation="tanh", data_format="channels_last")
    peer.build(images.shape)
    peer.set_weights(layer.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(peer(images)), ops.convert_to_numpy(layer(images)), atol=1e-6)


@on_tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_for_unknown_sizes_equals_eager(layer, jit_compile):
    import tensorflow as tf

    unknown = tf.TensorSpec((None, None, None, CHANNELS), "float32")
    compiled = tf.function(layer, input_signature=[unknown], jit_compile=jit_compile)
    for images in (pictures(), pictures()[:, :6, :5]):
        np.testing.assert_allclose(compiled(images), layer(images), atol=1e-6)


@on_tensorflow
def test_its_gradient_equals_finite_differences(layer):
    import tensorflow as tf

    images, (kernel, bias) = pictures(), layer.get_weights()
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(images) ** 2)
    step = np.zeros(kernel.shape)
    step[2, 1, 0, 3] = 1e-4
    up, down = ((np.tanh(by_hand(images, kernel + sign * step, (2, 3), "same") + bias) ** 2).sum() for sign in (1, -1))
    gradient = tape.gradient(total, layer.kernel.value)
    np.testing.assert_allclose(gradient[2, 1, 0, 3], (up - down) / 2e-4, rtol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_keeps_its_policy(policy):
    layer = CrossCorrelation2D(FILTERS, 3, padding=1, activation="relu", dtype=policy)
    output = layer(pictures())
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(layer.kernel.dtype) == "float32"
    kernel = ops.convert_to_numpy(layer.kernel)
    wanted = np.maximum(by_hand(pictures(), kernel, (1, 1), 1), 0)
    output = ops.convert_to_numpy(ops.cast(output, "float32"))
    np.testing.assert_allclose(output, wanted, atol=0.1 if "b" in policy else 0.01)


def test_regularizers_add_their_losses_and_constraints_hold_after_a_step():
    l1, l2 = keras.regularizers.L1(0.25), keras.regularizers.L2(0.5)
    constraints = {"kernel_constraint": "max_norm", "bias_constraint": keras.constraints.NonNeg()}
    layer = CrossCorrelation2D(
        FILTERS, 2, kernel_initializer="normal", bias_initializer="ones", kernel_regularizer=l2, bias_regularizer=l1,
        **constraints,
    )  # fmt: skip
    model = keras.Sequential([keras.Input((HEIGHT, WIDTH, CHANNELS)), layer])
    kernel = layer.get_weights()[0]
    losses = sorted(float(ops.convert_to_numpy(loss)) for loss in layer.losses)
    np.testing.assert_allclose(losses, sorted([0.5 * (kernel**2).sum(), 0.25 * FILTERS]), rtol=1e-5)
    model.compile(keras.optimizers.SGD(50.0), "mse")
    model.fit(pictures(), -np.ones((BATCH, HEIGHT - 1, WIDTH - 1, FILTERS)), epochs=1, verbose=0)
    kernel, bias = layer.get_weights()
    assert np.sqrt((kernel**2).sum(axis=0)).max() < 2.001 and not bias.any()  # 2 is max_norm's bound


def test_a_model_with_it_learns_and_survives_saving(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((None, None, CHANNELS)), CrossCorrelation2D(4, 3, padding="same", strides=2)])
    model.compile("adam", "mse")
    images, labels = pictures(), np.ones((BATCH, 4, 5, 4), "float32")
    before, *_, after = model.fit(images, labels, epochs=5, verbose=0).history["loss"]
    assert after < before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(images, verbose=0), model.predict(images, verbose=0), atol=1e-6)


def test_its_configuration_makes_it_again():
    layer = CrossCorrelation2D(
        FILTERS, (3, 2), 2, 1, (1, 3), "relu", False, "he_normal", keras.initializers.Constant(2), "l2", "l1",
        "max_norm", "non_neg", dtype="float16", name="edges",
    )  # fmt: skip
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is CrossCorrelation2D and again.get_config() == layer.get_config()
    assert (again.kernel_size, again.strides, again.padding, again.use_bias) == ((3, 2), (2, 2), 1, False)
    assert again.dilation_rate == (1, 3) and type(again.kernel_regularizer) is keras.regularizers.L2
    assert type(again.bias_constraint) is keras.constraints.NonNeg


def test_shapes_are_known_before_there_are_pixels(layer):
    assert layer(keras.Input((None, 8, CHANNELS))).shape == (None, None, 3, FILTERS)
    assert CrossCorrelation2D(4, 3)(keras.Input((28, None, 1))).shape == (None, 26, None, 4)
    assert CrossCorrelation2D(4, 3, dilation_rate=(4, 2))(keras.Input((28, 9, 1))).shape == (None, 20, 5, 4)


def test_wrong_calls_say_what_was_wanted(layer):
    images, kernel = pictures(), np.zeros((3, 3, CHANNELS, 2), "float32")
    with pytest.raises(ValueError, match="filters=0 is not a width"):
        CrossCorrelation2D(0, 3)
    with pytest.raises(ValueError, match=r"kernel_size=\(3, 0\) is not a size"):
        CrossCorrelation2D(4, (3, 0))
    with pytest.raises(ValueError, match="strides=0 is not a size"):
        CrossCorrelation2D(4, 3, strides=0)
    with pytest.raises(ValueError, match="dilation_rate=0 is not a size"):
        CrossCorrelation2D(4, 3, dilation_rate=0)
    with pytest.raises(ValueError, match="padding='full' is unknown; choose"):
        CrossCorrelation2D(4, 3, padding="full")
    with pytest.raises(ValueError, match="have unknown channels; the kernel needs their number"):
        CrossCorrelation2D(4, 3)(keras.Input((8, 8, None)))
    with pytest.raises(ValueError, match="input_channels=0 is not a width"):
        parameter_count(0, 4, 3)
    with pytest.raises(ValueError, match=r"kernel has shape .* wanted \(height, width, channels, filters\)"):
        cross_correlation(images, kernel[0])
    with pytest.raises(ValueError, match="images are uint8; wanted floats: cast them, and divide .* by 255"):
        cross_correlation(images.astype("uint8"), kernel)
    with pytest.raises(ValueError, match="kernel=3 does not fit into size=2"):
        cross_correlation(images[:, :2], kernel)
    for call in (layer, lambda images: cross_correlation(images, kernel)):
        with pytest.raises(ValueError, match=r"images have shape .* wanted \(batch, height, width, channels\)"):
            call(images[0])
        with pytest.raises(ValueError, match=r"have 2 channels, but the kernel has 3; they must be equal"):
            call(images[..., :2])
    for wrong, message in (((8, 8, 2), "have 2 channels"), ((8, CHANNELS), "wanted .batch, height, width, channels.")):
        with pytest.raises(ValueError, match=message):
            layer(keras.Input(wrong))
    with pytest.raises(ValueError, match="wanted .batch, height, width, channels."):
        CrossCorrelation2D(4, 3)(keras.Input((8, CHANNELS)))
