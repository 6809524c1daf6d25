"""The child that times one artefact, and watches its memory: `python -m export.measure TASK`.

A process that does nothing else: the memory is that of loading and running the artefact, its runtime's own included.
"""

import itertools
import statistics
import time

from export import children, memory, prove

# So many inputs are searched by beams, which takes several times as long.
_SEARCHED = 10


def measure(format, path, inputs, kind, limits, threads=None, rounds=1):
    """Latency of one input at a time, and memory.

    Args:
        format: "tflite", "onnx" or "saved_model"; or "keras", which is the model of a run directory.
        path: the artefact, or the run directory.
        inputs: dict of lists that `export.reference` returned, as many examples as are to be run.
        kind: "generate", "classify" or "tag".
        limits: dict of `source` and `target`, in tokens; {} for pictures.
        threads: int, or None for the runtime's own choice.
        rounds: int, times that all inputs are run.

    Returns:
        dict of `load_ms`, `median_ms`, `worst_ms` (of 100 inputs the slowest but five), `memory_bytes` and `memory_is`,
        see `export.memory.Watch`; and of an artefact that searches by beams too `beam_median_ms`, of the first few.
    """
    calls_of = prove.PROOFS[kind].calls
    calls = list(calls_of(inputs, limits, format == "tflite"))
    watch = memory.Watch()  # before TensorFlow is imported
    begin = time.perf_counter()
    session = _open(format, path, threads, limits)
    _run(session, calls[0])
    load = time.perf_counter() - begin
    for call in calls:
        _run(session, call)
    times = sorted(_run(session, call) for _ in range(rounds) for call in calls)
    found = {
        "load_ms": round(1000 * load, 1),
        "median_ms": round(1000 * statistics.median(times), 3),
        "worst_ms": round(1000 * times[int(0.95 * (len(times) - 1))], 3),
        **watch.taken(),  # before any search: the memory is that of `generate`
    }
    if "generate_beam" in session.signatures:
        searches = itertools.islice(calls_of(inputs, limits, format == "tflite", "generate_beam"), _SEARCHED)
        found["beam_median_ms"] = _beam_median(session, list(searches))
    return found


def _beam_median(session, searches):
    """Median milliseconds of a search, after a warm-up of each."""
    for search in searches:
        _run(session, search)
    return round(1000 * statistics.median(_run(session, search) for search in searches), 3)


def _open(format, path, threads, limits):
    if format in ("saved_model", "keras"):
        import tensorflow as tf

        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
    return _Keras(path, limits) if format == "keras" else prove.open_session(format, path, threads)


class _Keras:
    """The model of a run, called as an artefact is."""

    def __init__(self, run, limits):
        from export.convert import load_model
        from export.signatures import model_signatures

        self._functions = model_signatures(load_model(run), limits, static=False)
        self.signatures = tuple(self._functions)

    def call(self, signature, **arrays):
        return {name: array.numpy() for name, array in self._functions[signature](*arrays.values()).items()}


def _run(session, call):
    signature, inputs = call
    begin = time.perf_counter()
    session.call(signature, **inputs)
    return time.perf_counter() - begin


if __name__ == "__main__":
    children.answer(measure)
