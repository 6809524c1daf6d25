"""The same Transformer from `keras.layers` alone, trained by Keras's default `fit`.

Masks are given: Keras's implicit ones do not do here, as `MultiHeadAttention` takes the mask off the tensor that it
attends to, so that the second layer of the decoder would read the source's padding.
"""

import keras
from keras import layers, ops

from benchmarks.training_speed.positions import sinusoids

_EPSILON = 1e-5  # of this library's and PyTorch's normalisation; Keras's default is another


class Embedded(layers.Layer):
    """Scaled embedding and sinusoidal positions; `tokens` called in reverse is the readout."""

    def __init__(self, vocabulary, units, longest):
        super().__init__()
        self.tokens = layers.ReversibleEmbedding(vocabulary, units)
        self._scale = units**0.5
        self._positions = sinusoids(longest, units)

    def build(self, shape):
        self.tokens.build(shape)
        self.built = True

    def call(self, ids):
        return self.tokens(ids) * self._scale + ops.convert_to_tensor(self._positions)[: ops.shape(ids)[1]]


def model(settings, jit_compile="auto"):
    """The compiled model; `jit_compile` "auto" is Keras's default, which is not XLA on a CPU with TensorFlow."""
    source, target = (keras.Input((None,), dtype="int32", name=name) for name in ("source", "target"))
    kept = ops.expand_dims(ops.not_equal(source, 0), 1)  # (batch, 1, source)
    embedded = Embedded(settings.vocabulary, settings.units, max(settings.length, settings.boundaries[-1]))
    memory = layers.Dropout(settings.dropout)(embedded(source))
    for _ in range(settings.layers):
        memory = _attend(settings, memory, attention_mask=kept)
        memory = _feed_forward(settings, memory)
    memory = _norm()(memory)
    hidden = layers.Dropout(settings.dropout)(embedded(target))
    for _ in range(settings.layers):
        hidden = _attend(settings, hidden, use_causal_mask=True)  # the target's padding is in the future of its tokens
        hidden = _attend(settings, hidden, memory, attention_mask=kept)
        hidden = _feed_forward(settings, hidden)
    logits = embedded.tokens(_norm()(hidden), reverse=True)  # (batch, target, vocabulary)
    result = keras.Model({"source": source, "target": target}, logits)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    result.compile(keras.optimizers.Adam(settings.learning_rate), loss, jit_compile=jit_compile)
    return result


def _norm():
    return layers.LayerNormalization(epsilon=_EPSILON)


def _attend(settings, inputs, memory=None, **masks):
    """x + dropout(attention(norm(x))), to itself or to the memory."""
    normed = _norm()(inputs)
    attention = layers.MultiHeadAttention(settings.heads, settings.units // settings.heads, dropout=settings.dropout)
    attended = attention(normed, normed if memory is None else memory, **masks)
    return layers.Add()([inputs, layers.Dropout(settings.dropout)(attended)])


def _feed_forward(settings, inputs):
    hidden = layers.Dense(settings.feed_forward, "relu")(_norm()(inputs))
    outputs = layers.Dense(settings.units)(layers.Dropout(settings.dropout)(hidden))
    return layers.Add()([inputs, layers.Dropout(settings.dropout)(outputs)])
