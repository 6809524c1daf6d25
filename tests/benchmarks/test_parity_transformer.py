"""Transformer parts equal Keras's and PyTorch's, weights copied over; and a mistake in the copying shows."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e .[backends]")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_transformer_parts_equal_their_peers(dtype):
    from benchmarks.parity import transformer

    rows = list(transformer.rows(dtype))
    assert {row.peer for row in rows} == {"Keras", "PyTorch", "formula"} and len(rows) == 68
    assert not [row for row in rows if not row.holds]


@pytest.mark.parametrize("kind", [torch.nn.TransformerEncoderLayer, torch.nn.TransformerDecoderLayer])
def test_weights_go_to_our_layout_and_come_back(kind):
    from benchmarks.parity.transformer import layer_from_torch, layer_to_torch

    state = {name: tensor.numpy() for name, tensor in kind(6, 3, 11).state_dict().items()}
    arrays = layer_from_torch(state)
    assert arrays["self_attention/query/kernel"].shape == (6, 6) and arrays["feed_forward/hidden/kernel"].shape == (
        6,
        11,
    )
    back = layer_to_torch(arrays)
    assert back.keys() == state.keys()
    for name, array in state.items():
        np.testing.assert_array_equal(back[name], array)


def test_two_norms_exchanged_are_out_of_tolerance(monkeypatch):
    from benchmarks.parity import transformer

    honest = transformer.layer_from_torch

    def exchanged(state):
        return honest({**state, "norm1.weight": state["norm2.weight"], "norm2.weight": state["norm1.weight"]})

    monkeypatch.setattr(transformer, "layer_from_torch", exchanged)
    rows = list(transformer._encoder_layer("float64", "pre", "relu", masked=True))
    assert rows and not any(row.holds for row in rows)
