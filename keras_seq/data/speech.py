"""Spoken digits put together to strings: new ones every epoch, drawn by seed and epoch alone.

    recordings   [seven] [two] [two]                     of one part of the data, of one speaker or of several
    a string     ..[seven]....[two].[two]...             pauses before, between and behind
    augmented    each recording faster or slower and louder or softer; the whole through another microphone, in noise,
                 sometimes clipped

A string is drawn before it is made, so that its length is known, strings of like length come into one batch, and
batches have few shapes: a compiled model is compiled once a shape.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from keras_seq.data.tokenizer import Tokenizer

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""How the digits are written."""
_FULL_SCALE = 32768
# Root mean square that every recording is brought to before it is made louder or softer.
_LEVEL = 0.08
# Share of the strings of noise alone that are without the noise, as what a microphone gives that is switched off.
_SILENT = 0.3
# Seconds of a string of noise alone; share of the others that begin and end with a recording, cut as close as those.
_NOTHING, _CLOSE = (0.2, 2.0), 0.3
_TRIES = 1000


@dataclasses.dataclass(frozen=True)
class Mixing:
    """How recordings become a string. Where two numbers are given, one between them is drawn.

    Attributes:
        pause: pair of float, seconds between two recordings, and before the first and behind the last.
        decibels: pair of float, the voice above the noise.
        one_speaker: float, share of the strings that one speaker speaks; in the others each digit may have another.
        speed: pair of float, of each recording: 1.1 takes a tenth less time, and the voice rises.
        gain: float, decibels up or down, of each recording and of the whole.
        colour: float below 1, how much brighter or duller another microphone may make the whole.
        clipped: float, share of the strings whose peaks are cut off.
        nothing: float, share of the strings that are noise alone.
        alone: float, share of the strings that are one recording alone, beyond those of the even draw of 1 to the most
            digits; none where strings have two or more.
    """

    pause: tuple = (0.05, 0.35)
    decibels: tuple = (10.0, 50.0)
    one_speaker: float = 0.7
    speed: tuple = (0.85, 1.18)
    gain: float = 6.0
    colour: float = 0.4
    clipped: float = 0.05
    nothing: float = 0.03
    alone: float = 0.2

    def plain(self):
        """The same without what is done to the recordings: joined, with pauses and noise."""
        return dataclasses.replace(self, speed=(1, 1), gain=0.0, colour=0.0, clipped=0.0, nothing=0.0, alone=0.0)


@dataclasses.dataclass(frozen=True)
class Plan:
    """A string that is drawn and not yet made.

    Attributes:
        places: tuple of int, which recordings.
        lengths: tuple of int, samples that each will have.
        pauses: tuple of int, samples before each recording and behind the last.
    """

    places: tuple
    lengths: tuple
    pauses: tuple

    @property
    def samples(self):
        """int, of the whole string."""
        return sum(self.lengths) + sum(self.pauses)

    @property
    def spans(self):
        """Samples that each recording begins with and ends before: list of pairs of int."""
        begins = np.cumsum([0, *self.lengths])[:-1] + np.cumsum(self.pauses)[: len(self.lengths)]
        return [(int(begin), int(begin) + length) for begin, length in zip(begins, self.lengths, strict=True)]


class Mixer:
    """Draws strings from recordings, and makes them.

    Args:
        rows: list of dicts with `audio` int16 `(time,)`, `rate`, `label` ("0" to "9") and `speaker`, as
            `keras_seq.data.load("spoken_digit")` gives them, all of one rate.
        mixing: `Mixing`.
        digits: pair of int, the fewest and the most in a string.

    Raises:
        ValueError: if there are no rows, or their rates differ.
    """

    def __init__(self, rows, mixing, digits):
        if len({row["rate"] for row in rows}) != 1:
            rates = sorted({row["rate"] for row in rows})
            raise ValueError(f"{len(rows)} recordings of rates {rates} came; give some, all of one rate")
        self.mixing, self.digits, self.rate = mixing, digits, rows[0]["rate"]
        self.labels = [int(row["label"]) for row in rows]
        self._audio = [_level(row["audio"] / np.float32(_FULL_SCALE)) for row in rows]
        speakers = np.array([row["speaker"] for row in rows])
        self._of = [np.flatnonzero(speakers == name) for name in np.unique(speakers)]
        self._all = np.arange(len(rows))

    def text(self, plan):
        """What is said: "seven two two"."""
        return " ".join(NAMES[self.labels[place]] for place in plan.places)

    def draw(self, random, longest, most=None):
        """A `Plan` of at most `longest` samples, and of at most `most` digits where that is given.

        Raises:
            ValueError: if none is found.
        """
        mixing, (least, limit) = self.mixing, self.digits
        most = limit if most is None else min(most, limit)
        for _ in range(_TRIES):
            digits = self._count(random, most)
            speaker = self._of[random.integers(len(self._of))]
            pool = speaker if random.random() < mixing.one_speaker else self._all
            places = tuple(random.choice(pool, digits).tolist())
            speed = random.uniform(*mixing.speed, digits)
            lengths = tuple(round(len(self._audio[p]) / own) for p, own in zip(places, speed, strict=True))
            pauses = np.round(self.rate * random.uniform(*mixing.pause, digits + 1)).astype(int)
            if not digits:
                pauses = np.round(self.rate * random.uniform(*_NOTHING, 1)).astype(int)
            elif random.random() < _CLOSE:
                pauses[[0, -1]] = 0
            plan = Plan(places, lengths, tuple(pauses.tolist()))
            if plan.samples <= longest:
                return plan
        raise ValueError(f"no string of {least} to {most} digits fits into {longest} samples; allow longer ones")

    def _count(self, random, most):
        """Digits of a string, 0 for noise alone."""
        drawn, least = random.random(), self.digits[0]
        if drawn < self.mixing.nothing:
            return 0
        if least == 1 and drawn < self.mixing.nothing + self.mixing.alone:
            return 1
        return int(random.integers(least, most + 1))

    def make(self, plan, random):
        """The samples of a plan, float32 `(plan.samples,)` from -1 to 1."""
        mixing, pieces = self.mixing, [np.zeros(plan.pauses[0], "float32")]
        for place, length, pause in zip(plan.places, plan.lengths, plan.pauses[1:], strict=False):
            piece = stretched(self._audio[place], length)
            pieces += [_decibels(random.uniform(-mixing.gain, mixing.gain)) * piece, np.zeros(pause, "float32")]
        voice = coloured(np.concatenate(pieces), random.uniform(-mixing.colour, mixing.colour))
        noise = coloured(random.standard_normal(len(voice), "float32"), random.uniform(0, 0.95))
        loud = _LEVEL * _decibels(-random.uniform(*mixing.decibels)) / float(np.std(noise))
        if not plan.places and random.random() < _SILENT:
            loud = 0
        mixed = (voice + loud * noise) * _decibels(random.uniform(-2 * mixing.gain, mixing.gain))
        if random.random() < mixing.clipped:
            mixed = mixed * random.uniform(1, 4) / max(1e-6, np.abs(mixed).max())
        return np.clip(mixed, -1, 1).astype("float32")


def strings(rows, count, mixing, digits, seed, longest):
    """A fixed set of strings, such as the test's.

    Args:
        rows: list of dicts, as for `Mixer`.
        count: int.
        mixing, digits: as for `Mixer`.
        seed: int.
        longest: int, samples.

    Returns:
        list of (samples int16 `(time,)`, text).
    """
    return [(samples, text) for samples, text, _ in planned_strings(rows, count, mixing, digits, seed, longest)]


def planned_strings(rows, count, mixing, digits, seed, longest):
    """The strings that `strings` gives, each with its `Plan`: list of (samples, text, plan)."""
    mixer, random = Mixer(rows, mixing, digits), np.random.default_rng(seed)
    plans = [mixer.draw(random, longest) for _ in range(count)]
    return [(to_int16(mixer.make(plan, random)), mixer.text(plan), plan) for plan in plans]


class StringBatches:
    """Batches of strings for `keras_seq.training.fit`: calling it with an epoch's number gives that epoch's dataset.

    Args:
        rows: list of dicts, as for `Mixer`.
        tokenizer: `Tokenizer` of the texts.
        count: int, strings an epoch, rounded up to full batches.
        batch_size: int.
        mixing, digits: as for `Mixer`.
        longest: int, samples of the longest string there may be.
        boundaries: rising ints, samples that a batch may be padded to; `longest` is added.
        seed: int.
        decoder: bool, True gives what an attention decoder is trained on, False what CTC is.
        grow: int, epochs after which strings may have one digit more than before, beginning with the fewest, since what
            is short teaches where to look (curriculum learning, Bengio et al., 2009); 0 for all from the first.
        shuffle: bool; False gives every epoch the strings of the first, the shortest first.

    Gives, for each batch, with a decoder:
        `({"source": (batch, samples), "source_length": (batch,), "target": (batch, digits)}, labels (batch, digits))`,
        the sources float32 and all else int32; without, no `target`, and labels without the end.

    Attributes:
        steps: int, batches in an epoch.
    """

    def __init__(
        self,
        rows,
        tokenizer,
        count,
        batch_size,
        *,
        mixing,
        digits,
        longest,
        boundaries,
        seed,
        decoder,
        grow=0,
        shuffle=True,
    ):
        self._mixer = Mixer(rows, mixing, digits)
        self._grow = grow
        self._ids = {name: tokenizer.encode(name) for name in NAMES}
        self._boundaries = np.array(sorted({*(size for size in boundaries if size < longest), longest}))
        self._batch_size, self._longest, self._seed = batch_size, longest, seed
        self._most = digits[1] + 1  # and the start or the end
        self._decoder, self._shuffle = decoder, shuffle
        self.steps = -(-count // batch_size)
        self._drawn = None, None

    def __call__(self, epoch):
        """The dataset of one epoch.

        Args:
            epoch: int or scalar int64 tensor, counted from 0.

        Returns:
            `tf.data.Dataset` of `steps` batches; the same whenever it is iterated.
        """
        dtypes = (tf.float32, tf.int32, tf.int32, tf.int32)
        epoch = tf.cast(epoch if self._shuffle else 0, tf.int64)

        def batch(step):
            source, length, target, labels = tf.numpy_function(self._batch, [epoch, step], dtypes)
            source.set_shape((self._batch_size, None))
            length.set_shape((self._batch_size,))
            for array in (target, labels):
                array.set_shape((self._batch_size, self._most))
            inputs = {"source": source, "source_length": length}
            return ({**inputs, "target": target} if self._decoder else inputs), labels

        return tf.data.Dataset.range(self.steps).map(batch).prefetch(2)

    def _batch(self, epoch, step):
        """Arrays of one batch; `tf.data` asks for them in any order."""
        plans = self._plans(int(epoch))[int(step)]
        random = np.random.default_rng([self._seed, int(epoch), int(step), 1])
        width = self._boundaries[np.searchsorted(self._boundaries, max(plan.samples for plan in plans))]
        source = np.zeros((len(plans), width), "float32")
        target, labels = np.zeros((2, len(plans), self._most), "int32")
        for row, plan in enumerate(plans):
            source[row, : plan.samples] = self._mixer.make(plan, random)
            ids = [token for place in plan.places for token in self._ids[NAMES[self._mixer.labels[place]]]]
            labels[row, : len(ids) + 1] = [*ids, Tokenizer.END if self._decoder else Tokenizer.PAD]
            target[row, : len(ids) + 1] = [Tokenizer.START, *ids]
        return source, np.array([plan.samples for plan in plans], "int32"), target, labels

    def _plans(self, epoch):
        """The epoch's strings, drawn, in batches of like length; the batches are shuffled."""
        if self._drawn[0] != epoch:
            random = np.random.default_rng([self._seed, epoch])
            most = self._mixer.digits[0] + epoch // self._grow if self._grow else None
            plans = [self._mixer.draw(random, self._longest, most) for _ in range(self.steps * self._batch_size)]
            plans.sort(key=lambda plan: plan.samples)
            order = random.permutation(self.steps) if self._shuffle else range(self.steps)
            batches = [plans[turn * self._batch_size : (turn + 1) * self._batch_size] for turn in order]
            self._drawn = epoch, batches
        return self._drawn[1]


def without_speaker(parts, speaker):
    """A speaker nobody has heard: training and validation without, all that the speaker has said as the test.

    Args:
        parts: dict of "train", "validation" and "test" -> list of dicts with `speaker`.
        speaker: str.

    Returns:
        dict of the same parts.

    Raises:
        ValueError: if nobody else speaks, or nobody of that name.
    """
    rows = [row for part in parts.values() for row in part]
    names = sorted({row["speaker"] for row in rows})
    if speaker not in names or len(names) < 2:
        raise ValueError(f"speaker={speaker!r} cannot be left out of {names}; choose one of several")
    kept = {part: [row for row in parts[part] if row["speaker"] != speaker] for part in ("train", "validation")}
    return {**kept, "test": [row for row in rows if row["speaker"] == speaker]}


def stretched(samples, length):
    """A recording resampled to another length, by its Fourier transform: faster or slower, and with it the pitch.

    Args:
        samples: float `(time,)`.
        length: int.

    Returns:
        float32 `(length,)`

    Example:
        >>> wave = np.cos(2 * np.pi * np.arange(12) / 6)
        >>> bool(np.abs(stretched(wave, 8) - np.cos(2 * np.pi * np.arange(8) / 4)).max() < 1e-6)
        True
    """
    if length == len(samples):
        return np.asarray(samples, "float32")
    spectrum = np.fft.rfft(samples)
    return (np.fft.irfft(spectrum[: length // 2 + 1], length) * (length / len(samples))).astype("float32")


def coloured(samples, colour):
    """Each sample and so much of the one before: above 0 the high frequencies become softer, below 0 louder."""
    result = samples.copy()
    result[1:] += np.float32(colour) * samples[:-1]
    return result


def to_int16(samples):
    """Samples from -1 to 1 as int16."""
    return np.clip(np.round(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype("int16")


def to_float(samples):
    """int16 samples as float32 from -1 to 1."""
    return np.asarray(samples, "float32") / _FULL_SCALE


def _level(samples):
    return samples * np.float32(_LEVEL / max(1e-6, float(np.sqrt(np.mean(np.square(samples))))))


def _decibels(value):
    return np.float32(10) ** (np.float32(0.05) * np.asarray(value, "float32"))
