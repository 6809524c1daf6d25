"""Layer normalisation, and the residual connection that it stands before or after.

norm(x) = gain * (x - mean(x)) / sqrt(variance(x) + epsilon) + bias      over the features of one position

x + dropout(sublayer(norm(x)))       norm="pre"
norm(x + dropout(sublayer(x)))       norm="post"
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_share
from keras_seq.layers.dropout import Dropout


def layer_normalization(inputs, gain, bias, epsilon=1e-5):
    """Each position shifted and scaled to mean 0 and variance 1 over its features, then by gain and bias.

        mean     = 1/n sum_i x_i
        variance = 1/n sum_i (x_i - mean)^2
        output_i = gain_i (x_i - mean) / sqrt(variance + epsilon) + bias_i

    The variance is the biased one, divided by n. Computed in float32 at least, since the squares of float16 overflow
    above 255, and cast back.

    Args:
        inputs: `(..., features)`
        gain: `(features,)`
        bias: `(features,)`
        epsilon: float, keeps a position of equal features finite.

    Returns:
        `(..., features)`, of the dtype of `inputs`.

    Example:
        >>> output = layer_normalization(ops.array([[1.0, 3.0]]), gain=ops.ones(2), bias=ops.zeros(2), epsilon=0.0)
        >>> print(ops.convert_to_numpy(output).tolist())
        [[-1.0, 1.0]]

    Reference: Ba, Kiros and Hinton, 2016, "Layer Normalization", equations 3 and 4.
    """
    inputs = ops.convert_to_tensor(inputs)
    x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
    x = x - ops.mean(x, axis=-1, keepdims=True)
    variance = ops.mean(x * x, axis=-1, keepdims=True)  # (..., 1)
    x = x / ops.sqrt(variance + epsilon)
    return ops.cast(ops.cast(gain, x.dtype) * x + ops.cast(bias, x.dtype), inputs.dtype)


@keras.saving.register_keras_serializable("keras_seq")
class LayerNormalization(keras.layers.Layer):
    """`layer_normalization` with learned gain and bias.

        output = gain * (inputs - mean) / sqrt(variance + epsilon) + bias

    `keras.layers.LayerNormalization` calls them gamma and beta and has epsilon 1e-3; PyTorch's `nn.LayerNorm` calls
    them weight and bias and has 1e-5, as this one. Given one epsilon, the three are equal.

    Args:
        epsilon: float above 0.

    Call arguments:
        inputs: `(..., features)`

    Returns:
        `(..., features)`; the mask is passed on.

    Raises:
        ValueError: if `epsilon` is not above 0.

    Example:
        >>> layer = LayerNormalization()
        >>> print(ops.convert_to_numpy(layer(ops.array([[1.0, 3.0]]))).round(3).tolist())
        [[-1.0, 1.0]]

    Reference: Ba, Kiros and Hinton, 2016, "Layer Normalization".
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        if not epsilon > 0:
            raise ValueError(f"epsilon={epsilon} does not keep equal features finite; give a small number, often 1e-5")
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, inputs_shape):
        shape = (inputs_shape[-1],)
        self.gain = self.add_weight(shape, "ones", name="gain", autocast=False)
        self.bias = self.add_weight(shape, "zeros", name="bias", autocast=False)
        self.built = True

    def call(self, inputs):
        return layer_normalization(inputs, self.gain, self.bias, self.epsilon)

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("keras_seq")
class Residual(keras.layers.Layer):
    """Residual connection around a layer, with layer normalisation before it, after it, or without.

        norm="pre":   x + dropout(sublayer(norm(x)))
        norm="post":  norm(x + dropout(sublayer(x)))
        norm=None:    x + dropout(sublayer(x))

    With "pre" the sum of all layers reaches the end untouched, and so do gradients on the way back: deep stacks train
    without warm-up. "post" is the original. PyTorch has this inside its Transformer layers (`norm_first`), Keras not.

    A layer with other inputs, such as attention, is called between the two halves:
    `residual.after(x, residual.sublayer(residual.before(x), value))`.

    Args:
        sublayer: keras layer whose output has the shape of its input.
        norm: "pre", "post" or None.
        dropout: float in [0, 1), applied to the layer's output in training.
        residual: bool; False leaves out "x +", to see what it does.

    Call arguments:
        inputs: `(..., features)`

    Returns:
        `(..., features)`; the mask is passed on.

    Raises:
        ValueError: if `norm` or `dropout` is out of range, or the layer changes the shape.

    Example:
        >>> layer = Residual(keras.layers.Dense(3, kernel_initializer="zeros"), norm="pre")
        >>> print(ops.convert_to_numpy(layer(ops.array([[1.0, 2.0, 5.0]]))).tolist())
        [[1.0, 2.0, 5.0]]

    Reference: He et al., 2016, "Deep Residual Learning for Image Recognition", equation 1; Vaswani et al., 2017,
    section 3.1 ("post"); Xiong et al., 2020, "On Layer Normalization in the Transformer Architecture" ("pre").
    """

    def __init__(self, sublayer, norm="pre", dropout=0.0, residual=True, **kwargs):
        super().__init__(**kwargs)
        if norm not in ("pre", "post", None):
            raise ValueError(f'norm={norm!r} is unknown; choose "pre", "post" or None')
        check_share("dropout", dropout)
        self.sublayer = sublayer
        self.norm = norm
        self.dropout = dropout
        self.residual = residual
        self.supports_masking = True
        self._norm = LayerNormalization(dtype=self.dtype_policy, name="norm") if norm else None
        self._dropout = Dropout(dropout, dtype=self.dtype_policy)

    def build(self, inputs_shape):
        if not self.sublayer.built:  # one with several inputs is built before, by whoever knows their shapes
            self.sublayer.build(inputs_shape)
        if self._norm is not None:
            self._norm.build(inputs_shape)
        self.built = True

    def call(self, inputs, training=None):
        return self.after(inputs, self.sublayer(self.before(inputs)), training)

    def before(self, inputs):
        """What the layer reads: `norm(x)` with "pre", otherwise x."""
        return self._norm(inputs) if self.norm == "pre" else inputs

    def after(self, inputs, outputs, training=None):
        """What is made of the layer's output."""
        self._check(tuple(inputs.shape), tuple(outputs.shape))
        outputs = self._dropout(outputs, training=training)
        summed = ops.add(inputs, outputs) if self.residual else outputs
        return self._norm(summed) if self.norm == "post" else summed

    def _check(self, wanted, made):
        """Refuses an output that would be added by broadcasting, or not at all."""
        known = [pair for pair in zip(made, wanted, strict=False) if None not in pair]
        if len(made) != len(wanted) or any(size != other for size, other in known):
            raise ValueError(
                f"sublayer {self.sublayer.name!r} makes shape {made} of {wanted}, but the two are added and must be "
                f"equal; give it {wanted[-1]} units"
            )

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "sublayer": keras.saving.serialize_keras_object(self.sublayer),
            "norm": self.norm,
            "dropout": self.dropout,
            "residual": self.residual,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "sublayer": keras.saving.deserialize_keras_object(config["sublayer"])})
