"""A generator whose encoder 8 bits destroy: the artefact keeps the encoder in float32, scores and says so."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from export import children, convert, judge, precision_onnx, precision_tflite, quantise, runtime
from export.errors import ConversionError, ExportError, TaskError
from export.recover import Recovered
from keras_seq import decoding
from keras_seq.models import Seq2Seq

LIMITS = {"source": 9, "target": 5}
WORDS, EXAMPLES = 3000, 50


def generator():
    """The first feature of every word is 0, and the encoder's weights for it are so large that they set the scale."""
    keras.utils.set_random_seed(5)
    model = Seq2Seq(WORDS, 13, embedding_size=24, units=32)
    random = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 1.5 / np.sqrt(max(1, weight.shape[0] / 8)))
    for weight in model.weights:
        if weight.path == "source_embedding/embeddings":
            weight.assign(random.normal(size=weight.shape) * (np.arange(24) > 0))
        if weight.path.startswith("encoder/") and weight.path.endswith("_cell/kernel"):
            rows = weight.numpy()
            rows[0] = np.where(np.arange(rows.shape[1]) % 2, 3000, -3000)
            weight.assign(rows)
    return model


def reference_of(model):
    """What `export.reference` writes, of texts that are answered differently and surely; the answers count as right."""
    random = np.random.default_rng(4)
    sources = [random.integers(4, WORDS, size=random.integers(2, LIMITS["source"])).tolist() for _ in range(600)]
    source, length = runtime.pad(sources)
    ids, _, log_probability = map(np.asarray, decoding.greedy(model, source, length, LIMITS["target"]))
    before = np.concatenate([np.full_like(ids[:, :1], decoding.START), ids[:, :-1]], axis=1)
    best = np.sort(np.asarray(model({"source": source, "target": before})), axis=-1)
    margin = np.where(ids == runtime.PAD, np.inf, best[..., -1] - best[..., -2]).min(axis=1)
    surest = np.argsort(-margin)
    _, first = np.unique(ids[surest], axis=0, return_index=True)
    sure = surest[np.sort(first)][:EXAMPLES]
    return {
        "source_ids": [sources[one] for one in sure],
        "target_ids": [row[: row.index(runtime.END)] if runtime.END in row else row for row in ids[sure].tolist()],
        "ids": ids[sure].tolist(),
        "log_probability": log_probability[sure].tolist(),
    }


@pytest.fixture(scope="module")
def model():
    return generator()


@pytest.fixture(scope="module")
def reference(model):
    return reference_of(model)


@pytest.fixture
def task(model, reference, tmp_path, monkeypatch):
    monkeypatch.setattr(convert, "load_model", lambda run: model)
    (tmp_path / "reference.json").write_text(json.dumps(reference), encoding="utf-8")
    return {"run": "run", "limits": LIMITS, "reference": str(tmp_path / "reference.json")}


@pytest.mark.parametrize(
    ("format", "kept", "which"),
    [
        ("tflite", {"encoder/forward_gru", "encoder/backward_gru"}, "test examples 8 to 57"),
        ("onnx", {"encoder"}, None),
    ],
)
def test_the_encoder_stays_in_float32(task, reference, format, kept, which, tmp_path, monkeypatch):
    monkeypatch.setattr(judge, "_SECONDS", 1e6)  # a slow machine would choose on fewer examples
    if which:
        (tmp_path / "reference.json").write_text(json.dumps({**reference, "which": which}), encoding="utf-8")
    there, judged = [], judge._GeneratorJudge.__call__

    def count(self, artefact):
        there.append(sum(other.name != "traced" for other in artefact.parent.iterdir()))
        return judged(self, artefact)

    monkeypatch.setattr(judge._GeneratorJudge, "__call__", count)
    path = tmp_path / "artefact"
    notes = quantise.quantise(**task, format=format, precision="dynamic_int8", path=str(path))
    # Of 50 examples none may be lost, so that what the encoder reads may have to be kept too.
    assert kept <= set(notes["kept_in_float"]) <= {*kept, "source_embedding"}
    found = notes["quantisation"]
    recipes = {"tflite": precision_tflite, "onnx": precision_onnx}[format].RECIPES
    assert found["recipe"] == recipes["dynamic_int8"] and found["examples"] == EXAMPLES
    assert found["which"] == (which or "those that the proof scores: there are few")
    first, *rest = found["tried"]
    assert first["kept"] == [] and first["score"] < 0.8 and len(rest) > 3
    assert max(there) == 2  # of all attempts the best so far, and the one that is being judged
    check = judge.judge_of("generate", format, LIMITS, json.loads((tmp_path / "reference.json").read_text()))
    score, damage = check(path)
    assert score >= check.wanted == 0.995 and damage < first["damage"] / 5
    assert sorted(file.name for file in tmp_path.iterdir()) == ["artefact", "reference.json"]
    json.dumps(notes)


def test_what_a_decoding_loop_cannot_have_is_refused(task, tmp_path):
    with pytest.raises(ConversionError, match="does not see inside a loop; dynamic_int8 keeps the weights in 8 bits"):
        quantise.quantise(**task, format="tflite", precision="int8", path=str(tmp_path / "artefact"))
    assert [file.name for file in tmp_path.iterdir()] == ["reference.json"]


def test_an_artefact_no_smaller_than_float32_is_refused(tmp_path):
    (tmp_path / "large").write_bytes(bytes(100))
    found = Recovered(tmp_path / "large", ("a", "b"), 1.0, 0.0, [])
    quantise.check_size(found, 101, "int8")
    with pytest.raises(
        TaskError, match="only with a, b in float32, and then the artefact has 100 bytes, the one in fl"
    ):
        quantise.check_size(found, 100, "dynamic_int8")
    all_in_8_bits = dataclasses.replace(found, kept=())
    with pytest.raises(
        TaskError, match="has 100 bytes, the one in float32 90: there a loop is one operator, here each"
    ):
        quantise.check_size(all_in_8_bits, 90, "int16x8")
    with pytest.raises(
        TaskError, match="one in float32 90: only tensors of 1024 weights and more are stored in 8 bits"
    ):
        quantise.check_size(all_in_8_bits, 90, "dynamic_int8")


def test_a_loop_written_out_that_is_larger_than_float32_is_refused(tmp_path, monkeypatch):
    keras.utils.set_random_seed(1)
    ids = keras.Input((None,), dtype="int32")
    hidden = keras.layers.GRU(5)(keras.layers.Embedding(13, 5, mask_zero=True)(ids))
    monkeypatch.setattr(convert, "load_model", lambda run: keras.Model(ids, keras.layers.Dense(3)(hidden)))
    texts = [[4, 5, 6], [7, 8], [9, 10, 11, 12]]
    inputs = [dict(zip(("ids", "length"), runtime.pad([one], 9), strict=True)) for one in texts]
    monkeypatch.setattr(quantise.examples, "calibration_inputs", lambda *_: inputs)

    class Anything:
        wanted, chosen = 0.0, texts
        choose_examples = take_all = lambda *_: False
        __call__ = lambda *_: (1.0, 0.0)  # noqa: E731

    monkeypatch.setattr(quantise, "judge_of", lambda *_: Anything())
    (tmp_path / "reference.json").write_text("{}", encoding="utf-8")
    task = {"name": "tiny", "kind": "classify", "limits": {"source": 9}}
    options = {"run": "run", "limits": {"source": 9}, "reference": str(tmp_path / "reference.json"), "task": task}
    with pytest.raises(TaskError, match=r"has \d+ bytes, the one in float32 \d+: .*ship that, or dynamic_int8"):
        quantise.quantise(**options, format="tflite", precision="int8", path=str(tmp_path / "artefact"))
    assert [file.name for file in tmp_path.iterdir()] == ["reference.json"]


def test_labels_are_judged_by_accuracy_and_probabilities(tmp_path, monkeypatch):
    class Session:
        def __init__(self, path):
            pass

        def call(self, signature, ids, length):
            assert signature == "predict" and ids.shape == (1, 6)
            rows = np.full((1, 6, 3), 0.1, "float32")
            rows[0, :, 1] = 0.8  # always the second tag
            return {"probabilities": rows}

    monkeypatch.setattr(runtime, "LiteRTSession", Session)
    wanted = [[[0.1, 0.8, 0.1]] * 2, [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]]]
    reference = {"source_ids": [[4, 5], [6, 7, 8]], "target_ids": [[1, 1], [0, 1, 1]], "probabilities": wanted}
    check = judge.judge_of("tag", "tflite", {"source": 6}, reference)
    assert check.wanted == 0.995
    score, damage = check(tmp_path)
    assert score == pytest.approx(4 / 5) and damage == pytest.approx((0 + 1.4 / 9) / 2)


def test_the_task_goes_to_a_child_and_its_refusal_comes_back(tmp_path):
    task = {"run": str(tmp_path), "limits": LIMITS, "format": "onnx", "precision": "dynamic_int8"}
    task |= {"path": str(tmp_path / "artefact"), "reference": str(tmp_path / "reference.json")}
    with pytest.raises(ExportError, match="onnx dynamic_int8: .*No such file .*reference.json"):
        children.call("export.quantise", task, what="onnx dynamic_int8", timeout=100)
