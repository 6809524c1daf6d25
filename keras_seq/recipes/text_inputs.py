"""What a reader of sentences gets to see of a text: words, characters, pieces of words, or words and their characters.

"what time is it"
words               what | time | is | it
characters          w | h | a | t | ...
subwords            what | time | is | it           byte pairs: a rare word comes in pieces
words_characters    what | time | is | it, and beside each word w h a t, t i m e, i s, i t
"""

import json
from pathlib import Path

import numpy as np

from keras_seq.data import at_most
from keras_seq.data.buckets import padded
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.data.words import WordCoder

_TOKENS = {"words": "token", "words_characters": "token", "characters": "character", "subwords": "bpe"}
_LIMITS = {"words": 32, "words_characters": 32, "characters": 144, "subwords": 48}
KINDS = tuple(_TOKENS)
_PIECES = 2000


class TextInputs:
    """Texts as ids, and of words the characters.

    Made by `TextInputs.train` or `TextInputs.load`.

    Args:
        kind: str, of `KINDS`.
        source: `Tokenizer` of the text.
        coder: `WordCoder` of the same words, or None where characters are not read beside words.
        limit: int, longest text in tokens.

    Attributes:
        boundaries: tuple of int, lengths that texts are padded to in training.
    """

    def __init__(self, kind, source, coder, limit):
        self.kind, self.source, self.limit = kind, source, limit
        self._coder = coder
        self.boundaries = tuple(sorted({max(1, limit * quarter // 16) for quarter in (4, 5, 7, 16)}))

    @classmethod
    def train(cls, texts, kind, limit=None, vocabulary=None, width=12):
        """Learns the vocabularies.

        Args:
            texts: list of str.
            kind: str, of `KINDS`.
            limit: int, longest text in tokens; None for what suits sentences.
            vocabulary: int, most words or pieces; None for all words and 2000 pieces.
            width: int, characters that are read of a word.

        Returns:
            `TextInputs`.

        Raises:
            ValueError: if there is no such kind or nothing to learn from.
        """
        if kind not in KINDS:
            raise ValueError(f"inputs={kind!r} is not known; choose from {', '.join(KINDS)}")
        coder = None
        if kind == "words_characters":
            coder = WordCoder.train([text.split() for text in texts], min_count=1, width=width)
            source = coder.words
        else:
            size = vocabulary or (_PIECES if kind == "subwords" else None)
            options = {"lowercase": True, "collapse_spaces": True, "vocabulary_size": size}
            source = Tokenizer.train(texts, kind=_TOKENS[kind], **options)
        return cls(kind, source, coder, limit or _LIMITS[kind])

    @property
    def vocabulary_size(self):
        """int, ids of tokens, padding included."""
        return len(self.source)

    @property
    def alphabet_size(self):
        """int, ids of characters, padding included; 0 where they are not read beside words."""
        return len(self._coder.characters) if self._coder else 0

    def sequences(self, texts):
        """What `LabelBatches` takes: dict of `ids` and, where they are read beside words, `characters`."""
        return (
            self._coder.inputs([text.split() for text in texts])
            if self._coder
            else {"ids": self.source.encode_batch(texts)}
        )

    def padded(self, texts):
        """What a model takes: ids int32 `(texts, time)`, or a dict of those and `characters` `(texts, time, width)`."""
        sequences = self.sequences(texts)
        lengths = np.array([len(row) for row in sequences["ids"]])
        flat = {name: np.concatenate([np.asarray(row, "int32") for row in rows]) for name, rows in sequences.items()}
        arrays = {name: padded(places, lengths, range(len(texts)), max(lengths)) for name, places in flat.items()}
        return arrays if self._coder else arrays["ids"]

    def short_enough(self, examples):
        """The examples that can be read, `Records`; those that are empty or too long are reported and left out.

        Raises:
            ValueError: if none is left.
        """
        texts = [row["text"] for row in examples]
        lengths = dict(zip(texts, map(len, self.source.encode_batch(texts)), strict=True))
        examples = at_most(examples, self.limit, length=lengths.get, unit="tokens")
        return examples.keep([lengths[row["text"]] > 0 for row in examples], "without a token")

    def check(self, text):
        """Refuses a text that cannot be read.

        Raises:
            ValueError: if it has no token, or more than the limit.
        """
        count = len(self.source.encode(text))
        if not 0 < count <= self.limit:
            raise ValueError(f"the text {text!r:.60} has {count} tokens; give one of 1 to {self.limit}")

    def tokens(self, text):
        """The tokens of a text as they are read, list of str."""
        # A space alone is nothing once it is normalised.
        return [self.source.normalize(text[begin:end]) or " " for begin, end in self.source.offsets(text)]

    def task(self, name):
        """What config.json says of the task, for `export`."""
        beside = {"characters": {"width": self._coder.width}} if self._coder else {}
        return {"name": name, "kind": "classify", "inputs": self.kind, "limits": {"source": self.limit}, **beside}

    def save(self, folder):
        """Writes `source.tokenizer.json`, and `characters.tokenizer.json` where characters are read beside words."""
        (self._coder or self.source).save(folder if self._coder else Path(folder, "source.tokenizer.json"))

    @classmethod
    def load(cls, folder):
        """Reads what a run directory has: `save`'s files, and `task` in config.json.

        Raises:
            FileNotFoundError, ValueError: if a file is missing or not as written.
        """
        path = Path(folder, "config.json")
        if not path.is_file():
            raise FileNotFoundError(f"no run at {folder}: it has no config.json; give the directory of a trained run")
        task = json.loads(path.read_text(encoding="utf-8"))["task"]
        if "characters" not in task:
            source, coder = Tokenizer.load(Path(folder, "source.tokenizer.json")), None
        else:
            coder = WordCoder.load(folder, task["characters"]["width"])
            source = coder.words
        return cls(task["inputs"], source, coder, task["limits"]["source"])
