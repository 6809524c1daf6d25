"""Lesson 08 counts, trains, draws and ships at --smoke size, and answers a line and a title."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
pytestmark = pytest.mark.usefixtures("quick_fits", "warm_children")


@pytest.fixture
def lesson(monkeypatch):
    monkeypatch.syspath_prepend(str(TUTORIALS))
    for name in ("lesson", "shipping"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    spec = importlib.util.spec_from_file_location("lesson_08", TUTORIALS / "08_verse.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lesson_runs_from_counting_to_shipping_and_answers(lesson, tmp_path, capsys):
    pytest.importorskip("pypinyin")
    lesson.main(["--smoke", "--run", str(tmp_path)])
    out, results = capsys.readouterr().out, json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    figures = "learning places_5 places_7 attention_transformer attention_seq2seq rhymes"
    assert {f"{name}.png" for name in figures.split()} <= {path.name for path in tmp_path.iterdir()}
    claims = {entry["claim"]: entry["holds"] for entry in results["claims"]}
    # What does not hang on training holds at any size.
    assert any(holds and claim.endswith("lines written, 0 of a wrong length") for claim, holds in claims.items())
    assert any(holds and "file draws" in claim for claim, holds in claims.items())
    assert {row["format"] for row in results["matrix"]} >= {"keras", "tflite"}
    assert [row["metric"] for row in results["scores"]] == ["perplexity a character"] * 2 + ["share, modern reading"]
    assert results["scores"][0]["low"] < results["scores"][0]["value"] < results["scores"][0]["high"]
    assert "Where a rhyme comes from" in out and "beam search" in out

    lesson.main(["--smoke", "--run", str(tmp_path), "--line", "天山風花龘。", "--title", "春夜"])
    answered = capsys.readouterr().out
    assert "not known: 龘" in answered and "天山風花龘，" in answered and "epoch" not in answered
    drawn = next(line for line in answered.splitlines() if "drawn" in line).split()[1:]
    assert [len(line) for line in drawn] == [6] * 3  # with the mark
    assert answered.count("《春夜》") == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--title", "一二三四五六七八九十一"], "has 11 characters; give 1 to 10"),
        (["--title", "，"], "has 0 characters; give 1 to 10"),
        (["--data", "nowhere.tsv"], "nowhere.tsv"),
    ],
)
def test_what_it_cannot_take_is_refused_before_any_training(flags, message, lesson, tmp_path):
    with pytest.raises(SystemExit, match=message):
        lesson.main(["--smoke", "--run", str(tmp_path), *flags])
    assert not list(tmp_path.rglob("config.json"))
