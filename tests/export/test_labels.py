"""Bundles that label: what comes out for a text, its tokens or a picture, and what is refused."""

import io
import json
import shutil
import subprocess
import sys
from argparse import ArgumentParser

import numpy as np
import pytest

from export import bundle as bundles
from export import runtime
from keras_seq.data.tokenizer import Tokenizer

ROWS = {4: [0.7, 0.2, 0.1], 5: [0.1, 0.3, 0.6], 3: [0.2, 0.5, 0.3]}  # of each id
LABELS = ["cheese", "tea", "weather"]


class FakeSession:
    """Knows the probabilities of each id; a text has those of its first token."""

    def __init__(self, task="tag", **shapes):
        self.task, self.calls = task, []
        self.shapes = {"ids": [None, None], "length": [None], **shapes}
        self.outputs = {"probabilities": [None, None, 3] if task == "tag" else [None, 3]}

    def describe(self, signature):
        sides = {"inputs": self.shapes, "outputs": self.outputs}
        return {
            side: {name: {"shape": shape, "dtype": "int32"} for name, shape in tensors.items()}
            for side, tensors in sides.items()
        }

    def call(self, signature, ids, length, characters=None):
        self.calls.append((ids, length, characters))
        rows = np.asarray([[ROWS.get(token, [1 / 3] * 3) for token in row] for row in ids], "float32")
        outputs = {"probabilities": rows if self.task == "tag" else rows[:, 0]}
        if "label_probabilities" in self.outputs:
            outputs["label_probabilities"] = np.tile(np.float32([0.4, 0.6]), (len(ids), 1))
        return outputs


def loaded(tmp_path, kind, session, texts=("a b",), spelling=None, sentences=None, **manifest):
    source = Tokenizer.train(texts, kind="token")
    source.save(tmp_path / "source.tokenizer.json")
    manifest = {"task": "tag", "limits": {"source": 4}} | manifest
    characters = None
    if spelling:
        Tokenizer.train(spelling).save(tmp_path / "characters.tokenizer.json")
        characters = runtime.text.read_tokenizer(tmp_path, "characters.tokenizer.json")
    made = (manifest, {"format": "onnx", "path": "onnx.float32"}, session)
    made += (runtime.text.read_tokenizer(tmp_path, "source.tokenizer.json"), LABELS, characters)
    return kind(*made) if sentences is None else kind(*made, sentences)


def test_a_text_has_its_most_probable_label_and_the_best_choices(tmp_path):
    bundle = loaded(tmp_path, runtime.TextClassifier, FakeSession("classify"), confidence=0.65)
    first, second = bundle.classify(["b a", "a  b"])
    assert (first.output, first.accepted) == ("weather", False) and first.confidence == pytest.approx(0.6)
    assert second.accepted and second.choices == (
        ("cheese", pytest.approx(0.7)),
        ("tea", pytest.approx(0.2)),
        ("weather", pytest.approx(0.1)),
    )


def test_each_token_has_a_tag_and_the_least_sure_one_counts(tmp_path):
    session = FakeSession()
    bundle = loaded(tmp_path, runtime.Tagger, session)
    (result,) = bundle.tag([" a\tb a"])
    assert result.output == result.line == "cheese weather cheese"
    assert [(piece, tag) for piece, tag, _ in result.tags] == [("a", "cheese"), ("b", "weather"), ("a", "cheese")]
    assert result.confidence == pytest.approx(0.6) and result.label is None
    assert session.calls[0][0].tolist() == [[4, 5, 4]] and session.calls[0][1].tolist() == [3]


def test_padding_beside_a_longer_text_is_not_tagged(tmp_path):
    bundle = loaded(tmp_path, runtime.Tagger, FakeSession())
    assert [result.output for result in bundle.tag(["a", "b a b"])] == ["cheese", "weather cheese weather"]


def test_characters_of_each_token_go_in_cut_and_padded(tmp_path):
    session = FakeSession(characters=[None, None, 2])
    limits = {"source": 4, "characters": 2}
    bundle = loaded(tmp_path, runtime.Tagger, session, spelling=["xyyzzz"], limits=limits)
    bundle.tag(["zyx x"])  # z 4, y 5, x 6: unknown words of known characters are read
    assert session.calls[0][2].tolist() == [[[4, 5], [6, 0]]] and session.calls[0][0].tolist() == [[3, 3]]
    (refused,) = bundle.tag(["qq xyz"])
    assert refused.refusal is None
    (refused,) = bundle.tag(["qq x"])
    assert refused.refusal.startswith("2 of 3 visible characters are unknown to the model ('q')")


def test_unknown_words_are_refused_where_they_are_all_that_is_read(tmp_path):
    bundle = loaded(tmp_path, runtime.Tagger, FakeSession(), texts=["apple pear apple"])
    assert bundle.tag(["apple pear plum"])[0].refusal is None
    assert (
        "1 of 2 visible words are unknown to the model ('plum'); give text like" in bundle.tag(["plum pear"])[0].refusal
    )


def test_a_sentence_has_a_label_beside_its_tags(tmp_path):
    session = FakeSession()
    session.outputs["label_probabilities"] = [None, 2]
    bundle = loaded(tmp_path, runtime.Tagger, session, sentences=["music", "rain"])
    (result,) = bundle.tag(["a a"])
    assert (result.label, result.output, result.line) == ("rain", "cheese cheese", "rain\tcheese cheese")
    assert result.label_probability == result.confidence == pytest.approx(0.6)  # the tags are surer


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["a", "b"]}, r"gives probabilities of shape \[None, None, 3\], the manifest says \[1, 4, 2\]"),
        ({"limits": {"source": 4, "characters": 3}}, r"reads characters of shape \[None, None, 2\], the manifest says"),
        ({"sentences": ["music"]}, r"wanted \['label_probabilities', 'probabilities'\]"),
        ({"spelling": None}, r"inputs \['characters', 'ids', 'length'\], wanted \['ids', 'length'\]"),
    ],
)
def test_an_artefact_that_does_not_fit_its_bundle_is_refused(tmp_path, monkeypatch, change, message):
    monkeypatch.setitem(globals(), "LABELS", change.pop("labels", LABELS))
    options = {"spelling": ["abc"], "limits": {"source": 4, "characters": 2}} | change
    with pytest.raises(runtime.BundleError, match=message):
        loaded(tmp_path, runtime.Tagger, FakeSession(characters=[None, None, 2]), **options)


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_bundle_answers_what_keras_answers(words, format):
    folder, answers = words
    bundle = runtime.load(folder, format)
    for number, result in enumerate(bundle.tag(answers["text"])):
        assert (result.output, result.label) == (answers["output"][number], answers["label_output"][number])
        best = np.max(answers["probabilities"][number], axis=-1)
        np.testing.assert_allclose([sure for *_, sure in result.tags], best, atol=1e-5)
        assert result.label_probability == pytest.approx(max(answers["label_probabilities"][number]), abs=1e-5)


def test_run_py_writes_the_label_a_tab_and_the_tags_and_needs_nothing_of_ours(words):
    folder, answers = words
    program = (
        "import sys, runpy\nfor name in ('keras', 'tensorflow', 'keras_seq', 'export'): sys.modules[name] = None\n"
    )
    program += "sys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    arguments = [sys.executable, "-I", "-c", program, str(folder / "run.py"), *answers["text"][:3]]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd="/", timeout=60)
    wanted = [f"{label}\t{tags}" for label, tags in zip(answers["label_output"], answers["output"], strict=True)]
    assert done.stdout.splitlines() == wanted[:3], done.stderr


def test_json_has_tags_and_label(words):
    folder, answers = words
    parser, written = ArgumentParser(), io.StringIO()
    runtime.add_arguments(parser)
    bundle = runtime.load(folder, "onnx")
    assert runtime.serve(bundle, parser.parse_args(["--json", answers["text"][0]]), stdout=written) == 0
    said = json.loads(written.getvalue())
    assert said["label"] == answers["label_output"][0] and " ".join(tag for _, tag, _ in said["tags"]) == said["output"]


@pytest.mark.parametrize("name", ["characters.tokenizer.json", "sentence_labels.json"])
def test_the_files_of_the_second_input_and_output_are_needed_and_checked(words, tmp_path, name):
    folder = shutil.copytree(words[0], tmp_path / "bundle")
    (folder / name).unlink()
    with pytest.raises(runtime.BundleError, match=f"{name} is missing"):
        runtime.load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"limits": {"source": 9, "characters": 0}}, "limits.characters is 0; wanted 1 to"),
        ({"limits": {"source": 9, "characters": "5"}}, "limits: characters is '5'; wanted a whole number"),
        ({"vocabularies": {"source": "source.tokenizer.json"}}, "vocabularies has no 'characters'"),
        ({"sentence_labels": 3}, "sentence_labels is 3; wanted a string"),
    ],
)
def test_a_damaged_manifest_is_a_bundle_error(words, tmp_path, change, message):
    folder = shutil.copytree(words[0], tmp_path / "bundle")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    bundles.write_json(folder / "manifest.json", manifest | change)
    with pytest.raises(runtime.BundleError, match=message):
        runtime.read_manifest(folder)


def test_the_manifest_lists_characters_and_labels(words):
    manifest = runtime.read_manifest(words[0])
    assert manifest["limits"] == {"source": 9, "characters": 5}
    spelled = Tokenizer.load(words[0] / "characters.tokenizer.json").vocabulary
    assert manifest["characters"] == {"characters": spelled}  # words are no characters
    assert manifest["sentence_label_names"] == ["music", "weather"]
    sample = json.loads((words[0] / "samples.json").read_text(encoding="utf-8"))[0]
    assert len(sample["character_ids"]) == len(sample["source_ids"]) and sample["label_ids"] in (0, 1)


class PictureSession:
    """Says how bright a picture is: dark, grey or bright."""

    def describe(self, signature):
        shapes = {"inputs": {"image": [None, 2, 3, 1]}, "outputs": {"probabilities": [None, 3]}}
        return {
            side: {name: {"shape": shape, "dtype": "float32"} for name, shape in tensors.items()}
            for side, tensors in shapes.items()
        }

    def call(self, signature, image):
        bright = image.mean(axis=(1, 2, 3))[:, None]
        return {"probabilities": np.concatenate([1 - bright, 0 * bright, bright], axis=1)}


def picture_classifier(labels=("dark", "grey", "bright"), size=(2, 3, 1)):
    picture = dict(zip(("height", "width", "channels"), size, strict=True))
    manifest = {"task": "classify", "picture": picture}
    return runtime.PictureClassifier(manifest, {"format": "onnx", "path": "onnx.float32"}, PictureSession(), labels)


def test_pictures_have_labels_and_what_is_no_picture_is_refused_alone(tmp_path):
    bundle = picture_classifier()
    given = [np.full((2, 3), 255, "uint8"), np.zeros((2, 3, 1)), tmp_path / "none.png", np.zeros((3, 2, 1))]
    bright, dark, missing, turned = bundle.classify(given)
    assert (bright.output, bright.confidence, bright.text) == ("bright", 1.0, "array [2, 3]") and bright.accepted
    assert dark.output == "dark" and [label for label, _ in dark.choices] == ["dark", "grey", "bright"]
    assert missing.text == str(tmp_path / "none.png") and "cannot be read as a picture" in missing.refusal
    assert turned.refusal.startswith("the picture is [3, 2, 1], the model reads [2, 3, 1]") and turned.output == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (3, 2, 1)}, r"reads image of shape \[None, 2, 3, 1\], the manifest says \[1, 3, 2, 1\]"),
        ({"labels": ("dark", "bright")}, r"gives probabilities of shape \[None, 3\], the manifest says \[1, 2\]"),
    ],
)
def test_pictures_of_another_size_or_other_labels_are_refused(options, message):
    with pytest.raises(runtime.BundleError, match=message):
        picture_classifier(**options)
