import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.training.losses import MaskedCrossEntropy

BATCH, TARGET, VOCABULARY = 3, 5, 7


def make_batch(dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, VOCABULARY, (BATCH, TARGET))
    labels[0, 2:] = labels[1, 4:] = 0
    return labels.astype("int32"), rng.normal(size=(BATCH, TARGET, VOCABULARY), scale=3).astype(dtype)


def expected_loss(labels, logits, smoothing):
    """The equation, token by token."""
    losses = []
    for label_row, logit_row in zip(labels, logits.astype(np.float64), strict=True):
        for label, scores in zip(label_row, logit_row, strict=True):
            if label:
                log_probability = scores - np.log(np.exp(scores).sum())
                wanted = np.full(VOCABULARY, smoothing / VOCABULARY)
                wanted[label] += 1 - smoothing
                losses.append(-(wanted * log_probability).sum())
    return np.mean(losses)


def test_uniform_logits_cost_the_logarithm_of_the_vocabulary():
    for smoothing in (0.0, 0.1):
        loss = MaskedCrossEntropy(smoothing)(ops.ones((2, 3), "int32"), ops.zeros((2, 3, VOCABULARY)))
        assert float(loss) == pytest.approx(math.log(VOCABULARY), rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_loss_is_the_mean_over_kept_tokens(smoothing):
    labels, logits = make_batch()
    assert float(MaskedCrossEntropy(smoothing)(labels, logits)) == pytest.approx(
        expected_loss(labels, logits, smoothing), rel=1e-5
    )


def test_padding_changes_nothing():
    labels, logits = make_batch()
    other = np.where(labels[..., None] == 0, 1e3, logits)
    wider = np.pad(labels, ((0, 2), (0, 3))), np.pad(other, ((0, 2), (0, 3), (0, 0)))
    loss = MaskedCrossEntropy(0.1)
    assert float(loss(*wider)) == pytest.approx(float(loss(labels, logits)), rel=1e-6)


def test_nothing_but_padding_costs_nothing_and_gives_no_gradient():
    import tensorflow as tf

    logits = tf.Variable(tf.random.stateless_normal((BATCH, TARGET, VOCABULARY), seed=(1, 2)))
    with tf.GradientTape() as tape:
        loss = MaskedCrossEntropy(0.1)(tf.zeros((BATCH, TARGET), tf.int32), logits)
    assert float(loss) == 0
    assert not tape.gradient(loss, logits).numpy().any()


def test_gradient_is_probability_minus_smoothed_label():
    import tensorflow as tf

    labels, logits = make_batch()
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = MaskedCrossEntropy(0.2)(labels, variable)
    wanted = np.eye(VOCABULARY)[labels] * 0.8 + 0.2 / VOCABULARY
    gradient = (
        (keras.ops.convert_to_numpy(ops.softmax(logits)) - wanted) * (labels != 0)[..., None] / (labels != 0).sum()
    )
    np.testing.assert_allclose(tape.gradient(loss, variable), gradient, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_logits_are_computed_in_float32(dtype):
    labels, logits = make_batch()
    low = ops.cast(logits, dtype)
    loss = MaskedCrossEntropy(0.1)(labels, low)
    assert loss.dtype == "float32"
    exact = expected_loss(labels, ops.convert_to_numpy(ops.cast(low, "float32")), 0.1)
    assert float(loss) == pytest.approx(exact, rel=1e-5)


def test_sample_weights_weigh_sequences_or_tokens():
    labels, logits = make_batch()
    loss = MaskedCrossEntropy()
    only_last = loss(labels, logits, sample_weight=np.array([0.0, 0.0, 2.0]))
    assert float(only_last) == pytest.approx(expected_loss(labels[2:], logits[2:], 0.0), rel=1e-5)
    tokens = np.zeros((BATCH, TARGET))
    tokens[:, :2] = 1
    first_two = loss(labels, logits, sample_weight=tokens)
    assert float(first_two) == pytest.approx(expected_loss(labels[:, :2], logits[:, :2], 0.0), rel=1e-5)


def test_reduction_none_gives_a_loss_for_each_token():
    labels, logits = make_batch()
    losses = ops.convert_to_numpy(MaskedCrossEntropy(reduction="none")(labels, logits))
    assert losses.shape == (BATCH, TARGET)
    assert not losses[labels == 0].any() and losses[labels != 0].all()


def test_it_trains_a_compiled_model_and_survives_saving(tmp_path):
    labels, _ = make_batch()
    model = keras.Sequential([keras.Input((None,)), keras.layers.Embedding(9, 4), keras.layers.Dense(VOCABULARY)])
    model.compile("sgd", MaskedCrossEntropy(label_smoothing=0.1, name="smoothed"), jit_compile=False)
    before = model.evaluate(labels, labels, verbose=0)
    model.fit(labels, labels, epochs=2, verbose=0)
    assert model.evaluate(labels, labels, verbose=0) < before
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.loss.get_config() == model.loss.get_config()
    assert again.loss.label_smoothing == 0.1


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_impossible_smoothing_is_refused(smoothing):
    with pytest.raises(ValueError, match="label_smoothing=.* is out of range"):
        MaskedCrossEntropy(smoothing)
