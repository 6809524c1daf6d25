"""One line of the tables."""

import statistics
from dataclasses import asdict, dataclass

HEADING = (
    f"  {'':40} {'parameters':>10} {'first, s':>8} {'step, ms':>8} {'tokens':>7} {'a second':>8} {'ratio':>6}    bar"
)


@dataclass(frozen=True)
class Row:
    """What was measured of one contestant on one kind of batches.

    Attributes:
        table: str, "equal" or "own".
        name: str, the contestant.
        parameters: int.
        first: float, seconds of the first steps, compilation included.
        step: float, median milliseconds of a step.
        tokens: float, target tokens of a step in the mean, padding not counted.
        speed: float, median of the rounds' such tokens a second.
        ours: float, speed of ours in the same rounds.
        bar: float, least ours / speed that is wanted; None where nothing is.
    """

    table: str
    name: str
    parameters: int
    first: float
    step: float
    tokens: float
    speed: float
    ours: float
    bar: float | None = None

    @property
    def ratio(self):
        return self.ours / self.speed

    @property
    def holds(self):
        return self.bar is None or self.ratio >= self.bar

    def line(self, described):
        """As text; `described` says who the contestant is."""
        bar = "" if self.bar is None else f"{self.bar:6.2f}" + ("" if self.holds else "  MISSED")
        return (
            f"  {described:40} {self.parameters:10} {self.first:8.1f} {self.step:8.0f} {self.tokens:7.0f} "
            f"{self.speed:8.0f} {self.ratio:6.2f} {bar}"
        )

    def to_json(self):
        """As a dict that JSON can hold."""
        rounded = {name: round(getattr(self, name), 1) for name in ("first", "step", "tokens", "speed", "ours")}
        return {**asdict(self), **rounded, "ratio": round(self.ratio, 3)}


def row(table, child, first, rounds, steps, ours, bar):
    """The row of a contestant's rounds.

    Args:
        table, bar: as `Row`.
        child: `Child`.
        first: float, seconds.
        rounds: list of seconds and tokens.
        steps: int, steps in a round.
        ours: list of seconds and tokens, of ours in the same rounds.

    Returns:
        `Row`.
    """
    step = 1000 * statistics.median(seconds for seconds, _ in rounds) / steps
    tokens = sum(tokens for _, tokens in rounds) / len(rounds) / steps
    return Row(table, child.name, child.parameters, first, step, tokens, _speed(rounds), _speed(ours), bar)


def _speed(rounds):
    return statistics.median(tokens / seconds for seconds, tokens in rounds)
