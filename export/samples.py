"""What goes into anybody's model and comes out of it: names, dtypes, and samples that an artefact is proven on."""

import keras
import numpy as np


def random_samples(model, length=None, examples=4, seed=0):
    """Inputs that a model takes: of several lengths where it leaves them open, the second half of them padded.

    Returns:
        list of lists of arrays `(examples, ...)`, one for each input of the model.
    """
    random = np.random.default_rng(seed)
    largest = min(
        (layer.input_dim for layer in model._flatten_layers() if isinstance(layer, keras.layers.Embedding)), default=8
    )
    return [
        [_random_input(random, tensor, size, examples, largest) for tensor in model.inputs]
        for size in ([length] if length else (7, 1, 12))
    ]


def _random_input(random, tensor, length, examples, largest):
    shape = (examples, *(length if size is None else size for size in tensor.shape[1:]))
    if "float" in tensor.dtype:
        array = random.normal(size=shape).astype("float32")
    else:
        array = random.integers(1, max(2, largest), size=shape).astype("int32")
    if len(shape) > 1 and shape[1] > 1:
        for row in range(examples // 2, examples):
            array[row, random.integers(1, shape[1]) :] = 0
    return array


def checked_samples(model, samples):
    """A user's samples as `random_samples` has them.

    Args:
        model: `keras.Model`.
        samples: list of arrays, one for each input of the model, `(examples, ...)`.

    Raises:
        ValueError: if there are not as many, or not equally long, or there is no example.
    """
    arrays = [np.asarray(array) for array in keras.tree.flatten(samples)]
    counts = {len(array) if array.ndim else 0 for array in arrays}
    if len(arrays) != len(model.inputs) or len(counts) != 1 or counts == {0}:
        raise ValueError(
            f"samples are arrays of shape {[array.shape for array in arrays]}; give one for each of the model's "
            f"{len(model.inputs)} inputs, with equally many examples, one or more"
        )
    return [[array.astype(plain(tensor.dtype)) for array, tensor in zip(arrays, model.inputs, strict=True)]]


def write_samples(path, model, samples, answers):
    """Writes samples and what Keras answers to them, for `export.traced`.

    Args:
        path: of the npz file.
        model: `keras.Model`.
        samples: list of lists of arrays, as of `random_samples`.
        answers: list of the model's outputs, one for each of them.
    """
    arrays = {"inputs": np.array(input_names(model)), "outputs": np.array(output_names(model))}
    for number, (inputs, outputs) in enumerate(zip(samples, answers, strict=True)):
        arrays |= {f"{number}/input/{place}": array for place, array in enumerate(inputs)}
        for place, output in enumerate(keras.tree.flatten(outputs)):
            arrays[f"{number}/output/{place}"] = np.asarray(output).astype(plain(output.dtype))
    np.savez(path, **arrays)


def input_names(model):
    """The names of an artefact's inputs, one for each input of the model."""
    return [tensor.name for tensor in model.inputs]


def output_names(model):
    """The names of an artefact's outputs, one for each output of the model."""
    names = getattr(model, "output_names", None) or [tensor.name for tensor in model.outputs]
    # A name given twice, as that of a layer with several outputs, is numbered; an input's name is not an output's.
    taken, unique = set(input_names(model)), []
    for name in names:
        number, candidate = 1, name
        while candidate in taken:
            candidate, number = f"{name}_{number}", number + 1
        taken.add(candidate)
        unique.append(candidate)
    return unique


def plain(dtype):
    """The dtype at an artefact's border: int32 or float32, which every runtime takes."""
    return "float32" if "float" in keras.backend.standardize_dtype(dtype) else "int32"
