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
