"""The child that holds one artefact against Keras: `python -m export.prove TASK`.

It needs TensorFlow for a SavedModel only, and Keras never: what Keras answers comes with the task.
"""

import itertools
import json
import statistics
import time
from pathlib import Path

from export import cases, children, errors, numbers, prove_generator, prove_labels, runtime, structure
from export.generator_scores import generator_score

# So many inputs are timed, and fewer by beam search, which takes several times as long.
_TIMED, _SEARCHED = 60, 10
PROOFS = {"generate": prove_generator, "classify": prove_labels, "tag": prove_labels}


def prove(format, precision, path, reference, case_file, limits=None, kind="generate", own=None, score=None):
    """Runs the reference's inputs through the artefact, and reports or refuses.

    Args:
        format: "tflite", "onnx" or "saved_model".
        precision: str.
        path: the artefact.
        reference: path of the JSON file that `export.reference` wrote.
        case_file: path of the file of cases, see `export.cases`.
        limits: dict of `source` and `target`, in tokens; {} for pictures.
        kind: "generate", "classify" or "tag".
        own: dict, the score on these inputs that the artefact had when it was built, which it is held to in place of
            Keras's where it is of less precision; None where there is none.
        score: dict of a generator's `name` and `vocabulary`, see `export.generator_scores.generator_score`; None is the
            exact match.

    Returns:
        dict of `signatures`, `numbers`, `parity`, `score`, `samples` (the score on those that go into the bundle),
        `latency_ms`, and where it searches by beams `beam_latency_ms`.

    Raises:
        NumbersError: naming the signature, output and case that differ.
        TaskError: naming the first input that is answered otherwise, or the score.
    """
    data = json.loads(Path(reference).read_text(encoding="utf-8"))
    proof, static = PROOFS[kind], format == "tflite"
    session = open_session(format, path)
    inputs = (data, limits or {}, static)
    latency = {"latency_ms": _latency(session, itertools.islice(proof.calls(*inputs), _TIMED))}
    if "generate_beam" in session.signatures and "beam_ids" in data:
        searched = itertools.islice(proof.calls(*inputs, "generate_beam"), _SEARCHED)
        latency["beam_latency_ms"] = _latency(session, searched)
    found = numbers.compare(session, cases.read(case_file), precision)
    options = {"score": generator_score(**score or {})} if kind == "generate" else {}
    parity, score, samples = proof.prove(session, data, limits or {}, precision, static, own, **options)
    return {
        "signatures": session.signatures,
        "numbers": found,
        "parity": parity,
        "score": score,
        "samples": samples,
        **latency,
    }


def examine(format, precision, path, profile="portable", **rest):
    """What the child answers: `structure`, then what `prove` finds, as far as it comes.

    Args:
        format, precision, path: see `prove`.
        profile: see `export.structure.check`.
        rest: the other arguments of `prove`.

    Returns:
        dict of `structure`, `refused` (None, or why), `error` (its kind) and, where nothing is refused, what `prove`
        returns.
    """
    found = {"refused": None}
    try:
        found["structure"] = structure.inspect(format, path)
        structure.check(found["structure"], format, profile)
        return found | prove(format, precision, path, **rest)
    except errors.ExportError as error:
        return found | {"refused": f"proof: {error}", "error": type(error).__name__}


def open_session(format, path, threads=None):
    """The artefact, loaded, as an object with `call` and `signatures`."""
    if format == "saved_model":
        from export.saved_model import SavedModelSession

        return SavedModelSession(path)
    return {"tflite": runtime.LiteRTSession, "onnx": runtime.ONNXSession}[format](path, threads)


def _latency(session, calls):
    """Median milliseconds of one input alone, after a warm-up."""
    times = []
    for signature, inputs in calls:
        session.call(signature, **inputs)
        start = time.perf_counter()
        session.call(signature, **inputs)
        times.append(time.perf_counter() - start)
    return round(1000 * statistics.median(times), 3)


if __name__ == "__main__":
    children.answer(examine)
