"""ONNX: servers and browsers. A folder with one graph a signature and one weights file that they share.

Batch and source length are dynamic.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import external_data_helper

from export import onnx_passes, precision_onnx
from export.onnx_operators import HANDLERS, put_between
from export.recurrent import recurrent_by
from export.recurrent_onnx import onnx_operator
from export.signatures import input_specs, model_signatures
from keras_seq.layers.cache import writing_by

OPSET = 17
WEIGHTS = "weights.bin"
# Smaller tensors stay in the graph: they are shapes and constants, and ONNX's shape inference wants to see them.
_SHARED_FROM_BYTES = 1024
# ONNX Runtime maps the weights into memory; tensors start on a page.
_ALIGNMENT = 4096
_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)


def convert(model, limits, path, precision="float32", beams=None, representative=None):
    """Writes a graph for each signature, as `generate.onnx`, and `weights.bin` into the folder `path`.

    Args:
        representative: list of dicts of input name -> array, inputs of `predict`; for "int8".
    """
    graphs = traced(model, limits, beams)
    write({name: precision_onnx.convert(graph, precision, representative) for name, graph in graphs.items()}, path)


def traced(model, limits, beams=None):
    """The model's signatures: dict of name -> `onnx.ModelProto` in float32."""
    with recurrent_by(onnx_operator, model, padding="right"), writing_by(put_between):
        signatures = model_signatures(model, limits, static=False, beams=beams)
    return {name: from_function(function, input_specs(function)) for name, function in signatures.items()}


def write(graphs, path):
    """Writes graphs, by name, and the weights that they share into the new folder `path`; the graphs are emptied."""
    path, weights = Path(path), SharedWeights()
    path.mkdir()
    for name, graph in graphs.items():
        onnx_passes.settle_loops(graph.graph)
        weights.take_from(graph)
        _name_dynamic_axes(graph.graph)
        onnx.save_model(graph, path / f"{name}.onnx")
    (path / WEIGHTS).write_bytes(weights.data)


def from_function(function, specs):
    """The ONNX model of a function of tensors.

    Args:
        function: takes tensors of `specs` in that order.
        specs: list of named `tf.TensorSpec`.

    Returns:
        `onnx.ModelProto`
    """
    model, _ = tf2onnx.convert.from_function(
        tf.function(function, autograph=False),
        input_signature=specs,
        opset=OPSET,
        custom_op_handlers=dict(HANDLERS),
    )
    onnx_passes.simplify(model.graph)
    return model


def from_saved_model(folder, signature):
    """The ONNX model of one signature of a SavedModel, with the names of its inputs and outputs.

    Args:
        folder: path of the SavedModel.
        signature: str.

    Returns:
        `onnx.ModelProto`, its open axes dynamic.
    """
    loaded = tf.saved_model.load(str(folder))  # the variables live as long as this does
    function = loaded.signatures[signature]
    specs = [spec for _, spec in sorted(function.structured_input_signature[1].items())]
    names = [spec.name for spec in specs]
    return from_function(lambda *tensors: function(**dict(zip(names, tensors, strict=True))), specs)


def unknown_operators(model):
    """Operators that ONNX does not have, each with the name of its node: tf2onnx leaves them as TensorFlow's.

    Args:
        model: `onnx.ModelProto`

    Returns:
        set of (operator, node name).
    """
    every = onnx_passes.nodes(model.graph)
    return {(node.op_type, node.name) for node in every if not onnx.defs.has(node.op_type, node.domain)}


def _name_dynamic_axes(graph):
    """`(batch, source, ...)` for whoever looks at the graph, instead of the converter's numbered unknowns.

    What is remembered of a source may be of another length: axes of one name are one size to ONNX Runtime.
    """
    for value in (*graph.input, *graph.output):
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if not dimension.HasField("dim_value"):
                memory = value.name.startswith("memory_")
                dimension.dim_param = "batch" if axis == 0 else "memory" if memory else "source"


class SharedWeights:
    """One file of weights for several graphs; equal tensors are stored once, and so is a matrix and its transpose.

    A tied embedding is looked up by rows and read out by columns; TensorFlow's optimiser makes two constants of it.
    ONNX Runtime computes the transpose when it loads the file, so that this costs size alone.
    """

    def __init__(self):
        self.data = bytearray()
        self._offsets = {}

    def take_from(self, model):
        """Moves the model's large tensors here, those inside Loop bodies included."""
        tensors = list(_lift_tensors(model.graph))
        names = set()
        for tensor in tensors:
            if tensor.name in names:
                raise ValueError(f"two constants of the graph are called {tensor.name!r}; rename one of the layers")
            names.add(tensor.name)
            turned = self._turned(tensor)
            if turned is not None:
                node = onnx.helper.make_node("Transpose", [turned.name], [tensor.name], perm=[1, 0])
                model.graph.node.insert(0, node)
                tensor = turned
            self._store(tensor)
            model.graph.initializer.append(tensor)

    def _turned(self, tensor):
        """The transpose of a matrix, where that and not the matrix itself is stored already; else None."""
        if tensor.data_type not in _FLOATS or len(tensor.dims) != 2:
            return None
        matrix = onnx.numpy_helper.to_array(tensor)
        if _digest(matrix) in self._offsets or _digest(matrix.T) not in self._offsets:
            return None
        return onnx.numpy_helper.from_array(np.ascontiguousarray(matrix.T), f"{tensor.name}/transposed")

    def _store(self, tensor):
        array = onnx.numpy_helper.to_array(tensor)
        raw, digest = array.tobytes(), _digest(array)
        if digest not in self._offsets:
            self.data.extend(bytes(-len(self.data) % _ALIGNMENT))
            self._offsets[digest] = len(self.data)
            self.data.extend(raw)
        tensor.raw_data = raw
        external_data_helper.set_external_data(tensor, WEIGHTS, offset=self._offsets[digest], length=len(raw))
        tensor.ClearField("raw_data")
        for field in ("float_data", "int32_data", "int64_data"):
            tensor.ClearField(field)


def _digest(array):
    return hashlib.sha256(array.tobytes()).digest()  # of its rows one after another, whatever lies in memory


def _lift_tensors(graph):
    """Removes and yields the large constants of a graph and of the graphs inside it.

    A nested graph sees the names of the graphs around it, so a constant may move outward under its own name.
    """
    for tensor in [tensor for tensor in graph.initializer if tensor.ByteSize() >= _SHARED_FROM_BYTES]:
        graph.initializer.remove(tensor)
        yield _copy(tensor, tensor.name)
    for node in list(graph.node):
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _lift_tensors(attribute.g)
        if node.op_type == "Constant" and node.attribute[0].t.ByteSize() >= _SHARED_FROM_BYTES:
            graph.node.remove(node)
            yield _copy(node.attribute[0].t, node.output[0])


def _copy(tensor, name):
    copy = onnx.TensorProto()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy
