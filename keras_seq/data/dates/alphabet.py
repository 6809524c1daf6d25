"""The characters that a text can have once it is normalised: NFKC and lower case."""

import unicodedata
from functools import cache

from keras_seq.data.dates import noise, not_dates, phrases, times, words
from keras_seq.data.dates.locales import LOCALES, fields

_TYPOGRAPHY = "–—‐−‘’“”„«»‹›…·•°§©®™€£¥¢¿¡№†‡、。・「」『』【】《》〈〉〔〕○〇～ー々％＋＝｜年月日号號년월일"


@cache
def characters() -> str:
    """All of them in order of code point, once each."""
    texts = [chr(code) for code in range(0x20, 0x7F)] + [chr(code) for code in range(0xA1, 0x180)]
    texts += [_TYPOGRAPHY, words.CHINESE_SURNAMES, words.CHINESE_GIVEN, *words.FIRST_NAMES, *words.LAST_NAMES]
    texts += words.WORDS.values()
    for language in LOCALES:
        texts += [
            spelling for field in fields(language).values() for row in field.spellings.values() for spelling in row
        ]
        texts += not_dates.cldr_names(language) + phrases.LEADS[language] + times.forms(language)
        for table in (phrases.CORES, phrases.NUMERIC_AROUND, phrases.AROUND):
            texts += [template for _, template in table.get(language, ())]
        texts += words.COMMANDS.get(language, ()) + not_dates.cities(language) + not_dates.parts(language)
    texts += not_dates.NUMBERS
    everything = set("".join(texts))
    plain = everything | set(noise.drop_accents("".join(everything)))
    cased = "".join(plain) + "".join(plain).upper() + "".join(plain).title()
    return "".join(sorted({letter for letter in unicodedata.normalize("NFKC", cased).lower() if letter.isprintable()}))
