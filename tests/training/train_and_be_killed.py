"""Trains a small model in a run directory; run by test_fit.py in a process of its own.

Second argument: at which point this process kills itself, if at all.
"""

import os
import signal
import sys

import keras
import numpy as np

from keras_seq.data.batching import PairBatches
from keras_seq.training import checkpoints, run_directory
from keras_seq.training.fit import fit
from keras_seq.training.losses import MaskedCrossEntropy
from keras_seq.training.metrics import ExactMatch, MaskedAccuracy
from keras_seq.training.schedules import WarmupCosine

EPOCHS = 16


def make_model():
    keras.utils.set_random_seed(3)
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    summary = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(20, 8)(source))
    hidden = keras.layers.Dropout(0.3)(keras.layers.Embedding(20, 8)(target))
    hidden = keras.layers.Add()([hidden, keras.layers.Reshape((1, 8))(keras.layers.Dropout(0.2)(summary))])
    hidden = keras.layers.BatchNormalization()(hidden)
    model = keras.Model({"source": source, "target": target}, keras.layers.Dense(20)(hidden))
    model.compile(
        keras.optimizers.Adam(WarmupCosine(0.01, total_steps=300, warmup_steps=20)),
        MaskedCrossEntropy(0.1),
        metrics=[MaskedAccuracy(), ExactMatch()],
        jit_compile=False,
    )
    return model


def make_batches(count=6000):
    rng = np.random.default_rng(5)
    source = [rng.integers(3, 20, length).tolist() for length in rng.integers(1, 15, count)]
    return PairBatches(source, [ids[:4] for ids in source], batch_tokens=512, boundaries=((7, 5), (15, 5)), seed=11)


def kill_when_called(module, name, call, *, halfway=None):
    """Lets `module.name` work `call` times; then kills this process instead, after `halfway(arguments)`."""
    original, calls = getattr(module, name), []

    def replacement(*args, **options):
        if len(calls) == call:
            if halfway:
                halfway(*args, **options)
            os.kill(os.getpid(), signal.SIGKILL)
        calls.append(None)
        return original(*args, **options)

    setattr(module, name, replacement)


def write_half(file, **arrays):
    import io

    whole = io.BytesIO()
    SAVEZ(whole, **arrays)
    file.write(whole.getvalue()[: whole.tell() // 2])
    file.flush()


SAVEZ = np.savez
POINTS = {
    "never": lambda: None,
    "while writing a checkpoint": lambda: kill_when_called(checkpoints.np, "savez", 2, halfway=write_half),
    "between checkpoint and metrics": lambda: kill_when_called(run_directory, "write_rows", 2),
    "before the model is saved": lambda: kill_when_called(keras.Model, "save", 0),
}

if __name__ == "__main__":
    model = make_model()
    POINTS[sys.argv[2]]()
    fit(
        model, make_batches(), sys.argv[1], epochs=EPOCHS, validation_data=make_batches(100), config={"size": 8}, seed=7
    )
