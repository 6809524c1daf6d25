import keras
import numpy as np
import pytest
from keras import ops

from keras_seq import decoding
from keras_seq.models import Captioner, TransformerCaptioner

SIZES = {"height": 8, "width": 12, "channels": 2, "filters": (5, 6), "units": 8}
MODELS = {
    "lstm": lambda: Captioner(13, **SIZES),
    "transformer": lambda: TransformerCaptioner(13, num_heads=2, feed_forward=10, max_target=9, **SIZES),
}
IMAGES = np.random.default_rng(3).uniform(size=(4, 8, 12, 2)).astype("float32")
TARGETS = np.concatenate([np.ones((4, 1)), np.random.default_rng(4).integers(3, 13, (4, 8))], axis=1).astype("int32")


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    """With weights large enough that what is written depends on the picture and on every token before."""
    keras.utils.set_random_seed(5)
    model, random = MODELS[request.param](), np.random.default_rng(2)
    for weight in model.trainable_weights:
        weight.assign(weight + random.normal(size=weight.shape) * 0.4)
    return model


def at_once(model, targets=TARGETS, images=IMAGES):
    return ops.convert_to_numpy(model({"image": images, "target": targets}, training=False))


def test_steps_give_the_logits_of_the_whole_pass_at_every_position(model):
    memory, state = model.encode(IMAGES)
    whole = at_once(model)
    assert whole.shape == (4, 9, 13)
    for position in range(9):
        logits, state = model.step(TARGETS[:, position], state, memory)
        np.testing.assert_allclose(ops.convert_to_numpy(logits), whole[:, position], atol=1e-5)


def test_what_is_written_depends_on_the_picture_and_the_past_alone(model):
    other = TARGETS.copy()
    other[:, 6:] = 3
    np.testing.assert_allclose(at_once(model, other)[:, :6], at_once(model)[:, :6], atol=1e-5)
    assert np.abs(at_once(model, images=IMAGES[::-1]) - at_once(model)).max() > 0.1
    alone = np.concatenate([at_once(model, TARGETS[[row]], IMAGES[[row]]) for row in range(4)])
    np.testing.assert_allclose(alone, at_once(model), atol=1e-5)


def test_attention_is_a_share_of_every_place_and_moves_with_the_map(model):
    weights = ops.convert_to_numpy(model.alignments({"image": IMAGES, "target": TARGETS}))
    assert model.map_shape == (2, 3) and weights.shape == (4, 9, 6)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    assert np.abs(weights - weights[:, :1]).max() > 0.01


def test_it_is_saved_and_read_again(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(at_once(again), at_once(model), atol=1e-6)


def test_a_map_that_would_not_be_whole_is_refused():
    with pytest.raises(ValueError, match="width=30 is halved 2 times; give a multiple of 4, or fewer filters"):
        Captioner(13, height=8, width=30, filters=(4, 4))


def test_greedy_search_takes_a_picture(model):
    ids, length, _ = decoding.greedy(model, IMAGES, None, 9)
    slow = decoding.greedy_reference(model, IMAGES, None, 9)
    for own, count, (wanted, _) in zip(np.asarray(ids), np.asarray(length), slow, strict=True):
        assert own[: len(wanted)].tolist() == list(wanted) and count in (len(wanted), len(wanted) - 1)
