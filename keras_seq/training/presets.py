"""How precisely a training computes, chosen by the machine it runs on."""

import keras
import tensorflow as tf

_POLICIES = ("auto", "float32", "mixed_float16", "mixed_bfloat16")


def set_precision(policy="auto"):
    """Sets Keras's dtype policy for the layers made from now on. Weights are float32 under each of them.

    Args:
        policy: "float32", "mixed_float16" or "mixed_bfloat16"; "auto" takes mixed_bfloat16 on a GPU that computes in it
            (compute capability 8.0 and above), mixed_float16 on one with tensor cores (7.0 and above), else float32.

    Returns:
        str, the policy that was set.

    Raises:
        ValueError: if the policy is not known.

    Example:
        >>> set_precision("float32")
        'float32'
    """
    if policy not in _POLICIES:
        raise ValueError(f"policy={policy!r} is not known; choose from {', '.join(_POLICIES)}")
    if policy == "auto":
        policy = _best_policy(tf.config.list_physical_devices("GPU"))
    keras.config.set_dtype_policy(policy)
    return policy


def _best_policy(gpus):
    if not gpus:
        return "float32"
    capability = min(tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus)
    if capability >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if capability >= (7, 0) else "float32"
