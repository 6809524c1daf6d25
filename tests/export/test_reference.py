"""What Keras answers to a run of labels, and what such a run must not be like."""

import numpy as np
import pytest

from export import errors, reference_labels
from export.examples import Task


def test_a_model_that_ends_in_softmax_or_sigmoid_is_refused():
    logits = np.asarray([2.0, -1.0, 0.5])
    reference_labels._check_outputs([logits], ["a", "b", "c"], "labels.json")
    with pytest.raises(errors.ExportError, match="ends in softmax, which the export adds"):
        reference_labels._check_outputs([np.exp(logits) / np.exp(logits).sum()], ["a", "b", "c"], "labels.json")
    ones = [np.asarray([value]) for value in np.linspace(0.1, 0.9, 8)]
    reference_labels._check_outputs([*ones, np.asarray([1.5])], ["no", "yes"], "labels.json")
    with pytest.raises(errors.ExportError, match="ends in sigmoid, which the export adds"):
        reference_labels._check_outputs(ones, ["no", "yes"], "labels.json")


def test_outputs_labels_and_tags_must_agree():
    with pytest.raises(errors.ExportError, match="3 outputs and labels.json 2 labels"):
        reference_labels._check_outputs([np.zeros(3)], ["a", "b"], "labels.json")
    with pytest.raises(errors.ExportError, match="1 outputs and labels.json 1 labels; .* two for the single output"):
        reference_labels._check_outputs([np.zeros(1)], ["a"], "labels.json")
    with pytest.raises(errors.ExportError, match="example 4 has the label 'x', which labels.json has not"):
        reference_labels._numbered({"a": 0}, 4, "x")
    with pytest.raises(errors.ExportError, match="example 1 has 3 tokens and 2 tags"):
        reference_labels._check_tags([[0], [1, 0]], [[4], [5, 6, 7]])


@pytest.mark.parametrize(
    ("kind", "sentences", "shapes", "message"),
    [
        ("classify", False, [(4, 3)], r"shapes \[4, 3\] for one example; wanted \(labels,\)"),
        ("tag", False, [(3,)], r"wanted \(tokens, tags\)"),
        ("tag", True, [(4, 3)], r"wanted \(tokens, tags\) and \(labels,\)"),
    ],
)
def test_the_model_s_outputs_must_be_those_of_the_task(kind, sentences, shapes, message):
    task = Task("x", kind, {"source": 5}, None, sentences)
    with pytest.raises(errors.ExportError, match=message):
        reference_labels._check_heads([np.zeros(shape) for shape in shapes], task)


def test_probabilities_of_logits():
    wanted = np.asarray([[1, 3], [9, 1]]) / [[4], [10]]
    np.testing.assert_allclose(reference_labels.probabilities_of(np.log(wanted) + 700), wanted, rtol=1e-5)
    single = reference_labels.probabilities_of(np.log(np.asarray([[3.0], [1 / 9]])))
    np.testing.assert_allclose(single, [[0.25, 0.75], [0.9, 0.1]], rtol=1e-6)
