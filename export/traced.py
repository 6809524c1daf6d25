"""The child of `export.any_model`: converts a traced model, or proves an artefact: `python -m export.traced TASK`."""

import re
import shutil
from pathlib import Path

import numpy as np

from export import children, errors, runtime

SIGNATURE = "serving_default"
# Share of the largest value by which an artefact may differ from Keras.
_TOLERANCE = {"float32": 1e-4, "float16": 2e-2}
# Integers are coarser: either the error is small beside the largest value, or what differs is at least alike.
_ROUNDING, _LEAST_CORRELATION = 0.05, 0.9


def work(step, **task):
    """One step of an export: "convert" or "prove"."""
    return {"convert": convert, "prove": prove}[step](**task)


def convert(format, precision, traced, path, samples, batch=None):
    """Writes the artefact `path` of the SavedModel `traced`; returns nothing."""
    {"saved_model": _keep, "tflite": _to_tflite, "onnx": _to_onnx}[format](traced, path, precision, samples, batch)


def _keep(traced, path, precision, samples, batch):
    shutil.move(traced, path)


def _to_tflite(traced, path, precision, samples, batch):
    from export import precision_tflite

    representative = {SIGNATURE: list(_single(_read(samples), batch))}
    try:
        content = precision_tflite.convert(traced, [SIGNATURE], precision, representative)
    except Exception as error:  # the converter raises its own and others' errors, all with the whole graph in them
        raise errors.ConversionError(_unsupported(str(error), r'"([A-Z]\w+):", "([^"@]+)@', "TFLite")) from error
    Path(path).write_bytes(content)


def _to_onnx(traced, path, precision, samples, batch):
    import onnx

    from export import onnx as formats
    from export import onnx_passes, precision_onnx

    model = formats.from_saved_model(traced, SIGNATURE)
    unknown = formats.unknown_operators(model)
    if unknown:
        raise errors.ConversionError(_advice("ONNX", unknown))
    representative = [_by_name(inputs, names) for inputs, _, names, _ in _read(samples)]
    model = precision_onnx.convert(model, precision, representative)
    onnx_passes.settle_loops(model.graph)
    onnx.save_model(model, path)


def _single(samples, batch):
    """The samples' inputs by name, in whole batches."""
    for inputs, _, names, _ in samples:
        for start in range(0, len(inputs[0]) - batch + 1, batch):
            yield _by_name([array[start : start + batch] for array in inputs], names)


def _by_name(arrays, names):
    return dict(zip(names, arrays, strict=True))


def _unsupported(message, pattern, format):
    found = {(operator, name) for operator, name in re.findall(pattern, message)}
    if not found or not any(part in message for part in ("is neither a custom op nor a flex op", "Some ops")):
        return message.strip().splitlines()[-1][:400] if message.strip() else "the converter gave no reason"
    return _advice(format, found)


def _advice(format, operators):
    """Which operators a format lacks, in which layers, and what to do."""
    lines = sorted({f"{operator} (in {_layer_of(name)})" for operator, name in operators})
    return (
        f"{format} has no operator for {', '.join(lines)}; replace those layers by ones that compute the same with "
        "keras.ops such as matmul, where and softmax, or take them out of the model that is exported"
    )


def _layer_of(name):
    parts = [part for part in re.sub(r"/?(Stateful)?PartitionedCall", "", name).split("/") if part]
    return "/".join(parts[1:-1]) or name


def prove(format, precision, path, samples):
    """Runs the samples through the artefact; returns what `export.any_model.Exported` tells of it.

    Raises:
        ExportError: naming the first sample and output that differ from Keras's.
    """
    call, described = _open(format, Path(path))
    largest = 0.0
    for number, (inputs, outputs, input_names, output_names) in enumerate(_read(samples)):
        batch = next(iter(described["inputs"].values()))["shape"][0]
        got = _in_batches(call, _by_name(inputs, input_names), batch)
        for name, wanted in zip(output_names, outputs, strict=True):
            largest = max(largest, _check(name, wanted, got[name], precision, number))
    return {**described, "max_error": largest}


def _open(format, path):
    """A function of arrays by name, and the artefact's inputs and outputs."""
    if format == "saved_model":
        from export.saved_model import SavedModelSession

        session, signature = SavedModelSession(path), SIGNATURE
        described = session.signatures[signature]
    elif format == "tflite":
        session, signature = runtime.LiteRTSession(path), SIGNATURE
        described = session.describe(signature)
    else:
        session, signature = runtime.ONNXSession(path.parent), path.stem
        described = session.describe(signature)
    return lambda **arrays: session.call(signature, **arrays), described


def _in_batches(call, arrays, batch):
    """The samples in batches of the artefact's size; the last one is filled with the first sample."""
    examples = len(next(iter(arrays.values())))
    if batch is None:
        return call(**arrays)
    parts = []
    for start in range(0, examples, batch):
        rows = [row if row < examples else 0 for row in range(start, start + batch)]
        parts.append(call(**{name: array[rows] for name, array in arrays.items()}))
    return {name: np.concatenate([part[name] for part in parts])[:examples] for name in parts[0]}


def _check(name, wanted, got, precision, number):
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        raise errors.StructureError(
            f"the output {name} of sample {number} is {got.dtype} {list(got.shape)}, Keras's is {wanted.dtype} "
            f"{list(wanted.shape)}"
        )
    error = float(np.max(np.abs(got - wanted), initial=0)) if np.isfinite(got).all() else float("inf")
    if precision in _TOLERANCE:
        fits = error <= _TOLERANCE[precision] * max(1.0, float(np.max(np.abs(wanted), initial=0)))
    else:
        small = error <= _ROUNDING * float(np.max(np.abs(wanted), initial=0))
        fits = np.isfinite(error) and (small or _correlation(got, wanted) >= _LEAST_CORRELATION)
    if not fits:
        where = np.unravel_index(int(np.argmax(np.abs(got - wanted))), wanted.shape)
        raise errors.NumbersError(
            f"the output {name} differs from Keras's by {error:.3g} at {[int(i) for i in where]} of sample {number}"
        )
    return error


def _correlation(got, wanted):
    return float(np.corrcoef(got.ravel(), wanted.ravel())[0, 1]) if got.std() else 0.0


def _read(samples):
    """For each sample its inputs, Keras's outputs, and the names of both."""
    with np.load(samples) as data:
        inputs, outputs = data["inputs"].tolist(), data["outputs"].tolist()
        count = sum(name.endswith("/input/0") for name in data.files)
        return [
            (
                [data[f"{number}/input/{place}"] for place in range(len(inputs))],
                [data[f"{number}/output/{place}"] for place in range(len(outputs))],
                inputs,
                outputs,
            )
            for number in range(count)
        ]


if __name__ == "__main__":
    children.answer(work)
