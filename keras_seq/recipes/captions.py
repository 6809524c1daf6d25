"""Boards with captions: data, models, training and measurement.

    one or two pictures on a board  ->  "a sneaker in the top left and a coat in the centre"

    train(CaptionConfig(), images(), "runs/captions")       into a run directory, as `keras_seq.training.fit` writes it

A run directory has, beside what `fit` writes, the tokenizer and `test.npz`: all that the exporter needs. What the
trained model writes, and how well, is in `keras_seq.recipes.captioner`.
"""

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np

from keras_seq.data.boards import Boards, captions, names_of
from keras_seq.data.caption_batches import CaptionBatches, all_captions
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.models import Captioner, TransformerCaptioner
from keras_seq.recipes.captioner import Describer
from keras_seq.recipes.run_files import seconds_of, write_json
from keras_seq.training import MaskedAccuracy, MaskedCrossEntropy, WarmupCosine, fit
from keras_seq.whole_file import whole_file


@dataclasses.dataclass(frozen=True)
class CaptionConfig:
    """What decides a run.

    Attributes:
        decoder: "lstm" or "transformer".
        filters: tuple of int, of the encoder's convolutions.
        units: int, see `keras_seq.models.Captioner`.
        dropout: float.
        boards: int, new boards in an epoch.
        two: float, share of them with two things; of the test it is half.
        epochs: int.
        batch_size: int.
        learning_rate: float, the highest.
        average: int, the model ends with the mean of its weights after the last so many epochs.
        tested: int, boards of the test.
        seed: int.
    """

    decoder: str = "lstm"
    filters: tuple = (16, 32, 64, 128)
    units: int = 128
    dropout: float = 0.1
    boards: int = 24_000
    two: float = 0.75
    epochs: int = 14
    batch_size: int = 64
    learning_rate: float = 2e-3
    average: int = 2
    tested: int = 2000
    seed: int = 1


_MODELS = {"lstm": Captioner, "transformer": TransformerCaptioner}
_VALIDATED = 1024
TEST_SEED = (2015, 0)
"""What the boards of the test are drawn by; of the validation part the same."""


def boards_of(images, count, part="test"):
    """The boards of the test: from the test part's pictures, by a fixed seed.

    Args:
        images: `keras_seq.data.images.Images`.
        count: int.
        part: "test" or "validation".

    Returns:
        uint8 `(count, 96, 96, 1)`, and a list of `count` lists of one or two pairs, label and place.
    """
    pictures, things, _ = Boards(*getattr(images, part)).draw(count, np.array(TEST_SEED, "int64"))
    return pictures.numpy(), [[tuple(own) for own in board if own[0] >= 0] for board in things.numpy().tolist()]


def train(config, images, run_dir, *, fresh=False, callbacks=(), verbose="auto"):
    """Trains a run, continues it or finds it finished.

    Args:
        config: `CaptionConfig`.
        images: `keras_seq.data.images.Images`.
        run_dir: path of the run directory.
        fresh: bool, forget what is there.
        callbacks: sequence of `keras.callbacks.Callback`.
        verbose: as for `keras_seq.training.fit`.

    Returns:
        `keras_seq.recipes.captioner.Describer`, and the contents of results.json: `parameters`, `seconds`, `boards`.

    Raises:
        ValueError: if the decoder is not known, or the set's things have no names.
    """
    run_dir, names = Path(run_dir), names_of(images.name)
    if config.decoder not in _MODELS:
        raise ValueError(f"decoder={config.decoder!r} is not known; choose from {', '.join(_MODELS)}")
    tokenizer = Tokenizer.train(all_captions(names), kind="word")
    size, steps = config.batch_size, -(-config.boards // config.batch_size)
    training = CaptionBatches(Boards(*images.train, config.two), names, tokenizer, size, steps, config.seed)
    held_out = CaptionBatches(
        Boards(*images.validation), names, tokenizer, size, -(-min(_VALIDATED, config.boards) // size), config.seed + 1
    )
    keras.utils.set_random_seed(config.seed)
    options = {"filters": config.filters, "units": config.units, "dropout": config.dropout}
    model = _MODELS[config.decoder](len(tokenizer), height=Boards.size, width=Boards.size, **options)
    total = steps * config.epochs
    schedule = WarmupCosine(config.learning_rate, total, warmup_steps=total // 20, final=config.learning_rate / 50)
    model.compile(
        keras.optimizers.Adam(schedule, clipnorm=1.0),
        MaskedCrossEntropy(),
        metrics=[MaskedAccuracy(name="accuracy")],
        jit_compile=False,  # XLA's convolutions are slower on a CPU, see lesson 02
    )
    limit = training.longest
    rows = fit(
        model,
        training,
        run_dir,
        epochs=config.epochs,
        validation_data=held_out,
        config={
            "task": _task(f"captions_{run_dir.name}", limit),
            "pictures": images.name,
            **dataclasses.asdict(config),
        },
        seed=config.seed,
        average=config.average,
        keep=max(2, config.average),
        fresh=fresh,
        callbacks=callbacks,
        verbose=verbose,
    )
    tokenizer.save(run_dir / "target.tokenizer.json")
    _write_test(run_dir / "test.npz", *boards_of(images, config.tested), names)
    results = {
        "parameters": model.count_params(),
        "seconds": seconds_of(run_dir),
        "boards": config.boards * len(rows),
    }
    write_json(run_dir / "results.json", results)
    return Describer(model, tokenizer, limit, names), results


def load(run_dir):
    """The `Describer` of a finished run.

    Args:
        run_dir: path of the run directory.

    Raises:
        ValueError: if there is no finished run.
    """
    run_dir = Path(run_dir)
    if not (run_dir / "model.keras").exists():
        raise ValueError(f"{run_dir} has no model.keras: it is no finished run; train it first")
    config = json.loads((run_dir / "config.json").read_text(encoding="utf-8"))
    model = keras.saving.load_model(run_dir / "model.keras", compile=False)
    tokenizer = Tokenizer.load(run_dir / "target.tokenizer.json")
    return Describer(model, tokenizer, config["task"]["limits"]["target"], names_of(config["pictures"]))


def _task(name, limit):
    picture = {"height": Boards.size, "width": Boards.size, "channels": 1, "ground": "dark"}
    return {"name": name, "kind": "generate", "limits": {"target": limit}, "picture": picture, "score": "exact_match"}


def _write_test(path, pictures, things, names):
    """The boards and, for each, all its right captions, "" where it has fewer."""
    accepted = [captions(own, names) for own in things]
    most = max(map(len, accepted))
    targets = np.array([own + [""] * (most - len(own)) for own in accepted])
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, images=pictures, targets=targets)
