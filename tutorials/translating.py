"""What the lessons on translation share: their flags, how they print sentences, scores and errors, and their files'."""

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
    """Answers --text and --translate with a trained run; ends with exit code 1 where a line could not be translated."""
    from keras_seq.data.encodings import read_lines
    from keras_seq.recipes.pair_writer import PairWriter

    given, left_out = lesson.options, 0
    try:
        writer = PairWriter.load(run)
        if given.text is not None:
            tell(writer, given.text, given.beams, given.temperature, given.seed)
        if given.translate:
            left_out = translate(writer, given.translate, read_lines(given.translate), given.beams)
    except (OSError, ValueError) as error:
        sys.exit(f"{lesson.name}: {error}")
    if left_out:
        sys.exit(f"{lesson.name}: {left_out} of the lines could not be translated; they are empty")


def translate(writer, name, lines, beams):
    """Prints a translation for each line, and an empty line for an empty one and for one that cannot be read whole.

    Args:
        writer: `keras_seq.recipes.pair_writer.PairWriter`.
        name: what the lines are of, for standard error, which is told each line that is left out.
        lines: list of str.
        beams: int.

    Returns:
        int, lines that are not empty and were left out.
    """
    lines = [line.strip() for line in lines]
    wanted = [place for place, line in enumerate(lines) if line]
    short = [place for place in wanted if writer.reads(lines[place])]
    for place in sorted(set(wanted) - set(short)):
        tokens = len(writer.source.encode(lines[place]))
        print(
            f"{name}, line {place + 1}: {tokens} tokens, wanted 1 to {writer.limits[0]}; left out, split it up",
            file=sys.stderr,
        )
    outputs = writer.write([lines[place] for place in short], beams=beams, progress=True) if short else []
    found = dict(zip(short, outputs, strict=True))
    print("\n".join(found.get(place, "") for place in range(len(lines))))
    return len(wanted) - len(short)


def readable(writer, rows):
    """The rows whose source the model can read whole: in a file of one's own not every one may be so short."""
    return [row for row in rows if writer.reads(row["source"])]


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
    from keras_seq.training.run_directory import read_rows

    times = np.cumsum([row["seconds"] for row in read_rows(run / "seconds.csv")]) / 60
    return times.tolist(), [row["val_accuracy"] for row in read_rows(run / "metrics.csv")]


def print_scores(lesson, name, found):
    """Prints scores as `PairWriter.scores` gives them, those under "greedy" and "beam", with their signatures."""
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


def print_errors(rows, outputs, worst=4, middle=2):
    """Prints the translations with the lowest chrF, and some from the middle."""
    from keras_seq import text_scores

    score = [text_scores.chrf([output], [row["target"]]).score for output, row in zip(outputs, rows, strict=True)]
    order = np.argsort(score)
    for index in dict.fromkeys([*order[:worst], *order[len(order) // 2 :][:middle]]):
        print(f"  chrF {score[index]:3.0f}  {rows[index]['source']}")
        print(f"            wanted   {rows[index]['target']}\n            written  {outputs[index]}")


def score_files(lesson, run, rows, lowercase=True):
    """What each file of a bundle scores on the whole test, without Keras, as a phone or a server would run it.

    Args:
        lesson: `lesson.Lesson`.
        run: path of the run directory with the bundle.
        rows: list of `{"source": str, "target": str}` that the model can read whole.
        lowercase: bool, of BLEU.

    Returns:
        list of dicts of `format`, `precision`, `greedy` and `beam`, BLEU; of TFLite's and ONNX' files.
    """
    import export
    from keras_seq import text_scores

    print("\nThe files themselves, on the whole test")
    found = []
    for artefact in export.load(run / "bundle").manifest["artefacts"]:
        format, precision = artefact["format"], artefact["precision"]
        if format == "saved_model":
            continue
        program, row = export.load(run / "bundle", format, precision), {"format": format, "precision": precision}
        for name, beam in (("greedy", False), ("beam", True)):
            outputs = [result.output for result in program.generate([row["source"] for row in rows], beam)]
            row[name] = text_scores.bleu(outputs, [row["target"] for row in rows], lowercase=lowercase).score
            lesson.number(f"BLEU of {format}, {precision}, {name}", row[name], ".2f")
        found.append(row)
    whole = next((row for row in found if row["precision"] == "float32"), None)
    if whole:
        lost = max(whole[name] - row[name] for row in found for name in ("greedy", "beam"))
        lesson.finding("no file loses more than {lost:.2f} BLEU to float32 on the whole test", lost <= 0.5, lost=lost)
    return found
