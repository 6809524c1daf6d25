"""Turns 8-bit weights of a TFLite file with dynamic ranges back into float32.

The converter has no switch for that. But an operator with 8-bit weights is the operator of the float32 file, run
another way because its weights are INT8: with the weights of the float32 file it computes in float32 again.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export import tflite_file

# Operators that hand tensors to other graphs of the file.
_CONTROL = {"WHILE", "IF", "CALL_ONCE", "STABLEHLO_COMPOSITE"}


def matches(quantised, original):
    """The 8-bit constants of a file with the float32 constants that they are made of.

    Args:
        quantised, original: `schema.ModelT`, both converted from the same SavedModel.

    Returns:
        dict of buffer in `quantised` -> buffer in `original`. What cannot be turned back is left out.
    """
    floats = {}  # shape -> {buffer: array}
    for _, tensor in _constants(original, schema.TensorType.FLOAT32):
        floats.setdefault(tuple(tensor.shape), {})[tensor.buffer] = tflite_file.constant(original, tensor)
    found = {}
    for _, tensor in _constants(quantised, schema.TensorType.INT8):
        if tensor.buffer in found or tensor.quantization is None or tensor.quantization.scale is None:
            continue
        array, scale = _dequantised(quantised, tensor)
        for buffer, wanted in floats.get(tuple(tensor.shape), {}).items():
            if np.all(np.abs(array - wanted) <= 0.51 * scale + 1e-12):
                found[tensor.buffer] = buffer
                break
    return {ours: theirs for ours, theirs in found.items() if _can_be_float(quantised, ours)}


def restore(model, floats):
    """Turns constants into float32, and with them what is only moved about before it is computed with.

    Args:
        model: `schema.ModelT`, changed in place.
        floats: dict of buffer -> float32 array, as `matches` has them.
    """
    for buffer, array in floats.items():
        model.buffers[buffer].data = np.frombuffer(np.asarray(array, "float32").tobytes(), "uint8")
    for graph in model.subgraphs:
        turned, renamed, dropped, _ = _plan(model, graph, set(floats))
        for place in turned:
            graph.tensors[place].type = schema.TensorType.FLOAT32
            graph.tensors[place].quantization = None
        graph.operators = [operator for operator in graph.operators if id(operator) not in dropped]
        for operator in graph.operators:
            if turned & set(operator.inputs) and hasattr(operator.builtinOptions, "asymmetricQuantizeInputs"):
                operator.builtinOptions.asymmetricQuantizeInputs = False
            operator.inputs = np.asarray([renamed.get(int(place), place) for place in operator.inputs], "int32")
        graph.outputs = np.asarray([renamed.get(int(place), place) for place in graph.outputs], "int32")
        _rename_signature_outputs(model, graph, renamed)


def _plan(model, graph, buffers):
    """Which tensors become float32, what a removed DEQUANTIZE is replaced by, the removed, and whether it can be."""
    turned = {place for place, tensor in enumerate(graph.tensors) if tensor.buffer in buffers and tensor.buffer}
    renamed, dropped, possible = {}, set(), not turned & set(graph.outputs)
    for operator in graph.operators or ():
        inputs = set(map(int, operator.inputs)) & turned
        if not inputs:
            continue
        name = tflite_file.operator_name(model, operator)
        if name == "DEQUANTIZE":
            renamed[int(operator.outputs[0])] = int(operator.inputs[0])
            dropped.add(id(operator))
            continue
        others = [graph.tensors[place].type for place in operator.inputs if place >= 0 and place not in turned]
        possible = possible and name not in _CONTROL and schema.TensorType.INT8 not in others
        for place in operator.outputs:
            if graph.tensors[place].type == schema.TensorType.INT8:
                turned.add(int(place))
                possible = possible and place not in graph.outputs
    return turned, renamed, dropped, possible


def _can_be_float(model, buffer):
    return all(_plan(model, graph, {buffer})[-1] for graph in model.subgraphs)


def _rename_signature_outputs(model, graph, renamed):
    for signature in model.signatureDefs or ():
        if model.subgraphs[signature.subgraphIndex] is graph:
            for output in signature.outputs or ():
                output.tensorIndex = renamed.get(output.tensorIndex, output.tensorIndex)


def _constants(model, dtype):
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if tensor.type == dtype and tflite_file.constant(model, tensor) is not None and len(tensor.shape) > 1:
                yield graph, tensor


def _dequantised(model, tensor):
    """The numbers that a constant stands for, and its scale, as wide as can be subtracted."""
    scale = np.asarray(tensor.quantization.scale, "float32")
    zero = tensor.quantization.zeroPoint
    zero = np.zeros_like(scale) if zero is None else np.asarray(zero, "float32")
    shape = [1] * len(tensor.shape)
    if len(scale) > 1:
        shape[tensor.quantization.quantizedDimension] = len(scale)
    scale, zero = scale.reshape(shape), zero.reshape(shape)
    return (tflite_file.constant(model, tensor).astype("float32") - zero) * scale, scale
