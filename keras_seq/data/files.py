"""Users' own data: TSV and JSON Lines files of pairs, labels and tags -> the records that the data sets give.

    what      TSV columns                 JSON Lines keys                 record
    pairs     source, target              "source", "target"              {"source", "target"}
    labelled  text, label                 "text", "label"                 {"text", "label"}
    tagged    tokens, tags (and a label)  "tokens", "tags" (and "label")  {"tokens", "tags" (, "label")}

The suffix says which: `.tsv` or `.txt`, `.jsonl`; `.gz` may follow. In TSV, tokens and tags are separated by spaces; in
JSON they are lists, or such strings. A first line of a TSV file that holds the columns' names is skipped, further
columns and keys are not read. White space in a text, tabs and newlines of JSON too, becomes single spaces.

Lines that are empty or not of that form are left out, counted in `report` and said in a warning; a file most of whose
lines are not of that form is refused.
"""

import json
import warnings
from pathlib import Path

from keras_seq.data.encodings import read_lines
from keras_seq.data.records import Records, Report

_EMPTY = "empty"
_TSV, _JSON = (".tsv", ".txt"), (".jsonl",)


def read_pairs(path, target_path=None, *, encoding=None):
    """Sentence pairs from one file, or from two with a sentence a line.

    Args:
        path: str or path of a TSV or JSON Lines file; with `target_path`, of the sources, one a line.
        target_path: str or path of the targets, as many lines.
        encoding: str; None for UTF-8, or what a byte order mark says.

    Returns:
        `Records` of `{"source": str, "target": str}`.

    Raises:
        FileNotFoundError: if a file is not there.
        ValueError: if the suffix, the encoding or most lines are wrong, no example is left, or the two files have
            different numbers of lines.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "my.tsv")
        >>> _ = path.write_text("a dog\\tein Hund\\na cat\\teine Katze\\n")
        >>> print(read_pairs(path)[1])
        {'source': 'a cat', 'target': 'eine Katze'}
    """
    if target_path is None:
        return _said(_read(path, ("source", "target"), _texts, encoding))
    sides = _same_length(*(_numbered(side, encoding) for side in (path, target_path)))
    rows = [dict(zip(("source", "target"), texts, strict=True)) for texts in zip(*sides, strict=True)]
    return _said(_collect(f"{path}, {target_path}", enumerate(rows, 1), _texts, "a sentence in each file"))


def read_labelled(path, *, encoding=None):
    """Texts with one label each.

    Args:
        path: str or path of a TSV or JSON Lines file.
        encoding: str; None for UTF-8, or what a byte order mark says.

    Returns:
        `Records` of `{"text": str, "label": str}`.

    Raises:
        FileNotFoundError, ValueError: as `read_pairs`.
    """
    return _said(_read(path, ("text", "label"), _texts, encoding))


def read_tagged(path, *, encoding=None):
    """Sentences with one tag a token, and maybe a label for the sentence.

    Args:
        path: str or path of a TSV or JSON Lines file.
        encoding: str; None for UTF-8, or what a byte order mark says.

    Returns:
        `Records` of `{"tokens": list of str, "tags": list of str}`, with "label" (str) if the lines have one: all or
        none.

    Raises:
        FileNotFoundError, ValueError: as `read_pairs`; also if some lines have a label and some have not.
    """
    records = _read(path, ("tokens", "tags", "label"), _tagged, encoding, optional=1)
    with_label = [place for place, row in zip(records.places, records, strict=True) if "label" in row]
    if with_label and len(with_label) < len(records):
        without = next(place for place, row in zip(records.places, records, strict=True) if "label" not in row)
        raise ValueError(
            f"{path}: {len(with_label)} of {len(records)} lines have a label for the sentence (line {with_label[0]}), "
            f"line {without} has none; give every line one, or none"
        )
    return _said(records)


def _read(path, names, check, encoding, optional=0):
    suffix = "".join(Path(path).suffixes[-2:]) if Path(path).suffix == ".gz" else Path(path).suffix
    suffix = suffix.removesuffix(".gz")
    if suffix not in _TSV + _JSON:
        raise ValueError(
            f"{path} ends in {suffix!r}; wanted .tsv (columns {', '.join(names)}) or .jsonl (keys of these names), "
            "and .gz after it if it is packed"
        )
    lines = list(enumerate(read_lines(path, encoding), 1))
    required = len(names) - optional
    wanted = " and ".join(names[:required])
    if suffix in _JSON:
        return _collect(path, ((place, _keys(line, names)) for place, line in lines), check, f"JSON with {wanted}")
    header = "\t".join(names[:required])
    if lines and lines[0][1].strip().startswith(header):
        del lines[0]
    rows = ((place, _columns(line, names)) for place, line in lines)
    return _collect(path, rows, check, f"{wanted} with a tab between them")


def _columns(line, names):
    return dict(zip(names, line.split("\t"), strict=False)) if line.strip() else _EMPTY


def _keys(line, names):
    if not line.strip():
        return _EMPTY
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return "not JSON"
    return {name: row[name] for name in names if name in row} if isinstance(row, dict) else "not a JSON object"


def _texts(row):
    """The row with its texts stripped, or why it is no example."""
    if len(row) < 2:
        return "without both columns"
    texts = {name: " ".join(text.split()) for name, text in row.items() if _is_text(text)}
    if len(texts) < len(row):
        return "with a value that is not text"
    return texts if all(texts.values()) else _empty_fields(texts)


def _tagged(row):
    if not {"tokens", "tags"} <= set(row):
        return "without both columns"
    lists = {name: row[name].split() if isinstance(row[name], str) else row[name] for name in ("tokens", "tags")}
    if not all(isinstance(items, list) and all(map(_is_token, items)) for items in lists.values()):
        return "with a value that is not text"
    if not lists["tokens"]:
        return "with empty tokens"
    if len(lists["tokens"]) != len(lists["tags"]):
        return "with another number of tags than tokens"
    label = row.get("label")
    if label is not None and not (_is_text(label) and label.strip()):
        return "with a label that is not text"
    return lists | ({"label": " ".join(label.split())} if label else {})


def _is_text(value):
    """Whether it can be written as UTF-8: JSON lets halves of a character pass."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_token(value):
    return _is_text(value) and len(value.split()) == 1


def _empty_fields(texts):
    empty = [name for name, text in texts.items() if not text]
    return _EMPTY if len(empty) == len(texts) else f"with an empty {empty[0]}"


def _collect(origin, rows, check, wanted):
    """`Records` of the rows that are of the form; a row is a dict, or the reason why it is none."""
    kept, places, report = [], [], Report(str(origin))
    for place, row in rows:
        report.lines += 1
        row = row if isinstance(row, str) else check(row)
        if isinstance(row, str):
            report.left_out.setdefault(row, []).append(place)
        else:
            kept.append(row)
            places.append(place)
    report.kept = len(kept)
    wrong = sum(len(places) for reason, places in report.left_out.items() if not reason.endswith(_EMPTY))
    if not kept or wrong > len(kept):
        raise ValueError(f"{report}; wanted {wanted} in each line: is it a file of another kind?")
    return Records(kept, places, report)


def _said(records):
    """The records, after a warning if lines were left out."""
    if records.report.left_out:
        warnings.warn(str(records.report), stacklevel=3)
    return records


def _numbered(path, encoding):
    return path, read_lines(path, encoding)


def _same_length(source, target):
    """The lines of both, of equal number; empty lines at the end of the longer one do not count."""
    (source_path, sources), (target_path, targets) = source, target
    shorter = min(len(sources), len(targets))
    if any(line.strip() for line in sources[shorter:] + targets[shorter:]):
        raise ValueError(
            f"{source_path} has {len(sources)} lines and {target_path} {len(targets)}, but line for line they are "
            f"pairs; find the first pair that does not fit (a sentence broken in two, or missing) and mend the file"
        )
    return sources[:shorter], targets[:shorter]
