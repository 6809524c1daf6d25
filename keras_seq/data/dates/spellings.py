"""What people type and CLDR does not list: more names of months and weekdays, ordinals, number words."""

from keras_seq.data.dates import numerals

MONTHS = {
    "en": {
        1: ((), ("Jan.",)), 2: ((), ("Feb", "Febr")), 3: ((), ("Mar",)), 4: ((), ("Apr",)), 6: ((), ("Jun",)),
        7: ((), ("Jul",)), 8: ((), ("Aug",)), 9: ((), ("Sep", "Sept")), 10: ((), ("Oct",)), 11: ((), ("Nov",)),
        12: ((), ("Dec",)),
    },
    "fr": {
        1: ((), ("jan", "janv")), 2: (("fevrier",), ("fév", "févr", "fevr")), 3: ((), ("mar",)),
        4: ((), ("avr",)), 6: ((), ("jun",)), 7: ((), ("juil", "jul")), 8: (("aout",), ("aou", "aoû")),
        9: ((), ("sept", "sep")), 10: ((), ("oct",)), 11: ((), ("nov",)), 12: (("decembre",), ("déc", "dec")),
    },
    "de": {
        1: (("Jänner", "Jaenner"), ("Jan", "Jän")), 2: (("Feber",), ("Feb", "Febr")),
        3: (("Maerz", "Marz"), ("Mär", "Mrz", "Mar")), 4: ((), ("Apr",)), 6: ((), ("Jun",)), 7: ((), ("Jul",)),
        8: ((), ("Aug",)), 9: ((), ("Sep", "Sept")), 10: ((), ("Okt",)), 11: ((), ("Nov",)), 12: ((), ("Dez",)),
    },
    "es": {
        1: ((), ("ene",)), 2: ((), ("feb", "febr")), 3: ((), ("mar", "mzo")), 4: ((), ("abr",)), 5: ((), ("may",)),
        6: ((), ("jun",)), 7: ((), ("jul",)), 8: ((), ("ago", "agto")),
        9: (("setiembre",), ("sep", "sept", "set")), 10: ((), ("oct",)), 11: ((), ("nov",)), 12: ((), ("dic",)),
    },
    "nl": {3: ((), ("mrt",)), 9: ((), ("sept",)), 8: ((), ("aug",))},
    "sv": {3: ((), ("mar",)), 9: ((), ("sept",))},
    "cs": {3: ((), ("bře",))},
    "zh": {1: (("元月",), ())},
    "zh_Hant": {month: ((numerals.han_number(month) + "月",), ()) for month in range(1, 13)},
    "ja": {month: ((numerals.han_number(month) + "月",), ()) for month in range(1, 13)},
}  # fmt: skip
"""Language -> month -> (more whole names, more short names)."""

WEEKDAYS = {
    "en": ((), ("Mon Tues Weds Thurs Fri Sat Sun", "_ Tue Wednes Thur _ _ _", "Mon Tue Wed Thu Fri Sat Sun")),
    "zh": (("礼拜一 礼拜二 礼拜三 礼拜四 礼拜五 礼拜六 礼拜天",
            "星期一 星期二 星期三 星期四 星期五 星期六 星期天"), ()),
    "zh_Hant": (("禮拜一 禮拜二 禮拜三 禮拜四 禮拜五 禮拜六 禮拜日", "週一 週二 週三 週四 週五 週六 週日"), ()),
    "fr": ((), ("lun mar mer jeu ven sam dim",)),
    "de": (("Montag Dienstag Mittwoch Donnerstag Freitag Sonnabend Sonntag",),
           ("Mo Di Mi Do Fr Sa So", "_ Die Mitt Don Frei Sam Son", "Mont Diens Mit Do Fr Sa Sonn")),
    "es": ((), ("lun mar mié/mier jue vie sáb dom",)),
    "sv": ((), ("mån tis ons tors fre lör sön",)),
    "ko": ((), ("월 화 수 목 금 토 일",)),
    "ja": ((), ("月曜 火曜 水曜 木曜 金曜 土曜 日曜",)),
}  # fmt: skip
"""Language -> (rows of whole names, rows of short names), each row from Monday to Sunday, "_" for none."""


def _english_ordinals(day: int) -> list[str]:
    ending = numerals.english_suffix(day)
    slips = [f"{day}th"] if ending != "th" else []
    return [f"{day}{ending}"] * 20 + [
        f"{day}{numerals.superscript(ending)}",
        f"{day} {ending}",
        f"{day:02d}{ending}",
        *slips,
    ]


def _english_words(day: int) -> list[str]:
    return [numerals.english_ordinal(day)] * 2 + [numerals.english_ordinal(day, " ")]


def _english_cardinals(day: int) -> list[str]:
    return [numerals.english_cardinal(day), numerals.english_cardinal(day, " ")]


def _french_days(day: int) -> list[str]:
    if day == 1:
        return ["1er"] * 6 + ["1", "1", "01", "1ᵉʳ", "1 er", "1ere"]
    return [str(day)] * 20 + [f"{day:02d}"] * 4 + [f"{day}e", f"{day}ème", f"{day}eme"]


def _french_words(day: int) -> list[str]:
    return (
        ["premier"]
        if day == 1
        else [numerals.french_cardinal(day)] * 2 + [numerals.french_cardinal(day).replace("-", " ")]
    )


def _german_days(day: int) -> list[str]:
    ending = "te" if day < 20 else "ste"
    return [f"{day}{ending}", f"{day}{ending}r", f"{day}{ending}n", f"{day}er", f"{day}te", f"{day}ter", f"{day}ten",
            f"{day}.", f"{day}."]  # fmt: skip


def _german_words(day: int) -> list[str]:
    stems = [numerals.german_ordinal(day)] * 3
    stems += [stem.replace("ß", "ss") for stem in stems[:1]] + (["siebente"] if day == 7 else [])
    stems += [stems[0].replace("ü", "ue").replace("ö", "oe")]
    return [stem + ending for stem in stems for ending in ("r", "n", "")]


def _spanish_days(day: int) -> list[str]:
    if day == 1:
        return ["1"] * 4 + ["01", "1º", "1°", "1ro", "1.º", "1er", "1o", "1ero", "primero"]
    return [str(day)] * 4 + [f"{day:02d}", f"{day}º", f"{day}°"]


def _spanish_words(day: int) -> list[str]:
    if day == 1:
        return ["primero", "uno"]
    words = numerals.spanish_cardinal(day)
    return [words, words] + (["treintaiuno"] if day == 31 else [])


def _first_day(*first: str):
    def spell(day: int) -> list[str]:
        return list(first) if day == 1 else [str(day)]

    return spell


def _suffixed(*suffixes: str):
    def spell(day: int) -> list[str]:
        return [f"{day}{suffix}" for suffix in suffixes]

    return spell


DAY_FORMS = {
    "en": {"o": _english_ordinals, "n": _english_words, "c": _english_cardinals},
    "fr": {"o": _french_days, "n": _french_words},
    "de": {"o": _german_days, "n": _german_words},
    "es": {"o": _spanish_days, "n": _spanish_words},
    "it": {"o": _first_day("1º", "1°", "primo", "1")},
    "pt": {"o": _first_day("1º", "1.º", "1°", "primeiro", "1")},
    "nl": {"o": _suffixed("e", "ste", "de", "")},
    "ru": {"o": _suffixed("-го", "-е", "")},
    "pl": {"o": _suffixed("-go", ".", "")},
    "sv": {"o": lambda day: [f"{day}:{'a' if day % 10 in (1, 2) and day not in (11, 12) else 'e'}"]},
    "tr": {"o": _suffixed("", ".")},
    "cs": {"o": _suffixed(".")},
}
"""Language -> field -> how a day is spelled."""

YEAR_FORMS = {
    "en": numerals.english_year,
    "fr": numerals.french_year,
    "de": numerals.german_year,
    "es": numerals.spanish_year,
}
"""Language -> how a year is spelled in words."""
