"""Lessons 06 and 06b run from start to end at --smoke size; and a reduced run on the real sentences against a floor."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
pytestmark = pytest.mark.usefixtures("quick_fits")


@pytest.fixture
def lesson(monkeypatch):
    """Loads a lesson as a module. The exporter has tests of its own: what the lessons would ship is only noted."""
    monkeypatch.syspath_prepend(str(TUTORIALS))
    monkeypatch.delenv("KERAS_SEQ_DATA", raising=False)

    def load(name):
        spec = importlib.util.spec_from_file_location(Path(name).stem, TUTORIALS / name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(module, "ship", lambda lesson, run: [{"run": str(run)}])
        return module

    return load


def results_of(run):
    return json.loads((run / "results.json").read_text(encoding="utf-8"))


def test_the_tagging_lesson_compares_trains_and_looks_into_its_tagger(lesson, tmp_path, capsys):
    module = lesson("06_tagging.py")
    module.main(["--smoke", "--run", str(tmp_path)])
    out, results = capsys.readouterr().out, results_of(tmp_path)
    figures = {"compared.png", "learning.png", "ahead.png", "confusion.png"}
    assert figures == {path.name for path in tmp_path.glob("*.png")}
    assert [row["reader"] for row in results["table"]] == ["one way, 1 layer", "both ways, 1 layer"]
    (score,) = results["scores"]
    assert score["low"] <= score["value"] <= score["high"] and score["how"] == "bootstrap, 1000 draws"
    assert results["matrix"] == [{"run": str(tmp_path / "best_seed_1")}]
    assert "Twas/" in out and "right with 2 words ahead" in out and "best, seed 1: ambiguous" in out

    module.main(["--smoke", "--run", str(tmp_path), "--text", "the old saw ."])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["the", "old", "saw", "."] and all(
        line.split()[1] in ("ADJ", "DET", "NOUN", "PROPN", "PUNCT", "VERB") for line in lines
    )


def test_the_lesson_of_slots_takes_a_file_of_one_s_own(lesson, tmp_path, capsys):
    from keras_seq.data import toy_sentences

    rows = toy_sentences.commands(250, seed=7)
    file = tmp_path / "mine.tsv"
    lines = ["\t".join((" ".join(row["tokens"]), " ".join(row["tags"]), row["label"])) for row in rows]
    file.write_text("\n".join([*lines, "a line without tags", ""]), encoding="utf-8")
    module = lesson("06b_slots_and_intents.py")
    with pytest.warns(UserWarning, match="250 of 251 lines kept; left out: 1 without both columns"):
        module.main(["--smoke", "--run", str(tmp_path / "run"), "--data", str(file)])
    out, results = capsys.readouterr().out, results_of(tmp_path / "run")
    assert {"learning.png", "slots.png", "intents.png"} == {path.name for path in (tmp_path / "run").glob("*.png")}
    assert [row["metric"] for row in results["scores"]] == ["slot F1 (conlleval)", "intent accuracy"]
    assert {row["data"] for row in results["scores"]} == {"mine.tsv"}
    intents = results["scores"][1]
    assert intents["value"] > 0.8  # the first word alone tells it
    assert "recall of slots with a new value" in out and "slots alone" in out

    module.main(["--smoke", "--run", str(tmp_path / "run"), "--data", str(file), "--text", "play rome by anna"])
    assert capsys.readouterr().out.strip().startswith("PlayMusic: play")


def test_a_file_without_labels_is_refused_with_the_way_out(lesson, tmp_path):
    file = tmp_path / "mine.tsv"
    file.write_text("a dog\tDET NOUN\n" * 30, encoding="utf-8")
    with pytest.raises(SystemExit, match="has no label for the sentences"):
        lesson("06b_slots_and_intents.py").main(["--smoke", "--run", str(tmp_path / "run"), "--data", str(file)])


@pytest.mark.skipif("KERAS_SEQ_DATA" not in os.environ, reason="KERAS_SEQ_DATA names no folder with tfds/ and raw/")
def test_a_small_tagger_of_real_sentences_beats_the_most_frequent_tag(tmp_path):
    """2000 of the 12543 sentences, three epochs: 86.3 % is what the most frequent tags of *all* sentences reach."""
    from keras_seq.recipes.tagging import TaggingConfig, load_records, train

    records = load_records("universal_dependencies")
    part = {**records, "train": [row for row in records["train"] if len(row["tokens"]) < 32][:2000]}
    config = TaggingConfig(num_layers=1, units=32, embedding_size=32, character_filters=32, epochs=4, batch_tokens=600,
                           learning_rate=1.5e-2, dropout=0.2)  # fmt: skip
    _, results = train(config, part, tmp_path / "run", verbose=0)
    assert results["sentences"]["test"] == 2077
    assert results["accuracy"]["value"] > 0.863
