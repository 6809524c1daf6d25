"""Boards: one or two pictures on a grid of three by three places, and the sentences that say what is where.

    a sneaker in the top left and a coat in the centre

A board is drawn from labelled pictures by a seed alone; all that is drawn, pictures, places, shifts and wording, is
`tf.random.stateless_uniform`, so that a data pipeline draws new boards in every epoch and the same ones when it is
resumed. Every board has several right captions: three wordings, and two things in either order; which
of them is trained with, `keras_seq.data.caption_batches` says.
"""

import numpy as np
import tensorflow as tf

ACROSS = 3
"""Places in a row, and rows."""
PLACES = (
    "top left", "top centre", "top right",
    "middle left", "centre", "middle right",
    "bottom left", "bottom centre", "bottom right",
)  # fmt: skip
"""Names of the places, row by row."""
WORDINGS = (("", "{thing} in the {place}"), ("there is ", "{thing} in the {place}"), ("", "the {place} holds {thing}"))
"""How a caption begins, and what it says of each thing; two things are joined by "and"."""
CELL = 32
"""Pixels of a place, each way."""
_SHIFT = 2  # pixels that a picture may stand away from the middle of its place
_ROOM = CELL - 2 * _SHIFT
_NAMES = {
    "fashion_mnist": (
        "a tee", "a trouser", "a pullover", "a dress", "a coat", "a sandal", "a shirt", "a sneaker", "a bag", "a boot",
    ),
    "digits": ("a zero", "a one", "a two", "a three", "a four", "a five", "a six", "a seven", "an eight", "a nine"),
}  # fmt: skip
_NAMES["mnist"] = _NAMES["digits"]
NOTHING = -1
"""Label and place of the second thing of a board that has but one."""


def names_of(set_name):
    """What the things of a set of pictures are called.

    Args:
        set_name: str, `name` of `keras_seq.data.images.Images`.

    Returns:
        tuple of str, by label, each with its article.

    Raises:
        ValueError: if they have no names.
    """
    if set_name not in _NAMES:
        raise ValueError(f"the things of {set_name!r} have no names; known are {', '.join(_NAMES)}")
    return _NAMES[set_name]


def captions(things, names):
    """All right captions of a board.

    Args:
        things: sequence of one or two pairs of int, label and place.
        names: sequence of str, see `names_of`.

    Returns:
        list of str.

    Example:
        >>> captions([(7, 0)], names_of("fashion_mnist"))
        ['a sneaker in the top left', 'there is a sneaker in the top left', 'the top left holds a sneaker']
    """
    orders = [list(things), list(things)[::-1]][: len(things)]
    return [_worded(order, names, wording) for order in orders for wording in range(len(WORDINGS))]


def _worded(things, names, wording):
    begin, each = WORDINGS[wording]
    said = (each.format(thing=names[label], place=PLACES[place]) for label, place in things)
    return begin + " and ".join(said)


def said(caption, names):
    """What a caption says is where.

    Args:
        caption: str, in any of the wordings.
        names: sequence of str, see `names_of`.

    Returns:
        list of pairs of int, label and place, in the order of the caption; None where it is no such sentence.

    Example:
        >>> said("the centre holds a coat and the top left holds a sneaker", names_of("fashion_mnist"))
        [(4, 4), (7, 0)]
        >>> said("a coat in the", names_of("fashion_mnist")) is None
        True
    """
    labels, places = ({name: number for number, name in enumerate(own)} for own in (names, PLACES))
    found = []
    for part in caption.removeprefix("there is ").split(" and "):
        thing, _, place = part.partition(" in the ")
        if not place:
            place, _, thing = part.removeprefix("the ").partition(" holds ")
        if thing not in labels or place not in places:
            return None
        found.append((labels[thing], places[place]))
    return found


class Boards:
    """Draws boards from labelled pictures.

    Args:
        pictures: uint8 `(pictures, height, width, 1)`, light on dark, at most 28 pixels high and wide; smaller ones are
            enlarged by a whole number.
        labels: int32 `(pictures,)`.
        two: float from 0 to 1, share of the boards that have two things.

    Attributes:
        size: int, pixels of a board each way.

    Raises:
        ValueError: if the pictures are not as described.
    """

    size = ACROSS * CELL

    def __init__(self, pictures, labels, two=0.5):
        pictures = np.asarray(pictures)
        if not 0 <= two <= 1:
            raise ValueError(f"two={two} is no share of the boards; give 0 to 1")
        self._two = two
        if pictures.ndim != 4 or pictures.dtype != np.uint8 or pictures.shape[3] != 1:
            raise ValueError(f"pictures are {pictures.dtype} {list(pictures.shape)}, wanted uint8 (pictures, h, w, 1)")
        if not 0 < max(pictures.shape[1:3]) <= _ROOM or len(pictures) != len(labels) or not len(labels):
            raise ValueError(
                f"{len(pictures)} pictures of {pictures.shape[1]} x {pictures.shape[2]} pixels and {len(labels)} "
                f"labels; give one label each, and at most {_ROOM} x {_ROOM} pixels"
            )
        with tf.device("CPU:0"):
            self._pictures, self._labels = tf.constant(_fitted(pictures)), tf.constant(labels, tf.int32)

    def draw(self, count, seed):
        """Some boards.

        Args:
            count: int, how many.
            seed: int64 `(2,)`; the same one gives the same boards.

        Returns:
            images: uint8 `(count, 96, 96, 1)`.
            things: int32 `(count, 2, 2)`, label and place of the first and of the second thing; `NOTHING` where there
                is no second one.
            wording: int32 `(count,)`, one for each board, to be trained with.
        """
        drawn = tf.random.stateless_uniform((count, 9), seed)
        rows = _whole(drawn[:, :2], len(self._labels))
        place = _whole(drawn[:, 2], len(PLACES))
        other = (place + 1 + _whole(drawn[:, 3], len(PLACES) - 1)) % len(PLACES)  # never the first one
        places = tf.stack([place, other], axis=1)  # (count, 2)
        both = tf.stack([tf.ones_like(drawn[:, 4], tf.bool), drawn[:, 4] < self._two], axis=1)  # (count, 2)
        shifts = tf.reshape(_whole(drawn[:, 5:9], 2 * _SHIFT + 1), (count, 2, 2))
        pictures = tf.gather(self._pictures, rows) * tf.cast(both, tf.uint8)[:, :, None, None]  # (count, 2, 28, 28)
        things = tf.stack([tf.gather(self._labels, rows), places], axis=2)
        wording = _whole(tf.random.stateless_uniform((count,), seed + 1), len(WORDINGS))
        return _laid(pictures, places, shifts), tf.where(both[:, :, None], things, NOTHING), wording


def _whole(drawn, count):
    """Numbers in [0, 1) as whole numbers from 0 to `count` - 1."""
    return tf.minimum(tf.cast(drawn * count, tf.int32), count - 1)


def _fitted(pictures):
    """Pictures `(pictures, 28, 28)`, enlarged by a whole number and with a dark margin."""
    scale = _ROOM // max(pictures.shape[1:3])
    pictures = pictures[..., 0].repeat(scale, axis=1).repeat(scale, axis=2)
    free = [(_ROOM - size) // 2 for size in pictures.shape[1:]]
    margins = [(before, _ROOM - size - before) for before, size in zip(free, pictures.shape[1:], strict=True)]
    return np.pad(pictures, [(0, 0), *margins])


def _laid(pictures, places, shifts):
    """Boards uint8 `(count, 96, 96, 1)` with pictures `(count, 2, 28, 28)` at their places, shifted."""
    count = pictures.shape[0]
    corner = tf.stack([places // ACROSS, places % ACROSS], axis=2) * CELL + shifts  # (count, 2, 2)
    pixels = tf.range(_ROOM)
    down = corner[:, :, 0, None] + pixels  # (count, 2, 28)
    right = corner[:, :, 1, None] + pixels
    shape = (count, 2, _ROOM, _ROOM)
    board = tf.range(count)[:, None, None, None]
    where = [tf.broadcast_to(axis, shape) for axis in (board, down[:, :, :, None], right[:, :, None, :])]
    empty = tf.zeros((count, Boards.size, Boards.size), tf.int32)
    laid = tf.tensor_scatter_nd_add(empty, tf.stack(where, axis=-1), tf.cast(pictures, tf.int32))
    return tf.cast(laid, tf.uint8)[..., None]
