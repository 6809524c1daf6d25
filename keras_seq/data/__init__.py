"""Tokenizers, tf.data pipelines and data sets."""

from keras_seq.data.catalogue import load

__all__ = ["load"]
