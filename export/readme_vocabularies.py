"""How a text becomes ids, for a bundle's README.md: with a library, and by hand where that can be told."""

import json
from pathlib import Path

from export.snippets import text_to_ids, words_to_ids

# How `keras_seq.data.tokenizer` cuts a text whose tokens are given.
_BETWEEN_SPACES = {"Regex": "[^ ]+"}


def vocabularies(manifest, folder):
    """The section on vocabularies.

    Args:
        manifest: dict.
        folder: path of the bundle, for what its tokenizer.json says of normalisation; None leaves that out.

    Returns:
        str, Markdown.
    """
    files, characters = manifest["vocabularies"], manifest.get("characters", {})
    written = f", `{files['target']}` for what is written" if "target" in files else ""
    written += f", `{files['characters']}` for the characters of a token" if "characters" in files else ""
    read = f"`{files['source']}` for what is read" if "source" in files else ""
    text = f"""{read}{written if read else written.removeprefix(", ")};
any implementation of the `tokenizers` format reads them, and they normalise the text too. Ids 0 to 3 are `<pad>`,
`<start>`, `<end>` and `<unknown>`; padding is on the right."""
    if characters:
        roles = " and ".join(f"`characters.{role}`" for role in characters)
        text += (
            "\n\nWithout any library: they are plain characters, which `manifest.json` lists as\n"
            f"{roles}, each at the place of its id."
        )
    tokens = None if folder is None or not read else _between_spaces(manifest, Path(folder))
    if tokens:
        return f"{text}\n\n{tokens}"
    if "source" not in characters or folder is None:
        return text
    normalizer, steps = _normalizer(Path(folder) / files["source"])
    text += " A text becomes ids so:\n\n" + (steps + "\n\nand then " if steps else "")
    text += "each code point is a token, whose id is its place in the list, 3 where it is not there."
    return text + _code(text_to_ids.code(normalizer))


def _code(code):
    """Python and JavaScript as Markdown; nothing where there is none."""
    if code is None:
        return ""
    return f"""

In Python and in JavaScript, both **run here**, by the exporter's tests:

```python
{code[0]}```

```js
{code[1]}```"""


def _normalizer(path):
    """That of a tokenizer.json, and its steps in words, a line each."""
    normalizer = json.loads(path.read_text(encoding="utf-8"))["normalizer"]
    steps = text_to_ids.steps(normalizer)
    return normalizer, "\n".join(f"{number}. {words}" for number, (words, *_) in enumerate(steps, 1))


def _between_spaces(manifest, folder):
    """How a text becomes ids whose tokens stand between spaces; None where they do not."""
    source = folder / manifest["vocabularies"]["source"]
    cutter = json.loads(source.read_text(encoding="utf-8")).get("pre_tokenizer") or {}
    if cutter.get("pattern") != _BETWEEN_SPACES:
        return None
    normalizer, steps = _normalizer(source)
    text = f"""A token is what stands between spaces. A text becomes ids so:

{steps}

and then it is split at the spaces; `model.vocab` in `{source.name}` has the id of each token, which is 3 where it is
not there."""
    if "characters" not in manifest["vocabularies"]:
        return text + _code(words_to_ids.code(source.name, normalizer))
    spelling = folder / manifest["vocabularies"]["characters"]
    spells, own_steps = _normalizer(spelling)
    letters = manifest["limits"]["characters"]
    text = f"""{text} The characters of a token are those of the piece of the text as it came, split at its white space,
after

{own_steps}

each code point with its place in `characters.characters`, 3 where it is not there; the first {letters} of them, 0
behind."""
    return text + _code(words_to_ids.code(source.name, normalizer, spells, letters))
