"""What layers are chosen by: of labels the worse of two measures, of a generator the task's score."""

import numpy as np
import pytest

from export import judge, runtime
from export.generator_scores import generator_score
from keras_seq.data.tokenizer import Tokenizer

DATA = {
    "source_ids": [[4], [5, 6], [7, 8, 9]],
    "character_ids": [[[3]], [[4, 5], [6]], [[7], [8], [9, 9]]],
    "target_ids": [[0], [1, 1], [0, 0, 0]],
    "label_ids": [0, 1, 1],
    "probabilities": [[[0.8, 0.2]], [[0.1, 0.9]] * 2, [[0.7, 0.3]] * 3],
    "label_probabilities": [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]],
}


class Session:
    """Keras's answers, of which `wrong` sentences and tokens of the last text are turned round."""

    def __init__(self, path, tokens=0, sentences=0):
        self._tokens, self._sentences = tokens, sentences

    def call(self, signature, ids, length, characters):
        assert characters.shape == (1, 4, 2)
        number = DATA["source_ids"].index(ids[0, : length[0]].tolist())
        assert characters[0, 0, 0] == DATA["character_ids"][number][0][0]
        rows = np.zeros((1, 4, 2), "float32")
        rows[0, : length[0]] = DATA["probabilities"][number]
        label = np.float32([DATA["label_probabilities"][number]])
        if number == 2:
            rows[0, : self._tokens] = rows[0, : self._tokens, ::-1]
            label = label[:, ::-1] if self._sentences else label
        return {"probabilities": rows, "label_probabilities": label}


@pytest.mark.parametrize(
    ("tokens", "sentences", "lost", "damage"),
    [(0, 0, 0, 0), (2, 0, 2 / 6, 0.4 * 2 / 3), (0, 1, 1 / 3, 0.2), (1, 1, 1 / 3, 0.4 / 3 + 0.2)],
)
def test_the_worse_of_two_measures_counts(monkeypatch, tmp_path, tokens, sentences, lost, damage):
    monkeypatch.setattr(runtime, "LiteRTSession", lambda path: Session(path, tokens, sentences))
    check = judge.judge_of("tag", "tflite", {"source": 4, "characters": 2}, DATA)
    assert check.wanted == 0.995
    score, found = check(tmp_path)
    assert score == pytest.approx(1 - lost)
    assert found == pytest.approx(damage / 6)  # of three texts and two measures


WRITTEN = {
    "source_ids": [[4], [5, 6], [7, 8, 9]],
    "target": ["a b c d e", "b c d a", "e"],
    "target_ids": [[4, 5, 6, 7, 8], [5, 6, 7, 4], [8]],
    "ids": [[4, 5, 6, 7, 8, 2], [5, 6, 7, 4, 2, 0], [4, 2, 0, 0, 0, 0]],
    "log_probability": [[-0.5] * 6, [-0.5] * 5 + [0], [-0.5] * 2 + [0] * 4],
    "next_ids": [[4, 5, 6, 7, 8, 2], [5, 6, 7, 4, 2], [4, 2]],
}


class Writer:
    """What Keras writes and finds likeliest, but for the second word of the first text, where that is `wrong`."""

    def __init__(self, path, wrong):
        self._wrong = wrong

    def call(self, signature, **arrays):
        if signature == "step":
            number, position = divmod(int(arrays["state_place"][0]), 10)
            row = WRITTEN["next_ids"][number]
            best = 6 if self._wrong and (number, position) == (0, 1) else row[position]
            return {"logits": np.eye(9, dtype="float32")[[best]], "next_state_place": arrays["state_place"] + 1}
        assert arrays["source"].shape == (1, 4)
        number = WRITTEN["source_ids"].index(arrays["source"][0, : arrays["source_length"][0]].tolist())
        if signature == "encode":
            return {"state_place": np.int32([10 * number])}
        ids = np.int32([WRITTEN["ids"][number]])
        ids[0, 1] = 6 if self._wrong and number == 0 else ids[0, 1]
        return {"ids": ids, "log_probability": np.float32([WRITTEN["log_probability"][number]])}


# Of ten words written nine are the targets', of seven pairs seven, of five threes five, of three fours three.
_BLEU = (9 / 10) ** (1 / 4)
# One word less, with both its pairs, two threes and two fours.
_WORSE = (8 / 10 * 5 / 7 * 3 / 5 * 1 / 3) ** (1 / 4)


@pytest.mark.parametrize(
    ("name", "keras", "wrong"),
    [("exact_match", 2 / 3, 1 / 3), ("bleu", _BLEU, _WORSE), ("next_token", 12 / 13, 11 / 13)],
)
def test_a_generator_is_judged_by_its_task_s_score(monkeypatch, tmp_path, name, keras, wrong):
    Tokenizer.train(["a a a a a b b b b c c c d d e"], kind="token").save(tmp_path / "target.tokenizer.json")
    score = generator_score(name, tmp_path / "target.tokenizer.json")
    check = judge.judge_of("generate", "tflite", {"source": 4, "target": 6}, WRITTEN, score)
    assert check.wanted == pytest.approx(keras - 0.005)
    monkeypatch.setattr(runtime, "LiteRTSession", lambda path: Writer(path, False))
    assert check(tmp_path) == (pytest.approx(keras), 0)
    monkeypatch.setattr(runtime, "LiteRTSession", lambda path: Writer(path, True))
    assert check(tmp_path) == (pytest.approx(wrong), pytest.approx(1 / 13))
