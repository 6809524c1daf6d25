import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq.data.label_batches import LabelBatches

BOUNDARIES = (3, 7, 11)
EXAMPLES = st.lists(
    st.tuples(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 8)), min_size=1, max_size=11), st.integers(0, 5)),
    min_size=1,
    max_size=40,
)


def make(count, seed=0):
    """Ids, characters (two a place), tags and a label of each example, all told apart by the ids."""
    rng = np.random.default_rng(seed)
    ids = [rng.integers(1, 50, rng.integers(1, 12)).tolist() for _ in range(count)]
    characters = [[[number, 0] for number in own] for own in ids]
    return ids, characters, [[number % 5 for number in own] for own in ids], [sum(own) % 7 for own in ids]


def examples_of(dataset):
    """(ids, characters, tags, label) of every example in order, padding and copies of weight 0 taken away."""
    found = []
    for inputs, labels, weights in dataset.as_numpy_iterator():
        for row, weight in enumerate(weights["label"]):
            length = int((inputs["ids"][row] != 0).sum())
            wanted = [weight] * length + [0] * (inputs["ids"].shape[1] - length)
            assert weights["tags"][row].tolist() == wanted
            for array in (inputs["ids"], inputs["characters"], labels["tags"]):
                assert not array[row, length:].any()
            if weight:
                parts = (inputs["ids"], inputs["characters"], labels["tags"])
                found.append((*(str(part[row, :length].tolist()) for part in parts), int(labels["label"][row])))
    return found


@settings(max_examples=20, deadline=None)
@given(examples=EXAMPLES, tokens=st.integers(11, 60), seed=st.integers(0, 99))
def test_every_example_comes_once_an_epoch_with_its_characters_tags_and_label(examples, tokens, seed):
    ids = [[number for number, _ in own] for own, _ in examples]
    tags = [[tag for _, tag in own] for own, _ in examples]
    characters = [[[number, tag, 0] for number, tag in own] for own, _ in examples]
    labels = [label for _, label in examples]
    batches = LabelBatches({"ids": ids, "characters": characters}, {"tags": tags, "label": labels},
                           batch_tokens=tokens, boundaries=BOUNDARIES, seed=seed, remainder="fill")  # fmt: skip
    wanted = sorted((str(a), str(b), str(c), d) for a, b, c, d in zip(ids, characters, tags, labels, strict=True))
    for dataset in (batches(0), batches(4), batches.dataset()):
        assert sorted(examples_of(dataset)) == wanted
        assert dataset.cardinality() == len(batches)
        for inputs, _, weights in dataset:
            length = inputs["ids"].shape[1]
            assert length in BOUNDARIES and inputs["characters"].shape[1:] == (length, 3)
            assert weights["label"].shape == (tokens // length,)


def test_one_label_an_example_comes_as_it_is_given():
    batches = LabelBatches({"ids": [[5, 6], [7], [8] * 5]}, [4, 0, 2], batch_size=2, boundaries=(3, 7), shuffle=False)
    (first, labels), (second, last) = batches(0)
    assert first["ids"].numpy().tolist() == [[5, 6, 0], [7, 0, 0]] and labels.numpy().tolist() == [4, 0]
    assert second["ids"].shape == (1, 7) and last.numpy().tolist() == [2] and last.dtype == tf.int32
    assert batches.buckets == [
        {"length": 3, "examples": 2, "batch_size": 2, "steps": 1},
        {"length": 7, "examples": 1, "batch_size": 2, "steps": 1},
    ]
    assert batches.padding_share() == pytest.approx(1 - 8 / 13)


def test_filled_rows_weigh_nothing_and_dropping_leaves_full_batches():
    inputs = {"ids": [[number + 1] for number in range(7)]}
    filled = list(LabelBatches(inputs, list(range(7)), batch_size=5, boundaries=(2,), remainder="fill")(0))
    assert [len(labels) for _, labels, _ in filled] == [5, 5]
    assert sum(float(tf.reduce_sum(weights)) for _, _, weights in filled) == 7
    dropped = list(LabelBatches(inputs, list(range(7)), batch_size=5, boundaries=(2,), remainder="drop")(0))
    assert [len(labels) for _, labels in dropped] == [5]


def test_the_order_depends_on_seed_and_epoch_alone():
    ids, characters, tags, labels = make(200)
    inputs, answers = {"ids": ids, "characters": characters}, {"tags": tags, "label": labels}
    options = dict(batch_tokens=44, boundaries=BOUNDARIES, remainder="fill")
    first, second = (LabelBatches(inputs, answers, seed=5, **options) for _ in range(2))
    orders = [examples_of(first(epoch)) for epoch in range(3)]
    assert examples_of(second(2)) == orders[2] and orders[0] != orders[1] != orders[2]
    assert examples_of(LabelBatches(inputs, answers, seed=6, **options)(0)) != orders[0]
    assert examples_of(tf.data.Dataset.range(1, 3).flat_map(second)) == orders[1] + orders[2]


def test_unusable_examples_are_refused_or_counted():
    ids, tags = [[5], [], [6] * 12, [7] * 3, []], [[1], [], [2] * 12, [3] * 3, []]
    with pytest.raises(ValueError, match="2 of 5 examples are empty, the first at index 1 with 0 places"):
        LabelBatches({"ids": ids}, tags, batch_size=2, boundaries=BOUNDARIES)
    with pytest.raises(ValueError, match="1 of 2 examples are longer than the last bucket, 11, .* index 1 with 12"):
        LabelBatches({"ids": [[5], [6] * 12]}, [1, 2], batch_size=2, boundaries=BOUNDARIES)
    batches = LabelBatches({"ids": ids}, tags, batch_size=2, boundaries=BOUNDARIES, unusable="drop")
    assert batches.dropped == {"empty": 2, "too_long": 1} and batches.kept.tolist() == [0, 3]
    with pytest.raises(ValueError, match="no batch comes of 1 examples"):
        LabelBatches({"ids": [[]]}, [0], batch_size=2, boundaries=BOUNDARIES, unusable="drop")


@pytest.mark.parametrize(
    "inputs, labels, options, message",
    [
        ([[1]], [0], {}, "wanted a dict of name to sequences"),
        ({"ids": [[1], [2]]}, [0], {}, "2 examples and 1 of 'labels' came"),
        ({"ids": [[1]], "characters": []}, [0], {}, "1 sequences of 'ids' and 0 of 'characters'"),
        ({"ids": [[1, 2]], "characters": [[[1]]]}, [0], {}, "'characters' of example 0 has 1 places .* has 2"),
        ({"ids": [[1], [2, 0]]}, [0, 0], {}, r"inputs\['ids'\]\[1\] holds 0"),
        ({"ids": [[1], [2]], "c": [[[1]], [[1, 2]]]}, [0, 0], {}, "holds places of shapes"),
        ({"ids": [[1], [2, 3]]}, [[0], [1]], {}, "'labels' of example 1 has 1 places .* has 2"),
        ({"ids": [[1], [2, 3]]}, [[0], [1, -1]], {}, r"labels\[1\] holds label -1"),
        ({"ids": [[1]]}, [0], {"boundaries": (7, 3)}, "do not rise"),
        ({"ids": [[1]]}, [0], {"remainder": "pad"}, "remainder='pad' is unknown"),
        ({"ids": [[1]]}, [0], {"unusable": "crop"}, "unusable='crop' is unknown"),
        ({"ids": [[1]]}, [0], {"batch_tokens": 4}, "give exactly one of them"),
        ({"ids": [[1]]}, [0], {"batch_size": None, "batch_tokens": 2}, "leave no room for an example of length 3"),
    ],
)
def test_what_is_wrong_is_said(inputs, labels, options, message):
    with pytest.raises(ValueError, match=message):
        LabelBatches(inputs, labels, **{"batch_size": 2, "boundaries": BOUNDARIES, **options})
