"""WAV files: the chunks of a RIFF file, of which `fmt ` says what the numbers in `data` are.

Read are whole numbers of 8 bits (unsigned), 16, 24 and 32, and floats of 32 and 64, of one channel or more, which is
what recorders and editors write. Python's own `wave` reads neither floats nor, before 3.12, the extensible form.

with open("seven.wav", "rb") as file:
    form = read_form(file)          # how long it is is known before a sample is read
    samples = read_samples(file, form)
"""

import dataclasses
import io
import struct

from .errors import InputError, np

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_NAMES = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x50: "MPEG", 0x55: "MP3"}
# How other files begin that people take for audio of this kind.
_OTHERS = {b"ID3": "MP3", b"\xff\xfb": "MP3", b"OggS": "Ogg", b"fLaC": "FLAC", b"FORM": "AIFF", b"RF64": "RF64"}
_OTHERS |= {b"RIFX": "a big-endian WAV file", b"\x1aE\xdf\xa3": "WebM", b".snd": "AU"}
# What writers leave as the size of a chunk whose end they did not know when they began; some leave 0.
_UNKNOWN = (0xFFFFFFFF, 0x7FFFFFFF)
# Slower and faster than anything that records sound.
_RATES = range(1000, 1_000_000)
_CONVERT = "convert it, as with ffmpeg -i FILE -acodec pcm_s16le FILE.wav"


@dataclasses.dataclass(frozen=True)
class Form:
    """What a WAV file says of its samples.

    Args:
        rate: int, samples a second.
        channels: int.
        frames: int, samples of each channel.
        kind: pair of int, the format's code and the bits of a number.
        place: int, the byte of the file where they begin.
    """

    rate: int
    channels: int
    frames: int
    kind: tuple
    place: int

    @property
    def top(self):
        """float, the largest number that the format holds, as a share of full scale: whole ones reach -1, but not 1."""
        return 1.0 if self.kind[0] == _FLOAT else 1 - 2.0 ** (1 - self.kind[1])


def read_form(file, name="the recording"):
    """What a WAV file says of its samples, without reading them.

    Args:
        file: binary file that can seek.
        name: str, how errors call it.

    Returns:
        `Form`

    Raises:
        InputError: if it is no whole WAV file, or holds what is not read; the message says what it is and what to do.

    Reference: Microsoft and IBM, 1991, "Multimedia Programming Interface and Data Specifications 1.0", chapter 3.
    """
    head = file.read(12)
    if not head:
        raise InputError(f"{name} is empty, 0 bytes; record it again")
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        kind = next((kind for begin, kind in _OTHERS.items() if head.startswith(begin)), None)
        what = f"is {kind}" if kind else f"begins with {head!r}"
        raise InputError(f"{name} {what}, wanted a WAV file (RIFF....WAVE); {_CONVERT}")
    chunks = _chunks(file, name)
    place, size = chunks.get(b"fmt ", (0, 0))
    if size < 16:
        raise InputError(f"{name} has no whole 'fmt ' chunk, which says what its numbers are; {_CONVERT}")
    file.seek(place)
    kind, channels, rate, align = _read_fmt(file.read(min(size, 26)), name)
    if b"data" not in chunks:
        raise InputError(f"{name} has no 'data' chunk, so no samples; record it again, or {_CONVERT}")
    place, size = chunks[b"data"]
    return Form(rate, channels, size // align, kind, place)


def read_samples(file, form):
    """The samples of a WAV file.

    Args:
        file: binary file that can seek.
        form: `Form` of the file.

    Returns:
        float32 `(frames, channels)`, whole numbers as shares of full scale.
    """
    file.seek(form.place)
    raw = file.read(form.frames * form.channels * form.kind[1] // 8)
    return _READERS[form.kind](raw).reshape(-1, form.channels)


def seekable(file):
    """The file, or what is in it where it is a pipe, which cannot seek."""
    return file if file.seekable() else io.BytesIO(file.read())


def _read_fmt(raw, name):
    """The kind of a `fmt ` chunk's numbers, how many channels, the rate, and how many bytes all channels take."""
    code, channels, rate, _, align, bits = struct.unpack("<HHIIHH", raw[:16])
    if code == _EXTENSIBLE and len(raw) >= 26:
        (code,) = struct.unpack("<H", raw[24:26])
    if (code, bits) not in _READERS:
        raise InputError(
            f"{name} holds {_NAMES.get(code, f'format {code}')} of {bits} bits; wanted whole numbers (PCM) of 8, 16, "
            f"24 or 32 bits, or floats of 32 or 64; {_CONVERT}"
        )
    if not channels or rate not in _RATES:
        raise InputError(
            f"{name} says {channels} channels and {rate} samples a second; wanted 1 channel or more and "
            f"{_RATES.start} to {_RATES.stop - 1}; its header is damaged: record or {_CONVERT}"
        )
    if align != channels * bits // 8:
        raise InputError(
            f"{name} has {align} bytes for {channels} channels of {bits} bits, wanted {channels * bits // 8}: where in "
            f"them the numbers lie is not said; {_CONVERT}"
        )
    return (code, bits), channels, rate, align


def _chunks(file, name):
    """Where the chunks of a RIFF file lie, by their four letters the first of each: byte and size."""
    chunks, place, end = {}, 12, file.seek(0, io.SEEK_END)
    while place + 8 <= end:
        letters, size = _chunk_head(file, place)
        there = end - place - 8
        if letters == b"data" and (size in _UNKNOWN or (size == 0 and not _begins_chunk(file, place + 8, there))):
            size = there
        if size > there and letters in (b"fmt ", b"data"):
            raise InputError(
                f"{name} is cut off: its {letters.decode().strip()} chunk says {size} bytes, {there} are there; copy "
                "or record it again"
            )
        chunks.setdefault(letters, (place + 8, size))
        place += 8 + size + size % 2  # chunks begin at even places
    return chunks


def _begins_chunk(file, place, there):
    """Whether another chunk begins here: it has a name in letters, and ends within the file."""
    letters, size = _chunk_head(file, place)
    return len(letters) == 4 and letters.isascii() and letters.decode().isprintable() and 8 + size <= there


def _chunk_head(file, place):
    file.seek(place)
    head = file.read(8)
    return head[:4], int.from_bytes(head[4:], "little")


def _whole_24(raw):
    """Three bytes each, the highest last: put above a zero byte they are whole numbers of 32 bits."""
    wide = np.zeros((len(raw) // 3, 4), "uint8")
    wide[:, 1:] = np.frombuffer(raw, "uint8").reshape(-1, 3)
    return _shares(wide.reshape(-1).view("<i4"))


def _shares(numbers):
    """Whole numbers as shares of full scale, which 32 bits are enough for: half the memory of a division's 64."""
    found = numbers.astype("float32")
    found *= np.float32(2.0 ** (1 - 8 * numbers.dtype.itemsize))
    return found


def _floats_64(raw):
    with np.errstate(over="ignore"):  # what is beyond 32 bits is infinity, which whoever hears it refuses
        return np.frombuffer(raw, "<f8").astype("float32")


_READERS = {
    (_PCM, 8): lambda raw: (np.frombuffer(raw, "uint8").astype("float32") - 128) / 128,
    (_PCM, 16): lambda raw: _shares(np.frombuffer(raw, "<i2")),
    (_PCM, 24): _whole_24,
    (_PCM, 32): lambda raw: _shares(np.frombuffer(raw, "<i4")),
    (_FLOAT, 32): lambda raw: np.frombuffer(raw, "<f4").astype("float32"),
    (_FLOAT, 64): _floats_64,
}
