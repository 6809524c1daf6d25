"""The precisions of an ONNX model.

float32         as trained
float16         weights and sums in 16 bits, recurrent operators but their storage excepted; float32 at the border
dynamic_int8    products by constant matrices in 8 bits, the other side rounded as it comes, except inside loops; all
                other large weights stored in 8 bits, and made float32 again when the model is loaded
int8            products and convolutions in 8 bits, ranges measured beforehand on real data (QDQ)

Weights are rounded a column at a time and to 7 bits: a processor without VNNI adds two products of 8 bits in 16, which
overflow, and then tokens change wholesale.
"""

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx

from export import onnx_passes
from export.errors import ConversionError

PRECISIONS = ("float32", "float16", "dynamic_int8", "int8")
_RECURRENT = ("LSTM", "GRU", "RNN")
# Smaller tensors are not worth it: biases, scales, shapes.
_LEAST_WEIGHTS = 1024


def convert(model, precision, representative=None):
    """A float32 model in another precision.

    Args:
        model: `onnx.ModelProto` in float32.
        precision: one of `PRECISIONS`.
        representative: list of dicts of input name -> array, for "int8".

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
    if precision == "dynamic_int8":
        return store_in_8_bits(_to_dynamic_int8(model))
    return _to_int8(model, representative)


def _to_float16(model):
    from onnxruntime.transformers.float16 import convert_float_to_float16

    # ONNX Runtime has no recurrent operators in 16 bits for the CPU.
    model = convert_float_to_float16(model, keep_io_types=True, op_block_list=list(_RECURRENT))
    _drop_repeated(model.graph)
    return model


def _drop_repeated(graph):
    """An operator that takes one tensor twice, as an LSTM its zero states, is given the same cast twice."""
    made = set()
    for node in list(graph.node):
        if made & set(node.output):
            graph.node.remove(node)
        made |= set(node.output)


def _to_dynamic_int8(model):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    def quantize(source, target):
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True},
        )

    return _by_files(model, quantize)


def _to_int8(model, representative):
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
            op_types_to_quantize=["MatMul", "Conv", "Gemm"],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )

    return store_in_8_bits(_by_files(model, quantize))


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


def store_in_8_bits(model):
    """Keeps the large float32 weights in 8 bits, a scale for each row of the last axis but one.

    They become float32 again by a Cast and a Mul of constants, which runtimes work out once, when they load the model.

    Args:
        model: `onnx.ModelProto`, changed in place.

    Returns:
        the model.
    """
    graph = model.graph
    for tensor in list(graph.initializer):
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < _LEAST_WEIGHTS or len(tensor.dims) < 2:
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
