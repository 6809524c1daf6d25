"""Work in a process of its own: whatever becomes of the child, the parent gets an answer or an ExportError."""

import os
import signal
import sys
import tempfile

import pytest

from export import ExportError, children, errors


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Runs a module with the given code as the child."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    def call(code, timeout=60, **task):
        (tmp_path / "modules" / "stand_in.py").write_text(code, encoding="utf-8")
        try:
            return children.call("stand_in", task, what="conversion", timeout=timeout)
        finally:
            assert not list((tmp_path / "temporary").iterdir()), "the task's folder must go, whatever happened"

    return call


def test_the_answer_is_what_the_work_returned(child):
    code = "from export import children\nchildren.answer(lambda a, text: {'sum': a + 1, 'text': text})"
    assert child(code, a=4, text="二〇 é") == {"sum": 5, "text": "二〇 é"}


@pytest.mark.parametrize("error", ["ValueError('no kernel')", "OSError(2, 'No such file')", "ExportError('late')"])
def test_a_refusal_comes_back_as_one_line_without_a_traceback(child, error):
    names = "from export.children import answer\nfrom export.errors import ExportError\n"
    code = names + f"def work():\n    raise {error}\nanswer(work)"
    with pytest.raises(ExportError, match=r"^conversion: .*(no kernel|No such file|late)$"):
        child(code)


def test_a_refusal_keeps_its_kind(child):
    names = "from export.children import answer\nfrom export.errors import NumbersError\n"
    with pytest.raises(errors.NumbersError, match="^conversion: 0.3 off$"):
        child(names + "def work():\n    raise NumbersError('0.3 off')\nanswer(work)")


@pytest.mark.parametrize(
    "work",
    [
        "raise OSError(28, 'No space left on device', 'model.tflite')",
        "raise RuntimeError('RESOURCE_EXHAUSTED: model.tflite; No space left on device')",  # as libraries in C++ say it
    ],
)
def test_a_full_disk_is_known_from_other_failures(child, work):
    code = f"from export.children import answer\ndef work():\n    {work}\nanswer(work)"
    message = "^conversion: .*model.tflite.*(the disk is full|No space left on device); make room there$"
    with pytest.raises(errors.DiskError, match=message):
        child(code)


def test_any_other_exception_shows_its_last_lines(child):
    code = "from export import children\ndef work():\n    raise KeyError('lost')\nchildren.answer(work)"
    with pytest.raises(ExportError, match=r"(?s)^conversion failed: .*KeyError: 'lost'$"):
        child(code)


def test_only_the_last_lines_are_shown(child):
    with pytest.raises(ExportError) as caught:
        child("import sys\nfor i in range(500): print('line', i, file=sys.stderr)\nsys.exit(3)")
    assert str(caught.value).splitlines()[0] == "conversion failed: line 488" and "line 499" in str(caught.value)


def test_a_child_that_says_nothing_is_an_error(child):
    with pytest.raises(ExportError, match="conversion failed: it printed nothing"):
        child("pass")


def test_last_words_that_are_not_text_are_shown_as_far_as_they_are(child):
    """A native library may die with anything on its lips."""
    with pytest.raises(ExportError, match="conversion failed: bad \N{REPLACEMENT CHARACTER}+ bytes"):
        child("import os\nos.write(2, b'bad \\xff\\xfe bytes\\n')\nos._exit(3)")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGRTMIN + 6])
def test_a_child_that_is_killed_is_an_error_with_its_signal(child, number):
    with pytest.raises(ExportError, match=r"conversion crashed \((SIGKILL|SIGABRT|signal \d+)\)"):
        child(f"import os\nos.kill(os.getpid(), {int(number)})")


def test_a_child_that_hangs_is_stopped_and_gone(child, tmp_path):
    code = f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    with pytest.raises(errors.TimeError, match=r"conversion took longer than 2 s; give it more with --timeout"):
        child(code, timeout=2)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_child_sees_no_gpu_and_imports_from_here_first(child):
    code = "import os, sys\nfrom export import children\nchildren.answer(lambda: [os.environ['CUDA_VISIBLE_DEVICES'], "
    devices, home, python = child(code + "children.__file__, sys.executable])")
    assert devices == "" and home == children.__file__ and python == sys.executable


def test_a_task_that_json_cannot_hold_is_no_quiet_loss(child):
    with pytest.raises(TypeError, match="not JSON serializable"):
        child("pass", path={1, 2})
