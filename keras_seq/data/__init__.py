"""Tokenizers, tf.data pipelines and data sets.

Named here is what needs neither TensorFlow nor Keras to import; the pipelines are in `keras_seq.data.batching` and
`keras_seq.data.label_batches`, the tokenizer in `keras_seq.data.tokenizer`.
"""

from keras_seq.data.catalogue import info, load, names, prepared
from keras_seq.data.files import read_labelled, read_pairs, read_tagged
from keras_seq.data.parts import split
from keras_seq.data.records import Records, Report, at_most, only_known

__all__ = [
    "Records",
    "Report",
    "at_most",
    "info",
    "load",
    "names",
    "only_known",
    "prepared",
    "read_labelled",
    "read_pairs",
    "read_tagged",
    "split",
]
