"""Lengths to masks and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_seq.layers import length_mask, mask_lengths, padding_mask


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_lengths_come_back_from_their_mask(lengths):
    mask = length_mask(np.array(lengths, "int32"), 9)
    assert ops.convert_to_numpy(mask).shape == (len(lengths), 9)
    assert ops.convert_to_numpy(mask_lengths(mask)).tolist() == lengths


def test_padding_is_where_the_id_is_zero():
    assert ops.convert_to_numpy(padding_mask([[4, 0, 0], [1, 2, 0]])).tolist() == [
        [True, False, False],
        [True, True, False],
    ]
