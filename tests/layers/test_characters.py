"""Words from their characters, and words that are dropped."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.layers.characters import CharacterConvolution, WordDropout
from keras_seq.layers.over_time import MaxOverTime

CHARACTERS = np.random.default_rng(1).integers(1, 11, (3, 5, 7)).astype("int32")
CHARACTERS[:, :, 4:] *= np.random.default_rng(2).integers(0, 2, (3, 5, 1))
SEQUENCES = np.random.default_rng(3).normal(size=(3, 5, 4)).astype("float32")


def convolution(**kwargs):
    return CharacterConvolution(11, features=4, filters=6, **kwargs)


def test_a_word_is_the_largest_of_its_windows_and_no_window_reaches_into_the_padding_or_the_next_word():
    layer = convolution(kernel_size=3)
    output = ops.convert_to_numpy(layer(CHARACTERS))
    table = layer.embedding.embeddings.numpy()  # (11, 4)
    kernel, bias = (weight.numpy() for weight in layer.convolution.weights)  # (1, 3, 4, 6), (6,)
    for row, place in np.ndindex(3, 5):
        word = CHARACTERS[row, place][CHARACTERS[row, place] != 0]
        around = np.pad(table[word], ((1, 1), (0, 0)))  # (characters + 2, 4)
        windows = [np.einsum("kf,kfo->o", around[begin : begin + 3], kernel[0]) + bias for begin in range(len(word))]
        np.testing.assert_allclose(output[row, place], np.maximum(windows, 0).max(axis=0), atol=1e-5)


def test_with_edges_the_padding_s_vector_stands_at_both_ends_however_wide_the_input():
    layer = convolution(edges=True)
    output = ops.convert_to_numpy(layer(CHARACTERS))
    np.testing.assert_allclose(layer(np.pad(CHARACTERS, ((0, 0), (0, 0), (0, 3))))[..., :], output, atol=1e-6)
    table = layer.embedding.embeddings.numpy()
    kernel, bias = (weight.numpy() for weight in layer.convolution.weights)
    word = CHARACTERS[1, 2][CHARACTERS[1, 2] != 0]
    around = table[[0, *word, 0]]
    windows = [np.einsum("kf,kfo->o", around[begin : begin + 3], kernel[0]) + bias for begin in range(len(word))]
    np.testing.assert_allclose(output[1, 2], np.maximum(windows, 0).max(axis=0), atol=1e-5)


@pytest.mark.parametrize("edges", [False, True])
def test_a_word_without_characters_is_zero_and_masked(edges):
    layer = convolution(edges=edges)
    layer.build((None, None, None))
    layer.convolution.bias.assign(ops.ones(6))
    padded = np.pad(CHARACTERS, ((0, 0), (0, 2), (0, 3)))
    output = layer(padded)  # (3, 7, 6)
    np.testing.assert_allclose(output[:, :5], layer(CHARACTERS), atol=1e-6)
    assert not ops.convert_to_numpy(output[:, 5:]).any()
    assert ops.convert_to_numpy(output._keras_mask).tolist() == [[True] * 5 + [False] * 2] * 3


def test_words_are_dropped_in_training_only_and_never_padding():
    ids = np.tile(np.array([7, 9, 0], "int32"), (1000, 1))
    layer = WordDropout(0.25, unknown=3, seed=5)
    np.testing.assert_array_equal(layer(ids), ids)
    dropped = ops.convert_to_numpy(layer(ids, training=True))
    assert set(dropped[:, 0]) == {3, 7} and set(dropped[:, 1]) == {3, 9} and set(dropped[:, 2]) == {0}
    assert (dropped[:, :2] == 3).mean() == pytest.approx(0.25, abs=0.03)
    assert not np.array_equal(dropped, layer(ids, training=True))
    again = WordDropout.from_config(layer.get_config())
    assert (again.rate, again.unknown) == (0.25, 3)


def test_a_sequence_of_padding_alone_has_a_maximum_of_zero():
    pooled = MaxOverTime()(SEQUENCES, mask=np.array([[True] * 5, [False] * 5, [False, True, False, False, False]]))
    np.testing.assert_allclose(pooled, [SEQUENCES[0].max(axis=0), np.zeros(4), SEQUENCES[2, 1]])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: CharacterConvolution(11, features=0, filters=6), "features=0 is not a width"),
        (lambda: CharacterConvolution(11, features=4, filters=6, kernel_size=2.5), "kernel_size=2.5 is not a width"),
        (lambda: convolution()(CHARACTERS[0]), r"characters have shape \(5, 7\), wanted \(batch, time, width\)"),
        (lambda: WordDropout(1.0), "rate=1.0 is out of range"),
        (lambda: MaxOverTime()(SEQUENCES[0]), r"inputs have shape \(5, 4\)"),
    ],
)
def test_what_is_wrong_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_it_works_in_half_precision():
    layer = convolution(dtype="mixed_float16")
    assert keras.backend.standardize_dtype(layer(CHARACTERS).dtype) == "float16"
