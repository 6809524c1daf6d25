"""What writes text: translators and readers of dates, of what is spoken and of pictures."""

import dataclasses
import math

from . import audio, pictures
from .bundle import Bundle, TextBundle
from .errors import BundleError, np
from .text import END, START, UNKNOWN

_OUTPUTS = {"ids", "length", "log_probability"}


@dataclasses.dataclass(frozen=True)
class Piece:
    """What one step has added to an output.

    Args:
        text: str; "" where a character is not whole yet, and at the end.
        probability: float, of the token.
    """

    text: str
    probability: float


class Writer(Bundle):
    """A bundle that writes, whatever it reads; what is offered beyond `Bundle`:

    Attributes:
        has_beam: bool, whether beam search is in the artefact.
    """

    def _writes(self, target, shapes, *others):
        """Takes the target's tokenizer; refuses an artefact that reads other than `shapes`, and `others` by name."""
        self._target = target
        self.has_beam = "generate_beam" in self.artefact["signatures"]
        self._check_signature("generate", {*shapes, *others}, _OUTPUTS, shapes)

    def generate(self, inputs, beam=False):
        """Writes an output for each input.

        Args:
            inputs: iterable of what the bundle reads, such as str.
            beam: bool, by beam search instead of the best token each time.

        Returns:
            list of `Result`, one for each input, in order. What the model cannot take is refused one by one.

        Raises:
            TypeError: if `inputs` is one str.
            BundleError: if `beam` is wanted and the bundle was built without.
        """
        if beam and not self.has_beam:
            raise BundleError("the bundle has no beam search; build it with `python -m export build RUN --beam 4`")
        return self.answer(inputs, signature="generate_beam" if beam else "generate")

    def stream(self, given):
        """Writes the output for one input token by token, each as soon as it is decided.

        Args:
            given: what the bundle reads, such as a str.

        Yields:
            `Piece`, one a token, the end token included; the product of their probabilities is the confidence.

        Raises:
            InputError: if the input is refused; the message says why.
        """
        carried = self.session.call("encode", **self._inputs([self._prepare(given)]))
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
        outputs = self.session.call(signature, **self._inputs(prepared))
        for ids, log_probability in zip(outputs["ids"], outputs["log_probability"], strict=True):
            output = self.decode_ids(ids)
            yield output, confidence(output, log_probability)


class Generator(Writer, TextBundle):
    """A bundle that reads texts and writes."""

    def __init__(self, manifest, artefact, session, source, target):
        super().__init__(manifest, artefact, session, source)
        self._writes(target, {"source": [1, self.source_limit]}, "source_length")

    def _inputs(self, prepared):
        source, length = self._pad(prepared)
        return {"source": source, "source_length": length}


class AudioGenerator(Writer):
    """A bundle that hears a recording and writes. Inputs are names of WAV files, or pairs of an array and its rate.

    Attributes:
        rate: int, samples a second that the model reads; recordings of another rate are resampled.
        source_limit: int, the longest recording in samples.
    """

    def __init__(self, manifest, artefact, session, target):
        super().__init__(manifest, artefact, session)
        self.rate, self.source_limit = manifest["audio"]["rate"], manifest["limits"]["source"]
        window = manifest["audio"].get("window")
        self._shortest = window if isinstance(window, int) else 1
        self._writes(target, {"source": [1, self.source_limit]}, "source_length")

    def _told(self, given):
        return audio.told(given)

    def _prepare(self, given):
        return audio.read_audio(given, self.rate, self.source_limit, self._shortest)

    def _size(self, prepared):
        return len(prepared)

    def _inputs(self, prepared):
        source, length = audio.pad_samples(prepared, self.source_limit if self._is_static else None)
        return {"source": source, "source_length": length}


class PictureGenerator(Writer):
    """A bundle that looks at a picture and writes. Inputs are names of files, or arrays: see `read_picture`."""

    def __init__(self, manifest, artefact, session, target):
        super().__init__(manifest, artefact, session)
        self._shape = tuple(manifest["picture"][name] for name in ("height", "width", "channels"))
        self._ground = manifest["picture"].get("ground")
        self._writes(target, {"image": [1, *self._shape]})

    def _told(self, given):
        return pictures.told(given)

    def _prepare(self, given):
        return pictures.read_picture(given, *self._shape, self._ground)

    def _inputs(self, prepared):
        return {"image": np.stack(prepared)}  # (batch, height, width, channels)


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
