"""Texts with a label each, in parts, from the catalogue or from a file."""

import collections
import os
from pathlib import Path

import numpy as np

from keras_seq import data
from keras_seq.data import toy_sentences

NAMES = ("clinc_oos", "imdb_reviews", "toy")
_SHARES = {"validation": 0.1, "test": 0.1}


def read_parts(name, examples=None, seed=0):
    """The parts of a data set.

    Args:
        name: str, of `NAMES`, or the path of a TSV or JSON Lines file of texts and labels, which is cut into 80 % for
            training, 10 % for validation and 10 % for the test. "toy" is a generated stand-in for clinc_oos.
        examples: int, training texts at most, drawn by the seed from all labels alike; None for all.
        seed: int.

    Returns:
        dict of "train", "validation" and "test", and of clinc_oos and toy "out_of_scope", which has none of the labels
        -> list of `{"text", "label"}`. Labels that training has not are left out of the others, with a warning.

    Raises:
        ValueError: if no example is left, or training has one label alone.
        FileNotFoundError: if there is no such file, or the set is not where `KERAS_SEQ_DATA` says.
        ConnectionError: if the set is neither on this machine nor to be had over the network.
    """
    if name == "toy":
        parts = _toy()
    elif name in NAMES:
        parts = {part: data.load(name, part) for part in ("train", "validation", "test")}
    elif Path(name).exists() or os.sep in str(name) or Path(name).suffix:
        parts = data.split(data.read_labelled(name), _SHARES)
    else:
        raise ValueError(f"data={str(name)!r} is not known; choose from {', '.join(NAMES)}, or give the path of a file")
    if examples is not None:
        parts["train"] = _drawn(parts["train"], examples, seed)
    known = set(labels_of(parts["train"]))
    if len(known) < 2:
        raise ValueError(f"training texts of {name} all have the label {known.pop()!r}; give texts with others too")
    for part in ("validation", "test"):
        parts[part] = data.only_known(parts[part], known, unseen="drop")
    if name == "clinc_oos":
        parts["out_of_scope"] = data.load(name, "test_oos")
    return parts


def _toy():
    """Generated commands, and sentences that are none."""
    sizes = {"train": 400, "validation": 60, "test": 60}
    parts = {part: toy_sentences.commands(count, seed) for seed, (part, count) in enumerate(sizes.items())}
    parts["out_of_scope"] = toy_sentences.tagged(40)
    return {
        part: [{"text": " ".join(row["tokens"]), "label": row.get("label", "oos")} for row in rows]
        for part, rows in parts.items()
    }


def _drawn(part, count, seed):
    """So many examples, in their order: the first of each label, then the second of each, in an order by the seed."""
    taken, ranks = collections.Counter(), []
    for row in np.random.default_rng(seed).permutation(len(part)):
        taken[part[row]["label"]] += 1
        ranks.append((taken[part[row]["label"]], row))
    return [part[row] for row in sorted(row for _, row in sorted(ranks, key=lambda rank: rank[0])[:count])]


def labels_of(part):
    """The labels in order, list of str."""
    return sorted({row["label"] for row in part})
