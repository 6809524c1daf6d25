"""The weights that ONNX graphs share: each stored once, whichever way round a graph reads it."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export import onnx as formats

WIDTH, UNITS = 24, 40
TABLE = np.random.default_rng(0).normal(size=(UNITS, WIDTH)).astype("float32")


def graph(weights):
    """x -> x W."""
    rows, columns = weights.shape
    made = helper.make_graph(
        [helper.make_node("MatMul", ["x", "W"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", columns])],
        [numpy_helper.from_array(weights, "W")],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", formats.OPSET)], ir_version=9)


def answers(path, width):
    session = onnxruntime.InferenceSession(str(path))
    return session.run(None, {"x": np.eye(width, dtype="float32")})[0]


def test_a_matrix_and_its_transpose_are_stored_once(tmp_path):
    formats.write({"look_up": graph(TABLE), "read_out": graph(np.ascontiguousarray(TABLE.T))}, tmp_path / "both")
    assert (tmp_path / "both" / formats.WEIGHTS).stat().st_size == TABLE.nbytes
    np.testing.assert_array_equal(answers(tmp_path / "both" / "look_up.onnx", UNITS), TABLE)
    np.testing.assert_array_equal(answers(tmp_path / "both" / "read_out.onnx", WIDTH), TABLE.T)


@pytest.mark.parametrize("other", [TABLE, TABLE[::-1].copy()])
def test_what_is_no_transpose_is_read_as_it_is(other, tmp_path):
    formats.write({"one": graph(TABLE), "other": graph(other)}, tmp_path / "both")
    loaded = onnx.load(tmp_path / "both" / "other.onnx", load_external_data=False)
    assert [node.op_type for node in loaded.graph.node] == ["MatMul"]
    np.testing.assert_array_equal(answers(tmp_path / "both" / "other.onnx", UNITS), other)
