"""Concat-linear attention: its equation, and what it cannot do."""

import keras
import numpy as np
import pytest

from keras_seq.layers import ConcatLinearAttention

BATCH, TARGET, SOURCE, QUERY, VALUE, KEY, OUTPUT = 2, 3, 5, 4, 7, 6, 9


def arrays():
    random = np.random.default_rng(0)
    shapes = (BATCH, TARGET, QUERY), (BATCH, SOURCE, VALUE), (BATCH, TARGET, KEY)
    return [random.normal(size=shape) for shape in shapes]


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(1)
    layer = ConcatLinearAttention(SOURCE, OUTPUT, dtype="float64")
    layer(*arrays())
    return layer


def test_it_equals_its_equation(layer):
    query, value, key = arrays()
    w, b, w_output, b_output = (weight.numpy() for weight in layer.weights)
    scores = np.exp(np.concatenate([query, key], -1) @ w + b)
    weights = scores / scores.sum(-1, keepdims=True)
    wanted = np.concatenate([query, weights @ value], -1) @ w_output + b_output
    output, got = layer(query, value, key, return_attention_scores=True)
    np.testing.assert_allclose(got, weights, atol=1e-12)
    np.testing.assert_allclose(output, wanted, atol=1e-12)


def test_masked_positions_get_no_weight_and_their_content_changes_nothing(layer):
    query, value, key = arrays()
    mask = np.arange(SOURCE) < np.array([[2], [5]])
    output, weights = layer(query, value, key, value_mask=mask, return_attention_scores=True)
    value[0, 2:] = 99
    assert not np.any(weights[0, :, 2:])
    np.testing.assert_allclose(layer(query, value, key, value_mask=mask), output, atol=1e-12)


def test_it_does_not_look_at_what_stands_where(layer):
    query, value, key = arrays()
    _, weights = layer(query, value, key, return_attention_scores=True)
    _, other = layer(query, value[:, ::-1].copy(), key, return_attention_scores=True)
    np.testing.assert_array_equal(weights, other)


def test_pair_by_pair_without_tanh_the_query_would_vanish():
    """What the docstring says: softmax over s of w . [query; key_s] is the same for every query."""
    random = np.random.default_rng(3)
    w_query, w_key, keys = random.normal(size=QUERY), random.normal(size=KEY), random.normal(size=(SOURCE, KEY))
    rows = [np.exp(query @ w_query + keys @ w_key) for query in random.normal(size=(TARGET, QUERY))]
    weights = np.array([row / row.sum() for row in rows])
    np.testing.assert_allclose(weights, np.broadcast_to(weights[0], weights.shape), rtol=1e-12)


def test_shapes_are_known_before_there_are_values_and_the_configuration_makes_it_again(layer):
    query, value, key = keras.Input((None, QUERY)), keras.Input((SOURCE, VALUE)), keras.Input((None, KEY))
    output, weights = layer(query, value, key, return_attention_scores=True)
    assert output.shape == (None, None, OUTPUT) and weights.shape == (None, None, SOURCE)
    assert ConcatLinearAttention(SOURCE)(query, value, key).shape == (None, None, VALUE)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is ConcatLinearAttention and again.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"value": (2, 4, 7)}, "has 4 positions; this layer has weights for source_positions=5: pad to that"),
        ({"key": (2, 9, 6)}, "key .* has 9 on axis 1, but query .* has 3"),
        ({"key": (4, 3, 6)}, "key .* has 4 on axis 0, but query .* has 2"),
        ({"query": (2, 4)}, r"query has shape \(2, 4\); attention wants \(batch, time, features\)"),
        ({"query": (4, 3, 4), "key": (4, 3, 6)}, "query .* has 4 on axis 0, but value .* has 2"),
        ({"value_mask": (2, 5, 1)}, r"value_mask has shape .* wants \(batch, source\)"),
        ({"value_mask": (4, 5)}, "value_mask .* has 4 on axis 0, but value .* has 2"),
        ({"value_mask": (2, 4)}, "value_mask .* has 4 on axis 1, but value .* has 5"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, message):
    shapes = {"query": (BATCH, TARGET, QUERY), "value": (BATCH, SOURCE, VALUE), "key": (BATCH, TARGET, KEY), **wrong}
    inputs = {name: np.ones(shape, bool if "mask" in name else "float32") for name, shape in shapes.items()}
    with pytest.raises(ValueError, match=message):
        ConcatLinearAttention(SOURCE)(**inputs)


def test_sizes_out_of_range_are_refused():
    with pytest.raises(ValueError, match="source_positions=0 is not a width"):
        ConcatLinearAttention(0)
    with pytest.raises(ValueError, match="output_size=-1 is not a width"):
        ConcatLinearAttention(3, -1)
    with pytest.raises(ValueError, match=r"dropout=1 is outside \[0, 1\)"):
        ConcatLinearAttention(3, dropout=1)
