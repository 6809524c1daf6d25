"""Readers: token ids through a stack of recurrent layers, to one label (N-1) or to one for each token (N-N).

    x_1..x_N  = embedded ids
    h_1..h_N  = recurrent layer over x, forwards, or forwards and backwards side by side; again for each further layer
    Classifier  p(label)  = softmax(W h_N + b)      of both directions: the last state that each reached
    Tagger      p(tag_n)  = softmax(W h_n + b)      for each n

Reference: Graves, 2012, "Supervised Sequence Labelling with Recurrent Neural Networks", chapter 3.
"""

import keras

from keras_seq.layers import Dropout
from keras_seq.layers.arguments import check_share

CELLS = {
    "rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "gru_reset_before": lambda units, **options: keras.layers.GRU(units, reset_after=False, **options),
}


class _Reader(keras.Model):
    """What `Classifier` and `Tagger` share."""

    _per_token = False

    def __init__(
        self,
        vocabulary_size,
        num_labels,
        embedding_size=64,
        units=64,
        cell="lstm",
        num_layers=1,
        bidirectional=False,
        dropout=0.0,
        name=None,
        **kwargs,
    ):
        config = {
            "vocabulary_size": vocabulary_size,
            "num_labels": num_labels,
            "embedding_size": embedding_size,
            "units": units,
            "cell": cell,
            "num_layers": num_layers,
            "bidirectional": bidirectional,
            "dropout": dropout,
        }
        for key in ("vocabulary_size", "num_labels", "embedding_size", "units", "num_layers"):
            if not isinstance(config[key], int) or config[key] < 1:
                raise ValueError(f"{key}={config[key]!r} is not a size; give a whole number of 1 or more")
        check_share("dropout", dropout)
        if cell not in CELLS:
            raise ValueError(f"cell={cell!r} is not known; choose from {', '.join(CELLS)}")
        ids = keras.Input((None,), dtype="int32", name="ids")
        hidden = keras.layers.Embedding(vocabulary_size, embedding_size, mask_zero=True, name="embedding")(ids)
        for number in range(num_layers):
            returns_sequence = self._per_token or number < num_layers - 1
            layer = CELLS[cell](units, return_sequences=returns_sequence, name=f"recurrent_{number}")
            if bidirectional:
                layer = keras.layers.Bidirectional(layer, name=f"both_ways_{number}")
            hidden = Dropout(dropout, name=f"dropout_{number}")(layer(hidden))
        logits = keras.layers.Dense(num_labels, dtype="float32", name="readout")(hidden)
        super().__init__(inputs=ids, outputs=logits, name=name, **kwargs)
        self._config = config

    def get_config(self):
        return {**self._config, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


@keras.saving.register_keras_serializable("keras_seq")
class Classifier(_Reader):
    """One label for a sequence.

    Args:
        vocabulary_size: int, ids, padding (0) included.
        num_labels: int.
        embedding_size: int.
        units: int, width of each direction.
        cell: "rnn", "lstm", "gru" or "gru_reset_before" (the GRU as published, Cho et al., 2014).
        num_layers: int.
        bidirectional: bool; both directions' last states are read side by side.
        dropout: float in [0, 1), behind each recurrent layer.

    Call arguments:
        ids: int32 `(batch, time)`, padded with 0 on the right; the padding is masked.

    Returns:
        logits float32 `(batch, num_labels)`

    Raises:
        ValueError: if a size is not positive or `cell` is not known.

    Example:
        >>> model = Classifier(vocabulary_size=11, num_labels=3, embedding_size=4, units=5, cell="gru")
        >>> tuple(model(keras.ops.ones((2, 7), "int32")).shape)
        (2, 3)
    """


@keras.saving.register_keras_serializable("keras_seq")
class Tagger(_Reader):
    """One label for each token of a sequence.

    Args:
        vocabulary_size, num_labels, embedding_size, units, cell, num_layers, bidirectional, dropout: as of
            `Classifier`.

    Call arguments:
        ids: int32 `(batch, time)`, padded with 0 on the right; the padding is masked.

    Returns:
        logits float32 `(batch, time, num_labels)`; what stands in the padding means nothing.

    Raises:
        ValueError: if a size is not positive or `cell` is not known.

    Example:
        >>> model = Tagger(vocabulary_size=11, num_labels=3, embedding_size=4, units=5, bidirectional=True)
        >>> tuple(model(keras.ops.ones((2, 7), "int32")).shape)
        (2, 7, 3)
    """

    _per_token = True
