"""The child that times one artefact: `python -m export.measure TASK`."""

import statistics
import time

from export import children, prove
from export.verify_bundle import samples_of


def measure(format, path, bundle, kind, limits, threads, rounds):
    """Latency of one input at a time, and memory.

    Args:
        format: "tflite", "onnx" or "saved_model".
        path: the artefact.
        bundle: path of the bundle, whose samples are run.
        kind: "generate", "classify" or "tag".
        limits: dict of `source` and `target`, in tokens; {} for pictures.
        threads: int, or None for the runtime's own choice.
        rounds: int, times that all samples are run.

    Returns:
        dict of `load_ms`, `median_ms`, `worst_ms` (of 100 inputs the slowest but five), and `memory_bytes`.
    """
    calls = list(prove.PROOFS[kind].calls(samples_of(bundle), limits, format == "tflite"))
    before = prove.memory()
    begin = time.perf_counter()
    session = _open(format, path, threads)
    _run(session, calls[0])
    load = time.perf_counter() - begin
    for call in calls:
        _run(session, call)
    times = [_run(session, call) for _ in range(rounds) for call in calls]
    return {
        "load_ms": round(1000 * load, 1),
        "median_ms": round(1000 * statistics.median(times), 3),
        "worst_ms": round(1000 * statistics.quantiles(times, n=20)[-1], 3),
        "memory_bytes": max(prove.memory() - before, 0),
    }


def _open(format, path, threads):
    if format == "saved_model":
        import tensorflow as tf

        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
    return prove.open_session(format, path, threads)


def _run(session, call):
    signature, inputs = call
    begin = time.perf_counter()
    session.call(signature, **inputs)
    return time.perf_counter() - begin


if __name__ == "__main__":
    children.answer(measure)
