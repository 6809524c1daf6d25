"""How good an artefact is, for `export.recover` to choose by: its score on test examples, and its distance from Keras.

Only some examples are taken, spread over the test set, and fewer of a slow artefact: there can be dozens of choices. It
is the proof that has the last word.
"""

import time
from pathlib import Path

import numpy as np

from export import runtime
from export.examples import loss_of, score_of
from export.generator_scores import LARGEST_LOSS, ExactMatch
from export.label_examples import LabelExamples
from export.sources import Sources

_MOST, _LEAST, _SECONDS = 200, 40, 5.0
# What a position costs whose token is not Keras's, in nats at least: behind the first of them all others may differ.
_OTHER_TOKEN = 1.0
_BATCH = 64


def judge_of(kind, format, limits, reference, score=None):
    """The judge of a kind of task.

    Args:
        kind: "generate", "classify" or "tag".
        format: "tflite" or "onnx".
        limits: dict of `source` and `target`, in tokens; {} for pictures.
        reference: dict that `export.reference` wrote.
        score: of `export.generator_scores`, what a generator is scored by; None is the exact match.

    Returns:
        a callable of the path of an artefact -> (score, damage), with `wanted`, the least score.
    """
    if kind == "generate":
        return _GeneratorJudge(format, limits, reference, score or ExactMatch())
    return _LabelJudge(format, limits, reference)


class _Judge:
    def __init__(self, format, limits, reference, sizes):
        self._static, self._limits = format == "tflite", limits
        self._sizes, self._count = np.asarray(sizes), len(reference["target_ids"])
        self.chosen = self._spread(_MOST)

    @property
    def wanted(self):
        """Keras's score on the chosen examples less half a point."""
        return self._keras_score() - LARGEST_LOSS

    def choose_examples(self, artefact):
        """Takes fewer examples if the artefact is slow."""
        self.chosen = self._spread(_LEAST)
        self(artefact)  # what is done at a first call only is not counted
        start = time.perf_counter()
        self(artefact)
        each = (time.perf_counter() - start) / len(self.chosen)
        self.chosen = self._spread(int(np.clip(_SECONDS / each, _LEAST, _MOST)))

    def take_all(self):
        """Takes all examples from now on; returns whether these are more than before."""
        before, self.chosen = len(self.chosen), np.arange(self._count)
        return self._count > before

    def __call__(self, artefact):
        session = (runtime.LiteRTSession if self._static else runtime.ONNXSession)(Path(artefact))
        order = np.argsort(self._sizes[self.chosen], kind="stable")
        return self._verdict(session, order, 1 if self._static else _BATCH)

    def _spread(self, count):
        return np.unique(np.linspace(0, self._count - 1, min(count, self._count)).astype(int))


class _GeneratorJudge(_Judge):
    """Score: the task's, see `export.generator_scores`.

    Damage: the mean error of the tokens' log-probabilities, where another token than Keras's counts as a nat at least.
    """

    def __init__(self, format, limits, reference, score):
        self._sources = Sources(reference)
        super().__init__(format, limits, reference, self._sources.sizes)
        self._reference, self._score = reference, score
        self._written = np.asarray(reference["ids"], "int32")  # (examples, target)
        self._log_probability = np.asarray(reference["log_probability"], "float32")  # (examples, target)

    def _answers(self, session, order, batch):
        """Ids and log-probabilities `(chosen, target)`."""
        found = [None] * len(order)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            outputs = session.call("generate", **self._sources.inputs(self.chosen[rows], self._width))
            for row, *answer in zip(rows, outputs["ids"].copy(), outputs["log_probability"].copy(), strict=True):
                found[row] = answer
        return map(np.stack, zip(*found, strict=True))

    def _verdict(self, session, order, batch):
        ids, log_probability = self._answers(session, order, batch)
        rows = self._score.artefact(session, self._reference, self.chosen, ids, self._width, batch)
        wanted = self._written[self.chosen]
        error = np.abs(log_probability - self._log_probability[self.chosen])
        error = np.nan_to_num(error, nan=_OTHER_TOKEN, posinf=_OTHER_TOKEN)
        error = np.where(ids == wanted, error, np.maximum(error, _OTHER_TOKEN))
        counts = (ids != runtime.PAD) | (wanted != runtime.PAD)
        return self._share(rows), float((error * counts).sum() / max(1, counts.sum()))

    def _keras_score(self):
        rows = self._score.keras(self._reference)
        return self._share([rows[example] for example in self.chosen])

    def _share(self, rows):
        return self._score.share(rows, self._reference, self.chosen)

    @property
    def _width(self):
        return self._limits.get("source") if self._static else None


class _LabelJudge(_Judge):
    """Score: the share of labels or tags that are right; where there are both, the tags' less what the worse one lost.

    Damage: the mean error of the probabilities.
    """

    def __init__(self, format, limits, reference):
        self._reference, self._examples = reference, LabelExamples(reference, limits)
        super().__init__(format, limits, reference, self._examples.sizes)

    def _verdict(self, session, order, batch):
        chosen = self.chosen[order]
        found = self._examples.run(session, chosen, batch, self._static)
        errors = [
            np.abs(rows - self._examples.wanted[head][example]).mean()
            for head, answers in found.items()
            for rows, example in zip(answers, chosen, strict=True)
        ]
        wanted = self._keras()
        return wanted["accuracy"] - loss_of(score_of(found, self._reference, chosen), wanted), float(np.mean(errors))

    def _keras_score(self):
        return self._keras()["accuracy"]

    def _keras(self):
        answers = {head: [rows[number] for number in self.chosen] for head, rows in self._examples.wanted.items()}
        return score_of(answers, self._reference, self.chosen)
