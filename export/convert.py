"""The child that turns a run's model into one artefact: `python -m export.convert TASK`."""

import importlib
from pathlib import Path

from export import children, examples

PRECISIONS = {
    "saved_model": ("float32",),
    "tflite": ("float32", "float16", "dynamic_int8", "int8", "int16x8"),
    "onnx": ("float32", "float16", "dynamic_int8", "int8"),
}
# What measures ranges on real inputs, and on how many.
CALIBRATED = ("int8", "int16x8")
CALIBRATED_ON = 100


def artefact_name(format, precision):
    """The file or folder of an artefact in a bundle."""
    names = {"saved_model": "saved_model", "tflite": f"model.{precision}.tflite", "onnx": f"onnx.{precision}"}
    return names[format]


def convert(run, limits, format, precision, path, task=None, **options):
    """Loads the run's model and writes the artefact.

    Args:
        run: path of the run directory.
        limits: dict of `source` and `target`, in tokens.
        format, precision: see `PRECISIONS`.
        path: the file or folder to write.
        task: dict, the fields of `export.examples.Task`; needed where ranges are measured on the run's inputs.
        options: of the format; `beams` adds `generate_beam`.

    Returns:
        dict of what the manifest shall tell of the conversion, or None.
    """
    model = load_model(run)
    if precision in CALIBRATED and task and task["kind"] != "generate":
        options["representative"] = examples.calibration_inputs(run, examples.Task(**task), CALIBRATED_ON)
    return importlib.import_module(f"export.{format}").convert(model, limits, path, precision, **options)


def load_model(run):
    """The trained Keras model of a run directory, without its optimizer."""
    import keras

    import keras_seq.models  # noqa: F401  (registers the classes)

    return keras.saving.load_model(Path(run, "model.keras"), compile=False)


if __name__ == "__main__":
    children.answer(convert)
