"""The child that asks Keras for the answers that every artefact must give: `python -m export.reference TASK`."""

from pathlib import Path

import numpy as np

from export import cases, children, runtime
from export.convert import load_model
from export.examples import Task, read_texts
from export.reference_labels import label_cases, median_ms, of_labels

_BATCH = 64
_BEAM_SEARCHED = 64
# Sources that the cases of `export.cases` are chosen from.
_NUMBERED = 12


def reference(run, task, most, numbers, beams=None):
    """What Keras answers to the run's test set.

    Args:
        run: path of the run directory.
        task: dict, the fields of `export.examples.Task`.
        most: int, test examples to take, from the first.
        numbers: path of the file of cases to write, see `export.cases`.
        beams: int, beam search is done too, on a few of them; None leaves it out.

    Returns:
        dict of lists, one entry an example, and a dict of Keras's own `score`, `bytes` and `latency_ms`. Of texts the
        first has `text`, `source_ids`, `target` and `target_ids` (what should be answered) and `output` (what Keras
        answers); and

        - of a generator `ids` (what Keras writes, padded), `length`, `log_probability`, `margin` (difference of the two
          best logits at each step), with beams `beam_ids` and `beam_log_probability` (None behind the first few);
        - of a classifier or tagger what `export.reference_labels.of_labels` says.
    """
    task = Task(**task)
    model = load_model(run)
    if task.kind == "generate":
        answers, keras = _of_generator(model, run, task, most, beams)
        numbered = cases.generator_cases(model, task.limits, answers["source_ids"][:_NUMBERED])
    else:
        answers, keras = of_labels(model, run, task, most)
        numbered = label_cases(model, task, answers)
    # The weights alone: the file also holds the optimizer's state, twice their size.
    keras["bytes"] = sum(variable.numpy().nbytes for variable in model.variables)
    cases.write(numbers, numbered)
    return answers, keras


def _of_generator(model, run, task, most, beams):
    from keras_seq.data.tokenizer import Tokenizer

    target = Tokenizer.load(Path(run, "target.tokenizer.json"))
    found = read_texts(run, task.limits)
    texts, targets, source_ids = found.text[:most], found.target[:most], found.source_ids[:most]
    written, latency = _greedy(model, source_ids, task.limits["target"])
    answers = {
        "text": texts,
        "target": targets,
        "target_ids": target.encode_batch(targets),
        "source_ids": source_ids,
        **{name: array.tolist() for name, array in written.items()},
        "output": [target.decode(row) for row in written["ids"].tolist()],
    }
    if beams is not None:
        ids, log_probability = _beam(model, source_ids[:_BEAM_SEARCHED], task.limits["target"], beams)
        rest = [None] * (len(source_ids) - len(ids))
        answers |= {"beam_ids": ids + rest, "beam_log_probability": log_probability + rest}
    right = sum(output == wanted for output, wanted in zip(answers["output"], targets, strict=True))
    score = {"exact_match": right / len(targets), "examples": len(targets)}
    return answers, {"score": score, "latency_ms": latency}


def _greedy(model, source_ids, max_length):
    import tensorflow as tf

    from keras_seq import decoding

    generate = tf.function(
        lambda ids, length: decoding.greedy(model, ids, length, max_length), autograph=False, reduce_retracing=True
    )
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
    """Ids and log-probabilities `(examples, max_length)` of beam search."""
    from keras_seq.beam import beam

    ids, _, log_probability = beam(model, *runtime.pad(source_ids), max_length, beams)
    return np.asarray(ids).tolist(), np.asarray(log_probability).tolist()


if __name__ == "__main__":
    children.answer(reference)
