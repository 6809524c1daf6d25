"""One layer of the Transformer's encoder and of its decoder; `keras_seq.layers.transformer` puts them in stacks.

    encoder layer: self-attention, feed-forward
    decoder layer: self-attention that does not see the future, attention to the encoder's outputs, feed-forward

each sub-layer inside a residual connection with layer normalisation (`Residual`).

Reference: Vaswani et al., 2017, "Attention Is All You Need", section 3.
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_attention_inputs, check_size
from keras_seq.layers.feed_forward import FeedForward
from keras_seq.layers.multi_head import MultiHeadAttention
from keras_seq.layers.normalization import Residual


class TransformerPart(keras.layers.Layer):
    """What encoder, decoder and their layers share: settings, and sub-layers made from them."""

    def __init__(self, units, num_heads, feed_forward, dropout=0.0, norm="pre", activation="relu", **kwargs):
        super().__init__(**kwargs)
        check_size("units", units)
        check_size("feed_forward", feed_forward)
        self.supports_masking = True
        self._settings = {
            "units": units,
            "num_heads": num_heads,
            "feed_forward": feed_forward,
            "dropout": dropout,
            "norm": norm,
            "activation": activation,
        }

    def _attention(self, name):
        units, heads, dropout = (self._settings[key] for key in ("units", "num_heads", "dropout"))
        return self._residual(MultiHeadAttention(units, heads, dropout, dtype=self.dtype_policy, name=name))

    def _two_maps(self):
        hidden, activation, dropout = (self._settings[key] for key in ("feed_forward", "activation", "dropout"))
        return self._residual(FeedForward(hidden, activation, dropout, dtype=self.dtype_policy, name="feed_forward"))

    def _residual(self, sublayer):
        norm, dropout = self._settings["norm"], self._settings["dropout"]
        return Residual(sublayer, norm, dropout, dtype=self.dtype_policy, name=f"{sublayer.name}_residual")

    def _build(self, residual, inputs_shape, *others_shape):
        if inputs_shape[-1] != self._settings["units"]:
            raise ValueError(
                f"inputs of shape {tuple(inputs_shape)} have {inputs_shape[-1]} features, but what attention adds to "
                f"them has units={self._settings['units']}; make them equal"
            )
        residual.sublayer.build(inputs_shape, *others_shape)
        residual.build(inputs_shape)

    def _foretold(self, target, source, return_attention_scores):
        """Shapes and dtypes of what a layer returns that lets `target` attend to `source`."""
        output = keras.KerasTensor(tuple(target.shape), self.compute_dtype)
        shape = (target.shape[0], self._settings["num_heads"], target.shape[1], source.shape[1])
        return (output, keras.KerasTensor(shape, self.compute_dtype)) if return_attention_scores else output

    def get_config(self):
        activation = keras.activations.serialize(keras.activations.get(self._settings["activation"]))
        return {**super().get_config(), **self._settings, "activation": activation}


@keras.saving.register_keras_serializable("keras_seq")
class EncoderLayer(TransformerPart):
    """Self-attention, then a feed-forward network, each in a `Residual`.

        hidden = x + dropout(attention(norm(x)))                    norm="pre"; see Residual for "post"
        output = hidden + dropout(feed_forward(norm(hidden)))

    PyTorch's `nn.TransformerEncoderLayer` is equal with `norm_first=True` ("pre") or False ("post"); its masks say True
    where a position is hidden. Keras has none; KerasHub's `TransformerEncoder` is one such layer.

    Args:
        units: int, width of inputs, attention and outputs.
        num_heads: int, a divisor of `units`.
        feed_forward: int, width inside the feed-forward network.
        dropout: float in [0, 1), on attention weights, inside the feed-forward network and on each sub-layer's output.
        norm: "pre" or "post"; None leaves out normalisation.
        activation: str or function, of the feed-forward network.

    Call arguments:
        inputs: `(batch, time, units)`
        mask: bool `(batch, time)`, True where a position may be attended to; an implicit mask arrives here.
        return_attention_scores: bool.

    Returns:
        `(batch, time, units)`; the mask is passed on. With `return_attention_scores` also the attention weights
        `(batch, heads, time, time)`, of which the last axis is what was attended to.

    Raises:
        ValueError: if a setting is out of range, the inputs are not `units` wide, or a rank or the mask is wrong.

    Example:
        >>> layer = EncoderLayer(units=4, num_heads=2, feed_forward=16)
        >>> tuple(layer(ops.ones((2, 3, 4)), mask=ops.array([[True, True, False], [True, True, True]])).shape)
        (2, 3, 4)

    Reference: Vaswani et al., 2017, section 3.1 ("post"); Xiong et al., 2020, "On Layer Normalization in the
    Transformer Architecture" ("pre").
    """

    def __init__(self, units, num_heads, feed_forward, dropout=0.0, norm="pre", activation="relu", **kwargs):
        super().__init__(units, num_heads, feed_forward, dropout, norm, activation, **kwargs)
        self._self_attention = self._attention("self_attention")
        self._feed_forward = self._two_maps()

    def build(self, inputs_shape):
        self._build(self._self_attention, inputs_shape, inputs_shape)
        self._build(self._feed_forward, inputs_shape)
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False, training=None):
        query = self._self_attention.before(inputs)
        attended = self._self_attention.sublayer(
            query, query, value_mask=mask, return_attention_scores=return_attention_scores, training=training
        )
        attended, weights = attended if return_attention_scores else (attended, None)
        hidden = self._self_attention.after(inputs, attended, training)
        output = self._feed_forward(hidden, training=training)
        return (output, weights) if return_attention_scores else output

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False, training=None):
        check_attention_inputs(inputs, inputs, inputs, mask)
        return self._foretold(inputs, inputs, return_attention_scores)


@keras.saving.register_keras_serializable("keras_seq")
class DecoderLayer(TransformerPart):
    """Self-attention that does not see the future, attention to the memory, feed-forward, each in a `Residual`.

        seen   = x + dropout(causal_attention(norm(x)))             norm="pre"; see Residual for "post"
        hidden = seen + dropout(attention(norm(seen), memory))
        output = hidden + dropout(feed_forward(norm(hidden)))

    PyTorch's `nn.TransformerDecoderLayer` is equal when given the causal mask, without which it sees the future; ours
    always has it. Keras has none; KerasHub's `TransformerDecoder` is one such layer.

    Args:
        units, num_heads, feed_forward, dropout, norm, activation: see `EncoderLayer`.

    Call arguments:
        target: `(batch, target, units)`, the embedded token before each position.
        memory: `(batch, source, memory_features)`, the encoder's outputs.
        target_mask: bool `(batch, target)`, True where a position may be attended to; an implicit mask arrives here.
        memory_mask: bool `(batch, source)`, likewise.
        return_attention_scores: bool.

    Returns:
        `(batch, target, units)`; an implicit mask of the target is passed on. With `return_attention_scores` also the
        weights with which the target attends to the memory, `(batch, heads, target, source)`.

    Raises:
        ValueError: if a setting is out of range, the target is not `units` wide, a rank or a mask is wrong, or batch
            sizes disagree.

    Example:
        >>> layer = DecoderLayer(units=4, num_heads=2, feed_forward=16)
        >>> tuple(layer(ops.ones((2, 3, 4)), ops.ones((2, 5, 6))).shape)
        (2, 3, 4)

    Reference: Vaswani et al., 2017, section 3.1.
    """

    def __init__(self, units, num_heads, feed_forward, dropout=0.0, norm="pre", activation="relu", **kwargs):
        super().__init__(units, num_heads, feed_forward, dropout, norm, activation, **kwargs)
        self._self_attention = self._attention("self_attention")
        self._cross_attention = self._attention("cross_attention")
        self._feed_forward = self._two_maps()

    def build(self, target_shape, memory_shape):
        self._build(self._self_attention, target_shape, target_shape)
        self._build(self._cross_attention, target_shape, memory_shape)
        self._build(self._feed_forward, target_shape)
        self.built = True

    def call(self, target, memory, target_mask=None, memory_mask=None, return_attention_scores=False, training=None):
        query = self._self_attention.before(target)
        attended = self._self_attention.sublayer(
            query, query, value_mask=target_mask, use_causal_mask=True, training=training
        )
        seen = self._self_attention.after(target, attended, training)
        query = self._cross_attention.before(seen)
        attended = self._cross_attention.sublayer(
            query, memory, value_mask=memory_mask, return_attention_scores=return_attention_scores, training=training
        )
        attended, weights = attended if return_attention_scores else (attended, None)
        hidden = self._cross_attention.after(seen, attended, training)
        output = self._feed_forward(hidden, training=training)
        return (output, weights) if return_attention_scores else output

    def prepare(self, memory):
        """What every `step` reads of the memory: `key` and `value`, `(batch, heads, source, head size)`."""
        return self._cross_attention.sublayer.project(memory)

    def empty_cache(self, batch_size, length):
        """Room for `length` positions: `key` and `value`, zeros `(batch, heads, length, head size)`."""
        return self._self_attention.sublayer.empty_cache(batch_size, length)

    def step(self, token, cache, memory, position, memory_mask=None, group=1):
        """One position, equal to what the call gives there.

        Args:
            token: `(batch, units)`, the embedded token before this position.
            cache: dict of tensors, from `empty_cache` or from the step before.
            memory: dict of tensors, from `prepare`.
            position: scalar int32, counted from 0.
            memory_mask: bool `(batch, source)` or None.
            group: int, how many tokens in a row share a row of the memory and its mask; see `look_up`.

        Returns:
            the output `(batch, units)` and the new cache.
        """
        token = ops.cast(token, self.compute_dtype)
        query = self._self_attention.before(token)
        attended, cache = self._self_attention.sublayer.step(query, cache, position)
        seen = self._self_attention.after(token, attended)
        query = self._cross_attention.before(seen)
        attended = self._cross_attention.sublayer.look_up(query, memory, memory_mask, group)
        hidden = self._cross_attention.after(seen, attended)
        return self._feed_forward(hidden), cache

    def compute_output_shape(self, target_shape, memory_shape):
        return tuple(target_shape)

    def compute_output_spec(
        self, target, memory, target_mask=None, memory_mask=None, return_attention_scores=False, training=None
    ):
        check_attention_inputs(target, target, target, target_mask)
        check_attention_inputs(target, memory, memory, memory_mask)
        return self._foretold(target, memory, return_attention_scores)
