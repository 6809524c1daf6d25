"""The precisions of an ONNX model.

float32         as trained
float16         weights and sums in 16 bits, recurrent operators but their storage excepted, and what a logarithm of the
                input is taken of: powers of sound, which 16 bits cannot hold; float32 at the border
dynamic_int8    large weights stored in 8 bits, and made float32 again when the model is loaded: products are in float32
int8            products and convolutions in 8 bits, ranges measured beforehand on real data (QDQ); all other large
                weights stored as above

The recipes of 8 bits. Both can keep layers in float32, which `export.recover` chooses where the score falls: the
products of a kept layer are excluded, and its constants stored as they are.

"stored, rows in 8 bits"          a scale for each row of a matrix.
"calibrated, columns in 7 bits"   weights with a scale for each column and 7 bits: a processor without VNNI adds two
                                  products of 8 bits in 16, which overflow.

Why dynamic_int8 rounds nothing but weights: `python -m benchmarks.onnx_recipes RUN` holds it against ONNX Runtime's
dynamic recipe, with its defaults and mended (columns, 7 bits, the rest stored). On runs/quickstart,
runs/dates_transformer, runs/tag_bilstm, runs/classify_gru and runs/digits_cnn the stored recipe was the smallest but
for one of ONNX Runtime's (by 1 to 7 % smaller than the mended one), scored within 0.1 points of it and took 0.91 to
1.02 of its time; its damage was 0.4 to 0.9 of the other's, but on runs/dates_transformer, 1.8. What a decoder writes
is computed inside a loop, where ONNX Runtime's recipe has nothing to round. What it costs: an encoder of width 256 with
long texts computes faster in 8 bits (by a tenth, the whole translation), and the memory is that of float32.

"""

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx

from export import onnx_passes
from export.errors import ConversionError
from export.onnx_layers import PRODUCTS, layers_of, name_products

PRECISIONS = ("float32", "float16", "dynamic_int8", "int8")
RECIPES = {"dynamic_int8": "stored, rows in 8 bits", "int8": "calibrated, columns in 7 bits"}
_RECURRENT = ("LSTM", "GRU", "RNN")
# Smaller tensors are not worth it: biases, scales, shapes.
_LEAST_WEIGHTS = 1024


def convert(model, precision, representative=None, keep=(), names=None):
    """A float32 model in another precision.

    Args:
        model: `onnx.ModelProto` in float32.
        precision: one of `PRECISIONS`.
        representative: list of dicts of input name -> array, for "int8".
        keep: names of layers that stay in float32, out of those that `layers` tells; names of layers that this graph
            lacks, as another graph of the same model may have them, are passed over.
        names: what `export.layer_names.names_of` returned for the model; None calls layers as the graph does.

    Returns:
        `onnx.ModelProto`, with the inputs and outputs of `model`.

    Raises:
        ValueError: if the precision is not known.
        ConversionError: if the model cannot have it.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} is not known; choose from {', '.join(PRECISIONS)}")
    if precision == "float32":
        return model
    if precision == "float16":
        return _to_float16(model)
    name_products(model.graph)
    kept = [layer for name, layer in layers_of(model, names).items() if name in keep] if keep else []
    if precision == "int8":
        model = _to_int8(model, representative, [name for layer in kept for name in layer.nodes])
    return store_in_8_bits(model, {name for layer in kept for name in layer.tensors})


def layers(model, precision, names=None):
    """The layers that a precision has in 8 bits.

    Args:
        model: `onnx.ModelProto` in float32.
        precision, names: see `convert`.

    Returns:
        dict of name -> how many weights. For "int8" products of what the graph computes count as layers without any.
    """
    if precision not in RECIPES:
        return {}
    name_products(model.graph)
    stored = {tensor.name for tensor in model.graph.initializer if np.prod(tensor.dims) >= _LEAST_WEIGHTS}
    return {
        name: layer.weights
        for name, layer in layers_of(model, names).items()
        if stored & set(layer.tensors) or (precision == "int8" and layer.nodes)
    }


def _to_float16(model):
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    # ONNX Runtime has no recurrent operators in 16 bits for the CPU.
    model = convert_float_to_float16(
        model, keep_io_types=True, op_block_list=list(_RECURRENT), node_block_list=_front_end(model.graph)
    )
    _drop_repeated(model.graph)
    _drop_round_trips(model.graph)
    sorted_model = OnnxModel(model)  # its casts were put at the end
    sorted_model.topological_sort()
    return sorted_model.model


def _front_end(graph):
    """Names of the nodes that a logarithm of the input is taken of, it included; none behind recurrent ones."""
    makers = {name: node for node in graph.node for name in node.output}
    found = set()
    for node in graph.node:
        if node.op_type != "Log":
            continue
        before, waiting = {}, [node]
        while waiting:
            one = waiting.pop()
            before[one.name] = one
            waiting += [makers[name] for name in one.input if name in makers and makers[name].name not in before]
        if not {one.op_type for one in before.values()} & {*_RECURRENT, "Loop", "Scan", "If"}:
            found |= set(before)
    return sorted(found)


def _drop_round_trips(graph):
    """Between two nodes in 32 bits stand two casts, to 16 bits and back: what is behind then reads what is before."""
    casts = {node.output[0]: node for node in graph.node if node.op_type == "Cast"}
    down = {
        name: node.input[0]
        for name, node in casts.items()
        if node.name.startswith("graph_input_cast") or node.name.endswith("_cast_to_fp16_node")
    }
    kept = {name: down[node.input[0]] for name, node in casts.items() if node.input[0] in down}
    kept = {name: before for name, before in kept.items() if casts[name].attribute[0].i == onnx.TensorProto.FLOAT}
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = kept.get(name, name)


def _drop_repeated(graph):
    """An operator that takes one tensor twice, as an LSTM its zero states, is given the same cast twice."""
    made = set()
    for node in list(graph.node):
        if made & set(node.output):
            graph.node.remove(node)
        made |= set(node.output)


def _to_int8(model, representative, excluded):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    loops = sorted({node.op_type for node in onnx_passes.nodes(model.graph)} & {"Loop", "Scan", "If"})
    if loops:
        raise ConversionError(
            f"calibration does not see inside the operators {', '.join(loops)}, so int8 would measure nothing there; "
            "take dynamic_int8"
        )
    if not representative:
        raise ConversionError("int8 is calibrated on real inputs; give some")

    class Reader(CalibrationDataReader):
        def __init__(self):
            self._inputs = iter(representative)

        def get_next(self):
            return next(self._inputs, None)

    def quantize(source, target):
        quantize_static(
            source,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(PRODUCTS),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=excluded,
        )

    return _by_files(model, quantize)


def _by_files(model, work):
    """What `work` makes of a model: it reads a file and writes one."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "float32.onnx"), Path(folder, "quantised.onnx")
        onnx.save_model(model, source)
        level = logging.getLogger().level
        logging.getLogger().setLevel(logging.ERROR)  # it advises to optimise beforehand, at every call
        try:
            work(source, target)
        finally:
            logging.getLogger().setLevel(level)
        return onnx.load(target)


def store_in_8_bits(model, in_float=()):
    """Keeps the large float32 weights in 8 bits, a scale for each row of the last axis but one.

    They become float32 again by a Cast and a Mul of constants, which runtimes work out once, when they load the model.

    Args:
        model: `onnx.ModelProto`, changed in place.
        in_float: names of those that stay as they are.

    Returns:
        the model.
    """
    graph = model.graph
    for tensor in list(graph.initializer):
        if (
            tensor.name in in_float
            or tensor.data_type != onnx.TensorProto.FLOAT
            or np.prod(tensor.dims) < _LEAST_WEIGHTS
            or len(tensor.dims) < 2
        ):
            continue
        array = onnx.numpy_helper.to_array(tensor)
        scale = np.maximum(np.abs(array).max(axis=-1, keepdims=True) / 127, 1e-12).astype("float32")
        rounded = np.round(array / scale).astype("int8")
        graph.initializer.remove(tensor)
        name = tensor.name
        graph.initializer.extend(
            [
                onnx.numpy_helper.from_array(rounded, f"{name}/int8"),
                onnx.numpy_helper.from_array(scale, f"{name}/scale"),
            ]
        )
        cast = onnx.helper.make_node("Cast", [f"{name}/int8"], [f"{name}/cast"], f"{name}/cast", to=1)
        multiply = onnx.helper.make_node("Mul", [f"{name}/cast", f"{name}/scale"], [name], f"{name}/mul")
        graph.node.insert(0, multiply)
        graph.node.insert(0, cast)
    return model
