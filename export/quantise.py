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
from export.judge import judge_of
from export.layer_names import names_of
from export.recover import recover


def quantise(run, limits, format, precision, path, reference, task=None, **options):
    """Loads the run's model and writes the artefact.

    Args:
        run: path of the run directory.
        limits: dict of `source` and `target`, in tokens; {} for pictures.
        format, precision: see `export.convert.PRECISIONS`.
        path: the file or folder to write.
        reference: path of the JSON file that `export.reference` wrote.
        task: dict, the fields of `export.examples.Task`; None is a generator.
        options: of the format; `beams` adds `generate_beam`.

    Returns:
        dict of what the manifest shall tell: `kept_in_float`, list of layer names, and `quantisation`, dict of
        `recipe`, `examples` (how many the choice was judged on) and `tried`, see `export.recover.Recovered`. For
        float32 and float16 what `export.convert.convert` returns.

    Raises:
        ConversionError: if the model cannot have the precision.
        TaskError: if the score falls by more than half a point whatever is kept, or the artefact is then no smaller
            than in float32.
    """
    if precision in ("float32", "float16"):
        return convert.convert(run, limits, format, precision, path, task=task, **options)
    model = convert.load_model(run)
    kind = task["kind"] if task else "generate"
    with tempfile.TemporaryDirectory(dir=Path(path).parent, prefix=".quantised-") as folder:
        maker = maker_of(model, run, task, limits, format, precision, Path(folder), **options)
        judge = judge_of(kind, format, limits, json.loads(Path(reference).read_text(encoding="utf-8")))
        judge.choose_examples(maker.make(()))
        found = recover(maker.make, judge, maker.layers, judge.wanted)
        if judge.take_all() and judge(found.artefact)[0] < judge.wanted:
            # Well chosen for a part only; the proof will ask for the whole.
            again = recover(maker.make, judge, maker.layers, judge.wanted)
            found = dataclasses.replace(again, tried=found.tried + again.tried)
        if found.kept:
            in_float32 = Path(folder, "float32")
            importlib.import_module(f"export.{format}").convert(model, limits, in_float32, beams=options.get("beams"))
            check_size(found, _size(in_float32))
        remove(Path(path))
        Path(found.artefact).rename(path)
    report = {"recipe": maker.recipe, "examples": len(judge.chosen), "tried": found.tried}
    return {"kept_in_float": list(found.kept), "quantisation": report}


def maker_of(model, run, task, limits, format, precision, folder, **options):
    """What makes artefacts with some layers in float32.

    Args:
        model: the run's model.
        run, task, limits, format, precision, options: see `quantise`.
        folder: path of a folder for the artefacts.

    Returns:
        an object with `make(keep)`, the path of a new artefact, `layers()`, name -> how many weights, and `recipe`.
    """
    if precision in convert.CALIBRATED and task and task["kind"] != "generate":
        options["representative"] = examples.calibration_inputs(run, examples.Task(**task), convert.CALIBRATED_ON)
    return {"tflite": _TFLite, "onnx": _ONNX}[format](model, limits, folder, precision, **options)


def check_size(found, in_float32):
    """What keeps so much in float32 that it is no smaller than the float32 artefact serves nobody.

    Args:
        found: `export.recover.Recovered` with the path of an artefact.
        in_float32: int, bytes of the float32 artefact.

    Raises:
        TaskError: if it is no smaller.
    """
    size = _size(found.artefact)
    if size >= in_float32:
        raise TaskError(
            f"the score holds only with {', '.join(found.kept)} in float32, and then the artefact has {size} bytes, "
            f"the one in float32 {in_float32}; ship that, or another precision"
        )


def _size(path):
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir()))


class _TFLite:
    """Makes files of one traced model."""

    def __init__(self, model, limits, folder, precision, beams=None, representative=None):
        from export import precision_tflite, tflite

        self.recipe = precision_tflite.RECIPES.get(precision, precision)
        self._folder, self._made, saved = folder, 0, str(folder / "traced")
        self._source = tflite.traced(model, limits, saved, precision, beams, representative, names_of(model.variables))

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
