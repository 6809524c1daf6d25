"""Every writing of a date, with how often it is drawn: CLDR's patterns, and the templates of `phrases.py`.

A writing's name is its language and its plain template, "de {w}, {d}. {m} {Y}". The writings in `HELD_OUT` are never
drawn for training: language, order and words together are kept back, whatever the punctuation and the weekday, so that
noise cannot bring them in by the back door.
"""

import re
from bisect import bisect
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from babel.dates import tokenize_pattern

from keras_seq.data.dates import phrases
from keras_seq.data.dates.cldr import locale_data
from keras_seq.data.dates.days import Day, draw_day
from keras_seq.data.dates.locales import LOCALES, fields
from keras_seq.data.dates.numeric import DAY_FIRST, read_numbers
from keras_seq.data.dates.templates import expand, split_fields

LANGUAGES = tuple(LOCALES)
"""Languages that are written, as keys for `generate(languages=...)`."""

WEIGHTS = {"en": 21, "zh": 14, "zh_Hant": 3, "fr": 11, "de": 11, "es": 11} | dict.fromkeys(LANGUAGES[6:], 2)
"""How often each language is drawn; digits alone, which have none, are drawn `DIGITS_WEIGHT`."""
DIGITS_WEIGHT = 9
_SHARES = {"cldr": 0.15, "cores": 0.72, "numeric": 0.11, "roman": 0.01, "special": 0.01}

HELD_OUT = (
    "en {y}{o}of{m}",
    "en {m}{y}the{o}",
    "en {d}_{m}_{y}",
    "fr {y}{d}{m}",
    "fr {y}·{m}·{d}",
    "de {y}{d}{m}",
    "de {y}/{m}/{d}",
    "es {y}{d}de{m}",
    "es {m}·{d}·{y}",
    "zh {Mh}月{dh}日{yh}年",
    "zh {yh}年{M}月{dh}日",
    "it {m}{d}{y}",
    "pt {y}{m}{d}",
    "ru {d}/{m}/{y}",
    "ko {M}월{d}일{y}년",
    "pl {d}/{M}/{y}",
)
"""Signatures (see `signature`) of the writings that training never sees."""

_CODES = {"y": "y", "M": {1: "M", 2: "MM", 3: "b", 4: "B"}, "d": {1: "d", 2: "dd"}, "E": {4: "A"}, "G": {}}
_SAME = {"B": "m", "b": "m", "dd": "d", "Y": "y", "yy": "y", "MM": "M"}
_SHORT_YEAR_CODES = frozenset(("yy", "yyh"))
_NUMBER = re.compile(r"\{(?:y|yy|M|MM|d|dd)\}")
_LETTER = re.compile(r"[^\W\d_]")
_ATTEMPTS = 12


class Writing(NamedTuple):
    """A writing ready to be filled in.

    Attributes:
        name: str, language and template.
        language: str, a key of `LANGUAGES`, or "" for digits alone.
        parts: tuple of str (text) and `Field` (filled in).
        short_year: bool, whether it needs a year that two digits can mean.
        numeric: bool, whether day, month and year are digits, read by the rules of `numeric.py`.
        numbers: tuple of int, where the three numbers stand in `parts`, if numeric.
        separator: str between the numbers.
        bare: bool, whether it begins and ends with a field, so that small words may be put around it.
        spelled: bool, whether a number stands as several words.
    """

    name: str
    language: str
    parts: tuple
    short_year: bool
    numeric: bool
    numbers: tuple
    separator: str
    bare: bool
    spelled: bool

    def fill(self, day: Day, random) -> list[str] | None:
        """The texts of all parts, or None where a value has no spelling here."""
        texts = []
        for part in self.parts:
            if part.__class__ is str:
                texts.append(part)
            else:
                spellings = part.spellings.get(day[part.axis] if part.axis < 4 else 0)
                if not spellings:
                    return None
                texts.append(spellings[int(random() * len(spellings))])
        return texts

    def read(self, texts: list[str]) -> str:
        """What the rules for digits make of filled parts."""
        first, second, third = (texts[index] for index in self.numbers)
        return read_numbers(first, second, third, self.separator, self.language)


def write(writing: Writing, random) -> tuple[str, str] | None:
    """A text and its ISO date, or None if this writing agreed with the rules for none of the dates that were tried."""
    for _ in range(_ATTEMPTS):
        day = draw_day(random, writing.short_year)
        texts = writing.fill(day, random)
        if texts is None or (writing.numeric and writing.read(texts) != day.iso):
            continue
        return "".join(texts).replace("..", "."), day.iso
    return None


def signature(name: str) -> str:
    """A writing's language, order and words, without weekday, spaces, commas and the dots of abbreviations.

    Example:
        >>> signature("de {w}, {d}. {B} {Y}"), signature("fr {d}.{b}.{y}"), signature("zh_Hant {yh}年 {M}月{dh}號")
        ('de {d}{m}{y}', 'fr {d}·{m}·{y}', 'zh {yh}年{M}月{dh}日')
    """
    language, template = name.split(" ", 1)
    language = "zh" if language == "zh_Hant" else language
    template = re.sub(r"\{[wAa]\}", "", template)
    template = re.sub(r"\{(\w+)\}", lambda code: "{" + _SAME.get(code.group(1), code.group(1)) + "}", template)
    if language not in ("en", "de", "sv"):
        template = template.replace("{o}", "{d}")
    template = template.replace("}.{", "}·{").replace("号", "日").replace("號", "日")
    return f"{language} {re.sub(r'[ .,()（），、-]+', '', template)}" if language in ("zh", "ja") else (
        f"{language} {re.sub(r'[ .,()]+', '', template)}")  # fmt: skip


def from_cldr(pattern: str) -> str:
    """A CLDR date pattern as a template.

    Example:
        >>> from_cldr("EEEE, d 'de' MMMM 'de' y")
        '{A}, {d} de {B} de {y}'
    """
    template = ""
    for kind, value in tokenize_pattern(pattern):
        if kind == "chars":
            template += value
            continue
        letter, width = value
        letter = {"L": "M", "c": "E", "e": "E", "u": "y"}.get(letter, letter)
        if letter == "y":
            template += "{yy}" if width == 2 else "{y}"
        else:
            default = {"M": "b", "d": "d", "E": "a", "G": "G"}[letter]
            template += "{" + _CODES[letter].get(width, default) + "}"
    return re.sub(r"[\s\u200f]+", " ", template)


def _cldr_templates(language: str) -> dict[str, float]:
    """CLDR's four lengths and all skeletons of a full date; those of an era are rare."""
    templates: dict[str, float] = {}
    for name in LOCALES[language]:
        locale = locale_data(name)
        patterns = [(2.0, locale["date_formats"][length].pattern) for length in ("full", "long", "medium", "short")]
        for skeleton in locale["datetime_skeletons"]:
            if "y" in skeleton and "M" in skeleton and "d" in skeleton:
                pattern = str(locale["datetime_skeletons"][skeleton].pattern)
                patterns.append((0.1 if "G" in skeleton else 1.0, pattern))
        for weight, pattern in patterns:
            template = from_cldr(pattern)
            templates[template] = templates.get(template, 0.0) + weight
    return templates


def _combine(cores, around) -> dict[str, float]:
    """Every core in every surrounding; two articles never meet."""
    templates: dict[str, float] = {}
    total = sum(weight for weight, _ in around)
    for core_weight, core in cores:
        for writing, share in expand(core).items():
            for weight, place in around:
                if not writing.startswith("{") and re.search(r"\w @$|^\w+ @", re.sub(r"\{\w+\}", "", place)):
                    continue
                template = place.replace("@", writing)
                templates[template] = templates.get(template, 0.0) + core_weight * share * weight / total
    return templates


def _templates(language: str) -> dict[str, float]:
    """All templates of a language ("" is digits alone), weights summing to one."""
    if not language:
        kinds = {"numeric": _combine(phrases.NUMERIC, [(1, "@")])}
    else:
        kinds = {
            "cldr": _cldr_templates(language),
            "cores": _combine(phrases.CORES[language], phrases.AROUND.get(language, phrases.DEFAULT_AROUND)),
            "numeric": _combine(phrases.NUMERIC, phrases.NUMERIC_AROUND[language]),
            "roman": _combine(phrases.ROMAN, [(1, "@")]) if language in DAY_FIRST else {},
            "special": dict((template, weight) for weight, template in phrases.SPECIAL.get(language, ())),
        }
    templates: dict[str, float] = {}
    for kind, members in kinds.items():
        total = sum(members.values())
        for template, weight in members.items():
            templates[template] = templates.get(template, 0.0) + _SHARES[kind] * weight / total
    total = sum(templates.values())
    return {template: weight / total for template, weight in templates.items()}


@cache
def compiled(name: str) -> Writing:
    """The writing of this name, its fields looked up."""
    language, template = name.split(" ", 1)
    language = "" if language == "digits" else language
    tables = fields(language or "en")
    parts, codes, where = [], [], []
    for kind, value in split_fields(template):
        if kind == "field":
            codes.append(value)
            where.append(len(parts))
        parts.append(tables[value] if kind == "field" else value)
    numeric = {"M", "MM"} & set(codes) and not re.search(r"\}\s?[年년月월]", template)
    numbers = [index for index, code in zip(where, codes, strict=True) if _NUMBER.fullmatch("{" + code + "}")]
    separator = ""
    if numeric:
        between = parts[numbers[0] + 1]
        separator = between.strip(" '") if isinstance(between, str) else ""
    words = any(isinstance(part, str) and _LETTER.search(part) for part in parts) or {"w", "A", "a", "G"} & set(codes)
    return Writing(
        name=name,
        language=language if not numeric or words else "",
        parts=tuple(parts),
        short_year=bool(_SHORT_YEAR_CODES & set(codes)),
        numeric=bool(numeric),
        numbers=tuple(numbers),
        separator=separator,
        bare=template.startswith("{") and "T" not in codes,
        spelled=bool({"n", "c", "yw"} & set(codes)),
    )


class Choice:
    """Draws writings of some languages, each as often as its weight says.

    Args:
        languages: tuple of str, keys of `LANGUAGES`; digits alone are always among them.
        held_out: bool, draw from the held-out writings only, each signature as often as another, or from all others.
    """

    def __init__(self, languages: tuple[str, ...], held_out: bool):
        weights: dict[str, float] = {}
        groups: dict[str, float] = {}
        for language in (*languages, ""):
            share = WEIGHTS[language] if language else DIGITS_WEIGHT
            for template, weight in _templates(language).items():
                name = f"{language or 'digits'} {template}"
                sign = signature(name)
                if (sign in HELD_OUT) == held_out:
                    weights[name] = weight * share
                    groups[sign] = groups.get(sign, 0.0) + weight * share
        if not weights:
            raise ValueError(f"no held-out writing in languages {list(languages)}; HELD_OUT names those that have one")
        if held_out:
            weights = {name: weight / groups[signature(name)] for name, weight in weights.items()}
        self.names = list(weights)
        self._cumulative = list(accumulate(weights.values()))

    def draw(self, random) -> Writing:
        """A writing."""
        position = bisect(self._cumulative, random() * self._cumulative[-1])
        return compiled(self.names[min(position, len(self.names) - 1)])


@cache
def choice(languages: tuple[str, ...], held_out: bool) -> Choice:
    """The `Choice` of these languages, made once."""
    return Choice(languages, held_out)
