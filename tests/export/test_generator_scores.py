"""The scores of generators, on examples that can be counted by hand, and on artefacts beside Keras."""

import builtins
import json
from dataclasses import asdict

import keras
import numpy as np
import pytest

import export
from export import cases, errors, reference, reference_generator, runtime
from export import onnx as onnx_format
from export import tflite as tflite_format
from export.examples import Task
from export.generator_scores import SCORES, generator_score
from export.tables import measure_in_words
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import Seq2Seq, Transformer

END, PAD = runtime.END, runtime.PAD
LIMITS = {"source": 11, "target": 6}


def test_an_exact_match_is_the_target_up_to_its_end():
    data = {"target_ids": [[4, 5], [6], [], [7, 8]]}
    rows = np.asarray([[4, 5, END, PAD], [6, 6, END, PAD], [END, PAD, PAD, PAD], [7, 8, 9, END]])
    score = generator_score()
    assert score.name == "exact_match" and score.of_outputs
    assert score.share(rows, data, range(4)) == 2 / 4
    assert score.share(rows[[2, 3]], data, [2, 3]) == 1 / 2
    assert score.share([[7, 8]], data, [3]) == 1  # cut before its end


TEXTS = ["the cat sat on the mat", "a dog barked at me"]


@pytest.fixture
def spoken(tmp_path):
    """Of a few words the tokenizer, its file, and targets."""
    tokenizer = Tokenizer.train([*TEXTS, "The Dog ."], kind="token")
    tokenizer.save(tmp_path / "target.tokenizer.json")
    data = {"target": TEXTS, "target_ids": tokenizer.encode_batch(TEXTS)}
    return tokenizer, tmp_path / "target.tokenizer.json", data


def outputs(tokenizer, *texts):
    return [[*tokenizer.encode(text), END, PAD] for text in texts]


def test_bleu_is_that_of_the_corpus(spoken):
    """Of 11 words 10 are right, of 9 pairs 7, of 7 threes 5 and of 5 fours 3."""
    tokenizer, vocabulary, data = spoken
    score = generator_score("bleu", vocabulary)
    rows = outputs(tokenizer, "the cat sat on a mat", TEXTS[1])
    assert score.share(rows, data, [0, 1]) == pytest.approx((10 / 11 * 7 / 9 * 5 / 7 * 3 / 5) ** (1 / 4))
    assert score.share(rows[:1], data, [0]) == pytest.approx((5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** (1 / 4))
    assert score.share(rows[1:], data, [1]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "wanted"), [("bleu", (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)), ("bleu_lowercase", 1)]
)
def test_case_counts_or_does_not(spoken, name, wanted):
    tokenizer, vocabulary, _ = spoken
    data = {"target": ["a Dog barked . the", "the"]}
    rows = outputs(tokenizer, "a Dog barked . The", "the")
    score = generator_score(name, vocabulary)
    assert score.name == name and score.share(rows[:1], data, [0]) == pytest.approx(wanted)


def test_word_accuracy_is_one_less_the_word_error_rate(spoken):
    """Of 6 words one is replaced and one put in, of 5 two are left out."""
    tokenizer, vocabulary, data = spoken
    score = generator_score("word_accuracy", vocabulary)
    rows = outputs(tokenizer, "the cat sat on a mat a", "a dog me")
    assert score.share(rows, data, [0, 1]) == pytest.approx(1 - 4 / 11) and score.name == "word_accuracy"
    assert score.share(rows[1:], data, [1]) == pytest.approx(1 - 2 / 5)
    assert score.share(outputs(tokenizer, "a a a a a a a a a a a a"), data, [1]) == 0
    assert measure_in_words("word_accuracy", 0.5) == "word accuracy 50.0 %"


def test_any_of_several_targets_is_right(spoken):
    tokenizer, vocabulary, _ = spoken
    targets = [[TEXTS[0], "the dog barked at the cat"], [TEXTS[1]]]
    data = {"target": [own[0] for own in targets], "accepted_target": targets}
    data |= {f"{name}_ids": [tokenizer.encode(text) for text in data[name]] for name in ("target",)}
    data["accepted_target_ids"] = [tokenizer.encode_batch(own) for own in targets]
    rows = outputs(tokenizer, "the dog barked at the cat", "a dog barked at me")
    for name in ("exact_match", "bleu", "word_accuracy"):
        assert generator_score(name, vocabulary).share(rows, data, [0, 1]) == pytest.approx(1)
        assert generator_score(name, vocabulary).share(rows[::-1], data, [0, 1]) < 0.5


def test_what_is_no_score_or_lacks_its_package_is_refused(spoken, monkeypatch):
    with pytest.raises(errors.ExportError, match="score 'rouge' is not known; choose from exact_match, bleu, bleu_low"):
        generator_score("rouge")
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("sacrebleu"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(errors.ExportError, match="the score bleu needs a package: pip install sacrebleu"):
        generator_score("bleu", spoken[1])


class Counter:
    """Finds likeliest the sum of the last token, of the first of the source and of how many were written before."""

    def call(self, signature, **arrays):
        if signature == "encode":
            assert arrays["source"].dtype == np.int32
            return {"memory_first": arrays["source"][:, 0], "state_written": np.zeros(len(arrays["source"]), "int32")}
        assert arrays["token"].dtype == np.int32 and arrays["token"].flags["C_CONTIGUOUS"]
        best = (arrays["token"] + arrays["memory_first"] + arrays["state_written"]) % 9
        return {"logits": np.eye(9, dtype="float32")[best], "next_state_written": arrays["state_written"] + 1}


@pytest.mark.parametrize(("width", "batch"), [(5, 1), (None, 2), (None, 64)])
def test_next_tokens_are_asked_for_behind_the_targets_own(width, batch):
    data = {
        "source_ids": [[4, 7], [5], [6, 4, 4, 4], [3]],
        "target_ids": [[5, 7], [6, 4, 8], [], [4, 8, 7, 5]],
        "next_ids": [[0] * 3, [0] * 4, [0], [0] * 4],  # of the last Keras was asked for four of its five
    }
    score = generator_score("next_token")
    rows = score.artefact(Counter(), data, [0, 1, 2, 3], None, width, batch)
    # Behind the start (1) and each token: token + first of the source + tokens before, modulo 9.
    assert rows == [[5, 1, 4], [6, 3, 2, 7], [7], [4, 8, 4, 4]]
    # Targets with their ends: 5 7 2, 6 4 8 2, 2, and 4 8 7 5.
    assert score.share(rows, data, range(4)) == 4 / 12
    part = score.artefact(Counter(), data, [3, 0], None, width, batch)
    assert part == [rows[3], rows[0]] and score.share(part, data, [3, 0]) == 3 / 7
    assert score.share(score.keras(data), data, range(4)) == 0 and not score.of_outputs


def test_next_tokens_that_keras_was_not_asked_for_are_refused():
    with pytest.raises(errors.TaskError, match="nobody knows what Keras finds likeliest; build the bundle again"):
        generator_score("next_token").keras({"ids": [[4, 2]]})


def writer(kind):
    """A model of large random weights, whose likeliest tokens differ."""
    keras.utils.set_random_seed(3)
    if kind == "recurrent":
        model = Seq2Seq(13, 9, embedding_size=5, units=7)
    else:
        model = Transformer(13, 9, units=8, num_layers=1, num_heads=2, feed_forward=12, max_target=LIMITS["target"])
    random = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.9)
    return model


@pytest.mark.parametrize(("format", "kind"), [("tflite", "recurrent"), ("onnx", "transformer")])
def test_next_tokens_of_artefacts_are_those_of_teacher_forcing(format, kind, tmp_path):
    model, random = writer(kind), np.random.default_rng(2)
    data = {
        "source_ids": [random.integers(4, 13, random.integers(1, 12)).tolist() for _ in range(70)],
        "target_ids": [random.integers(3, 9, number % 8).tolist() for number in range(70)],  # some are too long
    }
    score = generator_score("next_token")
    data |= score.asked(model, data, LIMITS["target"])
    for source, target, found in zip(*data.values(), strict=True):  # one by one, without padding
        before = [runtime.START, *target][: LIMITS["target"]]
        logits = model({"source": np.asarray([source], "int32"), "target": np.asarray([before], "int32")})
        assert found == np.asarray(logits)[0].argmax(axis=-1).tolist()
    assert len({tuple(row) for row in data["next_ids"]}) > 20
    if format == "tflite":
        tflite_format.convert(model, LIMITS, tmp_path / "model.tflite")
        session, width, batch = runtime.LiteRTSession(tmp_path / "model.tflite"), LIMITS["source"], 1
    else:
        onnx_format.convert(model, LIMITS, tmp_path / "onnx")
        session, width, batch = runtime.ONNXSession(tmp_path / "onnx"), None, 16
    assert score.artefact(session, data, range(70), None, width, batch) == data["next_ids"]


EXAMPLES, OTHERS = 40, 9


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory of such a model; `task` writes a task's score into its config.json."""
    run = tmp_path_factory.mktemp("scored") / "run"
    run.mkdir()
    Tokenizer.train(["abcdefghi"]).save(run / "source.tokenizer.json")
    Tokenizer.train(["A b c"], kind="token").save(run / "target.tokenizer.json")
    model, random = Seq2Seq(13, 7, embedding_size=40, units=40), np.random.default_rng(4)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.4)
    model.save(run / "model.keras")
    lines = [
        "".join(random.choice(list("abcdefghi"), 1 + number % 11)) + "\t" + " ".join(random.choice(["A", "b", "c"], 4))
        for number in range(EXAMPLES + OTHERS)
    ]
    (run / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (run / "results.json").write_text("{}", encoding="utf-8")
    return run


def task_of(run, **score):
    config = {"task": {"name": "scored", "limits": LIMITS, **score}}
    (run / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return Task.of(config)


@pytest.mark.parametrize("name", [None, *SCORES])
def test_keras_is_scored_by_what_the_task_names(run, name, tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "_OTHERS", OTHERS)
    monkeypatch.setattr(reference_generator, "median_ms", lambda *_: 1.0)
    monkeypatch.setattr(cases, "generator_cases", lambda *_: [])
    task, others = task_of(run, **({"score": name} if name else {})), tmp_path / "others.json"
    answers, keras_says = reference.reference(
        str(run), asdict(task), EXAMPLES, tmp_path / "cases.npz", others=str(others)
    )
    chosen_on = json.loads(others.read_text(encoding="utf-8"))
    scored, score = keras_says["score"], generator_score(name or "exact_match", run / "target.tokenizer.json")
    assert scored == {score.name: score.share(score.keras(answers), answers, range(EXAMPLES)), "examples": EXAMPLES}
    assert ("next_ids" in answers) == ("next_ids" in chosen_on) == (name == "next_token")
    assert len(score.keras(chosen_on)) == OTHERS and all(len(rows) == EXAMPLES for rows in answers.values())


def built_and_verified(run, folder, score, precisions):
    """What was built, what Keras's score is in words, and what `verify` then finds of each artefact."""
    task_of(run, score=score)
    lines = []
    built = export.build(run, folder / "bundle", ["onnx"], precisions, progress=lines.append)
    assert not built.refused and built.manifest["score"] == score, lines
    told = measure_in_words(score, built.manifest["keras"]["score"][score])
    assert any(told in line for line in lines)
    readme = (built.path / "README.md").read_text(encoding="utf-8")
    assert f"Keras's own score on {built.manifest['keras']['score']['examples']} test examples: {told}.\n" in readme
    export.verify(built.path, progress=lines.append)
    report = json.loads((built.path / "verification.json").read_text(encoding="utf-8"))
    return built, readme, [entry["task"]["score"] for entry in report["artefacts"]]


def test_a_bundle_is_built_and_verified_by_next_tokens(run, warm_children, monkeypatch, tmp_path):
    monkeypatch.setattr(reference, "_OTHERS", OTHERS)
    built, readme, verified = built_and_verified(run, tmp_path, "next_token", ["float32", "dynamic_int8"])
    wanted = built.manifest["keras"]["score"]
    exact, rounded = built.manifest["artefacts"]
    assert exact["score"] == wanted and rounded["score"]["next_token"] >= wanted["next_token"] - 0.005 - 1e-9
    assert verified == [exact["samples"], rounded["samples"]] and rounded["samples"].keys() == {
        "next_token",
        "examples",
    }
    assert "Next token is the share" in readme and "`next_ids`" in readme


def test_a_bundle_is_built_and_verified_by_bleu(run, warm_children, tmp_path):
    built, readme, verified = built_and_verified(run, tmp_path, "bleu", ["dynamic_int8"])
    (rounded,) = built.manifest["artefacts"]
    assert rounded["score"]["bleu"] >= built.manifest["keras"]["score"]["bleu"] - 0.005 - 1e-9
    assert verified == [rounded["samples"]] and rounded["samples"].keys() == {"bleu", "examples"}
    assert "BLEU is the corpus's, by sacrebleu" in readme
