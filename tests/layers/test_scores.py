"""Scoring rules: their equations by hand, one interface, and attention around them."""

import keras
import numpy as np
import pytest

from keras_seq.layers import (
    AdditiveScore,
    Attention,
    DotScore,
    GeneralScore,
    ScaledDotScore,
    ScoringRule,
    TanhSumScore,
    length_mask,
)
from keras_seq.layers.scores import RULES, scoring_rule

BATCH, TARGET, SOURCE, QUERY, KEY, UNITS, VALUE = 2, 3, 5, 4, 6, 8, 7


def arrays(key_features=KEY, seed=0):
    random = np.random.default_rng(seed)
    shapes = (BATCH, TARGET, QUERY), (BATCH, SOURCE, VALUE), (BATCH, SOURCE, key_features)
    return [random.normal(size=shape) for shape in shapes]


def made(name):
    """A rule in float64 with large random weights, and a query and keys that it can compare."""
    keras.utils.set_random_seed(2)
    rule = scoring_rule(name, UNITS if name in ("additive", "tanh_sum") else None, dtype="float64")
    query, _, key = arrays(QUERY if name in ("dot", "scaled_dot") else KEY)
    rule(query, key)
    for weight in rule.weights:
        weight.assign(np.random.default_rng(1).normal(size=weight.shape))
    return rule, query, key


EQUATIONS = {
    "additive": lambda q, k, v, w_q, w_k, b: v @ np.tanh(q @ w_q + k @ w_k + b),
    "tanh_sum": lambda q, k, w_q, w_k, b: np.tanh(q @ w_q + k @ w_k + b).sum(),
    "dot": lambda q, k: q @ k,
    "scaled_dot": lambda q, k: q @ k / 2,  # the square root of 4 features
    "general": lambda q, k, w: q @ (k @ w),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_equals_its_equation_pair_by_pair(name):
    rule, query, key = made(name)
    weights = [weight.numpy() for weight in rule.weights]
    wanted = [
        [[EQUATIONS[name](q, k, *weights) for k in keys] for q in rows] for rows, keys in zip(query, key, strict=True)
    ]
    np.testing.assert_allclose(rule(query, key), wanted, atol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_what_is_projected_once_for_the_source_gives_the_same_scores(name):
    rule, query, key = made(name)
    projected = rule.project_key(key)
    for step in range(TARGET):
        scores = rule.compare(rule.project_query(query[:, step : step + 1]), projected)
        np.testing.assert_allclose(scores[:, 0], rule(query, key)[:, step], atol=1e-12)


def test_two_unit_keys_weigh_one_to_e():
    """The query [0, sqrt 2], the keys the unit vectors: scores 0 and sqrt 2, over sqrt 2 features 0 and 1."""
    query, key = np.array([[[0, np.sqrt(2)]]]), np.eye(2)[None]
    _, weights = Attention("scaled_dot", dtype="float64")(query, key, return_attention_scores=True)
    np.testing.assert_allclose(weights[0, 0], [1 / (1 + np.e), np.e / (1 + np.e)], rtol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_attention_around_a_rule_is_the_weighted_sum_then_the_projection_of_context_and_query(name):
    rule, query, key = made(name)
    value = arrays()[1]
    layer = Attention(rule, output_size=9, dtype="float64")
    output, weights = layer(query, value, key, return_attention_scores=True)
    scores = np.asarray(rule(query, key))
    wanted = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(weights, wanted, atol=1e-12)
    kernel, bias = (weight.numpy() for weight in layer.weights[-2:])
    together = np.concatenate([wanted @ value, query], axis=-1)
    np.testing.assert_allclose(output, together @ kernel + bias, atol=1e-12)


def test_valid_lengths_and_masks_of_pairs_hide_keys():
    query, value, key = arrays()
    pairs = np.ones((BATCH, TARGET, SOURCE), bool)
    pairs[1, 2, 0] = False
    mask = length_mask(np.array([2, 5]), SOURCE)
    layer = Attention("general")
    _, weights = layer(query, value, key, value_mask=mask, attention_mask=pairs, return_attention_scores=True)
    assert np.all(weights[0, :, 2:] == 0) and weights[1, 2, 0] == 0 and np.all(weights[1, 1] > 0)


def test_configurations_make_the_layer_again():
    for layer in (Attention("general", output_size=3, dropout=0.1), Attention("tanh_sum", 4), Attention(DotScore())):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert type(again) is Attention and again.get_config() == layer.get_config()


def test_shapes_are_known_before_there_are_values():
    query, value = keras.Input((None, QUERY)), keras.Input((None, VALUE))
    output, weights = Attention("general", output_size=9)(query, value, return_attention_scores=True)
    assert output.shape == (None, None, 9) and weights.shape == (None, None, None)
    assert AdditiveScore(2)(query, value).shape == (None, None, None)


def test_dropout_acts_on_the_weights_in_training_alone():
    query, value, key = arrays()
    layer = Attention("general", dropout=0.5)
    calm = layer(query, value, key)
    np.testing.assert_array_equal(layer(query, value, key, training=False), calm)
    assert np.abs(layer(query, value, key, training=True) - calm).max() > 1e-3


def test_wrong_rules_and_widths_say_what_was_wanted():
    with pytest.raises(
        ValueError, match="score='cosine' is unknown; choose one of additive, tanh_sum, dot, scaled_dot"
    ):
        Attention("cosine")
    with pytest.raises(ValueError, match="score=3 is unknown"):
        Attention(3)
    with pytest.raises(ValueError, match="this rule wants units"):
        Attention("additive")
    with pytest.raises(ValueError, match="has no network: leave units out"):
        Attention("dot", units=3)
    with pytest.raises(ValueError, match="output_size=0 is not a width"):
        Attention("dot", output_size=0)
    with pytest.raises(ValueError, match="units=True is not a width"):
        TanhSumScore(True)
    query, _, key = arrays()
    for rule in (DotScore(), ScaledDotScore()):
        with pytest.raises(ValueError, match="differ in features; a dot product wants them equal"):
            rule(query, key)
    for rule in (AdditiveScore(2), GeneralScore()):
        with pytest.raises(ValueError, match=r"key has shape \(5, 6\); attention wants"):
            rule(query, key[0])
    with pytest.raises(NotImplementedError, match="ScoringRule has no compare"):
        ScoringRule()(query, key)
