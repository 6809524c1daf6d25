"""Tiny tasks on sequences, made from a seed: what a recurrent network can and cannot do, seen in seconds.

| task             | shape              | what it takes                                              |
|------------------|--------------------|------------------------------------------------------------|
| `running_parity` | one out at each in | a state of one bit, flipped by every 1                     |
| `majority`       | many in, one out   | counting                                                   |
| `after_the_star` | many in, one out   | keeping one thing while others go by                       |
| `number_words`   | one in, many out   | saying a long word from a state that only moves on         |
| `roman`          | many in, many out  | reading all of it before the first sign is written         |
| `adding`         | many in, one out   | two numbers over a long time, of which most is noise       |
| `agreement`      | next word          | singular or plural, over phrases that say the opposite     |

All but the two spellings are generators: the same arguments give the same examples.
"""

import numpy as np
import tensorflow as tf

STAR = 10  # the id after the ten digits
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
          (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip
NOUNS = ("boy", "cat", "dog", "girl", "king", "queen")
VERBS = ("run", "sing", "sleep", "wait")
_PREPOSITIONS = ("behind", "beside", "near")


def batches(inputs, labels, batch_size, seed=0):
    """Examples as a `tf.data` pipeline for `model.fit`: cached, shuffled anew every epoch, batched, prefetched.

    Args:
        inputs: array `(examples, ...)`, or a dict of them.
        labels: array `(examples, ...)`.
        batch_size: int. What is left over after the last full batch is dropped: XLA compiles once a shape.
        seed: int, seed of the order.

    Returns:
        `tf.data.Dataset` of `(inputs, labels)`.

    Raises:
        ValueError: if there are fewer examples than one batch holds.

    Example:
        >>> dataset = batches(*running_parity(examples=7, length=5, seed=0), batch_size=3)
        >>> print([tuple(labels.shape) for _, labels in dataset])
        [(3, 5, 1), (3, 5, 1)]
    """
    if len(labels) < batch_size:
        raise ValueError(f"{len(labels)} examples make no batch of {batch_size}; give more examples or smaller batches")
    dataset = tf.data.Dataset.from_tensor_slices((inputs, labels)).cache()
    dataset = dataset.shuffle(len(labels), seed=seed, reshuffle_each_iteration=True)
    return dataset.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def running_parity(examples, length, seed):
    """Bits, and for each of them whether the number of ones so far is odd.

    Args:
        examples: int.
        length: int, bits in each.
        seed: int.

    Returns:
        bits float32 `(examples, length, 1)` and labels int32 `(examples, length, 1)`.

    Example:
        >>> bits, odd = running_parity(examples=1, length=6, seed=0)
        >>> print(bits[0, :, 0].astype(int).tolist(), odd[0, :, 0].tolist())
        [1, 1, 1, 0, 0, 0] [1, 0, 1, 1, 1, 1]
    """
    _check(examples=examples, length=length)
    bits = np.random.default_rng(seed).integers(2, size=(examples, length, 1))
    return bits.astype("float32"), (bits.cumsum(axis=1) % 2).astype("int32")


def majority(examples, length, seed):
    """Bits, and whether more than half of them are ones.

    Args:
        examples: int.
        length: int, bits in each; odd, so that there is no draw.
        seed: int.

    Returns:
        bits float32 `(examples, length, 1)` and labels int32 `(examples, 1)`.

    Raises:
        ValueError: if a size is below 1 or the length is even.

    Example:
        >>> bits, more = majority(examples=2, length=5, seed=0)
        >>> print(bits[:, :, 0].astype(int).tolist(), more[:, 0].tolist())
        [[1, 1, 1, 0, 0], [0, 0, 0, 0, 1]] [1, 0]
    """
    _check(examples=examples, length=length)
    if length % 2 == 0:
        raise ValueError(f"length={length} is even and leaves room for a draw; give an odd one such as {length + 1}")
    bits = np.random.default_rng(seed).integers(2, size=(examples, length, 1))
    return bits.astype("float32"), (bits.sum(axis=1) > length / 2).astype("int32")


def after_the_star(examples, length, seed, within=None):
    """Digits with one star among them; the label is the digit that comes after the star.

    Args:
        examples: int.
        length: int, ids in each.
        seed: int.
        within: int, the star and its digit stand among the first `within` ids, defaults to `length`. The rest is what
            the digit has to be remembered over.

    Returns:
        ids int32 `(examples, length)`, 0 to 9 and `STAR`, and labels int32 `(examples,)`.

    Raises:
        ValueError: if a size is below 1 or `within` is not in [2, length].

    Example:
        >>> ids, labels = after_the_star(examples=1, length=8, seed=1, within=4)
        >>> print(ids[0].tolist(), labels[0])
        [10, 5, 7, 9, 0, 1, 8, 9] 5
    """
    _check(examples=examples, length=length)
    within = length if within is None else within
    if not 2 <= within <= length:
        raise ValueError(
            f"within={within} leaves no room for a star and a digit in length={length}; give 2 to {length}"
        )
    random, rows = np.random.default_rng(seed), np.arange(examples)
    ids = random.integers(10, size=(examples, length), dtype="int32")
    star = random.integers(within - 1, size=examples)
    ids[rows, star] = STAR
    return ids, ids[rows, star + 1]


def adding(examples, length, seed):
    """Random numbers of which two are marked, one in each half; the label is the sum of the two.

    Whoever always answers 1, the mean, errs by the variance of two uniform numbers, 2 / 12 = 1/6 in the mean square.

    Args:
        examples: int.
        length: int, steps in each, 2 at least.
        seed: int.

    Returns:
        inputs float32 `(examples, length, 2)`, a number from [0, 1) and a mark of 0 or 1 at every step, and labels
        float32 `(examples, 1)`.

    Raises:
        ValueError: if there are no examples or the length is below 2.

    Example:
        >>> inputs, labels = adding(examples=3, length=8, seed=0)
        >>> print(inputs[..., 1].sum(axis=1).tolist(), bool(np.allclose(inputs.prod(2).sum(1), labels[:, 0])))
        [2.0, 2.0, 2.0] True

    Reference: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory", section 5.4, in the form of Le, Jaitly and
    Hinton, 2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units", section 4.1.
    """
    _check(examples=examples, length=length)
    if length < 2:
        raise ValueError(f"length={length} has no two halves; give 2 or more")
    random, rows = np.random.default_rng(seed), np.arange(examples)
    numbers = random.random((examples, length), dtype="float32")
    marks = np.zeros_like(numbers)
    for begin, end in ((0, length // 2), (length // 2, length)):
        marks[rows, random.integers(begin, end, size=examples)] = 1
    return np.stack([numbers, marks], axis=-1), (numbers * marks).sum(axis=1, keepdims=True)


def number_words(number):
    """A number in English words.

    Args:
        number: int, 0 to 999.

    Returns:
        str.

    Raises:
        ValueError: if the number is outside that range.

    Example:
        >>> print(number_words(7), "|", number_words(342))
        seven | three hundred forty-two
    """
    if not 0 <= number <= 999:
        raise ValueError(f"number={number} is outside what is spelled here; give 0 to 999")
    if number >= 100:
        hundreds, rest = _ONES[number // 100] + " hundred", number % 100
        return f"{hundreds} {number_words(rest)}" if rest else hundreds
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10 - 2] + (f"-{_ONES[number % 10]}" if number % 10 else "")


def roman(number):
    """A number in Roman numerals.

    Args:
        number: int, 1 to 3999.

    Returns:
        str.

    Raises:
        ValueError: if the number is outside that range.

    Example:
        >>> print(roman(1994), roman(3888))
        MCMXCIV MMMDCCCLXXXVIII
    """
    if not 1 <= number <= 3999:
        raise ValueError(f"number={number} has no Roman numeral; give 1 to 3999")
    signs = ""
    for value, sign in _ROMAN:
        signs += sign * (number // value)
        number %= value
    return signs


def agreement(examples, seed, phrases=(0, 2), sentences=1):
    """Sentences whose verb agrees with the first noun, whatever nouns come between: "the king near the cats sings".

    Args:
        examples: int.
        seed: int.
        phrases: pair of int, the least and the most phrases such as "near the cats" in a sentence; each noun in them is
            singular or plural by chance.
        sentences: int, sentences in each example, one after another, each with its full stop.

    Returns:
        list of lists of str, the words of each example; and a list of lists of bool, for each of its sentences whether
        the first noun is plural.

    Raises:
        ValueError: if a size is below 1, or `phrases` is not a range.

    Example:
        >>> words, plural = agreement(examples=1, seed=0, phrases=(1, 1))
        >>> print(" ".join(words[0]), plural[0])
        the girls beside the cat run . [True]

    Reference: Linzen, Dupoux and Goldberg, 2016, "Assessing the Ability of LSTMs to Learn Syntax-Sensitive
    Dependencies".
    """
    _check(examples=examples, sentences=sentences)
    least, most = phrases
    if not 0 <= least <= most:
        raise ValueError(f"phrases={phrases} is not a range; give the least and the most, such as (0, 2)")
    random = np.random.default_rng(seed)
    all_words, all_plural = [], []
    for _ in range(examples):
        made = [_sentence(random, int(random.integers(least, most + 1))) for _ in range(sentences)]
        all_words.append([word for words, _ in made for word in words])
        all_plural.append([plural for _, plural in made])
    return all_words, all_plural


def _sentence(random, phrases):
    """The words of one sentence, and whether its first noun is plural."""
    plural = bool(random.integers(2))
    words = ["the", random.choice(NOUNS) + "s" * plural]
    for _ in range(phrases):
        words += [random.choice(_PREPOSITIONS), "the", random.choice(NOUNS) + "s" * int(random.integers(2))]
    words += [random.choice(VERBS) + "s" * (not plural), "."]
    return [str(word) for word in words], plural


def _check(**sizes):
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}={size} is not a number of things; give a whole number of 1 or more")
