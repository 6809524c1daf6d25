"""What an artefact is made of is told from its files alone, and what would fail on a device is refused."""

import json

import numpy as np
import onnx
import pytest

from export import errors, structure

PLAIN = {
    "bytes": 5000,
    "operators": {"ADD": 3, "MUL": 1},
    "foreign_operators": [],
    "tensor_types": {"float32": 7, "int32": 2},
    "variable_tensors": 0,
    "signatures": {
        "predict": {
            "inputs": {"ids": {"shape": [1, 11], "dtype": "int32"}},
            "outputs": {"probabilities": {"shape": [1, 7], "dtype": "float32"}},
        }
    },
    "aliased_outputs": [],
    "weight_bytes": 4000,
    "repeated_weight_bytes": 0,
}


def test_a_tflite_file_is_told_from_its_bytes(built):
    report = structure.inspect("tflite", built / "model.float32.tflite")
    assert report["operators"] == {"ADD": 2, "CAST": 1, "MINIMUM": 1, "MUL": 1}
    assert report["tensor_types"] == {"float32": 3, "int32": 7}
    assert report["signatures"] == {
        "generate": {
            "inputs": {
                "source": {"shape": [1, 11], "dtype": "int32"},
                "source_length": {"shape": [1], "dtype": "int32"},
            },
            "outputs": {
                "ids": {"shape": [1, 11], "dtype": "int32"},
                "length": {"shape": [1], "dtype": "int32"},
                "log_probability": {"shape": [1, 11], "dtype": "float32"},
            },
        }
    }
    assert report["weight_bytes"] == 3 * 4 and report["repeated_weight_bytes"] == 0
    assert report["bytes"] == (built / "model.float32.tflite").stat().st_size
    structure.check(json.loads(json.dumps(report)), "tflite")


def test_an_onnx_folder_is_told_with_its_shared_weights(built):
    report = structure.inspect("onnx", built / "onnx.float32")
    assert report["operators"] == {"Equal": 1, "Gather": 1, "Identity": 2, "Where": 1}
    assert report["signatures"]["generate"]["inputs"]["source"] == {"shape": [None, None], "dtype": "int32"}
    assert report["weight_bytes"] == 600 * 4 + 4 + 4 and report["repeated_weight_bytes"] == 0
    sizes = [(built / "onnx.float32" / name).stat().st_size for name in ("generate.onnx", "weights.bin")]
    assert report["bytes"] == sum(sizes)
    structure.check(json.loads(json.dumps(report)), "onnx")


def test_signatures_are_those_that_the_runtimes_tell(built):
    from export import runtime

    for format, name, session in (
        ("tflite", "model.float32.tflite", runtime.LiteRTSession),
        ("onnx", "onnx.float32", runtime.ONNXSession),
    ):
        assert structure.inspect(format, built / name)["signatures"] == session(built / name).signatures


def test_onnx_operators_inside_a_loop_are_counted_with_their_domain(tmp_path):
    make = onnx.helper
    body = make.make_graph(
        [
            make.make_node("Identity", ["going"], ["goes_on"]),
            make.make_node("Own", ["old"], ["new"], domain="com.mine"),
        ],
        "body",
        [
            make.make_tensor_value_info("number", onnx.TensorProto.INT64, []),
            make.make_tensor_value_info("going", onnx.TensorProto.BOOL, []),
            make.make_tensor_value_info("old", onnx.TensorProto.FLOAT, [3]),
        ],
        [
            make.make_tensor_value_info("goes_on", onnx.TensorProto.BOOL, []),
            make.make_tensor_value_info("new", onnx.TensorProto.FLOAT, [3]),
        ],
    )
    graph = make.make_graph(
        [make.make_node("Loop", ["times", "", "start"], ["end"], body=body)],
        "loop",
        [make.make_tensor_value_info("start", onnx.TensorProto.FLOAT, [3])],
        [make.make_tensor_value_info("end", onnx.TensorProto.FLOAT, [3])],
        [onnx.numpy_helper.from_array(np.asarray(5, "int64"), "times")],
    )
    opsets = [make.make_opsetid("", 17), make.make_opsetid("com.mine", 1)]
    onnx.save_model(make.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "predict.onnx")
    report = structure.inspect("onnx", tmp_path / "predict.onnx")
    assert report["operators"] == {"Identity": 1, "Loop": 1, "com.mine.Own": 1}
    with pytest.raises(errors.StructureError, match=r"the artefact holds com.mine.Own \(1\); wanted operators of ONNX"):
        structure.check(report, "onnx")


@pytest.mark.parametrize(
    ("format", "change", "message"),
    [
        ("tflite", {"foreign_operators": ["FlexErf"]}, r"holds FlexErf \(1\); wanted builtin operators alone"),
        (
            "onnx",
            {"foreign_operators": ["com.microsoft.Gelu"]},
            "com.microsoft.Gelu .* those of ONNX Runtime's quantis",
        ),
        ("saved_model", {"foreign_operators": ["PyFunc"]}, "no cuDNN, no Python; .*use_cudnn=False"),
        ("tflite", {"tensor_types": {"resource": 2, "float32": 1}}, "2 resource tensors; wanted numbers"),
        ("tflite", {"tensor_types": {"string": 3, "variant": 4}}, "4 variant and 3 string tensors"),
        ("tflite", {"variable_tensors": 4}, "4 variable tensors, .*profile='interpreter'"),
        (
            "tflite",
            {"aliased_outputs": ["predict: the output b is the output a"]},
            "is the output a; wanted a tensor for",
        ),
        ("onnx", {"repeated_weight_bytes": 2000}, "2000 of 4000 bytes of weights are stored already"),
        ("onnx", {"signatures": {}}, "no signature; wanted one or more"),
    ],
)
def test_what_a_device_cannot_have_is_refused_with_a_way_out(format, change, message):
    with pytest.raises(errors.StructureError, match=message):
        structure.check({**PLAIN, **change}, format)


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_a_border_of_other_dtypes_is_refused(side):
    signatures = {"predict": {"inputs": {}, "outputs": {}, side: {"mask": {"shape": [1, 11], "dtype": "bool"}}}}
    with pytest.raises(
        errors.StructureError, match=f"predict: mask, one of the {side}, is bool; wanted int32 or float"
    ):
        structure.check({**PLAIN, "signatures": signatures}, "onnx")


def test_what_quantisation_brings_and_a_few_equal_constants_are_let_through():
    structure.check({**PLAIN, "foreign_operators": ["com.microsoft.DynamicQuantizeLSTM"]}, "onnx")
    structure.check({**PLAIN, "repeated_weight_bytes": 200}, "tflite")
    structure.check({**PLAIN, "variable_tensors": 4, "aliased_outputs": ["a is b"]}, "tflite", "interpreter")


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="format 'coreml' is not known; choose from tflite, onnx, saved_model"):
        structure.inspect("coreml", "model")
    with pytest.raises(ValueError, match="profile 'browser' is not known; choose from portable, interpreter"):
        structure.check(PLAIN, "tflite", "browser")


def test_garbage_and_nothing_are_refused(tmp_path):
    garbage = tmp_path / "garbage"
    garbage.write_bytes(np.random.default_rng(1).bytes(3000))
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "nothing").mkdir()
    for name in ("garbage", "empty", "missing", "nothing"):
        with pytest.raises(errors.StructureError, match="again"):
            structure.inspect("tflite", tmp_path / name)
        with pytest.raises(errors.StructureError, match="again"):
            structure.inspect("onnx", tmp_path / name)


def test_onnx_weights_outside_the_folder_are_refused(toy):
    file = toy / "onnx.float32" / "generate.onnx"
    model = onnx.load(file, load_external_data=False)
    (toy / "weights.bin").write_bytes((toy / "onnx.float32" / "weights.bin").read_bytes())
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../weights.bin"
    onnx.save_model(model, file)
    with pytest.raises(errors.StructureError, match="again"):
        structure.inspect("onnx", toy / "onnx.float32")
