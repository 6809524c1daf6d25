"""Recurrent layers in ONNX and TFLite are Keras's, whatever the masks, directions and states."""

import keras
import numpy as np
import onnx
import pytest

from export import onnx as onnx_formats
from export import precision_tflite, runtime
from export.any_model import output_names, trace
from export.recurrent import recurrent_by
from export.recurrent_onnx import onnx_operator
from export.recurrent_tflite import portable_loop
from export.traced import SIGNATURE

FEATURES = 5
LAYERS = {
    "LSTM": lambda units, **options: keras.layers.LSTM(units, **options),
    "GRU": lambda units, **options: keras.layers.GRU(units, **options),
    "GRU, reset before": lambda units, **options: keras.layers.GRU(units, reset_after=False, use_bias=False, **options),
    "SimpleRNN": lambda units, **options: keras.layers.SimpleRNN(units, activation="relu", **options),
}


def everything(make, masked):
    """A model with a recurrent layer in every way of use, each an output."""
    inputs = keras.Input((None, FEATURES), name="inputs")
    start = keras.Input((3,), name="start")
    sequences = keras.layers.Masking()(inputs) if masked else inputs
    kind = make(1)
    first = [keras.layers.Dense(7)(start) for _ in range(2 if isinstance(kind, keras.layers.LSTM) else 1)]
    hidden, *states = make(7, return_sequences=True, return_state=True)(sequences, initial_state=first)
    both, *both_states = keras.layers.Bidirectional(
        make(4, return_sequences=True, return_state=True), merge_mode="sum"
    )(hidden)
    last = keras.layers.Bidirectional(make(3))(both)
    backward = make(3, go_backwards=True, return_sequences=True)(sequences)
    backward_last = make(4, go_backwards=True)(sequences)
    outputs = [hidden, *states, both, *both_states, last, backward, backward_last]
    model = keras.Model([inputs, start], outputs)
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.5, weight.shape).astype("float32") for weight in model.get_weights()])
    return model


def rows(batch, time, masked, padding="any"):
    """Inputs with masked positions at both ends and between, and where there are rows enough one of nothing else."""
    random = np.random.default_rng(time)
    inputs = random.normal(size=(batch, time, FEATURES)).astype("float32")
    if masked:
        kept = random.random((batch, time)) < 0.6
        if padding == "right":
            kept = np.arange(time) < random.integers(1, time + 1, size=(batch, 1))
        kept[2:3] = False
        inputs = inputs * kept[:, :, None]
    return [inputs, random.normal(size=(batch, 3)).astype("float32")]


def largest_difference(model, session, signature, inputs):
    names = [tensor.name for tensor in model.inputs]
    got = session.call(signature, **dict(zip(names, inputs, strict=True)))
    wanted = [np.asarray(output) for output in keras.tree.flatten(model(inputs, training=False))]
    return max(np.abs(got[name] - one).max() for name, one in zip(output_names(model), wanted, strict=True))


@pytest.fixture(scope="module", params=LAYERS)
def models(request):
    """The model without masks and with them."""
    keras.utils.set_random_seed(1)
    return {masked: everything(LAYERS[request.param], masked) for masked in (False, True)}


@pytest.mark.parametrize(("masked", "padding"), [(True, "any"), (True, "right"), (False, "any")])
def test_onnx_has_one_operator_a_layer_and_keras_answers(models, masked, padding, tmp_path):
    model = models[masked]
    trace(model, onnx_operator, tmp_path / "traced", padding=padding)
    converted = onnx_formats.from_saved_model(tmp_path / "traced", SIGNATURE)
    operators = [node.op_type for node in converted.graph.node]
    assert sum(operators.count(name) for name in ("LSTM", "GRU", "RNN")) == 5
    assert "Loop" not in operators and "Scan" not in operators
    onnx.save_model(converted, tmp_path / "model.onnx")
    session = runtime.ONNXSession(tmp_path)
    for batch, time in ((4, 9), (1, 13), (3, 2), (1, 1)):
        assert largest_difference(model, session, "model", rows(batch, time, masked, padding)) < 2e-6


@pytest.mark.parametrize(("masked", "batch"), [(False, 1), (True, 1), (True, 3)])
def test_tflite_needs_builtin_operators_alone_and_gives_keras_answers(models, masked, batch, tmp_path):
    model = models[masked]
    trace(model, portable_loop, tmp_path / "traced", batch=batch, length=9)
    (tmp_path / "model.tflite").write_bytes(precision_tflite.convert(tmp_path / "traced", [SIGNATURE], "float32"))
    session = runtime.LiteRTSession(tmp_path / "model.tflite")
    for inputs in (rows(batch, 9, masked), rows(batch, 9, masked, "right"), rows(batch, 9, masked)):
        assert largest_difference(model, session, SIGNATURE, inputs) < 2e-6


def test_the_model_is_as_it_was():
    model = everything(LAYERS["GRU"], masked=True)
    inputs = rows(2, 5, masked=True)
    before = model(inputs)
    with recurrent_by(portable_loop, model) as left:
        assert not left
        layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.GRU))
        assert "inner_loop" in vars(layer)
    assert not any({"inner_loop", "call"} & set(vars(layer)) for layer in model._flatten_layers())
    for one, other in zip(before, model(inputs), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_cannot_be_replaced_keeps_its_loop_and_is_named():
    inputs = keras.Input((4, FEATURES))
    own = keras.layers.GRU(3, activation=lambda x: x, name="own_activation")(inputs)
    stacked = keras.layers.RNN([keras.layers.GRUCell(3), keras.layers.GRUCell(2)], name="stacked")(inputs)
    with recurrent_by(portable_loop, keras.Model(inputs, [own, stacked])) as left:
        assert set(left) == {"own_activation", "stacked"}
    assert "use an activation that Keras names" in left["own_activation"]
    assert "StackedRNNCells is not one of" in left["stacked"]


def test_an_unknown_padding_is_refused():
    wanted = pytest.raises(ValueError, match="padding='left' is not known; choose 'any' or 'right'")
    with wanted, recurrent_by(portable_loop, keras.Sequential(), padding="left"):
        pass


def test_onnx_refuses_an_activation_that_it_lacks(tmp_path):
    inputs = keras.Input((4, FEATURES))
    model = keras.Model(inputs, keras.layers.GRU(3, activation="gelu", name="reader")(inputs))
    with pytest.raises(ValueError, match="reader: ONNX's GRU has no activation 'gelu'; train with one of tanh,"):
        trace(model, onnx_operator, tmp_path / "traced")
