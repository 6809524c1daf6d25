"""The mask contract, for any layer: what is in the padding changes nothing.

the padding's content, and how much of it there is, change nothing
a batch equals its sequences one at a time
the future does not leak where the layer is causal
source and target may have different lengths
a row with nothing to attend to stays finite, and so does its gradient
eager, compiled and half precision agree
"""

import numpy as np

from keras_seq.testing import mask_checks
from keras_seq.testing.mask_problem import Problem
from keras_seq.testing.mask_violations import MaskContractError, Violation


def check_mask_contract(
    layer,
    inputs,
    lengths,
    masks=None,
    lengths_as=None,
    implicit=(),
    padded_with=None,
    follows=None,
    causal=False,
    fixed=(),
    arguments=None,
    tolerance=1e-4,
):
    """Finds the classic mask bugs of a layer, and says which and what to do.

    The layer is called on your inputs, and on variants of them that must give the same: other numbers in the padding,
    more padding, one row at a time, compiled, in half precision, and so on. Its first output is looked at.

    Args:
        layer: a `keras.layers.Layer`, a functional `keras.Model` whose inputs have the names of yours, or a function
            that is called as a layer is; a function is not tried in half precision.
        inputs: dict of call argument to array `(batch, time, ...)`, padded on the right, or an array without time.
            Numbers of a size near 1 are best. Inputs of one time and the same lengths are taken for one sequence, such
            as the query and the value of self-attention: they are padded together. So let source and target differ.
        lengths: dict of input to int array `(batch,)`, for the inputs that are padded sequences; one row of each at
            least shorter than its time.
        masks: dict of call argument to the input whose mask, bool `(batch, time)`, it takes: {"value_mask": "value"}.
        lengths_as: dict of call argument to the input whose lengths it takes, instead of a mask.
        implicit: inputs that carry their mask with them, as the output of `Embedding(mask_zero=True)` does.
        padded_with: dict of input to the value that marks its padding, for a model that makes the mask of it itself:
            {"ids": 0}.
        follows: the input along whose time the outputs run; None where the output has no time axis. Outputs at its
            padded positions are not looked at, but must be finite.
        causal: bool, no output may depend on later positions of the sequence that `follows` names.
        fixed: inputs whose time cannot change, such as those of a layer with weights for each position.
        arguments: dict, further arguments of every call: {"use_causal_mask": True}.
        tolerance: float, share of the largest output by which equal outputs may differ.

    Returns:
        list of str, the checks that were done; a check that could not be is named with the reason.

    Raises:
        MaskContractError: if the layer breaks the contract; it lists all violations.
        ValueError: if the inputs cannot show a bug: no padding, or a name that is not an input.

    Example:
        >>> import keras
        >>> random = np.random.default_rng(0)
        >>> checks = check_mask_contract(
        ...     keras.layers.GRU(4),
        ...     {"sequences": random.normal(size=(3, 6, 5)).astype("float32")},
        ...     lengths={"sequences": np.array([6, 2, 4])},
        ...     masks={"mask": "sequences"},
        ... )
        >>> "padding of sequences" in checks
        True
    """
    problem = Problem(
        layer,
        inputs,
        lengths,
        masks=masks or {},
        lengths_as=lengths_as or {},
        implicit=tuple(implicit),
        padded_with=padded_with or {},
        follows=follows,
        fixed=tuple(fixed),
        arguments=arguments or {},
        tolerance=tolerance,
    )
    _check_arguments(problem, causal)
    base = problem.call()
    _check_follows(problem, base)
    name = getattr(layer, "name", None) or getattr(layer, "__name__", repr(layer))
    if not np.isfinite(problem.promised(base)).all():
        raise MaskContractError(name, [Violation("not finite", "the inputs were given as they are", float("nan"), ())])
    done, violations = [], []
    for check, find in _checks(problem, base, causal).items():
        found = find() if _is_worth(check, violations) else "skipped, what is found already would show here again"
        done.append(f"{check}: {found}" if isinstance(found, str) else check)
        violations += [] if isinstance(found, str) else found
    if violations:
        raise MaskContractError(name, violations)
    return done


def _checks(problem, base, causal):
    """The checks by name, in the order in which they are made."""
    padding = {
        f"padding of {name}": lambda name=name: mask_checks.check_padding(problem, base, name)
        for name in problem.lengths
    }
    checks = {
        "order of the rows": lambda: mask_checks.check_order(problem, base),
        "batch mates": lambda: mask_checks.check_mates(problem, base),
        **padding,
        "amount of padding": lambda: mask_checks.check_amount(problem, base),
        "nothing to attend to": lambda: mask_checks.check_nothing(problem),
        "gradients": lambda: mask_checks.check_gradients(problem, base),
        "compiled": lambda: mask_checks.check_compiled(problem, base),
        "float16": lambda: mask_checks.check_half(problem, base),
    }
    return {**checks, "future": lambda: mask_checks.check_future(problem, base)} if causal else checks


def _is_worth(check, violations):
    """Whether a check can find something besides what is found."""
    bugs = {violation.bug for violation in violations}
    if "state kept between calls" in bugs:
        return False
    if check in ("amount of padding", "gradients"):
        return not bugs
    return "depends on batch mates" not in bugs or not check.startswith("padding of")


def _check_arguments(problem, causal):
    masked = {*problem.masks.values(), *problem.lengths_as.values(), *problem.implicit, *problem.padded_with}
    named = [*problem.lengths, *sorted(masked), *problem.fixed, *([] if problem.follows is None else [problem.follows])]
    for name in named:
        if name not in problem.inputs:
            raise ValueError(f"{name!r} is no input; the inputs are {', '.join(problem.inputs)}")
    for name in sorted(masked - set(problem.lengths)):
        raise ValueError(f"the mask of {name} is made of its lengths; give lengths={{{name!r}: ...}}")
    if not problem.lengths:
        raise ValueError("lengths={} names no padded sequence; give lengths={'name': [...]} for one input at least")
    for name, lengths in problem.lengths.items():
        batch, time = problem.inputs[name].shape[:2]
        if len(lengths) != batch or lengths.min() < 1 or lengths.max() > time or lengths.min() == time:
            raise ValueError(
                f"{name} of shape {problem.inputs[name].shape} with lengths {lengths.tolist()} can show no bug; give "
                f"a length of 1 to {time} for each of its {batch} rows, one of them shorter than {time}"
            )
    if causal and problem.follows is None:
        raise ValueError("causal=True wants follows, the input along whose time the outputs run")


def _check_follows(problem, base):
    name = problem.follows
    if name is not None and (base.ndim < 2 or base.shape[1] != problem.time(name)):
        raise ValueError(
            f"the output of shape {base.shape} does not run along {name}, whose time is {problem.time(name)}; "
            "let follows name the input that it runs along, or leave it out"
        )
