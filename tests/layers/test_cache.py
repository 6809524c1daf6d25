"""One function writes into every buffer."""

import numpy as np
import pytest
from keras import ops

from keras_seq.layers import write_at


@pytest.mark.parametrize("shape", [(2, 5), (2, 5, 3), (2, 5, 3, 4)])
@pytest.mark.parametrize("position", [0, 3, 4])
def test_one_position_is_written_and_the_rest_is_kept(shape, position):
    random = np.random.default_rng(0)
    buffer, values = random.normal(size=shape), random.normal(size=(shape[0], *shape[2:]))
    wanted = buffer.copy()
    wanted[:, position] = values
    written = write_at(ops.array(buffer), ops.array(position, "int32"), ops.array(values))
    np.testing.assert_array_equal(ops.convert_to_numpy(written), wanted.astype(written.numpy().dtype))


def test_a_position_beyond_the_end_writes_nothing():
    assert ops.convert_to_numpy(write_at(ops.zeros((1, 3)), 3, ops.ones((1,)))).tolist() == [[0, 0, 0]]
