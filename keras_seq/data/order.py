"""A generated task that is all order: what stood so many places before?

    ids                      4  1  5  2  2  3
    one place before         .  4  1  5  2  2          0, padding, where nothing stood there
    three places before      .  .  .  4  1  5
    both, of 5 symbols       .  .  . 24  6 10          (one before - 1) * symbols + three before

Each id is drawn by itself, so nothing but its place tells which one is meant.
"""

import numpy as np


def looking_back(examples, length, symbols, distances=(1,), seed=0):
    """Random ids, and at each place the id that stood some places before, or both of two such.

    Args:
        examples: int, number of sequences.
        length: int, places in each.
        symbols: int, number of different ids, 1 to `symbols`.
        distances: one int or two, how many places before.
        seed: int.

    Returns:
        ids and labels, int32 `(examples, length)` each. A label is 0 where the sequence does not reach so far back;
        with two distances it says both ids, in order: (first - 1) * symbols + second, at most symbols squared.

    Raises:
        ValueError: if there is no distance, more than two, or one that `length` has no room for.

    Example:
        >>> ids, labels = looking_back(1, length=4, symbols=9, distances=(2,))
        >>> labels[0].tolist() == [0, 0, *ids[0, :2].tolist()]
        True
    """
    if not 1 <= len(distances) <= 2:
        raise ValueError(f"distances={tuple(distances)}; give one distance, or two for both ids in one label")
    if not all(0 < distance < length for distance in distances):
        raise ValueError(f"distances={tuple(distances)} in a sequence of {length}; choose from 1 to {length - 1}")
    ids = np.random.default_rng(seed).integers(1, symbols + 1, (examples, length))
    before = [ids[:, : length - distance][:, max(distances) - distance :] for distance in distances]
    answers = before[0] if len(before) == 1 else (before[0] - 1) * symbols + before[1]
    labels = np.zeros_like(ids)
    labels[:, max(distances) :] = answers
    return ids.astype("int32"), labels.astype("int32")
