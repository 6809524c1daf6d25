"""Metrics over token ids that look away from the padding (label 0).

Both see the model as it is trained, teacher-forced: every position is predicted from the true tokens before it. What
the model writes by itself is measured by decoding (`keras_seq.decoding`).
"""

import keras
from keras import ops


def _hits(y_true, y_pred):
    """Where the most probable token is the label, and where there is a label: two bool `(batch, target)`."""
    labels = ops.cast(y_true, "int32")
    return ops.equal(ops.cast(ops.argmax(y_pred, axis=-1), "int32"), labels), ops.not_equal(labels, 0)


@keras.saving.register_keras_serializable("keras_seq")
class MaskedAccuracy(keras.metrics.Mean):
    """Share of the tokens that are predicted, padding aside.

    Args:
        name: str.
        dtype: dtype of the result.

    Call arguments:
        y_true: int `(batch, target)`, labels; 0 is padding.
        y_pred: `(batch, target, vocabulary)`, logits.
        sample_weight: `(batch,)` or `(batch, target)`.

    Example:
        >>> metric = MaskedAccuracy()
        >>> metric.update_state([[1, 2, 0]], ops.one_hot([[1, 1, 1]], 3))
        >>> print(float(metric.result()))
        0.5
    """

    def __init__(self, name="masked_accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        hit, kept = _hits(y_true, y_pred)
        weight = ops.cast(kept, self.dtype)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, self.dtype)
            if len(sample_weight.shape) == 1:
                sample_weight = ops.expand_dims(sample_weight, -1)  # (batch, 1)
            weight = weight * sample_weight
        super().update_state(ops.cast(hit, self.dtype), sample_weight=weight)


@keras.saving.register_keras_serializable("keras_seq")
class ExactMatch(keras.metrics.Mean):
    """Share of the sequences whose every label is predicted, teacher-forced; sequences without a label do not count.

    For greedy decoding the same number comes out: as long as each prediction is right, the model's own tokens are the
    true tokens, and after the first wrong one neither counts.

    Args:
        name: str.
        dtype: dtype of the result.

    Call arguments:
        y_true: int `(batch, target)`, labels; 0 is padding.
        y_pred: `(batch, target, vocabulary)`, logits.
        sample_weight: `(batch,)`.

    Example:
        >>> metric = ExactMatch()
        >>> metric.update_state([[1, 2, 0], [1, 1, 2]], ops.one_hot([[1, 2, 1], [1, 1, 1]], 3))
        >>> print(float(metric.result()))
        0.5
    """

    def __init__(self, name="exact_match", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        hit, kept = _hits(y_true, y_pred)
        matched = ops.all(ops.logical_or(hit, ops.logical_not(kept)), axis=-1)  # (batch,)
        weight = ops.cast(ops.any(kept, axis=-1), self.dtype)  # (batch,)
        if sample_weight is not None:
            weight = weight * ops.cast(sample_weight, self.dtype)
        super().update_state(ops.cast(matched, self.dtype), sample_weight=weight)
