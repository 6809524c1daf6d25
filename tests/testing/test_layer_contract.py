"""The layer contract finds a layer that breaks it, and says which part."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.testing import LayerContractError, check_layer_contract

BATCH, TIME, FEATURES, UNITS = 2, 5, 3, 7
INPUTS = {"inputs": np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype("float32")}


@keras.saving.register_keras_serializable("tests")
class Scale(keras.layers.Layer):
    """Keeps the contract: inputs times a weight for each feature."""

    def __init__(self, start=0.5, **kwargs):
        super().__init__(**kwargs)
        self.start = start
        self.supports_masking = True

    def build(self, inputs_shape):
        start = keras.initializers.Constant(self.start)
        self.scale = self.add_weight(name="scale", shape=(inputs_shape[-1],), initializer=start)
        self.built = True

    def call(self, inputs):
        return inputs * ops.cast(self.scale, inputs.dtype)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        return {**super().get_config(), "start": self.start}


@keras.saving.register_keras_serializable("tests")
class MakesAWeightInItsCall(Scale):
    def call(self, inputs):
        if not hasattr(self, "late"):
            self._tracker.unlock()
            self.late = self.add_weight(name="late", shape=(FEATURES,), initializer="ones")
        return super().call(inputs) * ops.cast(self.late, inputs.dtype)


@keras.saving.register_keras_serializable("tests")
class KeepsATensor(Scale):
    def call(self, inputs):
        self.seen = {"last": [super().call(inputs)]}
        return self.seen["last"][0]


@keras.saving.register_keras_serializable("tests")
class CountsItsCalls(Scale):
    calls = 0

    def call(self, inputs):
        self.calls += 1
        return super().call(inputs) * self.calls


@keras.saving.register_keras_serializable("tests")
class ForgetsAnArgument(Scale):
    """The call needs what the configuration does not tell."""

    def call(self, inputs):
        return super().call(inputs) * self.start

    def get_config(self):
        return {name: value for name, value in super().get_config().items() if name != "start"}


@keras.saving.register_keras_serializable("tests")
class ForetellsOneMore(Scale):
    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], inputs_shape[-1] + 1)


@keras.saving.register_keras_serializable("tests")
class ForetellsNothing(Scale):
    """None fits everything, and a layer behind it cannot be built."""

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], None)


@keras.saving.register_keras_serializable("tests")
class ForetellsAnotherType(Scale):
    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, "int32")


@keras.saving.register_keras_serializable("tests")
class LosesTheMask(Scale):
    def compute_mask(self, inputs, mask=None):
        return None


@keras.saving.register_keras_serializable("tests")
class AnswersInFloat32(Scale):
    """At least: in float64 it stays there."""

    def call(self, inputs):
        return ops.cast(super().call(inputs), self.answer())

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, self.answer())

    def answer(self):
        return "float64" if self.compute_dtype == "float64" else "float32"


@keras.saving.register_keras_serializable("tests")
class WeightsInHalf(Scale):
    def build(self, inputs_shape):
        self.scale = self.add_weight(name="scale", shape=(FEATURES,), dtype=self.compute_dtype, initializer="ones")
        self.built = True


@keras.saving.register_keras_serializable("tests")
class Overflows(Scale):
    """The square of 300 is infinite in float16."""

    def call(self, inputs):
        return super().call(inputs) / (1 + ops.square(inputs)) * ops.square(inputs)


@keras.saving.register_keras_serializable("tests")
class EagerDiffers(Scale):
    def call(self, inputs):
        try:
            ops.convert_to_numpy(inputs)
        except Exception:  # each backend has an error of its own for a tensor without a value, while it compiles
            return super().call(inputs) * 2
        return super().call(inputs)


@keras.saving.register_keras_serializable("tests")
class HasAnIdleWeight(Scale):
    def build(self, inputs_shape):
        self.idle = self.add_weight(name="idle", shape=(UNITS,))
        super().build(inputs_shape)

    def call(self, inputs):
        return super().call(inputs) + 0 * ops.cast(ops.sum(self.idle), inputs.dtype)


@keras.saving.register_keras_serializable("tests")
class Blows(Scale):
    """The loss is not finite."""

    def call(self, inputs, training=False):
        return super().call(inputs) / (0.0 if training else 1.0)


@keras.saving.register_keras_serializable("tests")
class Raises(Scale):
    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0] + 1, *inputs_shape[1:])


def scale(layer=Scale, start=0.25, **options):
    return check_layer_contract(lambda **kwargs: layer(start, **kwargs), INPUTS, passes_mask_of="inputs", **options)


def test_a_layer_that_keeps_the_contract_passes_every_check():
    done = scale()
    for check in ("build", "configuration", "shapes", "saving", "masks", "mixed_float16", "mixed_bfloat16", "training"):
        assert check in done
    wanted = {"tensorflow": ["compiled: tf.function", "compiled: XLA"], "jax": ["compiled: jax.jit"]}
    skipped = ["compiled: skipped, the torch backend has no compiler here"]
    assert [check for check in done if check.startswith("compiled")] == wanted.get(keras.backend.backend(), skipped)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (MakesAWeightInItsCall, r"^build: build makes weights of \[\(3,\)\], a call \[\(3,\), \(3,\)\]"),
        (KeepsATensor, r"^build: tensors are kept on the layer: \['keeps_a_tensor\w*\.seen'\]"),
        (CountsItsCalls, "^build: a second call differs by"),
        (ForgetsAnArgument, "^configuration: the layer made again differs by .*; put all arguments in get_config"),
        (ForetellsOneMore, r"^shapes: \(None, None, 4\) is foretold, \(2, 5, 3\) comes"),
        (ForetellsNothing, r"^shapes: \(None, 5, None\) is foretold, \(2, 5, 3\) comes"),
        (ForetellsAnotherType, "^shapes: int32 is foretold, float32 comes"),
        (Raises, "^shapes: it raised TypeError: "),
        (LosesTheMask, r"^masks: behind the layer the mask of inputs is \[\[False, "),
        (AnswersInFloat32, "^mixed_float16: the output is float32, wanted float16; give sub-layers self.dtype_policy"),
        (WeightsInHalf, r"^mixed_float16: weights are \['float16'\]"),
        (Overflows, "^mixed_float16: inputs times 300 make infinities or NaN"),
        (
            HasAnIdleWeight,
            r"^training: a step leaves \['has_an_idle_weight\w*/idle'\] as they were; .* as still",
        ),
        (Blows, "^training: the loss is (inf|nan)"),
    ],
)
def test_each_broken_part_is_called_by_its_name(layer, message):
    with pytest.raises(LayerContractError, match=message):
        scale(layer, large=300.0)


def test_a_compiled_call_that_differs_is_found():
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch's compiler is not tried")
    with pytest.raises(LayerContractError, match=r"^compiled: \S+: the compiled call differs by"):
        scale(EagerDiffers)


def test_a_weight_may_be_named_as_still_and_an_output_as_float32():
    scale(HasAnIdleWeight, still=["idle"])
    scale(AnswersInFloat32, output_dtype="float32")


def test_a_moving_mean_is_named_as_moving():
    def normalization(**kwargs):
        return keras.layers.BatchNormalization(**kwargs)

    with pytest.raises(LayerContractError, match=r"^training: a step moves .*moving_mean.*, which is not trainable"):
        check_layer_contract(normalization, INPUTS)
    check_layer_contract(normalization, INPUTS, moving=["moving_mean", "moving_variance"])
