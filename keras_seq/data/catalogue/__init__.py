"""The catalogue of data sets: `load("clinc_oos", "train")` gives a list of records.

    names()            what there is
    info(name)         what is known of a set: task, keys, counts, licence, citation
    load(name, split)  its records
    prepared(name)     its tensorflow-datasets builder

Importing it imports neither TensorFlow nor tensorflow-datasets; `python -m keras_seq.data` shows the sets.
"""

from keras_seq.data.catalogue.cards import Card
from keras_seq.data.catalogue.loading import info, load, names, prepared

__all__ = ["Card", "info", "load", "names", "prepared"]
