"""Our recurrent cells beside Keras's and PyTorch's layers with the same weights and the same first states.

Every cell runs forward, backward and both ways, with sequences of one length and with right padding: under a mask in
Keras, packed in PyTorch. The loss behind the gradients is a random weighting of the kept outputs and the final states.
Outputs under the mask are compared with Keras's too; PyTorch has zeros there. Wants Keras on TensorFlow; on a GPU,
TensorFlow and cuDNN multiply float32 in fewer bits than the tolerance has.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf
import torch

from benchmarks.parity.row import Row, compare
from keras_seq.layers.recurrent import GRUCell, LSTMCell, SimpleRNNCell
from keras_seq.layers.recurrent_weights import convert_recurrent_weights

BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 5
LENGTHS = (6, 2, 1, 5)
QUANTITIES = ("outputs", "final states", "gradient of inputs", "gradient of initial states", "gradient of weights")

OURS = {"simple_rnn": SimpleRNNCell, "lstm": LSTMCell, "gru": GRUCell}
KERAS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
TORCH = {"simple_rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}
DIRECTIONS = {"": ("forward",), ", backward": ("backward",), ", bidirectional": ("forward", "backward")}


@dataclass(frozen=True)
class Cell:
    """A cell and its setting: the activation of a simple recurrent network, or the conventions of a GRU."""

    name: str
    kind: str
    activation: str = "tanh"
    conventions: dict = field(default_factory=dict)

    @property
    def resets_before(self):
        """Whether PyTorch has no such GRU."""
        return not self.conventions.get("reset_after", True)

    def convert(self, weights, source, target):
        """The weights of one direction in another layout."""
        return convert_recurrent_weights(weights, self.kind, source, target, **self.conventions)


CELLS = (
    Cell("SimpleRNNCell tanh", "simple_rnn"),
    Cell("SimpleRNNCell relu", "simple_rnn", "relu"),
    Cell("LSTMCell", "lstm"),
    Cell("GRUCell reset after and z keeps", "gru"),
    Cell("GRUCell reset after and 1-z keeps", "gru", conventions={"update_keeps_state": False}),
    Cell("GRUCell reset before and z keeps", "gru", conventions={"reset_after": False}),
    Cell("GRUCell reset before and 1-z keeps", "gru", conventions={"reset_after": False, "update_keeps_state": False}),
)


@dataclass(frozen=True)
class Problem:
    """What all three are given: arrays of one dtype; the lists have the forward direction's before the backward's."""

    directions: tuple
    inputs: np.ndarray  # (batch, time, features)
    mask: np.ndarray | None  # (batch, time)
    states: list  # (batch, units) each: h, and an LSTM's c after it
    output_weights: np.ndarray  # (batch, time, directions * units), zero under the mask
    state_weights: list  # (batch, units) each
    weights: list  # one direction's each, in PyTorch's layout, or in Keras's where PyTorch has no such cell


def rows(dtype: str) -> Iterator[Row]:
    """Every comparison of the recurrent cells.

    Args:
        dtype: "float64" or "float32", what all sides compute in.

    Returns:
        `Row`s, one for each cell, direction, mask, peer and quantity.
    """
    for cell in CELLS:
        for suffix, directions in DIRECTIONS.items():
            for masked in (False, True):
                name = f"{cell.name}{suffix}{', masked' if masked else ''}"
                problem = _problem(cell, directions, masked, dtype)
                yield from _rows_of(cell, name, problem, dtype)


def _rows_of(cell, name, problem, dtype):
    source = "keras" if cell.resets_before else "torch"
    layer = _our_layer(cell, problem.directions, dtype)
    ours = _keras_numbers(layer, [cell.convert(weights, source, "keras_seq") for weights in problem.weights], problem)
    peer = _keras_layer(cell, problem.directions, dtype)
    theirs = _keras_numbers(peer, [cell.convert(weights, source, "keras") for weights in problem.weights], problem)
    yield from _compare(cell, name, "Keras", ours, theirs, dtype)
    if not cell.resets_before:
        kept = {**ours, "outputs": _kept(ours["outputs"], problem.mask)}
        yield from _compare(cell, name, "PyTorch", kept, _torch_numbers(cell, problem), dtype)


def _compare(cell, name, peer, ours, theirs, dtype):
    """Rows of all quantities; our gradients of the weights are brought to the layout of the peer's."""
    layout = {"Keras": "keras", "PyTorch": "torch"}[peer]
    gradients = [_gradients_in(layout, cell, gradients) for gradients in ours["gradient of weights"]]
    ours = {**ours, "gradient of weights": gradients}
    for quantity in QUANTITIES:
        yield compare(name, peer, quantity, _flat(ours[quantity]), _flat(theirs[quantity]), dtype)


def _gradients_in(layout, cell, gradients):
    """Our gradients of one direction by the peer's weights; each of two biases that are added has their sum's."""
    converted = cell.convert(gradients, "keras_seq", layout)
    summed = slice(0, 2 * UNITS) if cell.kind == "gru" else slice(None)  # all but the candidate's
    if layout == "torch":
        converted["bias_hh"][summed] = converted["bias_ih"][summed]
        return list(converted.values())
    if cell.kind == "gru" and not cell.resets_before:
        converted[-1][1, summed] = converted[-1][0, summed]
    return converted


def _flat(arrays):
    if isinstance(arrays, np.ndarray):
        return arrays
    return np.concatenate([_flat(array).ravel() for array in arrays])


def _kept(outputs, mask):
    return outputs if mask is None else outputs * mask[..., None]


def _problem(cell, directions, masked, dtype):
    random = np.random.default_rng(11)

    def normal(*shape, scale=1.0):
        return (scale * random.normal(size=shape)).astype(dtype)

    mask = np.arange(TIME) < np.array(LENGTHS)[:, None] if masked else None  # (batch, time)
    output_weights = normal(BATCH, TIME, UNITS * len(directions))
    states = len(directions) * (2 if cell.kind == "lstm" else 1)
    joined = GATES[cell.kind] * UNITS
    shapes = {"weight_ih": (joined, FEATURES), "weight_hh": (joined, UNITS), "bias_ih": (joined,), "bias_hh": (joined,)}
    if cell.resets_before:
        shapes = {"kernel": (FEATURES, joined), "recurrent_kernel": (UNITS, joined), "bias": (joined,)}
    weights = [{name: normal(*shape, scale=0.3) for name, shape in shapes.items()} for _ in directions]
    return Problem(
        directions=directions,
        inputs=normal(BATCH, TIME, FEATURES),
        mask=mask,
        states=[normal(BATCH, UNITS, scale=0.5) for _ in range(states)],
        output_weights=_kept(output_weights, mask),
        state_weights=[normal(BATCH, UNITS) for _ in range(states)],
        weights=[list(each.values()) if cell.resets_before else each for each in weights],
    )


def _our_layer(cell, directions, dtype):
    made = OURS[cell.kind](UNITS, cell.activation, dtype=dtype, **cell.conventions)
    return _directed(keras.layers.RNN, directions, cell=made, dtype=dtype)


def _keras_layer(cell, directions, dtype):
    options = {name: value for name, value in cell.conventions.items() if name != "update_keeps_state"}
    return _directed(KERAS[cell.kind], directions, units=UNITS, activation=cell.activation, dtype=dtype, **options)


def _directed(make, directions, **options):
    layer = make(**options, return_sequences=True, return_state=True, go_backwards=directions == ("backward",))
    return keras.layers.Bidirectional(layer, dtype=options["dtype"]) if len(directions) == 2 else layer


def _keras_numbers(layer, weights, problem):
    """The quantities of a Keras layer; outputs in the order of the inputs' time."""
    inputs, *states = (tf.constant(array) for array in (problem.inputs, *problem.states))
    layer.build(inputs.shape)
    layer.set_weights([array for each in weights for array in each])
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        outputs, *finals = layer(inputs, initial_state=states, mask=problem.mask)
        if problem.directions == ("backward",):
            outputs = tf.reverse(outputs, [1])  # Keras returns them in the order of its walk
        loss = tf.reduce_sum(outputs * problem.output_weights)
        loss += sum(tf.reduce_sum(final * weight) for final, weight in zip(finals, problem.state_weights, strict=True))
    of_inputs, of_states, of_weights = tape.gradient(loss, [inputs, states, layer.trainable_variables])
    of_weights = [gradient.numpy() for gradient in of_weights]
    half = len(of_weights) // len(problem.directions)
    finals, of_states = ([tensor.numpy() for tensor in tensors] for tensors in (finals, of_states))
    of_weights = [of_weights[start : start + half] for start in range(0, len(of_weights), half)]
    return dict(zip(QUANTITIES, (outputs.numpy(), finals, of_inputs.numpy(), of_states, of_weights), strict=True))


def _torch_numbers(cell, problem):
    """The same quantities of a PyTorch layer. PyTorch goes backward only beside a forward half, which is left out."""
    both = "backward" in problem.directions
    dtype = torch.from_numpy(problem.inputs).dtype
    options = {"nonlinearity": cell.activation} if cell.kind == "simple_rnn" else {}
    layer = TORCH[cell.kind](FEATURES, UNITS, batch_first=True, bidirectional=both, dtype=dtype, **options)
    suffixes = {"forward": "_l0", "backward": "_l0_reverse"}
    parameters = []
    for direction, weights in zip(problem.directions, problem.weights, strict=True):
        parameters.append([getattr(layer, name + suffixes[direction]) for name in weights])
        for parameter, array in zip(parameters[-1], weights.values(), strict=True):
            parameter.data = torch.from_numpy(array)

    inputs = torch.from_numpy(problem.inputs).requires_grad_()
    states = [torch.from_numpy(array).requires_grad_() for array in problem.states]
    lengths = torch.tensor([TIME] * BATCH if problem.mask is None else LENGTHS)
    packed = torch.nn.utils.rnn.pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    outputs, finals = layer(packed, _torch_states(cell, problem, states))
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    outputs = outputs[..., -UNITS * len(problem.directions) :]
    finals = torch.stack(finals if cell.kind == "lstm" else [finals])  # (h and c, directions, batch, units)
    finals = finals[:, -len(problem.directions) :].transpose(0, 1).flatten(0, 1)  # (directions * h and c, batch, units)
    loss = (outputs * torch.from_numpy(problem.output_weights)).sum()
    loss += (finals * torch.from_numpy(np.stack(problem.state_weights))).sum()
    loss.backward()

    numbers = (
        outputs.detach().numpy(),
        list(finals.detach().numpy()),
        inputs.grad.numpy(),
        [state.grad.numpy() for state in states],
        [[parameter.grad.numpy() for parameter in each] for each in parameters],
    )
    return dict(zip(QUANTITIES, numbers, strict=True))


def _torch_states(cell, problem, states):
    """First states as PyTorch takes them: h, or h and c, of (directions, batch, units)."""
    kinds = 2 if cell.kind == "lstm" else 1
    unused = [torch.zeros_like(states[0])] if problem.directions == ("backward",) else []
    joined = [torch.stack(unused + states[kind::kinds]) for kind in range(kinds)]
    return tuple(joined) if cell.kind == "lstm" else joined[0]
