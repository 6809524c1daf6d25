"""Heat maps: labels have room, and those that do not fit their matrix are refused before a file is written."""

import numpy as np
import pytest

from keras_seq.plots.heat_maps import HeatMap, heat_maps


def size(path):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_a_picture_grows_with_its_labels_and_with_its_maps(tmp_path):
    matrix = np.random.default_rng(0).random((3, 5))
    few = HeatMap(matrix, "few", list("abc"), list("vwxyz"), marks=((1, 2),), highest=1)
    many = HeatMap(np.tile(matrix, (4, 1)), "many", list("abcdefghijkl"), list("vwxyz"), form=".2f")
    small, tall = size(heat_maps(tmp_path / "few.png", [few])), size(heat_maps(tmp_path / "many.png", [many], "title"))
    assert tall[1] > 2 * small[1]
    assert size(heat_maps(tmp_path / "two.png", [few, few]))[0] > 1.5 * small[0]
    signed = HeatMap(matrix - 0.5, "a scale, no labels", xlabel="x", ylabel="y")
    assert size(heat_maps(tmp_path / "signed.png", [signed, signed, signed], across=2))[1] > 400


@pytest.mark.parametrize(
    ("labels", "message"),
    [({"rows": ["a"]}, "1 labels for 2 rows of 'scores'; give one"), ({"columns": list("abcd")}, "4 labels for 3 col")],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, labels, message):
    with pytest.raises(ValueError, match=message):
        heat_maps(tmp_path / "a.png", [HeatMap(np.zeros((2, 3)), "scores", **labels)])
    assert not list(tmp_path.iterdir())
