"""Learning rates that warm up in a straight line, then fall.

Steps are counted from 1, as the equations count them: the optimizer's `iterations` 0 is step 1, so that the first
update is not wasted on a rate of 0.
"""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_seq")
class WarmupInverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then the inverse square root of the step.

        rate(step) = scale * features^-0.5 * min(step^-0.5, step * warmup_steps^-1.5)

    The highest rate, at `step = warmup_steps`, is `scale / sqrt(features * warmup_steps)`.

    Args:
        features: int, width of the model (d_model).
        warmup_steps: int, number of steps of the warm-up.
        scale: float.

    Raises:
        ValueError: if an argument is not positive.

    Example:
        >>> schedule = WarmupInverseSquareRoot(features=512, warmup_steps=4000)
        >>> print([round(float(schedule(step - 1)), 6) for step in (1, 2000, 4000, 16000)])
        [0.0, 0.000349, 0.000699, 0.000349]

    Reference: Vaswani et al., 2017, "Attention Is All You Need", equation 3.
    """

    def __init__(self, features, warmup_steps=4000, scale=1.0):
        super().__init__()
        _check_positive(features=features, warmup_steps=warmup_steps, scale=scale)
        self.features = features
        self.warmup_steps = warmup_steps
        self.scale = scale

    def __call__(self, step):
        step = _from_one(step)
        highest = self.scale / math.sqrt(self.features * self.warmup_steps)
        return highest * ops.minimum(step / self.warmup_steps, ops.sqrt(self.warmup_steps / step))

    def get_config(self):
        return {"features": self.features, "warmup_steps": self.warmup_steps, "scale": self.scale}


class _WarmupThenDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to `peak`, then `peak` to `final` along `_fall`, a function from [0, 1] to [1, 0]."""

    def __init__(self, peak, total_steps, warmup_steps=0, final=0.0):
        super().__init__()
        _check_positive(peak=peak, total_steps=total_steps)
        if not 0 <= warmup_steps < total_steps:
            raise ValueError(
                f"warmup_steps={warmup_steps} is not in [0, total_steps={total_steps}); "
                "choose a tenth of the steps or less"
            )
        if not 0 <= final <= peak:
            raise ValueError(f"final={final} is not in [0, peak={peak}]; choose a rate below the peak")
        self.peak = peak
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps
        self.final = final

    def __call__(self, step):
        step = _from_one(step)
        progress = ops.clip((step - self.warmup_steps) / (self.total_steps - self.warmup_steps), 0.0, 1.0)
        falling = self.final + (self.peak - self.final) * self._fall(progress)
        if not self.warmup_steps:
            return falling
        return ops.where(step < self.warmup_steps, self.peak * step / self.warmup_steps, falling)

    def get_config(self):
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "warmup_steps": self.warmup_steps,
            "final": self.final,
        }


@keras.saving.register_keras_serializable("keras_seq")
class WarmupCosine(_WarmupThenDecay):
    """Linear warm-up, then half a cosine.

        rate(step) = peak * step / warmup_steps                                         up to warmup_steps
        rate(step) = final + (peak - final) * (1 + cos(pi * progress)) / 2              after
        progress   = (step - warmup_steps) / (total_steps - warmup_steps), 1 at most

    Args:
        peak: float, the highest rate.
        total_steps: int, the step at which `final` is reached, warm-up included.
        warmup_steps: int, number of steps of the warm-up.
        final: float, the rate at the end and after.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> schedule = WarmupCosine(peak=0.1, total_steps=110, warmup_steps=10)
        >>> print([round(float(schedule(step - 1)), 4) for step in (1, 10, 60, 110, 200)])
        [0.01, 0.1, 0.05, 0.0, 0.0]

    Reference: Loshchilov and Hutter, 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5.
    """

    def _fall(self, progress):
        return (1 + ops.cos(math.pi * progress)) / 2


@keras.saving.register_keras_serializable("keras_seq")
class WarmupLinear(_WarmupThenDecay):
    """Linear warm-up, then a straight line down.

        rate(step) = peak * step / warmup_steps                        up to warmup_steps
        rate(step) = final + (peak - final) * (1 - progress)           after
        progress   = (step - warmup_steps) / (total_steps - warmup_steps), 1 at most

    Args:
        peak: float, the highest rate.
        total_steps: int, the step at which `final` is reached, warm-up included.
        warmup_steps: int, number of steps of the warm-up.
        final: float, the rate at the end and after.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> schedule = WarmupLinear(peak=0.1, total_steps=110, warmup_steps=10)
        >>> print([round(float(schedule(step - 1)), 4) for step in (1, 10, 60, 110, 200)])
        [0.01, 0.1, 0.05, 0.0, 0.0]

    Reference: Devlin et al., 2019, "BERT", appendix A.2.
    """

    def _fall(self, progress):
        return 1 - progress


def _from_one(step):
    return ops.cast(step, "float32") + 1.0


def _check_positive(**numbers):
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name}={number} is not positive; choose a number above 0")
