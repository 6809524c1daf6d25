"""Sentences of given tokens -> what a tagger reads: an id for each word, and the ids of its characters.

    Mailing them             ids         [3, 61]              lower-cased; rare words are unknown (3)
                             characters  [[21, 5, 7, ...], [4, 9, 6, 15, 0, ...]]        as they are written

The vocabulary keeps the words that training has seen often enough to learn something of. What the others are like, and
whether a word begins with a capital, the characters say.
"""

import collections
from pathlib import Path

import numpy as np

from keras_seq.data.tokenizer import SPECIAL_TOKENS, Tokenizer

_WORDS, _CHARACTERS = "source.tokenizer.json", "characters.tokenizer.json"


class WordCoder:
    """Sentences to ids of words and characters.

    Made by `WordCoder.train` or `WordCoder.load`.

    Args:
        words: `Tokenizer` of kind "token".
        characters: `Tokenizer` of kind "character".
        width: int, characters that are read of a word, from its first.

    Example:
        >>> coder = WordCoder.train([["A", "dog", "!"], ["a", "cat"]], min_count=1, width=2)
        >>> inputs = coder.inputs([["a", "Dog"]])
        >>> print(inputs["ids"], inputs["characters"][0].tolist())
        [[4, 7]] [[4, 0], [3, 10]]
    """

    def __init__(self, words, characters, width):
        self.words, self.characters, self.width = words, characters, width

    @classmethod
    def train(cls, sentences, min_count=2, width=16):
        """Learns both vocabularies.

        Args:
            sentences: sequence of sequences of str.
            min_count: int, how often a word must come to have an id of its own.
            width: int, characters that are read of a word.

        Returns:
            `WordCoder`.

        Raises:
            ValueError: if there is no word, or a token is empty or has a space in it.
        """
        texts = [_joined(tokens, f"sentence {number}") for number, tokens in enumerate(sentences)]
        everything = Tokenizer.train(texts, kind="token", lowercase=True)
        counts = collections.Counter(number for ids in everything.encode_batch(texts) for number in ids)
        # Entries are sorted by falling frequency: the frequent ones come first.
        frequent = max(1, sum(count >= min_count for count in counts.values()))
        size = len(SPECIAL_TOKENS) + frequent
        words = Tokenizer.train(texts, kind="token", lowercase=True, vocabulary_size=size)
        return cls(words, Tokenizer.train(token for tokens in sentences for token in tokens), width)

    def inputs(self, sentences):
        """What `keras_seq.data.label_batches.LabelBatches` takes.

        Args:
            sentences: sequence of sequences of str.

        Returns:
            dict of `ids`, for each sentence a list of int, and `characters`, for each an int32 array `(time, width)`.

        Raises:
            ValueError: if a token is empty or has a space in it.
        """
        texts = [_joined(tokens, f"sentence {number}") for number, tokens in enumerate(sentences)]
        kinds = sorted({token for tokens in sentences for token in tokens})
        spelled = np.zeros((len(kinds), self.width), "int32")
        for row, own in zip(spelled, self.characters.encode_batch(kinds), strict=True):
            row[: len(own)] = own[: self.width]
        place = {token: number for number, token in enumerate(kinds)}
        return {
            "ids": self.words.encode_batch(texts),
            "characters": [spelled[[place[token] for token in tokens]] for tokens in sentences],
        }

    def save(self, folder):
        """Writes `source.tokenizer.json` and `characters.tokenizer.json`."""
        self.words.save(Path(folder, _WORDS))
        self.characters.save(Path(folder, _CHARACTERS))

    @classmethod
    def load(cls, folder, width):
        """Reads what `save` has written.

        Raises:
            FileNotFoundError, ValueError: as `Tokenizer.load`.
        """
        return cls(Tokenizer.load(Path(folder, _WORDS)), Tokenizer.load(Path(folder, _CHARACTERS)), width)


def _joined(tokens, name):
    """The tokens with spaces between them, as a tokenizer of kind "token" takes them apart again."""
    for token in tokens:
        if not token or token.split() != [token]:
            raise ValueError(f"{name} has the token {token!r}, wanted one without space in it; cut it, or take _")
    return " ".join(tokens)
