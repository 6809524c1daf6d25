"""Small runs of labels with random weights, of every form that the exporter takes, as a recipe would write them."""

import importlib
import json
import shutil

import keras
import numpy as np

from export import bundle as bundles
from export import cases, prove, reference_labels, verification
from export.convert import artefact_name
from export.describe import describe, manifest_of
from export.examples import Task
from keras_seq.data.tokenizer import Tokenizer

WORDS = ["play", "the", "Song", "by", "Queen", "weather", "in", "Rome", "rate", "book", "4", "stars", "and", "table"]
LIMIT, LETTERS = 9, 5
TAGS, SENTENCES = ["O", "B-x", "I-x"], ["music", "weather"]
EXAMPLES = 41


def write_run(run, *, characters=True, sentences=True, tags=TAGS):
    """A run directory of a tagger of words.

    Args:
        run: `pathlib.Path` of the folder to make.
        characters: bool, whether the model reads the characters of each word too.
        sentences: bool, whether it labels the sentence too.
        tags: list of str; two are told apart by a single logit.

    Returns:
        the `keras.Model`.
    """
    run.mkdir()
    random = np.random.default_rng(7)
    texts = [" ".join(random.choice(WORDS, random.integers(1, LIMIT + 1))) for _ in range(EXAMPLES)]
    source = Tokenizer.train(texts, kind="token", lowercase=True, vocabulary_size=13)
    spelling = Tokenizer.train(texts)
    model = tagger(len(source), len(spelling) if characters else 0, sentences, 1 if len(tags) == 2 else len(tags))
    model.save(run / "model.keras")
    source.save(run / "source.tokenizer.json")
    task = {"name": run.name, "kind": "tag", "limits": {"source": LIMIT}}
    if characters:
        task["characters"] = {"width": LETTERS}
        spelling.save(run / "characters.tokenizer.json")
    rows = [[text, " ".join(random.choice(tags, len(text.split(" "))))] for text in texts]
    if sentences:
        task["sentence_labels"] = True
        rows = [[*row, str(random.choice(SENTENCES))] for row in rows]
        (run / "sentence_labels.json").write_text(json.dumps(SENTENCES), encoding="utf-8")
    (run / "labels.json").write_text(json.dumps(tags), encoding="utf-8")
    (run / "config.json").write_text(json.dumps({"task": task}), encoding="utf-8")
    (run / "results.json").write_text("{}", encoding="utf-8")
    (run / "test.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return model


def tagger(words, characters, sentences, tags):
    """Words, with or without the mean of their characters, through a bidirectional LSTM."""
    keras.utils.set_random_seed(3)
    inputs = {"ids": keras.Input((None,), dtype="int32", name="ids")}
    read = [keras.layers.Embedding(words, 6, mask_zero=True)(inputs["ids"])]
    if characters:
        inputs["characters"] = keras.Input((None, None), dtype="int32", name="characters")
        spelled = keras.layers.Embedding(characters, 4)(inputs["characters"])  # (batch, time, letters, features)
        read.append(keras.ops.mean(spelled, axis=2))
    hidden, mask = keras.layers.Concatenate()(read) if characters else read[0], keras.ops.not_equal(inputs["ids"], 0)
    hidden = keras.layers.Bidirectional(keras.layers.LSTM(8, return_sequences=True))(hidden, mask=mask)
    outputs = keras.layers.Dense(tags)(hidden)
    if sentences:
        last = keras.layers.GRU(5)(hidden, mask=mask)
        outputs = {"tags": outputs, "label": keras.layers.Dense(len(SENTENCES))(last)}
    model = keras.Model(inputs if characters else inputs["ids"], outputs)
    random = np.random.default_rng(5)
    model.set_weights([random.normal(0, 0.8, weight.shape) for weight in model.get_weights()])
    return model


def write_bundle(run, model, folder, formats=("tflite", "onnx")):
    """A bundle of a run, as `export.build` would write it, but converted in this process and not proven.

    Args:
        run: path of the run directory.
        model: the run's `keras.Model`.
        folder: `pathlib.Path` of the folder to make.
        formats: iterable of str.

    Returns:
        the manifest, and what Keras answers to the test set, see `export.reference_labels.of_labels`.
    """
    folder.mkdir()
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    task = Task.of(config)
    for name in task.files:
        if not name.startswith("test."):
            shutil.copyfile(run / name, folder / name)
    answers, keras_s = reference_labels.of_labels(model, run, task, slice(EXAMPLES))
    cases.write(folder / verification.CASES, reference_labels.label_cases(model, task, answers))
    entries = [_entry(format, model, task, folder, keras_s["score"]) for format in formats]
    manifest = manifest_of(config, {}, task, keras_s, entries, folder)
    describe(folder, manifest, answers)
    return bundles.write_manifest(folder, manifest), answers


def _entry(format, model, task, folder, score):
    path = artefact_name(format, "float32")
    importlib.import_module(f"export.{format}").convert(model, task.limits, folder / path)
    files = bundles.files_of(folder, path)
    return {
        "format": format,
        "precision": "float32",
        "path": path,
        "files": files,
        "bytes": sum((folder / name).stat().st_size for name in files),
        "signatures": prove.open_session(format, folder / path).signatures,
        "task": {"score": score, "latency_ms": 1.0},
        "numbers": {},
        "runtimes": [],
    }
