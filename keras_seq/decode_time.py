"""Decode time against output length, with the caches of `step` and without.

    with cache         a step costs the same wherever it is:                  n steps cost ~ n
    without cache      step t runs the whole model on t positions again:      n steps cost ~ 1 + 2 + ... + n ~ n^2 / 2

The caches of a `Transformer` have the fixed size `max_target`, and a step reads all of it, so that its time does not
even hang on how much is filled.
"""

import statistics
import time

import numpy as np
from keras import ops

from keras_seq.decoding import END, WithoutCache, greedy

_BANNED = -1e9  # a logit that is never the largest


def decode_times(model, lengths, source_length=16, rows=1, repeats=5, seed=0):
    """Measures greedy decoding of outputs of given lengths, with cache and without.

    Every output is as long as it may be, since the end token is banned. Each length is compiled and run once before
    anything is measured; then all take turns, so that a machine that is busy for a while is busy for all of them.

    Args:
        model: a Keras model from `source` and `target` to logits that is a generator too, such as `Seq2Seq` and
            `Transformer` of `keras_seq.models`.
        lengths: ints, output lengths in tokens, rising.
        source_length: int, tokens of each source.
        rows: int, sources that are decoded at once.
        repeats: int, measurements of each, of which the median is taken.
        seed: int, of the sources, which are random ids.

    Returns:
        dict of "with cache" and "without cache" to (lengths, seconds), two lists; what `keras_seq.plots.curves` draws.

    Raises:
        ValueError: if lengths are not rising numbers of tokens, or longer than the caches of the model.

    Example:
        >>> from keras_seq.models import Seq2Seq
        >>> times = decode_times(Seq2Seq(11, 7, embedding_size=3, units=5), [2, 4], source_length=3, repeats=1)
        >>> print({name: measured for name, (measured, seconds) in times.items()})
        {'with cache': [2, 4], 'without cache': [2, 4]}
    """
    lengths = list(lengths)
    _check(lengths, model.get_config().get("max_target"))
    vocabulary = model.get_config()["source_vocabulary_size"]
    sources = np.random.default_rng(seed).integers(1, vocabulary, (rows, source_length)).astype("int32")
    inputs = sources, np.full(rows, source_length, "int32")
    generators = {"with cache": lambda length: model, "without cache": lambda length: WithoutCache(model, length)}
    runs = {
        (name, length): _compiled(_Endless(make(length)), length, inputs)
        for name, make in generators.items()
        for length in lengths
    }
    seconds = {key: [] for key in runs}
    for _ in range(repeats):
        for key, run in runs.items():
            begin = time.perf_counter()
            run()
            seconds[key].append(time.perf_counter() - begin)
    return {name: (lengths, [statistics.median(seconds[name, length]) for length in lengths]) for name in generators}


def growth(lengths, seconds):
    """How decode time grows with the length.

    Args:
        lengths: ints, rising, two at least.
        seconds: floats, of each length.

    Returns:
        exponent: float, the slope of log(seconds) over log(lengths): 1 where the time is proportional to the length, 2
            where it is to its square. What a run or a step costs whatever its length makes it smaller.
        token_ratio: float, the time for each token of the longest output over that of the shortest: 1 where a token
            costs the same wherever it is.

    Example:
        >>> print("%.2f %.2f" % growth([2, 4, 8], [1.0, 2.0, 4.0]), "%.2f %.2f" % growth([2, 4, 8], [1.0, 4.0, 16.0]))
        1.00 1.00 2.00 4.00
    """
    exponent = np.polyfit(np.log(lengths), np.log(seconds), 1)[0]
    return float(exponent), float(seconds[-1] / lengths[-1] / (seconds[0] / lengths[0]))


class _Endless:
    """A generator that never writes the end, nor padding, which `WithoutCache` would mask."""

    def __init__(self, generator):
        self.encode, self._generator = generator.encode, generator

    def step(self, token, state, memory):
        logits, state = self._generator.step(token, state, memory)
        banned = np.isin(np.arange(logits.shape[-1]), [0, END])
        return ops.where(banned, _BANNED, ops.cast(logits, "float32")), state


def _compiled(generator, length, inputs):
    """A function without arguments that decodes; it has been compiled and run."""
    import tensorflow as tf

    # Of any batch: the loop of a model with tied embeddings does not keep a known one.
    shapes = [tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)]
    function = tf.function(lambda *tensors: greedy(generator, *tensors, length), shapes, autograph=False)
    tensors = [tf.constant(array) for array in inputs]

    def run():
        ids, written, _ = function(*tensors)
        return ids.numpy(), written.numpy()

    run()
    return run


def _check(lengths, room):
    whole = all(isinstance(length, int) and not isinstance(length, bool) and length > 0 for length in lengths)
    if len(lengths) < 2 or not whole or lengths != sorted(set(lengths)):
        raise ValueError(f"lengths={lengths!r} are not two or more rising numbers of tokens; give for example [16, 32]")
    if room is not None and lengths[-1] > room:
        raise ValueError(
            f"the longest of lengths={lengths!r} does not fit into the caches of max_target={room}; build the model "
            f"with max_target={lengths[-1]}, which changes no weight"
        )
