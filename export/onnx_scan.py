"""A plain recurrent network as ONNX's Scan, where that is faster than its RNN.

    h_t = activation(W x_t + b + R h_(t-1))

W x_t + b is one product for all positions; the Scan is left with a product, a sum and the activation. ONNX Runtime's
RNN does neither that nor lay R out for its kernel beforehand: 128 units over 64 positions take the Scan 0.8 of its time
at a batch of one, and 0.3 at 8 and at 32. GRU and LSTM do more in one operator, and stay.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

_ACTIVATIONS = {"Tanh", "Relu", "Sigmoid", "Softsign", "Softplus"}  # those without parameters


def scan_plain_recurrence(graph, read):
    """Puts a Scan in the place of each RNN of one direction, without lengths and with first states.

    Not beside sums in 16 bits: ONNX Runtime 1.31 crashes while it loads a product of what is cast from them.

    Args:
        graph: `onnx.GraphProto`, changed in place.
        read: set of the names of all tensors that are read, in the graphs inside this one too.
    """
    if any(node.op_type == "Cast" and _attributes(node)["to"] == TensorProto.FLOAT16 for node in graph.node):
        return
    for node in list(graph.node):
        if node.op_type == "RNN" and _fits(node):
            place = list(graph.node).index(node)
            graph.node.remove(node)
            nodes, constants = _scan(node, read)
            graph.initializer.extend(constants)
            for made in reversed(nodes):
                graph.node.insert(place, made)


def _fits(node):
    attributes = _attributes(node)
    return (
        len(node.input) == 6
        and all(node.input[index] for index in (3, 5))
        and not node.input[4]
        and set(attributes) <= {"activations", "direction", "hidden_size"}
        and attributes.get("direction", b"forward") != b"bidirectional"
        and attributes.get("activations", [b"Tanh"])[0].decode() in _ACTIVATIONS
    )


def _attributes(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _scan(node, read):
    """The nodes, and the constants that they read."""
    sequences, kernel, recurrent_kernel, bias, _, initial = node.input
    attributes, own = _attributes(node), f"{node.name or node.output[-1]}/scan"
    units, outputs = attributes["hidden_size"], [*node.output, ""][:2]
    backward = [int(attributes.get("direction") == b"reverse")]
    keeps = outputs[0] in read
    constants = {"zero": [0], "one": [1], "biases": [2, units]}
    nodes = [
        helper.make_node("Squeeze", [kernel, f"{own}/zero"], [f"{own}/W"]),
        helper.make_node("Transpose", [f"{own}/W"], [f"{own}/kernel"], perm=[1, 0]),  # (features, units)
        helper.make_node("Squeeze", [recurrent_kernel, f"{own}/zero"], [f"{own}/R"]),
        helper.make_node("Transpose", [f"{own}/R"], [f"{own}/recurrent"], perm=[1, 0]),  # (units, units)
        helper.make_node("Reshape", [bias, f"{own}/biases"], [f"{own}/both"]),  # of the input and of the state
        helper.make_node("ReduceSum", [f"{own}/both", f"{own}/zero"], [f"{own}/bias"], keepdims=0),  # (units,)
        helper.make_node("MatMul", [sequences, f"{own}/kernel"], [f"{own}/product"]),
        helper.make_node("Add", [f"{own}/product", f"{own}/bias"], [f"{own}/projected"]),  # (time, batch, units)
        helper.make_node("Squeeze", [initial, f"{own}/zero"], [f"{own}/first"]),  # (batch, units)
        helper.make_node(
            "Scan",
            [f"{own}/first", f"{own}/projected"],
            [f"{own}/last", f"{own}/every"][: 1 + keeps],
            name=own,
            body=_body(own, units, attributes.get("activations", [b"Tanh"])[0].decode(), keeps),
            num_scan_inputs=1,
            scan_input_directions=backward,
            **({"scan_output_directions": backward} if keeps else {}),
        ),
    ]
    if keeps:
        nodes.append(helper.make_node("Unsqueeze", [f"{own}/every", f"{own}/one"], [outputs[0]]))
    if outputs[1] in read:
        nodes.append(helper.make_node("Unsqueeze", [f"{own}/last", f"{own}/zero"], [outputs[1]]))
    return nodes, [
        numpy_helper.from_array(np.array(value, "int64"), f"{own}/{name}") for name, value in constants.items()
    ]


def _body(own, units, activation, keeps):
    """One position: the state after it, and the same as the output there.

    The batch has a name: where a size is not known to be the same throughout, the runtime does not reuse its memory,
    and the Scan takes 1.7 times as long.
    """
    state, projected, after, output = (f"{own}/{name}" for name in ("state", "one", "after", "output"))
    nodes = [
        helper.make_node("MatMul", [state, f"{own}/recurrent"], [f"{own}/turned"]),
        helper.make_node("Add", [f"{own}/turned", projected], [f"{own}/sum"]),
        helper.make_node(activation, [f"{own}/sum"], [after]),
    ]
    if keeps:
        nodes.append(helper.make_node("Identity", [after], [output]))
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", units]) for name in names]
        for names in ((state, projected), (after, output)[: 1 + keeps])
    )
    return helper.make_graph(nodes, f"{own}/body", inputs, outputs)
