"""Pairs of token ids -> a tf.data pipeline: cache, shuffle, bucket by length, token budget, pad, prefetch.

    source ids  [5, 7, 9]        source  5 7 9 0 0 0 0 0              padded to the bucket's length
    target ids  [4, 6]           target  <start> 4 6     0 0
                                 labels  4       6 <end> 0 0

Every pair goes into the first bucket whose lengths hold its source and its target with the end. A bucket's pairs are
padded once, into arrays that every epoch gathers its batches from: the arrays are the cache, and what is shuffled after
it are row numbers. Batches of all buckets come mixed. Each bucket has one shape, so a compiled model is compiled once a
bucket.

The order of epoch k depends on the seed and k alone: a run that is killed and resumed at epoch k sees the batches that
the uninterrupted run saw.
"""

import itertools

import numpy as np

from keras_seq.data.buckets import BucketedBatches, batch_size_of, padded
from keras_seq.data.tokenizer import Tokenizer


class PairBatches(BucketedBatches):
    """Batches of source and target ids for an encoder-decoder: calling it with an epoch's number gives its dataset.

    Pass it to `keras_seq.training.fit` as it is; `pairs_dataset` gives the plain dataset instead.

    Args:
        source_ids: sequence of sequences of int, none empty, without padding (id 0).
        target_ids: sequence of sequences of int, as many; one may be empty. Without special ids 0, 1, 2: the start and
            the end are added here.
        batch_tokens: int, token budget: a bucket's batch size is `batch_tokens // max(its source and target length)`.
        batch_size: int, batch size of every bucket; give this or `batch_tokens`.
        boundaries: the buckets, each a length for both sides or a pair `(source length, target length)`, rising. The
            target's length counts the start or the end.
        shuffle: bool.
        seed: int, seed of the order.
        remainder: what becomes of a bucket's last batch, when it is not full: "keep" it as it is, "drop" it (other
            pairs each epoch), or "fill" it with copies of pairs whose labels are all padding, which losses and metrics
            of `keras_seq.training` ignore: one shape a bucket, and every pair seen exactly once.
        unusable: "refuse" pairs with an empty source or longer than the last bucket, or "drop" them and count them in
            `dropped`.

    Gives, for each batch:
        `({"source": (batch, source), "target": (batch, target)}, labels (batch, target))`, all int32.

    Attributes:
        dropped: dict of the pairs dropped: `{"empty_source": int, "too_long": int}`.
        steps: int, batches in an epoch.
        buckets: list of dicts with `source`, `target` (lengths), `pairs`, `batch_size` and `steps`; those in use.

    Raises:
        ValueError: if the sides differ in number, an id or an option is not as described, or a pair is unusable.

    Example:
        >>> batches = PairBatches([[5, 7, 9], [8]], [[4, 6], []], batch_size=2, boundaries=[(4, 3)], shuffle=False)
        >>> (inputs, labels), = batches(epoch=0)
        >>> print(inputs["source"].numpy().tolist(), inputs["target"].numpy().tolist(), labels.numpy().tolist())
        [[5, 7, 9, 0], [8, 0, 0, 0]] [[1, 4, 6], [1, 0, 0]] [[4, 6, 2], [2, 0, 0]]
    """

    def __init__(
        self,
        source_ids,
        target_ids,
        *,
        batch_tokens=None,
        batch_size=None,
        boundaries=(16, 32, 64, 128),
        shuffle=True,
        seed=0,
        remainder="keep",
        unusable="refuse",
    ):
        super().__init__(shuffle, seed, remainder, unusable)
        boundaries = _pairs_of_lengths(boundaries)
        source, source_lengths = _flat(source_ids, "source_ids", Tokenizer.PAD)
        target, target_lengths = _flat(target_ids, "target_ids", Tokenizer.END)
        if len(source_lengths) != len(target_lengths):
            raise ValueError(
                f"{len(source_lengths)} sources and {len(target_lengths)} targets came; give one target for each source"
            )
        bucket_of = _bucket_of(source_lengths, target_lengths + 1, boundaries)
        self.dropped = _dropped(source_lengths, target_lengths, bucket_of, boundaries, unusable)
        bucket_of[source_lengths == 0] = len(boundaries)

        self._lengths = {"source": 0, "target": 0}
        for number, (source_length, target_length) in enumerate(boundaries):
            rows = np.flatnonzero(bucket_of == number)
            if not len(rows):
                continue
            size = batch_size_of(batch_tokens, batch_size, max(source_length, target_length))
            arrays = _padded_pairs(
                padded(source, source_lengths, rows, source_length),
                padded(target, target_lengths, rows, target_length),
                target_lengths[rows],
            )
            if remainder == "fill":
                arrays = _filled(arrays, -len(rows) % size)
            source_rows, target_rows, labels = arrays
            elements = ({"source": source_rows, "target": target_rows}, labels)
            self._add_bucket(elements, size, source=source_length, target=target_length, pairs=len(rows))
            self._lengths["source"] += int(source_lengths[rows].sum())
            self._lengths["target"] += int(target_lengths[rows].sum()) + len(rows)
        if not self.steps:
            raise ValueError(
                f"no batch comes of {len(source_lengths)} pairs (dropped: {self.dropped}); give more pairs, smaller "
                "batches, or remainder='keep'"
            )

    def padding_share(self):
        """Share of what the model reads that is padding.

        Returns:
            dict with "source" and "target", floats in [0, 1).
        """
        share = {}
        for side, kept in self._lengths.items():
            share[side] = 1 - kept / sum(inputs[side].shape.num_elements() for inputs, _ in self._arrays)
        return share


def pairs_dataset(source_ids, target_ids, **options):
    """The pipeline as one `tf.data.Dataset`, for `model.fit`, `evaluate` and loops: `PairBatches(...).dataset()`.

    Args:
        source_ids: sequence of sequences of int.
        target_ids: sequence of sequences of int.
        options: those of `PairBatches`.

    Returns:
        `tf.data.Dataset` of `({"source": (batch, source), "target": (batch, target)}, labels (batch, target))`, int32.

    Raises:
        ValueError: as `PairBatches`.

    Example:
        >>> dataset = pairs_dataset([[5, 7, 9]], [[4, 6]], batch_tokens=64, boundaries=[(4, 3), (8, 3)])
        >>> print(int(dataset.cardinality()))
        1
    """
    return PairBatches(source_ids, target_ids, **options).dataset()


def _pairs_of_lengths(boundaries):
    pairs = [(item, item) if isinstance(item, (int, np.integer)) else tuple(item) for item in boundaries]
    wrong = not pairs or any(len(pair) != 2 or min(pair) < 1 for pair in pairs)
    if wrong or any(
        later == sooner or later[0] < sooner[0] or later[1] < sooner[1] for sooner, later in itertools.pairwise(pairs)
    ):
        raise ValueError(
            f"boundaries={boundaries} do not rise; give lengths as (16, 32, 64), or pairs of source and target length "
            "as ((16, 11), (32, 11))"
        )
    return pairs


def _flat(ids, name, highest_reserved):
    """All ids in one array, and the lengths of the sequences."""
    ids = [np.asarray(sequence, np.int32) if isinstance(sequence, np.ndarray) else sequence for sequence in ids]
    lengths = np.fromiter(map(len, ids), np.int64, len(ids))
    flat = np.fromiter(itertools.chain.from_iterable(ids), np.int32, int(lengths.sum()))
    if len(flat) and flat.min() <= highest_reserved:
        position = int(np.argmax(flat <= highest_reserved))
        index = int(np.searchsorted(np.cumsum(lengths), position, side="right"))
        raise ValueError(
            f"{name}[{index}] holds id {flat[position]}, wanted ids above {highest_reserved}; "
            + ("0 is padding, remove it" if highest_reserved == 0 else "start and end are added here, remove them")
        )
    return flat, lengths


def _bucket_of(source_lengths, target_lengths, boundaries):
    """Number of the first bucket that holds each pair; `len(boundaries)` where none does."""
    source_boundaries, target_boundaries = np.array(boundaries).T
    return np.maximum(
        np.searchsorted(source_boundaries, source_lengths), np.searchsorted(target_boundaries, target_lengths)
    )


def _dropped(source_lengths, target_lengths, bucket_of, boundaries, unusable):
    empty = source_lengths == 0
    too_long = (bucket_of == len(boundaries)) & ~empty
    if unusable == "refuse" and empty.any():
        raise ValueError(
            f"{empty.sum()} of {len(empty)} sources are empty, the first at index {np.argmax(empty)}; remove them or "
            "pass unusable='drop'"
        )
    if unusable == "refuse" and too_long.any():
        first = int(np.argmax(too_long))
        raise ValueError(
            f"{too_long.sum()} of {len(too_long)} pairs are longer than the last bucket, {boundaries[-1]} for source "
            f"and target with its end, the first at index {first} with {source_lengths[first]} and "
            f"{target_lengths[first] + 1}; add a longer bucket to boundaries or pass unusable='drop'"
        )
    return {"empty_source": int(empty.sum()), "too_long": int(too_long.sum())}


def _padded_pairs(source, labels, target_lengths):
    """Source, target (the labels one later, led by the start) and labels (with the end) from padded ids."""
    target = np.roll(labels, 1, axis=1)  # the last column is padding: the bucket has room for the end
    target[:, 0] = Tokenizer.START
    labels[np.arange(len(labels)), target_lengths] = Tokenizer.END
    return source, target, labels


def _filled(arrays, count):
    """The arrays with `count` rows more, copies of the first ones whose labels are padding."""
    copies = np.arange(count) % len(arrays[0])
    source, target, labels = (np.concatenate([array, array[copies]]) for array in arrays)
    labels[len(labels) - count :] = Tokenizer.PAD
    return source, target, labels
