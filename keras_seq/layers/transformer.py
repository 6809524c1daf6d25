"""The Transformer's encoder and decoder.

    encoder layer: self-attention, feed-forward
    decoder layer: self-attention that does not see the future, attention to the encoder's outputs, feed-forward

each sub-layer inside a residual connection with layer normalisation (`Residual`). Embeddings, positions and readout are
layers of their own. For decoding, the decoder is walked one position at a time: keys and values of the encoder's
outputs are made once (`prepare`), those of the positions before are kept (`empty_cache`, `step`).

Reference: Vaswani et al., 2017, "Attention Is All You Need", section 3.
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_size
from keras_seq.layers.feed_forward import FeedForward
from keras_seq.layers.multi_head import MultiHeadAttention
from keras_seq.layers.normalization import LayerNormalization, Residual


class _WithSettings(keras.layers.Layer):
    """What encoder, decoder and their layers share: settings, and sub-layers made from them."""

    def __init__(self, units, num_heads, feed_forward, dropout=0.0, norm="pre", activation="relu", **kwargs):
        super().__init__(**kwargs)
        check_size("units", units)
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

    def get_config(self):
        activation = keras.activations.serialize(keras.activations.get(self._settings["activation"]))
        return {**super().get_config(), **self._settings, "activation": activation}


@keras.saving.register_keras_serializable("keras_seq")
class EncoderLayer(_WithSettings):
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

    Returns:
        `(batch, time, units)`; the mask is passed on.

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

    def call(self, inputs, mask=None, training=None):
        query = self._self_attention.before(inputs)
        attended = self._self_attention.sublayer(query, query, value_mask=mask, training=training)
        hidden = self._self_attention.after(inputs, attended, training)
        return self._feed_forward(hidden, training=training)

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)


@keras.saving.register_keras_serializable("keras_seq")
class DecoderLayer(_WithSettings):
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

    Returns:
        `(batch, target, units)`; an implicit mask of the target is passed on.

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

    def call(self, target, memory, target_mask=None, memory_mask=None, training=None):
        query = self._self_attention.before(target)
        attended = self._self_attention.sublayer(
            query, query, value_mask=target_mask, use_causal_mask=True, training=training
        )
        seen = self._self_attention.after(target, attended, training)
        query = self._cross_attention.before(seen)
        attended = self._cross_attention.sublayer(query, memory, value_mask=memory_mask, training=training)
        hidden = self._cross_attention.after(seen, attended, training)
        return self._feed_forward(hidden, training=training)

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


class _Stack(_WithSettings):
    """What encoder and decoder share: layers one upon the other, and with norm="pre" a last normalisation."""

    def __init__(
        self, num_layers, units, num_heads, feed_forward, dropout=0.0, norm="pre", activation="relu", **kwargs
    ):
        super().__init__(units, num_heads, feed_forward, dropout, norm, activation, **kwargs)
        check_size("num_layers", num_layers)
        self.num_layers = num_layers
        self._stack = [
            self._layer(**self._settings, dtype=self.dtype_policy, name=f"layer_{i}") for i in range(num_layers)
        ]
        self._norm = LayerNormalization(dtype=self.dtype_policy, name="norm") if norm == "pre" else None

    def _build_stack(self, first_shape, *others_shape):
        for layer in self._stack:
            layer.build(first_shape, *others_shape)
        if self._norm is not None:
            self._norm.build(first_shape)
        self.built = True

    def get_config(self):
        return {**super().get_config(), "num_layers": self.num_layers}


@keras.saving.register_keras_serializable("keras_seq")
class Encoder(_Stack):
    """A stack of `EncoderLayer`s, and with norm="pre" a last normalisation of their sum.

        output = norm(layer_n(... layer_1(x)))

    PyTorch's `nn.Transformer` ends its encoder and its decoder with a normalisation for "post" too, which then is done
    twice: put a `LayerNormalization` behind this layer for the same.

    Args:
        num_layers: int, number of layers.
        units, num_heads, feed_forward, dropout, norm, activation: of each layer, see `EncoderLayer`.

    Call arguments, returns and errors: as `EncoderLayer`.

    Example:
        >>> encoder = Encoder(num_layers=2, units=4, num_heads=2, feed_forward=16)
        >>> tuple(encoder(ops.ones((2, 3, 4))).shape)
        (2, 3, 4)

    Reference: Vaswani et al., 2017, section 3.1.
    """

    _layer = EncoderLayer

    def build(self, inputs_shape):
        self._build_stack(inputs_shape)

    def call(self, inputs, mask=None, training=None):
        hidden = inputs
        for layer in self._stack:
            hidden = layer(hidden, mask=mask, training=training)
        return hidden if self._norm is None else self._norm(hidden)

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)


@keras.saving.register_keras_serializable("keras_seq")
class Decoder(_Stack):
    """A stack of `DecoderLayer`s, and with norm="pre" a last normalisation of their sum.

        output = norm(layer_n(... layer_1(target, memory), memory))

    The call is for training, with the whole target at hand. For decoding, `step` takes one position at a time and gives
    the same; what it keeps is a flat dict of tensors of fixed shape, `layer_0_key`, `layer_0_value`, `layer_1_key`, ...

    Args:
        num_layers: int, number of layers.
        units, num_heads, feed_forward, dropout, norm, activation: of each layer, see `EncoderLayer`.

    Call arguments, returns and errors: as `DecoderLayer`.

    Example:
        >>> decoder = Decoder(num_layers=2, units=4, num_heads=2, feed_forward=16)
        >>> target, memory = ops.ones((2, 3, 4)), ops.ones((2, 5, 4))
        >>> outputs = decoder(target, memory)
        >>> output, cache = decoder.step(target[:, 0], decoder.empty_cache(2, 3), decoder.prepare(memory), 0)
        >>> bool(ops.all(ops.abs(output - outputs[:, 0]) < 1e-5))
        True

    Reference: Vaswani et al., 2017, section 3.1.
    """

    _layer = DecoderLayer

    def build(self, target_shape, memory_shape):
        self._build_stack(target_shape, memory_shape)

    def call(self, target, memory, target_mask=None, memory_mask=None, training=None):
        hidden = target
        for layer in self._stack:
            hidden = layer(hidden, memory, target_mask=target_mask, memory_mask=memory_mask, training=training)
        return hidden if self._norm is None else self._norm(hidden)

    def prepare(self, memory):
        """What every `step` reads of the memory, made once a source.

        Args:
            memory: `(batch, source, memory_features)`, the encoder's outputs.

        Returns:
            flat dict of `layer_0_key`, `layer_0_value`, ..., each `(batch, heads, source, head size)`.
        """
        return _flat(layer.prepare(memory) for layer in self._stack)

    def empty_cache(self, batch_size, length):
        """Room for the keys and values of `length` target positions, to be filled by `step`.

        Args:
            batch_size: int or scalar int tensor.
            length: int, number of positions.

        Returns:
            flat dict of `layer_0_key`, `layer_0_value`, ..., zeros `(batch, heads, length, head size)`.
        """
        return _flat(layer.empty_cache(batch_size, length) for layer in self._stack)

    def step(self, token, cache, memory, position, memory_mask=None, group=1):
        """One position, equal to what the call gives there.

        Args:
            token: `(batch, units)`, the embedded token before this position.
            cache: flat dict of tensors, from `empty_cache` or from the step before, filled up to `position` - 1.
            memory: flat dict of tensors, from `prepare`.
            position: scalar int32, counted from 0.
            memory_mask: bool `(batch, source)` or None.
            group: int, how many tokens in a row share a row of the memory and its mask; see `look_up`.

        Returns:
            the output `(batch, units)` and the new cache.
        """
        hidden, caches = token, []
        for i, layer in enumerate(self._stack):
            hidden, filled = layer.step(hidden, _part(cache, i), _part(memory, i), position, memory_mask, group)
            caches.append(filled)
        return hidden if self._norm is None else self._norm(hidden), _flat(caches)

    def compute_output_shape(self, target_shape, memory_shape):
        return tuple(target_shape)


def _flat(parts):
    """One dict of the layers' dicts, which every export format can take: `layer_0_key`, ..."""
    return {f"layer_{i}_{name}": tensor for i, part in enumerate(parts) for name, tensor in part.items()}


def _part(flat, i):
    """The keys and values of layer i."""
    return {name: flat[f"layer_{i}_{name}"] for name in ("key", "value")}
