import keras
import numpy as np
import pytest

from keras_seq.training.metrics import ExactMatch, MaskedAccuracy

LABELS = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0], [1, 1, 1, 1, 2]], "int32")
PREDICTED = np.array([[1, 2, 3, 6, 0], [4, 1, 0, 0, 0], [1, 1, 1, 1, 2]])
LOGITS = np.eye(7, dtype="float32")[PREDICTED]


def result(metric, *args, **options):
    metric.update_state(*args, **options)
    return float(metric.result())


def test_accuracy_is_the_share_of_tokens_and_exact_match_of_sequences():
    assert result(MaskedAccuracy(), LABELS, LOGITS) == pytest.approx(9 / 10)
    assert result(ExactMatch(), LABELS, LOGITS) == pytest.approx(2 / 3)


def test_batches_add_up_and_reset_forgets():
    for metric, wanted in ((MaskedAccuracy(), 9 / 10), (ExactMatch(), 2 / 3)):
        for labels, logits in zip(LABELS, LOGITS, strict=True):
            metric.update_state(labels[None], logits[None])
        assert float(metric.result()) == pytest.approx(wanted)
        metric.reset_state()
        assert float(metric.result()) == 0


def test_sequences_without_labels_do_not_count():
    labels, logits = np.pad(LABELS, ((0, 4), (0, 2))), np.pad(LOGITS, ((0, 4), (0, 2), (0, 0)))
    assert result(MaskedAccuracy(), labels, logits) == pytest.approx(9 / 10)
    assert result(ExactMatch(), labels, logits) == pytest.approx(2 / 3)
    assert result(ExactMatch(), labels[3:], logits[3:]) == 0


def test_sample_weights():
    weight = np.array([0.0, 1.0, 3.0])
    assert result(MaskedAccuracy(), LABELS, LOGITS, sample_weight=weight) == pytest.approx((1 + 3 * 5) / (2 + 3 * 5))
    assert result(ExactMatch(), LABELS, LOGITS, sample_weight=weight) == pytest.approx(3 / 4)


@pytest.mark.parametrize("metric_class", [MaskedAccuracy, ExactMatch])
def test_config_round_trip(metric_class):
    metric = metric_class(name="other")
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert type(again) is metric_class and again.name == "other"
