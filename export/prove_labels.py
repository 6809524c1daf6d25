"""A classifier's or tagger's artefact beside Keras's probabilities: labels, score, and that the input matters."""

import numpy as np

from export import errors, runtime
from export.examples import accuracy
from export.prove_generator import LARGEST_LOSS, NEAR_TIE

# Largest difference of a probability.
TOLERANCE = 1e-4
_ROUNDED_TOLERANCE = 0.1


def prove(session, data, limits, precision, static):
    """Holds `predict` against Keras over all examples, twice in one session: in other batches, orders and paddings.

    Args:
        session: see `export.runtime.LiteRTSession`.
        data: dict that `export.reference` wrote.
        limits: dict of `source`, in tokens; {} for pictures.
        precision: str; a float32 artefact gives Keras's probabilities, another is scored.
        static: bool, whether the artefact takes one example at a time, padded to the limit.

    Returns:
        `parity` and `score`.

    Raises:
        TaskError: naming the first example that differs, or the score that falls.
    """
    examples = _Examples(data, limits)
    order = np.argsort(examples.sizes, kind="stable")
    first = examples.run(session, order, 1 if static else 64, padded=static)
    best = [rows.argmax(axis=-1) for rows in first]
    score = accuracy(best, data["target_ids"])
    if precision == "float32":
        parity = examples.compare(first, TOLERANCE, "predict")
    else:
        parity = examples.compare_labels(best)
        wanted = accuracy([rows.argmax(axis=-1) for rows in examples.wanted], data["target_ids"])["accuracy"]
        if score["accuracy"] < wanted - LARGEST_LOSS:
            raise errors.TaskError(
                f"the score falls from {100 * wanted:.2f} to {100 * score['accuracy']:.2f} %, more than half a point; "
                f"ship another precision. {examples.difference(best)}"
            )
    # The scales of integers depend on what else is in the batch.
    if precision == "float32" or static:
        examples.wanted = first
        again = examples.run(session, order[::-1], 1 if static else 7, padded=True)
        tolerance = TOLERANCE if precision == "float32" else _ROUNDED_TOLERANCE
        examples.compare(again, tolerance, "predict, called again in another order and padding")
    if len({rows.tobytes() for rows in first}) == 1 and len(first) > 1:
        raise errors.TaskError(
            "every example is answered alike: the input is ignored. Train the model longer, or look whether its input "
            "reaches its output"
        )
    return parity, score


def calls(data, limits, static):
    """Inputs of `predict`, one example each, for timing."""
    examples = _Examples(data, limits)
    for number in range(len(examples.sizes)):
        yield "predict", examples.inputs([number], padded=static)


class _Examples:
    """The reference's inputs and what Keras answers: probabilities `(labels,)` or `(tokens, labels)` of each."""

    def __init__(self, data, limits):
        self.wanted = [np.asarray(rows, "float32") for rows in data["probabilities"]]
        self._texts, self._limit = data.get("text"), limits.get("source")
        self._ids = data.get("source_ids")
        self._images = None if "image" not in data else np.asarray(data["image"], "float32") / 255
        self._outputs = data["output"]
        self.sizes = [0] * len(self.wanted) if self._ids is None else [len(ids) for ids in self._ids]

    def inputs(self, chosen, padded):
        """The inputs of `predict` for some examples; padded to the limit, or to the longest."""
        if self._images is not None:
            return {"image": self._images[chosen]}
        ids, length = runtime.pad([self._ids[number] for number in chosen], self._limit if padded else None)
        return {"ids": ids, "length": length}

    def run(self, session, order, batch, padded):
        """What the artefact answers to each example, run in an order and in batches."""
        found = [None] * len(order)
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            probabilities = session.call("predict", **self.inputs(chosen, padded))["probabilities"]
            for number, rows in zip(chosen, probabilities, strict=True):
                found[number] = rows[: self.sizes[number]].copy() if rows.ndim == 2 else rows.copy()
        return found

    def compare(self, found, tolerance, what):
        """The largest error; raises at the first example that is further off, or labelled otherwise but at a tie."""
        largest, ties = 0.0, 0
        for number, (rows, wanted) in enumerate(zip(found, self.wanted, strict=True)):
            error = float(np.max(np.abs(rows - wanted), initial=0)) if np.isfinite(rows).all() else float("inf")
            largest = max(largest, error)
            if error > tolerance:
                raise errors.TaskError(f"{what}: {self._named(number)}: a probability is off by {error:.2g}")
            differs = rows.argmax(axis=-1) != wanted.argmax(axis=-1)
            two = np.sort(wanted, axis=-1)[..., -2:]
            if tolerance == TOLERANCE and (differs & (two[..., 1] - two[..., 0] >= NEAR_TIE)).any():
                raise errors.TaskError(f"{what}: {self._named(number)}: another label than Keras's")
            ties += int(differs.any())
        return {"inputs": len(found), "near_ties": ties, "max_probability_error": largest}

    def compare_labels(self, best):
        """How many examples are labelled as Keras labels them, and the first that is not."""
        same = [bool((own == rows.argmax(axis=-1)).all()) for own, rows in zip(best, self.wanted, strict=True)]
        report = {"inputs": len(same), "same_labels": sum(same)}
        if not all(same):
            report["first_difference"] = {"input": self._named(same.index(False))}
        return report

    def difference(self, best):
        """The first example that is labelled otherwise than by Keras, in words."""
        first = self.compare_labels(best).get("first_difference")
        return f"First difference: {first['input']}" if first else ""

    def _named(self, number):
        shown = f", {self._texts[number]!r}" if self._texts else ""
        return f"input {number}{shown} (Keras's answer is {self._outputs[number]!r})"
