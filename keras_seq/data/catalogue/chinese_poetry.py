"""Tang poems: pairs of lines of equal length, and whole quatrains with their titles.

    poet.tang.0.json, poet.tang.1000.json ...   as published: [{"id", "author", "title", "paragraphs"}, ...]
    tang_line_pairs.tsv.gz, tang_quatrains.jsonl.gz     made from those: poem id, line, next line; and the poems of four
                                                        lines

Only regular poems serve: all lines five or all seven characters long, and an even number of lines, which pair up as
1-2, 3-4, ... A poem is in one part, and so are poems that share a pair of lines (the anthology holds some poems twice,
under two ids): no pair of lines is on two sides. Both configurations have the same poems in the same part.

Downloading from the address below was not tried where this was written; the rule for regular poems was compared with
the made files for a few dozen poems only.
"""

import json
import re

from keras_seq.data.parts import groups, part_of

_ADDRESS = "https://raw.githubusercontent.com/chinese-poetry/chinese-poetry/master/%E5%85%A8%E5%94%90%E8%AF%97/"
_POEMS = tuple(f"poet.tang.{number}.json" for number in range(0, 58000, 1000))
_PAIRS, _QUATRAINS = "tang_line_pairs.tsv.gz", "tang_quatrains.jsonl.gz"
_SHARES = {"test": 0.05, "validation": 0.05}
_MARKS = re.compile("[，。！？；：、]")
_CHINESE = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]+")

PATTERNS = (_PAIRS, _QUATRAINS, "poet.tang.*.json")
URLS = {name: _ADDRESS + name for name in _POEMS}


def line_pairs(raw):
    """The pairs of lines of each poem.

    Args:
        raw: `Raw`.

    Yields:
        `(part, {"poem": str, "source": list of str, "target": list of str})`, the pairs in the poem's order.

    Raises:
        FileNotFoundError: if neither the made files nor all published ones are there.
    """
    poems = _pairs(raw)
    parts = _parts(poems)
    for poem, pairs in poems.items():
        source, target = map(list, zip(*pairs, strict=True))
        yield parts[poem], {"poem": poem, "source": source, "target": target}


def quatrains(raw):
    """The poems of four lines.

    Args:
        raw: `Raw`.

    Yields:
        `(part, {"poem": str, "author": str, "title": str, "lines": four str})`, lines without punctuation.

    Raises:
        FileNotFoundError: as `line_pairs`.
    """
    parts = _parts(_pairs(raw))
    for row in map(json.loads, raw.lines(_QUATRAINS)) if _made(raw) else _regular(raw):
        lines = _lines(row)
        if len(lines) == 4:
            yield parts[row["id"]], {"poem": row["id"], "author": row["author"], "title": row["title"], "lines": lines}


def records(example):
    """The pairs of a poem.

    Args:
        example: dict, as `line_pairs` yields.

    Returns:
        list of `{"poem": str, "source": str, "target": str}`.
    """
    pairs = zip(example["source"], example["target"], strict=True)
    return [{"poem": example["poem"], "source": source, "target": target} for source, target in pairs]


def _made(raw):
    return len(raw.ending_in(_PAIRS, _QUATRAINS)) == 2


def _pairs(raw):
    """dict of poem id -> list of pairs of lines."""
    poems = {}
    if _made(raw):
        for poem, *pair in (line.split("\t") for line in raw.lines(_PAIRS)):
            poems.setdefault(poem, []).append(tuple(pair))
        return poems
    for row in _regular(raw):
        lines = _lines(row)
        poems[row["id"]] = list(zip(lines[::2], lines[1::2], strict=True))
    return poems


def _regular(raw):
    """Yields the regular poems of the published files."""
    if not raw.ending_in(*_POEMS):
        raise FileNotFoundError(
            f"{raw.origin} has neither {_PAIRS} and {_QUATRAINS} nor {_POEMS[0]}; put there the published folder "
            "全唐诗 of chinese-poetry"
        )
    for path in map(raw.path, _POEMS):
        for row in json.loads(path.read_text(encoding="utf-8")):
            lines = _lines(row)
            lengths = {len(line) for line in lines}
            if lengths in ({5}, {7}) and len(lines) % 2 == 0 and all(map(_CHINESE.fullmatch, lines)):
                yield row


def _lines(row):
    return [line for line in _MARKS.split("".join(row["paragraphs"])) if line]


def _parts(poems):
    """dict of poem id -> part."""
    holders = {}
    for poem, pairs in poems.items():
        for pair in pairs:
            holders.setdefault(pair, []).append(poem)
    return {poem: part_of(leader, _SHARES) for poem, leader in groups(holders.values()).items()}
