"""Notebooks are built from the lessons, and run."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
nbformat = pytest.importorskip("nbformat", reason="jupytext is not installed: pip install -e .[dev]")


@pytest.fixture(scope="module")
def build_notebooks():
    spec = importlib.util.spec_from_file_location("build_notebooks", TUTORIALS / "build_notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_lesson_becomes_a_valid_notebook(build_notebooks, tmp_path):
    assert build_notebooks.main(["--out", str(tmp_path)]) == 0
    lessons = {path.stem for path in TUTORIALS.glob("[0-9][0-9]*_*.py")}
    assert {path.stem for path in tmp_path.iterdir()} == lessons and len(lessons) >= 2
    for path in tmp_path.iterdir():
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        kinds = [cell.cell_type for cell in notebook.cells]
        assert kinds.count("markdown") >= 2 and notebook.cells[-1].source == "main([])"


def test_the_cells_of_a_notebook_run_one_after_another(build_notebooks, tmp_path, monkeypatch, capsys):
    script = TUTORIALS / "01_linear_regression.py"
    path = build_notebooks.build(script, tmp_path, ["--smoke", "--run", str(tmp_path / "run")])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(os.getcwd())
    cells = nbformat.read(path, as_version=4).cells
    namespace = {"__name__": "__main__"}
    for cell in cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, path.name, "exec"), namespace)
    assert "figures:" in capsys.readouterr().out
    assert list((tmp_path / "run").glob("*.png"))


def test_a_number_that_no_lesson_has_is_refused(build_notebooks, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        build_notebooks.main(["99", "--out", str(tmp_path)])
    assert "no lesson has the number 99; choose of 00" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_script_that_calls_no_main_is_refused(build_notebooks, tmp_path):
    script = tmp_path / "99_other.py"
    script.write_text("# %%\nx = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="does not end with a cell that calls main"):
        build_notebooks.build(script, tmp_path / "out")
