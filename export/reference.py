"""The child that asks Keras for the answers that every artefact must give: `python -m export.reference TASK`."""

import statistics
import time
from pathlib import Path

import numpy as np

from export import cases, children, errors, runtime
from export.convert import load_model
from export.examples import Task, accuracy, read_labels, read_pictures, read_texts
from export.signatures import PREDICT, model_signatures

_BATCH = 64
_TIMED = 60
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
        - of a classifier or tagger `probabilities`; and `image`, pixels from 0 to 255, in place of a text.
    """
    task = Task(**task)
    model = load_model(run)
    answers, keras = (_of_generator if task.kind == "generate" else _of_labels)(model, run, task, most, beams)
    # The weights alone: the file also holds the optimizer's state, twice their size.
    keras["bytes"] = sum(variable.numpy().nbytes for variable in model.variables)
    cases.write(numbers, _cases(model, task, answers))
    return answers, keras


def _cases(model, task, answers):
    if task.kind == "generate":
        return cases.generator_cases(model, task.limits, answers["source_ids"][:_NUMBERED])
    traced = model_signatures(model, task.limits, static=False)[PREDICT]

    def function(**inputs):
        return traced(*inputs.values())

    if task.picture:
        images = np.asarray(answers["image"][:4], "float32") / 255
        return cases.predict_cases(function, [{"image": images[:1]}, {"image": images[1:]}])
    rows = sorted(answers["source_ids"][:_NUMBERED], key=len)
    batches = [([rows[0]], None), (rows[1:6:2], None), ([rows[0], rows[-1]], task.limits["source"])]
    padded = [runtime.pad(batch, width) for batch, width in batches]
    inputs = [{"ids": ids, "length": length} for ids, length in padded]
    return cases.predict_cases(function, inputs, [length for _, length in padded])


def _of_generator(model, run, task, most, beams):
    from keras_seq.data.tokenizer import Tokenizer

    target = Tokenizer.load(Path(run, "target.tokenizer.json"))
    texts, targets, source_ids = map(list, zip(*read_texts(run, task.limits["source"])[:most], strict=True))
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
    latency = _latency([runtime.pad([ids]) for ids in source_ids], lambda text: generate(*text)[0])
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True)), latency


def _beam(model, source_ids, max_length, beams):
    """Ids and log-probabilities `(examples, max_length)` of beam search."""
    from keras_seq.beam import beam

    ids, _, log_probability = beam(model, *runtime.pad(source_ids), max_length, beams)
    return np.asarray(ids).tolist(), np.asarray(log_probability).tolist()


def _of_labels(model, run, task, most, beams):
    labels = read_labels(run)
    number = {label: place for place, label in enumerate(labels)}
    predict = model_signatures(model, task.limits, static=False)[PREDICT]
    if task.picture:
        images, targets = (array[:most] for array in read_pictures(run, task.picture))
        answers = {"image": images.tolist(), "target": [labels[label] for label in targets]}
        answers["target_ids"] = targets.tolist()
        given = [(image[None].astype("float32") / 255,) for image in images]
    else:
        texts, targets, source_ids = map(list, zip(*read_texts(run, task.limits["source"])[:most], strict=True))
        answers = {"text": texts, "source_ids": source_ids, "target": targets}
        if task.kind == "classify":
            answers["target_ids"] = [_numbered(number, label, example) for example, label in enumerate(targets)]
        else:
            answers["target_ids"] = [
                [_numbered(number, tag, example) for tag in tags.split(" ")] for example, tags in enumerate(targets)
            ]
            _check_tags(answers["target_ids"], source_ids)
        given = [runtime.pad([ids]) for ids in source_ids]
    _check_outputs(np.asarray(model(images[:1] if task.picture else given[0][0], training=False)), labels)
    # One at a time: what a batch does to its members is for the artefact's proof to show.
    probabilities = [np.asarray(predict(*inputs)["probabilities"])[0] for inputs in given]
    answers["probabilities"] = [rows.tolist() for rows in probabilities]
    best = [rows.argmax(axis=-1) for rows in probabilities]
    answers["output"] = [" ".join(labels[place] for place in np.atleast_1d(places)) for places in best]
    score = accuracy(best, answers["target_ids"])
    return answers, {"score": score, "latency_ms": _latency(given, lambda inputs: predict(*inputs)["probabilities"])}


def _check_outputs(outputs, labels):
    """Refuses probabilities, which would be made probabilities once more, and outputs that are not one a label."""
    if outputs.shape[-1] != len(labels):
        raise errors.ExportError(
            f"the model has {outputs.shape[-1]} outputs and labels.json {len(labels)} labels; write one for each output"
        )
    if len(labels) > 1 and (outputs >= 0).all() and np.allclose(outputs.sum(axis=-1), 1, atol=1e-3):
        raise errors.ExportError(
            "the model ends in softmax, which the export adds; let it end in logits, and train with from_logits=True"
        )


def _check_tags(tags, source_ids):
    for example, (own, ids) in enumerate(zip(tags, source_ids, strict=True)):
        if len(own) != len(ids):
            raise errors.ExportError(f"test example {example} has {len(ids)} tokens and {len(own)} tags; one for each")


def _numbered(number, label, example):
    if label not in number:
        raise errors.ExportError(f"test example {example} has the label {label!r}, which labels.json has not")
    return number[label]


def _latency(inputs, answer):
    """Median milliseconds of one input alone, after a warm-up."""
    times = []
    for one in inputs[:_TIMED]:
        answer(one)
        start = time.perf_counter()
        np.asarray(answer(one))
        times.append(time.perf_counter() - start)
    return round(1000 * statistics.median(times), 3)


if __name__ == "__main__":
    children.answer(reference)
