"""Recurrent layers: ONNX against Keras's own export and the bare operator, TFLite against legacy Keras's fused file."""

import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.speed.row import Row
from benchmarks.speed.timing import medians
from export import onnx as formats
from export import onnx_passes, precision_tflite
from export.any_model import trace
from export.recurrent_onnx import onnx_operator
from export.recurrent_tflite import fused_lstm, portable_loop
from export.traced import SIGNATURE

TIME, FEATURES, UNITS = 64, 128, 128


def _model(make, masked=False):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((TIME, FEATURES), name="inputs")
    return keras.Model(inputs, make()(keras.layers.Masking()(inputs) if masked else inputs))


def _inputs():
    return np.random.default_rng(0).normal(size=(1, TIME, FEATURES)).astype("float32")


CASES = {
    "GRU(128)": lambda: _model(lambda: keras.layers.GRU(UNITS)),
    "SimpleRNN(128)": lambda: _model(lambda: keras.layers.SimpleRNN(UNITS)),
    "LSTM(128), masked": lambda: _model(lambda: keras.layers.LSTM(UNITS), masked=True),
    "Bidirectional(GRU(128))": lambda: _model(lambda: keras.layers.Bidirectional(keras.layers.GRU(UNITS))),
}
BARE = {"GRU(128)": ("GRU", 3), "SimpleRNN(128)": ("RNN", 1), "LSTM(128), masked": ("LSTM", 4)}


def onnx_rows(threads, rounds):
    """Each case by our exporter, by `model.export(format="onnx")` and as the operator alone."""
    for name, make in CASES.items():
        model = make()
        with tempfile.TemporaryDirectory() as folder:
            trace(model, onnx_operator, Path(folder, "traced"))
            ours = formats.from_saved_model(Path(folder, "traced"), SIGNATURE)
            onnx_passes.settle_loops(ours.graph)  # as `export.to_onnx` does
            onnx.save_model(ours, Path(folder, "ours.onnx"))
            model.export(Path(folder, "keras.onnx"), format="onnx", verbose=False)
            sessions = {
                "ours": _session(Path(folder, "ours.onnx"), threads),
                "keras": _session(Path(folder, "keras.onnx"), threads),
            }
        if name in BARE:
            sessions["bare"] = _session(_bare(*BARE[name]), threads)
        calls = {key: _onnx_call(session) for key, session in sessions.items()}
        _check_equal(name, calls["ours"](), calls["keras"]())
        times = {key: 1e6 * seconds for key, seconds in medians(calls, rounds, threads=threads).items()}
        yield Row(f"{name}, ONNX", 'model.export(format="onnx")', threads, times["ours"], times["keras"], bar=0.25)
        if name in BARE:
            yield Row(f"{name}, ONNX", "the operator alone", threads, times["ours"], times["bare"])


def tflite_rows(threads, rounds):
    """LSTM(128) in both profiles against the file that legacy tf_keras makes, weights alike."""
    from ai_edge_litert.interpreter import Interpreter

    model = _model(lambda: keras.layers.LSTM(UNITS))
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "weights.npz")
        np.savez(weights, *model.get_weights())
        command = [sys.executable, "-m", "benchmarks.speed.legacy_lstm", weights, Path(folder, "legacy"), str(TIME)]
        subprocess.run(command, check=True, capture_output=True)
        files = {"legacy": Path(folder, "legacy").read_bytes()}
        for profile, kernel in (("portable", portable_loop), ("interpreter", fused_lstm)):
            trace(model, kernel, Path(folder, profile), batch=1, padding="right")
            files[profile] = precision_tflite.convert(Path(folder, profile), [SIGNATURE], "float32")
    calls = {}
    for name, content in files.items():
        interpreter = Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
        calls[name] = _tflite_call(interpreter)
    for name in ("portable", "interpreter"):
        _check_equal(name, calls[name](), calls["legacy"]())
    times = {key: 1e6 * seconds for key, seconds in medians(calls, rounds, threads=threads).items()}
    for profile, bar in (("interpreter", 1.0), ("portable", 1.2)):
        what = f"LSTM(128), TFLite, {profile}"
        yield Row(what, "legacy tf_keras, fused", threads, times[profile], times["legacy"], bar)


def _session(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model) if isinstance(model, Path) else model, options)


def _onnx_call(session):
    feed = {session.get_inputs()[0].name: _inputs()}
    if session.get_inputs()[0].shape[0] == TIME:  # the operator alone reads (time, batch, features)
        feed = {name: array.transpose(1, 0, 2) for name, array in feed.items()}
    return lambda: session.run(None, feed)[0]


def _tflite_call(interpreter):
    inputs, outputs = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    array = _inputs()

    def call():
        interpreter.set_tensor(inputs, array)
        interpreter.invoke()
        return interpreter.get_tensor(outputs)

    return call


def _bare(operator, gates):
    """An ONNX model of one operator, of the sizes of the cases."""
    random = np.random.default_rng(0)
    shapes = {"W": (1, gates * UNITS, FEATURES), "R": (1, gates * UNITS, UNITS), "B": (1, 2 * gates * UNITS)}
    weights = [
        numpy_helper.from_array(random.normal(0, 0.1, shape).astype("float32"), name) for name, shape in shapes.items()
    ]
    attributes = {"hidden_size": UNITS} | ({"linear_before_reset": 1} if operator == "GRU" else {})
    node = helper.make_node(operator, ["X", "W", "R", "B"], ["", "last"], **attributes)
    graph = helper.make_graph(
        [node],
        operator,
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, (TIME, 1, FEATURES))],
        [helper.make_tensor_value_info("last", TensorProto.FLOAT, (1, 1, UNITS))],
        weights,
    )
    opset = helper.make_opsetid("", formats.OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()


def _check_equal(name, one, other):
    difference = float(np.abs(np.squeeze(one) - np.squeeze(other)).max())
    if not difference < 1e-4:
        raise AssertionError(f"{name}: the two that are timed differ by {difference:.3g}; this compares nothing")
