"""Beam search: several unfinished outputs side by side, of which the best finished one wins.

    score(y) = sum_t log p(y_t | y_<t) / length(y)^alpha          the end token counts as one of y

At every step each of the `beams` unfinished outputs is continued by each token, and of all these the `2 beams`
likeliest are looked at. Those of the first `beams` that end are finished; the first `beams` that do not end go on. The
search ends when no unfinished output can come to a better score than the best finished one: its sum only falls, so its
score is at most sum / max_length^alpha. What is unfinished at `max_length` counts as it is.

With beams=1 and alpha=0 this is greedy decoding. alpha is what CTranslate2 calls length_penalty; Wu et al. have
((5 + length) / 6)^alpha in its place.

Reference: Wu et al., 2016, "Google's Neural Machine Translation System", section 7.
"""

import functools

import numpy as np
from keras import ops

from keras_seq.decoding import END, START
from keras_seq.layers.cache import write_at

_NEVER = -1e9  # a score that loses against every real one; float16 is not used here


def beam(generator, source_ids, source_length, max_length, beams=4, length_penalty=1.0):
    """The best output that beam search finds, for each source.

    Made of `keras.ops`, so that it runs eagerly, under `tf.function` and inside an exported graph.

    Args:
        generator: has `encode` and `step`, see `keras_seq.decoding`; the first axis of what they return is the batch.
            If its attribute `shares_memory` is True, `step` is given `group=beams` and a memory of one row a source.
        source_ids: int32 `(batch, source)`, padded on the right.
        source_length: int32 `(batch,)`
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
    memory, state = generator.encode(source_ids, source_length)
    step = generator.step
    if getattr(generator, "shares_memory", False):
        step = functools.partial(step, group=beams)
    else:
        memory = {name: ops.repeat(tensor, beams, axis=0) for name, tensor in memory.items()}
    names = sorted(state)
    nothing = ops.zeros_like(source_length)  # (batch,)
    rows = ops.cumsum(ops.ones_like(source_length)) - 1  # 0, 1, ..., by way of a tensor whose size may be dynamic
    first_row = ops.expand_dims(rows * beams, 1)  # (batch, 1), where the beams of a source begin
    empty = ops.repeat(ops.expand_dims(nothing, 1), max_length, axis=1)  # (batch, max_length)

    def unfinished(position, token, total, ids, scores, best, *_):
        could_be = total[:, 0] / float(max_length) ** length_penalty  # (batch,), the beams are in order
        return ops.logical_and(position < max_length, ops.any(could_be > best))

    def body(position, token, total, ids, scores, best, best_length, best_ids, best_scores, *state):
        logits, state = step(token, dict(zip(names, state, strict=True)), memory)
        parent, token, value, added = _candidates(logits, total, beams)  # each (batch, 2 beams)
        ends = ops.equal(token, END)
        score = value / ops.cast(position + 1, "float32") ** length_penalty
        finished = ops.logical_and(ends, ops.expand_dims(ops.arange(2 * beams) < beams, 0))
        winner = _first_best(ops.where(finished, score, _NEVER))  # (batch, 1)
        row = ops.squeeze(first_row + _pick(parent, winner), 1)  # (batch,)
        ended_ids = write_at(ops.take(ids, row, axis=0), position, nothing + END)
        ended_scores = write_at(ops.take(scores, row, axis=0), position, ops.squeeze(_pick(added, winner), 1))
        better_score = ops.squeeze(_pick(ops.where(finished, score, _NEVER), winner), 1)
        better = ops.expand_dims(better_score > best, 1)  # (batch, 1)
        best_ids, best_scores = ops.where(better, ended_ids, best_ids), ops.where(better, ended_scores, best_scores)
        best_length = ops.where(better_score > best, position, best_length)
        best = ops.maximum(best, better_score)

        total, kept = ops.top_k(ops.where(ends, _NEVER, value), beams)  # (batch, beams)
        parents = ops.reshape(first_row + _pick(parent, kept), (-1,))  # (batch * beams,), rows
        token, added = (ops.reshape(_pick(values, kept), (-1,)) for values in (token, added))
        ids = write_at(ops.take(ids, parents, axis=0), position, token)
        scores = write_at(ops.take(scores, parents, axis=0), position, added)
        state = [ops.take(state[name], parents, axis=0) for name in names]
        return (position + 1, token, total, ids, scores, best, best_length, best_ids, best_scores, *state)

    ids, floats = ops.repeat(empty, beams, axis=0), ops.cast(empty, "float32")
    # At first all beams are the same output: only one of them counts.
    alone = ops.cast(ops.expand_dims(nothing, 1), "float32") + np.array([[0.0] + [_NEVER] * (beams - 1)], "float32")
    start = (
        ops.convert_to_tensor(np.int32(0)),
        ops.repeat(nothing + START, beams, axis=0),
        alone,
        ids,
        ops.cast(ids, "float32"),
        ops.cast(nothing, "float32") + 2 * _NEVER,
        nothing,
        empty,
        floats,
        *(ops.repeat(state[name], beams, axis=0) for name in names),
    )
    position, _, total, ids, scores, best, best_length, best_ids, best_scores, *_ = ops.while_loop(
        unfinished, body, start
    )
    # What is not finished at the end counts as it is.
    whole = ops.logical_and(position >= max_length, total[:, 0] / float(max_length) ** length_penalty > best)
    best_length = ops.where(whole, max_length, best_length)
    whole = ops.expand_dims(whole, 1)
    row = ops.squeeze(first_row, 1)
    best_ids = ops.where(whole, ops.take(ids, row, axis=0), best_ids)
    best_scores = ops.where(whole, ops.take(scores, row, axis=0), best_scores)
    return best_ids, best_length, best_scores


def _candidates(logits, total, beams):
    """The `2 beams` likeliest continuations of each source: parent beam, token, sum and what the token added to it."""
    added = ops.log_softmax(ops.cast(logits, "float32"))  # (batch * beams, vocabulary)
    most = min(2 * beams, added.shape[-1])
    added, token = ops.top_k(added, most)  # (batch * beams, 2 beams): no more can be among the likeliest of all
    value = ops.reshape(total, (-1, 1)) + added
    flat = [ops.reshape(tensor, (-1, beams * most)) for tensor in (value, ops.cast(token, "int32"), added)]
    value, place = ops.top_k(flat[0], min(2 * beams, beams * most))  # (batch, 2 beams)
    parent = ops.cast(place, "int32") // most
    return parent, _pick(flat[1], place), value, _pick(flat[2], place)


def _pick(values, places):
    """`values[i, places[i, j]]`, `(batch, picked)`."""
    size = values.shape[1]
    here = ops.equal(ops.expand_dims(places, 2), ops.reshape(ops.arange(size, dtype="int32"), (1, 1, -1)))
    return ops.sum(ops.where(here, ops.expand_dims(values, 1), ops.cast(0, values.dtype)), axis=2)


def _first_best(scores):
    """The place of the largest of each row, int32 `(batch, 1)`."""
    return ops.cast(ops.top_k(scores, 1)[1], "int32")


def beam_reference(generator, source_ids, source_length, max_length, beams=4, length_penalty=1.0):
    """The same as `beam`, slow and obvious: one source at a time, without padding, in plain Python.

    Args:
        generator, source_ids, source_length, max_length, beams, length_penalty: as for `beam`.

    Returns:
        A list of (ids, log-probabilities), each a list that includes the end token where one was written.
    """
    _check(beams, length_penalty)
    return [
        _search(generator, row[:length], max_length, beams, length_penalty)
        for row, length in zip(np.asarray(source_ids), np.asarray(source_length), strict=True)
    ]


def _search(generator, source, max_length, beams, length_penalty):
    memory, state = generator.encode(source[None].astype("int32"), np.asarray([len(source)], "int32"))
    best, best_score = None, -np.inf
    alive = [([], [], state)]
    for length in range(1, max_length + 1):
        candidates = []
        for ids, scores, state in alive:
            logits, after = generator.step(np.asarray([ids[-1] if ids else START], "int32"), state, memory)
            for token, score in enumerate(ops.convert_to_numpy(ops.log_softmax(logits))[0].tolist()):
                candidates.append(([*ids, token], [*scores, score], after))
        candidates = sorted(candidates, key=lambda candidate: -sum(candidate[1]))[: 2 * beams]
        for ids, scores, _ in candidates[:beams]:
            if ids[-1] == END and sum(scores) / length**length_penalty > best_score:
                best, best_score = (ids, scores), sum(scores) / length**length_penalty
        alive = [candidate for candidate in candidates if candidate[0][-1] != END][:beams]
        if sum(alive[0][1]) / max_length**length_penalty <= best_score:
            return best
    return alive[0][:2]


def _check(beams, length_penalty):
    if not isinstance(beams, int) or isinstance(beams, bool) or beams < 1:
        raise ValueError(f"beams={beams!r} is not a number of beams; give a whole number of 1 or more")
    if not length_penalty >= 0:
        raise ValueError(f"length_penalty={length_penalty!r} is below 0; 0 leaves it out, 1 divides by the length")
