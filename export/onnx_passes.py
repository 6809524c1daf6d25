"""What is done to an ONNX graph after tf2onnx: fewer operators, the same numbers.

A decoding loop runs its body once a token, and at a batch of one each small operator costs about as much as another:
what the layers compute alike is computed once.
"""

import numpy as np
import onnx

from export.onnx_scan import scan_plain_recurrence

# Operators that may give something else each time, or do something besides.
_NOT_SHARED = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}


def simplify(graph):
    """Applies all passes to a graph and to the graphs inside it.

    Args:
        graph: `onnx.GraphProto`, changed in place.
    """
    # Constants first and everywhere: those of the graph around are what makes nodes of the inner one equal.
    for change in (_share_equal_constants, _share_equal_nodes, _square_as_power):
        for each in _all_graphs(graph):
            change(each)


def settle_loops(graph):
    """Takes out of loops what does not change in them. For a graph in its final precision.

    The quantiser of ONNX Runtime would otherwise find the weights of loops and of plain recurrent networks, which are
    left as they are.

    Args:
        graph: `onnx.GraphProto`, changed in place.
    """
    read = {name for node in nodes(graph) for name in node.input}
    read |= {output.name for each in _all_graphs(graph) for output in each.output}
    for each in _all_graphs(graph):
        scan_plain_recurrence(each, read)
    for change in (_read_from_around, _compute_before):
        for each in _all_graphs(graph):
            change(each)


def nodes(graph):
    """Every node of a graph and of the graphs inside it."""
    for node in graph.node:
        yield node
        for inner in _graphs_of(node):
            yield from nodes(inner)


def _all_graphs(graph):
    """The graph, then those inside it."""
    yield graph
    for node in graph.node:
        for inner in _graphs_of(node):
            yield from _all_graphs(inner)


def _graphs_of(node):
    return [attribute.g for attribute in node.attribute if attribute.HasField("g")]


def _share_equal_constants(graph):
    """One initializer for equal contents, among the small ones: shapes, axes and numbers."""
    first, renamed = {}, {}
    for tensor in list(graph.initializer):
        if tensor.ByteSize() > 1024:
            continue
        array = onnx.numpy_helper.to_array(tensor)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key in first:
            renamed[tensor.name] = first[key]
            graph.initializer.remove(tensor)
        first.setdefault(key, tensor.name)
    _rename_inputs(graph, renamed)


def _share_equal_nodes(graph):
    """One node for all with the same operator, inputs and attributes; nodes are in an order in which they can run."""
    results, renamed, kept = {}, {}, {output.name for output in graph.output}
    for node in list(graph.node):
        _rename_node(node, renamed)
        if _graphs_of(node) or node.op_type in _NOT_SHARED or kept & set(node.output):
            continue
        attributes = tuple(sorted(attribute.SerializeToString() for attribute in node.attribute))
        key = (node.op_type, node.domain, tuple(node.input), attributes, len(node.output))
        if key in results:
            renamed |= dict(zip(node.output, results[key], strict=True))
            graph.node.remove(node)
        else:
            results[key] = list(node.output)
    _rename_inputs(graph, renamed)


def _rename_inputs(graph, renamed):
    for node in graph.node:
        _rename_node(node, renamed)


def _rename_node(node, renamed):
    for index, name in enumerate(node.input):
        node.input[index] = renamed.get(name, name)
    for inner in _graphs_of(node):
        _rename_inputs(inner, renamed)
        for output in inner.output:  # a graph may hand on a tensor of the graph around it
            output.name = renamed.get(output.name, output.name)


def _square_as_power(graph):
    """x * x as x^2: ONNX Runtime then knows a layer normalisation and makes it one operator."""
    squares = [node for node in graph.node if node.op_type == "Mul" and node.input[0] == node.input[1]]
    if squares:
        exponent = f"{squares[0].output[0]}/two"
        graph.initializer.append(onnx.numpy_helper.from_array(np.float32(2), exponent))
    for node in squares:
        node.op_type = "Pow"
        node.input[1] = exponent


def _read_from_around(graph):
    """What a loop hands on from round to round unchanged is read from the graph around instead.

    tf2onnx makes every weight such a value. ONNX Runtime lays out the weights of a product for its kernel when it
    loads a model, but only if it can see that they are constant: a Transformer's decoding took 1.35 times as long.
    """
    for loop in [node for node in graph.node if node.op_type == "Loop"]:
        (body,) = _graphs_of(loop)
        inner, outer = {}, {}
        for place in reversed(range(len(loop.input) - 2)):  # the number of rounds and the condition come first
            name, result = body.input[place + 2].name, loop.output[place]
            if body.output[place + 1].name != name or result in {output.name for output in graph.output}:
                continue
            inner[name] = outer[result] = loop.input[place + 2]
            for values, index in ((loop.input, place + 2), (loop.output, place)):
                del values[index]
            for values, index in ((body.input, place + 2), (body.output, place + 1)):
                del values[index]
        _rename_inputs(body, inner)
        _rename_inputs(graph, outer)


def _compute_before(graph):
    """What a loop would compute anew in each round from what does not change is computed once, before it.

    Of a Transformer's decoding that is the mask of the source: 13 of 229 operators a token, and 11 us. Not a
    transposition: ONNX Runtime makes it part of the product that reads it, and that is no slower than one without it.
    """
    for loop in [node for node in graph.node if node.op_type == "Loop"]:
        (body,) = _graphs_of(loop)
        changing = {value.name for value in body.input} | {name for node in body.node for name in node.output}
        results = {output.name for output in body.output}
        constants = {tensor.name: tensor for tensor in body.initializer}
        for node in list(body.node):
            if _graphs_of(node) or node.op_type in {*_NOT_SHARED, "Transpose"} or results & set(node.output):
                continue
            if changing & set(node.input):
                continue
            changing -= set(node.output)
            for name in set(node.input) & set(constants):
                graph.initializer.append(constants.pop(name))
                body.initializer.remove(graph.initializer[-1])
            body.node.remove(node)
            graph.node.insert(list(graph.node).index(loop), node)
