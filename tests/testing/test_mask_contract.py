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
        (broken.SmallFill, {"weak mask"}),
        (broken.MaskedAfterTheSoftmax, {"weak mask"}),
        (broken.Ignores, {"mask ignored"}),
        (broken.TargetMaskForTheSource, {"mask of another input"}),
        (broken.NotFinite, {"not finite"}),
        (broken.FiniteWithoutAGradient, {"gradient not finite"}),
        (broken.DifferentiatesThePadding, {"gradient in the padding"}),
        (broken.ExponentiatesAsItIs, {"large inputs overflow"}),
        (broken.OverflowsInHalf, {"float16 overflow"}),
        (broken.NormalisesOverTheBatch, {"depends on batch mates"}),
        (broken.DividesByTheLongest, {"depends on batch mates"}),
        (broken.KeepsItsMasks, {"state kept between calls"}),
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


def attend(layer, lengths, **options):
    """Keras's call of an attention layer, a query and a value of four and six positions or both of six."""
    random = np.random.default_rng(0)
    keras.utils.set_random_seed(2)
    times = {"query": SOURCE if lengths["query"].max() == SOURCE else TARGET, "value": SOURCE}
    inputs = {name: random.normal(size=(BATCH, time, VALUE)).astype("float32") for name, time in times.items()}
    masks = {"query_mask": "query", "value_mask": "value"}
    return check_mask_contract(layer, inputs, lengths, masks, follows="query", **options)


def test_kerass_multi_head_attention_keeps_it():
    lengths = {"query": np.array([4, 3, 1]), "value": np.array([2, 6, 3])}
    done = attend(keras.layers.MultiHeadAttention(2, 5), lengths)
    assert {"padding of query", "padding of value", "gradients", "float16"} <= set(done)


def test_a_query_and_a_value_of_the_same_lengths_are_one_sequence():
    lengths = {"query": np.array([2, 6, 3]), "value": np.array([2, 6, 3])}
    layer = keras.layers.MultiHeadAttention(2, 5)
    assert attend(layer, lengths, causal=True, arguments={"use_causal_mask": True})[-1] == "future"
    with pytest.raises(MaskContractError, match="future leak: query and value was given other numbers from position 3"):
        attend(layer, lengths, causal=True)


def model_of_ids(mask_zero):
    ids = keras.Input((None,), dtype="int32", name="ids")
    hidden = keras.layers.Embedding(11, VALUE, mask_zero=mask_zero)(ids)
    return keras.Model(ids, keras.layers.GRU(4)(hidden))


def test_a_model_that_makes_its_mask_of_the_ids_is_taken():
    keras.utils.set_random_seed(2)
    inputs = {"ids": np.random.default_rng(0).integers(1, 11, size=(BATCH, SOURCE)).astype("int32")}
    options = {"lengths": {"ids": np.array([2, 6, 3])}, "padded_with": {"ids": 0}}
    done = check_mask_contract(model_of_ids(True), inputs, **options)
    assert "amount of padding" in done and "float16" in done
    assert "padding of ids: skipped, its padding is its mask" in done
    assert bugs(check_mask_contract, model_of_ids(False), inputs, **options) == {"depends on the amount of padding"}


def test_one_row_is_enough_where_a_layer_takes_no_more():
    inputs = {"sequences": np.random.default_rng(0).normal(size=(1, SOURCE, VALUE)).astype("float32")}
    options = {"lengths": {"sequences": np.array([4])}, "masks": {"mask": "sequences"}}
    assert "batch mates: skipped, there is one row" in check_mask_contract(keras.layers.GRU(4), inputs, **options)
    found = bugs(check_mask_contract, keras.layers.GRU(4, stateful=True), inputs, **options)
    assert found == {"state kept between calls"}


def test_a_layer_that_does_not_know_its_configuration_is_not_tried_in_half_precision():
    class Local(broken.Correct):
        def __init__(self, width, **kwargs):
            super().__init__(**kwargs)

    assert any(
        check.startswith("float16: skipped, get_config does not make the layer again") for check in cross(Local(3))
    )


def test_an_output_that_is_not_finite_as_it_is_ends_the_checks():
    lengths = {"query": np.array([4, 3, 1]), "value": np.array([2, 6, 3])}
    with pytest.raises(MaskContractError, match="in 1 ways:\n  not finite: the inputs were given as they are. Mend: "):
        attend(lambda query, value, **masks: query / 0.0, lengths)


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
    ) == {"mask ignored"}  # fmt: skip


def test_an_output_that_grows_with_an_input_asks_which_it_follows():
    with pytest.raises(ValueError, match="say which input the output runs along, such as follows='sequences'"):
        own(lambda sequences, mask: sequences * keras.ops.cast(keras.ops.expand_dims(mask, 2), "float32"), "sequences")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"lengths": {"sequences": np.array([6, 6, 6])}},
            "give a length of 1 to 6 for each of its 3 rows",
        ),
        ({"lengths": {"sequences": np.array([6, 0, 6])}}, "can show no bug"),
        ({"masks": {"mask": "source"}}, "'source' is no input; the inputs are sequences"),
        ({"lengths": {}}, r"give lengths=\{'sequences': ...\}"),
        ({"causal": True}, "causal=True wants follows"),
        ({"lengths": {}, "masks": {}}, "lengths={} names no padded sequence"),
        ({"follows": "sequences"}, r"output of shape \(3, 4\) does not run along sequences, whose time is 6"),
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
