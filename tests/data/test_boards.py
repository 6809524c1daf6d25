import itertools

import numpy as np
import pytest

from keras_seq.data.boards import CELL, NOTHING, PLACES, WORDINGS, Boards, captions, names_of, said
from keras_seq.data.caption_batches import CaptionBatches, all_captions
from keras_seq.data.tokenizer import Tokenizer

NAMES = names_of("fashion_mnist")
SEED = np.array([3, 8], "int64")


def some_boards(size=9, labels=5, **options):
    """Each label's picture is of one grey alone: 40 times the label and one."""
    numbers = np.arange(labels, dtype="int32")
    return Boards(np.full((labels, size, size, 1), 40, "uint8") * (numbers[:, None, None, None] + 1).astype("uint8"),
                  numbers, **options)  # fmt: skip


def test_a_board_shows_what_is_said_to_be_there_and_nothing_else():
    images, things, _ = (array.numpy() for array in some_boards().draw(200, SEED))
    assert images.shape == (200, 96, 96, 1) and images.dtype == np.uint8
    for image, board in zip(images[..., 0], things, strict=True):
        cells = image.reshape(3, CELL, 3, CELL).swapaxes(1, 2).reshape(9, CELL, CELL)
        wanted = {place: 40 * (label + 1) for label, place in board.tolist() if label != NOTHING}
        for place, cell in enumerate(cells):
            assert set(np.unique(cell)) == ({0, wanted[place]} if place in wanted else {0})
            assert np.count_nonzero(cell) == (27 * 27 if place in wanted else 0)


def test_things_places_shifts_and_numbers_are_drawn_evenly():
    images, things, wording = (array.numpy() for array in some_boards().draw(4000, SEED))
    both = things[:, 1, 0] != NOTHING
    assert abs(both.mean() - 0.5) < 0.03 and (things[both, 0, 1] != things[both, 1, 1]).all()
    for drawn, count in ((things[:, 0, 0], 5), (things[:, 0, 1], 9), (things[both, 1, 1], 9), (wording, 3)):
        shares = np.bincount(drawn, minlength=count) / len(drawn)
        assert len(shares) == count and abs(shares - 1 / count).max() < 0.04
    things = some_boards(two=0.9).draw(4000, SEED)[1].numpy()
    assert abs((things[:, 1, 0] != NOTHING).mean() - 0.9) < 0.03
    tops = {int(np.flatnonzero(image.any(axis=1))[0]) % CELL for image in images[:300, :, :, 0]}
    assert tops == {0, 1, 2, 3, 4}


def test_the_same_seed_draws_the_same_boards():
    one, again, other = (some_boards().draw(5, seed)[0].numpy() for seed in (SEED, SEED, SEED + 1))
    assert (one == again).all() and (one != other).any()


def test_pictures_that_are_too_large_or_of_another_kind_are_refused():
    with pytest.raises(ValueError, match="2 pictures of 29 x 29 pixels and 2 labels; .* at most 28 x 28"):
        Boards(np.zeros((2, 29, 29, 1), "uint8"), [0, 1])
    with pytest.raises(ValueError, match=r"pictures are float32 \[2, 8, 8, 1\], wanted uint8"):
        Boards(np.zeros((2, 8, 8, 1), "float32"), [0, 1])
    with pytest.raises(ValueError, match="two=75 is no share of the boards; give 0 to 1"):
        some_boards(two=75)
    with pytest.raises(ValueError, match="the things of 'cats' have no names"):
        names_of("cats")


@pytest.mark.parametrize("names", [NAMES, names_of("digits")], ids=["clothes", "digits"])
def test_what_a_caption_says_is_what_it_was_made_of(names):
    things = [(label, (label + 4) % 9) for label in range(10)]
    for one, two in itertools.product(things, things):
        board = [one] if one == two else [one, two]
        found = captions(board, names)
        assert len(set(found)) == len(found) == len(WORDINGS) * len(board)
        assert all(sorted(said(caption, names)) == sorted(board) for caption in found)
    for wrong in ("", "a coat", "a coat in the kitchen", "the centre holds a horse", "a coat in the centre and"):
        assert said(wrong, names) is None


def test_a_batch_holds_boards_with_their_captions_ahead_by_one():
    tokenizer = Tokenizer.train(all_captions(NAMES), kind="word")
    batches = CaptionBatches(some_boards(), NAMES, tokenizer, batch_size=20, steps=3, seed=4)
    epochs = [list(batches(epoch)) for epoch in (0, 0, 1)]
    assert [len(own) for own in epochs] == [3, 3, 3] == [len(batches)] * 3
    for (inputs, labels), (again, _), (later, _) in zip(*epochs, strict=True):
        assert (inputs["image"].numpy() == again["image"].numpy()).all()
        assert (inputs["image"].numpy() != later["image"].numpy()).any()
        for image, target, own in zip(inputs["image"].numpy(), inputs["target"].numpy(), labels.numpy(), strict=True):
            assert target[0] == Tokenizer.START and Tokenizer.END in own
            end = own.tolist().index(Tokenizer.END)
            assert target[1 : end + 1].tolist() == own[:end].tolist() and not target[end + 1 :].any()
            told = said(tokenizer.decode(own.tolist()), NAMES)
            assert [place for _, place in told] == sorted(place for _, place in told)  # as one reads
            for label, place in told:
                row, column = divmod(place, 3)
                cell = image[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
                assert cell.max() == pytest.approx(40 * (label + 1) / 255)
            assert np.count_nonzero(image) == 27 * 27 * len(told)
    assert batches.longest == max(len(ids) for ids in tokenizer.encode_batch(all_captions(NAMES))) + 1
    assert len(PLACES) == 9
