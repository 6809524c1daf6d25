"""Holds one artefact against Keras from all sides: structure, numbers, task, runtimes; and keeps what was seen."""

import json
from pathlib import Path

from export import bundle as bundles
from export import children, errors, report, runtimes
from keras_seq.whole_file import whole_file

CASES = "numbers.npz"
# The runtimes that `export.prove` uses.
_PROVEN_IN = ("Interpreter", "InferenceSession", "saved_model.load")
# What a file of each format has to load in: of the profile that every device can take, and of TFLite's other one.
_PORTABLE = {
    "tflite": ("Interpreter", "CompiledModel"),
    "onnx": ("InferenceSession",),
    "saved_model": ("saved_model.load",),
}
_INTERPRETER = {**_PORTABLE, "tflite": ("Interpreter",)}
# Inputs that are run to see what memory that takes.
_WATCHED = 8


def examine(
    path, format, precision, kind, limits, reference, case_file, timeout, profile="portable", own=None, score=None
):
    """Everything that is checked of one artefact.

    Args:
        path: of the artefact.
        format, precision: str.
        kind: "generate", "classify" or "tag".
        limits: dict of `source` and `target`, in tokens; {} for pictures.
        reference: path of the JSON file that `export.reference` wrote.
        case_file: path of the file of cases.
        timeout: float, seconds that each of the processes may take.
        profile: "portable", or "interpreter" of a TFLite file that need not load in CompiledModel.
        own: dict, the score that the artefact had on these inputs when it was built, see `export.prove`; or None.
        score: dict of a generator's `name` and `vocabulary`, see `export.prove`; or None.

    Returns:
        dict of `path`, `format`, `precision`, `refused` (None, or why) and `error` (its kind), and of what was reached
        of `structure`, `numbers`, `task` (`score`, `samples`, `parity`, `latency_ms`, `memory_bytes`, `memory_is`, and
        where it searches by beams `beam_latency_ms`), `signatures` and `runtimes`.
    """
    path, what = Path(path), f"{format} {precision}"
    entry = {"path": path.name, "format": format, "precision": precision, "refused": None}
    task = {"format": format, "precision": precision, "path": str(path), "kind": kind, "limits": limits}
    task |= {"profile": profile, "reference": str(reference), "case_file": str(case_file), "own": own, "score": score}
    try:
        seen = children.call("export.prove", task, what=f"{what}: proof", timeout=timeout)
        entry |= {name: seen.pop(name) for name in ("structure", "numbers", "signatures") if name in seen}
        if seen["refused"]:
            return entry | {"refused": f"{what}: {seen['refused']}", "error": seen["error"]}
        kept = ("score", "samples", "parity", "latency_ms", "beam_latency_ms")
        entry["task"] = {name: seen[name] for name in kept if name in seen}
        entry["task"] |= memory_of(format, path, kind, limits, reference, timeout)
        entry["runtimes"] = runtimes.load_everywhere(format, path, case_file, precision, timeout, seen_in=_PROVEN_IN)
        _check_loads(entry, _PORTABLE if profile == "portable" else _INTERPRETER)
    except errors.ExportError as error:
        message = str(error) if str(error).startswith(what) else f"{what}: {error}"
        entry |= {"refused": message, "error": type(error).__name__}
    return entry


def memory_of(format, path, kind, limits, reference, timeout):
    """What memory it takes to load and run an artefact, or a run's model in Keras, in a process of its own.

    Args:
        format, path: see `export.measure.measure`.
        kind, limits, reference, timeout: see `examine`.

    Returns:
        dict of `memory_bytes` and `memory_is`, see `export.memory`.
    """
    answers = json.loads(Path(reference).read_text(encoding="utf-8"))
    inputs = {name: values[:_WATCHED] for name, values in answers.items()}
    task = {"format": format, "path": str(path), "inputs": inputs, "kind": kind, "limits": limits}
    seen = children.call("export.measure", task, what=f"{format}: memory", timeout=timeout)
    return {name: seen[name] for name in ("memory_bytes", "memory_is")}


def _check_loads(entry, wanted):
    for line in entry["runtimes"]:
        if not line["runs"] and line["runtime"].endswith(wanted[entry["format"]]):
            raise errors.LoadError(f"{line['runtime']}: {line['reason']}; leave the artefact out with --formats")


def write_report(folder, name, entries, **more):
    """Writes the report of a bundle, `verification.json` and `verification.md`, into its folder.

    Args:
        folder: path.
        name: str, the bundle's.
        entries: list of what `examine` returned.
        more: whatever else the report shall hold.
    """
    data = {"bundle": name, **more, "artefacts": entries}
    bundles.write_json(Path(folder, bundles.REPORTS[0]), data)
    with whole_file(Path(folder, bundles.REPORTS[1])) as temporary:
        temporary.write_text(report.to_markdown(data), encoding="utf-8")
