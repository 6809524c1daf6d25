"""The proof of what labels: each way in which an artefact can stray, on sessions that need no runtime."""

import numpy as np
import pytest

from export import errors, prove_labels
from export.label_examples import LabelExamples

LIMITS = {"source": 6, "characters": 2}
SIZES = (3, 1, 6, 2, 4)


def data_of(task="tag", sentences=False, characters=False):
    """Answers of Keras to a few texts: probabilities of three labels that are never near a tie."""
    random = np.random.default_rng(4)
    ids = [random.integers(4, 30, size).tolist() for size in SIZES]
    shapes = [(size, 3) if task == "tag" else (3,) for size in SIZES]
    probabilities = [random.permuted(np.broadcast_to([0.7, 0.2, 0.1], shape), axis=-1) for shape in shapes]
    data = {
        "text": [f"text {number}" for number in range(len(ids))],
        "source_ids": ids,
        "output": ["answer"] * len(ids),
        "probabilities": [rows.tolist() for rows in probabilities],
        "target_ids": [rows.argmax(axis=-1).tolist() for rows in probabilities],
    }
    if sentences:
        rows = random.permuted(np.tile([0.6, 0.4], (len(ids), 1)), axis=-1)
        data |= {"label_probabilities": rows.tolist(), "label_ids": [0] * len(ids)}
    if characters:
        data["character_ids"] = [[[7, 8][: 1 + token % 2] for token in own] for own in ids]
    return data


class Session:
    """Answers what Keras answers, found by the ids; `change` gets (head, rows, calls) and may spoil it."""

    def __init__(self, data, change=lambda head, rows, calls: rows):
        self._data, self._change, self.calls = data, change, []

    def call(self, signature, ids, length, characters=None):
        self.calls.append((ids, length, characters))
        outputs = {}
        for head in ("probabilities", "label_probabilities"):
            if head in self._data:
                pairs = zip(ids, length, strict=True)
                rows = [self._row(head, own[:size].tolist(), ids.shape[1]) for own, size in pairs]
                outputs[head] = self._change(head, np.stack(rows), len(self.calls))
        return outputs

    def _row(self, head, own, width):
        rows = np.asarray(self._data[head][self._data["source_ids"].index(own)], "float32")
        if rows.ndim == 1:
            return rows
        padded = np.full((width, rows.shape[1]), 9, "float32")  # what stands in the padding means nothing
        padded[: len(rows)] = rows
        return padded


def prove(session, data, precision="float32", static=False, own=None):
    return prove_labels.prove(session, data, LIMITS, precision, static, own)[:2]


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize(("task", "sentences"), [("classify", False), ("tag", False), ("tag", True)])
def test_what_answers_as_keras_passes(task, sentences, static):
    data = data_of(task, sentences, characters=task == "tag")
    session = Session(data)
    parity, score = prove(session, data, static=static)
    assert parity == {"inputs": 5, "near_ties": 0, "max_probability_error": 0.0}
    assert score["accuracy"] == 1 and ("label_accuracy" in score) == sentences
    batches = {len(ids) for ids, *_ in session.calls}
    widths = {ids.shape[1] for ids, *_ in session.calls}
    assert batches == ({1} if static else {5}) and widths == {6}
    assert len(session.calls) == (10 if static else 2)  # all examples, twice


def test_characters_go_in_beside_the_ids_they_belong_to():
    data = data_of(characters=True)
    examples = LabelExamples(data, LIMITS)
    inputs = examples.inputs([1, 3], to_limit=False)
    assert inputs["ids"].tolist() == [data["source_ids"][1] + [0], data["source_ids"][3]]
    assert inputs["characters"].shape == (2, 2, 2) and inputs["length"].tolist() == [1, 2]
    wanted = [letters + [0] * (2 - len(letters)) for letters in data["character_ids"][3]]
    assert inputs["characters"][1].tolist() == wanted and inputs["characters"][0, 1].tolist() == [0, 0]
    assert examples.inputs([1], to_limit=True)["characters"].shape == (1, 6, 2)


def off_by(amount, head="probabilities"):
    return lambda own, rows, calls: rows + np.float32(amount) if own == head else rows


def test_a_probability_that_is_off_is_named():
    data = data_of()
    with pytest.raises(errors.TaskError, match=r"predict: input 0, 'text 0' .*: a probability is off by 0.001"):
        prove(Session(data, off_by(1e-3)), data)
    prove(Session(data, off_by(5e-5)), data)


def test_the_sentence_s_label_is_held_too():
    data = data_of(sentences=True)
    with pytest.raises(errors.TaskError, match="predict: label_probabilities: input 0, .* off by 0.001"):
        prove(Session(data, off_by(1e-3, "label_probabilities")), data)


def test_what_is_no_number_is_caught():
    data = data_of("classify")
    with pytest.raises(errors.TaskError, match="off by inf"):
        prove(Session(data, lambda head, rows, calls: np.where(rows > 0.6, np.nan, rows)), data)


def test_a_second_pass_that_differs_is_caught():
    data = data_of()
    with pytest.raises(errors.TaskError, match="called again in another order and padding: input 0"):
        prove(Session(data, lambda head, rows, calls: rows + np.float32(2e-3 * (calls > 1))), data)


def test_an_ignored_input_is_caught():
    data = data_of("classify")
    data["probabilities"] = [[0.7, 0.2, 0.1]] * len(SIZES)
    with pytest.raises(errors.TaskError, match="every example is answered alike"):
        prove(Session(data), data)


def test_a_near_tie_may_fall_the_other_way_and_is_counted():
    data = data_of("classify")
    data["probabilities"][2] = [0.45002, 0.45, 0.09998]

    def swapped(head, rows, calls):
        return np.where(np.isclose(rows, 0.45002, atol=1e-6), np.float32(0.44999), rows)

    parity, _ = prove(Session(data, swapped), data)
    assert parity["near_ties"] == 1


def spoiled(data, head, share):
    """Another label for the first examples of a head."""
    count = int(share * len(SIZES))

    def change(own, rows, calls):
        if own != head:
            return rows
        worse = [np.asarray(data[head][number], "float32") for number in range(count)]
        for row in rows:
            if any(np.array_equal(row[: len(bad)] if bad.ndim == 2 else row, bad) for bad in worse):
                row[...] = np.roll(row, 1, axis=-1)
        return rows

    return change


@pytest.mark.parametrize(("head", "what"), [("probabilities", "accuracy"), ("label_probabilities", "label accuracy")])
def test_a_rounded_artefact_may_lose_half_a_point_of_either_measure_and_no_more(head, what):
    data = data_of(sentences=True)
    data["label_ids"] = [int(np.argmax(row)) for row in data["label_probabilities"]]
    parity, score = prove(Session(data), data, precision="int8", static=True)
    assert parity == {"inputs": 5, "same_labels": 5} and score["label_accuracy"] == 1
    with pytest.raises(errors.TaskError, match=rf"the {what} falls from 100.00 to .*First difference: input 0"):
        prove(Session(data, spoiled(data, head, 0.4)), data, precision="int8", static=True)


def test_a_rounded_artefact_is_held_to_its_own_score_where_there_is_one():
    data = data_of()
    change = spoiled(data, "probabilities", 0.2)  # the first text's three of sixteen tokens
    prove(Session(data, change), data, precision="int8", own={"accuracy": 0.8125, "examples": 5})
    with pytest.raises(errors.TaskError, match="falls from 100.00 to 81.25 %.*its own of when the bundle was built"):
        prove(Session(data, change), data, precision="int8", own={"accuracy": 1.0, "examples": 5})


def test_calls_for_timing_are_one_example_each():
    data = data_of()
    given = list(prove_labels.calls(data, LIMITS, static=False))
    assert [inputs["ids"].shape for _, inputs in given] == [(1, size) for size in SIZES]
    assert {inputs["ids"].shape for _, inputs in prove_labels.calls(data, LIMITS, static=True)} == {(1, 6)}
