"""Every model in every format and precision: score, size, latency and memory, or why not."""

import tempfile
from pathlib import Path

from export import build_bundle, errors
from export.convert import PRECISIONS

_TIMEOUT = 600


def matrix(runs, beams=None, timeout=_TIMEOUT, progress=print, done=None, profile="portable"):
    """Builds, proves and measures every artefact that there could be of some runs; the artefacts are not kept.

    Args:
        runs: list of paths of run directories.
        beams: int, with beam search of so many beams where a run writes; None leaves it out.
        timeout: float, seconds that one conversion or proof may take.
        progress: called with a line of text as each artefact is done.
        done: called with the rows so far after each run, or None.
        profile: see `export.build_bundle.build`.

    Returns:
        list of rows, dicts of `run`, `format`, `precision` and either `score`, `bytes`, `latency_ms`,
        `memory_bytes`, `memory_is` and `parity` (with beams `beam_latency_ms` too), or `refused`, the reason. Keras
        itself is the first row of each run.

    Raises:
        ValueError: if any of the run directories lacks something; nothing is built then.
        DiskError: if a disk is full.
    """
    kinds = [build_bundle.task_of(run).kind for run in runs]
    precisions = tuple(dict.fromkeys(name for names in PRECISIONS.values() for name in names))
    rows = []
    for run, kind in zip(runs, kinds, strict=True):
        progress(f"{run}:")
        with tempfile.TemporaryDirectory() as folder:
            try:
                built = build_bundle.build(
                    run,
                    Path(folder, "bundle"),
                    precisions=precisions,
                    beams=beams if kind == "generate" else None,
                    timeout=timeout,
                    progress=progress,
                    profile=profile,
                )
            except errors.DiskError:  # says nothing of the artefacts
                raise
            except errors.ExportError as error:
                rows.append({"run": Path(run).name, "format": "all", "precision": "all", "refused": str(error)})
            else:
                rows += rows_of(Path(run).name, built)
        if done:
            done(rows)
    return rows


def rows_of(name, built):
    """The rows of one bundle, as `matrix` gives them.

    Args:
        name: str, the run's.
        built: what `export.build_bundle.build` returned.
    """
    kept = ("score", "bytes", "latency_ms", "memory_bytes", "memory_is", "parity", "max_error", "kept_in_float")
    kept += ("profile", "runtimes", "beam_latency_ms")
    yield {"run": name, "format": "keras", "precision": "float32", **built.manifest["keras"]}
    artefacts = {(artefact["format"], artefact["precision"]): artefact for artefact in built.manifest["artefacts"]}
    for format, precisions in PRECISIONS.items():
        for precision in precisions:
            row = {"run": name, "format": format, "precision": precision}
            if (format, precision) in artefacts:
                artefact = artefacts[format, precision]
                yield {**row, **{key: artefact[key] for key in kept if key in artefact}}
            elif f"{format} {precision}" in built.refused:  # else it was not asked for
                yield {**row, "refused": built.refused[f"{format} {precision}"]}
