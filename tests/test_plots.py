"""Figures are written whole, and their fonts have the characters that dates are written with."""

import logging
import unicodedata

import numpy as np
import pytest
from matplotlib import font_manager, ft2font

from keras_seq import plots
from keras_seq.data import dates
from keras_seq.plots import style


def test_an_attention_map_is_a_picture_as_wide_as_its_text(tmp_path):
    heights = []
    for width in (13, 30):
        weights = np.random.default_rng(0).dirichlet(np.ones(width), 4)
        path = plots.attention_map(tmp_path / f"{width}.png", ["年"] * width, list("abcé"), weights, "二〇", "caption")
        data = path.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        heights.append(int.from_bytes(data[16:20], "big"))
    assert heights[1] > 1.5 * heights[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["13.png", "30.png"]


def test_a_gallery_and_curves_are_written(tmp_path):
    maps = [(list("ab"), list("xyz"), np.eye(3, 2), "one"), (list("abcd"), list("x"), np.ones((1, 4)) / 4, "two")]
    assert plots.attention_gallery(tmp_path / "maps.png", maps, "title").stat().st_size > 5000
    series = {"a": ([1, 2], [0.1, 0.4]), "b": ([1], [0.2])}
    assert plots.curves(tmp_path / "new" / "curves.png", series, "x", "y", "t", percent=True).stat().st_size > 5000


def test_weights_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"want \(3, 2\)"):
        plots.attention_map(tmp_path / "a.png", list("ab"), list("xyz"), np.ones((2, 3)))
    assert not list(tmp_path.iterdir())


def test_the_fonts_have_chinese_and_accents():
    files = [font_manager.findfont(family, fallback_to_default=False) for family in style.font_families()]
    known = set().union(*(ft2font.FT2Font(file).get_charmap() for file in files))
    assert not [letter for letter in "二〇年月日号礼拜点时éüñßçøłš␣→" if ord(letter) not in known]


def test_chinese_and_accents_are_drawn_without_a_word_on_standard_error(tmp_path, recwarn, caplog):
    """Matplotlib complains of a missing font in its log, and of a missing letter by a warning."""
    with caplog.at_level(logging.WARNING):
        plots.attention_map(tmp_path / "a.png", list("3 août 年日"), list("éß"), np.ones((2, 9)) / 9, "二〇二〇 →")
    assert not [record.getMessage() for record in caplog.records]
    assert not [str(warning.message) for warning in recwarn]


def alphabet_without_letters():
    files = [font_manager.findfont(family, fallback_to_default=False) for family in style.font_families()]
    known = set().union(*(ft2font.FT2Font(file).get_charmap() for file in files))
    return [letter for letter in dates.alphabet() if ord(letter) not in known]


def test_every_letter_that_the_dates_model_reads_is_drawn_but_hangul():
    assert not [letter for letter in alphabet_without_letters() if "HANGUL" not in unicodedata.name(letter, "")]


@pytest.mark.xfail(strict=True, reason="zhplot's Noto Sans SC has no Hangul: Korean dates are drawn as boxes")
def test_korean_is_drawn():
    assert not alphabet_without_letters()


def test_a_gallery_with_weights_that_do_not_fit_is_refused_and_nothing_is_written(tmp_path):
    examples = [
        (list("ab"), list("xyz"), np.ones((3, 2)), "right"),
        (list("ab"), list("xyz"), np.ones((2, 3)), "wrong"),
    ]
    with pytest.raises(ValueError, match=r"weights have shape \(2, 3\); .* want \(3, 2\)"):
        plots.attention_gallery(tmp_path / "maps.png", examples)
    assert not list(tmp_path.iterdir())
