"""The encoder-decoder: training form and step-wise form are one function."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq import decoding
from keras_seq.layers import AttentionDecoder
from keras_seq.models import Seq2Seq
from keras_seq.training import ExactMatch, MaskedCrossEntropy

LENGTHS = np.array([3, 9, 1, 6], "int32")


def noisy_model(attention):
    """A model with large random weights, so that outputs differ and some end early."""
    keras.utils.set_random_seed(5)
    model = Seq2Seq(23, 13, embedding_size=6, units=10, attention=attention)
    random = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.9)
    return model


def sources(lengths=LENGTHS, width=9, seed=4):
    random = np.random.default_rng(seed)
    ids = np.zeros((len(lengths), width), "int32")
    for row, length in enumerate(lengths):
        ids[row, :length] = random.integers(4, 23, length)
    return ids


@pytest.fixture(scope="module", params=[True, False], ids=["attention", "no attention"])
def model(request):
    return noisy_model(request.param)


def targets(rows, seed=6):
    return np.concatenate([np.ones((rows, 1)), np.random.default_rng(seed).integers(3, 13, (rows, 4))], 1).astype(
        "int32"
    )


def test_steps_give_what_teacher_forcing_gives(model):
    source, target = sources(), targets(4)
    forced = model({"source": source, "target": target})
    memory, state = model.encode(source, LENGTHS)
    for position in range(target.shape[1]):
        logits, state = model.step(target[:, position], state, memory)
        np.testing.assert_allclose(logits, forced[:, position], atol=1e-5)


def test_padding_the_source_changes_nothing(model):
    source, target = sources(), targets(4)
    wider = np.pad(source, ((0, 0), (0, 5)))
    np.testing.assert_allclose(
        model({"source": wider, "target": target}), model({"source": source, "target": target}), atol=1e-5
    )


def test_a_batch_equals_its_rows(model):
    source, target = sources(), targets(4)
    together = model({"source": source, "target": target})
    for row, length in enumerate(LENGTHS):
        alone = model({"source": source[row : row + 1, :length], "target": target[row : row + 1]})
        np.testing.assert_allclose(alone[0], together[row], atol=1e-5)


def test_a_later_target_token_does_not_leak_into_an_earlier_position(model):
    source, target = sources(), targets(4)
    changed = target.copy()
    changed[:, 3:] = 3 + (changed[:, 3:] - 2) % 10
    before, after = (model({"source": source, "target": ids}).numpy() for ids in (target, changed))
    np.testing.assert_allclose(after[:, :3], before[:, :3], atol=1e-6)
    assert np.abs(after[:, 3:] - before[:, 3:]).max() > 1e-3


def test_it_survives_saving(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = {"source": sources(), "target": targets(4)}
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
    assert loaded.get_config() == model.get_config()


def test_greedy_equals_the_slow_reference_on_every_input(model):
    lengths = np.random.default_rng(8).integers(1, 12, 24).astype("int32")
    source = sources(lengths, 11, seed=9)
    reference = decoding.greedy_reference(model, source, lengths, 7)
    compiled = tf.function(lambda *inputs: decoding.greedy(model, *inputs, 7))
    assert len({tuple(ids) for ids, _ in reference}) > 5, "the inputs must not all be answered alike"
    assert {decoding.END in ids for ids, _ in reference} == {True, False}, "some must end early, some not"
    for run in (decoding.greedy(model, source, lengths, 7), compiled(source, lengths)):
        for (wanted, scores), ids, length, log_probability in zip(reference, *map(np.asarray, run), strict=True):
            assert ids.tolist() == wanted + [0] * (7 - len(wanted))
            assert length == len(wanted) - (decoding.END in wanted)
            np.testing.assert_allclose(log_probability[: len(scores)], scores, atol=1e-5)
            assert not log_probability[len(scores) :].any()


def test_alignments_are_weights_over_the_source_alone():
    model = noisy_model(True)
    weights = np.asarray(model.alignments({"source": sources(), "target": targets(4)}))
    assert weights.shape == (4, 5, 9)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    for row, length in enumerate(LENGTHS):
        assert not weights[row, :, length:].any()
    assert weights.std() > 0.05


def test_a_model_without_attention_aligns_nothing():
    with pytest.raises(ValueError, match="aligns nothing"):
        noisy_model(False).alignments({"source": sources(), "target": targets(4)})


@pytest.mark.usefixtures("quick_fits")
def test_fit_under_xla_learns_to_copy():
    keras.utils.set_random_seed(1)
    model = Seq2Seq(9, 9, embedding_size=12, units=24)
    model.compile(keras.optimizers.Adam(0.02), MaskedCrossEntropy(), metrics=[ExactMatch()], jit_compile=True)
    random = np.random.default_rng(0)
    labels = np.concatenate([random.integers(4, 9, (256, 3)), np.full((256, 1), decoding.END)], 1)
    inputs = {"source": labels[:, :3], "target": np.pad(labels[:, :3], ((0, 0), (1, 0)), constant_values=1)}
    history = model.fit(inputs, labels, batch_size=64, epochs=15, verbose=0).history
    assert model.jit_compile
    assert history["exact_match"][-1] > 0.9 > 0.3 > history["exact_match"][0]


def test_a_long_target_is_walked_as_a_short_one():
    decoder = AttentionDecoder(4)
    random = np.random.default_rng(1)
    tokens, values = (random.normal(size=shape).astype("float32") for shape in ((2, 40, 3), (2, 6, 5)))
    state, lengths = np.zeros((2, 4), "float32"), np.array([6, 2])
    long, short = decoder(tokens, state, values, lengths), decoder(tokens[:, :7], state, values, lengths)
    np.testing.assert_allclose(long[:, :7], short, atol=1e-6)


@pytest.mark.parametrize("name", ["source_vocabulary_size", "units"])
def test_sizes_that_are_none_are_refused(name):
    sizes = {"source_vocabulary_size": 5, "target_vocabulary_size": 6, "units": 7, name: 0}
    with pytest.raises(ValueError, match=f"{name}=0 is not a size"):
        Seq2Seq(**sizes)


def test_write_at_changes_one_position():
    buffer = decoding.write_at(np.zeros((2, 3), "int32"), 1, np.array([7, 8], "int32"))
    assert np.asarray(buffer).tolist() == [[0, 7, 0], [0, 8, 0]]


@pytest.mark.parametrize("name", ["target_vocabulary_size", "embedding_size"])
@pytest.mark.parametrize("size", [-2, 3.0, None])
def test_what_is_no_size_is_refused(name, size):
    with pytest.raises(ValueError, match=f"{name}={size} is not a size; give a whole number of 1 or more"):
        Seq2Seq(**{"source_vocabulary_size": 5, "target_vocabulary_size": 6, name: size})


def test_the_lengths_are_those_of_the_source_unless_they_are_given(model):
    source = sources()
    inferred, given = model.encode(source), model.encode(source, LENGTHS)
    for one, other in zip(inferred, given, strict=True):
        assert sorted(one) == sorted(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_a_row_of_nothing_but_padding_is_finite_and_leaves_the_others_alone(model):
    """Batches are filled with such rows; one NaN in their gradient would be everybody's."""
    source, target = np.pad(sources(), ((0, 1), (0, 0))), np.pad(targets(4), ((0, 1), (0, 0)))
    with tf.GradientTape() as tape:
        logits = model({"source": source, "target": target})
        loss = tf.reduce_sum(logits**2)
    assert np.isfinite(logits).all()
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()
    np.testing.assert_allclose(logits[:4], model({"source": source[:4], "target": target[:4]}), atol=1e-5)


def test_attention_s_memory_grows_with_the_source_and_its_parameters_do_not():
    sizes, parameters = {}, {}
    for attention in (True, False):
        model = noisy_model(attention)
        for length in (3, 9):
            memory, state = model.encode(sources(np.array([length, 1], "int32"), length))
            sizes[attention, length] = sum(np.prod(tensor.shape[1:]) for tensor in memory.values())
            assert state["hidden"].shape == (2, 10)
            parameters[attention, length] = model.count_params()
    keys_and_values = 10 + 2 * 10
    assert sizes[True, 9] - sizes[True, 3] == (9 - 3) * keys_and_values
    assert sizes[False, 9] == sizes[False, 3] == 2 * 10
    assert parameters[True, 9] == parameters[True, 3] and parameters[False, 9] == parameters[False, 3]


def test_without_attention_the_last_state_is_all_that_is_read():
    """Two sources that end in the same state cannot be told apart; what the state kept is all there is."""
    model = noisy_model(False)
    memory, state = model.encode(sources(), LENGTHS)
    assert sorted(memory) == ["context"] and memory["context"].shape == (4, 2 * 10)
    other = {"context": memory["context"] * 0}
    token = np.ones(4, "int32")
    assert np.abs(model.step(token, state, memory)[0] - model.step(token, state, other)[0]).max() > 1e-2


@pytest.mark.usefixtures("quick_fits")
def test_fit_without_attention_and_with_dropout_reduces_the_loss():
    keras.utils.set_random_seed(1)
    model = Seq2Seq(9, 8, embedding_size=12, units=16, attention=False, dropout=0.1)
    model.compile(keras.optimizers.Adam(0.02), MaskedCrossEntropy(), jit_compile=False)
    random = np.random.default_rng(0)
    source = random.integers(4, 9, (128, 5))
    labels = np.concatenate([random.integers(4, 8, (128, 1)).repeat(2, 1), np.full((128, 1), decoding.END)], 1)
    inputs = {"source": source, "target": np.pad(labels[:, :2], ((0, 0), (1, 0)), constant_values=1)}
    loss = model.fit(inputs, labels, batch_size=32, epochs=6, verbose=0).history["loss"]
    assert loss[-1] < 0.6 * loss[0]
