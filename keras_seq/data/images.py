"""Pictures with labels: Fashion-MNIST, and scikit-learn's digits where it cannot be had.

Where the four files that its authors published lie in `PUBLISHED`, as Debian's and Ubuntu's package
`dataset-fashion-mnist` lays them there, those are read. Else `KERAS_SEQ_DATA` names a folder whose `tfds/` is a
tensorflow-datasets `data_dir`; unset, its own folder and the network serve. The sets have no validation part: it is
carved from train by a fixed seed.

Reference: Xiao, Rasul and Vollgraf, 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms" (MIT licence).
"""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_seq.data.catalogue import prepared
from keras_seq.data.catalogue.sets import carved_rows, check_fashion_mnist

PUBLISHED = Path("/usr/share/datasets/fashion-mnist")
"""Folder of the files as they were published."""
_CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_FILES = {"train": "train-{}-ubyte.gz", "test": "t10k-{}-ubyte.gz"}


@dataclass(frozen=True, eq=False)
class Images:
    """Pictures and labels in three parts.

    Attributes:
        name: str, "fashion_mnist" or "digits".
        classes: tuple of str, the name of each label.
        train, validation, test: pairs of images, uint8 `(examples, height, width, 1)`, and labels, int32 `(examples,)`.
        origin: str, where they came from, and if they stand in for others, why.
    """

    name: str
    classes: tuple
    train: tuple
    validation: tuple
    test: tuple
    origin: str


def images(validation=5000, examples=None, seed=0):
    """Fashion-MNIST where it can be had, else scikit-learn's digits; `origin` says which and why.

    Args:
        validation, examples, seed: as for `fashion_mnist`; of the digits at most a fifth of train is for validation.

    Returns:
        `Images`.

    Raises:
        ModuleNotFoundError: if neither tensorflow-datasets nor scikit-learn is installed.
        ValueError: if `validation` leaves nothing to train on.
    """
    try:
        return fashion_mnist(validation, examples, seed)
    except (OSError, ModuleNotFoundError) as error:
        return digits(examples, seed, reason=f"Fashion-MNIST cannot be had: {error}")


def fashion_mnist(validation=5000, examples=None, seed=0):
    """60 000 and 10 000 pictures of clothes, 28 x 28 grey pixels, ten classes.

    Args:
        validation: int, pictures of train set aside for validation.
        examples: int, only the first so many of train and of test, for a try; None for all.
        seed: int, of the validation part.

    Returns:
        `Images`.

    Raises:
        FileNotFoundError: if `KERAS_SEQ_DATA` is set and the set is not in it.
        ConnectionError: if it is neither on this machine nor to be had over the network.
        OSError: if what is there under its name is another set, or a published file is broken.
        ModuleNotFoundError: if tensorflow-datasets is needed and not installed.
        ValueError: if `validation` leaves nothing to train on.
    """
    if PUBLISHED.is_dir():
        train, test = (_published(part, examples) for part in ("train", "test"))
        classes, origin = _CLASSES, str(PUBLISHED)
    else:
        train, test, classes, origin = _prepared(examples)
    train, validation = _carve(*train, validation, seed)
    return Images("fashion_mnist", classes, train, validation, test, origin)


def _published(part, examples):
    """The pictures and labels of a part, from the files as they were published."""
    labels = _values(part, "labels-idx1", 8)
    pictures = _values(part, "images-idx3", 16)
    if len(pictures) != len(labels) * 28 * 28:
        raise OSError(
            f"{PUBLISHED} has {len(labels)} labels and {len(pictures)} pixels for {part}, wanted {28 * 28} pixels a "
            "label; install the files anew or remove the folder"
        )
    return _arrays(pictures.reshape(-1, 28, 28, 1)[:examples], labels[:examples])


def _values(part, what, header):
    """The values in a published file, behind its mark and sizes of so many bytes."""
    path = PUBLISHED / _FILES[part].format(what)
    try:
        return np.frombuffer(gzip.decompress(path.read_bytes()), "uint8", offset=header)
    except (EOFError, ValueError, OSError, zlib.error) as error:
        raise OSError(f"{path} cannot be read: {error}; install the files anew or remove the folder") from error


def _prepared(examples):
    """The pictures and labels of train and of test, the classes and where they lie, from tensorflow-datasets."""
    builder = prepared("fashion_mnist")
    check_fashion_mnist(builder)
    part = f"[:{examples}]" if examples else ""
    train, test = builder.as_dataset(split=[f"train{part}", f"test{part}"], batch_size=-1, as_supervised=True)
    train, test = (_arrays(pictures.numpy(), labels.numpy()) for pictures, labels in (train, test))
    return train, test, tuple(builder.info.features["label"].names), f"tensorflow-datasets, {builder.data_path}"


def digits(examples=None, seed=0, reason=None):
    """1797 handwritten digits of 8 x 8 pixels that come with scikit-learn: a fifth each for validation and test.

    Args:
        examples: int, only so many of all; None for all.
        seed: int, of the parts.
        reason: str, why it stands in for another set; becomes part of `origin`.

    Returns:
        `Images`.

    Raises:
        ModuleNotFoundError: if scikit-learn is not installed.

    Reference: Alpaydin and Kaynak, 1998, "Optical Recognition of Handwritten Digits" (UCI repository, CC BY 4.0).
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("the digits come with scikit-learn: pip install scikit-learn") from error
    pictures, labels = load_digits(return_X_y=True)
    pictures = np.round(pictures.reshape(-1, 8, 8, 1)[:examples] * (255 / 16))  # they hold 0 to 16
    rest, test = _carve(*_arrays(pictures, labels[:examples]), len(pictures) // 5, seed)
    train, validation = _carve(*rest, len(pictures) // 5, seed)
    origin = "scikit-learn's load_digits" + (f"; {reason}" if reason else "")
    return Images("digits", tuple("0123456789"), train, validation, test, origin)


def _arrays(pictures, labels):
    return np.asarray(pictures, "uint8"), np.asarray(labels, "int32")


def _carve(pictures, labels, count, seed):
    """All but `count` examples, and those, picked by the seed."""
    kept, carved = carved_rows(len(labels), count, seed)
    return (pictures[kept], labels[kept]), (pictures[carved], labels[carved])
