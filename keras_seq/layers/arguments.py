"""Checks of what layers are made with and called with: what came, what was wanted, how to mend it."""

import keras


def check_size(name, size):
    """Refuses a size that is not a whole number of 1 or more."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ValueError(f"{name}={size!r} is not a width; give a whole number of 1 or more")


def check_share(name, share):
    """Refuses a share outside [0, 1)."""
    if not 0 <= share < 1:
        raise ValueError(f"{name}={share!r} is outside [0, 1); give a share such as 0.1")


def check_attention_inputs(query, value, key, value_mask=None, attention_mask=None):
    """Refuses tensors and masks that do not fit one another; sizes that are not known yet fit everything.

    Args:
        query: `(batch, target, query_features)`
        value: `(batch, source, value_features)`
        key: `(batch, source, key_features)`
        value_mask: bool `(batch, source)` or None.
        attention_mask: bool `(batch, target, source)` or None.

    Raises:
        ValueError: if a rank or a mask's dtype is wrong, or sizes that must be equal are not.
    """
    check_sequences(query=query.shape, value=value.shape, key=key.shape)
    check_mask("value_mask", value_mask, "(batch, source)")
    check_mask("attention_mask", attention_mask, "(batch, target, source)")
    same = [
        ("query", query, 0, "value", value, 0),
        ("value", value, 0, "key", key, 0),
        ("value", value, 1, "key", key, 1),
    ]
    if value_mask is not None:
        same += [("value_mask", value_mask, axis, "value", value, axis) for axis in (0, 1)]
    if attention_mask is not None:
        same += [
            ("attention_mask", attention_mask, 0, "query", query, 0),
            ("attention_mask", attention_mask, 1, "query", query, 1),
            ("attention_mask", attention_mask, 2, "value", value, 1),
        ]
    for row in same:
        check_equal_sizes(*row)


def check_sequences(**shapes):
    """Refuses shapes, by name, that are not `(batch, time, features)`."""
    for name, shape in shapes.items():
        if len(shape) != 3:
            raise ValueError(f"{name} has shape {tuple(shape)}; attention wants (batch, time, features)")


def check_mask(name, mask, wanted):
    """Refuses a mask of another rank than `wanted`, such as "(batch, source)", or of another dtype than bool."""
    if mask is None:
        return
    if len(mask.shape) != wanted.count(",") + 1:
        raise ValueError(f"{name} has shape {tuple(mask.shape)}; attention wants {wanted}")
    check_bool(name, mask)


def check_bool(name, mask):
    """Refuses a mask of another dtype than bool."""
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype != "bool":
        raise ValueError(f"{name} is {dtype}; attention wants bool, True where a key may be attended to")


def check_equal_sizes(name, tensor, axis, other_name, other, other_axis):
    """Refuses two axes whose sizes are known and differ."""
    size, wanted = tensor.shape[axis], other.shape[other_axis]
    if size is not None and wanted is not None and size != wanted:
        raise ValueError(
            f"{name} of shape {tuple(tensor.shape)} has {size} on axis {axis}, but {other_name} of shape "
            f"{tuple(other.shape)} has {wanted} on axis {other_axis}; they must be equal"
        )
