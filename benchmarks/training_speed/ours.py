"""This library's Transformer, compiled by XLA, and its batches: buckets with a token budget."""

import keras
import numpy as np

from benchmarks.training_speed.keras_trainer import KerasTrainer
from keras_seq.data.batching import PairBatches
from keras_seq.models import Transformer
from keras_seq.training import MaskedCrossEntropy


class Ours(KerasTrainer):
    """As `KerasTrainer`; table "own" is fed by `PairBatches`.

    The budget is such that a batch holds as many tokens as one of the shuffled ones, in the mean.
    """

    def __init__(self, pairs, settings):
        super().__init__(model(settings), pairs, settings, weighted=False)

    def shapes(self, table):
        if table == "equal":
            return super().shapes(table)
        first = {}
        for inputs, labels in self._own()(0):
            first.setdefault(tuple(labels.shape), (*map(np.asarray, inputs.values()), labels.numpy()))
        return list(first.values())

    def batches(self, table, window):
        if table == "equal":
            return super().batches(table, window)
        own, steps = self._own(), self.settings.steps
        dataset = own(0).skip(window % (own.steps // steps) * steps).take(steps)
        return dataset, [labels for _, labels in dataset]

    def _own(self):
        options = {"boundaries": self.settings.boundaries, "remainder": "fill"}
        one = PairBatches(*self.pairs, batch_size=1, **options)
        places = sum(bucket["pairs"] * bucket["target"] for bucket in one.buckets) / one.steps  # of a pair, in the mean
        return PairBatches(*self.pairs, batch_tokens=round(places * self.settings.batch), **options)


def model(settings):
    """The compiled model."""
    result = Transformer(
        settings.vocabulary,
        settings.vocabulary,
        units=settings.units,
        num_layers=settings.layers,
        num_heads=settings.heads,
        feed_forward=settings.feed_forward,
        dropout=settings.dropout,
        tied=True,
    )
    result.compile(keras.optimizers.Adam(settings.learning_rate), MaskedCrossEntropy(), jit_compile=True)
    return result
