"""A trained tagger with all that it takes to tag a sentence, and its scores."""

import json
from pathlib import Path

import keras
import numpy as np

import keras_seq.models  # noqa: F401  a file names its model's class, which has to be known
from keras_seq.data.label_batches import LabelBatches
from keras_seq.data.words import WordCoder
from keras_seq.scores import OUTSIDE, bootstrap, f1, ratio, span_counts, token_counts

_BOUNDARIES = (4, 7, 10, 14, 18, 22, 26, 32, 40, 52, 80)
BATCH_TOKENS_READ = 8000


def boundaries(limit):
    """The lengths of the buckets that sentences up to a limit are put into."""
    return [length for length in _BOUNDARIES if length < limit] + [limit]


class SentenceTagger:
    """A trained model with all that it takes to tag a sentence.

    Args:
        model: `WordTagger`.
        coder: `WordCoder`.
        tags: list of str, by the model's number.
        labels: list of str, those of sentences; [] for none.
        limit: int, longest sentence in tokens.
    """

    def __init__(self, model, coder, tags, labels, limit):
        self.model, self.coder, self.tags, self.labels, self.limit = model, coder, tags, labels, limit

    @classmethod
    def load(cls, run_dir):
        """Reads a finished run directory.

        Raises:
            FileNotFoundError: if the run is not there or not finished.
        """
        run_dir = Path(run_dir)
        if not (run_dir / "results.json").is_file():
            raise FileNotFoundError(f"{run_dir} is no finished run of a tagger; train it first")
        task = json.loads((run_dir / "config.json").read_text(encoding="utf-8"))
        labels = run_dir / "sentence_labels.json"
        return cls(
            keras.models.load_model(run_dir / "model.keras", compile=False),
            WordCoder.load(run_dir, task["width"]),
            json.loads((run_dir / "labels.json").read_text(encoding="utf-8")),
            json.loads(labels.read_text(encoding="utf-8")) if labels.exists() else [],
            task["limit"],
        )

    def logits(self, sentences):
        """What the model says of sentences.

        Args:
            sentences: sequence of sequences of str, each of 1 to `limit` tokens.

        Returns:
            list of float arrays `(time, tags)`; and a float array `(sentences, labels)`, None without labels.

        Raises:
            ValueError: if a sentence is empty or longer than the limit.
        """
        inputs = {name: inputs for name, inputs in self.coder.inputs(sentences).items() if name in self._names()}
        places = [np.arange(len(tokens)) + 1 for tokens in sentences]
        batches = LabelBatches(
            {**inputs, "place": places}, np.arange(len(sentences)), batch_tokens=BATCH_TOKENS_READ,
            boundaries=boundaries(self.limit), shuffle=False,
        )  # fmt: skip
        found, labels = [None] * len(sentences), np.zeros((len(sentences), len(self.labels)), "float32")
        for batch, numbers in batches(0):
            outputs = self.model({name: batch[name] for name in self._names()}, training=False)
            if self.labels:
                labels[numbers] = outputs["label"]
            own = np.asarray(outputs["tags"] if self.labels else outputs)  # (batch, time, tags)
            for number, row in zip(numbers.numpy(), own, strict=True):
                found[number] = row[: len(sentences[number])]
        return found, labels if self.labels else None

    def tag(self, sentences):
        """The likeliest tags and labels.

        Args:
            sentences: as for `logits`.

        Returns:
            list of lists of str, and a list of str, None without labels.
        """
        tags, labels = self.logits(sentences)
        best = [[self.tags[number] for number in row.argmax(axis=-1)] for row in tags]
        return best, None if labels is None else [self.labels[number] for number in labels.argmax(axis=-1)]

    def scores(self, records):
        """Measures on labelled sentences, each with its interval: 1000 draws of whole sentences.

        Args:
            records: list of `{"tokens", "tags" (, "label")}`.

        Returns:
            dict of "accuracy" (of all tokens), where tags mark spans "span_f1" (conlleval's), where sentences have
            labels "label_accuracy": each `{"value", "low", "high"}`.
        """
        wanted = [row["tags"] for row in records]
        guessed, labels = self.tag([row["tokens"] for row in records])
        scores = {"accuracy": _with_interval(token_counts(guessed, wanted), ratio)}
        if self.marks_spans():
            scores["span_f1"] = _with_interval(span_counts(guessed, wanted), f1)
        if labels:
            hits = [[ours == row["label"], 1] for ours, row in zip(labels, records, strict=True)]
            scores["label_accuracy"] = _with_interval(np.array(hits), ratio)
        return scores

    def marks_spans(self):
        """Whether the tags are BIO tags."""
        return any(tag != OUTSIDE for tag in self.tags) and all(
            tag == OUTSIDE or tag[:2] in ("B-", "I-") for tag in self.tags
        )

    def _names(self):
        return [tensor.name for tensor in self.model.inputs]


def _with_interval(counts, score):
    low, high = bootstrap(counts, score=score)
    return {"value": float(score(counts.sum(axis=0))), "low": low, "high": high}
