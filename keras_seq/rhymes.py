"""Do two lines rhyme, as read today?

    rhyme(line) = what is heard of its last character's Mandarin syllable from the main vowel on, without the tone

    山 shan, 間 jian, 遠 yuan -> "an"        秋 qiu, 樓 lou -> "ou"        風 feng, 中 zhong, 明 ming -> "eng"

Syllables are put together as in the fourteen rhymes of 中華新韻 (Zhonghua Xinyun, 2005). The poems were written in
Middle Chinese: some rhymes of theirs are no rhymes today, and some are that were none, so this counts what a reader of
today hears and not what the poets had in mind. Needs `pypinyin`.
"""

import functools

# The finals of each rhyme, as pypinyin spells them; "v" is the vowel of 雨.
_RHYMES = {
    "a": "a ia ua",
    "o": "o uo e",
    "ie": "ie ve ê",
    "ai": "ai uai",
    "ei": "ei uei",
    "ao": "ao iao",
    "ou": "ou iou",
    "an": "an ian uan van",
    "en": "en in uen vn",
    "ang": "ang iang uang",
    "eng": "eng ing ueng ong iong",
    "i": "i er v",
    "-i": "-i",
    "u": "u",
}
_RHYME_OF = {final: rhyme for rhyme, finals in _RHYMES.items() for final in finals.split()}
_HISSING = ("zh", "ch", "sh", "r", "z", "c", "s")


@functools.cache
def rhyme(character):
    """The rhyme of a character's commonest reading.

    Args:
        character: str, one character.

    Returns:
        str, one of the fourteen rhymes; None where there is no reading.

    Example:
        >>> rhyme("山"), rhyme("間"), rhyme("風"), rhyme("A")
        ('an', 'an', 'eng', None)
    """
    try:
        from pypinyin import Style, pinyin
    except ImportError:
        raise ImportError("rhymes are read with pypinyin, which is not installed: pip install pypinyin") from None
    final = pinyin(character, style=Style.FINALS, errors="ignore", v_to_u=False)
    if not final or not final[0][0]:
        return None
    final = final[0][0]
    initial = pinyin(character, style=Style.INITIALS)[0][0]
    if final == "i" and initial in _HISSING:
        final = "-i"  # 詩 shi is no rhyme of 衣 yi
    return _RHYME_OF.get(final)


def rhymes(first, second):
    """Whether two lines rhyme: their last characters do, and are not the same.

    Args:
        first, second: str, without marks.

    Returns:
        bool

    Example:
        >>> rhymes("空山新雨後", "清泉石上流"), rhymes("天氣晚來秋", "清泉石上流")
        (True, True)
        >>> rhymes("明月松間照", "清泉石上流")
        False
    """
    if not first or not second or first[-1] == second[-1]:
        return False
    own = rhyme(first[-1])
    return own is not None and own == rhyme(second[-1])
