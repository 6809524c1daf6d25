"""Buckets of padded examples -> the batches of an epoch, mixed and shuffled by seed and epoch alone.

What `PairBatches` and `LabelBatches` share. A bucket's examples are padded once, into arrays that every epoch gathers
its batches from: the arrays are the cache, and what is shuffled after it are row numbers.
"""

import numpy as np
import tensorflow as tf

_REMAINDERS = ("keep", "drop", "fill")
_UNUSABLE = ("refuse", "drop")


class BucketedBatches:
    """Batches from buckets of one shape each: calling it with an epoch's number gives its dataset.

    Args:
        shuffle: bool.
        seed: int, seed of the order.
        remainder: "keep", "drop" or "fill", see the classes made of this.
        unusable: "refuse" or "drop".

    Attributes:
        buckets: list of dicts with `batch_size`, `steps` and what the class made of this adds.
        steps: int, batches in an epoch.

    Raises:
        ValueError: if an option is not known.
    """

    def __init__(self, shuffle, seed, remainder, unusable):
        if remainder not in _REMAINDERS:
            raise ValueError(f"remainder={remainder!r} is unknown; choose one of {', '.join(map(repr, _REMAINDERS))}")
        if unusable not in _UNUSABLE:
            raise ValueError(f"unusable={unusable!r} is unknown; choose 'refuse' or 'drop'")
        self._shuffle = shuffle
        self._seed = seed
        self._drop = remainder == "drop"
        self.buckets, self._arrays = [], []

    @property
    def steps(self):
        return sum(bucket["steps"] for bucket in self.buckets)

    def _add_bucket(self, arrays, size, **described):
        """Appends a bucket: `arrays`, a batch's structure of arrays with all the bucket's rows, and its batch size."""
        rows = len(tf.nest.flatten(arrays)[0])
        steps = rows // size if self._drop else -(-rows // size)
        self.buckets.append({**described, "batch_size": size, "steps": steps})
        with tf.device("CPU:0"):
            self._arrays.append(tf.nest.map_structure(tf.constant, arrays))

    def __len__(self):
        return self.steps

    def __call__(self, epoch):
        """The dataset of one epoch.

        Args:
            epoch: int or scalar int64 tensor, counted from 0.

        Returns:
            `tf.data.Dataset` of the batches, as the class describes them; the same whenever it is iterated.
        """
        return self._dataset(tf.cast(epoch, tf.int64)).prefetch(tf.data.AUTOTUNE)

    def dataset(self):
        """A dataset for plain `model.fit`: shuffled anew by each iteration, the same in each process for a seed.

        Returns:
            `tf.data.Dataset` of the same elements as a call gives.
        """
        if not self._shuffle:
            return self(0)
        epochs = tf.data.Dataset.random(seed=self._seed, rerandomize_each_iteration=True).take(1)
        dataset = epochs.flat_map(self._dataset).apply(tf.data.experimental.assert_cardinality(self.steps))
        return dataset.prefetch(tf.data.AUTOTUNE)

    def _dataset(self, epoch):
        """The batches of `epoch`, a scalar int64 tensor: each bucket's own, taken in a mixed order."""
        per_bucket = []
        for number, (bucket, arrays) in enumerate(zip(self.buckets, self._arrays, strict=True)):
            rows = self._order(tf.range(tf.nest.flatten(arrays)[0].shape[0]), epoch, number)
            rows = tf.data.Dataset.from_tensor_slices(rows).batch(bucket["batch_size"], drop_remainder=self._drop)
            per_bucket.append(rows.map(lambda rows, arrays=arrays: _gather(arrays, rows)))
        turns = np.repeat(np.arange(len(self.buckets), dtype=np.int64), [bucket["steps"] for bucket in self.buckets])
        turns = tf.data.Dataset.from_tensor_slices(self._order(turns, epoch, len(self.buckets)))
        dataset = tf.data.Dataset.choose_from_datasets(per_bucket, turns, stop_on_empty_dataset=False)
        return dataset.apply(tf.data.experimental.assert_cardinality(self.steps))

    def _order(self, values, epoch, stream):
        """`values` shuffled by a random stream of its own for each seed, epoch and bucket."""
        if not self._shuffle:
            return tf.convert_to_tensor(values)
        streams = len(self.buckets) + 1
        seed = tf.stack([tf.constant(self._seed, tf.int64), epoch * streams + stream])
        return tf.random.experimental.stateless_shuffle(values, seed=seed)


def batch_size_of(batch_tokens, batch_size, length):
    """Examples in a batch of a bucket of `length` places.

    Args:
        batch_tokens: int, token budget, or None.
        batch_size: int, or None.
        length: int.

    Returns:
        int.

    Raises:
        ValueError: if both or neither are given, or no example fits.
    """
    if (batch_tokens is None) == (batch_size is None):
        raise ValueError(f"batch_tokens={batch_tokens} and batch_size={batch_size} came; give exactly one of them")
    size = batch_size if batch_tokens is None else batch_tokens // length
    if size < 1:
        raise ValueError(
            f"batch_tokens={batch_tokens}, batch_size={batch_size} leave no room for an example of length {length}; "
            f"choose batch_tokens={length} at least"
        )
    return int(size)


def padded(flat, lengths, rows, size):
    """Sequences that lie one behind the other in one array, padded with 0 on the right.

    Args:
        flat: `(all places, ...)`.
        lengths: int `(sequences,)`.
        rows: int `(rows,)`, which sequences.
        size: int, the padded length.

    Returns:
        int32 `(rows, size, ...)`
    """
    begins = (np.cumsum(lengths) - lengths)[rows]
    positions = np.arange(size)
    kept = positions < lengths[rows, None]  # (rows, size)
    result = np.zeros((*kept.shape, *flat.shape[1:]), np.int32)
    result[kept] = flat[(begins[:, None] + positions)[kept]]
    return result


def _gather(arrays, rows):
    return tf.nest.map_structure(lambda array: tf.gather(array, rows), arrays)
