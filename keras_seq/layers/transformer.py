"""The Transformer's encoder and decoder: stacks of layers, and the decoder's walk one position at a time.

    encoder    EncoderLayer upon EncoderLayer, over the source
    decoder    DecoderLayer upon DecoderLayer, over the target and the encoder's outputs

Embeddings, positions and readout are layers of their own. For decoding, keys and values of the encoder's outputs are
made once (`prepare`), those of the positions before are kept (`empty_cache`, `step`).

Reference: Vaswani et al., 2017, "Attention Is All You Need", section 3.
"""

import keras

from keras_seq.layers.arguments import check_size
from keras_seq.layers.normalization import LayerNormalization
from keras_seq.layers.transformer_layer import DecoderLayer, EncoderLayer, TransformerPart


class _Stack(TransformerPart):
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

    def _climb(self, hidden, *others, return_attention_scores, **options):
        """Through all layers, and on request the attention weights of each."""
        scores = []
        for layer in self._stack:
            hidden = layer(hidden, *others, return_attention_scores=return_attention_scores, **options)
            if return_attention_scores:
                hidden, weights = hidden
                scores.append(weights)
        hidden = hidden if self._norm is None else self._norm(hidden)
        return (hidden, scores) if return_attention_scores else hidden

    def _foretell(self, *inputs, return_attention_scores, **masks):
        made = [layer.compute_output_spec(*inputs, **masks, return_attention_scores=True) for layer in self._stack]
        return (made[-1][0], [weights for _, weights in made]) if return_attention_scores else made[-1][0]

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

    Call arguments:
        inputs: `(batch, time, units)`
        mask: bool `(batch, time)`, True where a position may be attended to; an implicit mask arrives here.
        return_attention_scores: bool.

    Returns:
        `(batch, time, units)`; the mask is passed on. With `return_attention_scores` also a list of the attention
        weights of each layer, `(batch, heads, time, time)`.

    Raises:
        ValueError: as `EncoderLayer`, and if `num_layers` is no number of layers.

    Example:
        >>> encoder = Encoder(num_layers=2, units=4, num_heads=2, feed_forward=16)
        >>> output, weights = encoder(keras.ops.ones((5, 3, 4)), return_attention_scores=True)
        >>> tuple(output.shape), len(weights), tuple(weights[0].shape)
        ((5, 3, 4), 2, (5, 2, 3, 3))

    Reference: Vaswani et al., 2017, section 3.1.
    """

    _layer = EncoderLayer

    def build(self, inputs_shape):
        self._build_stack(inputs_shape)

    def call(self, inputs, mask=None, return_attention_scores=False, training=None):
        return self._climb(inputs, mask=mask, return_attention_scores=return_attention_scores, training=training)

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False, training=None):
        return self._foretell(inputs, mask=mask, return_attention_scores=return_attention_scores)


@keras.saving.register_keras_serializable("keras_seq")
class Decoder(_Stack):
    """A stack of `DecoderLayer`s, and with norm="pre" a last normalisation of their sum.

        output = norm(layer_n(... layer_1(target, memory), memory))

    The call is for training, with the whole target at hand. For decoding, `step` takes one position at a time and gives
    the same; what it keeps is a flat dict of tensors of fixed shape, `layer_0_key`, `layer_0_value`, `layer_1_key`, ...

    Args:
        num_layers: int, number of layers.
        units, num_heads, feed_forward, dropout, norm, activation: of each layer, see `EncoderLayer`.

    Call arguments:
        target: `(batch, target, units)`, the embedded token before each position.
        memory: `(batch, source, memory_features)`, the encoder's outputs.
        target_mask: bool `(batch, target)`, True where a position may be attended to; an implicit mask arrives here.
        memory_mask: bool `(batch, source)`, likewise.
        return_attention_scores: bool.

    Returns:
        `(batch, target, units)`; an implicit mask of the target is passed on. With `return_attention_scores` also a
        list, for each layer the weights with which the target attends to the memory, `(batch, heads, target, source)`.

    Raises:
        ValueError: as `DecoderLayer`, and if `num_layers` is no number of layers.

    Example:
        >>> decoder = Decoder(num_layers=2, units=4, num_heads=2, feed_forward=16)
        >>> target, memory = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))
        >>> outputs, weights = decoder(target, memory, return_attention_scores=True)
        >>> tuple(outputs.shape), len(weights), tuple(weights[0].shape)
        ((2, 3, 4), 2, (2, 2, 3, 5))
        >>> output, cache = decoder.step(target[:, 0], decoder.empty_cache(2, 3), decoder.prepare(memory), 0)
        >>> bool(keras.ops.all(keras.ops.abs(output - outputs[:, 0]) < 1e-5))
        True

    Reference: Vaswani et al., 2017, section 3.1.
    """

    _layer = DecoderLayer

    def build(self, target_shape, memory_shape):
        self._build_stack(target_shape, memory_shape)

    def call(self, target, memory, target_mask=None, memory_mask=None, return_attention_scores=False, training=None):
        return self._climb(
            target,
            memory,
            target_mask=target_mask,
            memory_mask=memory_mask,
            return_attention_scores=return_attention_scores,
            training=training,
        )

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

    def compute_output_spec(
        self, target, memory, target_mask=None, memory_mask=None, return_attention_scores=False, training=None
    ):
        return self._foretell(
            target,
            memory,
            target_mask=target_mask,
            memory_mask=memory_mask,
            return_attention_scores=return_attention_scores,
        )


def _flat(parts):
    """One dict of the layers' dicts, which every export format can take: `layer_0_key`, ..."""
    return {f"layer_{i}_{name}": tensor for i, part in enumerate(parts) for name, tensor in part.items()}


def _part(flat, i):
    """The keys and values of layer i."""
    return {name: flat[f"layer_{i}_{name}"] for name in ("key", "value")}
