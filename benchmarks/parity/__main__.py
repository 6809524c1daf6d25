"""The parity tables: our layers beside Keras's and PyTorch's, with equal weights and inputs.

    python -m benchmarks.parity

prints, for every layer, setting and quantity, the largest absolute difference in float64 (allowed: 1e-10) and in
float32 (allowed: 1e-5), and ends with exit code 1 where one is larger.
"""

import argparse
import importlib
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

TABLES = ("recurrent", "attention", "transformer", "convolution")


def main(argv=None):
    """Prints the tables and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parity", description=__doc__.split("\n\n")[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; all by default")
    parser.add_argument("--all-rows", action="store_true", help="one line a setting and quantity, not one a layer")
    args = parser.parse_args(argv)
    unknown = set(args.tables) - set(TABLES)
    if unknown:
        parser.error(f"no table is called {', '.join(sorted(unknown))}; choose of {', '.join(TABLES)}")
    failed = 0
    for table in args.tables or TABLES:
        rows = {dtype: list(_rows(table, dtype)) for dtype in ("float64", "float32")}
        _print(table, rows, args.all_rows)
        failed += sum(not row.holds for part in rows.values() for row in part)
    total = "all within tolerance" if not failed else f"{failed} rows are NOT within tolerance"
    print(f"\n{total} (float64 {1e-10:g}, float32 {1e-5:g}, absolute)")
    return 1 if failed else 0


def _rows(table, dtype):
    return importlib.import_module(f"benchmarks.parity.{table}").rows(dtype)


def _print(table, rows, all_rows):
    """One line a layer, peer and quantity (the largest difference over its settings), or every row."""
    lines = {}
    for dtype, part in rows.items():
        for row in part:
            layer = row.layer if all_rows else row.layer.split(",")[0]
            line = lines.setdefault((layer, row.peer, row.quantity), {"float64": [], "float32": []})
            line[dtype].append(row)
    print(f"\n{table}\n  {'layer':50} {'against':8} {'what':28} {'rows':>5} {'float64':>9} {'float32':>9}")
    for (layer, peer, quantity), line in lines.items():
        worst = {dtype: max((row.difference for row in part), default=float("nan")) for dtype, part in line.items()}
        missed = "" if all(row.holds for part in line.values() for row in part) else "  NOT WITHIN TOLERANCE"
        numbers = f"{worst['float64']:9.1e} {worst['float32']:9.1e}"
        print(f"  {layer:50} {peer:8} {quantity:28} {len(line['float64']):5} {numbers}{missed}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
