"""One vector for a sequence: a weighted mean of its positions, with weights that are learned.

    e_t     = v . tanh(W x_t + b)
    weights = softmax over the kept t of e_t
    pooled  = sum of weights_t x_t

A maximum over time takes each feature from wherever it is largest; here whole positions are taken, and the weights say
which.

References: Yang, Yang, Dyer, He, Smola and Hovy, 2016, "Hierarchical Attention Networks for Document Classification",
equations 5 to 7; Lin, Feng, Santos, Yu, Xiang, Zhou and Bengio, 2017, "A Structured Self-attentive Sentence Embedding".
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_mask, check_sequences, check_size
from keras_seq.layers.attention import masked_softmax


@keras.saving.register_keras_serializable("keras_seq")
class AttentionPooling(keras.layers.Layer):
    """The positions of a sequence, weighted by a small network and summed.

    Keras's and PyTorch's attention layers compare a query with keys; here the query is a weight, v.

    Args:
        units: int, width of the scoring network.

    Call arguments:
        inputs: `(batch, time, features)`
        mask: bool `(batch, time)`, True where a position may be attended to; Keras hands it on from an `Embedding`.
        return_attention_scores: bool.

    Returns:
        `(batch, features)`, and with `return_attention_scores` the weights `(batch, time)`; both are 0 for a sequence
        of padding alone.

    Raises:
        ValueError: if `units` is no width, or the rank of the inputs or of the mask is wrong.

    Example:
        >>> layer = AttentionPooling(units=8)
        >>> pooled, weights = layer(ops.ones((2, 3, 5)), return_attention_scores=True)
        >>> tuple(pooled.shape), bool(ops.all(ops.abs(weights - 1 / 3) < 1e-6))
        ((2, 5), True)

    Reference: Yang et al., 2016, equations 5 to 7.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        check_size("units", units)
        self.units = units
        self.supports_masking = True
        self._hidden = keras.layers.Dense(units, "tanh", dtype=self.dtype_policy, name="hidden")
        self._score = keras.layers.Dense(1, use_bias=False, dtype=self.dtype_policy, name="score")

    def build(self, inputs_shape):
        check_sequences(inputs=inputs_shape)
        self._hidden.build(inputs_shape)
        self._score.build((*inputs_shape[:-1], self.units))
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False):
        check_mask("mask", mask, "(batch, time)")
        scores = ops.squeeze(self._score(self._hidden(inputs)), axis=-1)  # (batch, time)
        weights = ops.cast(masked_softmax(scores, mask), inputs.dtype)
        pooled = ops.sum(ops.expand_dims(weights, -1) * inputs, axis=1)  # (batch, features)
        return (pooled, weights) if return_attention_scores else pooled

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0], inputs_shape[2])

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False):
        pooled = keras.KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)
        weights = keras.KerasTensor(tuple(inputs.shape[:2]), self.compute_dtype)
        return (pooled, weights) if return_attention_scores else pooled

    def get_config(self):
        return {**super().get_config(), "units": self.units}
