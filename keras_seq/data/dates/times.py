"""A time of day beside the date, which the reader must pass over."""

_AFTER = {
    "en": ("at {h12}{ap}", "at {h12} {ap}", "at {h12}:{m}{ap}", "at {h12}:{m} {ap}", "{h12}{ap}", "{h12} {ap}",
           "{h12}:{m} {ap}", "{h12}:{m}:{s} {ap}", "at {h}:{m}", "at {h12} o'clock", "at {h12} in the morning",
           "at noon", "at midnight", "in the evening", "around {h12}{ap}", "by {h12}{ap}", "@ {h12}{ap}"),
    "fr": ("à {h}h", "à {h}h{m}", "à {h} h {m}", "à {h} heures", "{h}h{m}", "à {h}:{m}", "à midi", "au matin",
           "vers {h}h", "à {h} heures du matin"),
    "de": ("um {h} Uhr", "um {h}:{m}", "um {h}:{m} Uhr", "{h} Uhr", "{h}:{m} Uhr", "um {h}.{m} Uhr", "{h}h",
           "mittags", "gegen {h} Uhr", "ab {h} Uhr", "abends"),
    "es": ("a las {h}", "a las {h}:{m}", "a las {h12} de la tarde", "a las {h12} {ap}", "a las {h12}:{m} {ap}",
           "{h}:{m} h", "{h} horas", "al mediodía", "a las {h12} de la mañana", "por la tarde"),
    "zh": ("下午{h12}点", "上午{h12}点", "晚上{h12}点", "{h}点", "{h}点{m}分", "{h}:{m}", "{h}時{m}分", "下午{h12}时",
           "早上{h12}点半", "下午{h12}点{m}分", "{h}时{m}分{s}秒", "中午", "凌晨{h12}點", "{hh}:{m}:{s}",
           "下午三点", "晚上八点半"),
    "ja": ("午後{h12}時", "{h}時", "{h}時{m}分", "午前{h12}時", "{h}:{m}"),
    "ko": ("오후 {h12}시", "{h}시", "{h}시 {m}분", "오전 {h12}시", "{h}:{m}"),
    "it": ("alle {h}", "alle ore {h}", "alle {h}:{m}", "ore {h}:{m}", "a mezzogiorno"),
    "pt": ("às {h}h", "às {h}h{m}", "às {h} horas", "às {h}:{m}", "ao meio-dia"),
    "nl": ("om {h} uur", "om {h}:{m}", "{h}.{m} uur", "om {h}u"),
    "ru": ("в {h}:{m}", "в {h} часов", "{h} ч. {m} мин."),
    "pl": ("o {h}:{m}", "godz. {h}:{m}", "o godz. {h}", "godz. {h}.{m}"),
    "sv": ("kl. {h}", "kl {h}:{m}", "klockan {h}", "kl. {h}.{m}"),
    "tr": ("saat {h}:{m}", "saat {h}", "saat {h}.{m}"),
    "cs": ("v {h}:{m}", "v {h} hodin", "ve {h} hod."),
}  # fmt: skip
_AFTER["zh_Hant"] = tuple(form.replace("点", "點").replace("时", "時") for form in _AFTER["zh"])
_NEUTRAL = ("{h}:{m}", "{hh}:{m}", "{hh}:{m}:{s}", "{h12}:{m} {ap}", "{h12}{ap}", "{h12} {ap}", "{h12}:{m}:{s} {ap}",
            "{hh}:{m} {zone}", "{hh}:{m}:{s} {zone}", "{hh}:{m}:{s}.{ms}", "{hh}:{m}:{s}{offset}")  # fmt: skip
_ISO = ("T{hh}:{m}", "T{hh}:{m}:{s}", "T{hh}:{m}:{s}Z", "T{hh}:{m}:{s}{offset}", "T{hh}:{m}:{s}.{ms}Z", "T{hh}{m}{s}",
        "T{hh}:{m}Z", "T00:00:00", "T00:00:00Z", "T00:00:00.000Z", "T00:00")  # fmt: skip
_ZONES = ("UTC", "GMT", "EST", "CET", "PST", "Z", "+0200", "BST", "+00:00", "CEST")
_NO_SPACE = ("zh", "zh_Hant", "ja")


def forms(language: str) -> tuple[str, ...]:
    """All forms of a time of day in a language, as `str.format` templates."""
    return _AFTER[language] + _NEUTRAL + _ISO + _ZONES


def draw_time(random, language: str, iso: bool = False) -> str:
    """A time of day as one writes it in a language, "" being no language in particular.

    Args:
        random: callable that returns floats in [0, 1).
        language: str, a key of `LANGUAGES` or "".
        iso: bool, the form that follows an ISO date without a space.
    """
    if iso:
        choices = _ISO
    elif not language or random() < 0.3:
        choices = _NEUTRAL
    else:
        choices = _AFTER[language]
    hour, minute = int(random() * 24), int(random() * 60)
    half = ("am", "a.m.", "AM")[int(random() * 3)] if hour < 12 else ("pm", "p.m.", "PM")[int(random() * 3)]
    return choices[int(random() * len(choices))].format(
        h=hour,
        hh=f"{hour:02d}",
        h12=hour % 12 or 12,
        m=f"{minute:02d}",
        s=f"{int(random() * 60):02d}",
        ms=f"{int(random() * 1000):03d}",
        ap=half,
        zone=_ZONES[int(random() * len(_ZONES))],
        offset=("+01:00", "-05:00", "+00:00", "+0800")[int(random() * 4)],
    )


def add_time(text: str, random, language: str) -> str:
    """The text with a time of day after it, or sometimes before it."""
    time = draw_time(random, language)
    place = random()
    if place < 0.25 and (":" in time or not time[-1].isdigit()):
        tight = language in _NO_SPACE and random() < 0.5 and not time[-1].isdigit()
        return time + ("" if tight else (" ", " ", ", ")[int(random() * 3)]) + text
    if time[0] in "下上晚早中凌午오" and random() < 0.6:
        return text + time
    return text + (" ", " ", " ", ", ", ",", " - ")[int(random() * 6)] + time
