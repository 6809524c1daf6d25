"""Lesson 14 hears key tones at --smoke size, reads a recording of one's own, and refuses what is none."""

import importlib.util
import json
import os
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from keras_seq.data import toy_speech

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"


@pytest.fixture
def speech(monkeypatch):
    monkeypatch.syspath_prepend(str(TUTORIALS))
    for module in ("lesson", "shipping"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    spec = importlib.util.spec_from_file_location("lesson_14", TUTORIALS / "14_speech.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_wav(path, samples, rate, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples.astype("<i2"), channels).tobytes())


@pytest.mark.usefixtures("warm_children")
def test_the_lesson_trains_compares_draws_leaves_a_speaker_out_and_listens(speech, tmp_path, capsys):
    run = ["--smoke", "--run", str(tmp_path)]
    speech.main(run)
    out, results = capsys.readouterr().out, json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    figures = {"digit_7", "digit_2", "learning", "by_length", "noise", "attention", "confusion"}
    assert {f"{name}.png" for name in figures} <= {path.name for path in tmp_path.iterdir()}
    assert "Somebody it has never heard: right" in out and "refused: a recording has 16001 samples" in out
    rows = results["scores"]
    assert [row["metric"] for row in rows] == ["accuracy", "word error rate"] * 2 + ["accuracy"]
    assert all(0 <= row["low"] <= row["value"] <= row["high"] for row in rows) and rows[-1]["bar"] == 0.9
    claims = {entry["claim"]: entry["holds"] for entry in results["claims"]}
    assert any(claim.startswith("thirty times softer") and holds for claim, holds in claims.items())
    assert [row["format"] for row in results["matrix"]] == ["keras", "tflite", "tflite"]

    tone = toy_speech.recordings(1)[3]["audio"]
    write_wav(tmp_path / "own.wav", np.repeat(tone, 2), 16000, channels=2)
    write_wav(tmp_path / "loud.wav", np.clip(9 * tone.astype(int), -32768, 32767), 8000)
    speech.main([*run, "--wav", str(tmp_path / "own.wav"), str(tmp_path / "loud.wav")])
    said = capsys.readouterr().out
    assert "own.wav: " in said and "is clipped: " in said and (tmp_path / "own.wav.heard.png").exists()
    (tmp_path / "cut.wav").write_bytes((tmp_path / "own.wav").read_bytes()[:300])
    write_wav(tmp_path / "silent.wav", 0 * tone, 8000)
    write_wav(tmp_path / "long.wav", np.tile(tone, 20), 8000)
    for name, message in (("cut", "is cut off"), ("silent", "is silent"), ("long", "the model reads at most 2.00 s")):
        with pytest.raises(SystemExit, match=f"14_speech: .*{name}.wav {message}|14_speech: .*{name}.wav .*{message}"):
            speech.main([*run, "--wav", str(tmp_path / f"{name}.wav")])


def test_without_a_trained_model_it_says_so(speech, tmp_path):
    with pytest.raises(SystemExit, match="has no model.keras: it is no finished run; train it first"):
        speech.main(["--smoke", "--run", str(tmp_path), "--wav", "nowhere.wav"])


@pytest.mark.skipif("KERAS_SEQ_DATA" not in os.environ, reason="KERAS_SEQ_DATA is not set: no real recordings")
def test_a_speaker_nobody_knows_is_refused(speech, tmp_path):
    with pytest.raises(SystemExit, match="14_speech: --speaker thea is none of them; choose one"):
        speech.main(["--run", str(tmp_path), "--speaker", "thea"])


def test_without_the_recordings_it_says_how_to_get_them(speech, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_SEQ_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="has no tfds/spoken_digit; unset it to download the set, or prepare it there"):
        speech.main(["--run", str(tmp_path / "run")])
