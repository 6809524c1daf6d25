"""The snippets in Python, run in processes of their own."""

import json
import subprocess
import sys

import pytest

from export.snippets import python, text_to_ids

TASKS = ("classify", "tag", "picture")


def run(code, function, inputs, folder):
    """What the function answers in the bundle's folder."""
    program = f"import json\n{code}\nprint(json.dumps([{function}(one) for one in {inputs!r}]))\n"
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("format", ["tflite", "onnx", "saved_model"])
@pytest.mark.parametrize("task", TASKS)
def test_a_label_is_keras_s(labelled, task, format):
    example = labelled[task]
    example.check(run(python.snippet(example.call(format)), example.function, example.inputs, example.folder))


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_tags_and_label_of_words_and_characters_are_keras_s(tagged, format):
    code = python.snippet(tagged.call(format)) + "\n\ndef both(one):\n    return tag(*one)\n"
    tagged.check(run(code, "both", tagged.inputs, tagged.folder))


def test_dates_are_what_the_samples_say(dates):
    dates.check(run(python.snippet(dates.call("tflite")), "generate", dates.inputs, dates.folder))


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_vocabulary_that_is_not_listed_gives_ids(echo, format):
    echo.check(run(python.snippet(echo.call(format)), "generate", echo.inputs, echo.folder))


def test_text_to_ids_is_what_the_samples_say(dates, normalizer):
    assert run(text_to_ids.code(normalizer)[0], "encode", dates.texts, dates.folder) == dates.inputs


@pytest.mark.parametrize("task", TASKS)
def test_the_first_block_of_a_readme_runs(labelled, task):
    """It uses run.py, on inputs that are refused one by one."""
    folder = labelled[task].folder
    program = (folder / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 2, done.stderr
