"""Generated lines and labels, and a run directory as the exporter reads it."""

import csv
import dataclasses
import json

import numpy as np
import pytest

from keras_seq.data import dates
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.recipes import date_labels
from keras_seq.recipes.date_labels import LANGUAGES, LIMIT, RECURRENT, RUNS, TAGS, DateLabelsConfig


@pytest.mark.parametrize("seed", [3, 11])
def test_the_places_of_dates_in_lines_hold_those_dates(seed):
    count = 300
    drawn = {text.strip() for text in dates.generate(4 * count, seed=seed).texts}
    lines, places = date_labels.dates_in_lines(count, seed)
    assert len(lines) == len(places) == count
    alone = 0
    for line, (begin, end) in zip(lines, places, strict=True):
        assert line[begin:end] in drawn, (line, begin, end)
        assert line[max(begin - 1, 0) : begin].strip() == "" and line[end : end + 1].strip() == ""
        alone += line == line[begin:end]
    assert 0.05 < alone / count < 0.4  # of two sides each is empty in four of ten


def test_lines_are_drawn_again_from_the_same_seed_and_others_from_another():
    assert date_labels.dates_in_lines(20, 5) == date_labels.dates_in_lines(20, 5)
    assert date_labels.dates_in_lines(20, 5) != date_labels.dates_in_lines(20, 6)


def test_classified_dates_are_in_words_and_within_the_limit():
    texts, languages = date_labels.classified_dates(200, seed=2)
    assert len(texts) == len(languages) == 200 and set(languages) == set(LANGUAGES)
    assert all(sum(map(str.isalpha, text)) >= 3 and 0 < len(text) <= LIMIT for text in texts)
    russian = [text for text, language in zip(texts, languages, strict=True) if language == "ru"]
    assert all(any("а" <= letter <= "я" for letter in text.lower()) for text in russian)


def test_tags_say_of_each_character_whether_it_is_of_the_date():
    source = Tokenizer.train([dates.alphabet()], normalization="nfkc", lowercase=True, collapse_spaces=True)
    config = DateLabelsConfig("tag")
    lines, tags = date_labels._drawn(config, source, 50, 0)
    places = date_labels.dates_in_lines(50, 10 * config.seed)[1]
    for line, own, (begin, end) in zip(lines, tags, places, strict=True):
        starts = [start for start, _ in source.offsets(line)]
        assert len(own) == len(starts) and set(own) <= set(TAGS)
        assert [start for start, tag in zip(starts, own, strict=True) if tag == "date"] == [
            start for start in starts if begin <= start < end
        ]


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_a_run_has_what_the_exporter_reads_and_is_not_trained_twice(tmp_path):
    config = DateLabelsConfig("tag", cell="gru", units=6, embedding_size=5, examples=60, epochs=1, test_examples=9)
    run = tmp_path / "a_tagger"
    model, results = date_labels.train(config, run)
    task = json.loads((run / "config.json").read_text(encoding="utf-8"))["task"]
    assert task == {"name": "a_tagger", "kind": "tag", "limits": {"source": LIMIT}}
    labels = json.loads((run / "labels.json").read_text(encoding="utf-8"))
    rows, source = rows_of(run / "test.tsv"), Tokenizer.load(run / "source.tokenizer.json")
    assert tuple(labels) == TAGS and len(rows) == results["examples"] == 9
    right = []
    for text, target in rows:
        best = np.asarray(model(np.asarray([source.encode(text)], "int32")))[0].argmax(axis=-1)
        right += [labels[place] == tag for place, tag in zip(best, target.split(" "), strict=True)]
    assert results["accuracy"] == pytest.approx(np.mean(right))
    weights = model.get_weights()
    again, _ = date_labels.train(config, run)
    assert all(np.array_equal(*pair) for pair in zip(weights, again.get_weights(), strict=True))


def test_a_test_set_has_a_line_for_each_text_whatever_is_in_it(tmp_path):
    date_labels._write_tests(tmp_path / "test.tsv", ['say "9', "mai"], ["fr", ["-", "date"]])
    assert rows_of(tmp_path / "test.tsv") == [['say "9', "fr"], ["mai", "- date"]]


def test_a_kind_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(ValueError, match="kind='sing' is not known; choose 'classify' or 'tag'"):
        date_labels.train(DateLabelsConfig("sing"), tmp_path / "run")


def test_every_recurrent_kind_is_among_the_runs_of_the_matrix():
    kinds = {name.split("_", 1)[1] for name in RUNS}
    assert kinds == set(RECURRENT) and {name.split("_")[0] for name in RUNS} == {"classify", "tag"}
    for options in RECURRENT.values():
        dataclasses.replace(DateLabelsConfig(), **options)


def test_the_command_line_names_what_it_does_not_know(capsys):
    with pytest.raises(SystemExit):
        date_labels.main(["tag_tape"])
    assert "tag_tape is not known; choose from classify_rnn" in capsys.readouterr().err
