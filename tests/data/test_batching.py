import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq.data.batching import PairBatches, pairs_dataset
from keras_seq.data.tokenizer import Tokenizer

BOUNDARIES = ((3, 4), (7, 4), (11, 9))
PAIRS = st.lists(
    st.tuples(st.lists(st.integers(1, 50), min_size=1, max_size=11), st.lists(st.integers(3, 20), max_size=8)),
    min_size=1,
    max_size=40,
)


def make_pairs(count, seed=0):
    rng = np.random.default_rng(seed)
    source = [rng.integers(3, 50, rng.integers(1, 12)).tolist() for _ in range(count)]
    return source, [rng.integers(3, 20, rng.integers(0, 9)).tolist() for _ in range(count)]


def batches_of(dataset):
    return [(inputs["source"].numpy(), inputs["target"].numpy(), labels.numpy()) for inputs, labels in dataset]


def pairs_of(batches):
    """The pairs in batches, in order; pairs with nothing but padding as labels left out."""
    pairs = []
    for source, target, labels in batches:
        for source_row, target_row, label_row in zip(source, target, labels, strict=True):
            if not label_row.any():
                continue
            length = int((label_row != 0).sum())
            assert label_row[length - 1] == Tokenizer.END and not label_row[length:].any()
            assert target_row[0] == Tokenizer.START and not target_row[length:].any()
            assert target_row[1:length].tolist() == label_row[: length - 1].tolist()
            kept = int((source_row != 0).sum())
            assert not source_row[kept:].any()
            pairs.append((tuple(source_row[:kept].tolist()), tuple(label_row[: length - 1].tolist())))
    return pairs


def as_pairs(source, target):
    return [(tuple(x), tuple(y)) for x, y in zip(source, target, strict=True)]


@settings(max_examples=20, deadline=None)
@given(pairs=PAIRS, tokens=st.integers(11, 60), remainder=st.sampled_from(["keep", "fill"]), seed=st.integers(0, 99))
def test_every_pair_comes_once_an_epoch_with_labels_one_ahead_of_the_target(pairs, tokens, remainder, seed):
    source, target = zip(*pairs, strict=True)
    batches = PairBatches(
        source,
        target,
        batch_tokens=tokens,
        boundaries=BOUNDARIES,
        seed=seed,
        remainder=remainder,
        shuffle=bool(seed % 3),
    )
    for dataset in (batches(0), batches(3), batches.dataset()):
        got = batches_of(dataset)
        assert sorted(pairs_of(got)) == sorted(as_pairs(source, target))
        assert len(got) == len(batches) == dataset.cardinality()
        for source_ids, target_ids, labels in got:
            assert source_ids.dtype == target_ids.dtype == labels.dtype == np.int32
            lengths = (source_ids.shape[1], target_ids.shape[1])
            assert lengths in BOUNDARIES and target_ids.shape == labels.shape
            assert 1 <= len(labels) <= tokens // max(lengths)
            if remainder == "fill":
                assert len(labels) == tokens // max(lengths)


def test_each_pair_is_in_the_first_bucket_that_holds_it():
    got = batches_of(pairs_dataset([[5] * 3, [6] * 3, [7] * 4, [8]], [[3] * 3, [3] * 4, [], [3] * 8], batch_size=9,
                                   boundaries=BOUNDARIES, shuffle=False))  # fmt: skip
    assert [(labels.shape[1], set(source.ravel().tolist()) - {0}) for source, _, labels in got] == [
        (4, {5}),
        (4, {7}),
        (9, {6, 8}),
    ]
    assert [source.shape[1] for source, _, _ in got] == [3, 7, 11]


def test_the_order_depends_on_seed_and_epoch_alone():
    source, target = make_pairs(300)
    options = dict(batch_tokens=44, boundaries=BOUNDARIES)
    first, second = PairBatches(source, target, seed=5, **options), PairBatches(source, target, seed=5, **options)
    orders = [pairs_of(batches_of(first(epoch))) for epoch in range(3)]
    assert pairs_of(batches_of(second(2))) == orders[2]
    assert pairs_of(batches_of(second(2))) == orders[2]
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert pairs_of(batches_of(PairBatches(source, target, seed=6, **options)(0))) != orders[0]
    resumed = tf.data.Dataset.range(1, 3).flat_map(second)
    assert pairs_of(batches_of(resumed)) == orders[1] + orders[2]


def test_the_plain_dataset_is_shuffled_anew_by_each_iteration():
    source, target = make_pairs(200)
    dataset = pairs_dataset(source, target, batch_size=17, boundaries=BOUNDARIES)
    one, two = pairs_of(batches_of(dataset)), pairs_of(batches_of(dataset))
    assert one != two and sorted(one) == sorted(two)
    again = pairs_dataset(source, target, batch_size=17, boundaries=BOUNDARIES)
    assert pairs_of(batches_of(again)) == one


def test_without_shuffling_pairs_stay_in_order_within_their_bucket():
    source, target = make_pairs(100)
    got = batches_of(pairs_dataset(source, target, batch_size=13, boundaries=[(11, 9)], shuffle=False))
    assert pairs_of(got) == as_pairs(source, target)
    assert [len(labels) for _, _, labels in got] == [13] * 7 + [9]


def test_batches_of_all_buckets_come_mixed():
    source, target = make_pairs(400)
    lengths = [source.shape[1] for source, _, _ in batches_of(PairBatches(source, target, batch_size=8,
                                                                        boundaries=BOUNDARIES)(0))]  # fmt: skip
    assert len(list(itertools.groupby(lengths))) > 2 * len(BOUNDARIES)


def test_dropping_remainders_keeps_full_batches_only():
    source, target = make_pairs(100)
    batches = PairBatches(source, target, batch_size=16, boundaries=[(11, 9)], remainder="drop")
    got = batches_of(batches(0))
    assert [len(labels) for _, _, labels in got] == [16] * 6 and batches.steps == 6
    assert set(pairs_of(batches_of(batches(1)))) != set(pairs_of(got))


def test_filled_rows_have_a_source_and_no_labels():
    batches = PairBatches([[5, 6], [7]], [[3], []], batch_size=5, boundaries=[(3, 4)], remainder="fill")
    ((source, target, labels),) = batches_of(batches(0))
    assert source.shape == (5, 3) and source.any(axis=1).all() and target.any(axis=1).all()
    assert labels.any(axis=1).sum() == 2


def test_padding_share():
    batches = PairBatches([[5] * 3, [6] * 2], [[3] * 3, []], batch_size=2, boundaries=[(4, 5)])
    assert batches.padding_share() == {"source": 1 - 5 / 8, "target": 1 - 5 / 10}


def test_unusable_pairs_are_refused_or_counted():
    source, target = [[5], [], [5] * 12, [5], []], [[3], [3], [3], [3] * 9, []]
    with pytest.raises(ValueError, match="2 of 5 sources are empty, the first at index 1"):
        PairBatches(source, target, batch_size=2, boundaries=BOUNDARIES)
    with pytest.raises(ValueError, match="1 of 2 pairs are longer .* the first at index 1 with 12 and 2"):
        PairBatches([[5], [5] * 12], [[3], [3]], batch_size=2, boundaries=BOUNDARIES)
    batches = PairBatches(source, target, batch_size=2, boundaries=BOUNDARIES, unusable="drop")
    assert batches.dropped == {"empty_source": 2, "too_long": 2}
    assert pairs_of(batches_of(batches(0))) == [((5,), (3,))]


def test_the_target_needs_room_for_its_end():
    PairBatches([[5]], [[3] * 8], batch_size=2, boundaries=BOUNDARIES)
    with pytest.raises(ValueError, match="longer than the last bucket"):
        PairBatches([[5]], [[3] * 9], batch_size=2, boundaries=BOUNDARIES)


@pytest.mark.parametrize(
    ("source", "target", "options", "message"),
    [
        ([[5]], [[3], [4]], {}, "1 sources and 2 targets"),
        ([[5], [5, 0]], [[3], [4]], {}, r"source_ids\[1\] holds id 0"),
        ([[5], [5]], [[3], [4, 2]], {}, r"target_ids\[1\] holds id 2"),
        ([[5]], [[3]], dict(remainder="pad"), "choose one of 'keep', 'drop', 'fill'"),
        ([[5]], [[3]], dict(unusable="crop"), "choose 'refuse' or 'drop'"),
        ([[5]], [[3]], dict(boundaries=(16, 8)), "do not rise"),
        ([[5]], [[3]], dict(boundaries=()), "do not rise"),
        ([[5]], [[3]], dict(boundaries=((4, 4), (8, 3))), "do not rise"),
        ([[5]], [[3]], dict(batch_tokens=64), "exactly one"),
        ([[5]], [[3]], dict(batch_size=None), "exactly one"),
        ([[5]], [[3]], dict(batch_size=None, batch_tokens=15), "choose batch_tokens=16 at least"),
        ([[5]], [[3]], dict(remainder="drop"), "no batch comes of 1 pairs"),
        ([], [], {}, "no batch comes of 0 pairs"),
    ],
)
def test_wrong_arguments_are_refused(source, target, options, message):
    with pytest.raises(ValueError, match=message):
        PairBatches(source, target, **{"batch_size": 4, **options})


def test_numpy_arrays_are_as_good_as_lists():
    source, target = make_pairs(20)
    arrays = [[np.array(ids, np.int64) for ids in side] for side in (source, target)]
    options = dict(batch_size=7, boundaries=BOUNDARIES, shuffle=False)
    assert pairs_of(batches_of(pairs_dataset(*arrays, **options))) == pairs_of(
        batches_of(pairs_dataset(source, target, **options))
    )
