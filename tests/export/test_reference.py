"""What a run of labels must not be like."""

import numpy as np
import pytest

from export import errors, reference


def test_a_model_that_ends_in_softmax_is_refused():
    logits = np.asarray([[2.0, -1.0, 0.5]])
    reference._check_outputs(logits, ["a", "b", "c"])
    with pytest.raises(errors.ExportError, match="ends in softmax, which the export adds"):
        reference._check_outputs(np.exp(logits) / np.exp(logits).sum(), ["a", "b", "c"])


def test_outputs_labels_and_tags_must_agree():
    with pytest.raises(errors.ExportError, match="3 outputs and labels.json 2 labels"):
        reference._check_outputs(np.zeros((1, 3)), ["a", "b"])
    with pytest.raises(errors.ExportError, match="example 4 has the label 'x', which labels.json has not"):
        reference._numbered({"a": 0}, "x", 4)
    with pytest.raises(errors.ExportError, match="example 1 has 3 tokens and 2 tags"):
        reference._check_tags([[0], [1, 0]], [[4], [5, 6, 7]])
