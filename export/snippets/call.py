"""What a snippet calls: one artefact of a bundle and its main signature, the same in every language."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from string import Template

# The kinds of bundle that write.
WRITING = ("generate", "audio", "caption")


def kind_of(manifest):
    """What a bundle does: "generate" (text to text), "audio" (audio to text), "caption" (a picture to text), "classify"
    and "tag" (texts), or "picture" (the label of one)."""
    if manifest["task"] == "generate":
        return "audio" if "audio" in manifest else "caption" if "picture" in manifest else "generate"
    return "picture" if "picture" in manifest else manifest["task"]


@dataclass(frozen=True)
class Call:
    """One artefact of a bundle, and how its main signature is called.

    Attributes:
        format: "tflite", "onnx" or "saved_model".
        path: str, of the artefact.
        weights: tuple of str, names in the folder of an ONNX artefact beside the graphs.
        task: see `kind_of`.
        width: int, the length that ids or samples are padded to; None where the artefact takes any.
        written: int, the most ids that a generator writes.
        picture: tuple of height, width and channels, of pictures.
        rate: int, samples a second, of audio.
        spelled: bool, whether the manifest lists the characters that a generator writes.
        labels: str, name of the file of labels, None of a generator.
        classes: int, how many labels there are, None of a generator.
        letters: int, how many characters of each token are read beside its id, None where none are.
        sentence_labels: str, name of the file of the sentences' labels beside a tagger's, None where there are none.
        sentence_classes: int, how many of them there are.
    """

    format: str
    path: str
    weights: tuple = ()
    task: str = "generate"
    width: int | None = None
    written: int | None = None
    picture: tuple | None = None
    rate: int | None = None
    spelled: bool = False
    labels: str | None = None
    classes: int | None = None
    letters: int | None = None
    sentence_labels: str | None = None
    sentence_classes: int | None = None

    @classmethod
    def of(cls, manifest, artefact):
        """The call of a manifest's artefact."""
        task = kind_of(manifest)
        width = written = picture = None
        if task in ("picture", "caption"):
            picture = tuple(manifest["picture"][name] for name in ("height", "width", "channels"))
        signature = artefact["signatures"]["generate" if task in WRITING else "predict"]
        if artefact["format"] == "tflite" and not picture:
            width = signature["inputs"]["source" if task in WRITING else "ids"]["shape"][1]
        if task in WRITING:
            written = signature["outputs"]["ids"]["shape"][-1] or manifest["limits"]["target"]
        names = (PurePosixPath(name).name for name in artefact["files"])
        return cls(
            format=artefact["format"],
            path=artefact["path"],
            weights=tuple(name for name in names if artefact["format"] == "onnx" and not name.endswith(".onnx")),
            task=task,
            width=width,
            written=written,
            picture=picture,
            rate=manifest["audio"]["rate"] if task == "audio" else None,
            spelled="target" in manifest.get("characters", {}),
            labels=manifest.get("labels"),
            classes=None
            if task in WRITING
            else signature["outputs"]["probabilities"]["shape"][-1] or len(manifest.get("label_names", ())),
            letters=manifest.get("limits", {}).get("characters") if "characters" in signature["inputs"] else None,
            sentence_labels=manifest.get("sentence_labels"),
            sentence_classes=len(manifest.get("sentence_label_names", ())) or None,
        )

    @property
    def signature(self):
        """Name of the signature."""
        return "generate" if self.writes else "predict"

    @property
    def writes(self):
        """bool, whether ids of tokens come out."""
        return self.task in WRITING

    @property
    def file(self):
        """The file or folder to open: of ONNX one file a signature."""
        return f"{self.path}/{self.signature}.onnx" if self.format == "onnx" else self.path

    def fill(self, text):
        """A template with what is known of the call: $file, $signature, $ids, $length, $width, $written, ..."""
        ids, length = ("source", "source_length") if self.writes else ("ids", "length")
        return Template(text).substitute(
            path=self.path,
            file=self.file,
            signature=self.signature,
            ids=ids,
            length=length,
            width=self.width,
            rate=self.rate,
            written=self.written,
            labels=self.labels,
            classes=self.classes,
            letters=self.letters,
            sentence_labels=self.sentence_labels,
            sentence_classes=self.sentence_classes,
            shape=", ".join(map(str, self.picture or ())),
            count=_product(self.picture or ()),
        )


def _product(sizes):
    count = 1
    for size in sizes:
        count *= size
    return count
