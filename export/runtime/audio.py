"""Audio as a model reads it: float32 from -1 to 1, one channel, at the model's own rate.

samples, rate = read_wav("seven.wav")
samples = resample(samples, rate, 8000)
"""

import functools
import math
import warnings
from pathlib import Path

from .errors import InputError, InputWarning, np, one_line
from .wav import read_form, read_samples, seekable

# Zero crossings of the sinc on either side, and the window that fades its ends (Blackman-Harris of four terms), with
# which nothing beyond the band is louder than -92 dB.
_CROSSINGS, _WINDOW = 32, (0.35875, 0.48829, 0.14128, 0.01168)
# Where the band ends, as a share of half the lower rate; the filter falls off from there to a little above it.
_BAND = 0.94
# A sample is clipped that is so near full scale and where the one before it was, as the top of no wave is; so large a
# share of them is warned about.
_FULL, _CLIPPED = 0.999, 0.001
# Below -60 dB a recording is hardly more than noise.
_QUIET = 0.001
# Floats may go a little beyond full scale, as resampling makes them; so far beyond it they are in another scale.
_BEYOND, _OTHER_SCALE = 1.01, 8


def read_wav(path):
    """A WAV file as one channel: whole numbers of 8, 16, 24 and 32 bits or floats, channels as their mean.

    Args:
        path: str or path.

    Returns:
        float32 `(samples,)`, whole numbers as shares of full scale, and the rate, int, in samples a second.

    Raises:
        InputError: if it cannot be read; the message says why and what to do.

    Example:
        samples, rate = read_wav("seven.wav")
    """
    samples, rate, _ = _from_file(path)
    return samples.mean(axis=1), rate


def resample(samples, rate, to):
    """Samples at another rate, by a windowed sinc in polyphase form.

        y[n] = sum_k x[k] h(n rate / to - k)        h(t) = c sinc(c t) window(t),   c = 0.94 min(1, to / rate)

    What the new rate cannot hold, everything above half of it, is filtered out before samples are left out, so that it
    does not come back as other tones (aliases). Of h only those taps are computed that meet a sample: with rate / to as
    down / up in lowest terms there are `up` different sets of them, each of which adds up to 1. What is beyond either
    end counts as silence.

    Args:
        samples: float `(samples,)`
        rate: int, samples a second, as they are.
        to: int, samples a second, as they shall be.

    Returns:
        float32 `(ceil(samples * to / rate),)`

    Raises:
        InputError: if a rate is not a whole number above 0.

    Example:
        >>> bool(abs(resample(np.ones(441), 44100, 8000)[40] - 1) < 1e-6)
        True

    Reference: Crochiere and Rabiner, 1983, "Multirate Digital Signal Processing", chapter 2; Harris, 1978, "On the Use
    of Windows for Harmonic Analysis with the Discrete Fourier Transform".
    """
    for given in (rate, to):
        if int(given) != given or given < 1:
            raise InputError(f"a rate of {given} samples a second; wanted a whole number above 0")
    samples = np.asarray(samples, "float64")
    common = math.gcd(int(rate), int(to))
    up, down = int(to) // common, int(rate) // common
    if up == down:
        return samples.astype("float32")
    cutoff = _BAND * min(1.0, up / down)
    reach = math.ceil(_CROSSINGS / cutoff)  # samples on either side that a new one is made of
    size = -(-len(samples) * up // down)
    padded = np.concatenate([np.zeros(reach), samples, np.zeros(reach + down + 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    found = np.empty(size, "float32")
    for phase in range(min(up, size)):
        first, rest = divmod(phase * down, up)  # the new sample lies `rest / up` behind this old one
        distance = rest / up + reach - np.arange(2 * reach + 1)
        taps = np.sinc(cutoff * distance) * _window(distance / (reach + 1))
        mine = found[phase::up]
        mine[:] = windows[first::down][: len(mine)] @ (taps / taps.sum())
    return found


def _window(place):
    """The window at places from -1 to 1, where it ends."""
    return sum(share * np.cos(np.pi * term * place) for term, share in enumerate(_WINDOW))


def read_audio(given, rate, limit, shortest=1):
    """One recording as a model reads it.

    Args:
        given: str or path of a WAV file; or a pair of an array, `(samples,)` or `(samples, channels)`, of floats from
            -1 to 1 or of whole numbers up to their dtype's full scale, and its rate in samples a second.
        rate: int, samples a second that the model reads.
        limit: int, samples that it reads at most.
        shortest: int, samples that it reads at least.

    Returns:
        float32 `(samples,)`, from -1 to 1, `limit` at most.

    Raises:
        InputError: if it cannot be read, is empty, silent, too short, too long or in another scale; the message says by
            how much. How long a file is is judged before its samples are read.

    Warns:
        InputWarning: if it is clipped, beyond full scale, very quiet, or lacks what the model is used to because its
            rate is lower.
    """
    name = told(given)
    if isinstance(given, np.ndarray):
        raise InputError(f"an array {list(given.shape)} without its rate; give a pair: (array, samples a second)")
    judge = functools.partial(_judge_length, name, rate, limit, shortest)
    opened = _from_array if isinstance(given, tuple | list) else _from_file
    channels, own, top = opened(given, judge)  # (samples, channels)
    _judge_numbers(name, channels)
    samples = channels.mean(axis=1)  # (samples,)
    loudest = float(np.abs(samples).max())
    if loudest == 0:
        raise InputError(
            f"{name} is silent: all of its {len(samples)} samples are 0; look whether the microphone was on, and "
            "whether two channels cancel one another"
        )
    for doubt in (*_clipped(channels, top), *_doubts(own, rate, loudest)):
        warnings.warn(f"{name} {doubt}", InputWarning, stacklevel=2)
    return np.clip(resample(samples, own, rate), -1, 1)[:limit]


def _judge_length(name, to, limit, shortest, size, rate):
    """Refuses so many samples at that rate, before they are read."""
    if not size:
        raise InputError(f"{name} holds no sample; record it again")
    seconds, most = size / rate, limit / to
    if math.ceil(size * to / rate) > limit:
        raise InputError(
            f"{name} lasts {seconds:.2f} s, the model reads at most {most:.2f} s ({limit} samples at {to} a second); "
            "cut it into shorter pieces, between words"
        )
    if math.ceil(size * to / rate) < shortest:
        raise InputError(
            f"{name} lasts {1000 * seconds:.1f} ms, the model reads at least {1000 * shortest / to:.1f} ms; record "
            "it again"
        )


def _judge_numbers(name, channels):
    """Refuses samples `(samples, channels)` that are no numbers, or in another scale."""
    finite = np.isfinite(channels).all(axis=1)
    if not finite.all():
        raise InputError(f"{name} holds NaN or infinity at sample {int(np.argmin(finite))}; mend that")
    peak = float(np.abs(channels).max())
    if peak > _OTHER_SCALE:
        raise InputError(
            f"{name} has floats up to {peak:.6g}, wanted -1 to 1; divide them by their full scale, such as 32768"
        )


def _clipped(channels, top):
    """What a person would be told of channels that stay at full scale: their mean need not, so each is looked at."""
    full = np.abs(channels) >= _FULL * top  # (samples, channels)
    clipped = int((full[1:] & (channels[1:] == channels[:-1])).sum(axis=0).max())
    if clipped > _CLIPPED * len(channels):
        yield (
            f"is clipped: {clipped} of {len(channels)} samples stay at full scale, so the loud parts are distorted; "
            "record it again, at a lower level"
        )


def _doubts(own, rate, loudest):
    """What else a person would be told of a recording that can be read."""
    if loudest > _BEYOND:
        yield (
            f"has floats up to {loudest:.2f}, beyond full scale: they are cut off at 1, so the loud parts are "
            "distorted; scale it down first"
        )
    if loudest < _QUIET:
        yield (
            f"is very quiet: its loudest sample is at {20 * math.log10(loudest):.0f} dB of full scale; record it "
            "again, nearer to the microphone"
        )
    if own < rate:
        yield (
            f"has {own} samples a second, the model reads {rate}: it holds nothing above {own // 2} Hz, which the "
            "model may be used to; record it at a higher rate"
        )


def _from_file(path, judge=lambda size, rate: None):
    """Samples `(samples, channels)` of a file, their rate, and the largest number that its format holds.

    `judge` is called with how many there are and their rate before they are read: a few hours are gigabytes.
    """
    try:
        with Path(path).open("rb") as file:
            file = seekable(file)
            form = read_form(file, str(path))
            judge(form.frames, form.rate)
            return read_samples(file, form), form.rate, form.top
    except InputError:
        raise
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read ({one_line(error)}); give the name of a WAV file") from error


def _from_array(given, judge):
    """The same of a pair of an array and its rate."""
    if len(given) != 2 or not isinstance(given[1], int | np.integer) or given[1] < 1:
        raise InputError("a recording is the name of a WAV file, or a pair: (array, samples a second, a whole number)")
    try:
        samples, rate = np.asarray(given[0]), int(given[1])
    except ValueError as error:  # rows of different length
        raise InputError(f"a recording is not an array ({one_line(error)}); wanted numbers (samples,)") from error
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "iuf":
        raise InputError(
            f"an array {samples.dtype} {list(samples.shape)}; wanted numbers (samples,) or (samples, channels)"
        )
    samples, top = samples if samples.ndim == 2 else samples[:, None], 1.0  # (samples, channels)
    judge(len(samples) if samples.size else 0, rate)
    if samples.dtype.kind != "f":
        full = 2.0 ** (8 * samples.dtype.itemsize - 1)
        samples, top = (samples.astype("float64") - (full if samples.dtype.kind == "u" else 0)) / full, 1 - 1 / full
    with np.errstate(over="ignore"):
        return samples.astype("float32"), rate, top


def told(given):
    """How messages and results call a recording."""
    if not isinstance(given, tuple | list):
        return str(given)
    try:
        return f"array {list(np.shape(given[0]))}" if len(given) else "()"
    except ValueError:  # rows of different length
        return "no array"


def pad_samples(rows, width=None):
    """Recordings as one array.

    Args:
        rows: sequence of float32 arrays `(samples,)`.
        width: int, None takes the longest row's length.

    Returns:
        float32 `(len(rows), width)` with 0 on the right, and int32 `(len(rows),)` with the lengths.
    """
    length = np.asarray([len(row) for row in rows], "int32")
    padded = np.zeros((len(rows), width or int(length.max())), "float32")
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return padded, length
