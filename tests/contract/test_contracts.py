"""Every layer keeps both contracts, on whatever backend KERAS_BACKEND names."""

import importlib.util
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_seq import layers
from keras_seq.testing import check_layer_contract, check_mask_contract

_SPEC = importlib.util.spec_from_file_location("contract_cases", Path(__file__).with_name("cases.py"))
cases = importlib.util.module_from_spec(_SPEC)
sys.modules["contract_cases"] = cases
_SPEC.loader.exec_module(cases)


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_it_keeps_the_layer_contract(case):
    done = check_layer_contract(case.make, case.inputs, **case.contract)
    assert {"build", "configuration", "shapes", "saving", "training", "mixed_float16"} <= set(done)
    compiled = {"tensorflow": {"compiled: tf.function", "compiled: XLA"}, "jax": {"compiled: jax.jit"}}
    assert compiled.get(keras.backend.backend(), set()) <= set(done)


@pytest.mark.parametrize("case", [case for case in cases.CASES if case.masks], ids=lambda case: case.name)
def test_it_keeps_the_mask_contract(case):
    keras.utils.set_random_seed(3)
    done = check_mask_contract(case.make(), case.inputs, **case.masks)
    assert "float16" in done and "batch mates" in done and "nothing to attend to" in done


@pytest.mark.parametrize(
    ("name", "padded", "options"),
    [
        ("AttentionDecoder", "values", {"follows": "tokens", "causal": True}),
        ("LogMel", "samples", {"fixed": ["samples"]}),  # more samples are more frames, of nothing: see its own test
        ("ConvolutionSubsampling", "inputs", {"fixed": ["inputs"]}),
    ],
)
def test_it_reads_no_further_than_the_lengths(name, padded, options):
    case = next(case for case in cases.CASES if case.name == name)
    inputs = {argument: value for argument, value in case.inputs.items() if argument != "lengths"}
    lengths = case.inputs["lengths"]
    check_mask_contract(case.make(), inputs, {padded: lengths}, lengths_as={"lengths": padded}, **options)


def test_every_public_layer_has_a_case():
    public = {
        name
        for name in layers.__all__
        if isinstance(getattr(layers, name), type) and issubclass(getattr(layers, name), keras.layers.Layer)
    }
    made = set()

    def visit(layer):
        made.add(type(layer).__name__)
        for part in layer._flatten_layers(include_self=False):
            made.add(type(part).__name__)

    for case in cases.CASES:
        layer = case.make()
        layer(**{name: np.asarray(value) for name, value in case.inputs.items()})
        visit(layer)
    assert public - made <= {"ScoringRule"}
