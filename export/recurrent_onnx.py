"""Recurrent layers as ONNX's own operators: one RNN, GRU or LSTM a layer, or a pair of directions.

TensorFlow has no such operators. The traced graph holds a placeholder in their place, a PyFunc that nothing ever runs,
whose token says what it stands for; when tf2onnx meets it, `HANDLERS` puts the operator there. The placeholder
survives a SavedModel, so that the conversion can run in another process than the trace.

    ONNX        X (time, batch, features), W (directions, gates units, features), R (directions, gates units, units)
                B (directions, 2 gates units), the input's bias and the state's
    gates       LSTM input, output, forget, candidate; GRU update, reset, candidate
"""

import json

import tensorflow as tf

_MARK = "keras_seq:"
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
    """A kernel for `export.recurrent.recurrent_by`: the placeholder of one ONNX operator.

    Raises:
        ValueError: if an activation has no ONNX counterpart.
    """
    first = cells[0]
    packed = [_pack(cell) for cell in cells]
    weights = [tf.stack(parts) for parts in zip(*packed, strict=True)]  # W, R, B, each with directions first
    initial = [tf.stack(parts) for parts in zip(*states, strict=True)]  # h, and c for LSTM: (directions, batch, units)
    given = [tf.transpose(sequences, (1, 0, 2)), *weights, *initial] + ([] if lengths is None else [lengths])
    direction = "bidirectional" if len(cells) == 2 else ("reverse" if first.backward else "forward")
    description = {
        "operator": first.kind,
        "units": first.units,
        "direction": direction,
        "activations": [_activation(cell, which) for cell in cells for which in _used(cell)],
        "reset_after": first.reset_after,
        "has_lengths": lengths is not None,
        "name": first.name,
    }
    token = _MARK + json.dumps(description, sort_keys=True)
    made = tf.raw_ops.PyFunc(input=given, token=token, Tout=["float32"] * (1 + len(initial)))
    batch = sequences.shape[0]
    # A graph that is written and read again forgets the shapes of a PyFunc, but not what it was checked to have.
    read = tf.ensure_shape(made[0], (sequences.shape[1], len(cells), batch, first.units))
    last = [tf.ensure_shape(state, (len(cells), batch, first.units)) for state in made[1:]]
    every = tf.transpose(read, (1, 2, 0, 3)) if needs_outputs else None  # (directions, batch, time, units)
    outputs = [every[place] if needs_outputs else None for place in range(len(cells))]
    return outputs, [[state[place] for state in last] for place in range(len(cells))]


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


def _make_operator(graph, node, name, args):
    """tf2onnx's hook: puts the operator in the placeholder's place."""
    token = node.get_attr("token").s.decode()
    if not token.startswith(_MARK):
        raise ValueError(f"{name} is a Python function, which no other runtime can call; express it in keras.ops")
    description = json.loads(token.removeprefix(_MARK))
    inputs = list(node.input)
    lengths = inputs.pop() if description["has_lengths"] else ""
    sequences, weights, recurrent_weights, bias, *states = inputs
    names, alphas, betas = zip(*description["activations"], strict=True)
    attributes = {"hidden_size": description["units"], "direction": description["direction"], "activations": names}
    for attribute, values in (("activation_alpha", alphas), ("activation_beta", betas)):
        if taken := [value for value in values if value is not None]:
            attributes[attribute] = taken
    if description["operator"] == "GRU":
        attributes["linear_before_reset"] = int(description["reset_after"])
    shapes, dtypes = node.output_shapes, node.output_dtypes
    outputs = list(node.output)
    graph.remove_node(node.name)
    graph.make_node(
        description["operator"],
        [sequences, weights, recurrent_weights, bias, lengths, *states],
        attr=attributes,
        name=node.name,
        outputs=outputs,
        shapes=shapes,
        dtypes=dtypes,
    )


HANDLERS = {"PyFunc": (_make_operator, []), "PyFuncStateless": (_make_operator, [])}
