"""Reading intents: every kind of input, two labels by one logit, files of one's own, and going on from another run."""

import dataclasses
import json
import os
import warnings

import numpy as np
import pytest

from keras_seq.recipes import intents
from keras_seq.recipes.intents import IntentsConfig, Reader, train
from keras_seq.recipes.labelled_texts import read_parts
from keras_seq.recipes.text_inputs import KINDS, TextInputs

pytestmark = pytest.mark.usefixtures("quick_fits")
SIZES = {"units": 8, "embedding_size": 9, "character_size": 4, "character_filters": 7, "batch_size": 32, "epochs": 3}
SMALL = IntentsConfig("toy", **SIZES, dropout=0.1, embedding_dropout=0.0, learning_rate=0.03, word_dropout=0.0,
                      label_smoothing=0.0)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "both"
    return run, *train(dataclasses.replace(SMALL, inputs="words_characters"), run, verbose=0)


@pytest.fixture
def opinions(tmp_path):
    """A file of one's own with two labels, one line of it unusable."""
    path = tmp_path / "opinions.tsv"
    good, bad = ("lovely", "fine", "great"), ("awful", "dull", "bad")
    rows = [
        f"the {noun} {verb} {word} {number}\t{'good' if word in good else 'bad'}"
        for noun in ("film", "play", "book")
        for verb in ("is", "was")
        for word in good + bad
        for number in range(4)
    ]
    path.write_text("\n".join([*rows, "a line without a label"]) + "\n", encoding="utf-8")  # fmt: skip
    return path


def test_it_learns_and_writes_what_the_exporter_reads(trained):
    run, reader, results = trained
    assert results["test"]["accuracy"] > 0.95 and results["labels"] == 3
    low, high = results["test"]["interval"]
    assert low <= results["test"]["accuracy"] <= high
    assert 0 <= results["out_of_scope"]["auroc"] <= 1 and results["out_of_scope"]["examples"] == 40
    assert reader.read(["play happy by four cats"])[0] == ["PlayMusic"]
    task = json.loads((run / "config.json").read_text(encoding="utf-8"))["task"]
    assert task["kind"] == "classify" and task["characters"] == {"width": 12} and task["limits"] == {"source": 32}
    files = {"model.keras", "labels.json", "source.tokenizer.json", "characters.tokenizer.json", "test.tsv"}
    assert files <= {path.name for path in run.iterdir()}


def test_a_reader_is_loaded_as_it_was(trained):
    run, reader, _ = trained
    texts = ["play happy by four cats", "will it rain in rome at 4 pm", "qwertz"]
    np.testing.assert_allclose(Reader.load(run).probabilities(texts), reader.probabilities(texts), atol=1e-6)
    np.testing.assert_allclose(reader.probabilities(texts)[:1], reader.probabilities(texts[:1]), atol=1e-5)


@pytest.mark.parametrize("text", ["", "   ", "word " * 33])
def test_a_text_that_cannot_be_read_is_refused(trained, text):
    with pytest.raises(ValueError, match="give one of 1 to 32"):
        trained[1].read([text])


@pytest.mark.parametrize(("inputs", "tokens"), [("words", ["play", "it", "now"]), ("characters", list("play it now"))])
def test_inputs_cut_as_they_say(inputs, tokens):
    texts = TextInputs.train(["play it now"], inputs)
    assert texts.tokens(" Play  it now") == tokens
    assert texts.sequences(["play it"])["ids"] == [texts.source.encode("play it")]
    assert texts.alphabet_size == 0 and set(texts.boundaries) <= set(range(1, texts.limit + 1))


@pytest.mark.parametrize("inputs", KINDS)
def test_every_kind_of_input_is_kept(inputs, tmp_path):
    texts = TextInputs.train(["play it now", "will it rain"], inputs, limit=20, vocabulary=None)
    (tmp_path / "config.json").write_text(json.dumps({"task": texts.task("x")}), encoding="utf-8")
    texts.save(tmp_path)
    again = TextInputs.load(tmp_path)
    one, other = texts.padded(["play rain", "it"]), again.padded(["play rain", "it"])
    assert again.kind == inputs and again.limit == 20
    for array, same in zip(
        *(side.values() if isinstance(side, dict) else [side] for side in (one, other)), strict=True
    ):
        np.testing.assert_array_equal(array, same)


def test_two_labels_are_one_logit_and_lines_left_out_are_said(opinions, tmp_path):
    config = dataclasses.replace(SMALL, encoder="bag", data=str(opinions), epochs=8)
    with pytest.warns(UserWarning, match="left out: 1 .*line 145"):
        reader, results = train(config, tmp_path / "run", verbose=0)
    assert reader.model.output_shape == (None, 1) and reader.labels == ["bad", "good"]
    found = reader.probabilities(["the film is lovely", "the play was awful"])
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert found.argmax(axis=1).tolist() == [1, 0] and results["test"]["accuracy"] > 0.9
    assert "out_of_scope" not in results


def test_a_trained_run_is_a_beginning_for_other_labels(trained, opinions, tmp_path):
    run, reader, _ = trained
    config = dataclasses.replace(SMALL, data=str(opinions), inputs="words_characters", epochs=1, learning_rate=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuned, _ = train(config, tmp_path / "run", start=run, verbose=0)
    before, after = (one.model.get_layer("embedding").get_weights()[0] for one in (reader, tuned))
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert tuned.labels == ["bad", "good"] and len(tuned.texts.source) == len(reader.texts.source)


def test_so_many_examples_are_of_all_labels_alike():
    part = read_parts("toy", examples=30, seed=2)["train"]
    labels = [row["label"] for row in part]
    assert len(part) == 30 and {labels.count(label) for label in set(labels)} == {10}
    assert part == read_parts("toy", examples=30, seed=2)["train"] != read_parts("toy", examples=30, seed=3)["train"]


def test_texts_that_are_too_long_are_counted_and_left_out():
    texts = TextInputs.train(["play it now"], "words", limit=3)
    with pytest.warns(UserWarning, match="1 with a text longer than 3 tokens"):
        kept = texts.short_enough([{"text": "play it now", "label": "a"}, {"text": "play it now or", "label": "b"}])
    assert [row["label"] for row in kept] == ["a"]
    with pytest.warns(UserWarning, match="1 without a token"):
        assert len(texts.short_enough([{"text": "play", "label": "a"}, {"text": " ", "label": "b"}])) == 1


def test_wrong_choices_are_refused(tmp_path):
    with pytest.raises(ValueError, match="data='clink' is not known; choose from clinc_oos, imdb_reviews, toy"):
        train(dataclasses.replace(SMALL, data="clink"), tmp_path)
    with pytest.raises(ValueError, match="inputs='letters' is not known"):
        train(dataclasses.replace(SMALL, inputs="letters"), tmp_path)
    with pytest.raises(ValueError, match="pooling='last' reads a recurrent layer over ids alone"):
        train(dataclasses.replace(SMALL, inputs="words_characters", pooling="last"), tmp_path)
    path = tmp_path / "one.tsv"
    path.write_text("".join(f"text {number}\tsame\n" for number in range(20)), encoding="utf-8")
    with pytest.raises(ValueError, match="all have the label 'same'"):
        train(dataclasses.replace(SMALL, data=str(path)), tmp_path / "run")
    with pytest.raises(FileNotFoundError, match="no run at"):
        TextInputs.load(tmp_path / "nowhere")


def test_a_set_that_is_not_there_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_SEQ_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"imdb_reviews.*unset it to download|tfds\.load"):
        train(dataclasses.replace(SMALL, data="imdb_reviews"), tmp_path / "run")


def test_the_command_trains_by_name(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(intents.RUNS, "attention", dataclasses.replace(SMALL, encoder="bag", epochs=1))
    assert intents.main(["attention", "--runs", str(tmp_path), "--data", "toy"]) == 0
    assert "attention: " in capsys.readouterr().out and (tmp_path / "attention" / "model.keras").exists()


@pytest.mark.skipif("KERAS_SEQ_DATA" not in os.environ, reason="KERAS_SEQ_DATA names no folder with the real data")
def test_real_intents_are_read_above_a_floor(tmp_path):
    config = dataclasses.replace(intents.KINDS["bag"], examples=4500, epochs=4, units=32, learning_rate=0.01,
                                 embedding_dropout=0.0, dropout=0.2, word_dropout=0.0)  # fmt: skip
    _, results = train(config, tmp_path / "run", verbose=0)
    assert results["labels"] == 150 and results["test"]["accuracy"] > 0.7  # chance is 1 in 150
    assert results["out_of_scope"]["auroc"] > 0.8
