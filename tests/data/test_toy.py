"""The tiny tasks are what they say: each label is worked out again, the slow way."""

import numpy as np
import pytest

from keras_seq.data import toy


def test_parity_is_that_of_the_ones_so_far():
    bits, odd = toy.running_parity(examples=11, length=7, seed=1)
    assert bits.shape == odd.shape == (11, 7, 1) and set(np.unique(bits)) == {0, 1}
    for row, labels in zip(bits[..., 0], odd[..., 0], strict=True):
        assert [sum(row[: step + 1]) % 2 for step in range(7)] == labels.tolist()


def test_majority_counts_and_neither_answer_is_rare():
    bits, more = toy.majority(examples=300, length=9, seed=1)
    assert bits.shape == (300, 9, 1) and more.shape == (300, 1)
    assert [int(sum(row) > len(row) - sum(row)) for row in bits[..., 0]] == more[:, 0].tolist()
    assert 0.4 < more.mean() < 0.6


def test_the_label_comes_after_the_only_star():
    ids, labels = toy.after_the_star(examples=400, length=13, seed=1)
    places = []
    for row, label in zip(ids.tolist(), labels, strict=True):
        assert row.count(toy.STAR) == 1 and row[row.index(toy.STAR) + 1] == label
        places.append(row.index(toy.STAR))
    assert set(places) == set(range(12)) and set(labels) == set(range(10))


def test_within_keeps_the_star_and_its_digit_at_the_beginning():
    ids, _ = toy.after_the_star(examples=100, length=13, seed=1, within=5)
    assert {row.index(toy.STAR) for row in ids.tolist()} == set(range(4))


def test_adding_marks_one_number_in_each_half():
    inputs, labels = toy.adding(examples=5000, length=11, seed=1)
    assert inputs.shape == (5000, 11, 2) and labels.shape == (5000, 1)
    numbers, marks = inputs[..., 0], inputs[..., 1]
    assert (marks[:, :5].sum(axis=1) == 1).all() and (marks[:, 5:].sum(axis=1) == 1).all()
    for row, marked, label in zip(numbers[:50], marks[:50], labels[:50, 0], strict=True):
        assert sum(row[marked == 1]) == pytest.approx(label, abs=1e-6)
    assert np.mean((labels - 1) ** 2) == pytest.approx(1 / 6, rel=0.05)


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "zero"), (13, "thirteen"), (40, "forty"), (99, "ninety-nine"), (100, "one hundred"),
     (805, "eight hundred five"), (312, "three hundred twelve"), (999, "nine hundred ninety-nine")],
)  # fmt: skip
def test_numbers_are_spelled(number, words):
    assert toy.number_words(number) == words


def test_no_two_numbers_are_spelled_alike():
    assert len({toy.number_words(number) for number in range(1000)}) == 1000
    assert len({toy.roman(number) for number in range(1, 4000)}) == 3999


@pytest.mark.parametrize(
    ("number", "signs"),
    [(1, "I"), (4, "IV"), (9, "IX"), (14, "XIV"), (40, "XL"), (49, "XLIX"), (90, "XC"), (400, "CD"), (1066, "MLXVI"),
     (2024, "MMXXIV"), (3999, "MMMCMXCIX")],
)  # fmt: skip
def test_roman_numerals(number, signs):
    assert toy.roman(number) == signs


def test_the_verb_agrees_with_the_first_noun():
    words, plural = toy.agreement(examples=200, seed=1, phrases=(1, 3), sentences=2)
    opposite = 0
    for example, numbers in zip(words, plural, strict=True):
        sentences = " ".join(example).split(" .")
        assert sentences.pop() == "" and len(sentences) == len(numbers) == 2
        for sentence, is_plural in zip(sentences, numbers, strict=True):
            *nouns, verb = [word for word in sentence.split() if word.rstrip("s") in toy.NOUNS + toy.VERBS]
            assert len(nouns) in (2, 3, 4)
            assert nouns[0].endswith("s") == is_plural != verb.endswith("s")
            opposite += nouns[-1].endswith("s") != is_plural
    assert 150 < opposite < 250  # of 400: what stands before the verb says nothing about it


@pytest.mark.parametrize("task", [toy.running_parity, toy.majority, toy.after_the_star, toy.adding])
def test_a_seed_decides_the_examples(task):
    once, again, other = (task(examples=5, length=9, seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(mine, same) for mine, same in zip(once, again, strict=True))
    assert not np.array_equal(once[0], other[0])


def test_batches_hold_every_example_once_and_come_in_another_order_each_epoch():
    inputs, labels = np.arange(12)[:, None], np.arange(12)
    dataset = toy.batches(inputs, labels, batch_size=4, seed=1)
    epochs = [np.concatenate([batch for _, batch in dataset]) for _ in range(2)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(12))] * 2
    assert epochs[0].tolist() != epochs[1].tolist()
    for batch_inputs, batch_labels in dataset:
        assert np.array_equal(batch_inputs[:, 0], batch_labels)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: toy.running_parity(examples=0, length=7, seed=0), "examples=0 is not a number of things"),
        (lambda: toy.adding(examples=3, length=1, seed=0), "length=1 has no two halves"),
        (lambda: toy.majority(examples=3, length=8, seed=0), "length=8 is even .* such as 9"),
        (lambda: toy.after_the_star(examples=3, length=8, seed=0, within=9), "within=9 leaves no room .* 2 to 8"),
        (lambda: toy.after_the_star(examples=3, length=8, seed=0, within=1), "within=1 leaves no room"),
        (lambda: toy.number_words(1000), "number=1000 .* give 0 to 999"),
        (lambda: toy.number_words(-1), "number=-1"),
        (lambda: toy.roman(0), "number=0 has no Roman numeral; give 1 to 3999"),
        (lambda: toy.roman(4000), "number=4000"),
        (lambda: toy.agreement(examples=3, seed=0, phrases=(2, 1)), r"phrases=\(2, 1\) is not a range"),
        (lambda: toy.agreement(examples=3, seed=0, sentences=0), "sentences=0 is not a number of things"),
        (lambda: toy.batches(np.ones((3, 2)), np.ones(3), batch_size=4), "3 examples make no batch of 4"),
    ],
)
def test_what_cannot_be_made_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
