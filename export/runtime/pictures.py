"""Pictures as a model reads them: PNG files, and others where Pillow is installed."""

import warnings

from .errors import InputError, InputWarning, np
from .ground import check_seen, composed, fitted, grey, light_on_dark, parted
from .picture_files import MODES, read_pixels
from .scaling import scaled

# A picture that has to be made so many times larger has too little to see.
_ENLARGED = 4
# One that has to be made so many times narrower or flatter looks like something else.
_STRETCHED = 1.5


def read_picture(given, height, width, channels, ground=None):
    """One picture as float32 in [0, 1].

    Args:
        given: str or path of a PNG file, or of another that Pillow reads, if it is installed: it is scaled to the size,
            what is transparent in it on white unless the model reads that too (2 or 4 channels); or an array `(height,
            width)` or `(height, width, channels)`, uint8 from 0 to 255 or float from 0 to 1.
        height, width, channels: int, what the model reads.
        ground: "dark" where it reads light things on a dark ground: what is transparent in a file is then on black,
            what is dark on light is inverted, and rather than stretched it is put in the middle of black. None takes
            colours as they are.

    Returns:
        float32 `(height, width, channels)`

    Raises:
        InputError: if it is none of these, or with a ground shows nothing or is long and narrow; the message says why.

    Warns:
        InputWarning: if it is animated, inverted, stretched, or far smaller than what the model reads.
    """
    if not isinstance(given, np.ndarray):
        return _read_file(given, height, width, channels, ground)
    array = given[..., None] if given.ndim == 2 else given  # (height, width, channels)
    if array.shape[:2] == (height, width) and array.ndim == 3 and array.shape[2] != channels:
        raise InputError(
            f"the picture has {array.shape[2]} channels, the model reads {channels}; convert it first, as Pillow does "
            f"with Image.convert({MODES.get(channels, '...')!r})"
        )
    if array.shape != (height, width, channels):
        raise InputError(
            f"the picture is {list(array.shape)}, the model reads {[height, width, channels]}; scale it first"
        )
    if array.dtype == np.uint8:
        return array.astype("float32") / 255
    if array.dtype.kind != "f" or not (array.min() >= 0 and array.max() <= 1):
        raise InputError(f"the picture holds {array.dtype}, wanted uint8 from 0 to 255 or floats from 0 to 1")
    return array.astype("float32")


def told(given):
    """How results call a picture."""
    return str(given) if not isinstance(given, np.ndarray) else f"array {list(given.shape)}"


def _read_file(path, height, width, channels, ground):
    if channels not in MODES:
        raise InputError(f"the model reads {channels} channels, which no file of a picture has; give an array")
    colours = _shares(read_pixels(path), channels)
    high, wide = colours.shape[:2]
    for doubt in _doubts(high, wide, height, width, ground):
        warnings.warn(f"{path} is {wide} x {high} pixels, {doubt}", InputWarning, stacklevel=3)
    if ground is None:
        return np.clip(scaled(_with_channels(colours, channels), height, width), 0, 1)
    shown = _with_channels(light_on_dark(colours, path), channels)
    shown = np.clip(fitted(shown, height, width, path), 0, 1)
    check_seen(shown, path)
    return shown


def _shares(pixels, channels):
    """Floats from 0 to 1; of colours only the grey where the model reads no more, which is a third of the memory."""
    full, colours = np.iinfo(pixels.dtype).max, pixels.astype("float32")
    colours /= full
    if channels >= 3 or colours.shape[2] < 3:
        return colours
    colours, alpha = parted(colours)
    return grey(colours) if alpha is None else np.concatenate([grey(colours), alpha], axis=2)


def _doubts(high, wide, height, width, ground):
    """What a person would be told of a picture of that size."""
    if height > _ENLARGED * high or width > _ENLARGED * wide:
        yield f"the model reads {width} x {height}: there is little to see in it; give a larger one"
    ratio = wide * height / (high * width)
    if ground is None and max(ratio, 1 / ratio) > _STRETCHED:
        longer = "narrower" if ratio > 1 else "flatter"
        yield (
            f"the model reads {width} x {height}: what is in it becomes {max(ratio, 1 / ratio):.1f} times {longer}; "
            "cut out what you mean"
        )


def _with_channels(pixels, channels):
    """Floats `(height, width, 1 to 4)`, grey where the model reads that, with as many channels as it reads."""
    colours, alpha = parted(pixels)
    if channels in (1, 3):
        colours = composed(colours, alpha, 1)  # on white
    if channels >= 3 and colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    if channels in (1, 3):
        return colours
    return np.concatenate([colours, np.ones_like(colours[..., :1]) if alpha is None else alpha], axis=2)
