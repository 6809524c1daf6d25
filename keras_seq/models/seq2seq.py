"""The recurrent encoder-decoder, with Bahdanau attention and without.

    h_1..h_S  = BiGRU(embedded source)                       encoder outputs (keys and values)
    s_0       = tanh(W [last forward state; last backward state])
    s_t, c_t  = decoder step(previous token, s_{t-1})        keras_seq.layers.decoder
    p(y_t)    = softmax(W_o [s_t; c_t])

Reference: Bahdanau, Cho and Bengio, 2015, "Neural Machine Translation by Jointly Learning to Align and Translate".
"""

import keras
from keras import ops

from keras_seq.layers import (
    AttentionDecoder,
    ContextDecoder,
    Dropout,
    ScaledEmbedding,
    length_mask,
    mask_lengths,
    padding_mask,
)
from keras_seq.layers.arguments import check_share
from keras_seq.models.tied import check_tied


@keras.saving.register_keras_serializable("keras_seq")
class Seq2Seq(keras.Model):
    """Bidirectional GRU encoder and GRU decoder over token ids.

    As a Keras model it is the teacher-forced decoder: `{"source", "target"} -> logits`, for plain `compile` and `fit`.
    As a generator it offers `encode` once an input and `step` once an output token; see `keras_seq.decoding`.

    Args:
        source_vocabulary_size: int, ids of the source, padding (0) included.
        target_vocabulary_size: int, ids of the target, padding (0) included.
        embedding_size: int, width of both embeddings.
        units: int, width of each encoder direction and of the decoder's state.
        attention: bool; False gives the decoder the encoder's last state at every step instead.
        dropout: float in [0, 1), on the embedded source and on the decoder's inputs.
        tied: bool, one matrix embeds the source, embeds the target and, behind a linear map to its width, reads out;
            source and target are then ids of one vocabulary. A large vocabulary is read out more cheaply so: from
            `embedding_size` numbers in place of 3 `units`.

    Call arguments:
        inputs: dict of `source`, int32 `(batch, source)`, and `target`, int32 `(batch, target)`: the start token and
            the target's tokens but the last; both padded with 0 on the right.

    Returns:
        logits `(batch, target, vocabulary)`

    Example:
        >>> model = Seq2Seq(source_vocabulary_size=11, target_vocabulary_size=7, embedding_size=3, units=5)
        >>> tuple(model({"source": ops.ones((2, 6), "int32"), "target": ops.ones((2, 4), "int32")}).shape)
        (2, 4, 7)

    Reference: Bahdanau, Cho and Bengio, 2015, appendix A; without attention, Cho et al., 2014; tied, Press and Wolf,
    2017, "Using the Output Embedding to Improve Language Models".
    """

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        embedding_size=64,
        units=128,
        attention=True,
        dropout=0.0,
        tied=False,
        name="seq2seq",
        **kwargs,
    ):
        config = {
            "source_vocabulary_size": source_vocabulary_size,
            "target_vocabulary_size": target_vocabulary_size,
            "embedding_size": embedding_size,
            "units": units,
            "attention": attention,
            "dropout": dropout,
            "tied": tied,
        }
        for key in ("source_vocabulary_size", "target_vocabulary_size", "embedding_size", "units"):
            if not isinstance(config[key], int) or config[key] < 1:
                raise ValueError(f"{key}={config[key]!r} is not a size; give a whole number of 1 or more")
        check_share("dropout", dropout)
        if tied:
            check_tied(source_vocabulary_size, target_vocabulary_size)
        encoder = keras.layers.GRU(units, return_sequences=True, return_state=True, name="gru")
        layers = {
            **(_tied if tied else _untied)(source_vocabulary_size, target_vocabulary_size, embedding_size),
            "source_dropout": Dropout(dropout, name="source_dropout"),
            "encoder": keras.layers.Bidirectional(encoder, name="encoder"),
            "bridge": keras.layers.Dense(units, activation="tanh", name="bridge"),
            "decoder": (AttentionDecoder if attention else ContextDecoder)(units, dropout=dropout, name="decoder"),
        }
        source = keras.Input((None,), dtype="int32", name="source")
        target = keras.Input((None,), dtype="int32", name="target")
        outputs, last, first_state = _encode(layers, source, padding_mask(source))
        tokens = layers["target_embedding"](target)  # (batch, target, features)
        context = (outputs, mask_lengths(padding_mask(source))) if attention else (last,)
        decoded = layers["decoder"](tokens, first_state, *context)  # (batch, target, units + context)
        logits = _read_out(layers, decoded)  # (batch, target, vocabulary)
        super().__init__(inputs={"source": source, "target": target}, outputs=logits, name=name, **kwargs)
        self._config = config
        self._parts = layers

    def encode(self, source_ids, source_length=None):
        """Reads a source, once.

        Args:
            source_ids: int32 `(batch, source)`, padded with 0 on the right.
            source_length: int32 `(batch,)`, defaults to the number of ids that are not padding.

        Returns:
            memory: flat dict of tensors that every step reads: with attention `keys (batch, source, units)`,
                `values (batch, source, 2 units)`, `lengths (batch,)`; without, `context (batch, 2 units)`.
            state: flat dict of the first state's tensors: `hidden (batch, units)`.
        """
        if source_length is None:
            source_length = mask_lengths(padding_mask(source_ids))
        mask = length_mask(source_length, ops.shape(source_ids)[1])
        outputs, last, first_state = _encode(self._parts, source_ids, mask)
        context = (outputs, source_length) if self._config["attention"] else (last,)
        return self._parts["decoder"].prepare(*context), {"hidden": first_state}

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
        return _read_out(self._parts, output), {"hidden": hidden}

    def alignments(self, inputs):
        """Attention weights of the teacher-forced decoder.

        Args:
            inputs: as for a call.

        Returns:
            `(batch, target, source)`: the weight of each source position at the step that writes each target token.

        Raises:
            ValueError: if the model has no attention.
        """
        if not self._config["attention"]:
            raise ValueError("attention=False: this model aligns nothing; build it with attention=True")
        memory, state = self.encode(inputs["source"])
        tokens = self._parts["target_embedding"](inputs["target"])
        decoder = self._parts["decoder"]
        return decoder(tokens, state["hidden"], memory["values"], memory["lengths"], return_attention_scores=True)[1]

    def get_config(self):
        return {**self._config, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def _untied(source_vocabulary_size, target_vocabulary_size, embedding_size):
    """Embeddings and readout, each with a matrix of its own."""
    return {
        "source_embedding": keras.layers.Embedding(source_vocabulary_size, embedding_size, name="source_embedding"),
        "target_embedding": keras.layers.Embedding(target_vocabulary_size, embedding_size, name="target_embedding"),
        "readout": keras.layers.Dense(target_vocabulary_size, dtype="float32", name="readout"),
    }


def _tied(source_vocabulary_size, target_vocabulary_size, embedding_size):
    """One embedding for all, and the map from the decoder's output to its width."""
    embedding = ScaledEmbedding(source_vocabulary_size, embedding_size, name="embedding")
    return {
        "source_embedding": embedding,
        "target_embedding": embedding,
        "to_embedding": keras.layers.Dense(embedding_size, name="to_embedding"),
    }


def _read_out(layers, decoded):
    """Logits float32 `(..., vocabulary)` of the decoder's outputs."""
    if "readout" in layers:
        return layers["readout"](decoded)
    return layers["target_embedding"].logits(layers["to_embedding"](decoded))


def _encode(layers, source, mask):
    """Encoder outputs `(batch, source, 2 units)`, last states `(batch, 2 units)`, first state `(batch, units)`."""
    embedded = layers["source_dropout"](layers["source_embedding"](source))  # (batch, source, features)
    outputs, forward, backward = layers["encoder"](embedded, mask=mask)
    last = ops.concatenate([forward, backward], axis=-1)  # (batch, 2 units)
    return outputs, last, layers["bridge"](last)
