"""What stops a build, a matrix or a benchmark, what is left then and what is said. Its stand-ins are in conftest.py."""

import json
import shutil

import pytest

from export import __main__ as command_line
from export import benchmark_bundle, build_bundle, children, errors, matrix
from export import bundle as bundles
from keras_seq.plots import bars as plots


def cli(capsys, *arguments):
    code = command_line.main(list(map(str, arguments)))
    return code, *capsys.readouterr()


def listing(folder):
    return {str(path.relative_to(folder)): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def kept(bundle):
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    return [artefact["format"] for artefact in manifest["artefacts"]], set(manifest["files"])


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
        and f"/x: the disk is full; make room there. Files are written in {run} and " in error
        and error.endswith("; nothing was written\n")
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
def test_a_benchmark_is_text_json_and_a_plot(measured, monkeypatch, capsys, tmp_path, given):
    folder, plotted, bars = tmp_path / "out" if given else measured, [], plots.bars
    monkeypatch.setattr(
        plots,
        "bars",
        lambda path, names, measures, *rest: plotted.extend(measures) or bars(path, names, measures, *rest),
    )
    code, out, error = cli(capsys, "benchmark", measured, *(["--out", folder] if given else []), "--threads", 3)
    assert code == 0 and not error
    assert {path.name for path in folder.iterdir()} >= set(benchmark_bundle.WRITTEN)
    text = (folder / "benchmark.txt").read_text(encoding="utf-8")
    assert text in out and " 0.25 ms " in text and f"wrote {', '.join(benchmark_bundle.WRITTEN)} in {folder}" in out
    rows = json.loads((folder / "benchmark.json").read_text(encoding="utf-8"))["rows"]
    assert [(row["format"], row["threads"]) for row in rows] == [("saved_model", 3), ("tflite", 3), ("onnx", 3)]
    assert plotted == ["size, MB", "one input, ms", "peak memory, MB", "exact match, %"]
    assert (folder / "benchmark.png").read_bytes()[:4] == b"\x89PNG"
    bundles.verify_checksums(measured)


def test_no_threads_are_refused(measured, capsys):
    before = listing(measured)
    code, out, error = cli(capsys, "benchmark", measured, "--threads", 1, 0)
    assert (code, out, error) == (1, "", "export benchmark: threads=0 is too few; wanted 1 or more\n")
    assert listing(measured) == before
