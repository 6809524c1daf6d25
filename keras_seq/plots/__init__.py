"""Figures, one kind a file. Each function writes one PNG and returns its path."""

from keras_seq.plots.attention import attention_gallery, attention_map
from keras_seq.plots.curves import curves

__all__ = ["attention_gallery", "attention_map", "curves"]
