"""Every runtime says for itself whether it loads an artefact; one that fails is a line, not the end."""

from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest

from export import cases, children, errors, runtimes

LITERT, ORT = f"ai-edge-litert {version('ai-edge-litert')}", f"onnxruntime {version('onnxruntime')}"


def echo(source, source_length):
    """What the toy of conftest.py answers."""
    return {
        "ids": source,
        "length": source_length,
        "log_probability": np.where(source > 0, -0.1, 0).astype("float32"),
    }


@pytest.fixture(scope="module")
def file_of_cases(tmp_path_factory):
    random = np.random.default_rng(1)
    given = []
    for lengths, width in (([3], 3), ([2, 9], 11)):
        source = random.integers(1, 90, (len(lengths), width)) * (np.arange(width) < np.asarray(lengths)[:, None])
        given.append({"source": source.astype("int32"), "source_length": np.asarray(lengths, "int32")})
    made = cases.predict_cases(echo, given, [one["source_length"] for one in given], signature="generate")
    path = tmp_path_factory.mktemp("cases") / "cases.npz"
    cases.write(path, made)
    return path


def test_each_runtime_of_a_format_is_a_line(built, file_of_cases):
    loaded = {"loads": True, "runs": True, "reason": None}
    assert runtimes.load_everywhere("tflite", built / "model.float32.tflite", file_of_cases) == [
        {"runtime": f"{LITERT} Interpreter", **loaded},
        {"runtime": f"{LITERT} CompiledModel", **loaded},
    ]
    assert runtimes.load_everywhere("onnx", built / "onnx.float32", file_of_cases) == [
        {"runtime": f"{ORT} InferenceSession", **loaded}
    ]


def test_a_file_that_is_cut_off_is_a_line_with_its_reason(toy, file_of_cases):
    file = toy / "model.float32.tflite"
    file.write_bytes(file.read_bytes()[:700])
    lines = runtimes.load_everywhere("tflite", file, file_of_cases)
    assert [(line["loads"], line["runs"]) for line in lines] == [(False, False)] * 2
    assert "LiteRT cannot read" in lines[0]["reason"] and "CompiledModel cannot load" in lines[1]["reason"]


def test_other_numbers_are_a_line_with_their_place(toy, file_of_cases):
    weights = toy / "onnx.float32" / "weights.bin"
    weights.write_bytes(np.full(600, -0.2, "float32").tobytes())
    (line,) = runtimes.load_everywhere("onnx", toy / "onnx.float32", file_of_cases)
    assert line["loads"] and not line["runs"]
    assert "log_probability is -0.2 at [0, 0], Keras has -0.1" in line["reason"]


def test_a_missing_file_of_cases_and_an_empty_one_do_not_pass(built, tmp_path):
    cases.write(tmp_path / "empty.npz", [])
    for name, reason in (("missing", "FileNotFoundError"), ("empty", "it holds no case")):
        line = runtimes.load("Interpreter", str(built / "model.float32.tflite"), tmp_path / f"{name}.npz", "float32")
        assert line["loads"] and not line["runs"] and f"{name}.npz is no file of cases" in line["reason"]
        assert reason in line["reason"]


def test_compiled_model_is_held_to_the_tokens(built, file_of_cases, tmp_path):
    """The file of conftest.py echoes; against a Keras that would write another id it does not run."""
    others = []
    for case in cases.read(file_of_cases):
        ids = case.outputs["ids"].copy()
        ids[-1, 1] += 1
        others.append(replace(case, outputs={**case.outputs, "ids": ids}, margin=np.ones(ids.shape, "float32")))
    cases.write(tmp_path / "cases.npz", others)
    for name in runtimes.RUNTIMES["tflite"]:
        line = runtimes.load(name, str(built / "model.float32.tflite"), tmp_path / "cases.npz", "float32")
        assert line["loads"] and not line["runs"] and "row 0, step 1: Keras writes id" in line["reason"]


def test_a_runtime_that_crashes_is_a_line(built, file_of_cases, monkeypatch):
    def crash(*_, what, timeout):
        raise errors.ChildError(f"{what} crashed (SIGSEGV). nothing")

    monkeypatch.setattr(children, "call", crash)
    lines = runtimes.load_everywhere("tflite", built / "model.float32.tflite", file_of_cases)
    assert [line["reason"] for line in lines] == [
        "Interpreter crashed (SIGSEGV). nothing",
        "CompiledModel crashed (SIGSEGV). nothing",
    ]


def test_a_folder_that_is_no_saved_model_is_a_line(toy):
    line = runtimes.load("saved_model.load", str(toy), None, "float32")
    assert not line["loads"] and not line["runs"] and "SavedModel file does not exist" in line["reason"]
