"""A trained model of verse writes: the next line, and whole quatrains from a title.

    Poet.load("runs/08_verse/transformer").poems(["春夜"], length=5, seed=1)

A quatrain is written line by line. The fourth line is written from the three before it, so the model could
hear what the second ends with. With `candidates` several lines are drawn each time and one is taken: of
fourth lines one that rhymes with the second (`keras_seq.rhymes`), of those one that says no character again that the
poem has already, of those the likeliest.
"""

import functools
import json
import re
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import keras_seq.models  # noqa: F401  (registers the classes)
from keras_seq import decoding
from keras_seq.beam import beam
from keras_seq.data import verse
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.rhymes import rhymes
from keras_seq.sampling import draw_numbers, sample

MARKS = re.compile(r"[\s，。！？；：、,.!?;:]+")
# Chosen by ear on some titles: at 1 a poem falls apart, at 0.6 every second character is wind or spring.
TEMPERATURE, TOP_P = 0.8, 0.9
# What is behind the 512th of some thousand characters has no share of the probability left to speak of.
TOP_K = 512
_ROWS = 256  # texts at once: one shape a width, so one trace


class Poet:
    """A trained model with its tokenizer.

    Args:
        model: `keras_seq.models.EqualLength`
        tokenizer: `Tokenizer` of both sides.
        limits: dict of `source` and `target`, in characters, the target's end included.
    """

    def __init__(self, model, tokenizer, limits):
        self.model = model
        self.tokenizer = tokenizer
        self.limits = limits

    @classmethod
    def load(cls, run_dir):
        """The `Poet` of a finished run."""
        config = json.loads(Path(run_dir, "config.json").read_text(encoding="utf-8"))
        model = keras.saving.load_model(Path(run_dir, "model.keras"), compile=False)
        return cls(model, Tokenizer.load(Path(run_dir, "source.tokenizer.json")), config["task"]["limits"])

    @property
    def longest(self):
        """int, characters of the longest line."""
        return self.limits["target"] - 1

    def line(self, text):
        """A user's line without marks and spaces, and which of its characters the model does not know.

        Args:
            text: str.

        Returns:
            str, and list of str.

        Raises:
            ValueError: if nothing is left, or more than the model can read.
        """
        line = MARKS.sub("", text)
        if not 0 < len(line) <= self.longest:
            raise ValueError(f"{text!r} has {len(line)} characters; give one line of 1 to {self.longest}")
        ids = self.tokenizer.encode(line)
        return line, [character for character, token in zip(line, ids, strict=True) if token == Tokenizer.UNKNOWN]

    def next_lines(self, sources):
        """The likeliest line after each source, one character at a time.

        Args:
            sources: list of str, see `keras_seq.data.verse`.

        Returns:
            list of str, each as long as its source's last line.
        """
        return self._written(self._greedy, sources)[0]

    def best_lines(self, sources):
        """The likeliest line after each source that beam search finds."""
        return self._written(self._beam, sources)[0]

    def sampled_lines(self, sources, seed, temperature=TEMPERATURE, top_p=TOP_P):
        """A line drawn after each source.

        Args:
            sources: list of str, see `keras_seq.data.verse`.
            seed: int, or sequence of int.
            temperature, top_p: see `keras_seq.sampling.sample`.

        Returns:
            list of str, each as long as its source's last line; and float `(sources,)`, their log-probabilities.
        """
        numbers = draw_numbers(len(sources), self.limits["target"], seed)
        return self._written(self._sampler(temperature, top_p), sources, numbers)

    def poems(self, titles, length, seed, candidates=1, temperature=TEMPERATURE, top_p=TOP_P):
        """A quatrain for each title.

        Args:
            titles: list of str, each of at most `keras_seq.data.verse.LONGEST_TITLE` characters.
            length: int, characters of a line.
            seed: int.
            candidates: int, lines drawn for each line; 1 takes what comes.
            temperature, top_p: see `keras_seq.sampling.sample`.

        Returns:
            list of lists of four str.

        Raises:
            ValueError: if a title is empty or too long, or lines of that length are.
        """
        self._check(titles, length, candidates)
        poems = [[] for _ in titles]
        for number in range(4):
            sources = [
                verse.SEPARATOR.join(lines) if number == 3 else verse.titled(title, lines, length)
                for title, lines in zip(titles, poems, strict=True)
            ]
            drawn = [
                self.sampled_lines(sources, [seed, number, attempt], temperature, top_p)
                for attempt in range(candidates)
            ]
            for row, lines in enumerate(poems):
                lines.append(_chosen([(own[row], float(scores[row])) for own, scores in drawn], lines))
        return poems

    def _check(self, titles, length, candidates):
        for title in titles:
            if not 0 < len(title) <= verse.LONGEST_TITLE:
                raise ValueError(f"the title {title!r} has {len(title)} characters; give 1 to {verse.LONGEST_TITLE}")
        if not 0 < length <= self.longest:
            raise ValueError(f"length={length} is no length of a line; give 5 or 7, at most {self.longest}")
        if candidates < 1:
            raise ValueError(f"candidates={candidates} is too few; 1 takes what comes")

    @functools.cached_property
    def _greedy(self):
        return tf.function(
            lambda ids, length, numbers: decoding.greedy(self.model, ids, length, self.limits["target"]),
            autograph=False,
        )

    @functools.cached_property
    def _beam(self):
        return tf.function(
            lambda ids, length, numbers: beam(self.model, ids, length, self.limits["target"]), autograph=False
        )

    @functools.cache  # noqa: B019  (a poet lives as long as its traces)
    def _sampler(self, temperature, top_p):
        most = None if top_p == 1 else TOP_K
        return tf.function(
            lambda ids, length, numbers: sample(
                self.model, ids, length, self.limits["target"], numbers, temperature, most, top_p
            ),
            autograph=False,
        )

    def _written(self, decoder, sources, numbers=None):
        """Texts and log-probabilities `(sources,)`."""
        texts, scores = [], []
        encoded = self.tokenizer.encode_batch(sources)
        numbers = np.zeros((len(sources), self.limits["target"]), "float32") if numbers is None else numbers
        for start in range(0, len(sources), _ROWS):
            rows = encoded[start : start + _ROWS]
            source = np.zeros((_ROWS, self.limits["source"]), "int32")
            own = np.zeros((_ROWS, self.limits["target"]), "float32")
            length = np.ones(_ROWS, "int32")
            for row, ids in enumerate(rows):
                source[row, : len(ids)], length[row] = ids, len(ids)
            own[: len(rows)] = numbers[start : start + _ROWS]
            ids, _, log_probability = (np.asarray(array) for array in decoder(source, length, own))
            texts += [self.tokenizer.decode(row) for row in ids[: len(rows)].tolist()]
            scores.append(log_probability[: len(rows)].sum(axis=1))
        return texts, np.concatenate(scores)


def _chosen(candidates, before):
    """The best of (line, log-probability) for a poem's next line."""
    if len(candidates) == 1:
        return candidates[0][0]

    def worth(candidate):
        line, score = candidate
        said = "".join(before) + line
        return len(before) == 3 and rhymes(before[1], line), len(set(said)) - len(said), score

    return max(candidates, key=worth)[0]
