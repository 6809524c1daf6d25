"""Lessons 01 and 02 run from start to end at --smoke size, draw their figures and print what they measured."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
pytestmark = pytest.mark.usefixtures("quick_fits")


@pytest.fixture
def lesson(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(TUTORIALS), *sys.path])

    def load(name):
        spec = importlib.util.spec_from_file_location(name.replace(".", "_"), TUTORIALS / name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def figures(run):
    return {path.stem for path in run.glob("*.png") if path.read_bytes().startswith(b"\x89PNG")}


def claims(run):
    return {entry["claim"]: entry["holds"] for entry in json.loads((run / "results.json").read_text())["claims"]}


def test_the_line_the_chain_rule_and_the_curve(lesson, tmp_path, capsys):
    lesson("01_linear_regression.py").main(["--smoke", "--run", str(tmp_path)])
    assert figures(tmp_path) == {
        "line", "valley", "learning_rates", "chain", "finite_differences", "curve", "loss"
    }  # fmt: skip
    out = capsys.readouterr().out
    for line in ("weight, least squares", "largest learning rate, predicted", "dL/dw1 by the chain rule"):
        assert line in out
    held = claims(tmp_path)
    for begin in ("at the best line both slopes", "model.fit takes the same", "by hand and automatic differ"):
        assert all(holds for claim, holds in held.items() if claim.startswith(begin)), begin
        assert any(claim.startswith(begin) for claim in held), begin


def test_its_gradients_are_the_chain_rule(lesson):
    """One unit, one point: the numbers of the lesson's own chain, and the gradient that its figure shows."""
    module = lesson("01_linear_regression.py")
    parameters = [np.array([[1.2]]), np.array([-0.2]), np.array([[0.8]]), np.array([0.1])]
    gradients = module.backward(parameters, np.array([[0.5]]), np.array([[1.0]]))
    h = np.tanh(0.4)
    d_prediction = 2 * (0.8 * h + 0.1 - 1)
    d_sum = d_prediction * 0.8 * (1 - h**2)
    wanted = [d_sum * 0.5, d_sum, d_prediction * h, d_prediction]
    np.testing.assert_allclose([gradient.item() for gradient in gradients], wanted, rtol=1e-12)


def test_the_window_the_counts_and_the_network_without_the_clothes(lesson, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_SEQ_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr("keras_seq.data.images.PUBLISHED", tmp_path / "nothing")
    lesson("02_convolution.py").main(["--smoke", "--run", str(tmp_path)])
    assert figures(tmp_path) == {
        "sliding_window", "padding_and_stride", "pooling", "pictures", "learning", "confusion", "filters", "maps"
    }  # fmt: skip
    out = capsys.readouterr().out
    assert "scikit-learn's DIGITS stand in, and the scores below are theirs" in out
    assert "test pictures of digits are right" in out
    held = claims(tmp_path)
    for claim in (
        "36 of 36 sizes came out as predicted",
        "both have the 280 parameters predicted",
        "4 x 4 becomes 2 x 2, as predicted",
        "all sizes are as predicted, and all 690 parameters",
    ):
        assert held[claim]
    assert all(holds for claim, holds in held.items() if claim.startswith("the logits differ by"))
    assert json.loads((tmp_path / "results.json").read_text())["data"]["name"] == "digits"
