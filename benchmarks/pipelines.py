"""Does the input keep the model busy? The rate of the pipelines beside that of a training step, and their padding.

    python -m benchmarks.pipelines

takes Multi30k (pairs, a Transformer) and SNIPS (labels, a BiGRU) where `KERAS_SEQ_DATA` has them, else sentences of
random words whose lengths are spread as theirs. For each it measures, in examples a second,

    input     an epoch of the pipeline alone
    model     a training step alone, on one batch of each bucket that is in memory
    together  an epoch of the pipeline through the training step

and ends with exit code 1 where the input is not the faster of the two. Padding is the share of places that the model
reads for nothing: with the buckets, with shuffled batches of 64 each padded to its own longest, and with one length.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

RESULTS = Path(__file__).resolve().parents[1] / "results" / "pipelines.json"
_BATCH_TOKENS = 2048
_BOUNDARIES = (8, 12, 18, 48)
_SHUFFLED_BATCH = 64
_REPEATS = 5
_FIRST_ID = 4  # smaller ones are padding, start, end and unknown


@dataclass(frozen=True)
class Row:
    """What was measured of one pipeline.

    Attributes:
        what: str, data and model.
        examples: int, in the full batches of an epoch.
        input, model, together: float, examples a second.
        padding: dict of "buckets", "shuffled" and "one length" -> share of places that are padding, in [0, 1).
    """

    what: str
    examples: int
    input: float
    model: float
    together: float
    padding: dict

    @property
    def holds(self):
        return self.input > self.model

    def line(self):
        """As text."""
        padding = "".join(f"{100 * share:11.1f}" for share in self.padding.values())
        return (
            f"  {self.what:36} {self.input:10.0f} {self.model:9.0f} {self.together:9.0f} "
            f"{self.input / self.model:8.1f} {padding}"
        )


def sentence_pairs(examples, real):
    """Ids of `examples` sentence pairs: Multi30k's words, or random ones with lengths spread as theirs."""
    if not real:
        source = _random_lengths(examples)
        shift = np.random.default_rng(1).integers(-2, 3, examples)
        return _random_ids(source), _random_ids(np.maximum(1, source + shift))
    from keras_seq.data import load

    rows = load("multi30k")[:examples]
    return _word_ids(row["source"].split() for row in rows), _word_ids(row["target"].split() for row in rows)


def labelled_sentences(examples, real):
    """Ids of `examples` sentences and a label for each: SNIPS' words and intents, or random ones."""
    if not real:
        return _random_ids(_random_lengths(examples)), np.random.default_rng(2).integers(0, 7, examples).tolist()
    from keras_seq.data import load

    rows = load("snips")
    rows = [rows[row] for row in np.random.default_rng(0).permutation(len(rows))[:examples]]
    names = sorted({row["label"] for row in rows})
    return _word_ids(row["tokens"] for row in rows), [names.index(row["label"]) for row in rows]


def pair_row(examples, real, units):
    """The row of `PairBatches` and a Transformer."""
    import keras

    from keras_seq.data.batching import PairBatches
    from keras_seq.models import Transformer
    from keras_seq.training import MaskedCrossEntropy

    source, target = sentence_pairs(examples, real)
    batches = PairBatches(source, target, batch_tokens=_BATCH_TOKENS, boundaries=_BOUNDARIES, remainder="drop")
    keras.utils.set_random_seed(0)
    model = Transformer(_size(source), _size(target), units=units, num_layers=2, feed_forward=2 * units)
    model.compile("adam", MaskedCrossEntropy())
    lengths = np.stack([_lengths(source), _lengths(target) + 1], axis=1)  # the target's end
    buckets = [np.array([bucket["source"], bucket["target"]]) for bucket in batches.buckets]
    counts = [bucket["pairs"] for bucket in batches.buckets]
    name = f"{'multi30k' if real else 'random pairs'}, Transformer d{units}"
    return _row(name, model, lambda inputs: inputs, batches, padding_shares(lengths, buckets, counts))


def label_row(examples, real, units):
    """The row of `LabelBatches` and a bidirectional GRU."""
    import keras

    from keras_seq.data.label_batches import LabelBatches
    from keras_seq.models import Classifier

    ids, labels = labelled_sentences(examples, real)
    batches = LabelBatches({"ids": ids}, labels, batch_tokens=_BATCH_TOKENS, boundaries=_BOUNDARIES, remainder="drop")
    keras.utils.set_random_seed(0)
    model = Classifier(_size(ids), 7, embedding_size=units, units=units, cell="gru", bidirectional=True)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    buckets = [np.array([bucket["length"]]) for bucket in batches.buckets]
    counts = [bucket["examples"] for bucket in batches.buckets]
    name = f"{'snips' if real else 'random sentences'}, BiGRU {units}"
    padding = padding_shares(_lengths(ids)[:, None], buckets, counts)
    return _row(name, model, lambda inputs: inputs["ids"], batches, padding)


def padding_shares(lengths, buckets, counts, batch_size=_SHUFFLED_BATCH, seed=0):
    """What is read for nothing, in three ways of making batches.

    Args:
        lengths: int `(examples, sides)`.
        buckets: list of int `(sides,)`, the lengths of each bucket.
        counts: list of int, examples in each bucket.
        batch_size: int, of the shuffled batches.
        seed: int, of their order.

    Returns:
        dict of "buckets", "shuffled" and "one length" -> float in [0, 1).
    """
    kept = lengths.sum()
    bucketed = sum(count * bucket.sum() for bucket, count in zip(buckets, counts, strict=True))
    order = np.random.default_rng(seed).permutation(len(lengths))
    batches = np.split(lengths[order], range(batch_size, len(lengths), batch_size))
    shuffled = sum(len(batch) * batch.max(axis=0).sum() for batch in batches)
    one = len(lengths) * lengths.max(axis=0).sum()
    return {
        "buckets": float(1 - kept / bucketed),
        "shuffled": float(1 - kept / shuffled),
        "one length": float(1 - kept / one),
    }


def _row(name, model, feed, batches, padding):
    import tensorflow as tf

    step = tf.function(lambda inputs, labels: model.train_step((feed(inputs), labels)))
    examples = sum(bucket["steps"] * bucket["batch_size"] for bucket in batches.buckets)
    seconds = _model_seconds(step, batches)
    alone = min(_time(lambda epoch=epoch: _run(batches(epoch))) for epoch in range(_REPEATS))
    together = _time(lambda: _run(batches(1), step))
    return Row(name, examples, examples / alone, examples / seconds, examples / together, padding)


def _model_seconds(step, batches):
    """Seconds that an epoch's steps take on batches that are there already, one of each shape."""
    by_shape = {}
    for inputs, labels in batches(0):
        shape = tuple(next(iter(inputs.values())).shape)
        count, _ = by_shape.get(shape, (0, None))
        by_shape[shape] = (count + 1, (inputs, labels))
    seconds = 0
    for count, batch in by_shape.values():
        step(*batch)  # traces
        seconds += count * min(_time(lambda batch=batch: step(*batch)) for _ in range(_REPEATS))
    return seconds


def _run(dataset, step=None):
    for batch in dataset:
        if step:
            step(*batch)


def _time(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def _random_lengths(examples):
    """Log-normal, median 12: most sentences are short, some four times as long."""
    lengths = np.random.default_rng(0).lognormal(np.log(12), 0.45, examples)
    return np.clip(np.round(lengths), 2, _BOUNDARIES[-1] - 3).astype(int)


def _random_ids(lengths):
    return [np.random.default_rng(length).integers(_FIRST_ID, 5000, length) for length in lengths]


def _word_ids(sentences):
    numbers = {}
    return [[numbers.setdefault(word, len(numbers) + _FIRST_ID) for word in sentence] for sentence in sentences]


def _lengths(ids):
    return np.array([len(sequence) for sequence in ids])


def _size(ids):
    return 1 + max(int(max(sequence)) for sequence in ids)


def main(argv=None):
    """Prints the table and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipelines", description=__doc__.split("\n\n")[0])
    parser.add_argument("--examples", type=int, default=10_000, metavar="N", help="in an epoch (default: 10000)")
    parser.add_argument("--units", type=int, default=64, metavar="N", help="width of the models (default: 64)")
    parser.add_argument("--random", action="store_true", help="random sentences even where the data sets are there")
    parser.add_argument("--record", action="store_true", help=f"write results/{RESULTS.name}")
    args = parser.parse_args(argv)
    from export.benchmark_bundle import machine

    print(f"{machine()}\n  {'':36} {'examples a second':>30} {'times':>8}  {'padding, %':>33}")
    print(
        f"  {'what':36} {'input':>10} {'model':>9} {'together':>9} {'faster':>8} "
        + "".join(f"{name:>11}" for name in ("buckets", "shuffled", "one length"))
    )
    real, rows = bool(os.environ.get("KERAS_SEQ_DATA")) and not args.random, []
    for measure in (pair_row, label_row):
        rows.append(measure(args.examples, real, args.units))
        print(rows[-1].line(), flush=True)
    held = all(row.holds for row in rows)
    print(f"\nthe input is {'faster than the model everywhere' if held else 'SLOWER than the model somewhere'}")
    if args.record:
        from keras_seq.whole_file import whole_file

        command = " ".join(["python -m benchmarks.pipelines", *(sys.argv[1:] if argv is None else argv)])
        results = {"command": command, "machine": machine(), "rows": [asdict(row) for row in rows]}
        with whole_file(RESULTS) as temporary:
            temporary.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
