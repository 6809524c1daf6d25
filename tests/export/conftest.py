"""A toy bundle, made without TensorFlow: it writes what it reads, each token with the log-probability -0.1.

And stand-ins for the children of a build, so that every outcome takes milliseconds; and real ones that work in the
process of the tests, which has TensorFlow already.
"""

import importlib
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from export import ExportError, build_bundle, children, errors
from export import bundle as bundles
from export.readme import readme
from keras_seq.data.tokenizer import Tokenizer

SOURCE_LIMIT, TARGET_LIMIT = 11, 13
LOG_PROBABILITY = -0.1
TEXTS = ["9 mai 1998", "3 juin 1981"]
NAMES = {
    "inputs": {"source": "int32", "source_length": "int32"},
    "outputs": {"ids": "int32", "length": "int32", "log_probability": "float32"},
}


def write_onnx(folder):
    """`generate.onnx` with its one weight in `weights.bin`, as the exporter lays them out."""
    from onnx import TensorProto, helper, numpy_helper, save_model
    from onnx.external_data_helper import set_external_data

    folder.mkdir()
    zero, table = np.asarray(0, "int32"), np.full(600, LOG_PROBABILITY, "float32")
    weights = numpy_helper.from_array(table, "table")
    (folder / "weights.bin").write_bytes(table.tobytes())
    set_external_data(weights, "weights.bin", offset=0, length=table.nbytes)
    weights.ClearField("raw_data")
    nodes = [
        helper.make_node("Identity", ["source"], ["ids"]),
        helper.make_node("Identity", ["source_length"], ["length"]),
        helper.make_node("Gather", ["table", "source"], ["each"]),
        helper.make_node("Equal", ["source", "zero"], ["padding"]),
        helper.make_node("Where", ["padding", "nothing", "each"], ["log_probability"]),
    ]
    types = {"int32": TensorProto.INT32, "float32": TensorProto.FLOAT}
    inputs, outputs = (
        [helper.make_tensor_value_info(name, types[dtype], _dynamic(name)) for name, dtype in NAMES[side].items()]
        for side in ("inputs", "outputs")
    )
    constants = [weights, numpy_helper.from_array(zero, "zero"), numpy_helper.from_array(np.float32(0), "nothing")]
    graph = helper.make_graph(nodes, "echo", inputs, outputs, constants)
    save_model(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "generate.onnx"
    )


def _dynamic(name):
    return ["batch"] if name.endswith("length") else ["batch", "time"]


def write_tflite(path):
    """The same as one TFLite file: ids = source + 0, log_probability = -0.1 * min(source, 1)."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.subgraphs = 3, [schema.BufferT()], [graph]
    graph.name, graph.tensors, graph.operators, model.operatorCodes = "echo", [], [], []

    def tensor(name, shape, dtype, data=None):
        made = schema.TensorT()
        made.name, made.shape, made.buffer = name, shape, 0
        made.type = {"int32": schema.TensorType.INT32, "float32": schema.TensorType.FLOAT32}[dtype]
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.asarray(data, dtype).tobytes(), "uint8")
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(name, inputs, output, options=None):
        code = schema.OperatorCodeT()
        code.builtinCode, code.version = getattr(schema.BuiltinOperator, name), 1
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        model.operatorCodes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(model.operatorCodes) - 1, inputs, [output]
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, options + "T")()
        graph.operators.append(made)

    wide, one = [1, SOURCE_LIMIT], [1]
    index = {
        name: tensor(name, one if name.endswith("length") else wide, dtype)
        for side in NAMES.values()
        for name, dtype in side.items()
    }
    zero, unit = tensor("zero", [], "int32", 0), tensor("unit", [], "int32", 1)
    scale = tensor("scale", [], "float32", LOG_PROBABILITY)
    known, known_float = tensor("known", wide, "int32"), tensor("known_float", wide, "float32")
    operator("ADD", [index["source"], zero], index["ids"], "AddOptions")
    operator("ADD", [index["source_length"], zero], index["length"], "AddOptions")
    operator("MINIMUM", [index["source"], unit], known, "MaximumMinimumOptions")
    operator("CAST", [known], known_float)
    operator("MUL", [known_float, scale], index["log_probability"], "MulOptions")
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "generate", 0
    for side in ("inputs", "outputs"):
        setattr(graph, side, [index[name] for name in NAMES[side]])
        setattr(signature, side, [_tensor_map(schema, name, index[name]) for name in NAMES[side]])
    model.signatureDefs = [signature]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())


def _tensor_map(schema, name, index):
    made = schema.TensorMapT()
    made.name, made.tensorIndex = name, index
    return made


def _entry(format, path, files, shape):
    signatures = {
        side: {
            name: {"shape": shape[:1] if name.endswith("length") else shape, "dtype": dtype}
            for name, dtype in NAMES[side].items()
        }
        for side in NAMES
    }
    return {
        "format": format,
        "precision": "float32",
        "path": path,
        "files": files,
        "bytes": 5,
        "signatures": {"generate": signatures},
    }


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The toy bundle, for reading only."""
    folder = tmp_path_factory.mktemp("toy") / "bundle"
    folder.mkdir()
    for role, texts in (("source", TEXTS), ("target", TEXTS)):
        Tokenizer.train(texts, normalization="nfkc", lowercase=True, collapse_spaces=True).save(
            folder / f"{role}.tokenizer.json"
        )
    write_onnx(folder / "onnx.float32")
    write_tflite(folder / "model.float32.tflite")
    bundles.copy_runtime(folder)
    manifest = {
        "schema_version": 1,
        "task": "generate",
        "name": "echo",
        "limits": {"source": SOURCE_LIMIT, "target": TARGET_LIMIT},
        "vocabularies": {"source": "source.tokenizer.json", "target": "target.tokenizer.json"},
        "confidence": {"threshold": 0.5},
        "artefacts": [
            _entry("onnx", "onnx.float32", bundles.files_of(folder, "onnx.float32"), [None, None]),
            _entry("tflite", "model.float32.tflite", ["model.float32.tflite"], [1, SOURCE_LIMIT]),
        ],
    }
    (folder / "README.md").write_text(readme(manifest, folder), encoding="utf-8")
    bundles.write_manifest(folder, manifest)
    return folder


@pytest.fixture
def toy(built, tmp_path):
    """A copy of the toy bundle, to be damaged."""
    return shutil.copytree(built, tmp_path / "bundle")


@pytest.fixture(scope="session")
def label_runs():
    """The module beside this one, which needs TensorFlow."""
    return _beside("label_runs")


@pytest.fixture(scope="session")
def source_runs():
    """The module beside this one, which needs TensorFlow."""
    return _beside("source_runs")


@pytest.fixture(scope="session")
def javascript():
    """The module that runs snippets in JavaScript."""
    return _beside("snippets/test_javascript")


def _beside(name):
    spec = importlib.util.spec_from_file_location(Path(name).name, Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def words(label_runs, tmp_path_factory):
    """A bundle of a tagger of words and their characters that labels the sentence too: its folder, for reading only,
    and what Keras answers."""
    home = tmp_path_factory.mktemp("words")
    model = label_runs.write_run(home / "run")
    _, answers = label_runs.write_bundle(home / "run", model, home / "bundle")
    return home / "bundle", answers


RUN_LIMITS = {"source": 11, "target": 13}
SIDES = {
    "inputs": {"source": {"shape": [1, 11], "dtype": "int32"}, "source_length": {"shape": [1], "dtype": "int32"}},
    "outputs": {
        "ids": {"shape": [1, 13], "dtype": "int32"},
        "length": {"shape": [1], "dtype": "int32"},
        "log_probability": {"shape": [1, 13], "dtype": "float32"},
    },
}
FILES = {"saved_model": ["saved_model.pb"], "onnx": ["generate.onnx", "weights.bin"]}
STEPWISE = {"inputs": 2, "near_ties": 0, "max_log_probability_error": 1e-7}
PARITY = {"inputs": 3, "near_ties": 0, "max_log_probability_error": 1e-7, "stepwise": STEPWISE}
SCORE = {"exact_match": 0.5, "examples": 3}
STRUCTURE = {
    "bytes": 9,
    "operators": {"WHILE": 1},
    "foreign_operators": [],
    "tensor_types": {"float32": 3},
    "variable_tensors": 0,
    "signatures": {"generate": SIDES},
    "aliased_outputs": [],
    "weight_bytes": 4,
    "repeated_weight_bytes": 0,
}


@pytest.fixture
def run(tmp_path):
    """A run directory that the stand-ins take for finished."""
    run = tmp_path / "run"
    run.mkdir()
    for side in ("source", "target"):
        Tokenizer.train(["9 mai 1998"]).save(run / f"{side}.tokenizer.json")
    for name, content in (
        ("config.json", {"task": {"name": "tiny", "limits": RUN_LIMITS}}),
        ("results.json", {"confidence": {"threshold": 0.25}}),
        ("model.keras", None),
        ("test.tsv", None),
    ):
        (run / name).write_text(json.dumps(content), encoding="utf-8")
    return run


@pytest.fixture
def stand_ins(monkeypatch):
    """Replaces the children; `failing` maps a format to "conversion" or "proof". Returns the calls made."""

    def install(**failing):
        calls = []

        def call(module, task, *, what, timeout):
            calls.append((module, task.get("format")))
            if module == "export.reference":
                Path(task["numbers"]).write_bytes(b"cases")
                answers = {"text": ["a", "b", "c"], "target": ["9", "", "m"], "output": ["9", "", "m"]}
                return answers, {"score": SCORE, "bytes": 7, "latency_ms": 1.0}
            if module == "export.measure":
                return {"memory_bytes": 5, "memory_is": "peak"}
            if module == "export.runtimes":
                return {"loads": True, "runs": "runtime" not in failing.values(), "reason": None}
            path, fault = Path(task["path"]), failing.get(task["format"])
            if module == "export.prove":
                if fault == "proof":
                    refused = "proof: generate: input 2, 'c', step 1: Keras writes id 2, the file 6"
                    return {"structure": STRUCTURE, "refused": refused, "error": "TaskError"}
                found = {"generate": {"cases": 1, "max_error": 1e-7, "mean_error": 1e-8, "largest": 1.0}}
                proof = {"parity": PARITY, "score": SCORE, "samples": SCORE, "latency_ms": 0.5}
                seen = {"structure": STRUCTURE, "signatures": {"generate": SIDES}, "numbers": found}
                return {"refused": None, **seen, **proof}
            if task["format"] == "tflite":
                path.write_bytes(b"graph")
            else:
                path.mkdir()
                for name in FILES[task["format"]]:
                    (path / name).write_bytes(b"weights")
            if fault == "conversion":
                raise ExportError(f"{what} crashed (SIGSEGV). half a file is there")
            return None

        monkeypatch.setattr(children, "call", call)
        monkeypatch.setattr(build_bundle, "SENSIBLE", dict.fromkeys(build_bundle.FORMATS, ("float32",)))
        return calls

    return install


_NEEDS_TENSORFLOW = {
    "export.reference": "reference",
    "export.convert": "convert",
    "export.quantise": "quantise",
}
_NEEDS_IT_FOR_SOME = {"export.prove": "examine", "export.measure": "measure"}


@pytest.fixture(scope="module")
def warm_children(tmp_path_factory):
    """Lets the children that need TensorFlow work in this process: to import it costs each of them 5 s.

    That they are processes of their own is for test_children.py and the lessons to show. Integers, whose calibration
    can crash, and what sets TensorFlow's threads, stay in theirs.
    """
    cold, folder = children.call, tmp_path_factory.mktemp("children")

    def call(module, task, *, what, timeout):
        works = _NEEDS_TENSORFLOW.get(module)
        if task.get("format") in ("saved_model", "keras"):
            works = works or _NEEDS_IT_FOR_SOME.get(module)
        if works is None or task.get("precision") in ("int8", "int16x8") or task.get("threads"):
            return cold(module, task, what=what, timeout=timeout)
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [module, str(folder / "task.json")])
            children.answer(getattr(importlib.import_module(module), works))
        said = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        if "refused" in said:
            raise getattr(errors, said["kind"])(f"{what}: {said['refused']}")
        return said["result"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(children, "call", call)
        yield
