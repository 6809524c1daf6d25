"""Dialogue: what of a conversation a model reads, how dialogues are drawn and scored, and how one converses."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from keras_seq import data
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.ngrams import KneserNey
from keras_seq.recipes import dialogue
from keras_seq.recipes.dialogue import Talk
from keras_seq.recipes.sentence_pairs import PairsConfig, train

TURNS = ["A table.", "In which city?", "In Rome, for two.", "At what time?", "At 7."]
ROW = {"dialogue": "d", "source": "At\n7.", "target": "It is > 8, < 9.", "context": TURNS[:4]}


@pytest.mark.parametrize(
    ("turns", "source"),
    [
        (0, "> At 7."),
        (1, "< At what time? > At 7."),
        (3, "< In which city? > In Rome, for two. < At what time? > At 7."),
        (9, "> A table. < In which city? > In Rome, for two. < At what time? > At 7."),
    ],
)
def test_marks_say_who_spoke_however_many_turns_are_read(turns, source):
    (found,) = dialogue.pairs([ROW], turns, room=50)
    assert found == {"dialogue": "d", "source": source, "target": "It is 8, 9."}


def test_a_tokenizer_keeps_the_marks():
    text = dialogue.joined(TURNS)
    tokenizer = Tokenizer.train([text] * 3, kind="bpe", collapse_spaces=True, vocabulary_size=300)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert (
        sum(token.strip("Ġ") in (">", "<") for token in map(tokenizer.vocabulary.__getitem__, tokenizer.encode(text)))
        == 5
    )


@pytest.mark.parametrize("room", range(1, 30))
def test_what_is_too_long_loses_its_first_words_and_never_the_user_s_turn(room):
    whole, last = dialogue.joined(TURNS), "> At 7."
    found = dialogue.cut(whole, room)
    assert whole.endswith(found) and found.endswith(last)
    assert dialogue.pieces(found) <= room or found == last
    if found != whole:  # one word more would be too much
        word = whole.removesuffix(found).split()[-1]
        assert dialogue.pieces(f"{word} {found}") > room


def test_a_text_without_marks_is_left_whole():
    assert dialogue.cut("At what time?", room=2) == "At what time?"


def test_turns_that_cannot_be_read_are_refused():
    with pytest.raises(ValueError, match="turns=-1 is negative; give 0"):
        dialogue.pairs([ROW], -1, 9)
    with pytest.raises(ValueError, match=r"has the keys \['source', 'target'\], wanted dialogue, source, target, cont"):
        dialogue.pairs([{"source": "a", "target": "b"}], 3, 9)
    with pytest.raises(ValueError, match="no turns to join; give the user's"):
        dialogue.joined([])


def test_dialogues_are_drawn_whole_and_the_same_for_a_seed():
    rows = dialogue.toy(12)
    found = dialogue.drawn(rows, 23, seed=3)
    names = [row["dialogue"] for row in found]
    assert len(found) == 23 and len(set(names)) == 6  # four turns each, the last one cut
    assert [len(row["context"]) for row in found] == [0, 2, 4, 6] * 5 + [0, 2, 4]
    assert found == dialogue.drawn(rows, 40, seed=3)[:23] != dialogue.drawn(rows, 23, seed=4)
    assert sorted(names, key=names.index) == names != sorted(names, key=lambda name: int(name.split()[1]))
    assert len(dialogue.drawn(rows, 99)) == 48


class Uniform:
    """A writer that thinks every one of ten tokens equally likely; a word is two tokens."""

    def log_likelihood(self, rows):
        tokens = np.array([1.0 + 2 * len(row["target"].split()) for row in rows])
        return np.stack([-tokens * np.log(10), tokens], axis=1)


def test_answers_are_counted_by_dialogue_with_their_ends():
    targets = [("a", "one two"), ("b", "three"), ("a", "four five six")]
    rows = [{"dialogue": name, "source": ">", "target": target} for name, target in targets]
    counts = dialogue.likelihoods(Uniform(), rows)
    assert counts[:, 1:].tolist() == [[12, 7], [3, 2]]
    assert dialogue.token_perplexity(counts) == pytest.approx([10, 10])
    assert dialogue.word_perplexity(counts.sum(axis=0)) == pytest.approx(10 ** (15 / 9))


class Parrot:
    """A writer of one token a word that answers with what it reads, and keeps it."""

    def __init__(self, limit):
        self.limits, self.read, self.source = (limit, 5), [], SimpleNamespace(encode=str.split)

    def write(self, texts, **options):
        self.read.append((*texts, options))
        return [f"< no.{len(self.read)} "]


def test_a_conversation_is_read_with_its_last_turns():
    parrot = Parrot(99)
    talk = Talk(parrot, turns=3)
    answers = [talk.ask(text, beams=4) for text in (" one\n", "2 > 1", "three")]
    assert answers == ["no.1", "no.2", "no.3"]
    assert talk.turns == ["one", "no.1", "2 1", "no.2", "three", "no.3"]
    sources = ["> one", "> one < no.1 > 2 1", "< no.1 > 2 1 < no.2 > three"]
    assert parrot.read == [(source, {"beams": 4}) for source in sources]


def test_a_long_conversation_is_cut_by_the_model_s_own_tokens():
    talk = Talk(Parrot(6))
    talk.ask("one two three")
    assert talk.source("four five") == "three < no.1 > four five"
    assert talk.source("a b c d e") == "> a b c d e"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n", "' .n' has 0 tokens; say something of 1 to 5, or less at a time"),
        ("<>", "'<>' has 0 tokens"),
        ("a b c d e f", "'a b c d e f' has 6 tokens; say something of 1 to 5"),
    ],
)
def test_what_cannot_be_answered_is_refused_and_forgotten(text, message):
    talk = Talk(Parrot(6))
    with pytest.raises(ValueError, match=message):
        talk.ask(text)
    assert talk.turns == [] and talk.ask("go on") == "no.1"


def test_made_up_answers_need_the_turns_before():
    rows = [row for row in dialogue.toy(30) if len(row["context"]) == 4]
    city = [row["context"][0].rstrip(".").split()[-1] for row in rows]
    assert len(set(city)) > 2 and all(name in row["target"] for name, row in zip(city, rows, strict=True))
    assert not any(name in row["source"] for name, row in zip(city, rows, strict=True))


@pytest.mark.skipif("KERAS_SEQ_DATA" not in os.environ, reason="KERAS_SEQ_DATA names no folder with raw/sgd")
def test_real_answers_are_foretold_from_what_was_said(tmp_path):
    """The floor is what can be foretold of the answers alone, from the token before each."""
    counts = {"train": 4900, "validation": 100, "test": 500}  # few: XLA would take minutes
    parts = {
        part: dialogue.pairs(dialogue.drawn(data.load("sgd", part), count), turns=1, room=36)
        for part, count in counts.items()
    }
    config = PairsConfig(
        units=64, num_layers=1, feed_forward=128, dropout=0.1, vocabulary_size=1500, limits=(48, 40), epochs=8,
        batch_tokens=1536, learning_rate=6e-3, average=1, warmup_share=0.2, label_smoothing=0.0,
    )  # fmt: skip
    writer, _ = train(config, parts, tmp_path / "run", verbose=0)
    ids = {
        part: [[*own, Tokenizer.END] for own in writer.target.encode_batch([row["target"] for row in parts[part]])]
        for part in ("train", "test")
    }
    pairs = KneserNey(ids["train"], range(Tokenizer.END, len(writer.target)), order=2)
    found = dialogue.likelihoods(writer, parts["test"]).sum(axis=0)
    assert dialogue.token_perplexity(found) < 0.9 * pairs.perplexity(ids["test"])
