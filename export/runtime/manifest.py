"""manifest.json: what a bundle says of itself, checked in full before anything of it is used."""

import hashlib
import json
import types
from pathlib import Path

from .errors import MEND, BundleError, one_line, short

SCHEMA_VERSION = 1
_TENSORS = {"*": {"shape": [int | None], "dtype": str}}
# What a task has, beside what all have: a vocabulary and a limit for each role. A source that is no text has no
# vocabulary, but the rate of its audio or the size of its pictures.
_ROLES = {"generate": ("source", "target"), "classify": ("source",), "tag": ("source",)}
_LABELLED = ("classify", "tag")
_PICTURE = {"height": int, "width": int, "channels": int}
_AUDIO = {"rate": int, "channels": int}
_MANIFEST = {
    "name": str,
    "files": {"*": {"bytes": int, "sha256": str}},
    "artefacts": [
        {
            "format": str,
            "precision": str,
            "path": str,
            "files": [str],
            "signatures": {"*": {"inputs": _TENSORS, "outputs": _TENSORS}},
        }
    ],
}
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "a whole number",
    int | None: "a whole number or null",
}


def read_manifest(folder):
    """The manifest of a bundle, checked in full, without the files that it names.

    Args:
        folder: str or path of the bundle.

    Returns:
        dict.

    Raises:
        BundleError: if it is missing, damaged, of another version, or names anything outside the folder.
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(
            f"{folder} is not a bundle: it has no manifest.json; give the folder that `python -m export build` wrote"
        ) from None
    except OSError as error:
        raise BundleError(f"{folder}/manifest.json cannot be read ({error.strerror}); mend its permissions") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{folder}/manifest.json is not whole JSON ({one_line(error)}); {MEND}") from error
    _check_manifest(folder, manifest)
    return manifest


def _check_manifest(folder, manifest):
    _check_kind(manifest, {"schema_version": int, "task": str}, "manifest.json")
    for name, known in (("schema_version", (SCHEMA_VERSION,)), ("task", tuple(_ROLES))):
        if manifest[name] not in known:
            raise BundleError(
                f"manifest.json has {name} {short(manifest[name])}, this runtime reads "
                f"{' or '.join(map(repr, known))}; use the run.py that came with the bundle"
            )
    _check_kind(manifest, _MANIFEST, "manifest.json")
    every = manifest.get("vocabularies", {})  # those too that the task does not read
    _check_kind(every, {"*": str}, "vocabularies")
    for name in every.values():
        _check_name(folder, name)
    _check_task(manifest)
    threshold = threshold_of(manifest)
    if not isinstance(threshold, int | float) or isinstance(threshold, bool) or not 0 <= threshold <= 1:
        raise _damaged(f"confidence.threshold is {short(threshold)}", "a number from 0 to 1")
    files = manifest["files"]
    for name in (*files, *(artefact["path"] for artefact in manifest["artefacts"])):
        _check_name(folder, name)
    named = list(read_with(manifest))
    for artefact in manifest["artefacts"]:
        path, listed = artefact["path"], artefact["files"]
        opened = {"tflite": [path], "onnx": [f"{path}/{signature}.onnx" for signature in artefact["signatures"]]}
        if not listed or not set(opened.get(artefact["format"], ())) <= set(listed):
            raise _damaged(f"the artefact {short(path)} has the files {short(listed)}", "all that it is opened from")
        named += listed
    for name in named:
        if name not in files:
            raise _damaged(f"the file {short(name)} has no checksum", "an entry in files")


def _check_task(manifest):
    if manifest["task"] in _LABELLED:
        _check_kind(manifest, {"labels": str}, "manifest.json")
    if labels_sentences(manifest):
        _check_kind(manifest, {"sentence_labels": str}, "manifest.json")
    source, sizes = source_of(manifest), {}
    if source != "text":
        wanted = {"audio": _AUDIO, "picture": _PICTURE}[source]
        _check_kind(manifest[source], wanted, source)
        sizes = {f"{source}.{name}": manifest[source][name] for name in wanted}
    if source == "picture":
        _check_ground(manifest["picture"])
    if manifest["task"] == "generate" or source == "text":
        _check_kind(manifest, {"limits": {}}, "manifest.json")
        roles = roles_of(manifest)
        limited = ("source", *roles) if source == "audio" else roles
        _check_kind(
            manifest,
            {"limits": dict.fromkeys(limited, int), "vocabularies": dict.fromkeys(roles, str)},
            "manifest.json",
        )
        sizes |= {f"limits.{role}": manifest["limits"][role] for role in limited}
    for name, size in sizes.items():
        if not 0 < size < 2**31:
            raise _damaged(f"{name} is {short(size)}", "1 to 2147483647")


def _check_ground(picture):
    """What lies behind the things that the model knows: nothing is said of it, or it is dark, in 1 channel or 3."""
    ground, channels = picture.get("ground"), picture["channels"]
    if ground is not None and (ground != "dark" or channels not in (1, 3)):
        raise _damaged(
            f"picture.ground is {short(ground)} with {short(channels)} channels", "'dark' with 1 or 3, or nothing"
        )


def source_of(manifest):
    """What the bundle reads: "text", "audio" or "picture"; in a task that is not there for it either means nothing."""
    for source, tasks in (("picture", ("classify", "generate")), ("audio", ("generate",))):
        if source in manifest and manifest["task"] in tasks:
            return source
    return "text"


def labels_sentences(manifest):
    """Whether a tagger gives the sentence a label too."""
    return manifest["task"] == "tag" and "sentence_labels" in manifest


def roles_of(manifest):
    """The roles of a bundle's vocabularies, each of which has a limit: "characters" is how many of each token."""
    if source_of(manifest) != "text":
        return ("target",) if manifest["task"] == "generate" else ()
    spelled = manifest["task"] in _LABELLED and "characters" in manifest["limits"]
    return (*_ROLES[manifest["task"]], *(("characters",) if spelled else ()))


def read_with(manifest):
    """Names of the files that are read whichever artefact is used: vocabularies and labels."""
    for role in roles_of(manifest):
        yield manifest["vocabularies"][role]
    if manifest["task"] in _LABELLED:
        yield manifest["labels"]
    if labels_sentences(manifest):
        yield manifest["sentence_labels"]


def _check_kind(value, wanted, where):
    """Compares with a type, or with an example: a dict of names ("*" is any), or a list of one entry."""
    kind = wanted if isinstance(wanted, type | types.UnionType) else type(wanted)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _damaged(f"{where[:200]} is {short(value)}", _KINDS[kind])
    if isinstance(wanted, list):
        for index, entry in enumerate(value):
            _check_kind(entry, wanted[0], f"{where}[{index}]")
    elif isinstance(wanted, dict):
        for name in value if "*" in wanted else wanted:
            if name not in value:
                raise _damaged(f"{where[:200]} has no {name!r}", _KINDS[dict] + f" with {', '.join(wanted)}")
            _check_kind(value[name], wanted.get("*", wanted.get(name)), f"{where}: {name}")


def threshold_of(manifest):
    """The confidence from which an output is accepted; 0 where the manifest has none."""
    confidence = manifest.get("confidence")
    threshold = confidence.get("threshold") if isinstance(confidence, dict) else confidence
    return 0.0 if threshold is None else threshold


def _check_name(folder, name):
    """Refuses whatever could lead out of the folder, on any system."""
    plain = name.isprintable() and not set("\\:") & set(name) and not {"", ".", ".."} & set(name.split("/"))
    if not plain:
        raise _damaged(f"the file name {short(name)} may lead out of the bundle", "a plain relative path")
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:  # too long a name; a loop of links
        raise _damaged(f"the file name {short(name)} cannot be followed ({one_line(error)})", "a plain file") from error
    if not inside:
        raise _damaged(f"the file {short(name)} is a link out of the bundle", "a plain file")


def check_file(folder, name, entry):
    """Compares a file of a bundle with its entry in the manifest's `files`.

    Args:
        folder: path of the bundle.
        name: str, the file's name in the manifest.
        entry: dict of `bytes` and `sha256`.

    Raises:
        BundleError: if the file is missing, truncated or changed.
    """
    path = Path(folder, name)
    try:
        if not path.is_file():
            raise BundleError(f"{path} is missing; {MEND}")
        size = path.stat().st_size
        if size != entry["bytes"]:
            raise BundleError(f"{path} has {size} bytes, the manifest says {short(entry['bytes'])}; {MEND}")
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); mend its permissions, or {MEND}") from error
    if digest != entry["sha256"]:
        raise BundleError(f"{path} is not the file that was built: its sha256 is not the manifest's; {MEND}")


def _damaged(came, wanted):
    return BundleError(f"the manifest is damaged: {came}; wanted {wanted}; {MEND}")
