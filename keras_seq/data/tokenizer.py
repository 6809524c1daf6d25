"""One tokenizer for characters, words, tokens and byte pairs, kept as the standard `tokenizer.json`.

    encode(text) = ids of the pieces of normalize(text)
    decode(encode(text)) = normalize(text)      for every text within the vocabulary

The work is done by the `tokenizers` library, so that Python, Rust and the browser (transformers.js) read the same file
and give the same ids. The four special ids lead the vocabulary: `<pad>` 0, `<start>` 1, `<end>` 2, `<unknown>` 3. They
are ordinary entries of the vocabulary and not "added tokens": no text, not even "<pad>", encodes to 0, 1 or 2, in
whichever runtime reads the file.
"""

import collections
import json
from pathlib import Path

import tokenizers
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers

from keras_seq.whole_file import whole_file

SPECIAL_TOKENS = ("<pad>", "<start>", "<end>", "<unknown>")
_PATTERNS = {
    # Spelled with Unicode properties because \w and "." mean other things in JavaScript.
    "character": r"[\s\S]",
    "word": r" ?(?:[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}\s])|\s",
    "token": r"[^ ]+",
}
_RESERVED = "<(?=(?:pad|start|end|unknown)>)"
_KINDS = (*_PATTERNS, "bpe")
_DEFAULT_BPE_VOCABULARY = 8000
_NORMALIZERS = {"nfc": normalizers.NFC, "nfkc": normalizers.NFKC}
_CHUNK = 10_000  # texts encoded at once: the library's result objects are a hundred times larger than the ids


class Tokenizer:
    """Text to ids and back, over a vocabulary learned from texts.

    Made by `Tokenizer.train` or `Tokenizer.load`.

    Example:
        >>> tokenizer = Tokenizer.train(["9 mai 1998", "3 MAI 1981"], lowercase=True)
        >>> tokenizer.encode("Mai 98")
        [10, 8, 9, 4, 5, 7]
        >>> tokenizer.decode([10, 8, 9, Tokenizer.END, 5])
        'mai'
    """

    PAD, START, END, UNKNOWN = range(4)

    def __init__(self, backend):
        self._backend = backend
        vocabulary = backend.get_vocab(with_added_tokens=True)
        self._vocabulary = sorted(vocabulary, key=vocabulary.get)
        if list(vocabulary[token] for token in self._vocabulary) != list(range(len(vocabulary))):
            raise ValueError("the vocabulary's ids have gaps; wanted 0, 1, 2, ...; make the file with Tokenizer.train")
        if tuple(self._vocabulary[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
            raise ValueError(
                f"the vocabulary begins with {self._vocabulary[:4]}, wanted {list(SPECIAL_TOKENS)}; "
                "make the file with Tokenizer.train"
            )

    @classmethod
    def train(
        cls, texts, kind="character", normalization="nfc", lowercase=False, collapse_spaces=False, vocabulary_size=None
    ):
        """Learns a vocabulary.

        The same texts in any order give the same vocabulary: characters and words by falling frequency, then by code
        point.

        Args:
            texts: iterable of str.
            kind: "character" (one id a code point), "word" (a word or sign with the space before it, so that decoding
                is exact), "token" (one id for whatever stands between spaces, as in a sentence whose tokens are given;
                spaces are always collapsed) or "bpe" (byte pairs: nothing is unknown).
            normalization: "nfc" (composed accents) or "nfkc" (also full-width forms, ligatures, superscripts).
            lowercase: bool, lower-case the text. The final sigma becomes a plain one, since runtimes differ in it.
            collapse_spaces: bool, make each run of white space one space and strip both ends.
            vocabulary_size: int, the most entries to keep, special ones included. None keeps all characters and words,
                and 8000 byte pairs.

        Returns:
            `Tokenizer`.

        Raises:
            ValueError: if an option or a text is not as described, or there is nothing to learn from.
        """
        if kind not in _KINDS:
            raise ValueError(f"kind={kind!r} is unknown; choose one of {', '.join(map(repr, _KINDS))}")
        if vocabulary_size is None:
            vocabulary_size = _DEFAULT_BPE_VOCABULARY if kind == "bpe" else None
        smallest = len(SPECIAL_TOKENS) + (256 if kind == "bpe" else 1)
        if vocabulary_size is not None and vocabulary_size < smallest:
            raise ValueError(f"vocabulary_size={vocabulary_size} is too small for kind={kind!r}; {smallest} at least")
        texts = _checked_texts(texts)
        normalizer = _normalizer(normalization, lowercase, collapse_spaces or kind == "token")
        if not any(normalizer.normalize_str(text) for text in texts):
            raise ValueError(f"there is nothing to learn from in {len(texts)} texts; give some that are not empty")
        build = _byte_pairs if kind == "bpe" else _pieces
        return cls(build(kind, texts, normalizer, vocabulary_size))

    def normalize(self, text):
        """The text as the tokenizer sees it.

        Args:
            text: str.

        Returns:
            str.

        Raises:
            ValueError: if `text` is not a str or has a lone surrogate or NUL in it.
        """
        text = _checked(text)
        return self._backend.normalizer.normalize_str(text) if self._backend.normalizer else text

    def encode(self, text):
        """Ids of a text, without start or end.

        Args:
            text: str.

        Returns:
            list of int.

        Raises:
            ValueError: if `text` is not a str or has a lone surrogate or NUL in it.
        """
        return self._backend.encode(_checked(text), add_special_tokens=False).ids

    def offsets(self, text):
        """Where in a text each of its ids comes from.

        Args:
            text: str.

        Returns:
            list of (begin, end), places in `text`, one for each of `encode(text)`.

        Raises:
            ValueError: as `encode`.

        Example:
            >>> Tokenizer.train(["a b"], collapse_spaces=True).offsets("a   b")
            [(0, 1), (3, 4), (4, 5)]
        """
        return self._backend.encode(_checked(text), add_special_tokens=False).offsets

    def encode_batch(self, texts):
        """Ids of many texts, on all cores.

        Args:
            texts: iterable of str.

        Returns:
            list of lists of int.

        Raises:
            ValueError: as `encode`; the message names the text's index.
        """
        texts = _checked_texts(texts)
        ids = []
        for begin in range(0, len(texts), _CHUNK):
            encodings = self._backend.encode_batch_fast(texts[begin : begin + _CHUNK], add_special_tokens=False)
            ids.extend(encoding.ids for encoding in encodings)
        return ids

    def decode(self, ids):
        """The text of ids: stops at the first end and drops the other special ids, `<unknown>` included.

        Args:
            ids: sequence or one-dimensional array of int.

        Returns:
            str.

        Raises:
            ValueError: if an id is outside the vocabulary.
        """
        kept = []
        for token in map(int, ids):
            if not 0 <= token < len(self):
                raise ValueError(
                    f"id {token} is outside the vocabulary of {len(self)} entries; decode with the tokenizer that the "
                    "model was trained with"
                )
            if token == self.END:
                break
            if token >= len(SPECIAL_TOKENS):
                kept.append(token)
        return self._backend.decode(kept, skip_special_tokens=False)

    @property
    def vocabulary(self):
        """list of str, every entry at the index that is its id."""
        return list(self._vocabulary)

    @property
    def vocabulary_size(self):
        """int, number of entries, special ones included."""
        return len(self._vocabulary)

    def __len__(self):
        return len(self._vocabulary)

    def save(self, path):
        """Writes the standard `tokenizer.json`, whole or not at all.

        Args:
            path: str or path; its folder must exist.
        """
        with whole_file(path) as temporary:
            temporary.write_text(self._backend.to_str(pretty=True), encoding="utf-8")

    @classmethod
    def load(cls, path):
        """Reads a file that `save` has written.

        Args:
            path: str or path.

        Returns:
            `Tokenizer`.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the file is truncated, or something other than a tokenizer of ours.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"no tokenizer at {path}; give the path of a file that Tokenizer.save has written")
        try:
            content = path.read_text(encoding="utf-8")
            json.loads(content)
        except ValueError as error:
            raise ValueError(f"{path} is not whole JSON ({error}); copy it again or train again") from error
        try:
            return cls(tokenizers.Tokenizer.from_str(content))
        except Exception as error:  # the library raises bare Exception for whatever it cannot read
            raise ValueError(f"{path} is not a tokenizer of keras_seq: {error}") from error


def _checked(text, name="text"):
    if not isinstance(text, str):
        raise ValueError(f"{name} is {text!r:.60} of type {type(text).__name__}, wanted a str; convert it first")
    if "\0" in text:
        raise ValueError(f"{name} has NUL at position {text.index(chr(0))}, wanted text without it; remove it")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} has the lone surrogate U+{ord(text[error.start]):04X} at position {error.start}, wanted whole "
            "characters; use text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from error
    return text


def _checked_texts(texts):
    if isinstance(texts, str):
        raise ValueError(f"texts is one str, {texts!r:.60}, wanted many; put it into a list")
    return [_checked(text, f"texts[{index}]") for index, text in enumerate(texts)]


def _normalizer(normalization, lowercase, collapse_spaces):
    if normalization not in _NORMALIZERS:
        known = ", ".join(map(repr, _NORMALIZERS))
        raise ValueError(f"normalization={normalization!r} is unknown; choose one of {known}")
    steps = [_NORMALIZERS[normalization]()]
    if lowercase:
        # Lower-casing can decompose a letter (U+0130), so the composed form is made again.
        steps += [normalizers.Lowercase(), normalizers.Replace("ς", "σ"), _NORMALIZERS[normalization]()]
    if collapse_spaces:
        steps += [normalizers.Replace(Regex(r"\p{White_Space}+"), " "), normalizers.Strip()]
    return normalizers.Sequence(steps)


def _pieces(kind, texts, normalizer, vocabulary_size):
    """A tokenizer whose vocabulary is the most frequent pieces that the kind's pattern cuts."""
    is_token = kind == "token"
    if is_token:
        # The other kinds cut "<pad>" into pieces; here it would be found in the vocabulary. One sign takes the place of
        # one: the library's offsets are wrong where something becomes longer.
        normalizer = normalizers.Sequence([normalizer, normalizers.Replace(Regex(_RESERVED), "‹")])
    # Inverted, the spaces are what is removed; said as a match because transformers.js before 3.0 splits otherwise.
    cutter = pre_tokenizers.Split(Regex(_PATTERNS[kind]), "removed" if is_token else "isolated", invert=is_token)
    counts = collections.Counter()
    for text in texts:
        normal = normalizer.normalize_str(text)
        counts.update(normal if kind == "character" else (piece for piece, _ in cutter.pre_tokenize_str(normal)))
    pieces = sorted(counts, key=lambda piece: (-counts[piece], piece))
    if vocabulary_size is not None:
        pieces = pieces[: vocabulary_size - len(SPECIAL_TOKENS)]
    vocabulary = {token: index for index, token in enumerate((*SPECIAL_TOKENS, *pieces))}
    backend = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL_TOKENS[Tokenizer.UNKNOWN]))
    backend.normalizer = normalizer
    backend.pre_tokenizer = cutter
    if not is_token:  # without a decoder all runtimes put a space between
        backend.decoder = decoders.Fuse()
    return backend


def _byte_pairs(kind, texts, normalizer, vocabulary_size):
    backend = tokenizers.Tokenizer(models.BPE(unk_token=SPECIAL_TOKENS[Tokenizer.UNKNOWN]))
    backend.normalizer = normalizer
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    # The trainer makes the special tokens "added": without that, a text with "<end>" in it stays a text.
    content = json.loads(backend.to_str())
    content["added_tokens"] = []
    return tokenizers.Tokenizer.from_str(json.dumps(content))
