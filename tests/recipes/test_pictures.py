"""A classifier of pictures as a run directory."""

import json

import keras
import numpy as np

from export.examples import Task, read_labels, read_pictures
from keras_seq.data.images import Images
from keras_seq.recipes.pictures import save_run


def test_a_run_of_pictures_is_what_the_exporter_reads(tmp_path):
    images = np.random.default_rng(3).integers(0, 256, (6, 5, 4, 1)).astype("uint8")
    labels = np.asarray([0, 2, 1, 1, 0, 2], "int32")
    train = images[:0], labels[:0]
    data = Images("dots", ("a", "b", "ç"), train, train, (images, labels), "drawn here")
    keras.utils.set_random_seed(1)
    layers = [keras.Input((5, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    run = save_run(model, data, tmp_path / "runs" / "dots", accuracy=0.5)
    assert run == tmp_path / "runs" / "dots"
    task = Task.of(json.loads((run / "config.json").read_text(encoding="utf-8")))
    assert task == Task("dots", "classify", {}, {"height": 5, "width": 4, "channels": 1})
    assert read_labels(run) == ["a", "b", "ç"]
    kept, targets = read_pictures(run, task.picture)
    np.testing.assert_array_equal(kept, images)
    np.testing.assert_array_equal(targets, labels)
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert results == {"parameters": 63, "accuracy": 0.5, "examples": 6}
    again = keras.saving.load_model(run / "model.keras")
    np.testing.assert_array_equal(again(images.astype("float32")), model(images.astype("float32")))
    assert {path.name for path in run.iterdir()} == {"model.keras", "results.json", "config.json", *task.files}


def test_saving_again_replaces_what_is_there(tmp_path):
    images, labels = np.zeros((2, 5, 4, 1), "uint8"), np.asarray([0, 1], "int32")
    model = keras.Sequential([keras.Input((5, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    part = images, labels
    for name in ("first", "second"):
        save_run(model, Images(name, ("a", "b"), part, part, part, ""), tmp_path, accuracy=1.0)
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["task"]["name"] == "second"
    assert len(list(tmp_path.iterdir())) == 5
