"""Runs one piece of work in a process of its own: converters and runtimes can crash, hang and leak."""

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from export import errors
from export.bundle import disk_error
from export.errors import ChildError, DiskError, ExportError, TimeError

_LAST_LINES = 12
# Libraries in C++ say in their own errors what an `OSError` would have said.
_FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))


def call(module, task, *, what, timeout):
    """Runs `python -m module` on a task, and returns its answer.

    The child gets the name of a JSON file with the task and writes its answer beside it; see `answer`.

    Args:
        module: str, name of the module to run.
        task: dict that JSON can hold.
        what: str, what the child does, for messages.
        timeout: float, seconds.

    Returns:
        The child's answer.

    Raises:
        ChildError: if the child fails or crashes; a `TimeError` if it takes longer.
        DiskError: if it found the disk full.
        ExportError: of the child's own kind (`export.errors`), if it refuses.
    """
    # No GPU for the child: a model traced on one exports cuDNN operators, which nothing converts.
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
    home = str(Path(__file__).resolve().parent.parent)
    # Converters name things in the order of sets: the same bytes each time want the same order.
    environment["PYTHONHASHSEED"] = "0"
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryDirectory() as folder:
        task_file = Path(folder, "task.json")
        task_file.write_text(json.dumps(task), encoding="utf-8")
        command = [sys.executable, "-m", module, str(task_file)]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, encoding="utf-8", errors="replace", timeout=timeout
            )
        except subprocess.TimeoutExpired:
            raise TimeError(f"{what} took longer than {timeout:g} s; give it more with --timeout") from None
        answer_file = Path(folder, "answer.json")
        if done.returncode == 0 and answer_file.exists():
            said = json.loads(answer_file.read_text(encoding="utf-8"))
            if "refused" in said:
                raise getattr(errors, said["kind"])(f"{what}: {said['refused']}")
            return said["result"]
    full = [line.strip() for line in done.stderr.splitlines() if any(text in line for text in _FULL)]
    if full:
        raise DiskError(f"{what}: {full[-1]}; make room there")
    raise ChildError(f"{what} {_why(done)}")


def answer(work):
    """The child's side of `call`: reads the task, does the work and writes what it returns, or why it refuses."""
    task_file = Path(sys.argv[1])
    task = json.loads(task_file.read_text(encoding="utf-8"))
    try:
        said = {"result": work(**task)}
    except ExportError as error:
        said = {"refused": str(error), "kind": type(error).__name__}
    except OSError as error:
        refusal = disk_error(error, elsewhere="")
        said = {"refused": str(refusal if isinstance(refusal, DiskError) else error), "kind": type(refusal).__name__}
    except ValueError as error:
        said = {"refused": str(error), "kind": "ExportError"}
    task_file.with_name("answer.json").write_text(json.dumps(said), encoding="utf-8")


def _why(done):
    if done.returncode < 0:
        return f"crashed ({_signal_name(-done.returncode)}). {_tail(done.stderr)}"
    return f"failed: {_tail(done.stderr)}"


def _signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has a number alone
        return f"signal {number}"


def _tail(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-_LAST_LINES:]) or "it printed nothing"
