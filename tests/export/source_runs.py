"""Small runs whose source is audio or a picture, with random weights, as a recipe would write them.

What their targets are the models say themselves, so that every score is 1; of many sources those are taken of which
they are surest, so that 8 bits need not change a token.
"""

import json

import keras
import numpy as np
from keras import ops

from export.sources import inputs_of
from keras_seq import decoding
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.layers import AttentionDecoder, length_mask

RATE, MOST, WRITTEN = 8000, 900, 9
AUDIO = {"rate": RATE, "channels": 1, "window": 64, "hop": 32}
PICTURE = {"height": 12, "width": 10, "channels": 3}
EXAMPLES = 26
WORDS = "zero one two three four five six seven eight nine".split()


@keras.saving.register_keras_serializable("tests")
class LogPowers(keras.layers.Layer):
    """Logarithm of the power in each frequency of each window: `(batch, samples)` to `(batch, frames, frequencies)`."""

    def __init__(self, window=64, hop=32, **kwargs):
        super().__init__(**kwargs)
        turn = 2 * np.pi * np.outer(np.arange(window), np.arange(1, window // 2)) / window
        fade = np.hanning(window)[:, None]
        self._kernel = np.concatenate([np.cos(turn) * fade, np.sin(turn) * fade], axis=1)[:, None].astype("float32")
        self._window, self._hop = window, hop

    def call(self, samples, lengths):
        samples = samples * ops.cast(length_mask(lengths, ops.shape(samples)[1]), "float32")
        padded = ops.pad(samples, [[0, 0], [0, self._window - 1]])
        waves = ops.conv(ops.expand_dims(padded, 2), self._kernel, strides=self._hop, padding="valid")
        real, imaginary = ops.split(waves, 2, axis=-1)
        powers = real * real + imaginary * imaginary  # (batch, frames, frequencies)
        return ops.log(ops.maximum(powers, 1e-6)) / 8

    def frames(self, lengths):
        """How many windows begin before the end: int32 `(batch,)`."""
        return (lengths - 1) // self._hop + 1

    def compute_output_spec(self, samples, lengths):
        return keras.KerasTensor((samples.shape[0], None, self._window // 2 - 1))


class RealFrames(keras.layers.Layer):
    """The mask of the first so many frames."""

    def call(self, values, frames):
        return length_mask(frames, ops.shape(values)[1])

    def compute_output_spec(self, values, frames):
        return keras.KerasTensor(values.shape[:2], "bool")


class Writing(keras.Model):
    """What both generators share: the step."""

    def step(self, token, state, memory):
        output, hidden = self._parts["decoder"].step(self._parts["embedding"](token), state["hidden"], memory)
        return self._parts["readout"](output), {"hidden": hidden}

    def get_config(self):
        return self._config


def writing_layers(vocabulary, units):
    return {
        "embedding": keras.layers.Embedding(vocabulary, 6, name="embedding"),
        "bridge": keras.layers.Dense(units, activation="tanh", name="bridge"),
        "decoder": AttentionDecoder(units, name="decoder"),
        "readout": keras.layers.Dense(vocabulary, name="readout"),
    }


def decoded(parts, target, values, lengths, first):
    """Teacher-forced logits."""
    return parts["readout"](parts["decoder"](parts["embedding"](target), parts["bridge"](first), values, lengths))


@keras.saving.register_keras_serializable("tests")
class Listener(Writing):
    """Log powers, a GRU over them, and the library's decoder.

    Args:
        leaks: bool, forgets to mask what is behind the recording.
    """

    def __init__(self, vocabulary, units=32, leaks=False, name="listener"):
        parts = writing_layers(vocabulary, units) | {
            "powers": LogPowers(name="powers"),
            "bands": keras.layers.Dense(32, name="bands"),
            "encoder": keras.layers.GRU(units, return_sequences=True, return_state=True, name="encoder"),
        }
        source = keras.Input((None,), dtype="float32", name="source")
        length = keras.Input((), dtype="int32", name="source_length")
        target = keras.Input((None,), dtype="int32", name="target")
        logits = decoded(parts, target, *hear(parts, source, length, leaks))
        super().__init__({"source": source, "source_length": length, "target": target}, logits, name=name)
        self._config, self._parts = {"vocabulary": vocabulary, "units": units, "leaks": leaks, "name": name}, parts

    def encode(self, source, source_length):
        values, frames, first = hear(self._parts, source, source_length, self._config["leaks"])
        return self._parts["decoder"].prepare(values, frames), {"hidden": self._parts["bridge"](first)}


def hear(parts, source, length, leaks=False):
    """Encoder outputs `(batch, frames, units)`, real frames `(batch,)`, the last state `(batch, units)`."""
    powers, frames = parts["powers"](source, length), parts["powers"].frames(length)
    mask = RealFrames()(powers, frames)
    values, last = parts["encoder"](parts["bands"](powers), mask=None if leaks else mask)
    return values * ops.expand_dims(ops.cast(mask, "float32"), 2), frames, last


@keras.saving.register_keras_serializable("tests")
class Captioner(Writing):
    """A convolution, whose cells the library's decoder attends to."""

    def __init__(self, vocabulary, units=32, name="captioner"):
        parts = writing_layers(vocabulary, units) | {
            "cells": keras.layers.Conv2D(16, 3, strides=2, activation="relu", name="cells"),
        }
        image = keras.Input(tuple(PICTURE.values()), name="image")
        target = keras.Input((None,), dtype="int32", name="target")
        super().__init__({"image": image, "target": target}, decoded(parts, target, *look(parts, image)), name=name)
        self._config, self._parts = {"vocabulary": vocabulary, "units": units, "name": name}, parts

    def encode(self, image):
        values, cells, first = look(self._parts, image)
        return self._parts["decoder"].prepare(values, cells), {"hidden": self._parts["bridge"](first)}


def look(parts, image):
    """Cells `(batch, cells, features)`, how many `(batch,)`, their mean `(batch, features)`."""
    seen = parts["cells"](image)
    values = ops.reshape(seen, (-1, seen.shape[1] * seen.shape[2], seen.shape[3]))
    cells = ops.cast(ops.zeros_like(image[:, 0, 0, 0]), "int32") + values.shape[1]
    return values, cells, ops.mean(values, axis=1)


def recordings(count=8 * EXAMPLES, seed=4):
    """Tones, each of its own pitch, strength and length: list of int16 `(samples,)`."""
    random = np.random.default_rng(seed)
    made = []
    for length in random.integers(100, MOST + 1, count):
        pitch = 2 * np.pi * random.uniform(100, 3500, 2) / RATE
        tones = np.sin(np.outer(np.arange(length), pitch)) @ random.uniform(0.1, 0.5, 2)
        made.append((8000 * tones + random.normal(0, 9, length)).astype("int16"))
    return made


def pictures(count=8 * EXAMPLES, seed=4):
    """Slopes of colours: uint8 `(count, height, width, channels)`."""
    random, (height, width, channels) = np.random.default_rng(seed), PICTURE.values()
    y, x = np.mgrid[:height, :width] / height
    slopes = random.uniform(-200, 200, (count, 2, 1, 1, channels))
    light = random.uniform(0, 255, (count, 1, 1, channels))
    return np.clip(light + slopes[:, 0] * y[..., None] + slopes[:, 1] * x[..., None], 0, 255).astype("uint8")


def write_run(run, kind, score="exact_match", **options):
    """A run directory.

    Args:
        run: `pathlib.Path` of the folder to make.
        kind: "audio" or "picture".
        score: see `export.generator_scores`.
        options: of the model.

    Returns:
        the `keras.Model`.
    """
    run.mkdir(parents=True)
    target = Tokenizer.train(
        ["abcdefgh ijk"] if score == "exact_match" else [" ".join(WORDS)],
        kind="character" if score == "exact_match" else "token",
    )
    keras.utils.set_random_seed(8)
    model = (Listener if kind == "audio" else Captioner)(len(target), **options)
    random = np.random.default_rng(3)
    for weight in model.weights:
        inputs = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 100
        weight.assign(random.normal(size=weight.shape) * 3 / np.sqrt(inputs))  # clear answers
    bias = model.weights[-1].numpy()
    bias[[0, 1, 3]] = -99  # neither padding nor start nor unknown, which no text has
    model.weights[-1].assign(bias)
    model.save(run / "model.keras")
    target.save(run / "target.tokenizer.json")
    task = {"name": f"small {kind}", "kind": "generate", "score": score}
    rows = recordings() if kind == "audio" else list(pictures())
    ids, sure = written_by(model, rows)
    clearest = sorted(np.argsort(-sure, kind="stable")[:EXAMPLES])
    rows, written = [rows[place] for place in clearest], [target.decode(ids[place]) for place in clearest]
    if kind == "audio":
        arrays = {"samples": np.concatenate(rows), "lengths": np.asarray([len(row) for row in rows])}
        task |= {"limits": {"source": MOST, "target": WRITTEN}, "audio": AUDIO}
    else:
        arrays, written = {"images": np.stack(rows)}, [("another", text) for text in written]
        task |= {"limits": {"target": WRITTEN}, "picture": PICTURE}
    np.savez(run / "test.npz", targets=np.asarray(written), **arrays)
    (run / "config.json").write_text(json.dumps({"task": task}), encoding="utf-8")
    (run / "results.json").write_text("{}", encoding="utf-8")
    return model


def written_by(model, rows):
    """What a model writes for each row, int32 `(rows, WRITTEN)`, and how clear its least clear token is."""
    inputs = inputs_of(rows)
    ids = np.asarray(decoding.greedy(model, *inputs.values(), *([None] if len(inputs) == 1 else []), WRITTEN)[0])
    before = np.concatenate([np.full_like(ids[:, :1], decoding.START), ids[:, :-1]], axis=1)
    best = np.sort(np.asarray(model({**inputs, "target": before})), axis=-1)  # (rows, target, vocabulary)
    return ids, np.where(ids == 0, np.inf, best[..., -1] - best[..., -2]).min(axis=1)
