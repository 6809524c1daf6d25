"""Positions: what tells a Transformer the order of its tokens, added to their embeddings.

    output_t = input_t + position_t

Attention sees a set: without this, a sentence and its shuffle are the same. Three tables of positions: sinusoidal (no
weights, any length), learned, and random but fixed, which is there to be compared with.
"""

import math

import keras
from keras import ops

from keras_seq.layers.arguments import check_size


def sinusoidal_positions(length, features, start=0, dtype="float32"):
    """Sines and cosines of the position, from fast waves in the first features to slow ones in the last.

        position(t)[2i]     = sin(t w_i)
        position(t)[2i + 1] = cos(t w_i)        w_i = 10000^(-2i / features)

    Why both: sine and cosine of one frequency are a point on a circle, and k positions further is a turn of it by
    k w_i, whatever the position. So position(t + k) = R_k position(t) with a matrix R_k that does not depend on t,

        [sin((t + k) w)]   [ cos(k w)  sin(k w)] [sin(t w)]
        [cos((t + k) w)] = [-sin(k w)  cos(k w)] [cos(t w)]

    and a linear map, which is what queries and keys are made by, can look "k positions back". With the sine alone there
    is no such map. Computed in float32, in float64 where that is asked for, and then cast: float16 has no odd number
    above 2048. The angle t w_i is rounded, so float32 is right to about t / 10^7.

    Args:
        length: int or scalar int tensor, number of positions; any.
        features: even int, width of a position.
        start: int or scalar int tensor, the first position.
        dtype: str, of the result.

    Returns:
        `(length, features)`

    Raises:
        ValueError: if `features` is odd.

    Example:
        >>> positions = sinusoidal_positions(2, 4)
        >>> print(ops.convert_to_numpy(positions).round(2))
        [[0.   1.   0.   1.  ]
         [0.84 0.54 0.01 1.  ]]

    Reference: Vaswani et al., 2017, "Attention Is All You Need", section 3.5. Their own code (tensor2tensor) has all
    sines before all cosines, a fixed permutation of the features.
    """
    check_size("features", features)
    if features % 2:
        raise ValueError(f"features={features} is odd; a sine and a cosine make a pair, so give an even number")
    wide = "float64" if dtype == "float64" else "float32"
    frequencies = [10000 ** (-2 * i / features) for i in range(features // 2)]
    time = ops.cast(ops.arange(length, dtype="int32") + start, wide)
    angles = ops.expand_dims(time, 1) * ops.convert_to_tensor([frequencies], wide)  # (length, pairs)
    pairs = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)  # (length, pairs, 2)
    return ops.cast(ops.reshape(pairs, (-1, features)), dtype)  # (length, features): sine, cosine, sine, cosine, ...


class _Positions(keras.layers.Layer):
    """What the three layers share: a row of a table is added to each position of the input."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, start=0):
        if len(inputs.shape) != 3:
            raise ValueError(f"inputs have shape {tuple(inputs.shape)}; positions want (batch, time, features)")
        return inputs + self._rows(inputs, start)  # (time, features) is added to every row of the batch

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape)


@keras.saving.register_keras_serializable("keras_seq")
class SinusoidalPositions(_Positions):
    """Adds `sinusoidal_positions` to its input: no weights, no longest length.

        output_t = input_t + position(start + t)

    Keras and PyTorch have no such layer; KerasHub's `SinePositionEncoding` returns the positions alone, and computes
    them in the layer's dtype, in which bfloat16 takes position 257 for 256.

    Args:
        kwargs: arguments of every layer, such as `dtype`.

    Call arguments:
        inputs: `(batch, time, features)`, `features` even; embeddings, scaled to the size of the positions (see
            `ScaledEmbedding`).
        start: int or scalar int tensor, position of the first input, for decoding step by step.

    Returns:
        `(batch, time, features)`; the mask is passed on.

    Raises:
        ValueError: if `features` is odd or the rank is not 3.

    Example:
        >>> layer = SinusoidalPositions()
        >>> print(ops.convert_to_numpy(layer(ops.zeros((1, 2, 2)))).round(1).tolist()[0][0])
        [0.0, 1.0]

    Reference: Vaswani et al., 2017, section 3.5.
    """

    def build(self, inputs_shape):
        self.built = True

    def _rows(self, inputs, start):
        return sinusoidal_positions(ops.shape(inputs)[1], inputs.shape[-1], start, self.compute_dtype)


class _PositionTable(_Positions):
    """Positions that are rows of a weight."""

    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        check_size("max_length", max_length)
        self.max_length = max_length

    def _rows(self, inputs, start):
        time = inputs.shape[1]
        first = start if isinstance(start, int) else 0
        if time is not None and first + time > self.max_length:
            raise ValueError(
                f"{time} positions from start={first} need a table of {first + time}, but this one has "
                f"max_length={self.max_length}; make it larger or cut the input"
            )
        return ops.take(self.positions, ops.arange(ops.shape(inputs)[1], dtype="int32") + start, axis=0)

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}


@keras.saving.register_keras_serializable("keras_seq")
class LearnedPositions(_PositionTable):
    """Adds a learned vector for each position.

        output_t = input_t + W[start + t]

    Has nothing to say beyond `max_length`, and has learned nothing about positions that training did not reach. Keras
    has no such layer; KerasHub's `PositionEmbedding` returns the positions alone; in PyTorch it is an `nn.Embedding` of
    `arange`.

    Args:
        max_length: int, number of positions.

    Call arguments:
        inputs: `(batch, time, features)`, `time` at most `max_length`.
        start: int or scalar int tensor, position of the first input, for decoding step by step.

    Returns:
        `(batch, time, features)`; the mask is passed on.

    Raises:
        ValueError: if the rank is not 3, or the positions are known to pass `max_length`. Where they are known at run
            time only, what happens is the backend's: an error, NaN or a wrong row.

    Example:
        >>> layer = LearnedPositions(max_length=5)
        >>> tuple(layer(ops.ones((2, 3, 4))).shape)
        (2, 3, 4)

    Reference: Gehring et al., 2017, "Convolutional Sequence to Sequence Learning", section 3.1; as good as sinusoids in
    Vaswani et al., 2017, table 3, row E.
    """

    def build(self, inputs_shape):
        small = keras.initializers.RandomNormal(stddev=0.02)
        self.positions = self.add_weight((self.max_length, inputs_shape[-1]), small, name="positions")
        self.built = True


@keras.saving.register_keras_serializable("keras_seq")
class RandomPositions(_PositionTable):
    """Adds a random vector for each position, never trained: distinct, but in no order.

        output_t = input_t + N[start + t],    N drawn once from a normal distribution of variance 1/2

    The variance is the mean square of sinusoids, so that only the order is missing. It is a weight that is not trained,
    and is saved with the model.

    Args:
        max_length: int, number of positions.
        seed: int, what the vectors are drawn from; backends draw differently.

    Call arguments: as `LearnedPositions`.

    Returns:
        `(batch, time, features)`; the mask is passed on.

    Raises:
        ValueError: as `LearnedPositions`.

    Example:
        >>> layer = RandomPositions(max_length=5, seed=3)
        >>> tuple(layer(ops.ones((2, 3, 4))).shape), len(layer.trainable_weights)
        ((2, 3, 4), 0)
    """

    def __init__(self, max_length, seed=0, **kwargs):
        super().__init__(max_length, **kwargs)
        self.seed = seed

    def build(self, inputs_shape):
        normal = keras.initializers.RandomNormal(stddev=math.sqrt(1 / 2), seed=self.seed)
        shape = (self.max_length, inputs_shape[-1])
        self.positions = self.add_weight(shape, normal, name="positions", trainable=False)
        self.built = True

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
