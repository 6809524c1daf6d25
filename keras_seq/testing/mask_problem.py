"""A layer, how it is called, and one set of inputs: what the mask contract turns over."""

import inspect
from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import ops

from keras_seq.testing.masked import Masked


@dataclass(frozen=True, eq=False)
class Problem:
    """One call. The attributes are the arguments of `check_mask_contract`; the methods make other calls of it."""

    layer: object
    inputs: dict
    lengths: dict
    masks: dict
    lengths_as: dict
    implicit: tuple
    padded_with: dict
    follows: str | None
    fixed: tuple
    arguments: dict
    tolerance: float

    def call(self, masks=None, function=None):
        """The first output, as float32 numpy; `masks` replaces those that the lengths give."""
        function = function or self.function()
        return ops.convert_to_numpy(ops.cast(function(*self.tensors(masks)), "float32"))

    def tensors(self, masks=None):
        """Inputs, masks and lengths in the order in which `function` takes them."""
        masks = self.given_masks() if masks is None else masks
        given = [self._filled(name) for name in self.inputs]
        given += [masks[name] for name in (*self.masks.values(), *self.implicit)]
        given += [self.lengths[name].astype("int32") for name in self.lengths_as.values()]
        return [ops.convert_to_tensor(array) for array in given]

    def function(self):
        """The call, as a function of tensors alone."""
        names = [*self.inputs, *self.masks, *self.implicit, *self.lengths_as]
        first, last = len(self.inputs) + len(self.masks), len(names) - len(self.lengths_as)

        def call(*given):
            named = list(zip(names, given, strict=True))
            tensors = dict(named[:first])
            for name, mask in named[first:last]:
                tensors[name] = Masked(mask, name="masked")(tensors[name])
            tensors |= dict(named[last:])
            if _takes_a_dict(self.layer, self.inputs):
                return keras.tree.flatten(self.layer(tensors, **self.arguments))[0]
            return keras.tree.flatten(self.layer(**tensors, **self.arguments))[0]

        return call

    def given_masks(self):
        """The masks that are handed over, by the input they belong to."""
        return {name: ~self.padding(name) for name in (*self.masks.values(), *self.implicit)}

    def padding(self, name):
        """True behind the end of each sequence, `(batch, time)`."""
        return np.arange(self.time(name)) >= self.lengths[name][:, None]

    def time(self, name):
        return self.inputs[name].shape[1]

    def guarded(self, name):
        """Whether anything promises that the padding of this input is not seen, whatever is in it."""
        masked = (*self.masks.values(), *self.implicit, *self.lengths_as.values(), self.follows)
        return name in masked and name not in self.padded_with

    def sequences(self):
        """The inputs, in groups that are one sequence: of one time and the same lengths."""
        groups = {}
        for name, lengths in self.lengths.items():
            groups.setdefault((self.time(name), *lengths.tolist()), []).append(name)
        return list(groups.values())

    def promised(self, output):
        """The output with zeros where nothing is promised of it: at padded positions of the input that it follows.

        Outputs without the last positions are taken too.
        """
        if self.follows not in self.lengths:
            return output
        kept = ~self.padding(self.follows)[:, : output.shape[1]]
        return np.where(kept.reshape(kept.shape + (1,) * (output.ndim - 2)), output, 0)

    def far(self, wanted, got):
        """Whether two outputs differ by more than the tolerance, or one of them is not finite."""
        if wanted.shape != got.shape:
            return True
        difference, _ = self.difference(wanted, got)
        return not difference <= self.tolerance * max(1e-3, np.abs(self.promised(wanted)).max())

    def difference(self, wanted, got):
        """The largest difference of two outputs, and where it is."""
        if wanted.shape != got.shape:
            return float("nan"), got.shape
        apart = np.abs(self.promised(wanted) - self.promised(got))
        where = np.unravel_index(np.argmax(apart), apart.shape)
        return float(apart[where]), tuple(int(index) for index in where)

    def sees_padding(self, name, masks=None):
        """Whether the output changes with what is in the padding of an input."""
        return self.far(self.call(masks), self.with_other_padding(name).call(masks))

    def rows(self, index):
        """Some of the rows, or all of them in another order."""
        inputs = {name: array[index] for name, array in self.inputs.items()}
        return replace(self, inputs=inputs, lengths={name: array[index] for name, array in self.lengths.items()})

    def unmasked(self):
        """Every position kept."""
        return self.with_lengths({name: np.full_like(array, self.time(name)) for name, array in self.lengths.items()})

    def with_nothing(self, name):
        """Row 0 of a sequence without anything in it."""
        lengths = self.lengths[name].copy()
        lengths[0] = 0
        return self.with_lengths({name: lengths})

    def only_first(self, name):
        """Lengths of 1 for a sequence."""
        names = next(names for names in self.sequences() if name in names)
        return {name: np.ones_like(self.lengths[name]) for name in names}

    def with_lengths(self, lengths):
        return replace(self, lengths={**self.lengths, **lengths})

    def with_inputs(self, inputs):
        return replace(self, inputs={**self.inputs, **inputs})

    def with_other_padding(self, name):
        array, padding = self.inputs[name].copy(), self.padding(name)
        array[padding] = _other(array)[padding]
        return self.with_inputs({name: array})

    def with_other_future(self, names, middle):
        """Other numbers from a position on."""
        return self.with_inputs(
            {
                name: np.concatenate([self.inputs[name][:, :middle], _other(self.inputs[name])[:, middle:]], axis=1)
                for name in names
            }
        )

    def padded_to(self, times):
        """More padding; `times` is a dict of input to its new time."""
        arrays = {}
        for name, time in times.items():
            widths = [(0, 0), (0, time - self.time(name))] + [(0, 0)] * (self.inputs[name].ndim - 2)
            arrays[name] = np.pad(self.inputs[name], widths, mode="edge")
        return self.with_inputs(arrays)

    def times(self, factors):
        """Inputs multiplied, each by its own factor; whole numbers stay."""
        floats = {name: array for name, array in self.inputs.items() if array.dtype.kind == "f"}
        return self.with_inputs({name: array * array.dtype.type(factors[name]) for name, array in floats.items()})

    def _filled(self, name):
        if name not in self.padded_with:
            return self.inputs[name]
        array = self.inputs[name].copy()
        array[self.padding(name)] = self.padded_with[name]
        return array


def _other(array):
    """Numbers of another sign and size, none of them zero; of whole numbers, others of those between them."""
    if array.dtype.kind != "f":
        return array.max() + array.min() - array
    return (-20 * array + 30 * np.cos(np.arange(array.size)).reshape(array.shape)).astype(array.dtype)


def _takes_a_dict(layer, inputs):
    """A functional model takes its inputs as one dict, other layers by name."""
    return isinstance(layer, keras.Model) and not set(inputs) <= set(inspect.signature(layer.call).parameters)
