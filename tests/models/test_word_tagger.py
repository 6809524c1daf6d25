"""A tagger of words and characters: padding changes nothing, and both heads learn."""

import keras
import numpy as np
import pytest

from keras_seq.data.label_batches import LabelBatches
from keras_seq.models import WordTagger

LENGTHS = np.array([6, 1, 4])
SIZES = {"vocabulary_size": 23, "num_tags": 5, "embedding_size": 6, "units": 7, "character_size": 3}


def batch(lengths=LENGTHS, time=6, width=9, seed=4):
    random = np.random.default_rng(seed)
    ids, characters = np.zeros((len(lengths), time), "int32"), np.zeros((len(lengths), time, width), "int32")
    for row, length in enumerate(lengths):
        ids[row, :length] = random.integers(3, 23, length)
        characters[row, :length, :5] = random.integers(1, 11, (length, 5))
        characters[row, : length // 2, 5:] = random.integers(1, 11, (length // 2, width - 5))
    return {"ids": ids, "characters": characters}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    made = WordTagger(**SIZES, num_labels=4, alphabet_size=11, character_filters=8, cell="gru", num_layers=2)
    random = np.random.default_rng(2)
    for weight in made.trainable_weights:
        weight.assign(random.normal(size=weight.shape) * 0.7)
    return made


def test_padding_in_time_and_width_changes_nothing(model):
    inputs = batch()
    wider = {"ids": np.pad(inputs["ids"], ((0, 0), (0, 3))),
             "characters": np.pad(inputs["characters"], ((0, 0), (0, 3), (0, 2)))}  # fmt: skip
    one, two = model(inputs), model(wider)
    np.testing.assert_allclose(two["label"], one["label"], atol=1e-5)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(two["tags"][row, :length], one["tags"][row, :length], atol=1e-5)


def test_a_batch_equals_its_sentences(model):
    inputs = batch()
    together = model(inputs)
    for row, length in enumerate(LENGTHS):
        alone = model({name: array[row : row + 1, :length] for name, array in inputs.items()})
        np.testing.assert_allclose(alone["tags"][0], together["tags"][row, :length], atol=1e-5)
        np.testing.assert_allclose(alone["label"][0], together["label"][row], atol=1e-5)


def test_one_way_does_not_see_the_future_and_both_ways_do():
    inputs = batch(lengths=[6, 6])
    changed = {name: array.copy() for name, array in inputs.items()}
    changed["ids"][:, 4:] = 3 + (changed["ids"][:, 4:] - 2) % 20
    for both_ways in (False, True):
        keras.utils.set_random_seed(1)
        tagger = WordTagger(**SIZES, bidirectional=both_ways, num_layers=1)
        moved = np.abs(tagger({"ids": changed["ids"]}) - tagger({"ids": inputs["ids"]}))
        assert (moved[:, :4].max() > 1e-4) == both_ways and moved[:, 4:].max() > 1e-4


def test_it_survives_saving(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is WordTagger and again.get_config() == model.get_config()
    for head, logits in again(batch()).items():
        np.testing.assert_array_equal(logits, model(batch())[head])


@pytest.mark.usefixtures("quick_fits")
def test_both_heads_learn_and_the_padding_counts_in_no_metric():
    """The tag is the first character's number, the label that of the first word: nothing but reading gets both."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(7)
    lengths = random.integers(1, 7, 90)
    words = [random.integers(1, 5, length) for length in lengths]
    characters = [np.stack([own, np.full_like(own, 5)], axis=1) for own in words]
    batches = LabelBatches(
        {"ids": [np.full(length, 3) for length in lengths], "characters": characters},
        {"tags": words, "label": [own.max() for own in words]}, batch_size=15, boundaries=(3, 6),
    )  # fmt: skip
    model = WordTagger(4, 5, num_labels=5, alphabet_size=6, embedding_size=4, units=16, num_layers=1)
    loss = {head: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for head in ("tags", "label")}
    metrics = {head: [keras.metrics.SparseCategoricalAccuracy("accuracy")] for head in loss}
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=metrics)
    model.fit(batches.dataset(), epochs=25, verbose=0, shuffle=False)
    measured = model.evaluate(batches(0), verbose=0, return_dict=True)
    right = tokens = 0
    for inputs, labels in batches(0):
        kept = inputs["ids"].numpy() != 0
        hits = model(inputs)["tags"].numpy().argmax(axis=-1) == labels["tags"].numpy()
        right, tokens = right + hits[kept].sum(), tokens + kept.sum()
    assert tokens == lengths.sum() and measured["tags_accuracy"] == pytest.approx(right / tokens, abs=1e-6)
    assert measured["tags_accuracy"] > 0.95 and measured["label_accuracy"] > 0.9


@pytest.mark.parametrize(
    "options, message",
    [
        ({"units": 0}, "units=0 is not a size"),
        ({"alphabet_size": 4, "character_filters": 0}, "character_filters=0 is not a size"),
        ({"num_labels": -1}, "num_labels=-1 is not a number of them"),
        ({"cell": "qrnn"}, "cell='qrnn' is not known"),
    ],
)
def test_what_is_wrong_is_said(options, message):
    with pytest.raises(ValueError, match=message):
        WordTagger(**{**SIZES, **options})
