"""From a picture to a sentence (1-N): a CNN that keeps where things are, and a decoder that looks there.

    picture (height, width) -> map of features (height / 16, width / 16) -> a row for each place of the map
    token, state, map -> weights over the places, next token

Two decoders on one encoder: an LSTM with attention (Xu et al., 2015) and the Transformer's.
"""

import keras
from keras import ops

from keras_seq.layers import (
    Decoder,
    Dropout,
    LearnedPositions,
    Readout,
    ScaledEmbedding,
    SinusoidalPositions,
    VisualAttentionDecoder,
    padding_mask,
    sinusoidal_positions,
)


class _PictureModel(keras.Model):
    """What both captioners share: a functional model from `image` and `target`, its configuration and its parts."""

    def __init__(self, config, layers, decode, name, **kwargs):
        image = keras.Input((config["height"], config["width"], config["channels"]), name="image")
        target = keras.Input((None,), dtype="int32", name="target")
        logits = decode(layers, _look(layers, image), target)  # (batch, target, vocabulary)
        super().__init__(inputs={"image": image, "target": target}, outputs=logits, name=name, **kwargs)
        self._config = config
        self._parts = layers

    @property
    def map_shape(self):
        """Pair of int, places of the map of features down and across, in the order of `alignments`."""
        halvings = 2 ** len(self._config["filters"])
        return self._config["height"] // halvings, self._config["width"] // halvings

    def get_config(self):
        return {**self._config, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


@keras.saving.register_keras_serializable("keras_seq")
class Captioner(_PictureModel):
    """CNN encoder, LSTM decoder with gated attention.

    The first state is zeros, where the paper makes it of the map's mean: with that, one thing could be named without a
    look at it.

    As a Keras model it is the teacher-forced decoder: `{"image", "target"} -> logits`, for plain `compile` and `fit`.
    As a generator it offers `encode` once a picture and `step` once an output token; see `keras_seq.decoding`.

    Args:
        vocabulary_size: int, ids of the target, padding (0) included.
        height, width, channels: int, of the pictures; both sizes a multiple of 2 ^ len(filters).
        filters: sequence of int, of each convolution; each is followed by a pooling that halves the map.
        units: int, width of the map's features, the embeddings and the LSTM.
        dropout: float in [0, 1), on the map, on the LSTM's input and before the readout.

    Call arguments:
        inputs: dict of `image`, float32 `(batch, height, width, channels)` from 0 to 1, and `target`, int32
            `(batch, target)`: the start token and the caption's tokens but the last, padded with 0 on the right.

    Returns:
        logits float32 `(batch, target, vocabulary)`

    Raises:
        ValueError: if a size is out of range or the map would not be whole.

    Example:
        >>> model = Captioner(11, height=8, width=12, filters=(4, 4), units=6)
        >>> inputs = {"image": ops.ones((2, 8, 12, 1)), "target": ops.ones((2, 4), "int32")}
        >>> tuple(model(inputs).shape), model.map_shape, tuple(model.alignments(inputs).shape)
        ((2, 4, 11), (2, 3), (2, 4, 6))

    Reference: Xu et al., 2015, "Show, Attend and Tell: Neural Image Caption Generation with Visual Attention".
    """

    def __init__(
        self,
        vocabulary_size,
        height=96,
        width=96,
        channels=1,
        filters=(16, 32, 64, 128),
        units=128,
        dropout=0.1,
        name="captioner",
        **kwargs,
    ):
        config = {
            "vocabulary_size": vocabulary_size, "height": height, "width": width, "channels": channels,
            "filters": list(filters), "units": units, "dropout": dropout,
        }  # fmt: skip
        layers = {
            **_encoder(config),
            "embedding": keras.layers.Embedding(vocabulary_size, units, name="embedding"),
            "decoder": VisualAttentionDecoder(units, dropout=dropout, name="decoder"),
            "deep": keras.layers.Dense(units, activation="tanh", name="deep"),
            "output_dropout": Dropout(dropout, name="output_dropout"),
            "readout": Readout(vocabulary_size, name="readout"),
        }

        def decode(layers, places, target):
            tokens = layers["embedding"](target)  # (batch, target, units)
            decoded = layers["decoder"](tokens, _nothing_seen(places), places)
            return self._read_out(layers, decoded, tokens)

        super().__init__(config, layers, decode, name, **kwargs)

    @staticmethod
    def _read_out(layers, decoded, tokens):
        """Logits of the hidden state, of what was looked at and of the token before: equation 7's deep output."""
        deep = layers["deep"](ops.concatenate([decoded, tokens], axis=-1))
        return layers["readout"](layers["output_dropout"](deep))

    def encode(self, image):
        """Looks at a picture, once.

        Args:
            image: float32 `(batch, height, width, channels)`, from 0 to 1.

        Returns:
            memory: flat dict of tensors that every step reads: `keys (batch, places, units)`, `values`, likewise.
            state: flat dict of the first state's tensors: `hidden (batch, units)`, `carry (batch, units)`.
        """
        places = _look(self._parts, image)
        hidden, carry = ops.split(_nothing_seen(places), 2, axis=-1)
        return self._parts["decoder"].prepare(places), {"hidden": hidden, "carry": carry}

    def step(self, token, state, memory):
        """Writes one token.

        Args:
            token: int32 `(batch,)`, the previous token, at first the start token.
            state: flat dict of tensors, from `encode` or from the step before.
            memory: flat dict of tensors, from `encode`.

        Returns:
            logits float32 `(batch, vocabulary)` and the new state.
        """
        embedded = self._parts["embedding"](token)  # (batch, units)
        before = ops.concatenate([state["hidden"], state["carry"]], axis=-1)
        output, after = self._parts["decoder"].step(embedded, before, memory)
        hidden, carry = ops.split(after, 2, axis=-1)
        return self._read_out(self._parts, output, embedded), {"hidden": hidden, "carry": carry}

    def alignments(self, inputs):
        """Where the teacher-forced decoder looks.

        Args:
            inputs: as for a call.

        Returns:
            `(batch, target, places)`: how much each place of the map, row by row, weighs at the step that writes each
            target token; see `map_shape`.
        """
        memory, state = self.encode(inputs["image"])
        first = ops.concatenate([state["hidden"], state["carry"]], axis=-1)
        tokens = self._parts["embedding"](inputs["target"])
        return self._parts["decoder"](tokens, first, memory["values"], return_attention_scores=True)[1]


@keras.saving.register_keras_serializable("keras_seq")
class TransformerCaptioner(_PictureModel):
    """CNN encoder, Transformer decoder.

    Trained and used as `Captioner`, whose arguments it has.

    Args:
        vocabulary_size, height, width, channels, filters, units, dropout: see `Captioner`.
        num_layers: int, of the decoder.
        num_heads: int, a divisor of `units`.
        feed_forward: int, width inside the feed-forward networks.
        max_target: int, longest output of `step`, the end token included; training may use more.

    Call arguments: as `Captioner`.

    Returns:
        logits float32 `(batch, target, vocabulary)`

    Raises:
        ValueError: if a size or `num_heads` is out of range or the map would not be whole.

    Example:
        >>> model = TransformerCaptioner(11, height=8, width=8, filters=(4,), units=6, num_heads=2, feed_forward=8)
        >>> inputs = {"image": ops.ones((2, 8, 8, 1)), "target": ops.ones((2, 4), "int32")}
        >>> tuple(model(inputs).shape), tuple(model.alignments(inputs).shape)
        ((2, 4, 11), (2, 4, 16))

    Reference: Vaswani et al., 2017, for the decoder.
    """

    shares_memory = True  # `step` takes a group, see `keras_seq.beam`

    def __init__(
        self,
        vocabulary_size,
        height=96,
        width=96,
        channels=1,
        filters=(16, 32, 64, 128),
        units=128,
        dropout=0.1,
        num_layers=2,
        num_heads=4,
        feed_forward=256,
        max_target=32,
        name="transformer_captioner",
        **kwargs,
    ):
        config = {
            "vocabulary_size": vocabulary_size, "height": height, "width": width, "channels": channels,
            "filters": list(filters), "units": units, "dropout": dropout, "num_layers": num_layers,
            "num_heads": num_heads, "feed_forward": feed_forward, "max_target": max_target,
        }  # fmt: skip
        layers = {
            **_encoder(config),
            "embedding": ScaledEmbedding(vocabulary_size, units, name="embedding"),
            "positions": SinusoidalPositions(name="positions"),
            "target_dropout": Dropout(dropout, name="target_dropout"),
            "decoder": Decoder(num_layers, units, num_heads, feed_forward, dropout, name="decoder"),
            "readout": Readout(vocabulary_size, name="readout"),
        }

        def decode(layers, places, target):
            embedded = layers["target_dropout"](layers["positions"](layers["embedding"](target)))
            return layers["readout"](layers["decoder"](embedded, places, target_mask=padding_mask(target)))

        super().__init__(config, layers, decode, name, **kwargs)
        # numpy, since a tensor made here would be a foreign one in a graph that is traced later.
        self._positions = ops.convert_to_numpy(sinusoidal_positions(max_target, units))

    def encode(self, image):
        """Looks at a picture, once.

        Args:
            image: float32 `(batch, height, width, channels)`, from 0 to 1.

        Returns:
            memory: flat dict of tensors that every step reads: for each layer `layer_0_key`, `layer_0_value`, ...,
                `(batch, heads, places, head size)`.
            state: flat dict of the first state's tensors: `position (batch,)`, which is 0, and for each layer the
                empty `layer_0_key`, `layer_0_value`, ..., `(batch, heads, max_target, head size)`.
        """
        decoder = self._parts["decoder"]
        memory = decoder.prepare(_look(self._parts, image))
        cache = decoder.empty_cache(ops.shape(image)[0], self._config["max_target"])
        return memory, {**cache, "position": ops.cast(ops.zeros_like(image[:, 0, 0, 0]), "int32")}

    def step(self, token, state, memory, group=1):
        """Writes one token.

        Args:
            token: int32 `(batch,)`, the previous token, at first the start token.
            state: flat dict of tensors, from `encode` or from the step before.
            memory: flat dict of tensors, from `encode`.
            group: int, how many tokens in a row share a row of the memory, as the beams of one source do.

        Returns:
            logits float32 `(batch, vocabulary)` and the new state.
        """
        position = state["position"][0]  # that of every row
        cache = {name: tensor for name, tensor in state.items() if name != "position"}
        embedded = self._parts["embedding"](token)  # (batch, units)
        here = ops.take(ops.convert_to_tensor(self._positions, embedded.dtype), position, axis=0)  # (units,)
        decoded, cache = self._parts["decoder"].step(embedded + here, cache, memory, position, None, group)
        return self._parts["readout"](decoded), {**cache, "position": state["position"] + 1}

    def alignments(self, inputs):
        """Where the teacher-forced decoder looks, the mean over the last layer's heads.

        Args:
            inputs: as for a call.

        Returns:
            `(batch, target, places)`, as `Captioner.alignments`.
        """
        places = _look(self._parts, inputs["image"])
        embedded = self._parts["positions"](self._parts["embedding"](inputs["target"]))
        mask = padding_mask(inputs["target"])
        weights = self._parts["decoder"](embedded, places, target_mask=mask, return_attention_scores=True)[1]
        return ops.mean(weights[-1], axis=1)


def _nothing_seen(places):
    """The first state of the LSTM and behind it the first carry, zeros `(batch, 2 units)`."""
    return ops.zeros_like(ops.concatenate([places[:, 0], places[:, 0]], axis=-1))


def _encoder(config):
    """Layers of the CNN; each convolution is followed by batch normalisation, ReLU and a pooling that halves."""
    halvings = 2 ** len(config["filters"])
    for side in ("height", "width"):
        if config[side] < halvings or config[side] % halvings:
            raise ValueError(
                f"{side}={config[side]} is halved {len(config['filters'])} times; give a multiple of {halvings}, or "
                "fewer filters"
            )
    places = config["height"] * config["width"] // halvings**2
    layers = {
        "rows": keras.layers.Reshape((places, config["filters"][-1]), name="places"),
        "features": keras.layers.Dense(config["units"], activation="relu", name="features"),
        "where": LearnedPositions(places, name="where"),
        "map_dropout": Dropout(config["dropout"], name="map_dropout"),
    }
    for number, size in enumerate(config["filters"]):
        layers[f"convolution_{number}"] = keras.layers.Conv2D(
            size, 3, padding="same", use_bias=False, name=f"convolution_{number}"
        )
        layers[f"normalisation_{number}"] = keras.layers.BatchNormalization(
            momentum=0.95, name=f"normalisation_{number}"
        )
        layers[f"pooling_{number}"] = keras.layers.MaxPooling2D(name=f"pooling_{number}")
    return layers


def _look(layers, image):
    """The map of features with where each is, `(batch, places, units)`."""
    hidden, number = image, 0
    while f"convolution_{number}" in layers:
        hidden = layers[f"normalisation_{number}"](layers[f"convolution_{number}"](hidden))
        hidden = layers[f"pooling_{number}"](ops.relu(hidden))
        number += 1
    return layers["map_dropout"](layers["where"](layers["features"](layers["rows"](hidden))))
