"""What the lessons' scripts share."""

import importlib.util
import json
from pathlib import Path

import pytest

from keras_seq.training.run_directory import OtherRunError

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"


OPTIONS = {"--data": {}, "--preset": {"default": "laptop"}}


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Function of flags to a lesson."""
    spec = importlib.util.spec_from_file_location("lesson_alone", TUTORIALS / "lesson.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    (tmp_path / "results").mkdir()
    return lambda *flags: module.Lesson("99_try.py", "Nothing.", ["--run", str(tmp_path), *flags], OPTIONS)


@pytest.fixture
def lesson(begin):
    return begin()


def minutes(lesson):
    lesson.finish()
    return json.loads((lesson.run / "results.json").read_text(encoding="utf-8"))["minutes"]


def test_minutes_count_a_training_once_whichever_start_did_it(lesson, capsys):
    def found(rows, verbose):
        return f"{rows} rows", {"seconds": 600.0, "verbose": verbose}

    assert minutes(lesson) == 0.0
    assert lesson.trained(found, 3, verbose=0) == ("3 rows", {"seconds": 600.0, "verbose": 0})
    assert minutes(lesson) == 10.0  # it came at once: an earlier start has spent the ten minutes
    lesson.trained(lambda: ("new", {"seconds": 0.0}))
    assert minutes(lesson) == 10.0


@pytest.mark.parametrize(
    ("flags", "folder"),
    [
        ((), "."),
        (("--preset", "gpu"), "gpu"),
        (("--data", "some/my.tsv"), "my"),
        (("--preset", "gpu", "--data", "my.tsv"), "gpu/my"),
    ],
)
def test_other_sizes_and_data_have_folders_of_their_own(flags, folder, begin, tmp_path):
    lesson = begin(*flags)
    lesson.use_own_folder()
    assert lesson.run == tmp_path / folder and lesson.run.is_dir()


def test_of_a_file_of_one_s_own_nothing_is_claimed(begin, capsys):
    for flags, said in (((), 1), (("--data", "my.tsv"), 0)):
        lesson = begin(*flags)
        lesson.finding("{share:.0%} are right", False, share=0.5)
        assert capsys.readouterr().out.count("NOT SO: 50% are right") == said


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no pair is left"), "^99_try: no pair is left$"),
        (FileNotFoundError("no file"), "^99_try: no file$"),
        (OtherRunError("seed is 1 there"), "^99_try: seed is 1 there; here: name another folder with --run, or remove"),
    ],
)
def test_what_cannot_be_trained_ends_in_a_line(error, message, lesson):
    def train():
        raise error

    with pytest.raises(SystemExit, match=message):
        lesson.trained(train)


@pytest.mark.parametrize(("flags", "written"), [((), ["99_try.json"]), (("--smoke",), []), (("--data", "my.tsv"), [])])
def test_only_the_full_lesson_on_its_own_data_is_recorded(flags, written, begin, tmp_path):
    begin("--record", *flags).finish()
    assert [path.name for path in (tmp_path / "results").iterdir()] == written
