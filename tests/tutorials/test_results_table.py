"""README's tables are what results/ says."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def results_table():
    spec = importlib.util.spec_from_file_location("results_table", ROOT / "tutorials" / "results_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_readme_is_not_stale(results_table):
    assert results_table.main(["--check"]) == 0


def test_a_changed_figure_is_seen(results_table, tmp_path, monkeypatch, capsys):
    (tmp_path / "results").mkdir()
    for file in (ROOT / "results").glob("*.json"):
        (tmp_path / "results" / file.name).write_text(
            re.sub(r'"parameters": (\d)', r'"parameters": 7\1', file.read_text(encoding="utf-8")), encoding="utf-8"
        )
    (tmp_path / "tutorials").mkdir()
    for page in ("README.md", "tutorials/README.md"):
        (tmp_path / page).write_text((ROOT / page).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    assert results_table.main(["--check"]) == 1
    assert "stale" in capsys.readouterr().err
    assert results_table.main([]) == 0
    assert results_table.main(["--check"]) == 0


ENTRY = {"what": "a task", "data": "some data", "model": "a model", "how": "bootstrap", "low": None, "high": None}


@pytest.mark.parametrize(
    ("row", "score", "bar", "seed"),
    [
        ({"metric": "BLEU", "value": 0.9, "seed": 3}, "BLEU 0.9", "", "3"),
        ({"metric": "accuracy", "value": 1, "bar": 0.9, "seed": [1, 2]}, "accuracy 100.00 %", "90.00 %", "1, 2"),
        ({"metric": "BLEU, lower-cased", "value": 40.89, "bar": 38.5, "stretch": 41.0}, "BLEU, lower-cased 40.89",
         "38.5 (41)", ""),
        ({"metric": "perplexity a token", "value": 0.5, "bar": None, "stretch": None, "seed": None},
         "perplexity a token 0.5", "", ""),
        ({"metric": "something", "unit": "%", "value": 0.25}, "something 25.00 %", "", ""),
        ({"metric": "accuracy", "unit": "points", "value": 25.0}, "accuracy 25", "", ""),
    ],
)  # fmt: skip
def test_a_score_is_shown_in_its_unit_with_its_bars_and_seeds(row, score, bar, seed, results_table):
    cells = results_table._score_cells({**ENTRY, **row})
    assert (cells[2], cells[3], cells[-1]) == (score, bar, seed)


def test_a_run_of_every_lesson_that_ships_has_a_table_of_its_own(results_table):
    text = results_table.matrix()
    names = [line.split("<summary>")[1].split(":")[0] for line in text.splitlines() if "<summary>" in line]
    assert len(names) == len(set(names))
    assert {"quickstart", "12 translation, transformer", "12b chinese english, transformer"} <= set(names)
    assert "| 12b chinese english, transformer | onnx | float32 | BLEU " in text
