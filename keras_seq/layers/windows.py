"""A window slides over a picture: where it stands, what it sees, how many places there are.

    window[y, x][i, j, c] = padded[y * stride + i, x * stride + j, c]

Pictures are `(batch, height, width, channels)`. Convolution and pooling are one operation on each window: a sum with
weights, a largest, a mean. The windows are laid out in memory, window height times window width as large as the
picture: good to read and to prove things with.

Reference: Dumoulin and Visin, 2016, "A Guide to Convolution Arithmetic for Deep Learning".
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_size


def output_size(size, kernel, stride=1, padding="valid"):
    """Height or width of the map.

        zeros on both sides     floor((size + 2 padding - kernel) / stride) + 1
        "valid", no padding     floor((size - kernel) / stride) + 1
        "same"                  ceil(size / stride)

    Args:
        size: int, height or width of the picture; None where it is not known yet.
        kernel: int, height or width of the kernel.
        stride: int, pixels from one window to the next.
        padding: "valid", "same" or int, zeros added on both sides.

    Returns:
        int, or None for a size of None.

    Raises:
        ValueError: if an argument is not as described, or the kernel is larger than the padded picture.

    Example:
        >>> output_size(28, kernel=5), output_size(28, kernel=3, stride=2, padding=1), output_size(7, 3, 2, "same")
        (24, 14, 4)

    Reference: Dumoulin and Visin, 2016, relationship 6; the letters there are i, k, s and p.
    """
    check_size("kernel", kernel)
    check_size("stride", stride)
    check_padding(padding)
    if size is None:
        return None
    check_size("size", size)
    if padding == "same":
        return -(-size // stride)
    zeros = 0 if padding == "valid" else padding
    if size + 2 * zeros < kernel:
        raise ValueError(
            f"kernel={kernel} does not fit into size={size} with padding={padding!r}; take a kernel of at most "
            f"{size + 2 * zeros} or pad more"
        )
    return (size + 2 * zeros - kernel) // stride + 1


def windows(images, size, strides=1):
    """Every window of a picture.

        windows[b, y, x, i, j, c] = images[b, y * stride + i, x * stride + j, c]

    Args:
        images: `(batch, height, width, channels)`
        size: int, or two: (height, width) of the window.
        strides: int, or two: (down, across).

    Returns:
        `(batch, rows, columns, window height, window width, channels)`

    Raises:
        ValueError: if the rank is wrong, a size is not as described, or no window fits in.

    Example:
        >>> numbers = ops.reshape(ops.arange(9), (1, 3, 3, 1))
        >>> print(ops.convert_to_numpy(windows(numbers, 2))[0, 1, 0, :, :, 0].tolist())
        [[3, 4], [6, 7]]
    """
    images = ops.convert_to_tensor(images)
    (height, width), (down, across) = pair("size", size), pair("strides", strides)
    map_shape(images.shape, (height, width), (down, across), "valid")  # refuses what does not fit
    rows = []
    for i in range(height):
        # Pixel (i, j) of all windows at once. The slice ends where the last window would hang out, which is counted
        # from the end: it needs no height or width, so that these may be unknown.
        below = slice(i, i - height + 1 or None, down)
        row = [images[:, below, slice(j, j - width + 1 or None, across)] for j in range(width)]
        rows.append(ops.stack(row, axis=3))  # (batch, rows, columns, window width, channels)
    return ops.stack(rows, axis=3)  # (batch, rows, columns, window height, window width, channels)


def pad(images, size, strides, padding, filling=0):
    """Pictures with their padding around them.

    Args:
        images: `(batch, height, width, channels)`
        size, strides: pairs of int, (height, width) and (down, across).
        padding: "valid", "same" or int, see `output_size`. "same" puts the odd pixel below and on the right.
        filling: float, what a pixel of padding holds.

    Returns:
        `(batch, padded height, padded width, channels)`

    Raises:
        ValueError: if the padding is none of these, or "same" with strides meets a `keras.KerasTensor` of unknown size.
    """
    check_padding(padding)
    if padding in ("valid", 0):
        return images
    shape = ops.shape(images)
    sides = [_sides(shape[axis], size[axis - 1], strides[axis - 1], padding) for axis in (1, 2)]
    return ops.pad(images, [(0, 0), *sides, (0, 0)], constant_values=filling)


def _sides(size, kernel, stride, padding):
    """Pixels before and after. In a graph, a size that is not known yet is a tensor, and so are they."""
    if padding != "same":
        return (padding, padding)
    if stride == 1:
        return ((kernel - 1) // 2, kernel // 2)
    if size is None:
        raise ValueError(
            'padding="same" with strides wants a height and width that are known here; use the layer, or "valid"'
        )
    # ceil(size / stride) windows reach over (ceil(size / stride) - 1) * stride + kernel pixels.
    total = -size % stride + kernel - stride
    total = max(total, 0) if isinstance(total, int) else ops.maximum(total, 0)
    return (total // 2, total - total // 2)


def map_shape(images_shape, size, strides, padding):
    """(batch, rows, columns) of the map, from the shape of the pictures."""
    check_rank(images_shape)
    sizes = [output_size(images_shape[axis + 1], size[axis], strides[axis], padding) for axis in (0, 1)]
    return (images_shape[0], *sizes)


def check_images(images):
    """The pictures as a tensor; refuses a wrong rank, and whole numbers, whose sums would overflow."""
    images = ops.convert_to_tensor(images)
    check_rank(images.shape)
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" not in dtype:
        raise ValueError(f"images are {dtype}; wanted floats: cast them, and divide pixels of 0 to 255 by 255")
    return images


def check_rank(images_shape):
    """Refuses what is not `(batch, height, width, channels)`."""
    if len(images_shape) != 4:
        raise ValueError(f"images have shape {tuple(images_shape)}; wanted (batch, height, width, channels)")


def check_padding(padding):
    """Refuses what is neither "valid" nor "same" nor a number of pixels."""
    counts = isinstance(padding, int) and not isinstance(padding, bool) and padding >= 0
    if not counts and padding not in ("valid", "same"):
        raise ValueError(f'padding={padding!r} is unknown; choose "valid", "same" or a whole number of pixels')


def pair(name, value):
    """(height, width) from one whole number or two; refuses anything else."""
    two = (value, value) if isinstance(value, int) else value
    wholes = isinstance(two, (tuple, list)) and all(isinstance(n, int) and not isinstance(n, bool) for n in two)
    if not wholes or len(two) != 2 or min(two) < 1:
        raise ValueError(f"{name}={value!r} is not a size; give a whole number of 1 or more, or two: (height, width)")
    return tuple(two)
