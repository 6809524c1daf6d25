"""Every layer of the library, with how it is called: what the contract tests run through.

Sizes are different numbers throughout, so that a swapped axis cannot pass.
"""

from dataclasses import dataclass, field

import keras
import numpy as np

from keras_seq import layers

BATCH, TARGET, SOURCE, FEATURES, VALUE, UNITS = 3, 4, 5, 8, 7, 6
QUERY_LENGTHS, SOURCE_LENGTHS = np.array([4, 2, 3], "int32"), np.array([2, 5, 3], "int32")


@dataclass(frozen=True, eq=False)
class Case:
    """One layer: how it is made and called, and what the contracts need to know of it.

    Attributes:
        name: str, the test's name.
        make: function of `dtype` that makes the layer.
        inputs: dict of call argument to array.
        contract: dict, further arguments of `check_layer_contract`.
        masks: dict, arguments of `check_mask_contract` besides the inputs; None for a layer without masks.
    """

    name: str
    make: object
    inputs: dict
    contract: dict = field(default_factory=dict)
    masks: dict | None = None


def array(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


QUERY, VALUES, SEQUENCES = array(BATCH, TARGET, FEATURES), array(BATCH, SOURCE, VALUE, seed=1), array(BATCH, SOURCE, 9)
SAMPLES, FRAMES = np.array([330, 41, 200], "int32"), np.array([4, 11, 7], "int32")
IMAGES = array(BATCH, 5, 6, 2)
WORDS = np.random.default_rng(4).integers(1, 11, (BATCH, SOURCE, 7)).astype("int32")
WORDS[1, :, 4:] = WORDS[2, 3:] = 0
CROSS = {
    "lengths": {"query": QUERY_LENGTHS, "value": SOURCE_LENGTHS},
    "masks": {"query_mask": "query", "value_mask": "value"},
    "follows": "query",
}
OWN = {"lengths": {"inputs": SOURCE_LENGTHS}, "masks": {"mask": "inputs"}, "follows": "inputs"}
TARGET_AND_MEMORY = {
    "lengths": {"target": QUERY_LENGTHS, "memory": SOURCE_LENGTHS},
    "masks": {"target_mask": "target", "memory_mask": "memory"},
    "follows": "target",
    "causal": True,
}


def attention(name, make, key_bias, **inputs):
    inputs = {"query": QUERY, "value": VALUES, **inputs}
    return Case(name, make, inputs, {"passes_mask_of": "query", "still": key_bias}, CROSS)


def rnn(name, cell, wrap=lambda layer, **kwargs: layer, **options):
    """A cell of ours in `keras.layers.RNN`, with all outputs."""

    def make(**kwargs):
        return wrap(keras.layers.RNN(cell(UNITS, **options, **kwargs), return_sequences=True, **kwargs), **kwargs)

    causal = name.startswith("RNN")
    masks = {
        "lengths": {"sequences": SOURCE_LENGTHS},
        "masks": {"mask": "sequences"},
        "follows": "sequences",
        "causal": causal,
    }
    return Case(name, make, {"sequences": SEQUENCES}, {"passes_mask_of": "sequences"}, masks)


TRANSFORMER = {"units": FEATURES, "num_heads": 2, "feed_forward": 11}
DECODER_INPUTS = {"target": QUERY, "memory": VALUES}
KEY_BIAS = ("key/bias",)
FLOAT32 = {"output_dtype": "float32"}

CASES = [
    attention("AdditiveAttention", lambda **k: layers.AdditiveAttention(UNITS, **k), ()),
    attention("Attention additive", lambda **k: layers.Attention("additive", UNITS, 9, **k), ()),
    attention("Attention tanh_sum", lambda **k: layers.Attention("tanh_sum", UNITS, **k), ()),
    attention("Attention dot", lambda **k: layers.Attention("dot", None, 9, **k), (), value=array(3, 5, 8, seed=2)),
    attention(
        "Attention scaled_dot", lambda **k: layers.Attention(output_size=9, **k), (), value=array(3, 5, 8, seed=2)
    ),
    attention("Attention general", lambda **k: layers.Attention("general", **k), ()),
    attention("MultiHeadAttention", lambda **k: layers.MultiHeadAttention(UNITS, 2, **k), KEY_BIAS),
    Case(
        "ConcatLinearAttention",
        lambda **k: layers.ConcatLinearAttention(SOURCE, 9, **k),
        {"query": QUERY, "value": VALUES, "key": array(BATCH, TARGET, 10)},
        {"passes_mask_of": "query", "unknown": {"query": (1,), "key": (1,)}},
        {
            "lengths": {"value": SOURCE_LENGTHS},
            "masks": {"value_mask": "value"},
            "fixed": ["value"],
        },
    ),
    Case("AdditiveScore", lambda **k: layers.AdditiveScore(UNITS, **k), {"query": QUERY, "key": VALUES}, FLOAT32),
    Case("TanhSumScore", lambda **k: layers.TanhSumScore(UNITS, **k), {"query": QUERY, "key": VALUES}, FLOAT32),
    Case("GeneralScore", lambda **k: layers.GeneralScore(**k), {"query": QUERY, "key": VALUES}, FLOAT32),
    Case(
        "AttentionDecoder",
        lambda **k: layers.AttentionDecoder(UNITS, 5, **k),
        {"tokens": QUERY, "state": array(BATCH, UNITS), "values": VALUES, "lengths": SOURCE_LENGTHS},
    ),
    Case(
        "ContextDecoder",
        lambda **k: layers.ContextDecoder(UNITS, **k),
        {"tokens": QUERY, "state": array(BATCH, UNITS), "context": array(BATCH, 5)},
    ),
    Case(
        "VisualAttentionDecoder",
        lambda **k: layers.VisualAttentionDecoder(UNITS, 5, **k),
        {"tokens": QUERY, "state": array(BATCH, 2 * UNITS), "values": VALUES},
    ),
    rnn("RNN of SimpleRNNCell", layers.SimpleRNNCell),
    rnn("RNN of LSTMCell", layers.LSTMCell),
    rnn("RNN of GRUCell", layers.GRUCell),
    rnn("RNN of GRUCell, other conventions", layers.GRUCell, reset_after=False, update_keeps_state=False),
    rnn("Bidirectional GRUCell", layers.GRUCell, lambda layer, **k: keras.layers.Bidirectional(layer, **k)),
    Case(
        "MultiHeadAttention of itself",
        lambda **k: CausalSelfAttention(**{"name": "causal", **k}),
        {"inputs": QUERY},
        {"passes_mask_of": "inputs", "still": KEY_BIAS},
        {"lengths": {"inputs": QUERY_LENGTHS}, "masks": {"mask": "inputs"}, "follows": "inputs", "causal": True},
    ),
    Case(
        "SinusoidalPositions",
        lambda **k: layers.SinusoidalPositions(**k),
        {"inputs": QUERY},
        {"passes_mask_of": "inputs"},
    ),
    Case(
        "LearnedPositions",
        lambda **k: layers.LearnedPositions(TARGET, **k),
        {"inputs": QUERY},
        {"passes_mask_of": "inputs"},
    ),
    Case(
        "RandomPositions", lambda **k: layers.RandomPositions(9, **k), {"inputs": QUERY}, {"passes_mask_of": "inputs"}
    ),
    Case(
        "ScaledEmbedding",
        lambda **k: layers.ScaledEmbedding(13, UNITS, **k),
        {"inputs": np.array([[3, 9, 0], [1, 2, 12]], "int32")},
        {"unknown": {"inputs": (1,)}},
    ),
    Case(
        "Readout",
        lambda **k: layers.Readout(11, **k),
        {"inputs": QUERY},
        {"passes_mask_of": "inputs", "output_dtype": "float32"},
    ),
    Case(
        "LayerNormalization",
        lambda **k: layers.LayerNormalization(**k),
        {"inputs": QUERY},
        {"passes_mask_of": "inputs"},
    ),
    Case("Dropout", lambda **k: layers.Dropout(0.3, **k), {"inputs": SEQUENCES}, {"passes_mask_of": "inputs"}),
    Case("FeedForward", lambda **k: layers.FeedForward(11, **k), {"inputs": QUERY}, {"passes_mask_of": "inputs"}),
    Case(
        "Residual",
        lambda **k: layers.Residual(keras.layers.Dense(FEATURES, **k), **k),
        {"inputs": QUERY},
        {"passes_mask_of": "inputs"},
    ),
    Case(
        "EncoderLayer",
        lambda **k: layers.EncoderLayer(**TRANSFORMER, **k),
        {"inputs": QUERY},
        {"passes_mask_of": "inputs", "still": KEY_BIAS},
        {**OWN, "lengths": {"inputs": QUERY_LENGTHS}},
    ),
    Case(
        "Encoder",
        lambda **k: layers.Encoder(2, **TRANSFORMER, **k),
        {"inputs": QUERY},
        {"passes_mask_of": "inputs", "still": KEY_BIAS},
        {**OWN, "lengths": {"inputs": QUERY_LENGTHS}},
    ),
    Case(
        "DecoderLayer",
        lambda **k: layers.DecoderLayer(**TRANSFORMER, norm="post", **k),
        DECODER_INPUTS,
        {"passes_mask_of": "target", "still": KEY_BIAS},
        TARGET_AND_MEMORY,
    ),
    Case(
        "Decoder",
        lambda **k: layers.Decoder(2, **TRANSFORMER, **k),
        DECODER_INPUTS,
        {"passes_mask_of": "target", "still": KEY_BIAS},
        TARGET_AND_MEMORY,
    ),
    Case("MaxOverTime", lambda **k: layers.MaxOverTime(**k), {"inputs": SEQUENCES}, {}, {**OWN, "follows": None}),
    Case("MeanOverTime", lambda **k: layers.MeanOverTime(**k), {"inputs": SEQUENCES}, {}, {**OWN, "follows": None}),
    Case(
        "AttentionPooling",
        lambda **k: layers.AttentionPooling(UNITS, **k),
        {"inputs": SEQUENCES},
        {},
        {**OWN, "follows": None},
    ),
    Case(
        "CharacterConvolution",
        lambda **k: layers.CharacterConvolution(11, 4, UNITS, **k),
        {"characters": WORDS},
        {"unknown": {"characters": (1, 2)}},
    ),
    Case(
        "CharacterConvolution with edges",
        lambda **k: layers.CharacterConvolution(11, 4, UNITS, edges=True, **k),
        {"characters": WORDS},
        {"unknown": {"characters": (1, 2)}},
    ),
    Case("CrossCorrelation2D", lambda **k: layers.CrossCorrelation2D(4, 3, 2, "same", **k), {"images": IMAGES}),
    Case(
        "CrossCorrelation2D, any size",
        lambda **k: layers.CrossCorrelation2D(4, (2, 3), dilation_rate=(3, 2), **k),
        {"images": IMAGES},
        {"unknown": {"images": (1, 2)}},
    ),
    Case(
        "LogMel",
        lambda **k: layers.LogMel(rate=8000, window=64, hop=20, bands=6, **k),
        {"samples": array(BATCH, 330), "lengths": SAMPLES},
        {"unknown": {"samples": (1,)}},
    ),
    Case(
        "SpecAugment",
        lambda **k: layers.SpecAugment(**k),
        {"features": array(BATCH, 11, 9)},
        {"passes_mask_of": "features"},
    ),
    Case(
        "ConvolutionSubsampling",
        lambda **k: layers.ConvolutionSubsampling(4, UNITS, **k),
        {"inputs": array(BATCH, 11, 9), "lengths": FRAMES},
    ),
    Case("MaxPooling2D", lambda **k: layers.MaxPooling2D(2, **k), {"images": IMAGES}, {"unknown": {"images": (1, 2)}}),
    Case("AveragePooling2D", lambda **k: layers.AveragePooling2D(2, 1, "same", **k), {"images": IMAGES}),
]


@keras.saving.register_keras_serializable("tests")
class CausalSelfAttention(keras.layers.Layer):
    """Causal self-attention by `MultiHeadAttention`, as a layer of one input."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self._attention = layers.MultiHeadAttention(UNITS, 3, dtype=self.dtype_policy, name="attention")

    def build(self, inputs_shape):
        self._attention.build(inputs_shape, inputs_shape)
        self.built = True

    def call(self, inputs, mask=None):
        return self._attention(inputs, inputs, value_mask=mask, use_causal_mask=True)

    def compute_output_shape(self, inputs_shape):
        return self._attention.compute_output_shape(inputs_shape, inputs_shape)

    def get_config(self):
        return super().get_config()
