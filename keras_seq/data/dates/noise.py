"""What happens to a text between the head and the keyboard: case, accents, punctuation, spacing.

Nothing here may change what a date means: two numbers are never joined, and no separator between numbers is lost.
"""

import re
import unicodedata

_SPACE_NOT_BETWEEN_DIGITS = re.compile(r"(?<=\d) (?=[^\d'’])|(?<![\d ]) ")
_HAN_BESIDE_DIGIT = re.compile(r"(?<=\d)(?=[^\W\d_a-zA-Z])|(?<=[年月日号號년월일])(?=[\w])")
_NUMBER_SEPARATOR = re.compile(r"(?<=\d)([-/.])(?=\d)")
_LONG_WORD = re.compile(r"[a-zA-Z\u00c0-\u017f]{6,}")
_FULL_WIDTH = {ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)}
_FULL_WIDTH.update({ord(mark): chr(ord(mark) + 0xFEE0) for mark in "-/.,:()"})


def _unaccented(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return {"ł": "l", "Ł": "L", "ı": "i", "ø": "o"}.get(base, base)


_UNACCENTED = {code: _unaccented(chr(code)) for code in range(0xC0, 0x180) if chr(code).isalpha() and chr(code) != "ß"}


def drop_accents(text: str) -> str:
    """Latin letters without their accents.

    Example:
        >>> drop_accents("février"), drop_accents("października"), drop_accents("miércoles, März")
        ('fevrier', 'pazdziernika', 'miercoles, Marz')
    """
    return text.translate(_UNACCENTED)


def squeeze(text: str) -> str:
    """Every space taken out that does not hold two numbers apart.

    Example:
        >>> squeeze("3 March 2017"), squeeze("Dec 31, 1994"), squeeze("5 3 2017"), squeeze("2017 3 May")
        ('3March2017', 'Dec31,1994', '5 3 2017', '2017 3May')
    """
    return _SPACE_NOT_BETWEEN_DIGITS.sub("", text)


def draw_case(text: str, random) -> str:
    """All small, all capitals, or every word capitalised."""
    kind = random()
    if kind < 0.5:
        return text.lower()
    return text.upper() if kind < 0.8 else text.title()


def draw_spacing(text: str, random) -> str:
    """Spaces too few or too many around the punctuation."""
    kind = random()
    if kind < 0.3:
        return squeeze(text)
    if kind < 0.5:
        return text.replace(",", " ,") if "," in text else text.replace(". ", " . ", 1)
    if kind < 0.7:
        return text.replace(", ", "," if random() < 0.5 else " ")
    if kind < 0.85:
        return _HAN_BESIDE_DIGIT.sub(" ", text)
    if kind < 0.93:
        return _NUMBER_SEPARATOR.sub(r" \1 ", text)
    return text.replace(" ", "  ", 1) if random() < 0.5 else f" {text}"


def draw_slip(text: str, random) -> str:
    """Two letters swapped, or one lost or doubled, inside a word of six Latin letters or more."""
    words = _LONG_WORD.findall(text)
    if not words:
        return text
    word = words[int(random() * len(words))]
    place = 1 + int(random() * (len(word) - 3))
    kind = random()
    if kind < 0.4:
        slip = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    elif kind < 0.7:
        slip = word[:place] + word[place + 1 :]
    else:
        slip = word[:place] + word[place] + word[place:]
    return text.replace(word, slip, 1)


def draw_punctuation(text: str, random) -> str:
    """Brackets, quotes, a mark at the end, a typographic dash, a dot after a word lost or a comma for a dot."""
    kind = random()
    if kind < 0.4:
        return text + (".", ".", ",", "!", "?", ";", "...", "。")[int(random() * 8)]
    if kind < 0.55:
        opening, closing = ("()", '""', "[]", "“”", "''", "«»")[int(random() * 6)]
        return opening + text + closing
    if kind < 0.7:
        return text.replace("-", "–‑−"[int(random() * 3)])
    if kind < 0.85:
        return text.replace(" ", "\u00a0" if random() < 0.5 else "\u202f")
    return re.sub(r"(?<=[^\W\d])\. ", " ", text)


def add_noise(text: str, random, language: str, joined: bool = True) -> str:
    """A text as somebody in a hurry types it.

    Args:
        text: str.
        random: callable that returns floats in [0, 1).
        language: str, a key of `LANGUAGES` or "".
        joined: bool, whether spaces may be taken out (not where numbers stand as words).
    """
    if random() < 0.15:
        text = draw_case(text, random)
    if random() < 0.12:
        text = drop_accents(text)
    if random() < 0.15:
        spaced = draw_spacing(text, random)
        if joined or spaced.count(" ") >= text.count(" "):
            text = spaced
    if joined and random() < 0.02:
        text = draw_slip(text, random)
    if random() < 0.08:
        text = draw_punctuation(text, random)
    if language in ("zh", "zh_Hant", "ja", "") and random() < 0.04:
        text = text.translate(_FULL_WIDTH)
    return text
