"""The Transformer's feed-forward network, the same at every position, and the activation GELU.

output = W_2 dropout(activation(W_1 x + b_1)) + b_2
"""

import math

import keras
from keras import ops

from keras_seq.layers.arguments import check_share, check_size
from keras_seq.layers.dropout import Dropout


def gelu(x):
    """x times the probability that a standard normal number is below it: a smooth relu.

        gelu(x) = x (1 + erf(x / sqrt(2))) / 2

    The exact one, as PyTorch's and Keras's default. Written out, since TensorFlow's has a constant rounded to float32,
    5e-9 off in float64, and is made of an `Erfc` that ONNX has not. Computed in float32 at least: 1 + erf of a negative
    number is a small difference.

    Args:
        x: float, any shape.

    Returns:
        The shape and dtype of `x`.

    Example:
        >>> print(ops.convert_to_numpy(gelu(ops.array([-1.0, 0.0, 1.0]))).round(2))
        [-0.16  0.    0.84]

    Reference: Hendrycks and Gimpel, 2016, "Gaussian Error Linear Units (GELUs)", section 2.
    """
    x = ops.convert_to_tensor(x)
    wide = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
    # In this order TFLite knows it and has one kernel; with the half elsewhere it stops at Erf, which it has not.
    return ops.cast(0.5 * wide * (1 + ops.erf(wide / math.sqrt(2))), x.dtype)


@keras.saving.register_keras_serializable("keras_seq")
class FeedForward(keras.layers.Layer):
    """Two linear maps with an activation between, the same at every position.

        output = W_2 dropout(activation(W_1 x + b_1)) + b_2

    Args:
        hidden: int, width between the two maps; four times the features in the paper.
        activation: str or function, as `keras.layers.Dense` takes it, such as "relu"; "gelu" is `gelu` of this module.
        dropout: float in [0, 1), applied after the activation in training, as PyTorch's Transformer layers do.

    Call arguments:
        inputs: `(..., features)`

    Returns:
        `(..., features)`; the mask is passed on.

    Raises:
        ValueError: if a size, the activation or `dropout` is not a valid one.

    Example:
        >>> tuple(FeedForward(hidden=16)(ops.ones((2, 3, 4))).shape)
        (2, 3, 4)

    Reference: Vaswani et al., 2017, section 3.3, equation 2.
    """

    def __init__(self, hidden, activation="relu", dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        check_size("hidden", hidden)
        check_share("dropout", dropout)
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.supports_masking = True
        function = gelu if activation == "gelu" else activation
        self._hidden = keras.layers.Dense(hidden, function, dtype=self.dtype_policy, name="hidden")
        self._dropout = Dropout(dropout, dtype=self.dtype_policy)

    def build(self, inputs_shape):
        self._hidden.build(inputs_shape)
        self._output = keras.layers.Dense(inputs_shape[-1], dtype=self.dtype_policy, name="output")
        self._output.build((*inputs_shape[:-1], self.hidden))
        self.built = True

    def call(self, inputs, training=None):
        return self._output(self._dropout(self._hidden(inputs), training=training))

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)

    def get_config(self):
        activation = keras.activations.serialize(keras.activations.get(self.activation))
        return {**super().get_config(), "hidden": self.hidden, "activation": activation, "dropout": self.dropout}
