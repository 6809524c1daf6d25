"""Scoring rules: how alike are a query and a key? One interface, so that attention takes any of them.

    additive      v . tanh(W_q query + W_k key)          Bahdanau, Cho and Bengio, 2015
    tanh_sum      the sum of tanh(W_q query + W_k key)   the same with v fixed to ones, as older lessons have it
    dot           query . key                            Luong, Pham and Manning, 2015
    scaled_dot    query . key / sqrt(features)           Vaswani et al., 2017
    general       query . (W key)                        Luong, Pham and Manning, 2015

A rule works in three parts, so that what belongs to the source is computed once and not at every step of a decoder:
`project_query`, `project_key` and `compare`.
"""

import math

import keras
from keras import ops

from keras_seq.layers.arguments import check_sequences, check_size


def additive_scores(query, key, scale=None):
    """Scores of every projected query against every projected key.

        score(query, key) = v . tanh(query + key)

    Args:
        query: `(batch, target, units)`, already projected: W_q query.
        key: `(batch, source, units)`, already projected: W_k key.
        scale: `(units,)`, the vector v; None for ones.

    Returns:
        `(batch, target, source)`

    Example:
        >>> query, key = ops.zeros((1, 1, 2)), ops.array([[[0.0, 0.0], [9.0, 9.0]]])
        >>> print(ops.convert_to_numpy(additive_scores(query, key)).round(3).tolist())
        [[[0.0, 2.0]]]

    Reference: Bahdanau, Cho and Bengio, 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
    appendix A.1.2.
    """
    together = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(key, 1))  # (batch, target, source, units)
    return ops.sum(together if scale is None else together * scale, axis=-1)  # (batch, target, source)


def dot_scores(query, key, divisor=1.0):
    """Scores of every query against every key by their dot product.

        score(query, key) = query . key / divisor

    Args:
        query: `(batch, target, features)`
        key: `(batch, source, features)`
        divisor: float; sqrt(features) keeps the variance of the scores at 1 for features of variance 1.

    Returns:
        `(batch, target, source)`, float32 where query and key are float16.

    Example:
        >>> query, key = ops.array([[[0.0, 2.0]]]), ops.array([[[1.0, 0.0], [0.0, 1.0]]])
        >>> print(ops.convert_to_numpy(dot_scores(query, key, divisor=4.0)).tolist())
        [[[0.0, 0.5]]]

    Reference: Luong, Pham and Manning, 2015, "Effective Approaches to Attention-based Neural Machine Translation",
    equation 8; Vaswani et al., 2017, "Attention Is All You Need", equation 1, for the divisor.
    """
    return ops.einsum("btk,bsk->bts", *widen(query / divisor, key))


def widen(*tensors):
    """The tensors in float32 where they are float16, in which the product of two vectors easily overflows."""
    return [
        ops.cast(tensor, "float32") if keras.backend.standardize_dtype(tensor.dtype) == "float16" else tensor
        for tensor in map(ops.convert_to_tensor, tensors)
    ]


class ScoringRule(keras.layers.Layer):
    """What every rule offers; a rule of your own has `compare`, and projections where it needs them.

    Args:
        kwargs: arguments of every layer, such as `dtype`.

    Call arguments:
        query: `(batch, target, query_features)`
        key: `(batch, source, key_features)`

    Returns:
        scores `(batch, target, source)`, float32 under a half-precision policy.

    Raises:
        ValueError: if a rank is wrong, batch sizes disagree, or the rule cannot compare such widths.

    Example:
        >>> class Nearness(ScoringRule):
        ...     def compare(self, query, key):
        ...         return -ops.sum((ops.expand_dims(query, 2) - ops.expand_dims(key, 1)) ** 2, axis=-1)
        >>> print(ops.convert_to_numpy(Nearness()(ops.zeros((1, 1, 2)), ops.ones((1, 3, 2)))).tolist())
        [[[-2.0, -2.0, -2.0]]]
    """

    def call(self, query, key):
        scores = self.compare(self.project_query(query), self.project_key(key))  # (batch, target, source)
        return ops.cast(scores, self._score_dtype)

    def project_query(self, query):
        """What `compare` needs of a query: `(..., query_features)` to `(..., width)`."""
        return query

    def project_key(self, key):
        """What `compare` needs of the keys, made once for a source: `(batch, source, width)`."""
        return key

    def compare(self, projected_query, projected_key):
        """Scores `(batch, target, source)` of what the projections made."""
        raise NotImplementedError(f"{type(self).__name__} has no compare(projected_query, projected_key)")

    def compute_output_shape(self, query_shape, key_shape):
        check_sequences(query=query_shape, key=key_shape)
        return (*query_shape[:-1], key_shape[1])

    def compute_output_spec(self, query, key):
        return keras.KerasTensor(self.compute_output_shape(query.shape, key.shape), self._score_dtype)

    @property
    def _score_dtype(self):
        return "float64" if self.compute_dtype == "float64" else "float32"

    def get_config(self):
        # Keras's own refuses a layer without an __init__ that was given a dtype policy.
        return super().get_config()


@keras.saving.register_keras_serializable("keras_seq")
class TanhSumScore(ScoringRule):
    """The plain sum of tanh units.

        score(query, key) = sum of tanh(W_q query + W_k key + b)

    Every unit counts the same, so the scores of `units` units lie between -units and units.

    Args:
        units: int, width of the scoring network.

    Call arguments and returns: as `ScoringRule`.

    Raises:
        ValueError: if `units` is not a size, and as `ScoringRule`.

    Example:
        >>> tuple(TanhSumScore(units=4)(ops.ones((2, 3, 5)), ops.ones((2, 7, 6))).shape)
        (2, 3, 7)
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        check_size("units", units)
        self.units = units
        self._query_projection = keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy, name="query")
        self._key_projection = keras.layers.Dense(units, dtype=self.dtype_policy, name="key")
        self._scale = None

    def build(self, query_shape, key_shape):
        check_sequences(query=query_shape, key=key_shape)
        self._query_projection.build(query_shape)
        self._key_projection.build(key_shape)
        self.built = True

    def project_query(self, query):
        return self._query_projection(query)  # W_q query

    def project_key(self, key):
        return self._key_projection(key)  # W_k key + b

    def compare(self, projected_query, projected_key):
        return additive_scores(projected_query, projected_key, self._scale)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("keras_seq")
class AdditiveScore(TanhSumScore):
    """Bahdanau's rule: a small network with one hidden layer.

        score(query, key) = v . tanh(W_q query + W_k key + b)

    Args:
        units: int, width of the scoring network.

    Call arguments and returns: as `ScoringRule`.

    Raises:
        ValueError: if `units` is not a size, and as `ScoringRule`.

    Example:
        >>> tuple(AdditiveScore(units=4)(ops.ones((2, 3, 5)), ops.ones((2, 7, 6))).shape)
        (2, 3, 7)

    Reference: Bahdanau, Cho and Bengio, 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
    appendix A.1.2 (there without b).
    """

    def build(self, query_shape, key_shape):
        self._scale = self.add_weight(shape=(self.units,), initializer="glorot_uniform", name="scale")
        super().build(query_shape, key_shape)


@keras.saving.register_keras_serializable("keras_seq")
class DotScore(ScoringRule):
    """The dot product; query and key must be equally wide.

        score(query, key) = query . key

    Call arguments and returns: as `ScoringRule`.

    Raises:
        ValueError: if query and key differ in width, and as `ScoringRule`.

    Example:
        >>> print(ops.convert_to_numpy(DotScore()(ops.array([[[1.0, 2.0]]]), ops.array([[[3.0, 4.0]]]))).tolist())
        [[[11.0]]]

    Reference: Luong, Pham and Manning, 2015, "Effective Approaches to Attention-based Neural Machine Translation",
    equation 8.
    """

    def build(self, query_shape, key_shape):
        check_sequences(query=query_shape, key=key_shape)
        if query_shape[-1] != key_shape[-1]:
            raise ValueError(
                f"query of shape {tuple(query_shape)} and key of shape {tuple(key_shape)} differ in features; a dot "
                'product wants them equal: project one of them, or take the rule "general" or "additive"'
            )
        self.built = True

    def compare(self, projected_query, projected_key):
        return dot_scores(projected_query, projected_key)


@keras.saving.register_keras_serializable("keras_seq")
class ScaledDotScore(DotScore):
    """The dot product over the square root of the width, which keeps the softmax out of saturation.

        score(query, key) = query . key / sqrt(features)

    Call arguments, returns and errors: as `DotScore`.

    Example:
        >>> query, key = ops.array([[[0.0, 2.0]]]), ops.array([[[1.0, 0.0], [0.0, 1.0]]])
        >>> print(ops.convert_to_numpy(ScaledDotScore()(query, key)).round(3).tolist())
        [[[0.0, 1.4140000343322754]]]

    Reference: Vaswani et al., 2017, "Attention Is All You Need", equation 1.
    """

    def compare(self, projected_query, projected_key):
        return dot_scores(projected_query, projected_key, math.sqrt(projected_key.shape[-1]))


@keras.saving.register_keras_serializable("keras_seq")
class GeneralScore(ScoringRule):
    """Luong's bilinear rule: a dot product after one linear map, so widths may differ.

        score(query, key) = query . (W key)

    Call arguments, returns and errors: as `ScoringRule`.

    Example:
        >>> tuple(GeneralScore()(ops.ones((2, 3, 5)), ops.ones((2, 7, 6))).shape)
        (2, 3, 7)

    Reference: Luong, Pham and Manning, 2015, "Effective Approaches to Attention-based Neural Machine Translation",
    equation 8.
    """

    def build(self, query_shape, key_shape):
        check_sequences(query=query_shape, key=key_shape)
        self._map = keras.layers.Dense(query_shape[-1], use_bias=False, dtype=self.dtype_policy, name="map")
        self._map.build(key_shape)
        self.built = True

    def project_key(self, key):
        return self._map(key)  # W key, (batch, source, query_features)

    def compare(self, projected_query, projected_key):
        return dot_scores(projected_query, projected_key)


RULES = {
    "additive": AdditiveScore,
    "tanh_sum": TanhSumScore,
    "dot": DotScore,
    "scaled_dot": ScaledDotScore,
    "general": GeneralScore,
}


def scoring_rule(score, units=None, **kwargs):
    """A rule by its name, or the rule itself.

    Args:
        score: str, one of `RULES`, or a `ScoringRule`.
        units: int, width of the scoring network of "additive" and "tanh_sum"; None for the others.
        kwargs: arguments of every layer, such as `dtype`.

    Returns:
        a `ScoringRule`.

    Raises:
        ValueError: if no rule has that name, or `units` is given to a rule without or missing for one with a network.
    """
    if isinstance(score, ScoringRule):
        return score
    if not isinstance(score, str) or score not in RULES:
        raise ValueError(f"score={score!r} is unknown; choose one of {', '.join(RULES)}, or give a ScoringRule")
    network = issubclass(RULES[score], TanhSumScore)
    if network != (units is not None):
        wanted = "wants units, the width of its network" if network else "has no network: leave units out"
        raise ValueError(f"score={score!r} with units={units!r}: this rule {wanted}")
    return RULES[score](units, **kwargs) if network else RULES[score](**kwargs)
