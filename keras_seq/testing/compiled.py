"""A function as the backend compiles it."""

import keras


def compiled_forms(function):
    """The function in each compiled form that the backend has.

    Args:
        function: takes and returns tensors.

    Returns:
        dict of name to function: "tf.function" and "XLA" on TensorFlow, "jax.jit" on JAX; empty on PyTorch, whose
        compiler wants a C++ toolchain on the machine.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return {
            "tf.function": tf.function(function, autograph=False),
            "XLA": tf.function(function, autograph=False, jit_compile=True),
        }
    if backend == "jax":
        import jax

        return {"jax.jit": jax.jit(function)}
    return {}
