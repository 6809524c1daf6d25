"""A reader of sentences: words and their characters through deep recurrent layers, to a tag for each word.

    word_n    = [ E[id_n] ; convolution over the characters of word n ]
    h_1..h_N  = recurrent layers over the words, forwards, or forwards and backwards side by side
    p(tag_n)  = softmax(W h_n + b)                      for each n

and with a label for the sentence, such as an intent, which has a say in the tags, such as slots:

    p(label)  = softmax(V max over n of h_n + c)
    p(tag_n)  = softmax(W h_n + b + U p(label))

References: Ma and Hovy, 2016, "End-to-end Sequence Labeling via Bi-directional LSTM-CNNs-CRF"; Plank, Søgaard and
Goldberg, 2016, "Multilingual Part-of-Speech Tagging with Bidirectional Long Short-Term Memory Models and Auxiliary
Loss"; Zhang and Wang, 2016, "A Joint Model of Intent Determination and Slot Filling for Spoken Language Understanding";
Qin, Che, Li, Wen and Liu, 2019, "A Stack-Propagation Framework with Token-Level Intent Detection for Spoken Language
Understanding" (the label's say).
"""

import keras

from keras_seq.layers import Dropout
from keras_seq.layers.arguments import check_share
from keras_seq.layers.characters import CharacterConvolution, WordDropout
from keras_seq.layers.over_time import MaxOverTime
from keras_seq.models.recurrent import CELLS

_SIZES = ("vocabulary_size", "num_tags", "embedding_size", "units", "num_layers")
_CHARACTER_SIZES = ("character_size", "character_filters")


@keras.saving.register_keras_serializable("keras_seq")
class WordTagger(keras.Model):
    """One tag for each word of a sentence, and if asked for one label for the sentence.

    Args:
        vocabulary_size: int, ids of words, padding (0) included; 3 is the unknown word.
        num_tags: int.
        num_labels: int, labels of sentences; 0: none, and the output is the tags' logits alone.
        alphabet_size: int, ids of characters, padding (0) included; 0: words alone are read.
        embedding_size: int, width of an embedded word.
        character_size: int, width of an embedded character.
        character_filters: int, width of what the characters say of a word.
        units: int, width of each direction.
        cell: "rnn", "lstm", "gru" or "gru_reset_before".
        num_layers: int.
        bidirectional: bool.
        dropout: float in [0, 1), on what goes into and comes out of the recurrent layers.
        word_dropout: float in [0, 1), share of words that are taken for unknown in training.

    Call arguments:
        inputs: dict of `ids`, int32 `(batch, time)`, padded with 0 on the right; and with an alphabet `characters`,
            int32 `(batch, time, width)`, those of each word, padded likewise.

    Returns:
        logits float32 `(batch, time, num_tags)`; what stands in the padding means nothing. With `num_labels` a dict of
        those as `tags`, and `label`, logits float32 `(batch, num_labels)`.

    Raises:
        ValueError: if a size is not positive or `cell` is not known.

    Example:
        >>> model = WordTagger(vocabulary_size=11, num_tags=3, alphabet_size=7, embedding_size=4, units=5)
        >>> inputs = {"ids": keras.ops.ones((2, 6), "int32"), "characters": keras.ops.ones((2, 6, 8), "int32")}
        >>> tuple(model(inputs).shape)
        (2, 6, 3)
    """

    def __init__(
        self,
        vocabulary_size,
        num_tags,
        num_labels=0,
        alphabet_size=0,
        embedding_size=100,
        character_size=32,
        character_filters=100,
        units=128,
        cell="lstm",
        num_layers=2,
        bidirectional=True,
        dropout=0.0,
        word_dropout=0.0,
        name=None,
        **kwargs,
    ):
        config = {
            "vocabulary_size": vocabulary_size,
            "num_tags": num_tags,
            "num_labels": num_labels,
            "alphabet_size": alphabet_size,
            "embedding_size": embedding_size,
            "character_size": character_size,
            "character_filters": character_filters,
            "units": units,
            "cell": cell,
            "num_layers": num_layers,
            "bidirectional": bidirectional,
            "dropout": dropout,
            "word_dropout": word_dropout,
        }
        _check(config)
        ids = keras.Input((None,), dtype="int32", name="ids")
        inputs = {"ids": ids}
        seen = WordDropout(word_dropout, name="word_dropout")(ids)
        hidden = keras.layers.Embedding(vocabulary_size, embedding_size, mask_zero=True, name="embedding")(seen)
        if alphabet_size:
            inputs["characters"] = keras.Input((None, None), dtype="int32", name="characters")
            sizes = alphabet_size, character_size, character_filters
            looks = CharacterConvolution(*sizes, edges=True, name="characters_of_words")(inputs["characters"])
            hidden = keras.layers.Concatenate(name="word")([hidden, looks])
        hidden = Dropout(dropout, name="dropout")(hidden)  # (batch, time, features)
        for number in range(num_layers):
            layer = CELLS[cell](units, return_sequences=True, name=f"recurrent_{number}")
            if bidirectional:
                layer = keras.layers.Bidirectional(layer, name=f"both_ways_{number}")
            hidden = Dropout(dropout, name=f"dropout_{number}")(layer(hidden))
        outputs = keras.layers.Dense(num_tags, dtype="float32", name="tags")(hidden)
        if num_labels:
            label = keras.layers.Dense(num_labels, dtype="float32", name="label")(MaxOverTime(name="sentence")(hidden))
            told = keras.layers.Softmax(name="probable_label", dtype="float32")(label)
            told = keras.layers.Dense(num_tags, use_bias=False, dtype="float32", name="tags_of_label")(told)
            told = keras.layers.Reshape((1, num_tags), name="at_every_word")(told)  # (batch, 1, num_tags)
            outputs = {"tags": keras.layers.Add(name="tags_and_label")([outputs, told]), "label": label}
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        self._config = config

    def get_config(self):
        return {**self._config, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def _check(config):
    for key in ("dropout", "word_dropout"):
        check_share(key, config[key])
    sizes = _SIZES + (_CHARACTER_SIZES if config["alphabet_size"] else ())
    for key in sizes:
        if not isinstance(config[key], int) or config[key] < 1:
            raise ValueError(f"{key}={config[key]!r} is not a size; give a whole number of 1 or more")
    for key in ("num_labels", "alphabet_size"):
        if not isinstance(config[key], int) or config[key] < 0:
            raise ValueError(f"{key}={config[key]!r} is not a number of them; give a whole number, 0 for none")
    if config["cell"] not in CELLS:
        raise ValueError(f"cell={config['cell']!r} is not known; choose from {', '.join(CELLS)}")
