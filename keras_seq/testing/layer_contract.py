"""The contract of a Keras layer, checked by one routine.

build           all weights are made at the first call, and a second call gives the same and makes none
configuration   get_config makes the layer again
shapes          shapes and dtypes are known before there are values, and are the real ones
saving          a functional model with it survives the .keras file
masks           the mask of an input arrives at the layer behind
precision       dtype policies are respected; half precision stays finite for large inputs
compiled        compiled equals eager
training        one step of model.fit moves every weight
"""

import tempfile
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


def check_layer_contract(make, inputs, unknown=None, passes_mask_of=None, still=(), output_dtype=None, large=100.0):
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
        output_dtype: str, the output's dtype under every policy; None for the policy's own.
        large: float, float inputs are multiplied by it in half precision.

    Returns:
        list of str, the checks that were done, such as "saving" or "compiled: XLA".

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
    done = [
        _check_build(layer, inputs),
        _check_configuration(layer),
        _check_symbols(layer, inputs, unknown),
        _check_saving(layer, inputs, unknown),
    ]
    if passes_mask_of is not None:
        done.append(_check_mask(layer, inputs, passes_mask_of))
    done += [_check_policy(make, inputs, policy, output_dtype, large) for policy in _policies()]
    done += _check_compiled(layer, inputs)
    done.append(_check_training(layer, inputs, unknown, still))
    return done


def _policies():
    """Those that Keras can compute in: off TensorFlow some of its operations round float64 to float32."""
    return _POLICIES if keras.backend.backend() == "tensorflow" else _POLICIES[:2]


def _check_build(layer, inputs):
    first = _call(layer, inputs)
    paths = [weight.path for weight in layer.weights]
    second = _call(layer, inputs)
    _wanted("build", layer.built, "the layer is not built after a call", "set self.built = True in build")
    _wanted("build", [weight.path for weight in layer.weights] == paths, "a second call makes weights", "make in build")
    _wanted("build", len(set(paths)) == len(paths), f"weights share a path: {paths}", "give sub-layers names")
    _equal("build", "a second call", second, first, 0, "keep nothing between calls")
    kept = [
        name for name, value in vars(layer).items() if ops.is_tensor(value) and not isinstance(value, keras.Variable)
    ]
    _wanted("build", not kept, f"tensors are kept on the layer: {kept}", "return them; they leak out of compiled calls")
    return "build"


def _check_configuration(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    _wanted("configuration", type(again) is type(layer), f"it makes a {type(again).__name__}", "register the class")
    same = again.get_config() == layer.get_config()
    _wanted("configuration", same, f"{again.get_config()} of {layer.get_config()}", "put all arguments in get_config")
    return "configuration"


def _check_symbols(layer, inputs, unknown):
    symbols = keras.tree.flatten(layer(**_symbols(inputs, unknown)))
    values = keras.tree.flatten(layer(**_tensors(inputs)))
    _wanted("shapes", len(symbols) == len(values), f"{len(symbols)} outputs, really {len(values)}", "same outputs")
    for symbol, value in zip(symbols, values, strict=True):
        fits = len(symbol.shape) == len(value.shape) and all(
            size in (None, real) for size, real in zip(symbol.shape, value.shape, strict=True)
        )
        _wanted("shapes", fits, f"{symbol.shape} is foretold, {tuple(value.shape)} comes", "mend compute_output_shape")
        dtype = keras.backend.standardize_dtype(value.dtype)
        _wanted("shapes", symbol.dtype == dtype, f"{symbol.dtype} is foretold, {dtype} comes", "compute_output_spec")
    return "shapes"


def _check_saving(layer, inputs, unknown):
    model = _model(layer, inputs, unknown)
    wanted = model(_tensors(inputs))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        loaded = keras.saving.load_model(path)
    _equal("saving", "the loaded model", loaded(_tensors(inputs)), wanted, 1e-6, "make all weights in build")
    return "saving"


def _check_mask(layer, inputs, name):
    mask = np.ones(inputs[name].shape[:2], bool)
    mask[0, mask.shape[1] // 2 :] = False
    tensors = _tensors(inputs)
    tensors[name] = Masked(ops.convert_to_tensor(mask), name="masked")(tensors[name])
    output = keras.tree.flatten(layer(**tensors))[0]
    seen = ops.convert_to_numpy(_ReadMask(name="read")(output))
    _wanted(
        "masks", np.array_equal(seen, mask), f"behind the layer the mask of {name} is {seen.tolist()}",
        "set self.supports_masking, or write compute_mask",
    )  # fmt: skip
    return "masks"


def _check_policy(make, inputs, policy, output_dtype, large):
    layer = make(dtype=policy)
    wide = policy == "float64"
    scaled = {
        name: array * array.dtype.type(1 if wide else large) if array.dtype.kind == "f" else array
        for name, array in inputs.items()
    }
    output = keras.tree.flatten(layer(**_tensors(scaled)))[0]
    wanted = "float64" if wide else output_dtype or policy.removeprefix("mixed_")
    dtype = keras.backend.standardize_dtype(output.dtype)
    _wanted(policy, dtype == wanted, f"the output is {dtype}, wanted {wanted}", "give sub-layers self.dtype_policy")
    variables = {weight.dtype for weight in layer.weights if "float" in weight.dtype}
    kept = variables <= {"float64" if wide else "float32"}
    _wanted(policy, kept, f"weights are {sorted(variables)}", "do not give add_weight the compute dtype")
    finite = np.isfinite(ops.convert_to_numpy(ops.cast(output, "float32"))).all()
    _wanted(policy, finite, f"inputs times {large:g} make infinities or NaN", "sum and exponentiate in float32")
    return policy


def _check_compiled(layer, inputs):
    names = list(inputs)
    wanted = _call(layer, inputs)
    tensors = list(_tensors(inputs).values())
    forms = compiled_forms(lambda *values: layer(**dict(zip(names, values, strict=True))))
    for form, function in forms.items():
        _equal(f"compiled: {form}", "compiled", function(*tensors), wanted, _TOLERANCE, "use keras.ops alone")
    return [f"compiled: {form}" for form in forms]


def _check_training(layer, inputs, unknown, still):
    model = _model(layer, inputs, unknown)
    output = keras.tree.flatten(model.output)[0]
    model = keras.Model(model.inputs, output)
    tensors = _tensors(inputs)
    shape = ops.shape(keras.tree.flatten(layer(**tensors))[0])
    target = np.random.default_rng(5).normal(size=tuple(shape)).astype("float32")
    before = {weight.path: ops.convert_to_numpy(weight) for weight in layer.trainable_weights}
    compiles = keras.backend.backend() != "torch"
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=compiles)
    loss = model.fit(
        {name: array for name, array in inputs.items()}, target, batch_size=len(target), epochs=1, verbose=0
    ).history["loss"][0]
    _wanted("training", np.isfinite(loss), f"the loss is {loss}", "look for divisions and logarithms of zero")
    resting = [
        path
        for path, value in before.items()
        if not any(path.endswith(name) for name in still)
        and np.array_equal(value, ops.convert_to_numpy(_by_path(layer, path)))
    ]
    _wanted("training", not resting, f"a step leaves {resting} as they were", "use every weight, or name it as still")
    return "training"


def _by_path(layer, path):
    return next(weight for weight in layer.weights if weight.path == path)


def _tensors(inputs):
    return {name: ops.convert_to_tensor(array) for name, array in inputs.items()}


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


def _wanted(check, holds, came, mend):
    if not holds:
        raise LayerContractError(f"{check}: {came}; {mend}")


def _equal(check, what, got, wanted, tolerance, mend):
    for one, other in zip(keras.tree.flatten(got), keras.tree.flatten(wanted), strict=True):
        one, other = (ops.convert_to_numpy(ops.cast(tensor, "float32")) for tensor in (one, other))
        difference = np.max(np.abs(one - other), initial=0) if one.shape == other.shape else np.inf
        _wanted(
            check, difference <= tolerance * max(1, np.abs(other).max()), f"{what} differs by {difference:.2g}", mend
        )


class _ReadMask(keras.layers.Layer):
    """The mask that a tensor carries, as a tensor; all False where it carries none."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        return ops.zeros(ops.shape(inputs)[:2], "bool") if mask is None else mask
