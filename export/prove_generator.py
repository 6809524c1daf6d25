"""A generator's artefact beside what Keras writes: tokens, scores, steps, beams, and that the source matters.

"The same tokens" allows a different one where Keras's two best logits are closer than `NEAR_TIE`.
"""

import copy

import numpy as np

from export import errors, runtime

NEAR_TIE = 1e-4
# Largest difference of a token's log-probability; the artefacts compute in float32, in another order.
LOG_PROBABILITY_TOLERANCE = 1e-3
# Largest fall of the score, as a share, that an artefact of less precision is offered with.
LARGEST_LOSS = 0.005
# The same where an artefact of less precision is held against itself.
_ROUNDED_TOLERANCE = 0.1
_STEPWISE = 24


def prove(session, data, limits, precision, static):
    """Holds `generate`, `encode` and `step`, and `generate_beam` where it is there, against Keras.

    Args:
        session: see `export.runtime.LiteRTSession`.
        data: dict that `export.reference` wrote.
        limits: dict of `source` and `target`, in tokens.
        precision: str; a float32 artefact must write Keras's tokens, another is scored, and held against itself.
        static: bool, whether the artefact takes one source at a time, padded to the limit.

    Returns:
        `parity` and `score`.

    Raises:
        TaskError: naming the first input and step that differ.
    """
    expected = Reference(data)
    by_length = np.argsort([len(ids) for ids in expected.source_ids], kind="stable")
    first = _generate(session, expected, by_length, 1 if static else 64, limits["source"] if static else None)
    parity = expected.compare(first, "generate") if precision == "float32" else expected.compare_score(first)
    if precision != "float32":
        expected = expected.replaced_by(first)
    if precision == "float32" or static:  # the scales of integers depend on what else is in the batch
        again = _generate(session, expected, by_length[::-1], 1 if static else 7, limits["source"])
        expected.compare(again, "generate, called again in another order and padding")
    parity["stepwise"] = _stepwise(session, expected, limits)
    if "generate_beam" in session.signatures and expected.beams:
        parity["beam"] = _beam(session, expected, limits, precision, static)
    parity["swapped"] = _swapped(first, expected)
    return parity, {"exact_match": expected.score(first["ids"]), "examples": len(expected.source_ids)}


def calls(data, limits, static):
    """Inputs of `generate`, one text each, for timing."""
    for ids in data["source_ids"]:
        source, length = runtime.pad([ids], limits["source"] if static else None)
        yield "generate", {"source": source, "source_length": length}


class Reference:
    """What Keras writes for the test inputs."""

    def __init__(self, data):
        self.texts, self.source_ids, self.targets = data["text"], data["source_ids"], data["target"]
        self.ids = np.asarray(data["ids"], "int32")  # (examples, target)
        self.length = np.asarray(data["length"], "int32")  # (examples,)
        self.log_probability = np.asarray(data["log_probability"], "float32")
        self.margin = np.asarray(data["margin"], "float32")
        self.tolerance = LOG_PROBABILITY_TOLERANCE
        self._target_ids, self._outputs = data["target_ids"], data["output"]
        self.beams = list(zip(data.get("beam_ids", ()), data.get("beam_log_probability", ()), strict=True))

    def compare(self, got, what):
        """Counts near ties and takes the largest error; raises at the first true difference."""
        ties, largest, seen = 0, 0.0, len(got["ids"])
        for example in range(seen):
            differs = np.flatnonzero(got["ids"][example] != self.ids[example])
            same = differs[0] if len(differs) else self.ids.shape[1]
            error = np.abs(got["log_probability"][example, :same] - self.log_probability[example, :same])
            largest = max(largest, float(np.max(error, initial=0.0)))
            if not np.isfinite(error).all() or largest > self.tolerance:
                step = int(np.argmax(~(error <= self.tolerance)))
                self._refuse(what, example, step, f"the log-probability is off by {error[step]:.2g}")
            if len(differs):
                margin = float(self.margin[example, same])
                if margin >= NEAR_TIE:
                    ids, wanted = int(got["ids"][example, same]), int(self.ids[example, same])
                    self._refuse(what, example, int(same), f"Keras writes id {wanted}, the file {ids}")
                ties += 1
            elif got["length"][example] != self.length[example]:
                what_differs = f"Keras says {self.length[example]} tokens, the file {got['length'][example]}"
                self._refuse(what, example, int(self.length[example]), what_differs)
        return {"inputs": seen, "near_ties": ties, "max_log_probability_error": largest}

    def compare_score(self, got):
        """Counts inputs with the same tokens, and finds the first that differs; refuses a score that falls."""
        same = (got["ids"] == self.ids).all(axis=1)
        score, wanted = self.score(got["ids"]), self.score(self.ids)
        if score < wanted - LARGEST_LOSS:
            raise errors.TaskError(
                f"the score falls from {100 * wanted:.2f} to {100 * score:.2f} %, more than half a point; ship another "
                "precision"
            )
        report = {"inputs": len(same), "same_tokens": int(same.sum())}
        if not same.all():
            example = int(np.argmin(same))
            step = int(np.argmax(got["ids"][example] != self.ids[example]))
            report["first_difference"] = {"input": self.texts[example], "step": step}
        return report

    def replaced_by(self, got):
        """The artefact's own answers as the reference, for what has to agree with itself."""
        own = copy.copy(self)
        own.ids, own.length, own.log_probability = got["ids"], got["length"], got["log_probability"]
        # `generate` and `step` may be rounded in different places, so a step may fall out otherwise.
        own.margin, own.tolerance = np.zeros_like(self.margin), _ROUNDED_TOLERANCE
        return own

    def _refuse(self, what, example, step, difference):
        raise errors.TaskError(
            f"{what}: input {example}, {self.texts[example]!r}, step {step}: {difference} "
            f"(Keras's answer is {self._outputs[example]!r})"
        )

    def score(self, ids):
        """Share of the examples that are written exactly as the test set has them."""
        written = [row[: row.index(runtime.END)] if runtime.END in row else row for row in ids.tolist()]
        return sum(row == target for row, target in zip(written, self._target_ids, strict=True)) / len(written)


def _generate(session, expected, order, batch, width):
    """`generate` over all examples in the given order; results come back in the reference's order."""
    ids, length = np.zeros_like(expected.ids), np.zeros_like(expected.length)
    log_probability = np.zeros_like(expected.log_probability)
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        source, source_length = runtime.pad([expected.source_ids[index] for index in chosen], width)
        outputs = session.call("generate", source=source, source_length=source_length)
        ids[chosen], length[chosen] = outputs["ids"], outputs["length"]
        log_probability[chosen] = outputs["log_probability"]
    return {"ids": ids, "length": length, "log_probability": log_probability}


def _stepwise(session, expected, limits):
    """`encode` and then `step` after `step`, for inputs of every length; the tokens must be those of `generate`."""
    lengths = np.argsort([len(ids) for ids in expected.source_ids], kind="stable")
    chosen = lengths[np.linspace(0, len(lengths) - 1, min(_STEPWISE, len(lengths))).astype(int)]
    ids = expected.ids.copy()
    log_probability = expected.log_probability.copy()
    for index in chosen:
        source, length = runtime.pad([expected.source_ids[index]], limits["source"])
        ids[index], log_probability[index] = 0, 0.0
        encoded = session.call("encode", source=source, source_length=length)
        token = np.asarray([runtime.START], "int32")
        for position in range(limits["target"]):
            outputs = session.call("step", token=token, **encoded)
            logits = outputs.pop("logits")[0].astype("float64")
            token = np.asarray([logits.argmax()], "int32")
            ids[index, position] = token[0]
            log_probability[index, position] = logits.max() - np.logaddexp.reduce(logits)
            encoded.update({name.removeprefix("next_"): value for name, value in outputs.items()})
            if token[0] == runtime.END:
                break
    stepped = {"ids": ids, "length": expected.length, "log_probability": log_probability}
    report = expected.compare(stepped, "encode and step")
    return {**report, "inputs": len(chosen)}


def _beam(session, expected, limits, precision, static):
    """`generate_beam` against Keras's beam search: float32 finds the same outputs, or others that are as likely."""
    same, searched = 0, [pair for pair in expected.beams if pair[0] is not None]
    for index, (ids, log_probability) in enumerate(searched):
        width = limits["source"] if static else None
        source, length = runtime.pad([expected.source_ids[index]], width)
        outputs = session.call("generate_beam", source=source, source_length=length)
        if outputs["ids"][0].tolist() == ids:
            same += 1
            continue
        own, wanted = (float(np.sum(scores)) for scores in (outputs["log_probability"][0], log_probability))
        if precision == "float32" and not abs(own - wanted) <= LOG_PROBABILITY_TOLERANCE:
            raise errors.TaskError(
                f"generate_beam: input {index}, {expected.texts[index]!r}: another output than Keras's, of "
                f"log-probability {own:.4f}, Keras's has {wanted:.4f}"
            )
    return {"inputs": len(searched), "same_tokens": same}


def _swapped(first, expected):
    """Different sources must be answered differently: a model or a file that ignores its source is refused."""
    pairs = [(a, a + 1) for a in range(len(expected.targets) - 1) if expected.targets[a] != expected.targets[a + 1]]
    ids, log_probability = first["ids"], first["log_probability"]
    changed = sum(
        bool((ids[a] != ids[b]).any() or np.abs(log_probability[a] - log_probability[b]).max() > NEAR_TIE)
        for a, b in pairs
    )
    if pairs and changed < len(pairs) / 2:
        raise errors.TaskError(
            f"swapping the source changed the answer in {changed} of {len(pairs)} cases: the source is ignored. "
            "Train the model longer, or look whether its encoder reaches the decoder"
        )
    return {"pairs": len(pairs), "changed": changed}
