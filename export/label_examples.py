"""The examples of a classifier or tagger, as an artefact reads and answers them: for its proof and for its judge."""

import numpy as np

from export.examples import HEADS, padded


class LabelExamples:
    """Inputs of `predict`, and what Keras answers.

    Args:
        data: dict that `export.reference` wrote.
        limits: dict of `source`, in tokens, and `characters` where the model reads some; {} for pictures.

    Attributes:
        wanted: dict of output -> list, Keras's probabilities of each example, `(labels,)` or `(tokens, labels)`.
        sizes: list of int, tokens of each example; 0 of a picture.
    """

    def __init__(self, data, limits):
        self.wanted = {head: [np.asarray(rows, "float32") for rows in data[head]] for head in HEADS if head in data}
        self._ids, self._characters, self._limits = data.get("source_ids"), data.get("character_ids"), limits
        self._images = None if "image" not in data else np.asarray(data["image"], "float32") / 255
        count = len(self.wanted["probabilities"])
        self.sizes = [0] * count if self._ids is None else [len(ids) for ids in self._ids]

    def inputs(self, chosen, to_limit):
        """The inputs of `predict` for some examples, padded to the limit or to the longest: dict of arrays."""
        if self._images is not None:
            return {"image": self._images[chosen]}
        spelled = None if self._characters is None else [self._characters[number] for number in chosen]
        width = self._limits["source"] if to_limit else None
        return padded([self._ids[number] for number in chosen], spelled, self._limits, width)

    def run(self, session, order, batch, to_limit):
        """What an artefact answers.

        Args:
            session: see `export.runtime.LiteRTSession`.
            order: sequence of int, the examples.
            batch: int, how many at once.
            to_limit: bool, whether texts are padded to the limit, or to the longest of a batch.

        Returns:
            dict of output -> list, of each example in `order` its probabilities, without padding.
        """
        found = {head: [] for head in self.wanted}
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            outputs = session.call("predict", **self.inputs(chosen, to_limit))
            for head, rows in found.items():
                for number, row in zip(chosen, outputs[head], strict=True):
                    rows.append((row[: self.sizes[number]] if row.ndim == 2 else row).copy())
        return found
