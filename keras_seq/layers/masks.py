"""Masks and lengths.

A mask is boolean and True means "attend / keep". Sequences are padded on the right with token id 0, so a mask and a
vector of lengths say the same thing.
"""

import keras
from keras import ops


def length_mask(lengths, size):
    """Mask of the first `lengths[i]` positions of row i.

        mask[i, t] = t < lengths[i]

    Args:
        lengths: int32 `(batch,)`, number of positions to keep in each row.
        size: int or scalar int tensor, number of positions.

    Returns:
        bool `(batch, size)`, True where a position is kept.

    Raises:
        ValueError: if the lengths are not whole numbers, one a row.

    Example:
        >>> print(ops.convert_to_numpy(length_mask([1, 3], 3)).tolist())
        [[True, False, False], [True, True, True]]
    """
    lengths = ops.convert_to_tensor(lengths)
    dtype = keras.backend.standardize_dtype(lengths.dtype)
    if len(lengths.shape) != 1 or "int" not in dtype:
        raise ValueError(
            f"lengths are {dtype} of shape {tuple(lengths.shape)}; wanted int32 (batch,), one for each row"
        )
    lengths = ops.cast(lengths, "int32")
    positions = ops.arange(size, dtype="int32")
    return ops.expand_dims(positions, 0) < ops.expand_dims(lengths, 1)  # (batch, size)


def mask_lengths(mask):
    """Number of kept positions in each row of a right-padded mask: the inverse of `length_mask`.

    Args:
        mask: bool `(batch, time)`.

    Returns:
        int32 `(batch,)`.

    Example:
        >>> print(ops.convert_to_numpy(mask_lengths([[True, False], [True, True]])).tolist())
        [1, 2]
    """
    return ops.sum(ops.cast(mask, "int32"), axis=-1)


def padding_mask(ids):
    """Mask of the token ids that are not padding (id 0).

    Args:
        ids: int `(batch, time)`.

    Returns:
        bool `(batch, time)`.

    Example:
        >>> print(ops.convert_to_numpy(padding_mask([[5, 7, 0]])).tolist())
        [[True, True, False]]
    """
    return ops.not_equal(ids, 0)


def causal_mask(target, source=None):
    """Mask that hides the future: position t attends to positions up to t.

        mask[t, s] = s <= t

    Args:
        target: int or scalar int tensor, number of positions that attend.
        source: int or scalar int tensor, number of positions that may be attended to; defaults to `target`.

    Returns:
        bool `(target, source)`

    Example:
        >>> print(ops.convert_to_numpy(causal_mask(2, 3)).tolist())
        [[True, False, False], [True, True, False]]
    """
    rows = ops.expand_dims(ops.arange(target, dtype="int32"), 1)  # (target, 1)
    columns = ops.expand_dims(ops.arange(target if source is None else source, dtype="int32"), 0)  # (1, source)
    return columns <= rows  # (target, source)


def combine_masks(value_mask, attention_mask, causal=None):
    """One mask that keeps what all of the given ones keep.

    Args:
        value_mask: bool `(batch, source)` or None, which keys are there.
        attention_mask: bool `(batch, target, source)` or None, which pairs may meet.
        causal: bool `(target, source)` or None, as `causal_mask` gives.

    Returns:
        bool `(batch or 1, 1 or target, source)`, or None where all are None.

    Example:
        >>> mask = combine_masks(padding_mask([[5, 0]]), None, causal_mask(2))
        >>> print(ops.convert_to_numpy(mask).tolist())
        [[[True, False], [True, False]]]
    """
    masks = [
        None if value_mask is None else ops.expand_dims(value_mask, 1),  # (batch, 1, source)
        attention_mask,  # (batch, target, source)
        None if causal is None else ops.expand_dims(causal, 0),  # (1, target, source)
    ]
    combined = None
    for mask in masks:
        if mask is not None:
            combined = mask if combined is None else ops.logical_and(combined, mask)
    return combined
