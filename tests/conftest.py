"""What makes tests of several folders quick: work that a test shows once need not be done for each of them."""

import importlib
import json
import sys

import pytest

from export import children, errors

# The files that take longest, the longest first.
_LONGEST = (
    "tutorials/test_lessons.py",
    "contract/test_contracts.py",
    "tutorials/test_lesson_12.py",
    "tutorials/test_lesson_13.py",
    "tutorials/test_lesson_08.py",
    "tutorials/test_lesson_14.py",
    "tutorials/test_lessons_06.py",
    "tutorials/test_lessons_09_11.py",
    "tutorials/test_lessons_03_05.py",
    "tutorials/test_lesson_07.py",
)

# The exporter's children that need TensorFlow, and the function of each that does the work.
_NEEDS_TENSORFLOW = {
    "export.reference": "reference",
    "export.convert": "convert",
    "export.quantise": "quantise",
    "export.damage": "measure",
}
_NEEDS_IT_FOR_SOME = {"export.prove": "examine", "export.measure": "measure"}


def pytest_configure(config):
    """Has pytest-xdist keep the order below; by itself it begins with the files of the most tests, not of the longest.

    `--dist loadfile` gives a whole file to one worker, and who is left with a long one at the end is waited for.
    """
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """The longest files first, all others in their order."""
    place = {file: number for number, file in enumerate(_LONGEST)}
    items.sort(key=lambda item: place.get(f"{item.path.parent.name}/{item.path.name}", len(place)))


@pytest.fixture(scope="module")
def warm_children(tmp_path_factory):
    """Lets the children that need TensorFlow work in this process: to import it costs each of them 5 s.

    That they are processes of their own is for tests/export/test_children.py and the quickstart's test to show.
    Integers, whose calibration can crash, and what sets TensorFlow's threads, stay in theirs.
    """
    cold, folder = children.call, tmp_path_factory.mktemp("children")

    def call(module, task, *, what, timeout):
        works = _NEEDS_TENSORFLOW.get(module)
        if task.get("format") in ("saved_model", "keras"):
            works = works or _NEEDS_IT_FOR_SOME.get(module)
        if works is None or task.get("precision") in ("int8", "int16x8") or task.get("threads"):
            return cold(module, task, what=what, timeout=timeout)
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [module, str(folder / "task.json")])
            children.answer(getattr(importlib.import_module(module), works))
        said = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        if "refused" in said:
            raise getattr(errors, said["kind"])(f"{what}: {said['refused']}")
        return said["result"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(children, "call", call)
        yield


@pytest.fixture(scope="module")
def quick_fits():
    """Suits `compile` to models that are trained for a few steps, in which they would hardly do but compile.

    XLA only where it is asked for; Keras's "auto" takes it for everything. And the optimizer makes its variables at
    once, as in `keras_seq.training.fit`; made in the first step, they have TensorFlow trace that step twice.
    """
    import keras

    slow = keras.Model.compile

    def compile(model, *arguments, jit_compile=False, **options):
        slow(model, *arguments, jit_compile=jit_compile, **options)
        if model.built:
            model.optimizer.build(model.trainable_variables)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "compile", compile)
        yield
