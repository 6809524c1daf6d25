"""The files of a run that people and tools read: config.json, metrics.csv, seconds.csv, logs/.

The rows of metrics.csv and of logs/ are kept in each checkpoint too. On resuming they are written anew from there, so
that a kill between two writes neither doubles nor loses a row.
"""

import csv
import dataclasses
import json
import math
import shutil
from pathlib import Path

import tensorflow as tf

from keras_seq.whole_file import remove_unfinished, whole_file


class OtherRunError(ValueError):
    """A run directory belongs to another run."""


def prepare(run_dir, config, settings, fresh):
    """Makes the directory, or checks that the one that is there belongs to the same run.

    Args:
        run_dir: path.
        config: dict or dataclass that JSON can hold, written to config.json.
        settings: dict, written beside it under "fit".
        fresh: bool, remove what an earlier run has written.

    Raises:
        OtherRunError: if config.json differs from `config`.
        ValueError: if config.json is not readable, or `config` is not JSON.
    """
    try:
        config = dict(dataclasses.asdict(config) if dataclasses.is_dataclass(config) else config)
        wanted = json.loads(json.dumps({**config, "fit": settings}, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"config cannot be written as JSON ({error}); give numbers, strings, lists and dicts"
        ) from error
    if "fit" in config:
        raise ValueError("config has a key 'fit', which is kept for the arguments of fit; give it another name")
    path = run_dir / "config.json"
    if fresh:
        for name in ("checkpoints", "logs"):
            shutil.rmtree(run_dir / name, ignore_errors=True)
        for name in ("model.keras", "metrics.csv", "seconds.csv", "config.json"):
            (run_dir / name).unlink(missing_ok=True)
    if path.exists():
        _refuse_difference(path, wanted)
    elif any((run_dir / "checkpoints").glob("*.npz")):
        raise ValueError(f"{run_dir} has checkpoints and no config.json; use another run directory or fresh=True")
    (run_dir / "checkpoints").mkdir(parents=True, exist_ok=True)
    for folder in (run_dir, run_dir / "checkpoints"):
        remove_unfinished(folder)
    if not path.exists():
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(wanted, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _refuse_difference(path, wanted):
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not readable ({error}); use another run directory or fresh=True") from error
    there, wanted = dict(_leaves(there)), dict(_leaves(wanted))
    differing = [key for key in {**there, **wanted} if there.get(key, "absent") != wanted.get(key, "absent")]
    if differing:
        shown = ", ".join(
            f"{key} is {there.get(key, 'absent')!r} there and {wanted.get(key, 'absent')!r} here"
            for key in differing[:3]
        )
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        raise OtherRunError(f"{path} is of another run: {shown}{more}; use another run directory or fresh=True")


def _leaves(value, key=""):
    if isinstance(value, dict) and (value or not key):
        for name, item in value.items():
            yield from _leaves(item, f"{key}.{name}" if key else name)
    else:
        yield key, value


def write_rows(path, rows):
    """Writes rows as CSV with a header, whole; floats so that reading gives the same bits.

    Args:
        path: path.
        rows: list of dicts with the same keys.
    """
    with whole_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(file, names, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(path):
    """Reads what `write_rows` has written.

    Args:
        path: path.

    Returns:
        list of dicts: "epoch" int, the rest float.
    """
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {name: int(text) if name == "epoch" else float(text) for name, text in row.items() if text}
            for row in csv.DictReader(file)
        ]


class EventLog:
    """Scalars for TensorBoard under logs/train and logs/validation, written without the tensorboard package.

    Args:
        folder: path; events of an earlier process are replaced.
        rows: list of dicts, rows that are there already.
    """

    def __init__(self, folder, rows):
        self._writers = {}
        self._folder = Path(folder)
        for events in self._folder.glob("*/events.out.tfevents.*"):
            events.unlink()
        for row in rows:
            self.write(row)

    def write(self, row):
        """Appends one epoch's numbers."""
        plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
        metadata = tf.compat.v1.SummaryMetadata(plugin_data=plugin)
        for name, value in row.items():
            if name == "epoch" or not math.isfinite(value):
                continue
            part = "validation" if name.startswith("val_") else "train"
            if part not in self._writers:
                self._writers[part] = tf.summary.create_file_writer(str(self._folder / part))
            with self._writers[part].as_default():
                tf.summary.write(name.removeprefix("val_"), tf.constant(value), step=row["epoch"], metadata=metadata)
        for writer in self._writers.values():
            writer.flush()

    def close(self):
        """Closes the files."""
        for writer in self._writers.values():
            writer.close()
