"""One time step of each recurrent network: x is the input, h the hidden state, c the cell state.

    SimpleRNN   h' = tanh(x W + h U + b)

    LSTM        i, f, o = sigmoid(x W_. + h U_. + b_.)    input, forget and output gates, each with its own W, U, b
                g  = tanh(x W_g + h U_g + b_g)            candidate
                c' = f * c + i * g
                h' = o * tanh(c')

    GRU         z, r = sigmoid(x W_. + h U_. + b_.)       update and reset gates
                g  = tanh(x W_g + r * (h U_g + d_g) + b_g)    candidate
                h' = z * h + (1 - z) * g

The functions are the equations and return the gates too, for whoever wants to look at them. The cells of
`keras_seq.layers.recurrent` hold the weights.
"""

from keras import ops


def simple_rnn_step(x, h, weights, activation=ops.tanh):
    """One time step of a simple recurrent network.

        h' = tanh(x W + h U + b)

    Args:
        x: float `(batch, features)`, the input.
        h: float `(batch, units)`, the hidden state.
        weights: dict, "state": (W `(features, units)`, U `(units, units)`, b `(units,)` or 0).
        activation: function in the place of tanh.

    Returns:
        The new hidden state `(batch, units)`.

    Example:
        >>> weights = {"state": (2 * ops.ones((1, 1)), ops.ones((1, 1)), 0.5)}
        >>> h = simple_rnn_step(ops.ones((1, 1)), ops.ones((1, 1)), weights, activation=ops.relu)
        >>> print(ops.convert_to_numpy(h).tolist())
        [[3.5]]

    Reference: Elman, 1990, "Finding Structure in Time".
    """
    w, u, b = weights["state"]
    return activation(x @ w + h @ u + b)  # (batch, units)


def lstm_step(x, h, c, weights, activation=ops.tanh, recurrent_activation=ops.sigmoid):
    """One time step of a long short-term memory.

        i, f, o = sigmoid(x W_. + h U_. + b_.)
        g  = tanh(x W_g + h U_g + b_g)
        c' = f * c + i * g
        h' = o * tanh(c')

    Args:
        x: float `(batch, features)`, the input.
        h: float `(batch, units)`, the hidden state.
        c: float `(batch, units)`, the cell state.
        weights: dict, for each of "input", "forget", "candidate", "output":
            (W `(features, units)`, U `(units, units)`, b `(units,)` or 0).
        activation: function in the place of tanh.
        recurrent_activation: function in the place of sigmoid.

    Returns:
        The new h and c, `(batch, units)` each, and the gates: a dict of the four names to `(batch, units)`.

    Example:
        >>> gates = ("input", "forget", "candidate", "output")
        >>> weights = {gate: (ops.zeros((1, 1)), ops.zeros((1, 1)), 0.0) for gate in gates}
        >>> h, c, gates = lstm_step(ops.ones((1, 1)), ops.zeros((1, 1)), 8 * ops.ones((1, 1)), weights)
        >>> print(ops.convert_to_numpy(gates["forget"]).tolist(), ops.convert_to_numpy(c).tolist())
        [[0.5]] [[4.0]]

    Reference: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"; with the forget gate of Gers, Schmidhuber and
    Cummins, 2000, "Learning to Forget: Continual Prediction with LSTM".
    """
    w_i, u_i, b_i = weights["input"]
    w_f, u_f, b_f = weights["forget"]
    w_g, u_g, b_g = weights["candidate"]
    w_o, u_o, b_o = weights["output"]
    i = recurrent_activation(x @ w_i + h @ u_i + b_i)  # (batch, units)
    f = recurrent_activation(x @ w_f + h @ u_f + b_f)  # (batch, units)
    g = activation(x @ w_g + h @ u_g + b_g)  # (batch, units)
    o = recurrent_activation(x @ w_o + h @ u_o + b_o)  # (batch, units)
    c = f * c + i * g
    h = o * activation(c)
    return h, c, {"input": i, "forget": f, "candidate": g, "output": o}


def gru_step(
    x,
    h,
    weights,
    reset_after=True,
    update_keeps_state=True,
    activation=ops.tanh,
    recurrent_activation=ops.sigmoid,
    seen=None,
):
    """One time step of a gated recurrent unit, in the convention of `GRUCell`'s table that the two flags choose.

        z  = sigmoid(x W_z + h U_z + b_z)
        r  = sigmoid(x W_r + h U_r + b_r)
        g  = tanh(x W_g + r * (h U_g + d_g) + b_g)    or, if not reset_after,          tanh(x W_g + (r * h) U_g + b_g)
        h' = z * h + (1 - z) * g                      or, if not update_keeps_state,   (1 - z) * h + z * g

    Args:
        x: float `(batch, features)`, the input.
        h: float `(batch, units)`, the hidden state.
        weights: dict, for each of "update", "reset", "candidate": (W `(features, units)`, U `(units, units)`,
            b `(units,)` or 0); with `reset_after` the candidate has a fourth, d `(units,)` or 0.
        reset_after: bool, whether the reset gate is applied after the product with U_g, or before.
        update_keeps_state: bool, whether z is the share of the old state, or of the candidate.
        activation: function in the place of tanh.
        recurrent_activation: function in the place of sigmoid.
        seen: float `(batch, units)`, h as the products with U see it, after recurrent dropout; defaults to h.

    Returns:
        The new h `(batch, units)` and the gates: a dict of the three names to `(batch, units)`.

    Example:
        >>> weights = {gate: (ops.zeros((1, 1)), ops.zeros((1, 1)), 0.0) for gate in ("update", "reset", "candidate")}
        >>> h, gates = gru_step(ops.ones((1, 1)), 8 * ops.ones((1, 1)), weights, reset_after=False)
        >>> print(ops.convert_to_numpy(gates["update"]).tolist(), ops.convert_to_numpy(h).tolist())
        [[0.5]] [[4.0]]

    Reference: Cho et al., 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation", equations 5-8.
    """
    kept, h = h, h if seen is None else seen
    w_z, u_z, b_z = weights["update"]
    w_r, u_r, b_r = weights["reset"]
    z = recurrent_activation(x @ w_z + h @ u_z + b_z)  # (batch, units)
    r = recurrent_activation(x @ w_r + h @ u_r + b_r)  # (batch, units)
    if reset_after:
        w_g, u_g, b_g, d_g = weights["candidate"]
        g = activation(x @ w_g + r * (h @ u_g + d_g) + b_g)  # (batch, units)
    else:
        w_g, u_g, b_g = weights["candidate"]
        g = activation(x @ w_g + (r * h) @ u_g + b_g)  # (batch, units)
    h = z * kept + (1 - z) * g if update_keeps_state else (1 - z) * kept + z * g
    return h, {"update": z, "reset": r, "candidate": g}
