"""Positions: sines and cosines that turn, tables that end, and what a step by step decoder sees of them."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.layers.positions import LearnedPositions, RandomPositions, SinusoidalPositions, sinusoidal_positions

BATCH, TIME, FEATURES, MAX_LENGTH = 2, 3, 6, 7
LAYERS = [SinusoidalPositions, lambda **options: LearnedPositions(MAX_LENGTH, **options)]
LAYERS += [lambda **options: RandomPositions(MAX_LENGTH, **options)]
on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function is TensorFlow's")


def inputs(dtype="float32"):
    return np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype(dtype)


def sinusoids(length, features=FEATURES, **options):
    return ops.convert_to_numpy(sinusoidal_positions(length, features, **options))


def test_the_first_two_positions_by_hand():
    """w_0 = 1 and w_1 = 10000^(-2/4) = 1/100."""
    wanted = [[0, 1, 0, 1], [np.sin(1), np.cos(1), np.sin(0.01), np.cos(0.01)]]
    np.testing.assert_allclose(sinusoids(2, 4), wanted, atol=1e-7)


def test_even_features_are_sines_and_odd_ones_cosines_of_the_same_angles():
    made, time = sinusoids(MAX_LENGTH), np.arange(MAX_LENGTH)
    for i in range(0, FEATURES, 2):
        np.testing.assert_allclose(made[:, i], np.sin(time / 10000 ** (i / FEATURES)), atol=1e-6)
        np.testing.assert_allclose(made[:, i + 1], np.cos(time / 10000 ** (i / FEATURES)), atol=1e-6)


@pytest.mark.parametrize("k", [1, 5, -2])
def test_k_positions_further_is_one_rotation_wherever_one_stands(k):
    rotation = np.zeros((FEATURES, FEATURES))
    for i in range(0, FEATURES, 2):
        angle = k * 10000 ** (-i / FEATURES)
        rotation[i : i + 2, i : i + 2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    np.testing.assert_allclose(sinusoids(11, start=4) @ rotation.T, sinusoids(11, start=4 + k), atol=3e-6)


def test_with_sines_alone_no_linear_map_goes_a_position_further():
    made = sinusoids(40)
    for features, possible in ((slice(None), True), (slice(0, None, 2), False)):
        now, later = made[:-1, features], made[1:, features]
        missed = np.abs(now @ np.linalg.lstsq(now, later, rcond=None)[0] - later).max()
        assert missed < 1e-5 if possible else missed > 0.1


def test_how_alike_two_positions_are_depends_on_their_distance_alone():
    made = sinusoids(9)
    products = made @ made.T
    for distance in range(9):
        np.testing.assert_allclose(np.diagonal(products, distance), products[0, distance], atol=1e-5)
    assert products[0, 0] == pytest.approx(FEATURES / 2) and products[0, 1] < products[0, 0]


def test_in_float32_a_position_is_right_to_its_ten_millionth():
    time = np.arange(0, 5000)[:, None]
    angles = time * 10000 ** (-np.arange(0, 64, 2) / 64)
    error = np.abs(sinusoids(5000, 64)[:, ::2] - np.sin(angles)).max(axis=1)
    assert np.all(error <= 1e-7 * (time[:, 0] + 2))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_rounds_the_result_and_not_the_angle(dtype):
    near = sinusoidal_positions(4, FEATURES, start=2047, dtype=dtype)
    assert keras.backend.standardize_dtype(near.dtype) == dtype
    near = ops.convert_to_numpy(ops.cast(near, "float32"))
    np.testing.assert_allclose(near, sinusoids(4, start=2047), atol=1e-2)
    assert np.abs(np.diff(near[:, 0])).min() > 0.1


@pytest.mark.parametrize("make", LAYERS)
def test_rows_are_added_from_the_start_on(make):
    layer, zeros = make(), np.zeros((1, MAX_LENGTH, FEATURES), "float32")
    rows = ops.convert_to_numpy(layer(zeros))[0]
    assert len(np.unique(rows.round(4), axis=0)) == MAX_LENGTH
    output = ops.convert_to_numpy(layer(inputs(), start=4))
    np.testing.assert_allclose(output, inputs() + rows[4:7], atol=1e-6)


@pytest.mark.parametrize("make", LAYERS)
def test_step_by_step_with_a_tensor_for_a_position_equals_all_at_once(make):
    layer = make()
    whole = ops.convert_to_numpy(layer(inputs()))
    for position in range(TIME):
        step = layer(inputs()[:, position : position + 1], start=ops.convert_to_tensor(position, "int32"))
        np.testing.assert_allclose(ops.convert_to_numpy(step)[:, 0], whole[:, position], atol=1e-6)


@on_tensorflow
@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_for_any_length_equals_eager(make, jit_compile):
    import tensorflow as tf

    layer = make()
    signature = [tf.TensorSpec((None, None, FEATURES)), tf.TensorSpec((), "int32")]
    compiled = tf.function(layer, input_signature=None if jit_compile else signature, jit_compile=jit_compile)
    for length in (1, TIME):
        part = tf.constant(inputs()[:, :length])
        np.testing.assert_allclose(compiled(part, tf.constant(2)), layer(part, start=2), atol=1e-6)


@on_tensorflow
def test_the_number_of_positions_may_be_a_tensor():
    import tensorflow as tf

    made = tf.function(lambda length: sinusoidal_positions(length, FEATURES), autograph=False)
    np.testing.assert_allclose(made(tf.constant(9)), sinusoids(9), atol=1e-6)


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_the_output_has_the_policys_dtype(make, policy):
    output = make(dtype=policy)(inputs())
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")


@pytest.mark.parametrize("make", LAYERS)
def test_an_implicit_mask_is_passed_on(make):
    ids = np.array([[3, 9, 0]])
    output = make()(keras.layers.Embedding(11, FEATURES, mask_zero=True)(ids))
    assert ops.convert_to_numpy(output._keras_mask).tolist() == [[True, True, False]]


@pytest.mark.parametrize("make", LAYERS)
def test_its_configuration_makes_it_again_and_shapes_are_known_before_values(make):
    layer = make(name="where", dtype="mixed_float16")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()
    assert layer(keras.Input((None, FEATURES))).shape == (None, None, FEATURES)
    assert layer.compute_output_shape((BATCH, TIME, FEATURES)) == (BATCH, TIME, FEATURES)


def test_learned_positions_are_trained_and_random_ones_are_not():
    learned, random = LearnedPositions(MAX_LENGTH), RandomPositions(MAX_LENGTH)
    for layer in (learned, random):
        layer.build((None, None, FEATURES))
    assert [tuple(weight.shape) for weight in learned.trainable_weights] == [(MAX_LENGTH, FEATURES)]
    assert not random.trainable_weights and tuple(random.weights[0].shape) == (MAX_LENGTH, FEATURES)


def test_random_positions_are_as_large_as_sinusoids_and_their_seeds_own():
    tables = []
    for seed in (1, 1, 2):
        layer = RandomPositions(501, seed)
        layer.build((None, None, 40))
        tables.append(ops.convert_to_numpy(layer.positions))
    np.testing.assert_array_equal(tables[0], tables[1])
    assert np.abs(tables[0] - tables[2]).max() > 0.1
    assert (tables[0] ** 2).mean() == pytest.approx((sinusoids(501, 40) ** 2).mean(), rel=0.03)


def test_random_positions_survive_saving(tmp_path):
    source = keras.Input((None, FEATURES))
    model = keras.Model(source, RandomPositions(MAX_LENGTH, seed=5)(source))
    table = np.random.default_rng(3).normal(size=(MAX_LENGTH, FEATURES))
    model.layers[-1].set_weights([table])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(ops.convert_to_numpy(loaded(inputs())), inputs() + table[:TIME], atol=1e-6)


@pytest.mark.parametrize("make", [LearnedPositions, RandomPositions])
def test_a_table_that_is_too_short_says_so(make):
    layer = make(MAX_LENGTH)
    layer(inputs(), start=4)
    with pytest.raises(ValueError, match="3 positions from start=5 need a table of 8, but this one has max_length=7"):
        layer(inputs(), start=5)
    with pytest.raises(ValueError, match="9 positions from start=0 need a table of 9"):
        layer(np.zeros((BATCH, 9, FEATURES), "float32"), start=ops.convert_to_tensor(0))
    with pytest.raises(ValueError, match="max_length=0 is not"):
        make(0)


def test_odd_widths_and_wrong_ranks_are_refused():
    with pytest.raises(ValueError, match="features=5 is odd; a sine and a cosine make a pair"):
        sinusoidal_positions(2, 5)
    with pytest.raises(ValueError, match="features=0 is not"):
        sinusoidal_positions(2, 0)
    with pytest.raises(ValueError, match=r"inputs have shape \(2, 6\); positions want \(batch, time, features\)"):
        SinusoidalPositions()(inputs()[:, 0])
