"""Lines of verse: whatever the weights say, an output is as long as its source's last line."""

import keras
import numpy as np
import pytest

from keras_seq import decoding
from keras_seq.beam import beam
from keras_seq.models import EqualLength, Seq2Seq, Transformer
from keras_seq.models.verse import keep_length
from keras_seq.sampling import draw_numbers, sample

SEPARATOR, MARK, VOCABULARY, LONGEST = 4, 9, 17, 8
LAST_LINES = np.array([3, 5, 7, 1], "int32")


def noisy(writer):
    """With large random weights, so that without the rule outputs would end anywhere and hold special ids."""
    random = np.random.default_rng(2)
    for weight in writer.weights:
        weight.assign(random.normal(size=weight.shape) * 0.9)
    return EqualLength(writer, SEPARATOR, [MARK])


WRITERS = {
    "seq2seq": lambda **options: Seq2Seq(VOCABULARY, VOCABULARY, embedding_size=6, units=10, **options),
    "transformer": lambda **options: Transformer(
        VOCABULARY, VOCABULARY, units=12, num_layers=2, num_heads=3, feed_forward=11, dropout=0.0, max_target=LONGEST,
        **options,
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=["seq2seq", "transformer"])
def model(request):
    return noisy(WRITERS[request.param](tied=True))


def sources():
    """Alone, and with one and two lines before the last."""
    random, rows = np.random.default_rng(4), np.zeros((4, 14), "int32")
    for row, (before, last) in enumerate(zip(([], [5], [2, 1], [6, 4]), LAST_LINES, strict=True)):
        line = [*(token for length in before for token in [*random.integers(5, VOCABULARY, length), SEPARATOR])]
        line += random.integers(5, VOCABULARY, last).tolist()
        rows[row, : len(line)] = line
    return rows, (rows > 0).sum(axis=1).astype("int32")


def written(decoder, model):
    source, length = sources()
    if decoder == "greedy":
        return decoding.greedy(model, source, length, LONGEST)
    if decoder == "beam":
        return beam(model, source, length, LONGEST, beams=3)
    return sample(model, source, length, LONGEST, draw_numbers(4, LONGEST, 3), temperature=3.0)


@pytest.mark.parametrize("decoder", ["greedy", "beam", "sample"])
def test_every_way_of_decoding_writes_lines_of_the_right_length_in_characters_alone(decoder, model):
    ids, length, log_probability = (np.asarray(array) for array in written(decoder, model))
    assert length.tolist() == LAST_LINES.tolist()
    for row, size in zip(ids, LAST_LINES, strict=True):
        assert (
            not np.isin(row[:size], [0, 1, 2, 3, SEPARATOR, MARK]).any()
            and row[size] == decoding.END
            and not row[size + 1 :].any()
        )
    assert np.abs(log_probability[np.arange(4), LAST_LINES]).max() < 1e-6  # the end was certain


def test_without_the_rule_the_same_weights_write_other_lengths(model):
    source, length = sources()
    assert np.asarray(decoding.greedy(model.writer, source, length, LONGEST)[1]).tolist() != LAST_LINES.tolist()


def test_steps_give_what_teacher_forcing_gives(model):
    source, length = sources()
    target = np.random.default_rng(6).integers(3, VOCABULARY, (4, LONGEST)).astype("int32")
    target[:, 0] = decoding.START
    forced = np.asarray(model({"source": source, "target": target}))
    memory, state = model.encode(source, length)
    for position in range(LONGEST):
        logits, state = model.step(target[:, position], state, memory)
        np.testing.assert_allclose(logits, forced[:, position], atol=2e-5)


def test_what_is_in_the_padding_and_behind_the_length_changes_nothing(model):
    source, length = sources()
    noise = source.copy()
    noise[np.arange(14) >= length[:, None]] = SEPARATOR
    ids = [np.asarray(decoding.greedy(model, own, length, LONGEST)[0]) for own in (source, noise)]
    assert (ids[0] == ids[1]).all()


def test_only_characters_and_then_only_the_end_are_in_reach():
    logits = np.tile(np.array([9.0, 9.0, 9.0, 9.0, 1.0, 80.0]), (3, 1))
    position, length = np.array([0, 1, 2]), np.array([2, 2, 2])
    kept = np.asarray(keep_length(logits, position, length))
    without = np.asarray(keep_length(logits, position, length, never=[5]))
    assert without[:2].tolist() == [[-100.0] * 4 + [1.0, -100.0]] * 2 and without[2].tolist() == kept[2].tolist()
    assert kept[:2].tolist() == [[-100.0, -100.0, -100.0, -100.0, 1.0, 50.0]] * 2
    assert kept[2].tolist() == [-100.0, -100.0, 9.0, -100.0, -100.0, -100.0]


def test_it_survives_saving(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    source, _ = sources()
    target = np.full((4, 3), 7)
    np.testing.assert_allclose(
        loaded({"source": source, "target": target}), model({"source": source, "target": target}), atol=1e-6
    )
    assert (np.asarray(written("beam", loaded)[0]) == np.asarray(written("beam", model)[0])).all()


@pytest.mark.parametrize("name", ["seq2seq", "transformer"])
def test_tied_one_matrix_embeds_and_reads_out(name):
    tied, untied = (WRITERS[name](tied=value) for value in (True, False))
    sizes = [sum(VOCABULARY in weight.shape and weight.shape[0] == VOCABULARY for weight in own.weights)
             for own in (tied, untied)]  # fmt: skip
    assert sizes[0] == 1 and sizes[1] >= 2
    with pytest.raises(ValueError, match="tied=True with 17 source and 13 target ids, wanted one vocabulary"):
        type(tied)(VOCABULARY, 13, tied=True)


@pytest.mark.parametrize(("separator", "marks"), [(3, []), (0, []), ("，", []), (4.0, []), (4, [5, 2])])
def test_a_separator_or_mark_that_is_no_character_is_refused(separator, marks):
    with pytest.raises(ValueError, match="is no character's id; give whole numbers above 3"):
        EqualLength(WRITERS["seq2seq"](), separator, marks)
