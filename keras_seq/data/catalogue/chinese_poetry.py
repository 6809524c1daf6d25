"""Tang poems: pairs of lines of equal length, and whole quatrains with their titles.

    tang_line_pairs.tsv.gz      poem id <tab> line <tab> the line after it
    tang_quatrains.jsonl.gz     {"id", "author", "title", "paragraphs"}

A poem is in one part, and so are poems that share a pair of lines (the anthology holds some poems twice, under two
ids): no pair of lines is on two sides. Both configurations have the same poems in the same part.

Source: Werneror and contributors, github.com/chinese-poetry/chinese-poetry (MIT licence).
"""

import gzip
import json
import re
from pathlib import Path

from keras_seq.data.parts import groups, part_of

_SHARES = {"test": 0.05, "validation": 0.05}
_MARKS = re.compile("[，。！？；：、]")


def line_pairs(folder):
    """Yields `(part, {"poem", "source", "target"})`, the pairs of a poem in its order."""
    rows = _rows(folder)
    parts = _parts(rows)
    for poem, source, target in rows:
        yield parts[poem], {"poem": poem, "source": source, "target": target}


def quatrains(folder):
    """Yields `(part, {"poem", "author", "title", "lines"})`, `lines` four strings of equal length without marks."""
    parts = _parts(_rows(folder))
    with gzip.open(Path(folder, "tang_quatrains.jsonl.gz"), "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            lines = [line for line in _MARKS.split("".join(row["paragraphs"])) if line]
            yield parts[row["id"]], {"poem": row["id"], "author": row["author"], "title": row["title"], "lines": lines}


def _rows(folder):
    with gzip.open(Path(folder, "tang_line_pairs.tsv.gz"), "rt", encoding="utf-8") as file:
        return [tuple(line.rstrip("\n").split("\t")) for line in file]


def _parts(rows):
    """dict of poem id -> part."""
    holders = {}
    for poem, *pair in rows:
        holders.setdefault(tuple(pair), []).append(poem)
    return {poem: part_of(group, _SHARES) for poem, group in groups(holders.values()).items()}
