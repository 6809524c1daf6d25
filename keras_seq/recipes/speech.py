"""Spoken digits to text: one encoder-decoder, or CTC, trained on strings of recordings put together anew every epoch.

    (seven two two, 1.9 s)  ->  "seven two two"

    train(SpeechConfig(), load_parts(), "runs/speech")

A run directory is written as `keras_seq.training.fit` writes it, with the tokenizer and `test.npz`: all that the
exporter needs of a model with attention. What the trained model hears, and how well, is in
`keras_seq.recipes.recogniser`.
"""

import dataclasses
from pathlib import Path

import keras
import numpy as np

from keras_seq import data
from keras_seq.data import speech
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import CTCRecognizer, SpeechToText
from keras_seq.recipes.recogniser import Recogniser
from keras_seq.recipes.run_files import seconds_of, write_json
from keras_seq.training import ExactMatch, MaskedAccuracy, MaskedCrossEntropy, SampleLog, WarmupCosine, fit
from keras_seq.whole_file import whole_file

# Seconds that a batch may be padded to: few, since XLA compiles the training step once for each.
_BOUNDARIES = (1.0, 2.0, 3.0, 4.0)
# Seeds that keep the parts apart.
_TRAIN, _VALIDATION, _TEST = range(3)
_WATCHED = 3


@dataclasses.dataclass(frozen=True)
class SpeechConfig:
    """What decides a run.

    Attributes:
        model: "attention" or "ctc".
        units: int, of each encoder direction and of the decoder.
        channels: int, of the convolutions.
        num_layers: int, of the encoder.
        embedding_size: int, of the target, with attention.
        dropout: float.
        stripes: int, taken out of the features in training.
        rate, window, hop, bands: int, of the front end.
        seconds: float, the longest recording.
        digits: int, the most digits in a string, 2 or more.
        mixing: `keras_seq.data.speech.Mixing`, of training.
        strings: int, an epoch.
        grow: int, epochs after which the strings of training may have one digit more, beginning with one; 0 for all
            from the first.
        epochs: int.
        batch_size: int, strings.
        learning_rate: float, the highest.
        warmup_share: float, share of all steps in which the learning rate rises; it falls along a cosine then.
        label_smoothing: float, with attention.
        average: int, the model ends with the mean of its weights after the last so many epochs.
        test_strings, validation_strings: int.
        compiled: bool, by XLA, which takes minutes before the first epoch.
        seed: int.
    """

    model: str = "attention"
    units: int = 96
    channels: int = 32
    num_layers: int = 2
    embedding_size: int = 32
    dropout: float = 0.2
    stripes: int = 1
    rate: int = 8000
    window: int = 256
    hop: int = 80
    bands: int = 40
    seconds: float = 8.0
    digits: int = 6
    mixing: speech.Mixing = dataclasses.field(default_factory=speech.Mixing)
    strings: int = 1024
    grow: int = 2
    epochs: int = 40
    batch_size: int = 16
    learning_rate: float = 2e-3
    warmup_share: float = 0.1
    label_smoothing: float = 0.05
    average: int = 5
    test_strings: int = 500
    validation_strings: int = 192
    compiled: bool = False
    seed: int = 1

    @property
    def limits(self):
        """Samples of the longest recording, and tokens of the longest text with its end."""
        return int(self.seconds * self.rate), self.digits + 1


def load_parts():
    """The recordings of spoken_digit by part; recordings 0 to 4 of each speaker and digit are the test.

    Returns:
        dict of "train", "validation" and "test" -> list of dicts.

    Raises:
        FileNotFoundError, ConnectionError, ModuleNotFoundError: as `keras_seq.data.load`.
    """
    return {part: data.load("spoken_digit", part) for part in ("train", "validation", "test")}


def train(config, parts, run_dir, *, fresh=False, callbacks=(), verbose="auto"):
    """Trains a run, continues it or finds it finished.

    Args:
        config: `SpeechConfig`.
        parts: dict of "train", "validation" and "test" -> list of dicts as `keras_seq.data.load("spoken_digit")` gives.
        run_dir: path of the run directory.
        fresh: bool, forget what is there.
        callbacks: sequence of `keras.callbacks.Callback`.
        verbose: as for `keras_seq.training.fit`.

    Returns:
        `Recogniser`, and the contents of results.json: `parameters`, `recordings` by part, `seconds`, `epochs`.

    Raises:
        ValueError: if a setting is not as described, or the recordings are of another rate.
    """
    run_dir = Path(run_dir)
    _check(config, parts)
    target = Tokenizer.train([" ".join(speech.NAMES)], kind="token")
    keras.utils.set_random_seed(config.seed)
    training = _batches(config, target, parts["train"], _TRAIN)
    model = build(config, len(target))
    _compile(config, model, training.steps * config.epochs)
    recogniser = Recogniser(model, target, config.limits)
    watched = _test(config, parts["validation"], _VALIDATION)[-_WATCHED:]
    rows = fit(
        model,
        training,
        run_dir,
        epochs=config.epochs,
        validation_data=_batches(config, target, parts["validation"], _VALIDATION),
        config={"task": _task(config, f"speech_{run_dir.name}"), **dataclasses.asdict(config)},
        seed=config.seed,
        average=config.average,
        keep=max(2, config.average),
        fresh=fresh,
        callbacks=[SampleLog(run_dir, lambda _: _samples(recogniser, watched), every=5), *callbacks],
        verbose=verbose,
    )
    target.save(run_dir / "target.tokenizer.json")
    _write_test(run_dir / "test.npz", test_recordings(parts["test"]) + test_strings(config, parts["test"]))
    results = {
        "parameters": model.count_params(),
        "recordings": {part: len(own) for part, own in parts.items()},
        "seconds": seconds_of(run_dir),
        "epochs": len(rows),
    }
    write_json(run_dir / "results.json", results)
    return recogniser, results


def build(config, vocabulary_size):
    """The model of a configuration, with new weights.

    Args:
        config: `SpeechConfig`.
        vocabulary_size: int.

    Returns:
        `SpeechToText` or `CTCRecognizer`.

    Raises:
        ValueError: if the configuration's model is not known.
    """
    names = ("units", "channels", "num_layers", "dropout", "stripes", "rate", "window", "hop", "bands")
    options = {name: getattr(config, name) for name in names}
    if config.model == "attention":
        return SpeechToText(vocabulary_size, embedding_size=config.embedding_size, **options)
    if config.model == "ctc":
        return CTCRecognizer(vocabulary_size, **options)
    raise ValueError(f"model={config.model!r} is not known; choose 'attention' or 'ctc'")


def test_recordings(rows):
    """Single recordings as they are: list of (samples int16 `(time,)`, text)."""
    return [(row["audio"], speech.NAMES[int(row["label"])]) for row in rows]


def test_strings(config, rows):
    """The fixed test strings of a configuration: 2 digits and more, joined across pauses, in noise.

    Args:
        config: `SpeechConfig`; only `digits`, `mixing`, `seconds` and `test_strings` decide.
        rows: list of dicts, recordings of the test part alone.

    Returns:
        list of (samples int16 `(time,)`, text).
    """
    return [(samples, text) for samples, text, _ in planned_test_strings(config, rows)]


def planned_test_strings(config, rows):
    """The strings that `test_strings` gives, each with its `keras_seq.data.speech.Plan`, which says when what is said.

    Returns:
        list of (samples int16 `(time,)`, text, plan).
    """
    return _test(config, rows, _TEST)


test_recordings.__test__ = test_strings.__test__ = False  # pytest takes what is named so for tests


def _test(config, rows, part):
    count = config.test_strings if part == _TEST else _WATCHED
    mixing, digits = config.mixing.plain(), (2, config.digits)
    return speech.planned_strings(rows, count, mixing, digits, 1000 + part, config.limits[0])


def _batches(config, target, rows, part):
    training = part == _TRAIN
    return speech.StringBatches(
        rows,
        target,
        config.strings if training else config.validation_strings,
        config.batch_size,
        mixing=config.mixing if training else config.mixing.plain(),
        digits=(1, config.digits),
        longest=config.limits[0],
        boundaries=[int(config.rate * seconds) for seconds in _BOUNDARIES],
        seed=10 * config.seed + part if training else part,
        decoder=config.model == "attention",
        grow=config.grow if training else 0,
        shuffle=training,
    )


def _compile(config, model, steps):
    rate, decoder = config.learning_rate, config.model == "attention"
    schedule = WarmupCosine(rate, steps, warmup_steps=int(config.warmup_share * steps), final=rate / 50)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, clipnorm=1.0),
        loss=MaskedCrossEntropy(label_smoothing=config.label_smoothing) if decoder else keras.losses.CTC(),
        metrics=[MaskedAccuracy(name="accuracy"), ExactMatch(name="exact_match")] if decoder else [],
        jit_compile=config.compiled,
    )


def _check(config, parts):
    rates = {row["rate"] for rows in parts.values() for row in rows}
    if rates != {config.rate}:
        raise ValueError(
            f"recordings of rates {sorted(rates)} came for rate={config.rate}; give all at the model's, resampled"
        )


def _task(config, name):
    audio = {"rate": config.rate, "channels": 1, "window": config.window, "hop": config.hop, "bands": config.bands}
    limits = dict(zip(("source", "target"), config.limits, strict=True))
    kind = "generate" if config.model == "attention" else "ctc"
    return {"name": name, "kind": kind, "limits": limits, "score": "word_accuracy", "audio": audio}


def _samples(recogniser, watched):
    """What the model hears in some strings of the validation part, for TensorBoard."""
    outputs = recogniser.recognise([speech.to_float(samples) for samples, *_ in watched])
    return {text: output for (_, text, _), output in zip(watched, outputs, strict=True)}


def _write_test(path, rows):
    """Recordings one after another, with their lengths and what is said in each."""
    samples, texts = zip(*rows, strict=True)
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(
            file, samples=np.concatenate(samples), lengths=np.array([len(own) for own in samples], "int32"),
            targets=np.array(texts),
        )  # fmt: skip
