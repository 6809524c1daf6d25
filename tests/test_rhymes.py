"""Rhymes as heard today, on lines whose rhymes are known."""

import pytest

from keras_seq.rhymes import rhyme, rhymes

pytest.importorskip("pypinyin")


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("黃河入海流", "更上一層樓", True),  # liu, lou
        ("低頭思故鄉", "疑是地上霜", True),  # xiang, shuang
        ("春眠不覺曉", "處處聞啼鳥", True),  # xiao, niao
        ("獨坐幽篁裏", "彈琴復長嘯", False),  # li, xiao
        ("處處聞啼鳥", "花落知多少", True),  # niao, shao
        ("千山鳥飛絕", "萬徑人蹤滅", True),  # jue, mie
        ("紅豆生南國", "春來發幾枝", False),  # guo, zhi
        ("何日平胡虜", "城春草木深", False),
    ],
)
def test_lines_that_rhyme(first, second, together):
    assert rhymes(first, second) is together is rhymes(second, first)


def test_the_vowel_behind_a_hissing_sound_is_another_one():
    assert rhyme("詩") == rhyme("思") == "-i" and rhyme("衣") == rhyme("雨") == "i"


def test_the_same_character_again_is_no_rhyme():
    assert not rhymes("明月光", "夜月光")


def test_what_has_no_reading_rhymes_with_nothing():
    assert rhyme("x") is None and not rhymes("x", "y") and not rhymes("", "光")
