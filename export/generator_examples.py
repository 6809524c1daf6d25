"""The test set of a generator's run: what it reads, and what it should write.

texts      test.tsv: text, tab, target text
audio      test.npz: `samples` int16, all recordings one after another, `lengths` int `(examples,)`, `targets`
pictures   test.npz: `images` uint8 `(examples, height, width, channels)`, `targets`

`targets` are str `(examples,)`; or `(examples, accepted)` where several are right, "" where there are fewer.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export import errors
from export.examples import drawn_order, read_arrays, read_pictures, read_texts


@dataclass(frozen=True)
class GeneratorExamples:
    """Examples, each attribute a list with an entry for each.

    Attributes:
        name: str, how reports call the source: of a text the text itself.
        source: rows, see `export.sources`.
        accepted: list of str, the targets, any of which is right; the first one stands for them.
    """

    name: list
    source: list
    accepted: list

    def __len__(self):
        return len(self.name)

    def __getitem__(self, part):
        return GeneratorExamples(self.name[part], self.source[part], self.accepted[part])


def read_examples(run, task):
    """The examples of a run's test set that the model can read.

    Args:
        run: path of the run directory.
        task: `export.examples.Task` of a generator.

    Returns:
        `GeneratorExamples`.

    Raises:
        ExportError: if there is none, or the test set is not as described.
    """
    if task.picture:
        images, targets = read_pictures(run, task.picture, "targets")
        names = [f"picture {number} of the test set" for number in range(len(images))]
        return GeneratorExamples(names, list(images), _accepted(run, targets))
    if task.audio:
        return _recordings(run, task)
    texts = read_texts(run, task.limits)
    return GeneratorExamples(texts.text, texts.source_ids, [[target] for target in texts.target])


def _recordings(run, task):
    path, limit, rate = Path(run, "test.npz"), task.limits["source"], task.audio["rate"]
    samples, lengths, targets = read_arrays(run, "samples", "lengths", "targets")
    if samples.dtype != np.int16 or samples.ndim != 1 or lengths.sum() != len(samples) or len(lengths) != len(targets):
        raise errors.ExportError(
            f"{path} holds {samples.dtype} {list(samples.shape)}, {len(lengths)} lengths of {lengths.sum()} samples "
            f"together and {len(targets)} targets; wanted int16 samples, one recording after another, and a length and "
            "a target for each"
        )
    recordings = np.split(samples, np.cumsum(lengths)[:-1])
    accepted = _accepted(run, targets)
    kept = [number for number, length in enumerate(lengths) if 0 < length <= limit]
    if not kept:
        raise errors.ExportError(f"{path} holds no recording of 1 to {limit} samples")
    kept = [kept[place] for place in drawn_order(len(kept))]
    return GeneratorExamples(
        [f"recording {number} of the test set, {lengths[number] / rate:.2f} s" for number in kept],
        [recordings[number] for number in kept],
        [accepted[number] for number in kept],
    )


def _accepted(run, targets):
    """For each example its targets, list of str."""
    if targets.dtype.kind != "U" or targets.ndim not in (1, 2):
        raise errors.ExportError(
            f"{Path(run, 'test.npz')} holds targets {targets.dtype} {list(targets.shape)}; wanted str (examples,), or "
            '(examples, accepted) with "" where there are fewer'
        )
    rows = targets.reshape(len(targets), -1).tolist()
    return [[target for target in row if target] or [""] for row in rows]
