"""Writes the tables of README.md and tutorials/README.md from results/.

`python tutorials/results_table.py`; with `--check` it says whether they are stale and changes nothing.
"""

import argparse
import json
import sys
from pathlib import Path

from keras_seq.data import dates

ROOT = Path(__file__).resolve().parent.parent
_BEGIN, _END = "<!-- results: {name} -->\n", "<!-- end -->"


def main(argv=None):
    """Rewrites the tables between the pages' markers; with --check changes nothing and returns 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if a page is stale")
    args = parser.parse_args(argv)
    code = 0
    for page, parts in _pages().items():
        text = (ROOT / page).read_text(encoding="utf-8")
        fresh = filled(text, parts)
        if args.check and fresh != text:
            print(f"{page} is stale: run python tutorials/results_table.py", file=sys.stderr)
            code = 1
        if not args.check:
            (ROOT / page).write_text(fresh, encoding="utf-8")
    return code


def _pages():
    """The tables of each page, by the name in its markers."""
    quickstart, dates_lesson = _results("00_quickstart"), _results("10_seq2seq_attention")
    readme = {"artefacts": artefacts(quickstart), "attention": attention(quickstart, dates_lesson), "rules": rules()}
    readme |= {"speed": speed(), "matrix": matrix(), "scores": scores(), "training": training()}
    return {"README.md": readme, "tutorials/README.md": {"lessons": lessons()}}


def _results(name):
    return json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))


def filled(text, parts):
    """A page's text with each table made anew."""
    for name, table in parts.items():
        begin = _BEGIN.format(name=name)
        head, rest = text.split(begin, 1)
        text = head + begin + "\n" + table + "\n" + rest[rest.index(_END) :]
    return text


def lessons():
    """What each lesson claims and measured, for the lessons that state claims."""
    sections = []
    for path in _recorded():
        lesson = _results(path.stem)
        if "claims" in lesson:
            lines = [f"- {entry['claim']}{'' if entry['holds'] else ' (NOT SO)'}" for entry in lesson["claims"]]
            heading = f"### [{path.stem}]({path.stem}.py)"
            sections.append(
                "\n".join([heading, "", *lines, "", f"(`{lesson['command']}`, {lesson['minutes']} minutes)"])
            )
    return "\n\n".join(sections)


def artefacts(quickstart):
    """The quickstart's artefacts: score, size, latency and parity."""
    rows = [
        f"| | exact match, {quickstart['keras']['score']['examples']} dates | size | one date | same tokens as Keras |",
        "|---|---|---|---|---|",
    ]
    for entry in ({"format": "keras", **quickstart["keras"]}, *quickstart["artefacts"]):
        parity = entry.get("parity")
        rounded = "" if entry.get("precision", "float32") == "float32" else f", {entry['precision']}"
        rows.append(
            f"| {_NAMES[entry['format']]}{rounded} | {_percent(entry['score']['exact_match'])} | "
            f"{entry['bytes'] / 1e6:.2f} MB | {entry['latency_ms']:.2f} ms | {_same_tokens(parity)} |"
        )
    return "\n".join([*rows, "", _source(quickstart)])


def _same_tokens(parity):
    if not parity:
        return ""
    if "same_tokens" in parity:
        return f"{parity['same_tokens']} of {parity['inputs']}"
    return f"{parity['inputs']} of {parity['inputs']}, {parity['near_ties']} near ties"


def speed():
    """Exported models beside other people's software."""
    results = _results("speed")
    rows = ["| measured | against | threads | ours | theirs | ratio | bar |", "|---|---|---|---|---|---|---|"]
    for row in results["rows"]:
        missed = row["bar"] is not None and row["ratio"] > row["bar"]
        bar = "" if row["bar"] is None else f"{row['bar']:g}{' (missed)' if missed else ''}"
        rows.append(
            f"| {row['what']} | {row['peer']} | {row['threads']} | {row['ours']:.0f} us | {row['theirs']:.0f} us | "
            f"{row['ratio']:.2f} | {bar} |"
        )
    return "\n".join([*rows, "", f"(`{results['command']}`, {results['machine']})"])


def training():
    """Training steps beside other people's software."""
    results = _results("training_speed")
    titles = {
        "equal": "equal batches, {batch} pairs of {length} places".format(**results["settings"]),
        "own": "own batching: buckets and a token budget against shuffled, padded batches",
    }
    rows = ["| batches | trained by | useful target tokens a second | ours is faster | bar |", "|---|---|---|---|---|"]
    for row in results["rows"]:
        missed = row["bar"] is not None and row["ratio"] < row["bar"]
        bar = "" if row["bar"] is None else f"{row['bar']:g}{' (missed)' if missed else ''}"
        ratio = "" if row["name"] == "ours" else f"{row['ratio']:.2f} times"
        rows.append(f"| {titles[row['table']]} | {row['title']} | {row['speed']:,.0f} | {ratio} | {bar} |")
    threads = results["settings"]["threads"]
    return "\n".join([*rows, "", f"(`{results['command']}`, {results['machine']}, {threads} threads)"])


def matrix():
    """Every format and precision of every run, then of the lessons' models: a table each that opens on a click."""
    results = _results("matrix")
    parts = [_matrix_of(run, rows) for run, rows in _by_run(results["rows"]).items()]
    commands = [f"`{results['command']}`"]
    for path in _recorded():
        lesson = _results(path.stem)
        for run, rows in _by_run(lesson.get("matrix", [])).items():
            number, _, name = path.stem.partition("_")
            parts.append(_matrix_of(f"{number} {name}, {run}".replace("_", " "), rows))
        commands += [f"`{lesson['command']}`"] * ("matrix" in lesson)
    return "\n".join([*parts, f"({'; '.join(commands)}; {results['machine']})"])


def _by_run(rows):
    """Rows of a matrix by the name of their run, in their order."""
    return {run: [row for row in rows if row["run"] == run] for run in dict.fromkeys(row["run"] for row in rows)}


def _matrix_of(name, rows):
    """A run's rows, of which the first is Keras's, behind a summary."""
    from export.tables import markdown, score_in_words

    keras, made = rows[0], [row for row in rows[1:] if not row.get("refused")]
    smallest = min(made, key=lambda row: row["bytes"])
    by_keras = f"{score_in_words(keras['score'])}, {keras['bytes'] / 1e6:.2f} MB"
    least = f"{score_in_words(smallest['score'])}, {smallest['bytes'] / 1e6:.2f} MB"
    kind = f"{_NAMES[smallest['format']]}, {smallest['precision']}"
    summary = f"{name}: Keras {by_keras}; {len(made)} of {len(rows) - 1} artefacts, the smallest {least} ({kind})"
    table = markdown([{**row, "run": name} for row in rows])
    return f"<details><summary>{summary}</summary>\n\n{table}\n\n</details>\n"


def _recorded():
    """The lessons' results, in order."""
    return sorted((ROOT / "results").glob("[0-9][0-9]*_*.json"))


def scores():
    """What the lessons on real data score: of each model the metric with its interval, beside the bar."""
    names = ("lesson", "task and data", "model", "score", "bar (stretch)", "parameters", "minutes", "seed")
    rows, commands = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"], {}
    for path in _recorded():
        results = _results(path.stem)
        for entry in results.get("scores", []):
            commands.setdefault(results["command"], results["minutes"])
            rows.append(f"| {path.stem.split('_')[0]} | " + " | ".join(_score_cells(entry)) + " |")
    printed = "; ".join(f"`{command}`, {minutes} minutes" for command, minutes in commands.items())
    return "\n".join([*rows, "", f"({printed}; two CPU cores.)"])


def _score_cells(entry):
    form = (lambda share: f"{100 * share:.2f} %") if _is_share(entry) else (lambda value: f"{value:.4g}")
    score = f"{entry['metric']} {form(entry['value'])}"
    if entry.get("low") is not None:
        score += f" ({form(entry['low'])} to {form(entry['high'])}, {entry['how']})"
    bars = [form(entry[name]) for name in ("bar", "stretch") if entry.get(name) is not None]
    bar = f"{bars[0]} ({bars[1]})" if len(bars) > 1 else "".join(bars)
    parameters = "" if entry.get("parameters") is None else f"{entry['parameters']:,}"
    minutes = "" if entry.get("minutes") is None else f"{entry['minutes']:.1f}"
    seed = entry.get("seed")
    seeds = ", ".join(map(str, seed)) if isinstance(seed, list) else "" if seed is None else str(seed)
    return f"{entry['what']}, {entry['data']}", entry["model"], score, bar, parameters, minutes, seeds


# Of these the value is a share from 0 to 1, which is shown in percent; of BLEU, chrF and perplexity it is not.
_SHARES = ("accuracy", "F1", "AUROC", "share", "distinct", "rouge", "exact match", "error rate")


def _is_share(entry):
    """Whether a row's value is a share: by its `unit`, "%" or another, or where it has none by its metric."""
    return entry["unit"] == "%" if "unit" in entry else any(name in entry["metric"] for name in _SHARES)


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
