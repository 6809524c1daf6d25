"""What a reader in training writes for TensorBoard."""

import dataclasses

import pytest
from tensorflow.python.summary.summary_iterator import summary_iterator

from keras_seq.recipes import intents


@pytest.mark.usefixtures("quick_fits")
def test_labels_and_attention_of_some_texts_are_logged(tmp_path):
    config = intents.IntentsConfig("toy", encoder="bag", units=6, embedding_size=6, epochs=4)
    texts = ["play happy by four cats", "will it rain in rome at 4 pm"]
    intents.train(config, tmp_path, samples=texts, verbose=0)
    (events,) = (tmp_path / "logs" / "samples").glob("events.out.tfevents.*")
    written = {value.tag: value.tensor for event in summary_iterator(str(events)) for value in event.summary.value}
    assert set(written) == {"labels", "attention"}
    assert all(text in written["labels"].string_val[0].decode() for text in texts)
    assert written["attention"].string_val[2].startswith(b"\x89PNG")
    plain = dataclasses.replace(config, pooling=("max",))
    intents.train(plain, tmp_path / "plain", samples=texts, verbose=0)
    assert not (tmp_path / "plain" / "attention.png").exists()
