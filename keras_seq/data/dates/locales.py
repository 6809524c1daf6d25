"""The words of each language: how a year, a month, a day and a weekday can be spelled there.

Taken once from Babel's CLDR data and completed by what people type. A table maps a value to its spellings; a spelling
that people use more often stands in it more often. Fields of a writing:

    year     {Y} any  {y} 4 digits  {yy} 2 digits  {yw} in words  {yh} Chinese digits  {yyh} two of them  {yt} 两千零八
    month    {m} any name  {B} whole name  {b} short name  {M} number  {MM} padded  {Mh} Chinese  {R} Roman
    day      {d} number  {dd} padded  {o} ordinal  {n} in words  {dh} Chinese
    weekday  {w} any name  {A} whole name  {a} short name
    other    {G} the era's name  {T} a time of day in 24 hours
"""

import unicodedata
from functools import cache
from typing import NamedTuple

from keras_seq.data.dates import numerals
from keras_seq.data.dates.cldr import locale_data
from keras_seq.data.dates.days import FIRST_YEAR, LAST_YEAR, PIVOT
from keras_seq.data.dates.noise import drop_accents
from keras_seq.data.dates.spellings import DAY_FORMS, MONTHS, WEEKDAYS, YEAR_FORMS

LOCALES = {
    "en": ("en_US", "en_GB", "en_CA", "en_AU"),
    "zh": ("zh_Hans", "zh_Hans_SG"),
    "zh_Hant": ("zh_Hant", "zh_Hant_HK"),
    "fr": ("fr", "fr_CA", "fr_CH"),
    "de": ("de", "de_AT", "de_CH"),
    "es": ("es", "es_MX", "es_US", "es_AR"),
    "it": ("it", "it_CH"),
    "pt": ("pt_BR", "pt_PT"),
    "nl": ("nl", "nl_BE"),
    "ru": ("ru",),
    "pl": ("pl",),
    "sv": ("sv",),
    "ja": ("ja",),
    "ko": ("ko",),
    "tr": ("tr",),
    "cs": ("cs",),
}
"""Languages as keys of every table, Simplified and Traditional Chinese apart; the CLDR locales behind each."""

_DAYS, _MONTHS, _YEARS = range(1, 32), range(1, 13), range(FIRST_YEAR, LAST_YEAR + 1)
_ROMAN = "I II III IV V VI VII VIII IX X XI XII".split()
_TIMES = tuple(f"{hour:02d}:{minute:02d}:{second:02d}" for hour, minute, second in
               ((0, 0, 0), (5, 7, 59), (9, 30, 1), (10, 12, 40), (14, 30, 0), (17, 45, 12), (20, 5, 33),
               (23, 59, 59)))  # fmt: skip
YEAR, MONTH, DAY, WEEKDAY, NONE = range(5)


class Field(NamedTuple):
    """Where a field's value stands in a `Day`, and the spellings of every value."""

    axis: int
    spellings: dict[int, tuple[str, ...]]


def is_short_year(year: int) -> bool:
    """Whether two digits can mean this year."""
    return 1900 + PIVOT <= year < 2000 + PIVOT


@cache
def fields(language: str) -> dict[str, Field]:
    """All fields of a language, by code.

    Example:
        >>> fields("en")["o"].spellings[22][0], fields("de")["B"].spellings[3][0]
        ('22nd', 'März')
    """
    tables = {**_year_fields(language), **_month_fields(language), **_day_fields(language)}
    tables.update({code: Field(WEEKDAY, table) for code, table in _weekday_tables(language).items()})
    eras = {locale_data(name)["eras"][width][1] for name in LOCALES[language] for width in ("abbreviated", "wide")}
    tables["G"] = Field(NONE, {0: tuple(sorted(eras))})
    tables["T"] = Field(NONE, {0: _TIMES})
    return tables


def _year_fields(language: str) -> dict[str, Field]:
    full = {year: str(year) for year in _YEARS}
    short = {year: f"{year % 100:02d}" for year in _YEARS if is_short_year(year)}
    any_year = {year: (text,) * 11 + ((short[year], short[year], "'" + short[year], "’" + short[year]) if year in short
                                      else ()) for year, text in full.items()}  # fmt: skip
    traditional = language == "zh_Hant"
    tables = {
        "y": {year: (text,) for year, text in full.items()},
        "yy": {year: (text,) for year, text in short.items()},
        "Y": any_year,
        "yh": {year: tuple(numerals.han_digits(year, 4)) for year in _YEARS},
        "yyh": {year: tuple(numerals.han_digits(year % 100, 2)) for year in short},
        "yt": {year: tuple(numerals.han_thousands(year, traditional)) for year in _YEARS},
    }
    if language in YEAR_FORMS:
        tables["yw"] = {year: tuple(YEAR_FORMS[language](year)) for year in _YEARS}
    return {code: Field(YEAR, table) for code, table in tables.items()}


def _month_fields(language: str) -> dict[str, Field]:
    whole, short = _month_names(language)
    tables = {
        "B": whole,
        "b": short,
        "m": {month: whole[month] * (2 * len(short[month])) + short[month] * len(whole[month]) for month in _MONTHS},
        "M": {month: (str(month),) * 3 + (f"{month:02d}",) for month in _MONTHS},
        "MM": {month: (f"{month:02d}",) for month in _MONTHS},
        "Mh": {month: (numerals.han_number(month),) * 4 + (("元",) if month == 1 else ()) for month in _MONTHS},
        "R": {month: (_ROMAN[month - 1],) for month in _MONTHS},
    }
    return {code: Field(MONTH, table) for code, table in tables.items()}


def _day_fields(language: str) -> dict[str, Field]:
    forms = DAY_FORMS.get(language, {})
    tables = {
        "d": {day: (str(day),) * 4 + (f"{day:02d}",) for day in _DAYS},
        "dd": {day: (f"{day:02d}",) for day in _DAYS},
        "dh": {day: tuple(numerals.han_day(day)) for day in _DAYS},
    }
    tables.update({code: {day: tuple(form(day)) for day in _DAYS} for code, form in forms.items()})
    return {code: Field(DAY, table) for code, table in tables.items()}


def _fold(name: str) -> str:
    return drop_accents(unicodedata.normalize("NFKC", name)).lower().strip(". ")


def _unique(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _with_and_without_dot(names: list[str], language: str) -> list[str]:
    if language in ("zh", "zh_Hant", "ja", "ko"):
        return names
    return [form for name in names for form in (name.rstrip("."), name.rstrip(".") + ".")]


@cache
def _raw_month_names(language: str) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    whole: dict[int, list[str]] = {month: [] for month in _MONTHS}
    short: dict[int, list[str]] = {month: [] for month in _MONTHS}
    typed = MONTHS.get(language, {})
    for name in LOCALES[language]:
        months = locale_data(name)["months"]
        for month in _MONTHS:
            whole[month] += [months["format"]["wide"][month], months["stand-alone"]["wide"][month]]
            short[month] += [months["format"]["abbreviated"][month], months["stand-alone"]["abbreviated"][month]]
    for month in _MONTHS:
        extra_whole, extra_short = typed.get(month, ((), ()))
        whole[month] = [whole[month][0], *whole[month], *extra_whole]
        short[month] = [name for name in short[month] if _fold(name) not in map(_fold, whole[month])]
        short[month] += extra_short
    return whole, short


@cache
def _meanings() -> dict[str, set[tuple[int, str]]]:
    """Every month's name without accents and dots -> the months it means, and where."""
    meanings: dict[str, set[tuple[int, str]]] = {}
    for language in LOCALES:
        for names in _raw_month_names(language):
            for month, spelled in names.items():
                for name in spelled:
                    meanings.setdefault(_fold(name), set()).add((month, language))
    return meanings


def _is_ambiguous(name: str) -> bool:
    return len({month for month, _ in _meanings()[_fold(name)]}) > 1


def _month_names(language: str):
    """Whole and short names; one that means another month elsewhere is left out."""
    whole, short = _raw_month_names(language)
    clear_whole, clear_short = {}, {}
    for month in _MONTHS:
        names = [name for name in whole[month] if not _is_ambiguous(name)]
        unique = _unique(names)
        clear_whole[month] = unique[:1] * (2 * len(unique) - 1) + unique[1:] if unique else ()
        names = [name for name in short[month] if not _is_ambiguous(name)]
        clear_short[month] = _unique(_with_and_without_dot(names, language)) or unique
    return clear_whole, clear_short


def _weekday_tables(language: str) -> dict[str, dict[int, tuple[str, ...]]]:
    whole: dict[int, tuple[str, ...]] = {}
    short: dict[int, tuple[str, ...]] = {}
    typed = WEEKDAYS.get(language, ((), ()))
    for weekday in range(7):
        long_names, short_names = [], []
        for name in LOCALES[language]:
            days = locale_data(name)["days"]
            long_names.append(days["format"]["wide"][weekday])
            short_names.append(days["format"]["abbreviated"][weekday])
        long_names += [names.split()[weekday] for names in typed[0]]
        for names in typed[1]:
            short_names += [name for name in names.split()[weekday].split("/") if name != "_"]
        whole[weekday] = _unique(long_names)
        short[weekday] = _unique(_with_and_without_dot(short_names, language))
    both = {weekday: whole[weekday][:1] * 4 + whole[weekday] + short[weekday] for weekday in whole}
    return {"A": whole, "a": short, "w": both}
