"""A walk by steps, with cache or recurrent state, gives what the whole model gives at every position."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_seq import decoding
from keras_seq.decoding import START, WithoutCache, greedy, greedy_without_cache
from keras_seq.models import Seq2Seq, Transformer

LENGTHS = np.array([3, 9, 1, 6], "int32")
TOKENS, LONGEST = 23, 19
SIZES = {"units": 12, "num_layers": 2, "num_heads": 3, "feed_forward": 20, "max_target": LONGEST, "dropout": 0.1}
MODELS = {
    "attention": lambda: Seq2Seq(29, TOKENS, embedding_size=6, units=10, dropout=0.1),
    "no attention": lambda: Seq2Seq(29, TOKENS, embedding_size=6, units=10, attention=False),
    "attention, tied": lambda: Seq2Seq(TOKENS, TOKENS, embedding_size=6, units=10, tied=True),
    "transformer, pre": lambda: Transformer(29, TOKENS, norm="pre", **SIZES),
    "transformer, post": lambda: Transformer(29, TOKENS, norm="post", **SIZES),
    "transformer, tied": lambda: Transformer(TOKENS, TOKENS, tied=True, **SIZES),
}


ONE_OF_EACH = pytest.mark.parametrize("model", ["attention", "no attention", "transformer, pre"], indirect=True)


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    """With weights large enough that what is written depends on the source and on every token before."""
    keras.utils.set_random_seed(5)
    model, random = MODELS[request.param](), np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(weight + random.normal(size=weight.shape) * 0.3)
    return model


@pytest.fixture(scope="module")
def stepped(model):
    """What the steps give at every position of the longest target."""
    return by_steps(model, sources(), targets(LONGEST))


def sources(seed=4):
    random = np.random.default_rng(seed)
    ids = random.integers(4, TOKENS, (len(LENGTHS), LENGTHS.max())).astype("int32")
    return np.where(np.arange(LENGTHS.max()) < LENGTHS[:, None], ids, 0)


def targets(length, seed=6):
    ids = np.random.default_rng(seed).integers(3, TOKENS, (len(LENGTHS), length)).astype("int32")
    ids[:, 0] = START
    return ids


def by_steps(generator, source, target):
    """Log-probabilities `(batch, target, vocabulary)`."""
    memory, state = generator.encode(source, LENGTHS)
    written = []
    for position in range(target.shape[1]):
        logits, state = generator.step(target[:, position], state, memory)
        written.append(ops.convert_to_numpy(ops.log_softmax(logits)))
    return np.stack(written, axis=1)


def at_once(model, source, target):
    logits = model({"source": source, "target": target}, training=False)
    return ops.convert_to_numpy(ops.log_softmax(logits))


@pytest.mark.parametrize("length", [1, 2, 11, LONGEST])
def test_steps_give_the_log_probabilities_of_the_whole_pass_at_every_position(length, model, stepped):
    whole = at_once(model, sources(), targets(LONGEST)[:, :length])
    assert whole.shape == (len(LENGTHS), length, TOKENS) and stepped.dtype == whole.dtype == "float32"
    difference = np.abs(stepped[:, :length] - whole).max(axis=(0, 2))  # (target,)
    assert difference.tolist() == pytest.approx([0] * length, abs=1e-5)


@ONE_OF_EACH
def test_the_comparison_would_see_another_source_and_another_token(model):
    source, target = sources(), targets(4)
    whole = at_once(model, source, target)
    assert np.abs(by_steps(model, sources(seed=7), target) - whole).max() > 0.01
    other = target.copy()
    other[:, 1] = 3 + (other[:, 1] - 2) % (TOKENS - 3)
    changed = np.abs(by_steps(model, source, other) - whole).max(axis=(0, 2))
    assert changed[0] < 1e-5 and changed[1:].min() > 0.01


@ONE_OF_EACH
def test_without_a_cache_the_steps_are_the_same(model, stepped):
    written = by_steps(WithoutCache(model, 5), sources(), targets(LONGEST)[:, :5])
    np.testing.assert_allclose(written, stepped[:, :5], atol=1e-5)


class Unpadded:
    """A generator that never writes padding, as a trained one does not."""

    def __init__(self, generator):
        self.encode, self._generator = generator.encode, generator

    def step(self, token, state, memory):
        logits, state = self._generator.step(token, state, memory)
        return logits - 1e9 * np.eye(1, TOKENS, 0, dtype="float32"), state


@ONE_OF_EACH
@pytest.mark.parametrize("max_length", [1, 6])
def test_greedy_decoding_without_a_cache_writes_the_same(model, max_length):
    """On sources with something behind their length, which is not to be read."""
    source = np.where(sources() == 0, 9, sources())
    quick = greedy(Unpadded(model), source, LENGTHS, max_length)
    slow = greedy(Unpadded(WithoutCache(model, max_length)), source, LENGTHS, max_length)
    for one, other in zip(quick, slow, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert max_length == 1 or len({tuple(row) for row in np.asarray(quick[0]).tolist()}) > 1


def test_greedy_without_cache_calls_the_whole_model_on_all_that_is_written():
    shapes = []

    class Watched:
        """Writes 5, 6, 7, ... and ends after the fourth token."""

        def __call__(self, inputs, training):
            shapes.append((tuple(inputs["source"].shape), tuple(inputs["target"].shape)))
            assert training is False
            length = inputs["target"].shape[1]
            token = decoding.END if length == 5 else 4 + length
            return ops.one_hot(ops.zeros((2, length), "int32") + token, 11) * 9.0

    source, length = np.array([[4, 5, 6], [7, 0, 0]], "int32"), np.array([3, 1], "int32")
    ids, written, _ = greedy_without_cache(Watched(), source, length, 8)
    assert np.asarray(ids).tolist() == [[5, 6, 7, 8, decoding.END, 0, 0, 0]] * 2
    assert np.asarray(written).tolist() == [4, 4]
    assert shapes == [((2, 3), (2, length)) for length in range(1, 6)]


@pytest.mark.parametrize("rows", [1, 4])
def test_compiled_greedy_without_cache_is_the_same(rows):
    model = Transformer(29, TOKENS, **SIZES)
    model.get_layer("readout").weights[-1].assign(np.eye(1, TOKENS, 0)[0] * -9)  # no padding is written
    compiled = tf.function(lambda *inputs: greedy_without_cache(model, *inputs, 7), autograph=False)
    source = tf.constant(sources()[-rows:]), tf.constant(LENGTHS[-rows:])
    for one, other in zip(compiled(*source), greedy(model, *source, 7), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
