"""Pictures as a model reads them."""

from .errors import InputError, np, one_line, package

# What Pillow calls a picture of so many channels: grey or coloured, alone or with how much of it is seen.
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def read_picture(given, height, width, channels):
    """One picture as float32 in [0, 1].

    Args:
        given: str or path of a file, which Pillow reads and which is scaled to the size, what is transparent in it on
            white unless the model reads that too (2 or 4 channels); or an array `(height, width)` or
            `(height, width, channels)`, uint8 from 0 to 255 or float from 0 to 1.
        height, width, channels: int, what the model reads.

    Returns:
        float32 `(height, width, channels)`

    Raises:
        InputError: if it is none of these; the message says why.
        ImportError: if a file is given and Pillow is not installed.
    """
    array = given if isinstance(given, np.ndarray) else _read_file(given, height, width, channels)
    if array.ndim == 2:
        array = array[..., None]  # (height, width, 1)
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


def _read_file(path, height, width, channels):
    pillow = package("PIL.Image", "pillow")
    if channels not in _MODES:
        raise InputError(f"the model reads {channels} channels, which no file of a picture has; give an array")
    try:
        with pillow.open(path) as picture:
            picture.load()
            if channels in (1, 3) and ("A" in picture.getbands() or "transparency" in picture.info):
                picture = picture.convert("RGBA")
                picture = pillow.alpha_composite(pillow.new("RGBA", picture.size, "white"), picture)
            scaled = picture.convert(_MODES[channels]).resize((width, height))
    except Exception as error:  # Pillow raises what its many readers raise
        raise InputError(f"{path} cannot be read as a picture ({one_line(error)})") from error
    return np.asarray(scaled, "uint8")
