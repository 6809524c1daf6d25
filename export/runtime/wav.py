"""WAV files: the chunks of a RIFF file, of which `fmt ` says what the numbers in `data` are.

Read are whole numbers of 8 bits (unsigned), 16, 24 and 32, and floats of 32 and 64, of one channel or more, which is
what recorders and editors write. Python's own `wave` reads neither floats nor, before 3.12, the extensible form.
"""

import struct

from .errors import InputError, np

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_NAMES = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x50: "MPEG", 0x55: "MP3"}
# How other files begin that people take for audio of this kind.
_OTHERS = {b"ID3": "MP3", b"\xff\xfb": "MP3", b"OggS": "Ogg", b"fLaC": "FLAC", b"FORM": "AIFF", b"RF64": "RF64"}
_OTHERS |= {b"RIFX": "a big-endian WAV file", b"\x1aE\xdf\xa3": "WebM", b".snd": "AU"}
# What writers leave as the size of a chunk whose end they did not know when they began.
_UNKNOWN = (0, 0xFFFFFFFF, 0x7FFFFFFF)
# Slower and faster than anything that records sound.
_RATES = range(1000, 1_000_000)


def parse_wav(data, name="the recording"):
    """The samples of a WAV file.

    Args:
        data: bytes of the file.
        name: str, how errors call it.

    Returns:
        float32 `(samples, channels)`, whole numbers as shares of full scale, and the rate, int, in samples a second.

    Raises:
        InputError: if it is no whole WAV file, or holds what is not read; the message says what it is and what to do.

    Reference: Microsoft and IBM, 1991, "Multimedia Programming Interface and Data Specifications 1.0", chapter 3.
    """
    convert = "convert it, as with ffmpeg -i FILE -acodec pcm_s16le FILE.wav"
    if not data:
        raise InputError(f"{name} is empty, 0 bytes; record it again")
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        kind = next((kind for begin, kind in _OTHERS.items() if data.startswith(begin)), None)
        what = f"is {kind}" if kind else f"begins with {data[:12]!r}"
        raise InputError(f"{name} {what}, wanted a WAV file (RIFF....WAVE); {convert}")
    chunks = _chunks(data, name)
    if len(chunks.get(b"fmt ", b"")) < 16:
        raise InputError(f"{name} has no whole 'fmt ' chunk, which says what its numbers are; {convert}")
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunks[b"fmt "][:16])
    if code == _EXTENSIBLE and len(chunks[b"fmt "]) >= 26:
        (code,) = struct.unpack("<H", chunks[b"fmt "][24:26])
    if (code, bits) not in _READERS:
        raise InputError(
            f"{name} holds {_NAMES.get(code, f'format {code}')} of {bits} bits; wanted whole numbers (PCM) of 8, 16, "
            f"24 or 32 bits, or floats of 32 or 64; {convert}"
        )
    if not channels or rate not in _RATES:
        raise InputError(
            f"{name} says {channels} channels and {rate} samples a second; wanted 1 channel or more and "
            f"{_RATES.start} to {_RATES.stop - 1}; its header is damaged: record or {convert}"
        )
    if b"data" not in chunks:
        raise InputError(f"{name} has no 'data' chunk, so no samples; record it again, or {convert}")
    frame = channels * bits // 8
    raw = chunks[b"data"][: len(chunks[b"data"]) // frame * frame]
    return _READERS[code, bits](raw).astype("float32").reshape(-1, channels), rate


def _chunks(data, name):
    """The chunks of a RIFF file by their four letters, the first of each."""
    chunks, place = {}, 12
    while place + 8 <= len(data):
        letters, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        there = len(data) - place - 8
        if letters == b"data" and size in _UNKNOWN:
            size = there
        if size > there and letters in (b"fmt ", b"data"):
            raise InputError(
                f"{name} is cut off: its {letters.decode().strip()} chunk says {size} bytes, {there} are there; copy "
                "or record it again"
            )
        chunks.setdefault(letters, data[place + 8 : place + 8 + size])
        place += 8 + size + size % 2  # chunks begin at even places
    return chunks


def _whole_24(raw):
    """Three bytes each, the highest last: put above a zero byte they are whole numbers of 32 bits."""
    wide = np.zeros((len(raw) // 3, 4), "uint8")
    wide[:, 1:] = np.frombuffer(raw, "uint8").reshape(-1, 3)
    return wide.reshape(-1).view("<i4") / 2**31


_READERS = {
    (_PCM, 8): lambda raw: (np.frombuffer(raw, "uint8").astype("float32") - 128) / 128,
    (_PCM, 16): lambda raw: np.frombuffer(raw, "<i2") / 2**15,
    (_PCM, 24): _whole_24,
    (_PCM, 32): lambda raw: np.frombuffer(raw, "<i4") / 2**31,
    (_FLOAT, 32): lambda raw: np.frombuffer(raw, "<f4"),
    (_FLOAT, 64): lambda raw: np.frombuffer(raw, "<f8"),
}
