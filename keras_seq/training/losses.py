"""Cross-entropy over token ids that looks away from the padding.

    loss = sum over kept tokens of -[(1 - e) log p(label) + e / v * sum over the vocabulary of log p] / kept tokens

with e the label smoothing, v the size of the vocabulary, and a token kept where its label is not 0.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_seq")
class MaskedCrossEntropy(keras.losses.Loss):
    """Mean cross-entropy of the tokens whose label is not padding (id 0).

    `keras.losses.SparseCategoricalCrossentropy(ignore_class=0)` zeroes the padding's loss but still divides by its
    count, and cannot smooth; PyTorch's `CrossEntropyLoss(ignore_index=0, label_smoothing=e)` is this loss.

    Args:
        label_smoothing: float in [0, 1), the share of the label's probability spread evenly over the whole vocabulary.
        reduction: "mean_with_sample_weight" (mean over kept tokens, weighted by `sample_weight` where given), "sum",
            or "none" for `(batch, target)`.
        name: str.

    Call arguments:
        y_true: int `(batch, target)`, labels; 0 is padding.
        y_pred: `(batch, target, vocabulary)`, logits of any float dtype; the loss is computed in float32.
        sample_weight: `(batch,)` or `(batch, target)`.

    Returns:
        float32 scalar; 0 when every label is padding.

    Raises:
        ValueError: if `label_smoothing` is out of range.

    Example:
        >>> loss = MaskedCrossEntropy()
        >>> logits = ops.log([[[0.25, 0.5, 0.25], [0.1, 0.1, 0.8]]])
        >>> print(round(float(loss([[1, 0]], logits)), 4))  # -log 0.5: the second label is padding
        0.6931

    Reference: Szegedy et al., 2016, "Rethinking the Inception Architecture for Computer Vision", section 7; used by
    Vaswani et al., 2017, "Attention Is All You Need", section 5.4, with 0.1.
    """

    def __init__(self, label_smoothing=0.0, reduction="mean_with_sample_weight", name="masked_cross_entropy"):
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing={label_smoothing} is out of range; choose a number in [0, 1), often 0.1")
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.label_smoothing = label_smoothing

    def __call__(self, y_true, y_pred, sample_weight=None):
        kept = ops.cast(ops.not_equal(y_true, 0), "float32")  # (batch, target)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, "float32")
            if len(sample_weight.shape) == 1:
                sample_weight = ops.expand_dims(sample_weight, -1)  # (batch, 1)
            kept = kept * sample_weight
        return super().__call__(y_true, y_pred, sample_weight=kept)

    def call(self, y_true, y_pred):
        labels = ops.cast(y_true, "int32")
        logits = ops.cast(y_pred, "float32")
        loss = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)  # (batch, target)
        if self.label_smoothing:
            uniform = ops.logsumexp(logits, axis=-1) - ops.mean(logits, axis=-1)  # (batch, target)
            loss = (1 - self.label_smoothing) * loss + self.label_smoothing * uniform
        return loss

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
