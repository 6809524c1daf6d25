"""A run directory -> a bundle: converts, proves and describes every artefact, each in a process of its own."""

import json
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from export import bundle as bundles
from export import children, errors, runtime
from export.convert import PRECISIONS, artefact_name

FORMATS = tuple(PRECISIONS)
# What is built when nobody says what: float32 everywhere, and the small file for phones.
SENSIBLE = {"saved_model": ("float32",), "tflite": ("float32", "dynamic_int8"), "onnx": ("float32",)}
_TIMEOUT = 600
_TEST_EXAMPLES = 1000
_SAMPLES = 32
_PACKAGES = ("tensorflow", "keras", "tf2onnx", "onnxruntime", "ai-edge-litert", "tokenizers", "numpy")


@dataclass(frozen=True)
class Built:
    """What `build` made: the bundle's folder, its manifest, and the refused artefacts with their reasons."""

    path: Path
    manifest: dict
    refused: dict


def build(run, out=None, formats=FORMATS, precisions=None, beams=None, timeout=_TIMEOUT, progress=print):
    """Exports a trained run to a bundle, in which every artefact was held against Keras.

    A float32 artefact writes what Keras writes, token for token; another precision scores at most half a point less.

    Args:
        run: path of a run directory: `model.keras`, `config.json`, `results.json`, both tokenizers and `test.tsv`.
        out: path of the bundle; by default `bundle` in the run directory. An older bundle there is replaced.
        formats: some of "saved_model", "tflite" and "onnx".
        precisions: some of those in `export.convert.PRECISIONS`, each made in every format that has it; None takes
            what suits most: float32, and for TFLite "dynamic_int8" too.
        beams: int, adds the signature `generate_beam` with so many beams; None leaves it out.
        timeout: float, seconds that one conversion or proof may take.
        progress: called with a line of text as each artefact is done.

    Returns:
        `Built`. Artefacts that failed are in `refused` and not in the bundle.

    Raises:
        ValueError: if a format or precision is unknown, or the run directory lacks something.
        ExportError: if no artefact passed; nothing is written then.
    """
    run, wanted = Path(run), _wanted(tuple(dict.fromkeys(formats)), precisions)
    config, results = _read_run(run)
    out = Path(out) if out else run / "bundle"
    limits = config["task"]["limits"]
    with bundles.Staging(out) as staging:
        for name in ("source.tokenizer.json", "target.tokenizer.json"):
            shutil.copyfile(run / name, staging / name)
        progress(f"Keras writes the test set of {run} ...")
        task = {"run": str(run), "limits": limits, "most": _TEST_EXAMPLES, "beams": beams}
        reference, keras = children.call("export.reference", task, what="the reference in Keras", timeout=timeout)
        progress(_line({"format": "keras", "precision": "float32", **keras}))
        options = {"beams": beams} if beams else {}
        artefacts, refused = _artefacts(run, staging, limits, reference, wanted, options, timeout, progress)
        if not artefacts:
            raise errors.ExportError("no artefact passed; nothing is written.\n" + _reasons(refused))
        manifest = _manifest(config, results, keras, artefacts) | ({"beams": beams} if beams else {})
        _describe(staging, manifest, reference)
        manifest = bundles.write_manifest(staging, manifest)
    return Built(out, manifest, refused)


def _wanted(formats, precisions):
    """The pairs of format and precision to build."""
    for format in formats:
        if format not in FORMATS:
            raise ValueError(f"unknown format {format!r}; choose from {', '.join(FORMATS)}")
    if not formats:
        raise ValueError(f"no format was given; choose from {', '.join(FORMATS)}")
    known = list(dict.fromkeys(name for names in PRECISIONS.values() for name in names))
    for precision in precisions or ():
        if precision not in known:
            raise ValueError(f"unknown precision {precision!r}; choose from {', '.join(known)}")
    wanted = [
        (format, precision)
        for format in formats
        for precision in (SENSIBLE[format] if precisions is None else precisions)
        if precision in PRECISIONS[format]
    ]
    if not wanted:
        raise ValueError(f"{', '.join(formats)} has none of the precisions {', '.join(precisions)}")
    return wanted


def _read_run(run):
    if not run.is_dir():
        raise ValueError(f"{run} is not a run directory; train one with python tutorials/00_quickstart.py")
    needed = (
        "model.keras",
        "config.json",
        "results.json",
        "source.tokenizer.json",
        "target.tokenizer.json",
        "test.tsv",
    )
    missing = [name for name in needed if not (run / name).is_file()]
    if missing:
        raise ValueError(
            f"{run} has no {', '.join(missing)}: the training did not finish there, or it is not a run directory. "
            "Run the same training command again: it continues"
        )
    try:
        config, results = (json.loads((run / name).read_text(encoding="utf-8")) for name in needed[1:3])
        if not all(isinstance(config["task"]["limits"][side], int) for side in ("source", "target")):
            raise TypeError("limits are whole numbers of tokens")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{run}: config.json or results.json is damaged ({error!r}); train the run again") from None
    return config, results


def _artefacts(run, staging, limits, reference, wanted, options, timeout, progress):
    """Converts and proves each artefact; a failed one leaves nothing in the staging folder."""
    artefacts, refused = [], {}
    work = staging / "reference.json"
    work.write_text(json.dumps(reference), encoding="utf-8")
    for format, precision in wanted:
        path = staging / artefact_name(format, precision)
        task = {"format": format, "precision": precision, "path": str(path), "limits": limits}
        what = f"{format} {precision}"
        try:
            report = _make_and_prove(run, task, options if format != "saved_model" else {}, work, what, timeout)
        except errors.ExportError as error:
            bundles.remove(path)
            refused[what] = str(error)
            progress(f"  {format:12} {precision:12}  REFUSED: {error}")
            continue
        files = bundles.files_of(staging, path.name)
        size = sum((staging / name).stat().st_size for name in files)
        artefacts.append(
            {"format": format, "precision": precision, "path": path.name, "files": files, "bytes": size, **report}
        )
        progress(_line(artefacts[-1]))
    work.unlink()
    return artefacts, refused


def _make_and_prove(run, task, options, reference, what, timeout):
    converting = {"run": str(run), **task, **options}
    notes = children.call("export.convert", converting, what=f"{what}: conversion", timeout=timeout)
    proving = {**task, "reference": str(reference)}
    report = children.call("export.prove", proving, what=f"{what}: proof", timeout=timeout)
    return {**report, **(notes or {})}


def _line(artefact):
    parity, memory = artefact.get("parity"), artefact.get("peak_memory_bytes")
    return (
        f"  {artefact['format']:12} {artefact['precision']:12}  exact match "
        f"{100 * artefact['score']['exact_match']:.1f} %, {artefact['bytes'] / 1e6:.2f} MB, "
        f"{artefact['latency_ms']:.2f} ms" + (f", {memory / 1e6:.0f} MB of memory" if memory else "")
        + (f", {_proof(parity)}" if parity else "")
    )  # fmt: skip


def _proof(parity):
    if "same_tokens" in parity:
        return f"the same tokens on {parity['same_tokens']} of {parity['inputs']} inputs{_beam_proof(parity)}"
    return (
        f"equal on {parity['inputs']} inputs ({parity['near_ties']} near ties, "
        f"log-probability within {parity['max_log_probability_error']:.0e}){_beam_proof(parity)}"
    )


def _beam_proof(parity):
    beam = parity.get("beam")
    return f", beam search on {beam['same_tokens']} of {beam['inputs']}" if beam else ""


def _reasons(refused):
    return "\n".join(f"{name}: {reason}" for name, reason in refused.items())


def _manifest(config, results, keras, artefacts):
    return {
        "schema_version": runtime.SCHEMA_VERSION,
        "task": "generate",
        "name": config["task"]["name"],
        "limits": config["task"]["limits"],
        "vocabularies": {"source": "source.tokenizer.json", "target": "target.tokenizer.json"},
        "normalisation": "the normalizer of each tokenizer.json",
        "confidence": results.get("confidence"),
        "keras": keras,
        "artefacts": artefacts,
        "made_by": _versions(),
    }


def _versions():
    found = {"keras_seq": _version("keras_seq")}
    found.update({name: _version(name) for name in _PACKAGES})
    return {"python": sys.version.split()[0], **{name: number for name, number in found.items() if number}}


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _describe(staging, manifest, reference):
    """Everything in a bundle that is not a model: samples, the stand-alone runtime and the README."""
    samples = [
        {name: reference[name][index] for name in reference} for index in range(min(_SAMPLES, len(reference["text"])))
    ]
    bundles.write_json(staging / "samples.json", samples)
    bundles.copy_runtime(staging)
    (staging / "README.md").write_text(bundles.readme(manifest), encoding="utf-8")
