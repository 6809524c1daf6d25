"""The child that turns a run's model into one artefact: `python -m export.convert TASK`."""

import importlib
from pathlib import Path

from export import children

PRECISIONS = {
    "saved_model": ("float32",),
    "tflite": ("float32", "float16", "dynamic_int8", "int8", "int16x8"),
    "onnx": ("float32", "float16", "dynamic_int8", "int8"),
}


def artefact_name(format, precision):
    """The file or folder of an artefact in a bundle."""
    names = {"saved_model": "saved_model", "tflite": f"model.{precision}.tflite", "onnx": f"onnx.{precision}"}
    return names[format]


def convert(run, limits, format, precision, path, **options):
    """Loads the run's model and writes the artefact.

    Args:
        run: path of the run directory.
        limits: dict of `source` and `target`, in tokens.
        format, precision: see `PRECISIONS`; those of 8 bits are for `export.quantise`.
        path: the file or folder to write.
        options: of the format; `beams` adds `generate_beam`, `profile` is TFLite's.

    Returns:
        dict of what the manifest shall tell of the conversion, or None.
    """
    model = load_model(run)
    return importlib.import_module(f"export.{format}").convert(model, limits, path, precision, **options)


def load_model(run):
    """The trained Keras model of a run directory, without its optimizer."""
    import keras

    import keras_seq.models  # noqa: F401  (registers the classes)

    return keras.saving.load_model(Path(run, "model.keras"), compile=False)


if __name__ == "__main__":
    children.answer(convert)
