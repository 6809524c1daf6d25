"""Data sets by name, as lists of plain python records, and what is known of them."""

from pathlib import Path

from keras_seq.data.catalogue.cards import CARDS, card
from keras_seq.data.catalogue.places import check_reachable, data_folder, tensorflow_datasets
from keras_seq.data.catalogue.raw import Raw


def names():
    """The data sets of the catalogue.

    Returns:
        list of str.

    Example:
        >>> print("snips" in names())
        True
    """
    return list(CARDS)


def info(name):
    """What is known of a data set, whether it is there or not.

    Args:
        name: str, one of `names()`, or without its configuration.

    Returns:
        `Card` with `task`, `record` (the keys), `counts` (dict of part -> records), `description`, `homepage`,
        `licence`, `citation`.

    Raises:
        ValueError: if there is no such set.

    Example:
        >>> print(info("clinc_oos").counts["test"])
        4500
    """
    return card(name)


def load(name, split="train"):
    """The examples of one part of a data set.

    Args:
        name: str, one of `names()`; "universal_dependencies" and "chinese_poetry" alone are their first configurations.
        split: str, "train", "validation" or "test"; of clinc_oos also "train_oos", "validation_oos" and "test_oos".

    Returns:
        list of dict, with the keys that `info(name).record` names. Labels, tags and texts are str, tokens, tags, lines
        and contexts lists of str; an image is uint8 `(height, width, 1)`, audio int16 `(time,)`. In the order of the
        prepared set, which may be by label: shuffle before you take the first ones.

    Raises:
        ValueError: if there is no such set or part, or its files are not as published.
        FileNotFoundError: if `KERAS_SEQ_DATA` is set and the set is not in it.
        ConnectionError: if it is neither on this machine nor to be had over the network.
        ModuleNotFoundError: if tensorflow-datasets is not installed.
    """
    known = card(name)
    if split not in known.counts:
        raise ValueError(f"{known.name} has no part {split!r}; choose one of {', '.join(known.counts)}")
    builder = prepared(name)
    from keras_seq.data.catalogue.sets import RECORDS

    return RECORDS[known.name](builder, split)


def prepared(name):
    """The tensorflow-datasets builder of a set, which is prepared first where it is not yet.

    Args:
        name: str, as for `load`.

    Returns:
        `tfds.core.DatasetBuilder`: `prepared("multi30k").as_dataset(split="train")` is its `tf.data.Dataset`. Its parts
        and features are as published; `load` carves and names them alike.

    Raises:
        ValueError, FileNotFoundError, ConnectionError, ModuleNotFoundError: as `load`.
    """
    known = card(name)
    tfds = tensorflow_datasets()
    return _from_raw(tfds, known) if known.raw else _own(tfds, known)


def _own(tfds, known):
    """A set that tensorflow-datasets has a builder of."""
    data_dir = data_folder() / "tfds" if data_folder() else None
    builder = tfds.builder(known.name, data_dir=data_dir)
    if not builder.is_prepared():
        command = f'prepare it there: tfds.load("{known.name}", data_dir="{data_dir}")'
        check_reachable(known.name, known.folder, known.address, command)
        builder.download_and_prepare()
    return builder


def _from_raw(tfds, known):
    """A set of ours. What is made from a folder is kept under a name that depends on the files in it."""
    from keras_seq.data.catalogue import builders

    name, _, config = known.name.partition("/")
    kept = Path(tfds.core.constants.DATA_DIR).expanduser()
    options = {}
    if data_folder():
        folder = data_folder() / known.folder
        raw = Raw.in_folder(folder, builders.MODULES[name].PATTERNS)
        if not raw.paths:
            _check_reachable(known)
        kept = kept / "keras_seq" / raw.fingerprint()
        options["download_config"] = tfds.download.DownloadConfig(manual_dir=folder, try_download_gcs=False)

    def make():
        return builders.BUILDERS[name](data_dir=kept, config=config or None)

    builder = make()
    if builder.is_prepared():
        return builder
    if not data_folder():
        _check_reachable(known)
    try:
        builder.download_and_prepare(**options)
    except PermissionError as error:
        raise PermissionError(f"{kept} cannot be written ({error}); set TFDS_DATA_DIR to a folder that can") from error
    except OSError:
        if make().is_prepared():  # another process was first
            return make()
        raise
    return builder


def _check_reachable(known):
    check_reachable(known.name, known.folder, known.address, f"put there the files of {known.homepage}")
