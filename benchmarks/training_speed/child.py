"""A contestant in a process of its own: the libraries' threads get into each other's way in one.

Says `{"parameters"}` when it is there. Then reads lines of JSON, `{"table", "window"}`, a round to train or with window
null the warm-up, and answers each with `{"seconds"}`, of a round with `{"seconds", "tokens"}`.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.training_speed.settings import Settings


def trainer(name, pairs, settings):
    """A contestant by its name; its library is imported here.

    Args:
        name: str, "ours", "keras", "keras-xla", "torch" or "torch-compile".
        pairs: two lists of lists of int, sources and targets.
        settings: `Settings`.

    Returns:
        a `KerasTrainer` or `TorchTrainer`.
    """
    if name == "ours":
        from benchmarks.training_speed.ours import Ours

        return Ours(pairs, settings)
    if name.startswith("keras"):
        from benchmarks.training_speed import keras_peer
        from benchmarks.training_speed.keras_trainer import KerasTrainer

        model = keras_peer.model(settings, jit_compile=True if name == "keras-xla" else "auto")
        return KerasTrainer(model, pairs, settings, weighted=True)
    from benchmarks.training_speed.torch_peer import TorchTrainer

    return TorchTrainer(pairs, settings, compiled=name == "torch-compile")


class Child:
    """Starts a contestant and asks it.

    Args:
        name: str, see `trainer`.
        task: path of the JSON file with the `pairs` and the `settings`.
        threads: int.
    """

    def __init__(self, name, task, threads):
        self.name = name
        variables = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        self._child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.training_speed.child", name, str(task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict.fromkeys(variables, str(threads)), "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self.parameters = self._answer()["parameters"]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._child.stdin.close()
        self._child.wait()
        self._child.stdout.close()

    def warm_up(self, table):
        """Seconds of the first steps, compilation included."""
        return self._ask(table, None)["seconds"]

    def train(self, table, window):
        """Seconds and useful tokens of a round."""
        answer = self._ask(table, window)
        return answer["seconds"], answer["tokens"]

    def _ask(self, table, window):
        self._child.stdin.write(json.dumps({"table": table, "window": window}) + "\n")
        self._child.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with exit code {self._child.wait()}; what it said is above")
        return json.loads(line)


def serve(name, task):
    """The child's side."""
    task = json.loads(Path(task).read_text(encoding="utf-8"))
    settings = Settings(**task["settings"])
    contestant = trainer(name, task["pairs"], settings)
    print(json.dumps({"parameters": contestant.parameters}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["window"] is None:
            begin = time.perf_counter()
            contestant.warm_up(asked["table"])
            answer = {"seconds": time.perf_counter() - begin}
        else:
            seconds, tokens = contestant.train(asked["table"], asked["window"])
            answer = {"seconds": seconds, "tokens": tokens}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
