"""What a writer of verse reads and writes: the next line, from what stands before it.

    source                      target
    明月松間照                    清泉石上流        the line before, alone
    空山新雨後，天氣晚來秋，明月松間照    清泉石上流        the couplet before it too: its second line has the rhyme
    《山居秋暝》，□□□□□             空山新雨後        the first line, from the title; blanks say how long it is
    《山居秋暝》，空山新雨後          天氣晚來秋        and the second and third, from the title and the lines before

The target is as long as what stands behind the source's last separator: `keras_seq.models.EqualLength` keeps to that.
"""

import hashlib
import itertools

SEPARATOR, BLANK = "，", "□"
MARKS = SEPARATOR + BLANK + "《》"
"""Characters that sources have beside those of poems."""

LONGEST_TITLE = 10
"""Characters; poems with longer titles are used without them."""


def couplets(records):
    """The pairs of lines of each poem.

    Args:
        records: list of dict of `poem`, `source` and `target`, those of a poem in its order, as
            `keras_seq.data.load("chinese_poetry")` gives.

    Returns:
        dict of poem -> list of (line, the line after it).
    """
    poems = {}
    for record in records:
        poems.setdefault(record["poem"], []).append((record["source"], record["target"]))
    return poems


def alone(poems):
    """Each couplet's second line from its first.

    Args:
        poems: dict, from `couplets`.

    Returns:
        list of (source, target).
    """
    return [pair for pairs in poems.values() for pair in pairs]


def after_a_couplet(poems):
    """Each couplet's second line from its first and the couplet before, where that is in lines of the same length.

    Args:
        poems: dict, from `couplets`.

    Returns:
        list of (source, target).
    """
    return [
        (_joined(*couplet, line), target)
        for pairs in poems.values()
        for couplet, (line, target) in itertools.pairwise(pairs)
        if len(couplet[1]) == len(target)
    ]


def mixed(poems):
    """Each couplet once: its second line from the first alone, or with the couplet before, by a coin kept for ever.

    Args:
        poems: dict, from `couplets`.

    Returns:
        list of (source, target).
    """
    found = []
    for pairs in poems.values():
        for number, (line, target) in enumerate(pairs):
            before = pairs[number - 1] if number else None
            whole = before and len(before[1]) == len(target) and _coin(line + target)
            found.append((_joined(*before, line) if whole else line, target))
    return found


def from_titles(quatrains):
    """The first three lines of each quatrain, from its title and the lines before.

    The fourth needs no title: with the couplet before it, it is an example of `after_a_couplet`.

    Args:
        quatrains: list of dict of `title` and `lines`, as `keras_seq.data.load("chinese_poetry/quatrains")` gives.

    Returns:
        list of (source, target), and int, how many poems were left out because their title is longer than
        `LONGEST_TITLE` or their lines are not four of equal length.
    """
    found, left_out = [], 0
    for poem in quatrains:
        title, lines = poem["title"].replace(" ", ""), poem["lines"]
        if not 0 < len(title) <= LONGEST_TITLE or len(lines) != 4 or len({len(line) for line in lines}) > 1:
            left_out += 1
            continue
        found += [(titled(title, lines[:number], len(lines[0])), lines[number]) for number in range(3)]
    return found, left_out


def titled(title, before, length):
    """The source of a line of a poem with a title.

    Args:
        title: str.
        before: list of str, the lines before it, at most two.
        length: int, characters of a line.

    Returns:
        str.

    Example:
        >>> titled("春夜", [], 5), titled("春夜", ["明月松間照"], 5)
        ('《春夜》，□□□□□', '《春夜》，明月松間照')
    """
    return _joined(f"《{title}》", *(before or [BLANK * length]))


def source_lengths(length):
    """Lengths that sources of lines of `length` characters come in, rising: alone, after lines, with a title."""
    return sorted({length, 3 * length + 2, LONGEST_TITLE + 4 + 2 * length})


def _joined(*lines):
    return SEPARATOR.join(lines)


def _coin(text):
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 0
