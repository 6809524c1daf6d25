"""How large, fast and good each artefact of a bundle is, on this machine: a table, JSON and a plot."""

import os
import platform
from pathlib import Path

from export import bundle as bundles
from export import children
from export.tables import memory_in_words, score_in_words, words_of
from export.verify_bundle import samples_of
from keras_seq.whole_file import whole_file

_TIMEOUT = 600
# What is written: the table as it is printed, the same as JSON, and a plot.
WRITTEN = ("benchmark.txt", "benchmark.json", "benchmark.png")
# Characters of a long score, "lower-case BLEU 38.4".
_SCORE = 20


def benchmark(bundle, out=None, threads=(1, 2), rounds=3, timeout=_TIMEOUT, progress=print):
    """Times every artefact of a bundle on the bundle's own samples, each in a process of its own.

    Args:
        bundle: path of the bundle.
        out: path of a folder for the three files `WRITTEN`; by default the bundle itself, whose manifest does not count
            them, as they are no part of what ships. A bundle that cannot be written to stays without.
        threads: numbers of threads.
        rounds: int, times that all samples are run.
        timeout: float, seconds that one artefact may take.
        progress: called with a line of text for each measurement.

    Returns:
        dict of `machine` and `rows`: of each artefact and number of threads its format, precision, size, score and
        what `export.measure` found.

    Raises:
        ValueError: if a number of threads or of rounds is less than 1.
        BundleError: if the bundle is damaged.
        ExportError: if an artefact cannot be run.
    """
    _check_counts(threads, rounds)
    bundle = Path(bundle)
    manifest = bundles.verify_checksums(bundle)
    samples = samples_of(bundle)
    report, lines = {"machine": machine(), "rows": []}, []

    def say(line):
        lines.append(line)
        progress(line)

    say(f"{manifest['name']} on {report['machine']}; {len(samples['target'])} inputs, one at a time; peak memory")
    say(
        f"  {'':12} {'':12} {'threads':>7} {'score':>{_SCORE}} {'size':>9} {'median':>9} {'95 of 100':>9} {'memory':>8}"
        + (f" {'by beams':>10}" if manifest.get("beams") else "")
    )
    for artefact in manifest["artefacts"]:
        for number in threads:
            task = {
                "format": artefact["format"],
                "path": str(bundle / artefact["path"]),
                "inputs": samples,
                "kind": manifest["task"],
                "limits": manifest.get("limits", {}),
                "threads": number,
                "rounds": rounds,
            }
            found = children.call("export.measure", task, what=f"{artefact['path']}: timing", timeout=timeout)
            kept = {key: artefact[key] for key in ("format", "precision", "bytes", "score") if key in artefact}
            row = {**kept, "threads": number, **found}
            report["rows"].append(row)
            say(_line(row))
    try:
        _write(Path(out or bundle), lines, report)
        progress(f"wrote {', '.join(WRITTEN)} in {out or bundle}")
    except OSError as error:
        if out is not None:
            raise
        progress(f"nothing is written, name a folder with --out: {error}")
    return report


def _check_counts(threads, rounds):
    for name, count in (*(("threads", number) for number in threads), ("rounds", rounds)):
        if count < 1:
            raise ValueError(f"{name}={count} is too few; wanted 1 or more")


def _write(folder, lines, report):
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / WRITTEN[0]) as temporary:
        temporary.write_text("\n".join([*lines, ""]), encoding="utf-8")
    bundles.write_json(folder / WRITTEN[1], report)
    _plot(folder / WRITTEN[2], report)


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
        f"  {row['format']:12} {row['precision']:12} {row['threads']:7} {score:>{_SCORE}} "
        f"{row.get('bytes', 0) / 1e6:6.2f} MB {row['median_ms']:6.2f} ms {row['worst_ms']:6.2f} ms "
        f"{memory_in_words(row):>8}" + (f" {row['beam_median_ms']:7.2f} ms" if "beam_median_ms" in row else "")
    )


def _plot(path, report):
    """Size, latency, memory and score of each artefact at the first number of threads."""
    from keras_seq.plots.bars import bars

    first = report["rows"][0]["threads"]
    rows = [row for row in report["rows"] if row["threads"] == first]
    names = [f"{row['format']}, {row['precision']}" for row in rows]
    measures = {
        "size, MB": [row.get("bytes", 0) / 1e6 for row in rows],
        "one input, ms": [row["median_ms"] for row in rows],
        "peak memory, MB": [row["memory_bytes"] / 1e6 for row in rows],
    }
    if all("beam_median_ms" in row for row in rows):
        measures["one input by beams, ms"] = [row["beam_median_ms"] for row in rows]
    scores = [row.get("score", {}) for row in rows]
    for name in scores[0]:
        if name != "examples" and all(name in score for score in scores):
            words, unit = words_of(name)
            measures[f"{words}, %" if unit else words] = [100 * score[name] for score in scores]
    bars(path, names, measures, f"{report['machine']}, {first} thread{'s' if first > 1 else ''}")
