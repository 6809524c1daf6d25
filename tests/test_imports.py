"""Imports go one way: tutorials -> export -> keras_seq; and the parts for a device need no TensorFlow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


@pytest.mark.parametrize(("package", "above"), [("keras_seq", {"export", "tutorials"}), ("export", {"tutorials"})])
def test_nothing_imports_upward(package, above):
    files = list((ROOT / package).rglob("*.py"))
    assert len(files) > 5
    assert not {path.name for path in files if above & set(imported(path))}


def test_layers_use_keras_alone():
    for path in (ROOT / "keras_seq" / "layers").glob("*.py"):
        constants = {"numpy"} if path.name == "spectrogram.py" else set()  # fixed kernels, computed in float64
        assert set(imported(path)) <= {"keras", "keras_seq", "math"} | constants, path


@pytest.mark.parametrize("module", ["export", "export.runtime", "keras_seq", "keras_seq.data.dates"])
def test_it_imports_where_tensorflow_and_keras_cannot_be(module):
    code = f"import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; import {module}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_runtime_imports_numpy_alone_at_the_top():
    modules = list((ROOT / "export" / "runtime").glob("*.py"))
    top = {name for module in modules for name in imported(module) if name not in sys.stdlib_module_names}
    assert top == {"numpy"} and len(modules) > 5


def test_whoever_loads_a_model_knows_its_class():
    """Each recipe that reads model.keras is enough by itself, for a script's --text: they are imported one by one."""
    loaders = [
        f"keras_seq.recipes.{path.stem}"
        for path in (ROOT / "keras_seq" / "recipes").glob("*.py")
        if "load_model(" in path.read_text(encoding="utf-8")
    ]
    assert len(loaders) > 3
    code = (
        "import importlib, sys\n"
        f"for name in {loaders}:\n"
        "    for known in [known for known in sys.modules if known.startswith('keras_seq')]:\n"
        "        del sys.modules[known]\n"
        "    importlib.import_module(name)\n"
        "    assert 'keras_seq.models' in sys.modules, name\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
