"""Strings of recordings: drawn by seed and epoch alone, as long as they were said to be, from one part and speaker."""

import dataclasses
import os

import numpy as np
import pytest

from keras_seq.data import speech, toy_speech
from keras_seq.data.speech import Mixer, Mixing, StringBatches
from keras_seq.data.tokenizer import Tokenizer

ROWS = toy_speech.recordings(3, seed=1)
TOKENIZER = Tokenizer.train([" ".join(speech.NAMES)], kind="token")
MIXING, DIGITS = Mixing(), (1, 4)


def batches(**changes):
    options = {"count": 20, "batch_size": 6, "mixing": MIXING, "longest": 12000, "boundaries": [4000, 8000],
               "digits": DIGITS, "seed": 3, "decoder": True, **changes}  # fmt: skip
    count, size = options.pop("count"), options.pop("batch_size")
    return StringBatches(ROWS, TOKENIZER, count, size, **options)


def arrays(dataset):
    return [
        [np.asarray(array) for array in (*inputs.values(), labels)] for inputs, labels in dataset.as_numpy_iterator()
    ]


def test_a_string_is_as_long_as_was_drawn_and_says_what_is_written():
    mixer, random = Mixer(ROWS, dataclasses.replace(MIXING, nothing=0.2), DIGITS), np.random.default_rng(0)
    plans = [mixer.draw(random, 16000) for _ in range(60)]
    assert {len(plan.places) for plan in plans} == {0, 1, 2, 3, 4} and max(plan.samples for plan in plans) <= 16000
    for plan in plans:
        audio = mixer.make(plan, random)
        assert audio.shape == (plan.samples,) and audio.dtype == "float32" and np.abs(audio).max() <= 1
        assert mixer.text(plan).split() == [speech.NAMES[int(ROWS[place]["label"])] for place in plan.places]
    speakers = [{ROWS[place]["speaker"] for place in plan.places} for plan in plans if len(plan.places) > 2]
    assert {len(own) for own in speakers} == {1, 2}


def test_a_plain_string_is_its_recordings_with_noise_between():
    mixer = Mixer(ROWS, dataclasses.replace(MIXING.plain(), decibels=(40, 40)), (2, 2))
    random = np.random.default_rng(5)
    plan = mixer.draw(random, 99999)
    audio, begin, spans = mixer.make(plan, random), 0, []
    for place, length, pause in zip(plan.places, plan.lengths, plan.pauses, strict=False):
        quiet, begin = audio[begin : begin + pause], begin + pause
        own, heard = ROWS[place]["audio"].astype("float64"), audio[begin : begin + length]
        assert length == len(own) and np.corrcoef(own, heard)[0, 1] > 0.99
        assert not pause or 0 < np.std(quiet) < 0.05 * np.std(heard)
        spans.append((begin, begin + length))
        begin += length
    assert plan.spans == spans


def test_an_epoch_is_the_same_each_time_and_the_next_one_another():
    first, again, other = (arrays(batches()(epoch)) for epoch in (2, 2, 3))
    assert batches().steps == len(first) == 4
    for one, two in zip(first, again, strict=True):
        for array, same in zip(one, two, strict=True):
            np.testing.assert_array_equal(array, same)
    assert {own[-1].tobytes() for own in first} != {own[-1].tobytes() for own in other}
    fixed = batches(shuffle=False)
    assert [own[-1].tolist() for own in arrays(fixed(0))] == [own[-1].tolist() for own in arrays(fixed(7))]


def test_batches_have_few_widths_and_targets_begin_and_labels_end():
    for source, length, target, labels in arrays(batches()(0)):
        assert source.shape[0] == 6 and source.shape[1] in (4000, 8000, 12000)
        for row in range(6):
            assert not source[row, length[row] :].any()
            said = labels[row][labels[row] > 0].tolist()
            assert said[-1] == Tokenizer.END and target[row, : len(said)].tolist() == [Tokenizer.START, *said[:-1]]
    source, length, labels = arrays(batches(decoder=False)(0))[0]
    assert not (labels == Tokenizer.END).any()


def test_strings_grow_by_a_digit_every_few_epochs():
    for epoch, most in enumerate([1, 1, 2, 2, 3]):
        labels = np.concatenate([own[-1] for own in arrays(batches(grow=2, longest=20000)(epoch))])
        assert np.count_nonzero(labels, axis=1).max() == most + 1  # and the end


def test_a_recording_is_stretched_with_its_pitch():
    wave = np.sin(2 * np.pi * 500 * np.arange(2000) / 8000)
    shorter = speech.stretched(wave, 1600)
    assert np.abs(np.fft.rfft(shorter)).argmax() * 8000 / 1600 == 625 and np.std(shorter) == pytest.approx(0.7, 0.02)


def test_a_speaker_left_out_is_heard_in_the_test_alone():
    parts = {"train": ROWS[:20], "validation": ROWS[20:40], "test": ROWS[40:]}
    found = speech.without_speaker(parts, "left")
    assert {row["speaker"] for part in ("train", "validation") for row in found[part]} <= {"right"}
    assert {row["speaker"] for row in found["test"]} == {"left"} and len(found["test"]) == 30
    with pytest.raises(ValueError, match="speaker='nobody' cannot be left out of .'left', 'right'.; choose one"):
        speech.without_speaker(parts, "nobody")


def test_strings_that_fit_into_nothing_are_refused():
    with pytest.raises(ValueError, match="no string of 2 to 4 digits fits into 900 samples; allow longer ones"):
        Mixer(ROWS, MIXING.plain(), (2, 4)).draw(np.random.default_rng(0), 900)


def test_recordings_of_several_rates_are_refused():
    with pytest.raises(ValueError, match="of rates .8000, 16000. came; give some, all of one rate"):
        Mixer([ROWS[0], {**ROWS[1], "rate": 16000}], MIXING, DIGITS)


@pytest.mark.skipif("KERAS_SEQ_DATA" not in os.environ, reason="KERAS_SEQ_DATA is not set: no real recordings")
def test_test_strings_are_of_test_recordings_and_always_the_same():
    from keras_seq.recipes.speech import SpeechConfig, load_parts, test_strings

    rows = load_parts()["test"]
    first, again = (test_strings(SpeechConfig(test_strings=40), rows) for _ in range(2))
    assert all(np.array_equal(a, b) and text == same for (a, text), (b, same) in zip(first, again, strict=True))
    assert {len(text.split()) for _, text in first} == {2, 3, 4, 5, 6} and {row["recording"] for row in rows} == set(
        range(5)
    )
