"""The precisions of a TFLite file.

float32         as trained
float16         weights stored in 16 bits, computed in 32
dynamic_int8    weights stored in 8 bits; what goes into a matrix product is rounded to 8 bits as it comes
int8            weights and all that is between layers in 8 bits, their ranges measured beforehand on real data
int16x8         the same with 16 bits between layers

Ids stay int32 and numbers float32 at the border, whatever is inside. Builtin operators only.
"""

import tensorflow as tf

from export.recurrent_tflite import fused_lstm, portable_loop, unrolled

PRECISIONS = ("float32", "float16", "dynamic_int8", "int8", "int16x8")
PROFILES = ("portable", "interpreter")
_CALIBRATED = {
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16x8": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}


def kernel_for(precision, profile="portable"):
    """How recurrent layers are computed, see `export.recurrent`.

    Args:
        precision: one of `PRECISIONS`.
        profile: "portable" or "interpreter".

    Returns:
        a kernel. Calibration does not see inside a WHILE, so "int8" and "int16x8" have loops written out.

    Raises:
        ValueError: if a name is not known.
    """
    for given, known, what in ((precision, PRECISIONS, "precision"), (profile, PROFILES, "profile")):
        if given not in known:
            raise ValueError(f"{what} {given!r} is not known; choose from {', '.join(known)}")
    if profile == "interpreter" and precision != "int16x8":
        return fused_lstm
    return unrolled if precision in _CALIBRATED else portable_loop


def convert(folder, signatures, precision, representative=None):
    """The bytes of a TFLite file.

    Args:
        folder: path of the SavedModel.
        signatures: list of str, those of its signatures that the file shall have.
        precision: one of `PRECISIONS`.
        representative: dict of signature -> list of dicts of input name -> array, of the signature's shapes; for "int8"
            and "int16x8".

    Raises:
        ValueError: if there is nothing to calibrate with.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=list(signatures))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision in _CALIBRATED:
        if not representative:
            raise ValueError(f"{precision} is calibrated on real inputs; give some")
        converter.target_spec.supported_ops = [_CALIBRATED[precision], tf.lite.OpsSet.TFLITE_BUILTINS]
        converter.representative_dataset = lambda: (
            (signature, inputs) for signature, examples in representative.items() for inputs in examples
        )
    return converter.convert()
