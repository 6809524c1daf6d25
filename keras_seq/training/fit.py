"""`model.fit` in a run directory, so that a killed run goes on where it was.

    run_dir/
      config.json        what the run is; a run directory belongs to one configuration
      metrics.csv        one row an epoch: loss, metrics, val_*, learning_rate
      seconds.csv        one row an epoch: wall time, kept apart so that metrics.csv is the same each time
      logs/              the same numbers for TensorBoard
      checkpoints/       epoch-0003.npz, ...: all state after that many epochs; best.npz
      model.keras        written last: where it is, the run is finished

Killed at any moment and run again with the same arguments, training continues from the last finished epoch. With op
determinism on, it ends with the weights and the metrics.csv that an uninterrupted run ends with, bit by bit.
"""

import contextlib
import math
import sys
import time
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.python.framework import config as tf_config

from keras_seq.training import checkpoints, run_directory
from keras_seq.whole_file import whole_file


def fit(
    model,
    data,
    run_dir,
    *,
    epochs,
    validation_data=None,
    config=None,
    seed=0,
    deterministic=True,
    callbacks=(),
    keep=2,
    best=None,
    patience=None,
    average=1,
    fresh=False,
    verbose="auto",
):
    """Trains a compiled model in a run directory, or continues, or finds it finished and loads its weights.

    Args:
        model: built and compiled `keras.Model`. Compiled with what the first call was compiled with.
        data: function from the epoch's number (a scalar int64 tensor, counted from 0) to that epoch's
            `tf.data.Dataset` of known cardinality, as `keras_seq.data.PairBatches` is; or a `tf.data.Dataset` that
            gives the same batches each time (one that reshuffles cannot be resumed exactly).
        run_dir: str or path, made where it is absent.
        epochs: int, number of epochs from the start of the run.
        validation_data: `tf.data.Dataset`, or function as `data`, of which epoch 0 is taken.
        config: dict or dataclass that JSON can hold: all that decides the outcome. Written to config.json with
            `epochs`, `seed` and `deterministic` under "fit".
        seed: int, given to `keras.utils.set_random_seed`.
        deterministic: bool, turn TensorFlow's op determinism on meanwhile. A model with `jit_compile=True` must have
            been compiled while it was off, else Keras leaves XLA out.
        callbacks: sequence of `keras.callbacks.Callback`. Their own state is not resumed: stop early by `patience`,
            not by `EarlyStopping`.
        keep: int, number of newest checkpoints to keep; 2 so that one is left where the newest is damaged.
        best: name of a metric, such as "val_loss": end with the weights of the epoch where it was best, which is the
            lowest for names with "loss" or "error" in them and the highest for others.
        patience: int, stop early when `best` has not become better for so many epochs. Counted from metrics.csv, so
            that a resumed run stops where an uninterrupted one stops.
        average: int, end with the mean of the weights after the last so many epochs (Vaswani et al., 2017, section
            6.1); 1 for the last weights. An exponential moving average is the optimizer's:
            `keras.optimizers.Adam(..., use_ema=True)`.
        fresh: bool, remove what an earlier run has written into `run_dir` and start anew.
        verbose: 0 for silence, 1 for Keras's progress bar, 2 for one line an epoch, "auto" for 1 on a terminal and 2
            elsewhere.

    Returns:
        list of dicts, the rows of metrics.csv.

    Raises:
        ValueError: if the directory belongs to a run with another configuration, or an argument is not as described.
        FloatingPointError: if the loss of an epoch is not finite.

    Example:
        >>> import tempfile
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile(loss="mse")
        >>> data = tf.data.Dataset.from_tensors((tf.ones((2, 3)), tf.ones((2, 1))))
        >>> rows = fit(model, data, tempfile.mkdtemp(), epochs=2, verbose=0)
        >>> print([row["epoch"] for row in rows])
        [1, 2]
    """
    _check(model, data, epochs=epochs, seed=seed, keep=keep, average=average)
    _check_choice(best, patience, average)
    run_dir = Path(run_dir)
    given = {} if config is None else config
    settings = {"epochs": epochs, "seed": seed, "deterministic": bool(deterministic)}
    settings |= {} if patience is None else {"patience": patience}
    settings |= {} if average == 1 else {"average": average}
    run_directory.prepare(run_dir, given, settings, fresh)
    keras.utils.set_random_seed(seed)
    with _op_determinism(deterministic):
        recorder = _Recorder(Path(run_dir), epochs, max(keep, average), best, patience, _prints_lines(verbose))
        return _train(model, data, recorder, validation_data, callbacks, average, verbose)


def _prints_lines(verbose):
    return verbose == 2 or (verbose == "auto" and not sys.stdout.isatty())


def _train(model, data, recorder, validation_data, callbacks, average, verbose):
    run_dir, epochs = recorder.run_dir, recorder.epochs
    model.optimizer.build(model.trainable_variables)
    if (run_dir / "model.keras").exists():
        return _finished(model, run_dir)

    begin = recorder.resume(model)
    data, steps = _epochs_of(data, begin, epochs)
    if begin < epochs and not recorder.is_out_of_patience():
        model.fit(
            data,
            epochs=epochs,
            initial_epoch=begin,
            steps_per_epoch=steps,
            validation_data=validation_data(0) if callable(validation_data) else validation_data,
            callbacks=[*callbacks, recorder],
            shuffle=False,
            verbose=1 if verbose == 1 or (verbose == "auto" and sys.stdout.isatty()) else 0,
        )
    else:
        # Killed after the last checkpoint: what model.fit does after its last epoch is still to do.
        model.optimizer.finalize_variable_values(model.trainable_variables)
    recorder.close()
    if recorder.best:
        path = run_dir / "checkpoints" / "best.npz"
        checkpoints.restore(model, *checkpoints.read_checkpoint(path), path)
    if average > 1:
        checkpoints.restore_mean(model, run_dir / "checkpoints", average)
    with whole_file(run_dir / "model.keras") as temporary:
        model.save(temporary)
    return recorder.rows


@contextlib.contextmanager
def _op_determinism(wanted):
    """Op determinism inside the block, and what it was before after it.

    Left on, it would make Keras refuse `jit_compile=True` for the next model of the process. TensorFlow's public API
    can only turn it on.
    """
    was_on = tf_config.is_op_determinism_enabled()
    if wanted:
        tf.config.experimental.enable_op_determinism()
    try:
        yield
    finally:
        if wanted and not was_on:
            tf_config.disable_op_determinism()


class _Recorder(keras.callbacks.Callback):
    """Writes everything that an epoch leaves behind, the checkpoint first: the other files are made from it."""

    def __init__(self, run_dir, epochs, keep, best, patience, print_lines):
        super().__init__()
        self.rows = []
        self.run_dir = run_dir
        self.epochs = epochs
        self.best = best
        self._seconds = []
        self._folder = run_dir / "checkpoints"
        self._keep = keep
        self._patience = patience
        self._print_lines = print_lines
        self._log = None

    def resume(self, model):
        """Restores the newest checkpoint, or writes one of the first weights; returns the number of finished epochs."""
        found = checkpoints.newest_checkpoint(self._folder)
        if found:
            path, record, arrays = found
            checkpoints.restore(model, record, arrays, path)
            self.rows, self._seconds = record["rows"], record["seconds"]
        else:
            checkpoints.write_checkpoint(checkpoints.checkpoint_path(self._folder, 0), model, self._record())
        if self.rows:
            self._write_tables()
        self._log = run_directory.EventLog(self.run_dir / "logs", self.rows)
        return len(self.rows)

    def on_epoch_begin(self, epoch, logs=None):
        self._begun = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
        row.setdefault("learning_rate", float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))
        if not math.isfinite(row["loss"]):
            raise FloatingPointError(
                f"loss is {row['loss']} in epoch {epoch + 1}, wanted a finite number; choose a lower learning rate, a "
                "longer warm-up or clipnorm=1.0, and look for rows without labels"
            )
        is_best = self.best and self._is_best(row)
        self.rows.append(row)
        self._seconds.append({"epoch": epoch + 1, "seconds": round(time.monotonic() - self._begun, 3)})
        if is_best:
            checkpoints.write_checkpoint(self._folder / "best.npz", self.model, self._record())
        checkpoints.write_checkpoint(checkpoints.checkpoint_path(self._folder, epoch + 1), self.model, self._record())
        self._write_tables()
        checkpoints.remove_old_checkpoints(self._folder, self._keep)
        self._log.write(row)
        if self._print_lines:
            numbers = "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
            print(f"epoch {epoch + 1}/{self.epochs}  {numbers}  {self._seconds[-1]['seconds']:.1f} s", flush=True)
        if self.is_out_of_patience():
            self.model.stop_training = True

    def is_out_of_patience(self):
        """Whether the best epoch lies `patience` epochs back."""
        if self._patience is None or not self.rows:
            return False
        best = max(range(len(self.rows)), key=lambda place: (self._goodness(self.rows[place]), -place))
        return len(self.rows) - 1 - best >= self._patience

    def close(self):
        self._log.close()

    def _record(self):
        return {"rows": self.rows, "seconds": self._seconds}

    def _write_tables(self):
        run_directory.write_rows(self.run_dir / "metrics.csv", self.rows)
        run_directory.write_rows(self.run_dir / "seconds.csv", self._seconds)

    def _is_best(self, row):
        if self.best not in row:
            raise ValueError(f"best={self.best!r} is not among the metrics; choose one of {', '.join(list(row)[1:])}")
        return all(self._goodness(row) > self._goodness(earlier) for earlier in self.rows)

    def _goodness(self, row):
        return -row[self.best] if "loss" in self.best or "error" in self.best else row[self.best]


def _check_choice(best, patience, average):
    if patience is not None and (best is None or isinstance(patience, bool) or patience < 1):
        raise ValueError(f"patience={patience!r} with best={best!r}; give 1 or more, and best='val_...' to watch")
    if best and average > 1:
        raise ValueError(f"best={best!r} and average={average} each choose the last weights; give one of them")


def _check(model, data, *, epochs, seed, keep, average):
    if getattr(model, "optimizer", None) is None:
        raise ValueError("model is not compiled; call model.compile(optimizer, loss) first")
    if not model.built:
        raise ValueError("model is not built; call it on a batch or give it an Input first")
    if not callable(data) and not isinstance(data, tf.data.Dataset):
        raise ValueError(
            f"data is of type {type(data).__name__}, wanted a tf.data.Dataset or a function from the epoch to one; "
            "wrap arrays with tf.data.Dataset.from_tensor_slices(...).batch(...)"
        )
    for name, value, least in (("epochs", epochs, 1), ("seed", seed, 0), ("keep", keep, 1), ("average", average, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name}={value!r} is not a whole number from {least} up; choose one")


def _epochs_of(data, begin, epochs):
    """The dataset that `model.fit` reads, and steps an epoch: None where it iterates the dataset anew each epoch."""
    if isinstance(data, tf.data.Dataset):
        steps, result = int(data.cardinality()), (data, None)
    else:
        steps = int(data(tf.constant(0, tf.int64)).cardinality())
        # One dataset over all epochs left, so that model.fit is called once and its callbacks see one training.
        result = tf.data.Dataset.range(begin, epochs).flat_map(data), steps
    if steps == tf.data.INFINITE_CARDINALITY or (steps == tf.data.UNKNOWN_CARDINALITY and result[1]):
        raise ValueError(
            f"the number of batches an epoch is {'infinite' if steps == -1 else 'unknown'}, wanted a known one; use "
            "dataset.take(steps) or dataset.apply(tf.data.experimental.assert_cardinality(steps))"
        )
    return result


def _finished(model, run_dir):
    try:
        model.load_weights(run_dir / "model.keras")
        return run_directory.read_rows(run_dir / "metrics.csv")
    except Exception as error:  # Keras raises many kinds for a file that it cannot read
        raise ValueError(
            f"{run_dir} is finished, but its model.keras or metrics.csv cannot be read ({error}); delete model.keras "
            "to finish it again or use fresh=True"
        ) from error
