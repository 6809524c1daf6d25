"""The dates generator: its rules by hand-checked examples, its promises over many draws."""

import datetime
import doctest
import importlib
import random
import re
import subprocess
import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq.data import dates
from keras_seq.data.dates import alphabet, generate, noise, numerals
from keras_seq.data.dates.days import Day, century
from keras_seq.data.dates.locales import LOCALES, fields
from keras_seq.data.dates.not_dates import holds_numeric_date
from keras_seq.data.dates.numeric import DAY_FIRST, read_numbers
from keras_seq.data.dates.templates import expand
from keras_seq.data.dates.writings import choice, compiled, signature

MODULES = (
    "days locales noise not_dates numerals numeric templates times writings spellings words alphabet phrases".split()
)


def normalized(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def can_write(name: str, text: str, day: Day) -> bool:
    """Whether a writing that training draws from spells this day like that."""
    pattern = ""
    for part in compiled(name).parts:
        if isinstance(part, str):
            pattern += re.escape(part)
        else:
            pattern += "(?:" + "|".join(map(re.escape, part.spellings[day[part.axis]])) + ")"
    return name in choice(dates.LANGUAGES, False).names and re.fullmatch(pattern, text) is not None


@pytest.fixture(scope="module")
def many():
    return generate(200_000, seed=11, not_dates=0.15)


@pytest.mark.parametrize("module", ["", *MODULES])
def test_examples_in_the_docstrings(module):
    result = doctest.testmod(importlib.import_module(f"keras_seq.data.dates{'.' if module else ''}{module}"))
    assert result.failed == 0


def test_package_needs_neither_tensorflow_nor_keras():
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "from keras_seq.data.dates import generate; print(len(generate(3, seed=1).texts))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "3\n"


@pytest.mark.parametrize(
    ("numbers", "separator", "language", "iso"),
    [
        (("2018", "5", "3"), "-", "", "2018-05-03"),
        (("2018", "5", "3"), "/", "fr", "2018-05-03"),
        (("2018", "5", "3"), "", "", "2018-05-03"),
        (("15", "1", "2011"), ".", "", "2011-01-15"),
        (("5", "13", "1998"), ".", "", "1998-05-13"),
        (("9", "5", "1998"), ".", "en", "1998-05-09"),
        (("9", "5", "1998"), "/", "", "1998-09-05"),
        (("9", "5", "1998"), "-", "", "1998-09-05"),
        (("9", "5", "1998"), "", "", "1998-09-05"),
        (("29", "2", "2020"), "/", "", "2020-02-29"),
        (("9", "5", "1998"), "/", "fr", "1998-05-09"),
        (("9", "5", "1998"), "-", "de", "1998-05-09"),
        (("9", "5", "1998"), "/", "en", "1998-09-05"),
        (("5", "13", "1998"), "/", "fr", "1998-05-13"),
        (("16", "11", "7"), "/", "zh", "2016-11-07"),
        (("16", "11", "07"), "/", "", "2007-11-16"),
        (("16", "11", "7"), "/", "", ""),
        (("98", "5", "3"), "/", "", "1998-05-03"),
        (("5", "3", "68"), "/", "", "2068-05-03"),
        (("5", "3", "69"), "/", "", "1969-05-03"),
        (("2017", "13", "45"), "-", "", ""),
        (("31", "2", "2015"), ".", "", ""),
        (("29", "2", "1900"), "/", "", ""),
        (("1", "2", "3"), ".", "", ""),
        (("13", "13", "2015"), "/", "", ""),
    ],
)
def test_rules_for_dates_in_digits(numbers, separator, language, iso):
    assert read_numbers(*numbers, separator, language) == iso


def test_pivot_is_posix():
    assert dates.PIVOT == 69
    for short in range(100):
        assert century(short) == datetime.datetime.strptime(f"{short:02d}", "%y").year


@pytest.mark.parametrize(
    ("name", "text", "day"),
    [
        ("fr {w} {d} {m} {Y}", "samedi 9 mai 1998", Day(1998, 5, 9, 5)),
        ("fr le {o} {m} {Y}", "le 1er janv. 2000", Day(2000, 1, 1, 5)),
        ("fr {n} {m} {yw}", "premier mai deux mille dix", Day(2010, 5, 1, 5)),
        ("fr {w} le {d} {m} {Y}", "lundi le 5 mai 2008", Day(2008, 5, 5, 0)),
        ("zh {y}年{M}月{d}日", "2018年5月3日", Day(2018, 5, 3, 3)),
        ("zh {yh}年{Mh}月{dh}日", "二〇二〇年五月三日", Day(2020, 5, 3, 6)),
        ("zh {yh}年{Mh}月{dh}日", "二零二零年元月卅一日", Day(2020, 1, 31, 4)),
        ("zh {y}年{Mh}月{d}日", "2018年五月3日", Day(2018, 5, 3, 3)),
        ("zh {yt}年{Mh}月{dh}号", "两千零八年八月八号", Day(2008, 8, 8, 4)),
        ("zh {yyh}年{Mh}月{dh}日（{w}）", "九八年五月九日（礼拜六）", Day(1998, 5, 9, 5)),
        ("zh {M}月{d}日{y}年", "1月19日2016年", Day(2016, 1, 19, 1)),
        ("zh_Hant {y}年{M}月{d}號", "2018年5月31號", Day(2018, 5, 31, 3)),
        ("en {o} of {m}, {Y}", "3rd of March, 2017", Day(2017, 3, 3, 4)),
        ("en {m} {d}, {Y}", "Dec. 31, 1994", Day(1994, 12, 31, 5)),
        ("en {w} {o} {m}, {Y}", "Tues 9th Aug, 2015", Day(2015, 8, 9, 1)),
        ("en {m} {n}, {Y}", "May third, 2016", Day(2016, 5, 3, 1)),
        ("en {n} of {m} {yw}", "first of March nineteen ninety-eight", Day(1998, 3, 1, 6)),
        ("en {y} {m} {d}", "2017 March 3", Day(2017, 3, 3, 4)),
        ("en {m} {y}, {o}", "March 2017, 3rd", Day(2017, 3, 3, 4)),
        ("en {d} {y} {m}", "3 2017 March", Day(2017, 3, 3, 4)),
        ("en {d}-{m}-{Y}", "3-Mar-17", Day(2017, 3, 3, 4)),
        ("en {m} {d}, {Y}", "Sept. 3, '98", Day(1998, 9, 3, 3)),
        ("de {w}, den {d}. {m} {Y}", "Mo., den 5. Mai 2008", Day(2008, 5, 5, 0)),
        ("de {n} {m} {Y}", "zweiter Jänner 1998", Day(1998, 1, 2, 4)),
        ("de {o} {m} {Y}", "5ter Mai 2010", Day(2010, 5, 5, 2)),
        ("es {o} de {m} de {Y}", "1º de setiembre de 2010", Day(2010, 9, 1, 2)),
        ("es {n} de {m} de {yw}", "dos de mayo de dos mil dieciséis", Day(2016, 5, 2, 0)),
        ("es {o} de {m} del año {y}", "5 de mayo del año 2010", Day(2010, 5, 5, 2)),
        ("digits {d}.{M}.{y}", "15.1.2011", Day(2011, 1, 15, 5)),
        ("digits {d}/{M}/{y}", "29/2/2020", Day(2020, 2, 29, 5)),
        ("digits {y}{MM}{dd}", "20180503", Day(2018, 5, 3, 3)),
    ],
)
def test_writes_what_people_write(name, text, day):
    assert can_write(name, text, day)


def test_no_text_has_two_labels(many):
    meaning = {}
    for text, iso in zip(many.texts, many.iso, strict=True):
        assert meaning.setdefault(normalized(text), iso) == iso, (text, iso)
    assert len(meaning) > 180_000


def test_every_label_is_a_date_from_1900_to_2100(many):
    for iso in filter(None, many.iso):
        assert datetime.date.fromisoformat(iso).isoformat() == iso
        assert "1900-01-01" <= iso <= "2100-12-31"
    drawn = {iso for iso in many.iso if iso}
    assert sum(iso.endswith("02-29") for iso in many.iso) > 0.015 * len(many.iso)
    assert len(drawn) > 40_000


def test_plain_dates_in_digits_follow_the_rules(many):
    found = 0
    for text, iso, name in zip(many.texts, many.iso, many.writings, strict=True):
        match = re.fullmatch(r"(\d+)([-/. ])(\d+)\2(\d+)", text)
        if name.startswith("digits") and match:
            first, separator, second, third = match.groups()
            assert read_numbers(first, second, third, separator.strip()) == iso
            found += 1
    assert found > 5_000


def test_two_digit_years_are_drawn_only_where_the_pivot_gives_them_back(many):
    for iso, name in zip(many.iso, many.writings, strict=True):
        if iso and "{yy" in name:
            assert "1969" <= iso[:4] <= "2068"


def test_texts_are_short_and_within_the_alphabet(many):
    letters = set(alphabet())
    for text in many.texts:
        assert text.strip()
        assert len(unicodedata.normalize("NFKC", text)) <= dates.MAX_LENGTH
        assert letters.issuperset(normalized(text)), text


def test_alphabet_is_normal_and_has_printable_ascii():
    letters = alphabet()
    assert len(letters) == len(set(letters)) and list(letters) == sorted(letters)
    assert {chr(code).lower() for code in range(0x20, 0x7F)} <= set(letters)
    assert set("–’…。，年月日号零〇廿éßñłžя월") - set(letters) == {"，", "…"}  # NFKC turns these two into ASCII


def test_share_of_texts_that_are_not_dates(many):
    assert many.iso.count("") / len(many.iso) == pytest.approx(0.15, abs=0.005)
    for iso, name in zip(many.iso, many.writings, strict=True):
        assert (iso == "") == name.startswith("not a date: ")


def test_not_dates_hold_no_date_in_digits(many):
    for text, iso in zip(many.texts, many.iso, strict=True):
        if not iso:
            assert not holds_numeric_date(text)


def test_all_languages_and_kinds_are_drawn(many):
    drawn = {name.split(" ")[0] for name, iso in zip(many.writings, many.iso, strict=True) if iso}
    assert drawn == set(dates.LANGUAGES) | {"digits"}
    assert {name for name, iso in zip(many.writings, many.iso, strict=True) if not iso} == {
        f"not a date: {kind}"
        for kind in (
            "sentence",
            "request",
            "name",
            "locale name",
            "number",
            "part of a date",
            "impossible date",
            "letters",
            "time",
        )
    }


def test_weekday_is_usually_true():
    right = total = 0
    names = {name.lower(): day for day, row in fields("fr")["A"].spellings.items() for name in row}
    drawn = generate(20_000, seed=5, languages=("fr",))
    for text, iso, writing in zip(drawn.texts, drawn.iso, drawn.writings, strict=True):
        if "{A}" in writing and (found := [day for name, day in names.items() if name in text.lower()]):
            total += 1
            right += found[0] == datetime.date.fromisoformat(iso).weekday()
    assert total > 100 and 0.88 < right / total < 0.99


def test_same_seed_same_texts_and_prefix():
    first, again, other = (generate(500, seed=seed, not_dates=0.2) for seed in (3, 3, 4))
    assert first == again
    assert first.texts != other.texts
    assert generate(100, seed=3, not_dates=0.2).texts == first.texts[:100]


def test_same_texts_in_another_process_with_another_hash_seed():
    code = "from keras_seq.data.dates import generate; print(ascii(generate(300, seed=9, not_dates=0.3)))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {ascii(generate(300, seed=9, not_dates=0.3)) + "\n"}


def test_held_out_writings_are_never_drawn_for_training():
    training, held = choice(dates.LANGUAGES, False).names, choice(dates.LANGUAGES, True).names
    assert {signature(name) for name in held} == set(dates.HELD_OUT)
    assert not {signature(name) for name in training} & set(dates.HELD_OUT)
    drawn = generate(4_000, seed=2, held_out=True)
    assert {signature(name) for name in drawn.writings} == set(dates.HELD_OUT)
    shared = set(drawn.texts) & set(generate(100_000, seed=2).texts)
    assert len(shared) < 0.002 * len(drawn.texts)  # two languages can share a month's name: "2010 5 mai"


def test_held_out_texts_agree_with_training_labels(many):
    meaning = {normalized(text): iso for text, iso in zip(many.texts, many.iso, strict=True)}
    drawn = generate(20_000, seed=6, held_out=True)
    for text, iso in zip(drawn.texts, drawn.iso, strict=True):
        assert meaning.get(normalized(text), iso) == iso


def test_languages_can_be_chosen():
    drawn = generate(300, seed=1, languages=("de", "ko"))
    assert {name.split(" ")[0] for name in drawn.writings} == {"de", "ko", "digits"}


def test_month_names_mean_one_month_in_all_languages():
    meaning = {}
    for language in LOCALES:
        for code in ("B", "b"):
            for month, names in fields(language)[code].spellings.items():
                assert names
                for name in names:
                    folded = noise.drop_accents(name).lower().strip(".")
                    assert meaning.setdefault(folded, month) == month, (language, name)


def test_no_weekday_is_shared_by_english_and_a_day_first_language():
    def folded(language):
        rows = fields(language)["w"].spellings.values()
        return {noise.drop_accents(name).lower().strip(".") for row in rows for name in row}

    for language in DAY_FIRST:
        assert not folded("en") & folded(language)


@pytest.mark.parametrize("year", [1900, 1901, 1910, 1971, 1980, 1999, 2000, 2001, 2011, 2020, 2099, 2100])
def test_years_in_words_are_unlike_each_other(year):
    for spell in (numerals.english_year, numerals.french_year, numerals.german_year, numerals.spanish_year):
        others = {words for other in range(1900, 2101) if other != year for words in spell(other)}
        assert spell(year) and not others.intersection(spell(year))


def test_days_in_words_are_unlike_each_other():
    for language, code in (("en", "n"), ("en", "c"), ("fr", "n"), ("de", "n"), ("es", "n"), ("zh", "dh")):
        spelled = [set(names) for names in fields(language)[code].spellings.values()]
        assert sum(map(len, spelled)) == len(set().union(*spelled))


@given(st.integers(0, 2**32), st.sampled_from(sorted(LOCALES)))
@settings(max_examples=60, deadline=None)
def test_noise_joins_no_numbers(seed, language):
    source = random.Random(seed)
    text = f"{source.randrange(1, 32)} {source.randrange(1, 13)} mai, {source.randrange(1900, 2101)} x"
    noisy = unicodedata.normalize("NFKC", noise.add_noise(text, source.random, language))
    assert re.findall(r"\d+", noisy) == re.findall(r"\d+", text)


@given(st.text(alphabet="ab{d}", max_size=8))
def test_template_without_brackets_is_itself(text):
    assert expand(text) == {text: 1.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": -1}, "count=-1 is negative"),
        ({"languages": ("en", "xx")}, r"languages \['xx'\] are not written here; choose from en"),
        ({"not_dates": 1.5}, "not_dates=1.5 is not a share"),
        ({"languages": ("ja",), "held_out": True}, None),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    if message is None:
        message = "no held-out writing"
    with pytest.raises(ValueError, match=message):
        generate(**{"count": 1, "seed": 0, **arguments})


def test_open_bracket_in_a_template_is_refused():
    with pytest.raises(ValueError, match="never closes it"):
        expand("{d}<a|b")


def test_generation_is_fast():
    generate(1_000, seed=1, not_dates=0.2)
    start = time.process_time()
    generate(20_000, seed=2, not_dates=0.2)
    assert 20_000 / (time.process_time() - start) > 15_000
