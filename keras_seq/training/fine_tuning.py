"""Beginning where another run ended."""

from pathlib import Path

import keras


def copy_weights(model, run_dir):
    """Gives a model the weights of a trained run, wherever their paths and shapes agree.

    A layer for other labels or another vocabulary stays as it was initialised, so that a model can be fine-tuned on a
    user's own labels. Ids must mean the same in both: use the run's tokenizers.

    Args:
        model: built `keras.Model`, changed in place.
        run_dir: str or path of a finished run directory, with model.keras.

    Returns:
        list of str, the paths of the weights that were left as they were.

    Raises:
        ValueError: if the run is not finished or none of its weights fits.

    Example:
        >>> import tempfile
        >>> def tagger(tags):
        ...     return keras.Sequential([keras.Input((3,)), keras.layers.Dense(tags, name="readout")], name="tagger")
        >>> run = tempfile.mkdtemp()
        >>> tagger(5).save(Path(run, "model.keras"))
        >>> copy_weights(tagger(5), run)
        []
    """
    path = Path(run_dir, "model.keras")
    if not path.exists():
        raise ValueError(f"{run_dir} has no model.keras: it is no finished run; train it to its end first")
    try:
        trained = keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises many kinds for a file that it cannot read
        raise ValueError(f"{path} cannot be read ({error}); train the run again") from error
    found = _by_path(trained)
    left = []
    for path_in_model, weight in _by_path(model).items():
        if path_in_model in found and found[path_in_model].shape == weight.shape:
            weight.assign(found[path_in_model])
        else:
            left.append(path_in_model)
    if len(left) == len(model.weights):
        raise ValueError(f"no weight of {path} fits this model; build it with the sizes in {run_dir}/config.json")
    return left


def _by_path(model):
    """A Sequential's paths begin with its own name, which Keras numbers."""
    return {weight.path.removeprefix(f"{model.name}/"): weight for weight in model.weights}
