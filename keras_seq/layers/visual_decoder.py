"""A decoder that looks at a picture: an LSTM with a gated attention over the places of a map of features.

    context_t = sigmoid(W_g hidden_{t-1} + b) * sum over i of weights_{t,i} value_i
    weights_t = softmax over i of v . tanh(W_q hidden_{t-1} + W_k value_i)
    hidden_t  = LSTM([token_t; context_t], hidden_{t-1}, carry_{t-1})

The gate, one number for each example, says how much of what is seen matters to the next word: "in the" needs no look.
"""

import keras
from keras import ops

from keras_seq.layers.decoder import AttentionDecoder


@keras.saving.register_keras_serializable("keras_seq")
class VisualAttentionDecoder(AttentionDecoder):
    """LSTM decoder whose context is a gated additive attention over all places of a picture.

    Args:
        units: int, width of the hidden state.
        attention_units: int, width of the scoring network; defaults to `units`.
        dropout: float in [0, 1), applied to the step's input in training.

    Call arguments:
        tokens: `(batch, target, features)`, the embedded token before each position.
        state: `(batch, 2 units)`, the first hidden state and behind it the first carry.
        values: `(batch, places, value_features)`, the map's features, a row for each place.
        return_attention_scores: bool.

    Returns:
        `(batch, target, units + value_features)`, and with `return_attention_scores` the weights
        `(batch, target, places)`, before the gate.

    Raises:
        ValueError: if a size or `dropout` is out of range, a rank is wrong, the state is not `2 units` wide, or batch
            sizes differ.

    Example:
        >>> decoder = VisualAttentionDecoder(units=4)
        >>> tuple(decoder(ops.ones((2, 5, 6)), ops.zeros((2, 8)), ops.ones((2, 9, 3))).shape)
        (2, 5, 7)

    Reference: Xu et al., 2015, "Show, Attend and Tell: Neural Image Caption Generation with Visual Attention",
    equations 1 to 9 and section 4.2.1 (the gate).
    """

    cell_class, states = keras.layers.LSTMCell, 2

    def __init__(self, units, attention_units=None, dropout=0.0, **kwargs):
        super().__init__(units, attention_units, dropout, **kwargs)
        self._gate = keras.layers.Dense(1, activation="sigmoid", dtype=self.dtype_policy, name="gate")

    def build(self, tokens_shape, state_shape, values_shape):
        self._gate.build((None, self.units))
        super().build(tokens_shape, state_shape, values_shape)

    def call(self, tokens, state, values, return_attention_scores=False, training=None):
        self._check(tokens, state, values=values)
        memory = self.prepare(values)
        outputs = self.walk(tokens, state, memory, training)
        return (outputs, self._alignments(state, outputs, memory)) if return_attention_scores else outputs

    def prepare(self, values):
        """What every step reads: projected keys `(batch, places, attention_units)` and values."""
        return {"keys": self._attention.project_keys(values), "values": values}

    def context(self, state, memory, training):
        """Gated weighted sum of the map's features `(batch, value_features)`."""
        hidden = state[:, : self.units]
        return self._gate(hidden) * super().context(hidden, memory, training)

    def _advance(self, inputs, state):
        hidden, states = self._cell(inputs, ops.split(state, 2, axis=-1))
        return hidden, ops.concatenate(states, axis=-1)

    def _attend(self, projected_query, memory, training):
        return self._attention.attend(projected_query, memory["keys"], memory["values"], None, training)

    def compute_output_shape(self, tokens_shape, state_shape, values_shape):
        return (*tokens_shape[:-1], self.units + values_shape[-1])

    def compute_output_spec(self, tokens, state, values, return_attention_scores=False):
        self._check(tokens, state, values=values)
        outputs = keras.KerasTensor(
            self.compute_output_shape(tokens.shape, state.shape, values.shape), self.compute_dtype
        )
        weights = keras.KerasTensor((*tokens.shape[:-1], values.shape[1]), self.compute_dtype)
        return (outputs, weights) if return_attention_scores else outputs
