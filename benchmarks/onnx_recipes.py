"""ONNX's 8-bit recipes side by side on one trained run: `python -m benchmarks.onnx_recipes RUN`.

Size, score, damage (mean error of the tokens' log-probabilities, or of the labels' probabilities, against Keras) and
latency (median of one input at a time, one thread, the recipes taking turns) of `generate` alone, or of `predict`.
"""

import argparse
import itertools
import json
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import onnx

from export import children, convert, precision_onnx, prove, runtime
from export import onnx as onnx_format
from export.examples import Task
from export.judge import judge_of

_MOST = 1000
_TIMED, _ROUNDS = 20, 7


def recipes():
    """dict of name -> function of a float32 `onnx.ModelProto`, which it may change, -> the model in 8 bits."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    def of_onnxruntime(**options):
        return lambda model: precision_onnx._by_files(model, lambda source, to: quantize_dynamic(source, to, **options))

    subgraphs = {"EnableSubgraph": True}
    mended = of_onnxruntime(
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        extra_options={**subgraphs, "MatMulConstBOnly": True},
    )
    return {
        "float32": lambda model: model,
        "ONNX Runtime's defaults": of_onnxruntime(),
        "the same inside loops": of_onnxruntime(extra_options=subgraphs),
        "columns": of_onnxruntime(per_channel=True, extra_options=subgraphs),
        "columns in 7 bits": of_onnxruntime(per_channel=True, reduce_range=True, extra_options=subgraphs),
        "the same, the rest stored": lambda model: precision_onnx.store_in_8_bits(mended(model)),
        precision_onnx.RECIPES["dynamic_int8"]: lambda model: precision_onnx.convert(model, "dynamic_int8"),
    }


def measure(run):
    """Prints a line a recipe."""
    task = Task.of(json.loads(Path(run, "config.json").read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as folder:
        asked = {"run": str(run), "task": asdict(task), "most": _MOST, "numbers": str(Path(folder, "cases.npz"))}
        reference, _ = children.call("export.reference", asked, what="the reference in Keras", timeout=1200)
        judge = judge_of(task.kind, "onnx", task.limits, reference)
        judge.take_all()
        calls = list(itertools.islice(prove.PROOFS[task.kind].calls(reference, task.limits, False), _TIMED))
        signature = calls[0][0]
        graph = onnx_format.traced(convert.load_model(run), task.limits)[signature]
        made = {}
        for number, (name, recipe) in enumerate(recipes().items()):
            model, made[name] = onnx.ModelProto(), Path(folder, str(number))
            model.CopyFrom(graph)
            onnx_format.write({signature: recipe(model)}, made[name])
        times = _latencies(made, calls)
        print(f"{'recipe':28} {'bytes':>10} {'score':>7} {'damage':>9} {'ms':>7}, {len(judge.chosen)} examples")
        for name, path in made.items():
            score, damage = judge(path)
            size = sum(file.stat().st_size for file in path.iterdir())
            print(f"{name:28} {size:10d} {score:7.3f} {damage:9.2e} {times[name]:7.3f}", flush=True)


def _latencies(made, calls):
    """Median milliseconds of one input: in each round every recipe has its turn, so that a busy machine slows all."""
    sessions = {name: runtime.ONNXSession(path, 1) for name, path in made.items()}
    times = {name: [] for name in made}
    for round in range(1 + _ROUNDS):
        for name, session in sessions.items():
            for signature, inputs in calls:
                begin = time.perf_counter()
                session.call(signature, **inputs)
                if round:  # what is done at a first call only is not counted
                    times[name].append(1000 * (time.perf_counter() - begin))
    return {name: statistics.median(own) for name, own in times.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="run directory")
    measure(parser.parse_args().run)
