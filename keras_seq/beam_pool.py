"""The pool of beam search: of each source the best finished outputs, in arrays of fixed shape.

Made of `keras.ops`, and of those alone that every export format has an operator for; see `keras_seq.beam`.
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

NEVER = -1e9  # a score that loses against every real one; float16 is not used here


class Pool(NamedTuple):
    """The best finished outputs of each source, the best first."""

    score: Any  # float32 (batch, count), NEVER where there is none yet
    length: Any  # int32 (batch, count), ids before the end token
    ids: Any  # int32 (batch * count, max_length)
    log_probability: Any  # float32 (batch * count, max_length)


def empty_pool(column, count, max_length):
    """A pool in which nothing is.

    Args:
        column: int32 `(batch, 1)`, zeros; the batch may be dynamic.
    """
    score = ops.cast(column, "float32") + np.full((1, count), NEVER, "float32")
    ids = ops.repeat(ops.repeat(column, max_length, axis=1), count, axis=0)  # (batch * count, max_length)
    return Pool(score, ops.repeat(column, count, axis=1), ids, ops.cast(ids, "float32"))


def merge(pool, rows, score, length, offer):
    """The best of the pool and of what is offered to it, the best first; of equals, what is in the pool stays.

    Args:
        pool: `Pool`
        rows: int32 `(batch,)`, 0, 1, ...
        score: float32 `(batch, offered)`, 2 NEVER where nothing is offered; `offered` is `count` or more.
        length: scalar int32, ids before the end token, of all that are offered.
        offer: function of places int32 `(batch, count)` among the offered to their ids and log-probabilities
            `(batch * count, max_length)`.
    """
    count = pool.score.shape[1]
    offered, best = ops.top_k(score, count)  # (batch, count)
    # Stacked, not concatenated: that would be one more kind of operator in an exported Transformer.
    both = ops.reshape(ops.stack([pool.score, offered], axis=1), (-1, 2 * count))
    score, place = ops.top_k(both, count)  # (batch, count)
    place = ops.cast(place, "int32")
    stays = place < count
    ids, log_probability = offer(pick(ops.cast(best, "int32"), ops.where(stays, 0, place - count)))
    old, moved = ops.reshape(stays, (-1, 1)), _move(pool, rows, ops.where(stays, place, 0))  # (batch * count, 1)
    return Pool(
        score,
        ops.where(stays, moved.length, length),
        ops.where(old, moved.ids, ids),
        ops.where(old, moved.log_probability, log_probability),
    )


def _move(pool, rows, places):
    """The pool's outputs, all but their scores, from `places`, int32 `(batch, count)`."""
    count = pool.score.shape[1]
    if count == 1:  # they can only stay; an exported `beam` is quicker for it, by up to a tenth
        return pool
    row = ops.reshape(ops.expand_dims(rows * count, 1) + places, (-1,))  # (batch * count,)
    return pool._replace(
        length=pick(pool.length, places),
        ids=ops.take(pool.ids, row, axis=0),
        log_probability=ops.take(pool.log_probability, row, axis=0),
    )


def pick(values, places):
    """`values[i, places[i, j]]`, `(batch, picked)`."""
    size = values.shape[1]
    here = ops.equal(ops.expand_dims(places, 2), ops.reshape(ops.arange(size, dtype="int32"), (1, 1, -1)))
    return ops.sum(ops.where(here, ops.expand_dims(values, 1), ops.cast(0, values.dtype)), axis=2)
