"""Summaries of a sentence or a paragraph: the data, and what is written without a network.

The lead is the baseline to beat: who writes news says the most important first, so that the first words of a text are a
fair summary of it (Rush et al., 2015, "A Neural Attention Model for Abstractive Sentence Summarization").
"""

import numpy as np

from keras_seq import data, text_scores


def gigaword(counts):
    """Some of Gigaword's sentences and headlines, without the millions of others in memory.

    Args:
        counts: dict of "train", "validation" and "test" -> int, how many pairs of each, or all where there are fewer.

    Returns:
        dict of the same parts -> list of `{"source": str, "target": str}`, in the order of the prepared set, which is
        shuffled.

    Raises:
        FileNotFoundError, ConnectionError: as `keras_seq.data.load`.
    """
    builder = data.prepared("gigaword")
    sizes = {part: min(count, builder.info.splits[part].num_examples) for part, count in counts.items()}
    return {part: _pairs(builder.as_dataset(split=f"{part}[:{size}]")) for part, size in sizes.items()}


def _pairs(dataset):
    rows = dataset.as_numpy_iterator()
    return [{"source": row["document"].decode(), "target": row["summary"].decode()} for row in rows]


def lead(text, count):
    """The first words of a text.

    Args:
        text: str.
        count: int.

    Returns:
        str.

    Example:
        >>> lead("rain is expected in the north", 3)
        'rain is expected'
    """
    return " ".join(text.split()[:count])


def best_lead(rows, longest=20):
    """How many words of the text make the best lead.

    Args:
        rows: list of `{"source": str, "target": str}`.
        longest: int, the most to try.

    Returns:
        int with the highest mean of ROUGE-1, ROUGE-2 and ROUGE-L, and dict of each number of words -> that mean.

    Raises:
        ValueError: if there are no rows.
    """
    wanted = [row["target"] for row in rows]
    means = {}
    for count in range(1, longest + 1):
        scores = text_scores.rouge([lead(row["source"], count) for row in rows], wanted)
        means[count] = float(np.mean([values.mean() for values in scores.values()]))
    return max(means, key=means.get), means


def toy(count, seed=0):
    """Made-up news and headlines, for trying out: who does what where, the middle of the sentence left out.

    Args:
        count: int, pairs.
        seed: int.

    Returns:
        list of `{"source": str, "target": str}`.
    """
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        who, does, what, where, when = (str(random.choice(words.split())) for words in _TOY)
        source = f"the {who} of {where} said on {when} that it {does} the {what} after a long debate ."
        rows.append({"source": source, "target": f"{where} {who} {does} {what}"})
    return rows


_TOY = ("council police court school bank", "opens closes buys paints", "bridge harbour library stadium",
        "oslo lima rome delhi kyoto", "monday tuesday friday sunday")  # fmt: skip
