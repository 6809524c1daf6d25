"""A whole translation in one call, against CTranslate2 on the same weights.

4 + 4 layers, width 256, feed-forward 1024, 8 heads, 8000 words; 20 tokens in, 64 out. The weights are random and the
end token is made impossible, so that every run writes all 64: speed does not depend on what is written. That the right
thing is written is seen by the tokens, which must be CTranslate2's.
"""

import tempfile
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np

from benchmarks.speed import ctranslate2_layout
from benchmarks.speed.ctranslate2_child import Translator
from benchmarks.speed.row import Row
from benchmarks.speed.timing import medians
from export import onnx, tflite
from export.runtime import END, PAD, LiteRTSession, ONNXSession, pad
from keras_seq.models import Transformer

WORDS, SOURCE, TARGET, BEAMS = 8000, 20, 64, 4
LIMITS = {"source": SOURCE, "target": TARGET}
SOURCE_IDS = list(range(5, 5 + SOURCE))


def small_transformer():
    """The model, with random weights."""
    keras.utils.set_random_seed(0)
    model = Transformer(
        WORDS, WORDS, units=256, num_layers=4, num_heads=8, feed_forward=1024, dropout=0.0, max_target=TARGET
    )
    bias = model._parts["readout"]._linear.bias
    bias.assign(np.where(np.isin(np.arange(WORDS), (PAD, END)), -1e9, 0.0))
    return model


def rows(threads, rounds):
    """Microseconds a token, of ours and CTranslate2's."""
    model = small_transformer()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        tflite.convert(model, LIMITS, folder / "float32.tflite", "float32", beams=BEAMS)
        tflite.convert(model, LIMITS, folder / "int8.tflite", "dynamic_int8", beams=BEAMS)
        onnx.convert(model, LIMITS, folder / "onnx", "float32")
        ctranslate2_layout.write(model, folder / "ctranslate2")
        sessions = {
            "TFLite, float32": LiteRTSession(folder / "float32.tflite", threads),
            "TFLite, dynamic int8": LiteRTSession(folder / "int8.tflite", threads),
            "ONNX, float32": ONNXSession(folder / "onnx", threads),
        }
        ours = {name: _generate(session, "generate") for name, session in sessions.items()}
        for name in ("TFLite, float32", "TFLite, dynamic int8"):
            ours[f"{name}, beam {BEAMS}"] = _generate(sessions[name], "generate_beam")
        tokens = [f"w{token}" for token in SOURCE_IDS]
        with Translator(folder / "ctranslate2", threads, tokens, TARGET) as translator:
            theirs = {
                (kind, beams): _translate(translator, kind, beams)
                for kind in ("float32", "int8")
                for beams in (1, BEAMS)
            }
            _check_tokens(ours, theirs)
            times = medians({**ours, **theirs}, rounds, threads=threads)
    times = {name: 1e6 * seconds / TARGET for name, seconds in times.items()}
    bars = {
        "TFLite, float32": 1.0,
        "TFLite, dynamic int8": 1.0,
        "ONNX, float32": 1.2,
        f"TFLite, float32, beam {BEAMS}": 1.3,
        f"TFLite, dynamic int8, beam {BEAMS}": 1.3,
    }
    for name in ours:
        peer = ("int8" if "int8" in name else "float32", BEAMS if "beam" in name else 1)
        what = f"CTranslate2 {version('ctranslate2')}, {peer[0]}, beam {peer[1]}"
        yield Row(f"Transformer, {name}, a token", what, threads, times[name], times[peer], bars[name])


def _generate(session, signature):
    source, length = pad([SOURCE_IDS])
    return lambda: session.call(signature, source=source, source_length=length)["ids"][0].tolist()


def _translate(translator, kind, beams):
    return lambda: [int(token.removeprefix("w")) for token in translator.translate(kind, beams)]


def _check_tokens(ours, theirs):
    """In float32 both write the same; else one of them computes something else, and the times say nothing."""
    for name, call in ours.items():
        if "int8" not in name and call() != theirs["float32", BEAMS if "beam" in name else 1]():
            raise AssertionError(f"{name} and CTranslate2 write different tokens; look at ctranslate2_layout.py")
