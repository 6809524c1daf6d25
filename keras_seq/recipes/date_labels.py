"""Small readers of generated dates, of every recurrent kind: the exporter of classifiers and taggers is proven on them.

    classify   "samedi 9 mai 1998"               -> "fr"       the language of a date written with words
    tag        "rendez-vous samedi 9 mai, midi"  -> each character "date" or "-": where in a line the date is

    python -m keras_seq.recipes.date_labels tag_deep_bigru       into runs/tag_deep_bigru; without a name all of `RUNS`
    train(DateLabelsConfig("tag", **RECURRENT["deep_bigru"]), "runs/tag_deep_bigru")

A run directory is written as `keras_seq.training.fit` writes it, with `labels.json` and `test.tsv`: text, tab, label; a
tagger's labels are one a token, with spaces between.
"""

import argparse
import dataclasses
import os
import random as standard_random
import sys
import unicodedata
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_seq.data import dates
from keras_seq.data.dates.not_dates import draw_not_date
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import Classifier, Tagger
from keras_seq.recipes.run_files import write_json, write_tsv
from keras_seq.training import WarmupCosine, fit

LIMIT = 48
"""Longest text in tokens."""

LANGUAGES = ("de", "en", "fr", "it", "ru", "zh")
TAGS = ("-", "date")
_TRAIN, _TEST = range(2)
_BATCH = 128


@dataclasses.dataclass(frozen=True)
class DateLabelsConfig:
    """What decides a run.

    Attributes:
        kind: "classify" or "tag".
        cell, num_layers, bidirectional, embedding_size, units, dropout: see `keras_seq.models.Classifier`.
        examples: int, generated training texts.
        epochs: int, passes over them.
        learning_rate: float, the highest.
        test_examples: int, fresh texts to test on.
        seed: int.
    """

    kind: str = "classify"
    cell: str = "lstm"
    num_layers: int = 1
    bidirectional: bool = False
    embedding_size: int = 32
    units: int = 48
    dropout: float = 0.0
    examples: int = 12_000
    epochs: int = 5
    learning_rate: float = 4e-3
    test_examples: int = 1100
    seed: int = 1


RECURRENT = {
    "rnn": {"cell": "rnn"},
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
    "gru_reset_before": {"cell": "gru_reset_before"},
    "birnn": {"cell": "rnn", "bidirectional": True},
    "bilstm": {"cell": "lstm", "bidirectional": True},
    "deep_bigru": {"cell": "gru", "bidirectional": True, "num_layers": 2, "units": 32},
}
"""Every recurrent kind: name to the options of `DateLabelsConfig`."""

RUNS = (
    "classify_rnn",
    "classify_lstm",
    "classify_gru",
    "classify_gru_reset_before",
    "classify_bilstm",
    "tag_gru",
    "tag_birnn",
    "tag_bilstm",
    "tag_deep_bigru",
)
"""The runs of the exporter's matrix: every kind at least once."""


def classified_dates(count, seed):
    """Dates written with words, and their languages.

    Args:
        count: int.
        seed: int.

    Returns:
        list of str, and list of str from `LANGUAGES`.
    """
    texts, languages = [], []
    while len(texts) < count:
        drawn = dates.generate(2 * count, seed=seed, languages=LANGUAGES)
        for text, writing in zip(drawn.texts, drawn.writings, strict=True):
            if sum(map(str.isalpha, text)) >= 3 and _length(text) <= LIMIT and writing.split()[0] in LANGUAGES:
                texts.append(text)
                languages.append(writing.split()[0])
        seed += 1000
    return texts[:count], languages[:count]


def dates_in_lines(count, seed):
    """Lines with a date somewhere in them, and where it is.

    Args:
        count: int.
        seed: int.

    Returns:
        list of str, and list of (begin, end), the places of the date's first character and of the one behind it.
    """
    random = standard_random.Random(seed).random
    drawn, lines, places = iter(dates.generate(4 * count, seed=seed).texts), [], []
    while len(lines) < count:
        date = next(drawn).strip()
        before, after = (draw_not_date(random)[0] if random() < 0.6 else "" for _ in range(2))
        line = f"{before} {date} {after}".strip()
        if _length(line) <= LIMIT:
            begin = len(before) + 1 if before.strip() else 0
            lines.append(line)
            places.append((begin, begin + len(date)))
    return lines, places


def _length(text):
    return len(unicodedata.normalize("NFKC", text))


def train(config, run_dir, *, fresh=False, callbacks=()):
    """Trains a run, continues it or finds it finished; then tests it.

    Args:
        config: `DateLabelsConfig`.
        run_dir: path of the run directory.
        fresh: bool, forget what is there.
        callbacks: sequence of `keras.callbacks.Callback`.

    Returns:
        the `keras.Model`, and the contents of results.json.

    Raises:
        ValueError: if the kind or the cell is not known.
    """
    if config.kind not in ("classify", "tag"):
        raise ValueError(f"kind={config.kind!r} is not known; choose 'classify' or 'tag'")
    run_dir = Path(run_dir)
    source = Tokenizer.train([dates.alphabet()], normalization="nfkc", lowercase=True, collapse_spaces=True)
    labels = LANGUAGES if config.kind == "classify" else TAGS
    texts, wanted = _drawn(config, source, config.examples, _TRAIN)
    data = _dataset(config, source, labels, texts, wanted)
    model = _compiled(config, len(source), len(labels), config.epochs * int(data.cardinality()))
    fit(
        model,
        data,
        run_dir,
        epochs=config.epochs,
        config={
            "task": {"name": run_dir.name, "kind": config.kind, "limits": {"source": LIMIT}},
            **dataclasses.asdict(config),
        },
        seed=config.seed,
        fresh=fresh,
        callbacks=callbacks,
    )
    source.save(run_dir / "source.tokenizer.json")
    write_json(run_dir / "labels.json", labels)
    texts, wanted = _drawn(config, source, config.test_examples, _TEST)
    _write_tests(run_dir / "test.tsv", texts, wanted)
    results = {
        "parameters": model.count_params(),
        "accuracy": _accuracy(model, config, source, labels, texts, wanted),
        "examples": config.test_examples,
    }
    write_json(run_dir / "results.json", results)
    return model, results


def _drawn(config, source, count, part):
    """Texts, and of each its label, or the tags of its tokens."""
    seed = 10 * config.seed + part
    if config.kind == "classify":
        return classified_dates(count, seed)
    lines, places = dates_in_lines(count, seed)
    tags = [
        [TAGS[begin <= start < end] for start, _ in source.offsets(line)]
        for line, (begin, end) in zip(lines, places, strict=True)
    ]
    return lines, tags


def _arrays(config, source, labels, texts, wanted):
    """Ids `(examples, LIMIT)`, and labels `(examples,)` or `(examples, LIMIT)` with 0 in the padding."""
    number = {label: place for place, label in enumerate(labels)}
    ids = _padded(source.encode_batch(texts))
    if config.kind == "classify":
        return ids, np.asarray([number[label] for label in wanted], "int32")
    return ids, _padded([[number[tag] for tag in tags] for tags in wanted])


def _padded(rows):
    padded = np.zeros((len(rows), LIMIT), "int32")
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


def _dataset(config, source, labels, texts, wanted):
    """One epoch's batches, shuffled once by the seed: the same each time, so that a run can be resumed exactly."""
    ids, targets = _arrays(config, source, labels, texts, wanted)
    order = np.random.default_rng(config.seed).permutation(len(ids))
    data = tf.data.Dataset.from_tensor_slices((ids[order], targets[order]))
    return data.batch(_BATCH, drop_remainder=len(ids) >= _BATCH).prefetch(tf.data.AUTOTUNE)


def _compiled(config, vocabulary_size, num_labels, steps):
    keras.utils.set_random_seed(config.seed)
    model = {"classify": Classifier, "tag": Tagger}[config.kind](
        vocabulary_size,
        num_labels,
        embedding_size=config.embedding_size,
        units=config.units,
        cell=config.cell,
        num_layers=config.num_layers,
        bidirectional=config.bidirectional,
        dropout=config.dropout,
    )
    schedule = WarmupCosine(config.learning_rate, steps, warmup_steps=steps // 20)
    # The padding counts in neither: Keras takes the mask that the outputs carry.
    model.compile(
        keras.optimizers.Adam(schedule, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _accuracy(model, config, source, labels, texts, wanted):
    """Share of the texts with the right label, or of all tokens with the right tag."""
    ids, targets = _arrays(config, source, labels, texts, wanted)
    hits = model.predict(ids, batch_size=250, verbose=0).argmax(axis=-1) == targets
    return float(hits.mean() if config.kind == "classify" else hits[ids != 0].mean())


def _write_tests(path, texts, wanted):
    labels = (label if isinstance(label, str) else " ".join(label) for label in wanted)
    write_tsv(path, zip(texts, labels, strict=True))


def main(argv=None):
    """The command line: trains some of the runs, and prints their scores."""
    parser = argparse.ArgumentParser(prog="python -m keras_seq.recipes.date_labels", description=__doc__.split("\n")[0])
    names = [f"{kind}_{name}" for kind in ("classify", "tag") for name in RECURRENT]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; default: {len(RUNS)} of them")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="home of the runs")
    args = parser.parse_args(argv)
    unknown = sorted(set(args.names) - set(names))
    if unknown:
        parser.error(f"{', '.join(unknown)} is not known; choose from {', '.join(names)}")
    for name in args.names or RUNS:
        kind, recurrent = name.split("_", 1)
        _, results = train(DateLabelsConfig(kind, **RECURRENT[recurrent]), args.runs / name)
        print(f"{name}: {100 * results['accuracy']:.1f} % right, {results['parameters']:,} parameters", flush=True)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
