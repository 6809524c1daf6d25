"""Lesson 15 trains, judges, looks and ships at --smoke size, and describes a picture of one's own."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"


@pytest.fixture
def lesson(monkeypatch):
    monkeypatch.syspath_prepend(str(TUTORIALS))
    for module in ("lesson", "shipping"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    spec = importlib.util.spec_from_file_location("lesson_15", TUTORIALS / "15_captions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("warm_children")
def test_the_lesson_describes_boards_looks_at_them_and_ships(lesson, tmp_path, capsys):
    run = ["--smoke", "--run", str(tmp_path)]
    lesson.main(run)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    written = {path.name for path in tmp_path.iterdir()}
    assert {"boards.png", "learning.png", "confusion.png", "frames_lstm.png", "frames_transformer.png"} <= written
    assert [row["format"] for row in results["matrix"]] == ["keras", "tflite", "tflite"]
    assert len(results["scores"]) == 8 and all(row["bar"] is None for row in results["scores"])
    assert {row["data"] for row in results["scores"]} == {"scikit-learn's digits, test"}
    capsys.readouterr()

    lesson.main([*run, "--write-boards", "2"])
    assert len(capsys.readouterr().out.splitlines()) >= 2
    lesson.main([*run, "--image", str(tmp_path / "board_0.png")])
    assert capsys.readouterr().out.strip()
    assert (tmp_path / "board_0.png.frames.png").exists()
    with pytest.raises(SystemExit, match="--write-boards 0 is no number of boards; give 1 or more"):
        lesson.main([*run, "--write-boards", "0"])
    with pytest.raises(SystemExit, match="15_captions: .* cannot be read as a picture"):
        lesson.main([*run, "--image", str(tmp_path / "results.json")])
