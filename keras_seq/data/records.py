"""Examples as a list of dicts, with a report of what was left out on the way and why.

What is unusable is counted and reported, or refused; it never goes in silence: whoever leaves something out of a
`Records` adds it to the report, and says it in a warning.
"""

import itertools
import warnings
from dataclasses import dataclass, field

_SHOWN = 3


@dataclass
class Report:
    """What became of the lines of a file.

    Attributes:
        origin: str, the file or files.
        lines: int, how many came.
        kept: int, how many became examples.
        left_out: dict of reason -> list of the places (line numbers from 1) left out for it.

    Example:
        >>> print(Report("my.tsv", lines=5, kept=3, left_out={"empty": [2, 4]}))
        my.tsv: 3 of 5 lines kept; left out: 2 empty (lines 2, 4)
    """

    origin: str
    lines: int = 0
    kept: int = 0
    left_out: dict = field(default_factory=dict)

    def __str__(self):
        text = f"{self.origin}: {self.kept} of {self.lines} lines kept"
        reasons = [f"{len(places)} {reason} ({_lines(places)})" for reason, places in self.left_out.items()]
        return text + ("; left out: " + ", ".join(reasons) if reasons else "")


class Records(list):
    """A list of dicts, one an example, that knows where they came from.

    Attributes:
        report: `Report`.
        places: list of int, the line number of each record.
    """

    def __init__(self, records, places, report):
        super().__init__(records)
        self.places = list(places)
        self.report = report

    def keep(self, usable, reason):
        """The records that are usable; the others go into the report and a warning.

        Args:
            usable: sequence of bool, one a record.
            reason: str, why the others are not: "longer than 64 characters".

        Returns:
            `Records`.

        Raises:
            ValueError: if none is left.
        """
        places = [place for place, good in zip(self.places, usable, strict=True) if not good]
        left_out = {**self.report.left_out, **({reason: places} if places else {})}
        report = Report(self.report.origin, self.report.lines, len(self) - len(places), left_out)
        if not report.kept:
            raise ValueError(f"no example is left. {report}; give more or other data")
        if places:
            warnings.warn(str(report), stacklevel=3)
        return Records(itertools.compress(self, usable), itertools.compress(self.places, usable), report)


def records(examples, origin="examples"):
    """Any list of dicts as `Records`: their places are their numbers from 1.

    Args:
        examples: iterable of dict.
        origin: str, what the report calls them.

    Returns:
        `Records`; `examples` themselves if they are `Records` already.
    """
    if isinstance(examples, Records):
        return examples
    examples = list(examples)
    return Records(examples, range(1, len(examples) + 1), Report(origin, len(examples), len(examples)))


def only_known(examples, known, key="label", unseen="refuse"):
    """Examples whose labels the training data has.

    Args:
        examples: list of dict, or `Records`.
        known: collection of str, the labels (or tags) of the training data.
        key: str, which field: a str, as "label", or a list of str, as "tags".
        unseen: "refuse" examples with other labels, or "drop" and report them.

    Returns:
        `Records`.

    Raises:
        ValueError: if there are such and they are refused, or none is left, or `unseen` is unknown.

    Example:
        >>> rows = [{"text": "hi", "label": "greet"}, {"text": "bye", "label": "greet"}]
        >>> print(len(only_known(rows, {"greet", "time"})))
        2
    """
    examples, known = records(examples), set(known)
    _check_choice("unseen", unseen)
    found = [{row[key]} if isinstance(row[key], str) else set(row[key]) for row in examples]
    strange = sorted(set().union(*found) - known)
    if strange and unseen == "refuse":
        first = next(place for place, labels in zip(examples.places, found, strict=True) if labels - known)
        raise ValueError(
            f"{examples.report.origin} has {len(strange)} values of {key!r} that training has not: {_some(strange)}, "
            f"the first in line {first}; training knows {_some(sorted(known))}. Add examples of them to the training "
            "data, correct them, or pass unseen='drop'"
        )
    return examples.keep([labels <= known for labels in found], f"with a {key} that training has not")


def at_most(examples, limit, key="text", length=len, unit=None, too_long="drop"):
    """Examples that are not longer than the limit: they are left out whole, never cut.

    Args:
        examples: list of dict, or `Records`.
        limit: int.
        key: str, the field that is measured.
        length: function of the field, as `len` (of a str its characters, of a list its items), or
            `lambda text: len(tokenizer.encode(text))`.
        unit: str, what `length` counts, for the report; None for "characters" or "tokens".
        too_long: "drop" and report longer ones, or "refuse" them.

    Returns:
        `Records`.

    Raises:
        ValueError: if longer ones are refused, or none is left, or `too_long` is unknown.

    Example:
        >>> print(at_most([{"text": "short"}], 10))
        [{'text': 'short'}]
    """
    examples = records(examples)
    _check_choice("too_long", too_long)
    lengths = [length(row[key]) for row in examples]
    unit = unit or ("characters" if examples and isinstance(examples[0][key], str) else "tokens")
    longer = [place for place, size in zip(examples.places, lengths, strict=True) if size > limit]
    if longer and too_long == "refuse":
        raise ValueError(
            f"{examples.report.origin}: {len(longer)} {key}s have more than {limit} {unit} ({_lines(longer)}), the "
            f"longest {max(lengths)}; raise the limit, shorten them, or pass too_long='drop'"
        )
    return examples.keep([size <= limit for size in lengths], f"with a {key} longer than {limit} {unit}")


def _check_choice(name, value):
    if value not in ("refuse", "drop"):
        raise ValueError(f"{name}={value!r} is unknown; choose 'refuse' or 'drop'")


def _some(names):
    return ", ".join(map(repr, names[:_SHOWN])) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _lines(places):
    shown = ", ".join(map(str, places[:_SHOWN])) + (", ..." if len(places) > _SHOWN else "")
    return f"line{'s' if len(places) > 1 else ''} {shown}"
