"""The layers of an ONNX graph in float32: which products and which constants are whose."""

from dataclasses import dataclass, field

import onnx

from export import onnx_passes
from export.layer_names import LayerNames

PRODUCTS = ("MatMul", "Gemm", "Conv")


@dataclass
class Layer:
    """What a graph has of one layer.

    Attributes:
        weights: int, how many numbers its constants of two and more dimensions hold.
        nodes: list of str, the names of its products, those inside loops too.
        tensors: list of str, the names of those constants.
    """

    weights: int = 0
    nodes: list = field(default_factory=list)
    tensors: list = field(default_factory=list)


def layers_of(model, names=None):
    """All layers with products or constants, in the order of their first use.

    Args:
        model: `onnx.ModelProto` in float32, whose products have names of their own.
        names: what `export.layer_names.names_of` returned, or None.

    Returns:
        dict of name -> `Layer`.
    """
    known, nodes = LayerNames(names), list(onnx_passes.nodes(model.graph))
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in _constants(model.graph)}
    owners = {name: known.of_weight(array) for name, array in constants.items()}
    for node in nodes:
        for name in node.input:
            if owners.get(name):
                known.learn(node.name, owners[name])
    followers = {}
    for node in nodes:
        for name in node.input:
            followers.setdefault(name, []).append(node)
    layers = {}
    for node in nodes:
        own = [name for name in node.input if name in constants]
        if not own and node.op_type not in PRODUCTS:
            continue
        layer = next((owners[name] for name in own if owners[name]), None)
        layer = layer or known.of_operator(_placed(node, followers))
        if node.op_type in PRODUCTS:
            layers.setdefault(layer, Layer()).nodes.append(node.name)
        for name in own:
            owners[name] = owners[name] or layer
            holder = layers.setdefault(owners[name], Layer())
            if name not in holder.tensors:
                holder.tensors.append(name)
                holder.weights += int(constants[name].size)
    return layers


def name_products(graph):
    """Gives each product that has none, or another's, a name of its own.

    Args:
        graph: `onnx.GraphProto`, changed in place.
    """
    taken = set()
    for node in onnx_passes.nodes(graph):
        if node.op_type not in PRODUCTS:
            continue
        name, number = node.name or node.op_type, 1
        while name in taken:
            name, number = f"{node.name or node.op_type}_{number}", number + 1
        node.name = name
        taken.add(name)


def _constants(graph):
    """The constants of two and more dimensions in float32, of a graph and of those inside it."""
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1:
            yield tensor
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _constants(attribute.g)


def _placed(node, followers):
    """The name of a node, or of the first one behind it, that tells where it is."""
    seen = {node.name}
    while "/" not in node.name:
        behind = [next_ for output in node.output for next_ in followers.get(output, ()) if next_.name not in seen]
        if not behind:
            break
        node = behind[0]
        seen.add(node.name)
    return node.name
