"""The front end of a recogniser: raw samples -> log-mel features, as a layer, so that it travels with the model.

    frame_t     = hann * samples[t hop : t hop + window]                   zeros where the recording has ended
    power_t,k   = |sum over n of frame_t,n exp(-2 pi i k n / window)|^2    k = 0 .. window / 2
    mel_t,m     = sum over k of power_t,k triangle_k,m
    log_t,m     = ln max(mel_t,m, 1e-8 of the loudest, 1e-10)
    output_t,m  = (log_t,m - mean of all log) / deviation of all log       over the frames of the recording alone

The discrete Fourier transform of all frames is one strided convolution with fixed kernels, cosines and sines times the
window: an operation that every format has. Loudness is a number added to all logarithms, which the mean takes away.
The mean of each band by itself would take a microphone's colour away too, and is customary for sentences (Atal, 1974);
of one short word it takes the vowel.

References: Stevens, Volkmann and Newman, 1937, "A Scale for the Measurement of the Psychological Magnitude Pitch";
Davis and Mermelstein, 1980, "Comparison of Parametric Representations for Monosyllabic Word Recognition in Continuously
Spoken Sentences"; for the mean by band, Atal, 1974, "Effectiveness of Linear Prediction Characteristics of the Speech
Wave for Automatic Speaker Identification and Verification".
"""

import keras
import numpy as np
from keras import ops

from keras_seq.layers.arguments import check_equal_sizes, check_size
from keras_seq.layers.masks import length_mask

# Of the loudest number of a recording: what lies 80 dB below is noise, of the room or of 16 bits.
_RANGE = 1e-8
_QUIETEST = 1e-10


def frame_count(samples, hop):
    """Frames of a recording: one begins every `hop` samples, the last with the last samples.

    Args:
        samples: int or int tensor, number of samples.
        hop: int, samples from one frame to the next.

    Returns:
        int or int tensor, ceil(samples / hop).

    Example:
        >>> frame_count(161, 80), frame_count(160, 80)
        (3, 2)
    """
    return (samples + hop - 1) // hop


def hertz_to_mel(hertz):
    """The mel scale in HTK's formula, 2595 log10(1 + hertz / 700): equal steps sound equally far apart."""
    return 2595 * np.log10(1 + np.asarray(hertz, "float64") / 700)


def mel_to_hertz(mel):
    """The inverse of `hertz_to_mel`."""
    return 700 * (10 ** (np.asarray(mel, "float64") / 2595) - 1)


def mel_matrix(bands, window, rate, lowest=60.0, highest=None):
    """Triangles that sum the bins of a Fourier transform into bands, equally wide on the mel scale.

        triangle_k,m = max(0, min((f_k - e_m) / (e_m+1 - e_m), (e_m+2 - f_k) / (e_m+2 - e_m+1)))

    with f_k = k rate / window the frequency of bin k, and e the edges: bands + 2 frequencies in equal steps of mel.

    `librosa.filters.mel(htk=True, norm=None)` and torchaudio's `melscale_fbanks` are the same. Those of
    `tf.signal.linear_to_mel_weight_matrix` are straight in mel rather than in hertz, which bends their sides a little.

    Args:
        bands: int.
        window: int, samples of a frame, even.
        rate: int, samples a second.
        lowest, highest: float, hertz, edges of the first and the last band; `highest` defaults to rate / 2.

    Returns:
        float32 numpy array `(window // 2 + 1, bands)`.

    Raises:
        ValueError: if the edges do not rise up to rate / 2, or a band is so narrow that no bin lies in it.

    Example:
        >>> [[round(float(share), 2) for share in row] for row in mel_matrix(3, window=16, rate=8000)[:4]]
        [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.27, 0.73, 0.0], [0.0, 0.72, 0.28]]
    """
    highest = rate / 2 if highest is None else highest
    if not 0 <= lowest < highest <= rate / 2:
        raise ValueError(
            f"lowest={lowest} and highest={highest} do not rise within 0 to {rate / 2:g} Hz, half the rate of {rate}"
        )
    edges = mel_to_hertz(np.linspace(hertz_to_mel(lowest), hertz_to_mel(highest), bands + 2))
    bins = np.arange(window // 2 + 1)[:, None] * rate / window  # (bins, 1)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])  # (bins, bands)
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    if not triangles.any(axis=0).all():
        band = int(np.argmin(triangles.any(axis=0)))
        raise ValueError(
            f"bands={bands} leaves band {band} without a bin: a window of {window} at {rate} Hz has bins "
            f"{rate / window:g} Hz apart; choose fewer bands or a longer window"
        )
    return triangles.astype("float32")


def fourier_kernels(window):
    """Cosines and sines times the Hann window, as kernels of a convolution.

    Args:
        window: int, samples of a frame, even.

    Returns:
        float32 numpy array `(window, 1, 2 * bins)`: the real parts' kernels, then the imaginary parts'.

    Reference: Blackman and Tukey, 1958, "The Measurement of Power Spectra" (the window, named after von Hann).
    """
    places = np.arange(window)[:, None]  # (window, 1)
    angles = 2 * np.pi * places * np.arange(window // 2 + 1) / window  # (window, bins)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * places / window)
    return np.concatenate([hann * np.cos(angles), -hann * np.sin(angles)], axis=1)[:, None].astype("float32")


def power_spectrum(samples, kernels, hop):
    """The squared size of the Fourier transform of every frame.

    `tf.square(tf.abs(tf.signal.stft(samples, window, hop, window, pad_end=True)))` is the same.

    Args:
        samples: float32 `(batch, samples)`.
        kernels: `(window, 1, 2 * bins)`, from `fourier_kernels`.
        hop: int, samples from one frame to the next.

    Returns:
        `(batch, frames, bins)`, with `frame_count` frames.
    """
    window, _, parts = kernels.shape
    padded = ops.pad(samples, [[0, 0], [0, window - 1]])  # so that a frame begins at every hop
    padded = ops.expand_dims(padded, -1)  # (batch, samples, 1)
    found = ops.square(ops.conv(padded, kernels, strides=hop, padding="valid", data_format="channels_last"))
    return found[:, :, : parts // 2] + found[:, :, parts // 2 :]  # (batch, frames, bins)


def log_mel(samples, kernels, matrix, hop):
    """Logarithms of the power in each mel band, none further than 80 dB below the recording's loudest.

    Args:
        samples: float32 `(batch, samples)`, 0 behind the end of each recording.
        kernels: `(window, 1, 2 * bins)`, from `fourier_kernels`.
        matrix: `(bins, bands)`, from `mel_matrix`.
        hop: int, samples from one frame to the next.

    Returns:
        `(batch, frames, bands)`
    """
    mel = ops.matmul(power_spectrum(samples, kernels, hop), matrix)  # (batch, frames, bands)
    loudest = ops.max(mel, axis=(1, 2), keepdims=True)  # (batch, 1, 1)
    return ops.log(ops.maximum(mel, ops.maximum(_RANGE * loudest, _QUIETEST)))


def normalize(features, mask):
    """Makes the mean of all numbers of a recording 0 and their deviation 1.

    Args:
        features: float `(batch, time, features)`.
        mask: bool `(batch, time)`, True for the frames of the recording, which alone are counted.

    Returns:
        The shape of `features`, 0 where the mask is False.
    """
    kept = ops.expand_dims(ops.cast(mask, features.dtype), -1)  # (batch, time, 1)
    count = ops.maximum(ops.sum(kept, axis=1, keepdims=True), 1)  # (batch, 1, 1)
    mean = ops.mean(ops.sum(features * kept, axis=1, keepdims=True), axis=2, keepdims=True) / count  # (batch, 1, 1)
    centred = (features - mean) * kept
    variance = ops.mean(ops.sum(ops.square(centred), axis=1, keepdims=True), axis=2, keepdims=True) / count
    # Where nothing is to be heard every number is its mean: 0 stays 0, and has a slope.
    return centred * ops.rsqrt(variance + 1e-4)


@keras.saving.register_keras_serializable("keras_seq")
class LogMel(keras.layers.Layer):
    """Log-mel features of raw audio, normalised for each recording: see the top of this module.

    It has no weights. Everything is computed in float32, whatever the dtype policy: squares of samples have more range
    than float16.

    Args:
        rate: int, samples a second that the audio comes in.
        window: int, samples of a frame, even.
        hop: int, samples from one frame to the next.
        bands: int, mel bands.
        lowest: float, hertz, the lower edge of the first band; the last one ends at rate / 2.

    Call arguments:
        samples: float `(batch, samples)`, from -1 to 1. What lies behind the end of a recording is not looked at.
        lengths: int32 `(batch,)`, samples of each recording.

    Returns:
        `(batch, frames, bands)` with `frame_count(samples, hop)` frames; 0 in frames behind the recording's own
        `frame_count(lengths, hop)`. Silence, and a recording of no samples, give 0 everywhere.

    Raises:
        ValueError: if a size is out of range, a rank is wrong, or the lengths are not whole numbers, one a recording.

    Example:
        >>> layer = LogMel(rate=8000, window=256, hop=80, bands=40)
        >>> tuple(layer(ops.ones((2, 4000)), ops.array([4000, 1600])).shape)
        (2, 50, 40)

    Reference: Davis and Mermelstein, 1980, section II, without the cosine transform.
    """

    def __init__(self, rate=8000, window=256, hop=80, bands=40, lowest=60.0, **kwargs):
        super().__init__(autocast=False, **kwargs)
        for name, size in (("rate", rate), ("window", window), ("hop", hop), ("bands", bands)):
            check_size(name, size)
        if window % 2:
            raise ValueError(f"window={window} is odd; choose an even number of samples, such as {window + 1}")
        self.rate, self.window, self.hop, self.bands, self.lowest = rate, window, hop, bands, lowest
        self._kernels = fourier_kernels(window)
        self._matrix = mel_matrix(bands, window, rate, lowest)
        self.built = True

    def call(self, samples, lengths):
        _check(samples, lengths)
        kept = length_mask(lengths, ops.shape(samples)[1])  # (batch, samples)
        samples = ops.where(kept, ops.cast(samples, "float32"), 0.0)
        features = log_mel(samples, self._kernels, self._matrix, self.hop)  # (batch, frames, bands)
        mask = length_mask(frame_count(lengths, self.hop), ops.shape(features)[1])
        return ops.cast(normalize(features, mask), self.compute_dtype)

    def compute_output_shape(self, samples_shape, lengths_shape=None):
        frames = None if samples_shape[1] is None else frame_count(samples_shape[1], self.hop)
        return (samples_shape[0], frames, self.bands)

    def compute_output_spec(self, samples, lengths):
        _check(samples, lengths)
        return keras.KerasTensor(self.compute_output_shape(samples.shape), self.compute_dtype)

    def get_config(self):
        names = ("rate", "window", "hop", "bands", "lowest")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _check(samples, lengths):
    if len(samples.shape) != 2:
        raise ValueError(f"samples have shape {tuple(samples.shape)}, wanted (batch, samples); mix channels into one")
    check_equal_sizes("lengths", lengths, 0, "samples", samples, 0)
