"""The child that makes one artefact whose score holds: `python -m export.quantise TASK`.

What `export.convert` does, and in 8 bits what `export.recover` adds: layers stay in float32 until the artefact scores
within half a point of Keras.
"""

import dataclasses
import importlib
import json
import tempfile
from pathlib import Path

from export import children, convert, examples
from export.bundle import remove
from export.errors import TaskError
from export.generator_scores import generator_score
from export.judge import judge_of
from export.layer_names import names_of
from export.recover import recover

# What measures ranges on real inputs, and on how many.
CALIBRATED = ("int8", "int16x8")
CALIBRATED_ON = 100


def quantise(run, limits, format, precision, path, reference, task=None, float32_bytes=None, **options):
    """Loads the run's model and writes the artefact.

    Args:
        run: path of the run directory.
        limits: dict of `source` and `target`, in tokens; {} for pictures.
        format, precision: see `export.convert.PRECISIONS`.
        path: the file or folder to write.
        reference: path of the JSON file that `export.reference` wrote, of examples on which the proof does not score,
            where there are enough.
        task: dict, the fields of `export.examples.Task`; None is a generator.
        float32_bytes: int, the size of the float32 artefact; None has one made where it must be known.
        options: of the format; `beams` adds `generate_beam`, `profile` is TFLite's.

    Returns:
        dict of what the manifest shall tell: `kept_in_float`, list of layer names, and `quantisation`, dict of
        `recipe`, `examples` (how many the choice was judged on), `which` (examples) and `tried`, see
        `export.recover.Recovered`. For float32 and float16 what `export.convert.convert` returns.

    Raises:
        ConversionError: if the model cannot have the precision.
        TaskError: if the score falls by more than half a point whatever is kept, or the artefact is no smaller than in
            float32.
    """
    if precision in ("float32", "float16"):
        return convert.convert(run, limits, format, precision, path, **options)
    answers = json.loads(Path(reference).read_text(encoding="utf-8"))
    model = convert.load_model(run)
    with tempfile.TemporaryDirectory(dir=Path(path).parent, prefix=".quantised-") as folder:
        maker = maker_of(model, run, task, limits, format, precision, Path(folder), **options)
        judge = _judge(run, task, format, limits, answers)
        first = maker.make(())
        judge.choose_examples(first)
        remove(first)
        found = recover(maker.make, _Clearing(judge), maker.layers, judge.wanted)
        if judge.take_all() and judge(found.artefact)[0] < judge.wanted:
            # Well chosen for a part only; the proof will ask for the whole.
            remove(found.artefact)
            again = recover(maker.make, _Clearing(judge), maker.layers, judge.wanted)
            found = dataclasses.replace(again, tried=found.tried + again.tried)
        if float32_bytes is None and (found.kept or precision in CALIBRATED):
            in_float32 = Path(folder, "float32")
            importlib.import_module(f"export.{format}").convert(model, limits, in_float32, **options)
            float32_bytes = _size(in_float32)
        if float32_bytes is not None:
            check_size(found, float32_bytes, precision)
        remove(Path(path))
        Path(found.artefact).rename(path)
    which = answers.get("which", "those that the proof scores: there are few")
    report = {"recipe": maker.recipe, "examples": len(judge.chosen), "which": which, "tried": found.tried}
    return {"kept_in_float": list(found.kept), "quantisation": report}


def _judge(run, task, format, limits, answers):
    task = examples.Task(**task) if task else examples.Task("", "generate", limits)
    vocabulary = Path(run, "target.tokenizer.json")
    score = generator_score(task.score, vocabulary) if task.kind == "generate" else None
    return judge_of(task.kind, format, limits, answers, score)


def maker_of(model, run, task, limits, format, precision, folder, **options):
    """What makes artefacts with some layers in float32.

    Args:
        model: the run's model.
        run, task, limits, format, precision, options: see `quantise`.
        folder: path of a folder for the artefacts.

    Returns:
        an object with `make(keep)`, the path of a new artefact, `layers()`, name -> how many weights, and `recipe`.
    """
    if precision in CALIBRATED and task and task["kind"] != "generate":
        options["representative"] = examples.calibration_inputs(run, examples.Task(**task), CALIBRATED_ON)
    return {"tflite": _TFLite, "onnx": _ONNX}[format](model, limits, folder, precision, **options)


def check_size(found, in_float32, precision):
    """What is no smaller than the float32 artefact serves nobody: much stays in float32, a loop is written out, or the
    model is tiny.

    Args:
        found: `export.recover.Recovered` with the path of an artefact.
        in_float32: int, bytes of the float32 artefact.
        precision: str, the artefact's.

    Raises:
        TaskError: if it is no smaller.
    """
    size = _size(found.artefact)
    if size < in_float32:
        return
    if found.kept:
        raise TaskError(
            f"the score holds only with {', '.join(found.kept)} in float32, and then the artefact has {size} bytes, "
            f"the one in float32 {in_float32}; ship that, or another precision"
        )
    why = (
        "only tensors of 1024 weights and more are stored in 8 bits, and here they save no more than their scales and "
        "operators take; ship that"
    )
    if precision in CALIBRATED:
        why = (
            "there a loop is one operator, here each of its steps is written out, since calibration does not see "
            "inside a loop; ship that, or dynamic_int8"
        )
    raise TaskError(f"the artefact has {size} bytes, the one in float32 {in_float32}: {why}")


def _size(path):
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir()))


class _Clearing:
    """A judge that removes what the search cannot want any more: what scores too little, and what a better one follows.

    There can be dozens of attempts, each as large as the artefact.
    """

    def __init__(self, judge):
        self._judge, self._wanted, self._best = judge, judge.wanted, None

    def __call__(self, artefact):
        score, damage = self._judge(artefact)
        fits = score >= self._wanted
        if fits and self._best:
            remove(self._best)
        if fits:
            self._best = artefact
        else:
            remove(artefact)
        return score, damage


class _TFLite:
    """Makes files of one traced model."""

    def __init__(self, model, limits, folder, precision, beams=None, representative=None, profile="portable"):
        from export import precision_tflite, tflite

        self.recipe = precision_tflite.RECIPES.get(precision, precision)
        self._folder, self._made, saved = folder, 0, str(folder / "traced")
        names = names_of(model.variables)
        self._source = tflite.traced(model, limits, saved, precision, beams, representative, names, profile)

    def layers(self):
        return self._source.layers

    def make(self, keep):
        self._made += 1
        path = self._folder / f"{self._made}.tflite"
        path.write_bytes(self._source.make(keep))
        return path


class _ONNX:
    """Makes folders of graphs of one traced model."""

    def __init__(self, model, limits, folder, precision, beams=None, representative=None):
        from export import onnx, precision_onnx

        self.recipe = precision_onnx.RECIPES.get(precision, precision)
        self._folder, self._made, self._precision, self._names = folder, 0, precision, names_of(model.variables)
        self._representative = representative
        self._graphs = onnx.traced(model, limits, beams)

    def layers(self):
        from export import precision_onnx

        found = {}
        for graph in self._graphs.values():
            for name, weights in precision_onnx.layers(graph, self._precision, self._names).items():
                found[name] = max(weights, found.get(name, 0))
        return found

    def make(self, keep):
        from export import onnx, precision_onnx

        self._made += 1
        path = self._folder / str(self._made)
        graphs = {
            name: precision_onnx.convert(_copy(graph), self._precision, self._representative, keep, self._names)
            for name, graph in self._graphs.items()
        }
        onnx.write(graphs, path)
        return path


def _copy(graph):
    """`precision_onnx.convert` changes what it is given."""
    made = type(graph)()
    made.CopyFrom(graph)
    return made


if __name__ == "__main__":
    children.answer(quantise)
