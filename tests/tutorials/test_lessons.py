"""Every lesson runs from start to end at --smoke size, and again without training."""

import importlib.util
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
pytestmark = pytest.mark.usefixtures("quick_fits")


def lesson(name):
    spec = importlib.util.spec_from_file_location(name.replace(".", "_"), TUTORIALS / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_quickstart_trains_exports_reads_and_does_not_train_again(tmp_path, capsys):
    quickstart, run = lesson("00_quickstart.py"), tmp_path / "run"
    code = quickstart.main(["--smoke", "--run", str(run)])
    first = capsys.readouterr().out
    assert code in (0, 1)  # so small a model may flag the date
    for line in ("parameters; exact match", "trained, exported and proven in", "read     samedi 9 mai 1998", "onnx"):
        assert line in first
    assert (run / "attention.png").exists() == ("where the model looked" in first)
    trained = (run / "model.keras").stat().st_mtime_ns
    quickstart.main(["--smoke", "--run", str(run), "--text", "二〇二〇年五月三日"])
    second = capsys.readouterr().out
    assert "read     二〇二〇年五月三日" in second and "training on" not in second
    assert (run / "model.keras").stat().st_mtime_ns == trained


@pytest.mark.parametrize("text", ["", "   ", "9" * 65])
def test_a_text_that_no_model_can_read_is_refused_before_training(text, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        lesson("00_quickstart.py").main(["--smoke", "--run", str(tmp_path / "run"), "--text", text])
    assert "give a date of 1 to 64" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_attention_lesson_compares_draws_and_exports(warm_children, tmp_path, capsys):
    run = tmp_path / "run"
    lesson("10_seq2seq_attention.py").main(["--smoke", "--run", str(run)])
    out = capsys.readouterr().out
    assert "writings held out of training" in out and "memory of one source" in out
    figures = {"attention.png", "occlusion.png", "by_length.png", "memory.png", "learning.png"}
    assert figures <= {path.name for path in run.iterdir()}
    assert (run / "bundle" / "manifest.json").exists() and (run / "results.json").exists()
