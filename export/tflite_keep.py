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
    """The 8-bit constants of a file and the float32 constants that they are made of.

    They are paired by graph and name, or else by their numbers. Constants that are alike in 8 bits share a buffer
    though they differ in float32, so a constant is known by its place, the numbers of its graph and tensor.

    Args:
        quantised, original: `schema.ModelT`, both converted from the same SavedModel.

    Returns:
        dict of buffer in `original` -> list of places in `quantised`. What cannot be turned back is left out.
    """
    floats = {}  # shape -> {buffer: (array, its graphs and names)}
    for (graph, _), tensor in _constants(original, schema.TensorType.FLOAT32):
        same_shape = floats.setdefault(tuple(tensor.shape), {})
        _, names = same_shape.setdefault(tensor.buffer, (tflite_file.constant(original, tensor), set()))
        names.add((graph, tensor.name))
    found = {}
    for (graph, number), tensor in _constants(quantised, schema.TensorType.INT8):
        if tensor.quantization is None or tensor.quantization.scale is None:
            continue
        array, scale = _dequantised(quantised, tensor)
        alike = [
            (buffer, names)
            for buffer, (wanted, names) in floats.get(tuple(tensor.shape), {}).items()
            if np.all(np.abs(array - wanted) <= 0.51 * scale + 1e-12)
        ]
        named = [buffer for buffer, names in alike if (graph, tensor.name) in names]
        if named or alike:
            found.setdefault(named[0] if named else alike[0][0], []).append((graph, number))
    return {buffer: places for buffer, places in found.items() if _can_be_float(quantised, places)}


def restore(model, floats):
    """Turns constants into float32, and with them what is only moved about before it is computed with.

    Args:
        model: `schema.ModelT`, changed in place.
        floats: list of (float32 array, places), as `matches` has them.
    """
    for array, places in floats:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.asarray(array, "float32").tobytes(), "uint8")
        model.buffers.append(buffer)
        for graph, number in places:
            model.subgraphs[graph].tensors[number].buffer = len(model.buffers) - 1
    places = {place for _, these in floats for place in these}
    for at, graph in enumerate(model.subgraphs):
        turned, renamed, dropped, _ = _plan(model, graph, {number for one, number in places if one == at})
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
    _empty_unused_buffers(model)


def _empty_unused_buffers(model):
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    used |= {metadata.buffer for metadata in model.metadata or ()}
    for number, buffer in enumerate(model.buffers):
        if number not in used:
            buffer.data = None


def _plan(model, graph, constants):
    """Which tensors become float32, what a removed DEQUANTIZE is replaced by, the removed, and whether it can be."""
    turned, renamed, dropped = set(constants), {}, set()
    possible = not turned & set(graph.outputs)
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


def _can_be_float(model, places):
    graphs = {graph for graph, _ in places}
    return all(
        _plan(model, model.subgraphs[at], {number for graph, number in places if graph == at})[-1] for at in graphs
    )


def _rename_signature_outputs(model, graph, renamed):
    for signature in model.signatureDefs or ():
        if model.subgraphs[signature.subgraphIndex] is graph:
            for output in signature.outputs or ():
                output.tensorIndex = renamed.get(output.tensorIndex, output.tensorIndex)


def _constants(model, dtype):
    """The place and tensor of each constant of two and more dimensions."""
    for at, graph in enumerate(model.subgraphs):
        for number, tensor in enumerate(graph.tensors):
            if tensor.type == dtype and tflite_file.constant(model, tensor) is not None and len(tensor.shape) > 1:
                yield (at, number), tensor


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
