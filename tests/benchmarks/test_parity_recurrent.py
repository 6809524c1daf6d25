"""Our recurrent cells equal Keras's and PyTorch's."""

import keras
import pytest

pytest.importorskip("torch")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the comparison runs Keras on TensorFlow", allow_module_level=True)

from benchmarks.parity import recurrent


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
def test_every_comparison_is_within_tolerance(dtype, tolerance):
    rows = list(recurrent.rows(dtype))
    # 7 cells with Keras and 5 with PyTorch, in 3 directions, with padding and without, 5 quantities each
    assert len(rows) == (7 + 5) * 3 * 2 * 5
    assert {row.tolerance for row in rows} == {tolerance}
    assert not [row for row in rows if not row.holds]
