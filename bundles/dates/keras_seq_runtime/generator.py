"""Text in, text out: translators, readers of dates, captioners."""

import dataclasses
import math

from .bundle import TextBundle
from .errors import BundleError, np
from .text import END, START, UNKNOWN, pad

_INPUTS, _OUTPUTS = {"source", "source_length"}, {"ids", "length", "log_probability"}


@dataclasses.dataclass(frozen=True)
class Piece:
    """What one step has added to an output.

    Args:
        text: str; "" where a character is not whole yet, and at the end.
        probability: float, of the token.
    """

    text: str
    probability: float


class Generator(TextBundle):
    """A bundle that writes; what is offered beyond `TextBundle`:

    Attributes:
        has_beam: bool, whether beam search is in the artefact.
    """

    def __init__(self, manifest, artefact, session, source, target):
        super().__init__(manifest, artefact, session, source)
        self._target = target
        self.has_beam = "generate_beam" in artefact["signatures"]
        self._check_signature("generate", _INPUTS, _OUTPUTS, {"source": [1, self.source_limit]})

    def generate(self, texts, beam=False):
        """Writes an output for each text.

        Args:
            texts: iterable of str.
            beam: bool, by beam search instead of the best token each time.

        Returns:
            list of `Result`, one for each text, in order. Texts that the model cannot take are refused one by one.

        Raises:
            TypeError: if `texts` is one str.
            BundleError: if `beam` is wanted and the bundle was built without.
        """
        if beam and not self.has_beam:
            raise BundleError("the bundle has no beam search; build it with `python -m export build RUN --beam 4`")
        return self.answer(texts, signature="generate_beam" if beam else "generate")

    def stream(self, text):
        """Writes the output for one text token by token, each as soon as it is decided.

        Args:
            text: str.

        Yields:
            `Piece`, one a token, the end token included; the product of their probabilities is the confidence.

        Raises:
            InputError: if the text is refused; the message says why.
        """
        source, length = pad([self.encode_text(text)], self._width)
        carried = self.session.call("encode", source=source, source_length=length)
        token, written, shown = START, [], ""
        for _ in range(self.manifest["limits"]["target"]):
            outputs = self.session.call("step", token=np.asarray([token], "int32"), **carried)
            logits = outputs.pop("logits")[0].astype("float64")
            carried.update({name.removeprefix("next_"): array for name, array in outputs.items()})
            token = int(logits.argmax())
            written.append(token)
            output = self.decode_ids(written).rstrip("\ufffd")  # of a character in several tokens
            probability = math.exp(float(logits.max() - np.logaddexp.reduce(logits)))
            yield Piece(output[len(shown) :], probability)
            shown = output
            if token == END:
                return

    def decode_ids(self, ids):
        """The text of target ids, up to the first end token."""
        kept = []
        for token in map(int, ids):
            if token == END:
                break
            if token > UNKNOWN:
                kept.append(token)
        return self._target.decode(kept, skip_special_tokens=False)

    def _answer(self, prepared, signature="generate"):
        source, length = self._pad(prepared)
        outputs = self.session.call(signature, source=source, source_length=length)
        for ids, log_probability in zip(outputs["ids"], outputs["log_probability"], strict=True):
            output = self.decode_ids(ids)
            yield output, confidence(output, log_probability)


def confidence(output, log_probability):
    """The probability of a whole output: exp(sum of its tokens' log-probabilities), the end token included.

    An empty output is how a model says that there is nothing to write, and has confidence 0.

    Args:
        output: str.
        log_probability: float `(target,)`, 0 in the padding.

    Returns:
        float in [0, 1].
    """
    total = float(np.sum(log_probability, dtype="float64"))
    return min(math.exp(min(total, 0.0)), 1.0) if output and not math.isnan(total) else 0.0
