"""The child that times one artefact: `python -m export.measure TASK`."""

import statistics
import time

from export import children, prove, runtime


def measure(format, path, limits, source_ids, threads, rounds):
    """Latency of `generate` on one text at a time, and memory.

    Args:
        format: "tflite", "onnx" or "saved_model".
        path: the artefact.
        limits: dict of `source` and `target`, in tokens.
        source_ids: list of lists of int.
        threads: int, or None for the runtime's own choice.
        rounds: int, times that all texts are run.

    Returns:
        dict of `load_ms`, `median_ms`, `worst_ms` (of 100 texts the slowest but five), and `peak_memory_bytes`.
    """
    before = prove.peak_memory()
    begin = time.perf_counter()
    session = _open(format, path, threads)
    batches = [runtime.pad([ids], limits["source"] if format == "tflite" else None) for ids in source_ids]
    _run(session, batches[0])
    load = time.perf_counter() - begin
    for batch in batches:
        _run(session, batch)
    times = [_run(session, batch) for _ in range(rounds) for batch in batches]
    return {
        "load_ms": round(1000 * load, 1),
        "median_ms": round(1000 * statistics.median(times), 3),
        "worst_ms": round(1000 * statistics.quantiles(times, n=20)[-1], 3),
        "peak_memory_bytes": prove.peak_memory() - before,
    }


def _open(format, path, threads):
    if format == "saved_model":
        import tensorflow as tf

        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        return prove.open_session(format, path)
    return {"tflite": runtime.LiteRTSession, "onnx": runtime.ONNXSession}[format](path, threads)


def _run(session, batch):
    source, length = batch
    begin = time.perf_counter()
    session.call("generate", source=source, source_length=length)
    return time.perf_counter() - begin


if __name__ == "__main__":
    children.answer(measure)
