"""Pictures come from tensorflow-datasets, and from scikit-learn where they cannot; the parts never overlap."""

import dataclasses
import gzip
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.data import images as module
from keras_seq.data.catalogue import cards, sets
from keras_seq.data.images import digits, fashion_mnist, images

DATA = os.environ.get("KERAS_SEQ_DATA")
with_data = pytest.mark.skipif(
    not (DATA and Path(DATA, "tfds", "fashion_mnist").exists()), reason="KERAS_SEQ_DATA has no tfds/fashion_mnist"
)


@pytest.fixture(autouse=True)
def published(monkeypatch, tmp_path):
    """A folder for the published files, which is not there yet: these tests run alike where Debian's package is."""
    monkeypatch.setattr(module, "PUBLISHED", tmp_path / "published")
    return tmp_path / "published"


def pictures(part):
    return {picture.tobytes() for picture in part[0]}


class Builder:
    """What tensorflow-datasets would give: pictures that are their number."""

    data_path = "somewhere/fashion_mnist/3.0.1"
    info = SimpleNamespace(features={"label": SimpleNamespace(names=list("abcdefghij"))})

    def as_dataset(self, split, batch_size, as_supervised):
        numbers = np.arange(200)
        pictures = tf.constant(np.broadcast_to(numbers[:, None, None, None], (200, 28, 28, 1)).astype("uint8"))
        assert split == ["train[:200]", "test[:200]"] and batch_size == -1 and as_supervised
        return [(pictures, tf.constant(numbers % 10)), (pictures, tf.constant(numbers % 10))]


def with_test_labels(monkeypatch, counts):
    """So many pictures of each label in the test part."""
    monkeypatch.setattr(module, "prepared", lambda name: Builder())
    labels = [(label,) for label in np.repeat(np.arange(10), counts)]
    monkeypatch.setattr(sets, "rows", lambda builder, part, names: labels)


@pytest.fixture
def balanced(monkeypatch):
    with_test_labels(monkeypatch, [1000] * 10)


def test_fashion_mnist_is_carved_by_the_seed(balanced):
    found, again, other = (fashion_mnist(validation=30, examples=200, seed=seed) for seed in (1, 1, 2))
    assert found.name == "fashion_mnist" and "somewhere" in found.origin and found.classes == tuple("abcdefghij")
    assert [part[0].shape for part in (found.train, found.validation, found.test)] == [
        (count, 28, 28, 1) for count in (170, 30, 200)
    ]
    assert found.train[0].dtype == "uint8" and found.train[1].dtype == "int32"
    np.testing.assert_array_equal(found.train[0][:, 0, 0, 0] % 10, found.train[1])
    np.testing.assert_array_equal(found.validation[0], again.validation[0])
    assert pictures(found.validation) != pictures(other.validation)
    assert not pictures(found.train) & pictures(found.validation)


def test_the_published_files_are_read_and_a_broken_one_is_named(published):
    published.mkdir()
    for part, count in (("train", 40), ("t10k", 20)):
        pixels, labels = np.repeat(np.arange(count, dtype="uint8"), 28 * 28), np.arange(count, dtype="uint8") % 10
        for what, header, values in (("images-idx3", 16, pixels), ("labels-idx1", 8, labels)):
            (published / f"{part}-{what}-ubyte.gz").write_bytes(gzip.compress(bytes(header) + values.tobytes()))
    found = fashion_mnist(validation=10)
    assert [len(labels) for _, labels in (found.train, found.validation, found.test)] == [30, 10, 20]
    assert found.origin == str(published) and found.classes[9] == "Ankle boot"
    for own, labels in (found.train, found.test):
        assert own.shape[1:] == (28, 28, 1) and (own[:, 0, 0, 0] % 10 == labels).all()
        assert (own == own[:, :1, :1]).all()
    assert len(fashion_mnist(validation=5, examples=12).train[1]) == 7
    path = published / "t10k-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    for broken, message in (
        (whole[:-12], "t10k-labels-idx1-ubyte.gz cannot be read"),
        (whole[:12] + bytes(9) + whole[21:], "t10k-labels-idx1-ubyte.gz cannot be read"),
        (gzip.compress(bytes(8 + 19)), "has 19 labels and 15680 pixels for test, wanted 784 pixels a label"),
    ):
        path.write_bytes(broken)
        with pytest.raises(OSError, match=message):
            fashion_mnist(validation=10)


def test_mnist_under_the_name_of_fashion_mnist_is_refused_and_the_digits_stand_in(monkeypatch):
    """MNIST's test part has these many of each digit; a small network scores 99 % on it."""
    with_test_labels(monkeypatch, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    message = "is not Fashion-MNIST: its test part has 892 to 1135 pictures a class, wanted 1000 of each"
    with pytest.raises(OSError, match=message):
        fashion_mnist(validation=30, examples=200)
    found = images(validation=30, examples=200)
    assert found.name == "digits" and message in found.origin


@with_data
def test_what_the_data_folder_calls_fashion_mnist_is_it():
    pytest.importorskip("tensorflow_datasets", reason="pip install tensorflow-datasets importlib_resources")
    try:
        found = fashion_mnist(validation=30, examples=200)
    except OSError as error:
        pytest.xfail(str(error))
    assert DATA in found.origin and found.classes[0] == "T-shirt/top" and found.train[0].shape == (170, 28, 28, 1)


def test_the_digits_are_cut_into_three_parts_that_do_not_overlap():
    found = digits()
    assert [len(labels) for _, labels in (found.train, found.validation, found.test)] == [1079, 359, 359]
    assert found.train[0].shape == (1079, 8, 8, 1) and found.train[0].dtype == "uint8"
    assert found.train[0].min() == 0 and found.train[0].max() == 255
    parts = [pictures(part) for part in (found.train, found.validation, found.test)]
    assert len(parts[0] | parts[1] | parts[2]) == sum(map(len, parts))
    np.testing.assert_array_equal(found.test[1], digits().test[1])
    assert len(digits(examples=50).train[1]) == 30


def test_without_the_set_the_digits_stand_in_and_say_why(monkeypatch, tmp_path):
    pytest.importorskip("tensorflow_datasets", reason="pip install tensorflow-datasets importlib_resources")
    monkeypatch.setenv("KERAS_SEQ_DATA", str(tmp_path))
    found = images(validation=30, examples=100)
    assert found.name == "digits" and len(found.train[1]) == 60
    assert "scikit-learn" in found.origin and "has no tfds/fashion_mnist; unset it" in found.origin
    with pytest.raises(FileNotFoundError, match="has no tfds/fashion_mnist; unset it"):
        fashion_mnist()


def test_without_a_network_the_digits_stand_in_within_seconds(monkeypatch, tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets", reason="pip install tensorflow-datasets importlib_resources")
    monkeypatch.delenv("KERAS_SEQ_DATA", raising=False)
    builder = tfds.builder("fashion_mnist", data_dir=str(tmp_path))
    monkeypatch.setattr(tfds, "builder", lambda *_, **__: builder)
    card = dataclasses.replace(cards.CARDS["fashion_mnist"], address="http://nowhere.invalid/")
    monkeypatch.setitem(cards.CARDS, "fashion_mnist", card)
    begin = time.monotonic()
    assert "the network does not answer; set KERAS_SEQ_DATA" in images(examples=100).origin
    assert time.monotonic() - begin < 8
    with pytest.raises(ConnectionError, match="not on this machine"):
        fashion_mnist()


def test_without_the_packages_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    assert "pip install tensorflow-datasets importlib_resources" in images(examples=100).origin
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-learn"):
        images(examples=100)


def test_a_validation_part_that_leaves_nothing_is_refused(balanced):
    for validation in (0, 200):
        with pytest.raises(ValueError, match=f"validation={validation} leaves nothing of 200 examples; give 1 to 199"):
            fashion_mnist(validation, examples=200)
