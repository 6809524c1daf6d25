"""Pooling: of each window of a picture the largest pixel, or the mean, channel by channel.

    max pooling        map[y, x, c] = max over i, j of window[y, x][i, j, c]
    average pooling    map[y, x, c] = mean over i, j of window[y, x][i, j, c]

Padding is never the largest and does not count in the mean.

Reference: LeCun, Bottou, Bengio and Haffner, 1998, "Gradient-Based Learning Applied to Document Recognition", section
II.B (average); Ranzato, Huang, Boureau and LeCun, 2007, "Unsupervised Learning of Invariant Feature Hierarchies with
Applications to Object Recognition" (max).
"""

import keras
from keras import ops

from keras_seq.layers.windows import check_images, check_padding, map_shape, pad, pair, windows


def max_pooling(images, pool_size=2, strides=None, padding="valid"):
    """The largest pixel of each window, channel by channel.

        map[b, y, x, c] = max over i, j of window[b, y, x][i, j, c]

    Equal to Keras's and PyTorch's, whose padding is never the largest either. Where several pixels are largest, they
    share the gradient here; Keras and PyTorch give all of it to one.

    Args:
        images: float `(batch, height, width, channels)`
        pool_size: int, or two: (height, width) of the window.
        strides: int, or two: (down, across); None for `pool_size`: windows side by side.
        padding: "valid", "same", or int, pixels of padding on every side, less than `pool_size`.

    Returns:
        `(batch, rows, columns, channels)`, see `output_size`.

    Raises:
        ValueError: if the rank or dtype is wrong, a window does not fit in, or lies in the padding alone.

    Example:
        >>> images = ops.reshape(ops.arange(16, dtype="float32"), (1, 4, 4, 1))
        >>> print(ops.convert_to_numpy(max_pooling(images))[0, :, :, 0].tolist())
        [[5.0, 7.0], [13.0, 15.0]]

    Reference: Ranzato, Huang, Boureau and LeCun, 2007.
    """
    return ops.max(_pool_windows(check_images(images), pool_size, strides, padding, filling=float("-inf")), axis=(3, 4))


def average_pooling(images, pool_size=2, strides=None, padding="valid"):
    """The mean of each window, channel by channel, over its pixels that are not padding.

        map[b, y, x, c] = mean over i, j of window[b, y, x][i, j, c]

    Equal to Keras's; PyTorch's counts the padding as zeros unless it is told `count_include_pad=False`.

    Args:
        images, pool_size, strides, padding: as for `max_pooling`.

    Returns:
        `(batch, rows, columns, channels)`, see `output_size`.

    Raises:
        ValueError: if the rank or dtype is wrong, a window does not fit in, or lies in the padding alone.

    Example:
        >>> images = ops.reshape(ops.arange(16, dtype="float32"), (1, 4, 4, 1))
        >>> print(ops.convert_to_numpy(average_pooling(images))[0, :, :, 0].tolist())
        [[2.5, 4.5], [10.5, 12.5]]

    Reference: LeCun, Bottou, Bengio and Haffner, 1998, section II.B, where it has a learned scale and bias.
    """
    images = check_images(images)
    pixels = _pool_windows(images, pool_size, strides, padding, filling=0)
    real = _pool_windows(ops.ones_like(images[:1, :, :, :1]), pool_size, strides, padding, filling=0)
    share = real / ops.sum(real, axis=(3, 4), keepdims=True)  # (1, rows, columns, window height, window width, 1)
    return ops.sum(pixels * share, axis=(3, 4))  # shares first: a sum of float16 pixels may be too large for it


class _Pooling2D(keras.layers.Layer):
    """What both pooling layers share: their arguments and the shape of the map."""

    def __init__(self, pool_size=2, strides=None, padding="valid", **kwargs):
        super().__init__(**kwargs)
        self.pool_size = pair("pool_size", pool_size)
        self.strides = self.pool_size if strides is None else pair("strides", strides)
        _check_pool_padding(padding, self.pool_size)
        self.padding = padding

    def compute_output_shape(self, images_shape):
        return (*map_shape(images_shape, self.pool_size, self.strides, self.padding), images_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
        }


@keras.saving.register_keras_serializable("keras_seq")
class MaxPooling2D(_Pooling2D):
    """The largest pixel of each window, see `max_pooling`; equal to Keras's layer of the same name.

    Args:
        pool_size, strides, padding: as for `max_pooling`.

    Call arguments:
        images: float `(batch, height, width, channels)`; all may be None.

    Returns:
        `(batch, rows, columns, channels)`

    Raises:
        ValueError: if an argument is not as described, the rank or dtype is wrong, or a window does not fit in.

    Example:
        >>> tuple(MaxPooling2D(2)(ops.ones((2, 4, 6, 3))).shape)
        (2, 2, 3, 3)

    Reference: Ranzato, Huang, Boureau and LeCun, 2007.
    """

    def call(self, images):
        return max_pooling(images, self.pool_size, self.strides, self.padding)


@keras.saving.register_keras_serializable("keras_seq")
class AveragePooling2D(_Pooling2D):
    """The mean of each window, see `average_pooling`; equal to Keras's layer of the same name.

    Args:
        pool_size, strides, padding: as for `average_pooling`.

    Call arguments:
        images: float `(batch, height, width, channels)`; all may be None.

    Returns:
        `(batch, rows, columns, channels)`

    Raises:
        ValueError: if an argument is not as described, the rank or dtype is wrong, or a window does not fit in.

    Example:
        >>> tuple(AveragePooling2D((2, 3))(ops.ones((2, 4, 6, 3))).shape)
        (2, 2, 2, 3)

    Reference: LeCun, Bottou, Bengio and Haffner, 1998, section II.B, where it has a learned scale and bias.
    """

    def call(self, images):
        return average_pooling(images, self.pool_size, self.strides, self.padding)


def _pool_windows(images, pool_size, strides, padding, filling):
    size = pair("pool_size", pool_size)
    strides = size if strides is None else pair("strides", strides)
    _check_pool_padding(padding, size)
    return windows(pad(images, size, strides, padding, filling), size, strides)


def _check_pool_padding(padding, pool_size):
    check_padding(padding)
    if isinstance(padding, int) and padding >= min(pool_size):
        raise ValueError(
            f"padding={padding} makes windows of pool_size={pool_size} that see padding alone; give at most "
            f"{min(pool_size) - 1}"
        )
