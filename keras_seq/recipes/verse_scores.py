"""What verse is measured by: perplexity a character beside n-grams, lengths, rhymes.

    perplexity = exp(-mean log p(character | what stands before it)), over the characters of lines that follow a line

A network and n-grams share the vocabulary, and neither is asked for what is not in it: a character that training has
too rarely is read as `<unknown>`, is no target, and its probability goes to the others. Nor is either asked where a
line ends, since that is known.
"""

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_seq.data import verse
from keras_seq.data.tokenizer import Tokenizer
from keras_seq.ngrams import KneserNey
from keras_seq.rhymes import rhyme, rhymes
from keras_seq.scores import bootstrap
from keras_seq.whole_file import whole_file

_ROWS = 256
_TESTED = 300  # sources of each kind in test.tsv


@dataclasses.dataclass(frozen=True)
class Scores:
    """Log-probabilities of the known characters of some lines.

    Attributes:
        log_probability: float `(characters,)`, natural logarithms.
        position: int `(characters,)`, place in the line, from 0.
        length: int `(characters,)`, of the line.
        poem: int `(characters,)`, number of the poem.
        unknown: int, characters left out.
    """

    log_probability: np.ndarray
    position: np.ndarray
    length: np.ndarray
    poem: np.ndarray
    unknown: int

    @property
    def perplexity(self):
        """float, a character."""
        return float(np.exp(-self.log_probability.mean()))

    def interval(self):
        """(low, high) of the perplexity, 95 of 100 when the poems are drawn anew."""
        return bootstrap(self._sums(), score=lambda sums: np.exp(sums[:, 0] / sums[:, 1]))

    def below(self, other):
        """How far below another's perplexity this one is, as a share of it; and its (low, high), poems drawn anew.

        Args:
            other: `Scores` of the same characters.

        Returns:
            float, (float, float)
        """
        sums = np.concatenate([self._sums(), other._sums()[:, :1]], axis=1)  # (poems, 3)
        share = bootstrap(sums, score=lambda sums: 1 - np.exp((sums[:, 0] - sums[:, 2]) / sums[:, 1]))
        return 1 - self.perplexity / other.perplexity, share

    def by_position(self, length):
        """Perplexity at each place of lines of a length, list of float."""
        own = self.length == length
        return [float(np.exp(-self.log_probability[own & (self.position == place)].mean())) for place in range(length)]

    def _sums(self):
        """Of each poem, minus the sum of log-probabilities and how many: `(poems, 2)`."""
        poems = self.poem.max() + 1
        return np.stack(
            [np.bincount(self.poem, -self.log_probability, poems), np.bincount(self.poem, minlength=poems)], axis=1
        )


def examples(poems, with_couplet=False):
    """What is scored: sources and targets, with the number of their poem.

    Args:
        poems: dict of poem -> list of (line, the line after it).
        with_couplet: bool, only lines with a couplet before, and that in the source.

    Returns:
        list of (poem, source, target).
    """
    found = []
    for number, (poem, pairs) in enumerate(poems.items()):
        own = (verse.after_a_couplet if with_couplet else verse.alone)({poem: pairs})
        found += [(number, *pair) for pair in own]
    return found


def network_scores(model, tokenizer, lines):
    """`Scores` of a network, teacher-forced.

    Args:
        model: `keras_seq.models.EqualLength`
        tokenizer: `Tokenizer` of both sides.
        lines: list of (poem, source, target), from `examples`.

    Returns:
        `Scores`
    """
    ids = tf.TensorSpec((None, None), tf.int32)
    forward = tf.function(
        lambda source, target: model({"source": source, "target": target}, training=False),
        input_signature=[ids, ids],
        autograph=False,
    )
    sources = tokenizer.encode_batch([source for _, source, _ in lines])
    targets = tokenizer.encode_batch([target for _, _, target in lines])
    found = []
    for length in sorted({len(target) for target in targets}):
        own = [row for row, target in enumerate(targets) if len(target) == length]
        width = max(len(sources[row]) for row in own)
        for start in range(0, len(own), _ROWS):
            rows = own[start : start + _ROWS]
            source = np.zeros((len(rows), width), "int32")
            for place, row in enumerate(rows):
                source[place, : len(sources[row])] = sources[row]
            wanted = np.asarray([targets[row] for row in rows], "int32")  # (rows, length)
            before = np.concatenate([np.full_like(wanted[:, :1], Tokenizer.START), wanted[:, :-1]], axis=1)
            logits = forward(source, before)
            scores = tf.gather(tf.nn.log_softmax(logits), wanted, batch_dims=2).numpy()  # (rows, length)
            found.append((scores, wanted, np.asarray([lines[row][0] for row in rows])))
    return _gathered(found)


def _gathered(found):
    """The known characters of arrays of scores, targets `(rows, length)` and poems `(rows,)`."""
    columns, unknown = [], 0
    for scores, wanted, poem in found:
        known = wanted > Tokenizer.UNKNOWN
        unknown += int((~known).sum())
        rows, places = np.nonzero(known)
        columns.append((scores[known], places, np.full(len(places), wanted.shape[1]), poem[rows]))
    return Scores(*map(np.concatenate, zip(*columns, strict=True)), unknown)


class LineTrigrams:
    """Kneser-Ney trigrams over the lines of poems in sequence: a line's first characters see the end of the one before.

    Args:
        poems: dict of poem -> list of (line, the line after it), to count.
        tokenizer: `Tokenizer`.
        breaks: bool, put a separator between lines, so that the beginning of a line is seen.
        discount: see `keras_seq.ngrams.KneserNey`.
    """

    def __init__(self, poems, tokenizer, breaks, discount):
        self._tokenizer = tokenizer
        self._break = tokenizer.encode(verse.SEPARATOR) if breaks else []
        never = [Tokenizer.UNKNOWN, *self._break]
        marks = tokenizer.encode(verse.MARKS)
        characters = sorted(set(range(Tokenizer.UNKNOWN + 1, len(tokenizer))) - set(marks))
        lines = tokenizer.encode_batch([line for pairs in poems.values() for pair in pairs for line in pair])
        sequences, begin = [], 0
        for pairs in poems.values():
            end = begin + 2 * len(pairs)
            sequences.append([token for line in lines[begin:end] for token in [*line, *self._break]])
            begin = end
        self._never = never
        self._model = KneserNey(sequences, [*never, *characters], 3, discount)

    def scores(self, lines):
        """`Scores` of lines, each given the line before it alone.

        Args:
            lines: list of (poem, source, target), from `examples` without couplets.
        """
        sources, targets = (self._tokenizer.encode_batch([line[side] for line in lines]) for side in (1, 2))
        found = []
        for length in sorted({len(target) for target in targets}):
            own = [row for row, target in enumerate(targets) if len(target) == length]
            before = np.asarray([[*sources[row][-2:], *self._break][-2:] for row in own])  # (rows, 2)
            wanted = np.asarray([targets[row] for row in own])  # (rows, length)
            stream = np.concatenate([before, wanted], axis=1)
            scores = np.zeros(wanted.shape)
            for place in range(length):
                known = wanted[:, place] > Tokenizer.UNKNOWN
                contexts, tokens = stream[known, place : place + 2], wanted[known, place]
                scores[known, place] = self._model.log_probability(contexts, tokens, self._never)
            found.append((scores, wanted, np.asarray([lines[row][0] for row in own])))
        return _gathered(found)


def best_trigrams(train, validation, tokenizer):
    """The trigrams that do best on the validation part, among modified and single discounts, with breaks and without.

    Args:
        train, validation: dict of poem -> list of (line, the line after it).
        tokenizer: `Tokenizer`.

    Returns:
        `LineTrigrams`, and dict of a description -> perplexity on the validation part.
    """
    lines, table, best = examples(validation), {}, None
    for breaks in (True, False):
        for discount in ("modified", "single"):
            model = LineTrigrams(train, tokenizer, breaks, discount)
            perplexity = model.scores(lines).perplexity
            if not table or perplexity < min(table.values()):
                best = model
            table[f"{discount} discount, {'with' if breaks else 'without'} line breaks"] = perplexity
    return best, table


def measure(poet, poems, run_dir, trigrams=None):
    """Tests a run, once: writes its `test.tsv`, on which the exporter compares every artefact with Keras, and results.

    Args:
        poet: `keras_seq.recipes.verse_writing.Poet`
        poems: `Poems`
        run_dir: path of the run directory.
        trigrams: `Scores` of n-grams on `examples(poems.test)`, to be compared with; or None.

    Returns:
        dict: `parameters`, `perplexity` with `interval`, `perplexity_with_couplet`, `by_position`, `unknown`,
        `characters`, and with trigrams `below_trigrams` with `below_interval`.
    """
    path = Path(run_dir, "results.json")
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    scores = network_scores(poet.model, poet.tokenizer, examples(poems.test))
    with_couplet = examples(poems.test, with_couplet=True)
    results = {
        "parameters": poet.model.count_params(),
        "characters": len(scores.log_probability),
        "unknown": scores.unknown,
        "perplexity": scores.perplexity,
        "interval": scores.interval(),
        "by_position": {str(length): scores.by_position(int(length)) for length in np.unique(scores.length)},
    }
    if with_couplet:
        results["perplexity_with_couplet"] = network_scores(poet.model, poet.tokenizer, with_couplet).perplexity
        alone = [(poem, source.split(verse.SEPARATOR)[-1], target) for poem, source, target in with_couplet]
        results["perplexity_of_the_same_without"] = network_scores(poet.model, poet.tokenizer, alone).perplexity
    if trigrams is not None:
        results["below_trigrams"], results["below_interval"] = scores.below(trigrams)
    _write_test(Path(run_dir, "test.tsv"), poems)
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return results


def _write_test(path, poems):
    """Sources of every kind, taking turns, and the lines that the poets wrote."""
    kinds = [
        verse.alone(poems.test),
        verse.after_a_couplet(poems.test),
        verse.from_titles(poems.quatrains.get("test", []))[0],
    ]
    rows = [row for turn in itertools.zip_longest(*(kind[:_TESTED] for kind in kinds)) for row in turn if row]
    with whole_file(path) as temporary:
        temporary.write_text("".join(f"{source}\t{target}\n" for source, target in rows), encoding="utf-8")


def rhyme_rate(firsts, seconds):
    """Share of pairs of lines that rhyme.

    Args:
        firsts, seconds: lists of str, as many.

    Returns:
        float
    """
    return float(np.mean([rhymes(*pair) for pair in zip(firsts, seconds, strict=True)]))


def rhyme_by_chance(firsts, seconds):
    """Share of all pairs, of any first line with any second one, that rhyme: what shuffling comes to on average.

    Args:
        firsts, seconds: lists of str.

    Returns:
        float
    """
    ends = [[line[-1] for line in lines] for lines in (firsts, seconds)]
    numbers = [dict(zip(*np.unique(own, return_counts=True), strict=True)) for own in ends]
    hits = sum(
        int(count) * int(other_count)
        for end, count in numbers[0].items()
        for other, other_count in numbers[1].items()
        if end != other and rhyme(str(end)) is not None and rhyme(str(end)) == rhyme(str(other))
    )
    return hits / (len(firsts) * len(seconds))
