"""The Transformer: training form and step-wise form are one function."""

import keras
import numpy as np
import pytest

from keras_seq import decoding
from keras_seq.models import Transformer
from keras_seq.testing import check_mask_contract
from keras_seq.training import ExactMatch, MaskedCrossEntropy

LENGTHS = np.array([3, 9, 1, 6], "int32")
SIZES = {"units": 12, "num_layers": 2, "num_heads": 3, "feed_forward": 20, "max_target": 8}


def noisy_model(norm="pre"):
    """A model with large random weights, so that outputs differ and some end early."""
    keras.utils.set_random_seed(5)
    model = Transformer(23, 13, norm=norm, dropout=0.0, **SIZES)
    random = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.5)
    return model


@pytest.fixture(scope="module", params=["pre", "post"])
def model(request):
    return noisy_model(request.param)


def sources(lengths=LENGTHS, width=9, seed=4):
    random = np.random.default_rng(seed)
    ids = np.zeros((len(lengths), width), "int32")
    for row, length in enumerate(lengths):
        ids[row, :length] = random.integers(4, 23, length)
    return ids


def targets(rows, length=5, seed=6):
    ids = np.random.default_rng(seed).integers(3, 13, (rows, length)).astype("int32")
    ids[:, 0] = decoding.START
    return ids


def test_steps_give_what_teacher_forcing_gives(model):
    source, target = sources(), targets(4)
    forced = model({"source": source, "target": target})
    memory, state = model.encode(source, LENGTHS)
    for position in range(target.shape[1]):
        logits, state = model.step(target[:, position], state, memory)
        np.testing.assert_allclose(logits, forced[:, position], atol=2e-5)


def test_it_keeps_the_mask_contract(model):
    source, target = sources(), targets(4, 7)
    done = check_mask_contract(
        model,
        {"source": source, "target": target},
        lengths={"source": LENGTHS, "target": np.array([7, 2, 5, 4])},
        padded_with={"source": 0, "target": 0},
        follows="target",
        causal=True,
        tolerance=1e-3,
    )
    assert {"amount of padding", "batch mates", "future", "float16"} <= set(done)


def test_greedy_equals_the_slow_reference(model):
    source = sources()
    ids, length, log_probability = decoding.greedy(model, source, LENGTHS, 8)
    for row, (wanted, scores) in enumerate(decoding.greedy_reference(model, source, LENGTHS, 8)):
        assert np.asarray(ids)[row, : len(wanted)].tolist() == wanted
        np.testing.assert_allclose(np.asarray(log_probability)[row, : len(wanted)], scores, atol=1e-4)
        assert np.asarray(length)[row] == len(wanted) - (wanted[-1] == decoding.END)


def test_saved_and_loaded_it_is_the_same(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = {"source": sources(), "target": targets(4)}
    np.testing.assert_allclose(loaded(inputs), model(inputs), atol=1e-6)
    assert loaded.get_config() == model.get_config()


def test_memory_and_state_are_flat_with_the_batch_first(model):
    memory, state = model.encode(sources())
    names = [f"layer_{layer}_{what}" for layer in range(2) for what in ("key", "value")]
    assert sorted(memory) == sorted([*names, "length"]) and sorted(state) == sorted([*names, "position"])
    assert {tensor.shape[0] for tensor in (*memory.values(), *state.values())} == {4}
    assert memory["layer_0_key"].shape == (4, 3, 9, 4) and state["layer_1_value"].shape == (4, 3, 8, 4)


@pytest.mark.usefixtures("quick_fits")
def test_fit_under_xla_learns_to_copy():
    keras.utils.set_random_seed(0)
    model = Transformer(9, 9, units=32, num_layers=1, num_heads=2, feed_forward=64, dropout=0.0)
    model.compile(keras.optimizers.Adam(0.003), MaskedCrossEntropy(), metrics=[ExactMatch()], jit_compile=True)
    random = np.random.default_rng(0)
    labels = np.concatenate([random.integers(4, 9, (512, 3)), np.full((512, 1), decoding.END)], 1)
    inputs = {"source": labels[:, :3], "target": np.pad(labels[:, :3], ((0, 0), (1, 0)), constant_values=1)}
    history = model.fit(inputs, labels, batch_size=64, epochs=20, verbose=0).history
    assert history["exact_match"][-1] > 0.9 > 0.3 > history["exact_match"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 0}, "=0 is not a width"),
        ({"num_heads": 5}, "num_heads=5 does not divide units=12"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"norm": "both"}, "both"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Transformer(**{"source_vocabulary_size": 23, "target_vocabulary_size": 13, **SIZES, **change})


def test_its_alignments_are_weights_over_the_real_source_of_each_layer():
    model, source, target = noisy_model(), sources(), targets(4)
    first, last = (np.asarray(model.alignments({"source": source, "target": target}, layer=n)) for n in (0, -1))
    for weights in (first, last):
        assert weights.shape == (4, 5, 9)
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
        assert all(np.abs(weights[row, :, length:]).max(initial=0) < 1e-6 for row, length in enumerate(LENGTHS))
    assert np.abs(first - last).max() > 0.01
    np.testing.assert_allclose(last, model.alignments({"source": source, "target": target}), atol=1e-6)
