"""SNIPS: what people say to an assistant, with its intent and the slots in it.

    INTENT/train_INTENT_full.json, INTENT/validate_INTENT.json
    {INTENT: [{"data": [{"text": "add "}, {"text": "clem burke", "entity": "artist"}, ...]}, ...]}

As is customary the published validation part is the test part, and as many examples of each intent (100) are carved
from train for validation. Downloading from the address below was not tried where this was written.

Source: Coucke et al., 2018, "Snips Voice Platform" (arXiv 1805.10190), github.com/sonos/nlu-benchmark (CC0).
"""

import json
import re

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
_ADDRESS = "https://raw.githubusercontent.com/sonos/nlu-benchmark/master/2017-06-custom-intent-engines/"
_FILES = {intent: (f"{intent}/train_{intent}_full.json", f"{intent}/validate_{intent}.json") for intent in INTENTS}
PATTERNS = ("*.json",)
URLS = {name: _ADDRESS + name for names in _FILES.values() for name in names}
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


def examples(raw, seed=0):
    """The sentences of every part.

    Args:
        raw: `Raw`.
        seed: int, of the validation part.

    Yields:
        `(part, {"tokens": list of str, "tags": list of str, "label": str})`: tags are slots as B-, I- and O, the label
        is the intent.

    Raises:
        FileNotFoundError: if a file is not there.
        ValueError: if a file has not the form above.
    """
    for number, (intent, (train, test)) in enumerate(_FILES.items()):
        train, test = _read(raw, train, intent), _read(raw, test, intent)
        carved = set(np.random.default_rng([seed, number]).permutation(len(train))[: len(test)].tolist())
        for index, example in enumerate(train):
            yield "validation" if index in carved else "train", example
        for example in test:
            yield "test", example


def _read(raw, name, intent):
    try:
        rows = json.loads(_text(raw.path(name).read_bytes()))[intent]
        return [_tagged(row["data"]) | {"label": intent} for row in rows]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{raw.origin}: {name} is not of the form of SNIPS ({error!r}); fetch it anew") from error


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
