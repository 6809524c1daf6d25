"""A run directory -> a bundle: converts, proves and describes every artefact, each in a process of its own."""

import json
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from export import bundle as bundles
from export import children, runtime
from export.convert import ARTEFACTS

FORMATS = tuple(ARTEFACTS)
PRECISIONS = ("float32",)
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


def build(run, out=None, formats=FORMATS, precision="float32", timeout=_TIMEOUT, progress=print):
    """Exports a trained run to a bundle, in which every artefact was seen to equal Keras.

    Args:
        run: path of a run directory: `model.keras`, `config.json`, `results.json`, both tokenizers and `test.tsv`.
        out: path of the bundle; by default `bundle` in the run directory. An older bundle there is replaced.
        formats: some of "saved_model", "tflite" and "onnx".
        precision: "float32".
        timeout: float, seconds that one conversion or proof may take.
        progress: called with a line of text as each artefact is done.

    Returns:
        `Built`. Artefacts that failed are in `refused` and not in the bundle.

    Raises:
        ValueError: if a format or precision is unknown, or the run directory lacks something.
        ExportError: if no artefact passed; nothing is written then.
    """
    run, formats = Path(run), tuple(dict.fromkeys(formats))
    _check_names(formats, precision)
    config, results = _read_run(run)
    out = Path(out) if out else run / "bundle"
    limits = config["task"]["limits"]
    with bundles.Staging(out) as staging:
        for name in ("source.tokenizer.json", "target.tokenizer.json"):
            shutil.copyfile(run / name, staging / name)
        progress(f"Keras writes the test set of {run} ...")
        task = {"run": str(run), "limits": limits, "most": _TEST_EXAMPLES}
        reference, keras = children.call("export.reference", task, what="the reference in Keras", timeout=timeout)
        progress(_line({"format": "keras", "precision": "float32", **keras}))
        artefacts, refused = _artefacts(run, staging, limits, reference, formats, precision, timeout, progress)
        if not artefacts:
            raise children.ExportError("no artefact passed; nothing is written.\n" + _reasons(refused))
        manifest = _manifest(config, results, keras, artefacts)
        _describe(staging, manifest, reference)
        manifest = bundles.write_manifest(staging, manifest)
    return Built(out, manifest, refused)


def _check_names(formats, precision):
    for format in formats:
        if format not in FORMATS:
            raise ValueError(f"unknown format {format!r}; choose from {', '.join(FORMATS)}")
    if not formats:
        raise ValueError(f"no format was given; choose from {', '.join(FORMATS)}")
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}; choose from {', '.join(PRECISIONS)}")


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


def _artefacts(run, staging, limits, reference, formats, precision, timeout, progress):
    """Converts and proves each format; a failed one leaves nothing in the staging folder."""
    artefacts, refused = [], {}
    work = staging / "reference.json"
    work.write_text(json.dumps(reference), encoding="utf-8")
    for format in formats:
        path = staging / ARTEFACTS[format][precision]
        task = {"format": format, "path": str(path), "limits": limits}
        try:
            children.call(
                "export.convert", {"run": str(run), **task}, what=f"{format} {precision}: conversion", timeout=timeout
            )
            report = children.call(
                "export.prove", {**task, "reference": str(work)}, what=f"{format} {precision}: proof", timeout=timeout
            )
        except children.ExportError as error:
            bundles.remove(path)
            refused[f"{format} {precision}"] = str(error)
            progress(f"  {format:12} {precision}  REFUSED: {error}")
            continue
        files = bundles.files_of(staging, path.name)
        size = sum((staging / name).stat().st_size for name in files)
        artefacts.append(
            {"format": format, "precision": precision, "path": path.name, "files": files, "bytes": size, **report}
        )
        progress(_line(artefacts[-1]))
    work.unlink()
    return artefacts, refused


def _line(artefact):
    parity = artefact.get("parity")
    proof = parity and (
        f", equal on {parity['inputs']} inputs ({parity['near_ties']} near ties, "
        f"log-probability within {parity['max_log_probability_error']:.0e})"
    )
    return (
        f"  {artefact['format']:12} {artefact['precision']}  exact match "
        f"{100 * artefact['score']['exact_match']:.1f} %, {artefact['bytes'] / 1e6:.2f} MB, "
        f"{artefact['latency_ms']:.2f} ms{proof or ''}"
    )


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
    shutil.copyfile(runtime.__file__, staging / "run.py")
    (staging / "README.md").write_text(bundles.readme(manifest), encoding="utf-8")
