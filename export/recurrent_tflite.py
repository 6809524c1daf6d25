"""Recurrent layers as TFLite runs them.

`portable_loop`, the default: a WHILE of builtin operators, which every LiteRT runtime loads, the browser's too. What
does not depend on the state, the input's products, is computed for all positions at once before the loop; and for a
batch of one the loop ends with the sequence, not with its padding.

`unrolled`: the same steps written out, for full-integer quantisation: its calibrator does not see inside a WHILE.

`fused_lstm`: the one operator UNIDIRECTIONAL_SEQUENCE_LSTM, which the Interpreter alone has.
"""

import uuid
import zlib

import keras
import tensorflow as tf

from export.recurrent import Cell


def portable_loop(cells, sequences, states, lengths, needs_outputs):
    """A kernel for `export.recurrent.recurrent_by`; the batch must be static."""
    made = [_loop(cell, sequences, own, lengths, needs_outputs) for cell, own in zip(cells, states, strict=True)]
    return [outputs for outputs, _ in made], [last for _, last in made]


def _loop(cell, sequences, states, lengths, needs_outputs):
    kernel, recurrent_kernel, bias = cell.weights()
    batch, time = sequences.shape[0], sequences.shape[1] or tf.shape(sequences)[1]
    two_biases = cell.kind == "GRU" and cell.reset_after
    projected = tf.matmul(sequences, kernel) + (bias[0] if two_biases else bias)  # (batch, time, gates units)
    projected = tf.transpose(projected, (1, 0, 2))  # (time, batch, gates units)
    reverses_rows = cell.backward and lengths is not None and batch != 1
    if reverses_rows:
        projected = tf.reverse_sequence(projected, lengths, seq_axis=0, batch_axis=1)
    steps = time if lengths is None else tf.reduce_max(lengths)
    backward = cell.backward and not reverses_rows
    step = _STEPS[cell.kind]

    def body(number, states, outputs):
        place = steps - 1 - number if backward else number
        new = step(cell, tf.gather(projected, place), states, recurrent_kernel, bias)
        if lengths is not None and batch != 1:
            alive = tf.expand_dims(number < lengths, 1)  # (batch, 1)
            new = [tf.where(alive, one, old) for one, old in zip(new, states, strict=True)]
        if needs_outputs:
            outputs = (keras.ops.slice_update(outputs[0], (place, 0, 0), tf.expand_dims(new[0], 0)),)
        return number + 1, new, outputs

    outputs = (tf.zeros((time, batch, cell.units)),) if needs_outputs else ()
    _, last, outputs = tf.while_loop(lambda number, *_: number < steps, body, (tf.constant(0), list(states), outputs))
    if not needs_outputs:
        return None, last
    outputs = outputs[0]
    if reverses_rows:
        outputs = tf.reverse_sequence(outputs, lengths, seq_axis=0, batch_axis=1)
    return tf.transpose(outputs, (1, 0, 2)), last


def unrolled(cells, sequences, states, lengths, needs_outputs):
    """A kernel for `export.recurrent.recurrent_by`; batch and time must be static.

    Raises:
        ValueError: if the time is dynamic.
    """
    if sequences.shape[1] is None:
        raise ValueError("an unrolled loop wants a fixed length; give length=...")
    made = [_unroll(cell, sequences, own, lengths) for cell, own in zip(cells, states, strict=True)]
    return [outputs for outputs, _ in made], [last for _, last in made]


def _unroll(cell, sequences, states, lengths):
    kernel, recurrent_kernel, bias = cell.weights()
    sequences = _reversed(sequences, lengths) if cell.backward else sequences
    two_biases = cell.kind == "GRU" and cell.reset_after
    projected = tf.matmul(sequences, kernel) + (bias[0] if two_biases else bias)  # (batch, time, gates units)
    outputs = []
    for number, one in enumerate(tf.unstack(projected, axis=1)):
        new = _STEPS[cell.kind](cell, one, states, recurrent_kernel, bias)
        if lengths is not None:
            alive = tf.expand_dims(number < lengths, 1)  # (batch, 1)
            new = [tf.where(alive, after, before) for after, before in zip(new, states, strict=True)]
        states = new
        outputs.append(states[0])
    outputs = tf.stack(outputs, axis=1)  # (batch, time, units)
    return _reversed(outputs, lengths) if cell.backward else outputs, list(states)


def _reversed(sequences, lengths):
    """Each sequence backwards, its padding where it was: by GATHER, since REVERSE_SEQUENCE has no integer kernel."""
    if lengths is None:
        return tf.reverse(sequences, [1])
    places = tf.expand_dims(tf.range(tf.shape(sequences)[1]), 0)  # (1, time)
    ends = tf.expand_dims(lengths, 1)  # (batch, 1)
    return tf.gather(sequences, tf.where(places < ends, ends - 1 - places, places), batch_dims=1)


def fused_lstm(cells, sequences, states, lengths, needs_outputs, others=portable_loop):
    """A kernel for `export.recurrent.recurrent_by`: LSTMs as the fused operator, others by the kernel `others`.

    So are LSTMs that return their states, since the operator does not tell its memory.

    The converter knows the operator by a function's attributes and argument order. Its first states must be known at
    run time only: the operator keeps a constant one from call to call, and drops one that is not zero.

    Raises:
        ValueError: if an LSTM has other activations than tanh and sigmoid, which the operator has fixed.
    """
    if cells[0].kind != "LSTM" or any(cell.returns_state for cell in cells):
        return others(cells, sequences, states, lengths, needs_outputs)
    made = [_fused(cell, sequences, own, lengths) for cell, own in zip(cells, states, strict=True)]
    return [outputs for outputs, _ in made], [last for _, last in made]


def _fused(cell, sequences, states, lengths):
    if (cell.activation, cell.recurrent_activation) != ("tanh", "sigmoid"):
        raise ValueError(
            f"{cell.name}: the fused LSTM has tanh and sigmoid alone, not {cell.activation} and "
            f"{cell.recurrent_activation}; take profile='portable'"
        )
    hidden, memory = (state + _nothing(cell, sequences, which) for which, state in enumerate(states))
    sequences = _reversed(sequences, lengths) if cell.backward else sequences
    attributes = {
        "api_implements": f"lstm_{uuid.uuid4()}",
        "api_preferred_device": "CPU",
        "go_backwards": False,
        "time_major": False,
    }
    function = tf.function(_known_lstm, autograph=False, experimental_attributes=attributes)
    _, outputs, *_ = function(sequences, hidden, memory, *cell.weights())
    ends = lengths if lengths is not None else tf.fill(tf.shape(sequences)[:1], tf.shape(sequences)[1])
    last = tf.gather(outputs, tf.maximum(ends - 1, 0), batch_dims=1)
    # The last memory is not told; nobody asks for it, see fused_lstm.
    return _reversed(outputs, lengths) if cell.backward else outputs, [last, memory]


def _nothing(cell, sequences, which):
    """Zeros `(batch, 1)` that are known at run time only.

    Those of each state come from another element of the sequences: the converter makes equal values one, and then
    cannot give two states their own copy.
    """
    time, features = sequences.shape[1:]
    place = zlib.crc32(f"{cell.name} {cell.backward} {which}".encode()) % ((time or 1) * features)
    return sequences[:, place // features, place % features, None] * 0.0


def _known_lstm(sequences, hidden, memory, kernel, recurrent_kernel, bias):
    """What the converter replaces by the operator: arguments and results as it knows them, whatever is computed."""
    cell = Cell("LSTM", hidden.shape[-1], "tanh", "sigmoid", False, False, lambda: (kernel, recurrent_kernel, bias), "")
    outputs, (hidden, memory) = _loop(cell, sequences, [hidden, memory], None, True)
    return hidden, outputs, hidden, memory, tf.constant(0.0, name="runtime")


def _rnn_step(cell, projected, states, recurrent_kernel, bias):
    activation = keras.activations.get(cell.activation)
    return [activation(projected + tf.matmul(states[0], recurrent_kernel))]


def _gru_step(cell, projected, states, recurrent_kernel, bias):
    activation, gate = keras.activations.get(cell.activation), keras.activations.get(cell.recurrent_activation)
    (hidden,) = states
    units = cell.units
    if cell.reset_after:
        inner = tf.matmul(hidden, recurrent_kernel) + bias[1]
        gates = gate(projected[:, : 2 * units] + inner[:, : 2 * units])
        update, reset = gates[:, :units], gates[:, units:]
        candidate = activation(projected[:, 2 * units :] + reset * inner[:, 2 * units :])
    else:
        gates = gate(projected[:, : 2 * units] + tf.matmul(hidden, recurrent_kernel[:, : 2 * units]))
        update, reset = gates[:, :units], gates[:, units:]
        candidate = activation(projected[:, 2 * units :] + tf.matmul(reset * hidden, recurrent_kernel[:, 2 * units :]))
    return [candidate + update * (hidden - candidate)]


def _lstm_step(cell, projected, states, recurrent_kernel, bias):
    activation, gate = keras.activations.get(cell.activation), keras.activations.get(cell.recurrent_activation)
    hidden, memory = states
    input_, forget, candidate, output = tf.split(projected + tf.matmul(hidden, recurrent_kernel), 4, axis=-1)
    memory = gate(forget) * memory + gate(input_) * activation(candidate)
    return [gate(output) * activation(memory), memory]


_STEPS = {"RNN": _rnn_step, "GRU": _gru_step, "LSTM": _lstm_step}
