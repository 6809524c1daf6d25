"""A window slides over a picture: where it stands, what it sees, how many places there are.

    window[y, x][i, j, c] = padded[y * stride + i * dilation, x * stride + j * dilation, c]

Pictures are `(batch, height, width, channels)`. Convolution and pooling are one operation on each window: a sum with
weights, a largest, a mean. The windows are laid out in memory, window height times window width as large as the
picture: good to read and to prove things with.

Reference: Dumoulin and Visin, 2016, "A Guide to Convolution Arithmetic for Deep Learning".
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_size


def output_size(size, kernel, stride=1, padding="valid", dilation=1):
    """Height or width of the map.

        reach                   dilation (kernel - 1) + 1, which is the kernel's size if it looks at every pixel
        zeros on both sides     floor((size + 2 padding - reach) / stride) + 1
        "valid", no padding     floor((size - reach) / stride) + 1
        "same"                  ceil(size / stride)

    Args:
        size: int, height or width of the picture; None where it is not known yet.
        kernel: int, height or width of the kernel.
        stride: int, pixels from one window to the next.
        padding: "valid", "same" or int, zeros added on both sides.
        dilation: int, pixels from one number of the kernel to the next.

    Returns:
        int, or None for a size of None.

    Raises:
        ValueError: if an argument is not as described, or the kernel reaches out of the padded picture.

    Example:
        >>> output_size(28, kernel=5), output_size(28, kernel=3, stride=2, padding=1), output_size(7, 3, 2, "same")
        (24, 14, 4)
        >>> output_size(28, kernel=3, dilation=4)
        20

    Reference: Dumoulin and Visin, 2016, relationships 6 and 15; the letters there are i, k, s, p and d.
    """
    check_size("kernel", kernel)
    check_size("stride", stride)
    check_size("dilation", dilation)
    check_padding(padding)
    if size is None:
        return None
    check_size("size", size)
    if padding == "same":
        return -(-size // stride)
    zeros, reach = 0 if padding == "valid" else padding, reach_of(kernel, dilation)
    if size + 2 * zeros < reach:
        spread = f" with dilation={dilation} reaches over {reach} pixels and" if dilation > 1 else ""
        raise ValueError(
            f"kernel={kernel}{spread} does not fit into size={size} with padding={padding!r}; take a kernel of at most "
            f"{(size + 2 * zeros - 1) // dilation + 1} or pad more"
        )
    return (size + 2 * zeros - reach) // stride + 1


def reach_of(kernel, dilation):
    """Pixels from the first to the last that a kernel of this height or width looks at."""
    return dilation * (kernel - 1) + 1


def windows(images, size, strides=1, dilation=1):
    """Every window of a picture.

        windows[b, y, x, i, j, c] = images[b, y * stride + i * dilation, x * stride + j * dilation, c]

    Args:
        images: `(batch, height, width, channels)`
        size: int, or two: (height, width) of the window, counted in the pixels that it looks at.
        strides: int, or two: (down, across), from one window to the next.
        dilation: int, or two: (down, across), from one pixel of a window to the next.

    Returns:
        `(batch, rows, columns, window height, window width, channels)`

    Raises:
        ValueError: if the rank is wrong, a size is not as described, or no window fits in.

    Example:
        >>> numbers = ops.reshape(ops.arange(9), (1, 3, 3, 1))
        >>> print(ops.convert_to_numpy(windows(numbers, 2))[0, 1, 0, :, :, 0].tolist())
        [[3, 4], [6, 7]]

    Reference: Dumoulin and Visin, 2016, figures 2.1 to 2.7 and, for the dilation, 5.1.
    """
    images = ops.convert_to_tensor(images)
    (height, width), (down, across) = pair("size", size), pair("strides", strides)
    wide = pair("dilation", dilation)
    map_shape(images.shape, (height, width), (down, across), "valid", wide)  # refuses what does not fit
    rows = []
    for i in range(height):
        # Pixel (i, j) of all windows at once. The slice ends where the last window would hang out, which is counted
        # from the end: it needs no height or width, so that these may be unknown.
        below = slice(wide[0] * i, wide[0] * (i - height + 1) or None, down)
        row = [images[:, below, slice(wide[1] * j, wide[1] * (j - width + 1) or None, across)] for j in range(width)]
        rows.append(ops.stack(row, axis=3))  # (batch, rows, columns, window width, channels)
    return ops.stack(rows, axis=3)  # (batch, rows, columns, window height, window width, channels)


def pad(images, reach, strides, padding, filling=0):
    """Pictures with their padding around them.

    Args:
        images: `(batch, height, width, channels)`
        reach, strides: pairs of int, (height, width) of what a window covers, and (down, across).
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
    sides = [_sides(shape[axis], reach[axis - 1], strides[axis - 1], padding) for axis in (1, 2)]
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


def map_shape(images_shape, size, strides, padding, dilation=(1, 1)):
    """(batch, rows, columns) of the map, from the shape of the pictures."""
    check_rank(images_shape)
    settings = zip(images_shape[1:3], size, strides, (padding, padding), dilation, strict=True)
    return (images_shape[0], *(output_size(*setting) for setting in settings))


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
