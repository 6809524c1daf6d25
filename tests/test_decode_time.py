"""Decode time against length: every token is written, and the growth is read off as it is."""

import keras
import numpy as np
import pytest

from keras_seq import decode_time
from keras_seq.decode_time import decode_times, growth
from keras_seq.decoding import END, WithoutCache
from keras_seq.models import Seq2Seq, Transformer

TOKENS = 9


def make(kind, room=12):
    keras.utils.set_random_seed(0)
    if kind == "tied":
        sizes = {"units": 4, "num_layers": 1, "num_heads": 2, "feed_forward": 6}
        return Transformer(TOKENS, TOKENS, **sizes, max_target=room, tied=True)
    if kind == "transformer":
        model = Transformer(11, TOKENS, units=4, num_layers=1, num_heads=2, feed_forward=6, max_target=room)
    else:
        model = Seq2Seq(11, TOKENS, embedding_size=3, units=5)
    model.get_layer("readout").weights[-1].assign(np.eye(1, TOKENS, END)[0] * 50)  # would end at once
    return model


@pytest.mark.parametrize("kind", ["attention", "transformer", "tied"])
def test_each_length_is_measured_both_ways(kind):
    times = decode_times(make(kind), (2, 7), source_length=3, repeats=2)
    assert list(times) == ["with cache", "without cache"]
    for lengths, seconds in times.values():
        assert lengths == [2, 7] and len(seconds) == 2
        assert all(isinstance(value, float) and value > 0 for value in seconds)


@pytest.mark.parametrize("kind", ["attention", "transformer"])
def test_what_is_measured_writes_every_token_though_the_model_would_end(kind):
    model, inputs = make(kind), (np.array([[4, 5, 6], [7, 8, 9]], "int32"), np.array([3, 3], "int32"))
    for generator in (model, WithoutCache(model, 7)):
        ids, written = decode_time._compiled(decode_time._Endless(generator), 7, inputs)()
        assert written.tolist() == [7, 7] and not np.isin(ids, [0, END]).any()


def test_the_median_is_taken_of_turns_and_compilation_is_not_measured(monkeypatch):
    """By a clock on which each run takes as long as is written here."""
    order, now = [], [0.0]
    costs = {("cached", 2): [9.0, 1.0, 2.0], ("cached", 4): [3.0, 3.0, 3.0]}
    costs |= {("plain", 2): [5.0, 4.0, 6.0], ("plain", 4): [8.0, 50.0, 9.0]}

    def compiled(generator, length, inputs):
        key = "plain" if isinstance(generator._generator, WithoutCache) else "cached", length
        now[0] += 1000
        left = iter(costs[key])

        def run():
            order.append(key)
            now[0] += next(left)

        return run

    monkeypatch.setattr(decode_time, "_compiled", compiled)
    monkeypatch.setattr(decode_time.time, "perf_counter", lambda: now[0])
    times = decode_times(make("attention"), [2, 4], repeats=3)
    assert times == {"with cache": ([2, 4], [2.0, 3.0]), "without cache": ([2, 4], [5.0, 9.0])}
    assert order == 3 * list(costs)


def test_growth_is_the_power_and_what_a_token_costs():
    lengths = np.array([16, 32, 64, 256])
    assert growth(lengths, 0.01 * lengths) == pytest.approx((1, 1))
    assert growth(lengths, 0.01 * lengths**2.0) == pytest.approx((2, 16))
    exponent, ratio = growth(lengths, 0.5 + 0.01 * lengths)  # a start that every output pays once
    assert 0.5 < exponent < 1 and ratio == pytest.approx((0.5 / 256 + 0.01) / (0.5 / 16 + 0.01))


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([4], r"lengths=\[4\] are not two or more rising numbers of tokens; give for example \[16, 32\]"),
        ([4, 4], "are not two or more rising"),
        ([8, 4], "are not two or more rising"),
        ([0, 4], "are not two or more rising"),
        ([1.5, 4], "are not two or more rising"),
        (
            [4, 13],
            r"lengths=\[4, 13\] does not fit into the caches of max_target=12; build the model with max_target=13",
        ),
    ],
)
def test_lengths_that_cannot_be_measured_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        decode_times(make("transformer"), lengths)
