"""The mask contract, for any layer: what is in the padding changes nothing.

the padding's content, and how much of it there is, change nothing
a batch equals its sequences one at a time
the future does not leak where the layer is causal
source and target may have different lengths
a row with nothing to attend to stays finite
eager, compiled and half precision agree
"""

from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import ops

from keras_seq.testing.compiled import compiled_forms
from keras_seq.testing.masked import Masked

_ADVICE = {
    "inverted mask": "the layer hides what the mask keeps: True must mean keep (PyTorch's masks say the opposite)",
    "weak mask": "the mask has an effect, yet padding still gets weight: fill masked scores with a large negative "
    "number, not a tiny one, before the softmax",
    "mask ignored": "the mask changes nothing: use it, or pass it on to the layer inside",
    "mask of another input": "the padding is hidden by another input's mask: mask keys by the lengths of the source, "
    "whatever the target's are",
    "future leak": "an output depends on later inputs: combine the mask with a causal one, keys <= queries",
    "not finite": "infinities or NaN where there is nothing to attend to: use a large finite number instead of "
    "infinity, and set such rows to zero after the softmax",
    "float16 overflow": "a constant such as -1e9 is infinite in float16: compute the softmax in float32",
    "mask ignored when compiled": "the compiled call does not see its mask: read it from the call's arguments, not "
    "from Python state kept on the layer",
    "compiled differs": "eager and compiled calls disagree: keep no Python state between calls, use keras.ops alone",
    "depends on batch mates": "a sequence gives something else alone than in a batch: look for sums, means, softmax or "
    "maxima over the batch axis",
    "depends on the amount of padding": "more padding changes the result: divide by the number of kept positions, and "
    "take the last kept state, not the last one",
    "other lengths refused": "a source and a target of different length make it fail: name both axes",
}


@dataclass(frozen=True)
class Violation:
    """One broken promise.

    Attributes:
        bug: str, its name, a key of the advice below it.
        change: str, what was done to the inputs.
        difference: float, the largest change of an output that should not have changed; NaN where it is not finite.
        where: tuple of int, where in the output that is.
    """

    bug: str
    change: str
    difference: float
    where: tuple

    def __str__(self):
        seen = f"output{list(self.where)} differs by {self.difference:.3g}"
        return f"{self.bug}: {self.change}, and {seen}. Mend: {_ADVICE[self.bug]}"


class MaskContractError(AssertionError):
    """A layer breaks the mask contract.

    Attributes:
        violations: list of `Violation`.
    """

    def __init__(self, name, violations):
        self.violations = violations
        lines = [f"  {violation}" for violation in violations]
        super().__init__("\n".join([f"{name} breaks the mask contract in {len(violations)} ways:", *lines]))


@dataclass
class _Problem:
    """A layer, how it is called, and one set of inputs."""

    layer: object
    inputs: dict
    lengths: dict
    masks: dict
    lengths_as: dict
    implicit: tuple
    follows: str

    def given_masks(self, **replaced):
        """The masks that are handed over, by the input they belong to; `replaced` puts others in."""
        names = {*self.masks.values(), *self.implicit}
        made = {name: np.arange(self.inputs[name].shape[1]) < self.lengths[name][:, None] for name in names}
        return {**made, **replaced}

    def call(self, masks=None, function=None):
        """The first output, as float32 numpy."""
        function = function or self.function()
        return _numpy(function(*self.tensors(masks)))

    def tensors(self, masks=None):
        """Inputs, masks and lengths in the order in which `function` takes them."""
        masks = self.given_masks() if masks is None else masks
        given = [*self.inputs.values(), *(masks[name] for name in self._mask_names())]
        given += [self.lengths[name].astype("int32") for name in self.lengths_as.values()]
        return [ops.convert_to_tensor(array) for array in given]

    def _mask_names(self):
        return [*self.masks.values(), *self.implicit]

    def function(self):
        """The call, as a function of tensors alone."""
        names, count = list(self.inputs), len(self.inputs)

        def call(*given):
            tensors = dict(zip(names, given[:count], strict=True))
            masks = given[count : count + len(self._mask_names())]
            arguments = dict(zip(self.masks, masks[: len(self.masks)], strict=True))
            for name, mask in zip(self.implicit, masks[len(self.masks) :], strict=True):
                tensors[name] = Masked(mask, name="masked")(tensors[name])
            arguments |= dict(zip(self.lengths_as, given[count + len(masks) :], strict=True))
            return keras.tree.flatten(self.layer(**tensors, **arguments))[0]

        return call

    def kept(self, output):
        """True at the outputs that are promised: those of kept positions, all where the output has no time axis."""
        if self.follows is None or self.follows not in self.lengths:
            return np.ones(output.shape, bool)
        kept = np.arange(output.shape[1]) < self.lengths[self.follows][:, None]
        return np.broadcast_to(kept.reshape(kept.shape + (1,) * (output.ndim - 2)), output.shape)


def check_mask_contract(
    layer,
    inputs,
    lengths,
    masks=None,
    lengths_as=None,
    implicit=(),
    follows=None,
    causal=False,
    fixed=(),
    tolerance=1e-4,
):
    """Finds the classic mask bugs of a layer, and says which and what to do.

    The layer is called on your inputs, and on variants of them that must give the same: other numbers in the padding,
    more padding, one row at a time, compiled, in half precision, and so on.

    Args:
        layer: a `keras.layers.Layer`, or a function that is called in the same way; a function is not tried in half
            precision.
        inputs: dict of call argument to float array `(batch, time, ...)`, padded on the right, or an array without
            time. Let the time of source and target differ. At least two rows.
        lengths: dict of input to int array `(batch,)`, for the inputs that are padded sequences. At least one row of
            each should be shorter than its time, and the lengths of source and target should differ.
        masks: dict of call argument to the input whose mask, bool `(batch, time)`, it takes: {"value_mask": "value"}.
        lengths_as: dict of call argument to the input whose lengths it takes, instead of a mask.
        implicit: inputs that carry their mask with them, as the output of `Embedding(mask_zero=True)` does.
        follows: the input along whose time the outputs run; None where the output has no time axis. Outputs at its
            padded positions are not looked at, but must be finite.
        causal: bool, no output may depend on later positions of `follows`.
        fixed: inputs whose time cannot change, such as those of a layer with weights for each position.
        tolerance: float, share of the largest output by which equal outputs may differ.

    Returns:
        list of str, the checks that were done; a check that could not be is named with the reason.

    Raises:
        MaskContractError: if the layer breaks the contract; it lists all violations.
        ValueError: if the inputs cannot show a bug: no padding, one row, or a name that is not an input.

    Example:
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
    problem = _Problem(layer, inputs, lengths, masks or {}, lengths_as or {}, tuple(implicit), follows)
    _check_arguments(problem, fixed, causal)
    base = problem.call()
    done, violations = [], []
    checks = [
        ("batch mates", lambda: _mates(problem, base, tolerance)),
        *(
            (f"padding of {name}", lambda name=name: _padding(problem, base, name, fixed, tolerance))
            for name in lengths
        ),
        ("amount of padding", lambda: _amount(problem, base, fixed, tolerance)),
        ("nothing to attend to", lambda: _nothing(problem)),
        ("compiled", lambda: _compiled(problem, base, tolerance)),
        ("float16", lambda: _half(problem, base)),
    ]
    if causal:
        checks.append(("future", lambda: _future(problem, base, tolerance)))
    for name, check in checks:
        bugs = {violation.bug for violation in violations}
        again = "depends on batch mates" in bugs and name.startswith("padding of")
        if again or (bugs and name == "amount of padding"):
            done.append(f"{name}: skipped, what is found already would show here again")
            continue
        found = check()
        if isinstance(found, str):
            done.append(f"{name}: {found}")
        else:
            done.append(name)
            violations += found
    if violations:
        raise MaskContractError(getattr(layer, "name", repr(layer)), violations)
    return done


def _check_arguments(problem, fixed, causal):
    named = [*problem.lengths, *problem.masks.values(), *problem.lengths_as.values(), *problem.implicit, *fixed]
    named += [] if problem.follows is None else [problem.follows]
    for name in named:
        if name not in problem.inputs:
            raise ValueError(f"{name!r} is no input; the inputs are {', '.join(problem.inputs)}")
    for name in {*problem.masks.values(), *problem.lengths_as.values(), *problem.implicit} - set(problem.lengths):
        raise ValueError(f"the mask of {name} is made of its lengths; give lengths={{{name!r}: ...}}")
    for name, lengths in problem.lengths.items():
        batch, time = problem.inputs[name].shape[:2]
        if batch < 2 or lengths.min() >= time or lengths.min() < 1 or len(lengths) != batch:
            raise ValueError(
                f"{name} of shape {problem.inputs[name].shape} with lengths {lengths.tolist()} can show no bug; give "
                f"two rows or more, a length of 1 to {time} each, and one of them shorter than {time}"
            )
    if causal and problem.follows is None:
        raise ValueError("causal=True wants follows, the input along whose time the outputs run")


def _padding(problem, base, name, fixed, tolerance):
    """Other numbers in the padding of one input."""
    if name not in problem.given_masks() and name not in problem.lengths_as.values() and name != problem.follows:
        return "skipped, it has no mask"
    if not _sensitive(problem, name, tolerance, base):
        return []
    change = f"the padding of {name} was given other numbers"
    difference, where = _difference(problem, base, _with_other_padding(problem, name).call())
    return [Violation(_which(problem, base, name, fixed, tolerance), change, difference, where)]


def _which(problem, base, name, fixed, tolerance):
    """The bug behind an output that changes with the padding."""
    masks = problem.given_masks()
    if name not in masks:
        return "weak mask"
    turned = {**masks, name: ~masks[name]}
    if not _sensitive(problem, name, tolerance, problem.call(turned), turned):
        return "inverted mask"
    everything = {**masks, name: np.ones_like(masks[name])}
    if not _far(problem, base, problem.call(everything), tolerance):
        return "mask of another input" if _hidden_by_another(problem, name, fixed, tolerance) else "mask ignored"
    return "weak mask"


def _hidden_by_another(problem, name, fixed, tolerance):
    """Whether some other input's mask hides this one's padding: both are brought to one time, and it gets the mask."""
    for other in set(problem.given_masks()) - {name}:
        if {name, other} & set(fixed):
            continue
        time = max(problem.inputs[key].shape[1] for key in (name, other))
        equal = _padded_to(problem, {name: time, other: time})
        masks = equal.given_masks()
        masks[other] = masks[name]
        equal = replace(equal, lengths={**equal.lengths, other: equal.lengths[name]})
        if not _sensitive(equal, name, tolerance, equal.call(masks), masks):
            return True
    return False


def _amount(problem, base, fixed, tolerance):
    """More padding, and as little as there can be."""
    longer = {name: problem.inputs[name].shape[1] + 3 for name in problem.lengths if name not in fixed}
    if not longer:
        return "skipped, all times are fixed"
    found = []
    for name, time in longer.items():
        try:
            output = _padded_to(problem, {name: time}).call()
        except Exception as error:  # whatever a layer raises for a time that it did not expect
            change = f"{name} was padded to a time of {time}, which raised {type(error).__name__}: {error}"
            found.append(Violation("other lengths refused", change[:300], float("nan"), ()))
            continue
        output = output[:, : base.shape[1]] if name == problem.follows else output
        if _far(problem, base, output, tolerance) and not _sensitive(problem, name, tolerance, base):
            change = f"{name} was padded to a time of {time}"
            found.append(Violation("depends on the amount of padding", change, *_difference(problem, base, output)))
    return found


def _mates(problem, base, tolerance):
    """Each row alone, in the padding that it had."""
    rows = []
    for row in range(len(base)):
        part = slice(row, row + 1)
        alone = replace(
            problem,
            inputs={name: array[part] for name, array in problem.inputs.items()},
            lengths={name: array[part] for name, array in problem.lengths.items()},
        )
        rows.append(alone.call())
    output = np.concatenate(rows)
    if not _far(problem, base, output, tolerance):
        return []
    change = "each row was given alone"
    return [Violation("depends on batch mates", change, *_difference(problem, base, output))]


def _nothing(problem):
    """One row of a masked input without anything to attend to."""
    found = []
    for name in problem.lengths:
        lengths = problem.lengths[name].copy()
        lengths[0] = 0
        output = replace(problem, lengths={**problem.lengths, name: lengths}).call()
        if not np.isfinite(output).all():
            change = f"row 0 of {name} was given a length of 0"
            found.append(Violation("not finite", change, float("nan"), _first_bad(output)))
    return found


def _compiled(problem, base, tolerance):
    """Compiled once, called with two sets of masks, the second after the compilation."""
    forms = compiled_forms(problem.function())
    if not forms:
        return f"skipped, the {keras.backend.backend()} backend has no compiler here"
    everything = {name: np.ones_like(mask) for name, mask in problem.given_masks().items()}
    found = []
    for form, function in forms.items():
        problem.call(everything, function)
        output = problem.call(None, function)
        if _far(problem, base, output, tolerance):
            unmasked = everything and not _far(problem, problem.call(everything), output, tolerance)
            bug = "mask ignored when compiled" if unmasked else "compiled differs"
            change = f"it was compiled by {form}, with other masks"
            found.append(Violation(bug, change, *_difference(problem, base, output)))
    return found


def _half(problem, base):
    """The same weights in mixed_float16, also for a row with nothing to attend to."""
    if not isinstance(problem.layer, keras.layers.Layer):
        return "skipped, a function has no dtype policy"
    if not np.isfinite(base).all():
        return "skipped, it is not finite in float32"
    layer = _in_half_precision(problem.layer)
    half = replace(problem, layer=layer)
    half.call()
    layer.set_weights(problem.layer.get_weights())
    output = half.call()
    change = "it was computed in mixed_float16"
    if not np.isfinite(output).all():
        return [Violation("float16 overflow", change, float("nan"), _first_bad(output))]
    if _far(problem, base, output, 0.05):
        return [Violation("float16 overflow", change, *_difference(problem, base, output))]
    if _nothing(half) and not _nothing(problem):
        return [Violation("float16 overflow", f"{change}, a row having nothing to attend to", float("nan"), (0,))]
    return []


def _future(problem, base, tolerance):
    """Other numbers from the middle of the sequence on."""
    name = problem.follows
    middle = max(1, problem.lengths.get(name, np.array([problem.inputs[name].shape[1]])).max() // 2)
    array = problem.inputs[name].copy()
    array[:, middle:] = _other(array[:, middle:])
    output = replace(problem, inputs={**problem.inputs, name: array}).call()
    early, changed = base[:, :middle], output[:, :middle]
    if not _far(problem, early, changed, tolerance):
        return []
    change = f"{name} was given other numbers from position {middle} on"
    return [Violation("future leak", change, *_difference(problem, early, changed))]


def _sensitive(problem, name, tolerance, base, masks=None):
    """Whether the output changes with what is in the padding of an input."""
    return _far(problem, base, _with_other_padding(problem, name).call(masks), tolerance)


def _with_other_padding(problem, name):
    array = problem.inputs[name].copy()
    padding = np.arange(array.shape[1]) >= problem.lengths[name][:, None]
    array[padding] = _other(array[padding])
    return replace(problem, inputs={**problem.inputs, name: array})


def _other(numbers):
    """Numbers of another sign and size, none of them zero."""
    return (-20 * numbers + 30 * np.cos(np.arange(numbers.size)).reshape(numbers.shape)).astype(numbers.dtype)


def _padded_to(problem, times):
    inputs = dict(problem.inputs)
    for name, time in times.items():
        array = inputs[name]
        widths = [(0, 0), (0, time - array.shape[1])] + [(0, 0)] * (array.ndim - 2)
        inputs[name] = np.pad(array, widths, constant_values=7)
    return replace(problem, inputs=inputs)


def _far(problem, base, output, tolerance):
    if base.shape != output.shape:
        return True
    difference, _ = _difference(problem, base, output)
    return not difference <= tolerance * max(1e-3, np.abs(np.where(problem.kept(base), base, 0)).max())


def _difference(problem, base, output):
    if base.shape != output.shape:
        return float("nan"), output.shape
    apart = np.where(problem.kept(base), np.abs(base - output), 0)
    where = np.unravel_index(np.argmax(apart), apart.shape)
    return float(apart[where]), tuple(int(index) for index in where)


def _first_bad(output):
    return tuple(int(index) for index in np.argwhere(~np.isfinite(output))[0])


def _in_half_precision(layer):
    """A layer of the same configuration in mixed_float16, its sub-layers too."""

    def half(config):
        if isinstance(config, dict):
            if config.get("class_name") == "DTypePolicy":
                return {**config, "config": {"name": "mixed_float16"}}
            return {key: half(value) for key, value in config.items()}
        return [half(value) for value in config] if isinstance(config, list | tuple) else config

    return keras.saving.deserialize_keras_object(
        half(keras.saving.serialize_keras_object(layer)), custom_objects={type(layer).__name__: type(layer)}
    )


def _numpy(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))
