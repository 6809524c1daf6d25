import math

import keras
import pytest

from keras_seq.training.schedules import WarmupCosine, WarmupInverseSquareRoot, WarmupLinear

SCHEDULES = [
    WarmupInverseSquareRoot(features=64, warmup_steps=50, scale=2.0),
    WarmupCosine(peak=0.3, total_steps=200, warmup_steps=20, final=0.01),
    WarmupLinear(peak=0.3, total_steps=200, warmup_steps=20, final=0.01),
    WarmupCosine(peak=0.3, total_steps=200),
]


def test_inverse_square_root_is_equation_3():
    schedule = SCHEDULES[0]
    for step in (1, 2, 49, 50, 51, 1000):
        wanted = 2 * 64**-0.5 * min(step**-0.5, step * 50**-1.5)
        assert float(schedule(step - 1)) == pytest.approx(wanted, rel=1e-6)


def test_cosine_and_line_rise_to_the_peak_and_fall_to_the_end():
    cosine, line = SCHEDULES[1:3]
    for schedule in (cosine, line):
        assert float(schedule(0)) == pytest.approx(0.3 / 20)
        assert float(schedule(9)) == pytest.approx(0.15)
        assert float(schedule(19)) == pytest.approx(0.3)
        assert float(schedule(109)) == pytest.approx((0.3 + 0.01) / 2)
        assert float(schedule(199)) == float(schedule(5000)) == pytest.approx(0.01)
    quarter = 20 + 180 // 4
    assert float(cosine(quarter - 1)) == pytest.approx(0.01 + 0.29 * (1 + math.cos(math.pi / 4)) / 2)
    assert float(line(quarter - 1)) == pytest.approx(0.01 + 0.29 * 0.75)


def test_without_warm_up_the_first_step_is_near_the_peak():
    assert float(SCHEDULES[3](0)) == pytest.approx(0.3, rel=1e-3)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_first_update_is_not_wasted_and_the_rate_rises_then_falls(schedule):
    rates = [float(schedule(step)) for step in range(200)]
    top = rates.index(max(rates))
    assert rates[0] > 0
    assert rates[: top + 1] == sorted(rates[: top + 1]) and rates[top:] == sorted(rates[top:], reverse=True)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_config_round_trip_within_an_optimizer(schedule):
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(keras.optimizers.Adam(schedule)))
    again = optimizer._learning_rate
    assert type(again) is type(schedule) and again.get_config() == schedule.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WarmupInverseSquareRoot(0), "features=0 is not positive"),
        (lambda: WarmupInverseSquareRoot(8, warmup_steps=-1), "warmup_steps=-1 is not positive"),
        (lambda: WarmupCosine(0.0, 10), "peak=0.0 is not positive"),
        (lambda: WarmupLinear(0.1, 10, warmup_steps=10), "warmup_steps=10 is not in"),
        (lambda: WarmupLinear(0.1, 10, final=0.2), "final=0.2 is not in"),
    ],
)
def test_impossible_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
