"""What `model.fit` trains: the contestants in Keras."""

import time

import keras
import numpy as np
import tensorflow as tf

from benchmarks.training_speed.batches import equal_batches, shuffled_batches, useful_tokens

_SHAPES = 2  # batches that show TensorFlow that lengths differ, so that it traces once for all of them


class _Clock(keras.callbacks.Callback):
    """Seconds from the first batch's begin to the last one's end: what `fit` does before is done once a training."""

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self._begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds = time.perf_counter() - self._begin


class KerasTrainer:
    """A compiled model with its batches.

    Args:
        model: compiled `keras.Model`.
        pairs: two lists of lists of int, sources and targets.
        settings: `Settings`.
        weighted: bool, sample weights tell the loss which labels are padding.
    """

    def __init__(self, model, pairs, settings, weighted):
        self.model = model
        self.pairs = pairs
        self.settings = settings
        self._weighted = weighted

    @property
    def parameters(self):
        return sum(int(np.prod(weight.shape)) for weight in self.model.trainable_weights)

    def loss(self, batch):
        """Mean loss of a batch's target tokens, without dropout."""
        return self.model.evaluate(self.dataset([batch]), verbose=0)

    def warm_up(self, table):
        """Trains a little, so that everything is compiled."""
        for _ in range(2):
            self._fit(self.dataset(self.shapes(table)))

    def train(self, table, window):
        """A round.

        Args:
            table: str, "equal" or "own", which batches.
            window: int, which round of them.

        Returns:
            seconds, and target tokens that are not padding.
        """
        dataset, labels = self.batches(table, window)
        return self._fit(dataset), useful_tokens(labels)

    def _fit(self, dataset):
        """Trains, and returns the seconds."""
        clock = _Clock()
        # `shuffle` is of arrays: a dataset has its own order.
        self.model.fit(dataset, shuffle=False, verbose=0, callbacks=[clock])
        return clock.seconds

    def shapes(self, table):
        """A few batches with every shape to be compiled."""
        make = equal_batches if table == "equal" else shuffled_batches
        return make(self.pairs, self.settings, 0)[:_SHAPES]

    def batches(self, table, window):
        """The dataset of a round and its labels."""
        make = equal_batches if table == "equal" else shuffled_batches
        made = make(self.pairs, self.settings, window)
        return self.dataset(made), [labels for _, _, labels in made]

    def dataset(self, batches):
        """`tf.data.Dataset` of batches that are there already."""
        ids, weights = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, None), tf.float32)
        signature = ({"source": ids, "target": ids}, ids, *((weights,) if self._weighted else ()))

        def elements():
            for source, target, labels in batches:
                weight = ((labels != 0).astype("float32"),) if self._weighted else ()
                yield {"source": source, "target": target}, labels, *weight

        dataset = tf.data.Dataset.from_generator(elements, output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(tf.data.AUTOTUNE)
