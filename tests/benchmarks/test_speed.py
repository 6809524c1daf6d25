"""The speed tables' own parts; the peers are an extra, so what needs them skips without it."""

import time

import pytest

from benchmarks.speed.row import Row
from benchmarks.speed.timing import medians


def test_medians_tell_slow_from_fast_and_repeat_what_is_fast():
    calls = []
    functions = {"slow": lambda: time.sleep(0.004), "fast": lambda: calls.append(1)}
    times = medians(functions, rounds=3)
    assert 0.004 <= times["slow"] < 0.1 and times["fast"] < 1e-4
    assert len(calls) > 100


def test_a_row_holds_at_its_bar_and_says_where_it_misses():
    assert Row("ours", "theirs", 1, ours=120, theirs=100, bar=1.2).holds
    missed = Row("ours", "theirs", 1, ours=121, theirs=100, bar=1.2)
    assert not missed.holds and missed.line().endswith("1.20  MISSED")
    assert missed.to_json() | {"ratio": 1.21, "bar": 1.2} == missed.to_json()
    assert Row("ours", "theirs", 1, ours=900, theirs=100).holds


def test_ctranslate2_writes_what_the_transformer_writes(tmp_path):
    ctranslate2 = pytest.importorskip("ctranslate2", reason="pip install -e '.[benchmarks]'")
    import keras
    import numpy as np

    from benchmarks.speed import ctranslate2_layout
    from keras_seq import decoding
    from keras_seq.models import Transformer

    keras.utils.set_random_seed(0)
    model = Transformer(30, 20, units=8, num_layers=2, num_heads=2, feed_forward=12, dropout=0.0, max_target=9)
    for seed, weight in enumerate(model.weights):
        weight.assign(np.random.default_rng(seed).normal(0, 0.6, weight.shape))
    ctranslate2_layout.write(model, tmp_path / "model")
    translator = ctranslate2.Translator(str(tmp_path / "model"), device="cpu")
    source = np.array([[5, 9, 4, 21, 7]], "int32")
    wanted = np.asarray(decoding.greedy(model, source, np.array([5], "int32"), 9)[0])[0]
    result = translator.translate_batch([[f"w{token}" for token in source[0]]], beam_size=1, max_decoding_length=9)
    names = {"<pad>": 0, "<s>": 1, "<unk>": 3}
    got = [names.get(token) or int(token.removeprefix("w")) for token in result[0].hypotheses[0]]
    assert got == [token for token in wanted.tolist() if token not in (0, decoding.END)][: len(got)] and got
