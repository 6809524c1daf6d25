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


def test_the_command_measures_both_pipelines(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(pipelines, "RESULTS", tmp_path / "results" / "pipelines.json")
    monkeypatch.setattr(pipelines, "_REPEATS", 2)
    monkeypatch.setattr(pipelines, "_BOUNDARIES", (16, 48))
    (tmp_path / "results").mkdir()
    assert pipelines.main(["--random", "--examples", "1500", "--units", "64", "--record"]) == 0
    out = capsys.readouterr().out
    assert "random pairs, Transformer d64" in out and "the input is faster than the model everywhere" in out
    rows = json.loads((tmp_path / "results" / "pipelines.json").read_text())["rows"]
    assert len(rows) == 2
    for row in rows:
        assert row["input"] > row["model"] > 0 and row["together"] > 0 and 0 < row["examples"] <= 1500
        assert row["padding"]["buckets"] < row["padding"]["shuffled"] < row["padding"]["one length"]
