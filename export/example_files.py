"""An example of what a bundle reads, as a file that people can open: the first of its samples.

Texts are in samples.json as they are; a recording becomes `example.wav`, a picture `example.png`.
"""

import struct
import wave
import zlib
from pathlib import Path

from export.sources import key_of, unpacked


def write_example(folder, sample, rate=None):
    """Writes the example of a sample whose source is no text.

    Args:
        folder: path of the bundle.
        sample: dict, an entry of samples.json.
        rate: int, samples a second, of audio.
    """
    key = key_of(sample)
    if key == "source_samples":
        with wave.open(str(Path(folder, "example.wav")), "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            file.writeframes(unpacked(sample[key]).astype("<i2").tobytes())
    elif key == "source_pixels":
        Path(folder, "example.png").write_bytes(png_of(unpacked(sample[key])))


def png_of(pixels):
    """A PNG file, without any filter.

    Args:
        pixels: uint8 `(height, width, channels)`, 1 to 4 of them: grey, grey and alpha, RGB, RGB and alpha.

    Returns:
        bytes.
    """
    height, width, channels = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + letters + body + struct.pack(">I", zlib.crc32(letters + body))
        for letters, body in chunks
    )
