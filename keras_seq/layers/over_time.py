"""One vector for a sequence: of each feature the largest that is reached anywhere in it, or its mean.

    largest_f = max over the kept t of x_t,f
    mean_f    = sum over the kept t of x_t,f / number of kept t

Reference: Collobert, Weston, Bottou, Karlen, Kavukcuoglu and Kuksa, 2011, "Natural Language Processing (Almost) from
Scratch", section 3.2.2.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_seq")
class MaxOverTime(keras.layers.Layer):
    """The largest value of each feature over the positions that the mask keeps.

    `keras.layers.GlobalMaxPooling1D` takes no mask, so that padding can be the largest.

    Call arguments:
        inputs: `(batch, time, features)`
        mask: bool `(batch, time)`, True where a position is kept; Keras hands it on from an `Embedding`.

    Returns:
        `(batch, features)`, 0 for a sequence of padding alone.

    Example:
        >>> mask = ops.array([[True, True, False]])
        >>> pooled = MaxOverTime()(ops.array([[[1.0, 7.0], [2.0, 3.0], [9.0, 9.0]]]), mask=mask)
        >>> print(ops.convert_to_numpy(pooled).tolist())
        [[2.0, 7.0]]

    Reference: Collobert et al., 2011, section 3.2.2.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if len(inputs.shape) != 3:
            raise ValueError(f"inputs have shape {tuple(inputs.shape)}, wanted (batch, time, features); add an axis")
        if mask is None:
            return ops.max(inputs, axis=1)  # (batch, features)
        kept = ops.expand_dims(mask, -1)  # (batch, time, 1)
        # Finite in float16 too: a sequence of padding alone would give it, and is set to 0.
        largest = ops.max(ops.where(kept, inputs, ops.cast(-6e4, inputs.dtype)), axis=1)
        return ops.where(ops.any(kept, axis=1), largest, ops.zeros_like(largest))

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0], inputs_shape[2])


@keras.saving.register_keras_serializable("keras_seq")
class MeanOverTime(keras.layers.Layer):
    """The mean of each feature over the positions that the mask keeps.

    `keras.layers.GlobalAveragePooling1D` does the same, but gives NaN for a sequence of padding alone.

    Call arguments:
        inputs: `(batch, time, features)`
        mask: bool `(batch, time)`, True where a position is kept; Keras hands it on from an `Embedding`.

    Returns:
        `(batch, features)`, 0 for a sequence of padding alone.

    Raises:
        ValueError: if the rank of the inputs is not 3.

    Example:
        >>> inputs, mask = ops.array([[[1.0, 7.0], [2.0, 3.0], [9.0, 9.0]]]), ops.array([[True, True, False]])
        >>> print(ops.convert_to_numpy(MeanOverTime()(inputs, mask=mask)).tolist())
        [[1.5, 5.0]]

    Reference: Collobert et al., 2011, section 3.2.2.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if len(inputs.shape) != 3:
            raise ValueError(f"inputs have shape {tuple(inputs.shape)}, wanted (batch, time, features); add an axis")
        if mask is None:
            return ops.mean(inputs, axis=1)  # (batch, features)
        kept = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)  # (batch, time, 1)
        shares = kept / ops.maximum(ops.sum(kept, axis=1, keepdims=True), 1)
        return ops.sum(shares * inputs, axis=1)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0], inputs_shape[2])
