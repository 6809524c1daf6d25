"""Cutting examples into parts by a fixed seed: the same parts on every machine, and what belongs together on one side.

A key is put into a part by its hash, not by its place, so that an example stays in its part when others come or go.
"""

import hashlib

from keras_seq.data.records import Records, Report, records


def part_of(key, shares, seed=0):
    """The part that a key falls into.

    Args:
        key: str, what must not be on two sides: a sentence, a poem.
        shares: dict of part name -> share of the keys, float; what is left over is "train".
        seed: int.

    Returns:
        str, a name of `shares` or "train".

    Example:
        >>> print(sorted({part_of(str(number), {"test": 0.2}) for number in range(50)}))
        ['test', 'train']
    """
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    for name, share in shares.items():
        if position < share:
            return name
        position -= share
    return "train"


def groups(memberships):
    """Joins members that share anything, directly or through others.

    Args:
        memberships: iterable of tuples of hashables: what each row holds together.

    Returns:
        dict of member -> the smallest member of its group.

    Example:
        >>> print(groups([("a", "b"), ("c",), ("d", "b")]))
        {'a': 'a', 'b': 'a', 'c': 'c', 'd': 'a'}
    """
    leader = {}

    def find(member):
        leader.setdefault(member, member)
        while leader[member] != member:
            leader[member] = leader[leader[member]]
            member = leader[member]
        return member

    for row in memberships:
        first = find(row[0])
        for member in row[1:]:
            other = find(member)
            first, other = min(first, other), max(first, other)
            leader[other] = first
    return {member: find(member) for member in leader}


def split(examples, shares, together=None, seed=0):
    """Cuts examples of a file into parts, copies of the same input on one side.

    Args:
        examples: list of dict, or `Records`.
        shares: dict of part name -> share, float: `{"validation": 0.1, "test": 0.1}`; the rest is "train".
        together: tuple of str, fields: examples that share the value of one of them (without regard to case and
            spaces), directly or through others, come into one part. None for the input: "source", "text" or "tokens".
        seed: int.

    Returns:
        dict of part name, "train" first -> `Records`. Of every name the share of the groups, and one group at least.

    Raises:
        ValueError: if the shares leave nothing to train on, or there are fewer different inputs than parts.

    Example:
        >>> rows = [{"text": text, "label": "x"} for text in "abcdefghaa"]
        >>> parts = split(rows, {"test": 0.25})
        >>> print({name: len({row["text"] for row in part}) for name, part in parts.items()})
        {'train': 6, 'test': 2}
    """
    examples = records(examples)
    if min(shares.values(), default=0) <= 0 or sum(shares.values()) >= 1:
        raise ValueError(f"shares={shares} are not above 0 and below 1 together; give as {{'test': 0.1}}")
    together = together or tuple(name for name in ("source", "text", "tokens") if examples and name in examples[0])[:1]
    keys = [tuple((name, _folded(row[name])) for name in together) for row in examples]
    leader = groups(keys)
    leaders = sorted(set(leader.values()), key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())
    if len(leaders) <= len(shares):
        raise ValueError(
            f"{examples.report.origin} has {len(leaders)} different inputs, too few for {len(shares) + 1} parts; give "
            "more examples, or a file for each part"
        )
    names, begin = {}, 0
    for name, share in shares.items():
        end = begin + max(1, round(share * len(leaders)))
        names |= dict.fromkeys(leaders[begin:end], name)
        begin = end
    if begin >= len(leaders):
        raise ValueError(f"shares={shares} leave nothing to train on of {len(leaders)} different inputs; give less")
    part_of_row = [names.get(leader[key[0]], "train") for key in keys]
    return {name: _part(examples, part_of_row, name) for name in ("train", *shares)}


def _folded(value):
    return " ".join((value if isinstance(value, str) else " ".join(value)).casefold().split())


def _part(examples, part_of_row, name):
    rows = [number for number, part in enumerate(part_of_row) if part == name]
    report = Report(f"{examples.report.origin} [{name}]", len(rows), len(rows))
    return Records([examples[row] for row in rows], [examples.places[row] for row in rows], report)
