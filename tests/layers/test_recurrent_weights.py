"""The three layouts of a recurrent layer's weights, and the ways between them."""

import itertools

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
from hypothesis import given, settings

from keras_seq.layers.recurrent import GRUCell, LSTMCell, SimpleRNNCell
from keras_seq.layers.recurrent_weights import convert_recurrent_weights

FEATURES, UNITS = 3, 5
GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}
OURS = {"simple_rnn": SimpleRNNCell, "lstm": LSTMCell, "gru": GRUCell}
KERAS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def random_torch(cell, features=FEATURES, units=UNITS, use_bias=True, seed=0):
    random, joined = np.random.default_rng(seed), GATES[cell] * units
    shapes = {"weight_ih": (joined, features), "weight_hh": (joined, units), "bias_ih": (joined,), "bias_hh": (joined,)}
    return {name: random.normal(size=shape) for name, shape in shapes.items() if use_bias or "bias" not in name}


def assert_same(ones, others):
    if isinstance(ones, dict):
        assert list(ones) == list(others)
        ones, others = ones.values(), others.values()
    for one, other in zip(ones, others, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_a_gru_of_one_unit_written_out():
    torch = {
        "weight_ih": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),  # reset, update, candidate
        "weight_hh": np.array([[7.0], [8.0], [9.0]]),
        "bias_ih": np.array([10.0, 20.0, 30.0]),
        "bias_hh": np.array([0.1, 0.2, 0.3]),
    }
    keras_weights = convert_recurrent_weights(torch, "gru", "torch", "keras")
    kernel, recurrent_kernel, bias = ([[3, 1, 5], [4, 2, 6]], [[8, 7, 9]], [[20, 10, 30], [0.2, 0.1, 0.3]])
    for array, wanted in zip(keras_weights, (kernel, recurrent_kernel, bias), strict=True):
        np.testing.assert_array_equal(array, wanted)
    ours = convert_recurrent_weights(torch, "gru", "torch", "keras_seq")
    wanted = [[[3], [4]], [[8]], [20.2], [[1], [2]], [[7]], [10.1], [[5], [6]], [[9]], [30], [0.3]]
    for array, numbers in zip(ours, wanted, strict=True):
        np.testing.assert_allclose(array, numbers, rtol=1e-15)


def test_the_update_gate_changes_its_sign_where_the_other_share_keeps_the_state():
    torch = random_torch("gru")
    keeps = convert_recurrent_weights(torch, "gru", "torch", "keras_seq")
    leaves = convert_recurrent_weights(torch, "gru", "torch", "keras_seq", update_keeps_state=False)
    for place, (one, other) in enumerate(zip(keeps, leaves, strict=True)):
        np.testing.assert_array_equal(one, -other if place < 3 else other)
    assert_same(convert_recurrent_weights(leaves, "gru", "keras_seq", "keras_seq", update_keeps_state=False), leaves)


def test_our_order_is_that_of_get_weights():
    for cell, ours in OURS.items():
        made = ours(UNITS)
        made.build((None, FEATURES))
        weights = convert_recurrent_weights(random_torch(cell), cell, "torch", "keras_seq")
        assert [weight.shape for weight in made.weights] == [array.shape for array in weights]


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("use_bias", [True, False])
def test_our_cells_start_as_keras_cells_of_the_same_seeds(cell, use_bias):
    made = []
    for make in (OURS[cell], KERAS[cell]):
        kernel, recurrent = keras.initializers.GlorotUniform(seed=7), keras.initializers.Orthogonal(seed=8)
        made.append(make(UNITS, kernel_initializer=kernel, recurrent_initializer=recurrent, use_bias=use_bias))
    ours, theirs = made
    ours.build((None, FEATURES))
    theirs.build((None, None, FEATURES))
    converted = convert_recurrent_weights(ours.get_weights(), cell, "keras_seq", "keras")
    for one, other in zip(converted, theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    cell=st.sampled_from(sorted(GATES)),
    features=st.integers(1, 6),
    units=st.integers(1, 7),
    use_bias=st.booleans(),
    keeps=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
    path=st.lists(st.sampled_from(["keras_seq", "keras", "torch"]), max_size=4),
)
def test_weights_come_back_from_every_journey(cell, features, units, use_bias, keeps, dtype, path):
    """Biases that merge come back as their sum and 0, so that the journey starts where they are merged: with us."""
    torch = {name: array.astype(dtype) for name, array in random_torch(cell, features, units, use_bias, seed=4).items()}
    flags = {"update_keeps_state": keeps} if cell == "gru" else {}
    start = convert_recurrent_weights(torch, cell, "torch", "keras_seq", **flags)
    weights = start
    for source, target in itertools.pairwise(["keras_seq", *path, "keras_seq"]):
        weights = convert_recurrent_weights(weights, cell, source, target, **flags)
    assert_same(weights, start)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_gru_that_resets_before_goes_to_keras_and_back(keeps):
    made = GRUCell(UNITS, reset_after=False, update_keeps_state=keeps, bias_initializer="normal")
    made.build((None, FEATURES))
    flags = {"reset_after": False, "update_keeps_state": keeps}
    there = convert_recurrent_weights(made.get_weights(), "gru", "keras_seq", "keras", **flags)
    assert [array.shape for array in there] == [(FEATURES, 15), (UNITS, 15), (15,)]
    assert_same(convert_recurrent_weights(there, "gru", "keras", "keras_seq", **flags), made.get_weights())


def test_between_keras_gru_and_pytorch_both_biases_travel():
    torch = random_torch("gru")
    there = convert_recurrent_weights(torch, "gru", "torch", "keras")
    assert_same(convert_recurrent_weights(there, "gru", "keras", "torch"), torch)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm"])
def test_two_biases_become_their_sum_and_zero(cell):
    torch = random_torch(cell)
    there = convert_recurrent_weights(torch, cell, "torch", "keras")
    back = convert_recurrent_weights(there, cell, "keras", "torch")
    np.testing.assert_array_equal(back["bias_ih"], torch["bias_ih"] + torch["bias_hh"])
    assert not back["bias_hh"].any()


@pytest.mark.parametrize("cell", GATES)
def test_what_comes_out_is_not_a_view_of_what_went_in(cell):
    weights = random_torch(cell)
    for layout in ("torch", "keras", "keras_seq"):
        converted = convert_recurrent_weights(weights, cell, "torch", layout)
        for array in converted.values() if layout == "torch" else converted:
            array[...] = 0
    assert_same(weights, random_torch(cell))


LSTM = [np.zeros(shape) for shape in ((FEATURES, 20), (UNITS, 20), (20,))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LSTM, "rnn", "keras", "torch"), "cell='rnn' is not known; choose one of simple_rnn, lstm, gru"),
        ((LSTM, "lstm", "pytorch", "keras"), "source='pytorch' is not known; choose one of keras_seq, keras, torch"),
        ((LSTM, "lstm", "keras", "jax"), "target='jax' is not known; choose one of keras_seq, keras, torch"),
        ((LSTM[:1], "lstm", "keras", "torch"), "1 arrays; a lstm .* has kernel, recurrent_kernel, bias, or without"),
        (([*LSTM, LSTM[2]], "lstm", "keras", "torch"), "4 arrays; .* one layer and one direction"),
        ((LSTM[1::-1] + LSTM[2:], "lstm", "keras", "torch"), r"kernel has shape \(5, 20\), .* wants \(5, 12\)"),
        ((LSTM, "gru", "keras", "torch"), r"kernel has shape \(3, 20\), .* wants \(3, 15\).* reset_after as"),
        (([3.0, 4.0], "lstm", "keras", "torch"), r"kernel has shape \(\)"),
        ((LSTM, "lstm", "keras", "torch", False), "a lstm has no reset and update gates"),
        ((LSTM, "lstm", "keras", "torch", True, False), "a lstm has no reset and update gates"),
        ((LSTM, "gru", "keras", "torch", False), "reset_after=False has no counterpart in PyTorch"),
        ((random_torch("gru"), "gru", "torch", "keras", False), "reset_after=False has no counterpart in PyTorch"),
        (({"weight_ih_l0": 1, "weight_hh_l0": 2}, "gru", "torch", "keras"), "are weight_ih_l0, .* has weight_ih, weig"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_known(arguments, message):
    with pytest.raises(ValueError, match=message):
        convert_recurrent_weights(*arguments)


def test_a_bias_of_the_other_reset_is_refused():
    after = convert_recurrent_weights(random_torch("gru"), "gru", "torch", "keras")
    with pytest.raises(ValueError, match=r"bias has shape \(2, 15\), .* wants \(15,\).* reset_after as the layer"):
        convert_recurrent_weights(after, "gru", "keras", "keras_seq", reset_after=False)


def test_the_wrong_container_is_a_type_error():
    with pytest.raises(TypeError, match="weights are a list; the layout 'torch' is a dict of name to array"):
        convert_recurrent_weights(LSTM, "lstm", "torch", "keras")
    with pytest.raises(TypeError, match="weights are a dict; the layout 'keras' is a list of arrays"):
        convert_recurrent_weights(random_torch("lstm"), "lstm", "keras", "torch")
