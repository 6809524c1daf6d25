"""Pictures as a model reads them: PNG files, and others where Pillow is installed."""

import warnings
from pathlib import Path

from .errors import InputError, InputWarning, np, one_line, package
from .png import SIGNATURE, parse_png

# What Pillow calls a picture of so many channels: grey or coloured, alone or with how much of it is seen.
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
# How much each colour adds to a grey (ITU-R BT.601).
_GREY = (0.299, 0.587, 0.114)
# A picture that has to be made so many times larger has too little to see.
_ENLARGED = 4


def read_picture(given, height, width, channels):
    """One picture as float32 in [0, 1].

    Args:
        given: str or path of a PNG file, or of another that Pillow reads, if it is installed: it is scaled to the size,
            what is transparent in it on white unless the model reads that too (2 or 4 channels); or an array `(height,
            width)` or `(height, width, channels)`, uint8 from 0 to 255 or float from 0 to 1.
        height, width, channels: int, what the model reads.

    Returns:
        float32 `(height, width, channels)`

    Raises:
        InputError: if it is none of these; the message says why.

    Warns:
        InputWarning: if it is animated, or far smaller than what the model reads.
    """
    if not isinstance(given, np.ndarray):
        return _read_file(given, height, width, channels)
    array = given[..., None] if given.ndim == 2 else given  # (height, width, channels)
    if array.shape[:2] == (height, width) and array.ndim == 3 and array.shape[2] != channels:
        raise InputError(
            f"the picture has {array.shape[2]} channels, the model reads {channels}; convert it first, as Pillow does "
            f"with Image.convert({_MODES.get(channels, '...')!r})"
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


def _read_file(path, height, width, channels):
    if channels not in _MODES:
        raise InputError(f"the model reads {channels} channels, which no file of a picture has; give an array")
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read as a picture ({one_line(error)}); give the name of a file") from error
    pixels = parse_png(data, str(path)) if data.startswith(SIGNATURE) else _by_pillow(path, data)
    if height > _ENLARGED * pixels.shape[0] or width > _ENLARGED * pixels.shape[1]:
        warnings.warn(
            f"{path} is {pixels.shape[1]} x {pixels.shape[0]} pixels, the model reads {width} x {height}: there is "
            "little to see in it; give a larger one",
            InputWarning,
            stacklevel=3,
        )
    colours = pixels.astype("float32") / np.iinfo(pixels.dtype).max
    return np.clip(scaled(_with_channels(colours, channels), height, width), 0, 1)


def _by_pillow(path, data):
    """The pixels of a file that is no PNG."""
    if not data:
        raise InputError(f"{path} cannot be read as a picture: it is empty, 0 bytes; save it again")
    try:
        pillow = package("PIL.Image", "pillow")
    except ImportError:
        raise InputError(
            f"{path} begins with {data[:8]!r}, so it is no PNG; save it as one, or pip install pillow, which reads it"
        ) from None
    try:
        with pillow.open(path) as picture:
            seen = "A" in picture.getbands() or "transparency" in picture.info
            grey = picture.mode in ("1", "L", "LA")
            return np.atleast_3d(np.asarray(picture.convert(_MODES[(1 if grey else 3) + seen]), "uint8"))
    except Exception as error:  # Pillow raises what its many readers raise
        raise InputError(f"{path} cannot be read as a picture ({one_line(error)}); save it as PNG") from error


def _with_channels(colours, channels):
    """Floats `(height, width, 1 to 4)` with as many channels as the model reads."""
    alpha = colours[..., -1:] if colours.shape[2] in (2, 4) else np.ones_like(colours[..., :1])
    colours = colours[..., : colours.shape[2] - (colours.shape[2] in (2, 4))]
    if channels in (1, 3):
        colours = colours * alpha + (1 - alpha)  # on white
    if channels < 3 and colours.shape[2] == 3:
        colours = (colours @ np.asarray(_GREY, "float32"))[..., None]
    if channels >= 3 and colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    return colours if channels in (1, 3) else np.concatenate([colours, alpha], axis=2)


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
