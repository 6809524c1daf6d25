"""Bundles that hear and that look: built, proven, run without TensorFlow, and what must not pass."""

import json
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

import export
from export import __main__ as command_line
from export import bundle as bundles
from export import errors, reference, runtime
from export.examples import Task
from export.onnx import WEIGHTS
from export.snippets import Call, python
from export.sources import Sources

BEAMS = 2
# In 16 bits sound is the harder one: its front end stays in float32. Eight bits are for the lessons to show.
PRECISIONS = {"audio": ("float32", "float16"), "picture": ("float32",)}


@pytest.fixture(scope="module", params=["audio", "picture"])
def built(request, tmp_path_factory, source_runs, warm_children):
    """A bundle of each kind; its run is beside it."""
    run, lines = tmp_path_factory.mktemp("runs") / request.param, []
    source_runs.write_run(run, request.param)
    built = export.build(run, precisions=PRECISIONS[request.param], beams=BEAMS, progress=lines.append)
    # One of 26 examples is four points: in ONNX of 16 bits beams of so small a model may lose one.
    assert not [fault for fault in built.refused if "onnx float16" not in str(fault)], "\n".join(lines)
    return built


@pytest.fixture
def copy(built, tmp_path):
    return Path(shutil.copytree(built.path, tmp_path / "bundle"))


def keep(folder, *paths):
    """Some of a bundle's artefacts alone: each costs a proof its own processes."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["artefacts"] = [artefact for artefact in manifest["artefacts"] if artefact["path"] in paths]
    bundles.write_manifest(folder, manifest)
    return folder


def samples_of(folder):
    samples = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
    return {name: [sample[name] for sample in samples] for name in samples[0]}


def hears(built):
    return "audio" in built.manifest


def given(built, rows):
    """Samples as a bundle is given them."""
    return [(row, 8000) for row in rows] if hears(built) else list(rows)


def test_every_artefact_writes_what_keras_writes(built):
    artefacts = {artefact["path"]: artefact for artefact in built.manifest["artefacts"]}
    wanted = {"saved_model", "model.float32.tflite", "onnx.float32"}
    wanted |= {"model.float16.tflite"} if hears(built) else set()
    assert set(artefacts) - {"onnx.float16"} == wanted and built.manifest["keras"]["score"]["exact_match"] == 1
    for artefact in artefacts.values():
        assert artefact["score"]["exact_match"] == 1 and artefact["parity"]["swapped"]["changed"] > 10
        assert artefact["parity"]["stepwise"]["inputs"] == 24 and artefact["parity"]["beam"]["inputs"] > 20
        assert set(artefact["signatures"]) == {"generate", "generate_beam", "encode", "step"}
        sides = [side for signature in artefact["signatures"].values() for side in signature.values()]
        assert {tensor["dtype"] for side in sides for tensor in side.values()} == {"int32", "float32"}
    read = {name: artefact["signatures"]["generate"]["inputs"] for name, artefact in artefacts.items()}
    if hears(built):
        assert read["model.float32.tflite"]["source"] == {"shape": [1, 900], "dtype": "float32"}
        assert read["onnx.float32"]["source"]["shape"] == read["saved_model"]["source"]["shape"] == [None, None]
    else:
        assert set(read["saved_model"]) == {"image"}
        assert read["model.float32.tflite"]["image"] == {"shape": [1, 12, 10, 3], "dtype": "float32"}


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_bundle_writes_what_the_samples_say(built, format):
    samples, bundle = samples_of(built.path), runtime.load(built.path, format)
    inputs = given(built, Sources(samples).rows)
    for beam, output in ((False, "output"), (True, "beam_output")):
        results = bundle.generate(inputs, beam=beam)
        assert [result.output for result in results] == samples[output]
    assert "".join(piece.text for piece in bundle.stream(inputs[0])) == samples["output"][0]


def test_what_cannot_be_read_is_refused_alone(built, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    first = given(built, Sources(samples_of(built.path)).rows)[0]
    odd = [tmp_path / "none", tmp_path / "empty", first]
    odd.append((np.zeros(400), 8000) if hears(built) else np.zeros((3, 3, 3), "uint8"))
    missing, empty, good, last = runtime.load(built.path, "onnx").generate(odd)
    assert "cannot be read" in missing.refusal and "empty, 0 bytes" in empty.refusal and good.output
    assert ("is silent" if hears(built) else "the model reads [12, 10, 3]") in last.refusal


def test_run_py_needs_nothing_of_ours_and_reads_the_example(built, tmp_path):
    example = built.path / ("example.wav" if hears(built) else "example.png")
    hidden = ("keras", "tensorflow", "keras_seq", "export", "PIL", "scipy")
    program = f"import sys, runpy\nfor name in {hidden}: sys.modules[name] = None\n"
    program += "sys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    odd = tmp_path / "odd.wav"
    with wave.open(str(odd), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.full(200, 32767, "<i2").tobytes())
    arguments = [sys.executable, "-I", "-c", program, str(built.path / "run.py"), "--all", str(example), str(odd)]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd="/", timeout=60)
    assert done.stdout.splitlines()[0] == samples_of(built.path)["output"][0], done.stderr
    assert f"{odd} is clipped" in done.stderr if hears(built) else "so it is no PNG" in done.stderr
    assert "Traceback" not in done.stderr and done.returncode == (0 if hears(built) else 1)


def test_the_python_of_the_readme_writes_what_the_samples_say(built, monkeypatch):
    samples, manifest = samples_of(built.path), built.manifest
    monkeypatch.chdir(built.path)
    rows = Sources(samples).rows[:4]
    for path in ("model.float32.tflite", "onnx.float32", "saved_model"):
        found, artefact = {}, next(one for one in manifest["artefacts"] if one["path"] == path)
        exec(python.snippet(Call.of(manifest, artefact)), found)
        answers = [found["generate"](row / 32768 if hears(built) else row) for row in rows]
        assert [text for text, _ in answers] == samples["output"][:4]
    text = (built.path / "README.md").read_text(encoding="utf-8")
    for said in (
        ("run.py example.wav", "at 8000 samples a second", "window 128")
        if hears(built)
        else (
            "run.py example.png",
            "12 x 10 pixels of 3 channels",
        )
    ):
        assert said in text
    assert "source.tokenizer.json" not in text and "None" not in text and "`target.tokenizer.json`" in text


def test_the_javascript_of_the_readme_writes_what_the_samples_say_in_node(built, javascript, tmp_path):
    modules, samples = javascript.node_modules("onnxruntime-web"), samples_of(built.path)
    artefact = next(one for one in built.manifest["artefacts"] if one["path"] == "onnx.float32")
    rows = [(row / 32768 if hears(built) else row.ravel()).tolist() for row in Sources(samples).rows[:4]]
    code = javascript.javascript.snippet(Call.of(built.manifest, artefact))
    said = javascript.in_node(code, "generate", rows, built.path, modules, tmp_path)
    assert [one["text"] for one in said] == samples["output"][:4]


def test_verify_and_benchmark(built, copy, tmp_path, capsys):
    if not hears(built):
        pytest.skip("of audio alone: each takes processes of its own")
    keep(copy, "onnx.float32")
    assert command_line.main(["verify", str(copy)]) == 0
    out = tmp_path / "measured"
    assert command_line.main(["benchmark", str(copy), "--threads", "1", "--out", str(out)]) == 0
    assert json.loads((out / "benchmark.json").read_text(encoding="utf-8"))["rows"][0]["median_ms"] > 0
    weights = copy / "onnx.float32" / WEIGHTS
    weights.write_bytes((-np.frombuffer(weights.read_bytes(), "float32")).tobytes())
    keep(copy, "onnx.float32")
    assert command_line.main(["verify", str(copy)]) == 1
    assert "onnx float32: proof: case 0: encode (batch 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"audio": {"rate": 8000}}, "audio has no 'channels'"),
        ({"audio": {"rate": 0, "channels": 1}}, "audio.rate is 0; wanted 1 to"),
        ({"limits": {"target": 9}}, "limits has no 'source'"),
        ({"limits": {"source": 800, "target": 9}}, r"reads source of shape \[1, 900\], the manifest says \[1, 800\]"),
        ({"vocabularies": {"target": "../outside"}}, "outside"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(built, copy, change, message):
    if not hears(built):
        pytest.skip("of audio alone")
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8")) | change
    bundles.write_json(copy / "manifest.json", manifest)
    with pytest.raises(runtime.BundleError, match=message):
        runtime.load(copy, "tflite")


def test_a_model_that_hears_its_padding_is_refused(source_runs, tmp_path):
    model = source_runs.write_run(tmp_path / "run", "audio", model=source_runs.Leaking)
    task = Task.of(json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8")))
    with pytest.raises(
        errors.ExportError, match=r"hears its padding: recording \d+ of the test set, .* moves (hidden|keys)"
    ):
        reference.of_generator(model, tmp_path / "run", task, slice(0, 9))
