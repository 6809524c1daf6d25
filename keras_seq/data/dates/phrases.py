"""The writings people use in each language, as templates with weights, and the words they put around a date.

`CORES` are dates without their weekday, `AROUND` puts the weekday to them ("@" is the date), `NUMERIC` are dates in
digits alone, `NUMERIC_AROUND` the words that tell their language, `LEADS` the words before or after any date.
"""


def _joined(weight: float, order: str, separators: str = "- / . –") -> list[tuple[float, str]]:
    """One template for each separator; "-" and "/" are the common ones."""
    share = {"-": 0.4, "/": 0.25, ".": 0.2}
    marks = separators.split()
    return [(weight * share.get(mark, 0.15 / max(1, len(marks) - 3)), order.replace("~", mark)) for mark in marks]


_ALPHABETIC = [
    (4, "{d} {m} {Y}"),
    (1, "{d}[.] {m}<,| ,|> {Y}"),
    (1, "{m} {d}<,|, |> {Y}"),
    (0.7, "{y}<,| ||> {m} {d}"),
    *_joined(2, "{d}~{m}~{Y}"),
    *_joined(0.5, "{y}~{m}~{d}", "- / ."),
]

CORES = {
    "en": [
        (6, "{m} {d}<, |, | |,>{Y}"),
        (5, "{m} {o}<, |, | |,>{Y}"),
        (5, "[the ]{o}< of | of | >{m}<, | | | of | in >{Y}"),
        (6, "{d}< | | | | of >{m}<, | | | >{Y}"),
        (1, "{m} the {o}<,|> {Y}"),
        (3, "[the ]{n}< of | of | >{m}<,||> {Y}"),
        (1, "[the ]<{n}|{o}> day of {m}<,|> {y}"),
        (2, "{m} [the ]{n}<,||> {Y}"),
        (1, "{m} {c}<,|> {y}"),
        (0.5, "{c} {m} {y}"),
        (
            1.5,
            "<{m} {o}|the {o} of {m}|{o} of {m}|{d} {m}|{m} {d}|{m} {n}>"
            "< in the year | of the year | of | of |, in |, year | year >{y}",
        ),
        (
            1.5,
            "<{m} {n}|{m} the {n}|the {n} of {m}|{n} of {m}|{d} {m}|{m} {d}|{m} {o}|{o} of {m}|the {o} of {m}|{m} {c}>"
            "<, | | in ><{yw}>",
        ),
        *_joined(5, "{d}~{m}~{Y}", "- / . – _"),
        *_joined(2.5, "{m}~{d}~{Y}", "- / . –"),
        *_joined(1.5, "{y}~{m}~{d}", "- / . –"),
        *_joined(0.7, "{o}~{m}~{Y}", "- / ."),
        *_joined(0.5, "{m}~{o}~{Y}", "- / ."),
        (0.4, "{m} {d}<-|/>{Y}"),
        (0.4, "{yw}<,|> {m} <{n}|{o}|{c}>"),
        (0.6, "{m}<-|/|.>{d}<, | >{y}"),
        (0.5, "{d}<-|/|.>{m} {y}"),
        (2, "{y}<, | | >{m} <{d}|{d}|{o}>"),
        (1, "{y}<, | ><{d} {m}|{o} {m}|the {o} of {m}|{o} of {m}|{m} the {o}>"),
        (1.2, "{m} {y}<, | |, the | the ><{o}|{d}>"),
        (0.8, "<{d}|{o}><,|> {y} {m}"),
        (0.4, "{m}, {d}, {y}"),
        (0.4, "{m}, {o} {y}"),
        (0.4, "{d}, {m}, {y}"),
    ],
    "fr": [
        (7, "[le ]{o} {m}<,||||> {Y}"),
        (4, "[le ]{d} {m}<,|||> {Y}"),
        (1, "[le ]{d}. {m} {Y}"),
        (2, "{m} {d}<,|,|> {Y}"),
        (1, "{m} {o}<,|> {Y}"),
        (1.5, "[le ]{o} {m}< de l'an | de l'année | en | de | de l’année |, en |, an >{y}"),
        (0.7, "[le ]{o} du mois de {m}<,|| de> {y}"),
        (0.5, "[le ]{o} de {m} <|de >{y}"),
        (3, "[le ]{n} {m}<,||> {y}"),
        (1.5, "[le ]<{n}|{o}> {m}<,|| de l'an> {yw}"),
        *_joined(4, "{d}~{m}~{Y}", "- / . –"),
        *_joined(0.8, "{m}~{d}~{Y}", "- / ."),
        *_joined(0.8, "{y}~{m}~{d}", "- / ."),
        (1, "{y}<,| | > {m} {d}"),
        (0.7, "{y}<,|> {d} {m}"),
        (0.7, "{m} {y}<,|> <le |>{o}"),
        (0.5, "[le ]{d}, {m}<,|> {y}"),
        (0.4, "{o} {y} {m}"),
        (0.4, "{m} {d}<-|/>{Y}"),
        (0.3, "le {d} d<e |'>{m} {y}"),
    ],
    "de": [
        (7, "<den |der |am |dem |vom ||||||>{d}. {m}<,|||> {Y}"),
        (3, "<den |am ||||>{d} {m}<,|||> {Y}"),
        (2, "<der |den |am |dem |||>{o} {m}<,||> {Y}"),
        (3, "<der |den |am |dem |||>{n} {m}<,||> {Y}"),
        (1.5, "<am |den |||>{n} {m} {yw}"),
        (1, "<am |den |||>{d}. {m} {yw}"),
        (1.5, "<am |den |der ||>{d}. {m}< im Jahr | im Jahre | des Jahres |, im Jahr | Jahr | in >{y}"),
        (0.5, "<am |der |den |><{n}|{d}.> Tag des {m} {y}"),
        (1, "{d}.{m}<| >{Y}"),
        *_joined(4, "{d}~{m}~{Y}", "- / . –"),
        *_joined(0.8, "{y}~{m}~{d}", "- / ."),
        *_joined(0.5, "{m}~{d}~{Y}", "- / ."),
        (1.5, "{m} {d}<.|.,|,|,|> {Y}"),
        (0.8, "{m}<,| der |> {o} {y}"),
        (0.8, "{y}<,|> {d}. {m}"),
        (0.8, "{y}<,|> {m} {d}<.|>"),
        (0.5, "{m} {y}<,|> <der |>{d}<.|>"),
        (0.3, "{d}. {y} {m}"),
    ],
    "es": [
        (6, "[el ][día ]{d} de {m}< de | de | de | del | del |, | >{Y}"),
        (4, "[el ]{o} de {m}< de | de | de | del |, | >{Y}"),
        (3, "[el ]{d} {m}<,|||> {Y}"),
        (1, "[el ]{d} {m} <de|del> {Y}"),
        (1, "[el ]{d} de {m}<,|> {Y}"),
        (2, "{m} <{d}|{o}><,| de| del|,|> {Y}"),
        (2, "[el ][día ]{o} de {m}< del año | de año | del año de |, año | en |, en el año >{y}"),
        (3, "[el ]{n} de {m}< de | de | del | >{Y}"),
        (2, "[el ]<{n}|{o}> de {m}< de | del | del año >{yw}"),
        *_joined(4, "{d}~{m}~{Y}", "- / . –"),
        *_joined(0.8, "{m}~{d}~{Y}", "- / ."),
        *_joined(0.8, "{y}~{m}~{d}", "- / ."),
        (1, "{y}<,| | > {m} {d}"),
        (0.8, "{y}<,|> {d}[ de] {m}"),
        (0.8, "{m} <|de |del >{y}<,|> [el ]{d}"),
        (0.5, "{d} de {m}, del {y}"),
        (0.5, "{d}, {m}<,|> {y}"),
        (0.5, "<a |al >{d} de {m} de {y}"),
        (0.3, "{d} {y} {m}"),
    ],
    "zh": [
        (16, "<公元|西元|公历|||||||||||||>{y}年{M}月{d}<日|日|日|日|号|号|>"),
        (3, "{y} 年 {M} 月 {d} <日|日|号>"),
        (3, "{y}年 {M}月 {d}<日|日|号|>"),
        (1.5, "{y}年{M}月 {d}<日|号>"),
        (1.5, "{y}年 {M}月{d}<日|号>"),
        (11, "<公元||||||||||>{yh}年{Mh}月{dh}<日|日|日|号|>"),
        (1.2, "{yh} 年 {Mh} 月 {dh} <日|号>"),
        (1.2, "{yh}年 {Mh}月 {dh}<日|号>"),
        (4, "{yt}年{Mh}月{dh}<日|号|>"),
        (1.5, "{yt}年<{M}月{d}|{Mh}月{d}|{M}月{dh}><日|号>"),
        (3, "{y}年[ ]{Mh}月[ ]{d}<日|号|>"),
        (3, "{y}年{Mh}月{dh}<日|号|>"),
        (2, "{y}年[ ]{M}月[ ]{dh}<日|号>"),
        (2, "{yh}年[ ]{M}月[ ]{d}<日|号|>"),
        (1, "{yh}年{Mh}月{d}<日|号>"),
        (1, "{yh}年{M}月{dh}<日|号>"),
        (4, "<'||||>{yy}年[ ]{M}月[ ]{d}<日|日|号|>"),
        (3, "{yyh}年{Mh}月{dh}<日|日|号|>"),
        (1, "{yyh}年<{M}月{d}|{Mh}月{d}><日|号>"),
        (1, "{yy}年<{Mh}月{dh}|{Mh}月{d}><日|号>"),
        (2, "{M}月{d}<日|号|><|，| |, |,>{y}<年|年|>"),
        (1, "{Mh}月<{dh}|{d}><日|号><|，| >{y}年"),
        (0.8, "{Mh}月{dh}<日|号><|，>{yh}年"),
        (1, "{d}<日|号><|，| >{M}月<|，| >{y}年"),
        (1.5, "{y}年<，|,|, |的|,  ><{M}月{d}|{Mh}月{dh}><日|号>"),
        (0.8, "{y}年{M}月<的|份的|份>{d}<日|号>"),
        (1, "{y}<-|/|.| >{M}月<-|/|.|| >{d}<日|号|>"),
        (0.8, "{y}年{M}<-|/|.>{d}<日|号|>"),
        (0.5, "{y}年{M}月{d}"),
        (0.7, "{y}<-|/|.>{M}<-|/|.>{d}<日|号>"),
        (0.4, "{y}<年-|年/>{M}<月-|月/>{d}<日|>"),
    ],
    "ja": [
        (8, "<西暦||||>{y}年{M}月{d}日"),
        (2, "{y}年[ ]{M}月[ ]{d}日"),
        (1, "{y} 年 {M} 月 {d} 日"),
        (3, "{yh}年{Mh}月{dh}日"),
        (1, "{y}年{Mh}月{dh}日"),
        (1.5, "<'|>{yy}年{M}月{d}日"),
        (0.5, "{M}月{d}日<、| >{y}年"),
    ],
    "ko": [
        (8, "{y}년 {M}월 {d}일"),
        (3, "{y}년{M}월{d}일"),
        (1.5, "<'|>{yy}년 {M}월 {d}일"),
        (0.7, "{M}월 {d}일<, | >{y}년"),
        (0.5, "{y} 년 {M} 월 {d} 일"),
    ],
    "it": [*_ALPHABETIC, (3, "<il |l'|||>{o} {m}<,||> <|del |del >{Y}"), (1, "<il |>{d} {m} <dell'anno|nel> {y}")],
    "pt": [
        *_ALPHABETIC,
        (7, "[dia ]<{d}|{o}> de {m}< de | de | de | do ano de | do ano | >{Y}"),
        (1, "{m} {d}<, | de >{y}"),
    ],
    "nl": [*_ALPHABETIC, (2, "[de ]{o} <|van >{m}<,||> {Y}"), (0.5, "{d} {m} <in het jaar|van> {y}")],
    "ru": [*_ALPHABETIC, (5, "<{d}|{d}|{o}> {m} {y}< года| г.| г|года|г.>"), (0.5, "{y} год, {d} {m}")],
    "pl": [*_ALPHABETIC, (3, "[dnia ]<{d}|{o}> {m} {y}<| r.| r| roku|r.>")],
    "sv": [*_ALPHABETIC, (3, "den {d} {m} {Y}"), (1.5, "[den ]{o} {m}<,|> {Y}"), (0.5, "{d} {m} år {y}")],
    "tr": [*_ALPHABETIC, (1.5, "{d} {m} {y} tarihi"), (0.7, "{y} yılı {d} {m}"), (1, "{o} {m} {Y}")],
    "cs": [*_ALPHABETIC, (4, "[dne ]{d}. {m} {Y}"), (0.7, "{d}. {m} roku {y}")],
}

CORES["zh_Hant"] = [(weight, template.replace("号", "號").replace("公历", "公曆")) for weight, template in CORES["zh"]]

_WEEKDAY_BEFORE_OR_AFTER = [
    (12, "@"),
    (3, "{w}, @"),
    (3, "{w} @"),
    (0.5, "{w},@"),
    (1, "@, {w}"),
    (1, "@ {w}"),
    (1, "@ ({w})"),
]
_CHINESE_WEEKDAY = [
    (12, "@"), (3, "@{w}"), (2, "@ {w}"), (1, "@（{w}）"), (1, "@({w})"), (0.8, "@，{w}"), (0.8, "@, {w}"),
    (1, "{w}，@"),
    (0.7, "{w},@"), (1, "{w} @"), (0.7, "{w}@"), (0.4, "@【{w}】"), (0.3, "({w})@"),
]  # fmt: skip

AROUND = {
    "en": [
        *_WEEKDAY_BEFORE_OR_AFTER, (0.7, "{w} - @"), (0.4, "{w}; @"), (0.4, "{w} on @"), (0.4, "a {w}, @"),
        (0.3, "@ - {w}"), (0.3, "@ is a {w}"), (0.3, "@, a {w}"), (0.3, "@ on a {w}"),
    ],
    "fr": [*_WEEKDAY_BEFORE_OR_AFTER, (2, "le {w} @"), (1, "{w} le @"), (0.5, "{w}, le @"), (0.4, "ce {w} @"),
           (0.3, "@, un {w}")],
    "de": [
        *_WEEKDAY_BEFORE_OR_AFTER, (2, "{w}, den @"), (1, "{w}, der @"), (1, "am {w}, den @"), (0.7, "am {w}, dem @"),
        (0.7, "am {w} @"), (0.5, "{w} den @"), (0.5, "am {w} den @"), (0.5, "{w} der @"), (0.3, "@, ein {w}"),
    ],
    "es": [
        *_WEEKDAY_BEFORE_OR_AFTER, (1.5, "el {w} @"), (1, "{w} día @"), (0.7, "el {w}, @"), (0.5, "el {w} día @"),
        (0.3, "@, un {w}"),
    ],
    "zh": _CHINESE_WEEKDAY,
    "zh_Hant": _CHINESE_WEEKDAY,
    "ja": [(10, "@"), (3, "@({w})"), (2, "@（{w}）"), (2, "@{A}"), (1, "@ {w}"), (0.5, "{A}、@"), (0.5, "{A} @")],
    "ko": [(10, "@"), (3, "@ {A}"), (2, "@ ({a})"), (1, "@({a})"), (0.5, "{A}, @"), (0.5, "{A} @")],
}  # fmt: skip
"""Language -> weight and place of the weekday; other languages take `_WEEKDAY_BEFORE_OR_AFTER`."""
DEFAULT_AROUND = _WEEKDAY_BEFORE_OR_AFTER

NUMERIC = [
    (9, "{y}-{MM}-{dd}"), (2, "{y}-{M}-{d}"), (3, "{y}/{M}/{d}"), (2, "{y}/{MM}/{dd}"), (3, "{y}.{M}.{d}"),
    (1, "{y} {M} {d}"), (0.7, "{y} {MM} {dd}"), (1, "{y}. {M}. {d}."), (4, "{y}{MM}{dd}"), (0.7, "{y}–{MM}–{dd}"),
    (5, "{d}.{M}.{y}"), (3, "{dd}.{MM}.{y}"), (2, "{d}. {M}. {y}"), (2.5, "{d}.{M}.{yy}"), (1.5, "{dd}.{MM}.{yy}"),
    (5, "{M}/{d}/{y}"), (3, "{MM}/{dd}/{y}"), (3, "{M}/{d}/{yy}"), (1.5, "{MM}/{dd}/{yy}"),
    (3, "{d}/{M}/{y}"), (2, "{dd}/{MM}/{y}"), (1.5, "{d}/{M}/{yy}"), (0.7, "{dd}/{MM}/{yy}"),
    (3, "{M}-{d}-{y}"), (1.5, "{MM}-{dd}-{y}"), (1.5, "{M}-{d}-{yy}"), (2, "{d}-{M}-{y}"), (1, "{dd}-{MM}-{yy}"),
    (1, "{M}.{d}.{y}"), (0.5, "{MM}.{dd}.{yy}"), (0.7, "{yy}/{M}/{d}"), (0.5, "{yy}-{MM}-{dd}"), (0.4, "{yy}.{M}.{d}"),
    (1, "{M} {d} {y}"), (1, "{d} {M} {y}"), (0.5, "{M} {d} {yy}"), (0.7, "{M}/{d}/'{yy}"), (0.7, "{d}.{M}.'{yy}"),
    (0.6, "{y}_{MM}_{dd}"),
]  # fmt: skip
"""Dates in digits alone; each is emitted only where the rules of `numeric.py` read it as it was meant."""

ROMAN = [(1, "{d}.{R}.{y}"), (0.7, "{d}. {R}. {y}"), (0.5, "{d} {R} {y}"), (0.4, "{d}-{R}-{y}"), (0.3, "{d}/{R}/{y}")]

_WEEKDAY_BESIDE = [(2, "{w} @"), (2, "{w}, @"), (1, "@ {w}"), (0.7, "@, {w}"), (0.7, "@ ({w})")]
NUMERIC_AROUND = {
    "en": [*_WEEKDAY_BESIDE, (1.5, "on @"), (0.7, "date: @"), (0.5, "dated @"), (0.3, "{w} the @"), (0.3, "on {w} @")],
    "fr": [*_WEEKDAY_BESIDE, (2, "le @"), (0.7, "{w} le @"), (0.7, "le {w} @"), (0.3, "du @"), (0.3, "né le @")],
    "de": [*_WEEKDAY_BESIDE, (1.5, "am @"), (1, "den @"), (1, "{w}, den @"), (0.5, "vom @"), (0.4, "Datum: @"),
           (0.4, "am {w}, den @"), (0.3, "{w} der @")],
    "es": [*_WEEKDAY_BESIDE, (2, "el @"), (0.6, "el {w} @"), (0.5, "fecha: @"), (0.4, "el día @"), (0.3, "del @")],
    "zh": [(3, "@{w}"), (2, "@ {w}"), (1, "@（{w}）"), (1, "@({w})"), (1, "{w} @"), (1, "{w}，@"), (0.5, "日期：@"),
           (0.4, "在@"), (0.3, "于@")],
    "zh_Hant": [(3, "@{w}"), (2, "@ {w}"), (1, "@（{w}）"), (1, "{w} @"), (0.5, "日期：@")],
    "ja": [(3, "@({w})"), (1, "@（{w}）"), (1, "@ {A}"), (0.5, "日付：@")],
    "ko": [(2, "@ ({a})"), (2, "@ {A}"), (1, "@({a})"), (0.5, "날짜: @")],
    "it": [*_WEEKDAY_BESIDE, (1, "il @")],
    "pt": [*_WEEKDAY_BESIDE, (1, "dia @"), (0.5, "em @")],
    "nl": [*_WEEKDAY_BESIDE, (1, "op @")],
    "ru": [*_WEEKDAY_BESIDE, (1, "@ г."), (0.5, "дата: @")],
    "pl": [*_WEEKDAY_BESIDE, (1, "dnia @"), (1, "@ r.")],
    "sv": [*_WEEKDAY_BESIDE, (1, "den @")],
    "tr": [*_WEEKDAY_BESIDE, (0.5, "tarih: @")],
    "cs": [*_WEEKDAY_BESIDE, (1, "dne @")],
}  # fmt: skip
"""Language -> words beside a date in digits, which tell its language."""

SPECIAL = {"en": [(1, "{a} {b} {d} {T} {y}"), (0.5, "{a} {b} {d} {T} UTC {y}"), (0.5, "{a}, {dd} {b} {y} {T} GMT")]}

LEADS = {
    "en": (
        "on @", "on @", "on the date @", "date: @", "Date @", "dated @", "born @", "born on @", "by @", "since @",
        "from @",
        "until @", "due @", "as of @", "it was @", "it's @", "meet me on @", "I was born on @", "see you on @",
        "@ please",
        "what about @", "I'll go back on @", "before @", "after @", "the date is @", "D.O.B. @", "on or about @",
        "@ AD",
    ),
    "fr": ("@", "date : @", "né le @", "depuis @", "en date du @", "du @", "avant @", "jusqu'au @", "à partir du @",
           "rendez-vous @",
           "Paris, @", "fait à Lyon, @", "c'était @", "on se voit @", "au @"),
    "de": ("am @", "am @", "Datum: @", "geboren am @", "seit @", "vom @", "bis zum @", "ab @", "Berlin, @",
           "Wien, den @",
           "bis @", "es war @", "Stand: @", "ich komme @"),
    "es": ("el @", "fecha: @", "nacido el @", "desde @", "hasta @", "antes del @", "a partir del @", "Madrid, @",
           "a @", "en @",
           "volveré el @", "fue @", "en fecha @"),
    "zh": ("在@", "于@", "日期：@", "日期:@", "时间：@", "出生于@", "生于@", "@出生", "截至@", "@那天", "@当天",
           "从@起", "我@回来", "@前",
           "今天是@", "到@", "@，"),
    "zh_Hant": ("在@", "於@", "日期：@", "生於@", "@出生", "截至@", "@那天", "從@起", "今天是@"),
    "ja": ("@に", "@生まれ", "日付：@", "@まで", "@から"),
    "ko": ("@에", "날짜: @", "@생", "@까지", "@부터"),
    "it": ("il @", "data: @", "nato il @", "dal @", "entro il @", "Roma, @", "di @"),
    "pt": ("em @", "data: @", "nascido em @", "desde @", "até @", "Lisboa, @", "no dia @", "a @"),
    "nl": ("op @", "datum: @", "geboren op @", "sinds @", "vanaf @", "tot @", "Amsterdam, @"),
    "ru": ("дата: @", "с @", "до @", "родился @", "Москва, @", "от @"),
    "pl": ("dnia @", "data: @", "od @", "do @", "ur. @", "Warszawa, @"),
    "sv": ("den @", "datum: @", "född @", "från @", "till @", "sedan @"),
    "tr": ("tarih: @", "@ tarihinde", "@ günü", "doğum: @"),
    "cs": ("dne @", "datum: @", "od @", "do @", "nar. @", "Praha, @"),
}  # fmt: skip
"""Language -> words around any date; "@" is the date."""
