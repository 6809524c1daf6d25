"""A classifier's or tagger's artefact beside Keras's probabilities: labels, score, and that the input matters."""

import numpy as np

from export import errors
from export.examples import HEADS, loss_of, score_of
from export.generator_scores import LARGEST_LOSS
from export.label_examples import LabelExamples
from export.prove_generator import SAMPLES
from export.written import NEAR_TIE

# Largest difference of a probability.
TOLERANCE = 1e-4
_ROUNDED_TOLERANCE = 0.1


def prove(session, data, limits, precision, static, own=None):
    """Holds `predict` against Keras over all examples, twice in one session: in other batches, orders and paddings.

    Args:
        session: see `export.runtime.LiteRTSession`.
        data: dict that `export.reference` wrote.
        limits: dict of `source`, in tokens, and `characters` where the model reads some; {} for pictures.
        precision: str; a float32 artefact gives Keras's probabilities, another is scored.
        static: bool, whether the artefact takes one example at a time, padded to the limit.
        own: dict, the artefact's own score on these examples when it was built; see `export.prove`.

    Returns:
        `parity`, `score` and the score on the first `SAMPLES` examples; of a model that labels tokens and the sentence
        both the scores have a measure of each.

    Raises:
        TaskError: naming the first example that differs, or the score that falls.
    """
    examples = LabelExamples(data, limits)
    order = np.argsort(examples.sizes, kind="stable")
    first = _run(examples, session, order, 1 if static else 64, static)
    score = score_of(first, data)
    few = range(min(SAMPLES, len(order)))
    samples = score_of({head: rows[:SAMPLES] for head, rows in first.items()}, data, few)
    comparison = _Comparison(data, examples.wanted)
    if precision == "float32":
        parity = comparison.compare(first, TOLERANCE, "predict")
    else:
        parity = comparison.compare_labels(first)
        _check_score(score, own or score_of(examples.wanted, data), comparison.difference(first), own is not None)
    # The scales of integers depend on what else is in the batch.
    if precision == "float32" or static:
        again = _run(examples, session, order[::-1], 1 if static else 7, True)
        tolerance = TOLERANCE if precision == "float32" else _ROUNDED_TOLERANCE
        _Comparison(data, first).compare(again, tolerance, "predict, called again in another order and padding")
    for head, rows in first.items():
        if len({row.tobytes() for row in rows}) == 1 and len(rows) > 1:
            raise errors.TaskError(
                f"{_told(head)}every example is answered alike: the input is ignored. Train the model longer, or look "
                "whether its input reaches its output"
            )
    return parity, score, samples


def calls(data, limits, static):
    """Inputs of `predict`, one example each, for timing."""
    examples = LabelExamples(data, limits)
    for number in range(len(examples.sizes)):
        yield "predict", examples.inputs([number], static)


def _run(examples, session, order, batch, to_limit):
    """What the artefact answers, in the order of the examples whatever the order of the calls."""
    found, places = examples.run(session, order, batch, to_limit), np.argsort(order)
    return {head: [rows[place] for place in places] for head, rows in found.items()}


def _check_score(score, wanted, difference, own):
    if loss_of(score, wanted) <= LARGEST_LOSS + 1e-9:  # a share such as 0.895 is no exact number
        return
    name = max((name for name, _ in HEADS.values() if name in score), key=lambda name: wanted[name] - score[name])
    what = "score" if len(score) == 2 else name.replace("_", " ")
    advice = "the first is its own of when the bundle was built; build it again" if own else "ship another precision"
    raise errors.TaskError(
        f"the {what} falls from {100 * wanted[name]:.2f} to {100 * score[name]:.2f} %, more than half a point; "
        f"{advice}. {difference}"
    )


def _told(head):
    return "" if head == "probabilities" else f"{head}: "


class _Comparison:
    """Probabilities beside those that are wanted, by output.

    Args:
        data: dict that `export.reference` wrote, for naming examples.
        wanted: dict of output -> list of arrays.
    """

    def __init__(self, data, wanted):
        self._texts, self._outputs, self.wanted = data.get("text"), data["output"], wanted

    def compare(self, found, tolerance, what):
        """The largest error; raises at the first example that is further off, or labelled otherwise but at a tie."""
        largest, tied = 0.0, set()
        for head, all_wanted in self.wanted.items():
            for number, (rows, wanted) in enumerate(zip(found[head], all_wanted, strict=True)):
                error = float(np.max(np.abs(rows - wanted), initial=0)) if np.isfinite(rows).all() else float("inf")
                largest = max(largest, error)
                where = f"{what}: {_told(head)}{self._named(number)}"
                if error > tolerance:
                    raise errors.TaskError(f"{where}: a probability is off by {error:.2g}")
                differs = rows.argmax(axis=-1) != wanted.argmax(axis=-1)
                two = np.sort(wanted, axis=-1)[..., -2:]
                if tolerance == TOLERANCE and (differs & (two[..., 1] - two[..., 0] >= NEAR_TIE)).any():
                    raise errors.TaskError(f"{where}: another label than Keras's")
                if differs.any():
                    tied.add(number)
        return {"inputs": len(found["probabilities"]), "near_ties": len(tied), "max_probability_error": largest}

    def compare_labels(self, found):
        """How many examples are labelled as Keras labels them, and the first that is not."""
        same = np.ones(len(found["probabilities"]), bool)
        for head, all_wanted in self.wanted.items():
            for number, (rows, wanted) in enumerate(zip(found[head], all_wanted, strict=True)):
                same[number] &= (rows.argmax(axis=-1) == wanted.argmax(axis=-1)).all()
        report = {"inputs": len(same), "same_labels": int(same.sum())}
        if not same.all():
            report["first_difference"] = {"input": self._named(int(same.argmin()))}
        return report

    def difference(self, found):
        """The first example that is labelled otherwise than by Keras, in words."""
        first = self.compare_labels(found).get("first_difference")
        return f"First difference: {first['input']}" if first else ""

    def _named(self, number):
        shown = f", {self._texts[number]!r}" if self._texts else ""
        return f"input {number}{shown} (Keras's answer is {self._outputs[number]!r})"
