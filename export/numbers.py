"""An artefact's numbers beside Keras's: every signature at several lengths, batch sizes and paddings.

Each case is called twice in one session and again in the reverse order, so that a state which stays behind from one
call shows in the next. Files with static shapes (TFLite) are fed row by row, padded with zeros. What `generate` and
`generate_beam` write is held beside Keras's as `export.written` has it.
"""

from dataclasses import dataclass, field

import numpy as np

from export import errors, written

# The largest error, as a share of the largest value or of 1. What is not here is reported and must be finite.
TOLERANCE = {"float32": 1e-4, "float16": 2e-2}
# The same call again: the same numbers, whatever the precision; integers may round the other way once.
_AGAIN = {"float32": 1e-4}
_AGAIN_ROUNDED = 2e-2


@dataclass
class _Seen:
    """What was seen of one signature."""

    cases: int = 0
    max_error: float = 0.0
    largest: float = 0.0
    sums: list = field(default_factory=list)
    counts: list = field(default_factory=list)
    other_tokens: int | None = None  # None where nothing is written

    def report(self):
        return {
            "cases": self.cases,
            "max_error": self.max_error,
            "mean_error": float(sum(self.sums) / max(sum(self.counts), 1)),
            "largest": self.largest,
            **({} if self.other_tokens is None else {"other_tokens": self.other_tokens}),
        }


def compare(session, cases, precision):
    """Runs every case through an artefact.

    Args:
        session: has `signatures` and `call(signature, **arrays)`, see `export.runtime.LiteRTSession`.
        cases: list of `Case`.
        precision: str. float32 and float16 are held to `TOLERANCE`; others must be finite and repeat themselves. Tokens
            are Keras's in float32 alone: with fewer bits it is the score that counts.

    Returns:
        dict of signature -> {"cases", "max_error", "mean_error", "largest"}: how many cases, the largest and the mean
        difference from Keras, and Keras's largest value. Where tokens are written also `other_tokens`, how many rows
        differ in them (in float32 at near ties, or in beam searches as good), and the errors are those of the
        log-probabilities before the first of them.

    Raises:
        NumbersError: naming the signature, the output, the case, the place and the error; or the signature that no case
            is of.
        StructureError: if the artefact lacks a signature or tensor, or has other shapes or dtypes.
    """
    described = session.signatures
    for case in cases:
        _check_signature(described, case)
    _check_covered(described, cases)
    seen, first = {}, []
    for number, case in enumerate(cases):
        got = _call(session, described[case.signature], case)
        first.append(got)
        _compare(seen.setdefault(case.signature, _Seen()), case, got, precision, f"case {number}")
        again = _call(session, described[case.signature], case)
        _check_again(case, got, again, precision, f"case {number}, called twice")
    for number in reversed(range(len(cases))):
        again = _call(session, described[cases[number].signature], cases[number])
        _check_again(cases[number], first[number], again, precision, f"case {number}, called in the reverse order")
    return {signature: one.report() for signature, one in seen.items()}


def _check_covered(described, cases):
    missing = sorted(set(described) - {case.signature for case in cases})
    if missing:
        raise errors.NumbersError(
            f"no case covers {', '.join(missing)}: what nobody looked at proves nothing; build the bundle again"
        )


def _check_signature(described, case):
    if case.signature not in described:
        raise errors.StructureError(
            f"the artefact has no signature {case.signature}, it has {', '.join(described)}; export it with all of them"
        )
    entry = described[case.signature]
    for side, tensors in (("inputs", case.inputs), ("outputs", case.outputs)):
        if set(entry[side]) != set(tensors):
            raise errors.StructureError(
                f"{case.signature}: the artefact's {side} are {', '.join(sorted(entry[side]))}, Keras's "
                f"{', '.join(sorted(tensors))}; export it again from this model"
            )
        for name, array in tensors.items():
            _check_tensor(case, name, array, entry[side][name])


def _check_tensor(case, name, array, entry):
    """A size may be dynamic, and a static batch or source differ from the case's: it is cut and padded to them."""
    shape = entry["shape"]
    fits = entry["dtype"] == array.dtype.name and len(shape) == array.ndim
    for axis, (size, given) in enumerate(zip(shape, array.shape, strict=False)):
        fits &= size in (None, given) or axis == 0 or (case.open_axes.get(name) == axis and size >= given)
    if not fits:
        raise errors.StructureError(
            f"{case.signature}: {name} is {entry['dtype']} {shape} in the artefact, Keras has {array.dtype.name} "
            f"{list(array.shape)}; export it again with the limits of this model"
        )


def _call(session, entry, case):
    """The case's outputs, of the case's shapes, in as many calls as the artefact's batch size needs."""
    fixed = next(tensor["shape"][0] for tensor in entry["inputs"].values())
    size = case.batch if fixed is None else fixed
    parts = []
    for start in range(0, case.batch, size):
        rows = [row if row < case.batch else 0 for row in range(start, start + size)]
        inputs = {
            name: _widened(array[rows], entry["inputs"][name]["shape"], case.open_axes.get(name))
            for name, array in case.inputs.items()
        }
        try:
            parts.append(session.call(case.signature, **inputs))
        except Exception as error:  # ONNX Runtime's and TensorFlow's errors have nothing else in common
            reason = " ".join(str(error).split())[:300]
            raise errors.NumbersError(f"{_named(case)}: the runtime stops ({reason}); export it again") from error
    return {name: _joined(case, name, [part[name] for part in parts]) for name in case.outputs}


def _widened(array, shape, axis):
    """The array with zeros up to the artefact's size, where that is fixed."""
    if axis is None or shape[axis] is None:
        return array
    padding = [(0, shape[place] - size if place == axis else 0) for place, size in enumerate(array.shape)]
    return np.pad(array, padding)


def _joined(case, name, parts):
    """The rows of all calls, cut to the case's batch and source."""
    wanted = case.outputs[name]
    got = np.concatenate(parts)[: case.batch]
    axis = case.open_axes.get(name)
    got = got if axis is None else np.take(got, range(min(wanted.shape[axis], got.shape[axis])), axis)
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        raise errors.StructureError(
            f"{_named(case)}: {name} comes out as {got.dtype} {list(got.shape)}, Keras's is {wanted.dtype} "
            f"{list(wanted.shape)}; export it again from this model"
        )
    return got


def _compare(seen, case, got, precision, what):
    """Adds a case to what was seen, and refuses what is out of tolerance."""
    seen.cases += 1
    agreed = _agreed(case, got, case.outputs, precision == "float32", what) if case.writes else None
    if case.writes:
        seen.other_tokens = (seen.other_tokens or 0) + int((~agreed[:, -1]).sum())
    for name, wanted, kept in _compared(case, case.outputs, agreed):
        error = _error(case, name, got[name], wanted, what, kept)
        largest = float(np.max(np.abs(wanted[kept]), initial=0))
        tolerance = _tolerance(case, wanted, largest, precision)
        _check_error(case, name, got[name], wanted, error, tolerance, what, "Keras")
        if wanted.dtype.kind in "iu":
            continue
        seen.max_error = max(seen.max_error, float(np.max(error, initial=0)))
        seen.largest = max(seen.largest, largest)
        seen.sums.append(float(error.sum()))
        seen.counts.append(int(kept.sum()))


def _tolerance(case, wanted, largest, precision):
    if case.writes:
        return written.LOG_PROBABILITY_TOLERANCE if precision == "float32" else np.inf
    if precision not in TOLERANCE:
        return np.inf
    # Lengths and positions are never rounded.
    return 0 if wanted.dtype.kind in "iu" else TOLERANCE[precision] * max(1.0, largest)


def _check_again(case, first, again, precision, what):
    tolerance = _AGAIN.get(precision, _AGAIN_ROUNDED)
    agreed = _agreed(case, again, first, True, what, "the first call") if case.writes else None
    for name, wanted, kept in _compared(case, first, agreed):
        error = _error(case, name, again[name], wanted, what, kept)
        largest = float(np.max(np.abs(wanted[kept]), initial=0))
        _check_error(case, name, again[name], wanted, error, tolerance * max(1.0, largest), what, "the first call")


def _agreed(case, got, wanted, held, what, whose="Keras"):
    """bool `(batch, target)`, the steps before the first other token; `held` refuses one that is not excused."""
    found = written.tokens(got, wanted, case.margin)
    if held and found.fault:
        row, step, difference = found.fault
        raise errors.NumbersError(
            f"{what}: {_named(case)}: row {row}, step {step}: {difference.replace('Keras', whose)}; {_advice(whose)}"
        )
    return found.before


def _compared(case, wanted, agreed):
    """Name, array and what of it is held to a tolerance, of each output; of tokens it is their log-probabilities."""
    if agreed is not None:
        return [("log_probability", wanted["log_probability"], agreed)]
    return [(name, array, case.kept(name, array)) for name, array in wanted.items()]


def _error(case, name, got, wanted, what, kept):
    """float64 of the output's shape, 0 where nothing is compared."""
    bad = kept & ~np.isfinite(got)
    if bad.any():
        place = _place(bad)
        raise errors.NumbersError(
            f"{what}: {_named(case)}: {name} is {got[tuple(place)]} at {place}; wanted a finite number; "
            "ship another precision"
        )
    return np.where(kept, np.abs(got.astype("float64") - wanted.astype("float64")), 0.0)


def _check_error(case, name, got, wanted, error, tolerance, what, whose):
    if np.max(error, initial=0) <= tolerance:
        return
    place = _place(error == error.max())
    raise errors.NumbersError(
        f"{what}: {_named(case)}: {name} is {got[tuple(place)]:.6g} at {place}, {whose} has "
        f"{wanted[tuple(place)]:.6g}: {error.max():.3g} apart, wanted at most {tolerance:.2g}; {_advice(whose)}"
    )


def _advice(whose):
    if whose == "Keras":
        return "look at what is special about this case: its length, its padding, its state"
    return "a state stays behind from call to call: it must be an input, or be computed at run time"


def _named(case):
    lengths = case.inputs.get("source_length") if case.lengths is None else case.lengths
    lengths = "" if lengths is None else f", lengths {lengths.tolist()}"
    widths = [array.shape[case.open_axes[name]] for name, array in case.inputs.items() if name in case.open_axes]
    return f"{case.signature} (batch {case.batch}{lengths}{f' padded to {widths[0]}' if widths else ''})"


def _place(mask):
    return [int(index) for index in np.argwhere(mask)[0]]
