"""What a word looks like: its characters through a small convolution, to one vector a word.

    e_1..e_c    = embedded characters of a word
    f_i         = relu(W [e_{i-k/2} ... e_{i+k/2}] + b)      k characters side by side, at every place of the word
    word        = largest of f_1..f_c, feature by feature

so that a feature says whether some piece ("-ing", "Mc", two digits) is anywhere in the word. Words that training has
never seen have characters that it has.

Reference: Ma and Hovy, 2016, "End-to-end Sequence Labeling via Bi-directional LSTM-CNNs-CRF", section 2.1 (the
convolution); Gal and Ghahramani, 2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks",
section 4.2 (dropping whole words).
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_size


@keras.saving.register_keras_serializable("keras_seq")
class CharacterConvolution(keras.layers.Layer):
    """One vector for each word, from its characters.

    Args:
        vocabulary_size: int, number of characters, padding (0) included.
        features: int, width of an embedded character.
        filters: int, number of pieces looked for.
        kernel_size: int, characters in a piece.
        edges: bool, whether a learned vector stands before and behind each word, so that "-ing" at its end is another
            piece than "ing" inside. Without it nothing, zeros, stands there.

    Call arguments:
        characters: int32 `(batch, time, width)`: each word's characters, padded with 0 on the right.

    Returns:
        `(batch, time, filters)`, 0 for a word without characters, which is masked in what follows.

    Raises:
        ValueError: if a size is out of range or the rank is not 3.

    Example:
        >>> layer = CharacterConvolution(vocabulary_size=11, features=4, filters=5)
        >>> tuple(layer(ops.array([[[4, 5, 6, 0], [7, 0, 0, 0]]])).shape)
        (1, 2, 5)

    Reference: Ma and Hovy, 2016, section 2.1.
    """

    def __init__(self, vocabulary_size, features, filters, kernel_size=3, edges=False, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.features = features
        self.filters = filters
        self.kernel_size = kernel_size
        self.edges = edges
        for name in ("vocabulary_size", "features", "filters", "kernel_size"):
            check_size(name, getattr(self, name))
        self.embedding = keras.layers.Embedding(vocabulary_size, features, dtype=self.dtype_policy, name="embedding")
        # A picture of height time and width characters: no window reaches from one word into the next.
        self.convolution = keras.layers.Conv2D(
            filters, (1, kernel_size), padding="valid" if edges else "same", activation="relu",
            dtype=self.dtype_policy, name="convolution",
        )  # fmt: skip

    def build(self, characters_shape):
        if len(characters_shape) != 3:
            raise ValueError(
                f"characters have shape {tuple(characters_shape)}, wanted (batch, time, width); add an axis for time"
            )
        self.embedding.build(characters_shape)
        self.convolution.build((*characters_shape, self.features))

    def call(self, characters):
        kept = ops.expand_dims(ops.cast(ops.not_equal(characters, 0), self.compute_dtype), -1)  # (.., width, 1)
        if self.edges:  # the vector of the padding is the word's edge, and learned as those of the characters are
            side = (self.kernel_size - 1) // 2
            padded = ops.pad(characters, ((0, 0), (0, 0), (side, self.kernel_size - 1 - side)))
            embedded = self.embedding(padded)  # (batch, time, side + width + side, features)
        else:
            embedded = self.embedding(characters) * kept  # (batch, time, width, features)
        return ops.max(self.convolution(embedded) * kept, axis=2)  # (batch, time, filters)

    def compute_mask(self, characters, mask=None):
        return ops.any(ops.not_equal(characters, 0), axis=-1)  # (batch, time)

    def compute_output_shape(self, characters_shape):
        return (*characters_shape[:2], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "features": self.features,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "edges": self.edges,
        }


@keras.saving.register_keras_serializable("keras_seq")
class WordDropout(keras.layers.Layer):
    """Takes some words for unknown ones in training, so that the model learns to do without.

    Args:
        rate: float in [0, 1), share of the words.
        unknown: int, id of the unknown word.
        seed: int, or None.

    Call arguments:
        ids: int `(batch, time)`; padding (0) stays.
        training: bool.

    Returns:
        int `(batch, time)`.

    Raises:
        ValueError: if `rate` is out of range.

    Example:
        >>> ids = WordDropout(0.5, seed=1)(ops.full((100, 100), 7), training=True)
        >>> print(round(float(ops.mean(ops.cast(ids == 3, "float32"))), 1))
        0.5

    Reference: Gal and Ghahramani, 2016, section 4.2.
    """

    def __init__(self, rate, unknown=3, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate={rate} is out of range; choose a number in [0, 1), often 0.1")
        self.rate = rate
        self.unknown = unknown
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, ids, training=False):
        if not training or not self.rate:
            return ids
        drawn = keras.random.uniform(ops.shape(ids), seed=self.seed_generator)
        dropped = ops.logical_and(drawn < self.rate, ops.not_equal(ids, 0))
        return ops.where(dropped, ops.cast(self.unknown, ids.dtype), ids)

    def compute_output_shape(self, ids_shape):
        return ids_shape

    def compute_output_spec(self, ids, training=False):
        # Without this a layer that is called on ids says that they become floats.
        return keras.KerasTensor(ids.shape, ids.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "unknown": self.unknown, "seed": self.seed}
