"""Words shaded by weights, and confidence in and out of scope: files that are pictures, and what is refused."""

import numpy as np
import pytest

from keras_seq.plots.confidence import confidence
from keras_seq.plots.weighted_words import weighted_words


def test_sentences_become_a_picture(tmp_path):
    sentences = [(["what", "time"], np.array([0.2, 0.8]), "time (0.97)"), (list("好詩"), [0.5, 0.5], "verse")]
    path = weighted_words(tmp_path / "words.png", sentences, "Where it looks")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_words_without_a_weight_each_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'x' has 2 words and 3 weights"):
        weighted_words(tmp_path / "words.png", [(["a", "b"], [0.1, 0.2, 0.7], "x")])


def test_confidence_becomes_a_picture(tmp_path):
    random = np.random.default_rng(0)
    inside, outside = random.random(50), random.random(30)
    path = confidence(tmp_path / "c.png", {"in": inside, "out": outside}, inside, outside, "How sure")
    assert path.read_bytes().startswith(b"\x89PNG")
