"""Writing into a buffer of fixed shape: the one function, since export formats differ in what they convert."""

from keras import ops


def write_at(buffer, position, values):
    """The buffer with `values` at one position of axis 1, as an expression that every export format converts.

    Args:
        buffer: `(batch, time, ...)`
        position: scalar int32.
        values: `(batch, ...)`, of the buffer's dtype.

    Returns:
        `(batch, time, ...)`

    Example:
        >>> print(ops.convert_to_numpy(write_at(ops.zeros((1, 3)), 1, ops.array([7.0]))).tolist())
        [[0.0, 7.0, 0.0]]
    """
    here = ops.equal(ops.arange(buffer.shape[1], dtype="int32"), position)  # (time,)
    here = ops.reshape(here, (1, -1) + (1,) * (len(buffer.shape) - 2))  # (1, time, ...)
    return ops.where(here, ops.expand_dims(values, 1), buffer)
