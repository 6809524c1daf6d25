"""Decoding: from logits, one step at a time, to a sequence of ids.

Works on any generator, which is any object with

    encode(source_ids, source_length) -> memory, state
    step(token, state, memory) -> logits, state

where memory and state are flat dicts of tensors. The loop is made of `keras.ops`, so that it runs eagerly, under
`tf.function` and inside an exported graph.
"""

import numpy as np
from keras import ops

from keras_seq.layers.cache import write_at

START, END = 1, 2


def greedy(generator, source_ids, source_length, max_length):
    """Takes the likeliest token at every step, until every sequence has ended.

    Args:
        generator: has `encode` and `step`.
        source_ids: int32 `(batch, source)`, padded on the right.
        source_length: int32 `(batch,)`
        max_length: int, output positions, the end token included.

    Returns:
        ids: int32 `(batch, max_length)`, the end token included, then padding (0).
        length: int32 `(batch,)`, ids before the end token.
        log_probability: float32 `(batch, max_length)`, of each id, the end token included; 0 in the padding.
    """
    return decode(generator, source_ids, source_length, max_length, lambda logits, position: _likeliest(logits))


def decode(generator, source_ids, source_length, max_length, choose):
    """Takes the token that `choose` chooses at every step, until every sequence has ended.

    Args:
        generator, source_ids, source_length, max_length: as for `greedy`.
        choose: function of logits `(batch, vocabulary)` and the position, scalar int32, to a token int32 `(batch,)` and
            its log-probability float32 `(batch,)`.

    Returns:
        as `greedy`.
    """
    memory, state = generator.encode(source_ids, source_length)
    names = sorted(state)
    # The batch size is taken from a tensor that depends on the input, so that it may be dynamic in an exported graph.
    nothing = ops.zeros_like(source_length)  # (batch,)
    ids = ops.repeat(ops.expand_dims(nothing, 1), max_length, axis=1)  # (batch, max_length)

    def unfinished(position, token, finished, *_):
        return ops.logical_and(position < max_length, ops.logical_not(ops.all(ops.equal(finished, 1))))

    def body(position, token, finished, length, ids, log_probability, *state):
        logits, state = generator.step(token, dict(zip(names, state, strict=True)), memory)
        token, score = choose(logits, position)
        alive = ops.equal(finished, 0)
        token = ops.where(alive, token, 0)
        ids = write_at(ids, position, token)
        log_probability = write_at(log_probability, position, ops.where(alive, score, 0.0))
        finished = ops.maximum(finished, ops.cast(ops.equal(token, END), "int32"))
        return (position + 1, token, finished, length + 1 - finished, ids, log_probability, *map(state.get, names))

    first = (
        ops.convert_to_tensor(np.int32(0)),
        nothing + START,
        nothing,
        nothing,
        ids,
        ops.cast(ids, "float32"),
        *map(state.get, names),
    )
    _, _, _, length, ids, log_probability, *_ = ops.while_loop(unfinished, body, first)
    return ids, length, log_probability


def greedy_reference(generator, source_ids, source_length, max_length):
    """The same as `greedy`, slow and obvious: one sequence at a time, without padding, in plain Python.

    Args:
        generator: has `encode` and `step`.
        source_ids: array of int `(batch, source)`.
        source_length: array of int `(batch,)`.
        max_length: int, output positions, the end token included.

    Returns:
        A list of (ids, log-probabilities), each a list that includes the end token where one was written.
    """
    written = []
    for row, length in zip(np.asarray(source_ids), np.asarray(source_length), strict=True):
        memory, state = generator.encode(row[None, :length].astype("int32"), np.asarray([length], "int32"))
        ids, scores = [], []
        token = START
        while len(ids) < max_length and token != END:
            logits, state = generator.step(np.asarray([token], "int32"), state, memory)
            log_probabilities = ops.convert_to_numpy(ops.log_softmax(logits))[0]
            token = int(np.argmax(log_probabilities))
            ids.append(token)
            scores.append(float(log_probabilities[token]))
        written.append((ids, scores))
    return written


def _likeliest(logits):
    """The likeliest token int32 `(batch,)` and its log-probability float32 `(batch,)`."""
    log_probabilities = ops.log_softmax(ops.cast(logits, "float32"))  # (batch, vocabulary)
    # Not ops.argmax: on TensorFlow it masks the sign of zero with a bitwise and, which TFLite has no kernel for.
    score, token = ops.top_k(log_probabilities, 1)  # (batch, 1)
    return ops.cast(ops.squeeze(token, 1), "int32"), ops.squeeze(score, 1)
