"""Data sets by name: what is known of them, where they are looked for, and how a missing one is refused."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow_datasets as tfds
import tiny_raw

from keras_seq.data import info, load, names, prepared
from keras_seq.data.__main__ import main
from keras_seq.data.catalogue import builders, cards, multi30k, places, sets, snips

DATA = os.environ.get("KERAS_SEQ_DATA")
with_data = pytest.mark.skipif(not (DATA and Path(DATA, "tfds").is_dir()), reason="KERAS_SEQ_DATA has no tfds/")


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A data folder with every set of ours, hand-written, and where prepared sets go."""
    data, kept = tmp_path / "data", tmp_path / "kept"
    for name, write in {
        "multi30k": tiny_raw.multi30k,
        "tatoeba_cmn_eng": tiny_raw.tatoeba_cmn_eng,
        "chinese_poetry": tiny_raw.chinese_poetry_made,
        "snips": tiny_raw.snips_files,
        "sgd": tiny_raw.sgd_made,
    }.items():
        folder = data / "raw" / name
        folder.mkdir(parents=True)
        write(folder)
    monkeypatch.setenv("KERAS_SEQ_DATA", str(data))
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(kept))
    return SimpleNamespace(data=data, kept=kept)


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_every_set_has_a_card_that_says_whose_it_is_and_how_much():
    assert len(names()) == 12 and info("chinese_poetry") == info("chinese_poetry/line_pairs")
    assert info("universal_dependencies").name == "universal_dependencies/en_ewt"
    for name in names():
        card = info(name)
        assert card.licence and card.description.endswith(".") and card.citation.startswith("@") and card.task
        assert card.homepage.startswith("https://") and card.address.startswith("http")
        assert {"train", "validation", "test"} <= set(card.counts) and name in sets.RECORDS
    with pytest.raises(
        ValueError, match="the data set 'mnist' is unknown; choose one of clinc_oos, fashion_mnist, spo"
    ):
        info("mnist")


def test_the_package_imports_and_knows_its_sets_without_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = sys.modules['tensorflow_datasets'] = None\n"
        "import keras_seq.data; print(len(keras_seq.data.names()))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "12\n"


def test_the_records_of_the_sets_made_from_raw_files(folders):
    before = tree(folders.data)
    found = {name: {part: load(name, part) for part in info(name).counts} for name in names() if info(name).raw}
    assert found["multi30k"]["validation"] == [
        {"source": f"val {number} en", "target": f"val {number} de"} for number in range(2)
    ]
    assert [len(part) for part in found["multi30k"].values()] == [5, 2, 3]
    tatoeba = [row for part in found["tatoeba_cmn_eng"].values() for row in part]
    assert sorted((row["target"], row["source"]) for row in tatoeba) == sorted(tiny_raw.TATOEBA)
    assert all(row["attribution"].startswith("CC-BY 2.0 #") for row in tatoeba)
    pairs = {}
    for row in (row for part in found["chinese_poetry/line_pairs"].values() for row in part):
        pairs.setdefault(row["poem"], []).append((row["source"], row["target"]))
    assert pairs == tiny_raw.PAIRS
    poems = [row for part in found["chinese_poetry/quatrains"].values() for row in part]
    assert {
        "poem": "p1",
        "author": "甲",
        "title": "山",
        "lines": [*"白日依山盡 黃河入海流 欲窮千里目 更上一層樓".split()],
    } in poems
    assert [len(part) for part in found["snips"].values()] == [49, 14, 14]
    assert found["snips"]["test"][0] == {
        "tokens": ["Say", "0", "to", "Mr", ".", "X", "?"],
        "tags": ["O", "O", "O", "B-who", "I-who", "I-who", "O"],
        "label": "AddToPlaylist",
    }
    assert found["sgd"]["test"] == [{"dialogue": "d0", "source": "Weather?", "target": "Sunny.", "context": []}]
    assert {
        "dialogue": "d7",
        "source": "Rome 7",
        "target": "1. Roma\n2. Bella",
        "context": ["Hi, a table", 'Which "city"?'],
    } in found["sgd"]["train"] + found["sgd"]["validation"]
    assert tree(folders.data) == before


def test_a_builder_names_its_licence_and_reads_a_manual_folder_or_a_download(folders, tmp_path):
    raw = folders.data / "raw" / "multi30k"
    builder = tfds.builder("multi30k", data_dir=tmp_path / "own")
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=raw, try_download_gcs=False))
    assert builder.info.splits["train"].num_examples == 5 and "Elliott" in builder.info.citation
    assert builder.info.redistribution_info.license == info("multi30k").licence
    pairs = [(row["en"].decode(), row["de"].decode()) for row in builder.as_dataset(split="test").as_numpy_iterator()]
    assert pairs == [(f"test_2016_flickr {number} en", f"test_2016_flickr {number} de") for number in range(3)]

    class Downloads:
        @property
        def manual_dir(self):
            raise AssertionError("there is none")

        def download(self, urls):
            assert urls == multi30k.URLS and all(url.startswith("https://") for url in urls.values())
            return {name: raw / name for name in urls}

    parts = builder._split_generators(Downloads())
    assert {name: len(list(part)) for name, part in parts.items()} == {"test": 3, "train": 5, "validation": 2}


def test_a_set_is_prepared_once_for_the_files_it_is_made_from(folders, monkeypatch):
    assert len(load("multi30k")) == 5
    made = tree(folders.kept)
    monkeypatch.setattr(builders.Multi30k, "_split_generators", None)
    assert len(load("multi30k", "validation")) == 2 and tree(folders.kept) == made
    monkeypatch.undo()
    monkeypatch.setenv("KERAS_SEQ_DATA", str(folders.data))
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(folders.kept))
    for language in ("en", "de"):
        tiny_raw.packed(folders.data / "raw" / "multi30k" / f"train.{language}.gz", "one\n")
    assert len(load("multi30k")) == 1


def test_what_is_killed_while_it_is_prepared_is_not_there_half(folders, monkeypatch):
    whole = multi30k.examples

    def interrupted(raw):
        yield from list(whole(raw))[:4]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(builders.multi30k, "examples", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load("multi30k")
    assert not list(folders.kept.rglob("dataset_info.json"))
    assert len(load("multi30k")) == 5


def test_the_process_that_comes_second_takes_what_the_first_prepared(folders, monkeypatch):
    def first(builder, **options):
        monkeypatch.undo()
        monkeypatch.setenv("KERAS_SEQ_DATA", str(folders.data))
        monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(folders.kept))
        prepared("multi30k")
        raise OSError("Directory not empty")

    monkeypatch.setattr(builders.Multi30k, "download_and_prepare", first)
    assert len(load("multi30k")) == 5


def test_a_folder_that_cannot_be_written_is_named(folders, monkeypatch):
    def refuse(builder, **options):
        raise PermissionError("read-only")

    monkeypatch.setattr(builders.Multi30k, "download_and_prepare", refuse)
    with pytest.raises(PermissionError, match=r"kept.* cannot be written \(read-only\); set TFDS_DATA_DIR"):
        load("multi30k")


def test_a_set_that_the_data_folder_has_not_is_refused_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_SEQ_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match='has no tfds/clinc_oos; unset it.*tfds.load."clinc_oos", data_dir='):
        load("clinc_oos")
    with pytest.raises(
        FileNotFoundError, match="has no raw/sgd; unset it to download the set, or put there the files of"
    ):
        load("sgd")
    (tmp_path / "raw" / "sgd").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="has no raw/sgd; unset it"):
        load("sgd")


@pytest.mark.parametrize("name", ["snips", "imdb_reviews"])
def test_without_a_network_a_set_is_refused_within_seconds(name, monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_SEQ_DATA", raising=False)
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    own = tfds.builder("imdb_reviews", data_dir=tmp_path)
    monkeypatch.setattr(tfds, "builder", lambda *_, **__: own)
    monkeypatch.setitem(cards.CARDS, name, dataclasses.replace(info(name), address="http://nowhere.invalid/"))
    begin = time.monotonic()
    with pytest.raises(ConnectionError, match=f"{name}: it is not on this machine, .* set KERAS_SEQ_DATA to a folder"):
        load(name)
    assert time.monotonic() - begin < 8


def test_a_server_that_answers_counts_whatever_it_says(tmp_path):
    import http.server
    import threading

    handler = lambda *arguments: http.server.SimpleHTTPRequestHandler(*arguments, directory=str(tmp_path))  # noqa: E731
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert places.answers(address + "/") and places.answers(address + "/missing")
        server.shutdown()
    assert not places.answers(address)


def test_a_part_or_a_package_that_is_not_there_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="snips has no part 'dev'; choose one of train, validation, test"):
        load("snips", "dev")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ModuleNotFoundError, match="pip install tensorflow-datasets importlib_resources"):
        load("snips")


def test_imdb_reviews_have_a_validation_part_carved_from_train(monkeypatch):
    reviews = {"train": 5000, "test": 30}
    monkeypatch.setattr(
        sets, "rows", lambda builder, part, names: [(f"{part}<br />{row}", row % 2) for row in range(reviews[part])]
    )
    builder = SimpleNamespace(info=SimpleNamespace(features={"label": SimpleNamespace(names=["neg", "pos"])}))
    train, validation, test = (sets.RECORDS["imdb_reviews"](builder, part) for part in ("train", "validation", "test"))
    assert (len(train), len(validation), len(test)) == (2500, 2500, 30)
    assert test[1] == {"text": "test 1", "label": "pos"}
    assert not {row["text"] for row in train} & {row["text"] for row in validation}


def test_gigaword_s_texts_and_headlines_are_sources_and_targets(monkeypatch):
    monkeypatch.setattr(sets, "rows", lambda builder, part, names: [tuple(f"{part} {name}" for name in names)])
    assert sets.RECORDS["gigaword"](None, "validation") == [
        {"source": "validation document", "target": "validation summary"}
    ]


def test_the_command_shows_the_table_and_a_page(capsys, folders):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 13 and lines[0].split() == ["name", "task", "train", "validation", "test", "licence"]
    assert "sgd" in lines[-1] and "105920" in lines[-1] and "CC BY-SA 4.0" in lines[-1]
    assert main(["snips", "--split", "test", "--head", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "licence: CC0 1.0; https://github.com/sonos/nlu-benchmark" in lines
    assert lines[-3] == "the first 2 of 14 in test:" and "label=AddToPlaylist" in lines[-1]
    assert main(["nothing"]) == 1 and "the data set 'nothing' is unknown" in capsys.readouterr().err


def test_the_command_says_which_lines_of_a_file_can_be_used(capsys, tmp_path):
    path = tmp_path / "my.tsv"
    path.write_text("what time is it\ttime\n\nhello\tgreeting\n", encoding="utf-8")
    assert main([str(path), "--as", "labelled", "--head", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: 2 of 3 lines kept; left out: 1 empty (line 2)",
        "  text=what time is it  label=time",
    ]
    assert main([str(tmp_path / "no.tsv"), "--as", "pairs"]) == 1
    assert "no.tsv is not a file" in capsys.readouterr().err


@with_data
def test_the_sets_of_tensorflow_datasets_have_the_published_sizes():
    counts = {
        name: {part: load(name, part) for part in info(name).counts} for name in ("clinc_oos", "universal_dependencies")
    }
    clinc, trees = counts.values()
    assert [len(part) for part in clinc.values()] == [15000, 3000, 4500, 100, 100, 1000]
    assert len({row["label"] for row in clinc["train"]}) == 150 and {row["label"] for row in clinc["test_oos"]} == {
        "oos"
    }
    assert [len(part) for part in trees.values()] == [12543, 2001, 2077]
    assert [sum(len(row["tokens"]) for row in part) for part in trees.values()] == [204578, 25149, 25094]
    assert len({tag for part in trees.values() for row in part for tag in row["tags"]}) == 17


@with_data
def test_the_spoken_digits_customary_parts():
    digits = {part: load("spoken_digit", part) for part in ("train", "validation", "test")}
    assert [len(part) for part in digits.values()] == [1950, 300, 250]
    assert {row["recording"] for row in digits["test"]} == set(range(5))
    assert not {row["recording"] for row in digits["train"]} & {row["recording"] for row in digits["validation"]}
    one = digits["test"][0]
    assert one["audio"].dtype == np.int16 and one["audio"].ndim == 1 and one["rate"] == 8000
    for part in digits.values():
        assert len({(row["speaker"], row["label"]) for row in part}) == 50


def test_intents_are_those_of_the_files(folders):
    assert prepared("snips").info.features["label"].names == list(snips.INTENTS)
