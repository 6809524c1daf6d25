"""Dates as people write them, and the ISO 8601 dates they mean: endless pairs for a sequence-to-sequence model.

Made with Babel's CLDR data for sixteen languages and scripts, and with what people type (`phrases.py`). Nothing here
imports TensorFlow or Keras.

Example:
    >>> dates = generate(3, seed=7, languages=("fr",))
    >>> len(dates.texts), len(dates.iso), len(dates.writings)
    (3, 3, 3)
"""

import random as standard_random
import unicodedata
from typing import NamedTuple

from keras_seq.data.dates.alphabet import characters
from keras_seq.data.dates.days import FIRST_YEAR, LAST_YEAR, PIVOT
from keras_seq.data.dates.noise import add_noise
from keras_seq.data.dates.not_dates import draw_not_date
from keras_seq.data.dates.numeric import RULES, read_numbers
from keras_seq.data.dates.phrases import LEADS
from keras_seq.data.dates.times import add_time, draw_time
from keras_seq.data.dates.writings import HELD_OUT, LANGUAGES, Writing, choice, signature, write

__all__ = [
    "FIRST_YEAR", "HELD_OUT", "LANGUAGES", "LAST_YEAR", "MAX_LENGTH", "PIVOT", "RULES",
    "Dates", "alphabet", "generate", "read_numbers", "signature",
]  # fmt: skip

MAX_LENGTH = 64
"""Longest text, in characters after NFKC."""

LEAD_SHARE, TIME_SHARE, NOISE_SHARE = 0.12, 0.12, 0.8
_JOINS_ISO_TIME = ("digits {y}-{MM}-{dd}", "digits {y}{MM}{dd}")


class Dates(NamedTuple):
    """Texts, what they mean, and how they came about.

    Attributes:
        texts: list of str, as typed (not normalised).
        iso: list of str, YYYY-MM-DD, or "" for a text that is not a date.
        writings: list of str, the name of the writing behind each text.
    """

    texts: list[str]
    iso: list[str]
    writings: list[str]


def generate(
    count: int,
    seed: int,
    *,
    held_out: bool = False,
    languages: tuple[str, ...] | None = None,
    not_dates: float = 0.0,
) -> Dates:
    """Draws texts and their dates; the same for the same arguments on every machine.

    Args:
        count: int, how many pairs.
        seed: int.
        held_out: bool, draw only writings whose signature is in `HELD_OUT`, which are otherwise never drawn.
        languages: keys of `LANGUAGES`, all by default. Digits alone have no language and are always drawn.
        not_dates: float in [0, 1], the share of texts that are not dates.

    Returns:
        `Dates` of three lists of length `count`.

    Raises:
        ValueError: for a negative count, an unknown language, or a share outside [0, 1].

    Example:
        >>> generate(1, seed=1) == generate(1, seed=1)
        True
        >>> set(generate(20, seed=2, not_dates=1.0).iso)
        {''}
    """
    if count < 0:
        raise ValueError(f"count={count} is negative; give the number of pairs to draw, 0 or more")
    languages = LANGUAGES if languages is None else tuple(languages)
    unknown = [language for language in languages if language not in LANGUAGES]
    if unknown:
        raise ValueError(f"languages {unknown} are not written here; choose from {', '.join(LANGUAGES)}")
    if not 0.0 <= not_dates <= 1.0:
        raise ValueError(f"not_dates={not_dates} is not a share; give a number from 0.0 to 1.0")
    random = standard_random.Random(seed).random
    draw = choice(languages, held_out).draw
    dates = Dates([], [], [])
    while len(dates.texts) < count:
        if not_dates and random() < not_dates:
            (text, name), iso = draw_not_date(random), ""
        else:
            writing = draw(random)
            pair = write(writing, random)
            if pair is None:
                continue
            text, iso = _dress(pair[0], writing, random), pair[1]
            name = writing.name
        if len(text) > 20 and len(unicodedata.normalize("NFKC", text)) > MAX_LENGTH:
            continue
        dates.texts.append(text)
        dates.iso.append(iso)
        dates.writings.append(name)
    return dates


def _dress(text: str, writing: Writing, random) -> str:
    """The bare date with the words, the time and the slips that go with it."""
    if writing.name in _JOINS_ISO_TIME and random() < 0.15:
        return text + draw_time(random, "", iso=True)
    language = writing.language
    if random() < NOISE_SHARE:
        text = add_noise(text, random, language, joined=not writing.spelled)
    if language and not writing.numeric and writing.bare and random() < LEAD_SHARE:
        leads = LEADS[language]
        text = leads[int(random() * len(leads))].replace("@", text)
    if "{T}" not in writing.name and random() < TIME_SHARE:
        text = add_time(text, random, language)
    return text


def alphabet() -> str:
    """Every character that a text can have after NFKC and lower case, in order, printable ASCII whole.

    Example:
        >>> letters = alphabet()
        >>> all(letter in letters for letter in "a0-é月년я§")
        True
    """
    return characters()
