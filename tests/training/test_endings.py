"""Which weights a training ends with: early stopping, averaged checkpoints, and a beginning from another run."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.training import checkpoints, copy_weights, fit, run_directory

DATA = tf.data.Dataset.from_tensors((tf.ones((4, 3)), tf.ones((4, 1)))).repeat(5)


def make_model(units=2, outputs=1, rate=0.01):
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(units, name="hidden")
    model = keras.Sequential([keras.Input((3,)), hidden, keras.layers.Dense(outputs, name="readout")])
    model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
    return model


def train(run_dir, model=None, **options):
    return fit(model or make_model(), DATA, run_dir, **{"epochs": 4, "deterministic": False, "verbose": 0, **options})


class Scripted(keras.callbacks.Callback):
    """Puts given scores into the epochs' logs, as a metric of the task would."""

    def __init__(self, scores):
        super().__init__()
        self._scores = scores

    def on_epoch_end(self, epoch, logs=None):
        logs["val_score"] = self._scores[epoch]


def test_it_stops_when_the_score_no_longer_rises_and_keeps_the_best(tmp_path):
    model, kept = make_model(), {}
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.update({epoch: model.get_weights()}))
    scores = [0.1, 0.5, 0.5, 0.4, 0.9, 0.9]
    rows = train(tmp_path, model, epochs=6, best="val_score", patience=2, callbacks=[Scripted(scores), keep])
    assert [row["val_score"] for row in rows] == scores[:4]
    for weight, wanted in zip(model.get_weights(), kept[1], strict=True):
        np.testing.assert_array_equal(weight, wanted)


def test_stopped_early_and_killed_before_the_end_it_does_not_train_on(tmp_path):
    options = {"epochs": 6, "best": "val_score", "patience": 1}
    train(tmp_path, **options, callbacks=[Scripted([0.5, 0.4, 0.9, 1, 1, 1])])
    (tmp_path / "model.keras").unlink()
    rows = train(tmp_path, **options, callbacks=[Scripted([])])  # a further epoch would find no score
    assert len(rows) == 2 and (tmp_path / "model.keras").exists()


def test_a_falling_loss_is_getting_better(tmp_path):
    rows = train(tmp_path, make_model(rate=1e-3), epochs=5, best="loss", patience=1)
    assert len(rows) == 5 and rows[-1]["loss"] < rows[0]["loss"]


def test_it_ends_with_the_mean_of_the_last_epochs(tmp_path):
    model = make_model()
    train(tmp_path, model, epochs=5, average=3)
    arrays = [
        checkpoints.read_checkpoint(checkpoints.checkpoint_path(tmp_path / "checkpoints", e))[1] for e in (3, 4, 5)
    ]
    for place, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, np.mean([one[place] for one in arrays], axis=0), rtol=1e-6)
        assert not np.array_equal(weight, arrays[-1][place])
    again = make_model()
    train(tmp_path, again, epochs=5, average=3)
    for weight, wanted in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, wanted)


def test_the_untrained_weights_are_not_averaged(tmp_path):
    model = make_model()
    train(tmp_path, model, epochs=1, average=2)
    newest = checkpoints.newest_checkpoint(tmp_path / "checkpoints")[2]
    np.testing.assert_array_equal(model.get_weights()[0], newest[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 2}, "patience=2 with best=None; give 1 or more"),
        ({"patience": 0, "best": "loss"}, "patience=0 with best='loss'; give 1 or more"),
        ({"average": 2, "best": "loss"}, "best='loss' and average=2 each choose the last weights"),
        ({"average": 0}, "average=0 is not a whole number from 1 up"),
    ],
)
def test_endings_that_say_nothing_are_refused(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        train(tmp_path, **options)
    assert not any(tmp_path.iterdir())


def test_how_it_ends_belongs_to_the_configuration(tmp_path):
    train(tmp_path, average=2)
    with pytest.raises(ValueError, match="fit.average is 2 there and 'absent' here"):
        train(tmp_path)


def test_a_run_is_continued_on_other_labels(tmp_path):
    trained = make_model()
    train(tmp_path, trained)
    other = make_model(outputs=3)
    fresh = other.get_layer("readout").get_weights()
    left = copy_weights(other, tmp_path)
    assert left == ["readout/kernel", "readout/bias"]
    np.testing.assert_array_equal(other.get_layer("hidden").kernel, trained.get_layer("hidden").kernel)
    np.testing.assert_array_equal(other.get_layer("readout").get_weights()[0], fresh[0])
    assert run_directory.read_rows(tmp_path / "metrics.csv")  # the run is only read


def test_a_run_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no model\.keras: it is no finished run"):
        copy_weights(make_model(), tmp_path)
    train(tmp_path)
    with pytest.raises(ValueError, match="no weight of .* fits this model; build it with the sizes"):
        copy_weights(make_model(units=5, outputs=7), tmp_path)
    (tmp_path / "model.keras").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="cannot be read"):
        copy_weights(make_model(), tmp_path)
