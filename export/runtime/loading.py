"""Opening a bundle: which artefact, and what its task is."""

import json
from pathlib import Path

from .bundle import RUNTIMES
from .errors import MEND, BundleError, is_installed, one_line, package
from .generator import AudioGenerator, Generator, PictureGenerator
from .labels import PictureClassifier, Tagger, TextClassifier
from .manifest import check_file, labels_sentences, read_manifest, read_with, roles_of, source_of
from .sessions import LiteRTSession, ONNXSession
from .text import read_tokenizer


def load(bundle, format=None, precision=None, threads=None):
    """Opens a bundle.

    Only the manifest, the vocabularies and the chosen artefact are needed: the other artefacts may have been deleted.

    Args:
        bundle: str or path of the folder.
        format: "tflite" or "onnx"; None takes the first that is there and whose package is installed.
        precision: str as the manifest has it, such as "float32"; None takes the first.
        threads: int, number of threads; None leaves it to the package.

    Returns:
        `Generator`, `AudioGenerator`, `PictureGenerator`, `TextClassifier`, `Tagger` or `PictureClassifier`, as the
        manifest's task has it.

    Raises:
        BundleError: if the bundle is damaged or has nothing of that format and precision.
        ImportError: if a package is missing; the message says what to install.
        ValueError: if `threads` is less than 1.
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads={threads} is too few; wanted 1 or more, or None")
    package("numpy", "numpy")
    folder = Path(bundle)
    manifest = read_manifest(folder)
    artefact = _choose(folder, manifest, format, precision)
    for name in (*read_with(manifest), *artefact["files"]):
        check_file(folder, name, manifest["files"][name])
    session = {"tflite": LiteRTSession, "onnx": ONNXSession}[artefact["format"]](folder / artefact["path"], threads)
    vocabularies = {role: read_tokenizer(folder, manifest["vocabularies"][role]) for role in roles_of(manifest)}
    if manifest["task"] == "generate":
        kind = {"text": Generator, "audio": AudioGenerator, "picture": PictureGenerator}[source_of(manifest)]
        return kind(manifest, artefact, session, *vocabularies.values())
    labels = _labels(folder, manifest["labels"])
    if source_of(manifest) == "picture":
        return PictureClassifier(manifest, artefact, session, labels)
    loaded = (manifest, artefact, session, vocabularies["source"], labels, vocabularies.get("characters"))
    if manifest["task"] == "classify":
        return TextClassifier(*loaded)
    return Tagger(*loaded, _labels(folder, manifest["sentence_labels"]) if labels_sentences(manifest) else None)


def _labels(folder, name):
    try:
        labels = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{folder / name} is not whole JSON ({one_line(error)}); {MEND}") from error
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise BundleError(f"{folder / name} is not a list of labels; {MEND}")
    return labels


def _choose(folder, manifest, format, precision):
    """The manifest's entry for the artefact to use."""
    if format is not None and format not in RUNTIMES:
        raise BundleError(f"format {format!r} is not one that this runtime reads; choose one of {', '.join(RUNTIMES)}")
    candidates = [
        artefact
        for known in RUNTIMES
        for artefact in manifest["artefacts"]
        if artefact["format"] == known and format in (None, known) and precision in (None, artefact["precision"])
    ]
    if not candidates:
        there = ", ".join(f"{artefact['format']} {artefact['precision']}" for artefact in manifest["artefacts"])
        raise BundleError(
            f"the bundle has no artefact of format {format or 'tflite or onnx'} and precision {precision or 'any'}, it "
            f"has {there}; choose another, or build it with `python -m export build RUN`"
        )
    there = [artefact for artefact in candidates if any((folder / name).exists() for name in artefact["files"])]
    candidates = there or candidates
    for artefact in candidates:
        if is_installed(RUNTIMES[artefact["format"]][0]):
            return artefact
    packages = dict.fromkeys(RUNTIMES[artefact["format"]][1] for artefact in candidates)
    raise ImportError(f"nothing that runs the bundle is installed: pip install {' (or) '.join(packages)}")
