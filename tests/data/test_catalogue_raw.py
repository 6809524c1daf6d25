"""The raw files of our own sets: both forms give the same examples, no part has what another has, and wrong files are
named."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
import tiny_raw

from keras_seq.data.catalogue import chinese_poetry, info, multi30k, sgd, snips, tatoeba_cmn_eng
from keras_seq.data.catalogue.raw import Raw
from keras_seq.data.parts import groups, part_of

DATA = os.environ.get("KERAS_SEQ_DATA")
with_data = pytest.mark.skipif(not (DATA and Path(DATA, "raw").is_dir()), reason="KERAS_SEQ_DATA has no raw/")


def raw(module, folder, write=None):
    if write:
        folder.mkdir()
        write(folder)
    return Raw.in_folder(folder, module.PATTERNS)


def real(module):
    return raw(module, Path(DATA, "raw", module.__name__.rpartition(".")[2]))


def by_part(examples, key):
    """dict of part -> set of what `key` gives for its examples."""
    parts = {}
    for part, example in examples:
        parts.setdefault(part, set()).update(key(example))
    return parts


def disjoint(parts):
    return sum(map(len, parts.values())) == len(set().union(*parts.values()))


@pytest.mark.parametrize(
    ("module", "examples", "forms"),
    [
        (tatoeba_cmn_eng, tatoeba_cmn_eng.examples, [tiny_raw.tatoeba_cmn_eng, tiny_raw.tatoeba_zipped]),
        (chinese_poetry, chinese_poetry.line_pairs, [tiny_raw.chinese_poetry_made, tiny_raw.chinese_poetry_published]),
        (chinese_poetry, chinese_poetry.quatrains, [tiny_raw.chinese_poetry_made, tiny_raw.chinese_poetry_published]),
        (sgd, sgd.examples, [tiny_raw.sgd_made, tiny_raw.sgd_published]),
    ],
)
def test_the_published_files_and_those_made_from_them_give_the_same(module, examples, forms, tmp_path):
    made, published = (list(examples(raw(module, tmp_path / str(number), write))) for number, write in enumerate(forms))
    assert made == published and len(made) > 1


def test_poems_that_share_a_pair_of_lines_are_in_one_part(tmp_path):
    parts = by_part(
        chinese_poetry.line_pairs(raw(chinese_poetry, tmp_path / "raw", tiny_raw.chinese_poetry_made)),
        lambda example: [example["poem"]],
    )
    assert any({"p1", "p3"} <= poems for poems in parts.values())


def test_no_sentence_is_on_two_sides_and_marks_make_no_other_sentence(tmp_path):
    examples = list(tatoeba_cmn_eng.examples(raw(tatoeba_cmn_eng, tmp_path / "raw", tiny_raw.tatoeba_cmn_eng)))
    for language in ("en", "zh"):
        assert disjoint(by_part(examples, lambda example, language=language: [re.sub(r"\W", "", example[language])]))
    assert set(Counter(part for part, _ in examples)) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("module", "write", "name"),
    [
        (multi30k, tiny_raw.multi30k, "val.de.gz"),
        (tatoeba_cmn_eng, tiny_raw.tatoeba_zipped, "cmn-eng.zip"),
        (snips, tiny_raw.snips_files, "RateBook/validate_RateBook.json"),
        (sgd, tiny_raw.sgd_published, "train/dialogues_007.json"),
        (chinese_poetry, tiny_raw.chinese_poetry_published, "全唐诗/poet.tang.3000.json"),
    ],
)
def test_a_file_that_is_missing_is_named(module, write, name, tmp_path):
    folder = tmp_path / "raw"
    raw(module, folder, write)
    (folder / name).unlink()
    examples = chinese_poetry.line_pairs if module is chinese_poetry else module.examples
    with pytest.raises(FileNotFoundError, match=f"raw has no .*{name.rpartition('/')[2]}; put it there"):
        list(examples(raw(module, folder)))


def test_a_folder_with_neither_form_says_what_to_put_there(tmp_path):
    empty = Raw.in_folder(tmp_path, ("*",))
    with pytest.raises(
        FileNotFoundError, match="has neither pairs_train.tsv.gz nor train/dialogues_001.json; put there"
    ):
        list(sgd.examples(empty))
    with pytest.raises(FileNotFoundError, match="nor poet.tang.0.json; put there the published folder 全唐诗"):
        list(chinese_poetry.quatrains(empty))


def test_files_that_are_not_as_published_are_refused(tmp_path):
    raw(multi30k, tmp_path / "multi30k", tiny_raw.multi30k)
    tiny_raw.packed(tmp_path / "multi30k" / "val.de.gz", "one\n")
    with pytest.raises(ValueError, match="val.en.gz has 2 lines, val.de.gz 1, but they are pairs line by line"):
        list(multi30k.examples(raw(multi30k, tmp_path / "multi30k")))
    tiny_raw.packed(tmp_path / "cmn.txt.gz", "Hi.\t嗨。\tCC\nHi.\n")
    with pytest.raises(ValueError, match="line 2 of cmn.txt has 1 columns, wanted English, Chinese and attribution"):
        list(tatoeba_cmn_eng.examples(raw(tatoeba_cmn_eng, tmp_path)))
    tiny_raw.packed(tmp_path / "pairs_train.tsv.gz", "d0\tHi.\n")
    with pytest.raises(ValueError, match="a row of pairs_train.tsv.gz has 2 columns, wanted 3"):
        list(sgd.examples(raw(sgd, tmp_path)))
    folder = tmp_path / "snips"
    raw(snips, folder, tiny_raw.snips_files)
    for content in ("{", "[]", '{"Other": []}', '{"AddToPlaylist": [{"date": []}]}'):
        (folder / "AddToPlaylist" / "train_AddToPlaylist_full.json").write_text(content)
        with pytest.raises(ValueError, match="train_AddToPlaylist_full.json is not of the form of SNIPS"):
            list(snips.examples(raw(snips, folder)))


@pytest.mark.parametrize(
    "content",
    [
        "Éxitos 🕕".encode(),
        "Éxitos \ud83d\udd55".encode("utf-8", "surrogatepass"),
        "Éxitos \xa0".encode("latin-1"),
    ],
)
def test_snips_files_are_read_in_each_encoding_that_they_come_in(content, tmp_path):
    raw(snips, tmp_path / "raw", tiny_raw.snips_files)
    path = tmp_path / "raw" / "RateBook" / "validate_RateBook.json"
    path.write_bytes(b'{"RateBook": [{"data": [{"text": "' + content + b'", "entity": "album"}]}]}')
    examples = snips.examples(raw(snips, tmp_path / "raw"))
    (last,) = [example for part, example in examples if part == "test" and example["label"] == "RateBook"]
    assert last["label"] == "RateBook" and last["tokens"][0] == "Éxitos" and last["tags"][0] == "B-album"
    assert last["tokens"][1:] in (["🕕"], [])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Rate it 4 out of 6.", "Rate it 4 out of 6 ."),
        ("what's Clem's? at 9:30, p.m.", "what 's Clem 's ? at 9:30 , p.m ."),
        ("don't stop 'til 3.5%", "don't stop 'til 3.5%"),
        ("wait... \n no", "wait ... no"),
        ("", ""),
    ],
)
def test_a_plain_sentence_is_cut_as_the_slots_are(text, tokens):
    assert snips.words(text) == tokens.split()


def test_keys_fall_into_parts_by_their_share_whatever_else_there_is():
    keys = [f"key {number}" for number in range(4000)]
    counts = Counter(part_of(key, {"test": 0.1, "validation": 0.2}) for key in keys)
    assert 340 < counts["test"] < 460 and 720 < counts["validation"] < 880
    assert [part_of(key, {"test": 0.1}) == "test" for key in keys] == [
        part_of(key, {"test": 0.1, "validation": 0.2}) == "test" for key in keys
    ]
    assert part_of("key", {"test": 0.5}, seed=1) in ("train", "test")
    assert Counter(part_of(key, {"test": 0.1}, seed=1) == part_of(key, {"test": 0.1}) for key in keys)[False] > 500


def test_groups_join_through_others():
    joined = groups([(1, 2), (3,), (4, 5), (2, 4)])
    assert joined == {1: 1, 2: 1, 3: 3, 4: 1, 5: 1}


@with_data
def test_multi30k_as_published():
    assert Counter(part for part, _ in multi30k.examples(real(multi30k))) == info("multi30k").counts
    assert info("multi30k").counts == {"train": 29000, "validation": 1014, "test": 1000}


@with_data
def test_tatoeba_as_published():
    examples = list(tatoeba_cmn_eng.examples(real(tatoeba_cmn_eng)))
    assert len(examples) == 22075 and Counter(part for part, _ in examples) == info("tatoeba_cmn_eng").counts
    for language in ("en", "zh"):
        assert disjoint(by_part(examples, lambda example, language=language: [example[language]]))


@with_data
def test_the_tang_poems_as_published():
    files = real(chinese_poetry)
    examples = list(chinese_poetry.line_pairs(files))
    records = Counter(part for part, example in examples for _ in chinese_poetry.records(example))
    assert records.total() == 207286 and records == info("chinese_poetry/line_pairs").counts
    assert disjoint(by_part(examples, lambda row: zip(row["source"], row["target"], strict=True)))
    pair_parts = by_part(examples, lambda row: [row["poem"]])
    quatrains = list(chinese_poetry.quatrains(files))
    assert len(quatrains) == 14160 and Counter(part for part, _ in quatrains) == info("chinese_poetry/quatrains").counts
    assert all(
        row["poem"] in pair_parts[part] and len({len(line) for line in row["lines"]}) == 1 for part, row in quatrains
    )


@with_data
def test_snips_as_published():
    examples = list(snips.examples(real(snips)))
    counts = Counter(part for part, _ in examples)
    assert counts["train"] + counts["validation"] == 13784 and counts == info("snips").counts
    assert Counter(row["label"] for part, row in examples if part == "validation") == dict.fromkeys(snips.INTENTS, 100)
    assert not any("Ã" in token for _, row in examples for token in row["tokens"])
    assert any("Éxitos" in row["tokens"] for _, row in examples)
    slots = {tag[2:] for _, row in examples for tag in row["tags"] if tag != "O"}
    assert len(slots) == 39 and all(len(row["tokens"]) == len(row["tags"]) > 0 for _, row in examples)


@with_data
def test_sgd_as_published():
    examples = list(sgd.examples(real(sgd)))
    records = Counter(part for part, example in examples for _ in sgd.records(example))
    assert records["train"] + records["validation"] == 111878 and records == info("sgd").counts
    assert records["test"] == 19384
    carved = by_part([row for row in examples if row[0] != "test"], lambda row: [row["dialogue"]])
    assert disjoint(carved)


def test_a_made_folder_is_told_from_another_by_its_contents(tmp_path):
    first = raw(snips, tmp_path / "a", tiny_raw.snips_files)
    second = raw(snips, tmp_path / "b", tiny_raw.snips_files)
    assert first.fingerprint() == second.fingerprint()
    path = tmp_path / "b" / "RateBook" / "validate_RateBook.json"
    path.write_text(json.dumps({"RateBook": []}))
    assert first.fingerprint() != raw(snips, tmp_path / "b").fingerprint()
