"""PNG files: chunks, of which the inflated `IDAT`s are rows of pixels, each told apart from its neighbours.

Read are grey, coloured and palette pictures of 1, 2, 4, 8 and 16 bits, with transparency and without; not interlaced
ones. Of an animated one (APNG) this is the first picture.

Reference: W3C, 2003, "Portable Network Graphics (PNG) Specification (Second Edition)".
"""

import warnings
import zlib

from .errors import InputError, InputWarning, np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGB_ALPHA: 4}
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), _RGB: (8, 16), _PALETTE: (1, 2, 4, 8), _GREY_ALPHA: (8, 16), _RGB_ALPHA: (8, 16)}
# A file of a few bytes may claim any size: more pixels than a camera's are not unpacked.
_MOST_PIXELS = 2**25
_ANEW = "save it again as a PNG that is not interlaced"


def parse_png(data, name="the picture"):
    """The pixels of a PNG file.

    Args:
        data: bytes of the file.
        name: str, how errors call it.

    Returns:
        uint8 or uint16 `(height, width, channels)`, from 0 to 255 or 65535; grey, grey and alpha, RGB or RGB and alpha.

    Raises:
        InputError: if it is damaged, interlaced or huge; the message says what was found and what to do.

    Warns:
        InputWarning: if it is animated.
    """
    chunks = _chunks(data, name)
    width, height, depth, kind = _header(chunks, name)
    try:
        unpacker, size = zlib.decompressobj(), _row_bytes(width, depth, kind)
        raw = unpacker.decompress(b"".join(chunks.get(b"IDAT", ())), height * (size + 1))
    except zlib.error as error:
        raise InputError(f"{name} is damaged: its pixels cannot be unpacked ({error}); copy it again") from error
    if len(raw) != height * (size + 1):
        raise InputError(
            f"{name} is cut off: {len(raw)} bytes of pixels are there, {height * (size + 1)} are wanted for {width} x "
            f"{height}; copy it again"
        )
    rows = np.frombuffer(raw, "uint8").reshape(height, size + 1)  # the first byte says how the row is written
    if rows[:, 0].max(initial=0) > 4:
        raise InputError(f"{name} is damaged: a row is written by filter {rows[:, 0].max()}; wanted 0 to 4; {_ANEW}")
    step = max(1, _CHANNELS[kind] * depth // 8)  # bytes from a pixel to the next
    pixels = _numbers(_unfiltered(rows[:, 1:], rows[:, 0], step), width, depth, _CHANNELS[kind])
    if b"acTL" in chunks:
        warnings.warn(
            f"{name} is animated: the model reads its first picture alone; save the one that you mean",
            InputWarning,
            stacklevel=2,
        )
    return _coloured(pixels, depth, kind, chunks, name)


def _chunks(data, name):
    """The chunks by their four letters, a list of each."""
    chunks, place = {}, len(SIGNATURE)
    while place + 12 <= len(data) and b"IEND" not in chunks:
        size, letters = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        body, check = data[place + 8 : place + 8 + size], data[place + 8 + size : place + 12 + size]
        if len(check) == 4 and zlib.crc32(letters + body) != int.from_bytes(check, "big"):
            raise InputError(f"{name} is damaged: the checksum of its chunk {letters!r} is wrong; copy it again")
        if len(check) < 4:
            break
        chunks.setdefault(letters, []).append(body)
        place += 12 + size
    if b"IEND" not in chunks:
        raise InputError(f"{name} is cut off: {len(data)} bytes, and no end (IEND) among them; copy it again")
    return chunks


def _header(chunks, name):
    """Width, height, bits of a number, and kind of colours."""
    header = chunks.get(b"IHDR", [b""])[0]
    if len(header) != 13:
        raise InputError(f"{name} has no whole header (IHDR); {_ANEW}")
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    depth, kind, _, _, interlaced = header[8:]
    if not width or not height or depth not in _DEPTHS.get(kind, ()):
        raise InputError(
            f"{name} says {width} x {height} pixels of {depth} bits, colours of kind {kind}, which no PNG has; {_ANEW}"
        )
    check_size(width, height, name)
    if interlaced:
        raise InputError(f"{name} is interlaced (Adam7), which is not read; {_ANEW}")
    return width, height, depth, kind


def check_size(width, height, name):
    """Refuses pictures that are better not unpacked; of whatever kind of file.

    Raises:
        InputError: if it has too many pixels.
    """
    if width * height > _MOST_PIXELS:
        raise InputError(
            f"{name} is {width} x {height} pixels, wanted at most {_MOST_PIXELS} in all; scale it down first"
        )


def _row_bytes(width, depth, kind):
    return -(-width * depth * _CHANNELS[kind] // 8)


def _unfiltered(rows, filters, step):
    """The bytes of all rows, uint8 `(height, bytes)`; `step` is how many make a pixel.

    A byte is written as its difference from what is left of it, above it, or both. So pixels are taken along a slanting
    line, from the lower left to the upper right: all that they differ from lies on the two lines before.
    """
    height, width = len(rows), rows.shape[1] // step
    if not filters.any():
        return rows
    out = np.zeros((height + 1, width + 1, step), "uint8")  # with a row above and a pixel on the left that are 0
    written = rows.reshape(height, width, step)
    for line in range(width + height - 1):
        row = np.arange(max(0, line - width + 1), min(height, line + 1))
        place = line - row
        near = out[row + 1, place], out[row, place + 1], out[row, place]  # (pixels, step)
        left, up, corner = (one.astype("int16") for one in near)
        towards = left + up - corner
        away = [np.abs(towards - one) for one in (left, up, corner)]
        nearest = np.where((away[0] <= away[1]) & (away[0] <= away[2]), left, np.where(away[1] <= away[2], up, corner))
        chosen = np.stack([np.zeros_like(left), left, up, (left + up) >> 1, nearest])  # by the number of the filter
        guess = chosen[filters[row], np.arange(len(row))]
        out[row + 1, place + 1] = (written[row, place] + guess) & 255
    return out[1:, 1:].reshape(height, -1)


def _numbers(rows, width, depth, channels):
    """Bytes `(height, bytes)` as numbers `(height, width, channels)`."""
    if depth == 16:
        return np.ascontiguousarray(rows).view(">u2").astype("uint16").reshape(len(rows), width, channels)
    if depth == 8:
        return rows.reshape(len(rows), width, channels)
    bits = np.unpackbits(rows, axis=1)[:, : width * depth].reshape(len(rows), width, depth)
    return (bits @ (1 << np.arange(depth)[::-1])).astype("uint8")[..., None]


def _coloured(pixels, depth, kind, chunks, name):
    """Numbers as colours: those of a palette looked up, and the one that is transparent given an alpha of 0."""
    transparent = chunks.get(b"tRNS", [None])[0]
    if kind == _PALETTE:
        palette = np.frombuffer(chunks.get(b"PLTE", [b""])[0], "uint8")
        if len(palette) % 3 or pixels.max() >= len(palette) // 3:
            raise InputError(
                f"{name} is damaged: its palette (PLTE) has {len(palette)} bytes and a pixel the number "
                f"{pixels.max()}; {_ANEW}"
            )
        colours = palette.reshape(-1, 3)
        if transparent is not None:
            alpha = np.full((len(colours), 1), 255, "uint8")
            alpha[: len(transparent), 0] = np.frombuffer(transparent, "uint8")[: len(colours)]
            colours = np.concatenate([colours, alpha], axis=1)
        return colours[pixels[..., 0]]
    full = 65535 if depth == 16 else 255
    alpha = None
    if transparent is not None and kind in (_GREY, _RGB) and len(transparent) == 2 * pixels.shape[2]:
        hidden = (pixels == np.frombuffer(transparent, ">u2")).all(axis=2, keepdims=True)
        alpha = np.where(hidden, 0, full).astype(pixels.dtype)
    if depth < 8:
        pixels = (pixels * (255 // (2**depth - 1))).astype("uint8")
    return pixels if alpha is None else np.concatenate([pixels, alpha.astype(pixels.dtype)], axis=2)
