"""Layers and the pure functions under them, one idea a file."""

from keras_seq.layers.attention import AdditiveAttention, Attention, masked_softmax
from keras_seq.layers.attention_pooling import AttentionPooling
from keras_seq.layers.cache import write_at
from keras_seq.layers.characters import CharacterConvolution
from keras_seq.layers.concat_linear import ConcatLinearAttention
from keras_seq.layers.convolution import CrossCorrelation2D, cross_correlation, parameter_count
from keras_seq.layers.decoder import AttentionDecoder, ContextDecoder
from keras_seq.layers.dropout import Dropout, dropout
from keras_seq.layers.embedding import Readout, ScaledEmbedding
from keras_seq.layers.feed_forward import FeedForward, gelu
from keras_seq.layers.masks import causal_mask, combine_masks, length_mask, mask_lengths, padding_mask
from keras_seq.layers.multi_head import MultiHeadAttention, fused_attention, multi_head_weights
from keras_seq.layers.normalization import LayerNormalization, Residual, layer_normalization
from keras_seq.layers.over_time import MaxOverTime, MeanOverTime
from keras_seq.layers.pooling import AveragePooling2D, MaxPooling2D, average_pooling, max_pooling
from keras_seq.layers.positions import LearnedPositions, RandomPositions, SinusoidalPositions, sinusoidal_positions
from keras_seq.layers.recurrent import GRUCell, LSTMCell, SimpleRNNCell
from keras_seq.layers.recurrent_steps import gru_step, lstm_step, simple_rnn_step
from keras_seq.layers.recurrent_weights import convert_recurrent_weights
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
from keras_seq.layers.spec_augment import SpecAugment
from keras_seq.layers.spectrogram import LogMel, frame_count, log_mel, mel_matrix
from keras_seq.layers.subsampling import ConvolutionSubsampling, subsampled
from keras_seq.layers.transformer import Decoder, DecoderLayer, Encoder, EncoderLayer
from keras_seq.layers.visual_decoder import VisualAttentionDecoder
from keras_seq.layers.windows import output_size, windows

__all__ = [
    "AdditiveAttention",
    "AdditiveScore",
    "Attention",
    "AttentionDecoder",
    "AttentionPooling",
    "AveragePooling2D",
    "CharacterConvolution",
    "ConcatLinearAttention",
    "ContextDecoder",
    "ConvolutionSubsampling",
    "CrossCorrelation2D",
    "Decoder",
    "DecoderLayer",
    "DotScore",
    "Dropout",
    "Encoder",
    "EncoderLayer",
    "FeedForward",
    "GRUCell",
    "GeneralScore",
    "LSTMCell",
    "LayerNormalization",
    "LearnedPositions",
    "LogMel",
    "MaxOverTime",
    "MaxPooling2D",
    "MeanOverTime",
    "MultiHeadAttention",
    "RandomPositions",
    "Readout",
    "Residual",
    "ScaledDotScore",
    "ScaledEmbedding",
    "ScoringRule",
    "SimpleRNNCell",
    "SinusoidalPositions",
    "SpecAugment",
    "TanhSumScore",
    "VisualAttentionDecoder",
    "additive_scores",
    "average_pooling",
    "causal_mask",
    "combine_masks",
    "convert_recurrent_weights",
    "cross_correlation",
    "dot_scores",
    "dropout",
    "frame_count",
    "fused_attention",
    "gelu",
    "gru_step",
    "layer_normalization",
    "length_mask",
    "log_mel",
    "lstm_step",
    "mask_lengths",
    "masked_softmax",
    "max_pooling",
    "mel_matrix",
    "multi_head_weights",
    "output_size",
    "padding_mask",
    "parameter_count",
    "simple_rnn_step",
    "sinusoidal_positions",
    "subsampled",
    "windows",
    "write_at",
]
