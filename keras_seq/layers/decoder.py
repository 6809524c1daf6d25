"""The recurrent decoder of an encoder-decoder, with attention and without.

One step reads the previous token and a context vector and updates the hidden state:

    context_t = attention(query = state_{t-1}, keys and values = encoder outputs)     AttentionDecoder
    context_t = the encoder's last state, the same at every step                      ContextDecoder
    state_t   = GRU([token_{t-1}; context_t], state_{t-1})
    output_t  = [state_t; context_t]

Reference: Bahdanau, Cho and Bengio, 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
appendix A.2.2; Cho et al., 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
Translation", for the form without attention. Both papers apply the reset gate before the recurrent product; Keras's
GRU cell, used here, applies it after.
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_equal_sizes, check_sequences, check_share, check_size
from keras_seq.layers.attention import AdditiveAttention
from keras_seq.layers.dropout import Dropout
from keras_seq.layers.masks import length_mask


class RecurrentDecoder(keras.layers.Layer):
    """What both decoders share: one step, and the walk over the target under teacher forcing.

    A subclass says where the context comes from, by `prepare` and `context`, and may have another cell.

    Args:
        units: int, width of the hidden state.
        dropout: float in [0, 1), applied to the step's input `[token; context]` in training.

    Attributes:
        state_size: int, width of what a step hands to the next one.
    """

    cell_class, states = keras.layers.GRUCell, 1

    def __init__(self, units, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True  # what is padding among the tokens is padding among the outputs
        check_size("units", units)
        check_share("dropout", dropout)
        self.units = units
        self.dropout = dropout
        self.state_size = self.states * units
        self._cell = self.cell_class(units, dtype=self.dtype_policy, name="cell")
        self._dropout = Dropout(dropout, dtype=self.dtype_policy)

    def step(self, token, state, memory, training=None):
        """One output position.

        Args:
            token: `(batch, features)`, the embedded previous token.
            state: `(batch, state_size)`, the previous hidden state, and of an LSTM its carry behind it.
            memory: dict of tensors, what `prepare` returned.

        Returns:
            the output `(batch, units + context_features)` and the new state `(batch, state_size)`.
        """
        context = self.context(state, memory, training)  # (batch, context_features)
        inputs = self._dropout(ops.concatenate([token, context], axis=-1), training=training)
        hidden, state = self._advance(inputs, state)
        return ops.concatenate([hidden, context], axis=-1), state

    def _advance(self, inputs, state):
        """The cell's hidden state `(batch, units)`, and its whole state."""
        hidden, _ = self._cell(inputs, state)
        return hidden, hidden

    def walk(self, tokens, state, memory, training=None):
        """`step` along the time axis, under teacher forcing.

        Args:
            tokens: `(batch, target, features)`, the embedded token before each position.
            state: `(batch, state_size)`, the first state.
            memory: dict of tensors, what `prepare` returned.

        Returns:
            outputs `(batch, target, units + context_features)`.
        """
        cell = _BoundStep(self, memory)
        loop = keras.layers.RNN(cell, return_sequences=True, dtype=self.dtype_policy)
        return loop(tokens, initial_state=state, training=training)

    def _check(self, tokens, state, **others):
        """Refuses tokens and a first state that do not fit the cell, and whatever has another batch size."""
        check_sequences(tokens=tokens.shape)
        if len(state.shape) != 2 or state.shape[-1] not in (None, self.state_size):
            raise ValueError(
                f"state has shape {tuple(state.shape)}; this decoder wants (batch, {self.state_size}), its units: put "
                "a Dense between it and an encoder of another width"
            )
        for name, tensor in {"state": state, **others}.items():
            check_equal_sizes(name, tensor, 0, "tokens", tokens, 0)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "dropout": self.dropout}


class _BoundStep(keras.layers.Layer):
    """A decoder's step with its memory, as a cell for `keras.layers.RNN`.

    That loop is differentiable on every backend and under XLA; `ops.scan` is not under XLA on TensorFlow, and an
    unrolled loop takes XLA longer to compile.
    """

    def __init__(self, decoder, memory):
        super().__init__(dtype=decoder.dtype_policy)
        self.state_size = decoder.state_size
        self._step = decoder.step
        self._memory = memory
        self.built = True

    def call(self, token, states, training=None):
        output, state = self._step(token, states[0], self._memory, training)
        return output, [state]


@keras.saving.register_keras_serializable("keras_seq")
class AttentionDecoder(RecurrentDecoder):
    """GRU decoder whose context is an additive attention over the encoder outputs.

    Args:
        units: int, width of the hidden state.
        attention_units: int, width of the scoring network; defaults to `units`.
        dropout: float in [0, 1), applied to the step's input in training.

    Call arguments:
        tokens: `(batch, target, features)`, the embedded token before each position.
        state: `(batch, units)`, the first hidden state.
        values: `(batch, source, value_features)`, encoder outputs.
        lengths: int32 `(batch,)`, source positions that may be attended to.
        return_attention_scores: bool.

    Returns:
        `(batch, target, units + value_features)`, and with `return_attention_scores` the weights
        `(batch, target, source)`.

    Raises:
        ValueError: if a size or `dropout` is out of range, a rank is wrong, the state is not `units` wide, batch sizes
            differ, or the lengths are not whole numbers.

    Example:
        >>> decoder = AttentionDecoder(units=4)
        >>> values = ops.ones((2, 7, 3))
        >>> tuple(decoder(ops.ones((2, 5, 6)), ops.zeros((2, 4)), values, ops.array([7, 2])).shape)
        (2, 5, 7)

    Reference: Bahdanau, Cho and Bengio, 2015, appendix A.2.2.
    """

    def __init__(self, units, attention_units=None, dropout=0.0, **kwargs):
        super().__init__(units, dropout, **kwargs)
        self.attention_units = units if attention_units is None else attention_units
        check_size("attention_units", self.attention_units)
        self._attention = AdditiveAttention(self.attention_units, dtype=self.dtype_policy, name="attention")

    def build(self, tokens_shape, state_shape, values_shape, lengths_shape=None):
        self._attention.build((None, 1, self.units), tuple(values_shape))
        self._cell.build((None, tokens_shape[-1] + values_shape[-1]))
        self.built = True

    def call(self, tokens, state, values, lengths, return_attention_scores=False, training=None):
        self._check(tokens, state, values=values, lengths=lengths)
        memory = self.prepare(values, lengths)
        outputs = self.walk(tokens, state, memory, training)
        return (outputs, self._alignments(state, outputs, memory)) if return_attention_scores else outputs

    def prepare(self, values, lengths):
        """What every step reads: projected keys `(batch, source, attention_units)`, values and lengths."""
        return {"keys": self._attention.project_keys(values), "lengths": lengths, "values": values}

    def context(self, state, memory, training):
        """Weighted sum of the encoder outputs `(batch, value_features)`; the hidden state is the query."""
        # Projected before the time axis is added: XLA does not compile the gradient of a 3-D projection inside a loop.
        query = ops.expand_dims(self._attention.project_query(state), 1)  # (batch, 1, attention_units)
        context, _ = self._attend(query, memory, training)  # (batch, 1, value_features)
        return ops.squeeze(context, 1)

    def _attend(self, projected_query, memory, training):
        mask = length_mask(memory["lengths"], ops.shape(memory["values"])[1])
        mask = ops.expand_dims(mask, 1)  # (batch, 1, source)
        return self._attention.attend(projected_query, memory["keys"], memory["values"], mask, training)

    def _alignments(self, state, outputs, memory):
        """Attention weights of every step at once: the queries are the states before each step."""
        before = ops.concatenate([ops.expand_dims(state[:, : self.units], 1), outputs[:, :-1, : self.units]], axis=1)
        return self._attend(self._attention.project_query(before), memory, False)[1]  # (batch, target, source)

    def compute_output_shape(self, tokens_shape, state_shape, values_shape, lengths_shape=None):
        return (*tokens_shape[:-1], self.units + values_shape[-1])

    def compute_output_spec(self, tokens, state, values, lengths, return_attention_scores=False, training=None):
        self._check(tokens, state, values=values, lengths=lengths)
        shape = self.compute_output_shape(tokens.shape, state.shape, values.shape)
        outputs = keras.KerasTensor(shape, self.compute_dtype)
        weights = keras.KerasTensor((*tokens.shape[:-1], values.shape[1]), self.compute_dtype)
        return (outputs, weights) if return_attention_scores else outputs

    def get_config(self):
        return {**super().get_config(), "attention_units": self.attention_units}


@keras.saving.register_keras_serializable("keras_seq")
class ContextDecoder(RecurrentDecoder):
    """GRU decoder that is given the same vector, the encoder's last state, at every step: no attention.

    Args:
        units: int, width of the hidden state.
        dropout: float in [0, 1), applied to the step's input in training.

    Call arguments:
        tokens: `(batch, target, features)`, the embedded token before each position.
        state: `(batch, units)`, the first hidden state.
        context: `(batch, context_features)`

    Returns:
        `(batch, target, units + context_features)`

    Raises:
        ValueError: if `units` or `dropout` is out of range, a rank is wrong, the state is not `units` wide, or batch
            sizes differ.

    Example:
        >>> decoder = ContextDecoder(units=4)
        >>> tuple(decoder(ops.ones((2, 5, 6)), ops.zeros((2, 4)), ops.ones((2, 3))).shape)
        (2, 5, 7)

    Reference: Cho et al., 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation", section 2.2.
    """

    def build(self, tokens_shape, state_shape, context_shape):
        self._cell.build((None, tokens_shape[-1] + context_shape[-1]))
        self.built = True

    def call(self, tokens, state, context, training=None):
        self._check(tokens, state, context=context)
        return self.walk(tokens, state, self.prepare(context), training)

    def prepare(self, context):
        """What every step reads: the context vector."""
        return {"context": context}

    def context(self, state, memory, training):
        """The encoder's last state `(batch, context_features)`, whatever the hidden state."""
        return memory["context"]

    def compute_output_shape(self, tokens_shape, state_shape, context_shape):
        return (*tokens_shape[:-1], self.units + context_shape[-1])

    def compute_output_spec(self, tokens, state, context, training=None):
        self._check(tokens, state, context=context)
        return keras.KerasTensor(
            self.compute_output_shape(tokens.shape, state.shape, context.shape), self.compute_dtype
        )
