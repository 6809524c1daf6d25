"""TFLite (LiteRT): phones and edge boxes. One file, static shapes, batch 1, builtin operators only."""

import tempfile
from pathlib import Path

import tensorflow as tf
from keras import ops

from export import precision_tflite
from export.errors import ConversionError
from export.recurrent import recurrent_by
from export.signatures import PREDICT, as_module, model_signatures
from keras_seq.layers.cache import writing_by


def convert(model, limits, path, precision="float32", beams=None, representative=None, profile="portable"):
    """Writes the model's signatures into the one file `path`.

    Flex operators, which no pip runtime loads, are not allowed: the conversion fails instead.

    Args:
        representative: list of dicts of input name -> array, inputs of `predict`; for "int8" and "int16x8".
        profile: see `export.precision_tflite.kernel_for`.

    Raises:
        ConversionError: if the precision is one that a decoding loop cannot have.
    """
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        source = traced(model, limits, folder, precision, beams, representative, profile=profile)
        Path(path).write_bytes(source.make())


def traced(model, limits, folder, precision="float32", beams=None, representative=None, names=None, profile="portable"):
    """The model as a SavedModel in `folder`, from which TFLite files are made.

    Args:
        representative, profile: see `convert`.
        names: see `export.precision_tflite.convert`.

    Returns:
        `export.precision_tflite.Source`.

    Raises:
        ConversionError: if the precision is one that a decoding loop cannot have.
    """
    if precision in ("int8", "int16x8") and hasattr(model, "step"):
        raise ConversionError(
            "full-integer quantisation measures every tensor on real data, and TFLite's calibrator does not see inside "
            "a loop; dynamic_int8 keeps the weights in 8 bits too"
        )
    if precision == "int16x8" and any(len(read.shape) == 2 for read in model.inputs):
        raise ConversionError(
            "TFLite's calibrator for 16 bits stops at what is computed in whole numbers, as with the lengths of texts; "
            "int8 and dynamic_int8 take such models"
        )
    with (
        recurrent_by(precision_tflite.kernel_for(precision, profile), model, padding="right"),
        writing_by(update_slice),
    ):
        signatures = model_signatures(model, limits, static=True, beams=beams)
    tf.saved_model.save(as_module(signatures), folder, signatures=signatures)
    examples = {PREDICT: representative} if representative else None
    return precision_tflite.Source(folder, list(signatures), precision, examples, names)


def update_slice(buffer, position, values, axis):
    """A writer for `keras_seq.layers.cache.writing_by`: one DYNAMIC_UPDATE_SLICE."""
    start = [position if place == axis else 0 for place in range(len(buffer.shape))]
    return ops.slice_update(buffer, start, values)
