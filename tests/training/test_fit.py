import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config as tf_config

from keras_seq.training import checkpoints, run_directory
from keras_seq.training.fit import fit

SCRIPT = Path(__file__).with_name("train_and_be_killed.py")
ROOT = Path(__file__).parents[2]


def start(run_dir, point):
    environment = dict(os.environ, PYTHONPATH=str(ROOT), TF_CPP_MIN_LOG_LEVEL="3")
    command = [sys.executable, str(SCRIPT), str(run_dir), point]
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def run_until(run_dir, point, code):
    process = start(run_dir, point)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == code, output
    return output


def kill_at_random(run_dir):
    """Kills a training at some moment in one of its next epochs; returns how many it was given and the delay."""
    finished = len(list_of_epochs(run_dir))
    process = start(run_dir, "never")
    epochs, delay = random.randrange(3), random.uniform(0.0, 0.5)
    while len(list_of_epochs(run_dir)) < finished + epochs and process.poll() is None:
        time.sleep(0.01)
    time.sleep(delay if epochs else 6 * delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    return epochs, delay


def list_of_epochs(run_dir):
    return run_directory.read_rows(run_dir / "metrics.csv") if (run_dir / "metrics.csv").exists() else []


def state(run_dir):
    _, record, arrays = checkpoints.newest_checkpoint(run_dir / "checkpoints")
    return record["variables"], arrays


def test_a_training_killed_at_any_moment_ends_as_the_uninterrupted_one(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    uninterrupted = start(whole, "never")
    delays = [kill_at_random(killed)]
    run_until(killed, "while writing a checkpoint", -signal.SIGKILL)
    run_until(killed, "between checkpoint and metrics", -signal.SIGKILL)
    delays.append(kill_at_random(killed))
    assert not (killed / "model.keras").exists()
    run_until(killed, "before the model is saved", -signal.SIGKILL)
    run_until(killed, "never", 0)
    output, _ = uninterrupted.communicate(timeout=120)
    assert uninterrupted.returncode == 0, output

    assert (killed / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes(), delays
    (names, arrays), (names_killed, arrays_killed) = state(whole), state(killed)
    assert names == names_killed and len(names) > 20
    assert any("seed_generator" in name for name in names) and any("iteration" in name for name in names)
    for name, array, array_killed in zip(names, arrays, arrays_killed, strict=True):
        assert array.tobytes() == array_killed.tobytes(), (name, delays)
    models = [keras.models.load_model(run_dir / "model.keras") for run_dir in (whole, killed)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        assert one.tobytes() == other.tobytes()
    for folder in (killed, killed / "checkpoints"):
        assert not list(folder.glob(".unfinished*"))
    before = {path: path.stat().st_mtime_ns for path in killed.rglob("*")}
    assert "epoch" not in run_until(killed, "never", 0)
    assert {path: path.stat().st_mtime_ns for path in killed.rglob("*")} == before


DATA = tf.data.Dataset.from_tensors((tf.ones((4, 3)), tf.ones((4, 1)))).repeat(5)


def make_model(units=2, **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dense(1)])
    model.compile(**{"optimizer": "adam", "loss": "mse", "jit_compile": False, **options})
    return model


def train(run_dir, model=None, data=DATA, **options):
    return fit(model or make_model(), data, run_dir, **{"epochs": 3, "deterministic": False, "verbose": 0, **options})


def test_the_run_directory_holds_what_the_design_says(tmp_path):
    rows = train(tmp_path, validation_data=DATA, config={"units": 2})
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if "events" not in path.name}
    assert names == {
        *("config.json", "metrics.csv", "seconds.csv", "model.keras", "checkpoints", "logs"),
        *("checkpoints/epoch-0002.npz", "checkpoints/epoch-0003.npz", "logs/train", "logs/validation"),
    }
    with open(tmp_path / "metrics.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["epoch"] for row in table] == ["1", "2", "3"]
    assert list(table[0]) == ["epoch", "loss", "val_loss", "learning_rate"]
    assert [float(row["val_loss"]) for row in table] == [row["val_loss"] for row in rows]


def test_tensorboard_reads_the_losses(tmp_path):
    rows = train(tmp_path)
    (events,) = (tmp_path / "logs/train").iterdir()
    found = [
        (event.step, value.tag, float(tf.make_ndarray(value.tensor)))
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    ]
    assert [(step, value) for step, tag, value in found if tag == "loss"] == [
        (row["epoch"], pytest.approx(row["loss"])) for row in rows
    ]


def test_a_finished_run_gives_its_weights_and_rows_at_once(tmp_path):
    model = make_model()
    rows = train(tmp_path, model)
    again = make_model()
    assert train(tmp_path, again, data=lambda epoch: pytest.fail("trained again")) == rows
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_damaged_newest_checkpoint_costs_one_epoch(tmp_path):
    rows = train(tmp_path)
    (tmp_path / "model.keras").unlink()
    newest = tmp_path / "checkpoints/epoch-0003.npz"
    newest.write_bytes(newest.read_bytes()[:500])
    assert train(tmp_path) == rows
    assert checkpoints.read_checkpoint(newest)[0]["rows"] == rows
    (tmp_path / "model.keras").unlink()
    for path in (tmp_path / "checkpoints").iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no checkpoint in .* is whole; use fresh=True"):
        train(tmp_path)
    assert train(tmp_path, fresh=True) == rows


def test_another_configuration_is_refused_and_fresh_begins_anew(tmp_path):
    config = {"model": {"units": 2}, "words": ["a"]}
    train(tmp_path, config=config)
    with pytest.raises(ValueError, match="model.units is 2 there and 3 here; use another run directory or fresh=True"):
        train(tmp_path, config={**config, "model": {"units": 3}})
    with pytest.raises(ValueError, match="fit.epochs is 3 there and 4 here"):
        train(tmp_path, config=config, epochs=4)
    with pytest.raises(ValueError, match="words is .* there and 'absent' here"):
        train(tmp_path, config={"model": {"units": 2}})
    (tmp_path / "source.tokenizer.json").write_text("kept")
    rows = train(tmp_path, make_model(3), config={"model": {"units": 3}}, epochs=2, fresh=True)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert not (tmp_path / "checkpoints/epoch-0003.npz").exists()
    assert (tmp_path / "source.tokenizer.json").read_text() == "kept"


def test_a_model_of_another_shape_is_refused(tmp_path):
    train(tmp_path)
    (tmp_path / "model.keras").unlink()
    with pytest.raises(ValueError, match=r"holds .*kernel float32 \(3, 2\) where this model has .*\(3, 5\)"):
        train(tmp_path, make_model(5))
    with pytest.raises(ValueError, match="holds .* variables and this model with its optimizer has"):
        train(tmp_path, make_model(optimizer="sgd"))


def test_unreadable_files_are_refused(tmp_path):
    train(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"no model")
    with pytest.raises(ValueError, match="is finished, but its model.keras or metrics.csv cannot be read"):
        train(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="config.json is not readable"):
        train(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(ValueError, match="has checkpoints and no config.json"):
        train(tmp_path)


def test_the_train_step_is_traced_once_and_each_epoch_gets_its_own_data(tmp_path):
    traced = []

    def loss(y_true, y_pred):
        traced.append(None)
        return keras.losses.mean_squared_error(y_true, y_pred)

    def first_argument(y_true, y_pred):
        return y_true

    def data(epoch):
        value = tf.cast(epoch, tf.float32)
        batches = tf.data.Dataset.from_tensors((value * tf.ones((4, 3)), value * tf.ones((4, 1))))
        return batches.repeat(2).apply(tf.data.experimental.assert_cardinality(2))

    mean = keras.metrics.MeanMetricWrapper(first_argument, name="epoch_seen")
    rows = train(tmp_path, make_model(loss=loss, metrics=[mean]), data=data, epochs=4)
    assert [row["epoch_seen"] for row in rows] == [0, 1, 2, 3]
    assert len(traced) <= 2


def test_best_weights_are_those_at_the_end(tmp_path):
    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [1.0, 3.0, 2.0, 3.0][epoch]
            self.weights_then = [*getattr(self, "weights_then", []), self.model.get_weights()]

    spoil = Spoil()
    model = make_model()
    rows = train(tmp_path, model, epochs=4, best="score", callbacks=[spoil])
    assert [row["score"] for row in rows] == [1, 3, 2, 3]
    for one, other in zip(model.get_weights(), spoil.weights_then[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path):
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 1, wanted a finite number"):
        train(tmp_path, data=DATA.map(lambda x, y: (x * float("nan"), y)))


def test_one_line_an_epoch(tmp_path, capsys):
    train(tmp_path, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(model=keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])), "model is not compiled"),
        (dict(data=np.ones(3)), "data is of type ndarray, wanted a tf.data.Dataset"),
        (dict(data=lambda epoch: DATA.filter(lambda x, y: True)), "batches an epoch is unknown"),
        (dict(data=DATA.repeat()), "batches an epoch is infinite"),
        (dict(epochs=0), "epochs=0 is not a whole number from 1 up"),
        (dict(seed=1.5), "seed=1.5 is not a whole number"),
        (dict(keep=0), "keep=0 is not a whole number"),
        (dict(best="loss_of_weight"), "best='loss_of_weight' is not among the metrics; choose one of loss"),
        (dict(config={"a": object()}), "config cannot be written as JSON"),
        (dict(config={"fit": 1}), "config has a key 'fit'"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path, **options)


def test_a_model_that_is_not_built_is_refused(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="model is not built"):
        train(tmp_path, model)


def test_bfloat16_state_survives(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="bfloat16")])
    model.compile("sgd", "mse")
    path = tmp_path / "state.npz"
    checkpoints.write_checkpoint(path, model, {})
    wanted = keras.ops.convert_to_numpy(keras.ops.cast(model.variables[0], "float32"))
    model.variables[0].assign(model.variables[0] * 0)
    checkpoints.restore(model, *checkpoints.read_checkpoint(path), path)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(keras.ops.cast(model.variables[0], "float32")), wanted)


def test_determinism_ends_with_the_training(tmp_path):
    train(tmp_path, deterministic=True)
    assert not tf_config.is_op_determinism_enabled()
    model = make_model()
    model.compile(loss="mse", jit_compile=True)
    assert model.jit_compile
