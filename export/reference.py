"""The child that asks Keras for the answers that every artefact must give: `python -m export.reference TASK`."""

import csv
import statistics
import time
from pathlib import Path

import numpy as np

from export import children, errors, runtime
from export.convert import load_model

_BATCH = 64
_TIMED = 60
_BEAM_SEARCHED = 64


def reference(run, limits, most, beams=None):
    """What Keras writes for the run's test set.

    Args:
        run: path of the run directory.
        limits: dict of `source` and `target`, in tokens.
        most: int, test examples to take, from the first.
        beams: int, beam search is done too, on a few of them; None leaves it out.

    Returns:
        dict of lists, one entry an example: `text`, `target` and `target_ids` (what should be written), `source_ids`,
        `ids` (what Keras writes, padded), `length`, `log_probability`, `margin` (difference of the two best logits at
        each step) and `output` (ids as text), with beams `beam_ids` and `beam_log_probability` (None behind the first
        few); and a dict of Keras's own `score`, `bytes` and `latency_ms`.
    """
    from keras_seq.data.tokenizer import Tokenizer

    source = Tokenizer.load(Path(run, "source.tokenizer.json"))
    target = Tokenizer.load(Path(run, "target.tokenizer.json"))
    pairs = read_pairs(Path(run, "test.tsv"))[:most]
    kept = [(text, wanted, ids) for text, wanted in pairs if 0 < len(ids := source.encode(text)) <= limits["source"]]
    if not kept:
        raise errors.ExportError(f"{run}/test.tsv holds no example of 1 to {limits['source']} source tokens")
    texts, targets, source_ids = map(list, zip(*kept, strict=True))
    model = load_model(run)
    written, latency = _greedy(model, source_ids, limits["target"])
    answers = {
        "text": texts,
        "target": targets,
        "target_ids": target.encode_batch(targets),
        "source_ids": source_ids,
        **{name: array.tolist() for name, array in written.items()},
        "output": [target.decode(row) for row in written["ids"].tolist()],
    }
    if beams is not None:
        ids, log_probability = _beam(model, source_ids[:_BEAM_SEARCHED], limits["target"], beams)
        rest = [None] * (len(source_ids) - len(ids))
        answers |= {"beam_ids": ids + rest, "beam_log_probability": log_probability + rest}
    right = sum(output == wanted for output, wanted in zip(answers["output"], targets, strict=True))
    return answers, {
        "score": {"exact_match": right / len(targets), "examples": len(targets)},
        # The weights alone: the file also holds the optimizer's state, twice their size.
        "bytes": sum(variable.numpy().nbytes for variable in model.variables),
        "latency_ms": latency,
    }


def read_pairs(path):
    """The (text, target) pairs of a UTF-8 file with one tab-separated pair a line."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for number, row in enumerate(rows, 1):
        if len(row) != 2:
            raise errors.ExportError(f"{path}, line {number}: {len(row)} columns; wanted text, tab, target")
    return [tuple(row) for row in rows]


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
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True)), _latency(generate, source_ids)


def _beam(model, source_ids, max_length, beams):
    """Ids and log-probabilities `(examples, max_length)` of beam search."""
    from keras_seq.beam import beam

    ids, _, log_probability = beam(model, *runtime.pad(source_ids), max_length, beams)
    return np.asarray(ids).tolist(), np.asarray(log_probability).tolist()


def _latency(generate, source_ids):
    """Median milliseconds of one text alone, after a warm-up."""
    times = []
    for ids in source_ids[:_TIMED]:
        text = runtime.pad([ids])
        generate(*text)
        start = time.perf_counter()
        np.asarray(generate(*text)[0])
        times.append(time.perf_counter() - start)
    return round(1000 * statistics.median(times), 3)


if __name__ == "__main__":
    children.answer(reference)
