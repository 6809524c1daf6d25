"""The layers of a TFLite file in float32: which operators and which constants are whose."""

from dataclasses import dataclass, field

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export import tflite_file
from export.layer_names import LayerNames


@dataclass
class Layer:
    """What a file has of one layer.

    Attributes:
        weights: int, how many numbers its constants of two and more dimensions hold.
        operators: list of str, the names by which the converter knows its operators on numbers, not on ids and lengths.
        buffers: list of int, the buffers of those constants.
    """

    weights: int = 0
    operators: list = field(default_factory=list)
    buffers: list = field(default_factory=list)


def layers_of(model, names=None):
    """All layers, in the order of their first operator.

    Args:
        model: `schema.ModelT` in float32, calibrated or not.
        names: what `export.layer_names.names_of` returned, or None.

    Returns:
        dict of name -> `Layer`. Steps of one layer that were written out are in one, as are uses of one weight.
    """
    known, layers = LayerNames(names), {}
    weights = {}  # buffer -> its layer, or None
    operators = [
        (graph, operator)
        for graph in model.subgraphs
        for operator in graph.operators or ()
        if any(graph.tensors[place].type == schema.TensorType.FLOAT32 for place in operator.outputs)
    ]
    for graph, operator in operators:
        for buffer, array in _weights(model, graph, operator):
            if buffer not in weights:
                weights[buffer] = known.of_weight(array)
            if weights[buffer]:
                known.learn(tflite_file.name_of(graph, operator), weights[buffer])
    for graph, operator in operators:
        name = tflite_file.name_of(graph, operator)
        own = list(_weights(model, graph, operator))
        layer = next((weights[buffer] for buffer, _ in own if weights[buffer]), None) or known.of_operator(name)
        entry = layers.setdefault(layer, Layer())
        entry.operators.append(name)
        for buffer, array in own:
            weights[buffer] = weights[buffer] or layer
            holder = layers.setdefault(weights[buffer], Layer())
            if buffer not in holder.buffers:
                holder.buffers.append(buffer)
                holder.weights += int(array.size)
    return layers


def _weights(model, graph, operator):
    """The buffers and numbers of an operator's constants of two and more dimensions."""
    for place in operator.inputs if operator.inputs is not None else ():
        tensor = graph.tensors[place] if place >= 0 else None
        if tensor is None or tensor.type != schema.TensorType.FLOAT32 or tensor.shape is None or len(tensor.shape) < 2:
            continue
        array = tflite_file.constant(model, tensor)
        if array is not None and np.any(array):
            yield int(tensor.buffer), array
