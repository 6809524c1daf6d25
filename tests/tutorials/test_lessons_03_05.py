"""Lessons 03 to 05 run from start to end at --smoke size, on the path of the full size."""

import importlib.util
import json
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
pytestmark = pytest.mark.usefixtures("quick_fits")


@pytest.fixture
def run_lesson(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(TUTORIALS))
    monkeypatch.delenv("KERAS_SEQ_DATA", raising=False)

    def run(script):
        """What the lesson printed, its figures by name, and its results."""
        spec = importlib.util.spec_from_file_location(f"lesson_{script[:2]}", TUTORIALS / script)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.main(["--smoke", "--run", str(tmp_path / "run")])
        files = list((tmp_path / "run").iterdir())
        results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
        return capsys.readouterr().out, {path.name for path in files if path.suffix == ".png"}, results

    return run


def held(results, beginning):
    """Whether the claim that begins so holds; there must be one."""
    (claim,) = [claim for claim in results["claims"] if claim["claim"].startswith(beginning)]
    return claim["holds"]


def test_the_rnn_lesson_unrolls_the_cell_and_trains_four_topologies(run_lesson):
    out, figures, results = run_lesson("03_rnn.py")
    assert figures == {"unrolled.png", "tanh.png", "topologies.png", "learning.png"}
    assert held(results, "keras.layers.SimpleRNN differs") and held(results, "keras.layers.RNN(SimpleRNNCell) differs")
    assert held(results, "that is what teacher forcing promised")
    for topology in ("N-N: is", "N-1, sigmoid: are", "N-1, softmax: which", "1-N: a number", "N-M: what"):
        assert f"\n{topology}" in out
    assert "at_every_step (None, 28, 30) -> states (None, 28, 8)" in out


def test_the_gradient_lesson_follows_clips_and_explodes(run_lesson):
    out, figures, results = run_lesson("04_vanishing_gradients.py")
    assert figures == {f"{name}.png" for name in (
        "slopes", "product", "flow", "adding", "lengths", "after_training", "explosion", "clipping")}  # fmt: skip
    assert held(results, "the sigmoid's slope is 1/4 at most") and held(results, "self-attention does not care")
    assert held(results, "global_clipnorm gives length 1.0000 and keeps the direction")
    assert held(results, "1e18 is clipped to 0.71")
    assert "mean squared error of the answer 1" in out and "loss at the first step" in out


def test_the_gates_lesson_reads_gates_counts_and_times(run_lesson):
    out, figures, results = run_lesson("05_lstm_gru.py")
    assert figures == {"unit.png", "gates.png", "costs.png", "memory_11.png"}
    assert held(results, "lstm_step gives what keras.layers.LSTM gives")
    assert held(results, "reset after: with the update gate's weights negated")
    assert held(results, "reset before: with the update gate's weights negated")
    assert held(results, "all 6 parameter counts are as predicted")
    assert [row["layer"] for row in results["costs"]][3:] == [
        "bidirectional simple RNN", "bidirectional GRU", "bidirectional LSTM"]  # fmt: skip
    assert "KERAS_SEQ_DATA names no folder with raw/snips" in out


def test_real_sentences_are_read_where_they_are(run_lesson, monkeypatch, tmp_path):
    folder = tmp_path / "data" / "raw" / "snips"
    for intent, text in (("PlayMusic", "play a tune by "), ("GetWeather", "will it rain here tomorrow at ")):
        (folder / intent).mkdir(parents=True)
        for name, count in ((f"train_{intent}_full.json", 40), (f"validate_{intent}.json", 5)):
            queries = [{"data": [{"text": text}, {"text": "four in Orléans", "entity": "place"}]}] * count
            encoding = "latin-1" if intent == "PlayMusic" else "utf-8"  # as in the published files
            (folder / intent / name).write_text(json.dumps({intent: queries}, ensure_ascii=False), encoding=encoding)
    monkeypatch.setenv("KERAS_SEQ_DATA", str(tmp_path / "data"))
    spec = importlib.util.spec_from_file_location("lesson_05", TUTORIALS / "05_lstm_gru.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    train, test, intents = module.snips_sentences(module.Config())
    assert intents == ["GetWeather", "PlayMusic"] and len(train) == 80 and len(test) == 10
    assert ("play a tune by four in orléans", 1) in test
