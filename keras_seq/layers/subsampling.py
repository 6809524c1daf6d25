"""Two strided convolutions in front of a recurrent encoder: a quarter of the frames, each with its neighbourhood.

    x_0      = features, as a picture of time and frequency with one channel
    x_i+1    = relu(convolution 3 x 3, stride 2 x 2, of x_i)          i = 0, 1
    output_t = W [all frequencies and channels of x_2 at t] + b

Reference: Amodei et al., 2016, "Deep Speech 2: End-to-End Speech Recognition in English and Mandarin", section 3.4.
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_equal_sizes, check_size
from keras_seq.layers.masks import length_mask

_CONVOLUTIONS, _KERNEL, _STRIDE = 2, 3, 2


def subsampled(length):
    """Frames that are left of so many.

    Args:
        length: int or int tensor.

    Returns:
        int or int tensor, ceil(length / 4).

    Example:
        >>> subsampled(8), subsampled(9)
        (2, 3)
    """
    for _ in range(_CONVOLUTIONS):
        length = (length + _STRIDE - 1) // _STRIDE
    return length


@keras.saving.register_keras_serializable("keras_seq")
class ConvolutionSubsampling(keras.layers.Layer):
    """Two 3 x 3 convolutions of stride 2 over time and frequency, and a linear map of what is left.

    Padding is one frame on each side, so that frame t of the output stands over frame 4 t of the input, whatever the
    number of frames: Keras's "same" would shift by one between even and odd numbers, and PyTorch has none with strides.

    Args:
        channels: int, of both convolutions.
        units: int, width of the output.

    Call arguments:
        inputs: `(batch, time, features)`
        lengths: int32 `(batch,)`, frames of each sequence. What lies behind is taken for zeros.

    Returns:
        `(batch, ceil(time / 4), units)`, 0 behind the `subsampled` length of each sequence.

    Raises:
        ValueError: if a size is out of range, a rank is wrong, or the lengths are not whole numbers, one a sequence.

    Example:
        >>> layer = ConvolutionSubsampling(channels=4, units=6)
        >>> tuple(layer(ops.ones((2, 50, 40)), ops.array([50, 20])).shape)
        (2, 13, 6)

    Reference: Amodei et al., 2016, section 3.4.
    """

    def __init__(self, channels, units, **kwargs):
        super().__init__(**kwargs)
        check_size("channels", channels)
        check_size("units", units)
        self.channels, self.units = channels, units
        options = {"strides": _STRIDE, "activation": "relu", "data_format": "channels_last", "dtype": self.dtype_policy}
        self._convolutions = [
            keras.layers.Conv2D(channels, _KERNEL, name=f"convolution_{number}", **options)
            for number in range(_CONVOLUTIONS)
        ]
        self._linear = keras.layers.Dense(units, dtype=self.dtype_policy, name="linear")

    def build(self, inputs_shape, lengths_shape=None):
        _check_rank(inputs_shape)
        channels = 1
        for convolution in self._convolutions:
            convolution.build((None, None, None, channels))
            channels = self.channels
        self._linear.build((None, None, subsampled(inputs_shape[2]) * channels))
        self.built = True

    def call(self, inputs, lengths):
        _check(inputs, lengths)
        maps = ops.expand_dims(inputs, -1)  # (batch, time, features, 1)
        for convolution in self._convolutions:
            maps = ops.pad(_kept(maps, lengths), [[0, 0], [1, 1], [1, 1], [0, 0]])
            maps = convolution(maps)  # (batch, time / 2, features / 2, channels)
            lengths = (lengths + _STRIDE - 1) // _STRIDE
        flat = ops.reshape(maps, (-1, ops.shape(maps)[1], maps.shape[2] * self.channels))  # (batch, time / 4, ...)
        return _kept(self._linear(flat), lengths)

    def compute_output_shape(self, inputs_shape, lengths_shape=None):
        return (inputs_shape[0], None if inputs_shape[1] is None else subsampled(inputs_shape[1]), self.units)

    def compute_output_spec(self, inputs, lengths):
        _check(inputs, lengths)
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "channels": self.channels, "units": self.units}


def _kept(sequences, lengths):
    """The sequences with zeros behind their lengths, whatever was there."""
    mask = length_mask(lengths, ops.shape(sequences)[1])  # (batch, time)
    for _ in range(len(sequences.shape) - 2):
        mask = ops.expand_dims(mask, -1)
    return ops.where(mask, sequences, ops.zeros((), sequences.dtype))


def _check(inputs, lengths):
    _check_rank(inputs.shape)
    check_equal_sizes("lengths", lengths, 0, "inputs", inputs, 0)


def _check_rank(shape):
    if len(shape) != 3:
        raise ValueError(f"inputs have shape {tuple(shape)}, wanted (batch, time, features); add an axis")
