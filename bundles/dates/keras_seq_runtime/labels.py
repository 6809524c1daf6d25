"""One label for an input, or one for each of its tokens: classifiers of texts and pictures, and taggers."""

import dataclasses

from .bundle import Bundle, Result, TextBundle
from .errors import np
from .pictures import read_picture

_TEXT = {"ids", "length"}
_OUTPUTS = {"probabilities"}
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
    """

    tags: tuple = ()


class TextClassifier(TextBundle):
    """A bundle that gives a text a label."""

    result = Classified

    def __init__(self, manifest, artefact, session, source, labels):
        super().__init__(manifest, artefact, session, source)
        self.labels = labels
        self._check_signature("predict", _TEXT, _OUTPUTS, {"ids": [1, self.source_limit]})

    def classify(self, texts):
        """The label of each text: a list of `Classified`; see `Bundle.answer`."""
        return self.answer(texts)

    def _answer(self, prepared):
        ids, length = self._pad(prepared)
        for row in self.session.call("predict", ids=ids, length=length)["probabilities"]:
            yield _choices(self.labels, row)


class Tagger(TextBundle):
    """A bundle that gives each token of a text a tag."""

    result = Tagged

    def __init__(self, manifest, artefact, session, source, labels):
        super().__init__(manifest, artefact, session, source)
        self.labels = labels
        self._check_signature("predict", _TEXT, _OUTPUTS, {"ids": [1, self.source_limit]})

    def tag(self, texts):
        """The tags of each text: a list of `Tagged`; see `Bundle.answer`."""
        return self.answer(texts)

    def _answer(self, prepared):
        ids, length = self._pad(prepared)
        probabilities = self.session.call("predict", ids=ids, length=length)["probabilities"]
        for (own, pieces), row in zip(prepared, probabilities, strict=True):
            best = row[: len(own)].argmax(axis=1)
            tags = [self.labels[place] for place in best]
            sure = [float(row[position, place]) for position, place in enumerate(best)]
            yield " ".join(tags), min(sure), tuple(zip(pieces, tags, sure, strict=True))


class PictureClassifier(Bundle):
    """A bundle that gives a picture a label. Inputs are names of files, or arrays: see `read_picture`."""

    result = Classified

    def __init__(self, manifest, artefact, session, labels):
        super().__init__(manifest, artefact, session)
        self.labels = labels
        self._shape = tuple(manifest["picture"][name] for name in ("height", "width", "channels"))
        self._check_signature("predict", {"image"}, _OUTPUTS, {"image": [1, *self._shape]})

    def classify(self, pictures):
        """The label of each picture: a list of `Classified`; see `Bundle.answer`."""
        return self.answer(pictures)

    def _told(self, given):
        return str(given) if not isinstance(given, np.ndarray) else f"array {list(given.shape)}"

    def _prepare(self, given):
        return read_picture(given, *self._shape)

    def _answer(self, prepared):
        image = np.stack(prepared)  # (batch, height, width, channels)
        for row in self.session.call("predict", image=image)["probabilities"]:
            yield _choices(self.labels, row)


def _choices(labels, row):
    """Best label, its probability, and the best few of both."""
    order = np.argsort(-row, kind="stable")[:_CHOICES]
    choices = tuple((labels[place], float(row[place])) for place in order)
    return (*choices[0], choices)
