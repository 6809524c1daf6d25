"""What the lessons on translation share: their flags, and how they print sentences, scores and errors."""

import csv
import sys
from pathlib import Path

import numpy as np

TRANSLATING = {
    "--text": {"metavar": "TEXT", "help": "translate this sentence with the trained Transformer: the best few"},
    "--translate": {"metavar": "FILE", "type": Path, "help": "translate a file, a sentence a line, to standard output"},
    "--beams": {"type": int, "default": 4, "help": "beams of --text and --translate (default: %(default)s)"},
    "--temperature": {"type": float, "help": "of --text: draw four translations instead, for example 0.7"},
}
_METRICS = {"bleu_lowercase": "BLEU, lower-cased", "bleu": "BLEU", "chrf": "chrF"}


def answer(lesson, run):
    """Answers --text and --translate with a trained run; prints an empty line for an empty line."""
    from keras_seq.data.encodings import read_lines
    from keras_seq.recipes.pair_writer import PairWriter

    given = lesson.options
    try:
        writer = PairWriter.load(run)
        if given.text is not None:
            tell(writer, given.text, given.beams, given.temperature, given.seed)
        if given.translate:
            lines = [line.strip() for line in read_lines(given.translate)]
            found = iter(writer.write([line for line in lines if line], beams=given.beams, progress=True))
            print("\n".join(next(found) if line else "" for line in lines))
    except (OSError, ValueError) as error:
        sys.exit(f"{lesson.name}: {error}")


def tell(writer, text, beams, temperature, seed):
    """Prints translations of a sentence: the best with their scores, or with a temperature drawn ones."""
    print(f"  {text}")
    if temperature is not None:
        for output in writer.write([text] * 4, temperature=temperature, top_p=0.95, seed=seed):
            print(f"    drawn   {output}")
        return
    for output, score in writer.n_best(text, beams):
        print(f"    {score:6.3f}  {output}")


def validation_accuracy(run):
    """Minutes since the beginning of a run, and its validation accuracy, after each epoch."""
    with open(run / "seconds.csv", newline="") as seconds, open(run / "metrics.csv", newline="") as metrics:
        times = np.cumsum([float(row["seconds"]) for row in csv.DictReader(seconds)]) / 60
        return times.tolist(), [float(row["val_accuracy"]) for row in csv.DictReader(metrics)]


def print_scores(lesson, name, found):
    """Prints the scores of `PairWriter.scores` under "greedy" and "beam", with their signatures."""
    for metric, label in _METRICS.items():
        lesson.number(f"{name}: {label}, greedy", found["greedy"][metric]["score"], ".2f")
        lesson.number(f"{name}: {label}, beam search", found["beam"][metric]["score"], ".2f")
        print(f"    {found['beam'][metric]['signature']}")
    lesson.number(f"{name}: perplexity a token", found["beam"]["perplexity"])


def score_row(lesson, found, metric, bar=None, stretch=None):
    """A row of README's table of scores, but for the task, the data and the model.

    Args:
        lesson: `lesson.Lesson`.
        found: dict of a run's results.json, with `beam` from `PairWriter.scores`, `how` and `minutes`.
        metric: str, key of `beam`.
        bar, stretch: floats, or None.
    """
    best = found["beam"][metric]
    return {
        "command": lesson.command,
        "metric": _METRICS[metric],
        "value": best["score"],
        "low": best["low"],
        "high": best["high"],
        "how": found["how"],
        "bar": bar,
        "stretch": stretch,
        "parameters": found["parameters"],
        "minutes": found["minutes"],
        "seed": lesson.options.seed,
    }


def print_errors(writer, rows, beams, penalty, worst=4, middle=2):
    """Prints the translations with the lowest chrF, and some from the middle."""
    from keras_seq import text_scores

    outputs = writer.write([row["source"] for row in rows], beams=beams, length_penalty=penalty, cut=True)
    score = [text_scores.chrf([output], [row["target"]]).score for output, row in zip(outputs, rows, strict=True)]
    order = np.argsort(score)
    for index in [*order[:worst], *order[len(order) // 2 :][:middle]]:
        print(f"  chrF {score[index]:3.0f}  {rows[index]['source']}")
        print(f"            wanted   {rows[index]['target']}\n            written  {outputs[index]}")
