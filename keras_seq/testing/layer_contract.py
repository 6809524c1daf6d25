"""The contract of a Keras layer, checked by one routine.

build           build makes all weights; two calls give the same, make no weights and keep no tensors
configuration   get_config makes the layer again
shapes          shapes and dtypes are known before there are values, and are the real ones
saving          a functional model with it survives the .keras file
masks           the mask of an input arrives at the layer behind
precision       dtype policies are respected; half precision stays finite for large inputs
compiled        compiled equals eager
training        one step of model.fit moves every trainable weight and no other
"""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_seq.testing.compiled import compiled_forms
from keras_seq.testing.masked import Masked

_POLICIES = ("mixed_float16", "mixed_bfloat16", "float64")
_TOLERANCE = 1e-5


class LayerContractError(AssertionError):
    """A layer does not keep the contract; the message says which part, what came and what was wanted."""


def check_layer_contract(
    make, inputs, unknown=None, passes_mask_of=None, still=(), moving=(), output_dtype=None, large=100.0
):
    """Checks a layer on the backend that Keras runs on.

    Args:
        make: function of `dtype` that makes the layer, such as `lambda **kwargs: MyLayer(3, **kwargs)`. A layer around
            another gives it on: `lambda **kwargs: keras.layers.RNN(MyCell(3, **kwargs), **kwargs)`.
        inputs: dict of call argument to array; the batch is the first axis. Masks and lengths count as inputs.
        unknown: dict of call argument to the axes, besides the first, whose size a model may not know; axis 1 of
            arrays of rank 3 by default.
        passes_mask_of: name of the input whose mask the output is to carry; None if it carries none.
        still: names of weights that training does not move, though trainable. A key's bias is one: the softmax does
            not see what is added to all scores.
        moving: names of weights that training moves, though not trainable, such as a moving mean.
        output_dtype: str, the first output's dtype in half precision; None for the policy's own.
        large: float, float inputs are multiplied by it in half precision.

    Returns:
        list of str, the checks that were done, such as "saving" or "compiled: XLA"; a check that could not be is named
        with the reason.

    Raises:
        LayerContractError: if a check fails.

    Example:
        >>> checks = check_layer_contract(lambda **kwargs: keras.layers.Dense(3, **kwargs), {"inputs": np.ones((2, 5))})
        >>> "saving" in checks
        True
    """
    keras.utils.set_random_seed(1)
    unknown = {name: (1,) for name, array in inputs.items() if array.ndim == 3} if unknown is None else unknown
    layer = make()
    checks = {
        "build": lambda: _check_build(make, layer, inputs),
        "configuration": lambda: _check_configuration(layer, inputs),
        "shapes": lambda: _check_shapes(layer, inputs, unknown),
        "saving": lambda: _check_saving(layer, inputs, unknown),
        "masks": lambda: _check_mask(layer, inputs, passes_mask_of),
        **{
            policy: lambda policy=policy: _check_policy(make, inputs, unknown, policy, output_dtype, large)
            for policy in _POLICIES
        },
        **_compiled_checks(layer, inputs),
        "training": lambda: _check_training(layer, inputs, unknown, still, moving),
    }
    done = []
    for check, run in checks.items():
        with _named(check):
            skipped = run()
        done.append(f"{check}: {skipped}" if skipped else check)
    return done


@contextmanager
def _named(check):
    """Whatever a check raises is told with the check's name."""
    try:
        yield
    except LayerContractError as error:
        raise LayerContractError(f"{check}: {error}") from None
    except Exception as error:
        raise LayerContractError(f"{check}: it raised {type(error).__name__}: {error}") from error


def _check_build(make, layer, inputs):
    tensors = _tensors(inputs)
    first = layer(**tensors)
    shapes = _weight_shapes(layer)
    paths = [weight.path for weight in layer.weights]
    second = layer(**tensors)
    _wanted(layer.built, "the layer is not built after a call", "set self.built = True in build")
    _wanted(_weight_shapes(layer) == shapes, "a second call makes weights", "make them in build")
    _wanted(len(set(paths)) == len(paths), f"weights share a path: {paths}", "give sub-layers names")
    built = make()
    built.build_from_config(layer.get_build_config())
    came = f"build makes weights of {_weight_shapes(built)}, a call {shapes}"
    _wanted(_weight_shapes(built) == shapes, came, "make all weights in build, and build sub-layers there")
    _equal("a second call", second, first, 0, "keep nothing between calls")
    kept = [path for part in layer._flatten_layers() for path in _kept_tensors(part)]
    _wanted(not kept, f"tensors are kept on the layer: {kept}", "return them; they leak out of compiled calls")
    changed = [name for name, array in inputs.items() if not np.array_equal(array, ops.convert_to_numpy(tensors[name]))]
    _wanted(not changed, f"a call changes its inputs {changed}", "make new tensors instead")


def _weight_shapes(layer):
    return [tuple(weight.shape) for weight in layer.weights]


def _kept_tensors(layer):
    """Names of attributes, or of what is in them, that are tensors and not variables."""
    return [
        f"{layer.name}.{name}"
        for name, value in vars(layer).items()
        for leaf in keras.tree.flatten(value)
        if ops.is_tensor(leaf) and not isinstance(leaf, keras.Variable)
    ]


def _check_configuration(layer, inputs):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    _wanted(type(again) is type(layer), f"it makes a {type(again).__name__}", "register the class")
    same = again.get_config() == layer.get_config()
    _wanted(same, f"{again.get_config()} of {layer.get_config()}", "put all arguments in get_config")
    if not again.built:
        again.build_from_config(layer.get_build_config())
    came = f"weights of {_weight_shapes(layer)} come back as {_weight_shapes(again)}"
    _wanted(_weight_shapes(again) == _weight_shapes(layer), came, "put all arguments in get_config")
    again.set_weights(layer.get_weights())
    _equal("the layer made again", _call(again, inputs), _call(layer, inputs), 1e-6, "put all arguments in get_config")


def _check_shapes(layer, inputs, unknown):
    values = keras.tree.flatten(_call(layer, inputs))
    for sizes in (unknown, {}):
        symbols = keras.tree.flatten(layer(**_symbols(inputs, sizes)))
        _wanted(len(symbols) == len(values), f"{len(symbols)} outputs are foretold, {len(values)} come", "foretell all")
        for symbol, value in zip(symbols, values, strict=True):
            real = tuple(value.shape)
            fits = len(symbol.shape) == len(real) and all(
                size == came or (size is None and (axis == 0 or sizes))
                for axis, (size, came) in enumerate(zip(symbol.shape, real, strict=True))
            )
            _wanted(fits, f"{symbol.shape} is foretold, {real} comes", "mend compute_output_shape")
    _check_dtypes(symbols, values)


def _check_dtypes(symbols, values):
    for symbol, value in zip(symbols, values, strict=True):
        dtype = keras.backend.standardize_dtype(value.dtype)
        _wanted(symbol.dtype == dtype, f"{symbol.dtype} is foretold, {dtype} comes", "write compute_output_spec")


def _check_saving(layer, inputs, unknown):
    model = _model(layer, inputs, unknown)
    wanted = model(_tensors(inputs))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        loaded = keras.saving.load_model(path)
    _equal("the loaded model", loaded(_tensors(inputs)), wanted, 1e-6, "make all weights in build")


def _check_mask(layer, inputs, name):
    if name is None:
        return "skipped, no mask is passed on"
    mask = np.ones(inputs[name].shape[:2], bool)
    mask[0, mask.shape[1] // 2 :] = False
    tensors = _tensors(inputs)
    tensors[name] = Masked(ops.convert_to_tensor(mask), name="masked")(tensors[name])
    output = keras.tree.flatten(layer(**tensors))[0]
    seen = ops.convert_to_numpy(_ReadMask(name="read")(output))
    came = f"behind the layer the mask of {name} is {seen.tolist()}, wanted {mask.tolist()}"
    _wanted(np.array_equal(seen, mask), came, "set self.supports_masking, or write compute_mask")
    return None


def _check_policy(make, inputs, unknown, policy, output_dtype, large):
    wide = policy == "float64"
    if wide and keras.backend.backend() != "tensorflow":
        return "skipped, off TensorFlow some of Keras's operations round to float32"
    layer = make(dtype=policy)
    scaled = {
        name: array * array.dtype.type(1 if wide else large) if array.dtype.kind == "f" else array
        for name, array in inputs.items()
    }
    outputs = keras.tree.flatten(_call(layer, scaled))
    _check_dtypes(keras.tree.flatten(layer(**_symbols(inputs, unknown))), outputs)
    wanted = "float64" if wide else output_dtype or policy.removeprefix("mixed_")
    dtype = keras.backend.standardize_dtype(outputs[0].dtype)
    _wanted(dtype == wanted, f"the output is {dtype}, wanted {wanted}", "give sub-layers self.dtype_policy")
    variables = {weight.dtype for weight in layer.weights if "float" in weight.dtype}
    kept = variables <= {"float64" if wide else "float32"}
    _wanted(kept, f"weights are {sorted(variables)}", "do not give add_weight the compute dtype")
    finite = all(np.isfinite(_numpy(output)).all() for output in outputs)
    _wanted(finite, f"inputs times {large:g} make infinities or NaN", "sum and exponentiate in float32")
    return None


def _compiled_checks(layer, inputs):
    """A check for each compiled form that the backend has."""
    names = list(inputs)

    def call(*values):
        return layer(**dict(zip(names, values, strict=True)))

    def check(function):
        compiled = function(*_tensors(inputs).values())
        _equal("the compiled call", compiled, _call(layer, inputs), _TOLERANCE, "use keras.ops alone")

    forms = compiled_forms(call)
    if not forms:
        return {"compiled": lambda: f"skipped, the {keras.backend.backend()} backend has no compiler here"}
    return {f"compiled: {form}": lambda function=function: check(function) for form, function in forms.items()}


def _check_training(layer, inputs, unknown, still, moving):
    """One step, compiled where the backend can."""
    model = _model(layer, inputs, unknown)
    model = keras.Model(model.inputs, keras.tree.flatten(model.output)[0])
    shape = tuple(keras.tree.flatten(_call(layer, inputs))[0].shape)
    target = np.random.default_rng(5).normal(size=shape).astype("float32")
    before = {weight.path: ops.convert_to_numpy(weight) for weight in layer.weights}
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=keras.backend.backend() != "torch")
    loss = model.fit(dict(inputs), target, batch_size=len(target), epochs=1, verbose=0).history["loss"][0]
    _wanted(np.isfinite(loss), f"the loss is {loss}", "look for divisions and logarithms of zero")

    def moved(weights):
        after = {weight.path: ops.convert_to_numpy(weight) for weight in weights}
        return {path for path, value in after.items() if not np.array_equal(value, before[path])}

    def named(names):
        return {path for path in before if path.endswith(tuple(names))}

    resting = {weight.path for weight in layer.trainable_weights} - moved(layer.trainable_weights) - named(still)
    _wanted(not resting, f"a step leaves {sorted(resting)} as they were", "use every weight, or name it as still")
    stirred = moved(layer.non_trainable_weights) - named(moving)
    _wanted(not stirred, f"a step moves {sorted(stirred)}, which is not trainable", "or name it as moving")


def _tensors(inputs):
    return {name: ops.convert_to_tensor(array.copy()) for name, array in inputs.items()}


def _symbols(inputs, unknown):
    symbols = {}
    for name, array in inputs.items():
        hidden = unknown.get(name, ())
        shape = [None if axis in hidden else size for axis, size in enumerate(array.shape)][1:]
        symbols[name] = keras.Input(shape, dtype=str(array.dtype), name=name)
    return symbols


def _model(layer, inputs, unknown):
    symbols = _symbols(inputs, unknown)
    return keras.Model(symbols, layer(**symbols))


def _call(layer, inputs):
    return layer(**_tensors(inputs))


def _wanted(holds, came, mend):
    if not holds:
        raise LayerContractError(f"{came}; {mend}")


def _equal(what, got, wanted, tolerance, mend):
    for one, other in zip(keras.tree.flatten(got), keras.tree.flatten(wanted), strict=True):
        one, other = _numpy(one), _numpy(other)
        difference = np.max(np.abs(one - other), initial=0) if one.shape == other.shape else np.inf
        _wanted(
            difference <= tolerance * max(1, np.abs(other).max(initial=0)),
            f"{what} differs by {difference:.2g}, wanted no more than {tolerance:g} of the largest",
            mend,
        )


def _numpy(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


class _ReadMask(keras.layers.Layer):
    """The mask that a tensor carries, as a tensor; all False where it carries none."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        return ops.zeros(ops.shape(inputs)[:2], "bool") if mask is None else mask
