"""Bytes of a text file -> lines, or an error that names the line, the byte and what the encoding may be."""

import codecs
import gzip
import zlib
from pathlib import Path

_GZIP = b"\x1f\x8b"
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_lines(path, encoding=None):
    """The lines of a text file, without their ends; gzip's files are unpacked.

    Args:
        path: str or path.
        encoding: str; None for UTF-8, or what a byte order mark says.

    Returns:
        list of str. Only newlines end a line (`\\n` or `\\r\\n`), not the other characters that Unicode would let.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is not in that encoding, or not in gzip's format though its name ends so.
    """
    path = Path(path)
    content = _content(path)
    encoding = encoding or next((name for bom, name in _BOMS.items() if content.startswith(bom)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(_what_is_wrong(path, content, error)) from error
    except LookupError as error:
        raise ValueError(f"encoding={encoding!r} is unknown; give one that Python knows, as 'latin-1'") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(f"{path}, line {line} holds a zero character; is it UTF-16, or no text? Convert it to UTF-8")
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if not lines[-1] else lines)]


def _content(path):
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not a file; give the path of a text file")
    content = path.read_bytes()
    if path.suffix != ".gz" and not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a whole gzip file ({error}); pack it again, or drop the .gz") from error


def _what_is_wrong(path, content, error):
    line = content.count(b"\n", 0, error.start) + 1
    begin = content.rfind(b"\n", 0, error.start) + 1
    end = content.find(b"\n", error.start)
    bad = content[begin : end if end >= 0 else len(content)]
    message = (
        f"{path}, line {line}, byte {error.start - begin + 1} (0x{content[error.start]:02x}) is not "
        f"{error.encoding.upper()}"
    )
    guess = _guess(content)
    if not guess or guess == error.encoding:
        return message + "; convert the file to UTF-8"
    text = bad.decode(guess, "replace").strip()
    return (
        f"{message}; it may be {guess} (the line would read {text[:60]!r}): pass encoding={guess!r}, or convert it: "
        f"iconv -f {guess} -t utf-8"
    )


def _guess(content):
    """A guess, for the error message alone: UTF-16 by its zeros, Chinese by what it decodes to, else a western one."""
    if content[:4000].count(0) > len(content[:4000]) // 5:
        return "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    high = sum(byte > 127 for byte in content)
    for encoding in ("gb18030", "big5"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        common = sum("\u4e00" <= character <= "\u9fff" or "\u3000" <= character <= "\u303f" for character in text)
        if 2 * common > 0.8 * high and high > 0.2 * len(content.replace(b"\n", b"")):
            return encoding
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"
