"""The recipe of taggers: what a run directory holds, what is scored, and what is refused."""

import csv
import dataclasses
import json

import numpy as np
import pytest

from keras_seq.data import toy_sentences
from keras_seq.recipes.sentence_tagger import SentenceTagger
from keras_seq.recipes.tagging import TaggingConfig, config_of, main, train
from keras_seq.scores import f1, span_counts

CONFIG = TaggingConfig(epochs=6, units=12, num_layers=1, embedding_size=12, character_size=4, character_filters=8,
                       limit=14, width=8, batch_tokens=300, learning_rate=3e-2, dropout=0.0)  # fmt: skip
SIMPLEST = {"epochs": 1, "cell": "rnn", "bidirectional": False, "characters": False, "averaging": 0.0}


def commands():
    sizes = (("train", 250), ("validation", 30), ("test", 40))
    return {part: toy_sentences.commands(count, seed) for seed, (part, count) in enumerate(sizes)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "commands"
    tagger, results = train(CONFIG, commands(), run, verbose=0)
    return run, tagger, results


def test_a_run_directory_has_what_the_exporter_reads(trained):
    run, _, results = trained
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    assert config["task"] == {
        "name": "commands",
        "kind": "tag",
        "limits": {"source": 14},
        "characters": {"width": 8},
        "sentence_labels": True,
    }
    tags = json.loads((run / "labels.json").read_text(encoding="utf-8"))
    assert tags == sorted(tags) and {"O", "B-song", "I-artist"} <= set(tags)
    assert json.loads((run / "sentence_labels.json").read_text()) == ["AddToPlaylist", "GetWeather", "PlayMusic"]
    with open(run / "test.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) == 40 and all(len(text.split(" ")) == len(own.split(" ")) for text, own, _ in rows)
    assert json.loads((run / "results.json").read_text()) == results
    (log,) = (run / "logs" / "samples").iterdir()
    assert b"sentence 2" in log.read_bytes() and b"weather/O at/O" in log.read_bytes()


def test_it_learns_and_the_scores_are_those_of_what_it_says(trained):
    _, tagger, results = trained
    test = commands()["test"]
    tags, labels = tagger.tag([row["tokens"] for row in test])
    right = [label == row["label"] for label, row in zip(labels, test, strict=True)]
    assert results["label_accuracy"]["value"] == np.mean(right) > 0.9
    counts = span_counts(tags, [row["tags"] for row in test])
    assert results["span_f1"]["value"] == pytest.approx(f1(counts.sum(axis=0))) and results["span_f1"]["value"] > 0.6
    for score in (results["accuracy"], results["span_f1"], results["label_accuracy"]):
        assert score["low"] <= score["value"] <= score["high"]


def test_a_run_that_is_read_again_says_the_same(trained):
    run, tagger, _ = trained
    sentences = [row["tokens"] for row in commands()["test"]]
    again = SentenceTagger.load(run)
    assert again.tag(sentences) == tagger.tag(sentences)
    one = [again.tag([tokens]) for tokens in sentences[:5]]
    assert [tags for (tags,), _ in one] == again.tag(sentences)[0][:5]


def test_a_finished_run_is_not_trained_again(trained):
    run, _, results = trained
    before = (run / "model.keras").stat().st_mtime_ns
    assert train(CONFIG, commands(), run, verbose=0)[1] == results
    assert (run / "model.keras").stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="is of another run: units is 12 there and 13 here"):
        train(dataclasses.replace(CONFIG, units=13), commands(), run)


def test_fine_tuning_begins_with_the_vocabulary_and_the_weights_of_a_run(trained, tmp_path):
    start, _, before = trained
    config = dataclasses.replace(config_of(start), epochs=1, learning_rate=1e-9)
    records = {part: [{**row, "label": row["label"].upper()} for row in rows[:30]] for part, rows in commands().items()}
    tagger, results = train(config, records, tmp_path / "run", start=start, verbose=0)
    assert tagger.coder.words.vocabulary == SentenceTagger.load(start).coder.words.vocabulary
    assert tagger.labels == ["ADDTOPLAYLIST", "GETWEATHER", "PLAYMUSIC"] and len(tagger.tags) > 5
    whole = [results["span_f1"]["value"], before["span_f1"]["value"]]
    assert whole[0] == pytest.approx(whole[1], abs=0.15)  # as good as before, on 30 of the 40 sentences
    assert json.loads((tmp_path / "run" / "config.json").read_text())["start"] == str(start)
    with pytest.raises(FileNotFoundError, match="is no run of a tagger: it has no config.json"):
        config_of(tmp_path)


def test_what_is_too_long_or_unseen_is_left_out_and_said(tmp_path):
    records = commands()
    records["train"][3] = {"tokens": ["a"] * 15, "tags": ["O"] * 15, "label": "GetWeather"}
    records["test"][0] = {"tokens": ["b"], "tags": ["B-colour"], "label": "GetWeather"}
    records["test"][1] = {"tokens": ["b"], "tags": ["O"], "label": "Paint"}
    with pytest.warns(UserWarning) as said:
        _, results = train(dataclasses.replace(CONFIG, **SIMPLEST), records, tmp_path / "run", verbose=0)
    said = " ".join(str(one.message) for one in said)
    assert "249 of 250" in said and "longer than 14 tokens" in said and "a tags that training has not" in said
    assert results["sentences"] == {"train": 249, "validation": 30, "test": 38}


def test_what_is_wrong_is_said(trained, tmp_path, capsys):
    _, tagger, _ = trained
    with pytest.raises(FileNotFoundError, match="is no finished run of a tagger; train it first"):
        SentenceTagger.load(tmp_path)
    with pytest.raises(ValueError, match="1 of 1 examples are longer than the last bucket, 14"):
        tagger.tag([["a"] * 15])
    with pytest.raises(ValueError, match="1 of 2 examples are empty"):
        tagger.tag([["a"], []])
    with pytest.raises(SystemExit):
        main(["nothing", "--runs", str(tmp_path)])
    assert "nothing is not known; choose from universal_dependencies, snips" in capsys.readouterr().err
