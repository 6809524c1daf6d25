"""CTC: the likeliest path is read as the paper says, and the loss counts each recording's own positions alone."""

import itertools

import keras
import numpy as np
import pytest

from keras_seq.ctc import best_path, collapse
from keras_seq.models import CTCRecognizer


def slowly(path):
    return [token for token, _ in itertools.groupby(path) if token != 0]


@pytest.mark.parametrize(
    ("path", "tokens"),
    [
        ([0, 0, 3, 3, 0, 3, 0, 1, 1, 1, 0], [3, 3, 1]),
        ([3, 3, 1, 3], [3, 1, 3]),
        ([0, 0], []),
        ([], []),
        ([2], [2]),
    ],
)
def test_repetitions_count_once_and_blanks_go(path, tokens):
    assert collapse([path]) == [tokens] == [slowly(path)]


def test_it_reads_as_the_slow_reference_does():
    paths = np.random.default_rng(0).integers(0, 4, (50, 17))
    assert collapse(paths) == [slowly(path) for path in paths.tolist()]
    assert best_path(np.eye(4)[paths]) == collapse(paths)


def test_the_loss_of_padded_recordings_is_that_of_each_alone_and_of_all_paths():
    keras.utils.set_random_seed(4)
    model = CTCRecognizer(4, units=5, channels=2, num_layers=1, bands=12)
    random = np.random.default_rng(1)
    source, length = random.normal(size=(2, 2600)).astype("float32"), np.array([2600, 1240], "int32")
    labels, loss = np.array([[3, 3, 1], [2, 0, 0]], "int32"), keras.losses.CTC(reduction="none")
    logits = np.asarray(model({"source": source, "source_length": length}))
    assert logits.shape == (2, 9, 4) and (logits[1, 4:] == [0, -100, -100, -100]).all()
    padded = np.pad(source, [(0, 0), (0, 1000)], constant_values=0.5)
    together = np.asarray(loss(labels, model({"source": padded, "source_length": length})))
    for row in range(2):
        own = {"source": source[row : row + 1, : length[row]], "source_length": length[row : row + 1]}
        alone = np.asarray(model(own))
        np.testing.assert_allclose(together[row], loss(labels[row : row + 1], alone)[0], rtol=1e-4)
    # The second has 4 positions and one token: few enough paths to sum over them one by one.
    probabilities = np.exp(alone[0]) / np.exp(alone[0]).sum(axis=-1, keepdims=True)
    paths = [path for path in itertools.product(range(4), repeat=4) if slowly(path) == [2]]
    total = sum(np.prod([probabilities[place, token] for place, token in enumerate(path)]) for path in paths)
    np.testing.assert_allclose(together[1], -np.log(total), rtol=1e-4)
    nothing = np.zeros((1, 3), "int32")  # what noise says: blanks all the way
    np.testing.assert_allclose(loss(nothing, alone)[0], -np.log(probabilities[:, 0]).sum(), rtol=1e-4)
