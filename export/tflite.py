"""TFLite (LiteRT): phones and edge boxes. One file, static shapes, batch 1, builtin operators only."""

import tempfile
from pathlib import Path

import tensorflow as tf

from export.signatures import as_module, generator_signatures


def convert(model, limits, path):
    """Writes the generator's signatures into the one file `path`.

    A fixed batch is what turns a recurrent layer into a builtin WHILE loop; with a dynamic one the converter falls back
    to TensorList operators that no pip runtime loads. Flex operators are not allowed: the conversion fails instead.
    """
    signatures = generator_signatures(model, limits, static=True)
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        tf.saved_model.save(as_module(model, signatures), folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        Path(path).write_bytes(converter.convert())
