"""The pixels of a picture's file: PNG, and whatever else Pillow reads, if it is installed."""

import warnings
from pathlib import Path

from .errors import InputError, InputWarning, np, one_line, package
from .png import SIGNATURE, check_size, parse_png

# What Pillow calls a picture of so many channels: grey or coloured, alone or with how much of it is seen.
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def read_pixels(path):
    """The pixels of a picture's file, at its own size and the right way up.

    Args:
        path: str or path.

    Returns:
        uint8 or uint16 `(height, width, channels)`, from 0 to 255 or 65535; grey, grey and alpha, RGB or RGB and alpha.

    Raises:
        InputError: if it is no picture, is damaged or huge; the message says what was found and what to do.

    Warns:
        InputWarning: if it is animated, or holds several pictures.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(len(SIGNATURE))
            data = head + file.read() if head == SIGNATURE else None
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read as a picture ({one_line(error)}); give the name of a file") from error
    return _by_pillow(path, head) if data is None else parse_png(data, str(path))


def _by_pillow(path, head):
    """The pixels of a file that is no PNG, of which `head` is the beginning."""
    if not head:
        raise InputError(f"{path} cannot be read as a picture: it is empty, 0 bytes; save it again")
    try:
        pillow, operations = package("PIL.Image", "pillow"), package("PIL.ImageOps", "pillow")
    except ImportError:
        raise InputError(
            f"{path} begins with {head!r}, so it is no PNG; save it as one, or pip install pillow, which reads it"
        ) from None
    try:
        with pillow.open(path) as picture:
            check_size(*picture.size, path)
            _check_alone(picture, path)
            # Cameras write the rows as they come, and how the camera was held beside them.
            return _pixels(operations.exif_transpose(picture), path)
    except InputError:
        raise
    except Exception as error:  # Pillow raises what its many readers raise
        raise InputError(f"{path} cannot be read as a picture ({one_line(error)}); save it as PNG") from error


def _check_alone(picture, path):
    """Warns of a picture that is not the only one of its file."""
    several = getattr(picture, "n_frames", 1)
    if several > 1 and picture.format != "MPO":  # a camera's JPEG with its own previews
        warnings.warn(
            f"{path} is animated or has pages: the model reads the first of its {several} pictures alone; save the one "
            "that you mean",
            InputWarning,
            stacklevel=2,
        )


def _pixels(picture, path):
    """What Pillow's picture holds, grey of 16 bits as it is: `convert` would make white of all above 255."""
    if picture.mode.startswith("I"):
        grey = np.asarray(picture)  # (height, width)
        if grey.min() < 0 or grey.max() > 65535:
            raise InputError(f"{path} holds numbers from {grey.min()} to {grey.max()}, wanted 16 bits; save it as PNG")
        return grey.astype("uint16")[..., None]
    if picture.mode == "F":
        raise InputError(f"{path} holds floats, of which nothing says what is white; save it as PNG")
    seen = "A" in picture.getbands() or "transparency" in picture.info
    grey = picture.mode in ("1", "L", "LA")
    return np.atleast_3d(np.asarray(picture.convert(MODES[(1 if grey else 3) + seen]), "uint8"))
