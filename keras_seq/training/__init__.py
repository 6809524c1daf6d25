"""Losses, metrics, learning-rate schedules and the fit helper that survives being killed."""

from keras_seq.training.fine_tuning import copy_weights
from keras_seq.training.fit import fit
from keras_seq.training.losses import MaskedCrossEntropy
from keras_seq.training.metrics import ExactMatch, MaskedAccuracy
from keras_seq.training.presets import set_precision
from keras_seq.training.samples import SampleLog
from keras_seq.training.schedules import WarmupCosine, WarmupInverseSquareRoot, WarmupLinear

__all__ = [
    "ExactMatch",
    "MaskedAccuracy",
    "MaskedCrossEntropy",
    "SampleLog",
    "WarmupCosine",
    "WarmupInverseSquareRoot",
    "WarmupLinear",
    "copy_weights",
    "fit",
    "set_precision",
]
