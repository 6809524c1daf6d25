"""Functional Keras models built from the layers."""

from keras_seq.models.recurrent import Classifier, Tagger
from keras_seq.models.seq2seq import Seq2Seq
from keras_seq.models.transformer import Transformer

__all__ = ["Classifier", "Seq2Seq", "Tagger", "Transformer"]
