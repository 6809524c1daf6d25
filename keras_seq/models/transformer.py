"""The Transformer encoder-decoder.

    memory  = encoder(sqrt(units) E_s source + positions)
    output  = decoder(sqrt(units) E_t target + positions, memory)        never looking ahead
    p(y_t)  = softmax(W_o output_t + b)

Reference: Vaswani et al., 2017, "Attention Is All You Need".
"""

import keras
from keras import ops

from keras_seq.layers import (
    Decoder,
    Dropout,
    Encoder,
    Readout,
    ScaledEmbedding,
    SinusoidalPositions,
    length_mask,
    mask_lengths,
    padding_mask,
    sinusoidal_positions,
)
from keras_seq.layers.arguments import check_share
from keras_seq.models.tied import check_tied


@keras.saving.register_keras_serializable("keras_seq")
class Transformer(keras.Model):
    """Transformer encoder-decoder over token ids, with sinusoidal positions.

    As a Keras model it is the teacher-forced decoder: `{"source", "target"} -> logits`, for plain `compile` and `fit`.
    As a generator it offers `encode` once an input and `step` once an output token; see `keras_seq.decoding`.

    Args:
        source_vocabulary_size: int, ids of the source, padding (0) included.
        target_vocabulary_size: int, ids of the target, padding (0) included.
        units: int, width of embeddings, attention and outputs.
        num_layers: int, layers of the encoder, and of the decoder.
        num_heads: int, a divisor of `units`.
        feed_forward: int, width inside the feed-forward networks.
        dropout: float in [0, 1), on the embedded tokens with their positions and inside the layers.
        norm: "pre" or "post", where layer normalisation stands.
        activation: str, of the feed-forward networks.
        max_target: int, longest output of `step`, the end token included; training may use more.
        tied: bool, one matrix embeds the source, embeds the target and reads out; source and target are then ids of one
            vocabulary.

    Call arguments:
        inputs: dict of `source`, int32 `(batch, source)`, and `target`, int32 `(batch, target)`: the start token and
            the target's tokens but the last; both padded with 0 on the right.

    Returns:
        logits float32 `(batch, target, vocabulary)`

    Raises:
        ValueError: if a size, `num_heads`, `dropout` or `norm` is out of range, or tied vocabularies differ in size.

    Example:
        >>> model = Transformer(11, 7, units=4, num_layers=1, num_heads=2, feed_forward=8)
        >>> tuple(model({"source": ops.ones((2, 6), "int32"), "target": ops.ones((2, 4), "int32")}).shape)
        (2, 4, 7)

    Reference: Vaswani et al., 2017; norm="pre" as in Xiong et al., 2020;
    tied as in Vaswani et al., section 3.4, and Press and Wolf, 2017.
    """

    shares_memory = True  # `step` takes a group, see `keras_seq.beam`

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        units=128,
        num_layers=2,
        num_heads=4,
        feed_forward=512,
        dropout=0.1,
        norm="pre",
        activation="relu",
        max_target=256,
        tied=False,
        name="transformer",
        **kwargs,
    ):
        config = {
            "source_vocabulary_size": source_vocabulary_size,
            "target_vocabulary_size": target_vocabulary_size,
            "units": units,
            "num_layers": num_layers,
            "num_heads": num_heads,
            "feed_forward": feed_forward,
            "dropout": dropout,
            "norm": norm,
            "activation": activation,
            "max_target": max_target,
            "tied": tied,
        }
        check_share("dropout", dropout)
        if tied:
            check_tied(source_vocabulary_size, target_vocabulary_size)
        embedding = ScaledEmbedding(source_vocabulary_size, units, name="embedding" if tied else "source_embedding")
        stack = (num_layers, units, num_heads, feed_forward, dropout, norm, activation)
        layers = {
            "source_embedding": embedding,
            "target_embedding": embedding
            if tied
            else ScaledEmbedding(target_vocabulary_size, units, name="target_embedding"),
            "positions": SinusoidalPositions(name="positions"),
            "source_dropout": Dropout(dropout, name="source_dropout"),
            "target_dropout": Dropout(dropout, name="target_dropout"),
            "encoder": Encoder(*stack, name="encoder"),
            "decoder": Decoder(*stack, name="decoder"),
            "readout": embedding.logits if tied else Readout(target_vocabulary_size, name="readout"),
        }
        source = keras.Input((None,), dtype="int32", name="source")
        target = keras.Input((None,), dtype="int32", name="target")
        mask = padding_mask(source)
        memory = _encode(layers, source, mask)
        embedded = layers["target_dropout"](layers["positions"](layers["target_embedding"](target)))
        decoded = layers["decoder"](embedded, memory, target_mask=padding_mask(target), memory_mask=mask)
        logits = layers["readout"](decoded)  # (batch, target, vocabulary)
        super().__init__(inputs={"source": source, "target": target}, outputs=logits, name=name, **kwargs)
        self._config = config
        self._parts = layers
        # numpy, since a tensor made here would be a foreign one in a graph that is traced later.
        self._positions = ops.convert_to_numpy(sinusoidal_positions(max_target, units))

    def encode(self, source_ids, source_length=None):
        """Reads a source, once.

        Args:
            source_ids: int32 `(batch, source)`, padded with 0 on the right.
            source_length: int32 `(batch,)`, defaults to the number of ids that are not padding.

        Returns:
            memory: flat dict of tensors that every step reads: `length (batch,)` and for each layer `layer_0_key`,
                `layer_0_value`, ..., `(batch, heads, source, head size)`.
            state: flat dict of the first state's tensors: `position (batch,)`, which is 0, and for each layer the
                empty `layer_0_key`, `layer_0_value`, ..., `(batch, heads, max_target, head size)`.
        """
        if source_length is None:
            source_length = mask_lengths(padding_mask(source_ids))
        mask = length_mask(source_length, ops.shape(source_ids)[1])
        decoder = self._parts["decoder"]
        memory = decoder.prepare(_encode(self._parts, source_ids, mask))
        cache = decoder.empty_cache(ops.shape(source_length)[0], self._config["max_target"])
        return {**memory, "length": source_length}, {**cache, "position": ops.zeros_like(source_length)}

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
        keys = {name: tensor for name, tensor in memory.items() if name != "length"}
        cache = {name: tensor for name, tensor in state.items() if name != "position"}
        mask = length_mask(memory["length"], ops.shape(memory["layer_0_key"])[2])
        embedded = self._parts["target_embedding"](token)  # (batch, units)
        here = ops.take(ops.convert_to_tensor(self._positions, embedded.dtype), position, axis=0)  # (units,)
        decoded, cache = self._parts["decoder"].step(embedded + here, cache, keys, position, mask, group)
        return self._parts["readout"](decoded), {**cache, "position": state["position"] + 1}

    def alignments(self, inputs, layer=-1):
        """How much each output looks at each source position, over all heads.

        Args:
            inputs: as for a call.
            layer: int, the decoder's layer, from 0; -1 is the last.

        Returns:
            `(batch, target, source)`, the mean over the heads of how much the position that writes each target token
            attends to each source position.
        """
        return ops.mean(self.attention_weights(inputs)[layer], axis=1)

    def attention_weights(self, inputs):
        """Weights of the teacher-forced decoder's attention to the source.

        Args:
            inputs: as for a call.

        Returns:
            list with `(batch, heads, target, source)` for each layer: a row for the position that writes each target
            token.
        """
        mask = padding_mask(inputs["source"])
        memory = _encode(self._parts, inputs["source"], mask)
        embedded = self._parts["positions"](self._parts["target_embedding"](inputs["target"]))
        masks = {"target_mask": padding_mask(inputs["target"]), "memory_mask": mask}
        return self._parts["decoder"](embedded, memory, **masks, return_attention_scores=True)[1]

    def get_config(self):
        return {**self._config, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def _encode(layers, source, mask):
    """The encoder's outputs `(batch, source, units)`."""
    embedded = layers["source_dropout"](layers["positions"](layers["source_embedding"](source)))
    return layers["encoder"](embedded, mask=mask)
