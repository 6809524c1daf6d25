"""`python -m export`: what becomes of the artefacts that pass and of those that do not, and what is said of bad input.

The children are stand-ins here, so that every outcome takes milliseconds; tests/export/test_build.py has the real ones.
"""

import json
import shutil
from pathlib import Path

import pytest

from export import ExportError, benchmark_bundle, build_bundle, children, errors, matrix
from export import __main__ as command_line
from export import bundle as bundles
from export.convert import artefact_name
from keras_seq.data.tokenizer import Tokenizer

LIMITS = {"source": 11, "target": 13}
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
        ("config.json", {"task": {"name": "tiny", "limits": LIMITS}}),
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


def fail_in(monkeypatch, module, format, error):
    """One child of one format fails so; the others are the stand-ins."""
    working = children.call

    def call(name, task, *, what, timeout):
        if (name, task.get("format")) == (module, format):
            raise error
        return working(name, task, what=what, timeout=timeout)

    monkeypatch.setattr(children, "call", call)


@pytest.mark.parametrize("module", ["export.convert", "export.prove", "export.runtimes", "export.measure"])
@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_in_any_child_stops_the_build_and_leaves_what_was_there(
    run, stand_ins, monkeypatch, capsys, module, there
):
    stand_ins()
    if there:
        cli(capsys, "build", run)
    before = listing(run)
    format = None if module == "export.runtimes" else "tflite"
    fail_in(monkeypatch, module, format, errors.DiskError("/x: the disk is full; make room there"))
    code, out, error = cli(capsys, "build", run)
    assert (
        code == 1
        and error.endswith("/x: the disk is full; make room there; nothing was written\n")
        and "REFUSED" not in out
    )
    assert listing(run) == before


def test_what_took_too_long_is_refused_but_not_where_the_older_bundle_has_it(run, stand_ins, monkeypatch, capsys):
    stand_ins()
    cli(capsys, "build", run, "--formats", "tflite")
    before = listing(run / "bundle")
    fail_in(monkeypatch, "export.convert", "tflite", errors.TimeError("tflite float32: took longer than 3 s"))
    code, _, error = cli(capsys, "build", run)
    assert code == 1 and "took longer than 3 s. The bundle that is there has this artefact, so it stays" in error
    assert listing(run / "bundle") == before
    code, out, _ = cli(capsys, "build", run, "--out", run.parent / "other")
    assert code == 1 and "REFUSED: tflite float32: took longer than 3 s" in out
    assert kept(run.parent / "other")[0] == ["saved_model", "onnx"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--beam", "0"], "beams=0 is too few; wanted 1 or more, or leave --beam out"),
        (["--profile", "fast"], "profile 'fast' is not known; choose from portable, interpreter"),
    ],
)
def test_options_that_mean_nothing_are_refused_before_any_work(run, stand_ins, capsys, arguments, message):
    calls = stand_ins()
    assert cli(capsys, "build", run, *arguments) == (1, "", f"export build: {message}\n")
    assert not calls


def test_the_interpreter_profile_is_told_to_tflite_alone_and_named_in_the_manifest(run, stand_ins, monkeypatch, capsys):
    stand_ins()
    told, working = {}, children.call

    def call(module, task, *, what, timeout):
        told[module, task.get("format")] = task.get("profile")
        if module == "export.runtimes":
            return {"loads": False, "runs": False, "reason": "variable tensors"}
        return working(module, task, what=what, timeout=timeout)

    monkeypatch.setattr(children, "call", call)
    code, _, error = cli(capsys, "build", run, "--profile", "interpreter")
    assert code == 0, error
    assert {key: value for key, value in told.items() if value and key[0] == "export.convert"} == {
        ("export.convert", "tflite"): "interpreter"
    }
    assert told["export.prove", "tflite"] == "interpreter" and told["export.prove", "onnx"] == "portable"
    manifest = json.loads((run / "bundle" / "manifest.json").read_text(encoding="utf-8"))
    assert [artefact.get("profile") for artefact in manifest["artefacts"]] == [None, "interpreter", None]
    assert manifest["ship"]["browser"]["path"] == "onnx.float32"


def test_a_stopped_matrix_says_which_rows_are_written(run, stand_ins, monkeypatch, capsys, tmp_path):
    stand_ins()
    build = build_bundle.build

    def stop_at_the_second(run, *rest, **options):
        if "second" in str(run):
            raise KeyboardInterrupt
        return build(run, *rest, **options)

    monkeypatch.setattr(matrix.build_bundle, "build", stop_at_the_second)
    monkeypatch.setattr(matrix, "PRECISIONS", {format: ("float32",) for format in build_bundle.FORMATS})
    second = shutil.copytree(run, tmp_path / "second")
    out = tmp_path / "deep" / "rows.json"
    code, _, error = cli(capsys, "matrix", run, second, "--out", out)
    assert (code, error) == (130, f"export matrix: stopped; {out} has the rows of run\n")
    assert len(json.loads(out.read_text(encoding="utf-8"))["rows"]) == 4
    code, _, error = cli(capsys, "matrix", second, run)
    assert (code, error) == (130, "export matrix: stopped; nothing was written\n")


def test_a_disk_that_cannot_be_written_is_mended_otherwise_where_there_is_no_out(monkeypatch, capsys, toy):
    from export import verify_bundle

    def fail(*_, **__):
        raise PermissionError(13, "Permission denied", "/tmp/x")

    monkeypatch.setattr(verify_bundle, "verify", fail)
    assert cli(capsys, "verify", toy)[::2] == (
        1, "export verify: /tmp/x: Permission denied; mend that; nothing was written\n",
    )  # fmt: skip


@pytest.fixture
def measured(run, stand_ins, monkeypatch, capsys):
    """A bundle whose artefacts take no time to measure."""
    stand_ins()
    cli(capsys, "build", run)
    found = {"load_ms": 1.0, "median_ms": 0.25, "worst_ms": 0.5, "memory_bytes": 3_000_000, "memory_is": "peak"}
    monkeypatch.setattr(children, "call", lambda *_, **__: found)
    return run / "bundle"


@pytest.mark.parametrize("given", [True, False])
def test_a_benchmark_is_text_json_and_a_plot(measured, capsys, tmp_path, given):
    folder = tmp_path / "out" if given else measured
    code, out, error = cli(capsys, "benchmark", measured, *(["--out", folder] if given else []), "--threads", 3)
    assert code == 0 and not error
    assert {path.name for path in folder.iterdir()} >= set(benchmark_bundle.WRITTEN)
    text = (folder / "benchmark.txt").read_text(encoding="utf-8")
    assert text in out and " 0.25 ms " in text and f"wrote {', '.join(benchmark_bundle.WRITTEN)} in {folder}" in out
    rows = json.loads((folder / "benchmark.json").read_text(encoding="utf-8"))["rows"]
    assert [(row["format"], row["threads"]) for row in rows] == [("saved_model", 3), ("tflite", 3), ("onnx", 3)]
    assert (folder / "benchmark.png").read_bytes()[:4] == b"\x89PNG"
    bundles.verify_checksums(measured)


def test_no_threads_are_refused(measured, capsys):
    before = listing(measured)
    code, out, error = cli(capsys, "benchmark", measured, "--threads", 1, 0)
    assert (code, out, error) == (1, "", "export benchmark: threads=0 is too few; wanted 1 or more\n")
    assert listing(measured) == before


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
