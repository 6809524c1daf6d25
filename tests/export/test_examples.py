"""A run directory as the exporter reads it: its task, its labels, its test set."""

import numpy as np
import pytest

from export import errors, examples
from export.examples import Task
from keras_seq.data.tokenizer import Tokenizer

PICTURE = {"height": 5, "width": 4, "channels": 3}


def config(**task):
    return {"task": {"name": "a run", **task}}


def test_a_task_is_what_config_json_says():
    assert Task.of(config(limits={"source": 7, "target": 9})) == Task("a run", "generate", {"source": 7, "target": 9})
    assert Task.of(config(kind="classify", picture=PICTURE)) == Task("a run", "classify", {}, PICTURE)
    both = Task.of(config(kind="tag", limits={"source": 7}, characters={"width": 3}, sentence_labels=True))
    assert both == Task("a run", "tag", {"source": 7, "characters": 3}, None, True)
    limits = {"source": 7, "target": 9}
    assert Task.of(config(limits=limits)).score == "exact_match"
    assert Task.of(config(limits=limits, score="bleu")) == Task("a run", "generate", limits, score="bleu")


def test_a_task_that_hears_or_sees_and_writes():
    limits, audio = {"source": 700, "target": 9}, {"rate": 8000, "channels": 1, "window": 64}
    assert Task.of(config(limits=limits, audio=audio)) == Task("a run", "generate", limits, audio=audio)
    assert Task.of(config(limits={"target": 9}, picture=PICTURE)) == Task("a run", "generate", {"target": 9}, PICTURE)


def test_the_files_of_each_kind_of_run():
    assert Task("x", "generate", {"target": 1}, PICTURE).files == ("target.tokenizer.json", "test.npz")
    heard = Task("x", "generate", {"source": 1, "target": 1}, audio={"rate": 1, "channels": 1})
    assert heard.files == ("target.tokenizer.json", "test.npz")
    assert Task("x", "generate", {"source": 1, "target": 1}).files == (
        "source.tokenizer.json",
        "target.tokenizer.json",
        "test.tsv",
    )
    assert Task("x", "classify", {"source": 1}).files == ("source.tokenizer.json", "labels.json", "test.tsv")
    assert Task("x", "classify", {}, PICTURE).files == ("labels.json", "test.npz")
    assert Task("x", "tag", {"source": 1, "characters": 3}, None, True).files == (
        "source.tokenizer.json",
        "characters.tokenizer.json",
        "labels.json",
        "sentence_labels.json",
        "test.tsv",
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no task with a name"),
        ({"task": {"kind": "tag"}}, "no task with a name"),
        (config(kind="sing"), "kind 'sing'; wanted generate, classify or tag"),
        (config(kind="tag", picture=PICTURE), "kind 'tag'"),
        (config(kind="classify", picture=3), "picture 3; wanted height"),
        (config(kind="classify", picture={**PICTURE, "ground": "blue"}), "wanted ground 'dark' with 1 or 3 channels"),
        (config(kind="classify", picture={**PICTURE, "channels": 2, "ground": "dark"}), "wanted ground 'dark'"),
        (config(kind="classify", picture={"height": 5}), "wanted whole numbers above 0"),
        (config(limits={"source": 7}, picture=PICTURE), "wanted whole numbers above 0"),
        (
            config(kind="tag", limits={"source": 7}, audio={"rate": 8000, "channels": 1}),
            "audio in a task of kind 'tag'",
        ),
        (config(limits={"target": 7}, picture=PICTURE, audio={"rate": 8000, "channels": 1}), "without picture"),
        (config(limits={"source": 7, "target": 9}, audio={"rate": 8000}), "wanted a rate, .*, and channels 1"),
        (config(limits={"source": 7, "target": 9}, audio={"rate": 0, "channels": 1}), "wanted a rate"),
        (config(kind="tag", limits={"source": 0}), "wanted whole numbers above 0"),
        (config(kind="tag", limits=[7]), "wanted whole numbers above 0"),
        (config(limits={"source": 7}), "wanted whole numbers above 0"),
        (config(kind="tag", limits={"source": 7}, characters={"width": 0}), "wanted a width above 0"),
        (config(kind="tag", limits={"source": 7}, characters=5), "characters 5 in a task of kind 'tag'"),
        (config(limits={"source": 7, "target": 9}, characters={"width": 3}), "one that reads texts and labels them"),
        (config(kind="classify", picture=PICTURE, characters={"width": 3}), "one that reads texts and labels them"),
        (config(kind="classify", limits={"source": 7}, sentence_labels=True), "kind 'classify'; wanted tag"),
        (config(kind="tag", limits={"source": 7}, sentence_labels="yes"), "sentence_labels 'yes'"),
        (
            config(limits={"source": 7, "target": 9}, score="rouge"),
            "score 'rouge'; choose from exact_match, bleu, bleu_lowercase, next_token",
        ),
        (config(limits={"source": 7, "target": 9}, score=["bleu"]), r"score \['bleu'\]; choose from exact_match"),
        (config(kind="tag", limits={"source": 7}, score="bleu"), "score 'bleu' in a task of kind 'tag'; it is for"),
    ],
)
def test_a_config_of_another_kind_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Task.of(given)


def write_texts(run, rows, spelled=True):
    Tokenizer.train(["a bb ccc dddd"], kind="token").save(run / "source.tokenizer.json")
    if spelled:
        Tokenizer.train(["abcd"]).save(run / "characters.tokenizer.json")
    (run / "test.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def test_texts_within_the_limit_are_read_with_ids_characters_and_labels(tmp_path):
    rows = [("a  ccc", "x y", "one"), ("", "", "one"), ("a bb a bb", "x x x x", "two"), ("dddd 'q", "y x", "two")]
    write_texts(tmp_path, rows)
    found = examples.read_texts(tmp_path, {"source": 3, "characters": 2}, sentence_labels=True)
    assert found.text == ["a  ccc", "dddd 'q"] and found.target == ["x y", "y x"] and found.label == ["one", "two"]
    assert found.source_ids == [[4, 6], [7, 3]]
    assert found.character_ids == [[[4], [6, 6]], [[7, 7], [3, 3]]]
    plain = examples.read_texts(tmp_path, {"source": 4}, sentence_labels=True)
    assert len(plain.text) == 3 and plain.character_ids is None


def test_a_large_sorted_test_set_is_taken_in_a_drawn_order(tmp_path):
    rows = [("a" if place < 450 else "a bb", str(place)) for place in range(600)]  # the longer ones last
    write_texts(tmp_path, rows)
    found = examples.read_texts(tmp_path, {"source": 3})
    assert sorted(map(int, found.target)) == list(range(600))
    assert all(rows[int(target)][0] == text for text, target in zip(found.text, found.target, strict=True))
    assert 30 < found.text[:200].count("a bb") < 70
    assert examples.read_texts(tmp_path, {"source": 3}) == found
    write_texts(tmp_path, rows[:200])
    assert examples.read_texts(tmp_path, {"source": 3}).target == [row[1] for row in rows[:200]]


def test_a_large_sorted_set_of_pictures_is_taken_in_a_drawn_order(tmp_path):
    labels = np.repeat(np.arange(3), 70)
    write_pictures(tmp_path, np.broadcast_to(labels[:, None, None, None], (210, 5, 4, 3)).astype("uint8"), labels)
    images, found = examples.read_pictures(tmp_path, PICTURE)
    assert (images[:, 0, 0, 0] == found).all() and np.bincount(found).tolist() == [70, 70, 70]
    assert set(found[:20]) == {0, 1, 2}


def test_a_test_set_without_a_text_that_can_be_read_is_refused(tmp_path):
    write_texts(tmp_path, [("a bb ccc dddd", "x")])
    with pytest.raises(errors.ExportError, match="no example of 1 to 3 source tokens"):
        examples.read_texts(tmp_path, {"source": 3})


@pytest.mark.parametrize(("columns", "wanted"), [(2, "text, tab, target$"), (3, "text, tab, target, tab, label$")])
def test_a_line_of_other_columns_is_named(tmp_path, columns, wanted):
    (tmp_path / "test.tsv").write_text("a\tb\tc\td\n", encoding="utf-8")
    with pytest.raises(errors.ExportError, match=f"line 1: 4 columns; wanted {wanted}"):
        examples.read_rows(tmp_path / "test.tsv", columns)


def test_quotes_in_a_test_set_are_text(tmp_path):
    (tmp_path / "test.tsv").write_text('say "hi\tno"\n', encoding="utf-8")
    assert examples.read_rows(tmp_path / "test.tsv") == [('say "hi', 'no"')]


@pytest.mark.parametrize(
    ("text", "message"), [("{}", "not a list of labels"), ("[]", "not a list"), ("[1", "not JSON")]
)
def test_labels_are_a_list_of_names(tmp_path, text, message):
    (tmp_path / "sentence_labels.json").write_text('["a", "b"]', encoding="utf-8")
    assert examples.read_labels(tmp_path, "sentence_labels.json") == ["a", "b"]
    (tmp_path / "labels.json").write_text(text, encoding="utf-8")
    with pytest.raises(errors.ExportError, match=f"labels.json is {message}"):
        examples.read_labels(tmp_path)


def write_pictures(run, images, labels):
    with open(run / "test.npz", "wb") as file:
        np.savez(file, images=images, labels=labels)


def test_pictures_are_read_as_they_are(tmp_path):
    images = np.arange(2 * 60, dtype="uint8").reshape(2, 5, 4, 3)
    write_pictures(tmp_path, images, np.asarray([1, 0]))
    found, labels = examples.read_pictures(tmp_path, PICTURE)
    assert (found == images).all() and labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((2, 5, 4, 3), "float32"), [0, 1]),
        (np.zeros((2, 4, 5, 3), "uint8"), [0, 1]),
        (np.zeros((2, 5, 4, 3), "uint8"), [0]),
        (np.zeros((0, 5, 4, 3), "uint8"), []),
    ],
)
def test_pictures_of_another_form_are_refused(tmp_path, images, labels):
    write_pictures(tmp_path, images, np.asarray(labels))
    with pytest.raises(errors.ExportError, match=r"test.npz holds .*wanted uint8 \[None, 5, 4, 3\]"):
        examples.read_pictures(tmp_path, PICTURE)


def test_what_is_no_set_of_pictures_is_refused(tmp_path):
    with pytest.raises(errors.ExportError, match="is not a test set"):
        examples.read_pictures(tmp_path, PICTURE)
    (tmp_path / "test.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(errors.ExportError, match="is not a test set"):
        examples.read_pictures(tmp_path, PICTURE)


def test_ranges_are_measured_on_the_last_inputs_padded_to_the_limit(tmp_path):
    write_texts(tmp_path, [("a", "x"), ("bb ccc", "x y"), ("dddd a", "y x")])
    task = Task("x", "tag", {"source": 4, "characters": 3})
    first, last = examples.calibration_inputs(tmp_path, task, 2)
    assert first["ids"].tolist() == [[5, 6, 0, 0]] and last["ids"].tolist() == [[7, 4, 0, 0]]
    assert last["characters"].shape == (1, 4, 3) and last["length"].tolist() == [2]
    assert list(first) == ["ids", "characters", "length"]  # as the traced function has its arguments
    assert len(examples.calibration_inputs(tmp_path, task, 100)) == 3


def test_ranges_of_pictures_are_measured_on_pixels_from_0_to_1(tmp_path):
    write_pictures(tmp_path, np.full((3, 5, 4, 3), 255, "uint8"), np.zeros(3))
    (only,) = examples.calibration_inputs(tmp_path, Task("x", "classify", {}, PICTURE), 1)
    assert only["image"].shape == (1, 5, 4, 3) and only["image"].dtype == "float32" and (only["image"] == 1).all()


def test_scores_count_every_token_once_and_each_sentence_once():
    rows = {
        "probabilities": [np.asarray([[0.9, 0.1]]), np.asarray([[0.2, 0.8], [0.6, 0.4], [0.6, 0.4]])],
        "label_probabilities": [np.asarray([0.3, 0.7]), np.asarray([0.3, 0.7])],
    }
    data = {"target_ids": [[0], [1, 0, 1]], "label_ids": [1, 0]}
    assert examples.score_of(rows, data) == {"accuracy": 0.75, "label_accuracy": 0.5, "examples": 2}
    second = {head: own[1:] for head, own in rows.items()}
    assert examples.score_of(second, data, [1]) == {"accuracy": 2 / 3, "label_accuracy": 0.0, "examples": 1}


def test_the_loss_is_that_of_the_measure_that_lost_most():
    wanted = {"accuracy": 0.9, "label_accuracy": 0.8, "examples": 9}
    assert examples.loss_of({"accuracy": 0.95, "label_accuracy": 0.7}, wanted) == pytest.approx(0.1)
    assert examples.loss_of({"accuracy": 0.95, "label_accuracy": 0.9}, wanted) == pytest.approx(-0.05)
