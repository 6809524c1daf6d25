"""Raw folders of a few hand-written lines, in the form in which each set is published."""

import gzip
import json
import zipfile
from pathlib import Path

from keras_seq.data.catalogue import chinese_poetry, sgd, snips

REGULAR = [
    {"id": "p1", "author": "甲", "title": "山", "paragraphs": ["白日依山盡，黃河入海流。", "欲窮千里目，更上一層樓。"]},
    {"id": "p2", "author": "乙", "title": "水", "paragraphs": ["床前明月光？疑是地上霜。舉頭望明月；低頭思故鄉。"]},
    {"id": "p3", "author": "乙", "title": "再", "paragraphs": ["白日依山盡，黃河入海流。"]},
    *[
        {"id": f"q{n}", "author": "丁", "title": f"{n}", "paragraphs": [f"{chr(n) * 7}，云云云云云云云。"] * 2}
        for n in range(0x5000, 0x5040)
    ],
]
IRREGULAR = [
    {"id": "x1", "author": "丙", "title": "長短", "paragraphs": ["天邑，溫谷葱葱佳氣色。"]},
    {"id": "x2", "author": "丙", "title": "缺", "paragraphs": ["床前□月光，疑是地上霜。"]},
    {"id": "x3", "author": "丙", "title": "三", "paragraphs": ["床前明月光，疑是地上霜。", "舉頭望明月。"]},
]
PAIRS = {
    "p1": [("白日依山盡", "黃河入海流"), ("欲窮千里目", "更上一層樓")],
    "p2": [("床前明月光", "疑是地上霜"), ("舉頭望明月", "低頭思故鄉")],
    "p3": [("白日依山盡", "黃河入海流")],
    **{f"q{n}": [(chr(n) * 7, "云云云云云云云")] * 2 for n in range(0x5000, 0x5040)},
}
DIALOGUES = {
    "train": [
        (f"d{number}", [("Hi, a table", 'Which "city"?'), (f"Rome {number}", "1. Roma\n2. Bella")])
        for number in range(120)
    ],
    "dev": [("d0", [("Weather?", "Sunny.")])],
}
TATOEBA = [
    ("Hi.", "嗨。"),
    ("Hi!", "你好。"),
    ("Hello.", "你好！"),
    *[(f"Number {number}.", f"{number}号。") for number in range(200)],
]


def multi30k(folder):
    for part, count in (("train", 5), ("val", 2), ("test_2016_flickr", 3)):
        for language in ("en", "de"):
            packed(
                folder / f"{part}.{language}.gz", "".join(f"{part} {number} {language} \n" for number in range(count))
            )


def tatoeba_cmn_eng(folder):
    packed(folder / "cmn.txt.gz", _tatoeba())


def tatoeba_zipped(folder):
    with zipfile.ZipFile(folder / "cmn-eng.zip", "w") as archive:
        archive.writestr("cmn.txt", _tatoeba())


def chinese_poetry_made(folder):
    packed(
        folder / "tang_line_pairs.tsv.gz",
        "".join(f"{poem}\t{source}\t{target}\n" for poem, pairs in PAIRS.items() for source, target in pairs),
    )
    packed(
        folder / "tang_quatrains.jsonl.gz", "".join(json.dumps(poem) + "\n" for poem in REGULAR if poem["id"] != "p3")
    )


def chinese_poetry_published(folder):
    (folder / "全唐诗").mkdir()
    for number, name in enumerate(chinese_poetry.URLS):
        rows = REGULAR + IRREGULAR if number == 7 else []
        (folder / "全唐诗" / name).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def snips_files(folder, intents=snips.INTENTS):
    for intent in intents:
        (folder / intent).mkdir()
        for name, count in ((f"train_{intent}_full.json", 9), (f"validate_{intent}.json", 2)):
            rows = [
                {"data": [{"text": f"Say {number} to "}, {"text": "Mr. X", "entity": "who"}, {"text": "?\n"}]}
                for number in range(count)
            ]
            (folder / intent / name).write_text(json.dumps({intent: rows}), encoding="utf-8")


def sgd_made(folder):
    for part, dialogues in DIALOGUES.items():
        rows = [
            "\t".join('"' + text.replace('"', '""') + '"' for text in (dialogue, *pair)) + "\n"
            for dialogue, pairs in dialogues
            for pair in pairs
        ]
        packed(folder / f"pairs_{part}.tsv.gz", "".join(rows))


def sgd_published(folder):
    for name in sgd.URLS:
        part, file = name.split("/")
        rows = DIALOGUES[part] if file == "dialogues_001.json" else []
        (folder / part).mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps([_dialogue(*row) for row in rows]), encoding="utf-8")


def packed(path, text):
    Path(path).write_bytes(gzip.compress(text.encode("utf-8")))


def _tatoeba():
    return "".join(f"{english}\t{chinese}\tCC-BY 2.0 #{number}\n" for number, (english, chinese) in enumerate(TATOEBA))


def _dialogue(name, pairs):
    turns = [(speaker, text) for pair in pairs for speaker, text in zip(("USER", "SYSTEM"), pair, strict=True)]
    turns.append(("USER", "Bye."))
    return {"dialogue_id": name, "turns": [{"speaker": speaker, "utterance": text} for speaker, text in turns]}
