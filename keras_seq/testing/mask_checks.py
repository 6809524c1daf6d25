"""The checks of the mask contract: each makes calls that must agree, and names the bug where they do not.

A check returns a list of violations, or why it could not be made.
"""

from dataclasses import replace

import keras
import numpy as np

from keras_seq.testing.compiled import compiled_forms
from keras_seq.testing.gradients import gradients
from keras_seq.testing.mask_violations import Violation

# Scores grow with the square: a fill of -100 hides the padding from scores near 1, and not from one of -500.
_LARGE = 30
_HALF_TOLERANCE = 0.05


def check_order(problem, base):
    """The rows one place further: what a layer keeps of an earlier call meets other rows."""
    order = np.roll(np.arange(len(base)), 1)
    moved = problem.rows(order)
    output, again = moved.call(), problem.call()
    if moved.far(base[order], output):
        return [
            _violation("state kept between calls", "the rows were put in another order", moved, base[order], output)
        ]
    if problem.far(base, again):
        return [_violation("state kept between calls", "the same was given again", problem, base, again)]
    return []


def check_mates(problem, base):
    """Each row alone, in the padding that it had."""
    if len(base) == 1:
        return "skipped, there is one row"
    output = np.concatenate([problem.rows(slice(row, row + 1)).call() for row in range(len(base))])
    if not problem.far(base, output):
        return []
    return [_violation("depends on batch mates", "each row was given alone", problem, base, output)]


def check_padding(problem, base, name):
    """Other numbers in the padding of one input."""
    if not problem.guarded(name):
        return "skipped, its padding is its mask" if name in problem.padded_with else "skipped, it has no mask"
    change = f"the padding of {name} was given other numbers"
    output = problem.with_other_padding(name).call()
    if problem.far(base, output):
        return [_violation(_padding_bug(problem, name), change, problem, base, output)]
    return _check_large(problem, name, _LARGE) or _check_large(problem, name, -_LARGE)


def _check_large(problem, name, factor):
    """The same where scores are large and of both signs, and one key is all there is to outweigh the padding's."""
    large = problem.times({**dict.fromkeys(problem.inputs, _LARGE), name: factor}).with_lengths(
        problem.only_first(name)
    )
    change = f"{name} was multiplied by {factor}, all else by {_LARGE}, and cut to a length of 1"
    base = large.call()
    if not np.isfinite(large.promised(base)).all():
        return [_not_finite("large inputs overflow", change, base)]
    output = large.with_other_padding(name).call()
    if not large.far(base, output):
        return []
    change = f"{change}, and its padding was given other numbers"
    return [_violation(_padding_bug(large, name), change, large, base, output)]


def _padding_bug(problem, name):
    """The bug behind an output that changes with the padding."""
    masks, base = problem.given_masks(), problem.call()
    if name not in masks:
        return "weak mask" if problem.far(base, problem.unmasked().call()) else "mask ignored"
    if not problem.sees_padding(name, {**masks, name: ~masks[name]}):
        return "inverted mask"
    if problem.far(base, problem.call({**masks, name: np.ones_like(masks[name])})):
        return "weak mask"
    return "mask of another input" if _is_hidden_by_another(problem, name) else "mask ignored"


def _is_hidden_by_another(problem, name):
    """Whether some other input's mask hides this one's padding: both are brought to one time, and it gets the mask."""
    for another in set(problem.given_masks()) - {name}:
        if {name, another} & set(problem.fixed):
            continue
        time = max(problem.time(name), problem.time(another))
        equal = problem.padded_to({name: time, another: time}).with_lengths({another: problem.lengths[name]})
        if not equal.sees_padding(name):
            return True
    return False


def check_amount(problem, base):
    """More padding, for each sequence by itself."""
    groups = [names for names in problem.sequences() if not set(names) & set(problem.fixed)]
    if not groups:
        return "skipped, all times are fixed"
    found = []
    for names in groups:
        what, time = " and ".join(names), problem.time(names[0]) + 3
        change = f"{what} was padded to a time of {time}"
        try:
            output = problem.padded_to(dict.fromkeys(names, time)).call()
        except Exception as error:  # whatever a layer raises for a time that it did not expect
            change = f"{change}, which raised {type(error).__name__}: {error}"[:300]
            found.append(Violation("other lengths refused", change, float("nan"), ()))
            continue
        output = output[:, : base.shape[1]] if problem.follows in names else output
        if output.shape != base.shape:
            raise ValueError(
                f"the output grew from {base.shape} to {output.shape} when {what} was padded to a time of {time}; "
                f"say which input the output runs along, such as follows={names[0]!r}"
            )
        masked = all(name in problem.padded_with or problem.guarded(name) for name in names)
        if masked and problem.far(base, output):
            found.append(_violation("depends on the amount of padding", change, problem, base, output))
    return found


def check_nothing(problem):
    """One row of a sequence without anything to attend to."""
    found = []
    for name in problem.lengths:
        output = problem.with_nothing(name).call()
        if not np.isfinite(output).all():
            found.append(_not_finite("not finite", f"row 0 of {name} was given a length of 0", output))
    return found


def check_gradients(problem, base):
    """Gradients of the inputs: none in the padding, finite where there is nothing to attend to."""
    if any(array.dtype.kind != "f" for array in problem.inputs.values()):
        return "skipped, an input is of whole numbers"
    found = []
    for name, gradient in _input_gradients(problem, base).items():
        if name not in problem.lengths or not problem.guarded(name):
            continue
        stray = np.where(problem.padding(name).reshape(gradient.shape[:2] + (1,) * (gradient.ndim - 2)), gradient, 0)
        if not np.abs(stray).max() <= problem.tolerance * np.abs(gradient).max():
            change = f"the output was differentiated by {name}; the largest gradient in its padding is"
            change = f"{change} {np.abs(stray).max():.3g}, the largest of all {np.abs(gradient).max():.3g}"
            found.append(Violation("gradient in the padding", change, float(np.abs(stray).max()), ()))
    for name in problem.lengths:
        made = _input_gradients(problem.with_nothing(name), base).items()
        bad = [by for by, gradient in made if not np.isfinite(gradient).all()]
        if bad:
            change = f"row 0 of {name} was given a length of 0, and the output differentiated by {' and '.join(bad)}"
            found.append(Violation("gradient not finite", change, float("nan"), ()))
    return found


def _input_gradients(problem, base):
    """Of a sum of the promised outputs, in which no two weigh the same."""
    weights = problem.promised(np.cos(np.arange(base.size)).reshape(base.shape))
    found = gradients(problem.function(), problem.tensors(), weights, len(problem.inputs))
    return dict(zip(problem.inputs, found, strict=True))


def check_compiled(problem, base):
    """Compiled with every position kept, then called with the masks: what the trace kept of the first is seen."""
    forms = compiled_forms(problem.function())
    if not forms:
        return f"skipped, the {keras.backend.backend()} backend has no compiler here"
    unmasked = problem.unmasked()
    found = []
    for form, function in forms.items():
        unmasked.call(function=function)
        output = problem.call(function=function)
        if problem.far(base, output):
            ignored = not problem.far(unmasked.call(), output)
            bug = "mask ignored when compiled" if ignored else "compiled differs"
            found.append(_violation(bug, f"it was compiled by {form}, with other masks", problem, base, output))
    return found


def check_half(problem, base):
    """The same weights in mixed_float16, also for a row with nothing to attend to."""
    if not isinstance(problem.layer, keras.layers.Layer):
        return "skipped, a function has no dtype policy"
    try:
        layer = _in_half_precision(problem.layer)
    except Exception as error:  # whatever a layer raises that does not know its own configuration
        return f"skipped, get_config does not make the layer again ({type(error).__name__}: {error})"[:300]
    half = replace(problem, layer=layer, tolerance=_HALF_TOLERANCE)
    half.call()
    layer.set_weights(problem.layer.get_weights())
    output, change = half.call(), "it was computed in mixed_float16"
    if not np.isfinite(half.promised(output)).all():
        return [_not_finite("float16 overflow", change, output)]
    if half.far(base, output):
        return [_violation("float16 overflow", change, half, base, output)]
    found = check_nothing(half)
    if found and check_nothing(problem):
        return []
    return [replace(violation, bug="float16 overflow", change=f"{change}, {violation.change}") for violation in found]


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


def check_future(problem, base):
    """Other numbers from the middle of the sequence on, also in the inputs that are one sequence with it."""
    names = next((names for names in problem.sequences() if problem.follows in names), [problem.follows])
    longest = problem.lengths[names[0]].max() if names[0] in problem.lengths else problem.time(names[0])
    middle = max(1, int(longest) // 2)
    output = problem.with_other_future(names, middle).call()
    early, changed = base[:, :middle], output[:, :middle]
    if not problem.far(early, changed):
        return []
    change = f"{' and '.join(names)} was given other numbers from position {middle} on"
    return [_violation("future leak", change, problem, early, changed)]


def _violation(bug, change, problem, wanted, got):
    return Violation(bug, change, *problem.difference(wanted, got))


def _not_finite(bug, change, output):
    where = tuple(int(index) for index in np.argwhere(~np.isfinite(output))[0])
    return Violation(bug, change, float("nan"), where)
