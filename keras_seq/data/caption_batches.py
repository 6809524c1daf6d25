"""Boards with captions for `keras_seq.training.fit`: new ones in every epoch, the same for a seed and an epoch.

Two things are named in the order in which one reads: left to right, top to bottom. Were the order drawn too, the
likeliest caption would be a mixture of both, for which a decoder has to see both things before it names the first: it
would look at one while it writes the article and at the other while it writes the noun.

What is drawn depends on the seed and the epoch alone, so that a resumed run sees the boards of an uninterrupted one.
"""

import numpy as np
import tensorflow as tf

from keras_seq.data.boards import NOTHING, PLACES, WORDINGS, captions
from keras_seq.data.tokenizer import Tokenizer


def all_captions(names):
    """Every caption that a board of these things can have.

    Args:
        names: sequence of str, see `keras_seq.data.boards.names_of`.

    Returns:
        list of `wordings * things * (things + 1)` str, a thing being a label at a place; the last of the second things
        is none. Two things at one place are in it, though no board has them.
    """
    things = [(label, place) for label in range(len(names)) for place in range(len(PLACES))]
    worded = {}
    for first in things:
        for number, second in enumerate([*things, None]):
            own = captions([first, second] if second else [first], names)
            for wording in range(len(WORDINGS)):
                worded[wording, first, number] = own[wording]
    return [worded[key] for key in sorted(worded)]


class CaptionBatches:
    """Batches of boards and their captions: calling it with an epoch's number gives that epoch's dataset.

    Args:
        boards: `keras_seq.data.boards.Boards`.
        names: sequence of str, what the labels are called.
        tokenizer: `Tokenizer` of the captions.
        batch_size: int.
        steps: int, batches in an epoch.
        seed: int.

    Gives, for each batch:
        `({"image": (batch, 96, 96, 1), "target": (batch, target)}, labels (batch, target))`: float32 from 0 to 1, and
        int32 padded with 0.

    Attributes:
        longest: int, tokens of the longest caption, its end included.
        steps: int.
    """

    def __init__(self, boards, names, tokenizer, batch_size, steps, seed=0):
        self._boards, self._batch_size, self._seed, self.steps = boards, batch_size, seed, steps
        ids = [[*own, Tokenizer.END] for own in tokenizer.encode_batch(all_captions(names))]
        self.longest = max(map(len, ids))
        table = np.zeros((len(ids), self.longest), "int32")
        for row, own in zip(table, ids, strict=True):
            row[: len(own)] = own
        things = len(names) * len(PLACES)
        with tf.device("CPU:0"):
            self._table = tf.constant(table.reshape(len(WORDINGS), things, things + 1, self.longest))

    def __len__(self):
        return self.steps

    def __call__(self, epoch):
        """The dataset of one epoch.

        Args:
            epoch: int or scalar int64 tensor, counted from 0.
        """
        first = tf.cast(epoch, tf.int64) * self.steps
        numbers = tf.data.Dataset.range(self.steps)
        return numbers.map(lambda number: self._batch(first + number), tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    def _batch(self, number):
        seed = tf.stack([tf.constant(self._seed, tf.int64), number])
        images, things, wording = self._boards.draw(self._batch_size, seed)
        things = _in_reading_order(things)
        rows = things[:, :, 0] * len(PLACES) + things[:, :, 1]  # (batch, 2)
        second = tf.where(things[:, 1, 0] == NOTHING, self._table.shape[2] - 1, rows[:, 1])
        labels = tf.gather_nd(self._table, tf.stack([wording, rows[:, 0], second], axis=1))  # (batch, target)
        start = tf.fill((self._batch_size, 1), Tokenizer.START)
        target = tf.concat([start, tf.where(labels == Tokenizer.END, 0, labels)[:, :-1]], axis=1)
        return {"image": tf.cast(images, tf.float32) / 255, "target": target}, labels


def _in_reading_order(things):
    """Things `(batch, 2, 2)`, label and place, with the one that is read first in front; one alone stays there."""
    turned = (things[:, 1, 0] != NOTHING) & (things[:, 1, 1] < things[:, 0, 1])
    return tf.where(turned[:, None, None], things[:, ::-1], things)
