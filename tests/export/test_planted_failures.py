"""Each failure that exports are known for, planted in a real artefact, is caught, and as what it is."""

import flatbuffers
import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from tensorflow.core.protobuf import saved_model_pb2

from export import (
    any_model,
    errors,
    numbers,
    precision_tflite,
    recurrent_onnx,
    recurrent_tflite,
    runtime,
    runtimes,
    structure,
)
from export import cases as kept_cases
from export import onnx as onnx_formats
from export.recurrent_onnx import onnx_operator
from export.traced import SIGNATURE

UNITS, FEATURES, TIME = 8, 5, 7


def reader(initial):
    """One LSTM over masked sequences; its first state is an input, or constant ones, or left out."""
    sequences = keras.Input((TIME, FEATURES), name="sequences")
    inputs, options = [sequences], {}
    if initial == "given":
        inputs += [keras.Input((UNITS,), name=name) for name in ("hidden", "memory")]
        options = {"initial_state": inputs[1:], "mask": keras.ops.any(sequences != 0, axis=-1)}
    elif initial == "ones":
        ones = keras.ops.ones_like(keras.ops.tile(sequences[:, 0, :1], (1, UNITS)))
        options = {"initial_state": [ones, ones]}
    layer = keras.layers.LSTM(UNITS, return_sequences=True, name="reader")
    model = keras.Model(inputs, layer(sequences, **options))
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.7, weight.shape).astype("float32") for weight in model.get_weights()])
    return model


def cases_of(model, *batches):
    """Keras's answers for sequences of the lengths of each batch."""
    random = np.random.default_rng(3)
    (output,), given = any_model.output_names(model), []
    for lengths in batches:
        real = np.arange(TIME)[None, :, None] < np.asarray(lengths)[:, None, None]
        inputs = {tensor.name: random.normal(size=(len(lengths), *tensor.shape[1:])) for tensor in model.inputs}
        inputs["sequences"] = inputs["sequences"] * real
        given.append({name: array.astype("float32") for name, array in inputs.items()})

    def answer(**inputs):
        return {output: np.asarray(model([inputs[tensor.name] for tensor in model.inputs]))}

    return kept_cases.predict_cases(answer, given, signature=SIGNATURE)


def as_onnx(model, kernel, folder, padding="any"):
    any_model.trace(model, kernel, folder / "traced", padding=padding)
    made = onnx_formats.from_saved_model(folder / "traced", SIGNATURE)
    (folder / "onnx").mkdir()
    onnx.save_model(made, folder / "onnx" / f"{SIGNATURE}.onnx")
    return folder / "onnx"


def as_tflite(model, kernel, folder):
    any_model.trace(model, kernel, folder / "traced", batch=1)
    path = folder / "model.tflite"
    path.write_bytes(precision_tflite.convert(folder / "traced", [SIGNATURE], "float32"))
    return path


def edited(path, change):
    """Changes a TFLite file through the flatbuffer's objects."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    change(model)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
    return path


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return reader("given")


@pytest.fixture(scope="module")
def cases(model):
    return cases_of(model, [4], [2, 7, 3], [7, 1])


@pytest.fixture(scope="module")
def sound(model, tmp_path_factory):
    """The model as ONNX and the SavedModel that it was made from, without a failure."""
    return as_onnx(model, onnx_operator, tmp_path_factory.mktemp("sound"))


@pytest.fixture
def sound_graph(sound, tmp_path):
    """The sound ONNX model and where to write another."""
    made = onnx.load(sound / f"{SIGNATURE}.onnx")
    return made, tmp_path / f"{SIGNATURE}.onnx"


def test_the_sound_model_passes(sound, cases):
    structure.check(structure.inspect("onnx", sound), "onnx")
    assert numbers.compare(runtime.ONNXSession(sound), cases, "float32")[SIGNATURE]["max_error"] < 1e-5


@pytest.fixture(scope="module")
def fused(tmp_path_factory):
    """Fused LSTMs whose first state is constant: without one, and of ones."""
    patch = pytest.MonkeyPatch()
    patch.setattr(recurrent_tflite, "_nothing", lambda *_: 0.0)
    made = {}
    for initial in (None, "ones"):
        model = reader(initial)
        path = as_tflite(model, recurrent_tflite.fused_lstm, tmp_path_factory.mktemp("fused"))
        made[initial] = path, cases_of(model, [TIME], [TIME])
    patch.undo()
    return made


def test_a_state_that_persists(fused):
    path, cases = fused[None]
    with pytest.raises(errors.NumbersError, match="case 0, called twice: .* a state stays behind from call to call"):
        numbers.compare(runtime.LiteRTSession(path), cases, "float32")


def test_an_initial_state_that_is_dropped(fused):
    path, cases = fused["ones"]
    with pytest.raises(errors.NumbersError, match=r"^case 0: .* at \[0, \d, \d\], Keras has"):
        numbers.compare(runtime.LiteRTSession(path), cases, "float32")


def test_variable_tensors_in_the_portable_profile(fused, tmp_path):
    report = structure.inspect("tflite", fused[None][0])
    assert report["operators"]["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 1 and report["variable_tensors"] == 2
    structure.check(report, "tflite", "interpreter")
    with pytest.raises(errors.StructureError, match="2 variable tensors, .* wanted none in the profile 'portable'"):
        structure.check(report, "tflite")
    path, cases = fused[None]
    kept_cases.write(tmp_path / "cases.npz", cases)
    interpreter, compiled = runtimes.load_everywhere("tflite", path, tmp_path / "cases.npz")
    assert interpreter["loads"] and "a state stays behind from call to call" in interpreter["reason"]
    assert not (compiled["loads"] and compiled["runs"]) and compiled["reason"]


def test_a_flex_operator(tmp_path):
    @tf.function(input_signature=[tf.TensorSpec((1, 3, 3), tf.float32, name="matrix")])
    def determinant(matrix):
        return {"determinant": tf.linalg.det(matrix)}

    converter = tf.lite.TFLiteConverter.from_concrete_functions([determinant.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    (tmp_path / "model.tflite").write_bytes(converter.convert())
    report = structure.inspect("tflite", tmp_path / "model.tflite")
    assert report["foreign_operators"] == ["FlexMatrixDeterminant"]
    with pytest.raises(
        errors.StructureError, match=r"holds FlexMatrixDeterminant \(1\); wanted builtin operators alone"
    ):
        structure.check(report, "tflite")
    interpreter, _ = runtimes.load_everywhere("tflite", tmp_path / "model.tflite", tmp_path / "cases.npz")
    assert not interpreter["loads"] and "Select TensorFlow op" in interpreter["reason"]


def test_swapped_inputs(sound_graph, cases):
    made, path = sound_graph
    swapped = {"hidden": "memory", "memory": "hidden"}
    for node in made.graph.node:
        node.input[:] = [swapped.get(name, name) for name in node.input]
    onnx.save_model(made, path)
    with pytest.raises(errors.NumbersError, match="case 0: .*, Keras has"):
        numbers.compare(runtime.ONNXSession(path.parent), cases, "float32")


@pytest.mark.parametrize("ignored", ["sequences", "hidden", "memory"])
def test_an_ignored_source_or_state(sound_graph, cases, ignored):
    made, path = sound_graph
    for node in made.graph.node:
        node.input[:] = ["nothing" if name == ignored else name for name in node.input]
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(0), "zero"))
    made.graph.node.insert(0, onnx.helper.make_node("Mul", [ignored, "zero"], ["nothing"], "ignore"))
    onnx.save_model(made, path)
    structure.check(structure.inspect("onnx", path), "onnx")
    with pytest.raises(errors.NumbersError, match="case 0: .*, Keras has"):
        numbers.compare(runtime.ONNXSession(path.parent), cases, "float32")


def test_a_wrong_gate_order(model, cases, tmp_path, monkeypatch):
    monkeypatch.setitem(recurrent_onnx._GATES, "LSTM", (0, 1, 2, 3))
    folder = as_onnx(model, onnx_operator, tmp_path)
    with pytest.raises(errors.NumbersError, match="case 0: .*, Keras has"):
        numbers.compare(runtime.ONNXSession(folder), cases, "float32")


def test_a_mask_that_is_ignored(model, cases, tmp_path):
    def deaf(cells, sequences, states, lengths, needs_outputs):
        return onnx_operator(cells, sequences, states, None, needs_outputs)

    folder = as_onnx(model, deaf, tmp_path, padding="right")
    with pytest.raises(errors.NumbersError, match=r"case 0: .* at \[0, [456], \d\], Keras has"):
        numbers.compare(runtime.ONNXSession(folder), cases, "float32")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("format", "artefact", "name"),
    [
        ("tflite", "model.float32.tflite", "model.float32.tflite"),
        ("onnx", "onnx.float32", "onnx.float32/generate.onnx"),
        ("onnx", "onnx.float32", "onnx.float32/weights.bin"),
    ],
)
def test_a_file_that_is_cut_off(toy, format, artefact, name, share):
    whole = (toy / name).read_bytes()
    (toy / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(errors.StructureError, match=f"{name.split('/')[-1].split('.')[0]}.* again"):
        structure.inspect(format, toy / artefact)


def test_weights_that_are_missing(toy):
    (toy / "onnx.float32" / "weights.bin").unlink()
    with pytest.raises(errors.StructureError, match="weights.bin"):
        structure.inspect("onnx", toy / "onnx.float32")


@pytest.fixture
def saved_model(sound, tmp_path):
    """A SavedModel without its own converter: the one that the sound ONNX model was made from, to be damaged."""
    import shutil

    return shutil.copytree(sound.parent / "traced", tmp_path / "saved_model")


def test_a_cudnn_operator_in_a_saved_model(saved_model):
    file = saved_model / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    library = proto.meta_graphs[0].graph_def.library.function
    node = next(node for function in library for node in function.node_def if node.op == "PyFunc")
    node.op, node.name = "CudnnRNNV3", "cudnn"
    file.write_bytes(proto.SerializeToString())
    report = structure.inspect("saved_model", saved_model)
    assert report["foreign_operators"] == ["CudnnRNNV3"]
    with pytest.raises(errors.StructureError, match=r"holds CudnnRNNV3 \(1\); wanted .* no cuDNN, .*use_cudnn=False"):
        structure.check(report, "saved_model")


def test_a_python_function_in_a_saved_model(saved_model):
    """An ONNX trace holds one for each operator; as a SavedModel it would run in this process alone."""
    with pytest.raises(errors.StructureError, match=r"holds PyFunc \(1\); wanted operators that run on any machine"):
        structure.check(structure.inspect("saved_model", saved_model), "saved_model")


@pytest.mark.parametrize(
    "name", ["saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index"]
)
def test_a_saved_model_that_is_cut_off(saved_model, name):
    whole = (saved_model / name).read_bytes()
    (saved_model / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(errors.StructureError, match="again"):
        structure.inspect("saved_model", saved_model)
    (saved_model / name).unlink()
    with pytest.raises(errors.StructureError, match="again"):
        structure.inspect("saved_model", saved_model)


def test_weights_that_are_stored_once_a_signature_in_onnx(toy):
    folder = toy / "onnx.float32"
    again = onnx.load(folder / "generate.onnx")  # with its weights, which the other file then holds itself
    onnx.save_model(again, folder / "encode.onnx")
    report = structure.inspect("onnx", folder)
    assert report["repeated_weight_bytes"] == 600 * 4
    with pytest.raises(
        errors.StructureError, match="2400 of 4816 bytes of weights are stored already; wanted each once"
    ):
        structure.check(report, "onnx")


@pytest.mark.parametrize("transposed", [False, True])
def test_weights_that_are_stored_twice_in_tflite(toy, transposed):
    matrix = np.random.default_rng(1).normal(size=(13, 29)).astype("float32")

    def twice(model):
        for array in (matrix, matrix.T if transposed else matrix):
            buffer, tensor = schema.BufferT(), schema.TensorT()
            buffer.data = np.frombuffer(array.tobytes(), "uint8")
            model.buffers.append(buffer)
            tensor.name, tensor.shape, tensor.type = b"weights", list(array.shape), schema.TensorType.FLOAT32
            tensor.buffer = len(model.buffers) - 1
            model.subgraphs[0].tensors.append(tensor)

    report = structure.inspect("tflite", edited(toy / "model.float32.tflite", twice))
    assert report["repeated_weight_bytes"] == 13 * 29 * 4
    with pytest.raises(
        errors.StructureError, match="1508 of 3028 bytes of weights are stored already; wanted each once"
    ):
        structure.check(report, "tflite")


def test_an_output_that_is_an_input_itself(toy):
    """The interpreter answers; what CompiledModel answers is whatever its memory held, so it is refused."""

    def alias(model):
        signature, graph = model.signatureDefs[0], model.subgraphs[0]
        place = next(one.tensorIndex for one in signature.inputs if one.name == b"source")
        output = next(one for one in signature.outputs if one.name == b"ids")
        graph.outputs = [place if index == output.tensorIndex else index for index in graph.outputs]
        output.tensorIndex = place

    file = edited(toy / "model.float32.tflite", alias)
    report = structure.inspect("tflite", file)
    assert report["aliased_outputs"] == ["generate: the output ids is the input source"]
    structure.check(report, "tflite", "interpreter")
    with pytest.raises(errors.StructureError, match="ids is the input source; wanted a tensor for each"):
        structure.check(report, "tflite")
    source = np.arange(1, 12, dtype="int32")[None]
    asked = {"source": source, "source_length": np.asarray([11], "int32")}
    np.testing.assert_array_equal(runtime.LiteRTSession(file).call("generate", **asked)["ids"], source)
