"""Beam search: several unfinished outputs side by side, of which the best finished ones win.

    score(y) = sum_t log p(y_t | y_<t) / length(y)^alpha          the end token counts as one of y

At every step each of the `beams` unfinished outputs is continued by each token, and of all these the `2 beams`
likeliest are looked at. Those of the first `beams` that end are finished, and the best finished ones are kept in a pool
of `count`, one in `beam`; the first `beams` that do not end go on. The search ends when no unfinished output can come
to a better score than the worst of a full pool: its sum only falls, so its score is at most sum / max_length^alpha.
What is unfinished at `max_length` counts as it is.

With beams=1 and alpha=0 this is greedy decoding. alpha is what CTranslate2 calls length_penalty; Wu et al. have
((5 + length) / 6)^alpha in its place.

Reference: Wu et al., 2016, "Google's Neural Machine Translation System", section 7.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_seq.beam_pool import NEVER, empty_pool, merge, pick
from keras_seq.decoding import END, START, each_alone, given, zeros
from keras_seq.layers.cache import write_at


def beam(generator, source, source_length, max_length, beams=4, length_penalty=1.0):
    """The best output that beam search finds, for each source.

    Made of `keras.ops`, so that it runs eagerly, under `tf.function` and inside an exported graph.

    Args:
        generator: has `encode` and `step`, see `keras_seq.decoding`; the first axis of what they return is the batch.
            If its attribute `shares_memory` is True, `step` is given `group=beams` and a memory of one row a source.
        source: what it reads, such as ids int32 `(batch, source)`, padded on the right; see `keras_seq.decoding`.
        source_length: int32 `(batch,)`; None of pictures.
        max_length: int, output positions, the end token included.
        beams: int, unfinished outputs that are kept.
        length_penalty: float, alpha in the score; 0 favours short outputs.

    Returns:
        ids: int32 `(batch, max_length)`, the end token included, then padding (0).
        length: int32 `(batch,)`, ids before the end token.
        log_probability: float32 `(batch, max_length)`, of each id, the end token included; 0 in the padding.

    Raises:
        ValueError: if `beams` is not a whole number of 1 or more, or `length_penalty` is below 0.
    """
    _check(beams, length_penalty)
    pool = _search(generator, source, source_length, max_length, beams, 1, length_penalty)
    return pool.ids, pool.length[:, 0], pool.log_probability


def n_best(generator, source, source_length, max_length, beams=4, count=4, length_penalty=1.0):
    """The best outputs that beam search finds, for each source, the best first: it is the one of `beam`.

    Made of `keras.ops`, as `beam` is.

    Args:
        generator, source, source_length, max_length, beams, length_penalty: as for `beam`.
        count: int, outputs for each source, at most `beams`.

    Returns:
        ids: int32 `(batch, count, max_length)`, the end token included, then padding (0).
        length: int32 `(batch, count)`, ids before the end token.
        log_probability: float32 `(batch, count, max_length)`, of each id, the end token included; 0 in the padding.
        score: float32 `(batch, count)`, falling. Where there are not so many outputs at all, it is -inf, the length 0
            and all ids padding.

    Raises:
        ValueError: as `beam`, and if `count` is not a whole number from 1 to `beams`.

    Example:
        >>> from keras_seq.models import Seq2Seq
        >>> model = Seq2Seq(11, 7, embedding_size=3, units=5)
        >>> sources, lengths = np.array([[5, 6], [7, 0]], "int32"), np.array([2, 1], "int32")
        >>> ids, length, log_probability, score = n_best(model, sources, lengths, 6, beams=4, count=3)
        >>> tuple(ids.shape), tuple(score.shape)
        ((2, 3, 6), (2, 3))
    """
    _check(beams, length_penalty, count)
    pool = _search(generator, source, source_length, max_length, beams, count, length_penalty)
    ids, log_probability = (ops.reshape(rows, (-1, count, max_length)) for rows in (pool.ids, pool.log_probability))
    return ids, pool.length, log_probability, ops.where(pool.score > NEVER, pool.score, -np.inf)


class _Alive(NamedTuple):
    """The unfinished outputs of each source, the likeliest first."""

    token: Any  # int32 (batch * beams,), the last one written
    total: Any  # float32 (batch, beams), sum of the log-probabilities
    ids: Any  # int32 (batch * beams, max_length)
    log_probability: Any  # float32 (batch * beams, max_length)
    state: dict  # of the generator, each (batch * beams, ...)


def _search(generator, source, source_length, max_length, beams, count, length_penalty):
    """The `Pool` of the `count` best outputs that the search finds."""
    memory, state = generator.encode(*given(source, source_length))
    nothing = zeros(source, source_length)
    step = generator.step
    if getattr(generator, "shares_memory", False):
        step = functools.partial(step, group=beams)
    else:
        memory = {name: ops.repeat(tensor, beams, axis=0) for name, tensor in memory.items()}
    rows = ops.cumsum(nothing + 1) - 1  # 0, 1, ..., by way of a tensor whose size may be dynamic
    first_row = ops.expand_dims(rows * beams, 1)  # (batch, 1), where the beams of a source begin

    def unfinished(position, alive, pool):
        could_be = alive.total[:, 0] / float(max_length) ** length_penalty  # (batch,), the beams are in order
        return ops.logical_and(position < max_length, ops.any(could_be > pool.score[:, count - 1]))

    def body(position, alive, pool):
        logits, state = step(alive.token, alive.state, memory)
        candidates = _candidates(logits, alive.total, beams)
        pool = _finish(position, alive, pool, candidates, first_row, rows, length_penalty)
        return position + 1, _go_on(position, alive, candidates, first_row, state), pool

    alive, pool = _start(nothing, state, max_length, beams, count)
    position, alive, pool = ops.while_loop(unfinished, body, (ops.convert_to_tensor(np.int32(0)), alive, pool))
    # What is not finished at the end counts as it is.
    whole = ops.logical_and(position >= max_length, alive.total > NEVER / 2)  # (batch, beams)
    score = ops.where(whole, alive.total / float(max_length) ** length_penalty, 2 * NEVER)

    def as_they_are(place):
        row = ops.reshape(first_row + place, (-1,))
        return ops.take(alive.ids, row, axis=0), ops.take(alive.log_probability, row, axis=0)

    return merge(pool, rows, score, max_length, as_they_are)


def _start(nothing, state, max_length, beams, count):
    """Where nothing is written yet: `_Alive` and `Pool`; `nothing` is a zero for each source, int32 `(batch,)`."""
    column = ops.expand_dims(nothing, 1)  # (batch, 1)
    ids = ops.repeat(ops.repeat(column, max_length, axis=1), beams, axis=0)  # (batch * beams, max_length)
    # At first all beams are the same output: only one of them counts.
    total = ops.cast(column, "float32") + np.array([[0.0] + [NEVER] * (beams - 1)], "float32")
    state = {name: ops.repeat(tensor, beams, axis=0) for name, tensor in state.items()}
    alive = _Alive(ops.repeat(nothing + START, beams, axis=0), total, ids, ops.cast(ids, "float32"), state)
    return alive, empty_pool(column, count, max_length)


def _candidates(logits, total, beams):
    """The `2 beams` likeliest continuations of each source: parent beam, token, sum and what the token added to it."""
    added = ops.log_softmax(ops.cast(logits, "float32"))  # (batch * beams, vocabulary)
    most = min(2 * beams, added.shape[-1])
    added, token = ops.top_k(added, most)  # (batch * beams, 2 beams): no more can be among the likeliest of all
    value = ops.reshape(total, (-1, 1)) + added
    flat = [ops.reshape(tensor, (-1, beams * most)) for tensor in (value, ops.cast(token, "int32"), added)]
    value, place = ops.top_k(flat[0], min(2 * beams, beams * most))  # (batch, 2 beams)
    parent = ops.cast(place, "int32") // most
    return parent, pick(flat[1], place), value, pick(flat[2], place)


def _finish(position, alive, pool, candidates, first_row, rows, length_penalty):
    """The pool with those of the first `beams` candidates that end, as far as they are better."""
    parent, token, value, added = candidates  # each (batch, 2 beams)
    first = ops.expand_dims(ops.arange(value.shape[1]) < alive.total.shape[1], 0)
    # Beams that do not count, as at first all but one, end as well.
    finished = ops.logical_and(ops.logical_and(ops.equal(token, END), first), value > NEVER / 2)
    score = value / ops.cast(position + 1, "float32") ** length_penalty

    def with_the_end(place):
        row = ops.reshape(first_row + pick(parent, place), (-1,))  # (batch * count,)
        ids, log_probability = ops.take(alive.ids, row, axis=0), ops.take(alive.log_probability, row, axis=0)
        end = ops.zeros_like(row) + END
        return write_at(ids, position, end), write_at(log_probability, position, ops.reshape(pick(added, place), (-1,)))

    return merge(pool, rows, ops.where(finished, score, 2 * NEVER), position, with_the_end)


def _go_on(position, alive, candidates, first_row, state):
    """`_Alive` of the likeliest candidates that do not end."""
    parent, token, value, added = candidates  # each (batch, 2 beams)
    total, kept = ops.top_k(ops.where(ops.equal(token, END), NEVER, value), alive.total.shape[1])  # (batch, beams)
    parents = ops.reshape(first_row + pick(parent, kept), (-1,))  # (batch * beams,), rows
    token, added = (ops.reshape(pick(values, kept), (-1,)) for values in (token, added))
    ids = write_at(ops.take(alive.ids, parents, axis=0), position, token)
    log_probability = write_at(ops.take(alive.log_probability, parents, axis=0), position, added)
    state = {name: ops.take(state[name], parents, axis=0) for name in alive.state}
    return _Alive(token, total, ids, log_probability, state)


def beam_reference(generator, source, source_length, max_length, beams=4, length_penalty=1.0):
    """The same as `beam`, slow and obvious: one source at a time, without padding, in plain Python.

    Args:
        generator, source, source_length, max_length, beams, length_penalty: as for `beam`.

    Returns:
        A list of (ids, log-probabilities), each a list that includes the end token where one was written.
    """
    found = n_best_reference(generator, source, source_length, max_length, beams, 1, length_penalty)
    return [(ids, scores) for [(ids, scores, _)] in found]


def n_best_reference(generator, source, source_length, max_length, beams=4, count=4, length_penalty=1.0):
    """The same as `n_best`, slow and obvious: one source at a time, without padding, in plain Python.

    Args:
        generator, source, source_length, max_length, beams, count, length_penalty: as for `n_best`.

    Returns:
        For each source a list of at most `count` of (ids, log-probabilities, score), the best first; ids and
        log-probabilities are lists that include the end token where one was written.
    """
    _check(beams, length_penalty, count)
    return [
        _search_slowly(generator, alone, max_length, beams, count, length_penalty)
        for alone in each_alone(source, source_length)
    ]


def _search_slowly(generator, alone, max_length, beams, count, length_penalty):
    memory, state = generator.encode(*alone)
    pool, alive = [], [([], [], state)]
    for length in range(1, max_length + 1):
        candidates = []
        for ids, scores, state in alive:
            logits, after = generator.step(np.asarray([ids[-1] if ids else START], "int32"), state, memory)
            for token, score in enumerate(ops.convert_to_numpy(ops.log_softmax(logits))[0].tolist()):
                candidates.append(([*ids, token], [*scores, score], after))
        candidates = sorted(candidates, key=lambda candidate: -sum(candidate[1]))[: 2 * beams]
        finished = [candidate for candidate in candidates[:beams] if candidate[0][-1] == END]
        pool += [(ids, scores, sum(scores) / length**length_penalty) for ids, scores, _ in finished]
        pool = _best_first(pool)[:count]
        alive = [candidate for candidate in candidates if candidate[0][-1] != END][:beams]
        if len(pool) == count and sum(alive[0][1]) / max_length**length_penalty <= pool[-1][2]:
            return pool
    pool += [(ids, scores, sum(scores) / max_length**length_penalty) for ids, scores, _ in alive]
    return _best_first(pool)[:count]


def _best_first(pool):
    return sorted(pool, key=lambda output: -output[2])


def _check(beams, length_penalty, count=1):
    for name, number in {"beams": beams, "outputs": count}.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            argument = {"beams": "beams", "outputs": "count"}[name]
            raise ValueError(f"{argument}={number!r} is not a number of {name}; give a whole number of 1 or more")
    if count > beams:
        raise ValueError(
            f"count={count} outputs are more than beams={beams} can be sure to find; give at least {count} beams"
        )
    if not length_penalty >= 0:
        raise ValueError(f"length_penalty={length_penalty!r} is below 0; 0 leaves it out, 1 divides by the length")
