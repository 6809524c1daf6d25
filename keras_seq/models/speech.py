"""Raw audio to text: a recurrent encoder over log-mel features, read by a decoder with attention, or by CTC.

    features  = LogMel(samples)                                      keras_seq.layers.spectrogram
    frames    = two strided convolutions of the features             keras_seq.layers.subsampling
    h_1..h_S  = BiGRU(... BiGRU(frames))
    SpeechToText    p(y_t | y_<t) = a GRU that looks back at h_1..h_S        as in keras_seq.models.Seq2Seq
    CTCRecognizer   p(token or blank at frame s) = softmax(W h_s)            independent of one another

References: Chan, Jaitly, Le and Vinyals, 2016, "Listen, Attend and Spell"; Graves, Fernandez, Gomez and Schmidhuber,
2006, "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks".
"""

import keras
import numpy as np
from keras import ops

from keras_seq.layers import (
    AttentionDecoder,
    ConvolutionSubsampling,
    Dropout,
    LayerNormalization,
    LogMel,
    SpecAugment,
    frame_count,
    subsampled,
)

# What is behind a recording is blank for certain: far below every logit, and near enough to compare exports closely.
_IMPOSSIBLE = np.float32(-100)


class AudioModel(keras.Model):
    """What both recognisers share: their hyper-parameters, their input and their encoder.

    A subclass has the arguments below among its own, and hands them to `_encoder` and `super().__init__`.

    Args:
        config: dict, the subclass's arguments.
        layers: dict of the layers.
        options: those of `keras.Model`.
    """

    def __init__(self, config, layers, **options):
        super().__init__(**options)
        self._config = config
        self._parts = layers

    @property
    def rate(self):
        """int, samples a second that the model hears."""
        return self._config["rate"]

    @property
    def step_samples(self):
        """int, samples from one position of the encoder to the next."""
        return self._config["hop"] * 4

    def features(self, source, source_length):
        """What the front end makes of recordings: `(batch, frames, bands)`, see `keras_seq.layers.LogMel`."""
        return self._parts["front_end"](source, source_length)

    def get_config(self):
        return {**self._config, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


@keras.saving.register_keras_serializable("keras_seq")
class SpeechToText(AudioModel):
    """Convolutions and bidirectional GRUs over log-mel features, and a GRU decoder with Bahdanau attention.

    As a Keras model it is the teacher-forced decoder: `{"source", "source_length", "target"} -> logits`, for plain
    `compile` and `fit`. As a generator it offers `encode` once a recording and `step` once an output token; see
    `keras_seq.decoding`.

    Args:
        vocabulary_size: int, ids of the target, padding (0) included.
        embedding_size: int, width of the target's embedding.
        units: int, width of each encoder direction and of the decoder's state.
        channels: int, of the convolutions.
        num_layers: int, bidirectional GRUs of the encoder.
        dropout: float in [0, 1), in front of each GRU of the encoder, and on the decoder's inputs.
        stripes: int, taken out of the features in training, see `keras_seq.layers.SpecAugment`.
        rate, window, hop, bands: int, of the front end, see `keras_seq.layers.LogMel`.

    Call arguments:
        inputs: dict of `source`, float32 `(batch, samples)` from -1 to 1, padded on the right; `source_length`, int32
            `(batch,)`, samples; and `target`, int32 `(batch, target)`: the start token and the target's tokens but the
            last, padded with 0.

    Returns:
        logits float32 `(batch, target, vocabulary)`

    Raises:
        ValueError: if a size is out of range.

    Example:
        >>> model = SpeechToText(vocabulary_size=14, units=5, channels=3, num_layers=1)
        >>> inputs = {"source": ops.ones((2, 4000)), "source_length": ops.array([4000, 900])}
        >>> tuple(model({**inputs, "target": ops.ones((2, 4), "int32")}).shape)
        (2, 4, 14)

    Reference: Chan et al., 2016, with convolutions in place of the pyramid, and the attention of Bahdanau, Cho and
    Bengio, 2015.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_size=32,
        units=128,
        channels=32,
        num_layers=2,
        dropout=0.0,
        stripes=0,
        rate=8000,
        window=256,
        hop=80,
        bands=40,
        name="speech_to_text",
        **kwargs,
    ):
        config = {
            "vocabulary_size": vocabulary_size,
            "embedding_size": embedding_size,
            "units": units,
            "channels": channels,
            "num_layers": num_layers,
            "dropout": dropout,
            "stripes": stripes,
            "rate": rate,
            "window": window,
            "hop": hop,
            "bands": bands,
        }
        _check_sizes(config)
        layers = {
            **_encoder(config),
            "bridge": keras.layers.Dense(units, activation="tanh", name="bridge"),
            "target_embedding": keras.layers.Embedding(vocabulary_size, embedding_size, name="target_embedding"),
            "decoder": AttentionDecoder(units, dropout=dropout, name="decoder"),
            "readout": keras.layers.Dense(vocabulary_size, dtype="float32", name="readout"),
        }
        inputs = {**_audio_inputs(), "target": keras.Input((None,), dtype="int32", name="target")}
        values, lengths, last = _encode(layers, config, inputs["source"], inputs["source_length"])
        tokens = layers["target_embedding"](inputs["target"])  # (batch, target, features)
        decoded = layers["decoder"](tokens, layers["bridge"](last), values, lengths)  # (batch, target, 3 units)
        super().__init__(config, layers, inputs=inputs, outputs=layers["readout"](decoded), name=name, **kwargs)

    def encode(self, source, source_length):
        """Listens to a recording, once.

        Args:
            source: float32 `(batch, samples)`.
            source_length: int32 `(batch,)`, samples.

        Returns:
            memory: flat dict of tensors that every step reads: `keys (batch, positions, units)`, `values (batch,
                positions, 2 units)`, 0 behind the recording, and `lengths (batch,)`, positions.
            state: flat dict of the first state's tensors: `hidden (batch, units)`.
        """
        values, lengths, last = _encode(self._parts, self._config, source, source_length)
        return self._parts["decoder"].prepare(values, lengths), {"hidden": self._parts["bridge"](last)}

    def step(self, token, state, memory):
        """Writes one token.

        Args:
            token: int32 `(batch,)`, the previous token, at first the start token.
            state: flat dict of tensors, from `encode` or from the step before.
            memory: flat dict of tensors, from `encode`.

        Returns:
            logits float32 `(batch, vocabulary)` and the new state.
        """
        embedded = self._parts["target_embedding"](token)  # (batch, features)
        output, hidden = self._parts["decoder"].step(embedded, state["hidden"], memory)
        return self._parts["readout"](output), {"hidden": hidden}

    def alignments(self, inputs):
        """Attention weights of the teacher-forced decoder.

        Args:
            inputs: as for a call.

        Returns:
            `(batch, target, positions)`: the weight of each position, `step_samples` after the one before, at the step
            that writes each target token.
        """
        memory, state = self.encode(inputs["source"], inputs["source_length"])
        tokens = self._parts["target_embedding"](inputs["target"])
        decoder = self._parts["decoder"]
        return decoder(tokens, state["hidden"], memory["values"], memory["lengths"], return_attention_scores=True)[1]


@keras.saving.register_keras_serializable("keras_seq")
class CTCRecognizer(AudioModel):
    """The encoder of `SpeechToText`, and at each of its positions the probability of every token and of none.

    Id 0, the padding, is the blank. Behind the end of a recording the blank is certain, so that `keras.losses.CTC`,
    which takes all positions for real ones, gives what it would give for each recording by itself.

    Args:
        vocabulary_size: int, ids of the target, padding (0) included.
        units, channels, num_layers, dropout, stripes, rate, window, hop, bands: as for `SpeechToText`.

    Call arguments:
        inputs: dict of `source`, float32 `(batch, samples)` from -1 to 1, padded on the right, and `source_length`,
            int32 `(batch,)`, samples.

    Returns:
        logits float32 `(batch, positions, vocabulary)`; behind a recording 0 for the blank and -100 for all else.

    Raises:
        ValueError: if a size is out of range.

    Example:
        >>> model = CTCRecognizer(vocabulary_size=14, units=5, channels=3, num_layers=1)
        >>> tuple(model({"source": ops.ones((2, 4000)), "source_length": ops.array([4000, 900])}).shape)
        (2, 13, 14)

    Reference: Graves et al., 2006, section 3.
    """

    def __init__(
        self,
        vocabulary_size,
        units=128,
        channels=32,
        num_layers=2,
        dropout=0.0,
        stripes=0,
        rate=8000,
        window=256,
        hop=80,
        bands=40,
        name="ctc_recognizer",
        **kwargs,
    ):
        config = {
            "vocabulary_size": vocabulary_size,
            "units": units,
            "channels": channels,
            "num_layers": num_layers,
            "dropout": dropout,
            "stripes": stripes,
            "rate": rate,
            "window": window,
            "hop": hop,
            "bands": bands,
        }
        _check_sizes(config)
        layers = {
            **_encoder(config),
            "readout_dropout": Dropout(dropout, name="readout_dropout"),
            "readout": keras.layers.Dense(vocabulary_size, dtype="float32", name="readout"),
        }
        inputs = _audio_inputs()
        values, lengths, _ = _encode(layers, config, inputs["source"], inputs["source_length"])
        logits = layers["readout"](layers["readout_dropout"](values))  # (batch, positions, vocabulary)
        mask = ops.expand_dims(_mask(values, lengths), -1)  # (batch, positions, 1)
        blank = np.where(np.arange(vocabulary_size) == 0, np.float32(0), _IMPOSSIBLE)  # (vocabulary,)
        outputs = ops.where(mask, logits, blank)
        super().__init__(config, layers, inputs=inputs, outputs=outputs, name=name, **kwargs)


def _check_sizes(config):
    for key, size in config.items():  # the layers themselves check the other two
        if key not in ("dropout", "stripes") and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
            raise ValueError(f"{key}={size!r} is not a size; give a whole number of 1 or more")


def _audio_inputs():
    return {
        "source": keras.Input((None,), dtype="float32", name="source"),
        "source_length": keras.Input((), dtype="int32", name="source_length"),
    }


def _encoder(config):
    """The layers from samples to encoder outputs, by name."""
    units, front_end = config["units"], {key: config[key] for key in ("rate", "window", "hop", "bands")}
    layers = {
        "front_end": LogMel(**front_end, name="front_end"),
        "spec_augment": SpecAugment(config["stripes"], name="spec_augment"),
        "subsampling": ConvolutionSubsampling(config["channels"], 2 * units, name="subsampling"),
        "subsampling_norm": LayerNormalization(name="subsampling_norm"),
    }
    for number in range(config["num_layers"]):
        gru = keras.layers.GRU(units, return_sequences=True, return_state=True, name="gru")
        layers[f"source_dropout_{number}"] = Dropout(config["dropout"], name=f"source_dropout_{number}")
        layers[f"encoder_{number}"] = keras.layers.Bidirectional(gru, name=f"encoder_{number}")
    return layers


def _encode(layers, config, source, source_length):
    """Encoder outputs `(batch, positions, 2 units)`, their lengths `(batch,)`, and the last states `(batch, 2 units)`.

    The outputs are 0 behind a recording's own positions.
    """
    features = layers["spec_augment"](layers["front_end"](source, source_length))  # (batch, frames, bands)
    frames = frame_count(source_length, config["hop"])  # (batch,)
    outputs = layers["subsampling_norm"](layers["subsampling"](features, frames))  # (batch, positions, 2 units)
    lengths = subsampled(frames)
    mask = _mask(outputs, lengths)  # (batch, positions)
    for number in range(config["num_layers"]):
        outputs = layers[f"source_dropout_{number}"](outputs)
        outputs, forward, backward = layers[f"encoder_{number}"](outputs, mask=mask)
    outputs = outputs * ops.cast(ops.expand_dims(mask, -1), outputs.dtype)
    return outputs, lengths, ops.concatenate([forward, backward], axis=-1)


def _mask(sequences, lengths):
    """`length_mask` for sequences `(batch, time, features)` of a functional model, which does not know its time yet."""
    counted = ops.cumsum(ops.ones_like(sequences[:, :, 0], dtype="int32"), axis=1)  # (batch, time)
    return ops.less_equal(counted, ops.expand_dims(lengths, 1))
