"""Occlusion: the influence of a source token is what its absence takes from an output."""

import numpy as np
from keras import ops

from keras_seq.occlusion import occlusion


def copying_model(inputs):
    """Predicts for position t the id that stands at source position t, with a logit of 5."""
    source = np.asarray(inputs["source"])
    positions = np.minimum(np.arange(inputs["target"].shape[1]), source.shape[1] - 1)
    return ops.convert_to_tensor(5.0 * np.eye(11, dtype="float32")[source[:, positions]])


def test_a_copied_token_hangs_on_its_source_token_alone():
    influence = occlusion(copying_model, [7, 9, 10, 4], [7, 9, 10])
    assert influence.shape == (4, 4)
    np.testing.assert_allclose(influence[:3], np.eye(4)[:3], atol=1e-6)


def test_an_output_that_hangs_on_nothing_has_no_influence():
    flat = occlusion(lambda inputs: ops.zeros((*inputs["target"].shape, 11)), [7, 9], [5, 6, 8])
    np.testing.assert_array_equal(flat, np.zeros((4, 2)))
