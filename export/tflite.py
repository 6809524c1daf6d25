"""TFLite (LiteRT): phones and edge boxes. One file, static shapes, batch 1, builtin operators only."""

import tempfile
from pathlib import Path

import tensorflow as tf

from export.recurrent import recurrent_by
from export.recurrent_tflite import portable_loop
from export.signatures import as_module, generator_signatures


def convert(model, limits, path):
    """Writes the generator's signatures into the one file `path`.

    Flex operators, which no pip runtime loads, are not allowed: the conversion fails instead.
    """
    with recurrent_by(portable_loop, model, padding="right"):
        signatures = generator_signatures(model, limits, static=True)
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        tf.saved_model.save(as_module(model, signatures), folder, signatures=signatures)
        Path(path).write_bytes(from_saved_model(folder, list(signatures)))


def from_saved_model(folder, signatures):
    """The bytes of a float32 TFLite file.

    Args:
        folder: path of the SavedModel.
        signatures: list of str, those of its signatures that the file shall have.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=signatures)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()
