import numpy as np
import pytest

from keras_seq.data.tokenizer import Tokenizer
from keras_seq.data.words import WordCoder

SENTENCES = [["The", "dog", "barks", "."], ["the", "Dog", "howls", "."], ["A", "cat", "."]]


def test_rare_words_are_unknown_and_their_characters_are_not():
    coder = WordCoder.train(SENTENCES, min_count=2, width=4)
    assert coder.words.vocabulary[4:] == [".", "dog", "the"]
    inputs = coder.inputs([["The", "cat", "barks", "loudly"], ["."]])
    assert inputs["ids"] == [[6, 3, 3, 3], [4]]
    letters = coder.characters.vocabulary
    read = [["".join(letters[number] for number in word if number) for word in rows] for rows in inputs["characters"]]
    assert read == [["The", "cat", "bark", "lo<unknown>d"], ["."]]
    assert inputs["characters"][0].shape == (4, 4) and inputs["characters"][0].dtype == np.int32


def test_it_survives_saving(tmp_path):
    coder = WordCoder.train(SENTENCES, min_count=1, width=5)
    coder.save(tmp_path)
    again = WordCoder.load(tmp_path, width=5)
    assert again.inputs(SENTENCES)["ids"] == coder.inputs(SENTENCES)["ids"]
    assert again.characters.vocabulary == coder.characters.vocabulary


def test_words_that_look_like_special_ids_are_unknown():
    inputs = WordCoder.train(SENTENCES, min_count=1, width=5).inputs([["<pad>", "<end>", "dog"]])
    assert inputs["ids"][0][:2] == [Tokenizer.UNKNOWN] * 2 and min(map(len, inputs["characters"])) == 3


@pytest.mark.parametrize("token", ["", "New York", " dog", "a\tb", "thin\u00a0space"])
def test_a_token_with_space_in_it_is_refused(token):
    with pytest.raises(ValueError, match="sentence 1 has the token .* wanted one without space"):
        WordCoder.train([["a"], ["the", token]])
