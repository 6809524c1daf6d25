"""What a SavedModel is made of, read from its protobuf and its variables, without loading it. Needs TensorFlow."""

from collections import Counter
from pathlib import Path

import numpy as np

from export import errors
from export.inspect_tflite import LEAST_REPEATED, digest_of

_MEND = "export it again, or copy the whole folder again"
# The signature that TensorFlow itself adds, for the initialisation of tables.
_INTERNAL = "__saved_model_init_op"
# Python of the process that traced the model: nobody else has it.
_PYTHON = ("PyFunc", "PyFuncStateless", "EagerPyFunc")


def inspect(path):
    """See `export.structure.inspect`.

    Args:
        path: str or path of the folder.

    Returns:
        dict.

    Raises:
        StructureError: if the protobuf or the variables are missing, cut off or damaged.
    """
    path = Path(path)
    graph = _read(path / "saved_model.pb")
    signatures = {name: entry for name, entry in graph.signature_def.items() if name != _INTERNAL}
    nodes = list(_reachable(graph.graph_def, signatures))
    operators = Counter(node.op for node in nodes)
    constants = [node.attr["value"].tensor for node in nodes if node.op == "Const"]
    return {
        "bytes": sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        "operators": dict(sorted(operators.items())),
        "foreign_operators": sorted(name for name in operators if name.startswith("Cudnn") or name in _PYTHON),
        "tensor_types": _types(nodes),
        "variable_tensors": 0,
        "signatures": {name: _signature(entry) for name, entry in sorted(signatures.items())},
        "aliased_outputs": [],
        **_weights(path, constants),
    }


def _read(file):
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString(file.read_bytes())
    except (OSError, DecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise errors.StructureError(f"{file} cannot be read as a SavedModel ({reason}); {_MEND}") from error
    if not model.meta_graphs or not model.meta_graphs[0].signature_def:
        raise errors.StructureError(f"{file} is a SavedModel without signatures; {_MEND}")
    return model.meta_graphs[0]


def _reachable(graph_def, signatures):
    """The nodes that compute the signatures' outputs, and those of every function that they call."""
    nodes = {node.name: node for node in graph_def.node}
    functions = {function.signature.name: function for function in graph_def.library.function}
    waiting = [info.name for entry in signatures.values() for info in entry.outputs.values()]
    calls, seen, called = [], set(), set()
    while waiting:
        name = waiting.pop().lstrip("^").split(":")[0]
        if name in seen:
            continue
        seen.add(name)
        if name not in nodes:
            raise errors.StructureError(f"the SavedModel's graph has no node {name!r}, which is read; {_MEND}")
        waiting.extend(nodes[name].input)
        yield nodes[name]
        calls.extend(_called(nodes[name]))
    while calls:
        name = calls.pop()
        if name in called or name not in functions:
            continue
        called.add(name)
        for node in functions[name].node_def:
            yield node
            calls.extend(_called(node))


def _called(node):
    for attribute in node.attr.values():
        if attribute.HasField("func"):
            yield attribute.func.name
        for function in attribute.list.func:
            yield function.name


def _types(nodes):
    """The types that operators compute in; resources are how a SavedModel reads its variables."""
    given = [node.attr[key] for node in nodes for key in ("T", "dtype") if key in node.attr]
    names = Counter(_name_of(attribute.type) for attribute in given if attribute.WhichOneof("value") == "type")
    return dict(sorted(names.items()))


def _name_of(number):
    from tensorflow.core.framework import types_pb2

    name = types_pb2.DataType.Name(number).removeprefix("DT_").lower()
    return {"float": "float32", "double": "float64", "half": "float16"}.get(name, name)


def _signature(entry):
    return {
        side: {
            name: {
                "shape": [size.size if size.size >= 0 else None for size in info.tensor_shape.dim],
                "dtype": _name_of(info.dtype),
            }
            for name, info in sorted(getattr(entry, side).items())
        }
        for side in ("inputs", "outputs")
    }


def _weights(path, constants):
    """Bytes of the variables and of the large constants in the graph, and of those that are there already."""
    total, repeated, seen = 0, 0, set()
    for content, width in (*_variables(path), *_large(constants)):
        total += content.nbytes
        if content.nbytes >= LEAST_REPEATED:
            digest = digest_of(content, width)
            repeated += content.nbytes if digest in seen else 0
            seen.add(digest)
    return {"weight_bytes": total, "repeated_weight_bytes": repeated}


def _large(constants):
    for tensor in constants:
        content = np.frombuffer(tensor.tensor_content, "uint8")
        if content.nbytes >= LEAST_REPEATED:
            yield content, 4 if content.nbytes % 4 == 0 else 1


def _variables(path):
    """Contents of the numeric variables. Reading them checks them: each has a checksum of its own."""
    import tensorflow as tf

    prefix = path / "variables" / "variables"
    if not prefix.with_name("variables.index").is_file():
        raise errors.StructureError(f"{prefix}.index is missing, the list of the SavedModel's weights; {_MEND}")
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        for name, dtype in reader.get_variable_to_dtype_map().items():
            array = reader.get_tensor(name)
            if dtype != tf.string:
                yield np.frombuffer(np.ascontiguousarray(array).tobytes(), "uint8"), array.dtype.itemsize
    except (tf.errors.OpError, LookupError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise errors.StructureError(f"{prefix}: the weights are cut off or damaged ({reason}); {_MEND}") from error
