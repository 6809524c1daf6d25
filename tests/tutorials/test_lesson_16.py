"""The lesson on export runs from start to end at --smoke size."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
pytestmark = pytest.mark.usefixtures("quick_fits", "warm_children")


def test_the_export_lesson_ships_measures_and_breaks(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(TUTORIALS))
    spec = importlib.util.spec_from_file_location("16_export", TUTORIALS / "16_export.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    module.main(["--smoke", "--run", str(tmp_path)])
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    held = {entry["claim"]: entry["holds"] for entry in results["claims"]}
    for beginning in (  # what does not hang on training
        "Keras writes 1 Loop, we one GRU and no Loop",
        "'turn a byte' is noticed",
        "'cut short' is noticed",
        "'exchange weights' is noticed",
        "TFLite: the same",
        "ONNX: the same",
        "what is streamed",
    ):
        assert [holds for claim, holds in held.items() if claim.startswith(beginning)] == [True], (beginning, held)
    for name in ("size_and_score_tagger", "size_and_score_reader", "latency_by_length", "damage_tagger"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
    assert "SHA" not in capsys.readouterr().err
