"""The bugs that the mask contract knows by name, and the error that lists them."""

import math
from dataclasses import dataclass

_ADVICE = {
    "state kept between calls": "the same rows in another order give something else: keep nothing on the layer that "
    "comes from a call, neither masks nor states",
    "inverted mask": "the layer hides what the mask keeps: True must mean keep (PyTorch's masks say the opposite)",
    "weak mask": "the mask has an effect, yet padding still gets weight: fill masked scores with a large negative "
    "number such as -1e9, not a tiny or small one, before the softmax and not after it",
    "mask ignored": "the mask changes nothing: use it, or pass it on to the layer inside",
    "mask of another input": "the padding is hidden by another input's mask: mask keys by the lengths of the source, "
    "whatever the target's are",
    "future leak": "an output depends on later inputs: combine the mask with a causal one, keys <= queries",
    "not finite": "infinities or NaN where there is nothing to attend to: use a large finite number instead of "
    "infinity, and set such rows to zero after the softmax",
    "large inputs overflow": "infinities or NaN though nothing is masked away: take the maximum off the scores before "
    "the exponential, as ops.softmax does",
    "gradient not finite": "the output is finite and its gradient is not: ops.where mends a value, not the gradient of "
    "what it hides; keep infinities out of the softmax instead of replacing its NaN",
    "gradient in the padding": "the output does not depend on the padding, yet training would move it: mask before the "
    "sums, not by what is added to them",
    "float16 overflow": "a constant such as -1e9 is infinite in float16: compute the softmax in float32",
    "mask ignored when compiled": "the compiled call does not see its mask: read it from the call's arguments, not "
    "from Python state kept on the layer",
    "compiled differs": "eager and compiled calls disagree: keep no Python state between calls, use keras.ops alone",
    "depends on batch mates": "a sequence gives something else alone than in a batch: look for sums, means, softmax or "
    "maxima over the batch axis",
    "depends on the amount of padding": "more padding changes the result: mask the padding, divide by the number of "
    "kept positions, and take the last kept state, not the last one",
    "other lengths refused": "a source and a target of different length make it fail: name both axes",
}


@dataclass(frozen=True)
class Violation:
    """One broken promise.

    Attributes:
        bug: str, its name.
        change: str, what was done to the inputs.
        difference: float, the largest change of an output that should not have changed; NaN where it is not finite.
        where: tuple of int, where in the output that is; empty where there is no output.
    """

    bug: str
    change: str
    difference: float
    where: tuple

    def __str__(self):
        seen = "is not finite" if math.isnan(self.difference) else f"differs by {self.difference:.3g}"
        seen = f", and output{list(self.where)} {seen}" if self.where else ""
        return f"{self.bug}: {self.change}{seen}. Mend: {_ADVICE[self.bug]}"


class MaskContractError(AssertionError):
    """A layer breaks the mask contract.

    Attributes:
        violations: list of `Violation`.
    """

    def __init__(self, name, violations):
        self.violations = violations
        lines = [f"  {violation}" for violation in violations]
        super().__init__("\n".join([f"{name} breaks the mask contract in {len(violations)} ways:", *lines]))
