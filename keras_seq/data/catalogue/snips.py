"""SNIPS: what people say to an assistant, with its intent and the slots in it.

    INTENT/train_INTENT_full.json, INTENT/validate_INTENT.json
    {INTENT: [{"data": [{"text": "add "}, {"text": "clem burke", "entity": "artist"}, ...]}, ...]}

As is customary the published validation part is the test part, and as many examples of each intent (100) are carved
from train for validation.

Source: Coucke et al., 2018, "Snips Voice Platform" (arXiv 1805.10190), github.com/sonos/nlu-benchmark (CC0).
"""

import json
import re
from pathlib import Path

import numpy as np

INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)
_WORD = re.compile(r"'s(?!\w)|[.,?!;:]+(?!\S)|\S+?(?='s(?!\w)|[.,?!;:]*(?:\s|$))")


def words(text):
    """Cuts at spaces, and before the marks that end a word and the genitive: as a slot's end cuts.

    Args:
        text: str.

    Returns:
        list of str.

    Example:
        >>> print(words("Add it to Clem's list, at 9:30."))
        ['Add', 'it', 'to', 'Clem', "'s", 'list', ',', 'at', '9:30', '.']
    """
    return _WORD.findall(text)


def examples(folder, seed=0):
    """Yields `(part, {"tokens", "tags", "label"})`: tags are slots as B-, I- and O, the label is the intent."""
    for number, intent in enumerate(INTENTS):
        train = _read(Path(folder, intent, f"train_{intent}_full.json"), intent)
        test = _read(Path(folder, intent, f"validate_{intent}.json"), intent)
        carved = set(np.random.default_rng([seed, number]).permutation(len(train))[: len(test)].tolist())
        for index, example in enumerate(train):
            yield "validation" if index in carved else "train", example
        for example in test:
            yield "test", example


def _read(path, intent):
    rows = json.loads(_text(path.read_bytes()))[intent]
    return [_tagged(row["data"]) | {"label": intent} for row in rows]


def _text(content):
    """One file is UTF-8 whose rare characters are written as two surrogates; any other that is not UTF-8 is latin-1."""
    try:
        text = content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return content.decode("latin-1")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _tagged(pieces):
    tokens, tags = [], []
    for piece in pieces:
        found = words(piece["text"])
        slot = piece.get("entity")
        tokens += found
        tags += [f"{'I' if index else 'B'}-{slot}" if slot else "O" for index in range(len(found))]
    return {"tokens": tokens, "tags": tags}
