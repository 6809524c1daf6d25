"""Test sets of one example, and of texts that all fill the limit, have cases to hold an artefact's numbers against."""

import keras
import numpy as np
import pytest

from export import cases
from export.examples import Task
from export.reference_labels import label_cases
from keras_seq.models import Seq2Seq

WORDS, LABELS = 13, 3


def reader(tags):
    """Ids to a label, or to one for each token."""
    keras.utils.set_random_seed(2)
    ids = keras.Input((None,), dtype="int32")
    hidden = keras.layers.Embedding(WORDS, 5, mask_zero=True)(ids)
    hidden = keras.layers.GRU(4, return_sequences=tags)(hidden)
    return keras.Model(ids, keras.layers.Dense(LABELS)(hidden))


@pytest.mark.parametrize("kind", ["tag", "classify"])
@pytest.mark.parametrize(
    ("limit", "texts"),
    [
        (7, [[4, 5, 6]]),  # one
        (7, [[4, 5, 6, 7, 8, 9, 10]]),  # one that fills the limit
        (7, [[4, 5, 6, 7, 8, 9, 10], [5, 6, 7, 8, 9, 10, 11], [6] * 7]),  # all fill it
        (1, [[4], [5]]),  # there is no other length
    ],
)
def test_labels_have_cases(kind, limit, texts):
    task, model = Task("small", kind, {"source": limit}), reader(kind == "tag")
    found = label_cases(model, task, {"source_ids": texts})
    widths = {case.inputs["ids"].shape[1] for case in found}
    assert limit in widths and (len(widths) > 1 or limit == 1)
    for case in found:
        batch, time = case.inputs["ids"].shape
        wanted = (batch, time, LABELS) if kind == "tag" else (batch, LABELS)
        assert case.outputs["probabilities"].shape == wanted and batch >= 1
        time_axes = {"ids": 1, "probabilities": 1} if kind == "tag" else {"ids": 1}
        assert case.open_axes == (time_axes if limit > 1 else {})
        for row, length in enumerate(case.inputs["length"]):
            alone = np.asarray(model(case.inputs["ids"][row : row + 1, :length], training=False))[0]
            alone = np.exp(alone) / np.exp(alone).sum(axis=-1, keepdims=True)
            got = case.outputs["probabilities"][row]
            np.testing.assert_allclose(got[:length] if kind == "tag" else got, alone, atol=1e-6)


@pytest.mark.parametrize("texts", [[[4, 5, 6]], [[4, 5, 6, 7, 8, 9, 10]] * 3])
def test_generators_have_cases(texts):
    keras.utils.set_random_seed(3)
    model = Seq2Seq(WORDS, 11, embedding_size=5, units=4)
    found = cases.generator_cases(model, {"source": 7, "target": 5}, texts)
    assert {case.signature for case in found} >= {"encode", "step"}
    assert any(case.inputs["source"].shape[1] == 7 for case in found if case.signature == "encode")
