"""Multi-head attention: its equation, masks, both paths, and the cache."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_seq.layers import MultiHeadAttention, fused_attention, multi_head_weights
from keras_seq.layers.multi_head import join_heads, split_heads

BATCH, TARGET, SOURCE, QUERY, VALUE, KEY, UNITS, HEADS = 2, 4, 5, 7, 9, 11, 6, 3


def arrays(dtype="float64"):
    random = np.random.default_rng(0)
    shapes = (BATCH, TARGET, QUERY), (BATCH, SOURCE, VALUE), (BATCH, SOURCE, KEY)
    return [random.normal(size=shape).astype(dtype) for shape in shapes]


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(1)
    layer = MultiHeadAttention(UNITS, HEADS, dtype="float64")
    layer(*arrays())
    for weight in layer.weights:
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    return layer


def by_hand(layer, query, value, key, mask):
    """The equation, one head and one query at a time."""
    w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o = (weight.numpy() for weight in layer.weights)
    size = UNITS // HEADS
    heads = np.zeros((BATCH, query.shape[1], UNITS))
    for b in range(BATCH):
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            for t in range(query.shape[1]):
                kept = np.flatnonzero(mask[b, t])
                keys, values = (key[b, kept] @ w_k + b_k)[:, part], (value[b, kept] @ w_v + b_v)[:, part]
                scores = np.exp(keys @ (query[b, t] @ w_q + b_q)[part] / np.sqrt(size))
                heads[b, t, part] = scores @ values / scores.sum()
    return heads @ w_o + b_o


def test_heads_are_slices_of_the_last_dimension():
    tensor = np.arange(2 * 3 * 6).reshape(2, 3, 6)
    heads = ops.convert_to_numpy(split_heads(ops.array(tensor), 2))
    assert heads.shape == (2, 3, 2, 3) and heads[1, 2, 1].tolist() == tensor[1, 2, 3:].tolist()
    np.testing.assert_array_equal(ops.convert_to_numpy(join_heads(ops.array(heads))), tensor)


def test_two_unit_keys_weigh_one_to_e_in_each_head():
    """Head 0 asks [0, sqrt 2], head 1 asks [sqrt 2, 0]; the keys are the unit vectors."""
    query, key = np.array([[[[0, 2**0.5], [2**0.5, 0]]]]), np.eye(2)[None, :, None].repeat(2, axis=2)
    weights = ops.convert_to_numpy(multi_head_weights(query, key))
    less, more = 1 / (1 + np.e), np.e / (1 + np.e)
    np.testing.assert_allclose(weights, [[[[less, more]], [[more, less]]]], rtol=1e-6)


@pytest.mark.parametrize("scores", [False, True])
def test_the_layer_equals_its_equation_on_both_paths(layer, scores):
    query, value, key = arrays()
    value_mask = np.arange(SOURCE) < np.array([[3], [5]])
    pairs = np.random.default_rng(4).random((BATCH, TARGET, SOURCE)) < 0.5
    pairs[:, :, 0] = True
    made = layer(query, value, key, value_mask=value_mask, attention_mask=pairs, return_attention_scores=scores)
    wanted = by_hand(layer, query, value, key, pairs & value_mask[:, None])
    np.testing.assert_allclose(made[0] if scores else made, wanted, atol=1e-12)


def test_a_target_position_with_nothing_to_attend_to_gets_the_bias_of_the_output_on_both_paths(layer):
    query, value, key = arrays()
    mask = np.ones((BATCH, TARGET, SOURCE), bool)
    mask[1, 2] = False
    slow, weights = layer(query, value, key, attention_mask=mask, return_attention_scores=True)
    fast = layer(query, value, key, attention_mask=mask)
    assert not np.any(weights[1, :, 2])
    for output in (slow, fast):
        np.testing.assert_allclose(output[1, 2], layer.weights[-1], atol=1e-12)
    np.testing.assert_allclose(fast, slow, atol=1e-12)


def test_the_future_is_hidden_where_the_causal_mask_says_so(layer):
    query = arrays()[0]
    other = query.copy()
    other[:, 2:] += 5
    layer = MultiHeadAttention(UNITS, HEADS, dtype="float64")
    before = layer(query, query, use_causal_mask=True)
    after = layer(other, other, use_causal_mask=True)
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=1e-12)
    assert np.abs(before[:, 2:] - after[:, 2:]).max() > 1e-3


def test_step_after_step_equals_the_causal_call(layer):
    tokens = arrays()[0]
    layer = MultiHeadAttention(UNITS, HEADS, dtype="float64")
    whole = layer(tokens, tokens, use_causal_mask=True)
    cache = layer.empty_cache(BATCH, TARGET + 3)
    for position in range(TARGET):
        output, cache = layer.step(tokens[:, position], cache, np.int32(position))
        np.testing.assert_allclose(output, whole[:, position], atol=1e-12)


def test_a_source_projected_once_serves_many_queries(layer):
    query, value, key = arrays()
    mask = np.arange(SOURCE) < np.array([[3], [5]])
    memory = layer.project(value, key)
    whole = layer(query, value, key, value_mask=mask)
    for position in range(TARGET):
        output = layer.look_up(query[:, position], memory, mask)
        np.testing.assert_allclose(output, whole[:, position], atol=1e-12)


def test_a_step_compiles_with_a_position_that_is_known_only_at_run_time(layer):
    layer = MultiHeadAttention(UNITS, HEADS)
    tokens = arrays("float32")[0]
    whole = layer(tokens, tokens, use_causal_mask=True)

    @tf.function(autograph=False, jit_compile=True)
    def step(token, cache, position):
        return layer.step(token, cache, position)

    cache = layer.empty_cache(BATCH, TARGET)
    for position in range(TARGET):
        output, cache = step(tokens[:, position], cache, tf.constant(position))
        np.testing.assert_allclose(output, whole[:, position], atol=1e-5)


@pytest.mark.parametrize("scores", [False, True])
def test_large_inputs_stay_finite_in_float16(scores):
    query = 200 * arrays("float32")[0]
    layer = MultiHeadAttention(UNITS, HEADS, dtype="mixed_float16")
    mask = np.array([[True] * TARGET, [False] * TARGET])
    made = layer(query, query, value_mask=mask, return_attention_scores=scores)
    output = made[0] if scores else made
    assert output.dtype == "float16" and np.isfinite(ops.convert_to_numpy(output)).all()


def test_dropout_acts_on_the_weights_in_training_alone():
    query, value, key = arrays("float32")
    layer = MultiHeadAttention(UNITS, HEADS, dropout=0.5)
    calm = layer(query, value, key)
    np.testing.assert_array_equal(layer(query, value, key, training=False), calm)
    assert np.abs(layer(query, value, key, training=True) - calm).max() > 1e-3


def test_the_implicit_masks_of_an_embedding_arrive():
    ids = keras.Input((None,), dtype="int32")
    embedded = keras.layers.Embedding(13, UNITS, mask_zero=True)(ids)
    model = keras.Model(ids, MultiHeadAttention(UNITS, HEADS)(embedded, embedded))
    short, padded = np.array([[3, 9]]), np.array([[3, 9, 0, 0]])
    np.testing.assert_allclose(model(padded)[:, :2], model(short), atol=1e-6)


def test_shapes_are_known_before_there_are_values(layer):
    query, value, key = keras.Input((None, QUERY)), keras.Input((None, VALUE)), keras.Input((None, KEY))
    output, weights = layer(query, value, key, return_attention_scores=True)
    assert output.shape == (None, None, UNITS) and weights.shape == (None, HEADS, None, None)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is MultiHeadAttention and again.get_config() == layer.get_config()


def test_without_biases_there_are_four_kernels():
    layer = MultiHeadAttention(UNITS, HEADS, use_bias=False)
    layer(*arrays("float32"))
    assert [tuple(weight.shape) for weight in layer.weights] == [(7, 6), (11, 6), (9, 6), (6, 6)]


def test_heads_that_do_not_divide_and_shapes_that_do_not_fit_are_refused(layer):
    with pytest.raises(ValueError, match="num_heads=4 does not divide units=6; choose one of 1, 2, 3, 6"):
        MultiHeadAttention(6, 4)
    with pytest.raises(ValueError, match="num_heads=0 is not a width"):
        MultiHeadAttention(6, 0)
    with pytest.raises(ValueError, match="units=1.5 is not a width"):
        MultiHeadAttention(1.5, 1)
    with pytest.raises(ValueError, match="dropout=-1 is outside"):
        MultiHeadAttention(6, 2, dropout=-1)
    query, value, key = arrays()
    with pytest.raises(
        ValueError, match=r"attention_mask has shape \(2, 4\); attention wants \(batch, target, source\)"
    ):
        layer(query, value, key, attention_mask=np.ones((BATCH, TARGET), bool))
    with pytest.raises(ValueError, match="value_mask is float64; attention wants bool"):
        layer(query, value, key, value_mask=np.ones((BATCH, SOURCE), "float64"))
    with pytest.raises(ValueError, match="must be equal"):
        layer(query, value[:, :3], key)


def test_the_fused_path_takes_one_mask_for_all_of_a_batch():
    random = np.random.default_rng(5)
    query, key, value = (random.normal(size=(BATCH, size, 2, 3)) for size in (TARGET, SOURCE, SOURCE))
    mask = np.ones((1, 1, SOURCE), bool)
    mask[0, 0, 4] = False
    weights = multi_head_weights(query, key, mask)
    wanted = ops.einsum("bhts,bshk->bthk", weights, ops.array(value, weights.dtype))
    np.testing.assert_allclose(fused_attention(query, key, value, mask), wanted, atol=1e-6)
    assert not np.any(weights[..., 4])


def test_a_mask_of_numbers_is_refused_on_both_paths():
    query = key = np.ones((BATCH, TARGET, 2, 3), "float32")
    for function in (fused_attention, lambda *inputs: multi_head_weights(inputs[0], inputs[1], inputs[3])):
        with pytest.raises(ValueError, match="mask is float32; attention wants bool"):
            function(query, key, key, np.zeros((BATCH, 1, TARGET), "float32"))
