"""What the recurrent cells share: the weights of each gate, dropout, checks."""

import keras
from keras import ops

from keras_seq.layers.arguments import check_share, check_size


class RecurrentCell(keras.layers.SimpleRNNCell):
    """What the three cells share: weights by gate, dropout, checks.

    A subclass names its `gates` and its states, and has the equations in its `call`.
    """

    # Keras's cell is the base because keras.layers.RNN draws dropout masks once a sequence only for cells of Keras's
    # own family, whose marker class is not public. From it come those masks, the arguments and their get_config; the
    # weights and the equations are ours.

    gates = ()
    state_names = ("h",)

    def __init__(self, units, activation="tanh", dropout=0.0, recurrent_dropout=0.0, **kwargs):
        check_size("units", units)
        check_share("dropout", dropout)
        check_share("recurrent_dropout", recurrent_dropout)
        super().__init__(units, activation, dropout=dropout, recurrent_dropout=recurrent_dropout, **kwargs)

    def build(self, inputs_shape):
        if len(inputs_shape) != 2 or inputs_shape[-1] is None:
            raise ValueError(
                f"inputs of shape {tuple(inputs_shape)} are not one time step of a known width; a cell wants (batch, "
                "features), and keras.layers.RNN(cell), which runs it over time, wants (batch, time, features)"
            )
        self._features = inputs_shape[-1]
        bias_names = [name for gate in self.gates for name in self._bias_names(gate)]
        self._gate_variables = {}
        for gate in self.gates:
            self._gate_variables[gate] = [
                self._add(f"{gate}_kernel", "kernel", (self._features, self.units), self.gates, gate),
                self._add(f"{gate}_recurrent_kernel", "recurrent", (self.units, self.units), self.gates, gate),
            ]
            if self.use_bias:
                self._gate_variables[gate] += [
                    self._add(name, "bias", (self.units,), bias_names, name) for name in self._bias_names(gate)
                ]
        self.built = True

    def _bias_names(self, gate):
        return [f"{gate}_bias"]

    def _initializer(self, name, kind):
        return getattr(self, f"{kind}_initializer")

    def _add(self, name, kind, shape, siblings, own):
        """A weight that starts as its own share of the columns of all its siblings joined, as in Keras.

        An initializer gives the same numbers at every call: called once a gate, it would start all gates alike.
        """
        initializer = self._initializer(name, kind)

        def share(shape, dtype=None):
            joined = initializer((*shape[:-1], len(siblings) * shape[-1]), dtype=dtype)
            return ops.split(joined, len(siblings), axis=-1)[siblings.index(own)]

        return self.add_weight(
            name=name,
            shape=shape,
            initializer=share,
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )

    def gate_weights(self):
        """The weights as the pure functions take them: a dict of gate to (W, U, b), where an unused bias is 0."""
        weights = {}
        for gate in self.gates:
            biases = [] if self.use_bias else [0.0 for _ in self._bias_names(gate)]
            weights[gate] = [ops.convert_to_tensor(variable) for variable in self._gate_variables[gate]] + biases
        return weights

    def _check_step(self, inputs, states):
        """The states as a list, once they and the inputs are of the shapes that the cell was made for."""
        if len(inputs.shape) != 2 or inputs.shape[-1] not in (None, self._features):
            raise ValueError(
                f"inputs have shape {tuple(inputs.shape)}; the cell was built for (batch, {self._features}): one time "
                "step of as many features as at its first call"
            )
        states = keras.tree.flatten(states)
        shapes = [tuple(state.shape) for state in states]
        fits = all(len(shape) == 2 and shape[-1] in (None, self.units) for shape in shapes)
        if len(states) != len(self.state_names) or not fits:
            wanted = ", ".join(f"{name} (batch, {self.units})" for name in self.state_names)
            raise ValueError(
                f"states have shapes {shapes}; {type(self).__name__} wants {wanted}: give what "
                "get_initial_state(batch) or the step before gave"
            )
        return states

    def _drop(self, inputs, h, training):
        """Inputs and hidden state as the gates see them, in training through one mask a sequence for all gates."""
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)
        if training and self.recurrent_dropout:
            h = h * self.get_recurrent_dropout_mask(h)
        return inputs, h
