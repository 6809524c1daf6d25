"""Keras's own answers to runs of labels, and that a signature which strays from the model is caught by them."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from export import cases, errors, numbers, prove_labels, reference_labels, saved_model, signatures
from export.examples import Task
from keras_seq.data.images import Images
from keras_seq.recipes.pictures import save_run

SIZE = {"height": 5, "width": 4, "channels": 1}


class TracedSession:
    """Calls a model's signatures as an artefact is called, without converting them."""

    def __init__(self, model, limits):
        self._functions = signatures.model_signatures(model, limits, static=False)
        self.signatures = {name: _described(function) for name, function in self._functions.items()}

    def call(self, signature, **arrays):
        function = self._functions[signature]
        given = [tf.constant(arrays[spec.name]) for spec in signatures.input_specs(function)]
        return {name: tensor.numpy() for name, tensor in function(*given).items()}


def _described(function):
    specs = {spec.name: spec for spec in signatures.input_specs(function)}
    return {
        "inputs": {name: saved_model._shape_and_dtype(spec) for name, spec in specs.items()},
        "outputs": {name: saved_model._shape_and_dtype(tensor) for name, tensor in function.structured_outputs.items()},
    }


@pytest.fixture(scope="module")
def run(label_runs, tmp_path_factory):
    """A run directory, its model and its task."""
    run = tmp_path_factory.mktemp("runs") / "both"
    model = label_runs.write_run(run)
    return run, model, Task.of(json.loads((run / "config.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """The same of a classifier that reads whole numbers from 0 to 255."""
    keras.utils.set_random_seed(1)
    read = keras.Input(tuple(SIZE.values()), dtype="uint8")
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(read))
    model = keras.Model(read, keras.layers.Dense(3, kernel_initializer="normal")(flat))
    model.set_weights([30 * weight for weight in model.get_weights()])
    random = np.random.default_rng(2)
    test = random.integers(0, 256, (11, *SIZE.values())).astype("uint8"), random.integers(0, 3, 11).astype("int32")
    data = Images("dots", ("a", "b", "c"), test, test, test, "drawn here")
    run = save_run(model, data, tmp_path_factory.mktemp("pictures") / "dots", accuracy=0.25)
    return run, model, Task.of(json.loads((run / "config.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def answered(run):
    """What Keras answers to the run, its score, and the cases."""
    return _answered(*run)


def _answered(run, model, task):
    answers, keras_s = reference_labels.of_labels(model, run, task, slice(None))
    return answers, keras_s, reference_labels.label_cases(model, task, answers)


def prove(run, answered):
    """Holds the traced signatures against the reference: numbers and labels."""
    (_, model, task), (answers, _, made) = run, answered
    session = TracedSession(model, task.limits)
    found = numbers.compare(session, made, "float32")
    return found, prove_labels.prove(session, answers, task.limits, "float32", static=False)


def test_the_reference_is_what_the_model_says_of_each_text_alone(run, answered, label_runs):
    (_, model, _), (answers, keras_s, _) = run, answered
    assert len(answers["text"]) == keras_s["score"]["examples"] == label_runs.EXAMPLES
    for number, ids in enumerate(answers["source_ids"][:7]):
        spelled = np.zeros((1, len(ids), label_runs.LETTERS), "int32")
        for place, letters in enumerate(answers["character_ids"][number]):
            spelled[0, place, : len(letters)] = letters
        logits = model({"ids": np.asarray([ids], "int32"), "characters": spelled})
        wanted = {"probabilities": logits["tags"], "label_probabilities": logits["label"]}
        for head, own in wanted.items():
            np.testing.assert_allclose(answers[head][number], keras.ops.softmax(own)[0], atol=1e-6)
        tags = [label_runs.TAGS[best] for best in np.argmax(logits["tags"][0], axis=-1)]
        assert answers["output"][number] == " ".join(tags)
        assert answers["label_output"][number] == label_runs.SENTENCES[int(np.argmax(logits["label"][0]))]


def test_scores_are_shares_of_tokens_and_of_sentences(answered):
    answers, keras_s, _ = answered
    tokens = [
        own == wanted
        for output, target in zip(answers["output"], answers["target"], strict=True)
        for own, wanted in zip(output.split(), target.split(), strict=True)
    ]
    sentences = [own == wanted for own, wanted in zip(answers["label_output"], answers["label"], strict=True)]
    assert keras_s["score"]["accuracy"] == pytest.approx(np.mean(tokens))
    assert keras_s["score"]["label_accuracy"] == pytest.approx(np.mean(sentences))
    assert keras_s["latency_ms"] > 0


def test_signatures_of_words_characters_and_two_heads_pass(run, answered):
    found, (parity, score, _) = prove(run, answered)
    assert found["predict"]["cases"] == 3 and found["predict"]["max_error"] < 1e-5
    assert parity["inputs"] == score["examples"] and {"accuracy", "label_accuracy"} <= set(score)


def test_signatures_of_pictures_pass(pictures):
    found, (parity, _, _) = prove(pictures, _answered(*pictures))
    assert found["predict"]["max_error"] < 1e-5 and parity["inputs"] == 11


def test_the_cases_have_several_lengths_batches_and_paddings(answered):
    _, _, made = answered
    shapes = [case.inputs["characters"].shape for case in made]
    assert len({shape[:2] for shape in shapes}) == 3 and {shape[2] for shape in shapes} == {5}
    assert made[0].open_axes == {"ids": 1, "characters": 1, "probabilities": 1}
    assert any((case.lengths < case.inputs["ids"].shape[1]).any() for case in made)


def _mask_one_short(model, limits, static):
    """`range < length - 1`: the last token of each text is taken for padding."""
    real = ORIGINAL_LABELS(model, limits, static)
    specs = signatures.input_specs(real)

    def predict(ids, characters, length):
        return real(ids, characters, tf.maximum(length - 1, 1))

    return tf.function(predict, autograph=False).get_concrete_function(*specs)


def _mask_forgotten(model, limits, static):
    """All of the padded width is real."""
    real = ORIGINAL_LABELS(model, limits, static)

    def predict(ids, characters, length):
        return real(tf.maximum(ids, 1), characters, tf.ones_like(length) * tf.shape(ids)[1])

    return tf.function(predict, autograph=False).get_concrete_function(*signatures.input_specs(real))


def _heads_swapped(outputs):
    swapped = ORIGINAL_PROBABILITIES(outputs)
    return swapped | {"probabilities": tf.reverse(swapped["probabilities"], [-1])}


ORIGINAL_LABELS, ORIGINAL_PROBABILITIES = signatures._labels_function, signatures._probabilities


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("_labels_function", _mask_one_short),
        ("_labels_function", _mask_forgotten),
        ("_probabilities", _heads_swapped),
    ],
)
def test_a_signature_that_strays_from_the_model_is_caught(run, answered, monkeypatch, name, planted):
    monkeypatch.setattr(signatures, name, planted)
    with pytest.raises(errors.NumbersError, match=r"predict .*probabilities is .*, Keras has "):
        prove(run, answered)


def test_a_signature_that_scales_pictures_otherwise_is_caught(pictures, monkeypatch):
    def unscaled(model, batch):
        """Forgets that the model reads whole numbers from 0 to 255."""
        spec = tf.TensorSpec((batch, *model.inputs[0].shape[1:]), tf.float32, "image")
        return signatures._trace(
            lambda image: {"probabilities": tf.nn.softmax(model(tf.cast(image, "uint8"), training=False))}, [spec]
        )

    monkeypatch.setattr(signatures, "_picture_function", unscaled)
    with pytest.raises(errors.NumbersError, match="predict .*probabilities is"):
        prove(pictures, _answered(*pictures))


def test_a_model_that_reads_its_padding_is_refused(run):
    folder, _, task = run
    ids = keras.Input((None,), dtype="int32")
    characters = keras.Input((None, None), dtype="int32")
    hidden = keras.layers.Embedding(30, 5)(ids)  # no mask
    label = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling1D()(hidden))
    model = keras.Model([ids, characters], [keras.layers.Dense(3)(hidden), label])
    model.set_weights([40 * weight for weight in model.get_weights()])
    with pytest.raises(errors.ExportError, match="reads its padding: .* padded to 9 tokens moves a logit by"):
        reference_labels.of_labels(model, folder, task, slice(None))


def test_a_single_logit_is_the_second_of_two_labels(label_runs, tmp_path):
    model = label_runs.write_run(tmp_path / "binary", characters=False, sentences=False, tags=["no", "yes"])
    task = Task.of(json.loads((tmp_path / "binary" / "config.json").read_text(encoding="utf-8")))
    answered = _answered(tmp_path / "binary", model, task)
    answers = answered[0]
    logits = np.asarray(model(np.asarray(answers["source_ids"][:1], "int32")))[0]  # (tokens, 1)
    yes = 1 / (1 + np.exp(-logits[:, 0]))
    np.testing.assert_allclose(answers["probabilities"][0], np.stack([1 - yes, yes], axis=-1), atol=1e-6)
    assert answers["output"][0] == " ".join(np.where(yes > 0.5, "yes", "no"))
    prove((tmp_path / "binary", model, task), answered)


def test_a_run_of_pictures_keeps_the_pixels_as_they_are(pictures):
    folder, model, task = pictures
    answers, _ = reference_labels.of_labels(model, folder, task, slice(4))
    images = np.asarray(answers["image"], "uint8")
    np.testing.assert_allclose(answers["probabilities"], keras.ops.softmax(model(images)), atol=1e-6)
    assert task.picture == SIZE and answers["target"][0] in "abc"
    made = reference_labels.label_cases(model, task, answers)
    assert [len(case.inputs["image"]) for case in made] == [1, 3]
    assert cases.Case is type(made[0]) and made[0].inputs["image"].max() <= 1
