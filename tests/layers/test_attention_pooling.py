"""A weighted mean over the positions that a mask keeps."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.layers.attention_pooling import AttentionPooling

INPUTS = np.random.default_rng(1).normal(size=(3, 5, 4)).astype("float32")


def test_weights_by_hand():
    layer = AttentionPooling(units=1)
    layer.build((None, None, 2))
    # The score is 2 tanh(x_1): with x_1 = arctanh(ln 3 / 2) it is ln 3, so one position has three times the other's.
    layer.set_weights([np.array([[1.0], [0.0]]), np.zeros(1), np.array([[2.0]])])
    inputs = [[[np.arctanh(np.log(3) / 2), 8.0], [0.0, 4.0], [9.0, 9.0]]]
    pooled, weights = layer(np.array(inputs, "float32"), mask=ops.array([[True, True, False]]),
                            return_attention_scores=True)  # fmt: skip
    np.testing.assert_allclose(weights, [[0.75, 0.25, 0.0]], atol=1e-6)
    np.testing.assert_allclose(pooled[0, 1], 0.75 * 8 + 0.25 * 4, atol=1e-5)


def test_a_sequence_of_padding_alone_gives_zeros():
    pooled, weights = AttentionPooling(3)(INPUTS[:1], mask=ops.zeros((1, 5), "bool"), return_attention_scores=True)
    assert not np.any(pooled) and not np.any(weights)


def test_it_takes_the_mask_of_an_embedding_and_ends_it():
    ids = keras.Input((None,), dtype="int32")
    pooled = AttentionPooling(3)(keras.layers.Embedding(9, 4, mask_zero=True)(ids))
    model = keras.Model(ids, pooled)
    one, padded = model(np.array([[5, 7]])), model(np.array([[5, 7, 0, 0]]))
    np.testing.assert_allclose(padded, one, atol=1e-6)


@pytest.mark.parametrize("units", [0, 2.5])
def test_a_width_that_is_none_is_refused(units):
    with pytest.raises(ValueError, match="units="):
        AttentionPooling(units)


def test_a_wrong_rank_is_refused():
    with pytest.raises(ValueError, match=r"wants \(batch, time, features\)"):
        AttentionPooling(3)(np.ones((2, 3), "float32"))
