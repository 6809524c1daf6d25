"""Lessons 00, 10 and 16 run from start to end at --smoke size; the quickstart again, without training.

All three read dates by the same small model. The quickstart trains and exports it, with the exporter's children as
processes of their own; the other two begin with what it left, as they do with whatever is finished.
"""

import contextlib
import gzip
import importlib.util
import io
import json
import shutil
import sys
from pathlib import Path

import pytest

import export
from export.build_bundle import Built

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
pytestmark = pytest.mark.usefixtures("quick_fits")


def lesson(name):
    spec = importlib.util.spec_from_file_location(name.replace(".", "_"), TUTORIALS / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """The run directory, with the bundle in it; the exit code; and what was printed."""
    run = tmp_path_factory.mktemp("quickstart") / "run"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = lesson("00_quickstart.py").main(["--smoke", "--run", str(run)])
    return run, code, out.getvalue()


@pytest.fixture
def reader_is_there(quickstart, monkeypatch):
    """Function that puts the quickstart's run where a lesson would train the same; its bundle is not built again."""
    made, build = quickstart[0], export.build

    def put(place):
        shutil.copytree(made, place, ignore=shutil.ignore_patterns("bundle"))

        def once(run, out, *arguments, **options):
            if Path(run) != place:
                return build(run, out, *arguments, **options)
            shutil.copytree(made / "bundle", out)
            return Built(Path(out), json.loads((out / "manifest.json").read_text(encoding="utf-8")), {})

        monkeypatch.setattr(export, "build", once)

    return put


def test_the_quickstart_trains_exports_reads_and_does_not_train_again(quickstart, capsys):
    run, code, first = quickstart
    assert code in (0, 1)  # so small a model may flag the date
    for line in ("parameters; exact match", "trained, exported and proven in", "read     samedi 9 mai 1998", "onnx"):
        assert line in first
    assert (run / "attention.png").exists() == ("where the model looked" in first)
    trained = (run / "model.keras").stat().st_mtime_ns
    lesson("00_quickstart.py").main(["--smoke", "--run", str(run), "--text", "二〇二〇年五月三日"])
    second = capsys.readouterr().out
    assert "read     二〇二〇年五月三日" in second and "training on" not in second
    assert (run / "model.keras").stat().st_mtime_ns == trained


@pytest.mark.parametrize("text", ["", "   ", "9" * 65])
def test_a_text_that_no_model_can_read_is_refused_before_training(text, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        lesson("00_quickstart.py").main(["--smoke", "--run", str(tmp_path / "run"), "--text", text])
    assert "give a date of 1 to 64" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_attention_lesson_compares_draws_and_exports(reader_is_there, tmp_path, capsys, monkeypatch):
    run, sentences = tmp_path / "run", tmp_path / "data" / "raw" / "multi30k" / "test_2016_flickr.en.gz"
    sentences.parent.mkdir(parents=True)
    sentences.write_bytes(gzip.compress(("A dog runs.\n" * 3 + "A man " * 40 + "\n").encode()))
    monkeypatch.setenv("KERAS_SEQ_DATA", str(tmp_path / "data"))
    reader_is_there(run / "attention")
    lesson("10_seq2seq_attention.py").main(["--smoke", "--run", str(run)])
    out = capsys.readouterr().out
    assert "writings held out of training" in out and "memory of one source" in out
    assert "multi30k en" in out and "% of 3\n" in out  # the last sentence is too long
    figures = {"attention.png", "occlusion.png", "by_length.png", "memory.png", "learning.png"}
    assert figures <= {path.name for path in run.iterdir()}
    assert (run / "bundle" / "manifest.json").exists() and (run / "results.json").exists()


def test_the_export_lesson_ships_measures_and_breaks(reader_is_there, warm_children, monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(TUTORIALS))
    spec = importlib.util.spec_from_file_location("16_export", TUTORIALS / "16_export.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    reader_is_there(tmp_path / "reader")
    module.main(["--smoke", "--run", str(tmp_path)])
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    held = {entry["claim"]: entry["holds"] for entry in results["claims"]}
    for beginning in (  # what does not hang on training
        "Keras writes 1 Loop, we one GRU and no Loop",
        "'turn a byte' is noticed",
        "'cut short' is noticed",
        "'exchange weights' is noticed",
        "TFLite: the same",
        "ONNX: the same",
        "what is streamed",
    ):
        assert [holds for claim, holds in held.items() if claim.startswith(beginning)] == [True], (beginning, held)
    for name in ("size_and_score_tagger", "size_and_score_reader", "latency_by_length", "damage_tagger"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
    assert "SHA" not in capsys.readouterr().err
