"""Summaries: Gigaword comes by tensorflow-datasets' own builder, and the best lead is the one that fits."""

import dataclasses

import pytest
import tensorflow_datasets as tfds

from keras_seq import data
from keras_seq.data.catalogue import cards
from keras_seq.recipes import summaries


@pytest.fixture
def published(tmp_path, monkeypatch):
    """The published files, hand-written, where the builder thinks it has downloaded them; returns the folder."""
    folder = tmp_path / "download" / "org_data"
    folder.mkdir(parents=True)
    for part, count in (("train", 7), ("dev", 3), ("test", 2)):
        for side, words in (("src", "it rains in <unk>"), ("tgt", "rain in <unk>")):
            lines = [f"{part} {number} {words}\n" for number in range(count)]
            (folder / f"{part}.{side}.txt").write_text("".join(lines), encoding="utf-8")
    monkeypatch.delenv("KERAS_SEQ_DATA", raising=False)
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "kept"))
    download = tfds.download.DownloadManager
    monkeypatch.setattr(download, "download_and_extract", lambda self, url: str(folder.parent))
    monkeypatch.setattr("keras_seq.data.catalogue.places.answers", lambda url: True)
    return folder


def test_gigaword_is_read_whole_or_in_part(published):
    own = tfds.builder("gigaword")
    whole = {part: data.load("gigaword", part) for part in ("train", "validation", "test")}
    assert own.is_prepared() and [len(rows) for rows in whole.values()] == [7, 3, 2]
    for part, name in (("train", "train"), ("validation", "dev")):
        assert sorted(row["source"] for row in whole[part]) == [
            f"{name} {number} it rains in UNK" for number in range(len(whole[part]))
        ]
    assert all(row["target"].split()[:2] == row["source"].split()[:2] for row in whole["train"])
    some = summaries.gigaword({"train": 4, "validation": 99, "test": 1})
    assert some == {part: whole[part][:count] for part, count in (("train", 4), ("validation", 3), ("test", 1))}


def test_without_a_network_gigaword_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    monkeypatch.delenv("KERAS_SEQ_DATA", raising=False)
    nowhere = dataclasses.replace(cards.CARDS["gigaword"], address="http://nowhere.invalid/")
    monkeypatch.setitem(cards.CARDS, "gigaword", nowhere)
    with pytest.raises(ConnectionError, match="gigaword: it is not on this machine"):
        summaries.gigaword({"train": 1})


def test_the_best_lead_has_as_many_words_as_the_summaries():
    texts = ["rain falls in the north on monday", "banks close in rome for a day"]
    rows = [{"source": text, "target": summaries.lead(text, 4)} for text in texts]
    count, means = summaries.best_lead(rows, longest=6)
    assert count == 4 and means[4] == pytest.approx(1) and list(means) == [1, 2, 3, 4, 5, 6]
    assert means[2] == pytest.approx((2 / 3 + 1 / 2 + 2 / 3) / 3)  # all of its own, 2 of 4 words and 1 of 3 pairs
    with pytest.raises(ValueError, match="0 texts and 0 references"):
        summaries.best_lead([])


def test_made_up_headlines_leave_the_middle_out():
    for row in summaries.toy(20):
        assert set(row["target"].split()) < set(row["source"].split()) and len(row["target"].split()) == 4
