"""Reading the intent of a sentence (N-1): one label of many, or one of two by a sigmoid, for every kind of reader.

    "what time is it"  -> time

    python -m keras_seq.recipes.intents lstm attention       into runs/intents/lstm and runs/intents/attention
    train(KINDS["attention"], "runs/intents/attention")

A run directory is written as `keras_seq.training.fit` writes it, with `labels.json`, `test.tsv` (text, tab, label) and
the tokenizers: `source.tokenizer.json`, and where the model reads characters beside words `characters.tokenizer.json`.

Data: Larson et al., 2019, "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction" (CLINC150).
"""

import argparse
import dataclasses
import os
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_seq import rejection, scores
from keras_seq.data.label_batches import LabelBatches
from keras_seq.models import Classifier, TextClassifier
from keras_seq.recipes.intent_reader import Reader, sample_log
from keras_seq.recipes.labelled_texts import labels_of, read_parts
from keras_seq.recipes.run_files import write_json, write_tsv
from keras_seq.recipes.text_inputs import TextInputs
from keras_seq.training import WarmupCosine, copy_weights, fit


@dataclasses.dataclass(frozen=True)
class IntentsConfig:
    """What decides a run.

    Attributes:
        data: str, a name or a path, see `keras_seq.recipes.labelled_texts.read_parts`.
        inputs: what the model reads, a key of `keras_seq.recipes.text_inputs.KINDS`.
        limit: int, longest text in tokens; longer ones are left out and reported. None for what suits the inputs.
        vocabulary: int, most entries of the vocabulary of `inputs`; None for all words or characters, and 2000 pieces.
        pooling: "last" (the last state of a recurrent layer, `keras_seq.models.Classifier`) or a tuple, as for
            `keras_seq.models.TextClassifier`.
        encoder, units, num_layers, bidirectional, embedding_size, character_size, character_filters, num_heads,
            feed_forward, dropout, embedding_dropout, word_dropout: see `TextClassifier`.
        label_smoothing: float.
        batch_size: int.
        epochs: int.
        learning_rate: float, the highest.
        weight_decay: float.
        examples: int, training texts at most; None for all.
        seed: int.
    """

    data: str = "clinc_oos"
    inputs: str = "words"
    limit: int | None = None
    vocabulary: int | None = None
    pooling: str | tuple = ("max", "mean", "attention")
    encoder: str = "gru"
    units: int = 96
    num_layers: int = 1
    bidirectional: bool = True
    embedding_size: int = 96
    character_size: int = 24
    character_filters: int = 64
    num_heads: int = 4
    feed_forward: int = 256
    dropout: float = 0.5
    embedding_dropout: float = 0.3
    word_dropout: float = 0.1
    label_smoothing: float = 0.1
    batch_size: int = 128
    epochs: int = 8
    learning_rate: float = 4e-3
    weight_decay: float = 1e-4
    examples: int | None = None
    seed: int = 1


KINDS = {
    "rnn": IntentsConfig(encoder="rnn", bidirectional=False, pooling="last", learning_rate=1e-3),
    "lstm": IntentsConfig(encoder="lstm", bidirectional=False, pooling="last"),
    "gru": IntentsConfig(bidirectional=False, pooling="last"),
    "bilstm": IntentsConfig(encoder="lstm", pooling="last"),
    "bigru": IntentsConfig(pooling="last"),
    "attention": IntentsConfig(pooling=("attention",)),
    "transformer": IntentsConfig(encoder="transformer", pooling=("attention",), dropout=0.2, num_layers=2, units=128),
    "bag": IntentsConfig(encoder="bag"),
}
"""Every kind of reader, over words."""

INPUTS = {name: dataclasses.replace(KINDS["attention"], inputs=name) for name in ("characters", "subwords")}
INPUTS["words_characters"] = dataclasses.replace(KINDS["attention"], inputs="words_characters")
"""The same reader over other inputs."""

BEST = IntentsConfig(
    inputs="words_characters",
    character_filters=96,
    embedding_dropout=0.4,
    word_dropout=0.15,
    weight_decay=0.01,
    batch_size=64,
    epochs=16,
    learning_rate=3e-3,
)
GPU = dataclasses.replace(BEST, units=192, embedding_size=192, character_filters=192, batch_size=256, epochs=40)
RUNS = {**KINDS, **INPUTS, "best": BEST}


def train(config, run_dir, *, start=None, fresh=False, callbacks=(), samples=(), verbose="auto"):
    """Trains a run, continues it or finds it finished; then tests it.

    Args:
        config: `IntentsConfig`.
        run_dir: path of the run directory.
        start: path of a trained run directory whose tokenizers and weights to begin with; None for new ones.
        fresh: bool, forget what is there.
        callbacks: sequence of `keras.callbacks.Callback`.
        samples: sequence of str, texts whose labels and attention are written for TensorBoard every four epochs.
        verbose: see `fit`.

    Returns:
        `Reader`, and the contents of results.json.

    Raises:
        ValueError: if an option is not known or no example is left.
        FileNotFoundError, ConnectionError: if the data is not there, with how to get it.
    """
    run_dir = Path(run_dir)
    parts = read_parts(config.data, config.examples, config.seed)
    texts = (
        TextInputs.load(start)
        if start
        else TextInputs.train(_texts(parts["train"]), config.inputs, config.limit, config.vocabulary)
    )
    parts = {name: texts.short_enough(part) for name, part in parts.items()}
    labels = labels_of(parts["train"])
    model = build(config, texts, len(labels))
    if start:
        copy_weights(model, start)
    reader = Reader(model, texts, labels)
    if samples:
        callbacks = [*callbacks, sample_log(run_dir, reader, samples)]
    batches = _batches(config, texts, labels, parts["train"])
    _compile(model, config, config.epochs * batches.steps)
    fit(
        model,
        _answers(batches, len(labels)),
        run_dir,
        epochs=config.epochs,
        validation_data=_answers(_batches(config, texts, labels, parts["validation"], shuffle=False), len(labels)),
        config={"task": texts.task(run_dir.name), **dataclasses.asdict(config), "start": start and str(start)},
        seed=config.seed,
        fresh=fresh,
        callbacks=callbacks,
        verbose=verbose,
    )
    texts.save(run_dir)
    write_json(run_dir / "labels.json", labels)
    write_tsv(run_dir / "test.tsv", ([" ".join(row["text"].split()), row["label"]] for row in parts["test"]))
    results = {"parameters": model.count_params(), "labels": len(labels), **_tested(reader, parts)}
    write_json(run_dir / "results.json", results)
    return reader, results


def build(config, texts, num_labels):
    """The model of a configuration, not trained; two labels are told apart by one logit."""
    keras.utils.set_random_seed(config.seed)
    sizes = {"embedding_size": config.embedding_size, "units": config.units, "num_layers": config.num_layers,
             "bidirectional": config.bidirectional, "dropout": config.dropout}  # fmt: skip
    outputs = 1 if num_labels == 2 else num_labels
    if config.pooling == "last":
        if texts.alphabet_size or config.encoder in ("bag", "transformer"):
            raise ValueError(
                f"pooling='last' reads a recurrent layer over ids alone, not encoder={config.encoder!r} with inputs="
                f"{config.inputs!r}; choose another pooling"
            )
        return Classifier(texts.vocabulary_size, outputs, cell=config.encoder, **sizes)
    more = ("character_size", "character_filters", "num_heads", "feed_forward", "embedding_dropout", "word_dropout",
            "encoder", "pooling")  # fmt: skip
    return TextClassifier(
        texts.vocabulary_size, outputs, texts.alphabet_size, **sizes, **{name: getattr(config, name) for name in more}
    )


def _compile(model, config, steps):
    schedule = WarmupCosine(config.learning_rate, steps, warmup_steps=steps // 20)
    if model.output_shape[-1] == 1:
        loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
        metric = keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)
    else:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
        metric = keras.metrics.CategoricalAccuracy("accuracy")
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay, global_clipnorm=1.0)
    model.compile(optimizer, loss, metrics=[metric])


def _batches(config, texts, labels, part, shuffle=True):
    number = {label: place for place, label in enumerate(labels)}
    return LabelBatches(
        texts.sequences(_texts(part)),
        [number[row["label"]] for row in part],
        batch_size=config.batch_size,
        boundaries=texts.boundaries,
        shuffle=shuffle,
        seed=config.seed,
    )


def _answers(batches, num_labels):
    """The batches as the losses want them: one-hot labels `(batch, labels)`, or of two labels `(batch, 1)`."""

    def answers(inputs, labels):
        inputs = inputs if len(inputs) > 1 else inputs["ids"]
        if num_labels == 2:
            return inputs, tf.cast(tf.expand_dims(labels, 1), "float32")
        return inputs, tf.one_hot(labels, num_labels)

    return lambda epoch: batches(epoch).map(answers)


def _tested(reader, parts):
    """Accuracy on validation and test, the test's interval, and how well confidence tells what is out of scope.

    The threshold of confidence is chosen on validation: 95 % of it are above.
    """
    results, confidence = {}, {}
    for name, part in parts.items():
        if name != "train":
            labels, confidence[name] = reader.read(_texts(part))
            hits = [label == row["label"] for label, row in zip(labels, part, strict=True)]
            results[name] = {"examples": len(part)}
        if name in ("validation", "test"):
            results[name] |= {"accuracy": float(np.mean(hits)), "interval": scores.bootstrap(hits)}
    threshold = float(np.quantile(confidence["validation"], 0.05))
    results |= {"threshold": threshold, "test_refused": float(np.mean(confidence["test"] < threshold))}
    if "out_of_scope" in parts:
        results["out_of_scope"] |= {
            "auroc": rejection.auroc(confidence["test"], confidence["out_of_scope"]),
            "refused": float(np.mean(confidence["out_of_scope"] < threshold)),
        }
    return results


def _texts(part):
    return [row["text"] for row in part]


def main(argv=None):
    """The command line: trains some of the runs, and prints their scores."""
    parser = argparse.ArgumentParser(prog="python -m keras_seq.recipes.intents", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="+", metavar="NAME", choices=RUNS, help=f"of {', '.join(RUNS)}")
    parser.add_argument("--runs", type=Path, default=Path("runs", "intents"), metavar="DIR", help="home of the runs")
    parser.add_argument(
        "--data", default="clinc_oos", help="clinc_oos, imdb_reviews, toy or a file of texts and labels"
    )
    args = parser.parse_args(argv)
    for name in args.names:
        _, results = train(dataclasses.replace(RUNS[name], data=args.data), args.runs / name)
        print(f"{name}: {results['test']['accuracy']:.2%} right, {results['parameters']:,} parameters", flush=True)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
