"""Layers and the pure functions under them, one idea a file."""

from keras_seq.layers.attention import AdditiveAttention, Attention, masked_softmax
from keras_seq.layers.cache import write_at
from keras_seq.layers.concat_linear import ConcatLinearAttention
from keras_seq.layers.decoder import AttentionDecoder, ContextDecoder
from keras_seq.layers.masks import causal_mask, combine_masks, length_mask, mask_lengths, padding_mask
from keras_seq.layers.multi_head import MultiHeadAttention, fused_attention, multi_head_weights
from keras_seq.layers.scores import (
    AdditiveScore,
    DotScore,
    GeneralScore,
    ScaledDotScore,
    ScoringRule,
    TanhSumScore,
    additive_scores,
    dot_scores,
)

__all__ = [
    "AdditiveAttention",
    "AdditiveScore",
    "Attention",
    "AttentionDecoder",
    "ConcatLinearAttention",
    "ContextDecoder",
    "DotScore",
    "GeneralScore",
    "MultiHeadAttention",
    "ScaledDotScore",
    "ScoringRule",
    "TanhSumScore",
    "additive_scores",
    "causal_mask",
    "combine_masks",
    "dot_scores",
    "fused_attention",
    "length_mask",
    "mask_lengths",
    "masked_softmax",
    "multi_head_weights",
    "padding_mask",
    "write_at",
]
