"""Kneser-Ney n-grams against numbers worked out by hand, and their sums against 1."""

import itertools

import numpy as np
import pytest

from keras_seq.ngrams import KneserNey

A, B, C, D, START = 5, 6, 7, 8, 1
VOCABULARY = [A, B, C, D]


def test_by_hand_bigrams_of_one_sequence():
    """a b a c, D = 0.5. Bigrams: <s>a, ab, ba, ac, once each.

    Behind how many different tokens: a 2 (<s>, b), b 1, c 1; of 4 in all. p(a) = (2 - 0.5) / 4 + left / 4 and so on,
    left = 3 * 0.5 / 4 = 0.375, a quarter of it for each of the 4 tokens: 0.09375.
    """
    model = KneserNey([[A, B, A, C]], VOCABULARY, order=2, discount=0.5)
    p = {A: 0.375 + 0.09375, B: 0.125 + 0.09375, C: 0.125 + 0.09375, D: 0.09375}
    # Behind a: b and c, once each; what is left is 2 * 0.5 / 2 = 0.5.
    wanted = {A: 0.5 * p[A], B: 0.25 + 0.5 * p[B], C: 0.25 + 0.5 * p[C], D: 0.5 * p[D]}
    for token in VOCABULARY:
        assert model.probability([[A]], [token])[0] == pytest.approx(wanted[token])
        assert model.probability([[D]], [token])[0] == pytest.approx(p[token])  # never seen: the order below


def test_by_hand_trigrams_take_from_bigrams_counted_by_what_stands_before():
    """ab c twice and db c once: b c was seen three times, but behind two different tokens, and b d behind one."""
    model = KneserNey([[A, B, C], [A, B, C], [D, B, C], [A, B, D]], VOCABULARY, order=3, discount=0.5)
    # Unigrams, behind how many: a 1 (<s>), b 2 (a, d), c 1 (b), d 2 (<s>, b); 6 in all; left 4 * 0.5 / 6 = 1/3.
    p_c = 0.5 / 6 + 1 / 3 / 4
    # Behind b, by different tokens before: c 2 (ab, db), d 1 (ab); 3 in all; left 2 * 0.5 / 3.
    p_c_b = 1.5 / 3 + 1 / 3 * p_c
    # Behind a b: c twice, d once; left 2 * 0.5 / 3.
    assert model.probability([[A, B]], [C])[0] == pytest.approx(1.5 / 3 + 1 / 3 * p_c_b)
    assert model.probability([[C, B]], [C])[0] == pytest.approx(p_c_b)  # c b was never seen before anything


def sequences(count=60):
    random = np.random.default_rng(3)
    return [
        random.choice([3, 5, 6, 7, 8, 9], random.integers(1, 12), p=[0.1, 0.4, 0.2, 0.1, 0.1, 0.1])
        for _ in range(count)
    ]


@pytest.mark.parametrize("discount", ["modified", "single", 0.7])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_sum_to_1_behind_everything(order, discount):
    ids = [3, 5, 6, 7, 8, 9, 10]  # 10 never comes
    model = KneserNey(sequences(), ids, order, discount)
    contexts = np.array(list(itertools.product([1, *ids], repeat=order - 1)), int).reshape(8 ** (order - 1), order - 1)
    total = sum(model.probability(contexts, np.full(len(contexts), token)) for token in ids)
    np.testing.assert_allclose(total, 1, atol=1e-12)
    assert (model.probability(contexts, np.full(len(contexts), 10)) > 0).all()


def test_what_can_never_come_leaves_its_probability_to_the_others():
    ids = [3, 5, 6, 7, 8, 9, 10]
    model = KneserNey(sequences(), ids, 3, "modified")
    contexts = np.array(list(itertools.product([1, *ids], repeat=2)))
    left = [token for token in ids if token not in (3, 8)]
    total = sum(np.exp(model.log_probability(contexts, np.full(len(contexts), token), never=[3, 8])) for token in left)
    np.testing.assert_allclose(total, 1, atol=1e-12)


def test_longer_contexts_foresee_what_hangs_on_them():
    """A sequence in which a token hangs on the second before it."""
    random = np.random.default_rng(1)
    text = [5, 6]
    for _ in range(4000):
        text.append(text[-2] if random.random() < 0.9 else int(random.integers(5, 15)))
    perplexity = {}
    for order in (1, 2, 3):
        model = KneserNey([text[:3000]], range(5, 15), order, "modified")
        stream = np.array(text[3000:])
        contexts = (
            np.stack([stream[2 - back : len(stream) - back] for back in range(order - 1, 0, -1)], 1)
            if order > 1
            else np.zeros((len(stream) - 2, 0), int)
        )
        perplexity[order] = np.exp(-model.log_probability(contexts, stream[2:]).mean())
    assert perplexity[3] < 0.5 * perplexity[2] and perplexity[3] < 0.5 * perplexity[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], VOCABULARY), "there is no token in the sequences"),
        (([[]], VOCABULARY), "there is no token in the sequences"),
        (([[A, 99]], VOCABULARY), "hold id 99, which is not in the vocabulary"),
        (([[A, 2]], VOCABULARY), "hold id 2, which is not in the vocabulary"),
        (([[A]], VOCABULARY, 0), "order=0 is not the length of an n-gram"),
        (([[A]], VOCABULARY, 2, "none"), "discount='none'; choose 'modified', 'single'"),
    ],
)
def test_what_cannot_be_counted_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        KneserNey(*arguments)


def test_contexts_of_the_wrong_length_are_refused():
    with pytest.raises(ValueError, match=r"contexts have shape \(1, 1\), wanted \(1, 2\)"):
        KneserNey([[A, B]], VOCABULARY).probability([[A]], [B])
