"""The child that turns a run's model into one artefact: `python -m export.convert TASK`."""

import importlib
from pathlib import Path

from export import children

# format -> precision -> name of the artefact in a bundle
ARTEFACTS = {
    "saved_model": {"float32": "saved_model"},
    "tflite": {"float32": "model.float32.tflite"},
    "onnx": {"float32": "onnx.float32"},
}


def convert(run, limits, format, path):
    """Loads the run's model and writes the artefact; returns nothing."""
    model = load_model(run)
    importlib.import_module(f"export.{format}").convert(model, limits, path)


def load_model(run):
    """The trained Keras model of a run directory, without its optimizer."""
    import keras

    import keras_seq.models  # noqa: F401  (registers the classes)

    return keras.saving.load_model(Path(run, "model.keras"), compile=False)


if __name__ == "__main__":
    children.answer(convert)
