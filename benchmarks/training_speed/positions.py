"""Sinusoidal positions for the peers, in numpy: neither Keras nor PyTorch has them."""

import numpy as np


def sinusoids(longest, units):
    """Sine and cosine in turn, as Vaswani et al., 2017, section 3.5.

    Args:
        longest: int, number of positions.
        units: even int, width of a position.

    Returns:
        float32 `(longest, units)`
    """
    angles = np.arange(longest)[:, None] / 10000 ** (np.arange(0, units, 2) / units)  # (longest, pairs)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(longest, units).astype("float32")
