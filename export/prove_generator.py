"""A generator's artefact beside what Keras writes: tokens, scores, steps, beams, and that the source matters.

What "the same tokens" allows is in `export.written`.
"""

import copy

import numpy as np

from export import errors, runtime, written
from export.written import LOG_PROBABILITY_TOLERANCE, NEAR_TIE

# Largest fall of the score, as a share, that an artefact of less precision is offered with.
LARGEST_LOSS = 0.005
# So many examples, the first, go into the bundle; the artefact's own score on them is kept.
SAMPLES = 32
# Largest difference of a log-probability where an artefact of less precision is held against itself.
_ROUNDED_TOLERANCE = 0.1
_STEPWISE = 24


def prove(session, data, limits, precision, static, own=None):
    """Holds `generate`, `encode` and `step`, and `generate_beam` where it is there, against Keras.

    Args:
        session: see `export.runtime.LiteRTSession`.
        data: dict that `export.reference` wrote.
        limits: dict of `source` and `target`, in tokens.
        precision: str; a float32 artefact must write Keras's tokens, another is scored, and held against itself.
        static: bool, whether the artefact takes one source at a time, padded to the limit.
        own: dict, the artefact's own score on these examples when it was built, which it is held to in place of
            Keras's where it is of less precision; None where there is none.

    Returns:
        `parity`, `score` and the score on the first `SAMPLES` examples.

    Raises:
        TaskError: naming the first input and step that differ, or the score that falls.
    """
    expected = Reference(data)
    by_length = np.argsort([len(ids) for ids in expected.source_ids], kind="stable")
    first = _generate(session, expected, by_length, 1 if static else 64, limits["source"] if static else None)
    parity = expected.compare(first, "generate") if precision == "float32" else expected.compare_score(first, own)
    found = {"exact_match": expected.score(first["ids"]), "examples": len(expected.source_ids)}
    samples = {"exact_match": expected.score(first["ids"][:SAMPLES]), "examples": len(first["ids"][:SAMPLES])}
    if precision != "float32":
        expected = expected.replaced_by(first)
    if precision == "float32" or static:  # the scales of integers depend on what else is in the batch
        again = _generate(session, expected, by_length[::-1], 1 if static else 7, limits["source"])
        expected.compare(again, "generate, called again in another order and padding")
    parity["stepwise"] = _stepwise(session, expected, limits)
    if "generate_beam" in session.signatures:
        parity["beam"], beams = _beam(session, expected, limits["source"] if static else None, precision, own)
        samples["beam_exact_match"] = expected.score(beams["ids"][:SAMPLES])
    parity["swapped"] = _swapped(first, expected)
    return parity, found, samples


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
        self._target_ids = data["target_ids"]
        self._outputs, self._beam_outputs = data["output"], data.get("beam_output")
        self.beams = _beams_of(data)

    def compare(self, got, what):
        """Counts near ties and takes the largest error; raises at the first true difference."""
        wanted = {"ids": self.ids, "length": self.length, "log_probability": self.log_probability}
        ties, largest = self._hold(got, wanted, self.margin, what, self._outputs)
        return {"inputs": len(self.ids), "near_ties": ties, "max_log_probability_error": largest}

    def compare_beams(self, got):
        """The same of beam searches, where another output may only be as good."""
        ties, largest = self._hold(got, self.beams, None, "generate_beam", self._beam_outputs)
        same = len(got["ids"]) - ties
        return {"inputs": len(got["ids"]), "same_tokens": same, "max_log_probability_error": largest}

    def _hold(self, got, wanted, margin, what, outputs):
        found = written.tokens(got, wanted, margin)
        if found.fault:
            self._refuse(what, *found.fault, outputs)
        error = np.abs(got["log_probability"] - wanted["log_probability"])
        wrong = np.argwhere(found.before & ~(error <= self.tolerance))  # NaN too
        if len(wrong):
            example, step = map(int, wrong[0])
            self._refuse(what, example, step, f"the log-probability is off by {error[example, step]:.2g}", outputs)
        return found.excused, float(np.max(error, where=found.before, initial=0.0))

    def compare_score(self, got, own=None):
        """Counts inputs with the same tokens, and finds the first that differs; refuses a score that falls."""
        same = (got["ids"] == self.ids).all(axis=1)
        wanted = self.score(self.ids) if own is None else own["exact_match"]
        check_score("the score", self.score(got["ids"]), wanted, own is not None)
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

    def _refuse(self, what, example, step, difference, outputs):
        raise errors.TaskError(
            f"{what}: input {example}, {self.texts[example]!r}, step {step}: {difference} "
            f"(Keras's answer is {outputs[example]!r})"
        )

    def score(self, ids):
        """Share of the first so many examples that are written exactly as the test set has them."""
        outputs = [row[: row.index(runtime.END)] if runtime.END in row else row for row in ids.tolist()]
        return sum(row == target for row, target in zip(outputs, self._target_ids, strict=False)) / len(outputs)


def _beams_of(data):
    """What Keras's beam search writes for the first examples; None where it was not asked."""
    if "beam_ids" not in data:
        return None
    count = sum(ids is not None for ids in data["beam_ids"])
    dtypes = {"ids": "int32", "length": "int32", "log_probability": "float32"}
    return {name: np.asarray(data[f"beam_{name}"][:count], dtype) for name, dtype in dtypes.items()}


def check_score(what, score, wanted, own=False):
    """Refuses a score that is more than half a point below what is wanted.

    Args:
        what: str, such as "the score".
        score, wanted: floats, shares.
        own: bool, whether what is wanted is what the artefact itself had when it was built, and not Keras's score.

    Raises:
        TaskError: if it falls.
    """
    if score >= wanted - LARGEST_LOSS - 1e-9:  # a share such as 0.895 is no exact number
        return
    advice = "the first is its own of when the bundle was built; build it again" if own else "ship another precision"
    raise errors.TaskError(
        f"{what} falls from {100 * wanted:.2f} to {100 * score:.2f} %, more than half a point; {advice}"
    )


def _generate(session, expected, order, batch, width, signature="generate"):
    """`generate` over some examples in the given order; results come back in the reference's order."""
    target = expected.ids.shape[1]
    found = {
        "ids": np.zeros((len(order), target), "int32"),
        "length": np.zeros(len(order), "int32"),
        "log_probability": np.zeros((len(order), target), "float32"),
    }
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        source, source_length = runtime.pad([expected.source_ids[index] for index in chosen], width)
        outputs = session.call(signature, source=source, source_length=source_length)
        for name, array in found.items():
            array[chosen] = outputs[name]
    return found


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


def _beam(session, expected, width, precision, own):
    """`generate_beam` against Keras's beam search, as `generate` is held against Keras: report, and what it writes."""
    if expected.beams is None:
        raise errors.TaskError("generate_beam: nobody knows what Keras's beam search writes; build the bundle again")
    wanted = expected.beams["ids"]
    batch = 1 if width else 64
    got = _generate(session, expected, np.arange(len(wanted)), batch, width, "generate_beam")
    score = expected.score(got["ids"])
    if precision == "float32":
        return {**expected.compare_beams(got), "exact_match": score}, got
    bar = expected.score(wanted) if own is None else own["beam_exact_match"]
    check_score("the score of beam search", score, bar, own is not None)
    same = int((got["ids"] == wanted).all(axis=1).sum())
    return {"inputs": len(wanted), "same_tokens": same, "exact_match": score}, got


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
