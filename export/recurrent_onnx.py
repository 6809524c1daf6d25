"""Recurrent layers as ONNX's own operators: one RNN, GRU or LSTM a layer, or a pair of directions.

ONNX        X (time, batch, features), W (directions, gates units, features), R (directions, gates units, units)
            B (directions, 2 gates units), the input's bias and the state's
gates       LSTM input, output, forget, candidate; GRU update, reset, candidate
"""

import tensorflow as tf

from export.onnx_operators import operator

_GATES = {"RNN": (0,), "GRU": (0, 1, 2), "LSTM": (0, 3, 1, 2)}  # ONNX's order, by the place in Keras's
# Keras's name -> ONNX's, with the alpha and beta that it takes
_ACTIVATIONS = {
    "tanh": ("Tanh", None, None),
    "sigmoid": ("Sigmoid", None, None),
    "relu": ("Relu", None, None),
    "linear": ("Affine", 1.0, 0.0),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "softsign": ("Softsign", None, None),
    "softplus": ("Softplus", None, None),
    "elu": ("Elu", 1.0, None),
    "leaky_relu": ("LeakyRelu", 0.2, None),
}


def onnx_operator(cells, sequences, states, lengths, needs_outputs):
    """A kernel for `export.recurrent.recurrent_by`: one ONNX operator.

    Raises:
        ValueError: if an activation has no ONNX counterpart.
    """
    first, directions = cells[0], len(cells)
    packed = [_pack(cell) for cell in cells]
    weights = [tf.stack(parts) for parts in zip(*packed, strict=True)]  # W, R, B, each with directions first
    initial = [tf.stack(parts) for parts in zip(*states, strict=True)]  # h, and c for LSTM: (directions, batch, units)
    batch, time = sequences.shape[:2]
    read, *last = operator(
        first.kind,
        [tf.transpose(sequences, (1, 0, 2)), *weights, lengths, *initial],
        [(time, directions, batch, first.units)] + [(directions, batch, first.units)] * len(initial),
        ["float32"] * (1 + len(initial)),
        _attributes(cells),
    )
    every = tf.transpose(read, (1, 2, 0, 3)) if needs_outputs else None  # (directions, batch, time, units)
    outputs = [every[place] if needs_outputs else None for place in range(directions)]
    return outputs, [[state[place] for state in last] for place in range(directions)]


def _attributes(cells):
    first = cells[0]
    names, alphas, betas = zip(*(_activation(cell, which) for cell in cells for which in _used(cell)), strict=True)
    attributes = {
        "hidden_size": first.units,
        "direction": "bidirectional" if len(cells) == 2 else "reverse" if first.backward else "forward",
        "activations": names,
    }
    for attribute, values in (("activation_alpha", alphas), ("activation_beta", betas)):
        if taken := [value for value in values if value is not None]:
            attributes[attribute] = taken
    return attributes | ({"linear_before_reset": int(first.reset_after)} if first.kind == "GRU" else {})


def _pack(cell):
    kernel, recurrent_kernel, bias = cell.weights()
    bias = bias if cell.kind == "GRU" and cell.reset_after else tf.stack([bias, tf.zeros_like(bias)])
    rows = [tf.transpose(_in_order(cell.kind, matrix)) for matrix in (kernel, recurrent_kernel)]
    return (*rows, tf.reshape(_in_order(cell.kind, bias), (-1,)))


def _in_order(kind, matrix):
    """The gates on the last axis in ONNX's order."""
    gates = tf.split(matrix, len(_GATES[kind]), axis=-1)
    return tf.concat([gates[place] for place in _GATES[kind]], axis=-1)


def _used(cell):
    """Which activation each of ONNX's slots takes: f for the gates, g for the candidate, h for the output."""
    return {
        "RNN": ("activation",),
        "GRU": ("recurrent_activation", "activation"),
        "LSTM": ("recurrent_activation", "activation", "activation"),
    }[cell.kind]


def _activation(cell, which):
    name = getattr(cell, which)
    if name not in _ACTIVATIONS:
        known = ", ".join(_ACTIVATIONS)
        raise ValueError(f"{cell.name}: ONNX's {cell.kind} has no activation {name!r}; train with one of {known}")
    return _ACTIVATIONS[name]
