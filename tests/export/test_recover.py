"""The search for the layers that stay in float32, on a fake whose harm is known."""

import numpy as np
import pytest

from export.errors import ConversionError, TaskError
from export.recover import recover


class Fake:
    """Layers that cost score and damage while they are in 8 bits."""

    def __init__(self, harm, refuses=()):
        self.harm, self.refuses, self.made = harm, set(refuses), []

    def make(self, kept):
        self.made.append(kept)
        if kept and set(kept) & self.refuses:
            raise ConversionError("the converter cannot")
        return kept

    def judge(self, kept):
        lost = sum(harm for name, harm in self.harm.items() if name not in kept)
        return 1 - lost, 10 * lost + 1

    def recover(self, wanted, layers=None):
        return recover(self.make, self.judge, layers or dict.fromkeys(self.harm, 100), wanted)


def test_nothing_is_kept_nor_ranked_where_the_score_is_high_enough():
    fake = Fake({"a": 0.001, "b": 0.002})
    found = recover(fake.make, fake.judge, lambda: pytest.fail("the layers were asked for"), 0.995)
    assert found.kept == () and found.artefact == () and fake.made == [()]
    assert found.score == pytest.approx(0.997) and found.tried[0]["why"] == "all in 8 bits"


def test_only_what_hurts_is_kept_and_every_step_is_told():
    fake = Fake({"a": 0.001, "b": 0.4, "c": 0.0, "d": 0.1})
    found = fake.recover(0.995)
    assert found.kept == ("b", "d") == found.artefact and found.score == pytest.approx(0.999)
    assert len(found.tried) == len(set(fake.made)) == len(fake.made)
    assert {len(step["kept"]) for step in found.tried} == {0, 1, 2, 3}
    assert all(step["score"] <= 1 and step["damage"] >= 1 for step in found.tried)


def test_two_layers_that_both_destroy_the_answer_are_found():
    """With either of them in 8 bits the answer is as wrong as with both."""

    def judge(kept):
        destroyed = not {"b", "e"} <= set(kept)
        return (0.0, 5.0) if destroyed else (1.0, 0.01 * (6 - len(kept)))

    assert recover(lambda kept: kept, judge, dict.fromkeys("abcdef", 1), wanted=0.995).kept == ("b", "e")


def test_a_layer_that_turned_out_not_to_be_needed_is_given_back():
    """Alone in 8 bits b does the most damage, but c and d together do without it."""
    scores = {("b",): 0.5, ("b", "c"): 0.8, ("b", "c", "d"): 1.0, ("c", "d"): 1.0}
    damage = {("a", "c", "d"): 9, ("a", "b", "d"): 7, ("a", "b", "c"): 6}
    found = recover(
        lambda kept: kept,
        lambda kept: (scores.get(kept, 0.2), damage.get(kept, 1)),
        {"a": 5, "b": 70, "c": 6, "d": 7},
        wanted=0.9,
    )
    assert found.kept == ("c", "d") == found.artefact and "b given back" in {step["why"] for step in found.tried}


def test_of_equally_harmful_layers_the_smaller_is_kept():
    fake = Fake({"large": 0.2, "small": 0.2})
    assert fake.recover(0.75, {"large": 900, "small": 10}).kept == ("small",)


def test_a_large_model_is_searched_in_few_steps():
    harm = dict.fromkeys((f"layer_{number}" for number in range(97)), 1e-5) | {"layer_13": 0.3, "layer_71": 0.2}
    fake = Fake(harm)
    found = fake.recover(0.99)
    assert found.kept == ("layer_13", "layer_71") and len(fake.made) < 45


def test_where_everything_hurts_a_little_much_is_kept_in_few_steps():
    fake = Fake({f"layer_{number}": 0.01 for number in range(80)})
    found = fake.recover(0.795)
    assert 60 <= len(found.kept) < 70 and len(fake.made) < 75 and found.score >= 0.795


def test_refused_where_all_but_one_in_float_are_not_enough():
    with pytest.raises(TaskError, match="0.6 even with 1 of 2 layers in float32, wanted 0.995; what hurts is not in"):
        Fake({"a": 0.1, "b": 0.4, "the border": 0.3}).recover(0.995, {"a": 1, "b": 1})
    with pytest.raises(TaskError, match="no layer that could stay in float32; ship another precision"):
        recover(lambda kept: kept, lambda kept: (0.5, 1), {}, 0.9)


def test_a_choice_that_cannot_be_converted_is_passed_over():
    fake = Fake({"a": 0.2, "b": 0.01, "c": 0.2}, refuses=["c"])
    with pytest.raises(TaskError):
        fake.recover(0.9)
    found = fake.recover(0.75)
    assert found.kept == ("a",)
    refused = next(step for step in found.tried if step["kept"] == ["a", "c"])
    assert refused["score"] is None and refused["why"] == "b alone in 8 bits: the converter cannot"


def test_an_answer_that_is_no_number_is_worst():
    found = recover(
        lambda kept: kept,
        lambda kept: (1.0, 0.1) if "b" in kept else (np.nan, np.nan),
        {"a": 1, "b": 1},
        wanted=0.9,
    )
    assert found.kept == ("b",) and found.tried[0]["score"] is None
