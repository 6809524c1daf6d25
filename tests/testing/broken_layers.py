"""A small cross-attention that keeps the mask contract, and one for each classic way to break it."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("tests")
class Correct(keras.layers.Layer):
    """Dot-product attention of a query to values, scored in float32."""

    def build(self, query_shape, value_shape):
        self._map = keras.layers.Dense(query_shape[-1], dtype=self.dtype_policy)
        self._map.build(value_shape)
        self.built = True

    def call(self, query, value, query_mask=None, value_mask=None):
        query, key = ops.cast(query, "float32"), ops.cast(self._map(value), "float32")
        scores = ops.einsum("btk,bsk->bts", query, key) / 4
        weights = self.weigh(scores, query_mask, value_mask)  # (batch, target, source)
        return ops.matmul(ops.cast(weights, self.compute_dtype), value)

    def weigh(self, scores, query_mask, value_mask):
        mask = ops.expand_dims(value_mask, 1)
        return ops.softmax(ops.where(mask, scores, -1e9)) * ops.cast(mask, scores.dtype)

    def get_config(self):
        return super().get_config()


@keras.saving.register_keras_serializable("tests")
class Inverted(Correct):
    def weigh(self, scores, query_mask, value_mask):
        return super().weigh(scores, query_mask, ops.logical_not(value_mask))


@keras.saving.register_keras_serializable("tests")
class TinyFill(Correct):
    def weigh(self, scores, query_mask, value_mask):
        return ops.softmax(ops.where(ops.expand_dims(value_mask, 1), scores, 1e-9))


@keras.saving.register_keras_serializable("tests")
class SmallFill(Correct):
    """Enough for scores near 1, not for large ones."""

    def weigh(self, scores, query_mask, value_mask):
        return ops.softmax(ops.where(ops.expand_dims(value_mask, 1), scores, -100.0))


@keras.saving.register_keras_serializable("tests")
class MaskedAfterTheSoftmax(Correct):
    """Half of the classic: the weights are masked, but were normalised over the padding too."""

    def weigh(self, scores, query_mask, value_mask):
        return ops.softmax(scores) * ops.cast(ops.expand_dims(value_mask, 1), scores.dtype)


@keras.saving.register_keras_serializable("tests")
class Ignores(Correct):
    def weigh(self, scores, query_mask, value_mask):
        return ops.softmax(scores)


@keras.saving.register_keras_serializable("tests")
class TargetMaskForTheSource(Correct):
    """The decoder's cross-attention masked by the target's padding."""

    def weigh(self, scores, query_mask, value_mask):
        time = scores.shape[2]
        mask = ops.pad(query_mask, [(0, 0), (0, max(0, time - query_mask.shape[1]))], constant_values=True)[:, :time]
        return super().weigh(scores, query_mask, mask)


@keras.saving.register_keras_serializable("tests")
class OneAxisForBoth(Correct):
    """Never called with a source and a target of different length."""

    def weigh(self, scores, query_mask, value_mask):
        pairs = ops.logical_and(ops.expand_dims(query_mask, 2), ops.expand_dims(value_mask, 1))
        return super().weigh(scores, query_mask, value_mask) + 0 * ops.cast(ops.transpose(pairs, (0, 2, 1)), "float32")


@keras.saving.register_keras_serializable("tests")
class NotFinite(Correct):
    def weigh(self, scores, query_mask, value_mask):
        return ops.softmax(ops.where(ops.expand_dims(value_mask, 1), scores, float("-inf")))


@keras.saving.register_keras_serializable("tests")
class FiniteWithoutAGradient(Correct):
    """The NaN of a row without keys is replaced, and comes back in the gradient."""

    def weigh(self, scores, query_mask, value_mask):
        mask = ops.expand_dims(value_mask, 1)
        return ops.where(mask, ops.softmax(scores + ops.where(mask, 0.0, float("-inf"))), 0.0)


@keras.saving.register_keras_serializable("tests")
class DifferentiatesThePadding(Correct):
    """A straight-through sum: nothing is added to the value, something to the gradient."""

    def call(self, query, value, query_mask=None, value_mask=None):
        total = ops.sum(value, axis=1, keepdims=True)
        return super().call(query, value, query_mask, value_mask) + total - ops.stop_gradient(total)


@keras.saving.register_keras_serializable("tests")
class ExponentiatesAsItIs(Correct):
    """The softmax by its formula, without taking the maximum off."""

    def weigh(self, scores, query_mask, value_mask):
        weights = ops.exp(scores) * ops.cast(ops.expand_dims(value_mask, 1), scores.dtype)
        return weights / ops.maximum(ops.sum(weights, axis=2, keepdims=True), 1e-30)


@keras.saving.register_keras_serializable("tests")
class OverflowsInHalf(Correct):
    """-1e9 is -infinity in float16; a row of nothing else is NaN."""

    def weigh(self, scores, query_mask, value_mask):
        scores = ops.cast(scores, self.compute_dtype)
        fill = ops.cast(-1e9, self.compute_dtype)
        weights = ops.softmax(ops.where(ops.expand_dims(value_mask, 1), scores, fill))
        return ops.cast(weights, "float32")


@keras.saving.register_keras_serializable("tests")
class ForgetsTheMaskWhenCompiled(Correct):
    """What the mask was when the call was compiled is used ever after: all True."""

    def weigh(self, scores, query_mask, value_mask):
        try:
            ops.convert_to_numpy(value_mask)
        except Exception:  # each backend has an error of its own for a tensor without a value, while it compiles
            value_mask = ops.ones_like(value_mask)
        return super().weigh(scores, query_mask, value_mask)


@keras.saving.register_keras_serializable("tests")
class NormalisesOverTheBatch(Correct):
    def weigh(self, scores, query_mask, value_mask):
        weights = super().weigh(scores, query_mask, value_mask)
        return weights / ops.sum(weights, axis=0, keepdims=True)


@keras.saving.register_keras_serializable("tests")
class DividesByTheLongest(Correct):
    """A mean over as many positions as the longest sequence of the batch has."""

    def weigh(self, scores, query_mask, value_mask):
        mask = ops.cast(ops.expand_dims(value_mask, 1), scores.dtype)
        return ops.ones_like(scores) * mask / ops.maximum(ops.max(ops.sum(mask, axis=2)), 1)


@keras.saving.register_keras_serializable("tests")
class KeepsItsMasks(Correct):
    """Masks are made once for each shape."""

    def weigh(self, scores, query_mask, value_mask):
        self._kept = getattr(self, "_kept", {})
        mask = self._kept.setdefault(str(scores.shape), value_mask)
        return super().weigh(scores, query_mask, mask)


@keras.saving.register_keras_serializable("tests")
class CountsThePadding(Correct):
    """A mean over all positions, padding included in the count."""

    def weigh(self, scores, query_mask, value_mask):
        mask = ops.cast(ops.expand_dims(value_mask, 1), scores.dtype)
        return ops.ones_like(scores) * mask / scores.shape[2]


@keras.saving.register_keras_serializable("tests")
class SelfAttention(Correct):
    """Self-attention that hides the future, and its copy that does not."""

    causal = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, inputs_shape):
        super().build(inputs_shape, inputs_shape)

    def call(self, inputs, mask=None):
        return super().call(inputs, inputs, mask, mask)

    def weigh(self, scores, query_mask, value_mask):
        past = ops.tril(ops.ones((scores.shape[1], scores.shape[1]), "float32"))
        kept = ops.cast(ops.expand_dims(value_mask, 1), "float32") * (past if self.causal else 1.0)
        return ops.softmax(ops.where(kept > 0, scores, -1e9)) * kept


@keras.saving.register_keras_serializable("tests")
class SeesTheFuture(SelfAttention):
    causal = False
