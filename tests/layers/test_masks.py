"""Lengths to masks and back."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_seq.layers import causal_mask, combine_masks, length_mask, mask_lengths, padding_mask


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_lengths_come_back_from_their_mask(lengths):
    mask = length_mask(np.array(lengths, "int32"), 9)
    assert ops.convert_to_numpy(mask).shape == (len(lengths), 9)
    assert ops.convert_to_numpy(mask_lengths(mask)).tolist() == lengths


def test_lengths_that_are_no_lengths_are_refused():
    with pytest.raises(ValueError, match=r"lengths are float32 of shape \(2,\); wanted int32 \(batch,\)"):
        length_mask(np.array([2.0, 3.0], "float32"), 5)
    with pytest.raises(ValueError, match=r"lengths are int32 of shape \(2, 1\); wanted int32 \(batch,\)"):
        length_mask(np.array([[2], [3]], "int32"), 5)
    with pytest.raises(ValueError, match=r"lengths are bool of shape \(3,\)"):
        length_mask(np.array([True, True, False]), 3)


def test_padding_is_where_the_id_is_zero():
    assert ops.convert_to_numpy(padding_mask([[4, 0, 0], [1, 2, 0]])).tolist() == [
        [True, False, False],
        [True, True, False],
    ]


def test_a_mask_over_a_size_that_is_known_only_at_run_time():
    function = tf.function(
        lambda ids, lengths: length_mask(lengths, ops.shape(ids)[1]),
        input_signature=[tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)],
    )
    for size in (3, 5):
        mask = function(np.zeros((2, size), "int32"), np.array([2, 9], "int32"))
        assert mask.numpy().tolist() == [[True, True] + [False] * (size - 2), [True] * size]


def test_both_masks_are_one_where_both_keep():
    keys = np.array([[True, True, False], [True, False, False]])
    pairs = np.array([[[False, True, True], [True, True, True]], [[True, True, True], [False, True, True]]])
    both = ops.convert_to_numpy(combine_masks(keys, pairs))
    assert both.tolist() == [[[False, True, False], [True, True, False]], [[True, False, False], [False, False, False]]]
    assert ops.convert_to_numpy(combine_masks(keys, None)).shape == (2, 1, 3)
    assert combine_masks(None, pairs) is pairs


def test_the_causal_mask_keeps_the_past_and_the_present():
    assert ops.convert_to_numpy(causal_mask(3)).tolist() == np.tril(np.ones((3, 3), bool)).tolist()
    assert ops.convert_to_numpy(causal_mask(2, 4)).tolist() == [[True, False, False, False], [True, True, False, False]]


def test_padding_and_the_future_are_hidden_together():
    both = ops.convert_to_numpy(combine_masks(np.array([[True, True, False]]), None, causal_mask(3)))
    assert both.tolist() == [[[True, False, False], [True, True, False], [True, True, False]]]
    assert ops.convert_to_numpy(combine_masks(None, None, causal_mask(2))).shape == (1, 2, 2)
