"""Sequence models in Keras 3: layers, models, data, training and decoding."""

__version__ = "0.1.0"
