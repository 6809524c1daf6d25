"""Bundles whose snippets are run: of each task that labels a small one with what Keras answers, and the dates."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from export import bundle as bundles
from export import runtime
from export.readme import readme
from export.snippets import Call
from keras_seq.data.tokenizer import Tokenizer

DATES = Path(bundles.__file__).parent.parent / "bundles" / "dates"
LABELS = ["cheese", "tea", "weather"]
LIMIT, VOCABULARY = 7, 301
IDS = [[5], [300, 4, 17, 9], [8, 7, 6, 5, 4, 3, 9]]
PICTURE = {"height": 5, "width": 4, "channels": 3}
PATHS = {"tflite": "model.float32.tflite", "onnx": "onnx.float32", "saved_model": "saved_model"}


@dataclass
class Example:
    """A bundle, inputs for its snippets, and what they shall answer."""

    folder: Path
    manifest: dict
    inputs: list
    answers: list

    @property
    def function(self):
        """Name of the snippet's function."""
        return self.manifest["task"]

    def call(self, format):
        """What a snippet for the artefact of a format calls."""
        return Call.of(self.manifest, next(one for one in self.manifest["artefacts"] if one["format"] == format))

    def check(self, answers):
        """Labels or texts the same, probabilities to rounding."""
        answers = [list(one.values()) if isinstance(one, dict) else one for one in answers]
        assert len(answers) == len(self.answers)
        for answer, wanted in zip(answers, self.answers, strict=True):
            if isinstance(wanted, list):
                assert answer == wanted
            else:
                assert answer[0] == wanted[0] and answer[1] == pytest.approx(wanted[1], abs=1e-4)


def small_model(task):
    """A Keras model of few weights, for padded ids or pictures."""
    import keras

    keras.utils.set_random_seed(3)
    if task == "picture":
        layers = [keras.Input(tuple(PICTURE.values())), keras.layers.Flatten(), keras.layers.Dense(len(LABELS))]
    else:
        layers = [keras.Input((None,), dtype="int32"), keras.layers.Embedding(VOCABULARY, 6, mask_zero=True)]
        layers += [] if task == "tag" else [keras.layers.GlobalAveragePooling1D()]
        layers += [keras.layers.Dense(len(LABELS), kernel_initializer="normal")]
    model = keras.Sequential(layers)
    model.set_weights([40 * weight for weight in model.get_weights()])  # clear answers
    return model


@pytest.fixture(scope="session")
def labelled(tmp_path_factory):
    """Of "classify", "tag" and "picture" an `Example` in every format."""
    return {task: _labelled(task, tmp_path_factory.mktemp(task) / "bundle") for task in ("classify", "tag", "picture")}


def _labelled(task, folder):
    from export import onnx, saved_model, tflite

    folder.mkdir()
    model, limits = small_model(task), {"source": LIMIT}
    for module, path in ((tflite, PATHS["tflite"]), (onnx, PATHS["onnx"]), (saved_model, PATHS["saved_model"])):
        module.convert(model, limits, folder / path)
    signatures = {
        "tflite": runtime.LiteRTSession(folder / PATHS["tflite"]).signatures,
        "onnx": runtime.ONNXSession(folder / PATHS["onnx"]).signatures,
    }
    signatures["saved_model"] = signatures["onnx"]
    common = {"precision": "float32"}
    artefacts = [
        common
        | {"format": format, "path": path, "files": bundles.files_of(folder, path), "signatures": signatures[format]}
        for format, path in PATHS.items()
    ]
    manifest = {"schema_version": 1, "task": "classify" if task == "picture" else task, "name": task}
    manifest |= {"labels": "labels.json", "label_names": LABELS, "artefacts": artefacts}
    if task == "picture":
        manifest |= {"picture": PICTURE}
        inputs = np.random.default_rng(0).integers(0, 256, (3, np.prod(list(PICTURE.values())))).tolist()
    else:
        manifest |= {"limits": limits, "vocabularies": {"source": "source.tokenizer.json"}}
        Tokenizer.train(["abc"]).save(folder / "source.tokenizer.json")
        inputs = IDS
    bundles.write_json(folder / "labels.json", LABELS)
    bundles.copy_runtime(folder)
    (folder / "README.md").write_text(readme(manifest, folder), encoding="utf-8")
    bundles.write_manifest(folder, manifest)
    return Example(folder, manifest, inputs, [answer_of(model, task, one) for one in inputs])


def answer_of(model, task, given):
    """Keras's answer: label and probability, or tags."""
    import keras

    if task == "picture":
        batch = np.reshape(given, (1, *PICTURE.values())).astype("float32") / 255
    else:
        batch = np.array([given], "int32")
    probabilities = np.asarray(keras.ops.softmax(model(batch)))[0]
    if task == "tag":
        return [LABELS[best] for best in probabilities.argmax(axis=1)]
    return LABELS[int(probabilities.argmax())], float(probabilities.max())


@pytest.fixture(scope="session")
def tagged(words):
    """The bundle of words and characters; an input is of each token its id and those of its characters."""
    folder, answers = words
    manifest = runtime.read_manifest(folder)
    letters = manifest["limits"]["characters"]
    inputs = [
        [ids, [(spelled + [0] * letters)[:letters] for spelled in tokens]]
        for ids, tokens in zip(answers["source_ids"], answers["character_ids"], strict=True)
    ]
    wanted = [[tags.split(" "), label] for tags, label in zip(answers["output"], answers["label_output"], strict=True)]
    return Example(folder, manifest, inputs[:7], wanted[:7])


@pytest.fixture(scope="session")
def dates(tmp_path_factory):
    """The ready bundle of dates, with its characters in the manifest, and `texts`, which its inputs are the ids of."""
    folder = Path(shutil.copytree(DATES, tmp_path_factory.mktemp("dates") / "bundle"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["characters"] = {
        role: Tokenizer.load(folder / f"{role}.tokenizer.json").vocabulary for role in ("source", "target")
    }
    bundles.write_json(folder / "manifest.json", manifest)
    samples = json.loads((folder / "samples.json").read_text(encoding="utf-8"))[:5]
    sure = [float(np.exp(np.sum(one["log_probability"]))) for one in samples]
    answers = [(one["output"], confidence) for one, confidence in zip(samples, sure, strict=True)]
    example = Example(folder, manifest, [one["source_ids"] for one in samples], answers)
    example.texts = [one["text"] for one in samples]
    return example


@pytest.fixture
def echo(toy):
    """The toy bundle, whose vocabulary is not in the manifest: it writes the ids that it reads."""
    return Example(toy, runtime.read_manifest(toy), [[5, 6, 7]], [([5, 6, 7], float(np.exp(-0.3)))])


@pytest.fixture(scope="session")
def normalizer(dates):
    """How the bundle of dates normalises what it reads."""
    return json.loads((dates.folder / "source.tokenizer.json").read_text(encoding="utf-8"))["normalizer"]
