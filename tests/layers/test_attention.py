"""Attention: the equation, the masks, and the contract of a Keras layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_seq.layers import AdditiveAttention, additive_scores, combine_masks, masked_softmax

BATCH, TARGET, SOURCE, QUERY, VALUE, KEY, UNITS = 2, 3, 5, 4, 7, 6, 8


def arrays(seed=0):
    random = np.random.default_rng(seed)
    query = random.normal(size=(BATCH, TARGET, QUERY)).astype("float32")
    value = random.normal(size=(BATCH, SOURCE, VALUE)).astype("float32")
    key = random.normal(size=(BATCH, SOURCE, KEY)).astype("float32")
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    return query, value, key, mask


def by_hand(layer, query, value, key, mask):
    """The layer's equation, one query and one key at a time."""
    scale, w_query, w_key, b_key = (weight.numpy().astype("float64") for weight in layer.weights)
    output = np.zeros((*query.shape[:2], value.shape[-1]))
    for b in range(query.shape[0]):
        for t in range(query.shape[1]):
            kept = np.flatnonzero(mask[b])
            scores = [scale @ np.tanh(query[b, t] @ w_query + key[b, s] @ w_key + b_key) for s in kept]
            weights = np.exp(scores) / np.sum(np.exp(scores))
            output[b, t] = weights @ value[b, kept]
    return output


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(3)
    layer = AdditiveAttention(UNITS)
    query, value, key, _ = arrays()
    layer(query, value, key)
    for weight in layer.weights:
        weight.assign(np.random.default_rng(1).normal(size=weight.shape))
    return layer


def test_the_softmax_of_one_and_e_is_one_to_e():
    weights = ops.convert_to_numpy(masked_softmax([[0.0, 1.0, 9.0]], [[True, True, False]]))
    np.testing.assert_allclose(weights, [[1 / (1 + np.e), np.e / (1 + np.e), 0]], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_softmax_stays_finite_for_large_scores_and_for_a_row_with_nothing_to_attend_to(dtype):
    scores = np.array([[6e4, -6e4, 6e4], [1, 2, 3]], dtype)
    weights = masked_softmax(scores, [[True, True, True], [False, False, False]])
    assert keras.backend.standardize_dtype(weights.dtype) == dtype
    np.testing.assert_allclose(ops.convert_to_numpy(weights), [[0.5, 0, 0.5], [0, 0, 0]], atol=1e-3)


@pytest.mark.parametrize("size", [1e9, 2e9, 1e37])
def test_however_low_the_kept_scores_are_masked_ones_get_no_weight(size):
    """What is masked counts as less than any score: with -1e9 in its place, a row of lower scores would have none."""
    weights = ops.convert_to_numpy(masked_softmax([[-2 * size, -size, -size, 0.0]], [[True, True, True, False]]))
    np.testing.assert_allclose(weights, [[0, 0.5, 0.5, 0]], atol=1e-6)


def test_a_mask_of_numbers_to_be_added_is_refused():
    """0 and minus infinity, as other libraries have it: it would keep what it is to hide."""
    with pytest.raises(ValueError, match="mask is float32; attention wants bool, True where a key may be attended to"):
        masked_softmax(np.zeros((2, 3), "float32"), np.array([0.0, 0.0, -np.inf], "float32"))


def test_the_score_is_v_dot_tanh_of_the_sum():
    query, key = np.array([[[0.5, -1.0]]]), np.array([[[0.25, 1.0], [-0.5, 1.0]]])
    scores = additive_scores(query, key, np.array([2.0, 3.0]))
    np.testing.assert_allclose(ops.convert_to_numpy(scores), [[[2 * np.tanh(0.75), 0]]], atol=1e-6)


def test_the_layer_equals_its_equation(layer):
    query, value, key, mask = arrays()
    output = layer(query, value, key, value_mask=mask)
    np.testing.assert_allclose(output, by_hand(layer, query, value, key, mask), atol=1e-5)


def test_its_gradient_equals_finite_differences(layer):
    query, value, key, mask = arrays()
    tensor = tf.constant(query)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.reduce_sum(layer(tensor, value, key, value_mask=mask) ** 2)
    step = np.zeros_like(query)
    step[1, 2, 3] = 1e-3
    up, down = ((by_hand(layer, query + sign * step, value, key, mask) ** 2).sum() for sign in (1, -1))
    np.testing.assert_allclose(tape.gradient(total, tensor)[1, 2, 3], (up - down) / 2e-3, rtol=1e-3)


def test_the_padding_changes_nothing_and_gets_no_weight(layer):
    query, value, key, mask = arrays()
    output, weights = layer(query, value, key, value_mask=mask, return_attention_scores=True)
    key[0, 3:], value[0, 3:] = 50.0, -70.0
    np.testing.assert_allclose(layer(query, value, key, value_mask=mask), output, atol=1e-6)
    assert np.all(weights.numpy()[0, :, 3:] == 0)
    np.testing.assert_allclose(weights.numpy().sum(-1), 1, rtol=1e-6)


def test_a_batch_equals_its_rows(layer):
    query, value, key, mask = arrays()
    output = layer(query, value, key, value_mask=mask)
    for row, length in enumerate(mask.sum(1)):
        one = layer(query[row : row + 1], value[row : row + 1, :length], key[row : row + 1, :length])
        np.testing.assert_allclose(one[0], output[row], atol=1e-6)


def test_both_masks_count(layer):
    query, value, key, mask = arrays()
    pairs = np.ones((BATCH, TARGET, SOURCE), bool)
    pairs[1, 2, 4] = False
    _, weights = layer(query, value, key, value_mask=mask, attention_mask=pairs, return_attention_scores=True)
    assert weights[1, 2, 4] == 0 and weights[1, 1, 4] > 0 and np.all(weights[0, :, 3:] == 0)
    assert combine_masks(None, None) is None


@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_equals_eager(layer, jit_compile):
    query, value, key, mask = arrays()
    compiled = tf.function(lambda *args: layer(*args[:3], value_mask=args[3]), jit_compile=jit_compile)
    np.testing.assert_allclose(compiled(query, value, key, mask), layer(query, value, key, value_mask=mask), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_finite(policy):
    query, value, key, mask = arrays()
    output = AdditiveAttention(UNITS, dtype=policy)(query * 100, value, key, value_mask=mask)
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    assert np.isfinite(np.asarray(ops.cast(output, "float32"))).all()


def test_a_model_with_it_survives_saving_and_its_implicit_mask_arrives(tmp_path):
    ids, query = keras.Input((None,), dtype="int32"), keras.Input((TARGET, QUERY))
    value = keras.layers.Embedding(11, VALUE, mask_zero=True)(ids)
    model = keras.Model([query, ids], AdditiveAttention(UNITS)(query, value))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    queries = arrays()[0]
    short, padded = np.array([[3, 9], [8, 2]]), np.array([[3, 9, 0, 0], [8, 2, 0, 0]])
    np.testing.assert_allclose(loaded([queries, padded]), model([queries, short]), atol=1e-6)


def test_wrong_calls_say_what_was_wanted(layer):
    query, value, key, mask = arrays()
    with pytest.raises(ValueError, match="units=0 is not a width"):
        AdditiveAttention(0)
    with pytest.raises(ValueError, match="dropout=1.5 is outside"):
        AdditiveAttention(2, dropout=1.5)
    with pytest.raises(ValueError, match=r"wants \(batch, time, features\)"):
        layer(query[0], value, key)
    with pytest.raises(ValueError, match="must be equal"):
        layer(query, value[:, :2], key)
    with pytest.raises(ValueError, match="must be equal"):
        layer(query, value, key, value_mask=mask[:, :4])
    with pytest.raises(ValueError, match="wants bool"):
        layer(query, value, key, value_mask=mask.astype("float32"))
    with pytest.raises(ValueError, match=r"attention wants \(batch, target, source\)"):
        layer(query, value, key, attention_mask=mask)


def test_the_layer_weighs_two_keys_one_to_e():
    """W_q = W_k = 1 and v = 1 / tanh(1): a query of 0 scores 0 with the key 0, and 1 with the key 1."""
    layer = AdditiveAttention(1)
    query, value, key = np.zeros((1, 1, 1)), np.array([[[2.0], [3.0], [99.0]]]), np.array([[[0.0], [1.0], [5.0]]])
    mask = np.array([[True, True, False]])
    layer(query, value, key)
    for weight, number in zip(layer.weights, (1 / np.tanh(1), 1, 1, 0), strict=True):  # v, W_q, W_k, bias
        weight.assign(np.full(weight.shape, number))
    output, weights = layer(query, value, key, value_mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(weights[0, 0], [1 / (1 + np.e), np.e / (1 + np.e), 0], rtol=1e-6)
    np.testing.assert_allclose(output[0, 0], [(2 + 3 * np.e) / (1 + np.e)], rtol=1e-6)


def test_a_source_of_nothing_but_padding_gives_zeros(layer):
    query, value, key, mask = arrays()
    mask[0] = False
    output, weights = layer(query, value, key, value_mask=mask, return_attention_scores=True)
    assert not np.any(output[0]) and not np.any(weights[0])
    np.testing.assert_allclose(weights[1].numpy().sum(-1), 1, rtol=1e-6)


def test_the_softmax_goes_along_the_axis_that_is_asked_for():
    scores = np.array([[0.0, 7.0], [0.0, 7.0], [9.0, 9.0]])
    weights = masked_softmax(scores, [[True], [True], [False]], axis=0)
    np.testing.assert_allclose(ops.convert_to_numpy(weights), [[0.5, 0.5], [0.5, 0.5], [0, 0]], atol=1e-6)


def test_a_layer_in_float64_computes_in_float64():
    query, value, key, mask = (array.astype("float64") for array in arrays())
    layer = AdditiveAttention(UNITS, dtype="float64")
    output = layer(query, value, key, value_mask=mask.astype(bool))
    assert keras.backend.standardize_dtype(output.dtype) == "float64"
    np.testing.assert_allclose(output, by_hand(layer, query, value, key, mask), atol=1e-13)


def test_dropout_acts_on_the_weights_in_training_alone():
    query, value, key, _ = arrays()
    keras.utils.set_random_seed(6)
    layer = AdditiveAttention(UNITS, dropout=0.5)
    calm = layer(query, value, key)
    np.testing.assert_array_equal(layer(query, value, key, training=False), calm)
    assert np.abs(layer(query, value, key, training=True) - calm).max() > 1e-3


def test_its_configuration_makes_it_again():
    layer = AdditiveAttention(UNITS, dropout=0.25, dtype="mixed_float16", name="look")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is AdditiveAttention and again.get_config() == layer.get_config()


def test_shapes_are_known_before_there_are_values(layer):
    query, value, key = keras.Input((None, QUERY)), keras.Input((None, VALUE)), keras.Input((None, KEY))
    output, weights = layer(query, value, key, return_attention_scores=True)
    assert output.shape == (None, None, VALUE) and weights.shape == (None, None, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"query": (2, 3)}, r"query has shape \(2, 3\); attention wants \(batch, time, features\)"),
        ({"value": (2, 5, 7, 1)}, r"value has shape .*wants \(batch, time, features\)"),
        ({"query": (4, 3, 4)}, "has 4 on axis 0, but value .* has 2 on axis 0; they must be equal"),
        ({"key": (2, 9, 6)}, "value .* has 5 on axis 1, but key .* has 9"),
        ({"value_mask": (2, 5, 1)}, r"value_mask has shape .*wants \(batch, source\)"),
        ({"value_mask": (4, 5)}, "value_mask .* has 4 on axis 0, but value .* has 2"),
        ({"value_mask": (2, 9)}, "value_mask .* has 9 on axis 1, but value .* has 5"),
        ({"attention_mask": (4, 3, 5)}, "attention_mask .* has 4 on axis 0, but query .* has 2"),
        ({"attention_mask": (2, 5, 3)}, "attention_mask .* has 5 on axis 1, but query .* has 3"),
        ({"attention_mask": (2, 3, 9)}, "attention_mask .* has 9 on axis 2, but value .* has 5"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_values_and_without(layer, wrong, message):
    shapes = {"query": (BATCH, TARGET, QUERY), "value": (BATCH, SOURCE, VALUE), "key": (BATCH, SOURCE, KEY), **wrong}
    for make in (ops.ones, lambda shape, dtype: keras.Input(batch_shape=shape, dtype=dtype)):
        inputs = {name: make(shape, "bool" if "mask" in name else "float32") for name, shape in shapes.items()}
        with pytest.raises(ValueError, match=message):
            AdditiveAttention(UNITS)(**inputs) if "query" in wrong or "value" in wrong else layer(**inputs)
