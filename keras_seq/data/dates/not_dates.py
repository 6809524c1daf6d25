"""Texts that are not dates, so that a reader of dates learns to say so.

What must be recognised in the end is ordinary sentences and names that are not here to train on. The texts are
therefore drawn from many kinds, none of which is meant to be realistic by itself: words strung together, requests,
names of people and (from Babel's locale data, in every language) of places, languages, currencies and units, numbers
of all sorts, letters at random; and from what comes near a date: a month or a weekday alone, a month and a year, a
day and a month, dates that no calendar has, lists of numbers that the rules of `numeric.py` do not read.
"""

import re
from functools import cache

from keras_seq.data.dates.cldr import locale_data
from keras_seq.data.dates.days import Day, draw_day, draw_impossible_day
from keras_seq.data.dates.locales import LOCALES, fields
from keras_seq.data.dates.noise import add_noise
from keras_seq.data.dates.numeric import read_eight_digits, read_numbers
from keras_seq.data.dates.templates import split_fields
from keras_seq.data.dates.times import draw_time
from keras_seq.data.dates.words import (
    CHINESE_GIVEN,
    CHINESE_SURNAMES,
    COMMANDS,
    FIRST_NAMES,
    LAST_NAMES,
    WORDS,
)  # fmt: skip
from keras_seq.data.dates.writings import LANGUAGES, choice

NUMBERS = (
    "+{d1} {d3} {d3} {d4}", "({d3}) {d3}-{d4}", "{d3}-{d4}", "0{d1} {d2} {d2} {d2} {d2}", "{d5}", "{d6}", "{d10}",
    "{d1}", "{d2}", "{d3}",
    "{d1}.{d1}.{d1}.{d1}", "v{d1}.{d2}.{d1}", "version {d1}.{d1}", "3.14159", "{d1}.{d5}", "{d2}.{d2}",
    "{d3}.{d3}.{d1}.{d3}", "{d3},{d3}.{d2}",
    "{d3}.{d3},{d2}", "${d3}.{d2}", "€{d2}", "{d4} €", "£{d3},{d3}", "¥{d5}", "{d2}%", "{d1}.{d1}%", "{d2}°C",
    "{d2} km", "{d3} kg", "{d1},{d1} m",
    "{d2}-{d2}", "{d1}–{d2}", "19{d2}-20{d2}", "19{d2}", "20{d2}", "{d2} x {d2}", "{d3}x{d4}", "{d2} + {d2} = {d2}",
    "{d1}/{d1}", "{d2}/{d2}", "{d2}:{d2}",
    "A{d2}-{d4}", "ISBN 978-{d1}-{d2}-{d6}-{d1}", "#{d4}", "no. {d2}", "{d5}-{d4}", "{d4} {d4} {d4} {d4}",
    "{d1}-{d1}", "{d1}:{d1}", "{d4}-{d2}",
    "{d2} {d2} {d2} {d2}", "{d2}, {d2}, {d2}, {d2}", "{d4}-{d4}", "{d8}", "{d2}.{d2}.{d4}", "{d4}-{d2}-{d2}",
    "{d2}/{d2}/{d4}", "{d3}-{d2}-{d4}",
    "{d4}/{d2}/{d2}", "{d9}", "{d4}", "{d12}", "{d3} {d3}", "B{d1} {d2}", "{d2}号线", "{d3}路", "{d2}楼", "¥{d3}元",
    "{d1}万", "{d2}岁", "{d2}分钟", "{d1}.{d1}.{d1}",
)  # fmt: skip
_PARTS_OF_A_DATE = (
    "{m} {y}", "{m}, {y}", "{B} {y}", "{m} {y}", "{d} {m}", "{d}. {m}", "{m} {d}", "{w}", "{A}", "{m}", "{B}",
    "{w} {d}", "{w} {m}", "{w}, {d} {m}",
    "{w} {m} {d}", "{m}-{y}", "{m}/{y}", "{d}-{m}", "{MM}/{y}", "{y}-{MM}", "{M}/{d}", "{d}.{M}.", "{y}", "{w} {y}",
    "{y} {m}", "{m} - {m}", "{w} - {w}",
    "{m} {y} - {m} {y}", "{m}, {m}, {m}", "{d}/{m}", "{y}-{y}", "{w}, {w}", "{dd}.{MM}", "{w} {M}/{d}", "{m} '{yy}",
    "{w}, {m} {d}", "{d} {m}", "{m} {dd}",
)  # fmt: skip
_MORE_PARTS = {
    "en": ("{o}", "the {o}", "{o} of {m}", "{m} {o}", "the {o} of {m}", "{w} the {o}", "the {n} of {m}", "{m} {n}",
           "{n}", "{yw}", "{m} {yw}",
           "{w}, {m} {o}", "{o} {m}", "{m} of {y}", "early {m} {y}", "mid-{m}", "late {m}", "{o} day", "in {m}",
           "by {w}", "last {w}", "{n} {w} of {m}"),
    "fr": ("le {o}", "le {o} {m}", "{w} {o} {m}", "en {m}", "en {m} {y}", "le {n} {m}", "{yw}", "début {m}",
           "{m} de l'an {y}", "{w} dernier"),
    "de": ("der {d}. {m}", "am {d}.", "den {d}. {m}", "im {m}", "im {m} {y}", "{n} {m}", "{yw}", "Anfang {m}",
           "am {w}", "{w}, {d}. {m}", "Ende {m} {y}"),
    "es": ("{d} de {m}", "el {d} de {m}", "{m} de {y}", "en {m}", "en {m} del {y}", "{w} {d} de {m}", "{n} de {m}",
           "{yw}", "el {w}", "a fines de {m}"),
    "zh": ("{y}年{M}月", "{M}月{d}日", "{M}月{d}号", "{y}年", "{M}月", "{d}号", "{d}日", "{Mh}月{dh}日",
           "{yh}年{Mh}月", "{yh}年",
           "{dh}号", "{w}", "{M}月份",
           "{Mh}月", "{yy}年", "{Mh}月{dh}号{w}", "{y}年初", "{M}月{d}", "{y}-{MM}", "{yyh}年{Mh}月", "{yt}年",
           "{M}月底",
           "{y}年{M}月份", "{yy}年{M}月"),
    "ja": ("{y}年{M}月", "{M}月{d}日", "{y}年", "{M}月", "{d}日", "{M}月{d}日({w})", "{Mh}月{dh}日", "{A}"),
    "ko": ("{y}년 {M}월", "{M}월 {d}일", "{y}년", "{M}월", "{d}일", "{A}", "{M}월 {d}일 {A}"),
}  # fmt: skip
_MORE_PARTS["zh_Hant"] = _MORE_PARTS["zh"]
_FOUND = re.compile(r"(?<!\d)(\d{1,4})\s?([-/._]|\s)\s?(\d{1,2})\s?[-/._\s]\s?'?(\d{1,4})(?!\d)")
_ENDS = ("", "", "", ".", "?", "!", "...")
_NO_SPACES = ("zh", "zh_Hant", "ja")
_SENTENCE_LANGUAGES = ("en",) * 6 + ("zh", "fr", "de", "es") * 3 + tuple(WORDS)
_LANGUAGES = ("en",) * 5 + ("zh", "fr", "de", "es") * 3 + LANGUAGES
_COMMAND_LANGUAGES = ("en",) * 4 + tuple(COMMANDS)
_LETTERS = "aaabcdeeeeefghiiijklmnooopqrstttuuvwxyzéüñçö"


def _pick(items, random):
    return items[int(random() * len(items))]


def holds_numeric_date(text: str) -> bool:
    """Whether three numbers in the text, or eight digits, are a date by any reading.

    Example:
        >>> holds_numeric_date("call 12.5.1998 now"), holds_numeric_date("1.2.3.4"), holds_numeric_date("20180503")
        (True, False, True)
    """
    if any(read_eight_digits(digits) for digits in re.findall(r"(?<!\d)\d{8}(?!\d)", text)):
        return True
    for first, separator, second, third in _FOUND.findall(text):
        for language in ("", "fr", "zh"):
            if read_numbers(first, second, third, separator.strip(), language):
                return True
    return False


@cache
def _words(language: str) -> tuple[str, ...]:
    return tuple(WORDS[language].split())


@cache
def cldr_names(language: str) -> tuple[str, ...]:
    """Places, languages, currencies, units and cities as CLDR names them in a language."""
    names: list[str] = []
    for name in LOCALES[language]:
        locale = locale_data(name)
        names += locale["territories"].values()
        names += locale["languages"].values()
        names += locale["currency_names"].values()
        names += [zone["city"] for zone in locale["time_zones"].values() if "city" in zone]
        names += [
            pattern.replace("{0}", "7") for unit in locale["unit_display_names"].values() for pattern in unit.values()
        ]
        names += locale["scripts"].values()
    return tuple(
        dict.fromkeys(name for name in names if isinstance(name, str) and not re.search(r"\d{4}|[–-]\d|\(|\xad", name))
    )


@cache
def cities(language: str) -> tuple[str, ...]:
    """The cities after which CLDR names its time zones in a language, and a few more."""
    zones = locale_data(LOCALES[language][0])["time_zones"].values()
    named = tuple(zone["city"] for zone in zones if "\xad" not in zone.get("city", "\xad"))
    return named or (
        "Tokyo",
        "Paris",
        "London",
        "Berlin",
        "Madrid",
        "Lagos",
        "Lima",
        "Sydney",
        "Cairo",
        "Delhi",
        "Toronto",
    )


def parts(language: str) -> tuple[str, ...]:
    """Templates of what is only a part of a date."""
    return _PARTS_OF_A_DATE + _MORE_PARTS.get(language, ())


def _name(random, language: str = "") -> str:
    if language in ("zh", "zh_Hant") or (not language and random() < 0.2):
        given = "".join(_pick(CHINESE_GIVEN, random) for _ in range(1 + int(random() * 2)))
        return _pick(CHINESE_SURNAMES, random) + given
    first, last = _pick(FIRST_NAMES, random), _pick(LAST_NAMES, random)
    kind = random()
    if kind < 0.15:
        return first
    if kind < 0.25:
        return f"{_pick(('Mr.', 'Mrs.', 'Dr.', 'Prof.', 'M.', 'Herr', 'Frau', 'Sr.', 'Señora', 'Mme'), random)} {last}"
    if kind < 0.35:
        return f"{last}, {first}"
    if kind < 0.45:
        return f"{first} {_pick('ABCDEFGHJKLMNPRSTVW', random)}. {last}"
    return f"{first} {last}"


def _sentence(random) -> str:
    language = _pick(_SENTENCE_LANGUAGES, random)
    words = [_pick(_words(language), random) for _ in range(2 + int(random() * 13))]
    for position in range(len(words)):
        kind = random()
        if kind < 0.03:
            words[position] = str(int(random() * 10 ** (1 + int(random() * 3))))
        elif kind < 0.06:
            words[position] = _pick(FIRST_NAMES, random)
        elif kind < 0.08:
            words[position] = _pick(cldr_names(_pick(LANGUAGES, random) if random() < 0.2 else language), random)
        elif kind < 0.09:
            words[position] += ","
        elif kind < 0.10:
            words[position] = "".join(_pick(_LETTERS, random) for _ in range(2 + int(random() * 9)))
    text = ("" if language in _NO_SPACES else " ").join(words)
    if random() < 0.5:
        text = text[0].upper() + text[1:]
    while len(text) > 60:
        text = text[: text.rindex(" ")] if " " in text[1:] else text[:60]
    return text + (_pick(("", "。", "？", "！", "吗？"), random) if language == "zh" else _pick(_ENDS, random))


def _command(random) -> str:
    language = _pick(_COMMAND_LANGUAGES, random)
    names = fields(language)
    month, weekday = 1 + int(random() * 12), int(random() * 7)
    return _pick(COMMANDS[language], random).format(
        city=_pick(cities(language), random),
        n=1 + int(random() * _pick((12, 31, 100), random)),
        w=_pick(_words(language), random),
        lang=_pick(("French", "Spanish", "Chinese", "German", "Welsh"), random),
        name=_name(random, language),
        y=1900 + int(random() * 130),
        mo=_pick(names["B"].spellings[month], random),
        wd=_pick(names["A"].spellings[weekday], random),
    )


def _locale_name(random) -> str:
    language = _pick(LANGUAGES, random)
    text = _pick(cldr_names(language), random)
    if random() < 0.2:
        text = f"{text}, {_pick(cldr_names(language), random)}"
    return text if random() < 0.8 else f"{int(random() * 1000)} {text}"


def _number(random) -> str:
    def digits(match):
        count = int(match.group(1))
        return "".join(chr(48 + int(random() * 10)) for _ in range(count))

    text = re.sub(r"\{d(\d+)\}", digits, _pick(NUMBERS, random))
    if random() < 0.2:
        text = f"{_pick(_words(_pick(('en', 'fr', 'de', 'es'), random)), random)} {text}"
    if random() < 0.1:
        text = f"{text} {_pick(_words(_pick(('en', 'fr', 'de', 'es'), random)), random)}"
    return text


def _part_of_a_date(random) -> str:
    language = _pick(_LANGUAGES, random)
    more = _MORE_PARTS.get(language, ())
    template = _pick(more, random) if more and random() < 0.6 else _pick(_PARTS_OF_A_DATE, random)
    tables = fields(language)
    text = ""
    day = draw_day(random, two_digit_year="{yy" in template)
    for kind, value in split_fields(template):
        if kind == "field":
            spellings = tables[value].spellings.get(day[tables[value].axis])
            text += _pick(spellings, random) if spellings else ""
            if random() < 0.3:
                day = draw_day(random, two_digit_year="{yy" in template)
        else:
            text += value
    if random() < 0.1:
        text += " " + draw_time(random, language)
    return add_noise(text, random, language)


def _impossible(random) -> str:
    writing = choice(LANGUAGES, False).draw(random)
    day = draw_impossible_day(random)
    if writing.numeric and random() < 0.4:
        day = Day(day.year, 1 + int(random() * 99), 13 + int(random() * 87), 0)
        parts = [str(day.year), f"{day.month + 12:02d}"[:2], str(day.day)]
        return _pick("-/", random).join(parts if random() < 0.6 else parts[::-1])
    texts = writing.fill(day, random)
    if texts is None or (writing.numeric and writing.read(texts)):
        return ""
    return "".join(texts)


def _letters(random) -> str:
    words = []
    for _ in range(1 + int(random() * 4)):
        word = "".join(_pick(_LETTERS, random) for _ in range(1 + int(random() * 10)))
        words.append(word + str(int(random() * 100)) if random() < 0.15 else word)
    if random() < 0.15:
        return "".join(chr(33 + int(random() * 94)) for _ in range(1 + int(random() * 15)))
    return _pick((" ", " ", "-", "", "_", "."), random).join(words)


def _time(random) -> str:
    language = _pick(LANGUAGES, random)
    text = draw_time(random, language)
    if random() < 0.4:
        text = f"{_pick(fields(language)['w'].spellings[int(random() * 7)], random)} {text}"
    return text


_KINDS = (
    (34, "sentence", _sentence),
    (16, "request", _command),
    (14, "name", _name),
    (10, "locale name", _locale_name),
    (12, "number", _number),
    (7, "part of a date", _part_of_a_date),
    (2, "impossible date", _impossible),
    (6, "letters", _letters),
    (3, "time", _time),
)
_BAG = [(name, draw) for weight, name, draw in _KINDS for _ in range(weight)]


def draw_not_date(random) -> tuple[str, str]:
    """A text that is not a date, and its kind.

    Args:
        random: callable that returns floats in [0, 1).

    Example:
        >>> import random
        >>> text, kind = draw_not_date(random.Random(3).random)
        >>> kind.startswith("not a date: ")
        True
    """
    while True:
        name, draw = _pick(_BAG, random)
        text = draw(random)
        if random() < 0.1:
            text = text.lower() if random() < 0.5 else text.upper()
        if text.strip() and not holds_numeric_date(text):
            return text, f"not a date: {name}"
