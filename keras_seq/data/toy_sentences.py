"""Small generated sentences with tags, for trying a tagger where no data set is: a generated stand-in, as `toy` is.

    tagged      the dog saw a cat .         DET NOUN VERB DET NOUN PUNCT
    commands    play happy by four cats     O B-song O B-artist I-artist            PlayMusic

In both a word can mean two things, and what comes behind it tells which: "saw" is a tool or what somebody did, and
"happy" is a song or a place.
"""

import numpy as np

_NOUNS = ("dog", "cat", "saw", "light", "walk", "answer", "tree", "queen", "Rome", "Anna")
_VERBS = ("saw", "light", "walk", "answer", "sees", "finds", "loves")
_NAMES = ("happy", "four cats", "blue moon", "anna", "the old tree", "rome", "long walk")
_PATTERNS = (
    (("play", None), ("{}", "song"), ("by", None), ("{}", "artist")),
    (("put", None), ("{}", "song"), ("on my list", None), ("{}", "playlist")),
    (("will it rain in", None), ("{}", "city"), ("at", None), ("{}", "time")),
    (("{}", "city"), ("weather at", None), ("{}", "time")),
)
_INTENTS = ("PlayMusic", "AddToPlaylist", "GetWeather", "GetWeather")


def tagged(count, seed=0):
    """Sentences with word classes.

    Args:
        count: int.
        seed: int.

    Returns:
        list of `{"tokens", "tags"}`, lists of str.

    Example:
        >>> row = tagged(1)[0]
        >>> len(row["tokens"]) == len(row["tags"]), row["tags"][0]
        (True, 'DET')
    """
    random = np.random.default_rng(seed)

    def phrase():
        noun = str(random.choice(_NOUNS))
        if noun[0].isupper():
            return [(noun, "PROPN")]
        adjective = [("old", "ADJ")] if random.random() < 0.3 else []
        return [(str(random.choice(["the", "a", "every"])), "DET"), *adjective, (noun, "NOUN")]

    rows = []
    for _ in range(count):
        words = [*phrase(), (str(random.choice(_VERBS)), "VERB"), *phrase(), (".", "PUNCT")]
        if not rows:
            words = [("The", "DET"), ("dog", "NOUN"), ("sees", "VERB"), *phrase(), (".", "PUNCT")]
        rows.append({"tokens": [word for word, _ in words], "tags": [tag for _, tag in words]})
    return rows


def commands(count, seed=0):
    """Commands to an assistant with slots, as BIO tags, and intents.

    Args:
        count: int.
        seed: int.

    Returns:
        list of `{"tokens", "tags", "label"}`.

    Example:
        >>> print(sorted({row["label"] for row in commands(50)}))
        ['AddToPlaylist', 'GetWeather', 'PlayMusic']
    """
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        number = random.integers(len(_PATTERNS))
        tokens, tags = [], []
        for text, slot in _PATTERNS[number]:
            name = f"{random.integers(1, 12)} pm" if slot == "time" else str(random.choice(_NAMES))
            words = text.format(name).split()
            tokens += words
            tags += [f"{'I' if place else 'B'}-{slot}" if slot else "O" for place in range(len(words))]
        rows.append({"tokens": tokens, "tags": tags, "label": _INTENTS[number]})
    return rows
