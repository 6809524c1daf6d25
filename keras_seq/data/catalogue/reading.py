"""A prepared tensorflow-datasets part -> python values.

Text is read from its records by the thousand: `builder.as_dataset` parses them one by one, which took more than twice
as long (5.5 s against 2.7 s for 42 276 poems).
"""

import numpy as np


def rows(builder, part, names):
    """The examples of a part, in the order in which they were written.

    Args:
        builder: prepared `tfds.core.DatasetBuilder`, of TFRecord files.
        part: str.
        names: tuple of str, features of texts or numbers, or sequences of such.

    Returns:
        list of tuples, a value a name: str or int, or lists of such.

    Raises:
        ValueError: if there is no such part.
    """
    import tensorflow as tf

    stored = builder.info.features.get_serialized_info()
    form = {name: _form(tf, stored[name]) for name in names}
    files = [str(path) for path in part_info(builder, part).filepaths]
    found = []
    for batch in tf.data.TFRecordDataset(files).batch(2048):
        parsed = tf.io.parse_example(batch, form)
        found += zip(*(_values(parsed[name]) for name in names), strict=True)
    return found


def arrays(builder, part, names):
    """The same for pictures and sound.

    Args:
        builder: prepared `tfds.core.DatasetBuilder`.
        part: str.
        names: tuple of str.

    Returns:
        list of tuples, a numpy value a name.

    Raises:
        ValueError: if there is no such part.
    """
    part_info(builder, part)
    dataset = builder.as_dataset(split=part)
    return [tuple(example[name] for name in names) for example in dataset.as_numpy_iterator()]


def part_info(builder, part):
    """`tfds.core.SplitInfo` of a part; ValueError if there is none."""
    if part not in builder.info.splits:
        raise ValueError(f"{builder.name} has no part {part!r}; choose one of {', '.join(builder.info.splits)}")
    return builder.info.splits[part]


def _form(tf, stored):
    dtype = tf.string if np.dtype(stored.np_dtype).kind in "OSU" else tf.int64
    return tf.io.RaggedFeature(dtype) if stored.shape else tf.io.FixedLenFeature((), dtype)


def _values(column):
    if hasattr(column, "to_list"):
        return [[_text(item) for item in row] for row in column.to_list()]
    return [_text(item) for item in column.numpy().tolist()]


def _text(item):
    return item.decode("utf-8") if isinstance(item, bytes) else item
