"""Decoding: from logits, one step at a time, to a sequence of ids.

Works on any generator, which is any object with

    encode(source, source_length) -> memory, state
    step(token, state, memory) -> logits, state

where memory and state are flat dicts of tensors. A source is what the generator reads:

    ids of a text   int32 `(batch, source)`, padded with 0 on the right, and its length in tokens
    audio           float32 `(batch, samples)` from -1 to 1, padded with 0 on the right, and its length in samples
    a picture       float32 `(batch, height, width, channels)` from 0 to 1; it has no length, so that all here take None
                    for it, and `encode` is given the picture alone

The loop is made of `keras.ops`, so that it runs eagerly, under `tf.function` and inside an exported graph.
"""

import numpy as np
from keras import ops

from keras_seq.layers.cache import write_at
from keras_seq.layers.masks import length_mask

START, END = 1, 2


def greedy(generator, source, source_length, max_length):
    """Takes the likeliest token at every step, until every sequence has ended.

    Args:
        generator: has `encode` and `step`.
        source: what it reads, such as ids int32 `(batch, source)`, padded on the right; see the top of this module.
        source_length: int32 `(batch,)`; None of pictures.
        max_length: int, output positions, the end token included.

    Returns:
        ids: int32 `(batch, max_length)`, the end token included, then padding (0).
        length: int32 `(batch,)`, ids before the end token.
        log_probability: float32 `(batch, max_length)`, of each id, the end token included; 0 in the padding.
    """
    return decode(generator, source, source_length, max_length, lambda logits, position: _likeliest(logits))


def decode(generator, source, source_length, max_length, choose):
    """Takes the token that `choose` chooses at every step, until every sequence has ended.

    Args:
        generator, source, source_length, max_length: as for `greedy`.
        choose: function of logits `(batch, vocabulary)` and the position, scalar int32, to a token int32 `(batch,)` and
            its log-probability float32 `(batch,)`.

    Returns:
        as `greedy`.
    """
    memory, state = generator.encode(*given(source, source_length))
    names = sorted(state)
    nothing = zeros(source, source_length)
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


def given(source, source_length):
    """The arguments of `encode`: the source and its length, or the source alone where it has none."""
    return (source,) if source_length is None else (source, source_length)


def zeros(source, source_length):
    """A zero for each source, int32 `(batch,)`.

    Made of a tensor that depends on the input, so that the batch may be dynamic in an exported graph.
    """
    if source_length is None:
        one_of_each = source[(slice(None), *[0] * (len(source.shape) - 1))]  # (batch,)
        return ops.cast(ops.zeros_like(one_of_each), "int32")
    return ops.zeros_like(source_length)


def each_alone(source, source_length):
    """The arguments of `encode` for one source after another, without its padding: for the loops in plain Python.

    Args:
        source, source_length: as for `greedy`, arrays.

    Yields:
        tuple of the source `(1, ...)` and, where it has one, its length int32 `(1,)`.
    """
    source = np.asarray(source)
    source = source.astype("int32") if source.dtype.kind in "iu" else source
    if source_length is None:
        yield from ((row[None],) for row in source)
        return
    for row, length in zip(source, np.asarray(source_length), strict=True):
        yield row[None, :length], np.asarray([length], "int32")


class WithoutCache:
    """A model as a generator that keeps nothing but what is written: each step runs the whole model anew.

    This is how a first decoding loop looks. Its step reads the source and every token before, so that the step at
    position t costs t times what the first one did, and a whole output costs the square of its length. A step with
    cached keys and values, or a recurrent state, gives the same logits for the cost of one position; for what that
    saves see `keras_seq.decode_time`.

    The same, that is, up to a padding id (0) among the written: as a target, it is masked. Training teaches no model to
    write one.

    Args:
        model: Keras model from a dict of `source`, int32 `(batch, source)`, and `target`, int32 `(batch, target)`, to
            logits `(batch, target, vocabulary)`, such as `keras_seq.models.Transformer`.
        max_length: int, steps that there is room for.
    """

    def __init__(self, model, max_length):
        self._model, self._max_length = model, max_length

    def encode(self, source_ids, source_length):
        source = ops.where(length_mask(source_length, ops.shape(source_ids)[1]), source_ids, 0)
        nothing = ops.zeros_like(source_length)  # (batch,)
        read = ops.repeat(ops.expand_dims(nothing, 1), self._max_length, axis=1)  # (batch, max_length)
        return {"source": source}, {"read": read, "position": nothing}

    def step(self, token, state, memory):
        position = state["position"][0]  # that of every row
        read = write_at(state["read"], position, token)
        logits = self._model({"source": memory["source"], "target": read[:, : position + 1]}, training=False)
        # In a graph a model of open target length may forget that the batch is 1, which a loop does not allow.
        last = ops.reshape(logits[:, -1], (token.shape[0] or -1, logits.shape[-1]))  # (batch, vocabulary)
        return last, {"read": read, "position": state["position"] + 1}


def greedy_without_cache(model, source_ids, source_length, max_length):
    """As `greedy`, but the whole model runs anew at every step; see `WithoutCache`. For comparison.

    Args:
        model: Keras model from `source` and `target` to logits.
        source_ids, source_length, max_length: as for `greedy`.

    Returns:
        as `greedy`.

    Example:
        >>> from keras_seq.models import Seq2Seq
        >>> model = Seq2Seq(11, 7, embedding_size=3, units=5)
        >>> inputs = np.array([[5, 6], [7, 8]], "int32"), np.array([2, 2], "int32")
        >>> slow, fast = greedy_without_cache(model, *inputs, 4), greedy(model, *inputs, 4)
        >>> bool(ops.all(ops.equal(slow[0], fast[0])))
        True
    """
    return greedy(WithoutCache(model, max_length), source_ids, source_length, max_length)


def greedy_reference(generator, source, source_length, max_length):
    """The same as `greedy`, slow and obvious: one sequence at a time, without padding, in plain Python.

    Args:
        generator, source, source_length, max_length: as for `greedy`, arrays.

    Returns:
        A list of (ids, log-probabilities), each a list that includes the end token where one was written.
    """
    written = []
    for alone in each_alone(source, source_length):
        memory, state = generator.encode(*alone)
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
