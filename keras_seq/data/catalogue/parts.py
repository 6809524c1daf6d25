"""Cutting examples into parts by a fixed seed: the same parts on every machine, and what belongs together on one side.

A key is put into a part by its hash, not by its place, so that an example stays in its part when others come or go.
"""

import hashlib


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
