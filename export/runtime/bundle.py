"""What all bundles have in common, whatever their task."""

import dataclasses

from .errors import MEND, BundleError, InputError, short
from .manifest import threshold_of
from .text import check_known, check_text, pad

BATCH = 64
RUNTIMES = {"tflite": ("ai_edge_litert", "ai-edge-litert"), "onnx": ("onnxruntime", "onnxruntime")}


@dataclasses.dataclass(frozen=True)
class Result:
    """What the model made of one input.

    Args:
        text: the text as it was given; of a recording or a picture its file's name.
        output: str, the model's best guess, "" where the input was refused or the model writes nothing.
        confidence: float in [0, 1], the probability of the whole output; 0 where there is none.
        accepted: bool, True where there is an output and its confidence reaches the bundle's threshold.
        refusal: str, why the input was refused before the model saw it, or None.
    """

    text: str
    output: str = ""
    confidence: float = 0.0
    accepted: bool = False
    refusal: str | None = None

    @property
    def line(self):
        """str, the output on one line."""
        return " ".join(self.output.splitlines())


class Bundle:
    """A loaded bundle. Made by `load`.

    Attributes:
        manifest: dict, the manifest.
        artefact: dict, the manifest's entry for the artefact in use.
        session: `LiteRTSession` or `ONNXSession`, for calling signatures by hand.
        threshold: float, the confidence from which an output is accepted.
        most_characters: int, no input has more.
    """

    result = Result
    most_characters = 10_000

    def __init__(self, manifest, artefact, session):
        self.manifest, self.artefact, self.session = manifest, artefact, session
        self.threshold = threshold_of(manifest)
        # TFLite's shapes are fixed: one input at a time.
        self._is_static = artefact["format"] == "tflite"
        self._batch = 1 if self._is_static else BATCH

    def answer(self, inputs, **options):
        """Runs the model on many inputs.

        Args:
            inputs: iterable of what the bundle reads, str for texts.
            options: of the task.

        Returns:
            list of results, one for each input, in order. What the model cannot take is refused one by one.

        Raises:
            TypeError: if `inputs` is one str.
        """
        if isinstance(inputs, (str, bytes)):
            raise TypeError(f"the inputs are one {type(inputs).__name__}, {short(inputs)}; wanted a list: [text]")
        results, prepared = [], []
        for given in inputs:
            results.append(self.result(self._told(given)))
            try:
                prepared.append((len(results) - 1, self._prepare(given)))
            except InputError as error:
                results[-1] = self.result(results[-1].text, refusal=str(error))
        prepared.sort(key=lambda pair: self._size(pair[1]))  # little padding in a batch of texts of like length
        for start in range(0, len(prepared), self._batch):
            indices, rows = zip(*prepared[start : start + self._batch], strict=True)
            for index, (output, confidence, *more) in zip(indices, self._answer(rows, **options), strict=True):
                accepted = bool(output) and confidence >= self.threshold
                results[index] = self.result(results[index].text, output, confidence, accepted, None, *more)
        return results

    def _told(self, given):
        """How a result names what it answers."""
        return given

    def _size(self, prepared):
        return 0

    def _check_signature(self, name, inputs, outputs, shapes):
        """Refuses an artefact with another signature, or of other sizes than the manifest's."""
        offered = self.session.describe(name)
        for side, names in (("inputs", inputs), ("outputs", outputs)):
            if set(offered[side]) != names:
                raise BundleError(
                    f"the artefact {self.artefact['path']} has signature {name} with {side} {sorted(offered[side])}, "
                    f"wanted {sorted(names)}; {MEND}"
                )
        for tensor, wanted in shapes.items():
            verb = "reads" if tensor in inputs else "gives"
            shape = (offered["inputs"] | offered["outputs"])[tensor]["shape"]
            fits = len(shape) == len(wanted) and all(
                size == own or (size is None and not self._is_static) for size, own in zip(shape, wanted, strict=True)
            )
            if not fits:
                raise BundleError(
                    f"the artefact {self.artefact['path']} {verb} {tensor} of shape {shape}, the manifest says "
                    f"{wanted}; {MEND}"
                )


class TextBundle(Bundle):
    """A bundle that reads texts.

    Attributes:
        source_limit: int, the longest text in tokens.
    """

    def __init__(self, manifest, artefact, session, source):
        super().__init__(manifest, artefact, session)
        self.source_limit = manifest["limits"]["source"]
        # Far more characters than any text within the limit has: such a text is not worth encoding.
        self.most_characters = 10_000 + 100 * self.source_limit
        self._width = self.source_limit if self._is_static else None
        self._source = source

    def encode_text(self, text):
        """The source ids of a text.

        Args:
            text: str.

        Returns:
            list of int, 1 to `source_limit` long.

        Raises:
            InputError: if the text is refused; the message says why.
        """
        return self._prepare(text)[0]

    def _prepare(self, text):
        """Ids of a text, and the pieces of it that they stand for."""
        check_text(text, self.most_characters, self.source_limit)
        encoding = self._source.encode(text, add_special_tokens=False)
        ids = list(encoding.ids)
        if not ids:
            raise InputError("nothing is left of the text after normalisation; give text with visible characters")
        if len(ids) > self.source_limit:
            raise InputError(
                f"the text is {len(ids)} tokens long after normalisation, the model reads at most {self.source_limit}; "
                "shorten it"
            )
        pieces = [text[begin:end] for begin, end in encoding.offsets]
        self._check_known(ids, pieces)
        return ids, pieces

    def _check_known(self, ids, pieces):
        check_known(ids, pieces)

    def _size(self, prepared):
        return len(prepared[0])

    def _pad(self, prepared):
        return pad([ids for ids, _ in prepared], self._width)
