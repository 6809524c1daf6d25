"""A trained recogniser with its tokenizer: what it hears, how well, and when it hears what."""

import functools
import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import keras_seq.models  # noqa: F401
from keras_seq import ctc, decoding, text_scores
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.scores import bootstrap, ratio

_BATCH = 50
# Shapes that recordings are padded to are multiples of so many samples, so that few functions are traced.
_ROUND = 8000


class Recogniser:
    """Writes down what is said.

    Args:
        model: `SpeechToText` or `CTCRecognizer`.
        target: `Tokenizer` of what is written.
        limits: pair of int, samples of the longest recording, and tokens of the longest text with its end.

    Example:
        recogniser = Recogniser.load("runs/14_speech/attention")
        recogniser.recognise([samples])                    # ["seven two two"]
    """

    def __init__(self, model, target, limits):
        self.model, self.target = model, target
        self.limits = tuple(limits)

    @classmethod
    def load(cls, run_dir):
        """The recogniser of a finished run.

        Args:
            run_dir: path of the run directory.

        Raises:
            ValueError: if there is no finished run.
        """
        run_dir = Path(run_dir)
        if not (run_dir / "model.keras").exists():
            raise ValueError(f"{run_dir} has no model.keras: it is no finished run; train it first")
        target = Tokenizer.load(run_dir / "target.tokenizer.json")
        model = keras.saving.load_model(run_dir / "model.keras", compile=False)
        limits = json.loads((run_dir / "config.json").read_text(encoding="utf-8"))["task"]["limits"]
        return cls(model, target, (limits["source"], limits["target"]))

    @property
    def attends(self):
        """bool, whether the model has a decoder with attention; a CTC model has none."""
        return hasattr(self.model, "step")

    def recognise(self, recordings):
        """What is said in each recording.

        Args:
            recordings: list of float arrays `(samples,)`, from -1 to 1, at the model's rate.

        Returns:
            list of str; "" where nothing is said.

        Raises:
            ValueError: if a recording is empty, too long, not finite, or no such array.
        """
        texts = [None] * len(recordings)
        for places, *inputs in self._batches(recordings):
            found = self._listen(*inputs)
            ids = np.asarray(found).tolist() if self.attends else ctc.best_path(found)
            for place, own in zip(places, ids, strict=True):
                texts[place] = self.target.decode(own)
        return texts

    def scores(self, recordings, texts, draws=1000):
        """How well the recordings are written down, with the interval of a bootstrap over them.

        Args:
            recordings: list of float arrays, as for `recognise`.
            texts: list of str, what is said in each.
            draws: int.

        Returns:
            dict of "exact" (share of texts without an error) and "word_errors" (word error rate) -> dict of `value`,
            `low`, `high`; and "outputs", list of str.
        """
        outputs = self.recognise(recordings)
        exact = np.array([output == text for output, text in zip(outputs, texts, strict=True)])
        counts = text_scores.word_errors(outputs, texts)
        intervals = {"exact": bootstrap(exact, draws), "word_errors": bootstrap(counts, draws, score=ratio)}
        values = {"exact": float(exact.mean()), "word_errors": float(ratio(counts.sum(axis=0)))}
        rows = {name: {"value": values[name], "low": low, "high": high} for name, (low, high) in intervals.items()}
        return {**rows, "outputs": outputs}

    def alignment(self, samples):
        """When it hears what.

        Args:
            samples: float `(samples,)`, a recording.

        Returns:
            output tokens, list of str, with attention the end last; and float32 `(output, positions)`: the weights of
            the attention, or by CTC the probability of each token at each position. A position is
            `model.step_samples` long.
        """
        ((_, source, length),) = self._batches([samples])
        positions = -(-len(samples) // self.model.step_samples)
        if self.attends:
            ids = self.target.encode(self.recognise([samples])[0])
            inputs = {"source": source, "source_length": length, "target": np.array([[Tokenizer.START, *ids]])}
            weights = np.asarray(self.model.alignments(inputs))[0]
        else:
            logits = self.model({"source": source, "source_length": length})
            (ids,) = ctc.best_path(logits)
            weights = np.asarray(keras.ops.softmax(logits))[0][:, np.array(ids, int)].T
        words = [self.target.vocabulary[own] for own in ids] + (["<end>"] if self.attends else [])
        return words, weights[:, :positions]

    def features(self, samples):
        """What the front end makes of a recording: float32 `(frames, bands)`."""
        return np.asarray(self.model.features(np.asarray(samples, "float32")[None], np.array([len(samples)], "int32")))[
            0
        ]

    @functools.cached_property
    def _listen(self):
        """Function of source and its length to ids, or by CTC to logits; traced once for all shapes."""

        def listen(source, length):
            if self.attends:
                return decoding.greedy(self.model, source, length, self.limits[1])[0]
            return self.model({"source": source, "source_length": length}, training=False)

        shapes = [tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None,), tf.int32)]
        return tf.function(listen, input_signature=shapes, autograph=False)

    def _batches(self, recordings):
        """Batches of recordings of like length: places, samples `(batch, time)` and lengths `(batch,)`."""
        recordings = [check_recording(samples, self.limits[0], self.model.rate) for samples in recordings]
        order = sorted(range(len(recordings)), key=lambda place: len(recordings[place]))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            length = np.array([len(recordings[place]) for place in places], "int32")
            source = np.zeros((len(places), -(-int(length.max()) // _ROUND) * _ROUND), "float32")
            for row, place in zip(source, places, strict=True):
                row[: len(recordings[place])] = recordings[place]
            yield places, source, length


def check_recording(samples, longest, rate):
    """A recording as float32 `(samples,)`.

    Args:
        samples: array.
        longest: int, samples.
        rate: int, samples a second.

    Raises:
        ValueError: if it is empty, too long, has several channels, is of whole numbers or not finite.
    """
    samples = np.asarray(samples)
    if samples.ndim != 1:
        raise ValueError(f"a recording has shape {samples.shape}, wanted (samples,); mix its channels into one")
    if samples.dtype.kind != "f":
        raise ValueError(f"a recording is {samples.dtype}, wanted floats from -1 to 1; divide int16 by 32768")
    if not 0 < len(samples) <= longest:
        raise ValueError(
            f"a recording has {len(samples)} samples, {len(samples) / rate:.1f} s; give up to {longest / rate:g} s, a "
            "longer one cut at its pauses"
        )
    if not np.isfinite(samples).all():
        raise ValueError(
            f"{(~np.isfinite(samples)).sum()} of {len(samples)} samples are not finite; the file is broken"
        )
    return samples.astype("float32")
