"""Convolution and pooling equal Keras's and PyTorch's, weights copied over."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e .[backends]")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_convolution_and_pooling_equal_their_peers(dtype):
    from benchmarks.parity import convolution

    rows = list(convolution.rows(dtype))
    assert {row.peer for row in rows} == {"Keras", "PyTorch"} and len(rows) > 150
    assert {row.quantity for row in rows if "Cross" in row.layer} == {
        "outputs", "gradient of images", "gradient of kernel", "gradient of bias"
    }  # fmt: skip
    assert not [row for row in rows if not row.holds]
