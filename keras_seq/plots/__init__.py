"""Figures, one kind a file. Each function writes one PNG and returns its path."""

from keras_seq.plots.attention import attention_gallery, attention_map
from keras_seq.plots.convolution import confusion, picture_rows, placements, pooled, sliding_window
from keras_seq.plots.curves import curves
from keras_seq.plots.gates import gate_maps, unit_over_tokens
from keras_seq.plots.gradients import gradient_flow, slopes
from keras_seq.plots.heat_maps import HeatMap, heat_maps
from keras_seq.plots.regression import chain, fits, valley
from keras_seq.plots.speech import recording
from keras_seq.plots.topology import Topology, topologies, unrolled

__all__ = [
    "HeatMap",
    "Topology",
    "attention_gallery",
    "attention_map",
    "chain",
    "confusion",
    "curves",
    "fits",
    "gate_maps",
    "gradient_flow",
    "heat_maps",
    "picture_rows",
    "placements",
    "pooled",
    "recording",
    "sliding_window",
    "slopes",
    "topologies",
    "unit_over_tokens",
    "unrolled",
    "valley",
]
