"""One label for an input, or one for each of its tokens: classifiers of texts and pictures, and taggers."""

import dataclasses

from .bundle import Bundle, Result, TextBundle
from .errors import np
from .pictures import read_picture, told
from .text import check_known, pad_characters

_CHOICES = 5


@dataclasses.dataclass(frozen=True)
class Classified(Result):
    """What a classifier made of one input.

    Args:
        choices: tuple of (label, probability), the most probable first.
    """

    choices: tuple = ()


@dataclasses.dataclass(frozen=True)
class Tagged(Result):
    """What a tagger made of one text: `output` is the tags with spaces between, `confidence` the least sure one's.

    Args:
        tags: tuple of (piece of the text, tag, probability), one a token.
        label: str, of the whole text; None where the model gives it none.
        label_probability: float, the label's.
    """

    tags: tuple = ()
    label: str | None = None
    label_probability: float = 0.0

    @property
    def line(self):
        """str, the tags; behind the label and a tab where there is one."""
        return super().line if self.label is None else f"{self.label}\t{super().line}"


class _LabelledText(TextBundle):
    """What text classifiers and taggers share.

    A model may read the characters of each token beside its id, of the piece of the text that the token stands for.

    Args:
        labels: list of str.
        characters: `tokenizers.Tokenizer` that spells tokens, None where the model does not read their characters.
    """

    def __init__(self, manifest, artefact, session, source, labels, characters=None):
        super().__init__(manifest, artefact, session, source)
        self.labels, self._characters = labels, characters
        self._letters = manifest["limits"].get("characters")

    def _check_predict(self, shapes):
        """Refuses an artefact that does not fit the manifest; `shapes` are those of its outputs."""
        inputs = {"ids": [1, self.source_limit]}
        if self._characters is not None:
            inputs["characters"] = [1, self.source_limit, self._letters]
        self._check_signature("predict", {*inputs, "length"}, set(shapes), {**inputs, **shapes})

    def _check_known(self, ids, pieces):
        """A word that the model can read by its characters need not be known."""
        if self._characters is None:
            super()._check_known(ids, pieces)
            return
        tokens, letters = [], []
        for piece in pieces:
            encoding = self._characters.encode(piece, add_special_tokens=False)
            tokens += encoding.ids
            letters += [piece[begin:end] for begin, end in encoding.offsets]
        check_known(tokens, letters)

    def _call(self, prepared):
        """What the model answers to some texts: dict of arrays."""
        ids, length = self._pad(prepared)
        inputs = {"ids": ids, "length": length}
        if self._characters is not None:
            rows = [
                [self._characters.encode(piece, add_special_tokens=False).ids for piece in pieces]
                for _, pieces in prepared
            ]
            inputs["characters"] = pad_characters(rows, ids.shape[1], self._letters)
        return self.session.call("predict", **inputs)


class TextClassifier(_LabelledText):
    """A bundle that gives a text a label."""

    result = Classified

    def __init__(self, manifest, artefact, session, source, labels, characters=None):
        super().__init__(manifest, artefact, session, source, labels, characters)
        self._check_predict({"probabilities": [1, len(labels)]})

    def classify(self, texts):
        """The label of each text: a list of `Classified`; see `Bundle.answer`."""
        return self.answer(texts)

    def _answer(self, prepared):
        for row in self._call(prepared)["probabilities"]:
            yield _choices(self.labels, row)


class Tagger(_LabelledText):
    """A bundle that gives each token of a text a tag, and where it has `sentence_labels` the text a label."""

    result = Tagged

    def __init__(self, manifest, artefact, session, source, labels, characters=None, sentence_labels=None):
        super().__init__(manifest, artefact, session, source, labels, characters)
        self.sentence_labels = sentence_labels
        outputs = {"probabilities": [1, self.source_limit, len(labels)]}
        if sentence_labels is not None:
            outputs["label_probabilities"] = [1, len(sentence_labels)]
        self._check_predict(outputs)

    def tag(self, texts):
        """The tags of each text: a list of `Tagged`; see `Bundle.answer`."""
        return self.answer(texts)

    def _answer(self, prepared):
        outputs = self._call(prepared)
        for place, (own, pieces) in enumerate(prepared):
            row = outputs["probabilities"][place, : len(own)]  # (tokens, labels)
            best = row.argmax(axis=1)
            tags = [self.labels[number] for number in best]
            sure = [float(row[position, number]) for position, number in enumerate(best)]
            tagged = tuple(zip(pieces, tags, sure, strict=True))
            if self.sentence_labels is None:
                yield " ".join(tags), min(sure), tagged
                continue
            label, probability, _ = _choices(self.sentence_labels, outputs["label_probabilities"][place])
            yield " ".join(tags), min(*sure, probability), tagged, label, probability


class PictureClassifier(Bundle):
    """A bundle that gives a picture a label. Inputs are names of files, or arrays: see `read_picture`."""

    result = Classified

    def __init__(self, manifest, artefact, session, labels):
        super().__init__(manifest, artefact, session)
        self.labels = labels
        self._shape = tuple(manifest["picture"][name] for name in ("height", "width", "channels"))
        self._ground = manifest["picture"].get("ground")
        shapes = {"image": [1, *self._shape], "probabilities": [1, len(labels)]}
        self._check_signature("predict", {"image"}, {"probabilities"}, shapes)

    def classify(self, pictures):
        """The label of each picture: a list of `Classified`; see `Bundle.answer`."""
        return self.answer(pictures)

    def _told(self, given):
        return told(given)

    def _prepare(self, given):
        return read_picture(given, *self._shape, self._ground)

    def _answer(self, prepared):
        image = np.stack(prepared)  # (batch, height, width, channels)
        for row in self.session.call("predict", image=image)["probabilities"]:
            yield _choices(self.labels, row)


def _choices(labels, row):
    """Best label, its probability, and the best few of both."""
    order = np.argsort(-row, kind="stable")[:_CHOICES]
    choices = tuple((labels[place], float(row[place])) for place in order)
    return (*choices[0], choices)
