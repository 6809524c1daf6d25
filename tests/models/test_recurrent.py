"""Classifiers and taggers of every recurrent kind: what they compute, what padding does, what they keep."""

import keras
import numpy as np
import pytest

from keras_seq.models import Classifier, Tagger
from keras_seq.models.recurrent import CELLS
from keras_seq.testing import check_mask_contract

SIZES = {"vocabulary_size": 13, "num_labels": 3, "embedding_size": 4, "units": 5}
LENGTHS = np.array([4, 1, 7])


def noisy(kind, **options):
    """A model with large random weights."""
    keras.utils.set_random_seed(2)
    model = kind(**SIZES, **options)
    random = np.random.default_rng(8)
    model.set_weights([random.normal(0, 0.7, weight.shape) for weight in model.get_weights()])
    return model


def padded(width=7):
    ids = np.random.default_rng(1).integers(1, 13, (3, width)).astype("int32")
    return np.where(np.arange(width) < LENGTHS[:, None], ids, 0)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", list(CELLS))
def test_shapes_of_one_label_and_of_one_for_each_token(cell, bidirectional):
    options = {"cell": cell, "bidirectional": bidirectional, "num_layers": 2}
    assert noisy(Classifier, **options)(padded()).shape == (3, 3)
    assert noisy(Tagger, **options)(padded()).shape == (3, 7, 3)


def test_a_plain_network_is_its_equation():
    """h_t = tanh(W x_t + U h_(t-1) + b); a label of the last h, and a tag of each."""
    ids = np.array([[3, 7, 1, 12]], "int32")
    classifier, tagger = noisy(Classifier, cell="rnn"), noisy(Tagger, cell="rnn")
    table, kernel, recurrent, bias, readout, offset = classifier.get_weights()
    hidden, states = np.zeros(5), []
    for token in ids[0]:
        hidden = np.tanh(table[token] @ kernel + hidden @ recurrent + bias)
        states.append(hidden)
    np.testing.assert_allclose(classifier(ids)[0], hidden @ readout + offset, atol=1e-5)
    np.testing.assert_allclose(tagger(ids)[0], np.stack(states) @ readout + offset, atol=1e-5)


def test_both_directions_last_states_are_read_side_by_side():
    """Backwards the last state is that of the first token."""
    ids = np.array([[3, 7, 1, 12]], "int32")
    model = noisy(Classifier, cell="rnn", bidirectional=True)
    table, *cells, readout, offset = model.get_weights()
    states = []
    for (kernel, recurrent, bias), order in zip((cells[:3], cells[3:]), (ids[0], ids[0][::-1]), strict=True):
        hidden = np.zeros(5)
        for token in order:
            hidden = np.tanh(table[token] @ kernel + hidden @ recurrent + bias)
        states.append(hidden)
    np.testing.assert_allclose(model(ids)[0], np.concatenate(states) @ readout + offset, atol=1e-5)


def test_both_gru_conventions_are_there():
    assert not noisy(Tagger, cell="gru_reset_before").get_layer("recurrent_0").cell.reset_after
    assert noisy(Tagger, cell="gru").get_layer("recurrent_0").cell.reset_after


@pytest.mark.parametrize("options", [{"cell": "lstm", "bidirectional": True, "num_layers": 2}, {"cell": "gru"}])
def test_a_tagger_keeps_the_mask_contract(options):
    model, given = noisy(Tagger, **options), {"lengths": {"ids": LENGTHS}, "padded_with": {"ids": 0}}
    done = check_mask_contract(model, {"ids": padded()}, follows="ids", **given)
    assert done


@pytest.mark.parametrize("options", [{"cell": "rnn", "bidirectional": True}, {"cell": "lstm", "num_layers": 2}])
def test_padding_changes_no_label(options):
    model, ids = noisy(Classifier, **options), padded()
    alone = np.concatenate([model(ids[row : row + 1, :length]) for row, length in enumerate(LENGTHS)])
    np.testing.assert_allclose(model(np.pad(ids, [(0, 0), (0, 3)])), alone, atol=1e-5)


def test_a_forward_tagger_does_not_see_what_follows_and_one_of_both_ways_does():
    ids, other = padded()[2:], padded()[2:].copy()
    other[0, -1] = 1 + other[0, -1] % 12
    forward, both = noisy(Tagger), noisy(Tagger, bidirectional=True)
    np.testing.assert_array_equal(forward(ids)[:, :-1], forward(other)[:, :-1])
    assert np.abs(np.asarray(both(ids)[:, 0] - both(other)[:, 0])).max() > 1e-4


@pytest.mark.parametrize("kind", [Classifier, Tagger])
def test_a_saved_model_comes_back(kind, tmp_path):
    model = noisy(kind, cell="gru", bidirectional=True, num_layers=2, dropout=0.3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is kind and again.get_config() == model.get_config()
    np.testing.assert_array_equal(again(padded()), model(padded()))


def test_dropout_is_of_training_alone():
    model, ids = noisy(Tagger, dropout=0.5), padded()
    np.testing.assert_array_equal(model(ids), model(ids))
    assert np.abs(np.asarray(model(ids, training=True) - model(ids))).max() > 1e-3


def test_a_classifier_learns_by_fit():
    """Whether a 5 is in the sequence."""
    keras.utils.set_random_seed(4)
    ids = np.random.default_rng(0).integers(1, 9, (400, 6)).astype("int32")
    model = Classifier(9, 2, embedding_size=6, units=12, cell="gru")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    model.fit(ids, (ids == 5).any(axis=1).astype("int32"), batch_size=50, epochs=12, verbose=0)
    fresh = np.random.default_rng(1).integers(1, 9, (200, 6)).astype("int32")
    assert model.evaluate(fresh, (fresh == 5).any(axis=1).astype("int32"), verbose=0)[1] > 0.97


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "tape"}, "cell='tape' is not known; choose from rnn, lstm, gru, gru_reset_before"),
        ({"units": 0}, "units=0 is not a size; give a whole number of 1 or more"),
        ({"num_layers": 1.5}, "num_layers=1.5 is not a size"),
        ({"vocabulary_size": -3}, "vocabulary_size=-3 is not a size"),
    ],
)
def test_what_is_no_model_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Tagger(**{**SIZES, **options})
