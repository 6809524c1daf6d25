"""What the lessons on answers and summaries share: how their Transformer is trained, and its size at --smoke."""

TINY = dict(units=16, num_layers=1, num_heads=2, feed_forward=16, vocabulary_size=320, limits=(96, 48), epochs=1,
            batch_tokens=800, average=1, score="next_token")  # fmt: skip


def learn(lesson, options, parts):
    """Trains a Transformer on pairs and draws what is still wrong; a finished run is only loaded.

    Args:
        lesson: `lesson.Lesson` with the flags `--from` (as `start`) and `--seed`.
        options: dict, options of `keras_seq.recipes.sentence_pairs.PairsConfig`.
        parts: dict of "train", "validation" and "test" -> list of `{"source": str, "target": str}`.

    Returns:
        `PairWriter`, and the contents of its results.json with `minutes`.
    """
    from keras_seq.recipes.sentence_pairs import PairsConfig, train

    config, run = PairsConfig(seed=lesson.options.seed, **options), lesson.run / "transformer"
    verbose = 0 if lesson.smoke else 2
    writer, results = lesson.trained(train, config, parts, run, start=lesson.options.start, verbose=verbose)
    results["minutes"] = round(results["seconds"] / 60, 1)
    lesson.number("parameters", results["parameters"], ",d")
    lesson.number("minutes of training", results["minutes"], ".1f")
    lesson.number("pairs left out, too long", results["dropped"]["too_long"], "d")
    draw_errors(lesson, run)
    return writer, results


def draw_errors(lesson, run):
    """Learning curves of a run: the share of tokens that are not the likeliest one behind the true ones before them."""
    from keras_seq.plots.curves import curves
    from keras_seq.training.run_directory import read_rows

    epochs = read_rows(run / "metrics.csv")
    series = {
        name: ([row["epoch"] for row in epochs], [1 - row[key] for row in epochs])
        for name, key in (("training", "accuracy"), ("validation", "val_accuracy"))
    }
    title = "Learning curves (teacher forcing)"
    lesson.figure(curves(lesson.run / "learning.png", series, "epoch", "next token wrong", title, percent=True))
