"""Masks and lengths.

A mask is boolean and True means "attend / keep". Sequences are padded on the right with token id 0, so a mask and a
vector of lengths say the same thing.
"""

from keras import ops


def length_mask(lengths, size):
    """Mask of the first `lengths[i]` positions of row i.

        mask[i, t] = t < lengths[i]

    Args:
        lengths: int32 `(batch,)`, number of positions to keep in each row.
        size: int or scalar int tensor, number of positions.

    Returns:
        bool `(batch, size)`, True where a position is kept.

    Example:
        >>> print(ops.convert_to_numpy(length_mask([1, 3], 3)).tolist())
        [[True, False, False], [True, True, True]]
    """
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
