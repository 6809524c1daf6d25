"""Writes README's tables from results/: `python tutorials/results_table.py`; `--check` says whether they are stale."""

import argparse
import json
import sys
from pathlib import Path

from keras_seq.data import dates

ROOT = Path(__file__).resolve().parent.parent
_BEGIN, _END = "<!-- results: {name} -->\n", "<!-- end -->"


def main(argv=None):
    """Rewrites the tables between README's markers; with --check changes nothing and returns 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if README is stale")
    args = parser.parse_args(argv)
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    fresh = filled(text)
    if args.check and fresh != text:
        print("README.md is stale: run python tutorials/results_table.py", file=sys.stderr)
        return 1
    if not args.check:
        readme.write_text(fresh, encoding="utf-8")
    return 0


def filled(text):
    """README's text with each table made anew."""
    quickstart, lesson = (
        json.loads((ROOT / "results" / name).read_text(encoding="utf-8"))
        for name in ("00_quickstart.json", "10_seq2seq_attention.json")
    )
    parts = {"artefacts": artefacts(quickstart), "attention": attention(quickstart, lesson), "rules": rules()}
    for name, table in parts.items():
        begin = _BEGIN.format(name=name)
        head, rest = text.split(begin, 1)
        text = head + begin + "\n" + table + "\n" + rest[rest.index(_END) :]
    return text


def artefacts(quickstart):
    """The quickstart's artefacts: score, size, latency and parity."""
    rows = [
        f"| | exact match, {quickstart['keras']['score']['examples']} dates | size | one date | same tokens as Keras |",
        "|---|---|---|---|---|",
    ]
    for entry in ({"format": "keras", **quickstart["keras"]}, *quickstart["artefacts"]):
        parity = entry.get("parity")
        same = f"{parity['inputs']} of {parity['inputs']}, {parity['near_ties']} near ties" if parity else ""
        rows.append(
            f"| {_NAMES[entry['format']]} | {_percent(entry['score']['exact_match'])} | "
            f"{entry['bytes'] / 1e6:.2f} MB | {entry['latency_ms']:.2f} ms | {same} |"
        )
    return "\n".join([*rows, "", _source(quickstart)])


def attention(quickstart, lesson):
    """The quickstart's model and the lesson's two, side by side."""
    models = {
        "quickstart": quickstart,
        "lesson, with attention": lesson["models"]["attention"],
        "lesson, without": lesson["models"]["no_attention"],
    }
    rows = [
        "| | " + " | ".join(models) + " |",
        "|---" * (len(models) + 1) + "|",
        _row("exact match, fresh dates", models, lambda model: _percent(model["exact_match"]["fresh"])),
        _row("writings held out of training", models, lambda model: _percent(model["exact_match"]["held_out"])),
        _row("longest dates (over 32 characters)", models, _longest),
        _row("parameters", models, lambda model: f"{model['parameters']:,}"),
        _row("dates flagged as none", models, lambda model: _percent(model["confidence"]["flagged_dates"])),
        _row("generated non-dates flagged", models, lambda model: _percent(model["confidence"]["flagged_others"])),
        _row("minutes (quickstart: export and proof too)", models, lambda model: f"{model['minutes']:.1f}"),
    ]
    sentences = "; ".join(
        f"{name} {_percent(entry['flagged'])} of {entry['examples']}"
        for name, entry in lesson["sentences_flagged"].items()
    )
    note = f"Real sentences that the lesson's model flags as no date: {sentences}."
    return "\n".join([*rows, "", note, "", _source(lesson)])


def rules():
    """The rules for all-digit dates, as the command's help has them."""
    return "\n".join("    " + line if line else "" for line in dates.RULES.strip().splitlines())


def _longest(model):
    entries = [entry for edge, entry in model["by_length"].items() if int(edge) > 32]
    right = sum(entry["exact_match"] * entry["examples"] for entry in entries)
    return _percent(right / sum(entry["examples"] for entry in entries))


_NAMES = {"keras": "Keras", "saved_model": "SavedModel", "tflite": "TFLite", "onnx": "ONNX"}


def _row(label, models, cell):
    return f"| {label} | " + " | ".join(cell(model) for model in models.values()) + " |"


def _percent(share):
    return f"{100 * share:.1f} %"


def _source(lesson):
    return f"(`{lesson['command']}`, two CPU cores; then `python tutorials/results_table.py`.)"


if __name__ == "__main__":
    sys.exit(main())
