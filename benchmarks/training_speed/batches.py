"""The data: sentence pairs, and the two kinds of batches that are the same for several contestants.

In numpy alone, since PyTorch's process must not start TensorFlow's threads.
"""

import os

import numpy as np

_START, _END, _FIRST_ID = 1, 2, 4  # smaller ones are padding and the special ids
_SENTENCES = 29_000  # of the random ones: as many as Multi30k has
_SEED = 0


def sentence_pairs(settings, real):
    """Ids of sentence pairs that fit into the longest bucket, the target's end counted.

    Args:
        settings: `Settings`.
        real: bool, Multi30k, English to German, in byte pairs; otherwise random ids with lengths spread as theirs.

    Returns:
        two lists of lists of int, sources and targets.
    """
    source, target = _multi30k(settings.vocabulary) if real else _random(settings.vocabulary)
    longest = settings.boundaries[-1]
    kept = [pair for pair in zip(source, target, strict=True) if len(pair[0]) <= longest > len(pair[1])]
    return [pair[0] for pair in kept], [pair[1] for pair in kept]


def is_real():
    """Whether Multi30k is to be read: where `KERAS_SEQ_DATA` names the folder of the data sets."""
    return bool(os.environ.get("KERAS_SEQ_DATA"))


def _multi30k(vocabulary):
    from keras_seq.data import load
    from keras_seq.data.tokenizer import Tokenizer

    rows = load("multi30k", split="train")
    sides = [[row[side] for row in rows] for side in ("source", "target")]
    tokenizer = Tokenizer.train(sides[0] + sides[1], kind="bpe", vocabulary_size=vocabulary)
    return [tokenizer.encode_batch(texts) for texts in sides]


def _random(vocabulary):
    """Log-normal lengths, median 14; the target as long as the source, give or take three."""
    random = np.random.default_rng(_SEED)
    lengths = np.maximum(2, np.round(random.lognormal(np.log(14), 0.35, _SENTENCES))).astype(int)
    targets = np.maximum(2, lengths + random.integers(-3, 4, _SENTENCES))
    return [[random.integers(_FIRST_ID, vocabulary, length).tolist() for length in side] for side in (lengths, targets)]


def padded(source, target, rows, source_length=None, target_length=None):
    """One batch.

    Args:
        source, target: lists of lists of int.
        rows: which pairs.
        source_length, target_length: int, places; by default those of the longest. The target's count its end.

    Returns:
        three int32 arrays: source `(batch, source)`, target with the start and labels with the end `(batch, target)`.
    """
    source_length = source_length or max(len(source[row]) for row in rows)
    target_length = target_length or 1 + max(len(target[row]) for row in rows)
    read, given, wanted = (
        np.zeros((len(rows), length), "int32") for length in (source_length, target_length, target_length)
    )
    for place, row in enumerate(rows):
        read[place, : len(source[row])] = source[row]
        given[place, : len(target[row]) + 1] = [_START, *target[row]]
        wanted[place, : len(target[row]) + 1] = [*target[row], _END]
    return read, given, wanted


def equal_batches(pairs, settings, window):
    """A round's batches of one shape, of the pairs that fit into it.

    Args:
        pairs: two lists of lists of int, sources and targets.
        settings: `Settings`.
        window: int, which round, counted from 0; after the last full one comes the first again.

    Returns:
        list of `settings.steps` batches, see `padded`.

    Raises:
        ValueError: if there are too few pairs for a round.
    """
    source, target = pairs
    length = settings.length
    fitting = [row for row in range(len(source)) if len(source[row]) <= length > len(target[row])]
    return [padded(source, target, rows, length, length) for rows in _rows(fitting, settings, window)]


def shuffled_batches(pairs, settings, window):
    """A round's batches of shuffled pairs, each padded to its own longest; as `equal_batches`."""
    return [padded(*pairs, rows) for rows in _rows(range(len(pairs[0])), settings, window)]


def _rows(rows, settings, window):
    """The shuffled rows of each batch of a round."""
    size, steps = settings.batch, settings.steps
    batches = len(rows) // size
    if batches < steps:
        raise ValueError(f"{len(rows)} pairs make {batches} batches of {size}; give more pairs, or steps={batches}")
    rows = np.random.default_rng(_SEED).permutation(rows)
    begin = window % (batches // steps) * steps
    return [rows[batch * size : (batch + 1) * size] for batch in range(begin, begin + steps)]


def useful_tokens(labels):
    """Target tokens that are not padding, the end counted: int of an iterable of labels."""
    return sum(int(np.count_nonzero(batch)) for batch in labels)
