"""Greedy decoding, on a generator whose every answer is known beforehand. Models: tests/models/test_seq2seq.py."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_seq import decoding
from keras_seq.beam import beam, beam_reference
from keras_seq.decoding import END, START
from keras_seq.sampling import draw_numbers, sample, sample_reference

VOCABULARY, PROBABILITY = 11, 0.75


class Copier:
    """Writes its source, each token with probability 3/4; the last source token for ever after.

    The state's two tensors differ in rank and dtype, and are not in the order of their names.
    """

    def __init__(self, dtype="float32"):
        self.dtype, self.steps, self.previous = dtype, 0, []

    def encode(self, source_ids, source_length):
        state = {"where": source_length * 0, "trace": ops.zeros_like(ops.cast(source_ids, "float32"))}
        return {"source": source_ids}, state

    def step(self, token, state, memory):
        self.steps += 1
        self.previous.append(token)
        size = memory["source"].shape[1] or ops.shape(memory["source"])[1]
        here = ops.equal(ops.expand_dims(ops.arange(size, dtype="int32"), 0), ops.expand_dims(state["where"], 1))
        written = ops.sum(ops.where(here, memory["source"], 0), axis=1)  # (batch,)
        chosen = ops.one_hot(written, VOCABULARY)  # (batch, vocabulary)
        others = (1 - PROBABILITY) / (VOCABULARY - 1)
        logits = ops.log(chosen * PROBABILITY + (1 - chosen) * others) + 3.0  # a shift that the softmax takes away
        trace = state["trace"] + ops.cast(here, "float32")
        return ops.cast(logits, self.dtype), {"where": ops.minimum(state["where"] + 1, size - 1), "trace": trace}


class Starer:
    """Writes the brightest column of a picture, its darkest, and the end, over and over; a picture has no length."""

    def encode(self, image):
        columns = ops.mean(image, axis=(1, 3))  # (batch, width)
        return {"columns": columns}, {"turn": ops.cast(columns[:, 0] * 0, "int32")}

    def step(self, token, state, memory):
        columns = memory["columns"]  # (batch, 5)
        end = ops.one_hot(ops.zeros_like(state["turn"]) + END, 8) * 50.0
        turn = ops.expand_dims(state["turn"], 1)
        bright = ops.pad(9 * columns, [[0, 0], [3, 0]])  # the ids 3 to 7
        dark = ops.pad(9 - 9 * columns, [[0, 0], [3, 0]])
        logits = ops.where(ops.equal(turn, 0), bright, ops.where(ops.equal(turn, 1), dark, end))
        return logits, {"turn": (state["turn"] + 1) % 3}


@pytest.mark.parametrize("compiled", [False, True])
def test_pictures_have_no_length(compiled):
    images = np.random.default_rng(0).random((4, 3, 5, 2), "float32")
    columns = images.mean(axis=(1, 3))
    wanted = np.stack([columns.argmax(1) + 3, columns.argmin(1) + 3, [END] * 4, [0] * 4], axis=1)

    def work(search):
        if not compiled:
            return search(images)
        spec = tf.TensorSpec((None, 3, 5, 2), tf.float32)
        return tf.function(search, input_signature=[spec], autograph=False)(images)

    ids, length, log_probability = work(lambda image: decoding.greedy(Starer(), image, None, 4))
    assert (np.asarray(ids) == wanted).all() and np.asarray(length).tolist() == [2] * 4
    slow = decoding.greedy_reference(Starer(), images, None, 4)
    assert [row for row, _ in slow] == wanted[:, :3].tolist()
    np.testing.assert_allclose([scores for _, scores in slow], np.asarray(log_probability)[:, :3], atol=1e-5)
    found = np.asarray(work(lambda image: beam(Starer(), image, None, 4, beams=3))[0])
    assert [row[row > 0].tolist() for row in found] == [ids for ids, _ in beam_reference(Starer(), images, None, 4, 3)]
    numbers = draw_numbers(4, 4, seed=1)
    drawn = np.asarray(work(lambda image: sample(Starer(), image, None, 4, numbers))[0])
    assert [row[row > 0].tolist() for row in drawn] == sample_reference(Starer(), images, None, 4, numbers)


def test_samples_of_audio_stay_floats_in_the_slow_loops():
    arguments = list(decoding.each_alone(np.float64([[0.25, 0.5], [0.75, 0]]), [2, 1]))
    assert [source.tolist() for source, _ in arguments] == [[[0.25, 0.5]], [[0.75]]]
    assert arguments[0][1].dtype == np.int32 and arguments[1][1].tolist() == [1]


def eager(source, length, max_length):
    return decoding.greedy(Copier(), source, length, max_length)


def compiled(source, length, max_length):
    return tf.function(eager, autograph=False)(tf.constant(source), tf.constant(length), max_length)


def dynamic(source, length, max_length):
    specs = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)
    function = tf.function(lambda *inputs: eager(*inputs, max_length), input_signature=specs, autograph=False)
    return function(source, length)


def under_xla(source, length, max_length):
    function = tf.function(lambda *inputs: eager(*inputs, max_length), jit_compile=True, autograph=False)
    return function(tf.constant(source), tf.constant(length))


WAYS = pytest.mark.parametrize("way", [eager, compiled, dynamic, under_xla])
SOURCE = np.array([[5, 7, END, 9, 9, 3], [END, 4, 4, 4, 4, 4], [4, 5, 6, 7, 8, END]], "int32")
LENGTH = np.array([6, 6, 6], "int32")


def decode(way, max_length, source=SOURCE, length=LENGTH):
    ids, written, log_probability = way(source, length, max_length)
    dtypes = [tensor.dtype.name for tensor in (ids, written, log_probability)]
    assert dtypes == ["int32", "int32", "float32"]
    return np.asarray(ids), np.asarray(written), np.asarray(log_probability)


@WAYS
def test_ids_hold_the_end_and_then_padding_and_the_length_does_not_count_the_end(way):
    ids, length, log_probability = decode(way, 4)
    assert ids.tolist() == [[5, 7, END, 0], [END, 0, 0, 0], [4, 5, 6, 7]]
    assert length.tolist() == [2, 0, 4]
    written = [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]]
    np.testing.assert_allclose(log_probability, np.log(PROBABILITY) * np.array(written), atol=1e-6)
    assert not log_probability[np.array(written) == 0].any()  # nothing at all, not nearly


@WAYS
def test_an_end_at_the_last_position_is_an_end(way):
    ids, length, _ = decode(way, 6)
    assert ids[2].tolist() == [4, 5, 6, 7, 8, END] and length.tolist() == [2, 0, 5]


@WAYS
def test_a_sequence_that_never_ends_fills_its_room(way):
    ids, length, _ = decode(way, 9, np.array([[5, 6, 7]], "int32"), np.array([3], "int32"))
    assert ids.tolist() == [[5, 6, 7, 7, 7, 7, 7, 7, 7]] and length.tolist() == [9]


def test_room_for_one_token_gives_one_token():
    ids, length, log_probability = decode(eager, 1)
    assert ids.tolist() == [[5], [END], [4]] and length.tolist() == [1, 0, 1]
    np.testing.assert_allclose(log_probability, np.log(PROBABILITY), atol=1e-6)


def test_it_stops_when_all_have_ended_and_not_before():
    generator = Copier()
    decoding.greedy(generator, SOURCE, LENGTH, 50)
    assert generator.steps == 6
    generator = Copier()
    decoding.greedy(generator, SOURCE[:2], LENGTH[:2], 50)
    assert generator.steps == 3


def test_the_first_token_read_is_the_start_and_then_what_was_written():
    generator = Copier()
    decoding.greedy(generator, SOURCE, LENGTH, 4)
    read = np.stack([np.asarray(token) for token in generator.previous], axis=1)
    assert read.tolist() == [[START, 5, 7, END], [START, END, 0, 0], [START, 4, 5, 6]]


def test_half_precision_logits_give_probabilities_in_float32():
    ids, _, log_probability = decoding.greedy(Copier("float16"), SOURCE, LENGTH, 4)
    assert np.asarray(ids)[0].tolist() == [5, 7, END, 0] and log_probability.dtype == "float32"
    np.testing.assert_allclose(log_probability[0, :3], np.log(PROBABILITY), atol=1e-3)


class Undecided:
    """Finds tokens 3 and 8 equally likely, always."""

    def encode(self, source_ids, source_length):
        return {}, {"nothing": ops.cast(source_length, "float32")}

    def step(self, token, state, memory):
        logits = np.zeros(VOCABULARY, "float32")
        logits[[3, 8]] = 5
        return ops.zeros((np.shape(token)[0], 1)) + logits, state


def test_of_equally_likely_tokens_the_first_is_taken():
    ids, _, _ = decoding.greedy(Undecided(), SOURCE, LENGTH, 2)
    assert np.asarray(ids).tolist() == [[3, 3]] * 3
    assert decoding.greedy_reference(Undecided(), SOURCE, LENGTH, 2)[0][0] == [3, 3]


tokens = st.integers(START, VOCABULARY - 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(tokens, min_size=5, max_size=5), min_size=1, max_size=4), st.integers(1, 7))
def test_it_equals_the_slow_reference_whatever_is_written(rows, max_length):
    source, length = np.array(rows, "int32"), np.full(len(rows), 5, "int32")
    reference = decoding.greedy_reference(Copier(), source, length, max_length)
    for (wanted, scores), ids, written, log_probability in zip(
        reference, *decode(eager, max_length, source, length), strict=True
    ):
        assert ids.tolist() == wanted + [0] * (max_length - len(wanted))
        assert written == len(wanted) - (END in wanted)
        np.testing.assert_allclose(log_probability[: len(scores)], scores, atol=1e-6)


def test_the_reference_shows_the_generator_no_padding():
    widths = []

    class Watching(Copier):
        def encode(self, source_ids, source_length):
            widths.append(source_ids.shape)
            return super().encode(source_ids, source_length)

    decoding.greedy_reference(Watching(), SOURCE, [3, 1, 6], 4)
    assert widths == [(1, 3), (1, 1), (1, 6)]


@pytest.mark.parametrize(("position", "wanted"), [(0, [9, 0, 0]), (2, [0, 0, 9]), (3, [0, 0, 0]), (-1, [0, 0, 0])])
def test_write_at_writes_inside_the_buffer_alone(position, wanted):
    for dtype in ("int32", "float32"):
        buffer = decoding.write_at(np.zeros((2, 3), dtype), position, np.array([9, 9], dtype))
        assert np.asarray(buffer).tolist() == [wanted, wanted] and buffer.dtype == dtype
