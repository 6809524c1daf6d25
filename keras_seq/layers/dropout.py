"""Dropout whose random bits a compiler can make for next to nothing.

    output_i = input_i / (1 - rate)      where bits_i say so, which is with probability 1 - rate; else 0
    bits_i   = mix(mix(i + a) + b)       a = mix(key_0), b = mix(key_1) xor a

with i the place of the number in the tensor, and all of it in whole numbers of 32 bits, modulo 2^32. A layer's key is
its seed and how often it was called.

Reference: Srivastava et al., 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting"; for `mix`,
Wellons, 2018, "Prospecting for Hash Functions" (lowbias32).
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_share

_FIRST, _SECOND = 0x7FEB352D, 0x846CA68B - 2**32  # as int32: PyTorch multiplies no unsigned numbers


def dropout(inputs, rate, key):
    """Sets a share of the numbers to 0 and scales up the others, so that the expected sum stays.

    Args:
        inputs: float, any shape.
        rate: float in [0, 1), the share.
        key: int32 `(2,)`. The same key and shape give the same places, on every backend.

    Returns:
        The shape and dtype of `inputs`.

    Example:
        >>> print(ops.convert_to_numpy(dropout(ops.ones((2, 4)), 0.5, ops.array([1, 2], "int32"))).tolist())
        [[2.0, 0.0, 2.0, 2.0], [0.0, 0.0, 0.0, 2.0]]
    """
    shape = ops.shape(inputs)
    size = 1
    for length in shape:
        size = size * length
    first, second = ops.unstack(mix(key))
    bits = mix(mix(ops.arange(size, dtype="int32") + first) + (first ^ second))  # uniform from -2^31 to 2^31 - 1
    kept = ops.reshape(bits >= round(rate * 2**32) - 2**31, shape)
    return ops.where(kept, inputs / (1 - rate), ops.zeros((), inputs.dtype))


def mix(numbers):
    """A one-to-one map of int32 in which each bit of the result hangs on every bit of the number.

    Args:
        numbers: int32, any shape.

    Returns:
        int32, the same shape.

    Example:
        >>> print(ops.convert_to_numpy(mix(ops.array([0, 1, 2], "int32"))).tolist())
        [0, 1753845952, -787275391]
    """
    numbers = (numbers ^ _shifted(numbers, 16)) * _FIRST
    numbers = (numbers ^ _shifted(numbers, 15)) * _SECOND
    return numbers ^ _shifted(numbers, 16)


def _shifted(numbers, places):
    """To the right, with zeros coming from the left: shifting a signed number copies its sign instead."""
    return ops.bitwise_and(ops.right_shift(numbers, places), 2 ** (32 - places) - 1)


@keras.saving.register_keras_serializable("keras_seq")
class Dropout(keras.layers.Layer):
    """`dropout` in training, other places at every call; nothing otherwise.

    `keras.layers.Dropout` takes its bits from Philox, whose 64-bit products XLA compiles badly for a CPU: a Transformer
    with it trains no faster under XLA than without, in `python -m benchmarks.training_speed`.

    Args:
        rate: float in [0, 1), the share of the inputs that is set to 0.
        seed: int, for places of its own; None draws one.

    Call arguments:
        inputs: float, any shape.
        training: bool.

    Returns:
        The shape of `inputs`; the mask is passed on.

    Raises:
        ValueError: if `rate` is out of range.

    Example:
        >>> layer, inputs = Dropout(0.5, seed=1), ops.ones(99)
        >>> sorted({float(x) for x in layer(inputs)}), sorted({float(x) for x in layer(inputs, training=True)})
        ([1.0], [0.0, 2.0])

    Reference: Srivastava et al., 2014, sections 4 and 10.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        check_share("rate", rate)
        self.rate = rate
        self.seed = seed
        self.supports_masking = True
        if rate:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, inputs, training=False):
        if not training or not self.rate:
            return inputs
        return dropout(inputs, self.rate, ops.cast(self.seed_generator.next(), "int32"))

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
