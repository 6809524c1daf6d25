"""The lessons on recurrent networks run from start to end at --smoke size."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"


@pytest.mark.parametrize(
    ("name", "figures", "claim"),
    [
        ("03_rnn", {"unrolled", "tanh", "topologies", "learning"}, "keras.layers.SimpleRNN differs from by_hand"),
        ("04_vanishing_gradients", set(), "the sigmoid's slope is 1/4 at most: 0.250000"),
        ("05_lstm_gru", {"gates", "costs"}, "all 6 parameter counts are as predicted"),
    ],
)
def test_a_lesson_on_recurrent_networks_runs(name, figures, claim, tmp_path, capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(TUTORIALS))
    spec = importlib.util.spec_from_file_location(name, TUTORIALS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    module.main(["--smoke", "--run", str(tmp_path)])
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert next(entry["holds"] for entry in results["claims"] if entry["claim"].startswith(claim))
    assert figures <= {path.stem for path in tmp_path.glob("*.png")} and list(tmp_path.glob("*.png"))
    assert "figures:" in capsys.readouterr().out
