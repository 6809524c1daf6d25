"""What lies behind the things in a picture: what is transparent, and whether it is dark or light.

A model that was trained on light things on a dark ground takes the ground of a scan for one large thing. So here a
picture of the other kind is inverted, as people who draw on paper expect.
"""

import warnings

from .errors import InputError, InputWarning, np
from .scaling import scaled

# How much each colour adds to a grey (ITU-R BT.601).
_GREY = (0.299, 0.587, 0.114)
# From here on a corner is light; below it nothing is to be seen. Shares of white.
_LIGHT, _SEEN = 127 / 255, 32 / 255
# A picture so many times wider or higher than wanted leaves most of what the model reads empty.
_LONG = 2


def parted(pixels):
    """Colours `(height, width, 1 or 3)` of `(height, width, 1 to 4)`, and how much of each is seen, or None for all."""
    if pixels.shape[2] in (1, 3):
        return pixels, None
    return pixels[..., :-1], pixels[..., -1:]


def composed(colours, alpha, ground):
    """Colours on a ground, a float that all channels have."""
    return colours if alpha is None else colours * alpha + ground * (1 - alpha)


def grey(colours):
    """Floats `(height, width, 1)` of colours `(height, width, 1 or 3)`."""
    return colours if colours.shape[2] == 1 else (colours @ np.asarray(_GREY, "float32"))[..., None]


def light_on_dark(pixels, name):
    """A picture of light things on a dark ground, whichever way it was drawn.

    What is transparent counts as ground. The ground is light where the corners are, the median of the four; or where
    nothing is seen on black, as of black lines on nothing.

    Args:
        pixels: float `(height, width, 1 to 4)` from 0 to 1.
        name: how messages call it.

    Returns:
        float `(height, width, 1 or 3)`

    Warns:
        InputWarning: if it is inverted.
    """
    colours, alpha = parted(pixels)
    dark = composed(colours, alpha, 0)
    corners = grey(dark[[0, 0, -1, -1], [0, -1, 0, -1]][None])
    hidden = alpha is not None and dark.max() < _SEEN and alpha.min() < 1
    if np.median(corners) > _LIGHT or hidden:
        dark = 1 - composed(colours, alpha, 1)
        if dark.max() >= _SEEN:
            warnings.warn(
                f"{name} is dark on light, the model reads light on dark: it is inverted", InputWarning, stacklevel=2
            )
    return dark


def check_seen(picture, name):
    """Refuses a picture, floats from 0 to 1, of which all is ground.

    Raises:
        InputError: if it shows nothing.
    """
    if picture.max() < _SEEN:
        raise InputError(
            f"{name} shows nothing: the lightest pixel that the model would read is {255 * picture.max():.0f} of 255, "
            f"wanted {255 * _SEEN:.0f} or more; give a picture with something in it"
        )


def fitted(picture, height, width, name):
    """A picture scaled to a size without stretching it, in the middle of black.

    Args:
        picture: float `(height, width, channels)`
        height, width: int, of the new one.
        name: how messages call it.

    Returns:
        float32 `(height, width, channels)`

    Raises:
        InputError: if it is more than twice as wide or high as the new one, scaled to the other side.
    """
    high, wide = picture.shape[:2]
    ratio = wide * height / (high * width)
    if not 1 / _LONG <= ratio <= _LONG:
        raise InputError(
            f"{name} is {wide} x {high} pixels, the model reads {width} x {height}: most of that would be empty; cut "
            "out what you mean"
        )
    inner = max(1, round(height * min(1, 1 / ratio))), max(1, round(width * min(1, ratio)))
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    found = np.zeros((height, width, picture.shape[2]), "float32")
    found[top : top + inner[0], left : left + inner[1]] = scaled(picture, *inner)
    return found
