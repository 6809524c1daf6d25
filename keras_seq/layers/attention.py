"""Attention: a soft look-up of values by the likeness of a query to their keys.

    weights = softmax over the kept keys of score(query, key)
    output  = sum of weights * value

Reference: Bahdanau, Cho and Bengio, 2015, "Neural Machine Translation by Jointly Learning to Align and Translate".
"""

import keras
from keras import ops

# Far below any score, and finite in float32, where the softmax is computed whatever the dtype of the scores.
_MASKED_SCORE = -1e9


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

    Example:
        >>> print(ops.convert_to_numpy(masked_softmax([[0.0, 5.0, 0.0]], [[True, False, True]])).tolist())
        [[0.5, 0.0, 0.5]]
    """
    scores = ops.convert_to_tensor(scores)
    wide = ops.cast(scores, "float64" if keras.backend.standardize_dtype(scores.dtype) == "float64" else "float32")
    if mask is None:
        return ops.cast(ops.softmax(wide, axis=axis), scores.dtype)
    wide = ops.where(mask, wide, _MASKED_SCORE)
    weights = ops.softmax(wide, axis=axis) * ops.cast(mask, wide.dtype)
    return ops.cast(weights, scores.dtype)


def additive_scores(query, key, scale):
    """Scores of every projected query against every projected key.

        score(query, key) = v . tanh(query + key)

    Args:
        query: `(batch, target, units)`, already projected: W_q query.
        key: `(batch, source, units)`, already projected: W_k key.
        scale: `(units,)`, the vector v.

    Returns:
        `(batch, target, source)`
    """
    together = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(key, 1))  # (batch, target, source, units)
    return ops.sum(together * scale, axis=-1)  # (batch, target, source)


def combine_masks(value_mask, attention_mask):
    """One mask `(batch, 1 or target, source)` from a mask of keys and a mask of pairs, either of which may be None."""
    if value_mask is None:
        return attention_mask
    value_mask = ops.expand_dims(value_mask, 1)  # (batch, 1, source)
    return value_mask if attention_mask is None else ops.logical_and(value_mask, attention_mask)


@keras.saving.register_keras_serializable("keras_seq")
class AdditiveAttention(keras.layers.Layer):
    """Attention scored by a small network.

        score(query, key) = v . tanh(W_q query + W_k key)
        weights           = softmax over the keys that the mask keeps
        output            = sum of weights * value

    Keras's layer of the same name has no W_q and W_k; PyTorch has none.

    Args:
        units: int, width of the scoring network.
        dropout: float in [0, 1), applied to the weights in training.

    Call arguments:
        query: `(batch, target, query_features)`
        value: `(batch, source, value_features)`
        key: `(batch, source, key_features)`, defaults to `value`.
        query_mask: bool `(batch, target)`; passed on as the mask of the output, it changes no number.
        value_mask: bool `(batch, source)`, True where a key may be attended to.
        attention_mask: bool `(batch, target, source)`, combined with `value_mask`.
        return_attention_scores: bool.

    Returns:
        `(batch, target, value_features)`, and with `return_attention_scores` the weights `(batch, target, source)`.

    Raises:
        ValueError: if `units` or `dropout` is out of range, a rank is wrong, batch or source sizes disagree, or a mask
            has the wrong rank or dtype.

    Example:
        >>> layer = AdditiveAttention(units=16)
        >>> tuple(layer(ops.ones((2, 3, 5)), ops.ones((2, 7, 11))).shape)
        (2, 3, 11)

    Reference: Bahdanau, Cho and Bengio, 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
    section 3.1 and appendix A.1.2.
    """

    def __init__(self, units, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"units={units!r} is not a width; give a whole number of 1 or more")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout={dropout!r} is outside [0, 1); give a share such as 0.1")
        self.units = units
        self.dropout = dropout
        self.supports_masking = True
        self._query_projection = keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy, name="query")
        self._key_projection = keras.layers.Dense(units, dtype=self.dtype_policy, name="key")
        self._dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, query_shape, value_shape, key_shape=None):
        self._query_projection.build(query_shape)
        self._key_projection.build(key_shape or value_shape)
        self._scale = self.add_weight(shape=(self.units,), initializer="glorot_uniform", name="scale")
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
        _check_shapes(query, value, key, value_mask, attention_mask)
        mask = combine_masks(value_mask, attention_mask)
        output, weights = self.attend(self.project_query(query), self.project_keys(key), value, mask, training)
        return (output, weights) if return_attention_scores else output

    def project_query(self, query):
        """W_q query: `(..., query_features)` to `(..., units)`."""
        return self._query_projection(query)

    def project_keys(self, key):
        """W_k key of `(batch, source, key_features)`: `(batch, source, units)`. Once a source, not once a step."""
        return self._key_projection(key)

    def attend(self, projected_query, projected_keys, value, mask=None, training=None):
        """Attention between what `project_query` and `project_keys` made.

        Args:
            projected_query: `(batch, target, units)`
            projected_keys: `(batch, source, units)`
            value: `(batch, source, value_features)`
            mask: bool `(batch, 1 or target, source)` or None.

        Returns:
            The output `(batch, target, value_features)` and the weights `(batch, target, source)`.
        """
        scores = additive_scores(projected_query, projected_keys, self._scale)  # (batch, target, source)
        weights = masked_softmax(scores, mask)
        output = ops.matmul(self._dropout(weights, training=training), value)  # (batch, target, value_features)
        return output, weights

    def compute_mask(self, query, value=None, key=None, query_mask=None, **kwargs):
        return query_mask

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        return (*query_shape[:-1], value_shape[-1])

    def compute_output_spec(self, query, value, key=None, return_attention_scores=False, **kwargs):
        masks = kwargs.get("value_mask"), kwargs.get("attention_mask")
        _check_shapes(query, value, value if key is None else key, *masks)
        output = keras.KerasTensor(self.compute_output_shape(query.shape, value.shape), self.compute_dtype)
        weights = keras.KerasTensor((*query.shape[:-1], value.shape[1]), self.compute_dtype)
        return (output, weights) if return_attention_scores else output

    def get_config(self):
        return {**super().get_config(), "units": self.units, "dropout": self.dropout}


def _check_shapes(query, value, key, value_mask, attention_mask):
    for name, tensor, rank in (("query", query, 3), ("value", value, 3), ("key", key, 3)):
        if len(tensor.shape) != rank:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}; attention wants (batch, time, features)")
    for name, mask, rank in (("value_mask", value_mask, 2), ("attention_mask", attention_mask, 3)):
        if mask is None:
            continue
        if len(mask.shape) != rank:
            wanted = "(batch, source)" if rank == 2 else "(batch, target, source)"
            raise ValueError(f"{name} has shape {tuple(mask.shape)}; attention wants {wanted}")
        if keras.backend.standardize_dtype(mask.dtype) != "bool":
            raise ValueError(f"{name} is {mask.dtype}; attention wants bool, True where a key may be attended to")
    same = [
        ("query", query, 0, "value", value, 0),
        ("value", value, 0, "key", key, 0),
        ("value", value, 1, "key", key, 1),
    ]
    if value_mask is not None:
        same += [("value_mask", value_mask, axis, "value", value, axis) for axis in (0, 1)]
    if attention_mask is not None:
        same += [
            ("attention_mask", attention_mask, 0, "query", query, 0),
            ("attention_mask", attention_mask, 1, "query", query, 1),
            ("attention_mask", attention_mask, 2, "value", value, 1),
        ]
    for name, tensor, axis, other_name, other, other_axis in same:
        size, wanted = tensor.shape[axis], other.shape[other_axis]
        if size is not None and wanted is not None and size != wanted:
            raise ValueError(
                f"{name} of shape {tuple(tensor.shape)} has {size} on axis {axis}, but {other_name} of shape "
                f"{tuple(other.shape)} has {wanted} on axis {other_axis}; they must be equal"
            )
