"""A tensor with an implicit mask."""

import keras


class Masked(keras.layers.Layer):
    """Passes a tensor on with the mask given, as `keras.layers.Masking` and `Embedding(mask_zero=True)` do."""

    def __init__(self, mask, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self._mask = mask

    def call(self, inputs):
        return inputs

    def compute_mask(self, inputs, previous_mask=None):
        return self._mask
