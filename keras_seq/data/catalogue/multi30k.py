"""Multi30k, task 1: captions of pictures in English and German, translated by professionals.

    train.en.gz, train.de.gz, val.*, test_2016_flickr.*     a sentence a line, line for line pairs

Downloading from the address below was not tried where this was written.
"""

_ADDRESS = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
_PARTS = {"train": "train", "validation": "val", "test": "test_2016_flickr"}

PATTERNS = ("*.en.gz", "*.de.gz")
URLS = {
    f"{name}.{language}.gz": f"{_ADDRESS}{name}.{language}.gz" for name in _PARTS.values() for language in ("en", "de")
}


def examples(raw):
    """The pairs of every part.

    Args:
        raw: `Raw`.

    Yields:
        `(part, {"en": str, "de": str})`.

    Raises:
        FileNotFoundError: if a file is not there.
        ValueError: if the two sides of a part differ in number.
    """
    for part, name in _PARTS.items():
        english, german = (raw.lines(f"{name}.{language}.gz") for language in ("en", "de"))
        if len(english) != len(german):
            raise ValueError(
                f"{raw.origin}: {name}.en.gz has {len(english)} lines, {name}.de.gz {len(german)}, but they are pairs "
                "line by line; fetch both anew"
            )
        for pair in zip(english, german, strict=True):
            yield part, dict(zip(("en", "de"), map(str.strip, pair), strict=True))
