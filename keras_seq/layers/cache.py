"""Writing into a buffer of fixed shape: the one function, since export formats differ in what they convert well."""

from keras import ops


def write_at(buffer, position, values, axis=1):
    """The buffer with `values` at one position of an axis.

    Args:
        buffer: `(batch, time, ...)`, or with its time on another axis.
        position: scalar int32.
        values: `(batch, ...)`, the buffer's shape without that axis, of the buffer's dtype.
        axis: int, counted from 0.

    Returns:
        A tensor of the buffer's shape.

    Example:
        >>> print(ops.convert_to_numpy(write_at(ops.zeros((1, 3)), 1, ops.array([7.0]))).tolist())
        [[0.0, 7.0, 0.0]]
    """
    return _writers[-1](buffer, position, ops.expand_dims(values, axis), axis)


class writing_by:  # noqa: N801  (used as a function, as contextlib's are)
    """Has `write_at` done in another way within the block, while a model is traced for export.

    Args:
        writer: function `(buffer, position, values, axis) -> buffer`, as `write_at`, but that the values keep the axis,
            with a size of 1.
    """

    def __init__(self, writer):
        self._writer = writer

    def __enter__(self):
        _writers.append(self._writer)

    def __exit__(self, *error):
        _writers.remove(self._writer)


def _select(buffer, position, values, axis):
    """By comparing every position, an expression that every backend compiles and every format converts."""
    here = ops.equal(ops.arange(buffer.shape[axis], dtype="int32"), position)  # (time,)
    here = ops.reshape(here, (1,) * axis + (-1,) + (1,) * (len(buffer.shape) - axis - 1))  # (1, time, ...)
    return ops.where(here, values, buffer)


_writers = [_select]
