"""Writing a bundle: whole or not at all, with checksums; what is in its way is left alone."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from export import bundle as bundles
from export import runtime
from export.bundle import Staging
from export.errors import DiskError, ExportError

ROOT = Path(bundles.__file__).parent.parent


def contents(folder):
    """Every file under a folder with what is in it, the staging folders included."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fill(folder, text="new"):
    (folder / "manifest.json").write_text(json.dumps({"schema_version": 1, "text": text}))
    (folder / "onnx.float32").mkdir()
    (folder / "onnx.float32" / "weights.bin").write_text(text)


def test_a_new_bundle_appears_whole(tmp_path):
    target = tmp_path / "deep" / "er" / "bundle"
    with Staging(target) as folder:
        fill(folder)
        assert not target.exists() and folder.stat().st_dev == tmp_path.stat().st_dev
    assert (target / "onnx.float32" / "weights.bin").read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["bundle"]
    assert target.stat().st_mode == target.parent.stat().st_mode  # others may read it as they may its parent


def test_an_old_bundle_is_replaced_whole(tmp_path, toy):
    with Staging(toy) as folder:
        fill(folder)
        assert (toy / "model.float32.tflite").exists()
    assert sorted(contents(tmp_path)) == ["bundle/manifest.json", "bundle/onnx.float32/weights.bin"]


def test_a_link_to_a_bundle_stays_a_link(tmp_path, toy):
    (tmp_path / "link").symlink_to(toy)
    with Staging(tmp_path / "link") as folder:
        fill(folder)
    assert (tmp_path / "link").is_symlink() and (toy / "onnx.float32" / "weights.bin").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_nothing_behind_and_the_old_bundle_as_it_was(tmp_path, toy, error):
    before = contents(tmp_path)
    with pytest.raises(error), Staging(toy) as folder:
        fill(folder)
        raise error
    assert contents(tmp_path) == before
    with pytest.raises(error), Staging(tmp_path / "other" / "bundle") as folder:
        fill(folder)
        raise error
    assert contents(tmp_path) == before and not (tmp_path / "other").exists()


def fail_renames(monkeypatch, failing):
    calls, rename = [], os.rename

    def fail(source, target):
        calls.append(source)
        if len(calls) in failing:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(target))
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failing_rename_puts_the_old_bundle_back(tmp_path, toy, monkeypatch, failing):
    before = contents(tmp_path)
    fail_renames(monkeypatch, {failing})
    with pytest.raises(ExportError, match="Device or resource busy; mend that"), Staging(toy) as folder:
        fill(folder)
    assert contents(tmp_path) == before


def test_an_old_bundle_that_cannot_be_put_back_is_kept_for_the_next(tmp_path, toy, monkeypatch):
    before = contents(tmp_path)
    fail_renames(monkeypatch, {2, 3})
    with pytest.raises(ExportError, match="Device or resource busy"), Staging(toy) as folder:
        fill(folder)
    monkeypatch.undo()
    assert not toy.exists()
    with pytest.raises(RuntimeError), Staging(toy):
        raise RuntimeError
    assert contents(tmp_path) == before


def test_what_is_no_bundle_is_not_replaced(tmp_path):
    (tmp_path / "file").write_text("mine")
    for name, files in {"notes": {"a.txt": "mine"}, "page": {"manifest.json": '{"name": "web page"}'}}.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    before = contents(tmp_path)
    for name, message in (
        ("file", "file is a file, wanted a folder for the bundle; choose another --out"),
        ("notes", "notes has files in it and is not a bundle, so it is not replaced; choose another --out, or remove"),
        ("page", "page has files in it and is not a bundle"),
    ):
        with pytest.raises(ExportError, match=message), Staging(tmp_path / name):
            raise AssertionError("not reached")
    assert contents(tmp_path) == before


def test_an_empty_folder_and_a_damaged_bundle_are_replaced(tmp_path, toy):
    (tmp_path / "empty").mkdir()
    (toy / "manifest.json").write_bytes(b"")
    for target in (tmp_path / "empty", toy):
        with Staging(target) as folder:
            fill(folder)
        assert bundles.files_of(target) == ["manifest.json", "onnx.float32/weights.bin"]


def test_a_parent_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExportError, match="file"), Staging(tmp_path / "file" / "bundle"):
        raise AssertionError("not reached")
    assert contents(tmp_path) == {"file": b"mine"}


KILLED = """
import os, signal, sys, time
from export import bundle
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
with bundle.Staging(sys.argv[1]) as folder:
    (folder / "half").write_text("half")
    if sys.argv[2] == "between":
        rename = os.rename
        os.rename = lambda source, target: (rename(source, target), print("ready", flush=True), time.sleep(60))
    else:
        print("ready", flush=True), time.sleep(60)
"""


@pytest.mark.parametrize("when", ["filling", "between"])
def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path, toy, when):
    """Even when it was killed between the two renames: the old bundle is put back first."""
    before = contents(toy)
    process = subprocess.Popen([sys.executable, "-c", KILLED, toy, when], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout.readline() == b"ready\n"
    alive = set(tmp_path.iterdir())
    if when == "filling":
        with pytest.raises(RuntimeError), Staging(toy):
            raise RuntimeError
        assert set(tmp_path.iterdir()) == alive  # a living process keeps its folder
    process.kill()
    process.wait()
    process.stdout.close()
    with pytest.raises(RuntimeError), Staging(toy):
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"] and contents(toy) == before


def test_ctrl_c_from_outside_leaves_nothing(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path / "bundle", "filling"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(30)
    process.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, toy, monkeypatch):
    before = contents(tmp_path)

    def full(self, *_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "write_text", full)
    message = "the disk is full; make room there, or choose another place with --out"
    with pytest.raises(DiskError, match=message), Staging(toy) as folder:
        bundles.write_json(folder / "samples.json", [])
    monkeypatch.undo()
    assert contents(tmp_path) == before


def test_a_file_larger_than_allowed_is_said_and_leaves_nothing(tmp_path):
    """A real failing write: the process may not write more than 64 KiB to a file."""
    program = (
        "import resource, sys; from export.bundle import Staging\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))\n"
        "with Staging(sys.argv[1]) as folder: (folder / 'weights.bin').write_bytes(bytes(1 << 20))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "bundle"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "DiskError: the file is larger than the system allows" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_disk_message_names_the_place_and_the_mending():
    error = OSError(errno.ENOSPC, "No space left on device", "runs/x/model.tflite", None, "bundle/model.tflite")
    full = "bundle/model.tflite: the disk is full; make room there"
    assert bundles.disk_message(error) == f"{full}, or choose another place with --out"
    assert bundles.disk_message(error, elsewhere="") == full and type(bundles.disk_error(error)) is DiskError
    error = PermissionError(errno.EACCES, "Permission denied", "/somewhere/x")
    assert (
        bundles.disk_message(error) == "/somewhere/x: Permission denied; mend that, or choose another place with --out"
    )
    assert type(bundles.disk_error(error)) is ExportError
    assert bundles.disk_message(OSError("odd")) == "odd; mend that, or choose another place with --out"


def test_write_json_is_readable_and_whole(tmp_path):
    path = tmp_path / "samples.json"
    bundles.write_json(path, {"text": "9月"})
    assert path.read_text(encoding="utf-8") == '{\n "text": "9月"\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        bundles.write_json(path, {"score": float("nan")})
    assert path.read_text(encoding="utf-8").startswith('{\n "text"') and len(list(tmp_path.iterdir())) == 1


def test_sha256_of_is_the_published_one(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert bundles.sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_manifest_lists_every_other_file(toy):
    manifest = runtime.read_manifest(toy)
    assert set(manifest["files"]) == set(contents(toy)) - {"manifest.json"}
    copied = f"{bundles.RUNTIME}/__init__.py"
    assert manifest["files"][copied]["bytes"] == Path(runtime.__file__).stat().st_size
    assert bundles.verify_checksums(toy) == manifest


def test_a_manifest_that_could_not_be_read_is_not_written_as_good(toy):
    manifest = runtime.read_manifest(toy)
    with pytest.raises(runtime.BundleError, match="limits.target is 0; wanted 1 to"):
        bundles.write_manifest(toy, manifest | {"limits": {"source": 5, "target": 0}})
    (toy / "onnx.float32" / "weights.bin").unlink()
    with pytest.raises(runtime.BundleError, match="weights.bin' has no checksum"):
        bundles.write_manifest(toy, manifest)


@pytest.mark.parametrize("name", ["README.md", "run.py", "onnx.float32/weights.bin", "target.tokenizer.json"])
def test_verify_checksums_finds_any_changed_file(toy, name):
    data = (toy / name).read_bytes()
    (toy / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(runtime.BundleError, match=f"{name} is not the file that was built"):
        bundles.verify_checksums(toy)
    (toy / name).unlink()
    with pytest.raises(runtime.BundleError, match=f"{name} is missing"):
        bundles.verify_checksums(toy)


def test_files_of_and_remove(toy):
    assert bundles.files_of(toy, "onnx.float32") == ["onnx.float32/generate.onnx", "onnx.float32/weights.bin"]
    assert bundles.files_of(toy, "run.py") == ["run.py"]
    for name in ("onnx.float32", "run.py", "nothing"):
        bundles.remove(toy / name)
        assert bundles.files_of(toy, name) == []


def test_bundle_imports_without_tensorflow():
    program = "import sys, export.bundle; assert not {'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60).returncode == 0


@pytest.mark.parametrize("picture", [{}, {"height": 2, "width": 2, "channels": 1}])
def test_a_picture_in_a_manifest_of_texts_lets_no_vocabulary_through(toy, picture):
    manifest = json.loads((toy / "manifest.json").read_text(encoding="utf-8"))
    manifest |= {"picture": picture, "vocabularies": {"source": "../outside", "target": "target.tokenizer.json"}}
    (toy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(runtime.BundleError, match="outside"):
        runtime.read_manifest(toy)
