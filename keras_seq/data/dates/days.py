"""Which dates are drawn: 1900-01-01 to 2100-12-31, what people write more often drawn more often."""

import datetime
from typing import NamedTuple

FIRST_YEAR, LAST_YEAR = 1900, 2100
PIVOT = 69
"""Two-digit years: 69-99 are 1969-1999, 00-68 are 2000-2068, as POSIX's strptime has it."""

_FIRST = datetime.date(FIRST_YEAR, 1, 1).toordinal()
_LAST = datetime.date(LAST_YEAR, 12, 31).toordinal()
_RECENT = datetime.date(1950, 1, 1).toordinal(), datetime.date(2035, 12, 31).toordinal()
_SHORT_YEARS = datetime.date(1900 + PIVOT, 1, 1).toordinal(), datetime.date(1999 + PIVOT, 12, 31).toordinal()
_LEAP_YEARS = [year for year in range(FIRST_YEAR, LAST_YEAR + 1) if year % 4 == 0 and (year % 100 or year % 400 == 0)]
_SHORT_LEAP_YEARS = [year for year in _LEAP_YEARS if 1900 + PIVOT <= year < 2000 + PIVOT]
RECENT_SHARE, LEAP_DAY_SHARE, FIRST_OF_MONTH_SHARE, WRONG_WEEKDAY_SHARE = 0.65, 0.02, 0.03, 0.06


class Day(NamedTuple):
    """A date to be written: `weekday` is what the text will claim (0 is Monday), which is sometimes wrong."""

    year: int
    month: int
    day: int
    weekday: int

    @property
    def iso(self) -> str:
        """YYYY-MM-DD."""
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"


def century(two_digits: int) -> int:
    """The full year of a two-digit one.

    Example:
        >>> century(69), century(99), century(0), century(68)
        (1969, 1999, 2000, 2068)
    """
    return two_digits + (1900 if two_digits >= PIVOT else 2000)


def is_date(year: int, month: int, day: int) -> bool:
    """Whether the calendar has this day, and it lies within the years that are read.

    Example:
        >>> is_date(2000, 2, 29), is_date(1900, 2, 29), is_date(2015, 4, 31), is_date(1776, 7, 4)
        (True, False, False, False)
    """
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return FIRST_YEAR <= year <= LAST_YEAR


def draw_day(random, two_digit_year: bool = False) -> Day:
    """A date, drawn with `random()`, a function that returns floats in [0, 1).

    Args:
        random: callable, `random.Random(seed).random`.
        two_digit_year: bool, draw only years that a two-digit year can mean.
    """
    kind = random()
    if kind < LEAP_DAY_SHARE:
        years = _SHORT_LEAP_YEARS if two_digit_year else _LEAP_YEARS
        date = datetime.date(years[int(random() * len(years))], 2, 29)
    else:
        if two_digit_year:
            first, last = _SHORT_YEARS
        elif random() < RECENT_SHARE:
            first, last = _RECENT
        else:
            first, last = _FIRST, _LAST
        date = datetime.date.fromordinal(first + int(random() * (last - first + 1)))
        if kind > 1.0 - FIRST_OF_MONTH_SHARE:
            date = date.replace(day=1)
    weekday = date.weekday()
    if random() < WRONG_WEEKDAY_SHARE:
        weekday = int(random() * 7)
    return Day(date.year, date.month, date.day, weekday)


def draw_impossible_day(random) -> Day:
    """A day that no calendar has, like 31 February 2015."""
    year = 1900 + int(random() * 201)
    leap = year in _LEAP_YEARS
    kind = random()
    if kind < 0.5:
        month, day = 2, (30 if leap else 29) + int(random() * (2 if leap else 3))
    else:
        month, day = (4, 6, 9, 11)[int(random() * 4)], 31
    return Day(year, month, day, int(random() * 7))
