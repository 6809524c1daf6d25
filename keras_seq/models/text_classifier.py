"""Readers of a sentence (N-1): embedded tokens, an encoder or none, and a way to make one vector of many.

    token_t   = E[id_t], and beside it what the characters of word t say, where there are characters
    h_1..h_N  = the tokens as they are, recurrent layers over them, or a Transformer encoder
    sentence  = [max over t of h_t ; mean over t of h_t ; sum over t of weights_t h_t], or some of these
    p(label)  = softmax(W sentence + b), or sigmoid of one logit

`keras_seq.models.Classifier` reads the last state of a recurrent layer instead.

References: Conneau, Kiela, Schwenk, Barrault and Bordes, 2017, "Supervised Learning of Universal Sentence
Representations from Natural Language Inference Data" (the ways to pool compared); Howard and Ruder, 2018, "Universal
Language Model Fine-tuning for Text Classification", section 3.3 (several side by side).
"""

import keras

from keras_seq.layers import Dropout
from keras_seq.layers.arguments import check_share
from keras_seq.layers.attention_pooling import AttentionPooling
from keras_seq.layers.characters import CharacterConvolution, WordDropout
from keras_seq.layers.embedding import ScaledEmbedding
from keras_seq.layers.over_time import MaxOverTime, MeanOverTime
from keras_seq.layers.positions import SinusoidalPositions
from keras_seq.layers.transformer import Encoder
from keras_seq.models.recurrent import CELLS

ENCODERS = ("bag", "transformer", *CELLS)
POOLINGS = ("max", "mean", "attention")
_SIZES = ("vocabulary_size", "num_labels", "embedding_size", "units", "num_layers", "num_heads", "feed_forward")
_CHARACTER_SIZES = ("character_size", "character_filters")


@keras.saving.register_keras_serializable("keras_seq")
class TextClassifier(keras.Model):
    """One label for a text, read by pooling over its tokens.

    Args:
        vocabulary_size: int, ids, padding (0) included; 3 is the unknown token.
        num_labels: int; 1 is for two labels, told apart by the sigmoid of one logit.
        alphabet_size: int, ids of characters, padding (0) included; 0: tokens alone are read.
        embedding_size: int, width of an embedded token.
        character_size: int, width of an embedded character.
        character_filters: int, width of what the characters say of a word.
        encoder: "rnn", "lstm", "gru" or "gru_reset_before", "transformer", or "bag": the embedded tokens as they are.
        units: int, width of each direction of a recurrent layer, or of the Transformer.
        num_layers: int.
        bidirectional: bool, of recurrent layers.
        num_heads, feed_forward: int, of the Transformer, see `keras_seq.layers.Encoder`.
        pooling: one or several of "max", "mean" and "attention", put side by side.
        dropout: float in [0, 1), on what is pooled, between recurrent layers and inside the Transformer's layers.
        embedding_dropout: float in [0, 1), on the embedded tokens.
        word_dropout: float in [0, 1), share of the tokens that are taken for unknown in training.

    Call arguments:
        inputs: int32 ids `(batch, time)`, padded with 0 on the right; with an alphabet a dict of `ids` and of
            `characters` int32 `(batch, time, width)`, those of each word, padded likewise.

    Returns:
        logits float32 `(batch, num_labels)`

    Raises:
        ValueError: if a size is not positive, or an encoder or a pooling is not known.

    Example:
        >>> model = TextClassifier(vocabulary_size=11, num_labels=3, embedding_size=4, units=5)
        >>> tuple(model(keras.ops.ones((2, 7), "int32")).shape)
        (2, 3)
    """

    def __init__(
        self,
        vocabulary_size,
        num_labels,
        alphabet_size=0,
        embedding_size=96,
        character_size=24,
        character_filters=64,
        encoder="gru",
        units=96,
        num_layers=1,
        bidirectional=True,
        num_heads=4,
        feed_forward=256,
        pooling=POOLINGS,
        dropout=0.0,
        embedding_dropout=0.0,
        word_dropout=0.0,
        name=None,
        **kwargs,
    ):
        config = {
            "vocabulary_size": vocabulary_size,
            "num_labels": num_labels,
            "alphabet_size": alphabet_size,
            "embedding_size": embedding_size,
            "character_size": character_size,
            "character_filters": character_filters,
            "encoder": encoder,
            "units": units,
            "num_layers": num_layers,
            "bidirectional": bidirectional,
            "num_heads": num_heads,
            "feed_forward": feed_forward,
            "pooling": list(pooling),
            "dropout": dropout,
            "embedding_dropout": embedding_dropout,
            "word_dropout": word_dropout,
        }
        _check(config)
        inputs, embedded = _embed(config)  # (batch, time, features)
        hidden = _ENCODE.get(encoder, _recurrent)(config, embedded)  # (batch, time, features)
        sentence = Dropout(dropout, name="dropout")(_pool(config, hidden))
        logits = keras.layers.Dense(num_labels, dtype="float32", name="readout")(sentence)
        super().__init__(inputs=inputs, outputs=logits, name=name, **kwargs)
        self._config = config

    def attention(self, inputs):
        """Where the model looks.

        Args:
            inputs: as the call's.

        Returns:
            dict of `pooling`, the weights of the attention pooling, `(batch, time)`; and of `encoder`, a list of the
            Transformer's weights of each layer, `(batch, heads, time, time)`. Without the one or the other it is not
            there.
        """
        wanted = {"pooling": "attention_pooling"} if "attention" in self._config["pooling"] else {}
        wanted |= {"encoder": "encoder"} if self._config["encoder"] == "transformer" else {}
        mask = keras.ops.not_equal(inputs["ids"] if isinstance(inputs, dict) else inputs, 0)  # (batch, time)
        found = {}
        for name, layer in wanted.items():
            layer = self.get_layer(layer)
            before = keras.Model(self.input, keras.tree.flatten(layer.input)[0])  # what comes beside it is the mask
            found[name] = layer(before(inputs), mask=mask, return_attention_scores=True)[1]
        return found

    def get_config(self):
        return {**self._config, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def _embed(config):
    """The inputs, and of each token its vector, `(batch, time, features)`."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    seen = WordDropout(config["word_dropout"], name="word_dropout")(ids)
    sizes = config["vocabulary_size"], config["embedding_size"]
    if config["encoder"] == "transformer":  # of the size of the positions that are added to it
        embedded = ScaledEmbedding(*sizes, name="embedding")(seen)
    else:
        embedded = keras.layers.Embedding(*sizes, mask_zero=True, name="embedding")(seen)
    inputs = ids
    if config["alphabet_size"]:
        inputs = {"ids": ids, "characters": keras.Input((None, None), dtype="int32", name="characters")}
        sizes = (config[key] for key in ("alphabet_size", "character_size", "character_filters"))
        looks = CharacterConvolution(*sizes, name="characters_of_words")(inputs["characters"])
        embedded = keras.layers.Concatenate(name="word")([embedded, looks])
    return inputs, Dropout(config["embedding_dropout"], name="embedding_dropout")(embedded)


def _bag(config, embedded):
    return embedded


def _recurrent(config, hidden):
    for number in range(config["num_layers"]):
        if number:
            hidden = Dropout(config["dropout"], name=f"dropout_{number}")(hidden)
        layer = CELLS[config["encoder"]](config["units"], return_sequences=True, name=f"recurrent_{number}")
        if config["bidirectional"]:
            layer = keras.layers.Bidirectional(layer, name=f"both_ways_{number}")
        hidden = layer(hidden)
    return hidden


def _transformer(config, hidden):
    if hidden.shape[-1] != config["units"]:
        hidden = keras.layers.Dense(config["units"], name="projection")(hidden)
    hidden = SinusoidalPositions(name="positions")(hidden)
    sizes = (config[key] for key in ("num_layers", "units", "num_heads", "feed_forward"))
    return Encoder(*sizes, dropout=config["dropout"], name="encoder")(hidden)


_ENCODE = {"bag": _bag, "transformer": _transformer}


def _pool(config, hidden):
    """One vector for the sentence, `(batch, features)`."""
    layers = {
        "max": lambda: MaxOverTime(name="max_over_time"),
        "mean": lambda: MeanOverTime(name="mean_over_time"),
        "attention": lambda: AttentionPooling(config["units"], name="attention_pooling"),
    }
    pooled = [layers[name]()(hidden) for name in config["pooling"]]
    return pooled[0] if len(pooled) == 1 else keras.layers.Concatenate(name="sentence")(pooled)


def _check(config):
    for key in ("dropout", "embedding_dropout", "word_dropout"):
        check_share(key, config[key])
    for key in _SIZES + (_CHARACTER_SIZES if config["alphabet_size"] else ()):
        if not isinstance(config[key], int) or config[key] < 1:
            raise ValueError(f"{key}={config[key]!r} is not a size; give a whole number of 1 or more")
    if not isinstance(config["alphabet_size"], int) or config["alphabet_size"] < 0:
        raise ValueError(f"alphabet_size={config['alphabet_size']!r} is not a number of ids; give 0 for none")
    if config["encoder"] not in ENCODERS:
        raise ValueError(f"encoder={config['encoder']!r} is not known; choose from {', '.join(ENCODERS)}")
    unknown = [name for name in config["pooling"] if name not in POOLINGS]
    if unknown or not config["pooling"] or len(set(config["pooling"])) < len(config["pooling"]):
        raise ValueError(
            f"pooling={config['pooling']} is not a choice of {', '.join(POOLINGS)}; give one or more, each once"
        )
