"""SavedModel: TensorFlow's own format, for servers. Batch and source length are dynamic."""

import tensorflow as tf

from export.recurrent import recurrent_by
from export.signatures import as_module, model_signatures


def convert(model, limits, path, precision="float32", beams=None):
    """Writes the model's signatures into the folder `path`; float32 is all there is."""
    model = _EncodedOnce(model) if hasattr(model, "step") else model
    with recurrent_by(None, model):
        signatures = model_signatures(model, limits, static=False, beams=beams)
    tf.saved_model.save(as_module(signatures), str(path), signatures=signatures)


class _EncodedOnce:
    """A generator whose `encode` is one function that all signatures call.

    A constant, such as the Fourier transform of a front end, is stored in each function that it stands in; weights are
    stored once whatever reads them.
    """

    def __init__(self, generator):
        self._generator = generator
        self.encode = tf.function(generator.encode, autograph=False)

    def __getattr__(self, name):
        return getattr(self._generator, name)


class SavedModelSession:
    """Calls a SavedModel as `export.runtime` calls the other formats; needs TensorFlow.

    Args:
        path: the SavedModel's folder.
    """

    def __init__(self, path):
        self._model = tf.saved_model.load(str(path))
        self.signatures = {name: _describe(function) for name, function in self._model.signatures.items()}

    def call(self, signature, **arrays):
        """dict of numpy arrays -> dict of numpy arrays."""
        tensors = {name: tf.constant(array) for name, array in arrays.items()}
        outputs = self._model.signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}


def _describe(function):
    inputs = function.structured_input_signature[1]
    return {
        "inputs": {name: _shape_and_dtype(spec) for name, spec in sorted(inputs.items())},
        "outputs": {name: _shape_and_dtype(spec) for name, spec in sorted(function.structured_outputs.items())},
    }


def _shape_and_dtype(spec):
    return {"shape": spec.shape.as_list(), "dtype": spec.dtype.name}
