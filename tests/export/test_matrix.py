"""The table of every format and precision: a score or a reason in each row, never a blank."""

import pytest

from export import errors, matrix, tables
from export.build_bundle import Built
from export.convert import PRECISIONS
from export.examples import Task

CELLS = [(format, precision) for format, names in PRECISIONS.items() for precision in names]
SCORE = {"exact_match": 0.75, "examples": 4}


def fake_build(run, out, precisions, beams, timeout, progress, profile):
    if "full" in str(run):
        raise errors.DiskError("the disk is full")
    if "broken" in str(run):
        raise errors.ExportError("no artefact passed; nothing is written")
    artefact = {"score": SCORE, "bytes": 2_000_000, "latency_ms": 1.5, "memory_bytes": 3_000_000, "memory_is": "peak"}
    keras = {"score": SCORE, "bytes": 1, "latency_ms": 2.0, "memory_bytes": 400_000_000, "memory_is": "growth"}
    made = [
        {"format": format, "precision": precision, **artefact, "parity": {"inputs": 4, "near_ties": 1}}
        for format, precision in CELLS
        if "int8" not in precision
    ]
    refused = {f"{format} {precision}": f"{format} {precision}: proof: it | fell" for format, precision in CELLS}
    return Built(out, {"keras": keras, "artefacts": made}, refused)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    def task_of(run):
        if "half" in run:
            raise ValueError(f"{run} has no model.keras")
        return Task("one", "generate", {"source": 11, "target": 13})

    monkeypatch.setattr(matrix.build_bundle, "build", fake_build)
    monkeypatch.setattr(matrix.build_bundle, "task_of", task_of)


@pytest.mark.parametrize(
    ("score", "words"),
    [
        ({"exact_match": 0.9841, "examples": 9}, "exact match 98.4 %"),
        ({"bleu": 0.38412, "examples": 9}, "BLEU 38.4"),
        ({"bleu_lowercase": 0.4, "examples": 9}, "lower-case BLEU 40.0"),
        ({"next_token": 0.123, "examples": 9}, "next token 12.3 %"),
        ({"accuracy": 0.9, "examples": 9}, "90.0 %"),
        ({"accuracy": 0.949, "label_accuracy": 0.981, "examples": 9}, "94.9 %, label 98.1 %"),
    ],
)
def test_a_score_is_called_by_its_name(score, words):
    assert tables.score_in_words(score) == words


def test_all_runs_are_looked_at_before_the_first_is_built():
    said = []
    with pytest.raises(ValueError, match="runs/half has no model.keras"):
        matrix.matrix(["runs/one", "runs/half"], progress=said.append)
    assert not said


def test_a_full_disk_is_no_reason_in_a_cell():
    with pytest.raises(errors.DiskError):
        matrix.matrix(["runs/one", "runs/full"], progress=lambda line: None)


def test_every_cell_is_a_score_or_a_reason():
    kept = []
    done = lambda rows: kept.append(len(rows))  # noqa: E731
    rows = matrix.matrix(["runs/one", "runs/broken"], progress=lambda line: None, done=done)
    assert kept == [len(rows) - 1, len(rows)]
    assert [(row["format"], row["precision"]) for row in rows] == [("keras", "float32"), *CELLS, ("all", "all")]
    for row in rows:
        assert ("refused" in row) != ("score" in row)
    lines = tables.markdown(rows).splitlines()
    assert len(lines) == 2 + len(rows) and len({line.count("|") for line in lines}) == 1
    assert "| one | tflite | float16 | exact match 75.0 % | 2.00 MB | 1.50 ms | 3 MB | 3 of 4 |" in lines
    assert "| one | keras | float32 | exact match 75.0 % | 0.00 MB | 2.00 ms | 400 MB more | itself |" in lines
    searching = {**rows[2], "beam_latency_ms": 21.05}
    assert "| 1.50 ms, by beams 21.05 ms |" in tables.markdown([searching])
    assert "| one | onnx | int8 | refused: it / fell |  |  |  |  |" in lines
    assert lines[-1].startswith("| broken | all | all | refused: no artefact passed")
