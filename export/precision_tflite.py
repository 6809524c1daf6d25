"""The precisions of a TFLite file.

float32         as trained
float16         weights stored in 16 bits, computed in 32; but in 32 what a logarithm of the input is taken of
                (`export.tflite_front_end`)
dynamic_int8    weights stored in 8 bits; what goes into a matrix product is rounded to 8 bits as it comes
int8            weights and all that is between layers in 8 bits, their ranges measured beforehand on real data
int16x8         the same with 16 bits between layers

Ids stay int32 and numbers float32 at the border, whatever is inside. Builtin operators only.

The recipes of 8 bits. Both round the weights of a product with a scale for each of its outputs, and both can keep
layers in float32, which `export.recover` chooses where the score falls.

"dynamic, outputs scaled one by one"      constants of 1024 numbers and more. A kept layer's constants are put back into
                                          the file (`export.tflite_keep`): the converter itself has no such switch.
"calibrated, outputs scaled one by one"   every operator. A kept layer's operators are named to the quantiser, which
                                          then leaves them out; DEQUANTIZE and QUANTIZE stand at its borders.

What they cost: `python -m export build RUN --formats tflite --precision float32,dynamic_int8`, and for any model
`Exported.kept`, `.bytes` and `.max_error` of `export.to_tflite`.
"""

from functools import cached_property, partial

import tensorflow as tf

from export import tflite_file, tflite_front_end, tflite_keep
from export.recurrent_tflite import fused_lstm, portable_loop, unrolled
from export.tflite_layers import layers_of

PRECISIONS = ("float32", "float16", "dynamic_int8", "int8", "int16x8")
PROFILES = ("portable", "interpreter")
RECIPES = {
    "dynamic_int8": "dynamic, outputs scaled one by one",
    "int8": "calibrated, outputs scaled one by one",
    "int16x8": "calibrated, outputs scaled one by one",
}
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
        a kernel. Calibration does not see inside a WHILE, so "int8" and "int16x8" have loops written out; 16 bits the
        fused LSTM has not.

    Raises:
        ValueError: if a name is not known.
    """
    for given, known, what in ((precision, PRECISIONS, "precision"), (profile, PROFILES, "profile")):
        if given not in known:
            raise ValueError(f"{what} {given!r} is not known; choose from {', '.join(known)}")
    loop = unrolled if precision in _CALIBRATED else portable_loop
    return partial(fused_lstm, others=loop) if profile == "interpreter" and precision != "int16x8" else loop


def convert(folder, signatures, precision, representative=None, keep=(), names=None):
    """The bytes of a TFLite file.

    Args:
        folder: path of the SavedModel.
        signatures: list of str, those of its signatures that the file shall have.
        precision: one of `PRECISIONS`.
        representative: dict of signature -> list of dicts of input name -> array, of the signature's shapes; for "int8"
            and "int16x8".
        keep: names of layers that stay in float32, out of those that `Source.layers` tells.
        names: what `export.layer_names.names_of` returned for the model; None calls layers as the file does.

    Raises:
        ValueError: if there is nothing to calibrate with, or a layer of `keep` is not there.
    """
    return Source(folder, signatures, precision, representative, names).make(keep)


class Source:
    """One SavedModel, from which files are made that keep some of its layers in float32.

    What they have in common, as the calibration, is done once, when it is first needed. Arguments as of `convert`.
    """

    def __init__(self, folder, signatures, precision, representative=None, names=None):
        if precision in _CALIBRATED and not representative:
            raise ValueError(f"{precision} is calibrated on real inputs; give some")
        self._folder, self._signatures, self._precision = str(folder), list(signatures), precision
        self._representative, self._names = representative, names

    @property
    def layers(self):
        """dict of name -> how many weights, for the layers that are in 8 bits and can be kept in float32."""
        if self._precision in _CALIBRATED:
            return {name: layer.weights for name, layer in self._calibrated_layers.items()}
        if self._precision != "dynamic_int8":
            return {}
        return {name: sum(int(array.size) for array, _ in floats) for name, floats in self._floats.items()}

    def make(self, keep=()):
        """The bytes of the file.

        Raises:
            ValueError: if a layer of `keep` is not there.
        """
        if not keep:
            return self._plain
        unknown = sorted(set(keep) - set(self.layers))
        if unknown:
            raise ValueError(
                f"{', '.join(unknown)}: no such layer in 8 bits in a {self._precision} file; choose from "
                f"{', '.join(self.layers) or 'none'}"
            )
        return self._quantised_but(keep) if self._precision in _CALIBRATED else self._restored(keep)

    @cached_property
    def _plain(self):
        content = self._converter().convert()
        if self._precision == "float16":
            return tflite_front_end.in_float32(content, lambda: self._converter("float32").convert())
        return _without_inner_names(content) if self._precision in _CALIBRATED else content

    def _converter(self, precision=None):
        precision = precision or self._precision
        converter = tf.lite.TFLiteConverter.from_saved_model(self._folder, signature_keys=self._signatures)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if precision in _CALIBRATED:
            converter.target_spec.supported_ops = [_CALIBRATED[precision], tf.lite.OpsSet.TFLITE_BUILTINS]
            converter.representative_dataset = lambda: (
                (signature, inputs) for signature, examples in self._representative.items() for inputs in examples
            )
        return converter

    @cached_property
    def _floats(self):
        """dict of layer -> list of its constants: the numbers in float32, and their places in the 8-bit file."""
        original = tflite_file.read(self._converter("float32").convert())
        layers = layers_of(original, self._names)
        owner = {buffer: name for name, layer in layers.items() for buffer in layer.buffers}
        arrays = {
            tensor.buffer: tflite_file.constant(original, tensor)
            for graph in original.subgraphs
            for tensor in graph.tensors
            if tensor.buffer in owner
        }
        floats = {}
        for buffer, places in tflite_keep.matches(tflite_file.read(self._plain), original).items():
            if buffer in owner:
                floats.setdefault(owner[buffer], []).append((arrays[buffer], places))
        return {name: floats[name] for name in layers if name in floats}

    def _restored(self, keep):
        model = tflite_file.read(self._plain)
        tflite_keep.restore(model, [constant for name in keep for constant in self._floats[name]])
        return tflite_file.write(model)

    @cached_property
    def _calibrated(self):
        converter = self._converter()
        converter._experimental_calibrate_only = True
        return converter.convert()

    @cached_property
    def _calibrated_layers(self):
        return layers_of(tflite_file.read(self._calibrated), self._names)

    def _quantised_but(self, keep):
        from tensorflow.compiler.mlir.lite import types_pb2
        from tensorflow.lite.python.convert import mlir_quantize

        wide = self._precision == "int16x8"
        content = mlir_quantize(
            self._calibrated,
            inference_type=types_pb2.QUANTIZED_INT16 if wide else types_pb2.QUANTIZED_INT8,
            denylisted_nodes=[name for layer in keep for name in self._calibrated_layers[layer].operators],
        )
        return _without_inner_names(content)


def _without_inner_names(content):
    """Loops written out have tensors with long names for each step: of runs/classify_lstm two fifths of the file."""
    model = tflite_file.read(content)
    tflite_file.drop_inner_names(model)
    return tflite_file.write(model)
