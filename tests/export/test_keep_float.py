"""One layer's weights have outliers, so that 8 bits leave nothing of the others: that layer alone stays in float32.

The outliers meet an input that is always 0. In float32 they change nothing; in 8 bits they set the scale.
"""

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest

import export
from export import onnx as onnx_format
from export import precision_onnx, precision_tflite, runtime, tflite_file
from export.any_model import trace
from export.layer_names import LayerNames, names_of
from export.recover import recover
from export.recurrent_onnx import onnx_operator
from export.traced import SIGNATURE

TIME, FEATURES, EXAMPLES = 5, 24, 150


def classifier(recurrent):
    """A dense layer "planted" or a recurrent one "planted" has the outliers."""
    keras.utils.set_random_seed(7)
    inputs = keras.Input((TIME, FEATURES), name="x")
    hidden = keras.layers.Dense(64, activation="relu", name="plain")(inputs)
    if recurrent:
        planted = keras.layers.GRU(48, name="planted")
        hidden = planted(hidden)
    else:
        planted = keras.layers.Dense(80, activation="tanh", name="planted")
        hidden = keras.layers.GlobalAveragePooling1D(name="pooled")(planted(hidden))
    hidden = keras.layers.Dense(96, activation="relu", name="wide")(hidden)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="probabilities")(hidden))
    random = np.random.default_rng(7)
    model.set_weights(
        [random.normal(0, 2 / np.sqrt(len(old)), old.shape).astype("float32") for old in model.get_weights()]
    )
    kernel, bias = model.get_layer("plain").get_weights()
    kernel[:, 0], bias[0] = 0, -1  # so that the first unit is always 0
    model.get_layer("plain").set_weights([kernel, bias])
    kernel, *rest = planted.get_weights()
    kernel[0] = np.where(np.arange(kernel.shape[1]) % 2, 900, -900)
    planted.set_weights([kernel, *rest])
    return model


class Classifier:
    """The model, and inputs that it is sure of: rounding alone changes none of their labels."""

    def __init__(self, recurrent):
        self.model = classifier(recurrent)
        drawn = np.random.default_rng(1).normal(size=(2000, TIME, FEATURES)).astype("float32")
        last = self.model.get_layer("probabilities")
        last.bias.assign(last.bias - np.log(np.asarray(self.model(drawn))).mean(axis=0))  # so that no label is rare
        probabilities = np.asarray(self.model(drawn))
        two = np.sort(probabilities, axis=1)[:, -2:]
        # As many of each label, the surest.
        chosen = [
            rows[np.argsort((two[:, 0] - two[:, 1])[rows])][: EXAMPLES // 3]
            for rows in (np.flatnonzero(probabilities.argmax(axis=1) == label) for label in range(3))
        ]
        chosen = np.concatenate(chosen)
        assert len(chosen) == EXAMPLES
        self.inputs, self.wanted = drawn[chosen], probabilities[chosen]
        self.names = names_of(self.model.variables)

    def judge(self, call):
        got = np.concatenate([call(x=one[None])["probabilities"] for one in self.inputs])
        score = (got.argmax(axis=1) == self.wanted.argmax(axis=1)).mean()
        return score, np.abs(got - self.wanted).mean()


@pytest.fixture(scope="module", params=[False, True], ids=["dense", "gru"])
def planted(request):
    return Classifier(request.param)


def in_tflite(planted, precision, folder):
    """A source of files, and a judge of them."""
    trace(planted.model, precision_tflite.kernel_for(precision), folder / "traced", 1, TIME)
    representative = {SIGNATURE: [{"x": one[None]} for one in planted.inputs]}
    source = precision_tflite.Source(folder / "traced", [SIGNATURE], precision, representative, planted.names)

    def judge(content):
        (folder / "model.tflite").write_bytes(content)
        session = runtime.LiteRTSession(folder / "model.tflite")
        return planted.judge(lambda x: session.call(SIGNATURE, x=x))

    return source, judge


def operators(content):
    model = tflite_file.read(content)
    return [tflite_file.operator_name(model, one) for graph in model.subgraphs for one in graph.operators]


@pytest.mark.parametrize("precision", ["dynamic_int8", "int8"])
def test_tflite_keeps_the_planted_layer_alone(planted, precision, tmp_path):
    source, judge = in_tflite(planted, precision, tmp_path)
    float32 = precision_tflite.convert(tmp_path / "traced", [SIGNATURE], "float32")
    assert judge(source.make())[0] < 0.8 and judge(float32)[0] == 1
    found = recover(source.make, judge, lambda: source.layers, wanted=0.995)
    assert found.kept == ("planted",) and found.score >= 0.995
    assert len(source.make()) < len(found.artefact) < len(float32)
    assert {"plain", "planted", "wide"} <= set(source.layers)
    if precision == "dynamic_int8":  # the operators of the float32 file, and its numbers where all is kept
        assert operators(found.artefact) == operators(float32)
        assert judge(source.make(source.layers))[1] < 1e-6


@pytest.mark.parametrize("precision", ["dynamic_int8", "int8"])
def test_onnx_keeps_the_planted_layer_alone(planted, precision, tmp_path):
    """A dense layer's outliers are in a row, which the weights that are only stored have a scale for."""
    trace(planted.model, onnx_operator, tmp_path / "traced")
    float32 = onnx_format.from_saved_model(tmp_path / "traced", SIGNATURE)
    layers = precision_onnx.layers(float32, precision, planted.names)
    small = ["probabilities"] if precision == "int8" else []  # not worth storing, but a product
    assert list(layers) == ["plain", "planted", "wide", *small] and layers["plain"] == FEATURES * 64

    def make(keep):
        model = onnx.ModelProto()
        model.CopyFrom(float32)
        return precision_onnx.convert(model, precision, [{"x": planted.inputs}], keep, planted.names)

    def judge(model):
        onnx.save_model(model, tmp_path / "model.onnx")
        session = runtime.ONNXSession(tmp_path)
        return planted.judge(lambda x: session.call("model", x=x))

    assert judge(float32)[0] == 1 and judge(make(layers))[1] < 1e-6
    if precision == "dynamic_int8" and not any(node.op_type == "GRU" for node in float32.graph.node):
        assert judge(make(()))[0] >= 0.995
        return
    assert judge(make(()))[0] < 0.8
    found = recover(make, judge, layers, wanted=0.995)
    assert found.kept == ("planted",) and found.score >= 0.995
    assert make(()).ByteSize() < found.artefact.ByteSize() < float32.ByteSize()


@pytest.mark.parametrize("planted", [False], indirect=True)
def test_an_unknown_layer_is_refused(planted, tmp_path):
    source, _ = in_tflite(planted, "dynamic_int8", tmp_path)
    with pytest.raises(ValueError, match="plane: no such layer in 8 bits in a dynamic_int8 file; choose from plain"):
        source.make(["plane"])


def test_any_models_export_tells_what_it_kept(tmp_path):
    planted = Classifier(recurrent=False)
    done = export.to_tflite(planted.model, Path(tmp_path, "model.tflite"), "dynamic_int8", samples=[planted.inputs])
    assert done.kept == ("planted",) and done.max_error < 0.1
    session = runtime.LiteRTSession(done.path)
    assert planted.judge(lambda x: session.call(SIGNATURE, x=x))[0] == 1


def test_a_weight_is_known_by_its_numbers_and_tells_what_its_scope_means():
    keras.utils.set_random_seed(5)
    attention = keras.layers.MultiHeadAttention(2, 6, name="attention")
    model = keras.Sequential([keras.Input((4, 10)), keras.layers.Dense(12, name="dense_1")])
    attention(keras.Input((4, 10)), keras.Input((7, 10)))
    known = LayerNames(names_of([*attention.variables, *model.variables]))
    assert LayerNames(names_of(model.variables)).of_weight(model.layers[0].kernel.numpy()) == "dense_1"
    kernel = attention.query_dense.kernel.numpy()  # (10, 2, 6)
    assert known.of_weight(kernel.reshape(10, 12).T) == "attention/query"
    scale = np.random.default_rng(0).uniform(0.2, 3, size=(10, 1)).astype("float32")
    assert known.of_weight((scale * attention.key_dense.kernel.numpy().reshape(10, 12)).T) == "attention/key"
    assert known.of_weight(np.ones((5, 5))) is None
    known.learn("functional_1/attention_1/query_1/MatMul1", "attention/query")
    assert known.of_operator("functional_1/attention_1/query_1/Reshape") == "attention/query"
    assert known.of_operator("functional_1/attention_1/einsum/Einsum3;functional_1/other/Relu") == "attention"
    assert known.of_operator("functional_1/pooling_1/Mean") == "pooling"
    assert known.of_operator("StatefulPartitionedCall:0") == "outputs"
