"""A picture of another size."""

from .errors import np


def scaled(picture, height, width):
    """A picture of another size, each side by itself, whatever its shape was.

    Each new pixel is a mean of the old ones around it, weighted by a cubic that is as wide as the new pixels where the
    picture shrinks, so that fine patterns do not turn into coarse ones: Pillow's `BICUBIC`, without its rounding.

    Args:
        picture: float `(height, width, channels)`
        height, width: int, of the new one.

    Returns:
        float32 `(height, width, channels)`

    Reference: Keys, 1981, "Cubic Convolution Interpolation for Digital Image Processing", with a = -1/2.
    """
    if picture.shape[:2] == (height, width):
        return picture.astype("float32")
    rows, columns = _weights(picture.shape[0], height), _weights(picture.shape[1], width)
    return np.einsum("yh,hwc,xw->yxc", rows, picture, columns, optimize=True).astype("float32")


def _weights(size, wanted):
    """How much of each old pixel goes into each new one, `(wanted, size)`; rows add up to 1."""
    step = size / wanted
    centre = (np.arange(wanted) + 0.5) * step
    t = np.abs(centre[:, None] - (np.arange(size) + 0.5)) / max(step, 1.0)
    weights = np.where(t < 1, (1.5 * t - 2.5) * t**2 + 1, np.where(t < 2, ((2.5 - 0.5 * t) * t - 4) * t + 2, 0.0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")
