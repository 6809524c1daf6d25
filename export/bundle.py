"""The folder that ships: written whole or not at all, with a checksum of every file.

    with Staging("runs/dates/bundle") as folder:      a new folder beside the target
        ...                                           fill it
        write_manifest(folder, manifest)              last: it has the checksums of all the others
                                                      here the folder takes the target's place

How a bundle is read is in `export.runtime`.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from export import runtime
from export.errors import DiskError, ExportError
from keras_seq.whole_file import whole_file

MANIFEST = "manifest.json"
# Written by whoever verifies, so no part of what is verified.
REPORTS = ("verification.json", "verification.md")
RUNTIME = "keras_seq_runtime"
_RUN = f'''"""Runs this bundle: `python run.py TEXT ...`, or `import run; run.load(".")`. See README.md."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))  # wherever it is started from

from {RUNTIME} import *  # noqa: E402, F403
from {RUNTIME} import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(FOLDER))
'''
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than the system allows",
    errno.EROFS: "the disk is read-only",
}
_MEND = {errno.EROFS: "mend that", errno.EFBIG: "mend that"}
ELSEWHERE = "choose another place with --out"


class Staging:
    """A new folder that takes a bundle's place when all went well.

    On an error or Ctrl-C the folder is removed and what was at the target stays as it was. What a killed process has
    left beside the target is cleared away by the next one.

    Args:
        target: str or path of the bundle to write. Folders above it are made.

    Yields:
        `pathlib.Path` of an empty folder on the target's file system.

    Raises:
        DiskError: if the disk is full.
        ExportError: if there is something at the target that is not a bundle, or it cannot be written to.
    """

    def __init__(self, target):
        self.target = Path(target).resolve()
        self._prefix = f".{self.target.name}.unfinished-"
        self._home, self._lock, self._made = None, None, []

    def __enter__(self):
        try:
            _check_replaceable(self.target)
            self._make_parents()
            self._clear_leftovers()
            self._home = Path(tempfile.mkdtemp(prefix=self._prefix, dir=self.target.parent))
            self._lock = _lock(self._home)
            (self._home / "new").mkdir()
        except OSError as error:
            self._clean()
            raise disk_error(error) from error
        return self._home / "new"

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self._swap()
        except OSError as failure:
            raise disk_error(failure) from failure
        finally:
            self._clean()
        if isinstance(error, OSError) and error.errno in _FULL:
            error = disk_error(error)
        if isinstance(error, DiskError):  # which often does not know the file
            places = " and ".join(dict.fromkeys((str(self.target.parent), tempfile.gettempdir())))
            raise DiskError(f"{error}. Files are written in {places}") from error

    def _clean(self):
        if self._home and (self.target.exists() or not (self._home / "old").exists()):
            shutil.rmtree(self._home, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
        if not self.target.exists():
            with contextlib.suppress(OSError):
                while self._made:
                    self._made.pop().rmdir()

    def _swap(self):
        old = self._home / "old"
        try:
            if self.target.exists():
                os.rename(self.target, old)
            os.rename(self._home / "new", self.target)
        except BaseException:  # Ctrl-C between the two as well
            if old.exists() and not self.target.exists():
                os.rename(old, self.target)
            raise

    def _clear_leftovers(self):
        """Removes the folders of killed processes; one killed between the two renames has left the old bundle in it."""
        for home in self.target.parent.iterdir():
            if not home.name.startswith(self._prefix) or (lock := _lock(home)) is None:  # its process is alive
                continue
            if (home / "old").exists() and not self.target.exists():
                os.rename(home / "old", self.target)
            shutil.rmtree(home, ignore_errors=True)
            os.close(lock)

    def _make_parents(self):
        missing = [parent for parent in self.target.parents if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir()
            self._made.append(parent)


def _lock(folder):
    """An open descriptor that holds the folder's lock until it is closed or the process ends; None if there is none."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # another process has just removed it
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process has it, or this file system has no locks: then nothing is ever cleared
        os.close(descriptor)
        return None
    return descriptor


def _check_replaceable(target):
    if not target.exists():
        return
    if not target.is_dir():
        raise ExportError(f"{target} is a file, wanted a folder for the bundle; choose another --out")
    manifest = target / MANIFEST
    # A damaged manifest is replaced as well; that of something else, such as a web page's, is not.
    ours = manifest.is_file() and (b'"schema_version"' in manifest.read_bytes() or (target / "run.py").is_file())
    if any(target.iterdir()) and not ours:
        raise ExportError(
            f"{target} has files in it and is not a bundle, so it is not replaced; choose another --out, or remove it"
        )


def sha256_of(path):
    """The file's SHA-256, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_of(folder, name="."):
    """Names of the files at or under `folder/name`, relative to `folder`, sorted, with "/" on every system."""
    folder = Path(folder)
    start = folder / name
    files = [start] if start.is_file() else (path for path in start.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)


def remove(path):
    """Removes a file or a folder with all that is in it, if it is there."""
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_json(path, data):
    """Writes data as JSON for people to read, whole or not at all."""
    with whole_file(path) as temporary:
        text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def copy_runtime(folder):
    """Puts what runs a bundle into it: `run.py`, and a copy of `export.runtime`.

    Args:
        folder: path of the bundle.
    """
    (Path(folder) / "run.py").write_text(_RUN, encoding="utf-8")
    home = Path(folder) / RUNTIME
    home.mkdir(exist_ok=True)
    for module in Path(runtime.__file__).parent.glob("*.py"):
        shutil.copyfile(module, home / module.name)


def write_manifest(folder, manifest):
    """Writes `manifest.json` with the size and checksum of every other file in the folder.

    Args:
        folder: path of the bundle, complete but for its manifest.
        manifest: dict; its "files" is filled in.

    Returns:
        dict, the manifest as written.

    Raises:
        BundleError: if the manifest is not one that `export.runtime` would read.
    """
    folder = Path(folder)
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
        for name in files_of(folder)
        if name not in (MANIFEST, *REPORTS)
    }
    write_json(folder / MANIFEST, {**manifest, "files": files})
    return runtime.read_manifest(folder)


def verify_checksums(folder):
    """Compares every file of a bundle with the manifest.

    Args:
        folder: path of the bundle.

    Returns:
        dict, the manifest.

    Raises:
        BundleError: naming the first file that is missing, truncated or changed.
    """
    folder = Path(folder)
    manifest = runtime.read_manifest(folder)
    for name, entry in manifest["files"].items():
        runtime.check_file(folder, name, entry)
    return manifest


def disk_message(error, elsewhere=ELSEWHERE):
    """What an `OSError` means for somebody who exports, and what to do.

    Args:
        error: OSError.
        elsewhere: str, what to do other than to mend it; "" where there is nothing.

    Returns:
        str.
    """
    path = error.filename2 or error.filename
    where = f"{path}: " if path else ""
    or_else = f", or {elsewhere}" if elsewhere else ""
    if error.errno in _FULL:
        return f"{where}{_FULL[error.errno]}; {_MEND.get(error.errno, 'make room there')}{or_else}"
    return f"{where}{error.strerror or error}; mend that{or_else}"


def disk_error(error, elsewhere=ELSEWHERE):
    """The `ExportError` of an `OSError`: a `DiskError` where the disk is full. Arguments as of `disk_message`."""
    return (DiskError if error.errno in _FULL else ExportError)(disk_message(error, elsewhere))
