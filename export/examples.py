"""The test set of a run directory, as a model reads it and as it should answer.

generate   test.tsv: text, tab, target text; of audio and pictures test.npz, see `export.generator_examples`
classify   test.tsv: text, tab, label; or test.npz: `images` uint8 (examples, height, width, channels), `labels`
tag        test.tsv: text, tab, a tag for each token with spaces between; and where each sentence has a label too, tab,
           that label, one of sentence_labels.json

Where the model reads characters beside the ids, each token of a text is spelled by characters.tokenizer.json.

A file may be sorted, by length or by label, and of a large one not every example is proven or searched by beams: what
is taken of it is drawn, the same each time.
"""

import csv
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export import errors, runtime
from export.generator_scores import DEFAULT, SCORES

# Of so many examples every one is proven and searched by beams: they stay in the file's order.
ALL_TAKEN = 200


@dataclass(frozen=True)
class Task:
    """What a run is for, as its config.json has it.

    Attributes:
        name: str.
        kind: "generate", "classify" or "tag".
        limits: dict of `source`, in tokens, of audio in samples, and of a generator `target`, in tokens, and where the
            model reads characters beside the ids of `characters`, how many of each token; of pictures without `source`.
        picture: dict of `height`, `width` and `channels`, and of `ground`, "dark", where the model was trained on light
            things on a dark ground, so that files of the other kind are inverted; or None where it reads none.
        sentence_labels: bool, whether a tagger gives the sentence a label too.
        score: str, what a generator is scored by, one of `export.generator_scores.SCORES`.
        audio: dict of `rate`, samples a second, and `channels`, which is 1, and whatever else of the front end a reader
            should know; or None where it reads none.
    """

    name: str
    kind: str
    limits: dict
    picture: dict | None = None
    sentence_labels: bool = False
    score: str = DEFAULT
    audio: dict | None = None

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
        if kind not in ("generate", "classify", "tag") or (picture is not None and kind == "tag"):
            raise ValueError(f"config.json has a task of kind {kind!r}; wanted generate, classify or tag")
        sides = () if picture else ("source",)
        sides += ("target",) if kind == "generate" else ()
        sizes = [limits.get(side) for side in sides] if isinstance(limits, dict) else [None]
        _check_picture(picture)
        audio = _audio(task.get("audio"), kind, picture)
        sizes += [picture.get(name) for name in ("height", "width", "channels")] if picture else []
        if not all(isinstance(size, int) and size > 0 for size in sizes):
            raise ValueError(f"config.json has limits {limits} and picture {picture}; wanted whole numbers above 0")
        if task.get("characters") is not None:
            limits = {**limits, "characters": _width(task["characters"], kind, picture)}
        sentence_labels = task.get("sentence_labels", False)
        if not isinstance(sentence_labels, bool) or (sentence_labels and kind != "tag"):
            raise ValueError(
                f"config.json has sentence_labels {sentence_labels!r} in a task of kind {kind!r}; wanted tag"
            )
        return cls(task["name"], kind, limits, picture, sentence_labels, _score(task, kind), audio)

    @property
    def files(self):
        """Names of the files that a run directory has, beside model.keras, config.json and results.json."""
        answers = ("target.tokenizer.json",) if self.kind == "generate" else ("labels.json",)
        if self.picture or self.audio:
            return (*answers, "test.npz")
        spelling = ("characters.tokenizer.json",) if "characters" in self.limits else ()
        sentence_labels = ("sentence_labels.json",) if self.sentence_labels else ()
        return ("source.tokenizer.json", *spelling, *answers, *sentence_labels, "test.tsv")


def _check_picture(picture):
    if picture is None:
        return
    if not isinstance(picture, dict):
        raise ValueError(f"config.json has picture {picture!r}; wanted height, width and channels")
    if picture.get("ground") is not None and (picture["ground"] != "dark" or picture.get("channels") not in (1, 3)):
        raise ValueError(f"config.json has picture {picture!r}; wanted ground 'dark' with 1 or 3 channels, or none")


def _audio(audio, kind, picture):
    if audio is None:
        return None
    if kind != "generate" or picture is not None:
        raise ValueError(f"config.json has audio in a task of kind {kind!r}; it is for generate alone, without picture")
    wanted = {"rate": range(1, 2**20), "channels": (1,)}
    if not isinstance(audio, dict) or not all(audio.get(name) in known for name, known in wanted.items()):
        raise ValueError(f"config.json has audio {audio!r}; wanted a rate, in samples a second, and channels 1")
    return audio


def _score(task, kind):
    score = task.get("score", DEFAULT)
    if "score" in task and kind != "generate":
        raise ValueError(f"config.json has score {score!r} in a task of kind {kind!r}; it is for generate alone")
    if score not in tuple(SCORES):  # a list has no hash
        raise ValueError(f"config.json has score {score!r}; choose from {', '.join(SCORES)}")
    return score


def _width(characters, kind, picture):
    width = characters.get("width") if isinstance(characters, dict) else None
    if type(width) is not int or width < 1 or kind == "generate" or picture is not None:
        raise ValueError(
            f"config.json has characters {characters!r} in a task of kind {kind!r}; wanted a width above 0, in "
            "one that reads texts and labels them"
        )
    return width


def read_labels(run, name="labels.json"):
    """The labels of a run, list of str.

    Raises:
        ExportError: if the file is not a list of them.
    """
    path = Path(run, name)
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise errors.ExportError(f"{path} is not JSON ({error}); train the run again") from None
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise errors.ExportError(f"{path} is not a list of labels; train the run again")
    return labels


def read_rows(path, columns=2):
    """The rows of a UTF-8 file of tab-separated values, a tuple of str for each line.

    Raises:
        ExportError: at the first line that has not so many columns.
    """
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for number, row in enumerate(rows, 1):
        if len(row) != columns:
            wanted = ", tab, ".join(("text", "target", "label")[:columns])
            raise errors.ExportError(f"{path}, line {number}: {len(row)} columns; wanted {wanted}")
    return [tuple(row) for row in rows]


@dataclass(frozen=True)
class Texts:
    """The examples of test.tsv that the model can read, each attribute a list with an entry for each.

    Attributes:
        text: str.
        target: str, what should be answered: a text, a label, or the tags with spaces between.
        source_ids: list of int.
        character_ids: for each token a list of int, as many as the model reads of it at most; None where it reads none.
        label: str, the sentence's; None where there are none.
    """

    text: list
    target: list
    source_ids: list
    character_ids: list | None = None
    label: list | None = None


def read_texts(run, limits, sentence_labels=False):
    """The examples of test.tsv whose text the model can read, in a drawn order where there are many.

    Args:
        run: path of the run directory.
        limits, sentence_labels: see `Task`.

    Returns:
        `Texts`.

    Raises:
        ExportError: if there is none, or a line is not as described.
    """
    from keras_seq.data.tokenizer import Tokenizer

    source = Tokenizer.load(Path(run, "source.tokenizer.json"))
    rows = read_rows(Path(run, "test.tsv"), 3 if sentence_labels else 2)
    ids = source.encode_batch([row[0] for row in rows])
    kept = [(*row, own) for row, own in zip(rows, ids, strict=True) if 0 < len(own) <= limits["source"]]
    if not kept:
        raise errors.ExportError(f"{run}/test.tsv holds no example of 1 to {limits['source']} source tokens")
    kept = [kept[place] for place in drawn_order(len(kept))]
    text, target, *label, source_ids = map(list, zip(*kept, strict=True))
    spelled = None
    if "characters" in limits:
        characters = Tokenizer.load(Path(run, "characters.tokenizer.json"))
        spelled = [
            [characters.encode(one[begin:end])[: limits["characters"]] for begin, end in source.offsets(one)]
            for one in text
        ]
    return Texts(text, target, source_ids, spelled, label[0] if label else None)


def read_arrays(run, *names):
    """Arrays of test.npz by name, a list.

    They come in a drawn order where there are many.

    Raises:
        ExportError: if the file is none, or lacks one.
    """
    path = Path(run, "test.npz")
    try:
        with np.load(path, allow_pickle=False) as data:
            return [data[name] for name in names]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise errors.ExportError(f"{path} is not a test set ({error}); train the run again") from None


def read_pictures(run, picture, answers="labels"):
    """The pictures of test.npz, uint8 `(examples, height, width, channels)`, and what should be answered to them.

    Args:
        run: path of the run directory.
        picture: see `Task`.
        answers: name of the array that has an entry for each, such as the labels int `(examples,)`.

    Raises:
        ExportError: if they are of another size, or not as many.
    """
    path, (images, labels) = Path(run, "test.npz"), read_arrays(run, "images", answers)
    wanted = tuple(picture[name] for name in ("height", "width", "channels"))
    if images.dtype != np.uint8 or images.shape[1:] != wanted or len(images) != len(labels) or not len(images):
        raise errors.ExportError(f"{path} holds {images.dtype} {list(images.shape)}, wanted uint8 {[None, *wanted]}")
    order = drawn_order(len(images))
    return images[order], labels[order]


def drawn_order(count):
    """Places of test examples in the order in which they are taken."""
    return np.random.default_rng(0).permutation(count) if count > ALL_TAKEN else np.arange(count)


def calibration_inputs(run, task, count):
    """Inputs of `predict` to measure ranges on, without their labels: the last of the test set in its drawn order.

    Args:
        run: path of the run directory.
        task: `Task` of a classifier or tagger.
        count: int, how many at most.

    Returns:
        list of dicts of name -> array with a batch of one, padded to the limit.
    """
    if task.picture:
        images, _ = read_pictures(run, task.picture)
        return [{"image": image[None].astype("float32") / 255} for image in images[-count:]]
    texts, limits = read_texts(run, task.limits, task.sentence_labels), task.limits
    last = range(max(len(texts.text) - count, 0), len(texts.text))
    return [
        padded(
            [texts.source_ids[number]],
            None if texts.character_ids is None else [texts.character_ids[number]],
            limits,
            limits["source"],
        )
        for number in last
    ]


def padded(source_ids, character_ids, limits, width=None):
    """Inputs of `predict` for some texts.

    Args:
        source_ids: list of lists of int.
        character_ids: for each of them the character ids of each token, or None.
        limits: see `Task`.
        width: int, the length that the texts are padded to; None takes the longest.

    Returns:
        dict of `ids` int32 `(batch, time)`, where there are some `characters` int32 `(batch, time, width)`, and
        `length` int32 `(batch,)`, as the traced function of `export.signatures` has its arguments.
    """
    ids, length = runtime.pad(source_ids, width)
    if character_ids is None:
        return {"ids": ids, "length": length}
    characters = runtime.pad_characters(character_ids, ids.shape[1], limits["characters"])
    return {"ids": ids, "characters": characters, "length": length}


# Of each output of `predict`: name of its score, and what the reference has as the right answers.
HEADS = {"probabilities": ("accuracy", "target_ids"), "label_probabilities": ("label_accuracy", "label_ids")}


def score_of(found, data, examples=None):
    """Shares of the labels, or of all tags, that are right; of the sentences' labels too where there are some.

    Args:
        found: dict of output -> list, probabilities of the labels `(labels,)`, or of each token's `(tokens, labels)`.
        data: dict that `export.reference` wrote.
        examples: sequence of int, which of its examples were answered; None is all.

    Returns:
        dict of `accuracy`, of two outputs `label_accuracy`, and `examples`, how many.
    """
    score = {}
    for head, rows in found.items():
        name, wanted = HEADS[head]
        chosen = range(len(data[wanted])) if examples is None else examples
        hits = [
            np.atleast_1d(own.argmax(axis=-1) == np.asarray(data[wanted][number]))
            for own, number in zip(rows, chosen, strict=True)
        ]
        score[name] = float(np.concatenate(hits).mean())
    return score | {"examples": len(rows)}


def loss_of(score, wanted):
    """By how much the worst measure of a score is below that of another: positive is a loss."""
    return max(wanted[name] - score[name] for name, _ in HEADS.values() if name in wanted)
