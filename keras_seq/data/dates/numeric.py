"""Dates in digits alone, and the rules by which they are read.

The label of an all-digit text is never what the writer had in mind but what `read_numbers` makes of it: a French
09/05/1998 is emitted only if the rules read it as the French do.
"""

from keras_seq.data.dates.days import century, is_date

RULES = """\
Dates in digits alone:
  four digits first       year-month-day           2018-05-03, 2018/5/3, 2018.5.3, 2018 5 3, 20180503
  "." between             day first                9.5.1998 is 9 May; month first only if it must be: 5.13.1998
  "/", "-" or a space     month first              9/5/1998 is September 5; day first only if it must be: 13/5/1998
  first number over 31    year-month-day           98/5/3
  words of a language that puts the day first (a weekday, "le", "am", "el", ...): day first, "samedi 9/5/1998" is 9 May
  words of Chinese, Japanese or Korean: four digits first or not, 16/11/7 星期一 is 2016-11-07
  two-digit years         69-99 are 1969-1999, 00-68 are 2000-2068
"""

DAY_FIRST = frozenset("fr de es it pt nl ru pl sv tr cs".split())
YEAR_FIRST = frozenset("zh zh_Hant ja ko".split())


def read_numbers(first: str, second: str, third: str, separator: str, language: str = "") -> str:
    """The date that three numbers mean, or "" where they mean none.

    Args:
        first, second, third: str of digits, as they stand in the text.
        separator: str, what stands between them, spaces aside: ".", "/", "-", "" (only spaces), ...
        language: str, the language of the words beside the numbers, "" where there are none or they do not tell.

    Returns:
        str, ISO 8601, or "".

    Example:
        >>> read_numbers("2018", "5", "3", "-")
        '2018-05-03'
        >>> read_numbers("15", "1", "2011", "."), read_numbers("5", "13", "1998", ".")
        ('2011-01-15', '1998-05-13')
        >>> read_numbers("9", "5", "1998", "/"), read_numbers("29", "2", "2020", "/")
        ('1998-09-05', '2020-02-29')
        >>> read_numbers("9", "5", "1998", "/", "fr"), read_numbers("16", "11", "7", "/", "zh")
        ('1998-05-09', '2016-11-07')
        >>> read_numbers("98", "5", "3", "/"), read_numbers("2017", "13", "45", "-")
        ('1998-05-03', '')
    """
    if len(first) == 4 or (len(third) <= 2 and (int(first) > 31 or language in YEAR_FIRST)):
        year, month, day = first, second, third
    elif separator == "." or language in DAY_FIRST:
        day, month, year = first, second, third
        if int(month) > 12:
            day, month = month, day
    else:
        month, day, year = first, second, third
        if int(month) > 12:
            day, month = month, day
    if len(month) > 2 or len(day) > 2 or len(year) not in (2, 4):
        return ""
    number = century(int(year)) if len(year) == 2 else int(year)
    if not is_date(number, int(month), int(day)):
        return ""
    return f"{number:04d}-{int(month):02d}-{int(day):02d}"


def read_eight_digits(digits: str) -> str:
    """The date that eight digits mean, or "".

    Example:
        >>> read_eight_digits("20180503"), read_eight_digits("20181503"), read_eight_digits("03052018")
        ('2018-05-03', '', '')
    """
    if len(digits) != 8:
        return ""
    return read_numbers(digits[:4], digits[4:6], digits[6:], "")
