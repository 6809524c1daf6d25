"""Data sets by name, as lists of plain python records."""

import os
from pathlib import Path

from keras_seq.data.catalogue import chinese_poetry, snips
from keras_seq.data.catalogue.raw import Raw

_ALIASES = {"universal_dependencies": "universal_dependencies/en_ewt", "chinese_poetry": "chinese_poetry/line_pairs"}
_RAW = {
    "chinese_poetry/line_pairs": chinese_poetry.line_pairs,
    "chinese_poetry/quatrains": chinese_poetry.quatrains,
    "snips": snips.examples,
}


def load(name, split="train"):
    """The examples of one part of a data set.

    Args:
        name: str, "clinc_oos", "universal_dependencies" (en_ewt), "snips", "chinese_poetry" (or
            "chinese_poetry/quatrains").
        split: str, "train", "validation" or "test"; of clinc_oos also "train_oos", "validation_oos" and "test_oos".

    Returns:
        list of dict of str, list of str.
    """
    name = _ALIASES.get(name, name)
    folder = Path(os.environ["KERAS_SEQ_DATA"])
    if name in _RAW:
        raw = Raw.in_folder(folder / "raw" / name.split("/")[0], ("*.gz", "*.json"))
        found = [example for part, example in _RAW[name](raw) if part == split]
        return found if "line_pairs" not in name else [row for item in found for row in chinese_poetry.records(item)]
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=folder / "tfds")
    if name.startswith("universal_dependencies"):
        wanted = tfds.decode.PartialDecoding({"tokens": True, "upos": True, "head": True})
        split = "dev" if split == "validation" else split
        tags = builder.info.features["upos"].feature.names
        dataset = builder.as_dataset(split=split, decoders=wanted).ragged_batch(1024)
        rows = (zip(*(batch[key].to_list() for key in ("tokens", "upos", "head")), strict=True) for batch in dataset)
        return [_tagged(*row, tags) for batch in rows for row in batch]
    batch = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1))
    return [
        {"text": text.decode(), "label": label.decode()}
        for text, label in zip(batch["text"], batch["intent_name"], strict=True)
    ]


def _tagged(tokens, upos, heads, tags):
    """Syntactic words alone: "don't" comes as itself and as "do" and "n't", and words left out come too, both headless.

    What the treebank's scores count are the words with a head.
    """
    kept = [
        (token.decode(), tags[number])
        for token, number, head in zip(tokens, upos, heads, strict=True)
        if head != b"None"
    ]
    return {"tokens": [token for token, _ in kept], "tags": [tag for _, tag in kept]}
