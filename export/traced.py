"""The child of `export.any_model`: converts a traced model, or proves an artefact: `python -m export.traced TASK`."""

import re
import shutil
from pathlib import Path

import numpy as np

from export import children, errors, runtime
from export.recover import recover

SIGNATURE = "serving_default"
# Share of the largest value by which an artefact may differ from Keras.
_TOLERANCE = {"float32": 1e-4, "float16": 2e-2}
# Integers are coarser: either the error is small beside the largest value, or what differs is at least alike.
_ROUNDING, _LEAST_CORRELATION = 0.05, 0.9


def work(step, **task):
    """One step of an export: "convert" or "prove"."""
    return {"convert": convert, "prove": prove}[step](**task)


def convert(format, precision, traced, path, samples, batch=None, names=None):
    """Writes the artefact `path` of the SavedModel `traced`.

    In 8 bits layers stay in float32 where the artefact would not be proven otherwise, see `export.recover`.

    Args:
        names: what `export.layer_names.names_of` returned for the model.

    Returns:
        list of the names of layers that stay in float32 in an artefact of 8 bits.
    """
    if format == "saved_model":
        shutil.move(traced, path)
        return []
    maker = {"tflite": _TFLite, "onnx": _ONNX}[format](traced, precision, _read(samples), batch, names)
    if precision not in maker.recipes:
        Path(path).write_bytes(maker.make(()))
        return []

    def judge(content):
        Path(path).write_bytes(content)
        return _judge(format, precision, Path(path), samples)

    try:
        found = recover(maker.make, judge, maker.layers, wanted=1)
    except errors.TaskError:  # nothing helps; the proof says what is wrong with the artefact that has all in 8 bits
        Path(path).write_bytes(maker.make(()))
        return []
    Path(path).write_bytes(found.artefact)
    return list(found.kept)


def _judge(format, precision, path, samples):
    """Whether an artefact would be proven, 1 or 0; and its mean error as a share of the outputs' size."""
    call, described = _open(format, path)
    batch, proven, damage = next(iter(described["inputs"].values()))["shape"][0], 1, []
    for number, (inputs, outputs, input_names, output_names) in enumerate(_read(samples)):
        got = _in_batches(call, _by_name(inputs, input_names), batch)
        for name, wanted in zip(output_names, outputs, strict=True):
            try:
                _check(name, wanted, got[name], precision, number)
            except errors.NumbersError:
                proven = 0
            damage.append(float(np.abs(got[name] - wanted).mean() / max(np.abs(wanted).mean(), 1e-9)))
    return proven, float(np.mean(damage))


class _TFLite:
    """Makes TFLite files of one SavedModel."""

    def __init__(self, traced, precision, samples, batch, names):
        from export import precision_tflite

        self.recipes = precision_tflite.RECIPES
        representative = {SIGNATURE: list(_single(samples, batch))}
        self._source = precision_tflite.Source(traced, [SIGNATURE], precision, representative, names)

    def layers(self):
        return self._source.layers

    def make(self, keep):
        try:
            return self._source.make(keep)
        except Exception as error:  # the converter raises its own and others' errors, all with the whole graph in them
            raise errors.ConversionError(_unsupported(str(error), r'"([A-Z]\w+):", "([^"@]+)@', "TFLite")) from error


class _ONNX:
    """Makes ONNX files of one SavedModel."""

    def __init__(self, traced, precision, samples, batch, names):
        from export import onnx, precision_onnx

        self.recipes = precision_onnx.RECIPES
        self._model, self._precision, self._names = onnx.from_saved_model(traced, SIGNATURE), precision, names
        self._representative = [_by_name(inputs, names) for inputs, _, names, _ in samples]
        unknown = onnx.unknown_operators(self._model)
        if unknown:
            raise errors.ConversionError(_advice("ONNX", unknown))

    def layers(self):
        from export import precision_onnx

        return precision_onnx.layers(self._model, self._precision, self._names)

    def make(self, keep):
        from export import onnx_passes, precision_onnx

        model = type(self._model)()
        model.CopyFrom(self._model)
        model = precision_onnx.convert(model, self._precision, self._representative, keep, self._names)
        onnx_passes.settle_loops(model.graph)
        return model.SerializeToString()


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
