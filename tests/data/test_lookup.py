"""The look-up task has one right answer to each question, and it is where the question says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq.data.lookup import lookup


@settings(max_examples=30, deadline=None)
@given(length=st.integers(1, 7), more=st.integers(0, 4), seed=st.integers(0, 99), data=st.data())
def test_the_answer_is_the_value_of_the_one_pair_that_is_asked_about(length, more, seed, data):
    asked = data.draw(st.integers(1, length))
    inputs, answers = lookup(5, length, length + more, asked, seed=seed)
    assert inputs["query"].shape == answers.shape == (5, asked)
    assert inputs["key"].shape == inputs["value"].shape == (5, length)
    for query, key, value, answer in zip(inputs["query"], inputs["key"], inputs["value"], answers, strict=True):
        assert len(set(key)) == length and len(set(query)) == asked
        assert answer.tolist() == [value[key.tolist().index(question)] for question in query]


def test_by_position_the_question_is_a_place_counted_from_one():
    inputs, answers = lookup(11, length=5, symbols=7, asked=3, by="position")
    assert inputs["query"].min() == 1 and inputs["query"].max() == 5
    assert np.array_equal(np.take_along_axis(inputs["value"], inputs["query"] - 1, axis=1), answers)


def test_ids_leave_zero_to_padding_and_reach_the_last_symbol():
    inputs, answers = lookup(200, length=3, symbols=6)
    for ids in (*inputs.values(), answers):
        assert ids.dtype == "int32" and ids.min() == 1 and ids.max() == 6


def test_the_seed_decides_the_sources():
    first, again, other = (lookup(4, 3, 9, seed=seed)[0]["key"] for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"symbols": 4}, "symbols=4 gives no 5 different keys; choose 5 or more"),
        ({"asked": 6}, "asked=6 of 5 pairs; choose 1 to 5"),
        ({"asked": 0}, "asked=0 of 5 pairs; choose 1 to 5"),
        ({"by": "luck"}, "by='luck' is unknown; choose one of content, position"),
    ],
)
def test_a_task_that_cannot_be_made_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        lookup(**{"examples": 2, "length": 5, "symbols": 7, **options})
