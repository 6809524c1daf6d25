"""The small language in which writings are written down.

    {code}     a field of the date: {d} the day, {m} a month's name, {y} the year, ... (see `locales.py`)
    <a|b|c>    one of these; a choice named twice is twice as likely
    [x]        x or nothing, the same as <x|>

Everything else stands for itself. `expand` unfolds a template into all the plain writings it contains, each with its
probability, so that every writing has a name that can be counted, looked up, or held out of training.

Example:
    >>> expand("[the ]{o} of {m}")
    {'the {o} of {m}': 0.5, '{o} of {m}': 0.5}
"""

import re

_CLOSING = {"<": ">", "[": "]"}
_FIELD = re.compile(r"\{(\w+)\}")


def expand(template: str) -> dict[str, float]:
    """All writings of a template with their probabilities, which sum to one.

    Args:
        template: str in the language of this module.

    Returns:
        dict of writing -> probability, in order of first appearance.

    Raises:
        ValueError: if a bracket is not closed.

    Example:
        >>> expand("{d}<-|-|/>{M}")
        {'{d}-{M}': 0.6666666666666666, '{d}/{M}': 0.3333333333333333}
    """
    opening = re.search(r"[<\[]", template)
    if opening is None:
        return {template: 1.0}
    before, bracket = template[: opening.start()], opening.group()
    end = _closing_position(template, opening.start())
    choices = _split_choices(template[opening.start() + 1 : end])
    if bracket == "[":
        choices.append("")
    writings: dict[str, float] = {}
    rest = expand(template[end + 1 :])
    for choice in choices:
        for middle, middle_share in expand(choice).items():
            for after, after_share in rest.items():
                writing = before + middle + after
                writings[writing] = writings.get(writing, 0.0) + middle_share * after_share / len(choices)
    return writings


def split_fields(writing: str) -> list[tuple[str, str]]:
    """A writing as a list of ("text", literal) and ("field", code).

    Example:
        >>> split_fields("{d}. {m}")
        [('field', 'd'), ('text', '. '), ('field', 'm')]
    """
    parts = _FIELD.split(writing)
    kinds = ("text", "field")
    return [(kinds[index % 2], part) for index, part in enumerate(parts) if part]


def _closing_position(template: str, start: int) -> int:
    bracket, depth = template[start], 0
    for position in range(start, len(template)):
        if template[position] == bracket:
            depth += 1
        elif template[position] == _CLOSING[bracket]:
            depth -= 1
            if depth == 0:
                return position
    raise ValueError(f"template {template!r} opens {bracket!r} and never closes it; add {_CLOSING[bracket]!r}")


def _split_choices(text: str) -> list[str]:
    choices, depth, start = [], 0, 0
    for position, character in enumerate(text):
        if character in "<[":
            depth += 1
        elif character in ">]":
            depth -= 1
        elif character == "|" and depth == 0:
            choices.append(text[start:position])
            start = position + 1
    return [*choices, text[start:]]
