"""The child that asks Keras for the answers that every artefact must give: `python -m export.reference TASK`."""

import json
from pathlib import Path

import numpy as np

from export import cases, children, runtime
from export.convert import load_model
from export.examples import ALL_TAKEN, Task, read_pictures, read_texts
from export.generator_scores import generator_score
from export.reference_labels import label_cases, median_ms, of_labels

_BATCH = 64
# Half a point of so many is one example.
_BEAM_SEARCHED = ALL_TAKEN
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
        dict of lists, one entry an example, and a dict of Keras's own `score`, `bytes` and `latency_ms`. Of texts the
        first has `text`, `source_ids`, `target` and `target_ids` (what should be answered) and `output` (what Keras
        answers); and

        - of a generator `ids` (what Keras writes, padded), `length`, `log_probability`, `margin` (difference of the two
          best logits at each step), what the task's score asks for (`export.generator_scores`), and with beams
          `beam_ids`, `beam_length`, `beam_log_probability` and `beam_output`, which are None behind the first few;
        - of a classifier or tagger what `export.reference_labels.of_labels` says.
    """
    task = Task(**task)
    model = load_model(run)
    proven, chosen_on = parts(_count(run, task), most)
    if task.kind == "generate":
        answers, keras = _of_generator(model, run, task, proven, beams)
        numbered = cases.generator_cases(model, task.limits, answers["source_ids"][:_NUMBERED], beams)
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
    if task.picture:
        return len(read_pictures(run, task.picture)[1])
    return len(read_texts(run, task.limits, task.sentence_labels).text)


def _write_others(path, model, run, task, part):
    answers, _ = _of_generator(model, run, task, part) if task.kind == "generate" else of_labels(model, run, task, part)
    which = f"test examples {part.start + 1} to {part.stop} as they are drawn, which the proof does not score"
    Path(path).write_text(json.dumps({**answers, "which": which}), encoding="utf-8")


def _of_generator(model, run, task, part, beams=None):
    from keras_seq.data.tokenizer import Tokenizer

    vocabulary = Path(run, "target.tokenizer.json")
    target, score = Tokenizer.load(vocabulary), generator_score(task.score, vocabulary)
    found = read_texts(run, task.limits)
    texts, targets, source_ids = found.text[part], found.target[part], found.source_ids[part]
    written, latency = _greedy(model, source_ids, task.limits["target"])
    answers = {
        "text": texts,
        "target": targets,
        "target_ids": target.encode_batch(targets),
        "source_ids": source_ids,
        **{name: array.tolist() for name, array in written.items()},
        "output": [target.decode(row) for row in written["ids"].tolist()],
    }
    answers |= score.asked(model, answers, task.limits["target"])
    if beams is not None:
        searched = _beam(model, source_ids[:_BEAM_SEARCHED], task.limits["target"], beams)
        searched["output"] = [target.decode(row) for row in searched["ids"]]
        rest = [None] * (len(source_ids) - len(searched["ids"]))
        answers |= {f"beam_{name}": written + rest for name, written in searched.items()}
    share = score.share(score.keras(answers), answers, range(len(targets)))
    return answers, {"score": {score.name: share, "examples": len(targets)}, "latency_ms": latency}


def _greedy(model, source_ids, max_length):
    from keras_seq import decoding

    generate = _compiled(lambda ids, length: decoding.greedy(model, ids, length, max_length))
    width = max(map(len, source_ids))
    parts = []
    for start in range(0, len(source_ids), _BATCH):
        source, source_length = runtime.pad(source_ids[start : start + _BATCH], width)
        ids, length, log_probability = generate(source, source_length)
        ids = np.asarray(ids)
        before = np.concatenate([np.full_like(ids[:, :1], decoding.START), ids[:, :-1]], axis=1)
        logits = np.asarray(model({"source": source, "target": before}))  # (batch, target, vocabulary)
        best = np.sort(logits, axis=-1)
        parts.append((ids, np.asarray(length), np.asarray(log_probability), best[..., -1] - best[..., -2]))
    names = ("ids", "length", "log_probability", "margin")
    latency = median_ms([runtime.pad([ids]) for ids in source_ids], lambda text: generate(*text))
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True)), latency


def _beam(model, source_ids, max_length, beams):
    """What beam search writes: lists of `ids`, `length` and `log_probability`."""
    from keras_seq.beam import beam

    search = _compiled(lambda ids, length: beam(model, ids, length, max_length, beams))
    width, written = max(map(len, source_ids)), []
    for start in range(0, len(source_ids), _BATCH):
        written.append(map(np.asarray, search(*runtime.pad(source_ids[start : start + _BATCH], width))))
    names = ("ids", "length", "log_probability")
    return dict(zip(names, (np.concatenate(each).tolist() for each in zip(*written, strict=True)), strict=True))


def _compiled(function):
    import tensorflow as tf

    return tf.function(function, autograph=False, reduce_retracing=True)


if __name__ == "__main__":
    children.answer(reference)
