"""Tatoeba, English and Chinese: sentences and their translations by volunteers, as manythings.org packs them.

    cmn.txt, cmn.txt.gz, or cmn-eng.zip with it     English <tab> Chinese <tab> licence and who wrote the two

A sentence has several translations, which have several in turn: pairs that share a sentence on either side, directly or
through others, come into one part, so that none is on two sides. Case and punctuation do not make another sentence.

Downloading from the address below was not tried where this was written.
"""

import unicodedata
import zipfile

from keras_seq.data.parts import groups, part_of

PATTERNS = ("cmn.txt", "cmn.txt.gz", "cmn-eng.zip")
URLS = {"cmn-eng.zip": "https://www.manythings.org/anki/cmn-eng.zip"}

_SHARES = {"test": 0.05, "validation": 0.05}


def examples(raw):
    """The pairs of every part.

    Args:
        raw: `Raw`.

    Yields:
        `(part, {"en": str, "zh": str, "attribution": str})`.

    Raises:
        FileNotFoundError: if none of the three files is there.
        ValueError: if a row has not three columns.
    """
    rows = [line.split("\t") for line in _lines(raw)]
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) != 3), None)
    if wrong:
        raise ValueError(
            f"{raw.origin}: line {wrong} of cmn.txt has {len(rows[wrong - 1])} columns, wanted English, Chinese and "
            "attribution; fetch the file anew"
        )
    keys = [(("en", _letters(english)), ("zh", _letters(chinese))) for english, chinese, _ in rows]
    leaders = groups(keys)
    for key, row in zip(keys, rows, strict=True):
        yield part_of(":".join(leaders[key[0]]), _SHARES), dict(zip(("en", "zh", "attribution"), row, strict=True))


def _letters(sentence):
    folded = unicodedata.normalize("NFKC", sentence).casefold()
    return "".join(filter(str.isalnum, folded)) or sentence


def _lines(raw):
    for name in ("cmn.txt", "cmn.txt.gz"):
        if raw.ending_in(name):
            return raw.lines(name)
    with zipfile.ZipFile(raw.path("cmn-eng.zip")) as archive:
        return archive.read("cmn.txt").decode("utf-8").rstrip("\n").split("\n")
