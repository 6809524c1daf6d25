"""The log-mel front end: equal to tf.signal and to librosa's formula, deaf to loudness and to what is not there."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.layers import LogMel, frame_count, log_mel, mel_matrix
from keras_seq.layers.spectrogram import fourier_kernels, hertz_to_mel, mel_to_hertz, power_spectrum

RATE, WINDOW, HOP, BANDS = 8000, 256, 80, 40


def tone(hertz, samples=2400, loud=0.5):
    return (loud * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)).astype("float32")


def noise(*shape, seed=0):
    return (0.1 * np.random.default_rng(seed).normal(size=shape)).astype("float32")


@pytest.fixture(scope="module")
def layer():
    return LogMel(RATE, WINDOW, HOP, BANDS)


@pytest.mark.parametrize("samples", [1, 79, 80, 81, 2400, 2477])
def test_the_spectrum_is_that_of_tf_signal(samples):
    audio = noise(2, samples) + 0.3
    ours = power_spectrum(audio, fourier_kernels(WINDOW), HOP)
    theirs = tf.square(tf.abs(tf.signal.stft(audio, WINDOW, HOP, WINDOW, pad_end=True)))
    assert ours.shape == theirs.shape == (2, frame_count(samples, HOP), 129)
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.max(theirs))


def test_the_triangles_are_librosa_s():
    """librosa.filters.mel(sr=8000, n_fft=256, n_mels=40, fmin=60, htk=True, norm=None), as its source computes it."""
    frequencies = np.fft.rfftfreq(WINDOW, 1 / RATE)
    edges = mel_to_hertz(np.linspace(hertz_to_mel(60.0), hertz_to_mel(4000.0), BANDS + 2))
    spread, ramps = np.diff(edges), np.subtract.outer(edges, frequencies)
    theirs = np.stack(
        [np.maximum(0, np.minimum(-ramps[i] / spread[i], ramps[i + 2] / spread[i + 1])) for i in range(BANDS)], axis=1
    )
    np.testing.assert_allclose(mel_matrix(BANDS, WINDOW, RATE), theirs, atol=1e-6)


def test_the_features_are_those_of_tf_signal_but_for_the_bent_triangles():
    audio = noise(1, 4000) + tone(440, 4000) + tone(1330, 4000, 0.1)
    matrix = tf.signal.linear_to_mel_weight_matrix(BANDS, WINDOW // 2 + 1, RATE, 60.0, 4000.0)
    power = tf.square(tf.abs(tf.signal.stft(audio, WINDOW, HOP, WINDOW, pad_end=True)))
    same_triangles = tf.math.log(power @ mel_matrix(BANDS, WINDOW, RATE))
    ours = log_mel(audio, fourier_kernels(WINDOW), mel_matrix(BANDS, WINDOW, RATE), HOP)
    np.testing.assert_allclose(ours, same_triangles, atol=1e-3)
    np.testing.assert_allclose(
        ours, log_mel(audio, fourier_kernels(WINDOW), matrix, HOP), atol=1.0
    )  # of a range of 11: narrow low bands differ most
    assert np.corrcoef(np.ravel(ours), np.ravel(tf.math.log(power @ matrix)))[0, 1] > 0.99


def test_the_mel_scale_is_a_thousand_at_a_thousand_hertz():
    assert hertz_to_mel(1000) == pytest.approx(1000, abs=0.02)
    np.testing.assert_allclose(mel_to_hertz(hertz_to_mel([0, 60, 440, 4000])), [0, 60, 440, 4000], atol=1e-9)


@pytest.mark.parametrize("hertz", [200, 700, 3100])
def test_a_tone_is_loudest_in_the_band_around_it(hertz):
    features = np.asarray(log_mel(tone(hertz)[None], fourier_kernels(WINDOW), mel_matrix(BANDS, WINDOW, RATE), HOP))
    edges = mel_to_hertz(np.linspace(hertz_to_mel(60.0), hertz_to_mel(4000.0), BANDS + 2))
    band = int(features[0, 10].argmax())
    assert edges[band] < hertz < edges[band + 2]


def test_loudness_makes_no_difference_and_all_numbers_have_mean_0_and_deviation_1(layer):
    audio, length = noise(1, 3000) * np.linspace(0.1, 1, 3000, dtype="float32"), np.array([3000])
    same = np.asarray(layer(audio, length))
    np.testing.assert_allclose(layer(audio * 0.02, length), same, atol=1e-3)
    np.testing.assert_allclose(layer(audio * 3000, length), same, atol=1e-3)
    assert abs(same.mean()) < 1e-4 and same.std() == pytest.approx(1, abs=1e-3)
    tones = np.asarray(layer(np.stack([tone(300, 900), tone(2500, 900)]), np.array([900, 900])))
    assert np.abs(tones[0] - tones[1]).mean() > 0.3  # what stays the same throughout is not taken away


@pytest.mark.parametrize("padding", [0, 1, 79, 80, 1000])
def test_a_recording_is_the_same_whatever_is_behind_it(layer, padding):
    lengths, batch = np.array([2400, 1555]), noise(2, 2400 + padding, seed=3)
    found = np.asarray(layer(batch, lengths))
    assert found.shape == (2, frame_count(2400 + padding, HOP), BANDS)
    for row, length in enumerate(lengths):
        alone = np.asarray(layer(batch[row : row + 1, :length], lengths[row : row + 1]))[0]
        np.testing.assert_allclose(found[row, : len(alone)], alone, atol=2e-5)
        assert len(alone) == frame_count(length, HOP) and not found[row, len(alone) :].any()


def test_silence_and_nothing_at_all_are_zeros(layer):
    audio = np.stack([np.zeros(900), np.ones(900), tone(500, 900)]).astype("float32")
    found = np.asarray(layer(audio, np.array([900, 0, 900])))
    assert np.isfinite(found).all() and np.abs(found[:2]).max() < 1e-3 < np.abs(found[2]).max()


def test_it_computes_in_float32_under_half_precision():
    audio, length = noise(1, 2000) * 1e-3, np.array([2000])  # squares of 1e-3 are lost in float16
    half = LogMel(RATE, WINDOW, HOP, BANDS, dtype="mixed_float16")(audio, length)
    assert keras.backend.standardize_dtype(half.dtype) == "float16"
    np.testing.assert_allclose(half, LogMel(RATE, WINDOW, HOP, BANDS)(audio, length), atol=1e-2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LogMel(window=255), "window=255 is odd; choose an even number of samples, such as 256"),
        (lambda: LogMel(hop=0), "hop=0 is not a width"),
        (
            lambda: LogMel(bands=120),
            "bands=120 leaves band 3 without a bin: .* bins 31.25 Hz apart; choose fewer bands",
        ),
        (
            lambda: mel_matrix(4, 256, 8000, highest=5000.0),
            "lowest=60.0 and highest=5000.0 do not rise within 0 to 4000",
        ),
        (lambda: LogMel()(np.ones((2, 99, 2)), np.ones(2, "int32")), "wanted .batch, samples.; mix channels into one"),
        (lambda: LogMel()(np.ones((2, 99)), np.ones(3, "int32")), "lengths of shape .* they must be equal"),
        (lambda: LogMel()(np.ones((2, 99)), np.ones(2)), "lengths are float.*wanted int32"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
