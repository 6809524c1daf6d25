"""Layers and the pure functions under them, one idea a file."""

from keras_seq.layers.attention import AdditiveAttention, additive_scores, combine_masks, masked_softmax
from keras_seq.layers.decoder import AttentionDecoder, ContextDecoder
from keras_seq.layers.masks import length_mask, mask_lengths, padding_mask

__all__ = [
    "AdditiveAttention",
    "AttentionDecoder",
    "ContextDecoder",
    "additive_scores",
    "combine_masks",
    "length_mask",
    "mask_lengths",
    "masked_softmax",
    "padding_mask",
]
