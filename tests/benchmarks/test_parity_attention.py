"""Attention equals Keras's and PyTorch's, weights copied over."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e .[backends]")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_attention_equals_its_peers(dtype):
    from benchmarks.parity import attention

    rows = list(attention.rows(dtype))
    assert {row.peer for row in rows} == {"Keras", "PyTorch"} and len(rows) > 150
    assert not [row for row in rows if not row.holds]
