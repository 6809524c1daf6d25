"""The lesson on intents runs from start to end at --smoke size, reads a sentence, and takes a file of one's own."""

import importlib.util
import json
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
pytestmark = pytest.mark.usefixtures("quick_fits", "warm_children")


@pytest.fixture
def lesson(monkeypatch):
    monkeypatch.syspath_prepend(str(TUTORIALS))
    monkeypatch.delenv("KERAS_SEQ_DATA", raising=False)
    spec = importlib.util.spec_from_file_location("lesson_07", TUTORIALS / "07_intents.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lesson_compares_looks_ships_and_then_reads(lesson, tmp_path, capsys):
    run = ["--smoke", "--run", str(tmp_path / "run")]
    lesson.main(run)
    out = capsys.readouterr().out
    figures = {"attention.png", "confusions.png", "learning_best.png", "learning_kinds.png", "out_of_scope.png",
               "table.png", "transformer.png"}  # fmt: skip
    assert figures <= {path.name for path in (tmp_path / "run").iterdir()}
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in results["table"]] == ["attention", "transformer"]
    assert results["baseline"]["words and characters"] > 0.9  # the stand-in is easy for counts
    assert {row["metric"] for row in results["scores"]} == {"accuracy", "AUROC by confidence"}
    assert any(row["format"] == "tflite" and "refused" not in row for row in results["matrix"])
    assert "looks most at" in out and "AUROC by confidence" in out

    lesson.main([*run, "--text", "will it rain in rome at 4 pm"])
    assert "'will it rain in rome at 4 pm': " in capsys.readouterr().out
    with pytest.raises(SystemExit, match="has 0 tokens; give one of 1 to 32"):
        lesson.main([*run, "--text", " "])


def test_two_labels_of_ones_own_become_a_sigmoid_that_reads(lesson, tmp_path, capsys):
    rows = [f"the {noun} {verb} {word}\t{'good' if word in ('lovely', 'fine') else 'bad'}"
            for noun in ("film", "play", "book", "song") for verb in ("is", "was", "looks", "seems")
            for word in ("lovely", "fine", "awful", "dull")]  # fmt: skip
    (tmp_path / "opinions.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    flags = ["--smoke", "--run", str(tmp_path), "--data", str(tmp_path / "opinions.tsv")]
    lesson.main([*flags, "--text", "the song is lovely"])
    assert "(confidence " in capsys.readouterr().out
    assert json.loads((tmp_path / "opinions" / "best" / "labels.json").read_text(encoding="utf-8")) == ["bad", "good"]
    assert (tmp_path / "opinions" / "best" / "model.keras").exists()


def test_without_the_data_it_says_how_to_get_it(lesson, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_SEQ_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match=r"has no tfds/imdb_reviews; unset it to download the set, or"):
        lesson.main(["--run", str(tmp_path / "run"), "--data", "imdb_reviews"])
    with pytest.raises(SystemExit, match="no file at|No such file|nowhere"):
        lesson.main(["--run", str(tmp_path / "run"), "--data", str(tmp_path / "nowhere.tsv")])
