"""A generated task: look a value up, by what its key is or by where it stands.

    keys    7  2  5  9         asked by content    5        ->  3
    values  4  1  3  1         asked by position   3rd      ->  3

The smallest task that attention is for: nothing but the one right pair answers, and the rest of the source is in the
way.
"""

import numpy as np

RULES = ("content", "position")


def lookup(examples, length, symbols, asked=1, by="content", seed=0):
    """Sources of pairs, and questions about them.

    Args:
        examples: int, number of sources.
        length: int, number of pairs in each.
        symbols: int, number of different keys, `length` or more, and of different values; ids are 1 to `symbols`.
        asked: int, number of questions to each source, at most `length`, about different pairs.
        by: "content", where a question is the key of the pair, or "position", where it is its place, 1 to `length`.
        seed: int.

    Returns:
        dict of int32 `query` `(examples, asked)`, `key` and `value` `(examples, length)`; and the answers, int32
        `(examples, asked)`.

    Raises:
        ValueError: if there are too few symbols or pairs, or `by` is unknown.

    Example:
        >>> inputs, answers = lookup(2, length=3, symbols=5, asked=3)
        >>> inputs["query"].shape, inputs["key"].shape, sorted(answers[0]) == sorted(inputs["value"][0])
        ((2, 3), (2, 3), True)
    """
    if by not in RULES:
        raise ValueError(f"by={by!r} is unknown; choose one of {', '.join(RULES)}")
    if symbols < length:
        raise ValueError(f"symbols={symbols} gives no {length} different keys; choose {length} or more")
    if not 0 < asked <= length:
        raise ValueError(f"asked={asked} of {length} pairs; choose 1 to {length}")
    random = np.random.default_rng(seed)
    keys = random.random((examples, symbols)).argsort(axis=1)[:, :length] + 1  # (examples, length), all different
    values = random.integers(1, symbols + 1, (examples, length))
    places = random.random((examples, length)).argsort(axis=1)[:, :asked]  # (examples, asked)
    query = np.take_along_axis(keys, places, axis=1) if by == "content" else places + 1
    inputs = {"query": query.astype("int32"), "key": keys.astype("int32"), "value": values.astype("int32")}
    return inputs, np.take_along_axis(values, places, axis=1).astype("int32")
