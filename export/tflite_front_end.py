"""Keeps in float32, in a TFLite file of 16 bits, what a logarithm of the input is taken of.

What is heard is a spectrum of powers, and those of a quiet band beside a loud one are what a Fourier transform leaves
when nearly all of its terms cancel: with constants in 16 bits, which have 11 to work with, the rest is larger than they
are. The converter has no switch for that, but a constant of 16 bits is made float32 again by a DEQUANTIZE before it is
used, so that a float32 constant in its place needs no other operator.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export import tflite_file, tflite_keep

# What a logarithm behind them is taken of is no input any more, but an answer.
_RECURRENT = {"WHILE", "IF", "UNIDIRECTIONAL_SEQUENCE_LSTM", "STABLEHLO_COMPOSITE"}


def in_float32(content, float32):
    """A file whose front end, where it has one, is that of another file.

    Args:
        content: bytes of a file whose constants are in 16 bits.
        float32: function that makes the bytes of the same file in float32; called only where it is needed.

    Returns:
        bytes.
    """
    model = tflite_file.read(content)
    places = front_end(model)
    if not places:
        return content
    tflite_keep.restore(model, _matches(model, places, tflite_file.read(float32())))
    return tflite_file.write(model)


def front_end(model):
    """The constants of 16 bits that a logarithm of the input is taken of.

    Args:
        model: `schema.ModelT`

    Returns:
        list of pairs of int, the numbers of a graph and of its tensor.
    """
    found = []
    for at in sorted({signature.subgraphIndex for signature in model.signatureDefs or ()}):
        graph = model.subgraphs[at]
        makers = {int(place): operator for operator in graph.operators or () for place in operator.outputs}
        used = set()
        for operator in graph.operators or ():
            if tflite_file.operator_name(model, operator) == "LOG":
                before = _before(makers, operator)
                names = {tflite_file.operator_name(model, makers[place]) for place in before if place in makers}
                used |= before if not names & _RECURRENT else set()
        found += [(at, place) for place in sorted(used) if _is_half(model, graph.tensors[place])]
    return found


def _before(makers, operator):
    """The numbers of the tensors that an operator depends on."""
    found, waiting = set(), [operator]
    while waiting:
        new = {int(place) for place in waiting.pop().inputs if place >= 0} - found
        found |= new
        waiting += [makers[place] for place in new if place in makers]
    return found


def _is_half(model, tensor):
    return tensor.type == schema.TensorType.FLOAT16 and tflite_file.constant(model, tensor) is not None


def _matches(model, places, original):
    """For each constant the float32 numbers that it was rounded from, and its places, as `restore` takes them."""
    floats = {
        tensor.buffer: tflite_file.constant(original, tensor)
        for graph in original.subgraphs
        for tensor in graph.tensors
        if tensor.type == schema.TensorType.FLOAT32
    }
    floats = {buffer: array for buffer, array in floats.items() if array is not None}
    found = {}
    for at, number in places:
        half = tflite_file.constant(model, model.subgraphs[at].tensors[number])
        for buffer, array in floats.items():
            if array.shape == half.shape and np.array_equal(array.astype("float16"), half):
                found.setdefault(buffer, []).append((at, number))
                break
    return [(floats[buffer], own) for buffer, own in found.items()]
