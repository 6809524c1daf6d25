"""All that a training step changes, as numpy arrays in files written whole.

A checkpoint holds the model's variables (weights, running statistics, states of the dropout layers' seed generators),
the optimizer's (iterations, learning rate, slots) and a JSON record. Metrics are left out: each epoch begins with them
at zero. One checkpoint says everything, so a killed run is continued from its newest whole file alone.
"""

import json
import re
import zipfile
from pathlib import Path

import keras
import numpy as np

from keras_seq.whole_file import whole_file

_NAME = "epoch-{:04d}.npz"
_UNREADABLE = (zipfile.BadZipFile, EOFError, KeyError, ValueError, OSError)


def write_checkpoint(path, model, record):
    """Writes the state of a compiled model and its optimizer.

    Args:
        path: str or path ending in ".npz"; its folder must exist.
        model: built and compiled `keras.Model`.
        record: dict that JSON can hold.
    """
    variables = _variables(model)
    arrays = {f"variable_{index:05d}": _bits(variable) for index, variable in enumerate(variables)}
    record = {**record, "variables": [f"{variable.path} {_form(variable)}" for variable in variables]}
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, record=np.array(json.dumps(record)), **arrays)


def read_checkpoint(path):
    """Reads a checkpoint, and every byte of it.

    Args:
        path: str or path.

    Returns:
        (record, arrays): dict, and list of arrays in the order of the model's variables.

    Raises:
        ValueError: if the file is truncated or not a checkpoint.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            record = json.loads(str(file["record"]))
            return record, [file[f"variable_{index:05d}"] for index in range(len(record["variables"]))]
    except _UNREADABLE as error:
        raise ValueError(f"{path} is not a whole checkpoint ({error}); delete it to go on from an older one") from error


def restore(model, record, arrays, path):
    """Puts a checkpoint's state into a model and its optimizer.

    Args:
        model: `keras.Model`, built and compiled as the one that was saved.
        record: dict, from `read_checkpoint`.
        arrays: list of arrays, from `read_checkpoint`.
        path: str or path, for the error message.

    Raises:
        ValueError: if the model's variables have another number, shape or dtype.
    """
    variables = _variables(model)
    saved = [name.split(" ", 1)[1] for name in record["variables"]]
    if len(saved) != len(variables):
        raise ValueError(
            f"{path} holds {len(saved)} variables and this model with its optimizer has {len(variables)}; "
            "use another run directory or fresh=True"
        )
    for name, form, variable in zip(record["variables"], saved, variables, strict=True):
        if form != _form(variable):
            raise ValueError(
                f"{path} holds {name} where this model has {variable.path} {_form(variable)}; "
                "use another run directory or fresh=True"
            )
    for variable, array in zip(variables, arrays, strict=True):
        dtype = keras.backend.standardize_dtype(variable.dtype)
        variable.assign(keras.ops.view(array, dtype) if dtype == "bfloat16" else array)


def restore_mean(model, folder, count):
    """Gives a model the mean of its weights in the newest checkpoints, that of the untrained weights aside.

    What is not a float, such as the states of seed generators, and the optimizer's variables are the newest one's.

    Args:
        model: `keras.Model`, built and compiled as the one that was saved.
        folder: path of the checkpoints.
        count: int, how many; where there are fewer, all.

    Raises:
        ValueError: if one cannot be read or is of another model.
    """
    paths = [path for epoch, path in _numbered(folder) if epoch][-count:]
    *earlier, (record, newest) = [read_checkpoint(path) for path in paths]
    for place, variable in enumerate(model.variables):
        if keras.backend.is_float_dtype(keras.backend.standardize_dtype(variable.dtype)):
            values = [_values(arrays[place], variable) for _, arrays in earlier] + [_values(newest[place], variable)]
            newest[place] = np.mean(values, axis=0, dtype="float64").astype(values[-1].dtype)
    restore(model, record, newest, paths[-1])


def _values(array, variable):
    if keras.backend.standardize_dtype(variable.dtype) == "bfloat16":
        raise ValueError(f"{variable.path} is kept in bfloat16, too coarse for a mean; train with a mixed policy")
    return array


def checkpoint_path(folder, epoch):
    """Path of the checkpoint after `epoch` epochs."""
    return Path(folder) / _NAME.format(epoch)


def newest_checkpoint(folder):
    """The newest checkpoint in a folder that can be read.

    Args:
        folder: str or path.

    Returns:
        (path, record, arrays), or None where there are no checkpoints.

    Raises:
        ValueError: if there are checkpoints and none is whole.
    """
    failure = None
    for _, path in reversed(_numbered(folder)):
        try:
            return path, *read_checkpoint(path)
        except ValueError as error:
            failure = error
    if failure:
        raise ValueError(f"no checkpoint in {folder} is whole; use fresh=True to train from the start") from failure
    return None


def remove_old_checkpoints(folder, keep):
    """Removes all but the newest `keep` numbered checkpoints."""
    for _, path in _numbered(folder)[:-keep]:
        path.unlink(missing_ok=True)


def _numbered(folder):
    matches = ((re.fullmatch(r"epoch-(\d+)\.npz", path.name), path) for path in Path(folder).glob("epoch-*.npz"))
    return sorted((int(match[1]), path) for match, path in matches if match)


def _variables(model):
    return [*model.variables, *model.optimizer.variables]


def _form(variable):
    return f"{keras.backend.standardize_dtype(variable.dtype)} {tuple(variable.shape)}"


def _bits(variable):
    array = keras.ops.convert_to_numpy(variable)
    # numpy files know no bfloat16: its bits are kept.
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array
