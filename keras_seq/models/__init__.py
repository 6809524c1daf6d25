"""Functional Keras models built from the layers."""

from keras_seq.models.seq2seq import Seq2Seq

__all__ = ["Seq2Seq"]
