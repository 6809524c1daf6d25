"""Small runs of labels with random weights, of every form that the exporter takes, as a recipe would write them."""

import json

import keras
import numpy as np

from keras_seq.data.tokenizer import Tokenizer

WORDS = ["play", "the", "Song", "by", "Queen", "weather", "in", "Rome", "rate", "book", "4", "stars", "and", "table"]
LIMIT, LETTERS = 9, 5
TAGS, SENTENCES = ["O", "B-x", "I-x"], ["music", "weather"]
EXAMPLES = 41


def write_run(run, *, characters=True, sentences=True, tags=TAGS):
    """A run directory of a tagger of words.

    Args:
        run: `pathlib.Path` of the folder to make.
        characters: bool, whether the model reads the characters of each word too.
        sentences: bool, whether it labels the sentence too.
        tags: list of str; two are told apart by a single logit.

    Returns:
        the `keras.Model`.
    """
    run.mkdir()
    random = np.random.default_rng(7)
    texts = [" ".join(random.choice(WORDS, random.integers(1, LIMIT + 1))) for _ in range(EXAMPLES)]
    source = Tokenizer.train(texts, kind="token", lowercase=True, vocabulary_size=13)
    spelling = Tokenizer.train(texts)
    model = tagger(len(source), len(spelling) if characters else 0, sentences, 1 if len(tags) == 2 else len(tags))
    model.save(run / "model.keras")
    source.save(run / "source.tokenizer.json")
    task = {"name": run.name, "kind": "tag", "limits": {"source": LIMIT}}
    if characters:
        task["characters"] = {"width": LETTERS}
        spelling.save(run / "characters.tokenizer.json")
    rows = [[text, " ".join(random.choice(tags, len(text.split(" "))))] for text in texts]
    if sentences:
        task["sentence_labels"] = True
        rows = [[*row, str(random.choice(SENTENCES))] for row in rows]
        (run / "sentence_labels.json").write_text(json.dumps(SENTENCES), encoding="utf-8")
    (run / "labels.json").write_text(json.dumps(tags), encoding="utf-8")
    (run / "config.json").write_text(json.dumps({"task": task}), encoding="utf-8")
    (run / "results.json").write_text("{}", encoding="utf-8")
    (run / "test.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return model


def tagger(words, characters, sentences, tags):
    """Words, with or without the mean of their characters, through a bidirectional LSTM."""
    keras.utils.set_random_seed(3)
    inputs = {"ids": keras.Input((None,), dtype="int32", name="ids")}
    read = [keras.layers.Embedding(words, 6, mask_zero=True)(inputs["ids"])]
    if characters:
        inputs["characters"] = keras.Input((None, None), dtype="int32", name="characters")
        spelled = keras.layers.Embedding(characters, 4)(inputs["characters"])  # (batch, time, letters, features)
        read.append(keras.ops.mean(spelled, axis=2))
    hidden, mask = keras.layers.Concatenate()(read) if characters else read[0], keras.ops.not_equal(inputs["ids"], 0)
    hidden = keras.layers.Bidirectional(keras.layers.LSTM(8, return_sequences=True))(hidden, mask=mask)
    outputs = keras.layers.Dense(tags)(hidden)
    if sentences:
        last = keras.layers.GRU(5)(hidden, mask=mask)
        outputs = {"tags": outputs, "label": keras.layers.Dense(len(SENTENCES))(last)}
    model = keras.Model(inputs if characters else inputs["ids"], outputs)
    random = np.random.default_rng(5)
    model.set_weights([random.normal(0, 0.8, weight.shape) for weight in model.get_weights()])
    return model
