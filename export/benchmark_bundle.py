"""How large, fast and good each artefact of a bundle is, on this machine: a table, JSON and a plot."""

import os
import platform
from pathlib import Path

from export import bundle as bundles
from export import children
from export.tables import score_in_words
from export.verify_bundle import samples_of

_TIMEOUT = 600


def benchmark(bundle, out=None, threads=(1, 2), rounds=3, timeout=_TIMEOUT, progress=print):
    """Times every artefact of a bundle on the bundle's own samples, each in a process of its own.

    Args:
        bundle: path of the bundle.
        out: path of a folder for `benchmark.json` and `benchmark.png`; by default nothing is written.
        threads: numbers of threads.
        rounds: int, times that all samples are run.
        timeout: float, seconds that one artefact may take.
        progress: called with a line of text for each measurement.

    Returns:
        dict of `machine` and `rows`: of each artefact and number of threads its format, precision, size, score and
        what `export.measure` found.

    Raises:
        BundleError: if the bundle is damaged.
        ExportError: if an artefact cannot be run.
    """
    bundle = Path(bundle)
    manifest = bundles.verify_checksums(bundle)
    inputs = len(samples_of(bundle)["target"])
    report = {"machine": machine(), "rows": []}
    progress(f"{report['machine']}; {inputs} inputs, one at a time")
    progress(f"  {'':12} {'':12} {'threads':>7} {'score':>8} {'size':>9} {'median':>9} {'95 of 100':>9} {'memory':>8}")
    for artefact in manifest["artefacts"]:
        for number in threads:
            task = {
                "format": artefact["format"],
                "path": str(bundle / artefact["path"]),
                "bundle": str(bundle),
                "kind": manifest["task"],
                "limits": manifest.get("limits", {}),
                "threads": number,
                "rounds": rounds,
            }
            found = children.call("export.measure", task, what=f"{artefact['path']}: timing", timeout=timeout)
            kept = {key: artefact[key] for key in ("format", "precision", "bytes", "score") if key in artefact}
            row = {**kept, "threads": number, **found}
            report["rows"].append(row)
            progress(_line(row))
    if out is not None:
        out = Path(out)
        out.mkdir(parents=True, exist_ok=True)
        bundles.write_json(out / "benchmark.json", report)
        _plot(out / "benchmark.png", report)
    return report


def machine():
    """Processor, cores and system, in words."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def _line(row):
    score = score_in_words(row["score"]) if "score" in row else ""
    return (
        f"  {row['format']:12} {row['precision']:12} {row['threads']:7} {score:>8} {row.get('bytes', 0) / 1e6:6.2f} MB "
        f"{row['median_ms']:6.2f} ms {row['worst_ms']:6.2f} ms {row['memory_bytes'] / 1e6:5.0f} MB"
    )


def _plot(path, report):
    """Size and latency of each artefact at the first number of threads."""
    from keras_seq.plots.bars import bars

    first = report["rows"][0]["threads"]
    rows = [row for row in report["rows"] if row["threads"] == first]
    names = [f"{row['format']}, {row['precision']}" for row in rows]
    measures = {
        "size, MB": [row.get("bytes", 0) / 1e6 for row in rows],
        "one input, ms": [row["median_ms"] for row in rows],
        "memory, MB": [row["memory_bytes"] / 1e6 for row in rows],
    }
    bars(path, names, measures, f"{report['machine']}, {first} thread{'s' if first > 1 else ''}")
