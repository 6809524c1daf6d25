"""What generators read: rows of ids, samples and pixels, in JSON, in test sets and in batches."""

import json

import numpy as np
import pytest

from export import errors
from export.examples import Task
from export.generator_examples import read_examples
from export.sources import Sources, as_data, inputs_of, key_of, packed, unpacked

AUDIO = {"rate": 8000, "channels": 1}
PICTURE = {"height": 2, "width": 3, "channels": 1}
HEARD = Task("x", "generate", {"source": 4, "target": 5}, audio=AUDIO)
SEEN = Task("x", "generate", {"target": 5}, PICTURE)


@pytest.mark.parametrize("dtype", ["int16", "uint8"])
def test_what_is_packed_comes_back_through_json(dtype):
    array = np.random.default_rng(0).integers(np.iinfo(dtype).min, np.iinfo(dtype).max, (3, 5)).astype(dtype)
    entry = packed(array.T[::2])
    assert (unpacked(json.loads(json.dumps(entry))) == array.T[::2]).all() and unpacked(entry).dtype == dtype
    assert entry["dtype"] == dtype and entry["shape"] == [3, 3]


def test_texts_audio_and_pictures_become_what_encode_takes():
    source, length = inputs_of([[5, 6], [7]], 3).values()
    assert source.dtype == np.int32 and source.tolist() == [[5, 6, 0], [7, 0, 0]] and length.tolist() == [2, 1]
    heard = inputs_of([np.int16([-32768]), np.int16([16384, 8192])])
    assert list(heard) == ["source", "source_length"] and heard["source"].dtype == np.float32
    assert heard["source"].tolist() == [[-1, 0], [0.5, 0.25]] and heard["source_length"].tolist() == [1, 2]
    seen = inputs_of([np.uint8([[[255], [51]]])])
    np.testing.assert_allclose(seen["image"], np.float32([[[[1], [0.2]]]]))


@pytest.mark.parametrize(
    ("rows", "key", "sizes"),
    [
        ([[5], [6, 7]], "source_ids", [1, 2]),
        ([np.int16([1]), np.int16([2, 3])], "source_samples", [1, 2]),
        ([np.zeros((2, 3, 1), "uint8")] * 2, "source_pixels", [0, 0]),
    ],
)
def test_sources_are_what_was_written(rows, key, sizes):
    data = json.loads(json.dumps(as_data(rows)))
    found = Sources(data)
    assert key_of(data) == key and len(found) == 2 and found.sizes == sizes
    for own, wanted in zip(found.inputs([1, 0]).values(), inputs_of(rows[::-1]).values(), strict=True):
        assert (own == wanted).all()
    assert key_of({"image": []}) is None


def test_recordings_within_the_limit_are_read_with_their_targets(tmp_path):
    lengths = np.array([2, 0, 5, 3])
    np.savez(tmp_path / "test.npz", samples=np.arange(10, dtype="int16"), lengths=lengths, targets=list("abcd"))
    found = read_examples(tmp_path, HEARD)
    assert [row.tolist() for row in found.source] == [[0, 1], [7, 8, 9]] and found.accepted == [["a"], ["d"]]
    assert found.name[1] == "recording 3 of the test set, 0.00 s" and len(found[1:]) == 1


def test_pictures_have_one_target_or_several(tmp_path):
    images = np.zeros((2, 2, 3, 1), "uint8")
    np.savez(tmp_path / "test.npz", images=images, targets=[["a", "b"], ["c", ""]])
    assert read_examples(tmp_path, SEEN).accepted == [["a", "b"], ["c"]]
    np.savez(tmp_path / "test.npz", images=images, targets=["a", ""])
    assert read_examples(tmp_path, SEEN).accepted == [["a"], [""]]


@pytest.mark.parametrize(
    ("task", "arrays", "message"),
    [
        (
            HEARD,
            {"samples": np.zeros(3, "float32"), "lengths": [3], "targets": ["a"]},
            "holds float32 .3.*wanted int16",
        ),
        (HEARD, {"samples": np.zeros(3, "int16"), "lengths": [2], "targets": ["a"]}, "1 lengths of 2 samples"),
        (HEARD, {"samples": np.zeros(3, "int16"), "lengths": [3], "targets": ["a", "b"]}, "and 2 targets"),
        (HEARD, {"samples": np.zeros(9, "int16"), "lengths": [9], "targets": ["a"]}, "no recording of 1 to 4 samples"),
        (HEARD, {"samples": np.zeros(3, "int16"), "lengths": [3], "targets": [1]}, "targets int64 .1.; wanted str"),
        (HEARD, {"samples": np.zeros(3, "int16"), "targets": ["a"]}, "is not a test set .*lengths"),
        (SEEN, {"images": np.zeros((1, 3, 3, 1), "uint8"), "targets": ["a"]}, "wanted uint8 .None, 2, 3, 1"),
    ],
)
def test_a_test_set_that_is_none_is_refused(tmp_path, task, arrays, message):
    np.savez(tmp_path / "test.npz", **arrays)
    with pytest.raises(errors.ExportError, match=message):
        read_examples(tmp_path, task)
