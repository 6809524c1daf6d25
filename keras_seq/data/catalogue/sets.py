"""From the examples of each prepared set to its records, one function a set.

Where a set has no validation part, it is carved from train by a fixed seed.
"""

import numpy as np

from keras_seq.data.catalogue import chinese_poetry, sgd
from keras_seq.data.catalogue.reading import arrays, rows


def _clinc_oos(builder, part):
    return [{"text": text, "label": label} for text, label in rows(builder, part, ("text", "intent_name"))]


def _universal_dependencies(builder, part):
    names = builder.info.features["upos"].feature.names
    part = "dev" if part == "validation" else part
    return [_with_heads(*row, names) for row in rows(builder, part, ("tokens", "upos", "head"))]


def _with_heads(tokens, tags, heads, names):
    """Syntactic words alone: "don't" comes as itself and as "do" and "n't", and words left out come too, both headless.

    What the treebank's scores count are the words with a head.
    """
    kept = [(token, names[tag]) for token, tag, head in zip(tokens, tags, heads, strict=True) if head != "None"]
    return {"tokens": [token for token, _ in kept], "tags": [tag for _, tag in kept]}


def _imdb_reviews(builder, part):
    names = builder.info.features["label"].names
    found = rows(builder, "test" if part == "test" else "train", ("text", "label"))
    found = found if part == "test" else _carved(found, part, 2500)
    return [{"text": text.replace("<br />", " "), "label": names[label]} for text, label in found]


def _fashion_mnist(builder, part):
    check_fashion_mnist(builder)
    names = builder.info.features["label"].names
    found = arrays(builder, "test" if part == "test" else "train", ("image", "label"))
    found = found if part == "test" else _carved(found, part, 5000)
    return [{"image": image, "label": names[label]} for image, label in found]


def _spoken_digit(builder, part):
    """Recordings 0 to 4 of each speaker and digit are for test; six of each of the others for validation."""
    later = np.random.default_rng(0).permutation(np.arange(5, 50))
    numbers = {"test": range(5), "validation": later[:6].tolist(), "train": later[6:].tolist()}[part]
    found = []
    for audio, name in arrays(builder, "train", ("audio", "audio/filename")):
        digit, speaker, number = name.decode().removesuffix(".wav").split("_")
        if int(number) in numbers:
            found.append(
                {
                    "audio": audio.astype("int16"),
                    "rate": 8000,
                    "label": digit,
                    "speaker": speaker,
                    "recording": int(number),
                }
            )
    return found


def _gigaword(builder, part):
    return [{"source": text, "target": headline} for text, headline in rows(builder, part, ("document", "summary"))]


def _multi30k(builder, part):
    return [{"source": english, "target": german} for english, german in rows(builder, part, ("en", "de"))]


def _tatoeba_cmn_eng(builder, part):
    names = ("zh", "en", "attribution")
    return [dict(zip(("source", "target", "attribution"), row, strict=True)) for row in rows(builder, part, names)]


def _line_pairs(builder, part):
    names = ("poem", "source", "target")
    return [record for row in rows(builder, part, names) for record in chinese_poetry.records(_named(names, row))]


def _quatrains(builder, part):
    names = ("poem", "author", "title", "lines")
    return [_named(names, row) for row in rows(builder, part, names)]


def _snips(builder, part):
    names = ("tokens", "tags", "label")
    labels = builder.info.features["label"].names
    return [_named(names, row) | {"label": labels[row[2]]} for row in rows(builder, part, names)]


def _sgd(builder, part):
    names = ("dialogue", "user", "system")
    return [record for row in rows(builder, part, names) for record in sgd.records(_named(names, row))]


def check_fashion_mnist(builder):
    """Refuses another set under the name: MNIST has the same sizes, and 99 % on it would look like a fine score.

    Args:
        builder: prepared builder of it.

    Raises:
        OSError: if the classes of the test part have not 1000 pictures each.
    """
    counts = np.bincount([label for (label,) in rows(builder, "test", ("label",))], minlength=10)
    if set(counts) != {1000}:
        raise OSError(
            f"{builder.data_path} is not Fashion-MNIST: its test part has {counts.min()} to {counts.max()} pictures a "
            "class, wanted 1000 of each; remove the folder and prepare the set anew"
        )


def _named(names, row):
    return dict(zip(names, row, strict=True))


def carved_rows(count, validation, seed=0):
    """Which examples of train are kept and which are carved from it.

    Args:
        count: int, examples in train.
        validation: int, how many to carve.
        seed: int.

    Returns:
        two int arrays of example numbers: kept, carved.

    Raises:
        ValueError: if nothing is left, or nothing carved.
    """
    if not 0 < validation < count:
        raise ValueError(f"validation={validation} leaves nothing of {count} examples; give 1 to {count - 1}")
    order = np.random.default_rng(seed).permutation(count)
    return order[validation:], order[:validation]


def _carved(found, part, validation):
    kept, carved = carved_rows(len(found), validation)
    return [found[row] for row in (carved if part == "validation" else kept)]


RECORDS = {
    "clinc_oos": _clinc_oos,
    "fashion_mnist": _fashion_mnist,
    "spoken_digit": _spoken_digit,
    "universal_dependencies/en_ewt": _universal_dependencies,
    "imdb_reviews": _imdb_reviews,
    "gigaword": _gigaword,
    "multi30k": _multi30k,
    "tatoeba_cmn_eng": _tatoeba_cmn_eng,
    "chinese_poetry/line_pairs": _line_pairs,
    "chinese_poetry/quatrains": _quatrains,
    "snips": _snips,
    "sgd": _sgd,
}
