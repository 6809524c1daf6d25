"""Holds one artefact against Keras from all sides: structure, numbers, task, runtimes; and keeps what was seen."""

from pathlib import Path

from export import bundle as bundles
from export import children, errors, report, runtimes

CASES = "numbers.npz"
# The runtimes that `export.prove` uses.
_PROVEN_IN = ("Interpreter", "InferenceSession", "saved_model.load")
# What a file of each format has to load in, of the profile that every device can take.
_PORTABLE = {
    "tflite": ("Interpreter", "CompiledModel"),
    "onnx": ("InferenceSession",),
    "saved_model": ("saved_model.load",),
}


def examine(path, format, precision, kind, limits, reference, case_file, timeout):
    """Everything that is checked of one artefact.

    Args:
        path: of the artefact.
        format, precision: str.
        kind: "generate", "classify" or "tag".
        limits: dict of `source` and `target`, in tokens; {} for pictures.
        reference: path of the JSON file that `export.reference` wrote.
        case_file: path of the file of cases, or None where there is none.
        timeout: float, seconds that each of the processes may take.

    Returns:
        dict of `path`, `format`, `precision`, `refused` (None, or why) and `error` (its kind), and of what was reached
        of `structure`, `numbers`, `task` (`score`, `parity`, `latency_ms`, `memory_bytes`), `signatures` and
        `runtimes`.
    """
    path, what = Path(path), f"{format} {precision}"
    entry = {"path": path.name, "format": format, "precision": precision, "refused": None}
    task = {"format": format, "precision": precision, "path": str(path), "kind": kind, "limits": limits}
    task |= {"reference": str(reference), "case_file": None if case_file is None else str(case_file)}
    try:
        seen = children.call("export.prove", task, what=f"{what}: proof", timeout=timeout)
        entry |= {name: seen.pop(name) for name in ("structure", "numbers", "signatures") if name in seen}
        if seen["refused"]:
            return entry | {"refused": f"{what}: {seen['refused']}", "error": seen["error"]}
        entry["task"] = {name: seen[name] for name in ("score", "parity", "latency_ms", "memory_bytes")}
        entry["runtimes"] = runtimes.load_everywhere(format, path, case_file, precision, timeout, seen_in=_PROVEN_IN)
        _check_loads(entry, format)
    except errors.ExportError as error:
        message = str(error) if str(error).startswith(what) else f"{what}: {error}"
        entry |= {"refused": message, "error": type(error).__name__}
    return entry


def _check_loads(entry, format):
    for line in entry["runtimes"]:
        if not line["runs"] and line["runtime"].endswith(_PORTABLE[format]):
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
    Path(folder, bundles.REPORTS[1]).write_text(report.to_markdown(data), encoding="utf-8")
