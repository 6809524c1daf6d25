"""The child that asks Keras for the answers that every artefact must give: `python -m export.reference TASK`."""

import csv
from pathlib import Path

import numpy as np

from export import children
from export.convert import load_model

_BATCH = 64


def reference(run, limits, most):
    """What Keras writes for the run's test set.

    Args:
        run: path of the run directory.
        limits: dict of `source` and `target`, in tokens.
        most: int, test examples to take, from the first.

    Returns:
        dict of lists, one entry an example: `texts`, `targets` (what should be written), `source_ids`, `ids` (what Keras
        writes, padded), `length`, `log_probability`, `margin` (difference of the two best logits at each step) and
        `outputs` (ids as text).
    """
    from keras_seq.data.tokenizer import Tokenizer

    source = Tokenizer.load(Path(run, "source.tokenizer.json"))
    target = Tokenizer.load(Path(run, "target.tokenizer.json"))
    pairs = [pair for pair in read_pairs(Path(run, "test.tsv"))][:most]
    kept = [(text, wanted, ids) for text, wanted in pairs if 0 < len(ids := source.encode(text)) <= limits["source"]]
    if not kept:
        raise children.ExportError(f"{run}/test.tsv holds no example of 1 to {limits['source']} source tokens")
    texts, targets, source_ids = map(list, zip(*kept, strict=True))
    written = _greedy(load_model(run), source_ids, limits["target"])
    return {
        "texts": texts,
        "targets": targets,
        "source_ids": source_ids,
        **{name: array.tolist() for name, array in written.items()},
        "outputs": [target.decode(row) for row in written["ids"].tolist()],
    }


def read_pairs(path):
    """The (text, target) pairs of a UTF-8 file with one tab-separated pair a line."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for number, row in enumerate(rows, 1):
        if len(row) != 2:
            raise children.ExportError(f"{path}, line {number}: {len(row)} columns; wanted text, tab, target")
    return [tuple(row) for row in rows]


def pad(rows, width=None):
    """int32 array `(len(rows), width)` of id lists, padded with 0 on the right."""
    array = np.zeros((len(rows), width or max(map(len, rows))), "int32")
    for index, row in enumerate(rows):
        array[index, : len(row)] = row
    return array


def _greedy(model, source_ids, max_length):
    import tensorflow as tf

    from keras_seq import decoding

    generate = tf.function(lambda ids, length: decoding.greedy(model, ids, length, max_length), reduce_retracing=True)
    width = max(map(len, source_ids))
    parts = []
    for start in range(0, len(source_ids), _BATCH):
        rows = source_ids[start : start + _BATCH]
        source = pad(rows, width)
        ids, length, log_probability = generate(source, np.asarray([len(row) for row in rows], "int32"))
        ids = np.asarray(ids)
        before = np.concatenate([np.full((len(rows), 1), decoding.START, "int32"), ids[:, :-1]], axis=1)
        logits = np.asarray(model({"source": source, "target": before}))  # (batch, target, vocabulary)
        best = np.sort(logits, axis=-1)
        parts.append((ids, np.asarray(length), np.asarray(log_probability), best[..., -1] - best[..., -2]))
    names = ("ids", "length", "log_probability", "margin")
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))


if __name__ == "__main__":
    children.answer(reference)
