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
from export import children, reference, runtime
from export.onnx import WEIGHTS
from keras_seq import decoding
from keras_seq.beam import beam_reference
from keras_seq.data import dates
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import Seq2Seq

LIMITS = {"source": 21, "target": 7}
EXAMPLES, OTHERS = 39, 9
BEAMS = 2


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
    lines = [f"{text}\t2001-02-03\n" for text in texts[: EXAMPLES + OTHERS]]
    (run / "test.tsv").write_text("".join(lines), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def built(run, warm_children):
    """The last 9 examples are for the choice of layers."""
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "_OTHERS", OTHERS)
        built = export.build(run, beams=BEAMS, progress=lines.append)
        assert not built.refused, lines
        yield built


@pytest.fixture
def copy(built, tmp_path):
    return Path(shutil.copytree(built.path, tmp_path / "bundle"))


@pytest.fixture
def keep(copy):
    """A copy of the bundle with some of its artefacts alone: each costs a proof its own processes."""

    def keep(*paths, change=lambda artefact: None):
        manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
        manifest["artefacts"] = [artefact for artefact in manifest["artefacts"] if artefact["path"] in paths]
        for artefact in manifest["artefacts"]:
            change(artefact)
        bundles.write_manifest(copy, manifest)
        return copy

    return keep


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
        assert artefact["latency_ms"] > 0 and artefact["beam_latency_ms"] > 0
        tensors = [
            tensor
            for signature in artefact["signatures"].values()
            for side in signature.values()
            for tensor in side.values()
        ]
        assert {tensor["dtype"] for tensor in tensors} == {"int32", "float32"}
        assert set(artefact["signatures"]) == {"generate", "generate_beam", "encode", "step"}


def test_beam_search_is_proven_beside_greedy_decoding(built, run):
    model = keras.saving.load_model(run / "model.keras", compile=False)
    samples = json.loads((built.path / "samples.json").read_text(encoding="utf-8"))
    assert len(samples) == 32 and sum(sample["beam_ids"] != sample["ids"] for sample in samples) > 3
    source, length = runtime.pad([sample["source_ids"] for sample in samples[:7]])
    searched = beam_reference(model, source, length, LIMITS["target"], BEAMS)
    for sample, (ids, scores) in zip(samples[:7], searched, strict=True):
        assert sample["beam_ids"][: len(ids)] == ids
        np.testing.assert_allclose(sample["beam_log_probability"][: len(ids)], scores, atol=1e-5)
    for artefact in built.manifest["artefacts"]:
        beam = artefact["parity"]["beam"]
        assert beam["inputs"] == EXAMPLES and artefact["samples"] == {
            "exact_match": 0.0,
            "examples": 32,
            "beam_exact_match": 0.0,
        }
        if artefact["precision"] == "float32":
            assert beam["same_tokens"] == EXAMPLES and beam["max_log_probability_error"] < 1e-4
    text = (built.path / "verification.md").read_text(encoding="utf-8")
    assert text.count(f"the tokens of Keras's beam search on {EXAMPLES} of {EXAMPLES} inputs, log-probability") == 3
    assert text.count("`encode` and `step`: the same tokens on 24 of 24 inputs") >= 3
    assert text.count("swapped inputs: the answer changes in 0 of 0 pairs") == 4


def test_the_manifest_says_on_which_examples_layers_were_chosen(built):
    (rounded,) = (artefact for artefact in built.manifest["artefacts"] if artefact["precision"] != "float32")
    found = rounded["quantisation"]
    assert found["which"] == "test examples 40 to 48 as they are drawn, which the proof does not score"
    assert found["examples"] == OTHERS


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
    graphs = [f"{signature}.onnx" for signature in ("encode", "generate", "generate_beam", "step")]
    assert sorted(path.name for path in folder.iterdir()) == [*graphs, WEIGHTS]
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


def test_verify_agrees_without_the_run(keep):
    lines = []
    bundle = keep("model.float32.tflite", "onnx.float32")
    assert len(export.verify(bundle, progress=lines.append)) == 2
    told = "\n".join(lines)
    assert told.count("Keras's tokens on all 32 inputs") == 2
    assert told.count("`generate_beam`: the tokens of Keras's beam search on 32 of 32 inputs") == 2
    assert told.count("CompiledModel: loads and runs") == told.count("InferenceSession: loads and runs") == 1
    report = json.loads((bundle / "verification.json").read_text(encoding="utf-8"))
    for entry in report["artefacts"]:
        counts = {name: seen["cases"] for name, seen in entry["numbers"].items()}
        assert counts == {"encode": 4, "step": 8, "generate": 4, "generate_beam": 4}
        assert entry["numbers"]["encode"]["max_error"] < 1e-5 and entry["structure"]["repeated_weight_bytes"] == 0
        assert entry["task"]["parity"]["beam"]["inputs"] == 32
    assert "2 of 2 artefacts pass" in (bundle / "verification.md").read_text(encoding="utf-8")


def test_a_bundle_of_before_scores_had_names_is_verified_by_exact_match(keep, capsys):
    bundle = keep("model.dynamic_int8.tflite")
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    assert manifest.pop("score") == "exact_match"
    bundles.write_manifest(bundle, manifest)
    export.verify(bundle, progress=lambda line: None)
    report = json.loads((bundle / "verification.json").read_text(encoding="utf-8"))
    assert report["artefacts"][0]["task"]["score"] == {"exact_match": 0.0, "examples": 32}
    bundles.write_manifest(bundle, {**manifest, "score": "rouge"})
    code, error = cli(capsys, "verify", bundle)
    assert code == 1 and "score 'rouge', this exporter knows exact_match, bleu, bleu_lowercase, next_token" in error


def test_verify_agrees_with_the_run(keep, run):
    lines = []
    assert len(export.verify(keep("saved_model", "model.dynamic_int8.tflite"), run=run, progress=lines.append)) == 2
    told = "\n".join(lines)
    assert told.count(f"Keras's tokens on all {EXAMPLES} inputs") == 1
    assert told.count(f"Keras's beam search on {EXAMPLES} of {EXAMPLES} inputs") >= 1


@pytest.mark.parametrize("measure", ["exact_match", "beam_exact_match"])
def test_verify_holds_an_artefact_of_fewer_bits_to_its_own_score_on_the_samples(keep, capsys, measure):
    """One sample fewer than when it was built; Keras's own score, 0, would let it pass."""
    bundle = keep("model.dynamic_int8.tflite", change=lambda artefact: artefact["samples"].update({measure: 1 / 32}))
    code, error = cli(capsys, "verify", bundle)
    falls = f"the score ({measure.replace('_', ' ')}) falls from 3.12 to 0.00 %, more than half a point"
    assert code == 1 and f"{falls}; the first is its own" in error


def test_a_bundle_without_cases_or_beams_to_compare_is_not_green(keep, capsys):
    bundle = keep("model.float32.tflite")
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    samples = json.loads((bundle / "samples.json").read_text(encoding="utf-8"))
    kept = [{name: value for name, value in sample.items() if not name.startswith("beam_")} for sample in samples]
    bundles.write_json(bundle / "samples.json", kept)
    bundles.write_manifest(bundle, manifest)
    code, error = cli(capsys, "verify", bundle)
    assert code == 1 and "nobody knows what Keras's beam search writes" in error
    (bundle / "numbers.npz").unlink()
    bundles.write_manifest(bundle, manifest)
    code, error = cli(capsys, "verify", bundle)
    assert code == 1 and "numbers.npz is no file of cases" in error


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


def test_verify_refuses_an_artefact_with_wrong_weights_and_right_checksums(copy, keep, capsys):
    """Weights changed and the manifest brought into line: only the numbers can tell."""
    weights = copy / "onnx.float32" / WEIGHTS
    values = np.frombuffer(weights.read_bytes(), "float32").copy()
    weights.write_bytes((-values).tobytes())
    code, error = cli(capsys, "verify", keep("onnx.float32"))
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


def test_the_public_names_stay_functions_after_their_modules_were_imported():
    for name in export.__all__:
        assert callable(getattr(export, name)), name
    with pytest.raises(AttributeError, match="it offers BundleError, ExportError, .*, verify"):
        _ = export.nothing


def test_a_benchmark_times_every_artefact_and_draws_it(keep, tmp_path, capsys):
    bundle = keep("saved_model", "model.float32.tflite")
    code = command_line.main(["benchmark", str(bundle), "--out", str(tmp_path / "out"), "--threads", "1"])
    report = json.loads((tmp_path / "out" / "benchmark.json").read_text(encoding="utf-8"))
    assert code == 0 and len(report["rows"]) == 2
    for row in report["rows"]:
        assert 0 < row["median_ms"] <= row["worst_ms"] and row["bytes"] > 0 and row["threads"] == 1
        assert row["beam_median_ms"] > 0
    assert (tmp_path / "out" / "benchmark.png").stat().st_size > 1000
    assert report["machine"] in capsys.readouterr().out
