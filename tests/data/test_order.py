"""The order task asks for what stood some places before, and nothing else answers it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq.data.order import looking_back


@settings(max_examples=30, deadline=None)
@given(distance=st.integers(1, 6), seed=st.integers(0, 99))
def test_with_one_distance_the_label_is_the_id_that_stood_so_far_before(distance, seed):
    ids, labels = looking_back(5, length=7, symbols=4, distances=(distance,), seed=seed)
    assert labels.shape == ids.shape == (5, 7)
    assert (labels[:, :distance] == 0).all()
    assert np.array_equal(labels[:, distance:], ids[:, :-distance])


@settings(max_examples=30, deadline=None)
@given(distances=st.lists(st.integers(1, 6), min_size=2, max_size=2), seed=st.integers(0, 99))
def test_with_two_distances_the_label_says_both_ids_in_order(distances, seed):
    ids, labels = looking_back(5, length=8, symbols=3, distances=tuple(distances), seed=seed)
    near, far = distances
    assert (labels[:, : max(distances)] == 0).all()
    for place in range(max(distances), 8):
        first, second = np.divmod(labels[:, place] - 1, 3)
        assert np.array_equal(first + 1, ids[:, place - near])
        assert np.array_equal(second + 1, ids[:, place - far])


def test_the_seed_decides_the_sequences():
    first, again, other = (looking_back(4, 6, 9, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("distances", "message"),
    [
        ((), r"distances=\(\); give one distance, or two for both"),
        ((1, 2, 3), r"distances=\(1, 2, 3\); give one distance, or two"),
        ((5,), r"distances=\(5,\) in a sequence of 5; choose from 1 to 4"),
        ((0, 2), r"distances=\(0, 2\) in a sequence of 5; choose from 1 to 4"),
    ],
)
def test_distances_that_do_not_fit_are_refused(distances, message):
    with pytest.raises(ValueError, match=message):
        looking_back(2, length=5, symbols=3, distances=distances)
