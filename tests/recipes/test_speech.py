"""The recipe of recognisers: what a run directory holds, what is heard, and what is refused."""

import dataclasses
import json
import os

import numpy as np
import pytest

from keras_seq.data import speech, toy_speech
from keras_seq.recipes.recogniser import Recogniser
from keras_seq.recipes.speech import SpeechConfig, load_parts, test_recordings, test_strings, train

CONFIG = SpeechConfig(
    units=24, channels=6, num_layers=1, embedding_size=8, bands=32, seconds=2.0, digits=3, strings=192, grow=4,
    epochs=12, batch_size=8, learning_rate=1e-2, dropout=0.0, average=2, test_strings=30, validation_strings=16,
    mixing=speech.Mixing(speed=(1, 1)),  # a key a tenth faster is another key
)  # fmt: skip


def parts():
    return {part: toy_speech.recordings(count, seed) for seed, (part, count) in enumerate(SIZES.items())}


SIZES = {"train": 8, "validation": 2, "test": 2}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "keys"
    recogniser, results = train(CONFIG, parts(), run, verbose=0)
    return run, recogniser, results


def test_a_run_directory_has_what_the_exporter_reads(trained):
    run, _, results = trained
    task = json.loads((run / "config.json").read_text(encoding="utf-8"))["task"]
    assert task == {
        "name": "speech_keys",
        "kind": "generate",
        "limits": {"source": 16000, "target": 4},
        "score": "word_accuracy",
        "audio": {"rate": 8000, "channels": 1, "window": 256, "hop": 80, "bands": 32},
    }
    assert json.loads((run / "results.json").read_text()) == results
    with np.load(run / "test.npz") as kept:
        assert kept["samples"].dtype == "int16" and kept["samples"].shape == (kept["lengths"].sum(),)
        assert len(kept["lengths"]) == len(kept["targets"]) == 40 + 30 and kept["targets"].dtype.kind == "U"
        assert kept["targets"][0] == "zero" and {len(text.split()) for text in kept["targets"][40:]} == {2, 3}


def test_it_learns_and_the_scores_are_those_of_what_it_writes(trained):
    _, recogniser, _ = trained
    samples, texts = zip(*test_strings(CONFIG, parts()["test"]), strict=True)
    recordings = [speech.to_float(own) for own in samples]
    scores = recogniser.scores(recordings, texts, draws=50)
    assert recogniser.recognise(recordings) == scores["outputs"]
    assert scores["word_errors"]["value"] < 0.6  # of ten keys, 0.9 by guessing
    assert scores["word_errors"]["low"] <= scores["word_errors"]["value"] <= scores["word_errors"]["high"]
    assert scores["exact"]["value"] == np.mean(
        [own == text for own, text in zip(scores["outputs"], texts, strict=True)]
    )
    one_by_one = [recogniser.recognise([own])[0] for own in recordings[:6]]
    assert one_by_one == scores["outputs"][:6]


def test_a_run_that_is_read_again_hears_and_looks_the_same(trained):
    run, recogniser, _ = trained
    samples = speech.to_float(test_recordings(parts()["test"])[7][0])
    again = Recogniser.load(run)
    assert again.recognise([samples]) == recogniser.recognise([samples])
    words, weights = again.alignment(samples)
    assert weights.shape == (len(words), -(-len(samples) // 320)) and words[-1] == "<end>"
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-4)
    assert again.features(samples).shape == (-(-len(samples) // 80), 32)


def test_a_finished_run_is_not_trained_again_and_another_is_refused(trained):
    run, _, results = trained
    before = (run / "model.keras").stat().st_mtime_ns
    assert train(CONFIG, parts(), run, verbose=0)[1] == results
    assert (run / "model.keras").stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="is of another run: units is 24 there and 25 here"):
        train(dataclasses.replace(CONFIG, units=25), parts(), run)


def test_ctc_is_trained_by_the_same_recipe(tmp_path):
    config = dataclasses.replace(CONFIG, model="ctc", strings=96, epochs=1, average=1)
    recogniser, results = train(config, parts(), tmp_path / "ctc", verbose=0)
    assert json.loads((tmp_path / "ctc" / "config.json").read_text())["task"]["kind"] == "ctc"
    assert results["parameters"] < 60_000 and not recogniser.attends
    samples = speech.to_float(test_recordings(parts()["test"])[3][0])
    (text,) = recogniser.recognise([samples])
    words, weights = recogniser.alignment(samples)
    assert words == text.split() and weights.shape == (len(words), -(-len(samples) // 320))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((800, 2), "float32"), "shape .800, 2., wanted .samples,.; mix its channels into one"),
        (np.zeros(0, "float32"), "has 0 samples, 0.0 s; give up to 2 s"),
        (np.zeros(16001, "float32"), "has 16001 samples, 2.0 s; give up to 2 s, a longer one cut at its pauses"),
        (np.zeros(800, "int16"), "is int16, wanted floats from -1 to 1; divide int16 by 32768"),
        (np.full(800, np.nan, "float32"), "800 of 800 samples are not finite"),
    ],
)
def test_what_is_no_recording_is_refused(trained, samples, message):
    with pytest.raises(ValueError, match=message):
        trained[1].recognise([samples])


def test_what_no_training_can_begin_with_is_refused(tmp_path):
    with pytest.raises(ValueError, match="recordings of rates .8000. came for rate=16000"):
        train(dataclasses.replace(CONFIG, rate=16000), parts(), tmp_path)
    with pytest.raises(ValueError, match="model='rnnt' is not known; choose 'attention' or 'ctc'"):
        train(dataclasses.replace(CONFIG, model="rnnt"), parts(), tmp_path)
    with pytest.raises(ValueError, match="no model.keras: it is no finished run"):
        Recogniser.load(tmp_path)


@pytest.mark.skipif("KERAS_SEQ_DATA" not in os.environ, reason="KERAS_SEQ_DATA is not set: no real recordings")
def test_a_small_model_learns_real_digits(tmp_path):
    config = SpeechConfig(units=48, channels=12, num_layers=1, digits=2, grow=3, strings=512, epochs=6, dropout=0.0,
                          learning_rate=4e-3, average=1, test_strings=20, validation_strings=16)  # fmt: skip
    recordings = load_parts()
    recogniser, _ = train(config, recordings, tmp_path / "run", verbose=0)
    samples, texts = zip(*test_recordings(recordings["test"]), strict=True)
    assert recogniser.scores([speech.to_float(own) for own in samples], texts, draws=2)["exact"]["value"] > 0.5
