"""Interpolated Kneser-Ney n-grams: what counting can do, to hold a network beside.

    p_n(w | u..v) = max(c(u..v w) - D, 0) / c(u..v) + b(u..v) p_{n-1}(w | ..v)
    b(u..v)       = sum over w of what was discounted / c(u..v)
    p_0(w)        = 1 / size of the vocabulary

In the highest order c counts occurrences; below it counts the different tokens that an n-gram was seen behind, so that
a token that only ever follows one other is not taken to be likely everywhere. D is one number an order, or, "modified",
one each for counts of 1, 2 and 3 or more; both are estimated from how many n-grams were seen once, twice, ...

Reference: Chen and Goodman, 1999, "An Empirical Study of Smoothing Techniques for Language Modeling",
sections 2.7 and 3.
"""

import numpy as np

START = 1


class KneserNey:
    """An n-gram model over token ids.

    Args:
        sequences: iterable of sequences of int. Each has start tokens (id 1) put before it.
        vocabulary: sequence of int, the ids that can come, over which probabilities sum to 1.
        order: int, 3 for trigrams.
        discount: "modified", "single", or a float in (0, 1) for all orders and counts.

    Raises:
        ValueError: if there is nothing to count, an id is not in the vocabulary, or an argument is not as described.

    Example:
        >>> model = KneserNey([[5, 6, 5]], vocabulary=[5, 6, 7], order=2, discount=0.5)
        >>> print(model.probability([[5], [5], [5]], [5, 6, 7]).round(4).tolist())  # after 5
        [0.3056, 0.6389, 0.0556]
    """

    def __init__(self, sequences, vocabulary, order=3, discount="modified"):
        if not isinstance(order, int) or order < 1:
            raise ValueError(f"order={order!r} is not the length of an n-gram; give a whole number of 1 or more")
        if discount not in ("modified", "single") and not (isinstance(discount, float) and 0 < discount < 1):
            raise ValueError(f"discount={discount!r}; choose 'modified', 'single' or a number between 0 and 1")
        self.order = order
        self._vocabulary = np.unique(np.asarray(vocabulary, np.int64))
        self._base = int(max(self._vocabulary.max(), START)) + 1
        grams, counts = np.unique(_grams(sequences, order, self._base), return_counts=True)
        unknown = np.setdiff1d(grams % self._base, self._vocabulary)
        if len(unknown):
            raise ValueError(f"the sequences hold id {unknown[0]}, which is not in the vocabulary; add it there")
        self._levels = []
        for length in range(order, 0, -1):
            self._levels.insert(0, _Level(grams, counts, self._base, discount))
            # Without its first token: how many different ones stood there?
            grams, counts = np.unique(grams % self._base ** (length - 1), return_counts=True)

    def probability(self, contexts, tokens):
        """p(token | the tokens before it).

        Args:
            contexts: int `(examples, order - 1)`, with start tokens where a sequence begins.
            tokens: int `(examples,)`

        Returns:
            float64 `(examples,)`
        """
        contexts, tokens = np.asarray(contexts, np.int64), np.asarray(tokens, np.int64)
        if contexts.shape != (len(tokens), self.order - 1):
            raise ValueError(
                f"contexts have shape {contexts.shape}, wanted {(len(tokens), self.order - 1)}: one less than the "
                "order for each token; cut them, or put start tokens before them"
            )
        probability = np.full(len(tokens), 1 / len(self._vocabulary))
        before = np.zeros(len(tokens), np.int64)
        for length, level in enumerate(self._levels, 1):
            if length > 1:
                before += contexts[:, self.order - length] * self._base ** (length - 2)
            probability = level.interpolate(before, tokens, probability)
        return probability

    def log_probability(self, contexts, tokens, never=()):
        """log p(token | the tokens before it), knowing that some tokens cannot come here.

        Args:
            contexts: int `(examples, order - 1)`
            tokens: int `(examples,)`, none of `never`.
            never: sequence of int, ids whose probability goes to the others.

        Returns:
            float64 `(examples,)`, natural logarithms.
        """
        lost = sum(self.probability(contexts, np.full(len(tokens), token)) for token in never)
        return np.log(self.probability(contexts, tokens)) - np.log1p(-lost)

    def perplexity(self, sequences):
        """Perplexity a token, exp(- mean of log p(token | the tokens before it)).

        Args:
            sequences: list of lists of int, none of them with start tokens.

        Returns:
            float.

        Example:
            >>> KneserNey([[5, 6], [6, 5]], vocabulary=[5, 6], order=1).perplexity([[5, 6, 5]])
            2.0
        """
        places = [([START] * (self.order - 1) + list(own), own) for own in sequences]
        contexts = [before[place : place + self.order - 1] for before, own in places for place in range(len(own))]
        tokens = [token for _, own in places for token in own]
        contexts = np.reshape(contexts, (len(tokens), self.order - 1))
        return float(np.exp(-self.log_probability(contexts, tokens).mean()))


class _Level:
    """The n-grams of one length: their discounted shares, and for each context what is left for the length below."""

    def __init__(self, grams, counts, base, discount):
        self._base = base
        self._grams = grams
        self._contexts, starts, group = np.unique(grams // base, return_index=True, return_inverse=True)
        totals = np.add.reduceat(counts, starts)
        taken = _discounts(counts, discount)[np.minimum(counts, 3)]
        self._shares = (counts - taken) / totals[group]
        self._left = np.add.reduceat(taken, starts) / totals

    def interpolate(self, before, tokens, lower):
        left = _look_up(self._contexts, self._left, before, 1.0)
        return _look_up(self._grams, self._shares, before * self._base + tokens, 0.0) + left * lower


def _look_up(keys, values, wanted, missing):
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], missing)


def _discounts(counts, discount):
    """What is taken from a count of 0, 1, 2, and of 3 or more."""
    if isinstance(discount, float):
        return np.array([0, *[discount] * 3])
    once, twice, thrice, four_times = (max(int((counts == count).sum()), 1) for count in (1, 2, 3, 4))
    share = once / (once + 2 * twice)
    if discount == "single":
        return np.array([0, *[share] * 3])
    steps = [1 - 2 * share * twice / once, 2 - 3 * share * thrice / twice, 3 - 4 * share * four_times / thrice]
    return np.array([0, *np.clip(steps, 0.05, [0.95, 1.95, 2.95])])


def _grams(sequences, order, base):
    """Every n-gram as one number, its first token the highest digit."""
    found, powers = [], base ** np.arange(order - 1, -1, -1)
    for sequence in sequences:
        if not len(sequence):
            continue
        padded = np.concatenate([np.full(order - 1, START, np.int64), np.asarray(sequence, np.int64)])
        if not 0 <= padded.min() <= padded.max() < base:
            outside = padded[(padded < 0) | (padded >= base)][0]
            raise ValueError(f"the sequences hold id {outside}, which is not in the vocabulary; add it there")
        found.append(np.lib.stride_tricks.sliding_window_view(padded, order) @ powers)
    if not found:
        raise ValueError("there is no token in the sequences; give some to count")
    return np.concatenate(found)
