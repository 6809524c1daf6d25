"""How good what a generator writes is, as one share, of which an artefact may lose half a point.

    exact_match      the outputs that are their targets, token for token
    bleu             corpus BLEU / 100 of the outputs' texts; of `bleu_lowercase` upper and lower case are the same
    word_accuracy    1 - the word error rate of the outputs' texts, 0 at least: more is better, as of the others
    next_token       the targets' tokens, the ends among them, that are found likeliest where the tokens before them are
                     given: for what may be written in many ways, such as verse, where no output is its target

A score looks at rows of ids, an example each: the outputs of greedy decoding, or what is likeliest in the place of each
of a target's tokens (teacher forcing). Keras's rows are in what `export.reference` wrote, an artefact's are asked for.

Where several targets of an example are right, the one counts that is nearest to the output; of `next_token` the first.

Reference: Post, 2018, "A Call for Clarity in Reporting BLEU Scores" (sacrebleu, whose tokenisation 13a is taken).
"""

import itertools

import numpy as np

from export import errors, runtime
from export.sources import Sources
from export.tables import words_of
from keras_seq.word_errors import word_edits, word_error_rate

DEFAULT = "exact_match"
# Largest fall of a score, as a share, that an artefact of less precision is offered with.
LARGEST_LOSS = 0.005


def generator_score(name=DEFAULT, vocabulary=None):
    """The score of a name.

    Args:
        name: one of `SCORES`.
        vocabulary: path of the target's tokenizer.json, for scores of texts.

    Returns:
        `ExactMatch`, `Bleu`, `WordAccuracy` or `NextToken`.

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
            data: dict of lists, an entry an example: a name of `export.sources`, and `target_ids`.
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
        pairs = zip(rows, chosen, strict=True)
        return sum(_ended(row) in accepted(data, example, "target_ids") for row, example in pairs) / len(rows)


def accepted(data, example, what="target"):
    """The targets of an example, any of which is right.

    Args:
        data: dict that `export.reference` wrote.
        example: int.
        what: "target" for texts, "target_ids" for ids.

    Returns:
        list of str, or of lists of int, the first of which stands for them.
    """
    every = data.get(f"accepted_{what}")
    return [data[what][example]] if every is None else every[example]


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
        texts, targets = [self._decode(row) for row in rows], [accepted(data, example) for example in chosen]
        # A corpus for each place among the targets; what an example has fewer of is None.
        corpora = [list(place) for place in itertools.zip_longest(*targets)]
        return self._bleu.corpus_score(texts, corpora).score / 100


class WordAccuracy(ExactMatch):
    """1 - the word error rate of the outputs' texts, 0 at least; arguments and methods as of `ExactMatch`."""

    def __init__(self, name, vocabulary):
        from keras_seq.data.tokenizer import Tokenizer

        super().__init__(name)
        self._decode = Tokenizer.load(vocabulary).decode

    def share(self, rows, data, chosen):
        texts = [self._decode(row) for row in rows]
        nearest = [
            min(accepted(data, example), key=lambda target, text=text: word_edits(text, target))
            for text, example in zip(texts, chosen, strict=True)
        ]
        return max(0.0, 1 - word_error_rate(texts, nearest))


class NextToken(ExactMatch):
    """The share of the targets' tokens found likeliest; arguments and methods as of `ExactMatch`.

    What is beyond the longest output is not asked for.
    """

    of_outputs = False

    def asked(self, model, data, limit):
        after, sources = [[*ids, runtime.END][:limit] for ids in data["target_ids"]], Sources(data)
        width, found = max(sources.sizes), []
        for start in range(0, len(sources), _BATCH):
            chosen = range(start, min(start + _BATCH, len(sources)))
            wanted, lengths = runtime.pad([after[example] for example in chosen])  # (batch, target)
            before = np.concatenate([np.full_like(wanted[:, :1], runtime.START), wanted[:, :-1]], axis=1)
            logits = teacher_forced(model, sources.inputs(chosen, width), before)  # (batch, target, vocabulary)
            best = logits.argmax(axis=-1)  # (batch, target)
            found += [row[:length].tolist() for row, length in zip(best, lengths, strict=True)]
        return {"next_ids": found}

    def keras(self, data):
        if "next_ids" not in data:
            raise errors.TaskError("next_token: nobody knows what Keras finds likeliest; build the bundle again")
        return data["next_ids"]

    def artefact(self, session, data, chosen, outputs, width, batch):
        sources, targets = Sources(data), [self._wanted(data, example) for example in chosen]
        sizes = [(sources.sizes[example], len(target)) for example, target in zip(chosen, targets, strict=True)]
        order = sorted(range(len(sizes)), key=sizes.__getitem__)  # little padding in a batch
        found = [None] * len(order)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            inputs = sources.inputs([chosen[row] for row in rows], width)
            for row, best in zip(rows, _likeliest(session, inputs, [targets[row] for row in rows]), strict=True):
                found[row] = best
        return found

    def share(self, rows, data, chosen):
        pairs = [(row, self._wanted(data, example)) for row, example in zip(rows, chosen, strict=True)]
        right = sum(own == wanted for row, target in pairs for own, wanted in zip(row, target, strict=True))
        return right / sum(len(target) for _, target in pairs)

    def _wanted(self, data, example):
        """A target's tokens and its end, as far as Keras was asked."""
        return [*data["target_ids"][example], runtime.END][: len(self.keras(data)[example])]


SCORES = {
    "exact_match": ExactMatch,
    "bleu": Bleu,
    "bleu_lowercase": Bleu,
    "next_token": NextToken,
    "word_accuracy": WordAccuracy,
}
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


def teacher_forced(model, inputs, before):
    """Keras's logits, each token of the outputs given those before it: `(batch, target, vocabulary)`.

    Args:
        model: the run's model, which takes by name what its `encode` takes, as far as it wants it, and `target`.
        inputs: dict that `export.sources.inputs_of` returned.
        before: int32 `(batch, target)`, the start token and the outputs but for the last.
    """
    given = {**inputs, "target": before}
    return np.asarray(model({name: given[name] for name in model.input}))


def _likeliest(session, inputs, targets):
    """What `step` finds likeliest in the place of each token of some targets: list of lists of int."""
    wanted, lengths = runtime.pad(targets)  # (batch, target)
    carried = session.call("encode", **inputs)
    token, found = np.full(len(targets), runtime.START, "int32"), []
    for position in range(wanted.shape[1]):
        outputs = session.call("step", token=token, **carried)
        found.append(outputs.pop("logits").argmax(axis=-1))  # (batch,)
        carried.update({name.removeprefix("next_"): array for name, array in outputs.items()})
        token = np.ascontiguousarray(wanted[:, position])
    return [row[:length].tolist() for row, length in zip(np.stack(found, axis=1), lengths, strict=True)]
