"""What an ONNX model is made of: a folder with one graph a signature and one weights file, or a single file."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from export import errors, onnx_passes
from export.inspect_tflite import LEAST_REPEATED, digest_of

_MEND = "export it again, or copy the whole folder again"


def inspect(path):
    """See `export.structure.inspect`.

    Args:
        path: str or path of the folder or of one `.onnx` file.

    Returns:
        dict.

    Raises:
        StructureError: if a file is missing, cut off or no ONNX graph.
    """
    path = Path(path)
    files = sorted(path.glob("*.onnx")) if path.is_dir() else [path]
    if not files:
        raise errors.StructureError(f"{path} holds no .onnx file; {_MEND}")
    models = {file.stem: _load(file) for file in files}
    graphs = [model.graph for model in models.values()]
    tensors = [tensor for model in models.values() for tensor in _all_tensors(model)]
    operators, foreign = Counter(), set()
    for model in models.values():
        for node in _all_nodes(model):
            operators[_name(node)] += 1
            foreign |= {_name(node)} if not _known(model, node) else set()
    return {
        "bytes": _size(path, files, tensors),
        "operators": dict(sorted(operators.items())),
        "foreign_operators": sorted(foreign),
        "tensor_types": _types(graphs, tensors),
        "variable_tensors": 0,
        "signatures": {name: _signature(model.graph) for name, model in models.items()},
        "aliased_outputs": [],
        **_weights(tensors, path if path.is_dir() else path.parent),
    }


def _load(file):
    try:
        model = onnx.load(file, load_external_data=False)
        _check(file)
    except (OSError, DecodeError, onnx.checker.ValidationError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise errors.StructureError(f"{file} cannot be read as an ONNX model ({reason}); {_MEND}") from error
    if not model.graph.output:
        raise errors.StructureError(f"{file} is an ONNX model without outputs; {_MEND}")
    return model


def _check(file):
    """ONNX's own check, by the file's path, so that what it keeps in other files is looked for as well."""
    try:
        onnx.checker.check_model(str(file))
    except onnx.checker.ValidationError as error:
        # It takes a hard link for an attack; a bundle copied by links, as backups are, is as good as another.
        if "multiple hard links" not in str(error):
            raise


def _all_nodes(model):
    yield from onnx_passes.nodes(model.graph)
    for function in model.functions:
        yield from onnx_passes.nodes(function)


def _name(node):
    return f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type


def _known(model, node):
    """Whether ONNX has the operator in the version that the model asks for, or the model has it as a function."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    versions = {"" if each.domain == "ai.onnx" else each.domain: each.version for each in model.opset_import}
    if any((function.name, function.domain) == (node.op_type, node.domain) for function in model.functions):
        return True
    return domain in versions and onnx.defs.has(node.op_type, versions[domain], domain)


def _all_tensors(model):
    """Every constant: initializers and Constant nodes, those inside Loop and If too."""
    yield from model.graph.initializer
    for node in _all_nodes(model):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("g"):
                yield from attribute.g.initializer


def _types(graphs, tensors):
    names = [tensor.data_type for tensor in tensors]
    for graph in graphs:
        values = (*graph.input, *graph.output, *graph.value_info)
        names += [value.type.tensor_type.elem_type for value in values if value.type.HasField("tensor_type")]
    return dict(sorted(Counter(map(_dtype, names)).items()))


def _dtype(number):
    name = onnx.TensorProto.DataType.Name(number).lower()
    return {"float": "float32", "double": "float64"}.get(name, name)


def _signature(graph):
    constants = {tensor.name for tensor in graph.initializer}
    sides = {"inputs": [one for one in graph.input if one.name not in constants], "outputs": graph.output}
    return {
        side: {
            value.name: {"shape": _shape(value), "dtype": _dtype(value.type.tensor_type.elem_type)}
            for value in sorted(values, key=lambda value: value.name)
        }
        for side, values in sides.items()
    }


def _shape(value):
    sizes = value.type.tensor_type.shape.dim
    return [size.dim_value if size.HasField("dim_value") else None for size in sizes]


def _external(tensor):
    """(file, offset, bytes or None for the rest of the file), or None if the tensor is inside the graph."""
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return None
    entry = {one.key: one.value for one in tensor.external_data}
    return entry.get("location", ""), int(entry.get("offset", 0)), int(entry["length"]) if "length" in entry else None


def _size(path, files, tensors):
    folder = path if path.is_dir() else path.parent
    shared = {place[0] for tensor in tensors if (place := _external(tensor))}
    return sum(file.stat().st_size for file in files) + sum(_weights_file(folder, name) for name in shared)


def _weights_file(folder, name):
    """The size of a file of weights that graphs name."""
    file = folder / name
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise errors.StructureError(f"{folder}: a graph keeps weights in {name!r}, outside its folder; {_MEND}")
    if not file.is_file():
        raise errors.StructureError(f"{file} is missing, where a graph keeps its weights; {_MEND}")
    return file.stat().st_size


def _weights(tensors, folder):
    """Bytes of the constants, each place of an external file once; and of those that are stored already."""
    total, repeated, places, seen = 0, 0, set(), set()
    for tensor in tensors:
        place = _external(tensor)
        if place in places and place is not None:
            continue
        places.add(place)
        content = _bytes(tensor) if place is None else _read_external(folder, tensor, place)
        total += content.nbytes
        if content.nbytes >= LEAST_REPEATED:
            width = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
            digest = digest_of(content, width if content.nbytes % width == 0 else 1)
            repeated += content.nbytes if digest in seen else 0
            seen.add(digest)
    return {"weight_bytes": total, "repeated_weight_bytes": repeated}


def _bytes(tensor):
    if tensor.data_type == onnx.TensorProto.STRING:
        return np.frombuffer(b"".join(tensor.string_data), "uint8")
    return np.frombuffer(onnx.numpy_helper.to_array(tensor).tobytes(), "uint8")


def _read_external(folder, tensor, place):
    name, offset, length = place
    size = _weights_file(folder, name)
    length = size - offset if length is None else length
    wanted = int(np.prod(tensor.dims)) * onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    if length < 0 or offset + length > size or length < wanted:
        raise errors.StructureError(
            f"{folder / name} is cut off at {size} bytes: the weights {tensor.name!r} are {wanted} bytes from "
            f"{offset}; {_MEND}"
        )
    return np.memmap(folder / name, "uint8", "r", offset, (length,)) if length else np.empty(0, "uint8")
