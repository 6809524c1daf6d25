"""ONNX's 8-bit recipes side by side on one trained generator: `python -m benchmarks.onnx_recipes RUN`.

Size, score and damage (mean error of the tokens' log-probabilities against Keras) of `generate` alone, and the seconds
that judging takes, in batches, after a first time.
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import onnx

from export import children, convert, precision_onnx
from export import onnx as onnx_format
from export.examples import Task
from export.judge import judge_of

_MOST = 1000


def recipes():
    """dict of name -> function of a float32 `onnx.ModelProto`, which it may change, -> the model in 8 bits."""
    from onnxruntime.quantization import quantize_dynamic

    def of_onnxruntime(**options):
        return lambda model: precision_onnx._by_files(model, lambda source, to: quantize_dynamic(source, to, **options))

    subgraphs = {"EnableSubgraph": True}
    return {
        "float32": lambda model: model,
        "ONNX Runtime's defaults": of_onnxruntime(),
        "the same inside loops": of_onnxruntime(extra_options=subgraphs),
        "columns": of_onnxruntime(per_channel=True, extra_options=subgraphs),
        "columns in 7 bits": of_onnxruntime(per_channel=True, reduce_range=True, extra_options=subgraphs),
        precision_onnx.RECIPES["dynamic_int8"]: lambda model: precision_onnx.convert(model, "dynamic_int8"),
        "stored in 8 bits alone": precision_onnx.store_in_8_bits,
    }


def measure(run):
    """Prints a line a recipe."""
    task = Task.of(json.loads(Path(run, "config.json").read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as folder:
        asked = {"run": str(run), "task": asdict(task), "most": _MOST, "numbers": str(Path(folder, "cases.npz"))}
        reference, _ = children.call("export.reference", asked, what="the reference in Keras", timeout=1200)
        judge = judge_of(task.kind, "onnx", task.limits, reference)
        graph = onnx_format.traced(convert.load_model(run), task.limits)["generate"]
        print(f"{'recipe':28} {'bytes':>10} {'score':>7} {'damage':>9} {'seconds':>8}, {len(judge.chosen)} examples")
        for number, (name, recipe) in enumerate(recipes().items()):
            model, path = onnx.ModelProto(), Path(folder, str(number))
            model.CopyFrom(graph)
            onnx_format.write({"generate": recipe(model)}, path)
            judge(path)
            start = time.perf_counter()
            score, damage = judge(path)
            seconds = time.perf_counter() - start
            size = sum(file.stat().st_size for file in path.iterdir())
            print(f"{name:28} {size:10d} {score:7.3f} {damage:9.2e} {seconds:8.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="run directory of a generator")
    measure(parser.parse_args().run)
