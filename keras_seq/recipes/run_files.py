"""The files that every recipe leaves in a run directory beside those of `keras_seq.training.fit`, written whole."""

import csv
import json
from pathlib import Path

from keras_seq.training.run_directory import read_rows
from keras_seq.whole_file import whole_file


def write_json(path, content):
    """Writes anything JSON can hold, as `labels.json` and `results.json` are."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_tsv(path, rows):
    """Writes rows of str with tabs between and nothing quoted, as `test.tsv` is and the exporter reads it.

    Raises:
        csv.Error: if a field holds a tab or a line break.
    """
    with whole_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n").writerows(rows)


def seconds_of(run_dir):
    """Seconds that all epochs of a run took, by whichever start, to a tenth."""
    return round(sum(row["seconds"] for row in read_rows(Path(run_dir, "seconds.csv"))), 1)
