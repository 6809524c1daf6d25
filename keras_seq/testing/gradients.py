"""Gradients by the backend's own differentiation."""

import keras
import numpy as np
from keras import ops


def gradients(function, tensors, weights, count):
    """Gradients of the weighted sum of a function's output.

    Args:
        function: takes tensors and returns one.
        tensors: list of tensors.
        weights: float array of the output's shape.
        count: int, how many of the first tensors the gradient is taken of.

    Returns:
        list of float32 array, one of each of those tensors' shape; zeros where the output does not depend on it.
    """
    first, rest = tensors[:count], tensors[count:]

    def total(*values):
        return ops.sum(ops.cast(function(*values, *rest), "float32") * ops.convert_to_tensor(weights, "float32"))

    found = {"tensorflow": _by_tape, "jax": _by_grad, "torch": _by_autograd}[keras.backend.backend()](total, first)
    return [
        np.zeros(ops.shape(tensor), "float32") if gradient is None else ops.convert_to_numpy(gradient)
        for gradient, tensor in zip(found, first, strict=True)
    ]


def _by_tape(total, tensors):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = total(*tensors)
    return tape.gradient(result, tensors)


def _by_grad(total, tensors):
    import jax

    return jax.grad(total, argnums=tuple(range(len(tensors))))(*tensors)


def _by_autograd(total, tensors):
    import torch

    leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    result = total(*leaves)
    return torch.autograd.grad(result, leaves, allow_unused=True)
