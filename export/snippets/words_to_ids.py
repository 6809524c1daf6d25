"""From text to ids without any library, where tokens stand between spaces: in Python and in JavaScript."""

from export.snippets.text_to_ids import WHITE_SPACE, steps

_PYTHON = {
    "head": """\
import json
import re
import unicodedata

WHITE_SPACE = r"WHITE"
with open("VOCABULARY", encoding="utf-8") as file:
    ids = json.load(file)["model"]["vocab"]
""",
    "alphabet": """\
with open("manifest.json", encoding="utf-8") as file:
    alphabet = {letter: place for place, letter in enumerate(json.load(file)["characters"]["characters"])}
""",
    "normalise": """\


def normalise(text):
STEPS
    return text
""",
    "spell": """\


def spell(text):
STEPS
    return ([alphabet.get(letter, 3) for letter in text] + [0] * LETTERS)[:LETTERS]
""",
    "encode": """\


def encode(text):
    return [ids.get(token, 3) for token in normalise(text).split(" ")]
""",
    "encode and spell": """\


def encode(text):
    tokens = [ids.get(token, 3) for token in normalise(text).split(" ")]
    return tokens, [spell(piece) for piece in re.split(WHITE_SPACE, text) if piece]
""",
}
_JAVASCRIPT = {
    "head": """\
const vocabulary = await (await fetch("VOCABULARY")).json();
const ids = new Map(Object.entries(vocabulary.model.vocab));
""",
    "alphabet": """\
const { characters } = await (await fetch("manifest.json")).json();
const alphabet = new Map(characters.characters.map((letter, place) => [letter, place]));
""",
    "normalise": """\

function normalise(text) {
STEPS
  return text;
}
""",
    "spell": """\

function spell(text) {
STEPS
  const spelled = Array.from(text, (letter) => alphabet.get(letter) ?? 3);
  return [...spelled, ...Array(LETTERS).fill(0)].slice(0, LETTERS);
}
""",
    "encode": """\

export function encode(text) {
  return normalise(text).split(" ").map((token) => ids.get(token) ?? 3);
}
""",
    "encode and spell": """\

export function encode(text) {
  const tokens = normalise(text).split(" ").map((token) => ids.get(token) ?? 3);
  return [tokens, text.split(/\\p{White_Space}+/u).filter((piece) => piece).map(spell)];
}
""",
}


def code(vocabulary, normalizer, spelling=None, letters=None):
    """A function `encode` from a text to ids.

    Args:
        vocabulary: str, name of the tokens' tokenizer.json.
        normalizer: dict, its "normalizer".
        spelling: dict, that of the tokenizer.json of their characters; None where these are not read.
        letters: int, how many characters of a token are read.

    Returns:
        tuple of the code in Python and in JavaScript, a module; None where a step cannot be told. `encode` returns the
        ids, and with characters a pair of the ids and, for each token, those of its characters, padded with 0.
    """
    if not all(python for _, python, _ in (*steps(normalizer), *steps(spelling))):
        return None
    return tuple(
        "".join(_parts(language, place, indent, normalizer, spelling))
        .replace('WHITE"', f'{WHITE_SPACE}"')
        .replace("VOCABULARY", vocabulary)
        .replace("LETTERS", str(letters))
        for place, (language, indent) in enumerate(((_PYTHON, "    "), (_JAVASCRIPT, "  ")), 1)
    )


def _parts(language, place, indent, normalizer, spelling):
    def told(part, given):
        return language[part].replace("STEPS\n", "".join(f"{indent}{step[place]}\n" for step in steps(given)))

    if spelling is None:
        return [language["head"], told("normalise", normalizer), language["encode"]]
    functions = [told("normalise", normalizer), told("spell", spelling)]
    return [language["head"], language["alphabet"], *functions, language["encode and spell"]]
