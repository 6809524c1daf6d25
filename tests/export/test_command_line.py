"""`python -m export`: what becomes of the artefacts that pass and of those that do not, and what is said of bad input.

The children are stand-ins (conftest.py), so that every outcome takes milliseconds; test_build.py has the real ones.
"""

import json
from pathlib import Path

import pytest

from export import __main__ as command_line
from export import build_bundle, children
from export.convert import artefact_name


@pytest.mark.parametrize("enough", [True, False])
def test_layers_are_chosen_on_other_examples_than_the_proof_scores(run, stand_ins, monkeypatch, enough):
    stand_ins()
    replaced, read = children.call, {}

    def call(module, task, *, what, timeout):
        if module == "export.reference" and enough:
            Path(task["others"]).write_text('{"which": "others"}', encoding="utf-8")
        if module in ("export.quantise", "export.prove"):
            read[module] = json.loads(Path(task["reference"]).read_text(encoding="utf-8"))
        return replaced(module, task, what=what, timeout=timeout)

    monkeypatch.setattr(children, "call", call)
    built = build_bundle.build(run, formats=["tflite"], precisions=["dynamic_int8"], progress=lambda line: None)
    assert "text" in read["export.prove"]
    assert read["export.quantise"] == ({"which": "others"} if enough else read["export.prove"])
    assert "others.json" not in built.manifest["files"]


def cli(capsys, *arguments):
    code = command_line.main(list(map(str, arguments)))
    return code, *capsys.readouterr()


def listing(folder):
    return {str(path.relative_to(folder)): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def kept(bundle):
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    return [artefact["format"] for artefact in manifest["artefacts"]], set(manifest["files"])


def test_what_passes_is_in_the_bundle_and_the_exit_code_is_zero(run, stand_ins, capsys):
    stand_ins()
    code, out, error = cli(capsys, "build", run)
    assert code == 0 and not error and out.splitlines()[-1] == f"wrote {run / 'bundle'}"
    formats, files = kept(run / "bundle")
    assert formats == ["saved_model", "tflite", "onnx"]
    assert {
        "saved_model/saved_model.pb",
        "model.float32.tflite",
        "onnx.float32/generate.onnx",
        "run.py",
        "README.md",
    } <= files
    assert "reference.json" not in listing(run / "bundle")


@pytest.mark.parametrize("when", ["conversion", "proof"])
@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_what_fails_is_refused_and_leaves_no_file_and_the_rest_goes_on(run, stand_ins, capsys, format, when):
    stand_ins(**{format: when})
    code, out, _ = cli(capsys, "build", run)
    assert code == 1
    assert f"  {format:12} float32       REFUSED: {format} float32: {when}" in out
    formats, files = kept(run / "bundle")
    assert formats == [name for name in build_bundle.FORMATS if name != format]
    assert not [name for name in listing(run / "bundle") if artefact_name(format, "float32") in name]
    assert files


def test_where_nothing_passes_the_old_bundle_stays_as_it_was(run, stand_ins, capsys):
    stand_ins()
    cli(capsys, "build", run, "--formats", "tflite")
    before = listing(run)
    stand_ins(tflite="proof", onnx="conversion")
    code, _, error = cli(capsys, "build", run, "--formats", "tflite,onnx")
    assert code == 1 and listing(run) == before
    assert error.splitlines() == [
        "export build: no artefact passed; nothing is written.",
        "tflite float32: proof: generate: input 2, 'c', step 1: Keras writes id 2, the file 6",
        "onnx float32: conversion crashed (SIGSEGV). half a file is there",
    ]


@pytest.mark.parametrize("formats", ["onnx,onnx", "tflite, tflite", "onnx,tflite,onnx"])
def test_a_format_that_is_asked_for_twice_is_made_once(run, stand_ins, capsys, formats):
    calls = stand_ins()
    code, _, error = cli(capsys, "build", run, "--formats", formats)
    assert code == 0, error
    asked = list(dict.fromkeys(formats.replace(" ", "").split(",")))
    assert kept(run / "bundle")[0] == asked
    assert [format for module, format in calls if module == "export.convert"] == asked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--formats", "tflite,coreml"], "unknown format 'coreml'; choose from saved_model, tflite, onnx"),
        (["--formats", "TFLite"], "unknown format 'TFLite'; choose from saved_model, tflite, onnx"),
        (["--formats", ""], "unknown format ''; choose from saved_model, tflite, onnx"),
        (
            ["--precision", "int3"],
            "unknown precision 'int3'; choose from float32, float16, dynamic_int8, int8, int16x8",
        ),
    ],
)
def test_unknown_names_are_refused_before_any_work(run, stand_ins, capsys, arguments, message):
    calls, before = stand_ins(), listing(run)
    assert cli(capsys, "build", run, *arguments) == (1, "", f"export build: {message}\n")
    assert not calls and listing(run) == before


def test_no_format_at_all_is_refused(run):
    with pytest.raises(ValueError, match="no format was given; choose from saved_model, tflite, onnx"):
        build_bundle.build(run, formats=())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", "{", "config.json is damaged"),
        ("config.json", "{}", "config.json has no task with a name"),
        ("config.json", '{"task": {"name": "x", "limits": {"source": "11", "target": 13}}}', "wanted whole numbers"),
        ("config.json", '{"task": {"name": "x", "kind": "guess", "limits": {}}}', "wanted generate, classify or tag"),
        ("results.json", "\x00", "results.json is damaged"),
        ("results.json", "[]", "results.json is damaged (it holds a list)"),
    ],
)
def test_a_damaged_run_is_refused_in_one_line(run, stand_ins, capsys, name, content, message):
    calls = stand_ins()
    (run / name).write_text(content, encoding="utf-8")
    before = listing(run)
    code, _, error = cli(capsys, "build", run)
    assert code == 1 and message in error and error.endswith("train the run again\n") and error.count("\n") == 1
    assert not calls and listing(run) == before


@pytest.mark.parametrize("name", ["model.keras", "results.json", "source.tokenizer.json", "test.tsv"])
def test_an_unfinished_run_is_refused_with_what_it_lacks(run, stand_ins, capsys, name):
    stand_ins()
    (run / name).unlink()
    before = listing(run)
    code, _, error = cli(capsys, "build", run)
    assert code == 1 and f"{run} has no {name}: " in error and error.count("\n") == 1
    assert listing(run) == before


def test_a_stopped_build_says_so_and_leaves_nothing(run, monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(children, "call", stop)
    before = listing(run)
    assert cli(capsys, "build", run)[::2] == (130, "export build: stopped; nothing was written\n")
    assert listing(run) == before


def edit_manifest(bundle, **changes):
    path = bundle / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def outside(bundle):
    (bundle.parent / "secret").write_text("secret", encoding="utf-8")
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    edit_manifest(bundle, files={**manifest["files"], "../secret": {"bytes": 6, "sha256": "0" * 64}})


DAMAGE = {
    "manifest.json": lambda bundle: (bundle / "manifest.json").unlink(),
    "../secret": outside,
    "model.float32.tflite": lambda bundle: (bundle / "model.float32.tflite").write_bytes(b"TFL3"),
    "schema_version": lambda bundle: edit_manifest(bundle, schema_version=99),
    "samples.json": lambda bundle: None,  # the toy bundle has none
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_bundle_that_cannot_be_verified_is_named_in_one_line_and_left_as_it_is(toy, capsys, name):
    DAMAGE[name](toy)
    before = listing(toy.parent)
    code, _, error = cli(capsys, "verify", toy)
    assert code == 1 and error.startswith("export verify: ") and name in error and error.count("\n") == 1
    assert listing(toy.parent) == before


@pytest.mark.parametrize("place", ["nowhere", "a folder", "a file"])
def test_what_is_no_bundle_cannot_be_verified(tmp_path, capsys, place):
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").write_text("text", encoding="utf-8")
    code, _, error = cli(capsys, "verify", tmp_path / place)
    assert code == 1 and error.startswith("export verify: ") and place in error and error.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["sell"], ["build"], ["build", "x", "--timeout", "soon"]])
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        command_line.main(arguments)
    assert "usage: python -m export" in capsys.readouterr().err


def test_a_file_that_a_runtime_cannot_load_is_refused(run, stand_ins, monkeypatch, capsys):
    stand_ins()
    working = children.call

    def call(module, task, *, what, timeout):
        if module == "export.runtimes":
            return {"loads": False, "runs": False, "reason": "it says no"}
        return working(module, task, what=what, timeout=timeout)

    monkeypatch.setattr(children, "call", call)
    code, out, _ = cli(capsys, "build", run)
    assert code == 1 and "CompiledModel: it says no; leave the artefact out with --formats" in out
    assert kept(run / "bundle")[0] == ["saved_model", "onnx"]
    report = json.loads((run / "bundle" / "verification.json").read_text(encoding="utf-8"))
    assert [entry.get("error") for entry in report["artefacts"]] == [None, "LoadError", None]


def test_what_a_crashed_conversion_leaves_does_not_ship(run, stand_ins, monkeypatch, capsys):
    stand_ins(tflite="conversion")
    working = children.call

    def call(module, task, *, what, timeout):
        if module == "export.convert" and task["format"] == "tflite":
            Path(task["path"]).with_name(".quantised-x").mkdir()
        return working(module, task, what=what, timeout=timeout)

    monkeypatch.setattr(children, "call", call)
    assert cli(capsys, "build", run)[0] == 1
    assert not [name for name in listing(run / "bundle") if name.startswith(".quantised")]


def test_a_second_build_says_which_bytes_changed(run, stand_ins, capsys):
    stand_ins()
    cli(capsys, "build", run)
    (run / "source.tokenizer.json").touch()
    code, out, _ = cli(capsys, "build", run)
    assert code == 0 and "model.float32.tflite: the same bytes as in the bundle before" in out
    manifest = json.loads((run / "bundle" / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["model.float32.tflite"]["sha256"] = "0" * 64
    (run / "bundle" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    _, out, _ = cli(capsys, "build", run)
    assert "model.float32.tflite: other bytes than in the bundle before, in model.float32.tflite" in out


def test_files_that_came_or_went_are_told_too(run, stand_ins, capsys):
    stand_ins()
    cli(capsys, "build", run, "--formats", "tflite,onnx")
    bundle = run / "bundle"
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["onnx.float32/generate_beam.onnx"] = manifest["files"].pop("onnx.float32/weights.bin")
    onnx = manifest["artefacts"][1]
    onnx["files"] = ["onnx.float32/generate.onnx", "onnx.float32/generate_beam.onnx"]
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    _, out, _ = cli(capsys, "build", run, "--formats", "onnx,saved_model")
    changed = "onnx.float32/weights.bin, onnx.float32/generate_beam.onnx"
    assert f"onnx.float32: other bytes than in the bundle before, in {changed}\n" in out
    assert "saved_model: was not in the bundle before\n" in out
    assert "model.float32.tflite: was in the bundle before and is not in this one\n" in out
