"""Recordings as people have them: WAV files of every kind of number, other rates, and what is wrong with them."""

import os
import struct
import threading
import tracemalloc
import warnings
import wave

import numpy as np
import pytest
from scipy.signal import resample_poly

from export.runtime import Bundle
from export.runtime.audio import pad_samples, read_audio, read_wav, resample, told
from export.runtime.errors import InputError, InputWarning

RATE = 8000
TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(800) / RATE)


LOUD = np.clip(9 * TONE, -1, 1)


def tone(pitch, rate, seconds=0.5):
    return np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)


def wav(code, bits, raw, channels=1, rate=RATE, extensible=False, frame=None):
    """The bytes of a WAV file; `frame` is how many all channels of one sample take."""
    frame = frame or channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else code, channels, rate, rate * frame, frame, bits)
    form += struct.pack("<HHIH", 22, bits, 0, code) + bytes(14) if extensible else b""
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        for name, body in ((b"LIST", b"odd"), (b"fmt ", form), (b"data", raw))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def whole(samples, bits):
    """Samples as the bytes of whole numbers, as `wave` writes them."""
    numbers = np.round(samples * 2 ** (bits - 1)).astype("int64")
    if bits == 8:
        return (numbers + 128).astype("uint8").tobytes()
    return numbers.astype("<i8").view("uint8").reshape(-1, 8)[:, : bits // 8].tobytes()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_what_wave_writes_is_read(tmp_path, bits, channels):
    sides = np.stack([TONE, TONE / 3], axis=1)[:, :channels]
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((channels, bits // 8, RATE, 0, "NONE", ""))
        file.writeframes(whole(sides.ravel(), bits))
    samples, rate = read_wav(tmp_path / "tone.wav")
    assert rate == RATE and samples.dtype == np.float32
    np.testing.assert_allclose(samples, sides.mean(axis=1), atol=1.01 / 2**bits + 1e-7)


@pytest.mark.parametrize(("bits", "extensible"), [(32, False), (64, False), (32, True)])
def test_floats_and_the_extensible_form_are_read(tmp_path, bits, extensible):
    (tmp_path / "tone.wav").write_bytes(wav(3, bits, TONE.astype(f"<f{bits // 8}").tobytes(), extensible=extensible))
    np.testing.assert_allclose(read_wav(tmp_path / "tone.wav")[0], TONE, atol=1e-7)


SOUND = wav(1, 16, whole(TONE, 16))


def says(size, data=SOUND):
    """A file whose data chunk says another size."""
    place = data.index(b"data") + 4
    return data[:place] + size.to_bytes(4, "little") + data[place + 4 :]


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0])
def test_a_size_that_the_writer_did_not_know_is_what_is_there(tmp_path, size):
    (tmp_path / "tone.wav").write_bytes(says(size))
    assert len(read_wav(tmp_path / "tone.wav")[0]) == len(TONE)


def test_an_empty_data_chunk_before_another_one_is_empty(tmp_path):
    """What follows is the name of a song, and no sound."""
    chunk = b"LIST" + struct.pack("<I", 26) + b"INFOINAM" + struct.pack("<I", 14) + b"a song's name\0"
    (tmp_path / "empty.wav").write_bytes(wav(1, 16, b"") + chunk)
    with pytest.raises(InputError, match="empty.wav holds no sample; record it again"):
        read_audio(tmp_path / "empty.wav", RATE, 900)


def test_hours_are_refused_before_they_are_read(tmp_path):
    """Two hours in stereo: a file of 1.4 GB, whose samples nobody has written."""
    size = 2 * 3600 * 48_000 * 4
    with open(tmp_path / "long.wav", "wb") as file:
        file.write(says(size, wav(1, 16, b"", channels=2, rate=48_000)))
        file.truncate(file.tell() + size)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"long.wav lasts 7200.00 s, the model reads at most 0.11 s"):
        read_audio(tmp_path / "long.wav", RATE, 900)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_pipe_is_read_though_it_cannot_seek(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(SOUND,))
    writer.start()
    assert len(read_wav(tmp_path / "pipe")[0]) == len(TONE)
    writer.join()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty, 0 bytes; record it again"),
        (b"ID3\x04" + bytes(40), "is MP3, wanted a WAV file .*ffmpeg"),
        (b"hello, this is text", "begins with b'hello, this ', wanted a WAV file"),
        (SOUND[:-100], r"is cut off: its data chunk says 1600 bytes, 1500 are there; copy"),
        (SOUND[:12], "has no whole 'fmt ' chunk"),
        (SOUND[: SOUND.index(b"data")], "has no 'data' chunk, so no samples"),
        (wav(7, 8, bytes(80)), "holds mu-law of 8 bits; wanted whole numbers"),
        (wav(1, 12, bytes(80)), "holds format 1 of 12 bits"),
        (wav(1, 16, bytes(80), rate=3), "says 1 channels and 3 samples a second; wanted .* 1000 to"),
        (wav(1, 24, bytes(80), frame=4), "has 4 bytes for 1 channels of 24 bits, wanted 3: where .* not said; convert"),
    ],
)
def test_a_file_that_is_none_says_why(tmp_path, data, message):
    (tmp_path / "broken.wav").write_bytes(data)
    with pytest.raises(InputError, match=f"broken.wav {message}"):
        read_wav(tmp_path / "broken.wav")


def test_a_file_that_is_not_there_is_an_input_error(tmp_path):
    for given in (tmp_path / "none.wav", tmp_path, None):
        with pytest.raises(InputError, match=f"{given} cannot be read .*give the name of a WAV file"):
            read_wav(given)


@pytest.mark.parametrize(("rate", "to"), [(44100, 8000), (16000, 8000), (8000, 16000), (11025, 8000), (8000, 8000)])
def test_a_tone_is_the_same_tone_at_another_rate(rate, to):
    found = resample(tone(1000, rate), rate, to)
    assert found.dtype == np.float32 and len(found) == -(-(rate // 2) * to // rate)
    inside = slice(len(found) // 8, -len(found) // 8)
    np.testing.assert_allclose(found[inside], tone(1000, to)[: len(found)][inside], atol=1e-5)


@pytest.mark.parametrize("rate", [44100, 16000])
def test_what_the_new_rate_cannot_hold_is_gone(rate):
    """5 kHz would come back as 3 kHz; scipy's own filter, which is shorter, leaves more of it."""
    found = resample(tone(5000, rate), rate, 8000)[500:-500]
    theirs = resample_poly(tone(5000, rate), 8000, rate)[500:-500]
    assert np.abs(found).max() < 3e-5 and np.abs(found).max() < np.abs(theirs).max()


def test_resampling_agrees_with_scipy_where_both_pass():
    speech = sum(tone(pitch, 16000) / pitch for pitch in (90, 180, 400, 1100, 2300))
    found, theirs = resample(speech, 16000, 8000), resample_poly(speech, 1, 2)
    assert found.shape == theirs.shape
    np.testing.assert_allclose(found[200:-200], theirs[200:-200], atol=1e-3 * np.abs(theirs).max())


def test_a_rate_that_is_none_is_refused():
    with pytest.raises(InputError, match="a rate of 0 samples a second"):
        resample(TONE, 0, 8000)


def test_arrays_with_their_rate_are_read_as_files_are():
    numbers = np.round(TONE * 32767).astype("int16")
    wanted = numbers / np.float32(32768)
    for given in ((numbers, RATE), (np.stack([numbers, numbers], axis=1), RATE), (wanted, RATE)):
        np.testing.assert_allclose(read_audio(given, RATE, 900), wanted, atol=1e-7)
    np.testing.assert_allclose(read_audio((np.uint8([0, 128, 192] * 9), RATE), RATE, 900)[:3], [-1, 0, 0.5])
    assert len(read_audio((tone(300, 16000, 0.1), 16000), RATE, 900)) == 800


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((np.zeros(0), RATE), r"array \[0\] holds no sample"),
        ((np.zeros((9, 0)), RATE), r"array \[9, 0\] holds no sample"),
        ((np.zeros(700), RATE), r"is silent: all of its 700 samples are 0; look whether the microphone"),
        ((np.stack([TONE, -TONE], axis=1), RATE), "is silent: .*two channels cancel one another"),
        ((np.ones(9001), 1000), r"lasts 9.00 s, the model reads at most 0.11 s \(900 samples at 8000 a second\)"),
        ((TONE[:30], RATE), r"lasts 3.8 ms, the model reads at least 8.0 ms"),
        ((np.append(TONE, np.nan), RATE), "holds NaN or infinity at sample 800"),
        ((1e300 * TONE, RATE), "holds NaN or infinity at sample 1"),
        ((np.stack([99 * TONE, 0 * TONE], axis=1), RATE), "has floats up to 49.5, wanted -1 to 1; divide them by"),
        (([[0.5], [0.5, 0.25]], RATE), r"a recording is not an array \(.*\); wanted numbers"),
        (TONE, r"an array \[800\] without its rate; give a pair: \(array, samples a second\)"),
        ((TONE, 8000.0), "or a pair: "),
        ((TONE, RATE, 1), "or a pair: "),
        ((["a"], RATE), r"an array <U1 \[1\]; wanted numbers"),
        ((np.zeros((2, 2, 2)), RATE), r"an array float64 \[2, 2, 2\]; wanted numbers"),
    ],
)
def test_a_recording_that_cannot_be_heard_says_why(given, message):
    with pytest.raises(InputError, match=message):
        read_audio(given, RATE, 900, shortest=64)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((LOUD, RATE), r"is clipped: \d+ of 800 samples stay at full scale, .*at a lower level"),
        ((np.stack([LOUD, TONE / 9], axis=1), RATE), r"is clipped: \d+ of 800 samples"),  # their mean is not
        ((np.minimum(128 * LOUD, 127).clip(-90).astype("int8"), RATE), r"is clipped: \d+ of 800"),  # 127/128 at most
        ((np.stack([4 * TONE, 4 * TONE], axis=1), RATE), "has floats up to 2.00, beyond full scale: they are cut off"),
        ((TONE / 1000, RATE), "is very quiet: its loudest sample is at -66 dB of full scale"),
        ((TONE[:400], 4000), "has 4000 samples a second, the model reads 8000: it holds nothing above 2000 Hz"),
    ],
)
def test_a_doubtful_recording_is_heard_with_a_warning(given, message):
    with pytest.warns(InputWarning, match=message):
        samples = read_audio(given, RATE, 900)
    assert len(samples) == 800 and np.abs(samples).max() <= 1


def test_a_good_recording_is_heard_without_one():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_audio((TONE, RATE), RATE, 900)


class Loudest(Bundle):
    """Answers with the loudest sample of each recording."""

    def __init__(self):
        super().__init__({}, {"format": "onnx"}, None)

    def _told(self, given):
        return told(given)

    def _prepare(self, given):
        return read_audio(given, RATE, 900)

    def _answer(self, prepared):
        return ((f"{row.max():.1f}", 1.0) for row in prepared)


def test_what_is_no_recording_is_refused_by_itself():
    ragged = ([[0.5], [0.5, 0.25]], RATE)
    found = Loudest().answer([ragged, (TONE, RATE), (), None])
    assert [one.output for one in found] == ["", "0.5", "", ""] and found[0].text == "no array"
    assert [bool(one.refusal) for one in found] == [True, False, True, True]


def test_recordings_are_padded_with_silence():
    source, length = pad_samples([np.float32([1, 2]), np.float32([3])], 3)
    assert source.dtype == np.float32 and source.tolist() == [[1, 2, 0], [3, 0, 0]] and length.tolist() == [2, 1]
