"""Anybody's model to one file, and what is said where that cannot be."""

import errno
import json
import os

import keras
import numpy as np
import pytest

import export
from export import any_model, children, errors, runtime, tflite_file, traced
from export.traced import SIGNATURE

TIME, FEATURES, WORDS = 6, 5, 11


@pytest.fixture
def here(monkeypatch):
    """The children's work in this process, which has TensorFlow already: that they are processes is shown once."""

    def call(module, task, *, what, timeout):
        assert module == "export.traced"
        try:
            return json.loads(json.dumps(traced.work(**json.loads(json.dumps(task)))))
        except export.ExportError as error:
            raise type(error)(f"{what}: {error}") from error

    monkeypatch.setattr(children, "call", call)


def reader():
    """Ids to a class, as people build it: a mask by the embedding, both directions, attention, pooling."""
    keras.utils.set_random_seed(3)
    ids = keras.Input((None,), dtype="int32", name="ids")
    hidden = keras.layers.Embedding(WORDS, FEATURES, mask_zero=True)(ids)
    hidden = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))(hidden)
    hidden = keras.layers.MultiHeadAttention(2, 3)(hidden, hidden)
    hidden = keras.layers.TimeDistributed(keras.layers.Dense(3, activation="relu"))(hidden)
    pooled = keras.layers.GlobalAveragePooling1D()(hidden)
    model = keras.Model(ids, keras.layers.Dense(3, activation="softmax", name="probabilities")(pooled))
    random = np.random.default_rng(3)
    model.set_weights([random.normal(0, 0.7, weight.shape).astype("float32") for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def model():
    return reader()


def answers(model, ids):
    return np.asarray(model(ids, training=False))


@pytest.fixture(scope="module")
def samples():
    ids = np.random.default_rng(0).integers(1, WORDS, size=(5, TIME)).astype("int32")
    ids[3, 4:] = ids[4, 1:] = 0
    return [ids]


def test_tflite_of_every_precision_agrees_or_says_why_not(here, model, samples, tmp_path):
    made = []
    for precision in ("float32", "float16", "dynamic_int8", "int8"):
        done = export.to_tflite(model, tmp_path / f"{precision}.tflite", precision, length=TIME, samples=samples)
        session = runtime.LiteRTSession(done.path)
        got = np.concatenate([session.call(SIGNATURE, ids=ids[None])["probabilities"] for ids in samples[0]])
        wanted = answers(model, samples[0])
        assert np.abs(got - wanted).max() == pytest.approx(done.max_error, abs=1e-6)
        assert done.max_error < {"float32": 1e-6, "float16": 2e-3}.get(precision, 0.3)
        assert precision == "int8" or (got.argmax(axis=1) == wanted.argmax(axis=1)).all()
        assert done.inputs == {"ids": {"shape": [1, TIME], "dtype": "int32"}} and not done.loops
        made.append(done.path.name)
    with pytest.raises(export.ExportError, match="int16x8"):
        export.to_tflite(model, tmp_path / "int16.tflite", "int16x8", length=TIME, samples=samples)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(made)


def test_onnx_has_dynamic_batch_and_length_in_every_precision(here, model, samples, tmp_path):
    for precision in ("float32", "float16", "dynamic_int8", "int8"):
        done = export.to_onnx(model, tmp_path / f"{precision}.onnx", precision, samples=samples)
        session = runtime.ONNXSession(tmp_path)
        for ids in (samples[0], samples[0][:2, :3]):
            got = session.call(precision, ids=ids)["probabilities"]
            assert np.abs(got - answers(model, ids)).max() < (1e-6 if precision == "float32" else 0.05)
        assert done.inputs == {"ids": {"shape": [None, None], "dtype": "int32"}}


class Doubled(keras.layers.Layer):
    """Of this file alone: no other process could import it."""

    def call(self, inputs):
        return 2 * inputs


@pytest.mark.parametrize(("to", "options"), [("tflite", {"length": TIME}), ("onnx", {}), ("saved_model", {})])
def test_each_format_is_made_in_processes_of_its_own_without_samples(to, options, model, tmp_path):
    doubled = keras.Model(model.inputs, Doubled(name="doubled")(model.outputs[0]))
    done = getattr(export, f"to_{to}")(doubled, tmp_path / f"model.{to}", **options)
    assert done.max_error < 1e-6 and list(done.outputs) == ["doubled"] and (to == "saved_model" or not done.loops)
    assert done.path.exists() and [path.name for path in tmp_path.iterdir()] == [f"model.{to}"]


@keras.saving.register_keras_serializable("tests")
class Unsupported(keras.layers.Layer):
    def call(self, inputs):
        import tensorflow as tf

        return tf.math.erfinv(inputs)


def unsupported():
    inputs = keras.Input((4,), name="inputs")
    return keras.Model(inputs, Unsupported(name="odd_one")(inputs))


@pytest.mark.parametrize("to", ["tflite", "onnx"])
def test_a_layer_that_a_format_lacks_is_named_with_a_way_out(here, to, tmp_path):
    convert = getattr(export, f"to_{to}")
    with pytest.raises(export.ExportError, match="has no operator for Erfinv .in .*odd_one.*; replace those layers"):
        convert(unsupported(), tmp_path / f"model.{to}")
    assert not list(tmp_path.iterdir())


def test_what_was_there_stays_where_an_export_fails(here, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"before")
    with pytest.raises(export.ExportError):
        export.to_tflite(unsupported(), path)
    assert path.read_bytes() == b"before" and [file.name for file in tmp_path.iterdir()] == ["model.tflite"]


def stateful():
    inputs = keras.Input(batch_shape=(1, 4, 2))
    return keras.Model(inputs, keras.layers.GRU(3, stateful=True, name="remembers")(inputs))


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (reader, {}, "the length of ids is open and TFLite's is fixed; give length="),
        (reader, {"length": 4, "precision": "int4"}, "precision 'int4' is not known; choose from float32"),
        (reader, {"length": 4, "profile": "fast"}, "profile 'fast' is not known; choose from portable, interpreter"),
        (reader, {"length": 4, "padding": "left"}, "padding='left' is not known"),
        (reader, {"length": 4, "samples": []}, "give one for each of the model's 1 inputs"),
        (reader, {"length": 4, "samples": [np.zeros((0, 4))]}, "with equally many examples, one or more"),
        (
            reader,
            {"length": 4, "precision": "int8"},
            "'int8' measures ranges on real inputs.* for each of ids, such as",
        ),
        (reader, {"length": 4, "precision": "int16x8"}, "'int16x8' measures ranges on real inputs, .*give samples="),
        (stateful, {}, "the layer 'remembers' is stateful: .* make the state an input"),
        (lambda: keras.layers.Dense(3), {}, "is not a functional or Sequential model"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_anything_is_written(make, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export.to_tflite(make(), tmp_path / "model.tflite", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        ("int8", "'int8' measures ranges on real inputs, .* give samples="),
        ("int16x8", "'int16x8' is not known; choose"),
    ],
)
def test_onnx_is_not_calibrated_on_random_numbers(precision, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export.to_onnx(reader(), tmp_path / "model.onnx", precision)
    assert not list(tmp_path.iterdir())


def test_an_onnx_file_is_called_one(tmp_path):
    with pytest.raises(ValueError, match="model.bin does not end in .onnx, .*; name it model.bin.onnx"):
        export.to_onnx(reader(), tmp_path / "model.bin")


def test_a_place_that_cannot_be_written_is_an_export_error(here, tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(export.ExportError, match="file.*; mend that, or choose another path"):
        export.to_saved_model(model, tmp_path / "file" / "saved")

    def full(path, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(any_model, "write_samples", full)
    with pytest.raises(
        errors.DiskError, match="samples.npz: the disk is full; make room there, or choose another path"
    ):
        export.to_saved_model(model, tmp_path / "saved")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_gru_in_integers_has_its_loop_written_out_in_the_interpreter_profile_too(here, tmp_path):
    """The fused operator is the LSTM's alone, and calibration of a loop crashes the process."""
    inputs = keras.Input((4, 2), name="inputs")
    model = keras.Model(inputs, keras.layers.GRU(3, name="last")(inputs))
    data = np.random.default_rng(1).normal(size=(20, 4, 2))
    done = export.to_tflite(model, tmp_path / "model.tflite", "int8", profile="interpreter", samples=[data])
    got = runtime.LiteRTSession(done.path).call(SIGNATURE, inputs=data[:1].astype("float32"))["last"]
    np.testing.assert_allclose(got, answers(model, data[:1]), atol=0.05)
    (graph,) = tflite_file.read(done.path.read_bytes()).subgraphs
    assert sum(bool(tensor.name) for tensor in graph.tensors) == 2 < len(graph.tensors)  # what goes in and comes out


def test_a_wrong_artefact_is_not_written(here, tmp_path, monkeypatch):
    """The recurrent kernel forgets the last step: converted well, but not equal."""

    def forgetful(cells, sequences, states, lengths, needs_outputs):
        from export.recurrent_tflite import portable_loop

        return portable_loop(cells, sequences[:, :-1], states, lengths, needs_outputs)

    inputs = keras.Input((4, 2), name="inputs")
    model = keras.Model(inputs, keras.layers.GRU(3)(inputs))
    original = any_model.trace
    monkeypatch.setattr(any_model, "trace", lambda model, kernel, **rest: original(model, forgetful, **rest))
    with pytest.raises(export.ExportError, match=r"float32: proof: the output gru\w* differs from Keras's by "):
        export.to_tflite(model, tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())
