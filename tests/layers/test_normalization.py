"""Layer normalisation from its formula, and where it stands in a residual connection."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.layers.normalization import LayerNormalization, Residual, layer_normalization

BATCH, TIME, FEATURES = 2, 3, 5


def inputs():
    return np.random.default_rng(0).normal(2, 3, size=(BATCH, TIME, FEATURES)).astype("float32")


def array(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def double(dropout=0.0, **options):
    """A residual connection around the layer that doubles its input."""
    dense = keras.layers.Dense(FEATURES, kernel_initializer=keras.initializers.Identity(2.0), use_bias=False)
    return Residual(dense, dropout=dropout, **options)


def normal(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def test_one_and_three_become_minus_one_and_one():
    made = layer_normalization(
        np.array([[1.0, 3.0]]), gain=np.array([1.0, 5.0]), bias=np.array([0.0, 7.0]), epsilon=0.0
    )
    np.testing.assert_allclose(array(made), [[-1, 12]], atol=1e-6)


def test_equal_features_become_the_bias():
    np.testing.assert_array_equal(array(LayerNormalization()(np.full((2, 3), 7.0, "float32"))), np.zeros((2, 3)))


def test_each_position_has_mean_zero_and_variance_one():
    made = array(LayerNormalization()(inputs()))
    np.testing.assert_allclose(made.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose(made.var(-1), 1, atol=1e-3)


def test_it_equals_keras_of_the_same_epsilon_and_not_of_keras_own():
    gain, bias = np.random.default_rng(1).normal(size=(2, FEATURES))
    layers = LayerNormalization(0.02), keras.layers.LayerNormalization(epsilon=0.02), keras.layers.LayerNormalization()
    made = []
    for layer in layers:
        layer.build(inputs().shape)
        layer.set_weights([gain, bias])
        made.append(array(layer(inputs())))
    np.testing.assert_allclose(made[0], made[1], atol=1e-5)
    assert np.abs(made[0] - made[2]).max() > 1e-4


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_squares_that_float16_cannot_hold_are_not_lost(policy):
    large = 1000 * inputs()
    made = LayerNormalization(dtype=policy)(large)
    assert keras.backend.standardize_dtype(made.dtype) == policy.removeprefix("mixed_")
    np.testing.assert_allclose(array(made), normal(large), atol=0.03)


def test_the_three_places_of_the_norm_by_hand():
    x = inputs()
    wanted = {"pre": x + 2 * normal(x), "post": normal(x + 2 * x), None: 3 * x}
    for norm, output in wanted.items():
        np.testing.assert_allclose(array(double(norm=norm)(x)), output, atol=2e-5)


def test_without_the_residual_only_the_layer_is_left():
    x = inputs()
    wanted = {"pre": 2 * normal(x), "post": normal(2 * x), None: 2 * x}
    for norm, output in wanted.items():
        np.testing.assert_allclose(array(double(norm=norm, residual=False)(x)), output, atol=2e-5)


def test_the_two_halves_around_a_layer_are_the_call():
    x = inputs()
    for norm in ("pre", "post"):
        residual = double(norm=norm)
        whole = array(residual(x))
        np.testing.assert_array_equal(array(residual.after(x, residual.sublayer(residual.before(x)))), whole)


def test_the_halves_carry_a_layer_of_several_inputs():
    x, other = inputs(), ops.ones((BATCH, 7, 4))
    residual = Residual(keras.layers.Attention(), norm="pre")
    attended = residual.sublayer([residual.before(x), ops.ones((BATCH, 7, FEATURES))])
    np.testing.assert_allclose(array(residual.after(x, attended)), x + 1, atol=1e-6)
    with pytest.raises(ValueError, match="must be equal"):
        residual.after(x, other)


def test_dropout_acts_on_the_layers_output_in_training_alone():
    keras.utils.set_random_seed(4)
    residual, x = double(dropout=0.5, norm=None), inputs()
    np.testing.assert_allclose(array(residual(x)), 3 * x, atol=1e-5)
    trained = array(residual(x, training=True)) / x
    assert set(np.unique(trained.round(3))) == {1.0, 5.0}, "x alone, or x + 2 (2 x)"


def test_the_layer_inside_is_told_that_it_trains():
    x = inputs()
    residual = Residual(keras.layers.Dropout(0.5, seed=1), norm=None)
    np.testing.assert_allclose(array(residual(x)), 2 * x, atol=1e-5)
    trained = array(residual(x, training=True)) / x
    assert set(np.unique(trained.round(3))) == {1.0, 3.0}, "x alone, or x + 2 x"


def test_the_mask_is_passed_on():
    ids = np.array([[3, 9, 0]])
    embedded = keras.layers.Embedding(11, FEATURES, mask_zero=True)(ids)
    for layer in (LayerNormalization(), double(norm="pre"), double(norm="post")):
        mask = layer(embedded)._keras_mask
        assert ops.convert_to_numpy(mask).tolist() == [[True, True, False]]


def test_a_model_with_them_survives_saving_and_trains(tmp_path):
    source = keras.Input((None, FEATURES))
    residual = Residual(keras.layers.Dense(FEATURES, "relu"), norm="post", dropout=0.1)
    model = keras.Model(source, LayerNormalization(0.01)(residual(source)))
    assert model.output_shape == (None, None, FEATURES) and len(model.trainable_weights) == 6
    model.compile("sgd", "mse")
    model.fit(inputs(), inputs(), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(array(loaded(inputs())), array(model(inputs())), atol=1e-6)


@pytest.mark.parametrize("layer", [LayerNormalization(0.01), double(norm="post", residual=False, dtype="float64")])
def test_their_configuration_makes_them_again(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()
    assert layer.compute_output_shape((2, 3, FEATURES)) == (2, 3, FEATURES)


def test_what_cannot_be_added_or_is_unknown_is_refused():
    with pytest.raises(ValueError, match=r'norm=\'batch\' is unknown; choose "pre", "post" or None'):
        double(norm="batch")
    with pytest.raises(ValueError, match="dropout=1 is outside"):
        double(dropout=1)
    with pytest.raises(ValueError, match="epsilon=0 does not keep equal features finite"):
        LayerNormalization(0)
    for layer in (keras.layers.Dense(1), keras.layers.Flatten(), keras.layers.Dense(7)):
        with pytest.raises(ValueError, match=r"makes shape .* of \(2, 3, 5\).* must be equal; give it 5 units"):
            Residual(layer)(inputs())


def test_through_thirty_layers_gradients_survive_with_residuals_alone():
    """The first weight of 30 small layers: its share of the loss is lost without the sums."""
    sizes = {}
    for residual in (True, False):
        keras.utils.set_random_seed(3)
        small = keras.initializers.RandomNormal(stddev=0.1)
        x = source = keras.Input((FEATURES,))
        for _ in range(30):
            dense = keras.layers.Dense(FEATURES, kernel_initializer=small)
            x = Residual(dense, norm=None, residual=residual)(x)
        model = keras.Model(source, x)
        first = model.layers[1].sublayer.kernel
        before = array(first)
        model.compile(keras.optimizers.SGD(1e-3), "mse")
        model.fit(inputs()[0], inputs()[1], verbose=0)
        sizes[residual] = np.abs(array(first) - before).max()
    assert sizes[True] > 1e-5 and sizes[False] < 1e-9
