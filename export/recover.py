"""Which layers of a quantised model stay in float32, so that its score comes back.

First everything is quantised. Where the score is too low, layers are ranked by the damage that each does while all
others are in float32; the most harmful are then kept one after another until the score is back; at last those are given
back that turn out not to be needed. Layers of a large model are ranked by neighbours first, and alone only in the most
harmful groups. Nothing here knows what an artefact is.

Ranked the other way about, by how much damage goes when a layer alone is kept in float32, two layers that both destroy
the answer cannot be told from harmless ones: with either the answer stays as wrong.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from export.errors import ConversionError, TaskError

# How many layers are ranked one by one; more are first ranked in so many groups of neighbours.
_RANKED_ALONE, _GROUPS = 24, 12
# After so many layers kept one by one, a quarter more is kept at each step.
_ONE_BY_ONE = 8
_GIVEN_BACK = 8
# What is no number at all, so that such damages can be subtracted.
_WORST = 1e30


@dataclass(frozen=True)
class Recovered:
    """What the search came to.

    Attributes:
        artefact: what `make` made.
        kept: tuple of names of the layers that stay in float32, in the order of the model.
        score: float, the artefact's.
        damage: float, the artefact's.
        tried: list of dicts, a step each: `kept` (names), `score`, `damage` and `why`.
    """

    artefact: object
    kept: tuple
    score: float
    damage: float
    tried: list


def recover(make, judge, layers, wanted):
    """Finds few layers to keep in float32 with which the score is at least `wanted`.

    Args:
        make: function of a tuple of names -> artefact, with these layers in float32. A `ConversionError` counts as an
            artefact of no use, except where nothing is kept.
        judge: function of an artefact -> (score, damage); of a score more is better, of a damage less. The damage moves
            with every layer, as the mean error of log-probabilities does; the score need not.
        layers: dict of name -> how many weights, in the order of the model; or a function that returns it, which is
            called only where all in 8 bits is not enough.
        wanted: float, the least score.

    Returns:
        `Recovered`.

    Raises:
        TaskError: if the score is too low even with all layers but one in float32.

    Example:
        >>> harm = {"a": 0.0, "b": 0.5, "c": 0.1}
        >>> def judge(kept):
        ...     damage = sum(harm[name] for name in harm if name not in kept)
        ...     return 1 - damage, damage
        >>> recover(lambda kept: kept, judge, dict.fromkeys(harm, 10), wanted=0.85).kept
        ('b',)
    """
    search = _Search(make, judge, wanted)
    everything = search.attempt((), "all in 8 bits")
    if everything.fits:
        return search.recovered(everything)
    layers = layers() if callable(layers) else layers
    search.order = list(layers)
    if not layers:
        raise TaskError(
            f"the score is {everything.score:.4g} in 8 bits, wanted {wanted:.4g}, and there is no layer that could "
            "stay in float32; ship another precision"
        )
    ranked = _rank(search, layers)
    return search.recovered(_give_back(search, _keep_more(search, ranked), layers))


def _rank(search, layers):
    """The layers, the most harmful first; of equal harm the one with fewer weights, since it costs less."""
    names, harm = list(layers), {}
    if len(names) == 1:
        return names

    def damage(part, why):
        return min(search.attempt([name for name in names if name not in part], why).damage, _WORST)

    parts = [[name] for name in names]
    if len(names) > _RANKED_ALONE:
        parts = _groups(names, _GROUPS)
    for part in parts:
        why = f"{part[0]} alone in 8 bits" if len(part) == 1 else f"{part[0]} to {part[-1]} alone in 8 bits"
        harm |= dict.fromkeys(part, damage(part, why))
    if len(parts) < len(names):
        # The members of the worst groups one by one; those of the others keep a share of their group's.
        worst = sorted(parts, key=lambda part: -harm[part[0]])
        alone = [name for part in worst for name in part][: max(_RANKED_ALONE, len(worst[0]))]
        shares = {name: harm[name] / len(part) for part in parts for name in part}
        harm = shares | {name: damage([name], f"{name} alone in 8 bits") for name in alone}
    return sorted(names, key=lambda name: (-harm[name], layers[name]))


def _groups(names, count):
    """Neighbours together, in groups of nearly equal size."""
    borders = [round(number * len(names) / count) for number in range(count + 1)]
    return [names[start:end] for start, end in pairwise(borders) if end > start]


def _keep_more(search, ranked):
    count = 1
    # One layer stays in 8 bits, or it would be no quantised model; where there is but one, it may be kept.
    most = max(1, len(ranked) - 1)
    while True:
        attempt = search.attempt(ranked[:count], f"the {count} most harmful kept")
        if attempt.fits:
            return attempt
        if count == most:
            raise TaskError(
                f"the score is {attempt.score:.4g} even with {count} of {len(ranked)} layers in float32, wanted "
                f"{search.wanted:.4g}; what hurts is not in those layers. Ship another precision, or calibrate on more "
                "examples, and such as will come"
            )
        count = min(most, count + (1 if count < _ONE_BY_ONE else max(1, count // 4)))


def _give_back(search, attempt, layers):
    """Without the layers that are not needed: the largest are tried first, as they save most."""
    for name in sorted(attempt.kept, key=lambda name: -layers[name])[:_GIVEN_BACK]:
        if len(attempt.kept) == 1:
            break
        without = search.attempt([other for other in attempt.kept if other != name], f"{name} given back")
        attempt = without if without.fits else attempt
    return attempt


@dataclass(frozen=True)
class _Attempt:
    kept: tuple
    score: float
    damage: float
    fits: bool


class _Search:
    """Makes and judges, each choice once, and remembers."""

    def __init__(self, make, judge, wanted):
        self.wanted, self.order, self.tried = wanted, [], []
        self._make, self._judge, self._known = make, judge, {}
        self._best = None  # the artefact that fitted last, as the result is always the last that fitted

    def attempt(self, kept, why):
        kept = tuple(name for name in self.order if name in set(kept))
        if kept not in self._known:
            self._known[kept] = self._try(kept, why)
        return self._known[kept]

    def _try(self, kept, why):
        try:
            artefact = self._make(kept)
        except ConversionError as error:
            if not kept:
                raise
            score, damage, why = -math.inf, math.inf, f"{why}: {error}"
        else:
            score, damage = map(float, self._judge(artefact))
        score, damage = -math.inf if math.isnan(score) else score, math.inf if math.isnan(damage) else damage
        attempt = _Attempt(kept, score, damage, score >= self.wanted)
        if attempt.fits:
            self._best = (kept, artefact)
        # JSON has no infinity.
        step = {"kept": list(kept), "score": _finite(score), "damage": _finite(damage), "why": why}
        self.tried.append(step)
        return attempt

    def recovered(self, attempt):
        kept, artefact = self._best
        if kept != attempt.kept:
            artefact = self._make(attempt.kept)
        return Recovered(artefact, attempt.kept, attempt.score, attempt.damage, self.tried)


def _finite(number):
    return number if math.isfinite(number) else None
