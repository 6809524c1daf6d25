"""Recurrent cells: their equations by hand, and their life inside Keras's wrappers. Parity has a test of its own."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.layers.recurrent import GRUCell, LSTMCell, SimpleRNNCell
from keras_seq.layers.recurrent_steps import gru_step, lstm_step, simple_rnn_step
from keras_seq.layers.recurrent_weights import convert_recurrent_weights

BATCH, TIME, FEATURES, UNITS = 2, 6, 3, 5
RNN = keras.layers.RNN
CELLS = {
    "simple_rnn": SimpleRNNCell,
    "lstm": LSTMCell,
    "gru": GRUCell,
    "gru_before": lambda units, **options: GRUCell(units, reset_after=False, update_keeps_state=False, **options),
}
every_cell = pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
numpy = ops.convert_to_numpy


def sequences(seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=(BATCH, TIME, FEATURES)).astype(dtype)


def sigmoid(number):
    return 1 / (1 + np.exp(-number))


def set_weights(cell, features, **values):
    """Weights of zero, but for those that are named."""
    cell.build((None, features))
    for weight in cell.weights:
        weight.assign(np.zeros(weight.shape) + np.array(values.pop(weight.name, 0.0)))
    assert not values
    return cell


def step(cell, inputs, *states):
    """One step of a cell: the output and the new states, as arrays."""
    output, states = cell(np.array(inputs, "float32"), [np.array(state, "float32") for state in states])
    return numpy(output), *map(numpy, states)


def test_a_simple_rnn_of_one_unit():
    cell = set_weights(SimpleRNNCell(1), 2, state_kernel=[[0.5], [2.0]], state_recurrent_kernel=3, state_bias=0.1)
    output, state = step(cell, [[0.2, -0.3]], [[0.25]])
    np.testing.assert_allclose(output, [[np.tanh(0.5 * 0.2 - 2 * 0.3 + 3 * 0.25 + 0.1)]], rtol=1e-6)
    np.testing.assert_array_equal(output, state)


def test_relu_lets_the_state_grow():
    cell = set_weights(SimpleRNNCell(1, "relu"), 1, state_kernel=1, state_recurrent_kernel=2)
    np.testing.assert_array_equal(numpy(RNN(cell, return_sequences=True)(np.ones((1, 4, 1))))[0, :, 0], [1, 3, 7, 15])


@pytest.mark.parametrize(("unit_forget_bias", "kept"), [(True, sigmoid(1)), (False, 0.5)])
def test_an_lstm_of_zero_weights_forgets_by_its_bias_alone(unit_forget_bias, kept):
    cell = LSTMCell(1, unit_forget_bias=unit_forget_bias, kernel_initializer="zeros", recurrent_initializer="zeros")
    output, h, c = step(cell, [[7.0]], [[0.3]], [[2.0]])
    np.testing.assert_allclose(c, [[kept * 2]], rtol=1e-6)
    np.testing.assert_allclose(h, [[0.5 * np.tanh(kept * 2)]], rtol=1e-6)
    np.testing.assert_array_equal(output, h)


def test_each_gate_of_an_lstm_has_its_own_weights():
    places = {"input": 0.1, "forget": 0.2, "candidate": 0.3, "output": 0.4}
    values = {f"{gate}_kernel": number for gate, number in places.items()}
    values |= {f"{gate}_recurrent_kernel": 10 * number for gate, number in places.items()}
    values |= {f"{gate}_bias": -number for gate, number in places.items()}
    _, h, c = step(set_weights(LSTMCell(1), 1, **values), [[2.0]], [[0.5]], [[3.0]])
    total = {gate: number * (2 + 10 * 0.5 - 1) for gate, number in places.items()}
    new = sigmoid(total["forget"]) * 3 + sigmoid(total["input"]) * np.tanh(total["candidate"])
    np.testing.assert_allclose(c, [[new]], rtol=1e-6)
    np.testing.assert_allclose(h, [[sigmoid(total["output"]) * np.tanh(new)]], rtol=1e-6)


@pytest.mark.parametrize(("update_keeps_state", "kept"), [(True, 0.75), (False, 0.25)])
def test_the_update_gate_is_the_share_of_the_old_state_or_of_the_candidate(update_keeps_state, kept):
    cell = set_weights(
        GRUCell(1, update_keeps_state=update_keeps_state), 1, update_bias=np.log(3), candidate_bias=np.arctanh(0.5)
    )  # z = 3/4, g = 1/2
    output, _ = step(cell, [[0.0]], [[0.8]])
    np.testing.assert_allclose(output, [[kept * 0.8 + (1 - kept) * 0.5]], rtol=1e-6)


@pytest.mark.parametrize(("reset_after", "candidate"), [(True, [3.0, 0.0]), (False, [0.0, 2.0])])
def test_the_reset_gate_acts_after_the_recurrent_product_or_before(reset_after, candidate):
    """r = (1, 0), h = (2, 3) and U_g swaps: after, r * (3, 2) = (3, 0); before, (2, 0) U_g = (0, 2)."""
    swap = [[0.0, 1.0], [1.0, 0.0]]
    cell = GRUCell(2, "linear", reset_after=reset_after)
    set_weights(cell, 1, update_bias=-100, reset_bias=[100, -100], candidate_recurrent_kernel=swap)
    np.testing.assert_allclose(step(cell, [[0.0]], [[2.0, 3.0]])[0], [candidate], atol=1e-6)


def test_the_bias_of_the_recurrent_product_is_reset_with_it():
    cell = GRUCell(1, "linear")
    set_weights(cell, 1, update_bias=-100, candidate_bias=2, candidate_recurrent_bias=8)  # z = 0, r = 1/2
    np.testing.assert_allclose(step(cell, [[0.0]], [[5.0]])[0], [[2 + 0.5 * 8]], rtol=1e-6)
    assert len(GRUCell(1, reset_after=False).gates) * 3 == 9 == len(set_weights(CELLS["gru_before"](1), 1).weights)


def test_the_functions_return_the_gates():
    ones = ops.ones((1, 1))
    lstm = {gate: (place * ones, 0 * ones, 0.0) for place, gate in enumerate(LSTMCell.gates)}
    _, _, gates = lstm_step(ones, ones, ones, lstm)
    for gate, value in {"input": 0.5, "forget": sigmoid(1), "candidate": np.tanh(2), "output": sigmoid(3)}.items():
        np.testing.assert_allclose(numpy(gates[gate]), [[value]], rtol=1e-6)
    gru = {gate: (place * ones, 0 * ones, 0.0) for place, gate in enumerate(GRUCell.gates)}
    _, gates = gru_step(ones, ones, gru, reset_after=False)
    for gate, value in {"update": 0.5, "reset": sigmoid(1), "candidate": np.tanh(2)}.items():
        np.testing.assert_allclose(numpy(gates[gate]), [[value]], rtol=1e-6)


@every_cell
def test_a_layer_is_the_function_applied_over_time(make):
    cell, inputs = make(UNITS, bias_initializer="normal"), sequences()
    outputs = numpy(RNN(cell, return_sequences=True)(inputs))
    states, weights = [np.zeros((BATCH, UNITS), "float32") for _ in cell.state_names], cell.gate_weights()
    for time in range(TIME):
        x = ops.convert_to_tensor(inputs[:, time])
        if isinstance(cell, LSTMCell):
            *states, _ = lstm_step(x, *map(ops.convert_to_tensor, states), weights)
        elif isinstance(cell, GRUCell):
            flags = cell.reset_after, cell.update_keeps_state
            states = [gru_step(x, ops.convert_to_tensor(states[0]), weights, *flags)[0]]
        else:
            states = [simple_rnn_step(x, ops.convert_to_tensor(states[0]), weights)]
        np.testing.assert_allclose(outputs[:, time], numpy(states[0]), atol=1e-6)


@every_cell
def test_the_gates_of_a_cell_start_differently(make):
    cell = make(UNITS, bias_initializer="normal")
    cell.build((None, FEATURES))
    starts = [numpy(weight) for weight in cell.weights]
    pairs = [(one, other) for one, other in itertools.combinations(starts, 2) if one.shape == other.shape]
    assert len(pairs) >= (len(cell.gates) > 1) * 9
    assert all(np.abs(one - other).max() > 1e-3 for one, other in pairs)


def test_dropout_drops_the_same_inputs_at_every_time_step_and_others_at_the_next_call():
    cell = set_weights(SimpleRNNCell(40, "linear", dropout=0.5, seed=3), 40, state_kernel=np.eye(40))
    layer, ones = RNN(cell, return_sequences=True), np.ones((BATCH, TIME, 40), "float32")
    first, second = (numpy(layer(ones, training=True)) for _ in range(2))
    assert set(np.unique(first)) == {0.0, 2.0}
    np.testing.assert_array_equal(first, np.broadcast_to(first[:, :1], first.shape))
    assert (first != second).any() and (first[0] != first[1]).any()
    np.testing.assert_array_equal(numpy(layer(ones)), ones)


def test_recurrent_dropout_drops_the_same_state_at_every_time_step():
    cell = set_weights(
        SimpleRNNCell(40, "linear", recurrent_dropout=0.5, seed=4), FEATURES, state_recurrent_kernel=np.eye(40)
    )
    start = np.ones((BATCH, 40), "float32")
    outputs = numpy(RNN(cell, return_sequences=True)(sequences(), initial_state=start, training=True))
    survives = outputs[:, 0] > 0
    assert 0 < survives.mean() < 1
    for time in range(TIME):
        np.testing.assert_array_equal(outputs[:, time], survives * 2.0 ** (time + 1))


@pytest.mark.parametrize("update_keeps_state", [True, False])
def test_recurrent_dropout_leaves_what_a_gru_keeps(update_keeps_state):
    cell = GRUCell(UNITS, update_keeps_state=update_keeps_state, recurrent_dropout=0.5)
    set_weights(cell, FEATURES, update_bias=100 if update_keeps_state else -100)
    start = np.random.default_rng(1).normal(size=(BATCH, UNITS)).astype("float32")
    np.testing.assert_allclose(numpy(RNN(cell)(sequences(), initial_state=start, training=True)), start, rtol=1e-6)


@every_cell
@pytest.mark.parametrize("dropped", ["dropout", "recurrent_dropout"])
def test_dropout_acts_in_training_alone_and_a_seed_repeats_it(make, dropped):
    keras.utils.set_random_seed(5)
    layers = [RNN(make(UNITS, seed=6, **{dropped: 0.5}), return_sequences=True) for _ in range(2)]
    calm = numpy(layers[0](sequences()))
    np.testing.assert_array_equal(numpy(layers[0](sequences(), training=False)), calm)
    layers[1].build((BATCH, TIME, FEATURES))
    layers[1].set_weights(layers[0].get_weights())
    layers[1](sequences())  # as many masks drawn as by the other
    layers[1](sequences())
    first, second = (numpy(layer(sequences(), training=True)) for layer in layers)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - calm).max() > 1e-3


@pytest.mark.parametrize(
    ("kind", "shares"),
    [("simple_rnn", {"dropout": 0.3, "recurrent_dropout": 0.4}), ("lstm", {"dropout": 0.3}), ("gru", {"dropout": 0.3})],
)
def test_masks_of_the_same_seed_are_those_of_keras(kind, shares):
    """Where Keras, too, has one mask for all gates."""
    theirs = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[kind]
    theirs, ours = theirs(UNITS, seed=7, **shares), RNN(CELLS[kind](UNITS, seed=7, **shares))
    theirs.build((BATCH, TIME, FEATURES))
    ours.build((BATCH, TIME, FEATURES))
    ours.set_weights(convert_recurrent_weights(theirs.get_weights(), kind, "keras", "keras_seq"))
    wanted = numpy(theirs(sequences(), training=True))
    np.testing.assert_allclose(numpy(ours(sequences(), training=True)), wanted, atol=1e-6)
    assert np.abs(wanted - numpy(theirs(sequences()))).max() > 1e-3


@every_cell
def test_the_padding_changes_nothing(make):
    layer, inputs = RNN(make(UNITS), return_sequences=True, return_state=True), sequences()
    mask = np.arange(TIME) < np.array([[4], [TIME]])
    outputs, *states = map(numpy, layer(inputs, mask=mask))
    inputs[0, 4:] = 77.0
    again, *same_states = map(numpy, layer(inputs, mask=mask))
    short, *short_states = map(numpy, layer(inputs[:1, :4]))
    np.testing.assert_array_equal(again, outputs)
    np.testing.assert_allclose(outputs[:1, :4], short, atol=1e-6)
    np.testing.assert_allclose(outputs[0, 4:], outputs[[0, 0], 3], atol=1e-6)  # Keras repeats the last output
    for state, same, one in zip(states, same_states, short_states, strict=True):
        np.testing.assert_array_equal(state, same)
        np.testing.assert_allclose(state[:1], one, atol=1e-6)


@every_cell
def test_the_final_states_continue_the_sequence(make):
    layer, inputs = RNN(make(UNITS), return_sequences=True, return_state=True), sequences()
    outputs, *states = map(numpy, layer(inputs))
    first, *middle = map(numpy, layer(inputs[:, :2]))
    second, *final = map(numpy, layer(inputs[:, 2:], initial_state=middle))
    np.testing.assert_allclose(np.concatenate([first, second], 1), outputs, atol=1e-6)
    np.testing.assert_array_equal(outputs[:, -1], states[0])
    for one, other in zip(final, states, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@every_cell
def test_backward_is_forward_on_the_reversed_sequence(make):
    cell, inputs = make(UNITS), sequences()
    backward = numpy(RNN(cell, return_sequences=True, go_backwards=True)(inputs))
    np.testing.assert_allclose(numpy(RNN(cell, return_sequences=True)(inputs[:, ::-1])), backward, atol=1e-6)


@every_cell
def test_bidirectional_is_one_forward_beside_one_backward(make):
    layer, inputs = keras.layers.Bidirectional(RNN(make(UNITS), return_sequences=True)), sequences()
    outputs = numpy(layer(inputs))
    forward, backward = numpy(layer.forward_layer(inputs)), numpy(layer.backward_layer(inputs))[:, ::-1]
    np.testing.assert_allclose(outputs, np.concatenate([forward, backward], -1), atol=1e-6)
    assert np.abs(forward - backward).max() > 1e-3


@every_cell
def test_stacked_cells_are_layers_on_top_of_one_another(make):
    cells, inputs = [make(UNITS), make(4)], sequences()
    outputs, *states = RNN(cells, return_sequences=True, return_state=True)(inputs)
    hidden, *first = RNN(cells[0], return_sequences=True, return_state=True)(inputs)
    wanted, *second = RNN(cells[1], return_sequences=True, return_state=True)(hidden)
    np.testing.assert_allclose(numpy(outputs), numpy(wanted), atol=1e-6)
    for one, other in zip(keras.tree.flatten(states), first + second, strict=True):
        np.testing.assert_allclose(numpy(one), numpy(other), atol=1e-6)


@every_cell
@pytest.mark.usefixtures("quick_fits")
def test_a_model_with_masks_dropout_and_both_directions_trains_and_survives_saving(make, tmp_path):
    keras.utils.set_random_seed(8)
    ids = keras.Input((None,), dtype="int32")
    hidden = keras.layers.Embedding(11, FEATURES, mask_zero=True)(ids)
    shares = {"dropout": 0.1, "recurrent_dropout": 0.2}
    hidden = keras.layers.Bidirectional(RNN([make(4, **shares), make(7, **shares)]))(hidden)
    model = keras.Model(ids, keras.layers.Dense(1, activation="sigmoid")(hidden))
    jit_compile = keras.backend.backend() == "jax"  # where masks must not outlive their trace; elsewhere it only costs
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", jit_compile=jit_compile)
    tokens = np.random.default_rng(9).integers(1, 11, (64, TIME))
    tokens[::2, 4:] = 0
    labels = (tokens[:, :1] > 5).astype("float32")
    losses = model.fit(tokens, labels, batch_size=32, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < losses[0] - 0.02
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(numpy(loaded(tokens)), numpy(model(tokens)), atol=1e-6)
    short, padded = np.array([[3, 9], [8, 2]]), np.array([[3, 9, 0, 0], [8, 2, 0, 0]])
    np.testing.assert_allclose(numpy(loaded(padded)), numpy(loaded(short)), atol=1e-6)


@every_cell
def test_its_configuration_makes_it_again(make):
    cell = make(
        UNITS,
        activation="relu",
        kernel_initializer=keras.initializers.RandomNormal(0.1, seed=2),
        recurrent_regularizer=keras.regularizers.L2(0.3),
        bias_constraint="non_neg",
        use_bias=False,
        dropout=0.25,
        recurrent_dropout=0.5,
        seed=3,
        dtype="mixed_bfloat16",
        name="step",
    )
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(cell))
    assert type(again) is type(cell) and again.get_config() == cell.get_config()
    assert keras.saving.get_registered_name(type(cell)) == f"keras_seq>{type(cell).__name__}"


def test_the_configuration_keeps_the_conventions():
    cell = GRUCell(UNITS, reset_after=False, update_keeps_state=False, recurrent_activation="hard_sigmoid")
    config = GRUCell.from_config(cell.get_config()).get_config()
    assert (config["reset_after"], config["update_keeps_state"]) == (False, False)
    assert config["recurrent_activation"] == "hard_sigmoid"
    assert LSTMCell.from_config(LSTMCell(UNITS, unit_forget_bias=False).get_config()).unit_forget_bias is False


@every_cell
def test_without_biases_there_are_none(make):
    with_bias, without = make(UNITS), make(UNITS, use_bias=False)
    for cell in (with_bias, without):
        cell.build((None, FEATURES))
    assert len(without.weights) == 2 * len(without.gates)
    without.set_weights([numpy(weight) for weight in with_bias.weights if "bias" not in weight.name])
    for weight in with_bias.weights:
        if "bias" in weight.name:
            weight.assign(np.zeros(weight.shape))
    np.testing.assert_allclose(numpy(RNN(without)(sequences())), numpy(RNN(with_bias)(sequences())), atol=1e-6)


@every_cell
def test_regularizers_and_constraints_reach_every_gate(make):
    strengths = {"_recurrent_kernel": 3.0, "_kernel": 2.0, "_bias": 5.0}
    options = {
        f"{kind}_regularizer": keras.regularizers.L2(strength)
        for kind, strength in zip(("recurrent", "kernel", "bias"), strengths.values(), strict=True)
    }
    options |= {f"{kind}_constraint": "non_neg" for kind in ("kernel", "recurrent", "bias")}
    layer = RNN(cell := make(UNITS, bias_initializer="normal", **options))
    layer(sequences())
    total = 0.0
    for weight in cell.weights:
        strength = next(strength for ending, strength in strengths.items() if weight.name.endswith(ending))
        total += strength * (numpy(weight) ** 2).sum()
    np.testing.assert_allclose(sum(numpy(loss) for loss in layer.losses), total, rtol=1e-5)
    assert len(cell.weights) > 2 and all(type(weight.constraint).__name__ == "NonNeg" for weight in cell.weights)


@every_cell
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_the_dtype_policy_is_kept(make, policy):
    compute = policy.removeprefix("mixed_")
    if compute == "float64" and keras.backend.backend() == "jax":
        pytest.skip("on JAX Keras's tanh rounds float64 to float32, whatever JAX_ENABLE_X64 says")
    layer = RNN(make(UNITS, dropout=0.5, recurrent_dropout=0.5, dtype=policy), return_state=True, dtype=policy)
    for tensor in layer(sequences(dtype="float64"), training=True):
        assert keras.backend.standardize_dtype(tensor.dtype) == compute
        assert np.isfinite(numpy(ops.cast(tensor, "float32"))).all()
    wanted = "float64" if policy == "float64" else "float32"
    assert {keras.backend.standardize_dtype(weight.dtype) for weight in layer.trainable_weights} == {wanted}


@every_cell
def test_shapes_are_known_before_there_are_values(make):
    inputs = keras.Input((None, FEATURES))
    outputs, *states = RNN(make(UNITS), return_sequences=True, return_state=True)(inputs)
    assert outputs.shape == (None, None, UNITS) and {state.shape for state in states} == {(None, UNITS)}
    cell = make(UNITS)
    output, _ = cell(keras.Input((FEATURES,)), [keras.Input((UNITS,)) for _ in cell.state_names])
    assert output.shape == (None, UNITS)


@every_cell
def test_a_cell_returns_its_states_in_the_structure_they_came_in(make):
    cell = make(UNITS)
    start = cell.get_initial_state(BATCH)
    for states in (start, tuple(start), start[0] if len(start) == 1 else start):
        _, new = cell(sequences()[:, 0], states)
        assert type(new) is type(states)


@pytest.mark.parametrize("make", [SimpleRNNCell, LSTMCell, GRUCell])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "units=0 is not a width; give a whole number of 1 or more"),
        ({"units": 2.5}, "units=2.5 is not a width"),
        ({"units": 5, "dropout": 1.0}, r"dropout=1.0 is outside \[0, 1\)"),
        ({"units": 5, "recurrent_dropout": -0.1}, r"recurrent_dropout=-0.1 is outside \[0, 1\)"),
    ],
)
def test_a_cell_is_refused_what_it_cannot_be(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_wrong_calls_say_what_was_wanted():
    cell = LSTMCell(UNITS)
    with pytest.raises(ValueError, match=r"inputs of shape \(2, 6, 3\) are not one time step .*RNN\(cell\)"):
        cell(sequences(), cell.get_initial_state(BATCH))
    with pytest.raises(ValueError, match="are not one time step of a known width"):
        RNN(cell)(keras.Input((None, None)))
    step = sequences()[:, 0]
    cell(step, cell.get_initial_state(BATCH))
    with pytest.raises(ValueError, match=r"inputs have shape \(2, 2\); the cell was built for \(batch, 3\)"):
        cell(step[:, :2], cell.get_initial_state(BATCH))
    with pytest.raises(ValueError, match=r"inputs have shape \(2, 6, 3\); the cell was built for \(batch, 3\)"):
        cell(sequences(), cell.get_initial_state(BATCH))
    with pytest.raises(ValueError, match=r"shapes \[\(2, 5\)\]; LSTMCell wants h \(batch, 5\), c \(batch, 5\)"):
        cell(step, cell.get_initial_state(BATCH)[:1])
    with pytest.raises(ValueError, match=r"states have shapes \[\(2, 4\)\]; GRUCell wants h \(batch, 5\): give"):
        GRUCell(UNITS)(step, [ops.zeros((BATCH, 4))])
