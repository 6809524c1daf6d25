"""The last section of the lessons that train on real data: their best model in every format and precision.

Each artefact is proven as it is made; then the bundle is verified once more as a stranger would do it, from its own
files, and timed. What fails is refused, with the reason in its row.
"""

import shutil
from pathlib import Path


def ship(lesson, run, beams=None, timeout=300):
    """Exports a run in every format and precision, verifies the bundle and times it.

    Args:
        lesson: `lesson.Lesson`; at `--smoke` size TFLite in float32 and dynamic int8 is all that is made.
        run: path of the run directory.
        beams: int, of a generator, beams of the search that is exported too.
        timeout: float, seconds that one conversion or proof may take; what takes longer is refused.

    Returns:
        rows of the matrix, list of dicts as `export.matrix.matrix` gives them.
    """
    import export
    from export.convert import PRECISIONS
    from export.matrix import rows_of

    run, formats = Path(run), ("tflite",) if lesson.smoke else tuple(PRECISIONS)
    precisions = ("float32", "dynamic_int8")
    if not lesson.smoke:
        precisions = tuple(dict.fromkeys(name for names in PRECISIONS.values() for name in names))
    built = export.build(run, run / "bundle", formats, precisions, beams, timeout, _say)
    for name, reason in built.refused.items():
        print(f"  refused: {name}: {reason}")
    rows = [row for row in rows_of(run.name, built) if "refused" not in row or not lesson.smoke]
    shipped = [row for row in rows if "refused" not in row and row["format"] != "keras"]
    if not lesson.smoke:  # what the build has just done, once more from the files alone
        export.verify(run / "bundle", progress=_say)
        export.benchmark(run / "bundle", progress=_say)
        shutil.copy(run / "bundle" / "benchmark.png", lesson.run / "benchmark.png")
        lesson.figure(lesson.run / "benchmark.png")
    lost = {f"{row['format']} in {row['precision']}": _lost(row, rows[0]) for row in shipped}
    worst = max(lost, key=lost.get)
    lesson.number("artefacts shipped", len(shipped), "d")
    lesson.number("smallest artefact, MB", min(row["bytes"] for row in shipped) / 1e6)
    lesson.claim(
        "{count} artefacts are as good as Keras to half a point; the worst, {worst}, is {lost:+.2f} points off",
        lost[worst] <= 0.005,
        count=len(shipped), worst=worst, lost=round(-100 * lost[worst], 2) or 0.0,
    )  # fmt: skip
    return rows


def _say(line):
    print(f"  {line}", flush=True)


def _lost(row, keras_row):
    """By how much the worst of a row's measures is below Keras's."""
    return max(value - row["score"][name] for name, value in keras_row["score"].items() if name != "examples")
