"""Recurrent cells: they hold the weights, one matrix a gate, and `keras.layers.RNN` runs them over time.

    SimpleRNNCell   one state h         keras_seq.layers.recurrent_steps has the equation of each
    LSTMCell        h and the cell c
    GRUCell         one state h

Keras and PyTorch join the gates' matrices into one: `convert_recurrent_weights` goes between the layouts.
"""

import keras
from keras import ops

from keras_seq.layers.recurrent_cell import RecurrentCell
from keras_seq.layers.recurrent_steps import gru_step, lstm_step, simple_rnn_step


@keras.saving.register_keras_serializable("keras_seq")
class SimpleRNNCell(RecurrentCell):
    """A simple recurrent network's step, for `keras.layers.RNN`.

        h' = tanh(x W + h U + b)

    Equal to `keras.layers.SimpleRNNCell` and, but for its second bias, to `torch.nn.RNN`.

    Args:
        units: int, width of the state and the output.
        activation: name of a Keras activation or a function, "tanh" or "relu" as a rule.
        dropout: float in [0, 1), share of the inputs that are dropped in training.
        recurrent_dropout: float in [0, 1), share of the hidden state that the products with U do not see in training.
            Both masks are drawn once a sequence and shared by all gates (Gal and Ghahramani, 2016, "A Theoretically
            Grounded Application of Dropout in Recurrent Neural Networks", section 4.1). A cell that is called without
            `keras.layers.RNN` keeps them until `reset_dropout_mask()` and `reset_recurrent_dropout_mask()`.
        kwargs: as in `keras.layers.SimpleRNNCell`: use_bias, seed, name, dtype, and kernel_, recurrent_ and bias_
            followed by initializer, regularizer or constraint.

    Call arguments:
        inputs: float `(batch, features)`, one time step.
        states: the state `(batch, units)`, or a list of it.
        training: bool, whether to drop.

    Returns:
        The output `(batch, units)` and the new states, in the structure of `states`.

    Raises:
        ValueError: if `units` or a dropout is out of range, the inputs are not one time step of the width of the first
            call, or the states have another number or width.

    Example:
        >>> layer = keras.layers.RNN(SimpleRNNCell(4), return_sequences=True)
        >>> tuple(layer(ops.ones((2, 7, 3))).shape)
        (2, 7, 4)

    Reference: Elman, 1990, "Finding Structure in Time".
    """

    gates = ("state",)

    def call(self, inputs, states, training=False):
        (h,) = self._check_step(inputs, states)
        inputs, h = self._drop(inputs, h, training)
        h = simple_rnn_step(inputs, h, self.gate_weights(), self.activation)
        return h, keras.tree.pack_sequence_as(states, [h])


@keras.saving.register_keras_serializable("keras_seq")
class LSTMCell(RecurrentCell):
    """A long short-term memory's step, for `keras.layers.RNN`.

        i, f, o = sigmoid(x W_. + h U_. + b_.)
        g  = tanh(x W_g + h U_g + b_g)
        c' = f * c + i * g
        h' = o * tanh(c')

    Equal to `keras.layers.LSTMCell` and, but for its second bias, to `torch.nn.LSTM`, which starts all its weights, b_f
    too, uniformly within 1 / sqrt(units) of 0. With `recurrent_dropout` Keras draws a mask of each kind for every gate.

    Args:
        units: int, width of the states and the output.
        activation: name of a Keras activation or a function, in the place of tanh.
        recurrent_activation: the same, in the place of sigmoid.
        unit_forget_bias: bool, whether b_f starts at 1, so that the cell starts by remembering.
        kwargs: dropout, recurrent_dropout and the others of `SimpleRNNCell`.

    Call arguments:
        inputs: float `(batch, features)`, one time step.
        states: list of the hidden state h and the cell state c, `(batch, units)` each.
        training: bool, whether to drop.

    Returns:
        The output h `(batch, units)` and the new states, in the structure of `states`.

    Raises:
        ValueError: as `SimpleRNNCell`.

    Example:
        >>> layer = keras.layers.RNN(LSTMCell(4), return_state=True)
        >>> output, h, c = layer(ops.ones((2, 7, 3)))
        >>> tuple(output.shape), tuple(c.shape)
        ((2, 4), (2, 4))

    Reference: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"; the forget gate: Gers, Schmidhuber and
    Cummins, 2000, "Learning to Forget: Continual Prediction with LSTM"; its bias of 1: Jozefowicz, Zaremba and
    Sutskever, 2015, "An Empirical Exploration of Recurrent Network Architectures".
    """

    gates = ("input", "forget", "candidate", "output")
    state_names = ("h", "c")

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", unit_forget_bias=True, **kwargs):
        super().__init__(units, activation, **kwargs)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]

    def _initializer(self, name, kind):
        ones = name == "forget_bias" and self.unit_forget_bias
        return keras.initializers.Ones() if ones else super()._initializer(name, kind)

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in self.state_names]

    def call(self, inputs, states, training=False):
        h, c = self._check_step(inputs, states)
        inputs, h = self._drop(inputs, h, training)
        h, c, _ = lstm_step(inputs, h, c, self.gate_weights(), self.activation, self.recurrent_activation)
        return h, keras.tree.pack_sequence_as(states, [h, c])

    def get_config(self):
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }


@keras.saving.register_keras_serializable("keras_seq")
class GRUCell(RecurrentCell):
    """A gated recurrent unit's step, for `keras.layers.RNN`, in every convention that is about.

        z, r = sigmoid(x W_. + h U_. + b_.)
        g    = tanh(x W_g + r * (h U_g + d_g) + b_g)    reset_after
             = tanh(x W_g + (r * h) U_g + b_g)          not reset_after
        h'   = z * h + (1 - z) * g                      update_keeps_state
             = (1 - z) * h + z * g                      not update_keeps_state

    | who                                                | reset_after     | update_keeps_state |
    |----------------------------------------------------|-----------------|--------------------|
    | `keras.layers.GRU`                                 | True by default | True               |
    | `torch.nn.GRU`, cuDNN                              | True            | True               |
    | Cho et al., 2014, equations 7 and 8                | False           | True               |
    | Chung et al., 2014, section 3.2                    | False           | False              |
    | Bahdanau, Cho and Bengio, 2015, appendix A.1.1     | False           | False              |

    With the reset after the product, one product serves all gates: hence cuDNN's choice. The two readings of z are one
    model, since 1 - sigmoid(a) = sigmoid(-a): the weights of z change their sign. With `recurrent_dropout` Keras draws
    a mask of each kind for every gate.

    Args:
        units: int, width of the state and the output.
        activation: name of a Keras activation or a function, in the place of tanh.
        recurrent_activation: the same, in the place of sigmoid.
        reset_after: bool, whether the reset gate is applied after the product with U_g; then U_g has a bias d_g too.
        update_keeps_state: bool, whether z is the share of the old state, or of the candidate.
        kwargs: dropout, recurrent_dropout and the others of `SimpleRNNCell`.

    Call arguments:
        inputs: float `(batch, features)`, one time step.
        states: the state `(batch, units)`, or a list of it.
        training: bool, whether to drop.

    Returns:
        The output `(batch, units)` and the new states, in the structure of `states`.

    Raises:
        ValueError: as `SimpleRNNCell`.

    Example:
        >>> layer = keras.layers.Bidirectional(keras.layers.RNN(GRUCell(4, reset_after=False)))
        >>> tuple(layer(ops.ones((2, 7, 3))).shape)
        (2, 8)

    Reference: Cho et al., 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation"; Chung et al., 2014, "Empirical Evaluation of Gated Recurrent Neural Networks on Sequence Modeling";
    Bahdanau, Cho and Bengio, 2015, "Neural Machine Translation by Jointly Learning to Align and Translate".
    """

    gates = ("update", "reset", "candidate")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        reset_after=True,
        update_keeps_state=True,
        **kwargs,
    ):
        super().__init__(units, activation, **kwargs)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.reset_after = reset_after
        self.update_keeps_state = update_keeps_state

    def _bias_names(self, gate):
        after = gate == "candidate" and self.reset_after
        return [*super()._bias_names(gate), "candidate_recurrent_bias"] if after else super()._bias_names(gate)

    def call(self, inputs, states, training=False):
        (h,) = self._check_step(inputs, states)
        inputs, seen = self._drop(inputs, h, training)
        h, _ = gru_step(
            inputs,
            h,
            self.gate_weights(),
            self.reset_after,
            self.update_keeps_state,
            self.activation,
            self.recurrent_activation,
            seen,
        )
        return h, keras.tree.pack_sequence_as(states, [h])

    def get_config(self):
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
            "update_keeps_state": self.update_keeps_state,
        }
