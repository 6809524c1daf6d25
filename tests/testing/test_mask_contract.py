"""The mask contract finds each classic bug and calls it by its name."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_seq.testing import MaskContractError, check_mask_contract

_SPEC = importlib.util.spec_from_file_location("broken_layers", Path(__file__).with_name("broken_layers.py"))
broken = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(broken)

BATCH, TARGET, SOURCE, QUERY, VALUE = 3, 4, 6, 5, 7


def cross(layer, **options):
    random = np.random.default_rng(0)
    keras.utils.set_random_seed(2)
    inputs = {"query": random.normal(size=(BATCH, TARGET, QUERY)), "value": random.normal(size=(BATCH, SOURCE, VALUE))}
    return check_mask_contract(
        layer,
        {name: array.astype("float32") for name, array in inputs.items()},
        lengths={"query": np.array([4, 3, 1]), "value": np.array([2, 6, 3])},
        masks={"query_mask": "query", "value_mask": "value"},
        follows="query",
        **options,
    )


def own(layer, name, **options):
    random = np.random.default_rng(0)
    keras.utils.set_random_seed(2)
    inputs = {name: random.normal(size=(BATCH, SOURCE, VALUE)).astype("float32")}
    return check_mask_contract(
        layer, inputs, lengths={name: np.array([2, 6, 3])}, masks={"mask": name}, **options
    )  # fmt: skip


def bugs(call, *args, **options):
    with pytest.raises(MaskContractError) as caught:
        call(*args, **options)
    assert all(str(violation) in str(caught.value) for violation in caught.value.violations)
    return {violation.bug for violation in caught.value.violations}


def test_a_layer_that_keeps_the_contract_passes_every_check():
    done = cross(broken.Correct())
    for check in ("padding of query", "padding of value", "amount of padding", "batch mates", "float16"):
        assert check in done
    assert own(broken.SelfAttention(), "inputs", follows="inputs", causal=True)[-1] == "future"


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        (broken.Inverted, {"inverted mask"}),
        (broken.TinyFill, {"weak mask"}),
        (broken.MaskedAfterTheSoftmax, {"weak mask"}),
        (broken.Ignores, {"mask ignored"}),
        (broken.TargetMaskForTheSource, {"mask of another input"}),
        (broken.NotFinite, {"not finite"}),
        (broken.OverflowsInHalf, {"float16 overflow"}),
        (broken.NormalisesOverTheBatch, {"depends on batch mates"}),
        (broken.CountsThePadding, {"depends on the amount of padding"}),
    ],
)
def test_each_bug_is_called_by_its_name(layer, wanted):
    assert bugs(cross, layer()) == wanted


def test_a_mask_that_the_compiled_call_does_not_see_is_found():
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch's compiler is not tried")
    assert bugs(cross, broken.ForgetsTheMaskWhenCompiled()) == {"mask ignored when compiled"}


def test_a_leak_of_the_future_is_found():
    assert bugs(own, broken.SeesTheFuture(), "inputs", follows="inputs", causal=True) == {"future leak"}


def test_a_layer_that_was_never_tried_with_two_lengths_is_found():
    random = np.random.default_rng(0)
    inputs = {name: random.normal(size=(2, 6, 5)).astype("float32") for name in ("query", "value")}
    lengths = {"query": np.array([6, 3]), "value": np.array([2, 6])}
    masks = {"query_mask": "query", "value_mask": "value"}
    found = bugs(check_mask_contract, broken.OneAxisForBoth(), inputs, lengths, masks, follows="query")
    assert found == {"other lengths refused"}


@pytest.mark.parametrize("make", [keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN])
@pytest.mark.parametrize("sequences", [False, True])
def test_kerass_recurrent_layers_keep_it(make, sequences):
    layer = make(4, return_sequences=sequences)
    own(layer, "sequences", follows="sequences" if sequences else None, causal=sequences)


def test_a_bidirectional_layer_sees_the_future_and_keeps_the_rest():
    layer = keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True))
    own(layer, "sequences", follows="sequences")
    assert bugs(own, layer, "sequences", follows="sequences", causal=True) == {"future leak"}


def test_implicit_masks_and_functions_are_taken():
    layer = keras.layers.LSTM(4)
    inputs = {"sequences": np.random.default_rng(0).normal(size=(BATCH, SOURCE, VALUE)).astype("float32")}
    lengths = {"sequences": np.array([2, 6, 3])}
    done = check_mask_contract(lambda sequences: layer(sequences), inputs, lengths, implicit=["sequences"])
    assert "float16: skipped, a function has no dtype policy" in done and "padding of sequences" in done


def test_a_layer_that_takes_lengths_is_checked_by_its_lengths():
    inputs = {"value": np.random.default_rng(0).normal(size=(BATCH, SOURCE, VALUE)).astype("float32")}

    def mean(value, lengths):
        kept = keras.ops.arange(value.shape[1]) < keras.ops.expand_dims(lengths, 1)
        total = keras.ops.sum(value * keras.ops.cast(keras.ops.expand_dims(kept, 2), value.dtype), axis=1)
        return total / keras.ops.cast(keras.ops.expand_dims(keras.ops.maximum(lengths, 1), 1), value.dtype)

    lengths = {"value": np.array([2, 6, 3])}
    check_mask_contract(mean, inputs, lengths, lengths_as={"lengths": "value"})
    assert bugs(
        check_mask_contract, lambda value, lengths: keras.ops.mean(value, axis=1), inputs, lengths,
        lengths_as={"lengths": "value"},
    ) == {"weak mask"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lengths": {"sequences": np.array([6, 6, 6])}}, "can show no bug; give two rows or more"),
        ({"lengths": {"sequences": np.array([6, 0, 6])}}, "can show no bug"),
        ({"masks": {"mask": "source"}}, "'source' is no input; the inputs are sequences"),
        ({"lengths": {}}, r"give lengths=\{'sequences': ...\}"),
        ({"causal": True}, "causal=True wants follows"),
    ],
)
def test_inputs_that_can_show_no_bug_are_refused(change, message):
    arguments = {
        "inputs": {"sequences": np.ones((3, 6, 7), "float32")},
        "lengths": {"sequences": np.array([2, 6, 3])},
        "masks": {"mask": "sequences"},
    }
    with pytest.raises(ValueError, match=message):
        check_mask_contract(keras.layers.GRU(4), **{**arguments, **change})
