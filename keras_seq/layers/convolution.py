"""Convolution: a window slides over a picture, and each place gives one number a filter.

    map[y, x, o] = bias[o] + sum over i, j, c of window[y, x][i, j, c] * kernel[i, j, c, o]

What everybody calls convolution is this cross-correlation. The convolution of mathematics flips the kernel,
`kernel[-i, -j]`; where the kernel is learned it makes no difference, since the flipped one is learned then.

Letters in einsum: b batch, y and x row and column of the map, i and j row and column in the window, c channel in,
o channel out.

For speed there is `keras.layers.Conv2D`, whose weights have the same shapes.

Reference: LeCun, Bottou, Bengio and Haffner, 1998, "Gradient-Based Learning Applied to Document Recognition".
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_size
from keras_seq.layers.windows import check_images, check_padding, check_rank, map_shape, pad, pair, reach_of, windows


def parameter_count(input_channels, filters, kernel_size, use_bias=True):
    """Weights of a convolution: height * width * input_channels * filters, and a bias a filter.

    The size of the picture is not in it: every place shares the one kernel.

    Args:
        input_channels: int.
        filters: int, channels of the map.
        kernel_size: int, or two: (height, width).
        use_bias: bool.

    Returns:
        int.

    Raises:
        ValueError: if a size is not a whole number of 1 or more.

    Example:
        >>> parameter_count(3, 10, 3), parameter_count(3, 10, 3, use_bias=False)
        (280, 270)
    """
    check_size("input_channels", input_channels)
    check_size("filters", filters)
    height, width = pair("kernel_size", kernel_size)
    return height * width * input_channels * filters + (filters if use_bias else 0)


def cross_correlation(images, kernel, strides=1, padding="valid", dilation_rate=1):
    """The sum of each window's pixels times the kernel: what layers called convolution compute.

        map[b, y, x, o] = sum over i, j, c of window[b, y, x][i, j, c] * kernel[i, j, c, o]
        window[b, y, x][i, j, c] = padded[b, y * stride + i * dilation, x * stride + j * dilation, c]

    `keras.ops.conv` is the same for "valid" and "same". PyTorch's `conv2d` is the same with channels first: images
    `(batch, channels, height, width)`, kernel `(filters, channels, height, width)`; it has "same" for stride 1 alone.

    Args:
        images: float `(batch, height, width, channels)`
        kernel: float `(kernel height, kernel width, channels, filters)`
        strides: int, or two: (down, across).
        padding: "valid" for none; "same" for so many zeros that the map has ceil(size / stride) pixels, the odd one
            below and on the right; or int, zeros on every side.
        dilation_rate: int, or two: (down, across), pixels from one number of the kernel to the next. Keras has no
            strides beside it; PyTorch has.

    Returns:
        `(batch, rows, columns, filters)`, see `output_size`.

    Raises:
        ValueError: if a rank or a dtype is wrong, the channels disagree, or the kernel does not fit into the padded
            picture.

    Example:
        >>> images = ops.reshape([1.0, 2.0, 3.0, 4.0], (1, 2, 2, 1))
        >>> kernel = ops.reshape([1.0, 10.0, 100.0, 1000.0], (2, 2, 1, 1))
        >>> print(ops.convert_to_numpy(cross_correlation(images, kernel)).item())
        4321.0

    Reference: Goodfellow, Bengio and Courville, 2016, "Deep Learning", equation 9.6; with dilation, Yu and Koltun,
    2016, "Multi-Scale Context Aggregation by Dilated Convolutions", equation 2.
    """
    images, kernel = check_images(images), ops.convert_to_tensor(kernel)
    if len(kernel.shape) != 4:
        raise ValueError(f"kernel has shape {tuple(kernel.shape)}; wanted (height, width, channels, filters)")
    _check_channels(images.shape, kernel.shape[2])
    size, strides, dilation = tuple(kernel.shape[:2]), pair("strides", strides), pair("dilation_rate", dilation_rate)
    padded = pad(images, tuple(map(reach_of, size, dilation)), strides, padding)
    seen = windows(padded, size, strides, dilation)  # (batch, rows, columns, kernel height, kernel width, channels)
    return ops.einsum("byxijc,ijco->byxo", seen, kernel)  # (batch, rows, columns, filters)


@keras.saving.register_keras_serializable("keras_seq")
class CrossCorrelation2D(keras.layers.Layer):
    """A learned kernel slid over pictures: what `keras.layers.Conv2D` and `torch.nn.Conv2d` compute.

        map[y, x, o] = activation(bias[o] + sum over i, j, c of window[y, x][i, j, c] * kernel[i, j, c, o])

    Its weights have the shapes of Keras's, so `keras.layers.Conv2D(...).set_weights(layer.get_weights())` works. For
    PyTorch, transpose the kernel to `(filters, channels, height, width)`.

    Args:
        filters: int, channels of the map.
        kernel_size: int, or two: (height, width).
        strides: int, or two: (down, across).
        padding: "valid", "same" or int, see `cross_correlation`. Keras has no int; PyTorch has no "same" with strides.
        dilation_rate: int, or two: (down, across), pixels from one number of the kernel to the next.
        activation: name or function, as Keras takes it; None for none.
        use_bias: bool.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint:
            as Keras takes them.

    Call arguments:
        images: float `(batch, height, width, channels)`; height and width may be None.

    Returns:
        `(batch, rows, columns, filters)`, see `output_size`.

    Raises:
        ValueError: if an argument is not as described, the rank or dtype of the images is wrong, their channels are
            unknown or others than the layer was built for, or the kernel does not fit in.

    Example:
        >>> layer = CrossCorrelation2D(filters=10, kernel_size=3)
        >>> print(tuple(layer(ops.ones((2, 28, 32, 3))).shape), layer.count_params())
        (2, 26, 30, 10) 280

    Reference: LeCun, Bottou, Bengio and Haffner, 1998, section II.A.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_size("filters", filters)
        check_padding(padding)
        self.filters = filters
        self.kernel_size = pair("kernel_size", kernel_size)
        self.strides = pair("strides", strides)
        self.padding = padding
        self.dilation_rate = pair("dilation_rate", dilation_rate)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)

    def build(self, images_shape):
        check_rank(images_shape)
        channels = images_shape[-1]
        if channels is None:
            raise ValueError(
                f"images of shape {tuple(images_shape)} have unknown channels; the kernel needs their number"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, images):
        settings = self.strides, self.padding, self.dilation_rate
        total = cross_correlation(images, self.kernel, *settings)  # (batch, rows, columns, filters)
        return self.activation(total if self.bias is None else total + self.bias)

    def compute_output_shape(self, images_shape):
        if self.built:
            _check_channels(images_shape, self.kernel.shape[2])
        settings = self.kernel_size, self.strides, self.padding, self.dilation_rate
        return (*map_shape(images_shape, *settings), self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }


def _check_channels(images_shape, channels):
    check_rank(images_shape)
    if None not in (images_shape[-1], channels) and images_shape[-1] != channels:
        raise ValueError(
            f"images of shape {tuple(images_shape)} have {images_shape[-1]} channels, but the kernel has {channels}; "
            "they must be equal: channels come last"
        )
