"""Fewer operators, the same numbers; and smaller weights, nearly the same."""

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from export import ExportError, onnx_operators, onnx_passes, precision_onnx
from export import onnx as formats
from keras_seq.layers.cache import write_at, writing_by

WEIGHTS = np.random.default_rng(0).normal(size=(40, 50)).astype("float32")


def repeated():
    """y = (x W)^2 + (x W)^2 + a loop that computes x W once more in its body, from constants of its own."""
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weights"], ["inner"]),
            helper.make_node("MatMul", ["x", "weights"], ["inner_again"]),
            helper.make_node("Mul", ["inner", "inner_again"], ["square"]),
            helper.make_node("Add", ["sum_in", "square"], ["sum_out"]),
            helper.make_node("Identity", ["going"], ["going_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum_in", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("going_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum_out", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["one"]),
        helper.make_node("MatMul", ["x", "weights"], ["two"]),
        helper.make_node("Add", ["one", "three"], ["a"]),
        helper.make_node("Add", ["two", "three_again"], ["b"]),
        helper.make_node("Mul", ["a", "b"], ["product"]),
        helper.make_node("Loop", ["times", "", "product"], ["y"], body=body),
    ]
    constants = [
        numpy_helper.from_array(WEIGHTS, "weights"),
        numpy_helper.from_array(np.float32(3), "three"),
        numpy_helper.from_array(np.float32(3), "three_again"),
        numpy_helper.from_array(np.int64(2), "times"),
    ]
    return _model(nodes, constants)


def _model(nodes, constants):
    """x (batch, 40) -> y (batch, 50)"""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 40])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 50])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def run(model, x):
    return run_all(model, x)[0]


def run_all(model, x):
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, {"x": x})


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(3, 40)).astype("float32")


def test_what_is_computed_alike_is_computed_once(x):
    model = repeated()
    wanted = run(model, x)
    onnx_passes.simplify(model.graph)
    operators = [node.op_type for node in onnx_passes.nodes(model.graph)]
    assert operators.count("MatMul") == 2 and operators.count("Mul") == 0 and operators.count("Pow") == 2
    np.testing.assert_allclose(run(model, x), wanted, rtol=1e-5)


def carrying():
    """y = x W + a loop of two rounds that adds 2 x W + round to x W, and hands W and x on as they are."""
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["x_in", "w_in"], ["product"]),
            helper.make_node("Mul", ["product", "two"], ["double"]),
            helper.make_node("Cast", ["number"], ["round"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["double", "round"], ["added"]),
            helper.make_node("Add", ["sum_in", "added"], ["sum_out"]),
            helper.make_node("Identity", ["going"], ["going_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("w_in", "sum_in", "x_in")),
        ],
        [
            helper.make_tensor_value_info("going_out", TensorProto.BOOL, []),
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("w_in", "sum_out", "x_in")),
        ],
        [numpy_helper.from_array(np.float32(2), "two")],
    )
    return _model(
        [
            helper.make_node("MatMul", ["x", "weights"], ["first"]),
            helper.make_node("Loop", ["times", "", "weights", "first", "x"], ["carried", "sum", "last"], body=body),
            helper.make_node("MatMul", ["last", "carried"], ["again"]),
            helper.make_node("Add", ["sum", "again"], ["y"]),
        ],
        [numpy_helper.from_array(WEIGHTS, "weights"), numpy_helper.from_array(np.int64(2), "times")],
    )


def test_a_loop_reads_or_finds_computed_what_does_not_change(x):
    model = carrying()
    wanted = run(model, x)
    onnx_passes.settle_loops(model.graph)
    (loop,) = (node for node in model.graph.node if node.op_type == "Loop")
    assert list(loop.input) == ["times", "", "first"] and list(loop.output) == ["sum"]
    assert [node.op_type for node in model.graph.node] == ["MatMul", "MatMul", "Mul", "Loop", "MatMul", "Add"]
    assert [node.op_type for node in loop.attribute[0].g.node] == ["Cast", "Add", "Add", "Identity"]
    assert not loop.attribute[0].g.initializer
    np.testing.assert_array_equal(run(model, x), wanted)
    np.testing.assert_allclose(wanted, 6 * x @ WEIGHTS + 1, rtol=1e-4)


def test_a_result_of_the_graph_that_a_loop_hands_on_stays(x):
    model = carrying()
    model.graph.output.append(helper.make_tensor_value_info("last", TensorProto.FLOAT, ["batch", 40]))
    wanted = run(model, x)
    onnx_passes.settle_loops(model.graph)
    (loop,) = (node for node in model.graph.node if node.op_type == "Loop")
    assert list(loop.input) == ["times", "", "first", "x"] and list(loop.output) == ["sum", "last"]
    np.testing.assert_array_equal(run(model, x), wanted)


def recurrent(direction, activation, outputs):
    """x (time, batch, 40) -> what an RNN of 6 units reads; its outputs or its last state alone if one is asked for."""
    random = np.random.default_rng(4)
    shapes = {"W": (1, 6, 40), "R": (1, 6, 6), "B": (1, 12), "first": (1, 3, 6)}
    sizes = {"every": ["time", 1, "batch", 6], "last": [1, "batch", 6]}
    constants = [numpy_helper.from_array(random.normal(size=shapes[n]).astype("float32"), n) for n in shapes]
    node = helper.make_node(
        "RNN", ["x", "W", "R", "B", "", "first"], ["every", "last"], hidden_size=6, direction=direction,
        activations=[activation],
    )  # fmt: skip
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["time", "batch", 40])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes[name]) for name in outputs],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


@pytest.mark.parametrize("outputs", [["every", "last"], ["every"], ["last"]])
@pytest.mark.parametrize("direction, activation", [("forward", "Tanh"), ("reverse", "Tanh"), ("reverse", "Relu")])
def test_a_plain_recurrent_network_becomes_a_scan(direction, activation, outputs):
    x = 0.1 * np.random.default_rng(1).normal(size=(5, 3, 40)).astype("float32")
    model = recurrent(direction, activation, outputs)
    wanted = run_all(model, x)
    onnx_passes.settle_loops(model.graph)
    operators = [node.op_type for node in onnx_passes.nodes(model.graph)]
    assert "RNN" not in operators and operators.count("Scan") == 1
    for one, other in zip(run_all(model, x), wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_a_recurrent_network_in_both_directions_stays_one_operator():
    model = recurrent("forward", "Tanh", ["every"])
    (direction,) = (attribute for attribute in model.graph.node[0].attribute if attribute.name == "direction")
    direction.s = b"bidirectional"
    onnx_passes.settle_loops(model.graph)
    assert [node.op_type for node in model.graph.node] == ["RNN"]


def test_a_recurrent_network_among_16_bits_stays_one_operator():
    model = precision_onnx.convert(recurrent("forward", "Tanh", ["every"]), "float16")
    onnx_passes.settle_loops(model.graph)
    operators = [node.op_type for node in model.graph.node]
    assert "RNN" in operators and "Scan" not in operators
    run(model, np.ones((5, 3, 40), "float32"))


@pytest.mark.parametrize("position, written_at", [(0, 0), (3, 3), (6, 6), (9, 6)])
def test_values_are_put_between_what_is_before_and_after(position, written_at):
    buffer = np.random.default_rng(2).normal(size=(3, 2, 7, 5)).astype("float32")
    values = np.random.default_rng(3).normal(size=(3, 2, 5)).astype("float32")

    def write(buffer, position, values):
        with writing_by(onnx_operators.put_between):
            return write_at(buffer, position, values, axis=2)

    specs = [
        tf.TensorSpec((None, 2, 7, 5), name="buffer"),
        tf.TensorSpec((), tf.int32, name="position"),
        tf.TensorSpec((None, 2, 5), name="values"),
    ]
    model = formats.from_function(write, specs)
    operators = {node.op_type for node in onnx_passes.nodes(model.graph)}
    assert {"Split", "Concat"} <= operators and "Where" not in operators
    session = onnxruntime.InferenceSession(model.SerializeToString())
    made = session.run(None, {"buffer": buffer, "position": np.array(position, "int32"), "values": values})[0]
    wanted = buffer.copy()
    wanted[:, :, written_at] = values
    np.testing.assert_array_equal(made, wanted)


def test_large_weights_are_stored_in_8_bits(x):
    model = repeated()
    wanted, before = run(model, x), model.ByteSize()
    model = precision_onnx.store_in_8_bits(model)
    assert model.ByteSize() < 0.4 * before
    assert np.abs(run(model, x) - wanted).max() < 0.02 * np.abs(wanted).max()


def test_calibration_refuses_loops_and_wants_data():
    with pytest.raises(ExportError, match="calibration does not see inside the operators Loop"):
        precision_onnx.convert(repeated(), "int8", [{"x": np.zeros((1, 40), "float32")}])
    model = repeated()
    del model.graph.node[-1]
    model.graph.output[0].name = "product"
    with pytest.raises(ExportError, match="int8 is calibrated on real inputs; give some"):
        precision_onnx.convert(model, "int8")


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision 'int4' is not known; choose from float32, float16"):
        precision_onnx.convert(repeated(), "int4")
