"""Recognisers: steps give what teacher forcing gives, a batch what its recordings give alone, a file what was saved."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.beam import beam
from keras_seq.decoding import START, greedy
from keras_seq.models import CTCRecognizer, SpeechToText

VOCABULARY = 13
LENGTHS = np.array([2600, 1111, 1900], "int32")
SIZES = {"units": 10, "channels": 3, "num_layers": 2, "bands": 12, "dropout": 0.1}
KINDS = {
    "attention": lambda: SpeechToText(VOCABULARY, embedding_size=6, **SIZES),
    "ctc": lambda: CTCRecognizer(13, **SIZES),
}


def made(kind):
    """With weights large enough that what is written depends on the recording and on every token before."""
    keras.utils.set_random_seed(5)
    model, random = KINDS[kind](), np.random.default_rng(2)
    for weight in model.trainable_weights:
        weight.assign(weight + random.normal(size=weight.shape) * 0.2)
    return model


@pytest.fixture(scope="module")
def model():
    return made("attention")


def recordings(padding=0):
    random = np.random.default_rng(4)
    loudness = np.sin(np.arange(LENGTHS.max()) / 300 + random.uniform(0, 6, (3, 1)))
    return np.pad(random.normal(size=(3, LENGTHS.max())) * loudness * 0.1, [(0, 0), (0, padding)]).astype("float32")


def inputs_of(kind, padding=0):
    inputs = {"source": recordings(padding), "source_length": LENGTHS}
    target = np.random.default_rng(6).integers(3, VOCABULARY, (3, 5)).astype("int32")
    target[:, 0] = START
    return {**inputs, "target": target} if kind == "attention" else inputs


def log_probabilities(logits):
    return ops.convert_to_numpy(ops.log_softmax(logits))


def test_steps_give_the_log_probabilities_of_the_whole_pass(model):
    inputs = inputs_of("attention")
    whole = log_probabilities(model(inputs, training=False))
    assert whole.shape == (3, 5, VOCABULARY) and whole.std() > 0.2
    memory, state = model.encode(inputs["source"], LENGTHS)
    for position in range(5):
        logits, state = model.step(inputs["target"][:, position], state, memory)
        np.testing.assert_allclose(log_probabilities(logits), whole[:, position], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_gives_what_its_recordings_give_alone(kind):
    model, inputs = made(kind), inputs_of(kind, padding=777)
    inputs["source"][1, LENGTHS[1] :] = 0.3  # what is behind the end is not looked at
    together = log_probabilities(model(inputs))
    for row, length in enumerate(LENGTHS):
        own = {name: array[row : row + 1] for name, array in inputs.items()}
        alone = log_probabilities(model({**own, "source": own["source"][:, :length]}))[0]
        np.testing.assert_allclose(together[row, : len(alone)], alone, atol=1e-5)


def test_what_the_decoder_reads_is_0_behind_a_recording(model):
    memory, state = model.encode(recordings(900), LENGTHS)
    assert (
        np.asarray(memory["lengths"]).tolist() == [9, 4, 6] == [-(-length // model.step_samples) for length in LENGTHS]
    )
    assert tuple(memory["values"].shape) == (3, 11, 20) and tuple(state["hidden"].shape) == (3, 10)
    for values, length in zip(np.asarray(memory["values"]), (9, 4, 6), strict=True):
        assert not values[length:].any() and values[:length].all(axis=1).any()


def test_searches_take_it_as_they_take_any_generator(model):
    ids, length, score = greedy(model, recordings(), LENGTHS, 6)
    for row, size in enumerate(LENGTHS):
        own, *_ = greedy(model, recordings()[row : row + 1, :size], LENGTHS[row : row + 1], 6)
        np.testing.assert_array_equal(own[0], ids[row])
    assert np.asarray(beam(model, recordings(), LENGTHS, 6, beams=3)[0]).shape == (3, 6)
    assert np.asarray(score).shape == (3, 6) and np.asarray(length).max() <= 6


def test_alignments_are_of_the_recording_alone(model):
    weights = np.asarray(model.alignments(inputs_of("attention", padding=900)))
    assert weights.shape == (3, 5, 11)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    assert not weights[1, :, 4:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_is_the_same(kind, tmp_path):
    model = made(kind)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model) and again.get_config() == model.get_config()
    np.testing.assert_array_equal(again(inputs_of(kind)), model(inputs_of(kind)))
    assert again.rate == 8000 and again.step_samples == 320


@pytest.mark.parametrize(("name", "size"), [("units", 0), ("vocabulary_size", 2.5), ("hop", True)])
def test_what_is_no_size_is_refused(name, size):
    for make in (SpeechToText, CTCRecognizer):
        with pytest.raises(ValueError, match=f"{name}={size} is not a size; give a whole number of 1 or more"):
            make(**{"vocabulary_size": 9, name: size})
