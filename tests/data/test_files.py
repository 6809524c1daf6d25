"""Users' files: what is usable becomes records, what is not is counted and said, or refused with what to do."""

import codecs
import gzip
import json
import warnings

import pytest

from keras_seq.data import Records, at_most, only_known, read_labelled, read_pairs, read_tagged, split

PAIRS = [("ein Hund", "a dog"), ("eine Katze", "a cat"), ("ein Vogel", "a bird")]


def written(path, *lines, encoding="utf-8", end="\n"):
    path.write_bytes("".join(line + end for line in lines).encode(encoding))
    return path


def rows(records):
    return [tuple(record.values()) for record in records]


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_pairs_are_read_from_each_form_alike(tmp_path):
    tsv = written(tmp_path / "a.tsv", *("\t".join(pair) for pair in PAIRS))
    named = written(tmp_path / "b.txt", "source\ttarget\tlicence", *(" \t".join(pair) + "\tCC0" for pair in PAIRS))
    lines = written(
        tmp_path / "c.jsonl", *(json.dumps({"id": 1, "target": target, "source": source}) for source, target in PAIRS)
    )
    packed = tmp_path / "d.tsv.gz"
    packed.write_bytes(gzip.compress(tsv.read_bytes()))
    windows = written(tmp_path / "e.tsv", *("\t".join(pair) for pair in PAIRS), encoding="utf-8-sig", end="\r\n")
    sides = [written(tmp_path / f"f.{side}", *texts) for side, texts in enumerate(zip(*PAIRS, strict=True))]
    for records in (*map(read_pairs, (tsv, named, lines, packed, windows)), read_pairs(*sides)):
        assert isinstance(records, Records) and rows(records) == PAIRS
        assert list(records[0]) == ["source", "target"] and not records.report.left_out
    assert str(read_pairs(tsv).report) == f"{tsv}: 3 of 3 lines kept"


def test_labelled_and_tagged_lines_give_the_records_of_the_data_sets(tmp_path):
    labelled = written(tmp_path / "a.tsv", "what time is it\ttime", "hello\tgreeting")
    assert read_labelled(labelled) == [
        {"text": "what time is it", "label": "time"},
        {"text": "hello", "label": "greeting"},
    ]
    sentence = {"tokens": ["Rome", "is", "old"], "tags": ["PROPN", "AUX", "ADJ"]}
    tsv = written(tmp_path / "b.tsv", "Rome is old\tPROPN AUX ADJ")
    lines = written(tmp_path / "b.jsonl", json.dumps(sentence))
    assert read_tagged(tsv) == read_tagged(lines) == [sentence]
    assert read_tagged(written(tmp_path / "c.tsv", "Rome is old\tPROPN AUX ADJ\tfact")) == [
        sentence | {"label": "fact"}
    ]


def test_lines_that_are_no_examples_are_counted_by_reason_and_said(tmp_path):
    path = written(
        tmp_path / "my.tsv", "a dog\tx", "", "no tab", "a\tb", "  ", "\tlabel", "text\t", "\t", "e\tf", "g\th"
    )
    with pytest.warns(UserWarning) as said:
        records = read_labelled(path)
    assert rows(records) == [("a dog", "x"), ("a", "b"), ("e", "f"), ("g", "h")] and records.places == [1, 4, 9, 10]
    report = records.report
    assert (report.lines, report.kept) == (10, 4)
    assert report.left_out == {
        "empty": [2, 5, 8],
        "without both columns": [3],
        "with an empty text": [6],
        "with an empty label": [7],
    }
    assert (
        str(said[0].message)
        == str(report)
        == (
            f"{path}: 4 of 10 lines kept; left out: 3 empty (lines 2, 5, 8), 1 without both columns (line 3), "
            "1 with an empty text (line 6), 1 with an empty label (line 7)"
        )
    )
    assert len(said) == 1 and said[0].filename == __file__


def test_json_that_is_none_or_holds_no_text_is_counted(tmp_path):
    good = [json.dumps({"text": "a", "label": "b"})] * 5
    bad = ["{broken", "[1]", json.dumps({"text": "a"}), json.dumps({"text": "a", "label": 3})]
    with pytest.warns(UserWarning, match="1 not JSON .line 6., 1 not a JSON object .line 7."):
        report = read_labelled(written(tmp_path / "a.jsonl", *good, *bad)).report
    assert report.left_out["without both columns"] == [8] and report.left_out["with a value that is not text"] == [9]


def test_white_space_of_json_becomes_spaces_and_half_characters_are_no_text(tmp_path):
    lines = [{"text": " a\tb\n c ", "label": "x"}, {"text": "\ud83d", "label": "x"}, {"text": "😀", "label": "x"}]
    with pytest.warns(UserWarning, match=r"1 with a value that is not text \(line 2\)"):
        assert rows(read_labelled(written(tmp_path / "a.jsonl", *map(json.dumps, lines)))) == [
            ("a b c", "x"),
            ("😀", "x"),
        ]


def test_tags_that_do_not_fit_their_tokens_are_counted(tmp_path):
    good = ["a b\tX Y"] * 5
    lines = [*good, "a b\tX", "\tX", json.dumps({"tokens": []})]
    with pytest.warns(UserWarning):
        report = read_tagged(written(tmp_path / "a.tsv", *lines)).report
    assert report.left_out == {
        "with another number of tags than tokens": [6],
        "with empty tokens": [7],
        "without both columns": [8],
    }
    bad = [
        {"tokens": [1], "tags": ["X"]},
        {"tokens": ["a"], "tags": ["X"], "label": 5},
        {"tokens": ["a b"], "tags": ["X"]},
        {"tokens": [""], "tags": ["X"]},
    ]
    good = [{"tokens": ["a"], "tags": ["X"]}] * 5
    with pytest.warns(UserWarning):
        report = read_tagged(written(tmp_path / "a.jsonl", *map(json.dumps, good + bad))).report
    assert report.left_out == {"with a value that is not text": [6, 8, 9], "with a label that is not text": [7]}


def test_labels_on_some_sentences_only_are_refused(tmp_path):
    path = written(tmp_path / "a.tsv", "a\tX\tyes", "b\tX")
    with pytest.raises(ValueError, match=r"1 of 2 lines have a label for the sentence \(line 1\), line 2 has none"):
        read_tagged(path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"3 without both columns \(lines 1, 2, 4\); wanted text and label with a tab"):
        read_labelled(written(tmp_path / "a.tsv", "only", "text", "a\tb", "here"))
    for content in ([], ["", ""]):
        with pytest.raises(ValueError, match="0 of . lines kept.*wanted source and target"):
            read_pairs(written(tmp_path / "b.tsv", *content))
    with pytest.raises(ValueError, match=r"ends in '\.csv'; wanted \.tsv \(columns text, label\) or \.jsonl"):
        read_labelled(written(tmp_path / "c.csv", "a,b"))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.tsv is not a file"):
        read_labelled(tmp_path / "nowhere.tsv")
    torn = tmp_path / "d.tsv.gz"
    torn.write_bytes(gzip.compress(b"a\tb\n" * 100)[:-9])
    with pytest.raises(ValueError, match="is not a whole gzip file"):
        read_labelled(torn)


def test_two_files_of_unequal_length_are_refused_with_both_counts(tmp_path):
    source, target = written(tmp_path / "a.de", "eins", "zwei", "drei"), written(tmp_path / "a.en", "one", "two")
    with pytest.raises(ValueError, match=r"a\.de has 3 lines and .*a\.en 2, but line for line they are pairs"):
        read_pairs(source, target)
    assert len(read_pairs(source, written(tmp_path / "b.en", "one", "two", "three", "", ""))) == 3
    with pytest.warns(UserWarning, match=r"2 of 3 lines kept; left out: 1 with an empty target \(line 2\)") as said:
        assert rows(read_pairs(source, written(tmp_path / "c.en", "one", "", "three"))) == [
            ("eins", "one"),
            ("drei", "three"),
        ]
    assert said[0].filename == __file__


@pytest.mark.parametrize(
    ("text", "encoding", "guess", "byte"),
    [
        ("déjà vu\tsouvenir", "latin-1", "cp1252", 2),
        ("我们今天去看电影好吗，朋友们\t电影", "gb18030", "gb18030", 1),
        ("我們今天去看電影好嗎，朋友們\t電影", "big5", "big5", 1),
    ],
)
def test_another_encoding_is_refused_with_its_place_and_a_guess_that_reads_it(tmp_path, text, encoding, guess, byte):
    path = tmp_path / "my.tsv"
    path.write_bytes("plain\tx\n".encode(encoding) + text.encode(encoding) + b"\n")
    with pytest.raises(
        ValueError, match=rf"my\.tsv, line 2, byte {byte} \(0x..\) is not UTF-8; it may be {guess}"
    ) as error:
        read_labelled(path)
    assert text.split("\t")[0] in str(error.value) and f"iconv -f {guess} -t utf-8" in str(error.value)
    assert rows(read_labelled(path, encoding=guess))[1] == tuple(text.split("\t"))


def test_utf_16_is_read_by_its_mark_and_refused_without(tmp_path):
    path = tmp_path / "my.tsv"
    path.write_bytes(codecs.BOM_UTF16_LE + "déjà\tvu\n".encode("utf-16-le"))
    assert rows(read_labelled(path)) == [("déjà", "vu")]
    path.write_bytes("deja\tvu\n".encode("utf-16-le"))
    with pytest.raises(ValueError, match="line 1 holds a zero character; is it UTF-16"):
        read_labelled(path)
    path.write_bytes("déjà\tvu\n".encode("utf-16-le"))
    with pytest.raises(ValueError, match="it may be utf-16-le"):
        read_labelled(path)
    with pytest.raises(ValueError, match="encoding='utf8000' is unknown"):
        read_labelled(path, encoding="utf8000")
    path.write_bytes(b"d\xe9j\xe0\tvu\n")
    with pytest.raises(ValueError, match="is not ASCII; it may be cp1252"):
        read_labelled(path, encoding="ascii")


def test_only_newlines_end_a_line(tmp_path):
    assert rows(read_labelled(written(tmp_path / "a.tsv", "a\u2028b\x85c\tx"))) == [("a b c", "x")]


def test_labels_unseen_in_training_are_refused_or_counted(tmp_path):
    test = read_labelled(written(tmp_path / "test.tsv", "a\ttime", "b\tweather", "c\tmusic", "d\tweather"))
    message = (
        r"2 values of 'label' that training has not: 'music', 'weather', the first in line 2; training knows 'time'"
    )
    with pytest.raises(ValueError, match=message):
        only_known(test, ["time"])
    with pytest.warns(UserWarning, match=r"1 of 4 lines kept; left out: 3 with a label that training has not"):
        known = only_known(test, ["time"], unseen="drop")
    assert known == [{"text": "a", "label": "time"}] and known.report.left_out == {
        "with a label that training has not": [2, 3, 4]
    }
    assert len(only_known(test, ["time", "weather", "music", "news"])) == 4
    with pytest.raises(ValueError, match="no example is left"):
        only_known(test, ["news"], unseen="drop")
    with pytest.raises(ValueError, match="unseen='ignore' is unknown; choose 'refuse' or 'drop'"):
        only_known(test, ["time"], unseen="ignore")
    tagged = [{"tokens": ["a", "b"], "tags": ["X", "Q"]}, {"tokens": ["c"], "tags": ["X"]}]
    with pytest.raises(ValueError, match=r"1 values of 'tags' that training has not: 'Q', the first in line 1"):
        only_known(tagged, ["X"], "tags")


def test_texts_over_the_limit_are_left_out_whole_and_counted_or_refused():
    texts = [{"text": "a" * size} for size in (3, 7, 5, 9)]
    with pytest.warns(UserWarning, match=r"2 of 4 lines kept; left out: 2 with a text longer than 5 characters"):
        kept = at_most(texts, 5)
    assert [len(row["text"]) for row in kept] == [3, 5] and kept.places == [1, 3]
    with pytest.raises(ValueError, match=r"2 texts have more than 5 characters \(lines 2, 4\), the longest 9"):
        at_most(texts, 5, too_long="refuse")
    with pytest.raises(ValueError, match=r"no example is left.*4 with a text longer than 2 characters"):
        at_most(texts, 2)
    assert at_most(texts, 2, length=lambda text: len(text) // 4) == texts
    with pytest.warns(UserWarning, match="longer than 1 words"):
        assert (
            len(at_most([{"text": "a b"}, {"text": "c"}], 1, length=lambda text: len(text.split()), unit="words")) == 1
        )


def test_reasons_add_up_over_several_filters(tmp_path):
    path = written(tmp_path / "my.tsv", "short\ta", "", "much too long\ta", "odd\tz")
    with pytest.warns(UserWarning):
        kept = only_known(at_most(read_labelled(path), 5), ["a"], unseen="drop")
    assert list(kept.report.left_out.values()) == [[2], [3], [4]] and kept.report.lines == 4 and kept.report.kept == 1


def test_a_split_keeps_copies_on_one_side_and_stays_the_same():
    examples = [{"text": f"text {number % 40}", "label": str(number)} for number in range(100)]
    examples.append({"text": "TEXT  3", "label": "loud"})
    parts = split(examples, {"validation": 0.1, "test": 0.2})
    assert list(parts) == ["train", "validation", "test"] and sum(map(len, parts.values())) == 101
    texts = {name: {" ".join(row["text"].casefold().split()) for row in part} for name, part in parts.items()}
    assert [len(found) for found in texts.values()] == [28, 4, 8] and len(set.union(*texts.values())) == 40
    shuffled = split(examples[::-1], {"validation": 0.1, "test": 0.2})
    assert {name: {row["label"] for row in part} for name, part in parts.items()} == {
        name: {row["label"] for row in part} for name, part in shuffled.items()
    }
    assert rows(split(examples, {"test": 0.2}, seed=1)["test"]) != rows(split(examples, {"test": 0.2})["test"])


def test_a_split_can_keep_both_sides_of_pairs_together():
    chain = [{"source": f"s{number // 2}", "target": f"t{(number + 1) // 2}"} for number in range(10)]
    others = [{"source": f"other {number}", "target": f"anders {number}"} for number in range(30)]
    parts = split(chain + others, {"test": 0.3}, together=("source", "target"))
    for side in ("source", "target"):
        assert not {row[side] for row in parts["train"]} & {row[side] for row in parts["test"]}
    assert sum(len(part) for part in parts.values()) == 40 and len(parts["test"]) in (9, 18)


def test_a_split_that_leaves_nothing_is_refused():
    examples = [{"text": text} for text in "abab"]
    with pytest.raises(ValueError, match="examples has 2 different inputs, too few for 3 parts"):
        split(examples, {"validation": 0.1, "test": 0.1})
    with pytest.raises(ValueError, match="leave nothing to train on of 3 different inputs"):
        split([{"text": text} for text in "abc"], {"validation": 0.49, "test": 0.5})
    for shares in ({}, {"test": 0}, {"test": 1}, {"validation": 0.5, "test": 0.5}):
        with pytest.raises(ValueError, match="are not above 0 and below 1 together"):
            split(examples, shares)
