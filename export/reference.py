"""The child that asks Keras for the answers that every artefact must give: `python -m export.reference TASK`."""

import json
from pathlib import Path

from export import cases, children
from export.convert import load_model
from export.examples import Task, read_pictures, read_texts
from export.generator_examples import read_examples
from export.reference_generator import of_generator
from export.reference_labels import label_cases, of_labels
from export.sources import Sources

# Sources that the cases of `export.cases` are chosen from.
_NUMBERED = 12
# Layers are chosen on so many examples at least that are not the proof's, or else on the proof's.
_OTHERS = 200


def reference(run, task, most, numbers, beams=None, others=None):
    """What Keras answers to the run's test set.

    Args:
        run: path of the run directory.
        task: dict, the fields of `export.examples.Task`.
        most: int, test examples to take, from the first of the order that `export.examples` draws; see `parts`.
        numbers: path of the file of cases to write, see `export.cases`.
        beams: int, beam search is done too, on a few of them; None leaves it out.
        others: path of a JSON file to write, the same dict of other examples, for the layers that stay in float32 to be
            chosen on, with `which`, str. It is not written where there are too few of them. None leaves it out.

    Returns:
        dict of lists, one entry an example, and a dict of Keras's own `score`, `bytes` and `latency_ms`: see
        `export.reference_generator.of_generator` and `export.reference_labels.of_labels`.
    """
    task = Task(**task)
    model = load_model(run)
    proven, chosen_on = parts(_count(run, task), most)
    if task.kind == "generate":
        answers, keras = of_generator(model, run, task, proven, beams)
        numbered = cases.generator_cases(model, task.limits, Sources(answers).rows[:_NUMBERED], beams)
    else:
        answers, keras = of_labels(model, run, task, proven)
        numbered = label_cases(model, task, answers)
    if others is not None and chosen_on is not None:
        _write_others(others, model, run, task, chosen_on)
    # The weights alone: the file also holds the optimizer's state, twice their size.
    keras["bytes"] = sum(variable.numpy().nbytes for variable in model.variables)
    cases.write(numbers, numbered)
    return answers, keras


def parts(count, most):
    """Which test examples an artefact is proven on, and on which its layers are chosen.

    Args:
        count: int, examples of the test set.
        most: int, examples that the proof takes at most, from the first.

    Returns:
        two slices of the drawn order, of which the second, its end, is None where there are too few for both.
    """
    if count < 2 * _OTHERS:
        return slice(0, min(most, count)), None
    others = min(most, max(count - most, _OTHERS))
    return slice(0, min(most, count - others)), slice(count - others, count)


def _count(run, task):
    if task.kind == "generate":
        return len(read_examples(run, task))
    if task.picture:
        return len(read_pictures(run, task.picture)[1])
    return len(read_texts(run, task.limits, task.sentence_labels).text)


def _write_others(path, model, run, task, part):
    answers, _ = (of_generator if task.kind == "generate" else of_labels)(model, run, task, part)
    which = f"test examples {part.start + 1} to {part.stop} as they are drawn, which the proof does not score"
    Path(path).write_text(json.dumps({**answers, "which": which}), encoding="utf-8")


if __name__ == "__main__":
    children.answer(reference)
