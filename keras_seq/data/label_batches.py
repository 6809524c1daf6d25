"""Sequences and their labels -> a tf.data pipeline: cache, shuffle, bucket by length, token budget, pad, prefetch.

    ids         [5, 7, 9]             ids         5 7 9 0 0 0 0 0               padded to the bucket's length
    characters  [[4, 6], [8, 0], ..]  characters  the same, a row a place
    tags        [2, 0, 1]             tags        2 0 1 0 0 0 0 0               a label for each token, or
    label       3                     label       3                             one for the sequence

For classifiers (N-1), taggers (N-N) and models that do both at once. Order, cache and buckets are as those of
`PairBatches`: one shape a bucket, and the batches of an epoch depend on the seed and the epoch alone.
"""

import numpy as np

from keras_seq.data.buckets import BucketedBatches, batch_size_of, padded


class LabelBatches(BucketedBatches):
    """Batches of inputs and labels for a classifier or tagger: calling it with an epoch's number gives its dataset.

    Pass it to `keras_seq.training.fit` as it is; `LabelBatches(...).dataset()` is a dataset for plain `model.fit`.

    Args:
        inputs: dict of name to sequences, one for each example: ids `(time,)` without padding (id 0), or rows
            `(time, width)` of ids, such as the characters of each word, in which 0 may stand. The first input decides
            the length; the others are as long.
        labels: ints, one for each example; or sequences of int, as long as the example's input; or a dict of name to
            either, for a model with several outputs. From 0 up.
        batch_tokens: int, token budget: a bucket's batch size is `batch_tokens // its length`.
        batch_size: int, batch size of every bucket; give this or `batch_tokens`.
        boundaries: the buckets' lengths, rising.
        shuffle: bool.
        seed: int, seed of the order.
        remainder: what becomes of a bucket's last batch, when it is not full: "keep" it as it is, "drop" it (other
            examples each epoch), or "fill" it with copies of examples whose weight is 0: one shape a bucket, and every
            example counted exactly once. Metrics see the weights where they are given to `weighted_metrics`.
        unusable: "refuse" examples that are empty or longer than the last bucket, or "drop" them and count them in
            `dropped`.

    Gives, for each batch:
        `(inputs, labels)`, and with "fill" `(inputs, labels, weights)`: inputs a dict of int32 `(batch, time)` or
        `(batch, time, width)`, labels int32 `(batch,)` or `(batch, time)` or a dict of such, weights float32 in the
        labels' shapes, 0 for copies and for padding. Labels are 0 in the padding, which is a label like any other:
        the model's mask (`mask_zero=True`) or the weights keep it out of the loss.

    Attributes:
        dropped: dict of the examples dropped: `{"empty": int, "too_long": int}`.
        kept: int array, the numbers of the examples that are not dropped.
        steps: int, batches in an epoch.
        buckets: list of dicts with `length`, `examples`, `batch_size` and `steps`; those in use.

    Raises:
        ValueError: if inputs and labels differ in number or length, an id, a label or an option is not as described,
            or an example is unusable.

    Example:
        >>> batches = LabelBatches({"ids": [[5, 7, 9], [8]]}, [3, 0], batch_size=2, boundaries=[4], shuffle=False)
        >>> (inputs, labels), = batches(epoch=0)
        >>> print(inputs["ids"].numpy().tolist(), labels.numpy().tolist())
        [[5, 7, 9, 0], [8, 0, 0, 0]] [3, 0]
    """

    def __init__(
        self,
        inputs,
        labels,
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
        boundaries = _rising(boundaries)
        if not isinstance(inputs, dict) or not inputs:
            raise ValueError(f"inputs is {inputs!r:.60}, wanted a dict of name to sequences; give {{'ids': sequences}}")
        first = next(iter(inputs))
        self._lengths = np.fromiter(map(len, inputs[first]), np.int64, len(inputs[first]))
        sides = {name: _flat_input(sequences, name, self._lengths, first) for name, sequences in inputs.items()}
        answers = labels if isinstance(labels, dict) else {"labels": labels}
        answers = {name: _flat_labels(values, name, self._lengths) for name, values in answers.items()}

        bucket_of = np.searchsorted(boundaries, self._lengths)
        self.dropped = _dropped(self._lengths, boundaries[-1], unusable)
        bucket_of[self._lengths == 0] = len(boundaries)
        self.kept = np.flatnonzero(bucket_of < len(boundaries))
        for number, length in enumerate(boundaries):
            rows = np.flatnonzero(bucket_of == number)
            if not len(rows):
                continue
            size = batch_size_of(batch_tokens, batch_size, length)
            copies = -len(rows) % size if remainder == "fill" else 0
            arrays = self._element(sides, answers, rows, length, copies, remainder == "fill")
            if not isinstance(labels, dict):
                arrays = (arrays[0], *(part["labels"] for part in arrays[1:]))
            self._add_bucket(arrays, size, length=length, examples=len(rows))
        if not self.steps:
            raise ValueError(
                f"no batch comes of {len(self._lengths)} examples (dropped: {self.dropped}); give more examples, "
                "smaller batches, or remainder='keep'"
            )

    def padding_share(self):
        """Share of the places that the model reads that are padding.

        Returns:
            float in [0, 1).
        """
        places = sum(bucket["length"] * bucket["examples"] for bucket in self.buckets)
        return 1 - int(self._lengths[self.kept].sum()) / places

    def _element(self, sides, answers, rows, length, copies, weighted):
        """The arrays of a bucket: inputs, labels and, if asked for, weights; the copies come last."""
        taken = np.concatenate([rows, rows[np.arange(copies) % len(rows)]])
        inputs = {name: padded(flat, self._lengths, taken, length) for name, flat in sides.items()}
        labels = {
            name: padded(values, self._lengths, taken, length) if per_token else values[taken].astype("int32")
            for name, (values, per_token) in answers.items()
        }
        if not weighted:
            return inputs, labels
        real = (np.arange(len(taken)) < len(rows))[:, None]  # (rows, 1)
        places = (np.arange(length) < self._lengths[taken, None]) & real  # (rows, time)
        weights = {
            name: (places if per_token else real[:, 0]).astype("float32") for name, (_, per_token) in answers.items()
        }
        return inputs, labels, weights


def _rising(boundaries):
    boundaries = list(boundaries)
    wrong = not boundaries or any(not isinstance(item, (int, np.integer)) or item < 1 for item in boundaries)
    if wrong or boundaries != sorted(set(boundaries)):
        raise ValueError(f"boundaries={boundaries} do not rise; give lengths as (16, 32, 64)")
    return boundaries


def _flat_input(sequences, name, lengths, first):
    """All places of an input in one array, int32 `(all places,)` or `(all places, width)`."""
    if len(sequences) != len(lengths):
        raise ValueError(
            f"{len(lengths)} sequences of {first!r} and {len(sequences)} of {name!r} came; give one of each an example"
        )
    _check_lengths(sequences, name, lengths)
    full = [np.asarray(sequence, np.int32) for sequence in sequences if len(sequence)]
    shapes = {array.shape[1:] for array in full}
    if len(shapes) > 1 or any(len(shape) > 1 for shape in shapes):
        raise ValueError(
            f"inputs[{name!r}] holds places of shapes {sorted(shapes)[:3]}, wanted one: ids (time,), or rows "
            "(time, width) of the same width in all examples"
        )
    flat = np.concatenate(full) if full else np.zeros(0, np.int32)
    wrong = flat < (1 if flat.ndim == 1 else 0)
    if wrong.any():
        place = int(np.argmax(wrong.reshape(len(flat), -1).any(axis=1)))
        index = int(np.searchsorted(np.cumsum(lengths), place, side="right"))
        raise ValueError(
            f"inputs[{name!r}][{index}] holds {flat[place].tolist()}, wanted ids above 0, or from 0 in rows; 0 is "
            "padding, remove it"
        )
    return flat


def _flat_labels(values, name, lengths):
    """The labels in one array, int64, and whether they are one a token."""
    if len(values) != len(lengths):
        raise ValueError(f"{len(lengths)} examples and {len(values)} of {name!r} came; give one for each example")
    per_token = bool(len(values)) and np.ndim(values[0]) == 1
    if per_token:
        _check_lengths(values, name, lengths)
        flat = np.concatenate([np.asarray(sequence, np.int64).reshape(-1) for sequence in values])
    else:
        flat = np.asarray(values, np.int64).reshape(-1)
    if len(flat) and flat.min() < 0:
        place = int(np.argmin(flat))
        index = int(np.searchsorted(np.cumsum(lengths), place, side="right")) if per_token else place
        raise ValueError(
            f"{name}[{index}] holds label {flat[place]}, wanted numbers from 0; leave examples whose label is not "
            "known out, or give it a number of its own"
        )
    return flat, per_token


def _check_lengths(sequences, name, lengths):
    own = np.fromiter(map(len, sequences), np.int64, len(sequences))
    if (own != lengths).any():
        index = int(np.argmax(own != lengths))
        raise ValueError(
            f"{name!r} of example {index} has {own[index]} places where its first input has {lengths[index]}; give "
            "one for each token"
        )


def _dropped(lengths, longest, unusable):
    empty, too_long = lengths == 0, lengths > longest
    for name, wrong, cure in (
        ("empty", empty, "remove them"),
        (f"longer than the last bucket, {longest}", too_long, "add a longer bucket to boundaries"),
    ):
        if unusable == "refuse" and wrong.any():
            index = int(np.argmax(wrong))
            raise ValueError(
                f"{wrong.sum()} of {len(lengths)} examples are {name}, the first at index {index} with "
                f"{lengths[index]} places; {cure} or pass unusable='drop'"
            )
    return {"empty": int(empty.sum()), "too_long": int(too_long.sum())}
