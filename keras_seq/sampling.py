"""Sampling: outputs drawn by their probability, the same ones again for the same seed.

    p(token)   ~ softmax(logits / temperature)          below 1 the likely becomes likelier, above 1 the unlikely
    top_k      only the k likeliest tokens
    top_p      only the likeliest tokens that together have the probability p, the one that reaches it included
    token      the first at which the sum of the sorted probabilities passes a number drawn evenly from [0, 1)

The numbers are an argument, one for each output position. So drawing is a plain function, the same on every backend,
under `tf.function`, inside an exported graph and in numpy; and rows of a batch do not hang on one another.

Reference: Fan, Lewis and Dauphin, 2018, "Hierarchical Neural Story Generation" (top k); Holtzman et al., 2020, "The
Curious Case of Neural Text Degeneration" (top p, "nucleus").
"""

import numpy as np
from keras import ops

from keras_seq.decoding import END, START, decode, each_alone


def draw_numbers(rows, max_length, seed):
    """Numbers for `sample`.

    Args:
        rows: int, outputs.
        max_length: int, output positions, the end token included.
        seed: int.

    Returns:
        float32 array `(rows, max_length)`, evenly from [0, 1); a row is the same however many rows come after it.
    """
    return np.random.default_rng(seed).random((rows, max_length), "float32")


def sample(generator, source, source_length, max_length, numbers, temperature=1.0, top_k=None, top_p=1.0):
    """Draws an output for each source.

    Args:
        generator: has `encode` and `step`, see `keras_seq.decoding`.
        source: what it reads, such as ids int32 `(batch, source)`, padded on the right; see `keras_seq.decoding`.
        source_length: int32 `(batch,)`; None of pictures.
        max_length: int, output positions, the end token included.
        numbers: float32 `(batch, max_length)` from [0, 1), as `draw_numbers` gives.
        temperature: float above 0.
        top_k: int, tokens that are left to draw from; None leaves all. 1 is greedy decoding.
        top_p: float in (0, 1], probability that is left to draw from; 1 leaves all.

    Returns:
        ids: int32 `(batch, max_length)`, the end token included, then padding (0).
        length: int32 `(batch,)`, ids before the end token.
        log_probability: float32 `(batch, max_length)`, of each id by the model itself, before temperature and cuts; 0
            in the padding.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> from keras_seq.models import Seq2Seq
        >>> model = Seq2Seq(11, 7, embedding_size=3, units=5)
        >>> sources, lengths = np.array([[5, 6], [7, 8]], "int32"), np.array([2, 2], "int32")
        >>> ids, _, _ = sample(model, sources, lengths, 4, draw_numbers(2, 4, seed=1), top_k=3)
        >>> tuple(ids.shape)
        (2, 4)
    """
    _check(temperature, top_k, top_p)
    numbers = ops.convert_to_tensor(numbers, "float32")
    if len(numbers.shape) != 2 or numbers.shape[1] != max_length:
        raise ValueError(
            f"numbers have shape {tuple(numbers.shape)}, wanted (batch, {max_length}): one for each output position; "
            "make them with draw_numbers"
        )

    def choose(logits, position):
        return draw(logits, ops.take(numbers, position, axis=1), temperature, top_k, top_p)

    return decode(generator, source, source_length, max_length, choose)


def draw(logits, number, temperature=1.0, top_k=None, top_p=1.0):
    """Draws one token.

    Args:
        logits: `(batch, vocabulary)`
        number: float32 `(batch,)` from [0, 1).
        temperature, top_k, top_p: as for `sample`.

    Returns:
        the token int32 `(batch,)` and its log-probability by the model itself float32 `(batch,)`.

    Example:
        >>> token, _ = draw(ops.log([[0.1, 0.6, 0.3]]), ops.array([0.7]))  # sorted 0.6, 0.3, 0.1; sums 0.6, 0.9, 1
        >>> print(ops.convert_to_numpy(token).tolist())
        [2]
    """
    log_probability = ops.log_softmax(ops.cast(logits, "float32"))  # (batch, vocabulary)
    kept = logits.shape[-1] if top_k is None else min(top_k, logits.shape[-1])
    log_probability, tokens = ops.top_k(log_probability, kept)  # (batch, kept), the likeliest first
    probability = ops.softmax(log_probability / temperature)
    if top_p < 1:
        before = ops.cumsum(probability, axis=1) - probability
        probability = ops.where(before < top_p, probability, 0.0)
    sums = ops.cumsum(probability, axis=1)
    # A share of the last sum, not of 1: sums are rounded, and a token without probability must not be reached.
    reached = ops.expand_dims(number, 1) * sums[:, -1:]  # (batch, 1)
    place = ops.sum(ops.cast(sums <= reached, "int32"), axis=1, keepdims=True)  # (batch, 1)
    here = ops.equal(ops.expand_dims(np.arange(kept, dtype="int32"), 0), place)  # (batch, kept)
    token = ops.sum(ops.where(here, ops.cast(tokens, "int32"), 0), axis=1)
    return token, ops.sum(ops.where(here, log_probability, 0.0), axis=1)


def sample_reference(generator, source, source_length, max_length, numbers, temperature=1.0, top_k=None, top_p=1.0):
    """The same as `sample`, slow and obvious: one sequence at a time, without padding, in plain numpy.

    Args:
        generator, source, source_length, max_length, numbers, temperature, top_k, top_p: as for `sample`.

    Returns:
        A list of lists of ids, each with the end token where one was drawn.
    """
    _check(temperature, top_k, top_p)
    written = []
    for alone, own in zip(each_alone(source, source_length), np.asarray(numbers), strict=True):
        memory, state = generator.encode(*alone)
        ids, token = [], START
        while len(ids) < max_length and token != END:
            logits, state = generator.step(np.asarray([token], "int32"), state, memory)
            token = draw_reference(ops.convert_to_numpy(logits)[0], own[len(ids)], temperature, top_k, top_p)
            ids.append(token)
        written.append(ids)
    return written


def draw_reference(logits, number, temperature=1.0, top_k=None, top_p=1.0):
    """The same as `draw` for one row, in numpy: what a program without Keras does with the logits of an exported step.

    Args:
        logits: array `(vocabulary,)`
        number: float from [0, 1).
        temperature, top_k, top_p: as for `sample`.

    Returns:
        int, the token.
    """
    order = np.argsort(-logits, kind="stable")[:top_k]
    scores = logits[order].astype("float64") / temperature
    probability = np.exp(scores - scores.max())
    probability /= probability.sum()
    before = np.cumsum(probability) - probability
    if top_p < 1:
        probability[before >= top_p] = 0
    sums = np.cumsum(probability)
    return int(order[np.searchsorted(sums, number * sums[-1], side="right")])


def _check(temperature, top_k, top_p):
    if not temperature > 0:
        raise ValueError(f"temperature={temperature!r} is not above 0; for the likeliest token each time use greedy")
    if top_k is not None and (isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1):
        raise ValueError(f"top_k={top_k!r} is not a number of tokens; give a whole number of 1 or more, or None")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p={top_p!r} is not in (0, 1]; 1 leaves every token")
