"""Embedding and readout: from token ids to vectors, and from vectors back to logits over the vocabulary.

    embed(id)  = sqrt(features) E[id]
    logits(h)  = h E^T                   tied: the same matrix reads and writes
    logits(h)  = h W + b                 a readout of its own
    p(id | h)  = softmax(logits(h))[id]

Logits and probabilities are float32 under any half-precision policy: bfloat16 cannot tell 100.0 from 100.2.

Reference: Vaswani et al., 2017, "Attention Is All You Need", section 3.4.
"""

import math

import keras
from keras import ops

from keras_seq.layers.arguments import check_size


@keras.saving.register_keras_serializable("keras_seq")
class ScaledEmbedding(keras.layers.Layer):
    """Embedding times the square root of its width, whose matrix can serve as output weights too.

        output_t = sqrt(features) E[id_t]        logits(hidden) = hidden E^T

    E is drawn with variance 1 / features, right for logits; the factor brings the embeddings to variance 1, the size of
    the positions that are added to them. `keras.layers.Embedding` and `nn.Embedding` do not scale;
    `keras.layers.ReversibleEmbedding` has the tied output without the scale.

    Args:
        vocabulary_size: int, number of ids, padding (0) included.
        features: int, width of an embedding.
        mask_zero: bool, whether id 0 is padding and is masked in the layers that follow.

    Call arguments:
        inputs: int `(batch, time)` or `(batch,)`, ids; with `reverse` hidden states `(..., features)`.
        reverse: bool, from hidden states to logits; `logits` is its short form.

    Returns:
        `(batch, time, features)`; with `reverse` logits `(..., vocabulary)` in float32, or float64 under that policy.

    Raises:
        ValueError: if a size is out of range or hidden states have another width than `features`.
        TypeError: if ids are not integers.

    Example:
        >>> embedding = ScaledEmbedding(vocabulary_size=11, features=4)
        >>> hidden = embedding(ops.array([[5, 7, 0]]))
        >>> tuple(hidden.shape), tuple(embedding.logits(hidden).shape)
        ((1, 3, 4), (1, 3, 11))

    Reference: Vaswani et al., 2017, section 3.4; Press and Wolf, 2017, "Using the Output Embedding to Improve Language
    Models", for the tied weights.
    """

    def __init__(self, vocabulary_size, features, mask_zero=True, **kwargs):
        super().__init__(**kwargs)
        check_size("vocabulary_size", vocabulary_size)
        check_size("features", features)
        self.vocabulary_size = vocabulary_size
        self.features = features
        self.mask_zero = mask_zero
        self.supports_masking = True

    def build(self, inputs_shape=None):
        self.embeddings = self.add_weight(
            (self.vocabulary_size, self.features),
            keras.initializers.RandomNormal(stddev=1 / math.sqrt(self.features)),
            name="embeddings",
            autocast=False,
        )
        self.built = True

    def call(self, inputs, reverse=False):
        self._check(inputs, reverse)
        if reverse:
            hidden = ops.cast(inputs, self.embeddings.dtype)
            return ops.matmul(hidden, ops.transpose(self.embeddings))  # (..., vocabulary)
        embedded = ops.take(self.embeddings, inputs, axis=0)  # (batch, time, features)
        return ops.cast(embedded, self.compute_dtype) * math.sqrt(self.features)

    def logits(self, hidden):
        """Logits `(..., vocabulary)` of hidden states `(..., features)`, by the embedding's own matrix."""
        return self(hidden, reverse=True)

    def _check(self, inputs, reverse):
        if reverse and inputs.shape[-1] != self.features:
            raise ValueError(
                f"hidden states of shape {tuple(inputs.shape)} have {inputs.shape[-1]} features, the embedding has "
                f"{self.features}; put a Dense({self.features}) before, or use a Readout"
            )
        if not reverse and "int" not in keras.backend.standardize_dtype(inputs.dtype):
            raise TypeError(f"ids are {inputs.dtype}; give int32, or reverse=True to make logits of hidden states")

    def compute_mask(self, inputs, mask=None):
        if "int" not in keras.backend.standardize_dtype(inputs.dtype):
            return mask
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, inputs_shape, reverse=False):
        return (*inputs_shape[:-1], self.vocabulary_size) if reverse else (*inputs_shape, self.features)

    def compute_output_spec(self, inputs, reverse=False):
        self._check(inputs, reverse)
        dtype = self.variable_dtype if reverse else self.compute_dtype
        return keras.KerasTensor(self.compute_output_shape(inputs.shape, reverse), dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "features": self.features,
            "mask_zero": self.mask_zero,
        }


@keras.saving.register_keras_serializable("keras_seq")
class Readout(keras.layers.Layer):
    """The last linear map, to logits over a vocabulary or to their softmax.

        logits        = W hidden + b
        probabilities = softmax(logits)

    A `keras.layers.Dense` that computes in float32 whatever the model's policy (float64 in float64). Train on logits,
    from which a loss is computed without a logarithm of a rounded number.

    Args:
        vocabulary_size: int, number of ids, padding (0) included; or of classes.
        softmax: bool, return probabilities.

    Call arguments:
        inputs: `(..., features)`, hidden states.

    Returns:
        `(..., vocabulary)` in float32; the mask is passed on.

    Raises:
        ValueError: if the size is out of range.

    Example:
        >>> layer = Readout(vocabulary_size=11, softmax=True)
        >>> print(ops.convert_to_numpy(layer(ops.ones((2, 4)))).sum(axis=-1).round(3).tolist())
        [1.0, 1.0]

    Reference: Vaswani et al., 2017, section 3.4.
    """

    def __init__(self, vocabulary_size, softmax=False, **kwargs):
        super().__init__(**kwargs)
        check_size("vocabulary_size", vocabulary_size)
        self.vocabulary_size = vocabulary_size
        self.softmax = softmax
        self.supports_masking = True
        activation = "softmax" if softmax else None
        self._linear = keras.layers.Dense(vocabulary_size, activation, dtype=self._output_dtype, name="linear")

    @property
    def _output_dtype(self):
        return "float64" if self.compute_dtype == "float64" else "float32"

    def build(self, inputs_shape):
        self._linear.build(inputs_shape)
        self.built = True

    def call(self, inputs):
        return self._linear(inputs)  # (..., vocabulary)

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], self.vocabulary_size)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), self._output_dtype)

    def get_config(self):
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size, "softmax": self.softmax}
