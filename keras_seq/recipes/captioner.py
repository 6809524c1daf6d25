"""A trained captioner: what it writes of a board, where it looks, and how often it is right."""

import numpy as np
import tensorflow as tf

from keras_seq import decoding
from keras_seq.beam import beam
from keras_seq.data.boards import ACROSS, NOTHING, captions, said
from keras_seq.data.tokenizer import Tokenizer

_BATCH = 100


class Describer:
    """Describes boards.

    Args:
        model: `keras_seq.models.Captioner` or `TransformerCaptioner`.
        tokenizer: `Tokenizer` of the captions.
        limit: int, tokens of the longest caption, its end included.
        names: sequence of str, what the things are called.

    Example:
        describer = keras_seq.recipes.captions.load("runs/15_captions/lstm")
        describer.write(boards)                     # ["a sneaker in the top left", ...]
    """

    def __init__(self, model, tokenizer, limit, names):
        self.model, self.tokenizer, self.limit, self.names = model, tokenizer, limit, tuple(names)
        self._functions = {}

    def write(self, boards, beams=None):
        """A caption for each board.

        Args:
            boards: uint8 `(boards, height, width, 1)`, or float from 0 to 1.
            beams: int, beam search with so many; None takes the likeliest token at every step.

        Returns:
            list of str.
        """
        if beams not in self._functions:

            def search(images):
                if beams is None:
                    return decoding.greedy(self.model, images, None, self.limit)
                return beam(self.model, images, None, self.limit, beams)

            shape = tf.TensorSpec((None, *self.model.inputs[0].shape[1:]), tf.float32)
            self._functions[beams] = tf.function(search, input_signature=[shape], autograph=False)
        found = []
        for start in range(0, len(boards), _BATCH):
            ids, *_ = self._functions[beams](_light(boards[start : start + _BATCH]))
            found += [self.tokenizer.decode(own) for own in ids.numpy().tolist()]
        return found

    def attention(self, boards, written):
        """Where the model looks as it writes captions.

        Args:
            boards: as for `write`.
            written: list of str, one caption for each.

        Returns:
            for each board the tokens, list of str, the end last unless the caption never came to it, and the weights
            of the map's places, float32 `(tokens, rows, columns)`.
        """
        found = []
        for start in range(0, len(boards), _BATCH):
            ids = self.tokenizer.encode_batch(written[start : start + _BATCH])
            target = np.zeros((len(ids), self.limit), "int32")
            for row, own in zip(target, ids, strict=True):
                row[: len(own) + 1] = [Tokenizer.START, *own][: self.limit]
            images = _light(boards[start : start + _BATCH])
            weights = np.asarray(self.model.alignments({"image": images, "target": target}))
            for own, weight in zip(ids, weights, strict=True):
                tokens = [*(self.tokenizer.decode([number]).strip() for number in own), "<end>"][: self.limit]
                found.append((tokens, weight[: len(tokens)].reshape(len(tokens), *self.model.map_shape)))
        return found

    def judge(self, boards, things, written):
        """What is right about captions.

        Args:
            boards: as for `write`.
            things: for each board a list of pairs of int, label and place, that are there.
            written: list of str, a caption for each.

        Returns:
            float arrays `(boards,)`: `whole`, the caption is one of those that are right; `places`, it names the right
            places, whatever it says is there; and int array `looks (boards, 3)`: of the words that name a thing, those
            written with the attention's largest cell in the place that the caption gives, where a thing is; all; and
            those written with it where another thing is.
        """
        whole, places, looks = [], [], []
        for board, caption, (tokens, weights) in zip(things, written, self.attention(boards, written), strict=True):
            told = [place for _, place in said(caption, self.names) or []]
            whole.append(caption in captions(board, self.names))
            places.append(sorted(told) == sorted(place for _, place in board))
            looks.append(self._looks(board, told, tokens, weights))
        return {"whole": np.array(whole, float), "places": np.array(places, float), "looks": np.array(looks)}

    def _looks(self, board, told, tokens, weights):
        """Words that name a thing and are written while looking at it, all such words, and those looking at another."""
        there = {place for _, place in board}
        nouns = {name.split()[-1] for name in self.names}
        spots = [spot for spot, token in enumerate(tokens) if token in nouns]
        right = other = 0
        for spot, place in zip(spots, told, strict=False):  # what is no caption says no place: its words look nowhere
            looked = place_of(weights[spot])
            right += looked == place and place in there
            other += looked != place and looked in there
        return right, len(spots), other


def place_of(weights):
    """The place of the board that the largest of a map's weights lies in.

    Args:
        weights: float `(rows, columns)`.

    Returns:
        int, from 0 to 8.
    """
    row, column = np.unravel_index(np.argmax(weights), weights.shape)
    return int(row * ACROSS // weights.shape[0] * ACROSS + column * ACROSS // weights.shape[1])


def confusion_counts(things, written, names):
    """Which thing was taken for which, where the caption names the right places.

    Args:
        things: for each board a list of pairs of int, label and place.
        written: list of str, a caption for each.
        names: sequence of str, what the labels are called.

    Returns:
        int array `(labels, labels)`: what is there, by what is said to be there.
    """
    counts = np.zeros((len(names), len(names)), int)
    for board, caption in zip(things, written, strict=True):
        told = {place: label for label, place in said(caption, names) or []}
        for label, place in board:
            if (other := told.get(place, NOTHING)) != NOTHING:
                counts[label, other] += 1
    return counts


def _light(boards):
    """Boards as float32 from 0 to 1."""
    boards = np.asarray(boards)
    return boards.astype("float32") / 255 if boards.dtype == np.uint8 else boards.astype("float32")
