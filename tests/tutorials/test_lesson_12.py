"""Lessons 12 and 12b train, compare, draw, ship and translate at --smoke size."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"


@pytest.fixture
def lesson(monkeypatch):
    """Function from a lesson's file name to its module; its trainings are traced for one shape of batches, not six."""
    monkeypatch.setattr("keras_seq.recipes.sentence_pairs._BUCKETS", ())
    monkeypatch.syspath_prepend(str(TUTORIALS))
    for name in ("lesson", "shipping", "translating"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def load(name):
        spec = importlib.util.spec_from_file_location(name.split(".")[0], TUTORIALS / name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def read(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("warm_children")
def test_translation_from_the_data_to_shipping_and_to_a_file(lesson, tmp_path, capsys):
    twelve = lesson("12_translation.py")
    twelve.main(["--smoke", "--run", str(tmp_path)])
    out, results = capsys.readouterr().out, read(tmp_path)
    figures = "learning beams by_length ablation decode_time attention heads"
    assert {f"{name}.png" for name in figures.split()} <= {path.name for path in tmp_path.iterdir()}
    assert [row["model"] for row in results["scores"]] == list(twelve.KINDS.values())
    for row in results["scores"]:
        assert row["low"] <= row["value"] <= row["high"] and row["metric"] == "BLEU, lower-cased"
    assert {row["format"] for row in results["matrix"]} >= {"keras", "tflite"}
    assert all("bleu_lowercase" in row["score"] for row in results["matrix"])
    assert results["ablation"].keys() == {*twelve.SMOKE.ablations, "last weights, not averaged"}
    assert results["ablation"]["all of it"]["gain"] == results["ablation"]["all of it"]["high"] == 0
    assert all(row["low"] <= row["gain"] <= row["high"] for row in results["ablation"].values())
    assert "case:lc" in out and "case:mixed" in out and "chrF" in out

    file = tmp_path / "my.txt"
    file.write_text("a dog runs\n\nthe cat sleeps\n", encoding="utf-8")
    twelve.main(["--smoke", "--run", str(tmp_path), "--translate", str(file), "--beams", "2"])
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == 4 and lines[1] == lines[3] == ""
    long = "a dog runs " * 20
    file.write_text(f"{long}\na dog runs\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="1 of the lines could not be translated; they are empty"):
        twelve.main(["--smoke", "--run", str(tmp_path), "--translate", str(file), "--beams", "2"])
    said = capsys.readouterr()
    assert said.out.split("\n") == ["", lines[0], ""]
    assert f"{file}, line 1: " in said.err and " tokens, wanted 1 to 24; left out, split it up" in said.err
    with pytest.raises(SystemExit, match="seed is 1 there and 2 here.*; here: name another folder with --run"):
        twelve.main(["--smoke", "--run", str(tmp_path), "--seed", "2"])
    capsys.readouterr()
    before = (tmp_path / "results.json").read_bytes()
    twelve.main(["--smoke", "--run", str(tmp_path), "--ablations"])
    out = capsys.readouterr().out
    assert "all of it" in out and "95 of 100 draws" in out and "Three translators" not in out
    assert (tmp_path / "results.json").read_bytes() == before
    twelve.main(["--smoke", "--run", str(tmp_path), "--text", "a dog runs", "--beams", "3"])
    best = capsys.readouterr().out.splitlines()
    assert best[0] == "  a dog runs" and len(best) == 4
    assert float(best[1].split()[0]) >= float(best[2].split()[0])
    with pytest.raises(SystemExit, match="has 0 tokens"):
        twelve.main(["--smoke", "--run", str(tmp_path), "--text", " "])


def test_pairs_of_ones_own_claim_nothing_and_may_be_long(lesson, tmp_path, capsys, monkeypatch):
    twelve = lesson("12_translation.py")
    monkeypatch.setattr("shipping.ship", lambda *arguments, **options: [])
    monkeypatch.setattr(twelve, "score_files", lambda *arguments: [])
    file = tmp_path / "my.tsv"
    pairs = twelve.toy_pairs()["train"][:120]
    rows = [f"{row['source']} " * (9 if number % 2 else 1) + f"\t{row['target']}\n" for number, row in enumerate(pairs)]
    file.write_text("".join(rows), encoding="utf-8")
    twelve.main(["--smoke", "--run", str(tmp_path), "--data", str(file)])
    results = read(tmp_path / "my")
    claims = [entry["claim"] for entry in results["claims"]]
    assert len(claims) == 1 and claims[0].startswith("with a cache") and results["scores"] == []


def test_pairs_of_ones_own_are_read_by_characters_and_claim_nothing(lesson, tmp_path, monkeypatch):
    own = lesson("12b_chinese_english.py")
    monkeypatch.setattr(own, "ship", lambda *arguments, **options: [])
    monkeypatch.setattr(own, "score_files", lambda *arguments, **options: [])
    file = tmp_path / "my.tsv"
    rows = [f"{row['source']}\t{row['target']}\n" for row in own.toy_pairs()["train"][:120]]
    file.write_text("".join(rows), encoding="utf-8")
    own.main(["--smoke", "--run", str(tmp_path), "--data", str(file)])
    results = read(tmp_path / "my")
    assert results["claims"] == [] and results["scores"] == [] and results["numbers"]["pairs: train"] == 108


@pytest.mark.usefixtures("warm_children")
def test_chinese_to_english(lesson, tmp_path, capsys):
    lesson("12b_chinese_english.py").main(["--smoke", "--run", str(tmp_path)])
    results = read(tmp_path)
    assert {"learning.png", "attention.png"} <= {path.name for path in tmp_path.iterdir()}
    assert results["claims"][0]["holds"] and "0 sources and 0 targets are in more" in results["claims"][0]["claim"]
    assert results["files"][0].keys() == {"format", "precision", "greedy", "beam"}
    assert [row["metric"] for row in results["scores"]] == ["BLEU", "chrF"]
    assert "case:mixed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--text", "a dog"], "has no model.keras: it is no finished run; train it first"),
        (["--translate", "nowhere.txt"], "no finished run"),
        (["--data", "nowhere.tsv"], "nowhere.tsv"),
    ],
)
def test_what_it_cannot_do_is_refused_before_any_training(flags, message, lesson, tmp_path):
    with pytest.raises(SystemExit, match=message):
        lesson("12_translation.py").main(["--smoke", "--run", str(tmp_path), *flags])
    assert not list(tmp_path.rglob("config.json"))
