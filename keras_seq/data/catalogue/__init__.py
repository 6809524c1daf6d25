"""The catalogue of data sets: `load("clinc_oos", "train")` gives a list of records."""

from keras_seq.data.catalogue.loading import load

__all__ = ["load"]
