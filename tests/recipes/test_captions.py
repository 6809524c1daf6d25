import json

import numpy as np
import pytest

from keras_seq.data import images
from keras_seq.recipes import captions
from keras_seq.recipes.captioner import confusion_counts, place_of
from keras_seq.recipes.captions import CaptionConfig, boards_of, train

SIZES = {"filters": (8, 8, 8, 16), "units": 24, "boards": 512, "batch_size": 32, "tested": 50, "average": 1}


@pytest.fixture(scope="module", params=["lstm", "transformer"])
def trained(request, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / request.param
    return *train(CaptionConfig(request.param, epochs=1, **SIZES), images.digits(600), run, verbose=0), run


def test_a_run_is_read_again_and_holds_its_test(trained):
    describer, results, run = trained
    boards, things = boards_of(images.digits(600), 50)
    again = captions.load(run)
    assert again.write(boards) == describer.write(boards) and results["parameters"] == again.model.count_params()
    kept = np.load(run / "test.npz")
    assert (kept["images"] == boards).all() and kept["targets"].shape == (50, 6)
    assert [sum(map(bool, own)) for own in kept["targets"]] == [3 * len(own) for own in things]
    task = json.loads((run / "config.json").read_text())["task"]
    assert (
        task["picture"] == {"height": 96, "width": 96, "channels": 1, "ground": "dark"}
        and task["score"] == "exact_match"
    )


def test_right_captions_are_judged_right_and_wrong_ones_by_what_is_wrong(trained):
    describer, _, _ = trained
    boards, things = boards_of(images.digits(600), 50)
    right = [captions.captions(own, describer.names)[-1] for own in things]
    found = describer.judge(boards, things, right)
    assert found["whole"].all() and found["places"].all() and found["looks"][:, 1].tolist() == list(map(len, things))
    other = [[((label + 1) % 10, place) for label, place in own] for own in things]
    found = describer.judge(boards, things, [captions.captions(own, describer.names)[0] for own in other])
    assert not found["whole"].any() and found["places"].all()
    found = describer.judge(boards, things, ["a zero in the kitchen"] * 50)
    assert not found["whole"].any() and not found["places"].any() and found["looks"].sum(axis=0).tolist() == [0, 50, 0]
    mixed = "there is a seven in the centre and the top left holds a two"
    found = describer.judge(boards[:1], [[(7, 4), (2, 0)]], [mixed])
    assert not found["whole"].any() and found["places"].all()  # in no one of the wordings
    endless = " ".join(["a zero in the centre and"] * 9)
    assert describer.judge(boards[:1], things[:1], [endless])["looks"][0, 1] > 1
    assert np.trace(confusion_counts(things, right, describer.names)) == sum(map(len, things))


def test_a_word_written_while_looking_elsewhere_does_not_count(trained, monkeypatch):
    describer, _, _ = trained
    things, caption = [[(7, 0), (4, 8)]], "a seven in the top left and a four in the bottom right"
    weights = np.zeros((13, 6, 6))
    weights[:, 1, 1] = 1  # in the top left throughout
    tokens = [*caption.split(), "<end>"]
    monkeypatch.setattr(type(describer), "attention", lambda *_: [(tokens, weights[: len(tokens)])])
    assert describer.judge(None, things, [caption])["looks"].tolist() == [[1, 2, 1]]


def test_the_largest_cell_names_its_place():
    weights = np.zeros((6, 6))
    weights[5, 2] = 1
    assert place_of(weights) == 7 and place_of(np.eye(3)[::-1] * [0, 1, 0]) == 4


def test_an_unknown_decoder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="decoder='gru' is not known; choose from lstm, transformer"):
        train(CaptionConfig("gru"), images.digits(100), tmp_path)
    with pytest.raises(ValueError, match="has no model.keras"):
        captions.load(tmp_path)


def test_real_digits_are_put_where_they_are(tmp_path):
    """A floor on scikit-learn's digits, one or two on a board: by guessing 1 board in 45 has its places right."""
    config = CaptionConfig(filters=(8, 16, 16, 24), units=48, boards=4800, batch_size=32, epochs=4, average=1,
                           learning_rate=4e-3, tested=300)  # fmt: skip
    describer, _ = train(config, images.digits(), tmp_path / "run", verbose=0)
    boards, things = boards_of(images.digits(), 300)
    found = describer.judge(boards, things, describer.write(boards))
    assert found["places"].mean() > 0.9
