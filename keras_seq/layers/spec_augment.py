"""Stripes taken out of a spectrogram in training, so that no band and no moment is relied on alone.

    output_t,m = 0   if t lies in one of the stripes of time, or m in one of the stripes of bands;  else input_t,m

Each stripe is as wide as is drawn, from 0 to its limit, and begins anywhere.

Reference: Park et al., 2019, "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition", without
the warping of time.
"""

import keras
from keras import ops

from keras_seq.layers.arguments import check_share


@keras.saving.register_keras_serializable("keras_seq")
class SpecAugment(keras.layers.Layer):
    """Takes stripes of bands and of time out, in training; nothing otherwise.

    Args:
        stripes: int, of each kind; 0 for none.
        bands: float in [0, 1), the widest stripe of bands, as a share of all bands.
        time: float in [0, 1), the longest stripe of time, as a share of the frames that came.
        seed: int, for stripes of its own; None draws one.

    Call arguments:
        features: float `(batch, frames, bands)`, of mean 0 as `keras_seq.layers.LogMel` gives them.
        training: bool.

    Returns:
        The shape of `features`, 0 in the stripes; the mask is passed on.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> layer, features = SpecAugment(seed=1), ops.ones((1, 50, 40))
        >>> bool(ops.all(layer(features) == 1)), bool(ops.all(layer(features, training=True) == 1))
        (True, False)

    Reference: Park et al., 2019, section 2.
    """

    def __init__(self, stripes=2, bands=0.2, time=0.1, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(stripes, int) or isinstance(stripes, bool) or stripes < 0:
            raise ValueError(f"stripes={stripes!r} is no number of stripes; give a whole number, 0 for none")
        check_share("bands", bands)
        check_share("time", time)
        self.stripes, self.bands, self.time, self.seed = stripes, bands, time, seed
        self.supports_masking = True
        if stripes:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, features, training=False):
        if not training or not self.stripes:
            return features
        batch, frames, bands = ops.shape(features)
        moments = self._taken(batch, frames, self.time)  # (batch, frames)
        heights = self._taken(batch, bands, self.bands)  # (batch, bands)
        taken = ops.logical_or(ops.expand_dims(moments, 2), ops.expand_dims(heights, 1))
        return ops.where(taken, ops.zeros((), features.dtype), features)

    def _taken(self, batch, size, share):
        """Which of `size` places lie in a stripe: bool `(batch, size)`."""
        drawn = keras.random.uniform((2, batch, self.stripes, 1), dtype="float32", seed=self.seed_generator)
        places = ops.cast(size, "float32")
        width = drawn[0] * share * places  # (batch, stripes, 1)
        begin = drawn[1] * (places - width)
        place = ops.arange(size, dtype="float32") + 0.5  # the middle of each
        return ops.any(ops.logical_and(place >= begin, place < begin + width), axis=1)

    def compute_output_shape(self, features_shape):
        return features_shape

    def get_config(self):
        names = ("stripes", "bands", "time", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
