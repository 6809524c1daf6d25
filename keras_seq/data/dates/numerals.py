"""Days and years as words: ordinals, number words, Chinese numerals.

Every function returns a list of spellings; one that people write more often may stand in it several times.
"""

_ENGLISH_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_ENGLISH_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_ENGLISH_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
                     "nine": "ninth", "twelve": "twelfth"}  # fmt: skip
_FRENCH_UNITS = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf"
).split()
_FRENCH_TENS = "_ _ vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt".split()
_GERMAN_UNITS = "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf".split()
_GERMAN_TENS = "_ _ zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()
_SPANISH_UNITS = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve"
).split()
_SPANISH_TENS = "_ _ _ treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()
_SPANISH_HUNDREDS = {1: "ciento", 9: "novecientos"}
_HAN = "〇一二三四五六七八九"
_SUPERSCRIPT = str.maketrans("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")


def english_suffix(number: int) -> str:
    """The ordinal's ending.

    Example:
        >>> [english_suffix(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30, 31)]
        ['st', 'nd', 'rd', 'th', 'th', 'th', 'th', 'st', 'nd', 'rd', 'th', 'st']
    """
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def english_cardinal(number: int, hyphen: str = "-") -> str:
    """A number below a hundred.

    Example:
        >>> english_cardinal(22), english_cardinal(98, " ")
        ('twenty-two', 'ninety eight')
    """
    if number < 20:
        return _ENGLISH_UNITS[number]
    tens, unit = divmod(number, 10)
    return _ENGLISH_TENS[tens] + (hyphen + _ENGLISH_UNITS[unit] if unit else "")


def english_ordinal(number: int, hyphen: str = "-") -> str:
    """An ordinal below a hundred.

    Example:
        >>> english_ordinal(22), english_ordinal(30), english_ordinal(12)
        ('twenty-second', 'thirtieth', 'twelfth')
    """
    words = english_cardinal(number, hyphen)
    head, last = (words[: -len(last)], last) if (last := words.replace("-", " ").split()[-1]) else ("", words)
    if last in _ENGLISH_ORDINALS:
        return head + _ENGLISH_ORDINALS[last]
    return head + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def english_year(year: int) -> list[str]:
    """A year as it is spoken.

    Example:
        >>> english_year(1998)[0], english_year(2016)[0], english_year(1905)[0]
        ('nineteen ninety-eight', 'two thousand and sixteen', 'nineteen oh five')
    """
    century, rest = divmod(year, 100)
    spoken = []
    for hyphen in ("-", " "):
        words = english_cardinal(rest, hyphen)
        if century == 20:
            if rest == 0:
                return ["two thousand"]
            spoken += [f"two thousand and {words}", f"two thousand {words}"]
        pair = english_cardinal(century, hyphen)
        if rest == 0:
            spoken += [f"{pair} hundred"]
        elif rest < 10:
            spoken += [f"{pair} oh {words}", f"{pair} hundred and {words}"]
        else:
            spoken += [f"{pair} {words}"] * 2
    return spoken + (["two thousand one hundred"] if year == 2100 else [])


def french_cardinal(number: int) -> str:
    """A number below a hundred, as in France.

    Example:
        >>> [french_cardinal(number) for number in (1, 21, 22, 71, 80, 98)]
        ['un', 'vingt et un', 'vingt-deux', 'soixante et onze', 'quatre-vingts', 'quatre-vingt-dix-huit']
    """
    if number < 20:
        return _FRENCH_UNITS[number]
    tens = number // 10
    unit = number - (60 if tens in (6, 7) else 80 if tens in (8, 9) else tens * 10)
    if unit == 0:
        return _FRENCH_TENS[tens] + ("s" if tens == 8 else "")
    joint = " et " if unit in (1, 11) and tens < 8 else "-"
    return _FRENCH_TENS[tens] + joint + _FRENCH_UNITS[unit]


def french_year(year: int) -> list[str]:
    """A year in words.

    Example:
        >>> french_year(2016)[0], french_year(1998)[0]
        ('deux mille seize', 'mille neuf cent quatre-vingt-dix-huit')
    """
    thousands, hundreds, rest = year // 1000, year // 100 % 10, year % 100
    words = ["mille" if thousands == 1 else "deux mille"]
    if hundreds:
        words.append(("" if hundreds == 1 else _FRENCH_UNITS[hundreds] + " ") + "cent")
    if rest:
        words.append(french_cardinal(rest))
    text = " ".join(words)
    return [text, text, text.replace("-", " ")]


def german_cardinal(number: int) -> str:
    """A number from one to ninety-nine, as it stands inside a longer one.

    Example:
        >>> [german_cardinal(number) for number in (1, 16, 17, 21, 98)]
        ['ein', 'sechzehn', 'siebzehn', 'einundzwanzig', 'achtundneunzig']
    """
    if number <= 12:
        return _GERMAN_UNITS[number]
    if number < 20:
        return {16: "sechzehn", 17: "siebzehn"}.get(number, _GERMAN_UNITS[number - 10] + "zehn")
    tens, unit = divmod(number, 10)
    return (_GERMAN_UNITS[unit] + "und" if unit else "") + _GERMAN_TENS[tens]


def german_ordinal(number: int) -> str:
    """The ordinal's stem, to which "", "r" or "n" is added.

    Example:
        >>> [german_ordinal(number) for number in (1, 2, 3, 7, 8, 19, 20, 31)]
        ['erste', 'zweite', 'dritte', 'siebte', 'achte', 'neunzehnte', 'zwanzigste', 'einunddreißigste']
    """
    special = {1: "erste", 3: "dritte", 7: "siebte", 8: "achte"}
    if number in special:
        return special[number]
    return german_cardinal(number) + ("te" if number < 20 else "ste")


def german_year(year: int) -> list[str]:
    """A year in words.

    Example:
        >>> german_year(2016)[0], german_year(1998)[0], german_year(2001)[0]
        ('zweitausendsechzehn', 'neunzehnhundertachtundneunzig', 'zweitausendeins')
    """
    century, rest = divmod(year, 100)
    words = "" if rest == 0 else "eins" if rest == 1 else german_cardinal(rest)
    if century == 20:
        return ["zweitausend" + words, "zweitausend" + words] + (["zweitausendund" + words] if words else [])
    head = "neunzehnhundert" if century == 19 else "zweitausendeinhundert"
    return [head + words]


def spanish_cardinal(number: int) -> str:
    """A number below a hundred.

    Example:
        >>> spanish_cardinal(16), spanish_cardinal(31), spanish_cardinal(98)
        ('dieciséis', 'treinta y uno', 'noventa y ocho')
    """
    if number < 30:
        return _SPANISH_UNITS[number]
    tens, unit = divmod(number, 10)
    return _SPANISH_TENS[tens] + (" y " + _SPANISH_UNITS[unit] if unit else "")


def spanish_year(year: int) -> list[str]:
    """A year in words.

    Example:
        >>> spanish_year(2016)[0], spanish_year(1998)[0], spanish_year(2100)[0]
        ('dos mil dieciséis', 'mil novecientos noventa y ocho', 'dos mil cien')
    """
    thousands, hundreds, rest = year // 1000, year // 100 % 10, year % 100
    words = ["mil" if thousands == 1 else "dos mil"]
    if hundreds:
        words.append("cien" if hundreds == 1 and rest == 0 else _SPANISH_HUNDREDS[hundreds])
    if rest:
        words.append(spanish_cardinal(rest))
    return [" ".join(words)]


def han_number(number: int) -> str:
    """A number below a hundred in Chinese numerals.

    Example:
        >>> [han_number(number) for number in (3, 10, 12, 20, 31)]
        ['三', '十', '十二', '二十', '三十一']
    """
    tens, unit = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else _HAN[tens] + "十"
    return head + (_HAN[unit] if unit or not tens else "")


def han_day(day: int) -> list[str]:
    """A day of the month, with the short forms 廿 (twenty) and 卅 (thirty).

    Example:
        >>> sorted(set(han_day(23)))
        ['二十三', '廿三']
    """
    spellings = [han_number(day)] * 5
    if day >= 20:
        spellings.append(han_number(day).replace("二十", "廿").replace("三十", "卅"))
    return spellings


def han_digits(number: int, width: int) -> list[str]:
    """A number digit by digit, with the several zeros that people type.

    Example:
        >>> sorted(set(han_digits(2020, 4)))
        ['二0二0', '二○二○', '二〇二〇', '二零二零', '二０二０', '二Ｏ二Ｏ']
    """
    plain = "".join(_HAN[int(digit)] for digit in f"{number:0{width}d}")
    return [plain.replace("〇", zero) for zero in ("〇", "〇", "〇", "〇", "零", "零", "零", "○", "○", "０", "0", "Ｏ")]


def han_thousands(year: int, traditional: bool = False) -> list[str]:
    """A year read as a number, or nothing where nobody reads it so.

    Example:
        >>> sorted(set(han_thousands(2008)))
        ['两千零八', '二千零八']
        >>> "二千零一十六" in han_thousands(2016)
        True
    """
    if not 2000 <= year < 2100:
        return []
    rest, two = year % 100, "兩" if traditional else "两"
    if rest == 0:
        tails = [""]
    elif rest < 10:
        tails = ["零" + han_number(rest)]
    else:
        words = han_number(rest)
        tails = ["零" + words] if rest >= 20 else ["零" + words, "零一" + words, "一" + words]
    return [f"{head}千{tail}" for tail in tails for head in (two, two, "二")]


def superscript(letters: str) -> str:
    """An ordinal's ending in raised letters; NFKC turns them back.

    Example:
        >>> superscript("er")
        'ᵉʳ'
    """
    return letters.translate(_SUPERSCRIPT)
