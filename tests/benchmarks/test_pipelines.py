"""The benchmark of the pipelines measures what it says, and the input outruns the model."""

import json

import numpy as np
import pytest

from benchmarks import pipelines
from benchmarks.pipelines import Row, padding_shares


def test_padding_by_hand():
    lengths = np.array([[2], [4], [3], [9]])
    shares = padding_shares(lengths, [np.array([4]), np.array([10])], [3, 1], batch_size=4)
    assert shares == {
        "buckets": pytest.approx(1 - 18 / (3 * 4 + 10)),
        "shuffled": pytest.approx(1 - 18 / (4 * 9)),
        "one length": pytest.approx(1 - 18 / (4 * 9)),
    }
    pairs = np.array([[2, 5], [6, 3]])
    shares = padding_shares(pairs, [np.array([6, 7])], [2], batch_size=1)
    assert shares == {
        "buckets": pytest.approx(1 - 16 / 26),
        "shuffled": pytest.approx(0),
        "one length": pytest.approx(1 - 16 / 22),
    }


def test_a_row_holds_where_the_input_is_the_faster():
    padding = {"buckets": 0.1, "shuffled": 0.5, "one length": 0.7}
    row = Row("what", 100, 3000.0, 1000.0, 990.0, padding)
    assert row.holds and row.line().split() == ["what", "3000", "1000", "990", "3.0", "10.0", "50.0", "70.0"]
    assert not Row("what", 100, 900.0, 1000.0, 600.0, padding).holds


@pytest.mark.usefixtures("quick_fits")
@pytest.mark.parametrize(
    ("measure", "examples", "units", "boundaries"),
    [(pipelines.pair_row, 500, 16, (48,)), (pipelines.label_row, 3000, 96, (16, 48))],
)
def test_the_pipeline_outruns_its_model(measure, examples, units, boundaries, monkeypatch):
    monkeypatch.setattr(pipelines, "_REPEATS", 2)
    monkeypatch.setattr(pipelines, "_BOUNDARIES", boundaries)
    row = measure(examples, real=False, units=units)
    assert row.input > row.model > 0 and row.together > 0 and 0.7 * examples < row.examples <= examples
    assert row.padding["shuffled"] < row.padding["one length"] < 1
    assert len(boundaries) == 1 or row.padding["buckets"] < row.padding["shuffled"]


def test_the_command_prints_and_records_the_rows_and_fails_where_the_input_is_slower(capsys, monkeypatch, tmp_path):
    padding = {"buckets": 0.1, "shuffled": 0.5, "one length": 0.7}
    fast, slow = Row("pairs", 100, 3000.0, 1000.0, 990.0, padding), Row("labels", 90, 900.0, 1000.0, 600.0, padding)
    monkeypatch.setattr(pipelines, "RESULTS", tmp_path / "pipelines.json")
    monkeypatch.setattr(pipelines, "pair_row", lambda examples, real, units: fast)
    monkeypatch.setattr(pipelines, "label_row", lambda examples, real, units: slow)
    assert pipelines.main(["--random", "--record"]) == 1
    assert "the input is SLOWER than the model somewhere" in capsys.readouterr().out
    recorded = json.loads((tmp_path / "pipelines.json").read_text())
    assert [row["what"] for row in recorded["rows"]] == ["pairs", "labels"] and recorded["rows"][0][
        "padding"
    ] == padding
    assert recorded["command"] == "python -m benchmarks.pipelines --random --record"
    monkeypatch.setattr(pipelines, "label_row", lambda examples, real, units: fast)
    assert pipelines.main(["--random"]) == 0 and "faster than the model everywhere" in capsys.readouterr().out
