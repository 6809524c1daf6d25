"""Classical Chinese verse: the next line, and poems from a title.

    明月松間照 -> 清泉石上流         "春夜" -> four lines

A character encoder-decoder, recurrent or a Transformer, in `keras_seq.models.EqualLength`: every line is as long as the
one before it. Characters that are rarer in training than `VerseConfig.min_count` are read as `<unknown>` and neither
written nor scored.
"""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_seq.data import verse
from keras_seq.data.batching import PairBatches
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import EqualLength, Seq2Seq, Transformer
from keras_seq.recipes.verse_poems import Poems
from keras_seq.training import MaskedAccuracy, MaskedCrossEntropy, WarmupCosine, fit
from keras_seq.training.fine_tuning import copy_weights


@dataclasses.dataclass(frozen=True)
class VerseConfig:
    """What decides a run.

    Attributes:
        model: "transformer" or "seq2seq".
        contexts: bool, train with couplets before and with titles too, not only on the line before alone.
        epochs: int.
        batch_size: int, lines.
        learning_rate: float, the highest.
        warmup_share: float, share of all steps in which the learning rate rises; it falls along a cosine then.
        units: int, width of a Transformer; of a recurrent model, of each encoder direction and of the decoder.
        embedding_size: int, of a recurrent model.
        num_layers, num_heads, feed_forward: int, of a Transformer.
        dropout: float.
        min_count: int, how often a character is seen in training to be in the vocabulary.
        poems: int, training poems; None takes all.
        seed: int.
    """

    model: str = "transformer"
    contexts: bool = True
    epochs: int = 5
    batch_size: int = 256
    learning_rate: float = 2e-3
    warmup_share: float = 0.08
    units: int = 128
    embedding_size: int = 128
    num_layers: int = 2
    num_heads: int = 4
    feed_forward: int = 256
    dropout: float = 0.1
    min_count: int = 20
    poems: int | None = None
    seed: int = 1


TRANSFORMER = VerseConfig()
SEQ2SEQ = VerseConfig(model="seq2seq", contexts=False, epochs=2, batch_size=128)
GPU = VerseConfig(
    units=384, num_layers=6, num_heads=6, feed_forward=1536, dropout=0.2, epochs=15, batch_size=512, learning_rate=1e-3
)
SMOKE = {"epochs": 1, "batch_size": 32, "units": 8, "embedding_size": 8, "num_layers": 1, "num_heads": 2,
         "feed_forward": 12}  # fmt: skip
# A run with fewer poems is over before XLA's compilation has paid for itself.
_COMPILED_FROM = 5_000
_VALIDATION_POEMS = 800


def train(config, run_dir, *, data=None, start=None, fresh=False, callbacks=()):
    """Trains a run, continues it or finds it finished.

    Args:
        config: `VerseConfig`.
        run_dir: path of the run directory.
        data: `Poems`; None takes the Tang poems of the catalogue.
        start: path of a trained run directory whose tokenizer and weights to begin with; None for new ones.
        fresh: bool, forget what is there.
        callbacks: sequence of `keras.callbacks.Callback`.

    Returns:
        the model and its `Tokenizer`.
    """
    data = Poems.tang(config.poems) if data is None else data
    tokenizer = tokenizer_of(config, data, start)
    pairs = data.examples("train", config.contexts)
    training = LineBatches(pairs, tokenizer, config.batch_size, seed=config.seed)
    held_out = LineBatches(verse.alone(data.first("validation", _VALIDATION_POEMS)), tokenizer, config.batch_size)
    longest = max(len(target) for _, target in pairs)
    keras.utils.set_random_seed(config.seed)
    model = build(config, tokenizer, longest)
    if start:
        copy_weights(model, start)
    steps = training.steps * config.epochs
    model.compile(
        optimizer=keras.optimizers.Adam(
            WarmupCosine(config.learning_rate, steps, warmup_steps=int(config.warmup_share * steps)),
            beta_2=0.98,
            clipnorm=1.0,
        ),
        loss=MaskedCrossEntropy(),
        metrics=[MaskedAccuracy(name="accuracy")],
        jit_compile=len(data.train) >= _COMPILED_FROM,
    )
    limits = {"source": max(verse.source_lengths(longest)), "target": longest + 1}
    task = {"name": "verse", "kind": "generate", "limits": limits, "score": "next_token"}
    run_dir = Path(run_dir)
    fit(
        model,
        training,
        run_dir,
        epochs=config.epochs,
        validation_data=held_out,
        config={"task": task, **dataclasses.asdict(config), **({"start": str(start)} if start else {})},
        seed=config.seed,
        fresh=fresh,
        callbacks=callbacks,
    )
    for side in ("source", "target"):
        tokenizer.save(run_dir / f"{side}.tokenizer.json")
    return model, tokenizer


def tokenizer_of(config, data, start=None):
    """The `Tokenizer` of a run: of the run that it begins with, or of its own training part."""
    if start:
        return Tokenizer.load(Path(start, "source.tokenizer.json"))
    return data.tokenizer(config.min_count)


def build(config, tokenizer, longest):
    """The model of a configuration, with new weights.

    Args:
        config: `VerseConfig`.
        tokenizer: `Tokenizer` of both sides.
        longest: int, characters of the longest line.

    Returns:
        `EqualLength`

    Raises:
        ValueError: if `config.model` is not known.
    """
    size = len(tokenizer)
    if config.model == "transformer":
        writer = Transformer(
            size,
            size,
            units=config.units,
            num_layers=config.num_layers,
            num_heads=config.num_heads,
            feed_forward=config.feed_forward,
            dropout=config.dropout,
            max_target=longest + 1,
            tied=True,
        )
    elif config.model == "seq2seq":
        writer = Seq2Seq(
            size,
            size,
            embedding_size=config.embedding_size,
            units=config.units,
            dropout=config.dropout,
            tied=True,
        )
    else:
        raise ValueError(f"model={config.model!r} is not known; choose 'transformer' or 'seq2seq'")
    marks = tokenizer.encode(verse.MARKS)
    return EqualLength(writer, separator=tokenizer.encode(verse.SEPARATOR)[0], marks=marks)


class LineBatches:
    """Batches of lines for training: calling it with an epoch's number gives its dataset, as `PairBatches` does.

    Lines of different length come in batches of their own, so no target is padded, and none has its end to learn. The
    label of an unknown character is 0, which losses and metrics look away from.

    Args:
        pairs: list of (source, target).
        tokenizer: `Tokenizer`.
        batch_size: int.
        seed: int, of the order; None keeps the order.

    Attributes:
        steps: int, batches in an epoch.
    """

    def __init__(self, pairs, tokenizer, batch_size, seed=None):
        self._seed = seed
        self._parts = []
        for length in sorted({len(target) for _, target in pairs}):
            own = [pair for pair in pairs if len(pair[1]) == length]
            sources, targets = ([tokenizer.encode(text) for text in side] for side in zip(*own, strict=True))
            self._parts.append(
                PairBatches(
                    sources,
                    targets,
                    batch_size=batch_size,
                    boundaries=[(source, length + 1) for source in verse.source_lengths(length)],
                    shuffle=seed is not None,
                    seed=seed or 0,
                    remainder="fill",
                )
            )
        self.steps = sum(part.steps for part in self._parts)

    def __call__(self, epoch):
        epoch = tf.cast(epoch, tf.int64)
        turns = tf.constant(
            np.repeat(np.arange(len(self._parts), dtype=np.int64), [part.steps for part in self._parts])
        )
        if self._seed is not None:
            turns = tf.random.experimental.stateless_shuffle(
                turns, seed=tf.stack([tf.cast(self._seed, tf.int64), epoch])
            )
        turns = tf.data.Dataset.from_tensor_slices(turns)
        dataset = tf.data.Dataset.choose_from_datasets([part(epoch) for part in self._parts], turns)
        return dataset.map(_characters).apply(tf.data.experimental.assert_cardinality(self.steps))


def _characters(inputs, labels):
    """Without the place of the end, and with 0 for the label of what is not in the vocabulary."""
    labels = labels[:, :-1]
    known = tf.where(labels > Tokenizer.UNKNOWN, labels, Tokenizer.PAD)
    return {"source": inputs["source"], "target": inputs["target"][:, :-1]}, known
