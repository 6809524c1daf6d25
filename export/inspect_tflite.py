"""What a TFLite file is made of, read from its flatbuffer, without TensorFlow and without running it.

Reference: the schema `tensorflow/lite/schema/schema.fbs`, as ai-edge-litert carries it.
"""

import hashlib
import struct
from collections import Counter
from pathlib import Path

import numpy as np

from export import errors

# Smaller buffers hold shapes, axes and biases; a compiler repeats them freely.
LEAST_REPEATED = 1024
# Whatever a flatbuffer's reader may stumble over in a file that is cut off or is none.
_DAMAGE = (struct.error, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError)
_MEND = "export it again, or copy the whole file again"


def inspect(path):
    """See `export.structure.inspect`.

    Args:
        path: str or path of the file.

    Returns:
        dict.

    Raises:
        StructureError: if the file cannot be read as a TFLite file to its end.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise errors.StructureError(f"{path} cannot be read ({error.strerror}); {_MEND}") from error
    if data[4:8] != b"TFL3":
        raise errors.StructureError(
            f"{path} is no TFLite file: its bytes 4 to 8 are {data[4:8]!r}, wanted b'TFL3'; {_MEND}"
        )
    try:
        return {"bytes": len(data), **_read(data)}
    except _DAMAGE as error:
        raise errors.StructureError(
            f"{path} is cut off or damaged ({type(error).__name__}: {error}), {len(data)} bytes; {_MEND}"
        ) from error


def _read(data):
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(data, 0)
    graphs = [model.Subgraphs(place) for place in range(model.SubgraphsLength())]
    tensors = [[graph.Tensors(place) for place in range(graph.TensorsLength())] for graph in graphs]
    signatures = _signatures(schema, model, tensors)
    operators = _operators(schema, model, graphs)
    every = [tensor for inner in tensors for tensor in inner]
    weights = _weights(schema, model, data, every)
    return {
        "operators": dict(sorted(operators.items())),
        "foreign_operators": sorted(_custom_codes(schema, model) & set(operators)),
        "tensor_types": _counted(_dtype(schema, tensor) for tensor in every),
        "variable_tensors": sum(bool(tensor.IsVariable()) for tensor in every),
        **signatures,
        **weights,
    }


def _counted(names):
    return dict(sorted(Counter(names).items()))


def _names(schema_class):
    return {value: name for name, value in vars(schema_class).items() if isinstance(value, int)}


def _code(code):
    """Newer operators have a wider field, older files the first one alone."""
    return max(code.BuiltinCode(), code.DeprecatedBuiltinCode())


def _custom_codes(schema, model):
    codes = [model.OperatorCodes(place) for place in range(model.OperatorCodesLength())]
    custom = [code for code in codes if _code(code) == schema.BuiltinOperator.CUSTOM]
    return {_text(code.CustomCode()) for code in custom}


def _operators(schema, model, graphs):
    builtin = _names(schema.BuiltinOperator)
    names = []
    for place in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(place)
        number = _code(code)
        custom = number == schema.BuiltinOperator.CUSTOM
        names.append(_text(code.CustomCode()) if custom else builtin.get(number, f"operator {number}"))
    return Counter(
        names[graph.Operators(place).OpcodeIndex()] for graph in graphs for place in range(graph.OperatorsLength())
    )


def _text(raw):
    return (raw or b"").decode("utf-8")


def _dtype(schema, tensor):
    return _names(schema.TensorType)[tensor.Type()].lower()


def _signatures(schema, model, tensors):
    """Names, shapes and dtypes, and which outputs are another's tensor."""
    described, aliased = {}, []
    for place in range(model.SignatureDefsLength()):
        signature = model.SignatureDefs(place)
        own, name = tensors[signature.SubgraphIndex()], _text(signature.SignatureKey())
        inputs = _places(signature.Inputs, signature.InputsLength())
        outputs = _places(signature.Outputs, signature.OutputsLength())
        described[name] = {
            side: {key: _described(schema, own[index]) for key, index in places.items()}
            for side, places in (("inputs", inputs), ("outputs", outputs))
        }
        first = {index: f"the input {key}" for key, index in inputs.items()}
        for key, index in outputs.items():
            if index in first:
                aliased.append(f"{name}: the output {key} is {first[index]}")
            first.setdefault(index, f"the output {key}")
    return {"signatures": dict(sorted(described.items())), "aliased_outputs": aliased}


def _places(of, count):
    """Name -> tensor, sorted by name."""
    return dict(sorted((_text(one.Name()), one.TensorIndex()) for one in map(of, range(count))))


def _described(schema, tensor):
    dynamic = tensor.ShapeSignatureLength() == tensor.ShapeLength()
    sizes = [(tensor.ShapeSignature(axis) if dynamic else tensor.Shape(axis)) for axis in range(tensor.ShapeLength())]
    return {"shape": [int(size) if size >= 0 else None for size in sizes], "dtype": _dtype(schema, tensor)}


def _weights(schema, model, data, tensors):
    """Bytes of the constants, and of those that are there already, as they are or with their axes in another order."""
    widths = {tensor.Buffer(): _width(schema, tensor) for tensor in tensors}
    total, repeated, seen = 0, 0, set()
    for place in range(model.BuffersLength()):
        content = _content(model.Buffers(place), data)
        if place not in widths or content is None:
            continue
        total += content.nbytes
        if content.nbytes >= LEAST_REPEATED:
            digest = digest_of(content, widths[place])
            repeated += content.nbytes if digest in seen else 0
            seen.add(digest)
    return {"weight_bytes": total, "repeated_weight_bytes": repeated}


def _content(buffer, data):
    """uint8 `(bytes,)`, or None for an empty buffer. Files over 2 GB keep it behind the flatbuffer."""
    if buffer.Offset() > 1:
        if buffer.Offset() + buffer.Size() > len(data):
            raise ValueError(f"a buffer ends at {buffer.Offset() + buffer.Size()}")
        return np.frombuffer(data, "uint8", buffer.Size(), buffer.Offset())
    return buffer.DataAsNumpy() if buffer.DataLength() else None


def _width(schema, tensor):
    return {"float32": 4, "int32": 4, "float16": 2, "int16": 2, "int64": 8}.get(_dtype(schema, tensor), 1)


def digest_of(content, width):
    """The same for equal contents and for the same matrix transposed: that of the sorted elements.

    Args:
        content: uint8 `(bytes,)`.
        width: int, bytes of an element.
    """
    ordered = np.sort(np.frombuffer(content.tobytes(), f"u{width}"))
    return width, hashlib.sha256(ordered.tobytes()).digest()
