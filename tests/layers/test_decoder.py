"""The decoder: one step is its equation, and the walk over a target is its steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_seq.layers import AttentionDecoder, ContextDecoder

BATCH, TARGET, SOURCE, TOKEN, VALUE, UNITS, SCORING = 2, 3, 5, 4, 7, 6, 8
LENGTHS = np.array([3, 5], "int32")


def arrays(dtype="float32", seed=0):
    random = np.random.default_rng(seed)
    shapes = (BATCH, TARGET, TOKEN), (BATCH, UNITS), (BATCH, SOURCE, VALUE)
    return [random.normal(size=shape).astype(dtype) for shape in shapes]


def noisy(decoder, *inputs):
    """The decoder, built and with large random weights."""
    decoder(*inputs)
    random = np.random.default_rng(1)
    for weight in decoder.weights:
        weight.assign(0.7 * random.normal(size=weight.shape))
    return decoder


@pytest.fixture(scope="module")
def attending():
    return noisy(AttentionDecoder(UNITS, SCORING), *arrays(), LENGTHS)


@pytest.fixture(scope="module")
def exact():
    """The same in float64, for comparisons to many digits."""
    return noisy(AttentionDecoder(UNITS, SCORING, dtype="float64"), *arrays("float64"), LENGTHS)


@pytest.fixture(scope="module", params=[AttentionDecoder, ContextDecoder])
def any_decoder(request):
    """Either decoder, with what it takes after the tokens and the first state."""
    values = arrays()[2]
    context = (values, LENGTHS) if request.param is AttentionDecoder else (values[:, 0],)
    return noisy(request.param(UNITS), *arrays()[:2], *context), context


def by_hand(decoder, tokens, state, values, lengths):
    """Outputs and attention weights: the equations of both papers in numpy, one row and one step at a time."""
    weight = {"/".join(weight.path.split("/")[1:]): weight.numpy().astype("float64") for weight in decoder.weights}
    outputs = np.zeros((*tokens.shape[:2], UNITS + VALUE))
    alignments = np.zeros((*tokens.shape[:2], values.shape[1]))
    for row, length in enumerate(lengths):
        hidden, kept = state[row].astype("float64"), values[row, :length].astype("float64")
        keys = kept @ weight["attention/score/key/kernel"] + weight["attention/score/key/bias"]
        for position in range(tokens.shape[1]):
            scores = np.tanh(hidden @ weight["attention/score/query/kernel"] + keys) @ weight["attention/score/scale"]
            alignment = np.exp(scores) / np.exp(scores).sum()
            context = alignment @ kept
            read = np.concatenate([tokens[row, position], context]) @ weight["cell/kernel"] + weight["cell/bias"][0]
            kept_state = hidden @ weight["cell/recurrent_kernel"] + weight["cell/bias"][1]
            update, reset = 1 / (1 + np.exp(-(read + kept_state)[: 2 * UNITS].reshape(2, UNITS)))
            candidate = np.tanh(read[2 * UNITS :] + reset * kept_state[2 * UNITS :])
            hidden = update * hidden + (1 - update) * candidate
            outputs[row, position] = np.concatenate([hidden, context])
            alignments[row, position, :length] = alignment
    return outputs, alignments


def test_without_weights_the_state_halves_and_the_context_is_the_mean_of_the_source():
    """All weights zero: update gate 1/2, candidate 0, equal scores."""
    tokens, state, values = arrays()
    decoder = AttentionDecoder(UNITS)
    decoder(tokens, state, values, LENGTHS)
    for weight in decoder.weights:
        weight.assign(np.zeros(weight.shape))
    outputs, weights = decoder(tokens, state, values, LENGTHS, return_attention_scores=True)
    for row, length in enumerate(LENGTHS):
        for position in range(TARGET):
            hidden, context = outputs[row, position, :UNITS], outputs[row, position, UNITS:]
            np.testing.assert_allclose(hidden, state[row] / 2 ** (position + 1), atol=1e-6)
            np.testing.assert_allclose(context, values[row, :length].mean(0), atol=1e-6)
            np.testing.assert_allclose(weights[row, position, :length], 1 / length, rtol=1e-6)


def test_the_decoder_equals_its_equations(exact):
    inputs = *arrays("float64"), LENGTHS
    outputs, weights = exact(*inputs, return_attention_scores=True)
    wanted, alignments = by_hand(exact, *inputs)
    np.testing.assert_allclose(outputs, wanted, atol=1e-12)
    np.testing.assert_allclose(weights, alignments, atol=1e-12)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["tokens", "state", "values"])
def test_its_gradient_equals_finite_differences(exact, which):
    inputs = [*arrays("float64"), LENGTHS]
    tensors = [tf.constant(array) for array in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors[which])
        total = tf.reduce_sum(exact(*tensors) ** 2)
    gradient = tape.gradient(total, tensors[which]).numpy()

    def loss(place, change):
        moved = [array.copy() for array in inputs]
        moved[which][place] += change
        return (by_hand(exact, *moved)[0] ** 2).sum()

    for place in [(0,) * gradient.ndim, (1,) * gradient.ndim, (1, 2, 3)[: gradient.ndim]]:
        difference = (loss(place, 1e-5) - loss(place, -1e-5)) / 2e-5
        np.testing.assert_allclose(gradient[place], difference, rtol=1e-6, atol=1e-8)


def test_step_after_step_equals_the_walk(any_decoder):
    decoder, context = any_decoder
    tokens, state, _ = arrays()
    walked = decoder(tokens, state, *context)
    memory = decoder.prepare(*context)
    for position in range(TARGET):
        output, state = decoder.step(tokens[:, position], state, memory)
        np.testing.assert_allclose(output, walked[:, position], atol=1e-5)
        np.testing.assert_array_equal(output[:, :UNITS], state)


def test_what_lies_in_the_padding_changes_nothing(attending):
    tokens, state, values = arrays()
    other = values.copy()
    other[0, 3:] = 1e4 * np.random.default_rng(7).normal(size=(2, VALUE))
    wider = np.pad(values, ((0, 0), (0, 4), (0, 0)), constant_values=9.0)
    outputs = attending(tokens, state, values, LENGTHS)
    np.testing.assert_allclose(attending(tokens, state, other, LENGTHS), outputs, atol=1e-6)
    np.testing.assert_allclose(attending(tokens, state, wider, LENGTHS), outputs, atol=1e-6)


def test_a_source_of_nothing_but_padding_has_no_context_and_stays_finite(attending):
    tokens, state, values = arrays()
    outputs, weights = attending(tokens, state, values, np.array([0, 5], "int32"), return_attention_scores=True)
    assert np.isfinite(outputs).all()
    assert not np.any(outputs[0, :, UNITS:]) and not np.any(weights[0])


def test_a_batch_equals_its_rows(any_decoder):
    decoder, context = any_decoder
    tokens, state, _ = arrays()
    together = decoder(tokens, state, *context)
    for row in range(BATCH):
        alone = decoder(tokens[row : row + 1], state[row : row + 1], *(part[row : row + 1] for part in context))
        np.testing.assert_allclose(alone[0], together[row], atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_equals_eager_and_so_do_its_gradients(any_decoder, jit_compile):
    """Training under XLA differentiates the loop, which is where `ops.scan` and a 3-D projection fail."""
    decoder, context = any_decoder
    variables = [weight.value for weight in decoder.trainable_weights]

    def gradients(tokens, state):
        with tf.GradientTape() as tape:
            outputs = decoder(tokens, state, *context)
            loss = tf.reduce_sum(outputs**2)
        return outputs, *tape.gradient(loss, variables)

    inputs = [tf.constant(array) for array in arrays()[:2]]
    compiled = tf.function(gradients, jit_compile=jit_compile)(*inputs)
    for got, wanted in zip(compiled, gradients(*inputs), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_the_dtype_policy_is_respected_and_finite(any_decoder, policy):
    decoder, context = any_decoder
    twin = type(decoder)(UNITS, dtype=policy)
    tokens, state, _ = arrays()
    outputs = twin(30 * tokens, state, *context)
    symbolic = twin(*(keras.Input(part.shape[1:], dtype=part.dtype.name) for part in (tokens, state, *context)))
    wanted = policy.removeprefix("mixed_")
    assert [keras.backend.standardize_dtype(made.dtype) for made in (outputs, symbolic)] == [wanted, wanted]
    assert np.isfinite(ops.convert_to_numpy(ops.cast(outputs, "float32"))).all()


def test_shapes_are_known_before_there_are_values():
    inputs = [keras.Input(shape) for shape in ((None, TOKEN), (UNITS,), (None, VALUE))]
    lengths = keras.Input((), dtype="int32")
    outputs, weights = AttentionDecoder(UNITS)(*inputs, lengths, return_attention_scores=True)
    assert outputs.shape == (None, None, UNITS + VALUE) and weights.shape == (None, None, None)
    tokens, state, _ = inputs
    assert ContextDecoder(UNITS)(tokens, state, keras.Input((9,))).shape == (None, None, UNITS + 9)


@pytest.mark.parametrize(
    "decoder", [AttentionDecoder(UNITS, SCORING, dropout=0.25, name="a"), ContextDecoder(UNITS, 0.5, name="c")]
)
def test_its_configuration_makes_it_again(decoder):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(decoder))
    assert type(again) is type(decoder) and again.get_config() == decoder.get_config()


def test_dropout_acts_in_training_alone():
    tokens, state, values = arrays()
    decoder = AttentionDecoder(UNITS, dropout=0.5)
    keras.utils.set_random_seed(2)
    calm = decoder(tokens, state, values, LENGTHS)
    np.testing.assert_array_equal(decoder(tokens, state, values, LENGTHS, training=False), calm)
    first, second = (decoder(tokens, state, values, LENGTHS, training=True) for _ in range(2))
    assert np.abs(first - calm).max() > 1e-3 and np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize("decoder", [AttentionDecoder, ContextDecoder])
def test_sizes_and_shares_out_of_range_are_refused(decoder):
    with pytest.raises(ValueError, match="units=0 is not a width; give a whole number"):
        decoder(0)
    with pytest.raises(ValueError, match="units=2.5 is not a width"):
        decoder(2.5)
    for dropout in (1.0, -0.1):
        with pytest.raises(ValueError, match=rf"dropout={dropout} is outside \[0, 1\)"):
            decoder(UNITS, dropout=dropout)


def test_a_scoring_network_without_units_is_refused_and_not_replaced():
    with pytest.raises(ValueError, match="units=0 is not a width"):
        AttentionDecoder(UNITS, attention_units=0)
    assert AttentionDecoder(UNITS).attention_units == UNITS


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tokens": (BATCH, TOKEN)}, r"tokens has shape \(2, 4\); attention wants \(batch, time, features\)"),
        ({"state": (BATCH, 9)}, r"state has shape \(2, 9\); this decoder wants \(batch, 6\), its units: put a Dense"),
        ({"state": (BATCH, 1, UNITS)}, r"state has shape \(2, 1, 6\); this decoder wants \(batch, 6\)"),
        ({"state": (3, UNITS)}, r"state of shape \(3, 6\) has 3 on axis 0, but tokens of shape .* has 2 on axis 0"),
        ({"values": (3, SOURCE, VALUE)}, r"values of shape \(3, 5, 7\) has 3 on axis 0, but tokens"),
        ({"lengths": (3,)}, r"lengths of shape \(3,\) has 3 on axis 0, but tokens"),
        ({"context": (3, VALUE)}, r"context of shape \(3, 7\) has 3 on axis 0, but tokens"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_values_and_without(wrong, message):
    shapes = {"tokens": (BATCH, TARGET, TOKEN), "state": (BATCH, UNITS)}
    others = {"context": (BATCH, VALUE)} if "context" in wrong else {"values": (BATCH, SOURCE, VALUE), "lengths": (2,)}
    make = ContextDecoder if "context" in wrong else AttentionDecoder
    for tensor in (ops.ones, lambda shape, dtype: keras.Input(batch_shape=shape, dtype=dtype)):
        given = {
            name: tensor(shape, "int32" if name == "lengths" else "float32")
            for name, shape in {**shapes, **others, **wrong}.items()
        }
        with pytest.raises(ValueError, match=message):
            make(UNITS)(**given)


def test_lengths_that_are_not_whole_are_refused():
    with pytest.raises(ValueError, match="lengths are float32 .* wanted int32"):
        AttentionDecoder(UNITS)(*arrays(), LENGTHS.astype("float32"))
