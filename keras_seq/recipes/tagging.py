"""A tagger of sentences whose tokens are given, with or without a label for the whole sentence.

    python -m keras_seq.recipes.tagging universal_dependencies      word classes, into runs/universal_dependencies
    python -m keras_seq.recipes.tagging snips                       slots and intent, into runs/snips
    train(TaggingConfig(), records, "runs/mine")                    records: lists of "train", "validation" and "test"

A run directory is written as `keras_seq.training.fit` writes it, with the vocabularies, `labels.json` (the tags),
`sentence_labels.json` where sentences have labels, `test.tsv` and `results.json`: all that the exporter needs.
"""

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path

import keras

from keras_seq.data import at_most, load, only_known
from keras_seq.data.label_batches import LabelBatches
from keras_seq.data.words import WordCoder
from keras_seq.models import WordTagger
from keras_seq.recipes.run_files import seconds_of, write_json, write_tsv
from keras_seq.recipes.sentence_tagger import BATCH_TOKENS_READ, SentenceTagger, boundaries
from keras_seq.training import SampleLog, WarmupCosine, copy_weights, fit


@dataclasses.dataclass(frozen=True)
class TaggingConfig:
    """What decides a run.

    Attributes:
        cell, num_layers, bidirectional, embedding_size, character_size, character_filters, units, dropout,
            word_dropout: see `keras_seq.models.WordTagger`.
        characters: bool, whether the characters of the words are read.
        width: int, characters that are read of a word.
        min_count: int, how often a word must come in training to have an id of its own.
        limit: int, longest sentence in tokens; longer ones are left out and reported.
        epochs: int.
        batch_tokens: int, tokens in a batch, padding included.
        learning_rate: float, the highest.
        averaging: float in [0, 1), share of the training over which the weights that it ends with are averaged.
        seed: int.
    """

    cell: str = "lstm"
    num_layers: int = 2
    bidirectional: bool = True
    embedding_size: int = 100
    character_size: int = 24
    character_filters: int = 96
    characters: bool = True
    units: int = 96
    dropout: float = 0.4
    word_dropout: float = 0.15
    width: int = 16
    min_count: int = 2
    limit: int = 84
    epochs: int = 11
    batch_tokens: int = 1200
    learning_rate: float = 4e-3
    averaging: float = 0.1
    seed: int = 1


RUNS = {
    "universal_dependencies": TaggingConfig(),
    "snips": TaggingConfig(limit=48, epochs=14),
}
"""The runs of the lessons: name of a data set to its configuration."""


def load_records(name):
    """The parts of a data set, or of a file of one's own.

    Args:
        name: str, "universal_dependencies" or "snips".

    Returns:
        dict of "train", "validation" and "test" -> list of `{"tokens", "tags" (, "label")}`.
    """
    return {part: load(name, part) for part in ("train", "validation", "test")}


def config_of(run_dir):
    """The configuration of a trained run, to fine-tune it with `dataclasses.replace(config_of(run), epochs=5)`.

    Args:
        run_dir: path of the run directory.

    Returns:
        `TaggingConfig`.

    Raises:
        FileNotFoundError: if the run is not there.
    """
    path = Path(run_dir, "config.json")
    if not path.is_file():
        raise FileNotFoundError(f"{run_dir} is no run of a tagger: it has no config.json; train it first")
    content = json.loads(path.read_text(encoding="utf-8"))
    return TaggingConfig(**{field.name: content[field.name] for field in dataclasses.fields(TaggingConfig)})


def train(config, records, run_dir, *, start=None, fresh=False, callbacks=(), verbose="auto"):
    """Trains a run, continues it or finds it finished; then scores it.

    Args:
        config: `TaggingConfig`.
        records: dict of "train", "validation" and "test" -> list of `{"tokens", "tags" (, "label")}`, see
            `load_records`, and for files `keras_seq.data.read_tagged` and `keras_seq.data.split`.
        run_dir: path of the run directory.
        start: path of a trained run whose vocabularies and weights to begin with, its sizes being `config`'s (see
            `config_of`); None for new ones.
        fresh: bool, forget what is there.
        callbacks: sequence of `keras.callbacks.Callback`.
        verbose: as for `keras_seq.training.fit`.

    Returns:
        `SentenceTagger`, and the contents of results.json.

    Raises:
        ValueError: if a part has no example left, or a tag or label that training has not.
    """
    run_dir = Path(run_dir)
    records, tags, labels = _usable(records, config.limit)
    tokens = {part: [row["tokens"] for row in rows] for part, rows in records.items()}
    if start:
        before = SentenceTagger.load(start)
        coder, tags, labels = before.coder, _as_before(tags, before.tags), _as_before(labels, before.labels)
    else:
        coder = WordCoder.train(tokens["train"], min_count=config.min_count, width=config.width)
    batches = {part: _batches(config, coder, tags, labels, part, records[part]) for part in ("train", "validation")}
    model = _compiled(config, coder, len(tags), len(labels), config.epochs * batches["train"].steps)
    if start:
        copy_weights(model, start)
    tagger = SentenceTagger(model, coder, tags, labels, config.limit)
    config_of_run = {"task": _task(config, run_dir.name, bool(labels)), **dataclasses.asdict(config)}
    rows = fit(
        model,
        batches["train"],
        run_dir,
        epochs=config.epochs,
        validation_data=batches["validation"],
        config={**config_of_run, "start": start and str(start)},
        seed=config.seed,
        fresh=fresh,
        callbacks=[SampleLog(run_dir, lambda _: _samples(tagger, records["validation"][:3])), *callbacks],
        verbose=verbose,
    )
    coder.save(run_dir)
    write_json(run_dir / "labels.json", tags)
    if labels:
        write_json(run_dir / "sentence_labels.json", labels)
    write_tsv(run_dir / "test.tsv", map(_as_row, records["test"]))
    results = {
        "parameters": model.count_params(),
        "sentences": {part: len(own) for part, own in records.items()},
        "padding": round(batches["train"].padding_share(), 3),
        "seconds": seconds_of(run_dir),
        "epochs": len(rows),
        **tagger.scores(records["test"]),
    }
    write_json(run_dir / "results.json", results)
    return tagger, results


def _usable(records, limit):
    """The records within the limit, the tags and the labels of training, sorted."""
    records = {part: at_most(records[part], limit, key="tokens") for part in ("train", "validation", "test")}
    tags = sorted({tag for row in records["train"] for tag in row["tags"]})
    labels = sorted({row["label"] for row in records["train"] if "label" in row})
    for part in ("validation", "test"):
        records[part] = only_known(records[part], tags, key="tags", unseen="drop")
        if labels:
            records[part] = only_known(records[part], labels, unseen="drop")
    return records, tags, labels


def _samples(tagger, records):
    """What the tagger says of some sentences, as texts for TensorBoard."""
    found, labels = tagger.tag([row["tokens"] for row in records])
    labels = [f"{label}: " for label in labels] if labels else [""] * len(records)
    tagged = [zip(row["tokens"], tags, strict=True) for row, tags in zip(records, found, strict=True)]
    texts = [" ".join(f"{token}/{tag}" for token, tag in pairs) for pairs in tagged]
    return {f"sentence {number}": label + text for number, (label, text) in enumerate(zip(labels, texts, strict=True))}


def _as_before(names, before):
    """The names of the run that is begun with, if they are enough: its heads go on as they are then."""
    return before if names and set(names) <= set(before) else names


def _batches(config, coder, tags, labels, part, records):
    inputs = coder.inputs([row["tokens"] for row in records])
    if not config.characters:
        del inputs["characters"]
    place = {tag: number for number, tag in enumerate(tags)}
    answers = [[place[tag] for tag in row["tags"]] for row in records]
    if labels:
        answers = {"tags": answers, "label": [labels.index(row["label"]) for row in records]}
    training = part == "train"
    return LabelBatches(
        inputs, answers, batch_tokens=max(config.limit, config.batch_tokens if training else BATCH_TOKENS_READ),
        boundaries=boundaries(config.limit), shuffle=training, seed=config.seed,
    )  # fmt: skip


def _compiled(config, coder, num_tags, num_labels, steps):
    keras.utils.set_random_seed(config.seed)
    model = WordTagger(
        len(coder.words), num_tags, num_labels, alphabet_size=len(coder.characters) if config.characters else 0,
        embedding_size=config.embedding_size, character_size=config.character_size,
        character_filters=config.character_filters, units=config.units, cell=config.cell, num_layers=config.num_layers,
        bidirectional=config.bidirectional, dropout=config.dropout, word_dropout=config.word_dropout,
    )  # fmt: skip
    momentum = 1 - 1 / max(1, config.averaging * steps)  # a mean over the last `averaging * steps` steps, roughly
    schedule = WarmupCosine(config.learning_rate, steps, warmup_steps=steps // 20)
    optimizer = keras.optimizers.Adam(
        schedule, global_clipnorm=1.0, use_ema=bool(config.averaging), ema_momentum=momentum
    )
    heads = ["tags", "label"] if num_labels else [None]
    # The padding counts in neither: Keras takes the mask that the outputs carry.
    losses = {head: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for head in heads}
    metrics = {head: ["accuracy"] for head in heads}
    model.compile(optimizer, losses if num_labels else losses[None], metrics=metrics if num_labels else metrics[None])
    return model


def _task(config, name, sentence_labels):
    task = {"name": name, "kind": "tag", "limits": {"source": config.limit}}
    task |= {"characters": {"width": config.width}} if config.characters else {}
    return task | ({"sentence_labels": True} if sentence_labels else {})


def _as_row(record):
    label = [record["label"]] if "label" in record else []
    return [" ".join(record["tokens"]), " ".join(record["tags"]), *label]


def main(argv=None):
    """The command line: trains some of the runs, and prints their scores."""
    parser = argparse.ArgumentParser(prog="python -m keras_seq.recipes.tagging", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RUNS)}; default: all")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="home of the runs")
    args = parser.parse_args(argv)
    unknown = sorted(set(args.names) - set(RUNS))
    if unknown:
        parser.error(f"{', '.join(unknown)} is not known; choose from {', '.join(RUNS)}")
    for name in args.names or RUNS:
        _, results = train(RUNS[name], load_records(name), args.runs / name)
        for measure in ("accuracy", "span_f1", "label_accuracy"):
            if measure in results:
                print(f"{name}: {measure} {100 * results[measure]['value']:.2f} %", flush=True)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
