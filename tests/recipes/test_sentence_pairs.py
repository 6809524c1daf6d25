import dataclasses
import json
import os
import random

import keras
import numpy as np
import pytest

from keras_seq.data.tokenizer import Tokenizer
from keras_seq.ngrams import KneserNey
from keras_seq.recipes import sentence_pairs
from keras_seq.recipes.pair_writer import PairWriter
from keras_seq.recipes.sentence_pairs import PairsConfig, train

WORDS = {"a": "ein", "dog": "hund", "cat": "kater", "runs": "rennt", "sees": "sieht", "the": "der", "man": "mann"}
CONFIG = PairsConfig(
    source_kind="word", target_kind="word", shared=False, tied=False, vocabulary_size=40, units=24, embedding_size=24,
    num_layers=1, num_heads=2, feed_forward=32, dropout=0.0, limits=(8, 9), epochs=8, batch_tokens=160,
    learning_rate=2e-2, average=2, seed=3,
)  # fmt: skip


def pairs(count, seed):
    """Sentences of 1 to 6 words, translated word by word."""
    drawn = random.Random(seed)
    sentences = [drawn.choices(list(WORDS), k=drawn.randint(1, 6)) for _ in range(count)]
    return [{"source": " ".join(own), "target": " ".join(map(WORDS.get, own))} for own in sentences]


PARTS = {
    part: pairs(count, seed) for seed, (part, count) in enumerate([("train", 600), ("validation", 20), ("test", 30)])
}


@pytest.fixture(scope="module", params=["seq2seq", "transformer"])
def trained(request, tmp_path_factory):
    """A writer, its results and its run directory, of each kind of model."""
    run = tmp_path_factory.mktemp("runs") / request.param
    config = dataclasses.replace(CONFIG, model=request.param)
    return *train(config, PARTS, run, verbose=0), run


def test_it_learns_to_translate(trained):
    writer, results, _ = trained
    scores = writer.scores(PARTS["test"], draws=20)
    assert scores["bleu_lowercase"]["score"] > 60
    assert scores["bleu_lowercase"]["low"] <= scores["bleu_lowercase"]["score"] <= scores["bleu_lowercase"]["high"]
    assert scores["perplexity"] < 2
    assert results["pairs"] == {"train": 600, "validation": 20, "test": 30}
    assert results["epochs"] == 8 and results["parameters"] == writer.model.count_params()


def test_a_finished_run_is_read_again(trained):
    writer, _, run = trained
    again = PairWriter.load(run)
    texts = [row["source"] for row in PARTS["test"]]
    assert again.write(texts) == writer.write(texts)
    assert again.limits == (8, 9)
    task = json.loads((run / "config.json").read_text())["task"]
    assert task == {
        "name": run.name, "kind": "generate", "limits": {"source": 8, "target": 9}, "score": "bleu_lowercase",
    }  # fmt: skip
    assert len((run / "test.tsv").read_text().splitlines()) == 30


def test_the_order_of_the_texts_is_kept(trained):
    writer, *_ = trained
    texts = [row["source"] for row in PARTS["test"]]
    together = writer.write(texts, beams=2)
    assert together == [writer.write([text], beams=2)[0] for text in texts]
    drawn = writer.write(texts, temperature=1.0, seed=5)
    assert drawn == writer.write(texts, temperature=1.0, seed=5)
    assert drawn != writer.write(texts, temperature=1.0, seed=6)


def test_the_best_is_what_beam_search_writes(trained):
    writer, *_ = trained
    for row in PARTS["test"][:4]:
        found = writer.n_best(row["source"], beams=3)
        assert found[0][0] == writer.write([row["source"]], beams=3)[0]
        scores = [score for _, score in found]
        assert len(found) == 3 and scores == sorted(scores, reverse=True)


def test_perplexity_is_that_of_the_loss(trained):
    """Against Keras's own loss, unsmoothed and summed over a pair at a time."""
    writer, *_ = trained
    loss, tokens = 0.0, 0
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    few = PARTS["test"][:6]
    for row in few:
        source, target = writer.source.encode(row["source"]), writer.target.encode(row["target"])
        logits = writer.model({"source": np.array([source]), "target": np.array([[1, *target]])})
        loss += float(entropy(np.array([[*target, 2]]), logits))
        tokens += len(target) + 1
    assert writer.perplexity(few) == pytest.approx(np.exp(loss / tokens), rel=1e-5)


def test_behind_a_right_prefix_the_likeliest_is_what_is_written(trained):
    """Where greedy decoding writes the target, teacher forcing reads out the same."""
    writer, *_ = trained
    written = writer.write([row["source"] for row in PARTS["test"]])
    right = [(own, row) for own, row in zip(written, PARTS["test"], strict=True) if own == row["target"]]
    assert right
    assert writer.forced([row for _, row in right]) == [own for own, _ in right]


def test_attention_has_a_row_for_each_token_written(trained):
    writer, *_ = trained
    source, output, weights = writer.attention("the dog sees", "der hund sieht")
    assert source == ["the", "dog", "sees"] and output == ["der", "hund", "sieht", "<end>"]
    assert weights.shape[2:] == (4, 3)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)


def test_what_cannot_be_read_is_refused(trained):
    writer, *_ = trained
    with pytest.raises(ValueError, match="'' has 0 tokens; give texts of 1 to 8"):
        writer.write(["a dog", ""])
    long = "a dog sees the man " * 3
    with pytest.raises(ValueError, match="has 15 tokens"):
        writer.write([long])
    assert len(writer.write([long], cut=True)) == 1
    with pytest.raises(ValueError, match="search for the best or draw, not both"):
        writer.write(["a dog"], beams=2, temperature=1.0)


def test_a_run_begins_with_another(trained, tmp_path):
    """Fine-tuned on a few pairs, it keeps the other's vocabulary and does not begin anew."""
    writer, _, run = trained
    if run.name == "seq2seq":
        pytest.skip("the same path as the Transformer's")
    config = dataclasses.replace(CONFIG, epochs=1, learning_rate=1e-5, average=1)
    few = {**PARTS, "train": PARTS["train"][:40]}
    tuned, _ = train(config, few, tmp_path / "tuned", start=run, verbose=0)
    assert tuned.perplexity(PARTS["test"]) == pytest.approx(writer.perplexity(PARTS["test"]), rel=0.05)


@pytest.fixture
def small(tmp_path):
    """Function of parts, and options, that trains one and the same small run on them."""
    config = dataclasses.replace(CONFIG, model="seq2seq", units=4, embedding_size=4, epochs=1, average=1)
    return lambda parts, **options: train(config, parts, tmp_path / "run", verbose=0, **options)[0]


FEW = {part: rows[:20] for part, rows in PARTS.items()}


def test_a_run_is_not_continued_with_other_pairs(small, tmp_path):
    """Else its weights would be read with a vocabulary that they do not know."""
    small(FEW)
    files = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.*")}
    small(FEW)
    others = [{**FEW, part: FEW[part][::-1]} for part in ("train", "validation", "test")]
    for other in others:
        with pytest.raises(ValueError, match="pairs_digest is '[0-9a-f]{16}' there and '[0-9a-f]{16}' here; use anoth"):
            small(other)
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.*")} == files
    small(others[0], fresh=True)
    small(others[0])


def test_a_run_from_before_there_were_digests_is_read(small, tmp_path):
    written = small(FEW).write(["the dog runs"])
    path = tmp_path / "run" / "config.json"
    older = json.loads(path.read_text())
    del older["pairs_digest"]
    path.write_text(json.dumps(older))
    assert small(FEW).write(["the dog runs"]) == written


def test_a_run_is_not_continued_from_other_weights(trained, tmp_path):
    _, _, run = trained
    if run.name == "transformer":
        pytest.skip("the same path as the Seq2Seq's")
    begun = tmp_path / "begun"
    begun.mkdir()
    for name in ("model.keras", "source.tokenizer.json", "target.tokenizer.json"):
        (begun / name).write_bytes((run / name).read_bytes())
    config = dataclasses.replace(CONFIG, model="seq2seq", epochs=1, average=1)
    train(config, FEW, tmp_path / "tuned", start=begun, verbose=0)
    (begun / "target.tokenizer.json").write_text((run / "target.tokenizer.json").read_text() + " ")
    with pytest.raises(ValueError, match="start_digest is"):
        train(config, FEW, tmp_path / "tuned", start=begun, verbose=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "rnn"}, "model='rnn' is not known; choose 'transformer' or 'seq2seq'"),
        ({"shared": True, "source_kind": "bpe"}, "source_kind='bpe' and target_kind='word' with shared=True"),
    ],
)
def test_settings_that_are_none(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        train(dataclasses.replace(CONFIG, **changes), PARTS, tmp_path / "run", verbose=0)


def test_no_run(tmp_path):
    with pytest.raises(ValueError, match="has no model.keras: it is no finished run"):
        PairWriter.load(tmp_path)


def test_a_file_is_cut_into_parts(tmp_path):
    path = tmp_path / "my.tsv"
    path.write_text(
        "".join(f"{row['source']} {number}\t{row['target']}\n" for number, row in enumerate(PARTS["train"]))
    )
    parts = sentence_pairs.load_pairs(str(path))
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 540, "validation": 30, "test": 30}


def test_the_command_line_says_what_is_wrong(tmp_path):
    with pytest.raises(SystemExit, match="unexpected keyword argument 'layers'"):
        sentence_pairs.main(["multi30k", "--run", str(tmp_path), "--set", "layers=3"])
    with pytest.raises(SystemExit, match=r"missing\.tsv"):
        sentence_pairs.main([str(tmp_path / "missing.tsv")])


@pytest.mark.skipif("KERAS_SEQ_DATA" not in os.environ, reason="KERAS_SEQ_DATA names no folder with raw/multi30k")
def test_real_captions_are_foretold_from_their_english(tmp_path):
    """The floor is what can be foretold of the German alone."""
    parts = {
        part: [row for row in rows if len(row["source"].split()) <= 10][:4900]  # few: XLA would take minutes
        for part, rows in sentence_pairs.load_pairs("multi30k").items()
    }
    config = PairsConfig(
        units=64, num_layers=1, feed_forward=128, dropout=0.1, vocabulary_size=1500, limits=(24, 28), epochs=12,
        batch_tokens=1024, learning_rate=6e-3, average=1, warmup_share=0.3, label_smoothing=0.0,
    )  # fmt: skip
    writer, _ = train(config, parts, tmp_path / "run", verbose=0)
    ids = {
        part: [[*own, Tokenizer.END] for own in writer.target.encode_batch([row["target"] for row in parts[part]])]
        for part in ("train", "test")
    }
    trigrams = KneserNey(ids["train"], range(Tokenizer.END, len(writer.target)), order=3)
    scores = writer.scores(parts["test"])
    assert scores["perplexity"] < 0.75 * trigrams.perplexity(ids["test"])
    assert scores["bleu_lowercase"]["score"] > 14
