"""Weights of a recurrent layer, carried between the layouts of keras_seq, Keras and PyTorch.

keras_seq   one W (features, units), U (units, units) and b (units,) a gate
Keras       kernel (features, n units), recurrent_kernel (units, n units) and bias: the n gates side by side
PyTorch     weight_ih, weight_hh: the gates below one another, transposed; two biases, bias_ih and bias_hh

LSTM        input, forget, candidate, output in all three
GRU         update, reset, candidate; PyTorch has reset, update, candidate
"""

from keras import ops

_GATES = {
    "simple_rnn": ("state",),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("update", "reset", "candidate"),
}
_TORCH_GATES = {**_GATES, "gru": ("reset", "update", "candidate")}


def convert_recurrent_weights(weights, cell, source, target, reset_after=True, update_keeps_state=True):
    """The weights of one layer and one direction in another library's layout.

    PyTorch has two biases a gate where one would do, and so has Keras's GRU with `reset_after`; only the candidate of
    such a GRU tells the two apart. Where the target has one bias, it is their sum; where it has two and the source one,
    the second is 0. What the layer computes stays the same, but two biases that became one do not come back.

    Args:
        weights: in the layouts "keras_seq" and "keras" the list of arrays that `get_weights()` gives; in "torch" a dict
            of arrays, weight_ih `(n units, features)`, weight_hh `(n units, units)`, bias_ih and bias_hh `(n units,)`,
            which is the `state_dict` of a cell, or that of a layer without the names' endings (_l0, _l0_reverse).
            A layer without biases has none of them in all three.
        cell: "simple_rnn", "lstm" or "gru".
        source: "keras_seq", "keras" or "torch", the layout of `weights`.
        target: the same, the layout wanted.
        reset_after: bool, the GRU's convention, see `GRUCell`; PyTorch has no GRU that resets before.
        update_keeps_state: bool, the convention of the GRU of keras_seq; Keras and PyTorch have no other than True, so
            the update gate's weights change their sign: 1 - sigmoid(a) = sigmoid(-a).

    Returns:
        New arrays in the dtype of `weights`: a list for `set_weights`, or for "torch" a dict.

    Raises:
        ValueError: if a name is not known, the weights are not those of such a cell, or PyTorch has no such GRU.
        TypeError: if the weights are not the list or the dict that the source's layout is.

    Example:
        >>> import keras
        >>> layer = keras.layers.GRU(5)
        >>> layer.build((None, None, 3))
        >>> weights = convert_recurrent_weights(layer.get_weights(), "gru", "keras", "torch")
        >>> {name: array.shape for name, array in weights.items()}
        {'weight_ih': (15, 3), 'weight_hh': (15, 5), 'bias_ih': (15,), 'bias_hh': (15,)}
    """
    _check_request(cell, source, target, reset_after, update_keeps_state)
    two_biases = cell == "gru" and reset_after
    gates = _READERS[source](_named(weights, cell, source, two_biases), cell)
    if not update_keeps_state and (source == "keras_seq") != (target == "keras_seq"):
        gates["update"] = [-array for array in gates["update"]]
    return _WRITERS[target](gates, cell, two_biases)


# Between reading and writing, the weights are a dict of gate to [kernel, recurrent kernel, bias, second bias], or to
# the first two. The arrays' own methods do it all, since a backend's operations would round: JAX's float64 to float32.


def _read_keras_seq(named, cell):
    gates = {}
    for gate in _GATES[cell]:
        gates[gate] = [named[f"{gate}_kernel"], named[f"{gate}_recurrent_kernel"]]
        if f"{gate}_bias" in named:
            bias = named[f"{gate}_bias"]
            gates[gate] += [bias, named.get(f"{gate}_recurrent_bias", _zeros_like(bias))]
    return gates


def _read_keras(named, cell):
    joined = [named["kernel"], named["recurrent_kernel"]]
    if "bias" in named:
        bias = named["bias"]
        joined += [bias, _zeros_like(bias)] if bias.ndim == 1 else list(bias)
    return _split(joined, _GATES[cell])


def _read_torch(named, cell):
    return _split([array.T for array in named.values()], _TORCH_GATES[cell])


def _write_keras_seq(gates, cell, two_biases):
    weights = []
    for gate in _GATES[cell]:
        kernel, recurrent_kernel, *biases = gates[gate]
        apart = two_biases and gate == "candidate"
        weights += [kernel, recurrent_kernel, *(biases if apart or not biases else [sum(biases)])]
    return [array.copy() for array in weights]


def _write_keras(gates, cell, two_biases):
    kernel, recurrent_kernel, *biases = _join(gates, _GATES[cell])
    if not biases:
        return [kernel, recurrent_kernel]
    bias = _side_by_side(biases).reshape(2, -1)  # (2, n units)
    return [kernel, recurrent_kernel, bias if two_biases else bias.sum(0)]


def _write_torch(gates, cell, two_biases):
    joined = _join(gates, _TORCH_GATES[cell])
    return {name: array.T for name, array in zip(_TORCH_NAMES, joined, strict=False)}


_READERS = {"keras_seq": _read_keras_seq, "keras": _read_keras, "torch": _read_torch}
_WRITERS = {"keras_seq": _write_keras_seq, "keras": _write_keras, "torch": _write_torch}
_TORCH_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _split(joined, order):
    units = joined[0].shape[-1] // len(order)
    columns = (slice(place * units, (place + 1) * units) for place in range(len(order)))
    return {gate: [array[..., own] for array in joined] for gate, own in zip(order, columns, strict=True)}


def _join(gates, order):
    return [_side_by_side(parts) for parts in zip(*(gates[gate] for gate in order), strict=True)]


def _side_by_side(parts):
    joined, units = parts[0].repeat(len(parts), axis=-1), parts[0].shape[-1]
    for place, part in enumerate(parts):
        joined[..., place * units : (place + 1) * units] = part
    return joined


def _zeros_like(array):
    zeros = array.copy()
    zeros.fill(0)
    return zeros


def _check_request(cell, source, target, reset_after, update_keeps_state):
    for name, value, known in (("cell", cell, _GATES), ("source", source, _READERS), ("target", target, _WRITERS)):
        if value not in known:
            raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(known)}")
    if cell != "gru" and not (reset_after and update_keeps_state):
        raise ValueError(f"a {cell} has no reset and update gates; leave reset_after and update_keeps_state at True")
    if "torch" in (source, target) and not reset_after:
        raise ValueError(
            "reset_after=False has no counterpart in PyTorch, whose GRU resets after the recurrent product; "
            "choose keras_seq or keras, or train with reset_after=True"
        )


def _named(weights, cell, layout, two_biases):
    """The weights as a dict of name to numpy array in the layout's order, once names and shapes are as they must be."""
    if isinstance(weights, dict) != (layout == "torch"):
        wanted = "dict of name to array" if layout == "torch" else "list of arrays, as from get_weights()"
        raise TypeError(f"weights are a {type(weights).__name__}; the layout {layout!r} is a {wanted}")
    names = list(_shapes(cell, layout, 0, 0, two_biases))
    unbiased = [name for name in names if "bias" not in name]
    for chosen in (names, unbiased):
        if len(weights) == len(chosen) and (layout != "torch" or set(weights) == set(chosen)):
            break
    else:
        got = ", ".join(map(str, weights)) if layout == "torch" else f"{len(weights)} arrays"
        raise ValueError(
            f"weights are {got}; a {cell} in the layout {layout!r} has {', '.join(names)}, or without biases "
            f"{', '.join(unbiased)}; give those of one layer and one direction{_hint(cell)}"
        )
    arrays = [weights[name] for name in chosen] if layout == "torch" else weights
    named = {name: ops.convert_to_numpy(array) for name, array in zip(chosen, arrays, strict=True)}
    axis = -1 if layout == "torch" else 0
    features, units = (array.shape[axis] if array.ndim else 0 for array in list(named.values())[:2])
    for name, shape in _shapes(cell, layout, features, units, two_biases).items():
        if name in named and named[name].shape != shape:
            raise ValueError(
                f"{name} has shape {named[name].shape}, but a {cell} of {features} features and {units} units in the "
                f"layout {layout!r} wants {shape}; give the weights in that order and shape{_hint(cell)}"
            )
    return named


def _hint(cell):
    return ", and reset_after as the layer has it" if cell == "gru" else ""


def _shapes(cell, layout, features, units, two_biases):
    """Name to shape of a layer's weights, in the order of the layout."""
    joined = len(_GATES[cell]) * units
    if layout == "torch":
        return dict(zip(_TORCH_NAMES, ((joined, features), (joined, units), (joined,), (joined,)), strict=True))
    if layout == "keras":
        bias = (2, joined) if two_biases else (joined,)
        return {"kernel": (features, joined), "recurrent_kernel": (units, joined), "bias": bias}
    shapes = {}
    for gate in _GATES[cell]:
        shapes[f"{gate}_kernel"], shapes[f"{gate}_recurrent_kernel"] = (features, units), (units, units)
        shapes[f"{gate}_bias"] = (units,)
    return {**shapes, "candidate_recurrent_bias": (units,)} if two_biases else shapes
