"""Answers looked up: to a text, what was answered to the training text most like it. What a network is measured beside.

    weight of a term in a text   = (1 + log(times in it)) * (1 + log((1 + texts) / (1 + texts that have it)))
    likeness of two texts        = cosine of the angle between their weights

A term is a word or two neighbouring words, lower-cased; signs are none. The search is exact.

Reference: Salton and Buckley, 1988, "Term-weighting approaches in automatic text retrieval".
"""

import numpy as np

_BATCH = 64  # texts that are compared at once: the table of likenesses is `(batch, training texts)`


class Retrieval:
    """Looks answers up in training pairs.

    Args:
        rows: list of `{"source": str, "target": str}`.

    Raises:
        ValueError: if there is no word in the sources.

    Example:
        >>> rows = [{"source": "a table in Rome", "target": "At what time?"}, {"source": "bye", "target": "Bye."}]
        >>> Retrieval(rows).answers(["Is there a table?"])
        ['At what time?']
    """

    def __init__(self, rows):
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._targets = [row["target"] for row in rows]
        self._vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+", dtype=np.float32
        )
        try:
            weights = self._vectorizer.fit_transform(row["source"] for row in rows)  # (rows, terms)
        except ValueError as error:
            raise ValueError(f"{len(rows)} sources have no word to be found by; give some that have") from error
        self._weights = weights.T.tocsr()  # (terms, rows)

    def nearest(self, texts):
        """The training text most like each; of equals the first.

        Args:
            texts: list of str.

        Returns:
            int array `(texts,)`, places in `rows`, and float array `(texts,)`, likenesses in [0, 1]; 0 where no term is
            known.
        """
        weights = self._vectorizer.transform(texts)  # (texts, terms)
        places, likeness = np.zeros(len(texts), int), np.zeros(len(texts))
        for start in range(0, len(texts), _BATCH):
            table = (weights[start : start + _BATCH] @ self._weights).toarray()  # (batch, rows)
            places[start : start + _BATCH] = table.argmax(axis=1)
            likeness[start : start + _BATCH] = table.max(axis=1)
        return places, likeness

    def answers(self, texts):
        """What was answered to the training text most like each.

        Args:
            texts: list of str.

        Returns:
            list of str.
        """
        return [self._targets[place] for place in self.nearest(texts)[0]]
