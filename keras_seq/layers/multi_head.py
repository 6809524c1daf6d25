"""Multi-head attention: several soft look-ups at once, each in its own part of the features.

    head_i = softmax over the kept keys of (W_q query)_i . (W_k key)_i / sqrt(head size)  *  (W_v value)_i
    output = W_o [head_1; ...; head_h]

Reference: Vaswani et al., 2017, "Attention Is All You Need", section 3.2.
"""

import math

import keras
from keras import ops

from keras_seq.layers.arguments import check_attention_inputs, check_bool, check_share, check_size
from keras_seq.layers.attention import masked_softmax
from keras_seq.layers.cache import write_at
from keras_seq.layers.dropout import Dropout
from keras_seq.layers.masks import causal_mask, combine_masks
from keras_seq.layers.scores import widen


def split_heads(tensor, num_heads):
    """Splits the last dimension: `(batch, time, features)` to `(batch, time, heads, head size)`."""
    time = ops.shape(tensor)[1]
    return ops.reshape(tensor, (-1, time, num_heads, tensor.shape[-1] // num_heads))


def join_heads(tensor):
    """The inverse of `split_heads`: `(batch, time, heads, head size)` to `(batch, time, features)`."""
    time = ops.shape(tensor)[1]
    return ops.reshape(tensor, (-1, time, tensor.shape[2] * tensor.shape[3]))


def multi_head_weights(query, key, mask=None):
    """Attention weights of every head.

        weights_h = softmax over the kept keys of query_h . key_h / sqrt(head size)

    Args:
        query: `(batch, target, heads, head size)`
        key: `(batch, source, heads, head size)`
        mask: bool `(batch or 1, 1 or target, source)`, True where a key may be attended to; None keeps all.

    Returns:
        `(batch, heads, target, source)`; zeros where there is nothing to attend to.

    Raises:
        ValueError: if the mask is not bool.

    Example:
        >>> key = ops.reshape(ops.array([[1.0, 0.0], [0.0, 1.0]]), (1, 2, 1, 2))  # two positions, one head
        >>> query = ops.reshape(ops.array([0.0, math.sqrt(2)]), (1, 1, 1, 2))
        >>> print(ops.convert_to_numpy(multi_head_weights(query, key)).round(3))  # 1 : e
        [[[[0.269 0.731]]]]

    Reference: Vaswani et al., 2017, "Attention Is All You Need", equation 1.
    """
    scores = ops.einsum("bthk,bshk->bhts", *widen(query / math.sqrt(query.shape[-1]), key))
    weights = masked_softmax(scores, None if mask is None else ops.expand_dims(mask, 1))
    return ops.cast(weights, query.dtype)


def fused_attention(query, key, value, mask=None):
    """`multi_head_weights` times the values, by the backend's fused kernel where it has one; no weights are returned.

    Args:
        query: `(batch, target, heads, head size)`
        key: `(batch, source, heads, head size)`
        value: `(batch, source, heads, head size)`
        mask: bool `(batch or 1, 1 or target, source)` or None.

    Returns:
        `(batch, target, heads, head size)`; zeros where there is nothing to attend to.

    Raises:
        ValueError: if the mask is not bool.

    Example:
        >>> query, key = ops.ones((2, 3, 2, 4)), ops.ones((2, 5, 2, 4))
        >>> tuple(fused_attention(query, key, key).shape)
        (2, 3, 2, 4)

    Reference: Vaswani et al., 2017, "Attention Is All You Need", equation 1; for what such a kernel does, Dao et al.,
    2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness".
    """
    if keras.backend.backend() == "tensorflow" and keras.backend.standardize_dtype(query.dtype) == "float16":
        # Keras has no fused kernel for TensorFlow, and its product overflows in float16.
        return ops.einsum("bhts,bshk->bthk", multi_head_weights(query, key, mask), value)
    query = query / math.sqrt(query.shape[-1])
    if mask is None:
        return ops.dot_product_attention(query, key, value, scale=1.0)
    mask = ops.convert_to_tensor(mask)
    check_bool("mask", mask)
    # What the kernels return for a row with nothing to attend to differs by backend, NaN included: such a row attends
    # to everything, and is then set to zero.
    anything = ops.any(mask, axis=-1, keepdims=True)  # (batch or 1, 1 or target, 1)
    mask = ops.expand_dims(ops.logical_or(mask, ops.logical_not(anything)), 1)  # (batch or 1, 1, 1 or target, source)
    output = ops.dot_product_attention(query, key, value, mask=mask, scale=1.0)
    return output * ops.cast(ops.expand_dims(anything, -1), output.dtype)


@keras.saving.register_keras_serializable("keras_seq")
class MultiHeadAttention(keras.layers.Layer):
    """Scaled dot-product attention in `num_heads` parts of the features at once.

        head_i = softmax over the kept keys of (W_q query)_i . (W_k key)_i / sqrt(head size)  *  (W_v value)_i
        output = W_o [head_1; ...; head_h]

    One linear map each for query, key, value and output, `units` wide; heads are slices of the last dimension, as in
    PyTorch, whose in_proj_weight is our three kernels stacked and transposed. Keras keeps a kernel
    `(features, heads, head size)` instead, and chooses the head size freely. Without `return_attention_scores` and
    dropout the backend's fused kernel is used (`keras.ops.dot_product_attention`).

    Args:
        units: int, width of queries, keys and values, all heads together, and of the output.
        num_heads: int, a divisor of `units`.
        dropout: float in [0, 1), applied to the weights in training.
        use_bias: bool, whether the four linear maps have one.

    Call arguments:
        query: `(batch, target, query_features)`
        value: `(batch, source, value_features)`; the query itself for self-attention.
        key: `(batch, source, key_features)`, defaults to `value`.
        query_mask: bool `(batch, target)`, changes no number; the query's implicit mask is passed on to the output.
        value_mask: bool `(batch, source)`, True where a key may be attended to.
        attention_mask: bool `(batch, target, source)`, combined with `value_mask`.
        use_causal_mask: bool, hide from position t of the target the source positions after t.
        return_attention_scores: bool.

    Returns:
        `(batch, target, units)`, and with `return_attention_scores` the weights `(batch, heads, target, source)`.

    Raises:
        ValueError: if `num_heads` does not divide `units`, `dropout` is out of range, a rank is wrong, batch or source
            sizes disagree, or a mask has the wrong rank or dtype.

    Example:
        >>> layer = MultiHeadAttention(units=8, num_heads=2)
        >>> output, weights = layer(ops.ones((2, 3, 5)), ops.ones((2, 7, 11)), return_attention_scores=True)
        >>> tuple(output.shape), tuple(weights.shape)
        ((2, 3, 8), (2, 2, 3, 7))

    Reference: Vaswani et al., 2017, "Attention Is All You Need", section 3.2.2.
    """

    def __init__(self, units, num_heads, dropout=0.0, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        check_size("units", units)
        check_size("num_heads", num_heads)
        check_share("dropout", dropout)
        if units % num_heads:
            divisors = ", ".join(str(heads) for heads in range(1, units + 1) if units % heads == 0)
            raise ValueError(f"num_heads={num_heads} does not divide units={units}; choose one of {divisors}")
        self.units = units
        self.num_heads = num_heads
        self.dropout = dropout
        self.use_bias = use_bias
        self.supports_masking = True
        self._query, self._key, self._value, self._output = (
            keras.layers.Dense(units, use_bias=use_bias, dtype=self.dtype_policy, name=name)
            for name in ("query", "key", "value", "output")
        )
        self._dropout = Dropout(dropout, dtype=self.dtype_policy)

    def build(self, query_shape, value_shape, key_shape=None):
        self._query.build(query_shape)
        self._key.build(key_shape or value_shape)
        self._value.build(value_shape)
        self._output.build((*query_shape[:-1], self.units))
        self.built = True

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        attention_mask=None,
        use_causal_mask=False,
        return_attention_scores=False,
        training=None,
    ):
        check_attention_inputs(query, value, value if key is None else key, value_mask, attention_mask)
        causal = causal_mask(ops.shape(query)[1], ops.shape(value)[1]) if use_causal_mask else None
        mask = combine_masks(value_mask, attention_mask, causal)
        query = self._heads(self._query(query))  # (batch, target, heads, head size)
        key, value = self._heads(self._key(value if key is None else key)), self._heads(self._value(value))
        if not return_attention_scores and not (self.dropout and training):
            return self._output(join_heads(fused_attention(query, key, value, mask)))
        weights = multi_head_weights(query, key, mask)
        attended = ops.einsum("bhts,bshk->bthk", self._dropout(weights, training=training), value)
        output = self._output(join_heads(attended))
        return (output, weights) if return_attention_scores else output

    def project(self, value, key=None):
        """Keys and values of a source, made once for the many queries of `look_up`.

        Args:
            value: `(batch, source, value_features)`
            key: `(batch, source, key_features)`, defaults to `value`.

        Returns:
            dict of `key` and `value`, each `(batch, heads, source, head size)`.
        """
        made = {"key": self._key(value if key is None else key), "value": self._value(value)}
        return {name: ops.transpose(self._heads(tensor), (0, 2, 1, 3)) for name, tensor in made.items()}

    def look_up(self, query, cache, mask=None, group=1):
        """Attention of one query a row to keys and values that `project` or `step` made.

        Args:
            query: `(batch * group, query_features)`
            cache: dict of `key` and `value`, each `(batch, heads, source, head size)`.
            mask: bool `(batch or 1, source)`, True where a key may be attended to; None keeps all.
            group: int, how many queries in a row share a row of the cache, as the beams of one source do.

        Returns:
            `(batch * group, units)`
        """
        query = self._query(query) / math.sqrt(self._head_size)
        if group == 1:
            query = ops.reshape(query, (-1, self.num_heads, 1, self._head_size))
        else:
            query = ops.transpose(ops.reshape(query, (-1, group, self.num_heads, self._head_size)), (0, 2, 1, 3))
        scores = ops.matmul(*widen(query, ops.swapaxes(cache["key"], 2, 3)))  # (batch, heads, group, source)
        mask = None if mask is None else ops.expand_dims(ops.expand_dims(mask, 1), 1)
        weights = ops.cast(masked_softmax(scores, mask), query.dtype)
        attended = ops.matmul(weights, cache["value"])  # (batch, heads, group, head size)
        attended = attended if group == 1 else ops.transpose(attended, (0, 2, 1, 3))
        return self._output(ops.reshape(attended, (-1, self.units)))

    def empty_cache(self, batch_size, length):
        """Room for the keys and values of `length` positions, to be filled by `step`.

        Args:
            batch_size: int or scalar int tensor.
            length: int, number of positions.

        Returns:
            dict of `key` and `value`, zeros `(batch, heads, length, head size)`.
        """
        shape = (batch_size, self.num_heads, length, self._head_size)
        return {name: ops.zeros(shape, self.compute_dtype) for name in ("key", "value")}

    def step(self, token, cache, position):
        """One position of causal self-attention: what a call with `use_causal_mask` gives at that position.

        Args:
            token: `(batch, features)`
            cache: dict of `key` and `value`, `(batch, heads, length, head size)`, filled up to `position` - 1.
            position: scalar int32, counted from 0.

        Returns:
            the output `(batch, units)` and the cache with this position's key and value.
        """
        made = {"key": self._key(token), "value": self._value(token)}
        shape = (-1, self.num_heads, self._head_size)
        cache = {name: write_at(cache[name], position, ops.reshape(made[name], shape), axis=2) for name in made}
        filled = ops.arange(cache["key"].shape[2], dtype="int32") <= position  # (length,)
        return self.look_up(token, cache, ops.expand_dims(filled, 0)), cache

    @property
    def _head_size(self):
        return self.units // self.num_heads

    def _heads(self, tensor):
        return split_heads(tensor, self.num_heads)

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        return (*query_shape[:-1], self.units)

    def compute_output_spec(self, query, value, key=None, return_attention_scores=False, **kwargs):
        masks = kwargs.get("value_mask"), kwargs.get("attention_mask")
        check_attention_inputs(query, value, value if key is None else key, *masks)
        output = keras.KerasTensor((*query.shape[:-1], self.units), self.compute_dtype)
        shape = (query.shape[0], self.num_heads, query.shape[1], value.shape[1])
        return (output, keras.KerasTensor(shape, self.compute_dtype)) if return_attention_scores else output

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
        }
