"""TFLite (LiteRT): phones and edge boxes. One file, static shapes, batch 1, builtin operators only."""

import tempfile
from pathlib import Path

import tensorflow as tf
from keras import ops

from export import precision_tflite
from export.errors import ConversionError
from export.recurrent import recurrent_by
from export.recurrent_tflite import portable_loop
from export.signatures import as_module, generator_signatures
from keras_seq.layers.cache import writing_by


def convert(model, limits, path, precision="float32", beams=None):
    """Writes the generator's signatures into the one file `path`.

    Flex operators, which no pip runtime loads, are not allowed: the conversion fails instead.

    Raises:
        ConversionError: if the precision is one that a decoding loop cannot have.
    """
    if precision in ("int8", "int16x8"):
        raise ConversionError(
            "full-integer quantisation measures every tensor on real data, and TFLite's calibrator does not see inside "
            "a loop; dynamic_int8 keeps the weights in 8 bits too"
        )
    with recurrent_by(portable_loop, model, padding="right"), writing_by(update_slice):
        signatures = generator_signatures(model, limits, static=True, beams=beams)
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        tf.saved_model.save(as_module(model, signatures), folder, signatures=signatures)
        Path(path).write_bytes(precision_tflite.convert(folder, list(signatures), precision))


def update_slice(buffer, position, values, axis):
    """A writer for `keras_seq.layers.cache.writing_by`: one DYNAMIC_UPDATE_SLICE."""
    start = [position if place == axis else 0 for place in range(len(buffer.shape))]
    return ops.slice_update(buffer, start, values)
