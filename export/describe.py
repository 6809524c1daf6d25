"""Everything in a bundle that is not a model: manifest, samples, the stand-alone runtime and the README."""

import json
import sys
from importlib.metadata import PackageNotFoundError, version

from export import bundle as bundles
from export import runtime, ship
from export.example_files import write_example
from export.examples import read_labels
from export.prove_generator import SAMPLES
from export.readme import readme
from keras_seq.whole_file import whole_file

_ROLES = ("source", "characters", "target")
# How `keras_seq.data.tokenizer` cuts a text into characters.
_EACH_CHARACTER = {"Regex": r"[\s\S]"}
_PACKAGES = ("tensorflow", "keras", "tf2onnx", "onnxruntime", "ai-edge-litert", "tokenizers", "numpy")


def manifest_of(config, results, task, keras, entries, staging):
    """The manifest, but for the checksums.

    Args:
        config, results: dicts, of the run.
        task: `export.examples.Task`.
        keras: dict, Keras's own `score`, `bytes` and `latency_ms`.
        entries: list of what `export.verification.examine` returned of artefacts that passed.
        staging: path of the folder that has the vocabularies.

    Returns:
        dict.
    """
    vocabularies = {role: f"{role}.tokenizer.json" for role in _ROLES if f"{role}.tokenizer.json" in task.files}
    manifest = {
        "schema_version": runtime.SCHEMA_VERSION,
        "task": task.kind,
        "name": task.name,
        "limits": task.limits,
        "vocabularies": vocabularies,
        "characters": _characters(staging, vocabularies),
        "normalisation": "the normalizer of each tokenizer.json",
        "confidence": results.get("confidence"),
        "keras": keras,
        "artefacts": [_artefact(entry) for entry in entries],
        "made_by": _versions(),
    }
    if task.kind == "generate":
        manifest |= {"score": task.score}
    if "labels.json" in task.files:
        manifest |= {"labels": "labels.json", "label_names": read_labels(staging)}
    if task.sentence_labels:
        names = read_labels(staging, "sentence_labels.json")
        manifest |= {"sentence_labels": "sentence_labels.json", "sentence_label_names": names}
    if task.picture or task.audio:
        manifest |= {"picture": task.picture} if task.picture else {"audio": task.audio}
        del manifest["normalisation"]
    if not vocabularies:
        for name in ("limits", "vocabularies", "characters"):
            del manifest[name]
    return manifest | {"ship": ship.advice(manifest["artefacts"])}


def _artefact(entry):
    kept = ("format", "precision", "profile", "path", "files", "bytes", "signatures", "kept_in_float", "quantisation")
    return {
        **{name: entry[name] for name in kept if name in entry},
        **entry["task"],
        "max_error": {name: seen["max_error"] for name, seen in entry["numbers"].items()},
        "runtimes": {line["runtime"]: line["reason"] or "runs" for line in entry["runtimes"]},
    }


def _characters(staging, vocabularies):
    """The vocabularies that are characters, as plain lists by id: a port needs no library to read them."""
    found = {}
    for role, name in vocabularies.items():
        tokenizer = json.loads((staging / name).read_text(encoding="utf-8"))
        cutter, vocabulary = tokenizer.get("pre_tokenizer"), tokenizer["model"]["vocab"]
        if cutter and cutter.get("pattern") == _EACH_CHARACTER:
            found[role] = sorted(vocabulary, key=vocabulary.get)
    return found


def _versions():
    found = {"keras_seq": _version("keras_seq")}
    found.update({name: _version(name) for name in _PACKAGES})
    return {"python": sys.version.split()[0], **{name: number for name, number in found.items() if number}}


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def describe(staging, manifest, reference):
    """Writes `samples.json`, an example as a file, `run.py` with the runtime, and `README.md`.

    Args:
        staging: path of the folder.
        manifest: dict.
        reference: dict of lists that `export.reference` returned.
    """
    count = min(SAMPLES, len(reference["target"]))
    samples = [{name: answers[index] for name, answers in reference.items()} for index in range(count)]
    bundles.write_json(staging / "samples.json", samples)
    write_example(staging, samples[0], manifest.get("audio", {}).get("rate"))
    bundles.copy_runtime(staging)
    with whole_file(staging / "README.md") as temporary:
        temporary.write_text(readme(manifest, staging), encoding="utf-8")
