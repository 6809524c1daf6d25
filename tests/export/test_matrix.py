"""The table of every format and precision: a score or a reason in each row, never a blank."""

from export import errors, matrix, tables
from export.build_bundle import Built
from export.convert import PRECISIONS
from export.examples import Task

CELLS = [(format, precision) for format, names in PRECISIONS.items() for precision in names]
SCORE = {"exact_match": 0.75, "examples": 4}


def fake_build(run, out, precisions, beams, timeout, progress):
    if "broken" in str(run):
        raise errors.ExportError("no artefact passed; nothing is written")
    artefact = {"score": SCORE, "bytes": 2_000_000, "latency_ms": 1.5, "memory_bytes": 3_000_000}
    made = [
        {"format": format, "precision": precision, **artefact, "parity": {"inputs": 4, "near_ties": 1}}
        for format, precision in CELLS
        if "int8" not in precision
    ]
    refused = {f"{format} {precision}": f"{format} {precision}: proof: it | fell" for format, precision in CELLS}
    return Built(out, {"keras": {"score": SCORE, "bytes": 1, "latency_ms": 2.0}, "artefacts": made}, refused)


def test_every_cell_is_a_score_or_a_reason(monkeypatch):
    monkeypatch.setattr(matrix.build_bundle, "build", fake_build)
    task = Task("one", "generate", {"source": 11, "target": 13})
    monkeypatch.setattr(matrix.build_bundle, "task_of", lambda run: task)
    kept = []
    done = lambda rows: kept.append(len(rows))  # noqa: E731
    rows = matrix.matrix(["runs/one", "runs/broken"], progress=lambda line: None, done=done)
    assert kept == [len(rows) - 1, len(rows)]
    assert [(row["format"], row["precision"]) for row in rows] == [("keras", "float32"), *CELLS, ("all", "all")]
    for row in rows:
        assert ("refused" in row) != ("score" in row)
    lines = tables.markdown(rows).splitlines()
    assert len(lines) == 2 + len(rows) and len({line.count("|") for line in lines}) == 1
    assert "| one | tflite | float16 | 75.0 % | 2.00 MB | 1.50 ms | 3 MB | 3 of 4 |" in lines
    assert "| one | onnx | int8 | refused: it / fell |  |  |  |  |" in lines
    assert lines[-1].startswith("| broken | all | all | refused: no artefact passed")
