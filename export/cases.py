"""The inputs on which an artefact's numbers are held beside Keras's, and what Keras answers: several lengths, batch
sizes and paddings, and steps from states that are not zero.

A file of cases is one npz: `cases` is JSON, `N` the arrays, each once however many cases have it; no pickles.
"""

import hashlib
import json
import os
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from export import errors, runtime, written
from export.sources import inputs_of

# Which greedy steps become cases: the first state may be all zeros, the other is not.
_STEPS = (0, 3)


@dataclass(frozen=True, eq=False)
class Case:
    """One call of one signature.

    Attributes:
        signature: str.
        inputs: dict of name -> int32 or float32 array, batch first.
        outputs: the same of what Keras answers; zeros behind the lengths.
        open_axes: dict of tensor name -> the axis, other than the batch, that is the source length or follows from it.
        lengths: int32 `(batch,)`, real source positions; an output is not compared beyond them on its open axis.
            None where every position is compared: no tensor has an open axis, or the source is audio, whose generator
            remembers frames, fewer than the samples, and behind the real ones whatever comes of zeros.
        margin: float32 `(batch, target)` of a greedy loop, how far apart the two best logits are at each step,
            infinite in the padding; see `export.written`. None of all others.
    """

    signature: str
    inputs: dict
    outputs: dict
    open_axes: dict
    lengths: np.ndarray | None = None
    margin: np.ndarray | None = None

    @property
    def writes(self):
        """bool, whether the outputs are tokens with their log-probabilities."""
        return set(self.outputs) == written.NAMES

    @property
    def batch(self):
        """int, rows of every tensor."""
        return len(next(iter(self.inputs.values())))

    def kept(self, name, array):
        """bool of the array's shape: what of the tensor `name` is real.

        Args:
            name: str.
            array: of the case's shape.
        """
        if name not in self.open_axes or self.lengths is None:
            return np.ones(array.shape, bool)
        axis = self.open_axes[name]
        real = np.arange(array.shape[axis]) < self.lengths[:, None]  # (batch, source)
        shape = [size if place in (0, axis) else 1 for place, size in enumerate(array.shape)]
        return np.broadcast_to(real.reshape(shape), array.shape)


def write(path, cases):
    """Writes cases to one npz file, whole or not at all; the same cases give the same bytes.

    Args:
        path: str or path of the file.
        cases: list of `Case`.
    """
    path, arrays, described = Path(path), {}, []

    def stored(array):
        array = np.ascontiguousarray(array)
        digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()
        return arrays.setdefault(digest, (str(len(arrays)), array))[0]

    for case in cases:
        described.append(
            {
                "signature": case.signature,
                "inputs": {name: stored(array) for name, array in case.inputs.items()},
                "outputs": {name: stored(array) for name, array in case.outputs.items()},
                "open_axes": case.open_axes,
                "lengths": None if case.lengths is None else case.lengths.tolist(),
                "margin": None if case.margin is None else stored(case.margin),
            }
        )
    unfinished = path.with_name(f".{path.name}.unfinished")
    with open(unfinished, "wb") as file:
        np.savez_compressed(file, cases=np.array(json.dumps(described)), **dict(arrays.values()))
    os.replace(unfinished, path)


def read(path):
    """The cases of a file that `write` wrote.

    Raises:
        ExportError: if it is missing, cut off, empty or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            cases = [_case(data, entry) for entry in json.loads(str(data["cases"]))]
        if not cases:
            raise ValueError("it holds no case")
        return cases
    except (OSError, LookupError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise errors.ExportError(
            f"{path} is no file of cases ({type(error).__name__}: {error}); write it again with export.cases.write"
        ) from error


def _case(data, entry):
    lengths = None if entry["lengths"] is None else np.asarray(entry["lengths"], "int32")
    sides = ({name: data[key] for name, key in entry[side].items()} for side in ("inputs", "outputs"))
    margin = data[entry["margin"]] if entry.get("margin") else None
    return Case(entry["signature"], *sides, entry["open_axes"], lengths, margin)


def generator_cases(generator, limits, sources, beams=None):
    """Cases for `encode`, `step`, `generate` and, with beams, `generate_beam`, as Keras computes them.

    One row of the shortest source, three of mixed lengths, two padded to the limit, and one that fills the limit; of
    pictures one, and three; steps from the first state and from the one after a few greedy steps.

    Args:
        generator: has `encode` and `step`; see `keras_seq.decoding`.
        limits: dict of `source` and `target`, in tokens, `source` of audio in samples.
        sources: list of rows of `export.sources`, real ones; three suffice.
        beams: int, of `generate_beam`; None leaves it out.

    Returns:
        list of `Case`.

    Raises:
        ValueError: if there is no source.
    """
    from export import signatures

    functions = signatures.generator_signatures(generator, limits, static=False, beams=beams)
    cases = []
    for inputs in _inputs(sources, limits):
        # The samples of audio are no positions of what is remembered of it.
        length = inputs["source_length"] if isinstance(sources[0], list) else None
        encoded = _traced_case(signatures.ENCODE, functions[signatures.ENCODE], inputs, length)
        steps, margin = _steps(functions[signatures.STEP], encoded, limits["target"])
        greedy = _traced_case(signatures.GENERATE, functions[signatures.GENERATE], inputs, length)
        padding = np.arange(limits["target"]) > greedy.outputs["length"][:, None]  # behind the end token
        margin = np.where(padding, np.float32(np.inf), margin)
        cases += [encoded, *steps, replace(greedy, margin=margin)]
        if beams is not None:
            cases.append(_traced_case(signatures.GENERATE_BEAM, functions[signatures.GENERATE_BEAM], inputs, length))
    return cases


def _inputs(sources, limits):
    """What goes into `encode` and `generate`, a dict for each batch."""
    rows = sorted((row[: limits.get("source")] for row in sources if len(row)), key=len)
    if not rows:
        raise ValueError("the sources are all empty; give some of the test set")
    if not isinstance(rows[0], list) and rows[0].ndim == 3:
        return [inputs_of(batch) for batch in (rows[:1], rows[1:4]) if batch]
    limit, middle = limits["source"], rows[len(rows) // 2]
    full = [rows[-1][place % len(rows[-1])] for place in range(limit)]
    mixed = [middle, rows[0], rows[len(rows) // 3]]
    wider = min(len(middle) + 1, limit)  # padding in every row
    full = full if isinstance(middle, list) else np.asarray(full)
    batches = [([rows[0]], None), (mixed, wider), ([rows[0], middle], limit), ([full], None)]
    return [inputs_of(batch, width) for batch, width in batches]


def _traced_case(signature, function, inputs, lengths):
    """What a traced function answers; its open dimensions are the batch and the source."""
    import tensorflow as tf

    from export.signatures import input_specs

    specs = input_specs(function)
    answers = function(*(tf.constant(inputs[spec.name]) for spec in specs))
    outputs = {name: tensor.numpy() for name, tensor in answers.items()}
    shapes = {spec.name: spec.shape for spec in specs}
    shapes |= {name: tensor.shape for name, tensor in function.structured_outputs.items()}
    open_axes = {name: axis for name, shape in shapes.items() for axis, size in enumerate(shape) if axis and not size}
    return _zeroed(Case(signature, inputs, outputs, open_axes, lengths))


def _zeroed(case):
    """Zeros behind the lengths: what nobody compares need not be kept, and a step must not read it."""
    outputs = {
        name: np.where(case.kept(name, array), array, 0).astype(array.dtype) for name, array in case.outputs.items()
    }
    return replace(case, outputs=outputs)


def _steps(function, encoded, most):
    """Greedy steps: cases of the first and of a later one, and the margin of every one, float32 `(batch, most)`."""
    inputs, token, cases = encoded.outputs, np.full(encoded.batch, runtime.START, "int32"), []
    margin, ended = np.full((encoded.batch, most), np.inf, "float32"), np.zeros(encoded.batch, bool)
    for number in range(most):
        case = _traced_case("step", function, {"token": token, **inputs}, encoded.lengths)
        if number in _STEPS:
            cases.append(case)
        best = np.sort(case.outputs["logits"], axis=-1)  # (batch, vocabulary)
        margin[:, number] = best[:, -1] - best[:, -2]
        token = case.outputs["logits"].argmax(axis=-1).astype("int32")
        ended |= token == runtime.END
        if ended.all() and number >= max(_STEPS):
            break
        states = {name.removeprefix("next_"): array for name, array in case.outputs.items() if name != "logits"}
        inputs = {**inputs, **states}
    return cases, margin


def predict_cases(function, inputs_list, lengths_list=None, signature="predict"):
    """Cases for a model of one signature: `predict(ids, length)` of a classifier or tagger, `predict(image)`.

    Args:
        function: takes the inputs by name, returns an array, the probabilities, or a dict of name -> array.
        inputs_list: list of dicts of name -> array, batch first, such as `ids (batch, time)` and `length (batch,)`;
            give several widths, since axis 1 is the time of those tensors that follow them all.
        lengths_list: list of int32 `(batch,)`, the real positions of each; None where nothing is padded.
        signature: str, its name.

    Returns:
        list of `Case`.

    Raises:
        ValueError: if all inputs are equally wide, or there are not as many lengths.
    """
    answers = [function(**inputs) for inputs in inputs_list]
    answers = [answer if isinstance(answer, dict) else {"probabilities": answer} for answer in answers]
    answers = [{name: np.asarray(array) for name, array in answer.items()} for answer in answers]
    if lengths_list is None:
        pairs = zip(inputs_list, answers, strict=True)
        return [Case(signature, dict(inputs), outputs, {}) for inputs, outputs in pairs]
    open_axes = _time_axes(inputs_list, answers)
    return [
        _zeroed(Case(signature, dict(inputs), outputs, open_axes, np.asarray(lengths, "int32")))
        for inputs, outputs, lengths in zip(inputs_list, answers, lengths_list, strict=True)
    ]


def _time_axes(inputs_list, answers):
    """Which tensors are as wide on axis 1 as the first input that has one, whatever its width."""
    widths = [next(array.shape[1] for array in inputs.values() if array.ndim > 1) for inputs in inputs_list]
    if len(set(widths)) == 1:
        raise ValueError(f"every input is {widths[0]} wide, which does not tell its time axis; give several widths")
    every = [{**inputs, **outputs} for inputs, outputs in zip(inputs_list, answers, strict=True)]
    return {
        name: 1
        for name, array in every[0].items()
        if array.ndim > 1 and [tensors[name].shape[1] for tensors in every] == widths
    }
