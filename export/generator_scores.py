"""How good what a generator writes is, as one share, of which an artefact may lose half a point.

    exact_match      the outputs that are their targets, token for token
    bleu             corpus BLEU / 100 of the outputs' texts; of `bleu_lowercase` upper and lower case are the same
    next_token       the targets' tokens, the ends among them, that are found likeliest where the tokens before them are
                     given: for what may be written in many ways, such as verse, where no output is its target

A score looks at rows of ids, an example each: the outputs of greedy decoding, or what is likeliest in the place of each
of a target's tokens (teacher forcing). Keras's rows are in what `export.reference` wrote, an artefact's are asked for.

Reference: Post, 2018, "A Call for Clarity in Reporting BLEU Scores" (sacrebleu, whose tokenisation 13a is taken).
"""

import numpy as np

from export import errors, runtime
from export.tables import words_of

DEFAULT = "exact_match"
# Largest fall of a score, as a share, that an artefact of less precision is offered with.
LARGEST_LOSS = 0.005


def generator_score(name=DEFAULT, vocabulary=None):
    """The score of a name.

    Args:
        name: one of `SCORES`.
        vocabulary: path of the target's tokenizer.json, for scores of texts.

    Returns:
        `ExactMatch`, `Bleu` or `NextToken`.

    Raises:
        ExportError: if the name is not known, or a package is missing.
    """
    if name not in SCORES:
        raise errors.ExportError(f"the score {name!r} is not known; choose from {', '.join(SCORES)}")
    return SCORES[name](name, vocabulary)


class ExactMatch:
    """The share of outputs that are their targets.

    Args:
        name: str, what reports call the score.
        vocabulary: path of the target's tokenizer.json.

    Attributes:
        name: str.
        of_outputs: bool, whether outputs are scored, whichever search wrote them; else beam search has no score.
    """

    of_outputs = True

    def __init__(self, name=DEFAULT, vocabulary=None):
        self.name = name

    def asked(self, model, data, limit):
        """What Keras has to be asked beside its outputs.

        Args:
            model: the run's model.
            data: dict of lists, an entry an example: `source_ids` and `target_ids`.
            limit: int, the longest output in tokens, the end included.

        Returns:
            dict of lists, an entry an example, to go into the reference.
        """
        return {}

    def keras(self, data):
        """Keras's rows of ids, out of the dict that `export.reference` wrote."""
        return data["ids"]

    def artefact(self, session, data, chosen, outputs, width, batch):
        """An artefact's rows of ids.

        Args:
            session: see `export.runtime.LiteRTSession`.
            data: dict that `export.reference` wrote.
            chosen: sequence of int, examples of it.
            outputs: int `(chosen, target)`, what the artefact's greedy decoding wrote for them.
            width: int, what sources are padded to; None is the longest of a batch.
            batch: int, how many at once.

        Returns:
            list or array of rows of int, in the order of `chosen`.
        """
        return outputs

    def share(self, rows, data, chosen):
        """The score of rows of ids.

        Args:
            rows: sequence of rows of int, what `keras` or `artefact` returned of the examples.
            data: dict that `export.reference` wrote.
            chosen: sequence of int, the examples.

        Returns:
            float from 0 to 1
        """
        targets = (data["target_ids"][example] for example in chosen)
        return sum(_ended(row) == target for row, target in zip(rows, targets, strict=True)) / len(rows)


class Bleu(ExactMatch):
    """Corpus BLEU of the outputs' texts against the targets'; arguments and methods as of `ExactMatch`."""

    def __init__(self, name, vocabulary):
        from keras_seq.data.tokenizer import Tokenizer

        try:
            from sacrebleu.metrics import BLEU
        except ImportError:
            raise errors.ExportError(f"the score {name} needs a package: pip install sacrebleu") from None
        super().__init__(name)
        self._decode = Tokenizer.load(vocabulary).decode
        # force: no warning where the texts look tokenised.
        self._bleu = BLEU(tokenize="13a", lowercase=name == "bleu_lowercase", force=True)

    def share(self, rows, data, chosen):
        texts = [self._decode(row) for row in rows]
        return self._bleu.corpus_score(texts, [[data["target"][example] for example in chosen]]).score / 100


class NextToken(ExactMatch):
    """The share of the targets' tokens found likeliest; arguments and methods as of `ExactMatch`.

    What is beyond the longest output is not asked for.
    """

    of_outputs = False

    def asked(self, model, data, limit):
        after, sources = [[*ids, runtime.END][:limit] for ids in data["target_ids"]], data["source_ids"]
        width, found = max(map(len, sources)), []
        for start in range(0, len(sources), _BATCH):
            source, _ = runtime.pad(sources[start : start + _BATCH], width)
            wanted, lengths = runtime.pad(after[start : start + _BATCH])  # (batch, target)
            before = np.concatenate([np.full_like(wanted[:, :1], runtime.START), wanted[:, :-1]], axis=1)
            logits = np.asarray(model({"source": source, "target": before}))  # (batch, target, vocabulary)
            best = logits.argmax(axis=-1)  # (batch, target)
            found += [row[:length].tolist() for row, length in zip(best, lengths, strict=True)]
        return {"next_ids": found}

    def keras(self, data):
        if "next_ids" not in data:
            raise errors.TaskError("next_token: nobody knows what Keras finds likeliest; build the bundle again")
        return data["next_ids"]

    def artefact(self, session, data, chosen, outputs, width, batch):
        sources = [data["source_ids"][example] for example in chosen]
        targets = [self._wanted(data, example) for example in chosen]
        sizes = [(len(source), len(target)) for source, target in zip(sources, targets, strict=True)]
        order = sorted(range(len(sizes)), key=sizes.__getitem__)  # little padding in a batch
        found = [None] * len(order)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            source = runtime.pad([sources[row] for row in rows], width)
            for row, best in zip(rows, _likeliest(session, *source, [targets[row] for row in rows]), strict=True):
                found[row] = best
        return found

    def share(self, rows, data, chosen):
        pairs = [(row, self._wanted(data, example)) for row, example in zip(rows, chosen, strict=True)]
        right = sum(own == wanted for row, target in pairs for own, wanted in zip(row, target, strict=True))
        return right / sum(len(target) for _, target in pairs)

    def _wanted(self, data, example):
        """A target's tokens and its end, as far as Keras was asked."""
        return [*data["target_ids"][example], runtime.END][: len(self.keras(data)[example])]


SCORES = {"exact_match": ExactMatch, "bleu": Bleu, "bleu_lowercase": Bleu, "next_token": NextToken}
_BATCH = 64


def check_score(name, score, wanted, own=False):
    """Refuses a score that is more than half a point below what is wanted.

    Args:
        name: str, one of `SCORES`, or such as "beam_bleu".
        score, wanted: floats, shares.
        own: bool, whether what is wanted is what the artefact itself had when it was built, and not Keras's score.

    Raises:
        TaskError: if it falls.
    """
    if score >= wanted - LARGEST_LOSS - 1e-9:  # a share such as 0.895 is no exact number
        return
    advice = "the first is its own of when the bundle was built; build it again" if own else "ship another precision"
    words, unit = words_of(name)
    raise errors.TaskError(
        f"the score ({words}) falls from {100 * wanted:.2f} to {100 * score:.2f}{unit}, more than half a point; "
        f"{advice}"
    )


def _ended(row):
    """A row of ids up to its end, as a list."""
    row = list(map(int, row))
    return row[: row.index(runtime.END)] if runtime.END in row else row


def _likeliest(session, source, source_length, targets):
    """What `step` finds likeliest in the place of each token of some targets: list of lists of int."""
    wanted, lengths = runtime.pad(targets)  # (batch, target)
    carried = session.call("encode", source=source, source_length=source_length)
    token, found = np.full(len(targets), runtime.START, "int32"), []
    for position in range(wanted.shape[1]):
        outputs = session.call("step", token=token, **carried)
        found.append(outputs.pop("logits").argmax(axis=-1))  # (batch,)
        carried.update({name.removeprefix("next_"): array for name, array in outputs.items()})
        token = np.ascontiguousarray(wanted[:, position])
    return [row[:length].tolist() for row, length in zip(np.stack(found, axis=1), lengths, strict=True)]
