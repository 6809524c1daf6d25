"""What the lessons' scripts share."""

import importlib.util
import json
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "tutorials"


@pytest.fixture
def lesson(tmp_path):
    spec = importlib.util.spec_from_file_location("lesson_alone", TUTORIALS / "lesson.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Lesson("99_try.py", "Nothing.", ["--smoke", "--run", str(tmp_path)])


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
