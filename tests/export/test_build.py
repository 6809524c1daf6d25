"""From a run directory to a proven bundle, and what must not get into one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import export
from export import __main__ as command_line
from export import bundle as bundles
from export import children, prove, runtime
from export.onnx import WEIGHTS
from keras_seq import decoding
from keras_seq.data import dates
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import Seq2Seq

LIMITS = {"source": 21, "target": 7}
EXAMPLES = 48


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory with a model of large random weights: its outputs differ, and some end early."""
    run = tmp_path_factory.mktemp("runs") / "tiny"
    run.mkdir()
    source = Tokenizer.train([dates.alphabet()[:300]], normalization="nfkc", lowercase=True, collapse_spaces=True)
    target = Tokenizer.train(["0123456789-"])
    keras.utils.set_random_seed(5)
    model = Seq2Seq(len(source), len(target), embedding_size=6, units=10)
    random = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.9)
    model.save(run / "model.keras")
    source.save(run / "source.tokenizer.json")
    target.save(run / "target.tokenizer.json")
    (run / "config.json").write_text(json.dumps({"task": {"name": "tiny", "limits": LIMITS}}), encoding="utf-8")
    (run / "results.json").write_text(json.dumps({"confidence": {"threshold": 0.25}}), encoding="utf-8")
    texts = [text for text in dates.generate(400, seed=3, languages=("en", "fr")).texts if 0 < len(text.strip()) < 20]
    (run / "test.tsv").write_text("".join(f"{text}\t2001-02-03\n" for text in texts[:EXAMPLES]), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def built(run):
    lines = []
    built = export.build(run, progress=lines.append)
    assert not built.refused, lines
    return built


@pytest.fixture
def copy(built, tmp_path):
    return Path(shutil.copytree(built.path, tmp_path / "bundle"))


def answers_of_keras(run, texts):
    model = keras.saving.load_model(run / "model.keras", compile=False)
    source = Tokenizer.load(run / "source.tokenizer.json")
    for text in texts:
        ids = np.array([source.encode(text)], "int32")
        yield np.asarray(decoding.greedy(model, ids, np.array([ids.shape[1]], "int32"), LIMITS["target"])[0])[0]


def test_every_format_is_there_and_equal(built):
    artefacts = {artefact["format"]: artefact for artefact in built.manifest["artefacts"]}
    assert list(artefacts) == ["saved_model", "tflite", "onnx"]
    for artefact in artefacts.values():
        assert artefact["parity"]["inputs"] == EXAMPLES
        assert artefact["parity"]["stepwise"]["inputs"] == 24
        assert artefact["parity"]["swapped"]["pairs"] == 0  # every target of this test set is the same date
        assert artefact["latency_ms"] > 0
        tensors = [
            tensor
            for signature in artefact["signatures"].values()
            for side in signature.values()
            for tensor in side.values()
        ]
        assert {tensor["dtype"] for tensor in tensors} == {"int32", "float32"}
        assert set(artefact["signatures"]) == {"generate", "encode", "step"}


def test_shapes_are_static_on_the_phone_and_dynamic_on_the_server(built):
    sources = {
        artefact["format"]: artefact["signatures"]["generate"]["inputs"]["source"]["shape"]
        for artefact in built.manifest["artefacts"]
    }
    assert sources == {"saved_model": [None, None], "tflite": [1, 21], "onnx": [None, None]}


def test_the_tflite_file_has_builtin_operators_alone(built):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(built.path / "model.float32.tflite"))
    names = {operator["op_name"] for operator in interpreter._get_ops_details()}
    assert "WHILE" in names
    assert not [name for name in names if "Flex" in name or "CUSTOM" in name.upper() or "TensorList" in name]


def test_onnx_weights_are_stored_once(built):
    folder = built.path / "onnx.float32"
    assert sorted(path.name for path in folder.iterdir()) == ["encode.onnx", "generate.onnx", "step.onnx", WEIGHTS]
    model = Seq2Seq(*vocabulary_sizes(built.path), embedding_size=6, units=10)
    pages = 4096 * len(model.weights)
    assert (folder / WEIGHTS).stat().st_size <= 4 * model.count_params() + pages


def vocabulary_sizes(folder):
    return [len(Tokenizer.load(folder / f"{role}.tokenizer.json")) for role in ("source", "target")]


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_the_runtime_writes_what_keras_writes(built, run, format):
    texts = ["9 mai 1998", "3rd of March", "x", "31/12/1999"]
    bundle = runtime.load(built.path, format=format, threads=1)
    wanted = [bundle.decode_ids(ids) for ids in answers_of_keras(run, texts)]
    assert [result.output for result in bundle.generate(texts)] == wanted
    assert len(set(wanted)) > 1


def test_verify_agrees_with_and_without_the_run(built, run):
    lines = []
    assert len(export.verify(built.path, progress=lines.append)) == 4
    assert len(export.verify(built.path, run=run, progress=lines.append)) == 4
    told = "\n".join(lines)
    assert told.count("Keras's tokens on all 32 inputs") == told.count(f"Keras's tokens on all {EXAMPLES} inputs") == 3
    assert told.count("CompiledModel: loads and runs") == 4 and told.count("InferenceSession: loads and runs") == 2
    report = json.loads((built.path / "verification.json").read_text(encoding="utf-8"))
    for entry in report["artefacts"]:
        assert entry["numbers"]["step"]["cases"] == 8 and entry["structure"]["repeated_weight_bytes"] == 0
        assert entry["precision"] != "float32" or entry["numbers"]["encode"]["max_error"] < 1e-5
    assert "4 of 4 artefacts pass" in (built.path / "verification.md").read_text(encoding="utf-8")


def test_the_copy_of_the_runtime_is_the_runtime(built):
    for module in Path(runtime.__file__).parent.glob("*.py"):
        assert (built.path / bundles.RUNTIME / module.name).read_bytes() == module.read_bytes()


def cli(capsys, *arguments):
    code = command_line.main(list(map(str, arguments)))
    return code, capsys.readouterr().err


def test_unknown_names_are_refused_with_the_known_ones(run, tmp_path, capsys):
    code, error = cli(capsys, "build", run, "--formats", "coreml", "--out", tmp_path / "b")
    assert code == 1 and "unknown format 'coreml'; choose from saved_model, tflite, onnx" in error
    code, error = cli(capsys, "build", run, "--precision", "int3", "--out", tmp_path / "b")
    assert code == 1 and "unknown precision 'int3'" in error
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_no_finished_run_is_refused(run, tmp_path, capsys):
    code, error = cli(capsys, "build", tmp_path / "nowhere")
    assert code == 1 and "is not a run directory" in error
    unfinished = shutil.copytree(run, tmp_path / "unfinished", ignore=shutil.ignore_patterns("bundle", "model.keras"))
    code, error = cli(capsys, "build", unfinished)
    assert code == 1 and "has no model.keras" in error
    assert not (unfinished / "bundle").exists()


def test_a_damaged_model_leaves_no_bundle_behind(run, tmp_path, capsys):
    damaged = Path(shutil.copytree(run, tmp_path / "damaged", ignore=shutil.ignore_patterns("bundle")))
    model = damaged / "model.keras"
    model.write_bytes(model.read_bytes()[:5000])
    before = sorted(path.name for path in damaged.iterdir())
    code, error = cli(capsys, "build", damaged, "--formats", "onnx")
    assert code == 1 and error.startswith("export build: ")
    assert sorted(path.name for path in damaged.iterdir()) == before


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_verify_names_a_damaged_file(copy, capsys, damage):
    path = copy / "model.float32.tflite"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    {"truncate": lambda: path.write_bytes(data[:999]), "flip": lambda: path.write_bytes(data), "remove": path.unlink}[
        damage
    ]()
    code, error = cli(capsys, "verify", copy)
    assert code == 1 and "model.float32.tflite" in error and "Traceback" not in error


def test_verify_refuses_an_artefact_with_wrong_weights_and_right_checksums(copy, capsys):
    """Weights changed and the manifest brought into line: only the numbers can tell."""
    weights = copy / "onnx.float32" / WEIGHTS
    values = np.frombuffer(weights.read_bytes(), "float32").copy()
    weights.write_bytes((-values).tobytes())
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    bundles.write_manifest(copy, manifest)
    code, error = cli(capsys, "verify", copy)
    assert code == 1 and "onnx float32: proof: case 0: encode (batch 1, " in error and "apart" in error


def test_a_full_disk_leaves_nothing_behind(run, tmp_path):
    """The file-size limit stands in for a full disk: writing fails in the same place."""
    target = tmp_path / "bundle"
    command = f"ulimit -f 8; exec {sys.executable} -m export build {run} --formats onnx --out {target}"
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=root, env={**os.environ, "PYTHONPATH": root}
    )
    assert done.returncode == 1, done.stderr
    assert "export build: " in done.stderr and "Traceback" not in done.stderr.splitlines()[0]
    assert not list(tmp_path.iterdir())


@pytest.fixture
def child_module(tmp_path, monkeypatch):
    def make(code):
        (tmp_path / "stand_in.py").write_text(code, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return "stand_in"

    return make


def test_a_converter_that_crashes_is_an_error_with_its_signal(child_module):
    module = child_module("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(export.ExportError, match=r"tflite: conversion crashed \(SIGSEGV\)"):
        children.call(module, {}, what="tflite: conversion", timeout=60)


def test_a_converter_that_hangs_is_stopped(child_module):
    with pytest.raises(export.ExportError, match=r"took longer than 0.5 s; give it more with --timeout"):
        children.call(child_module("import time; time.sleep(60)"), {}, what="onnx: conversion", timeout=0.5)


def test_a_converter_that_fails_shows_its_last_words(child_module):
    with pytest.raises(export.ExportError, match=r"(?s)conversion failed: .*no kernel for X"):
        children.call(child_module("raise RuntimeError('no kernel for X')"), {}, what="conversion", timeout=60)


class FakeSession:
    """An artefact that answers from the reference, but for one planted fault."""

    def __init__(self, reference, fault):
        self.reference, self.fault, self.calls = reference, fault, 0
        self.signatures = {}

    def call(self, signature, **arrays):
        if signature == "encode":
            return {"state_row": self._rows(arrays)}
        if signature == "step":
            return self._step(arrays)
        self.calls += 1
        rows = self._rows(arrays)
        ids = np.array(self.reference["ids"], "int32")[rows]
        log_probability = np.array(self.reference["log_probability"], "float32")[rows]
        if self.fault == "ignores its source":
            ids, log_probability = np.full_like(ids, 99), np.full_like(log_probability, -0.5)
        elif self.fault == "keeps state" and self.calls > EXAMPLES:
            log_probability = log_probability + 0.3
        elif self.fault == "token" and 2 in rows:
            ids[list(rows).index(2), 3] += 1
        elif self.fault == "nan":
            log_probability = log_probability * np.nan
        length = np.full(len(ids), 5 if self.fault == "length" else 6, "int32")
        return {"ids": ids, "length": length, "log_probability": log_probability}

    def _rows(self, arrays):
        pairs = zip(arrays["source"], arrays["source_length"], strict=True)
        return np.array([self.reference["source_ids"].index(row[:length].tolist()) for row, length in pairs], "int32")

    def _step(self, arrays):
        row, position = int(arrays["state_row"][0]) % 1000, int(arrays["state_row"][0]) // 1000
        logits = np.full((1, 15), -30.0, "float32")
        token = self.reference["ids"][row][position]
        score = self.reference["log_probability"][row][position]
        logits[0] = np.log((1 - np.exp(score)) / 14)
        logits[0, token] = score
        if self.fault == "step":
            logits[0, 9] += 100
        return {"logits": logits, "next_state_row": arrays["state_row"] + 1000}


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    """Proves a fake artefact with the fault; `margin` is how clear Keras was at each step."""
    random = np.random.default_rng(0)
    rows = [[int(i) for i in random.integers(4, 15, 6)] + [2] for _ in range(EXAMPLES)]
    reference = {
        "text": [f"text {index}" for index in range(EXAMPLES)],
        "target": [str(index) for index in range(EXAMPLES)],
        "target_ids": [row[:-1] for row in rows],
        "source_ids": [[4 + index % 7, 4 + index // 7, *[5] * (index % 4)] for index in range(EXAMPLES)],
        "ids": rows,
        "length": [6] * EXAMPLES,
        "log_probability": (-random.uniform(0.01, 0.3, (EXAMPLES, 7))).tolist(),
        "output": ["output"] * EXAMPLES,
    }

    def work(fault, margin=2.0, precision="float32"):
        reference["margin"] = [[margin] * 7 for _ in range(EXAMPLES)]
        path = tmp_path / "reference.json"
        path.write_text(json.dumps(reference), encoding="utf-8")
        monkeypatch.setattr(prove, "open_session", lambda format, path: FakeSession(reference, fault))
        return prove.prove("tflite", precision, "model.tflite", str(path), LIMITS)

    return work


def test_a_right_artefact_passes(faulty):
    report = faulty(None)
    assert report["score"]["exact_match"] == 1 and report["parity"]["near_ties"] == 0
    assert report["parity"]["swapped"] == {"pairs": EXAMPLES - 1, "changed": EXAMPLES - 1}


def test_a_wrong_token_is_named_with_its_input_and_step(faulty):
    with pytest.raises(export.ExportError, match="generate: input 2, 'text 2', step 3: Keras writes id"):
        faulty("token")


def test_a_lower_precision_may_lose_half_a_point_and_no_more(faulty):
    with pytest.raises(export.ExportError, match="the score falls from 100.00 to 9.* %, more than half a point"):
        faulty("token", precision="dynamic_int8")
    parity = faulty(None, precision="dynamic_int8")["parity"]
    assert parity["same_tokens"] == parity["inputs"] == EXAMPLES and "first_difference" not in parity


def test_a_different_token_at_a_near_tie_is_counted(faulty):
    report = faulty("token", margin=5e-5)
    assert report["parity"]["near_ties"] == 1
    assert report["score"]["exact_match"] == 1 - 1 / EXAMPLES


def test_an_artefact_that_ignores_its_source_is_refused_even_where_keras_is_unsure(faulty):
    with pytest.raises(export.ExportError, match="the source is ignored"):
        faulty("ignores its source", margin=0.0)


def test_an_artefact_that_keeps_state_between_calls_is_refused(faulty):
    with pytest.raises(export.ExportError, match="the log-probability is off by 0.3"):
        faulty("keeps state")


def test_numbers_that_are_none_are_refused(faulty):
    with pytest.raises(export.ExportError, match="log-probability is off by nan"):
        faulty("nan")


def test_a_wrong_length_is_refused(faulty):
    with pytest.raises(export.ExportError, match="Keras says 6 tokens, the file 5"):
        faulty("length")


def test_a_wrong_step_is_refused(faulty):
    with pytest.raises(export.ExportError, match="encode and step: input"):
        faulty("step")


def test_the_public_names_stay_functions_after_their_modules_were_imported():
    for name in export.__all__:
        assert callable(getattr(export, name)), name
    with pytest.raises(AttributeError, match="it offers BundleError, ExportError, .*, verify"):
        _ = export.nothing


def test_a_benchmark_times_every_artefact_and_draws_it(built, tmp_path, capsys):
    code = command_line.main(["benchmark", str(built.path), "--out", str(tmp_path / "out"), "--threads", "1"])
    report = json.loads((tmp_path / "out" / "benchmark.json").read_text(encoding="utf-8"))
    assert code == 0 and len(report["rows"]) == len(built.manifest["artefacts"])
    for row in report["rows"]:
        assert 0 < row["median_ms"] <= row["worst_ms"] and row["bytes"] > 0 and row["threads"] == 1
    assert (tmp_path / "out" / "benchmark.png").stat().st_size > 1000
    assert report["machine"] in capsys.readouterr().out
