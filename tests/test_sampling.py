"""Sampling: what is drawn is drawn by its probability, and by the given numbers alone."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_seq import decoding
from keras_seq.models import Seq2Seq
from keras_seq.sampling import draw, draw_numbers, draw_reference, sample, sample_reference

LENGTHS, LONGEST = np.array([3, 6, 1], "int32"), 7
SETTINGS = [{}, {"temperature": 0.5}, {"top_k": 4}, {"top_p": 0.6}, {"temperature": 2.0, "top_k": 5, "top_p": 0.8}]


@pytest.fixture(scope="module")
def model():
    model, random = Seq2Seq(23, 13, embedding_size=6, units=10), np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.9)
    return model


@pytest.fixture(scope="module")
def sources():
    ids = np.random.default_rng(4).integers(4, 23, (3, 6)).astype("int32")
    return np.where(np.arange(6) < LENGTHS[:, None], ids, 0)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_loop_draws_what_the_plain_reference_draws(settings, model, sources):
    numbers = draw_numbers(3, LONGEST, seed=5)
    ids, length, _ = (np.asarray(array) for array in sample(model, sources, LENGTHS, LONGEST, numbers, **settings))
    wanted = sample_reference(model, sources, LENGTHS, LONGEST, numbers, **settings)
    assert ids.tolist() == [row + [0] * (LONGEST - len(row)) for row in wanted]
    assert length.tolist() == [len(row) - (row[-1] == decoding.END) for row in wanted]


def test_only_the_likeliest_is_left_to_draw_greedy_decoding_comes_out(model, sources):
    greedy = decoding.greedy(model, sources, LENGTHS, LONGEST)
    for settings in ({"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-3}):
        drawn = sample(model, sources, LENGTHS, LONGEST, draw_numbers(3, LONGEST, 1), **settings)
        assert (np.asarray(drawn[0]) == np.asarray(greedy[0])).all()
        np.testing.assert_allclose(drawn[2], greedy[2], atol=1e-5)  # the model's own, whatever the temperature


def test_tokens_are_drawn_as_often_as_their_probability_says():
    probability = np.array([0.5, 0.2, 0.0, 0.3])
    logits = np.tile(np.log(np.maximum(probability, 1e-30)), (20000, 1))
    token, _ = draw(logits, draw_numbers(20000, 1, seed=3)[:, 0])
    shares = np.bincount(np.asarray(token), minlength=4) / 20000
    np.testing.assert_allclose(shares, probability, atol=4 * 0.5 / np.sqrt(20000))
    assert shares[2] == 0


@pytest.mark.parametrize(
    ("settings", "number", "wanted"),
    [  # sorted: 0.5 (token 2), 0.3 (token 0), 0.2 (token 1)
        ({}, 0.49, 2),
        ({}, 0.51, 0),
        ({}, 0.81, 1),
        ({"top_k": 2}, 0.62, 2),  # 0.5 / 0.8 = 0.625
        ({"top_k": 2}, 0.63, 0),
        ({"top_p": 0.45}, 0.99, 2),  # the first alone has 0.5
        ({"top_p": 0.55}, 0.99, 0),
        ({"temperature": 0.5}, 0.65, 2),  # squares 0.25, 0.09, 0.04: 0.658, 0.895, 1
        ({"temperature": 0.5}, 0.66, 0),
        ({"temperature": 0.5}, 0.9, 1),
    ],
)
def test_by_hand(settings, number, wanted):
    logits = np.log(np.array([0.3, 0.2, 0.5]))
    token, score = draw(logits[None].astype("float32"), ops.convert_to_tensor([number], "float32"), **settings)
    assert int(token[0]) == wanted == draw_reference(logits, number, **settings)
    assert float(score[0]) == pytest.approx(logits[wanted], abs=1e-6)


def test_a_number_next_to_1_never_reaches_what_has_no_probability():
    logits = np.array([[0.0] * 2999 + [-100.0]], "float32")
    almost = np.array([np.nextafter(np.float32(1), np.float32(0))])
    assert int(draw(logits, almost)[0][0]) < 2999


def test_the_same_numbers_draw_the_same_in_another_batch_and_in_a_graph(model, sources):
    numbers = draw_numbers(3, LONGEST, seed=8)
    together = np.asarray(sample(model, sources, LENGTHS, LONGEST, numbers)[0])
    alone = sample(model, sources[1:2], LENGTHS[1:2], LONGEST, numbers[1:2])[0]
    assert (np.asarray(alone)[0] == together[1]).all()
    graph = tf.function(lambda *inputs: sample(model, inputs[0], inputs[1], LONGEST, inputs[2])[0], autograph=False)
    assert (np.asarray(graph(tf.constant(sources), tf.constant(LENGTHS), tf.constant(numbers))) == together).all()
    others = [np.asarray(sample(model, sources, LENGTHS, LONGEST, draw_numbers(3, LONGEST, s))[0]) for s in (8, 9)]
    assert (others[0] == together).all() and (others[1] != together).any()
    assert (draw_numbers(5, LONGEST, 8)[:3] == numbers).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0}, "temperature=0 is not above 0; for the likeliest token"),
        ({"top_k": 0}, "top_k=0 is not a number of tokens"),
        ({"top_k": 1.5}, "top_k=1.5 is not a number of tokens"),
        ({"top_p": 0}, r"top_p=0 is not in \(0, 1\]"),
        ({"top_p": 1.2}, r"top_p=1.2 is not in \(0, 1\]"),
    ],
)
def test_wrong_settings_are_refused(settings, message, model, sources):
    with pytest.raises(ValueError, match=message):
        sample(model, sources, LENGTHS, LONGEST, draw_numbers(3, LONGEST, 1), **settings)


def test_too_few_numbers_are_refused(model, sources):
    with pytest.raises(ValueError, match=r"numbers have shape \(3, 6\), wanted \(batch, 7\)"):
        sample(model, sources, LENGTHS, LONGEST, draw_numbers(3, LONGEST - 1, 1))
