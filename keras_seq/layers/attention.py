"""Attention: a soft look-up of values by the likeness of a query to their keys.

    weights = softmax over the kept keys of score(query, key)
    output  = sum of weights * value

The scoring rules are in `keras_seq.layers.scores`.
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_attention_inputs, check_bool, check_share, check_size
from keras_seq.layers.dropout import Dropout
from keras_seq.layers.masks import combine_masks
from keras_seq.layers.scores import scoring_rule

# Below any score, and finite in float32, in which the softmax is computed whatever the dtype of the scores.
_MASKED_SCORE = -3e38


def masked_softmax(scores, mask=None, axis=-1):
    """Softmax over the positions that a mask keeps.

        weights_i = mask_i exp(scores_i) / sum_j mask_j exp(scores_j)

    Computed in float32 whatever the dtype, so float16 scores do not overflow. A row with nothing to keep has weights
    of zero rather than NaN.

    Args:
        scores: float, any shape.
        mask: bool, broadcastable to `scores`, True where a position is kept; None keeps all.
        axis: int, the axis to normalise over.

    Returns:
        The weights, of the shape and dtype of `scores`.

    Raises:
        ValueError: if the mask is not bool, such as one of numbers to be added to the scores.

    Example:
        >>> print(ops.convert_to_numpy(masked_softmax([[0.0, 5.0, 0.0]], [[True, False, True]])).tolist())
        [[0.5, 0.0, 0.5]]
    """
    scores = ops.convert_to_tensor(scores)
    wide = ops.cast(scores, "float64" if keras.backend.standardize_dtype(scores.dtype) == "float64" else "float32")
    if mask is None:
        return ops.cast(ops.softmax(wide, axis=axis), scores.dtype)
    mask = ops.convert_to_tensor(mask)
    check_bool("mask", mask)
    wide = ops.where(mask, wide, _MASKED_SCORE)
    weights = ops.softmax(wide, axis=axis) * ops.cast(mask, wide.dtype)
    return ops.cast(weights, scores.dtype)


@keras.saving.register_keras_serializable("keras_seq")
class Attention(keras.layers.Layer):
    """Attention around a scoring rule.

        weights = softmax over the keys that the mask keeps of score(query, key)
        context = sum of weights * value
        output  = context, or with `output_size` W_o [context; query] + b

    Keras's layers of this family know two rules and no output projection; PyTorch has none of them.

    Args:
        score: str, "additive", "tanh_sum", "dot", "scaled_dot" or "general" (see `keras_seq.layers.scores`), or a
            `ScoringRule`.
        units: int, width of the scoring network of "additive" and "tanh_sum".
        output_size: int, width of the output made from the context and the query; None returns the context.
        dropout: float in [0, 1), applied to the weights in training.

    Call arguments:
        query: `(batch, target, query_features)`
        value: `(batch, source, value_features)`
        key: `(batch, source, key_features)`, defaults to `value`.
        query_mask: bool `(batch, target)`, changes no number; the query's implicit mask is passed on to the output.
        value_mask: bool `(batch, source)`, True where a key may be attended to; `length_mask` makes it of lengths.
        attention_mask: bool `(batch, target, source)`, combined with `value_mask`.
        return_attention_scores: bool.

    Returns:
        `(batch, target, value_features or output_size)`, and with `return_attention_scores` the weights
        `(batch, target, source)`.

    Raises:
        ValueError: if no rule is called `score`, a size or `dropout` is out of range, a rank is wrong, batch or source
            sizes disagree, or a mask has the wrong rank or dtype.

    Example:
        >>> layer = Attention("general", output_size=4)
        >>> tuple(layer(ops.ones((2, 3, 5)), ops.ones((2, 7, 11))).shape)
        (2, 3, 4)

    Reference: Luong, Pham and Manning, 2015, "Effective Approaches to Attention-based Neural Machine Translation",
    equations 5 to 8 (there with a tanh around the output projection).
    """

    def __init__(self, score="scaled_dot", units=None, output_size=None, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        check_share("dropout", dropout)
        self.output_size = output_size
        self.dropout = dropout
        self.supports_masking = True
        self._rule = scoring_rule(score, units, dtype=self.dtype_policy, name="score")
        self._dropout = Dropout(dropout, dtype=self.dtype_policy)
        self._output = None
        if output_size is not None:
            check_size("output_size", output_size)
            self._output = keras.layers.Dense(output_size, dtype=self.dtype_policy, name="output")

    def build(self, query_shape, value_shape, key_shape=None):
        if not self._rule.built:
            self._rule.build(tuple(query_shape), tuple(key_shape or value_shape))
        if self._output is not None:
            self._output.build((*query_shape[:-1], value_shape[-1] + query_shape[-1]))
        self.built = True

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        key = value if key is None else key
        check_attention_inputs(query, value, key, value_mask, attention_mask)
        mask = combine_masks(value_mask, attention_mask)
        context, weights = self.attend(self.project_query(query), self.project_keys(key), value, mask, training)
        if self._output is not None:
            context = self._output(ops.concatenate([context, query], axis=-1))  # (batch, target, output_size)
        return (context, weights) if return_attention_scores else context

    def project_query(self, query):
        """What the rule needs of a query: `(..., query_features)` to `(..., width)`."""
        return self._rule.project_query(query)

    def project_keys(self, key):
        """What the rule needs of the keys, `(batch, source, width)`. Once a source, not once a step."""
        return self._rule.project_key(key)

    def attend(self, projected_query, projected_keys, value, mask=None, training=None):
        """The weighted sum of values, by what `project_query` and `project_keys` made.

        Args:
            projected_query: `(batch, target, width)`
            projected_keys: `(batch, source, width)`
            value: `(batch, source, value_features)`
            mask: bool `(batch, 1 or target, source)` or None.

        Returns:
            The context `(batch, target, value_features)` and the weights `(batch, target, source)`.
        """
        weights = masked_softmax(self._rule.compare(projected_query, projected_keys), mask)
        weights = ops.cast(weights, value.dtype)
        context = ops.matmul(self._dropout(weights, training=training), value)  # (batch, target, value_features)
        return context, weights

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        return (*query_shape[:-1], self.output_size or value_shape[-1])

    def compute_output_spec(self, query, value, key=None, return_attention_scores=False, **kwargs):
        masks = kwargs.get("value_mask"), kwargs.get("attention_mask")
        check_attention_inputs(query, value, value if key is None else key, *masks)
        output = keras.KerasTensor(self.compute_output_shape(query.shape, value.shape), self.compute_dtype)
        weights = keras.KerasTensor((*query.shape[:-1], value.shape[1]), self.compute_dtype)
        return (output, weights) if return_attention_scores else output

    def get_config(self):
        return {
            **super().get_config(),
            "score": keras.saving.serialize_keras_object(self._rule),
            "output_size": self.output_size,
            "dropout": self.dropout,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "score": keras.saving.deserialize_keras_object(config["score"])})


@keras.saving.register_keras_serializable("keras_seq")
class AdditiveAttention(Attention):
    """Attention scored by a small network: `Attention` around the additive rule.

        score(query, key) = v . tanh(W_q query + W_k key)
        weights           = softmax over the keys that the mask keeps
        output            = sum of weights * value

    Keras's layer of the same name has no W_q and W_k; PyTorch has none.

    Args:
        units: int, width of the scoring network.
        dropout: float in [0, 1), applied to the weights in training.

    Call arguments: as `Attention`.

    Returns:
        `(batch, target, value_features)`, and with `return_attention_scores` the weights `(batch, target, source)`.

    Raises:
        ValueError: as `Attention`.

    Example:
        >>> layer = AdditiveAttention(units=16)
        >>> tuple(layer(ops.ones((2, 3, 5)), ops.ones((2, 7, 11))).shape)
        (2, 3, 11)

    Reference: Bahdanau, Cho and Bengio, 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
    section 3.1 and appendix A.1.2.
    """

    def __init__(self, units, dropout=0.0, **kwargs):
        check_size("units", units)
        super().__init__("additive", units, dropout=dropout, **kwargs)
        self.units = units

    def get_config(self):
        config = super().get_config()
        return {key: value for key, value in config.items() if key not in ("score", "output_size")} | {
            "units": self.units
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
