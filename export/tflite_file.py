"""A TFLite file as objects that can be changed, and back."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

# What TFLite's own writer aligns constants to; kernels read them where they lie in the file.
_ALIGNMENT = 16
_DTYPES = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.FLOAT16: "float16",
    schema.TensorType.INT8: "int8",
}
_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}


def read(content):
    """`schema.ModelT` of the bytes of a file; what is changed in it does not change the bytes."""
    return schema.ModelT.InitFromPackedBuf(bytearray(content), 0)


def write(model):
    """The bytes of a `schema.ModelT`."""
    import flatbuffers

    model.buffers = [_aligned(buffer) for buffer in model.buffers]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operator_name(model, operator):
    """ "FULLY_CONNECTED" and the like."""
    return _OPERATORS[model.operatorCodes[operator.opcodeIndex].builtinCode]


def name_of(graph, operator):
    """The name of the operator's first result, by which the converter knows the operator."""
    return graph.tensors[operator.outputs[0]].name.decode() if len(operator.outputs) else ""


def drop_inner_names(model):
    """Takes the names from all tensors but the graphs' inputs and outputs; no runtime needs them.

    Args:
        model: `schema.ModelT`, changed in place.
    """
    for graph in model.subgraphs:
        border = {*map(int, graph.inputs), *map(int, graph.outputs)}
        for number, tensor in enumerate(graph.tensors):
            if number not in border:
                tensor.name = b""


def constant(model, tensor):
    """The numbers of a constant tensor of float32, float16 or int8, or None if it is another or no constant."""
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0 or tensor.type not in _DTYPES or tensor.shape is None:
        return None
    return np.frombuffer(np.asarray(data, "uint8").tobytes(), _DTYPES[tensor.type]).reshape(tensor.shape)


class _AlignedBuffer(schema.BufferT):
    """The generated writer forgets the alignment that the schema asks for."""

    def Pack(self, builder):  # noqa: N802  (the generated code's name)
        data = None
        if self.data is not None:
            raw = np.asarray(self.data, "uint8").tobytes()
            builder.StartVector(1, len(raw), _ALIGNMENT)
            builder.head -= len(raw)
            builder.Bytes[builder.head : builder.head + len(raw)] = raw
            data = builder.EndVector(len(raw))
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


def _aligned(buffer):
    made = _AlignedBuffer()
    made.data = buffer.data
    return made
