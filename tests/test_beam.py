"""Beam search in the graph is the slow one in Python."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq import decoding
from keras_seq.beam import beam, beam_reference
from keras_seq.models import Seq2Seq, Transformer

LENGTHS = np.array([3, 9, 1, 6], "int32")
LONGEST = 7


def make(kind, seed):
    keras.utils.set_random_seed(seed)
    if kind == "transformer":
        model = Transformer(23, 13, units=8, num_layers=1, num_heads=2, feed_forward=8, max_target=LONGEST, dropout=0)
    else:
        model = Seq2Seq(23, 13, embedding_size=6, units=10, attention=kind == "attention")
    random = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.6)
    return model


def sources(seed):
    ids = np.zeros((len(LENGTHS), 9), "int32")
    for row, length in enumerate(LENGTHS):
        ids[row, :length] = np.random.default_rng(seed + row).integers(4, 23, length)
    return ids


def compare(found, wanted):
    ids, length, scores = (np.asarray(tensor) for tensor in found)
    for row, (wanted_ids, wanted_scores) in enumerate(wanted):
        size = len(wanted_ids)
        assert ids[row, :size].tolist() == wanted_ids and not ids[row, size:].any()
        np.testing.assert_allclose(scores[row, :size], wanted_scores, atol=1e-4)
        assert not scores[row, size:].any()
        assert length[row] == size - (wanted_ids[-1] == decoding.END)


@pytest.mark.parametrize("kind", ["attention", "no attention", "transformer"])
@pytest.mark.parametrize(("beams", "length_penalty"), [(2, 1.0), (4, 0.6)])
def test_it_equals_the_slow_reference(kind, beams, length_penalty):
    for seed in range(2):
        model, source = make(kind, seed), sources(seed)
        options = {"beams": beams, "length_penalty": length_penalty}
        found = beam(model, source, LENGTHS, LONGEST, **options)
        compare(found, beam_reference(model, source, LENGTHS, LONGEST, **options))


def test_one_beam_without_a_penalty_is_greedy():
    for seed in range(2):
        model, source = make("attention", seed), sources(seed)
        found = beam(model, source, LENGTHS, LONGEST, beams=1, length_penalty=0.0)
        greedy = decoding.greedy(model, source, LENGTHS, LONGEST)
        for one, other in zip(found, greedy, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_more_beams_find_no_worse_outputs():
    """Of a model small enough to try all outputs, many beams find the best one."""
    model, source = make("attention", 5), sources(5)
    scores = {}
    for beams in (1, 6):
        _, _, log_probability = beam(model, source, LENGTHS, LONGEST, beams=beams, length_penalty=0.0)
        scores[beams] = np.asarray(log_probability).sum(axis=1)
    assert (scores[6] >= scores[1] - 1e-5).all() and (scores[6] > scores[1] + 1e-3).any()


def test_compiled_with_a_dynamic_batch_it_is_the_same():
    model, source = make("transformer", 1), sources(1)
    specs = [tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)]
    compiled = tf.function(lambda ids, length: beam(model, ids, length, LONGEST), specs, autograph=False)
    wanted = beam_reference(model, source, LENGTHS, LONGEST)
    compare(compiled(source, LENGTHS), wanted)
    compare(compiled(source[1:3], LENGTHS[1:3]), wanted[1:3])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"beams": 0}, "beams=0 is not a number of beams"), ({"length_penalty": -1.0}, "length_penalty=-1.0 is below 0")],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        beam(make("attention", 0), sources(0), LENGTHS, LONGEST, **options)
