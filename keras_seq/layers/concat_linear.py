"""Concat-linear attention: the rule of the classic lesson, for a fixed number of source positions.

    weights = softmax over the positions of W [query; key]
    output  = W_o [query; sum of weights * value]

It is no scoring rule as `keras_seq.layers.scores` has them: the linear map has one output for each source position, so
the positions that it can attend to are counted in its weights, and what stands at a position is never looked at.
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_equal_sizes, check_mask, check_sequences, check_share, check_size
from keras_seq.layers.attention import masked_softmax
from keras_seq.layers.dropout import Dropout


@keras.saving.register_keras_serializable("keras_seq")
class ConcatLinearAttention(keras.layers.Layer):
    """Attention whose weights are a linear map of [query; key] to a fixed number of source positions.

        weights = softmax over the kept positions of W [query; key] + b
        context = sum of weights * value
        output  = context, or with `output_size` W_o [query; context] + b_o

    There is one key beside each query, such as the decoder's state beside its input token, and not one a source
    position. It cannot take a source of another length than `source_positions`; pad and mask shorter ones.

    Why not score pair by pair, W [query; key_s] for every position s? Without a tanh between, that is
    W_q query + W_k key_s: the first part is the same at every position, and the softmax does not see what is added to
    all scores. The query would vanish. `AdditiveScore` has the tanh.

    Args:
        source_positions: int, number of source positions.
        output_size: int, width of the output made from the query and the context; None returns the context.
        dropout: float in [0, 1), applied to the weights in training.

    Call arguments:
        query: `(batch, target, query_features)`
        value: `(batch, source_positions, value_features)`
        key: `(batch, target, key_features)`, beside each query.
        query_mask: bool `(batch, target)`, changes no number; the query's implicit mask is passed on to the output.
        value_mask: bool `(batch, source_positions)`, True where a position may be attended to.
        return_attention_scores: bool.

    Returns:
        `(batch, target, value_features or output_size)`, and with `return_attention_scores` the weights
        `(batch, target, source_positions)`.

    Raises:
        ValueError: if the source has another number of positions, a size or `dropout` is out of range, a rank is wrong,
            sizes disagree, or the mask has the wrong rank or dtype.

    Example:
        >>> layer = ConcatLinearAttention(source_positions=7, output_size=4)
        >>> tuple(layer(ops.ones((2, 3, 5)), ops.ones((2, 7, 11)), ops.ones((2, 3, 6))).shape)
        (2, 3, 4)

    Reference: Robertson, 2017, "NLP From Scratch: Translation with a Sequence to Sequence Network and Attention"
    (PyTorch tutorials), `AttnDecoderRNN` as first published.
    """

    def __init__(self, source_positions, output_size=None, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        check_size("source_positions", source_positions)
        check_share("dropout", dropout)
        self.source_positions = source_positions
        self.output_size = output_size
        self.dropout = dropout
        self.supports_masking = True
        self._scores = keras.layers.Dense(source_positions, dtype=self.dtype_policy, name="scores")
        self._dropout = Dropout(dropout, dtype=self.dtype_policy)
        self._output = None
        if output_size is not None:
            check_size("output_size", output_size)
            self._output = keras.layers.Dense(output_size, dtype=self.dtype_policy, name="output")

    def build(self, query_shape, value_shape, key_shape):
        self._scores.build((*query_shape[:-1], query_shape[-1] + key_shape[-1]))
        if self._output is not None:
            self._output.build((*query_shape[:-1], query_shape[-1] + value_shape[-1]))
        self.built = True

    def call(self, query, value, key, query_mask=None, value_mask=None, return_attention_scores=False, training=None):
        self._check(query, value, key, value_mask)
        scores = self._scores(ops.concatenate([query, key], axis=-1))  # (batch, target, source_positions)
        weights = masked_softmax(scores, None if value_mask is None else ops.expand_dims(value_mask, 1))
        context = ops.matmul(self._dropout(weights, training=training), value)  # (batch, target, value_features)
        if self._output is not None:
            context = self._output(ops.concatenate([query, context], axis=-1))  # (batch, target, output_size)
        return (context, weights) if return_attention_scores else context

    def _check(self, query, value, key, value_mask):
        check_sequences(query=query.shape, value=value.shape, key=key.shape)
        if value.shape[1] is not None and value.shape[1] != self.source_positions:
            raise ValueError(
                f"value of shape {tuple(value.shape)} has {value.shape[1]} positions; this layer has weights for "
                f"source_positions={self.source_positions}: pad to that and give value_mask, or use Attention, which "
                "takes any length"
            )
        check_equal_sizes("query", query, 0, "value", value, 0)
        check_equal_sizes("key", key, 0, "query", query, 0)
        check_equal_sizes("key", key, 1, "query", query, 1)
        check_mask("value_mask", value_mask, "(batch, source)")
        if value_mask is not None:
            check_equal_sizes("value_mask", value_mask, 0, "value", value, 0)
            check_equal_sizes("value_mask", value_mask, 1, "value", value, 1)

    def compute_output_shape(self, query_shape, value_shape, key_shape):
        return (*query_shape[:-1], self.output_size or value_shape[-1])

    def compute_output_spec(self, query, value, key, value_mask=None, return_attention_scores=False, **kwargs):
        self._check(query, value, key, value_mask)
        shape = self.compute_output_shape(query.shape, value.shape, key.shape)
        output = keras.KerasTensor(shape, self.compute_dtype)
        weights = keras.KerasTensor((*query.shape[:-1], self.source_positions), self.compute_dtype)
        return (output, weights) if return_attention_scores else output

    def get_config(self):
        return {
            **super().get_config(),
            "source_positions": self.source_positions,
            "output_size": self.output_size,
            "dropout": self.dropout,
        }
