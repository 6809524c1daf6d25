"""The lessons on attention and on the parts of a Transformer run from start to end at --smoke size."""

import importlib.util
import json
import math
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
pytestmark = pytest.mark.usefixtures("quick_fits")


@pytest.fixture
def lesson(monkeypatch):
    """Loads a lesson as a module; lessons import `lesson` from their own folder."""
    monkeypatch.syspath_prepend(str(TUTORIALS))

    def load(name):
        spec = importlib.util.spec_from_file_location(Path(name).stem, TUTORIALS / name)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load


def holds(results, beginning):
    """Whether the claim that begins so was borne out."""
    return next(entry["holds"] for entry in results["claims"] if entry["claim"].startswith(beginning))


def test_the_attention_lesson_looks_up_regresses_and_compares(lesson, tmp_path, capsys):
    lesson("09_attention.py").main(["--smoke", "--run", str(tmp_path)])
    out, results = capsys.readouterr().out, json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    figures = "temperature regression regression_weights rules learning weights mask_bug root_d_dot root_d_general"
    assert {f"{name}.png" for name in figures.split()} <= {path.name for path in tmp_path.iterdir()}
    assert math.isclose(results["numbers"]["age, the weighted sum of 50, 23 and 21"], 24.3239, abs_tol=1e-3)
    for beginning in (  # what does not hang on training holds at any size
        "the library's Attention('scaled_dot') says 24.3239",
        "raw, one row gets everything",
        "standardised, the dot product likes row 3 best, but row 2 is nearer",
        "without tanh every query gets the same weights",
        "concat-linear takes no other length: value of shape (500, 8, 8) has 8 positions",
        "1e-9 gives three places of padding 22.9%",
        "a row of padding in float16: nan with -1e9, [0.0, 0.0, 0.0] by masked_softmax",
        "at d = 1024 the variance is",
    ):
        assert holds(results, beginning), beginning
    assert "accuracy by content, fixed: additive" in out


def test_by_hand_the_weights_of_the_three_rows_are_the_softmax_of_their_scores(lesson):
    attention = lesson("09_attention.py")
    query, keys = attention.standardised(attention.SOMEBODY), attention.standardised(attention.PEOPLE)
    age, weights = attention.soft_look_up(query, keys, attention.AGES, math.sqrt(2))
    by_hand = [math.exp(score / math.sqrt(2)) for score in (-11 / 7, 4.6 / 7, 6.4 / 7)]  # spread^2 = 350 / 9 in both
    assert weights.tolist() == pytest.approx([value / sum(by_hand) for value in by_hand])
    assert age == pytest.approx(50 * weights[0] + 23 * weights[1] + 21 * weights[2])


def test_the_lesson_of_transformer_parts_takes_each_part_out(lesson, tmp_path, capsys):
    lesson("11_transformer_parts.py").main(["--smoke", "--run", str(tmp_path)])
    out, results = capsys.readouterr().out, json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    figures = "positions distance kinds places probes masks depth depth_gradients heads heads_learning speed arithmetic"
    assert {f"{name}.png" for name in figures.split()} <= {path.name for path in tmp_path.iterdir()}
    for beginning in (
        "pairs of equal distance have equal products",
        "one matrix takes P(t) to P(t + 7)",
        "with sines only no linear map",
        "one wave, 32 positions a turn: by the sine alone 30 of them have a twin, with the cosine 0",
        "where exactly is in the fast quarter",
        "padding: the largest weight on what is hidden is 0",
        "both: the largest weight on what is hidden is 0",
        "causal: new tokens from place 4 on change places 0 to 3 by 0",
    ):
        assert holds(results, beginning), beginning
    assert "accuracy at the places of training, mean of seeds: random" in out and "tokens a second" in out
