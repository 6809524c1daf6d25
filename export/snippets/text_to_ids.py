"""From text to ids without any library, where a vocabulary is characters: in words, in Python and in JavaScript."""

_PYTHON = """\
import json
import unicodedata

with open("manifest.json", encoding="utf-8") as file:
    ids = {character: place for place, character in enumerate(json.load(file)["characters"]["source"])}


def encode(text):
STEPS
    return [ids.get(character, 3) for character in text]
"""
_JAVASCRIPT = """\
const vocabulary = (await (await fetch("manifest.json")).json()).characters.source;
const places = new Map(vocabulary.map((character, place) => [character, place]));

export function encode(text) {
STEPS
  return Array.from(text, (character) => places.get(character) ?? 3);
}
"""
_SPACES = {"type": "Replace", "pattern": {"Regex": r"\p{White_Space}+"}, "content": " "}
# Unicode's White_Space; Python's own \\s has the separators U+001C to U+001F as well, JavaScript's trim U+FEFF.
WHITE_SPACE = r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
_RESERVED = {"type": "Replace", "pattern": {"Regex": "<(?=(?:pad|start|end|unknown)>)"}, "content": "‹"}
_STRIP = {"type": "Strip", "strip_left": True, "strip_right": True}


def steps(normalizer):
    """What a tokenizer.json does to a text first.

    Args:
        normalizer: dict, its "normalizer", or None.

    Returns:
        list of (in words, line of Python, line of JavaScript); the lines are None where the step is not one of
        `keras_seq.data.tokenizer`'s.
    """
    if normalizer and normalizer["type"] == "Sequence":
        return [step for one in normalizer["normalizers"] for step in steps(one)]
    return [_step(normalizer)] if normalizer else []


def _step(normalizer):
    kind = normalizer["type"]
    if kind in ("NFC", "NFKC"):
        python = f'text = unicodedata.normalize("{kind}", text)'
        return f"Unicode's {kind}", python, f'text = text.normalize("{kind}");'
    if kind == "Lowercase":
        return "lower case", "text = text.lower()", "text = text.toLowerCase();"
    if normalizer == _SPACES:
        javascript = r'text = text.replace(/\p{White_Space}+/gu, " ");'
        return "one space for each run of white space", 'text = re.sub(WHITE_SPACE, " ", text)', javascript
    if normalizer == _STRIP:
        python = 'text = re.sub(rf"^{WHITE_SPACE}|{WHITE_SPACE}\\Z", "", text)'
        javascript = r'text = text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");'
        return "no white space at either end", python, javascript
    if kind == "Replace" and "String" in normalizer["pattern"]:
        old, new = normalizer["pattern"]["String"], normalizer["content"]
        if old and not set(old + new) & set("\"'\\`\n"):
            python, javascript = f'text = text.replace("{old}", "{new}")', f'text = text.replaceAll("{old}", "{new}");'
            return f"`{new}` for `{old}`", python, javascript
    if normalizer == _RESERVED:
        python = 'text = re.sub("<(?=(?:pad|start|end|unknown)>)", "‹", text)'
        javascript = 'text = text.replace(/<(?=(?:pad|start|end|unknown)>)/g, "‹");'
        return "`‹` for the `<` of `<pad>`, `<start>`, `<end>` and `<unknown>`", python, javascript
    if kind == "Replace":
        return f"`{normalizer['content']}` for what matches `{normalizer['pattern']['Regex']}`", None, None
    return f"its step `{kind}`", None, None


def code(normalizer):
    """A function `encode` from text to ids, for a vocabulary of characters.

    Args:
        normalizer: dict, the "normalizer" of its tokenizer.json, or None.

    Returns:
        tuple of the code in Python and in JavaScript, a module; None where a step cannot be told.
    """
    found = steps(normalizer)
    if not all(python for _, python, _ in found):
        return None
    lines = (f"    {python}" for _, python, _ in found), (f"  {javascript}" for _, _, javascript in found)
    python = _PYTHON.replace("STEPS\n", "".join(f"{line}\n" for line in lines[0]))
    if "WHITE_SPACE" in python:
        python = python.replace("import json\n", "import json\nimport re\n")
        python = python.replace("\n\n\n", f'\nWHITE_SPACE = r"{WHITE_SPACE}"\n\n\n', 1)
    if "unicodedata." not in python:
        python = python.replace("import unicodedata\n", "")
    return python, _JAVASCRIPT.replace("STEPS\n", "".join(f"{line}\n" for line in lines[1]))
