"""Texts to ids, and what is refused before a model sees it."""

import unicodedata

from .errors import MEND, BundleError, InputError, np, one_line, package

PAD, START, END, UNKNOWN = range(4)


def check_text(text, most_characters, limit):
    """Raises `InputError` for what is not a text of visible characters."""
    if not isinstance(text, str):
        raise InputError(f"this is of type {type(text).__name__}, wanted a str")
    if len(text) > most_characters:
        raise InputError(
            f"the text has more than {most_characters} characters, the model reads at most {limit} tokens; shorten it"
        )
    if "\0" in text:
        raise InputError(f"the text has NUL at character {text.index(chr(0)) + 1}; remove it")
    for position, character in enumerate(text, 1):
        if 0xDC80 <= ord(character) <= 0xDCFF:
            raise InputError(
                f"the text has the byte 0x{ord(character) - 0xDC00:02x}, which is not UTF-8 (or a lone surrogate), at "
                f"character {position}; save it as UTF-8"
            )
        if 0xD800 <= ord(character) <= 0xDFFF:
            raise InputError(
                f"the text has the lone surrogate U+{ord(character):04X} at character {position}; remove it"
            )
    if not is_visible(text):
        raise InputError("the text is empty, or only spaces; give text with visible characters")


def check_known(ids, pieces):
    """Raises `InputError` for a text of which half is unknown: ids, and the pieces that they stand for."""
    unknown = [piece for piece, token in zip(pieces, ids, strict=True) if token == UNKNOWN and is_visible(piece)]
    visible = sum(map(is_visible, pieces))
    if not unknown or 2 * len(unknown) < visible:
        return
    shown = ", ".join(repr(piece)[:20] for piece in dict.fromkeys(unknown[:20]))
    what, mend = "words", "give text like that which it was trained on"
    if max(map(len, unknown)) <= 2:  # a letter with its accent may be two
        what, mend = "characters", "give text in a script that it was trained on"
    raise InputError(f"{len(unknown)} of {visible} visible {what} are unknown to the model ({shown[:100]}); {mend}")


def is_visible(text):
    """Whether anything of the text is neither space nor a control or formatting sign."""
    return any(unicodedata.category(character) not in ("Zs", "Zl", "Zp", "Cc", "Cf") for character in text)


def read_tokenizer(folder, name):
    """The tokenizer of a bundle's file."""
    tokenizers = package("tokenizers", "tokenizers")
    try:
        tokenizer = tokenizers.Tokenizer.from_str((folder / name).read_text(encoding="utf-8"))
    except Exception as error:  # the package raises bare Exception for whatever it cannot read
        raise BundleError(f"{folder / name} is not a tokenizer.json ({one_line(error)}); {MEND}") from error
    special = [tokenizer.id_to_token(token) for token in range(UNKNOWN + 1)]
    if special != ["<pad>", "<start>", "<end>", "<unknown>"]:
        raise BundleError(f"{folder / name} begins with {special}, wanted <pad>, <start>, <end>, <unknown>; {MEND}")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def pad(rows, width=None):
    """Lists of ids as one array.

    Args:
        rows: sequence of sequences of int.
        width: int, None takes the longest row's length.

    Returns:
        int32 `(len(rows), width)` with 0 on the right, and int32 `(len(rows),)` with the lengths.
    """
    length = np.asarray([len(row) for row in rows], "int32")
    padded = np.zeros((len(rows), width or int(length.max())), "int32")
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return padded, length


def pad_characters(rows, width, letters):
    """The character ids of each token of some texts as one array.

    Args:
        rows: sequence of texts, each a sequence of tokens, each a sequence of int.
        width: int, tokens.
        letters: int, characters of a token; more are cut.

    Returns:
        int32 `(len(rows), width, letters)` with 0 on the right.
    """
    padded = np.zeros((len(rows), width, letters), "int32")
    for index, row in enumerate(rows):
        for place, token in enumerate(row):
            padded[index, place, : len(token)] = token[:letters]
    return padded
