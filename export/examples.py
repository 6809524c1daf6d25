"""The test set of a run directory, as a model reads it and as it should answer.

generate   test.tsv: text, tab, target text
classify   test.tsv: text, tab, label; or test.npz: `images` uint8 (examples, height, width, channels), `labels`
tag        test.tsv: text, tab, a tag for each token with spaces between
"""

import csv
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export import errors


@dataclass(frozen=True)
class Task:
    """What a run is for, as its config.json has it.

    Attributes:
        name: str.
        kind: "generate", "classify" or "tag".
        limits: dict of `source`, and of a generator `target`, in tokens; {} for pictures.
        picture: dict of `height`, `width` and `channels`, or None for texts.
    """

    name: str
    kind: str
    limits: dict
    picture: dict | None = None

    @classmethod
    def of(cls, config):
        """The task of a config.json.

        Raises:
            ValueError: if something is missing or not as described.
        """
        task = config.get("task") if isinstance(config, dict) else None
        if not isinstance(task, dict) or not isinstance(task.get("name"), str):
            raise ValueError("config.json has no task with a name")
        kind, limits, picture = task.get("kind", "generate"), task.get("limits", {}), task.get("picture")
        if kind not in ("generate", "classify", "tag") or (picture is not None and kind != "classify"):
            raise ValueError(f"config.json has a task of kind {kind!r}; wanted generate, classify or tag")
        sides = () if picture else ("source", "target") if kind == "generate" else ("source",)
        sizes = [limits.get(side) for side in sides] if isinstance(limits, dict) else [None]
        if picture is not None and not isinstance(picture, dict):
            raise ValueError(f"config.json has picture {picture!r}; wanted height, width and channels")
        sizes += [picture.get(name) for name in ("height", "width", "channels")] if picture else []
        if not all(isinstance(size, int) and size > 0 for size in sizes):
            raise ValueError(f"config.json has limits {limits} and picture {picture}; wanted whole numbers above 0")
        return cls(task["name"], kind, limits, picture)

    @property
    def files(self):
        """Names of the files that a run directory has, beside model.keras, config.json and results.json."""
        if self.picture:
            return ("labels.json", "test.npz")
        answers = "target.tokenizer.json" if self.kind == "generate" else "labels.json"
        return ("source.tokenizer.json", answers, "test.tsv")


def read_labels(run):
    """The labels of a run, list of str.

    Raises:
        ExportError: if labels.json is not a list of them.
    """
    path = Path(run, "labels.json")
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise errors.ExportError(f"{path} is not JSON ({error}); train the run again") from None
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise errors.ExportError(f"{path} is not a list of labels; train the run again")
    return labels


def read_pairs(path):
    """The (text, target) pairs of a UTF-8 file with one tab-separated pair a line."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for number, row in enumerate(rows, 1):
        if len(row) != 2:
            raise errors.ExportError(f"{path}, line {number}: {len(row)} columns; wanted text, tab, target")
    return [tuple(row) for row in rows]


def read_texts(run, limit):
    """The pairs of test.tsv whose text the model can read.

    Args:
        run: path of the run directory.
        limit: int, the longest source in tokens.

    Returns:
        list of (text, target, source ids).

    Raises:
        ExportError: if there is none.
    """
    from keras_seq.data.tokenizer import Tokenizer

    source = Tokenizer.load(Path(run, "source.tokenizer.json"))
    pairs = read_pairs(Path(run, "test.tsv"))
    ids = source.encode_batch([text for text, _ in pairs])
    kept = [(*pair, own) for pair, own in zip(pairs, ids, strict=True) if 0 < len(own) <= limit]
    if not kept:
        raise errors.ExportError(f"{run}/test.tsv holds no example of 1 to {limit} source tokens")
    return kept


def read_pictures(run, picture):
    """The pictures of test.npz, uint8 `(examples, height, width, channels)`, and their labels, int `(examples,)`.

    Raises:
        ExportError: if they are of another size.
    """
    path = Path(run, "test.npz")
    try:
        with np.load(path, allow_pickle=False) as data:
            images, labels = data["images"], data["labels"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise errors.ExportError(f"{path} is not a test set ({error}); train the run again") from None
    wanted = tuple(picture[name] for name in ("height", "width", "channels"))
    if images.dtype != np.uint8 or images.shape[1:] != wanted or len(images) != len(labels) or not len(images):
        raise errors.ExportError(f"{path} holds {images.dtype} {list(images.shape)}, wanted uint8 {[None, *wanted]}")
    return images, labels


def calibration_inputs(run, task, count):
    """Inputs of `predict` to measure ranges on, without their labels: the last of the test set.

    Args:
        run: path of the run directory.
        task: `Task` of a classifier or tagger.
        count: int, how many at most.

    Returns:
        list of dicts of name -> array with a batch of one, padded to the limit.
    """
    from export import runtime

    if task.picture:
        images, _ = read_pictures(run, task.picture)
        return [{"image": image[None].astype("float32") / 255} for image in images[-count:]]
    found = []
    for _, _, ids in read_texts(run, task.limits["source"])[-count:]:
        padded, length = runtime.pad([ids], task.limits["source"])
        found.append({"ids": padded, "length": length})
    return found


def accuracy(best, targets):
    """Share of the labels, or of all tags, that are right.

    Args:
        best: list, of each example the place of the best label, or of each token's.
        targets: the same of what they should be.

    Returns:
        dict of `accuracy` and `examples`.
    """
    hits = np.concatenate([np.atleast_1d(np.asarray(own) == target) for own, target in zip(best, targets, strict=True)])
    return {"accuracy": float(hits.mean()), "examples": len(targets)}
