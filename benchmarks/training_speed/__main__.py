"""Training speed: useful target tokens a second of ours, of the same model in keras.layers and of PyTorch's.

    python -m benchmarks.training_speed

Each contestant is a process of its own with the same number of threads; they train in turns, a round each, on pairs of
Multi30k where `KERAS_SEQ_DATA` has it, else on random ids with lengths spread as theirs. Two tables:

    equal   the very same batches for all, 64 pairs padded to 24 places
    own     ours in buckets with a token budget; theirs shuffled, each batch padded to its own longest. The same pairs,
            and as many tokens a batch in the mean

A useful token is a target token that is not padding. Compilation is not in the speed; it is in "first", the seconds of
the first steps. Ends with exit code 1 where ours is not as much faster as the bar says.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from benchmarks.training_speed.batches import is_real, sentence_pairs
from benchmarks.training_speed.child import Child
from benchmarks.training_speed.row import HEADING, row
from benchmarks.training_speed.settings import Settings

RESULTS = Path(__file__).resolve().parents[2] / "results" / "training_speed.json"
CONTESTANTS = {
    "ours": "keras_seq, XLA",
    "keras": "keras.layers, default fit",
    "keras-xla": "keras.layers, jit_compile=True",
    "torch": "PyTorch, nn.Transformer",
    "torch-compile": "PyTorch, nn.Transformer, torch.compile",
}
PEERS = tuple(name for name in CONTESTANTS if name != "ours")
# Each table's peers, and how many times as fast ours is wanted to be.
TABLES = {
    "equal": {"keras": 1.25, "keras-xla": None, "torch": 1.25, "torch-compile": 1.25},
    "own": {"keras": 1.6, "torch": 1.6},
}
SMOKE = Settings(
    vocabulary=50, units=8, layers=1, heads=2, feed_forward=12, batch=4, length=9, boundaries=(9, 40), steps=2
)
_SPINNING = 0.25  # seconds; threads that wait for work by spinning have gone to sleep after it


def measure(table, children, settings, rounds):
    """The rows of one table.

    Args:
        table: str, "equal" or "own".
        children: dict of name -> `Child`, ours among them.
        settings: `Settings`.
        rounds: int.

    Returns:
        list of `Row`, ours first.
    """
    names = [name for name in ("ours", *TABLES[table]) if name in children]
    first = {name: children[name].warm_up(table) for name in names}
    times = {name: [] for name in names}
    for window in range(rounds):
        for name in names:
            time.sleep(_SPINNING)
            times[name].append(children[name].train(table, window))
    bars = {} if settings == SMOKE else TABLES[table]
    return [
        row(table, children[name], first[name], times[name], settings.steps, times["ours"], bars.get(name))
        for name in names
    ]


def main(argv=None):
    """Prints the tables and returns the exit code."""
    args = _arguments(argv)
    from export.benchmark_bundle import machine

    settings = SMOKE if args.smoke else Settings(threads=args.threads, steps=args.steps)
    real = is_real() and not args.random and not args.smoke
    print(f"{machine()}, threads: {settings.threads}; {'Multi30k' if real else 'random pairs'}")
    print(HEADING)
    rows = []
    with contextlib.ExitStack() as stack:
        task = Path(stack.enter_context(tempfile.TemporaryDirectory()), "task.json")
        pairs = sentence_pairs(settings, real)
        task.write_text(json.dumps({"pairs": pairs, "settings": asdict(settings)}), encoding="utf-8")
        children = {name: stack.enter_context(Child(name, task, settings.threads)) for name in ("ours", *args.against)}
        for table in TABLES:
            print(_title(table, settings))
            for made in measure(table, children, settings, args.rounds):
                print(made.line(CONTESTANTS[made.name]), flush=True)
                rows.append(made)
    missed = sum(not made.holds for made in rows)
    verdict = f"{missed} bars are MISSED" if missed else "every bar is met"
    print(f"\n{'a tiny model has no bars' if args.smoke else verdict}")
    if args.record:
        _record(argv, machine(), settings, real, rows)
    return 1 if missed else 0


def _title(table, settings):
    if table == "equal":
        return f"equal batches: {settings.batch} pairs of {settings.length} places"
    return f"own batches: ours in buckets of {settings.boundaries}, theirs {settings.batch} shuffled pairs"


def _arguments(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_speed", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--against",
        nargs="+",
        choices=PEERS,
        default=PEERS,
        metavar="NAME",
        help=f"of {', '.join(PEERS)}; default: all",
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count(), metavar="N", help="default: all cores")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of each contestant (default: 5)")
    parser.add_argument("--steps", type=int, default=12, metavar="N", help="in a round (default: 12)")
    parser.add_argument("--random", action="store_true", help="random pairs even where Multi30k is there")
    parser.add_argument("--smoke", action="store_true", help="a tiny model, to see that it runs; says nothing of speed")
    parser.add_argument("--record", action="store_true", help=f"write results/{RESULTS.name}")
    return parser.parse_args(argv)


def _record(argv, machine, settings, real, rows):
    from keras_seq.whole_file import whole_file

    results = {
        "command": " ".join(["python -m benchmarks.training_speed", *(sys.argv[1:] if argv is None else argv)]),
        "machine": machine,
        "data": "multi30k" if real else "random",
        "settings": asdict(settings),
        "versions": {name: version(name) for name in ("keras", "tensorflow", "torch")},
        "rows": [made.to_json() | {"title": CONTESTANTS[made.name]} for made in rows],
    }
    with whole_file(RESULTS) as temporary:
        temporary.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
