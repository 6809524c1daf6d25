"""The data sets at the command line, and a look at a file of one's own.

    python -m keras_seq.data                            a table of the sets
    python -m keras_seq.data snips                      what is known of one, and its first examples
    python -m keras_seq.data snips --split test --head 3
    python -m keras_seq.data my.tsv --as labelled       which lines of a file can be used, and which not and why

It ends with exit status 1 where a set or a file cannot be had.
"""

import argparse
import sys
import warnings

from keras_seq.data.catalogue import info, load, names
from keras_seq.data.files import read_labelled, read_pairs, read_tagged

_READERS = {"pairs": read_pairs, "labelled": read_labelled, "tagged": read_tagged}


def main(arguments=None):
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m keras_seq.data", description="The data sets, and examples of one.")
    parser.add_argument("name", nargs="?", help="a data set, or with --as a file; none: a table of all")
    parser.add_argument("--split", default="train", help="its part, train if not given")
    parser.add_argument("--as", dest="kind", choices=_READERS, help="read a file of your own: what its lines are")
    parser.add_argument("--head", type=int, default=5, metavar="N", help="how many examples, 5 if not given")
    options = parser.parse_args(arguments)
    if options.name is None:
        print("\n".join(table()))
        return 0
    try:
        lines = file_page if options.kind else page
        print("\n".join(lines(options.name, options.kind or options.split, options.head)))
    except (OSError, ValueError, ImportError) as error:
        print(f"keras_seq.data: {error}", file=sys.stderr)
        return 1
    return 0


def table():
    """The sets as lines of a table: name, task, records in each part, licence.

    Returns:
        list of str.
    """
    rows = [("name", "task", "train", "validation", "test", "licence")]
    for name in names():
        known = info(name)
        counts = [str(known.counts[part]) for part in ("train", "validation", "test")]
        rows.append((name, known.task, *counts, known.licence))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def page(name, split, head):
    """What is known of a set, and its first examples.

    Args:
        name: str.
        split: str.
        head: int.

    Returns:
        list of str, lines.

    Raises:
        ValueError, OSError, ImportError: as `load`.
    """
    known, examples = info(name), load(name, split)
    counts = ", ".join(f"{part} {count}" for part, count in known.counts.items())
    about = [
        f"{known.name}: {known.description}",
        f"records: {known.record}; {counts}",
        f"licence: {known.licence}; {known.homepage}",
        known.citation,
        f"the first {min(head, len(examples))} of {len(examples)} in {split}:",
    ]
    return about + ["  " + _shown(example) for example in examples[:head]]


def file_page(path, kind, head):
    """What became of the lines of a user's file, and its first examples.

    Args:
        path: str.
        kind: str, "pairs", "labelled" or "tagged".
        head: int.

    Returns:
        list of str, lines.

    Raises:
        ValueError, OSError: as `read_pairs`, `read_labelled` and `read_tagged`.
    """
    with warnings.catch_warnings(action="ignore"):  # the report says it
        examples = _READERS[kind](path)
    return [str(examples.report), *("  " + _shown(example) for example in examples[:head])]


def _shown(example):
    return "  ".join(f"{key}={_value(value)}" for key, value in example.items())


def _value(value):
    if hasattr(value, "shape"):
        return f"{value.dtype}{value.shape}"
    return value if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    sys.exit(main())
