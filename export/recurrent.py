"""Recurrent layers of any Keras model, computed another way while the model is traced for export.

Keras's own loops become TensorList operators, slow ONNX Loops or, on a GPU host, cuDNN operators. Inside

    with recurrent_by(kernel, model):
        function = tf.function(model).get_concrete_function(...)

each `keras.layers.SimpleRNN`, `LSTM` and `GRU` of the model, also inside Bidirectional, TimeDistributed or another
model, hands its sequences to `kernel` instead; behind it the model is as it was. Layers with a cell of one's own keep
Keras's loop, and are named in what the block yields.

TimeDistributed is replaced as well, by one call on all positions: Keras's own gives as many positions as the batch has
rows when the length is dynamic (3.15), and as many copies of the layer as there are positions when it is not.

A kernel is a function `(cells, sequences, states, lengths, needs_outputs) -> outputs, states`:

    cells       one `Cell`, or a forward and a backward one
    sequences   (batch, time, features)
    states      for each cell a list of (batch, units): [h], and [h, c] for LSTM
    lengths     int32 (batch,): only so many positions, from the first, are real; None: all are
    outputs     for each cell (batch, time, units), in the order of the sequence; anything behind the lengths
    states      for each cell its list after the last real position, the first one for a backward cell
"""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import keras
import tensorflow as tf

KINDS = {keras.layers.SimpleRNN: "RNN", keras.layers.GRU: "GRU", keras.layers.LSTM: "LSTM"}


@dataclass(frozen=True, eq=False)
class Cell:
    """One direction of one layer.

    Attributes:
        kind: "RNN", "GRU" or "LSTM".
        units: int.
        activation, recurrent_activation: str, Keras's names; an RNN has no recurrent one (None).
        reset_after: bool, GRU only.
        backward: bool, whether it begins with the last position.
        weights: function that returns kernel `(features, gates units)`, recurrent kernel `(units, gates units)` and
            bias `(gates units,)`, `(2, gates units)` for a GRU that resets after; zeros where the layer has no bias.
            Gates are in Keras's order: LSTM input, forget, candidate, output; GRU update, reset, candidate.
        name: str, the layer's.
        returns_state: bool, whether somebody may read the last states.
    """

    kind: str
    units: int
    activation: str
    recurrent_activation: str | None
    reset_after: bool
    backward: bool
    weights: object
    name: str
    returns_state: bool = False

    def alike(self, other):
        """Whether both can be two directions of one operator."""
        return self._kind() == other._kind() and self.backward != other.backward

    def _kind(self):
        return self.kind, self.units, self.activation, self.recurrent_activation, self.reset_after


@contextmanager
def recurrent_by(kernel, model, padding="any"):
    """Has a model's recurrent layers computed by `kernel`.

    Args:
        kernel: function, see the module's text; None keeps Keras's loops, but never cuDNN's.
        model: `keras.Model` or layer. It is changed within the block only.
        padding: "any": whatever the masks are, the results are Keras's. "right": masks are taken to be of sequences
            padded on the right, which spares gathering the real positions.

    Yields:
        dict of layer name to why that layer is left to Keras.
    """
    if padding not in ("any", "right"):
        raise ValueError(f"padding={padding!r} is not known; choose 'any' or 'right'")
    left = {}
    with ExitStack() as stack:
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.Bidirectional) and kernel and _is_pair(layer):
                _replace(stack, layer, "call", _bidirectional(layer, kernel, padding))
            elif isinstance(layer, keras.layers.Bidirectional):
                _replace(stack, layer, "_can_attempt_fused_lstm", lambda *_: False)
                _replace(stack, layer, "_can_attempt_fused_gru", lambda *_: False)
            elif isinstance(layer, keras.layers.TimeDistributed):
                _replace(stack, layer, "call", _time_distributed(layer))
            elif isinstance(layer, keras.layers.RNN):
                reason = _why_not(layer) or (None if kernel else "a SavedModel keeps it")
                if reason:
                    left[layer.name] = reason
                    _replace(stack, layer, "inner_loop", _generic_loop(layer))
                else:
                    _replace(stack, layer, "inner_loop", _inner_loop(layer, kernel, padding))
        yield left


def read_cell(layer):
    """The `Cell` of a `SimpleRNN`, `GRU` or `LSTM` layer.

    Raises:
        ValueError: if the layer is another, or has an activation without a name.
    """
    reason = _why_not(layer)
    if reason:
        raise ValueError(f"{layer.name}: {reason}")
    cell = layer.cell
    kind = KINDS[type(layer)]
    return Cell(
        kind=kind,
        units=cell.units,
        activation=cell.activation.__name__,
        recurrent_activation=None if kind == "RNN" else cell.recurrent_activation.__name__,
        reset_after=kind == "GRU" and cell.reset_after,
        backward=layer.go_backwards,
        weights=lambda: _weights(cell, kind),
        name=layer.name,
        returns_state=layer.return_state,
    )


def _weights(cell, kind):
    kernel = tf.cast(tf.convert_to_tensor(cell.kernel), "float32")
    recurrent_kernel = tf.cast(tf.convert_to_tensor(cell.recurrent_kernel), "float32")
    width = kernel.shape[1]
    shape = (2, width) if kind == "GRU" and cell.reset_after else (width,)
    bias = tf.zeros(shape) if cell.bias is None else tf.cast(tf.convert_to_tensor(cell.bias), "float32")
    return kernel, recurrent_kernel, bias


def _why_not(layer):
    if type(layer) not in KINDS:
        cell = type(getattr(layer, "cell", layer)).__name__
        return f"its cell {cell} is not one of SimpleRNN, GRU and LSTM, so it stays a loop; use one of those for speed"
    for which in ("activation", "recurrent_activation"):
        function = getattr(layer.cell, which, None)
        if function is not None and getattr(keras.activations, getattr(function, "__name__", ""), None) is not function:
            return f"its {which} is a function of one's own, so it stays a loop; use an activation that Keras names"
    return None


def _is_pair(layer):
    forward, backward = layer.forward_layer, layer.backward_layer
    if _why_not(forward) or _why_not(backward) or layer.stateful:
        return False
    return not forward.go_backwards and read_cell(forward).alike(read_cell(backward))


def _replace(stack, layer, name, function):
    """Hides a method of this one object; the class and other objects keep theirs."""
    object.__setattr__(layer, name, function)
    stack.callback(object.__delattr__, layer, name)


def _generic_loop(layer):
    """Keras's loop without cuDNN."""

    def inner_loop(sequences, initial_state, mask, training=False):
        return keras.layers.RNN.inner_loop(layer, sequences, initial_state, mask, training)

    return inner_loop


def _inner_loop(layer, kernel, padding):
    cell = read_cell(layer)

    def inner_loop(sequences, initial_state, mask, training=False):
        mask = keras.tree.flatten(mask)[0] if mask is not None else None
        outputs, states = run(
            kernel, [cell], sequences, [list(initial_state)], mask, padding, layer.return_sequences,
            zero=layer.zero_output_for_mask,
        )  # fmt: skip
        (outputs,), (states,) = outputs, states
        if outputs is not None and layer.go_backwards:
            outputs = tf.reverse(outputs, [1])
        last = states[0]
        if layer.zero_output_for_mask and mask is not None:
            seen = mask[:, 0] if layer.go_backwards else mask[:, -1]
            last = tf.where(tf.expand_dims(seen, 1), last, 0.0)
        # Without return_sequences the layer drops the outputs.
        return last, tf.expand_dims(last, 1) if outputs is None else outputs, states

    return inner_loop


def _bidirectional(layer, kernel, padding):
    cells = [read_cell(layer.forward_layer), read_cell(layer.backward_layer)]

    def call(sequences, initial_state=None, mask=None, training=None):
        batch = tf.shape(sequences)[0]
        if initial_state is None:
            states = [inner.get_initial_state(batch) for inner in (layer.forward_layer, layer.backward_layer)]
        else:
            half = len(initial_state) // 2
            states = [list(initial_state[:half]), list(initial_state[half:])]
        outputs, states = run(
            kernel, cells, sequences, states, mask, padding, layer.return_sequences, zero=layer.return_sequences
        )
        merged = _merge(layer.merge_mode, outputs if layer.return_sequences else [own[0] for own in states])
        if not layer.return_state:
            return merged
        states = tuple(states[0]) + tuple(states[1])
        return (merged if isinstance(merged, tuple) else (merged,)) + states

    return call


def _time_distributed(layer):
    inner = layer.layer

    def call(inputs, training=None, mask=None):
        shape = tf.shape(inputs)
        options = {"training": training} if inner._call_has_training_arg else {}
        if mask is not None and inner._call_has_mask_arg:
            options["mask"] = _fold(mask)
        outputs = inner.call(_fold(inputs), **options)
        unfolded = tf.reshape(outputs, tf.concat([shape[:2], tf.shape(outputs)[1:]], axis=0))
        return tf.ensure_shape(unfolded, (*inputs.shape[:2], *outputs.shape[1:]))

    return call


def _fold(tensor):
    """`(batch, time, ...)` to `(batch * time, ...)`."""
    return tf.reshape(tensor, tf.concat([[-1], tf.shape(tensor)[2:]], axis=0))


def _merge(mode, tensors):
    forward, backward = tensors
    if mode is None:
        return forward, backward
    if mode == "concat":
        return tf.concat([forward, backward], axis=-1)
    return {
        "sum": lambda: forward + backward,
        "ave": lambda: (forward + backward) / 2,
        "mul": lambda: forward * backward,
    }[mode]()


def run(kernel, cells, sequences, states, mask, padding, needs_outputs, zero):
    """Runs a kernel on masked sequences, so that outputs and states are Keras's, at masked positions too.

    Args:
        kernel, cells, sequences, states: see the module's text.
        mask: bool `(batch, time)` or None.
        padding: "any" or "right".
        needs_outputs: bool, False where the states are all that is wanted.
        zero: bool, what a masked position gives: zeros, or the output before it.

    Returns:
        outputs, for each cell `(batch, time, units)` in the order of the sequence, or None; and its states.
    """
    dtype = sequences.dtype
    sequences = tf.cast(sequences, "float32")
    states = [[tf.cast(tf.convert_to_tensor(state), "float32") for state in own] for own in states]
    if mask is None:
        outputs, states = kernel(cells, sequences, states, None, needs_outputs)
    else:
        outputs, states = _run_masked(kernel, cells, sequences, states, mask, padding, needs_outputs, zero)
    return _cast(outputs, dtype), [[tf.cast(state, dtype) for state in own] for own in states]


def _cast(outputs, dtype):
    return [output if output is None else tf.cast(output, dtype) for output in outputs]


def _run_masked(kernel, cells, sequences, states, mask, padding, needs_outputs, zero):
    kept = tf.cast(mask, "int32")  # (batch, time)
    lengths = tf.reduce_sum(kept, axis=1)  # (batch,)
    if padding == "any":
        sequences = tf.gather(sequences, _real_positions(kept), batch_dims=1)
    outputs, last = kernel(cells, sequences, states, lengths, needs_outputs)
    # An operator may return zeros for a sequence without anything in it: its state is what it was.
    anything = tf.expand_dims(lengths > 0, 1)  # (batch, 1)
    last = [
        [tf.where(anything, new, old) for new, old in zip(*pair, strict=True)]
        for pair in zip(last, states, strict=True)
    ]
    if not needs_outputs:
        return [None] * len(cells), last
    filled = [
        _spread(output, own[0], cell, kept, padding, zero)
        for output, own, cell in zip(outputs, last, cells, strict=True)
    ]
    return filled, last


def _real_positions(kept):
    """Places of the real positions, in order, and then any place: int32 `(batch, time)`."""
    seen = tf.cumsum(kept, axis=1)  # (batch, time): how many are real up to here
    wanted = tf.range(tf.shape(kept)[1])  # the place of the k-th is the number of places with at most k before
    before = tf.cast(tf.expand_dims(seen, 1) <= tf.reshape(wanted, (1, -1, 1)), "int32")  # (batch, time, time)
    return tf.minimum(tf.reduce_sum(before, axis=2), tf.shape(kept)[1] - 1)


def _spread(output, last, cell, kept, padding, zero):
    """Outputs at the places they belong to, and at masked ones zeros or the output before."""
    mask = tf.expand_dims(tf.cast(kept, "bool"), 2)  # (batch, time, 1)
    if padding == "right":
        behind = 0.0 if zero or cell.backward else tf.expand_dims(last, 1)
        seen = tf.expand_dims(tf.reduce_sum(kept, axis=1, keepdims=True) > 0, 2)  # (batch, 1, 1)
        return tf.where(mask, output, tf.where(seen, behind, 0.0))
    seen = tf.cumsum(kept, axis=1, reverse=cell.backward)  # how many were read when this place was left
    total = tf.reduce_sum(kept, axis=1, keepdims=True)
    place = total - seen if cell.backward else seen - 1  # in what the kernel read
    spread = tf.gather(output, tf.clip_by_value(place, 0, tf.shape(kept)[1] - 1), batch_dims=1)
    return tf.where(mask if zero else tf.expand_dims(seen > 0, 2), spread, 0.0)
