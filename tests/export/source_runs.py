"""Small runs whose source is audio or a picture, of the library's own models with random weights.

What their targets are the models say themselves, so that every score is 1; of many sources those are taken of which
they are surest, a few for each output, so that 8 bits need not change a token.
"""

import json
from functools import partial

import keras
import numpy as np
from keras import ops

from export.sources import inputs_of
from keras_seq import decoding
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import Captioner, SpeechToText

RATE, MOST, WRITTEN = 8000, 900, 9
FRONT_END = {"window": 128, "hop": 32}
AUDIO = {"rate": RATE, "channels": 1, **FRONT_END}
PICTURE = {"height": 12, "width": 10, "channels": 3}
EXAMPLES = 26
WORDS = "zero one two three four five six seven eight nine".split()


class Leaking(SpeechToText):
    """Takes what is behind a recording for silence that was recorded."""

    def encode(self, source, source_length):
        return super().encode(source, ops.zeros_like(source_length) + ops.shape(source)[1])


MODELS = {
    "audio": partial(
        SpeechToText, embedding_size=6, units=8, channels=3, num_layers=1, rate=RATE, **FRONT_END, bands=16
    ),
    "picture": partial(Captioner, **PICTURE, filters=(6,), units=16),
}


def recordings(count=8 * EXAMPLES, seed=4):
    """Tones, each of its own pitch, strength and length: list of int16 `(samples,)`."""
    random = np.random.default_rng(seed)
    made = []
    for length in random.integers(FRONT_END["window"], MOST + 1, count):
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


def write_run(run, kind, score="exact_match", model=None):
    """A run directory.

    Args:
        run: `pathlib.Path` of the folder to make.
        kind: "audio" or "picture".
        score: see `export.generator_scores`.
        model: class or function that makes one of so large a vocabulary; None takes the kind's own.

    Returns:
        the `keras.Model`.
    """
    run.mkdir(parents=True)
    target = Tokenizer.train(
        ["abcdefgh ijk"] if score == "exact_match" else [" ".join(WORDS)],
        kind="character" if score == "exact_match" else "token",
    )
    keras.utils.set_random_seed(8)
    model = (model or MODELS[kind])(len(target))
    random = np.random.default_rng(3)
    for weight in model.trainable_weights:  # a normalisation's variance is above 0, so it stays as it is
        drawn = random.normal(size=weight.shape)
        if len(weight.shape) > 1:
            weight.assign(drawn * 5 / np.sqrt(np.prod(weight.shape[:-1])))  # clear answers
        else:
            weight.assign_add(drawn * 0.3)
    bias = model.trainable_weights[-1].numpy()
    bias[[0, 1, 3]] = -99  # neither padding nor start nor unknown, which no text has
    model.trainable_weights[-1].assign(bias)
    model.save(run / "model.keras")
    target.save(run / "target.tokenizer.json")
    task = {"name": f"small {kind}", "kind": "generate", "score": score}
    rows = recordings() if kind == "audio" else list(pictures())
    ids, sure = written_by(model, rows)
    texts = [target.decode(row) for row in ids]
    # Among several targets "" stands for none.
    some = [place for place, text in enumerate(texts) if text and text == text.strip()]
    clearest = sorted(some, key=lambda place: (texts[:place].count(texts[place]) // 5, -sure[place]))
    clearest = sorted(clearest[:EXAMPLES])
    rows, written = [rows[place] for place in clearest], [texts[place] for place in clearest]
    if kind == "audio":
        arrays = {"samples": np.concatenate(rows), "lengths": np.asarray([len(row) for row in rows])}
        task |= {"limits": {"source": MOST, "target": WRITTEN}, "audio": AUDIO}
    else:
        # The second target counts as the first does; and where it is second, sources that follow have different ones.
        written = [("another", text) if place % 2 else (text, "another") for place, text in enumerate(written)]
        arrays = {"images": np.stack(rows)}
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
