"""CLDR's data for a locale, read from Babel's files by ourselves.

`babel.Locale` resolves CLDR's aliases inside dictionaries that locales share, so that what a locale says can depend
on which others were asked before: after Chinese, Turkish gives `months["stand-alone"]["wide"][9]` as 九月
(Babel 2.18). The texts generated must depend on nothing but the seed, so every locale is loaded here into
dictionaries of its own.
"""

import pickle
from functools import cache

from babel import localedata
from babel.core import get_global


@cache
def locale_data(name: str) -> localedata.LocaleDataDict:
    """All data of a locale, merged over that of its parents.

    Args:
        name: str, as "en_GB" or "zh_Hant".

    Example:
        >>> locale_data("zh_Hans")["months"]["stand-alone"]["wide"][9]
        '九月'
        >>> locale_data("tr")["months"]["stand-alone"]["wide"][9]
        'Eylül'
    """
    return localedata.LocaleDataDict(_merged(name))


def _merged(name: str) -> dict:
    with open(localedata.resolve_locale_filename(name), "rb") as file:
        own = pickle.load(file)
    if name == "root":
        return own
    parent = get_global("parent_exceptions").get(name) or name.rpartition("_")[0] or "root"
    data = _merged(parent)
    localedata.merge(data, own)
    return data
