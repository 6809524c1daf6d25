"""Conversations as pairs: what was said last, with marks of who said it -> what is answered.

    > A table, please. < In which city? > In Rome, for two.        ->        At what time?

`>` stands before a turn of the user, `<` before one of the system. They are characters like others, which a tokenizer
keeps, and are taken out of what people say. What the model cannot read any more is cut on the left, so that the turn to
be answered is always whole.
"""

import re

import numpy as np

from keras_seq.data.catalogue import sgd

USER, SYSTEM = ">", "<"
TURNS = 3
"""Turns before the user's that the model reads: the answer before it, what was asked, and the answer before that."""
_PIECE = re.compile(r"\w+|[^\w\s]")
_TURN_KEYS = ("dialogue", "source", "target", "context")


def turn(text):
    """A turn on one line, without the marks.

    Args:
        text: str.

    Returns:
        str.

    Example:
        >>> turn("5 > 3?\\n Yes.")
        '5 3? Yes.'
    """
    return " ".join(text.replace(USER, " ").replace(SYSTEM, " ").split())


def pieces(text):
    """Words and signs in a text: by how much it may be too long, before there is a tokenizer to ask."""
    return len(_PIECE.findall(text))


def joined(turns):
    """The turns of a conversation as one text, with marks of who spoke.

    Args:
        turns: list of str, user's and system's in turn, the user's last.

    Returns:
        str.

    Raises:
        ValueError: if there are no turns.

    Example:
        >>> joined(["A table.", "In which city?", "In Rome."])
        '> A table. < In which city? > In Rome.'
    """
    if not turns:
        raise ValueError("there are no turns to join; give the user's at least")
    marks = (USER, SYSTEM)
    return " ".join(f"{marks[(len(turns) - 1 - place) % 2]} {own}" for place, own in enumerate(turns))


def cut(text, room, length=pieces):
    """A conversation without its first words, where it is too long; the user's last turn stays whole.

    Args:
        text: str, as `joined` gives.
        room: int, the most that the text may have by `length`, unless the last turn alone has more.
        length: function of a text to int.

    Returns:
        str.

    Example:
        >>> cut("> A table. < In which city? > In Rome.", room=7)
        'which city? > In Rome.'
    """
    before, mark, last = text.rpartition(USER)
    words = before.split()
    while words and length(" ".join([*words, mark + last])) > room:
        del words[0]
    return " ".join([*words, mark + last])


def pairs(rows, turns, room):
    """What is read and what is answered.

    Args:
        rows: list of `{"dialogue", "source", "target", "context"}`, as `keras_seq.data.load("sgd")` gives.
        turns: int, turns before the user's to be read, at most.
        room: int, `pieces` to be read, at most.

    Returns:
        list of `{"dialogue", "source", "target"}`, one for each row.

    Raises:
        ValueError: if `turns` is negative, or a row has not the four keys.
    """
    if turns < 0:
        raise ValueError(f"turns={turns} is negative; give 0 for the user's turn alone")
    found = []
    for row in rows:
        if not set(_TURN_KEYS) <= set(row):
            raise ValueError(
                f"a row has the keys {sorted(row)}, wanted {', '.join(_TURN_KEYS)}; give rows of load('sgd')"
            )
        read = [*_last(row["context"], turns), row["source"]]
        source = cut(joined([turn(text) for text in read]), room)
        found.append({"dialogue": row["dialogue"], "source": source, "target": turn(row["target"])})
    return found


def _last(turns, count):
    return turns[max(0, len(turns) - count) :]


def drawn(rows, count, seed=0):
    """Rows of dialogues that are drawn, each dialogue whole but for the last.

    Args:
        rows: list of dicts with "dialogue".
        count: int, how many rows.
        seed: int.

    Returns:
        list of `count` rows, or of all where there are fewer; those of a dialogue in their order.
    """
    names = dict.fromkeys(row["dialogue"] for row in rows)
    places = dict(zip(names, np.random.default_rng(seed).permutation(len(names)).tolist(), strict=True))
    return sorted(rows, key=lambda row: places[row["dialogue"]])[:count]


def likelihoods(writer, rows):
    """What a model gives the answers of each dialogue: turns of one dialogue are alike, and are drawn anew together.

    Args:
        writer: `keras_seq.recipes.pair_writer.PairWriter`.
        rows: list of `{"dialogue", "source", "target"}`.

    Returns:
        float64 `(dialogues, 3)`: log-likelihood of the answers, tokens in them, words in them; each answer's end counts
        as a token and as a word.
    """
    names = dict.fromkeys(row["dialogue"] for row in rows)
    places = {name: place for place, name in enumerate(names)}
    words = [1 + len(row["target"].split()) for row in rows]
    found = np.zeros((len(names), 3))
    np.add.at(found, [places[row["dialogue"]] for row in rows], np.column_stack([writer.log_likelihood(rows), words]))
    return found


def token_perplexity(counts):
    """Perplexity a token, of sums of `likelihoods` `(..., 3)`; depends on what a token is."""
    return np.exp(-counts[..., 0] / counts[..., 1])


def word_perplexity(counts):
    """Perplexity a word, of sums of `likelihoods` `(..., 3)`; comparable between vocabularies."""
    return np.exp(-counts[..., 0] / counts[..., 2])


def tokens_of(writer):
    """Function of a text to the number of tokens that a model reads of it: a `length` for `cut`."""
    return lambda text: len(writer.source.encode(text))


class Talk:
    """A conversation with a trained model.

    Args:
        writer: `keras_seq.recipes.pair_writer.PairWriter`.
        turns: int, turns before the user's that the model reads.

    Attributes:
        turns: list of str, what was said, the user's and the model's in turn.

    Example:
        talk = Talk(PairWriter.load("runs/13_dialogue/transformer"))
        talk.ask("I'd like a table.", beams=4)             # "In which city?"
        talk.ask("In Rome.", beams=4)                      # "At what time?"
    """

    def __init__(self, writer, turns=TURNS):
        self.turns = []
        self._writer, self._before = writer, turns

    def source(self, text):
        """What the model reads when the user says `text` now.

        Args:
            text: str.

        Returns:
            str.

        Raises:
            ValueError: if there is nothing in it to answer, or more than the model can read.
        """
        own, room, tokens = turn(text), self._writer.limits[0], tokens_of(self._writer)
        source = cut(joined([*_last(self.turns, self._before), own]), room, tokens)
        if not own or tokens(source) > room:
            raise ValueError(
                f"{text[:60]!r} has {tokens(own)} tokens; say something of 1 to {room - 1}, or less at a time"
            )
        return source

    def ask(self, text, **options):
        """What the model answers; both are kept as turns.

        Args:
            text: str.
            options: of `PairWriter.write`: `beams`, or `temperature`, `top_p` and `seed`.

        Returns:
            str.

        Raises:
            ValueError: as `source`.
        """
        answer = turn(self._writer.write([self.source(text)], **options)[0])
        self.turns += [turn(text), answer]
        return answer


def toy(count, seed=0):
    """Made-up dialogues of four turns each side, whose answers need the turns before; for trying out.

    Args:
        count: int, dialogues.
        seed: int.

    Returns:
        list of `{"dialogue", "source", "target", "context"}`.
    """
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        city, food, hour = (str(random.choice(words.split())) for words in _TOY)
        user = [f"Find me a table in {city}.", f"{food}, please.", f"At {hour}.", random.choice(["Yes.", "Thank you."])]
        system = ["What do you want to eat?", f"There is {food} food in {city}. At what time?",
                  f"{food} food in {city} at {hour}, right?", "Have a nice day."]  # fmt: skip
        rows += sgd.records({"dialogue": f"toy {number}", "user": list(map(str, user)), "system": system})
    return rows


_TOY = ("Rome Oslo Lima Paris Delhi", "Thai Greek French Indian", "six seven eight nine")
