"""Samples reach TensorBoard's event files, and the precision follows the machine."""

import keras
import pytest
import tensorflow as tf

from keras_seq.training import SampleLog, fit, presets, set_precision

DATA = tf.data.Dataset.from_tensors((tf.ones((4, 3)), tf.ones((4, 1)))).repeat(2)


def events(folder):
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            found += [(event.step, value.tag, value) for value in event.summary.value]
    return found


def test_texts_and_pictures_are_written_every_second_epoch(tmp_path):
    picture = tmp_path / "map.png"
    picture.write_bytes(tf.io.encode_png(tf.zeros((5, 7, 3), tf.uint8)).numpy())
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    seen = []

    def sample(of):
        seen.append(of)
        return {"9 mai 1998": f"written {len(seen)}", "attention": picture}

    callbacks = [SampleLog(tmp_path / "run", sample, every=2)]
    fit(model, DATA, tmp_path / "run", epochs=5, deterministic=False, verbose=0, callbacks=callbacks)
    assert seen == [model, model]
    found = events(tmp_path / "run" / "logs" / "samples")
    assert [(step, tag, value.metadata.plugin_data.plugin_name) for step, tag, value in found] == [
        *((2, "9 mai 1998", "text"), (2, "attention", "images")),
        *((4, "9 mai 1998", "text"), (4, "attention", "images")),
    ]
    assert tf.make_ndarray(found[2][2].tensor).tolist() == [b"written 2"]
    assert tf.make_ndarray(found[3][2].tensor).tolist() == [b"7", b"5", picture.read_bytes()]


def test_samples_every_no_epoch_are_refused(tmp_path):
    with pytest.raises(ValueError, match="every=0 is not a number of epochs"):
        SampleLog(tmp_path, dict, every=0)


@pytest.mark.parametrize(
    ("capabilities", "policy"),
    [
        ([], "float32"),
        ([(6, 1)], "float32"),
        ([(7, 5)], "mixed_float16"),
        ([(9, 0)], "mixed_bfloat16"),
        ([(9, 0), (7, 0)], "mixed_float16"),
    ],
)
def test_the_precision_follows_the_weakest_gpu(capabilities, policy, monkeypatch):
    details = dict(enumerate(capabilities))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(details))
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"compute_capability": details[gpu]})
    before = keras.config.dtype_policy()
    try:
        assert set_precision() == policy == keras.config.dtype_policy().name
    finally:
        keras.config.set_dtype_policy(before)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="policy='half' is not known; choose from auto, float32"):
        presets.set_precision("half")
