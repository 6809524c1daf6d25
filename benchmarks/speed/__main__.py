"""The speed tables: exported models beside other people's software, on the same weights, in one run.

    python -m benchmarks.speed

prints, at one thread and at two, the median microseconds of ours and of the peer, their ratio and the bar, and ends
with exit code 1 where a bar is missed. The peers come with `pip install -e ".[benchmarks]"`.
"""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

TABLES = {
    "recurrent-onnx": ("benchmarks.speed.recurrent", "onnx_rows"),
    "recurrent-tflite": ("benchmarks.speed.recurrent", "tflite_rows"),
    "decoding": ("benchmarks.speed.decoding", "rows"),
}
RESULTS = Path(__file__).resolve().parents[2] / "results" / "speed.json"


def main(argv=None):
    """Prints the tables and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__.split("\n\n")[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; all by default")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    parser.add_argument("--rounds", type=int, default=30, metavar="N", help="measurements of each (default: 30)")
    parser.add_argument("--record", action="store_true", help=f"write {RESULTS.relative_to(RESULTS.parents[1])}")
    args = parser.parse_args(argv)
    unknown = set(args.tables) - set(TABLES)
    if unknown:
        parser.error(f"no table is called {', '.join(sorted(unknown))}; choose of {', '.join(TABLES)}")
    from export.benchmark_bundle import machine

    rows = []
    print(
        f"{machine()}\n  {'what':44} {'against':34} {'threads':>7} {'ours us':>9} {'theirs us':>9} {'ratio':>7}   bar"
    )
    for table in args.tables or TABLES:
        module, function = TABLES[table]
        for threads in args.threads:
            for row in getattr(importlib.import_module(module), function)(threads, args.rounds):
                print(row.line(), flush=True)
                rows.append(row)
    missed = sum(not row.holds for row in rows)
    print(f"\n{f'{missed} bars are MISSED' if missed else 'every bar is met'}")
    if args.record:
        from keras_seq.whole_file import whole_file

        results = {
            "command": " ".join(["python -m benchmarks.speed", *(sys.argv[1:] if argv is None else argv)]),
            "machine": machine(),
            "rows": [row.to_json() for row in rows],
        }
        with whole_file(RESULTS) as temporary:
            temporary.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
