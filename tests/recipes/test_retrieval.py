"""Looking answers up: the nearest text is the one that weights counted by hand say; signs do not count."""

import collections
import itertools
import math
import random

import numpy as np
import pytest

from keras_seq.recipes.retrieval import Retrieval


def terms(text):
    words = [word.strip(".,?><").lower() for word in text.split() if word.strip(".,?><")]
    return collections.Counter([*words, *itertools.pairwise(words)])


def likeness_by_hand(sources, texts):
    """Cosine of every text with every source, `(texts, sources)`."""
    counted = [terms(source) for source in sources]
    having = collections.Counter(term for own in counted for term in own)

    def weights(own):
        found = {
            term: (1 + math.log(times)) * (1 + math.log((1 + len(sources)) / (1 + having[term])))
            for term, times in own.items()
            if term in having
        }
        length = math.sqrt(sum(weight**2 for weight in found.values()))
        return {term: weight / length for term, weight in found.items()}

    rows = [weights(own) for own in counted]
    table = [
        [sum(value * row.get(term, 0) for term, value in weights(terms(text)).items()) for row in rows]
        for text in texts
    ]
    return np.array(table)


def test_the_nearest_is_the_one_that_the_equations_say():
    words, draw = "a table in rome for two at seven please yes no which city".split(), random.Random(0)
    sources, texts = (
        [" ".join(draw.choices(words, k=draw.randint(2, 9))) for _ in range(count)] for count in (90, 150)
    )
    places, likeness = Retrieval([{"source": own, "target": own} for own in sources]).nearest(texts)
    table = likeness_by_hand(sources, texts)
    np.testing.assert_allclose(likeness, table.max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(table[np.arange(len(texts)), places], table.max(axis=1), rtol=1e-5)


def test_of_equals_the_first_and_of_strangers_the_first_of_all():
    rows = [
        {"source": source, "target": str(place)} for place, source in enumerate(["x", "a table", "A table?", "bye"])
    ]
    lookup = Retrieval(rows)
    assert lookup.answers(["a table", "> a < TABLE", "bye bye", "nothing known"]) == ["1", "1", "3", "0"]
    assert lookup.nearest(["a table", "nothing known"])[1] == pytest.approx([1, 0], abs=1e-6)


@pytest.mark.parametrize("rows", [[], [{"source": "?!", "target": "a"}]])
def test_sources_without_words_are_refused(rows):
    with pytest.raises(ValueError, match=f"{len(rows)} sources have no word to be found by; give some"):
        Retrieval(rows)
