"""Artefacts side by side: score, size, latency, memory and agreement with Keras, or why there is none."""

_HEADINGS = ("format", "precision", "score", "size", "one input", "peak memory", "as Keras")
_REASON = 160


def table(rows):
    """The rows as text for a terminal, in columns.

    Args:
        rows: list of dicts of `format`, `precision` and either `refused`, the reason, or `score`, `bytes`,
            `latency_ms`, and where there are, `beam_latency_ms`, `memory_bytes`, `memory_is` and `parity`.

    Returns:
        str.
    """
    lines = [list(_HEADINGS)]
    lines += [[row["format"], row["precision"], *([] if row.get("refused") else _cells(row))] for row in rows]
    widths = [max(len(line[place]) for line in lines if place < len(line)) for place in range(len(_HEADINGS))]
    shown = []
    for row, line in zip([None, *rows], lines, strict=True):
        cells = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=False))
        ]
        refused = ["refused: " + _reason(row)] if row and row.get("refused") else []
        shown.append("  ".join(["", *cells, *refused]).rstrip())
    return "\n".join(shown)


def markdown(rows):
    """The rows as a Markdown table, with the `run` of each in front.

    Args:
        rows: as of `table`, each with `run`, its name.

    Returns:
        str.
    """
    names = ("model", *_HEADINGS)
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for row in rows:
        begin = f"| {row['run']} | {row['format']} | {row['precision']} | "
        cells = [f"refused: {_reason(row)}", *[""] * 4] if row.get("refused") else _cells(row)
        lines.append(f"{begin}{' | '.join(cells)} |")
    return "\n".join(lines)


def score_in_words(score):
    """Such as "exact match 98.2 %" or "BLEU 38.4" of a generator; of labels "98.2 %", or "94.9 %, label 98.1 %"."""
    if "accuracy" not in score:
        return ", ".join(measure_in_words(name, value) for name, value in score.items() if name != "examples")
    label = f", label {100 * score['label_accuracy']:.1f} %" if "label_accuracy" in score else ""
    return f"{100 * score['accuracy']:.1f} %{label}"


def measure_in_words(name, value):
    """A measure by the name that a score has for it, such as "beam exact match 98.2 %" or "BLEU 38.4"."""
    words, unit = words_of(name)
    return f"{words} {100 * value:.1f}{unit}"


def words_of(name):
    """How a measure is called, and what is written behind a hundred times its value."""
    words = name.replace("_", " ").replace("bleu lowercase", "lower-case BLEU").replace("bleu", "BLEU")
    return words, "" if "BLEU" in words else " %"


def memory_in_words(row):
    """Such as "12 MB", the peak; "12 MB more" where the system tells only by how much the process has grown."""
    if "memory_bytes" not in row:
        return "not measured"
    return f"{row['memory_bytes'] / 1e6:.0f} MB{'' if row.get('memory_is') == 'peak' else ' more'}"


def latency_in_words(row):
    """Such as "3.33 ms", or of an artefact that searches too "3.33 ms, by beams 21.05 ms"."""
    beam = f", by beams {row['beam_latency_ms']:.2f} ms" if "beam_latency_ms" in row else ""
    return f"{row['latency_ms']:.2f} ms{beam}"


def _cells(row):
    return [
        score_in_words(row["score"]),
        f"{row['bytes'] / 1e6:.2f} MB",
        latency_in_words(row),
        memory_in_words(row),
        _agreement(row),
    ]


def _agreement(row):
    parity = row.get("parity")
    if not parity:
        return "itself" if row["format"] == "keras" else "not compared"
    same = parity.get("same_tokens", parity.get("same_labels", parity["inputs"] - parity.get("near_ties", 0)))
    return f"{same} of {parity['inputs']}"


def _reason(row):
    """The reason, without the steps it came through, on one line of a table."""
    reason = row["refused"].replace("|", "/").replace("\n", " ")
    for step in (f"{row['format']} {row['precision']}: ", "conversion: ", "proof: "):
        reason = reason.removeprefix(step)
    return reason if len(reason) <= _REASON else reason[: _REASON - 4] + " ..."
