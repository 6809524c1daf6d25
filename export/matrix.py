"""Every model in every format and precision: score, size, latency and memory, or why not."""

import tempfile
from pathlib import Path

from export import build_bundle, errors
from export.convert import PRECISIONS

_TIMEOUT = 600


def matrix(runs, beams=None, timeout=_TIMEOUT, progress=print):
    """Builds, proves and measures every artefact that there could be of some runs; the artefacts are not kept.

    Args:
        runs: list of paths of run directories.
        beams: int, with beam search of so many beams; None leaves it out.
        timeout: float, seconds that one conversion or proof may take.
        progress: called with a line of text as each artefact is done.

    Returns:
        list of rows, dicts of `run`, `format`, `precision` and either `score`, `bytes`, `latency_ms`,
        `peak_memory_bytes` and `parity`, or `refused`, the reason. Keras itself is the first row of each run.

    Raises:
        ValueError: if a run directory lacks something.
    """
    precisions = tuple(dict.fromkeys(name for names in PRECISIONS.values() for name in names))
    rows = []
    for run in runs:
        progress(f"{run}:")
        with tempfile.TemporaryDirectory() as folder:
            try:
                built = build_bundle.build(
                    run, Path(folder, "bundle"), precisions=precisions, beams=beams, timeout=timeout, progress=progress
                )
            except errors.ExportError as error:
                rows.append({"run": Path(run).name, "format": "all", "precision": "all", "refused": str(error)})
                continue
        rows += _rows(Path(run).name, built)
    return rows


def _rows(name, built):
    kept = ("score", "bytes", "latency_ms", "peak_memory_bytes", "parity")
    yield {"run": name, "format": "keras", "precision": "float32", **built.manifest["keras"]}
    artefacts = {(artefact["format"], artefact["precision"]): artefact for artefact in built.manifest["artefacts"]}
    for format, precisions in PRECISIONS.items():
        for precision in precisions:
            row = {"run": name, "format": format, "precision": precision}
            if (format, precision) in artefacts:
                artefact = artefacts[format, precision]
                yield {**row, **{key: artefact[key] for key in kept if key in artefact}}
            else:
                yield {**row, "refused": built.refused[f"{format} {precision}"]}


def table(rows):
    """The rows as a Markdown table.

    Args:
        rows: what `matrix` returns.

    Returns:
        str.
    """
    lines = [
        "| model | format | precision | exact match | size | one text | memory | as Keras |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        begin = f"| {row['run']} | {row['format']} | {row['precision']} | "
        if "refused" in row:
            reason = row["refused"].split(": ", 2)[-1].replace("|", "/").replace("\n", " ")
            lines.append(f"{begin}refused: {reason} |  |  |  |  |")
            continue
        memory = f"{row['peak_memory_bytes'] / 1e6:.0f} MB" if "peak_memory_bytes" in row else ""
        score = f"{100 * row['score']['exact_match']:.1f} %"
        lines.append(
            f"{begin}{score} | {row['bytes'] / 1e6:.2f} MB | {row['latency_ms']:.2f} ms | {memory} | "
            f"{_agreement(row.get('parity'))} |"
        )
    return "\n".join(lines)


def _agreement(parity):
    if not parity:
        return ""
    same = parity.get("same_tokens", parity["inputs"] - parity.get("near_ties", 0))
    return f"{same} of {parity['inputs']}"
