"""A generator's artefact beside what Keras writes: tokens, scores, steps, beams, and that the source matters.

What "the same tokens" allows is in `export.written`.
"""

import copy

import numpy as np

from export import errors, runtime, written
from export.generator_scores import ExactMatch, check_score
from export.sources import Sources, inputs_of
from export.written import LOG_PROBABILITY_TOLERANCE, NEAR_TIE

# So many examples, the first, go into the bundle; the artefact's own score on them is kept.
SAMPLES = 32
# Largest difference of a log-probability where an artefact of less precision is held against itself.
_ROUNDED_TOLERANCE = 0.1
_STEPWISE, _BATCH = 24, 64


def prove(session, data, limits, precision, static, own=None, score=None):
    """Holds `generate`, `encode` and `step`, and `generate_beam` where it is there, against Keras.

    Args:
        session: see `export.runtime.LiteRTSession`.
        data: dict that `export.reference` wrote.
        limits: dict of `source` and `target`, in tokens, of audio in samples; of pictures without `source`.
        precision: str; a float32 artefact must write Keras's tokens, another is scored, and held against itself.
        static: bool, whether the artefact takes one source at a time, padded to the limit.
        own: dict, the artefact's own score on these examples when it was built, which it is held to in place of
            Keras's where it is of less precision; None where there is none.
        score: of `export.generator_scores`; None is the exact match.

    Returns:
        `parity`, `score` and the score on the first `SAMPLES` examples.

    Raises:
        TaskError: naming the first input and step that differ, or the score that falls.
    """
    expected = Reference(data, score or ExactMatch())
    artefact = _Artefact(session, expected, precision, limits.get("source"), static)
    by_length = _by_length(expected.sources.sizes)
    first = artefact.write(by_length)
    if precision == "float32":
        parity = expected.compare(first, "generate")
    found, samples = artefact.scored(first)
    if precision != "float32":
        expected.check_score(found, own)
        parity = expected.agreement(first)
        expected = expected.replaced_by(first)
    if artefact.repeats:
        again = _generate(session, expected, by_length[::-1], 1 if static else 7, limits.get("source"))
        expected.compare(again, "generate, called again in another order and padding")
    parity["stepwise"] = _stepwise(session, expected, limits)
    if "generate_beam" in session.signatures:
        parity["beam"], searched = _beam(artefact, expected, first, own)
        samples |= searched
    parity["swapped"] = _swapped(first, expected)
    return parity, found, samples


def calls(data, limits, static, signature="generate"):
    """Inputs of `generate`, or of `generate_beam`, one source each, for timing."""
    for row in Sources(data).rows:
        yield signature, inputs_of([row], limits.get("source") if static else None)


class _Artefact:
    """An artefact, and how it is to be called.

    Args:
        session: see `prove`.
        expected: `Reference`.
        precision: str.
        limit: int, the longest source; None of pictures.
        static: bool, whether sources are taken one at a time, padded to the limit, or many at once, to the longest.

    Attributes:
        rounded: bool, whether it is of less precision than float32.
        repeats: bool, whether it answers the same whatever else is in the batch: the scales of integers depend on that.
    """

    def __init__(self, session, expected, precision, limit, static):
        self._session, self._expected, self._width = session, expected, limit if static else None
        self._batch = 1 if static else _BATCH
        self.rounded = precision != "float32"
        self.repeats = static or not self.rounded

    def write(self, order, signature="generate"):
        """What it writes for some examples, see `_generate`."""
        return _generate(self._session, self._expected, order, self._batch, self._width, signature)

    def scored(self, first):
        """The score of all examples, of which greedy decoding wrote `first`, and of those that go into the bundle."""
        rows, few = self._rows(first), self._expected.sources.sizes[:SAMPLES]
        part = rows[: len(few)]
        if not self.repeats and len(rows) > len(few):  # as `verify` will call it, which has the samples alone
            part = self._rows(self.write(_by_length(few)))
        return self._expected.scored(rows), self._expected.scored(part)

    def _rows(self, output):
        expected, chosen = self._expected, range(len(output["ids"]))
        return expected.score.artefact(self._session, expected.data, chosen, output["ids"], self._width, self._batch)


class Reference:
    """What Keras writes for the test inputs, and the score that it is held by."""

    def __init__(self, data, score):
        self.data, self.score = data, score
        self.texts, self.sources, self.targets = data["text"], Sources(data), data["target"]
        self.ids = np.asarray(data["ids"], "int32")  # (examples, target)
        self.length = np.asarray(data["length"], "int32")  # (examples,)
        self.log_probability = np.asarray(data["log_probability"], "float32")
        self.margin = np.asarray(data["margin"], "float32")
        self.tolerance = LOG_PROBABILITY_TOLERANCE
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

    def scored(self, rows):
        """The score of rows of ids of the first so many examples, and how many they are."""
        return {self.score.name: self.score.share(rows, self.data, range(len(rows))), "examples": len(rows)}

    def check_score(self, found, own=None):
        """Refuses a score that falls below Keras's, or below the artefact's own of when it was built."""
        name = self.score.name
        wanted = self.scored(self.score.keras(self.data)) if own is None else own
        check_score(name, found[name], wanted[name], own is not None)

    def agreement(self, got):
        """Counts inputs with the same tokens, and finds the first that differs."""
        same = (got["ids"] == self.ids).all(axis=1)
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


def _beams_of(data):
    """What Keras's beam search writes for the first examples; None where it was not asked."""
    if "beam_ids" not in data:
        return None
    count = sum(ids is not None for ids in data["beam_ids"])
    dtypes = {"ids": "int32", "length": "int32", "log_probability": "float32"}
    return {name: np.asarray(data[f"beam_{name}"][:count], dtype) for name, dtype in dtypes.items()}


def _by_length(sizes):
    return np.argsort(sizes, kind="stable")


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
        outputs = session.call(signature, **expected.sources.inputs(chosen, width))
        for name, array in found.items():
            array[chosen] = outputs[name]
    return found


def _stepwise(session, expected, limits):
    """`encode` and then `step` after `step`, for inputs of every length; the tokens must be those of `generate`."""
    lengths = _by_length(expected.sources.sizes)
    chosen = lengths[np.linspace(0, len(lengths) - 1, min(_STEPWISE, len(lengths))).astype(int)]
    ids = expected.ids.copy()
    log_probability = expected.log_probability.copy()
    for index in chosen:
        ids[index], log_probability[index] = 0, 0.0
        encoded = session.call("encode", **expected.sources.inputs([index], limits.get("source")))
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


def _beam(artefact, expected, first, own):
    """`generate_beam` against Keras's beam search, as `generate` is held against Keras: report, and samples' score.

    Where outputs have no score, one of less precision is held to what beam search is for: in its own eyes its outputs
    are as likely as those of `generate`, `first`, or likelier.
    """
    if expected.beams is None:
        raise errors.TaskError("generate_beam: nobody knows what Keras's beam search writes; build the bundle again")
    wanted, name = expected.beams["ids"], expected.score.name
    few, searched = np.arange(len(wanted[:SAMPLES])), f"beam_{name}"
    got = artefact.write(np.arange(len(wanted)), "generate_beam")
    if artefact.rounded:
        same = int((got["ids"] == wanted).all(axis=1).sum())
        report = {"inputs": len(wanted), "same_tokens": same}
    else:
        report = expected.compare_beams(got)
    if not expected.score.of_outputs:
        return report | ({"likelier": _likelier(got, first)} if artefact.rounded else {}), {}
    report[name] = expected.scored(got["ids"])[name]
    if artefact.rounded:
        bar = expected.scored(wanted)[name] if own is None else own[searched]
        check_score(searched, report[name], bar, own is not None)
    part = got if artefact.repeats or len(few) == len(wanted) else artefact.write(few, "generate_beam")
    return report, {searched: expected.scored(part["ids"][: len(few)])[name]}


def _likelier(beams, first):
    """By how much the mean log-probability of beam search's tokens is above that of greedy decoding's, on average."""
    gains = [written.score_of(beams, row) - written.score_of(first, row) for row in range(len(beams["ids"]))]
    gain = float(np.mean(gains))
    if gain >= -_ROUNDED_TOLERANCE:  # NaN is not
        return gain
    raise errors.TaskError(
        f"generate_beam: a token of its outputs is less likely than one of generate's, by {-gain:.2g} in the mean "
        "log-probability: it does not search. Ship another precision, or leave --beam out"
    )


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
