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
from keras_seq.models import Seq2Seq
from keras_seq.training.fit import fit
from keras_seq.training.losses import MaskedCrossEntropy
from keras_seq.training.metrics import ExactMatch, MaskedAccuracy
from keras_seq.training.schedules import WarmupCosine
from keras_seq.whole_file import whole_file

LIMITS = {"source": 64, "target": 11}
_BUCKETS = [(length, LIMITS["target"]) for length in (20, 32, 64)]
# Parts of the generated data are kept apart by their seeds.
_TRAIN, _VALIDATION, _TEST, _CALIBRATION = 0, 1, 2, 3


@dataclasses.dataclass(frozen=True)
class DatesConfig:
    """What decides a run.

    Attributes:
        pairs: int, generated training pairs.
        epochs: int, passes over them.
        batch_tokens: int, source tokens in a batch, padding included.
        learning_rate: float, the highest, after the warm-up.
        warmup_share: float, share of all steps in which the learning rate rises.
        units: int, width of each encoder direction and of the decoder.
        embedding_size: int.
        dropout: float.
        attention: bool.
        not_dates: float, share of training texts that are not dates.
        test_pairs: int, fresh pairs to test on.
        seed: int.
    """

    pairs: int = 200_000
    epochs: int = 2
    batch_tokens: int = 4096
    learning_rate: float = 3e-3
    warmup_share: float = 0.05
    units: int = 128
    embedding_size: int = 64
    dropout: float = 0.0
    attention: bool = True
    not_dates: float = 0.15
    test_pairs: int = 2000
    seed: int = 1


def tokenizers():
    """The source tokenizer over every character that dates are written with, and the target's over digits and dash."""
    source = Tokenizer.train([dates.alphabet()], normalization="nfkc", lowercase=True, collapse_spaces=True)
    return source, Tokenizer.train(["0123456789-"])


def build(config, source, target):
    """The compiled model.

    Args:
        config: `DatesConfig`.
        source, target: the tokenizers.

    Returns:
        `Seq2Seq`, compiled with `jit_compile`: every bucket has one shape, so XLA compiles a few times only.
    """
    keras.utils.set_random_seed(config.seed)
    model = Seq2Seq(
        len(source),
        len(target),
        embedding_size=config.embedding_size,
        units=config.units,
        attention=config.attention,
        dropout=config.dropout,
    )
    return model


def train(config, run_dir, *, fresh=False, callbacks=()):
    """Trains a run, or continues it, or finds it finished; then tests it and calibrates its confidence.

    Args:
        config: `DatesConfig`.
        run_dir: path of the run directory.
        fresh: bool, forget what is there.
        callbacks: sequence of `keras.callbacks.Callback`.

    Returns:
        `Trained`.
    """
    run_dir = Path(run_dir)
    source, target = tokenizers()
    batches = _batches(config, source, target, config.pairs, _TRAIN)
    validation = _batches(config, source, target, 2000, _VALIDATION, shuffle=False)
    model = build(config, source, target)
    steps = batches.steps * config.epochs
    schedule = WarmupCosine(config.learning_rate, steps, warmup_steps=round(config.warmup_share * steps))
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, beta_2=0.98, clipnorm=1.0),
        loss=MaskedCrossEntropy(),
        metrics=[MaskedAccuracy(name="accuracy"), ExactMatch(name="exact_match")],
        jit_compile=True,
    )
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
    return model, source, target


def _batches(config, source, target, pairs, part, shuffle=True):
    data = dates.generate(pairs, seed=1000 * config.seed + part, not_dates=config.not_dates)
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
