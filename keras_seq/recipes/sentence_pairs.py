"""From one sentence to another: translation, answers, summaries; one encoder-decoder, trained on pairs.

    "Two dogs run." -> "Zwei Hunde rennen."

    python -m keras_seq.recipes.sentence_pairs multi30k       into runs/multi30k
    train(PairsConfig(), parts, "runs/mine")                  parts: lists of "train", "validation" and "test"

A run directory is written as `keras_seq.training.fit` writes it, with the tokenizers and `test.tsv`: all that the
exporter needs. What the trained model writes, and how well, is in `keras_seq.recipes.pair_writer`.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import sys
from pathlib import Path

import keras
import numpy as np

from keras_seq import data
from keras_seq.data.batching import PairBatches
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import Seq2Seq, Transformer
from keras_seq.recipes.pair_writer import PairWriter
from keras_seq.recipes.run_files import seconds_of, write_json, write_tsv
from keras_seq.training import MaskedAccuracy, MaskedCrossEntropy, SampleLog, WarmupCosine, copy_weights, fit


@dataclasses.dataclass(frozen=True)
class PairsConfig:
    """What decides a run.

    Attributes:
        model: "transformer" or "seq2seq".
        attention: bool, of a Seq2Seq.
        units: int, width of a Transformer; of a Seq2Seq, of each encoder direction and of the decoder.
        embedding_size: int, of a Seq2Seq.
        num_layers, num_heads, feed_forward: int, of a Transformer.
        dropout: float.
        tied: bool, one matrix for both embeddings and the readout; needs a shared vocabulary.
        source_kind, target_kind: str, "bpe", "word" or "character", see `keras_seq.data.tokenizer.Tokenizer.train`.
        vocabulary_size: int, entries of each vocabulary, or of the shared one.
        shared: bool, one vocabulary for both sides, which are of one kind then.
        limits: pair of int, longest source and longest target with its end in tokens; longer pairs are left out of
            training and counted.
        epochs: int.
        batch_tokens: int, tokens of the longer side in a batch, padding included.
        learning_rate: float, the highest.
        warmup_share: float, share of all steps in which the learning rate rises; it falls along a cosine then.
        label_smoothing: float.
        average: int, the model ends with the mean of its weights after the last so many epochs.
        score: str, by which the exporter judges an artefact: "bleu", "bleu_lowercase", "next_token" or "exact_match".
        seed: int.
    """

    model: str = "transformer"
    attention: bool = True
    units: int = 128
    embedding_size: int = 128
    num_layers: int = 4
    num_heads: int = 4
    feed_forward: int = 256
    dropout: float = 0.2
    tied: bool = True
    source_kind: str = "bpe"
    target_kind: str = "bpe"
    vocabulary_size: int = 8000
    shared: bool = True
    limits: tuple = (48, 54)
    epochs: int = 44
    batch_tokens: int = 2048
    learning_rate: float = 3e-3
    warmup_share: float = 0.12
    label_smoothing: float = 0.1
    average: int = 8
    score: str = "bleu_lowercase"
    seed: int = 1


RUNS = {
    "multi30k": PairsConfig(),
    "tatoeba_cmn_eng": PairsConfig(
        source_kind="character",
        vocabulary_size=6000,
        shared=False,
        tied=False,
        limits=(40, 40),
        epochs=24,
        score="bleu",
    ),
}
"""The runs of the lessons: name of a data set to its configuration."""
# Shares of the training pairs whose lengths end a bucket: few, since XLA compiles the training step once for each.
_BUCKETS = (0.25, 0.5, 0.75, 0.9, 0.98)
# A run with fewer pairs is over before XLA's compilation, minutes for a Transformer, has paid for itself.
_COMPILED_FROM = 5_000
_VALIDATION_TOKENS = 4096
_TOKENIZERS = ("source.tokenizer.json", "target.tokenizer.json")
# Hexadecimal digits of a digest: 64 bits.
_DIGITS = 16


def load_pairs(name):
    """The parts of a data set, or of a file.

    Args:
        name: str, name of a set of pairs in the catalogue, or path of a TSV or JSON Lines file, which is cut into 90 %
            for training and 5 % each for validation and the test.

    Returns:
        dict of "train", "validation" and "test" -> list of `{"source", "target"}`.

    Raises:
        ValueError, FileNotFoundError, ConnectionError: as `keras_seq.data.load` and `keras_seq.data.read_pairs`.
    """
    if Path(name).suffix:
        return data.split(data.read_pairs(name), {"validation": 0.05, "test": 0.05})
    return {part: data.load(name, part) for part in ("train", "validation", "test")}


def train(config, parts, run_dir, *, start=None, fresh=False, callbacks=(), verbose="auto"):
    """Trains a run, continues it or finds it finished.

    Args:
        config: `PairsConfig`.
        parts: dict of "train", "validation" and "test" -> list of `{"source": str, "target": str}`.
        run_dir: path of the run directory.
        start: path of a trained run whose tokenizers and weights to begin with; None for new ones.
        fresh: bool, forget what is there.
        callbacks: sequence of `keras.callbacks.Callback`.
        verbose: as for `keras_seq.training.fit`.

    Returns:
        `PairWriter`, and the contents of results.json: `parameters`, `pairs` by part, `dropped`, `padding`, `seconds`.

    Raises:
        ValueError: if a setting is not as described, no pair is left to train on, or the directory belongs to a run
            with other settings, on other pairs or begun with other weights.
    """
    run_dir = Path(run_dir)
    source, target = tokenizers_of(config, parts["train"], start)
    training = _batches(config, source, target, parts["train"], shuffle=True)
    held_out = _batches(config, source, target, parts["validation"], shuffle=False)
    keras.utils.set_random_seed(config.seed)
    model = build(config, len(source), len(target))
    if start:
        copy_weights(model, start)
    _compile(config, model, training.steps * config.epochs, jit=len(parts["train"]) >= _COMPILED_FROM)
    writer = PairWriter(model, source, target, config.limits)
    watched = [row["source"] for row in parts["validation"][:3]]
    rows = fit(
        model,
        training,
        run_dir,
        epochs=config.epochs,
        validation_data=held_out,
        config=_settings(config, run_dir, start) | ({} if _is_older(run_dir, fresh) else _digests(parts, start)),
        seed=config.seed,
        average=config.average,
        keep=max(2, config.average),
        fresh=fresh,
        callbacks=[SampleLog(run_dir, lambda _: _samples(writer, watched)), *callbacks],
        verbose=verbose,
    )
    for tokenizer, name in zip((source, target), _TOKENIZERS, strict=True):
        tokenizer.save(run_dir / name)
    write_tsv(run_dir / "test.tsv", ([_line(row["source"]), _line(row["target"])] for row in parts["test"]))
    results = {
        "parameters": model.count_params(),
        "pairs": {part: len(own) for part, own in parts.items()},
        "dropped": training.dropped,
        "padding": {side: round(share, 3) for side, share in training.padding_share().items()},
        "seconds": seconds_of(run_dir),
        "epochs": len(rows),
    }
    write_json(run_dir / "results.json", results)
    return writer, results


def tokenizers_of(config, rows, start=None):
    """The tokenizers of source and target: of the run that is begun with, or learned from training pairs.

    Args:
        config: `PairsConfig`.
        rows: list of `{"source": str, "target": str}`.
        start: path of a trained run, or None.

    Returns:
        two `Tokenizer`s; the same one twice where the vocabulary is shared.

    Raises:
        ValueError: if a shared vocabulary is asked for sides of two kinds.
    """
    if start:
        return tuple(Tokenizer.load(Path(start, name)) for name in _TOKENIZERS)
    if config.shared and config.source_kind != config.target_kind:
        raise ValueError(
            f"source_kind={config.source_kind!r} and target_kind={config.target_kind!r} with shared=True; give one "
            "kind for both sides, or shared=False"
        )
    texts = {side: [row[side] for row in rows] for side in ("source", "target")}
    options = {"collapse_spaces": True, "vocabulary_size": config.vocabulary_size}
    if config.shared:
        both = Tokenizer.train(texts["source"] + texts["target"], kind=config.source_kind, **options)
        return both, both
    kinds = {"source": config.source_kind, "target": config.target_kind}
    return tuple(Tokenizer.train(texts[side], kind=kind, **options) for side, kind in kinds.items())


def build(config, source_size, target_size):
    """The model of a configuration, with new weights.

    Args:
        config: `PairsConfig`.
        source_size, target_size: int, entries of the vocabularies.

    Returns:
        `Transformer` or `Seq2Seq`.

    Raises:
        ValueError: if the configuration's model is not known.
    """
    if config.model == "transformer":
        return Transformer(
            source_size, target_size, units=config.units, num_layers=config.num_layers, num_heads=config.num_heads,
            feed_forward=config.feed_forward, dropout=config.dropout, tied=config.tied, max_target=config.limits[1],
        )  # fmt: skip
    if config.model == "seq2seq":
        return Seq2Seq(
            source_size, target_size, embedding_size=config.embedding_size, units=config.units,
            attention=config.attention, dropout=config.dropout, tied=config.tied,
        )  # fmt: skip
    raise ValueError(f"model={config.model!r} is not known; choose 'transformer' or 'seq2seq'")


def _compile(config, model, steps, jit):
    rate = config.learning_rate
    schedule = WarmupCosine(rate, steps, warmup_steps=int(config.warmup_share * steps), final=rate / 20)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, beta_2=0.98, clipnorm=1.0),
        loss=MaskedCrossEntropy(label_smoothing=config.label_smoothing),
        metrics=[MaskedAccuracy(name="accuracy")],
        jit_compile=jit,
    )


def _batches(config, source, target, rows, shuffle):
    source_ids = source.encode_batch([row["source"] for row in rows])
    target_ids = target.encode_batch([row["target"] for row in rows])
    return PairBatches(
        source_ids,
        target_ids,
        batch_tokens=max(max(config.limits), config.batch_tokens if shuffle else _VALIDATION_TOKENS),
        boundaries=_boundaries(config.limits, source_ids, target_ids),
        shuffle=shuffle,
        seed=config.seed,
        remainder="fill",
        unusable="drop",
    )


def _boundaries(limits, source_ids, target_ids):
    """The buckets' lengths: quantiles of both sides, up to the limits."""
    sides = ([len(ids) for ids in source_ids], [len(ids) + 1 for ids in target_ids])  # 1 for the end token
    lengths = np.clip(np.stack(sides, axis=1), 1, limits)
    ends = np.quantile(lengths, _BUCKETS, axis=0, method="higher").tolist() if len(lengths) else []
    return sorted({*map(tuple, ends), tuple(limits)})


def _task(config, name):
    limits = dict(zip(("source", "target"), config.limits, strict=True))
    return {"name": name, "kind": "generate", "limits": limits, "score": config.score}


def _settings(config, run_dir, start):
    return {"task": _task(config, run_dir.name), **dataclasses.asdict(config), "start": start and str(start)}


def _digests(parts, start):
    """What a run is made from, for its config.json: weights that were learned from other pairs must not be loaded."""
    pairs = hashlib.sha256()
    for part in sorted(parts):
        for row in parts[part]:
            pairs.update(json.dumps([part, row["source"], row["target"]]).encode())
    found = {"pairs_digest": pairs.hexdigest()[:_DIGITS]}
    if start:
        files = [Path(start, name).read_bytes() for name in ("model.keras", *_TOKENIZERS)]
        found["start_digest"] = hashlib.sha256(b"".join(files)).hexdigest()[:_DIGITS]
    return found


def _is_older(run_dir, fresh):
    """Whether a run is there that was begun before config.json had digests: it is continued without."""
    path = Path(run_dir, "config.json")
    return path.exists() and not fresh and '"pairs_digest"' not in path.read_text(encoding="utf-8")


def _samples(writer, texts):
    """What the model writes for some texts, for TensorBoard."""
    return {text: output for text, output in zip(texts, writer.write(texts, cut=True), strict=True)}


def _line(text):
    """A text without what separates columns and lines of test.tsv."""
    return " ".join(text.split())


def main(argv=None):
    """Trains one run and prints its scores."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(
        prog="python -m keras_seq.recipes.sentence_pairs", description=__doc__.split("\n")[0]
    )
    parser.add_argument("name", help=f"{', '.join(RUNS)}, or a TSV or JSON Lines file of pairs")
    parser.add_argument("--run", type=Path, metavar="DIR", help="run directory (default: runs/NAME)")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of PairsConfig, as JSON")
    args = parser.parse_args(argv)
    try:
        changes = {key: json.loads(value) for key, value in (item.split("=", 1) for item in args.set)}
        config = dataclasses.replace(RUNS.get(args.name, PairsConfig()), **changes)
        parts = load_pairs(args.name)
        writer, results = train(config, parts, args.run or Path("runs", Path(args.name).stem))
    except (ValueError, TypeError, OSError) as error:
        sys.exit(f"{error}")
    print(json.dumps(results | writer.scores(parts["test"]), indent=2))


if __name__ == "__main__":
    main()
