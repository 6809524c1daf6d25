"""Embedding and readout: the scale, the shared matrix, and logits that stay float32."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.layers.embedding import Readout, ScaledEmbedding

VOCABULARY, FEATURES = 11, 4
IDS = np.array([[5, 7, 0], [2, 0, 0]])


@pytest.fixture
def embedding():
    layer = ScaledEmbedding(VOCABULARY, FEATURES)
    layer.build()
    layer.set_weights([np.random.default_rng(0).normal(size=(VOCABULARY, FEATURES))])
    return layer


def array(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def test_an_embedding_is_twice_its_row_where_there_are_four_features(embedding):
    np.testing.assert_allclose(array(embedding(IDS)), 2 * array(embedding.embeddings)[IDS], rtol=1e-6)
    np.testing.assert_allclose(array(embedding(IDS[:, 0])), 2 * array(embedding.embeddings)[[5, 2]], rtol=1e-6)


def test_new_embeddings_have_variance_one():
    keras.utils.set_random_seed(2)
    layer = ScaledEmbedding(503, 64)
    assert array(layer(np.arange(503))).var() == pytest.approx(1, rel=0.03)


def test_logits_are_products_with_the_rows_of_the_same_matrix(embedding):
    hidden = np.random.default_rng(1).normal(size=(2, 3, FEATURES)).astype("float32")
    logits = array(embedding.logits(hidden))
    rows = array(embedding.embeddings)
    for b, t, v in np.ndindex(2, 3, VOCABULARY):
        assert logits[b, t, v] == pytest.approx(hidden[b, t] @ rows[v], abs=1e-5)
    assert len(embedding.weights) == 1


def test_padding_is_masked_and_the_mask_of_hidden_states_is_passed_on_to_logits(embedding):
    kept = [[True, True, False], [True, False, False]]
    hidden = embedding(IDS)
    for tensor in (hidden, embedding.logits(hidden)):
        assert array(tensor._keras_mask).astype(bool).tolist() == kept
    assert not hasattr(ScaledEmbedding(VOCABULARY, FEATURES, mask_zero=False)(IDS), "_keras_mask")


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_under_half_precision(policy):
    embedding = ScaledEmbedding(VOCABULARY, FEATURES, dtype=policy)
    hidden = embedding(IDS)
    assert keras.backend.standardize_dtype(hidden.dtype) == policy.removeprefix("mixed_")
    for logits in (embedding.logits(hidden), Readout(VOCABULARY, dtype=policy)(hidden)):
        assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    symbolic = keras.Input((None, FEATURES), dtype="float16")
    assert embedding.logits(symbolic).dtype == Readout(VOCABULARY, dtype=policy)(symbolic).dtype == "float32"


def test_a_readout_is_a_linear_map_and_its_softmax():
    hidden = np.random.default_rng(1).normal(size=(2, 3, FEATURES)).astype("float32")
    logits, probabilities = Readout(VOCABULARY), Readout(VOCABULARY, softmax=True)
    made = array(logits(hidden))
    probabilities(hidden)
    kernel, bias = logits.get_weights()
    probabilities.set_weights([kernel, bias])
    np.testing.assert_allclose(made, hidden @ kernel + bias, atol=1e-5)
    exponentials = np.exp(made)
    wanted = exponentials / exponentials.sum(-1, keepdims=True)
    np.testing.assert_allclose(array(probabilities(hidden)), wanted, atol=1e-6)


def test_one_matrix_reads_and_writes_in_a_model_that_survives_saving(tmp_path):
    embedding = ScaledEmbedding(VOCABULARY, FEATURES)
    source = keras.Input((None,), dtype="int32")
    model = keras.Model(source, embedding.logits(embedding(source)))
    assert model.count_params() == VOCABULARY * FEATURES and model.output_shape == (None, None, VOCABULARY)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.count_params() == VOCABULARY * FEATURES
    np.testing.assert_allclose(array(loaded(IDS)), array(model(IDS)), atol=1e-6)


def test_a_training_step_moves_the_matrix_from_both_ends():
    embedding = ScaledEmbedding(VOCABULARY, FEATURES)
    source = keras.Input((None,), dtype="int32")
    model = keras.Model(source, embedding.logits(embedding(source)))
    before = array(embedding.embeddings)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(IDS, IDS, verbose=0)
    moved = np.abs(array(embedding.embeddings) - before).max(axis=1)
    assert np.all(moved > 0), "every id is written against, though three alone are read"


@pytest.mark.parametrize(
    "layer", [ScaledEmbedding(VOCABULARY, FEATURES, mask_zero=False), Readout(VOCABULARY, softmax=True)]
)
def test_their_configuration_makes_them_again(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()


def test_shapes_are_known_before_there_are_values():
    embedding, readout = ScaledEmbedding(VOCABULARY, FEATURES), Readout(VOCABULARY)
    assert embedding.compute_output_shape((3, 7)) == (3, 7, FEATURES)
    assert embedding.compute_output_shape((3, 7, FEATURES), reverse=True) == (3, 7, VOCABULARY)
    assert readout.compute_output_shape((3, 7, FEATURES)) == (3, 7, VOCABULARY)
    assert embedding(keras.Input((None,), dtype="int32")).shape == (None, None, FEATURES)


def test_wrong_sizes_and_dtypes_are_refused(embedding):
    with pytest.raises(ValueError, match="vocabulary_size=0 is not"):
        ScaledEmbedding(0, FEATURES)
    with pytest.raises(ValueError, match="features=-1 is not"):
        ScaledEmbedding(VOCABULARY, -1)
    with pytest.raises(ValueError, match="vocabulary_size=1.5 is not"):
        Readout(1.5)
    with pytest.raises(ValueError, match=r"shape \(2, 9\) have 9 features, the embedding has 4; put a Dense\(4\)"):
        embedding.logits(np.zeros((2, 9), "float32"))
    with pytest.raises(TypeError, match="ids are .*float32.*; give int32, or reverse=True"):
        embedding(IDS.astype("float32"))
    with pytest.raises(TypeError, match="ids are float32"):
        embedding(keras.Input((None,)))
