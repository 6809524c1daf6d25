"""In a TFLite file of 16 bits what a logarithm of the input is taken of stays in float32, what is behind does not."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from export import runtime, tflite_file, tflite_front_end

FLOOR, SCALE = np.float32(1e-10), np.float32([0.1, 0.3, 0.7])  # in 16 bits the floor is 0


class File:
    """y = scale log(max(x, floor)), its constants in 16 bits behind a DEQUANTIZE, or in 32."""

    def __init__(self, half, first="MAXIMUM"):
        self._half, self._model, self._graph = half, schema.ModelT(), schema.SubGraphT()
        self._model.version, self._model.buffers, self._model.subgraphs = 3, [schema.BufferT()], [self._graph]
        self._graph.tensors, self._graph.operators, self._model.operatorCodes = [], [], []
        x, y = self._tensor([1, 3]), self._tensor([1, 3])
        self._graph.inputs, self._graph.outputs = [x], [y]
        powers, logs, floor, scale = self._tensor([1, 3]), self._tensor([1, 3]), self._one(FLOOR), self._one(SCALE)
        self._operator(first, [x, floor], powers)
        self._operator("LOG", [powers], logs)
        self._operator("MUL", [logs, scale], y, "MulOptions")
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "model", 0
        signature.inputs, signature.outputs = [self._named("x", x)], [self._named("y", y)]
        self._model.signatureDefs = [signature]
        self.content = tflite_file.write(self._model)

    def _tensor(self, shape, array=None):
        made = schema.TensorT()
        made.name, made.shape, made.buffer, made.type = "", shape, 0, schema.TensorType.FLOAT32
        if array is not None:
            made.type = schema.TensorType.FLOAT16 if array.dtype == np.float16 else schema.TensorType.FLOAT32
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(array.tobytes(), "uint8")
            self._model.buffers.append(buffer)
            made.buffer = len(self._model.buffers) - 1
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def _one(self, array):
        if not self._half:
            return self._tensor(list(array.shape), array)
        stored, found = self._tensor(list(array.shape), array.astype("float16")), self._tensor(list(array.shape))
        self._operator("DEQUANTIZE", [stored], found)
        return found

    def _operator(self, name, inputs, output, options=None):
        code, made = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode, code.version = getattr(schema.BuiltinOperator, name), 1 if name != "DEQUANTIZE" else 3
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        self._model.operatorCodes.append(code)
        made.opcodeIndex, made.inputs, made.outputs = len(self._model.operatorCodes) - 1, inputs, [output]
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, f"{options}T")()
        self._graph.operators.append(made)

    @staticmethod
    def _named(name, tensor):
        made = schema.TensorMapT()
        made.name, made.tensorIndex = name, tensor
        return made


def called(content, folder):
    (folder / "model.tflite").write_bytes(content)
    return runtime.LiteRTSession(folder / "model.tflite").call("model", x=np.float32([[0, 1e-5, 2]]))["y"]


def test_the_floor_of_a_logarithm_is_float32_again_and_the_scale_behind_it_is_not(tmp_path):
    half = File(half=True).content
    assert np.isneginf(called(half, tmp_path)[0, 0])
    kept = tflite_front_end.in_float32(half, lambda: File(half=False).content)
    wanted = np.log(np.maximum(np.float32([[0, 1e-5, 2]]), FLOOR)) * SCALE.astype("float16")
    np.testing.assert_allclose(called(kept, tmp_path), wanted, rtol=1e-6)
    model = tflite_file.read(kept)
    types = [tensor.type for tensor in model.subgraphs[0].tensors if tflite_file.constant(model, tensor) is not None]
    assert sorted(types) == [schema.TensorType.FLOAT32, schema.TensorType.FLOAT16]
    assert tflite_front_end.in_float32(kept, lambda: pytest.fail("nothing is left to keep")) == kept


def test_what_a_loop_makes_is_no_front_end():
    """Not by what it computes, which a file for a test need not, but by its operator's name."""
    assert len(tflite_front_end.front_end(tflite_file.read(File(half=True).content))) == 1
    assert not tflite_front_end.front_end(tflite_file.read(File(half=True, first="WHILE").content))
