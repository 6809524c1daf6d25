"""Losses, metrics, learning-rate schedules and the fit helper that survives being killed."""

from keras_seq.training.fit import fit
from keras_seq.training.losses import MaskedCrossEntropy
from keras_seq.training.metrics import ExactMatch, MaskedAccuracy
from keras_seq.training.schedules import WarmupCosine, WarmupInverseSquareRoot, WarmupLinear

__all__ = [
    "ExactMatch",
    "MaskedAccuracy",
    "MaskedCrossEntropy",
    "WarmupCosine",
    "WarmupInverseSquareRoot",
    "WarmupLinear",
    "fit",
]
