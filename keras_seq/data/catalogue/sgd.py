"""Schema-Guided Dialogue: people book, search and ask, an assistant answers; user turn -> the system turn after it.

    train/dialogues_001.json ...            as published: {"dialogue_id", "turns": [{"speaker", "utterance"}, ...]}
    pairs_train.tsv.gz, pairs_dev.tsv.gz    made from those: dialogue id, user turn, system turn; quoted as CSV is

The published dev part is the test part here (its services are partly new); for validation, dialogues are carved from
train. Downloading from the address below was not tried where this was written.
"""

import csv
import gzip
import io
import itertools
import json

from keras_seq.data.parts import part_of

_ADDRESS = "https://raw.githubusercontent.com/google-research-datasets/dstc8-schema-guided-dialogue/master/"
_DIALOGUES = {
    part: tuple(f"{part}/dialogues_{number:03d}.json" for number in range(1, count + 1))
    for part, count in (("train", 127), ("dev", 20))
}
_SHARES = {"validation": 0.05}

PATTERNS = ("pairs_*.tsv.gz", "dialogues_*.json")
URLS = {name: _ADDRESS + name for names in _DIALOGUES.values() for name in names}


def examples(raw):
    """The dialogues of every part.

    Args:
        raw: `Raw`.

    Yields:
        `(part, {"dialogue": str, "user": list of str, "system": list of str})`, a user turn and the system's answer to
        it at the same place.

    Raises:
        FileNotFoundError: if neither the pairs nor all published files of a part are there.
        ValueError: if a row has not three columns.
    """
    for part in _DIALOGUES:
        for dialogue, user, system in _dialogues(raw, part):
            to = "test" if part == "dev" else part_of(dialogue, _SHARES)
            yield to, {"dialogue": dialogue, "user": user, "system": system}


def records(example):
    """What there is to answer in a dialogue.

    Args:
        example: dict, as `examples` yields.

    Returns:
        list of `{"dialogue", "source", "target", "context"}`: user turn, system turn, and the list of the turns before
        them, user's and system's in turn.
    """
    turns = list(itertools.chain.from_iterable(zip(example["user"], example["system"], strict=True)))
    return [
        {
            "dialogue": example["dialogue"],
            "source": turns[place],
            "target": turns[place + 1],
            "context": turns[:place],
        }
        for place in range(0, len(turns), 2)
    ]


def _dialogues(raw, part):
    """Yields `(dialogue, user turns, system turns)`."""
    name = f"pairs_{part}.tsv.gz"
    if raw.ending_in(name):
        for dialogue, rows in itertools.groupby(_rows(raw, name), lambda row: row[0]):
            _, user, system = zip(*rows, strict=True)
            yield dialogue, list(user), list(system)
        return
    if not raw.ending_in(*_DIALOGUES[part]):
        raise FileNotFoundError(
            f"{raw.origin} has neither {name} nor {_DIALOGUES[part][0]}; put there the published folder {part} of "
            "dstc8-schema-guided-dialogue"
        )
    for path in map(raw.path, _DIALOGUES[part]):
        for dialogue in json.loads(path.read_text(encoding="utf-8")):
            pairs = list(_pairs(dialogue["turns"]))
            if pairs:
                yield dialogue["dialogue_id"], *map(list, zip(*pairs, strict=True))


def _rows(raw, name):
    text = gzip.decompress(raw.path(name).read_bytes()).decode("utf-8")
    for row in csv.reader(io.StringIO(text, newline=""), delimiter="\t"):
        if len(row) != 3:
            raise ValueError(f"{raw.origin}: a row of {name} has {len(row)} columns, wanted 3: {row}; make it anew")
        yield row


def _pairs(turns):
    for turn, answer in itertools.pairwise(turns):
        if (turn["speaker"], answer["speaker"]) == ("USER", "SYSTEM"):
            yield turn["utterance"], answer["utterance"]
