"""Recurrent layers as TFLite runs them.

`portable_loop`, the default: a WHILE of builtin operators, which every LiteRT runtime loads, the browser's too. What
does not depend on the state, the input's products, is computed for all positions at once before the loop; and for a
batch of one the loop ends with the sequence, not with its padding.

`fused_lstm`: the one operator UNIDIRECTIONAL_SEQUENCE_LSTM, which the Interpreter alone has.
"""

import keras
import tensorflow as tf


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
