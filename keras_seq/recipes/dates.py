"""Dates as people write them -> ISO 8601: generated pairs, an encoder-decoder, its training and its measurement.

    "samedi 9 mai 1998" -> "1998-05-09"        "what time is it" -> "" (not a date)

A text without a date is written as nothing: the end token at once. The confidence of an output is the product of its
tokens' probabilities; the threshold under which an output is flagged is set on generated texts kept out of training.
"""

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_seq import decoding
from keras_seq.data import dates
from keras_seq.data.batching import PairBatches
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import Seq2Seq, Transformer
from keras_seq.recipes.run_files import write_json, write_tsv
from keras_seq.training import ExactMatch, MaskedAccuracy, MaskedCrossEntropy, WarmupCosine, fit

# Longest text and output in tokens; "YYYY-MM-DD" and the end are 11.
LIMITS = {"source": dates.MAX_LENGTH, "target": 11}
# Few buckets, since XLA compiles the training step once for each.
_BUCKETS = [(length, LIMITS["target"]) for length in (20, 32, LIMITS["source"])]
_BATCH = 256
# Texts are scored by length up to these; the last takes what is rare.
_LENGTHS = (8, 16, 24, 32, 40, LIMITS["source"])
# A run with fewer pairs is over before XLA's compilation, half a minute, has paid for itself.
_COMPILED_FROM = 10_000
# Seeds that keep the parts of the generated data apart.
_TRAIN, _VALIDATION, _TEST, _HELD_OUT, _CALIBRATION = range(5)
# An output is flagged where it is more likely wrong than right, unless that flags more than this share of the dates.
_FLAG_BELOW, _FLAGGED_DATES = 0.5, 0.005


@dataclasses.dataclass(frozen=True)
class DatesConfig:
    """What decides a run.

    Attributes:
        pairs: int, generated training pairs.
        epochs: int, passes over them.
        batch_tokens: int, source tokens in a batch, padding included.
        learning_rate: float, the highest, after the warm-up.
        warmup_share: float, share of all steps in which the learning rate rises; it falls along a cosine then.
        model: "seq2seq" or "transformer".
        units: int, width of each encoder direction and of the decoder; of a Transformer, its width.
        embedding_size: int, of a Seq2Seq.
        dropout: float.
        attention: bool, of a Seq2Seq.
        num_layers, num_heads, feed_forward: int, of a Transformer.
        not_dates: float, share of training texts that are not dates.
        test_pairs: int, fresh pairs to test on.
        seed: int.
    """

    pairs: int = 120_000
    epochs: int = 2
    batch_tokens: int = 4096
    learning_rate: float = 3e-3
    warmup_share: float = 0.05
    model: str = "seq2seq"
    units: int = 128
    embedding_size: int = 64
    dropout: float = 0.0
    attention: bool = True
    num_layers: int = 2
    num_heads: int = 4
    feed_forward: int = 256
    not_dates: float = 0.15
    test_pairs: int = 2000
    seed: int = 1


QUICKSTART = DatesConfig()
LESSON = DatesConfig(pairs=300_000, epochs=3, test_pairs=4000)
TRANSFORMER = DatesConfig(model="transformer", pairs=240_000, epochs=3, units=96, learning_rate=2e-3, warmup_share=0.1)
GPU = DatesConfig(pairs=4_000_000, epochs=5, batch_tokens=32_768, units=256, test_pairs=10_000)
SMOKE = DatesConfig(pairs=600, epochs=1, units=16, embedding_size=8, test_pairs=60)


class Reader:
    """A trained model with its tokenizers.

    Args:
        model: `Seq2Seq` or `Transformer`
        source: `Tokenizer` of the texts.
        target: `Tokenizer` of the dates.
    """

    def __init__(self, model, source, target):
        self.model = model
        self.source = source
        self.target = target
        self._generate = tf.function(
            lambda ids, length: decoding.greedy(model, ids, length, LIMITS["target"]), autograph=False
        )

    def read(self, texts):
        """What the model writes for each text.

        Args:
            texts: list of str, each of at most `LIMITS["source"]` characters.

        Returns:
            list of str, and float `(texts,)`, the confidence of each: 0 where nothing was written.

        Raises:
            ValueError: if a text is empty or too long.
        """
        outputs, confidences = [], []
        for source, length in self._batches(texts):
            ids, written, log_probability = self._generate(source, length)
            outputs += [self.target.decode(row) for row in np.asarray(ids).tolist()]
            confidences.append(np.exp(np.sum(log_probability, axis=1)) * (np.asarray(written) > 0))
        return outputs[: len(texts)], np.concatenate(confidences)[: len(texts)]

    def alignment(self, text):
        """Source characters, output characters and the attention weights `(output, source)` of one text."""
        source_ids = self.source.encode(text)
        output = self.read([text])[0][0]
        written = self.target.encode(output)
        inputs = {"source": np.asarray([source_ids]), "target": np.asarray([[Tokenizer.START, *written]])}
        weights = np.asarray(self.model.alignments(inputs))[0]
        return list(self.source.normalize(text)), [*output, "<end>"], weights

    def _batches(self, texts):
        ids = self.source.encode_batch(texts)
        for text, sequence in zip(texts, ids, strict=True):
            if not 0 < len(sequence) <= LIMITS["source"]:
                raise ValueError(f"{text!r} has {len(sequence)} characters; give texts of 1 to {LIMITS['source']}")
        for start in range(0, len(ids), _BATCH):
            source = np.zeros((_BATCH, LIMITS["source"]), "int32")  # one shape: one trace
            length = np.ones(_BATCH, "int32")
            for row, sequence in enumerate(ids[start : start + _BATCH]):
                source[row, : len(sequence)] = sequence
                length[row] = len(sequence)
            yield source, length


def tokenizers():
    """The source tokenizer over every character of the alphabet, and the target's over digits and dash."""
    source = Tokenizer.train([dates.alphabet()], normalization="nfkc", lowercase=True, collapse_spaces=True)
    return source, Tokenizer.train(["0123456789-"])


def load(run_dir):
    """The `Reader` of a finished run."""
    run_dir = Path(run_dir)
    source, target = (Tokenizer.load(run_dir / f"{side}.tokenizer.json") for side in ("source", "target"))
    return Reader(keras.saving.load_model(run_dir / "model.keras", compile=False), source, target)


def train(config, run_dir, *, fresh=False, callbacks=()):
    """Trains a run, continues it or finds it finished; then tests it and sets its confidence threshold.

    Args:
        config: `DatesConfig`.
        run_dir: path of the run directory.
        fresh: bool, forget what is there.
        callbacks: sequence of `keras.callbacks.Callback`.

    Returns:
        the `Reader`, and the contents of results.json.
    """
    run_dir = Path(run_dir)
    if fresh:
        (run_dir / "results.json").unlink(missing_ok=True)
    source, target = tokenizers()
    batches = _batches(config, source, target, config.pairs, _TRAIN)
    validation = _batches(config, source, target, min(config.pairs, 4000), _VALIDATION, shuffle=False)
    model = _compiled(config, source, target, batches.steps * config.epochs)
    fit(
        model,
        batches,
        run_dir,
        epochs=config.epochs,
        validation_data=validation,
        config={"task": {"name": "dates", "limits": LIMITS}, **dataclasses.asdict(config)},
        seed=config.seed,
        fresh=fresh,
        callbacks=callbacks,
    )
    reader = Reader(model, source, target)
    results_file = run_dir / "results.json"
    if not results_file.exists():
        source.save(run_dir / "source.tokenizer.json")
        target.save(run_dir / "target.tokenizer.json")
        results = measure(reader, config, run_dir)
        write_json(results_file, results)
    return reader, json.loads(results_file.read_text(encoding="utf-8"))


def measure(reader, config, run_dir):
    """Tests a reader on fresh dates and on writings held out of training, and calibrates its confidence.

    Writes the fresh test pairs to `test.tsv`, on which the exporter compares every artefact with Keras.

    Args:
        reader: `Reader`.
        config: `DatesConfig`.
        run_dir: path of the run directory.

    Returns:
        dict: `parameters`, `exact_match` by test set, `confidence` (threshold and what it flags), `by_length`.
    """
    seeds = {name: _seed(config, part) for name, part in (("fresh", _TEST), ("held_out", _HELD_OUT))}
    exact, by_length = {}, {}
    for name, seed in seeds.items():
        test = dates.generate(config.test_pairs, seed=seed, held_out=name == "held_out")
        outputs, _ = reader.read(test.texts)
        right = np.asarray([output == iso for output, iso in zip(outputs, test.iso, strict=True)])
        exact[name] = float(right.mean())
        if name == "fresh":
            by_length = _by_length(test.texts, right)
            write_tsv(Path(run_dir, "test.tsv"), zip(test.texts, test.iso, strict=True))
    return {
        "parameters": reader.model.count_params(),
        "exact_match": exact,
        "examples": config.test_pairs,
        "by_length": by_length,
        "confidence": calibrate(reader, config),
    }


def calibrate(reader, config):
    """The confidence under which an output is flagged, set on dates kept out of training.

    Args:
        reader: `Reader`.
        config: `DatesConfig`.

    Returns:
        dict: `threshold`, and the share of generated dates and of generated texts without a date that it flags.
    """
    mixed = dates.generate(2 * config.test_pairs, seed=_seed(config, _CALIBRATION), not_dates=0.5)
    _, confidence = reader.read(mixed.texts)
    is_date = np.asarray([bool(iso) for iso in mixed.iso])
    threshold = round(min(_FLAG_BELOW, float(np.quantile(confidence[is_date], _FLAGGED_DATES))), 6)
    return {
        "definition": "product of the output tokens' probabilities; 0 for an empty output",
        "threshold": threshold,
        "flagged_dates": float((confidence[is_date] < threshold).mean()),
        "flagged_others": float((confidence[~is_date] < threshold).mean()),
        "examples": len(mixed.texts),
    }


def _compiled(config, source, target, steps):
    keras.utils.set_random_seed(config.seed)
    model = _model(config, len(source), len(target))
    schedule = WarmupCosine(config.learning_rate, steps, warmup_steps=int(config.warmup_share * steps))
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, beta_2=0.98, clipnorm=1.0),
        loss=MaskedCrossEntropy(),
        metrics=[MaskedAccuracy(name="accuracy"), ExactMatch(name="exact_match")],
        jit_compile=config.pairs >= _COMPILED_FROM,
    )
    return model


def _model(config, source_size, target_size):
    if config.model == "transformer":
        return Transformer(
            source_size,
            target_size,
            units=config.units,
            num_layers=config.num_layers,
            num_heads=config.num_heads,
            feed_forward=config.feed_forward,
            dropout=config.dropout,
            max_target=LIMITS["target"],
        )
    if config.model != "seq2seq":
        raise ValueError(f"model={config.model!r} is not known; choose 'seq2seq' or 'transformer'")
    return Seq2Seq(
        source_size,
        target_size,
        embedding_size=config.embedding_size,
        units=config.units,
        attention=config.attention,
        dropout=config.dropout,
    )


def _batches(config, source, target, pairs, part, shuffle=True):
    data = dates.generate(pairs, seed=_seed(config, part), not_dates=config.not_dates)
    return PairBatches(
        source.encode_batch(data.texts),
        target.encode_batch(data.iso),
        batch_tokens=config.batch_tokens,
        boundaries=_BUCKETS,
        shuffle=shuffle,
        seed=config.seed,
        remainder="fill",
        unusable="drop",
    )


def _seed(config, part):
    return 10 * config.seed + part


def _by_length(texts, right):
    """Share of right outputs by number of characters: {"8": ..., "16": ...}, each up to and including that length."""
    bins = np.searchsorted(_LENGTHS, [min(len(text), _LENGTHS[-1]) for text in texts])
    return {
        str(_LENGTHS[index]): {
            "exact_match": float(right[bins == index].mean()),
            "examples": int((bins == index).sum()),
        }
        for index in np.unique(bins).tolist()
    }
