"""Lessons 13 and 13b look up, train, compare and ship at --smoke size, converse, and take a file of one's own."""

import importlib.util
import io
import json
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"
SUMMARIES = Path(__file__).with_name("summaries.tsv")


def load(name, monkeypatch):
    """A lesson's module; its trainings are traced for one shape of batches instead of six."""
    monkeypatch.setattr("keras_seq.recipes.sentence_pairs._BUCKETS", ())
    monkeypatch.syspath_prepend(str(TUTORIALS))
    for module in ("lesson", "shipping", "learning"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    spec = importlib.util.spec_from_file_location(f"lesson_{name}", TUTORIALS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def dialogue(monkeypatch):
    return load("13_dialogue", monkeypatch)


@pytest.fixture
def summaries(monkeypatch):
    return load("13b_summaries", monkeypatch)


@pytest.mark.usefixtures("warm_children")
def test_the_lesson_looks_up_learns_compares_ships_and_converses(dialogue, tmp_path, capsys, monkeypatch):
    run = ["--smoke", "--run", str(tmp_path)]
    dialogue.main(run)
    out, results = capsys.readouterr().out, json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert {"learning.png", "answers.png", "attention.png"} <= {path.name for path in tmp_path.iterdir()}
    assert {row["format"] for row in results["matrix"]} >= {"keras", "tflite"}
    assert results["numbers"]["turns to answer: test"] == 48 and results["numbers"]["pairs left out, too long"] == 0
    assert results["table"]["looked up"]["bleu"] > 50  # the stand-in is easy to look up
    assert results["numbers"]["distinct-2: the people"] == pytest.approx(
        results["table"]["the people"]["distinct_2"], rel=1e-5
    )
    metrics = [row["metric"] for row in results["scores"]]
    assert metrics == ["perplexity a token", "BLEU", "distinct-2", "BLEU", "distinct-2"]
    assert results["scores"][0]["low"] < results["scores"][0]["value"] < results["scores"][0]["high"]
    assert "perplexity a word, 3 turns before" in out and "  > Find me a table in " in out

    dialogue.main([*run, "--text", "Find me a table in Rome."])
    answered = capsys.readouterr().out.splitlines()
    assert len(answered) == 7 and sum("drawn" in line for line in answered) == 3
    scores = [float(line.split()[0]) for line in answered[:4]]
    assert scores == sorted(scores, reverse=True)

    said = ["Find me a table in Rome.", "Thai, please.", "<", "x " * 99, "At six."]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([*said, "", "never read"])))
    dialogue.main([*run, "--chat"])
    lines = capsys.readouterr().out
    assert lines.count("> < ") == 3 and "'<' has 0 tokens; say" in lines and lines.count("something of 1 to 95") == 2
    for text in ("", " > ", "x " * 99):
        with pytest.raises(SystemExit, match="13_dialogue: .* tokens; say something of 1 to 95, or less at a time"):
            dialogue.main([*run, "--text", text])


def test_a_drawn_conversation_ends_with_the_lines(dialogue, capsys, monkeypatch):
    class Talk:
        def ask(self, text, **how):
            return f"{text} {how['temperature']} {how['seed']}"

    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\n"))
    dialogue.chat(Talk(), 0.7, 5)
    assert capsys.readouterr().out == "> < one 0.7 5\n> < two 0.7 6\n> "


def test_pairs_of_ones_own_are_learned_without_turns_before(dialogue, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("shipping.ship", lambda *arguments, **options: [])
    run = ["--smoke", "--run", str(tmp_path), "--data", str(SUMMARIES)]
    dialogue.main(run)
    assert "What the turns before buy" not in capsys.readouterr().out
    results = json.loads((tmp_path / "summaries" / "results.json").read_text(encoding="utf-8"))
    assert results["scores"] == [] and results["numbers"]["turns to answer: train"] == 44
    dialogue.main([*run, "--text", "It snows."])
    assert len(capsys.readouterr().out.splitlines()) == 7


@pytest.mark.usefixtures("warm_children")
def test_made_up_summaries_are_learned_compared_and_shipped(summaries, tmp_path):
    summaries.main(["--smoke", "--run", str(tmp_path)])
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results["numbers"]["pairs: train"] == 160 and results["scores"] == []
    shipped = [row for row in results["matrix"] if row["format"] == "tflite"]
    assert shipped and all("next_token" in row["score"] and row["beam_latency_ms"] > 0 for row in shipped)
    assert (tmp_path / "transformer" / "bundle" / "manifest.json").exists()


def test_summaries_of_ones_own_are_compared_with_the_first_words(summaries, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("shipping.ship", lambda *arguments, **options: [])
    run = ["--smoke", "--run", str(tmp_path), "--data", str(SUMMARIES)]
    summaries.main(run)
    out, results = capsys.readouterr().out, json.loads((tmp_path / "summaries" / "results.json").read_text("utf-8"))
    assert {"leads.png", "learning.png", "attention.png"} <= {path.name for path in (tmp_path / "summaries").iterdir()}
    lead = results["table"]["first words"]["rouge1"]
    assert 0 < lead["low"] <= lead["value"] <= lead["high"] < 1 and results["scores"] == []
    assert "rougeL: beams more than first words" in out
    summaries.main([*run, "--text", "The ferry to the islands will not sail."])
    assert len(capsys.readouterr().out.splitlines()) == 4
    for text, count in (("", 0), ("rain " * 90, "[1-9][0-9]+")):
        with pytest.raises(SystemExit, match=f"has {count} tokens; give texts of 1 to 96"):
            summaries.main([*run, "--text", text])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--text", "hello"], "has no model.keras: it is no finished run; train it first"),
        (["--data", "nowhere.tsv"], "nowhere.tsv is not a file"),
        (["--data", "nowhere"], "the data set 'nowhere' is unknown"),
        (["--data", str(SUMMARIES), "--from", "nowhere"], "nowhere"),
    ],
)
@pytest.mark.parametrize("name", ["dialogue", "summaries"])
def test_what_it_cannot_take_is_refused_before_any_training(name, flags, message, request, tmp_path):
    with pytest.raises(SystemExit, match=message):
        request.getfixturevalue(name).main(["--smoke", "--run", str(tmp_path), *flags])
    assert not list(tmp_path.rglob("config.json"))


def test_without_gigaword_it_says_how_to_get_it(summaries, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_SEQ_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="has no tfds/gigaword; unset it to download the set, or prepare it there"):
        summaries.main(["--run", str(tmp_path / "run")])
