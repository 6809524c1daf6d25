"""The judge of a model that labels tokens and the sentence: it is as good as the worse of the two has become."""

import numpy as np
import pytest

from export import judge, runtime

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
