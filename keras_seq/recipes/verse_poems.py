"""Poems to train a writer of verse on: the Tang poems, a user's pairs of lines, or made-up ones."""

import collections
import dataclasses

import numpy as np

from keras_seq.data import load as load_data
from keras_seq.data import read_pairs, split, verse
from keras_seq.data.tokenizer import Tokenizer

PARTS = ("train", "validation", "test")
LONGEST = 16
"""Characters of the longest line of a user's file; longer ones are left out and counted."""

# Each character's counterpart, as lines of a couplet have them: sky and earth, mountain and water.
_COUNTERPARTS = dict(zip("天山風花春日來高古千", "地水雨月秋夜去長今萬", strict=True))
_RHYMES = ("流樓舟秋", "間山顏閒", "明聲城情")


@dataclasses.dataclass(frozen=True)
class Poems:
    """Poems in three parts, none of whose lines are shared.

    Attributes:
        train, validation, test: dict of poem -> list of (line, the line after it), see `keras_seq.data.verse.couplets`.
        quatrains: dict of part -> list of dict of `title` and `lines`; may be empty.
    """

    train: dict
    validation: dict
    test: dict
    quatrains: dict

    @classmethod
    def tang(cls, poems=None):
        """The Tang poems of the catalogue; with `poems` only so many of the training part."""
        parts = {part: verse.couplets(load_data("chinese_poetry", part)) for part in PARTS}
        quatrains = {part: load_data("chinese_poetry/quatrains", part) for part in PARTS}
        if poems is not None:
            parts["train"] = dict(list(parts["train"].items())[:poems])
            quatrains["train"] = [poem for poem in quatrains["train"] if poem["poem"] in parts["train"]]
        return cls(**parts, quatrains=quatrains)

    @classmethod
    def read(cls, path):
        """A user's pairs of lines, a tenth of them for validation and a tenth to test.

        Args:
            path: str or path of a TSV or JSON Lines file, see `keras_seq.data.read_pairs`.

        Raises:
            FileNotFoundError, ValueError: as `read_pairs`, and if no pair is left.
        """
        records = read_pairs(path)
        fitting = [0 < len(row["source"]) == len(row["target"]) <= LONGEST for row in records]
        if not any(fitting):
            raise ValueError(
                f"{path} has {len(records)} pairs, none of lines of equal length, up to {LONGEST} characters; without "
                "marks and spaces a line and the line after it, with a tab between"
            )
        records = records.keep(fitting, f"not of equal length, or longer than {LONGEST} characters")
        parts = split(records, {"validation": 0.1, "test": 0.1}, together=("source", "target"))
        found = {
            part: {f"{part} {number}": [(row["source"], row["target"])] for number, row in enumerate(parts[part])}
            for part in PARTS
        }
        return cls(**found, quatrains={})

    @classmethod
    def toy(cls, poems=300, seed=0):
        """Made-up quatrains: each second line says the first by counterparts, and ends in the poem's rhyme."""
        random = np.random.default_rng(seed)
        parts = {part: {} for part in PARTS}
        quatrains = {part: [] for part in PARTS}
        for number in range(poems):
            part = PARTS[max(0, number % 10 - 7)]
            length, rhyme = (5, 7)[number // 10 % 2], _RHYMES[random.integers(len(_RHYMES))]
            firsts = ["".join(random.choice(list(_COUNTERPARTS), length)) for _ in range(2)]
            ends = random.choice(list(rhyme), 2, replace=False)
            seconds = [
                "".join(map(_COUNTERPARTS.get, first[:-1])) + end for first, end in zip(firsts, ends, strict=True)
            ]
            pairs = list(zip(firsts, seconds, strict=True))
            parts[part][f"toy {number}"] = pairs
            lines = [line for pair in pairs for line in pair]
            quatrains[part].append({"poem": f"toy {number}", "title": firsts[0][:2], "lines": lines})
        return cls(**parts, quatrains=quatrains)

    def first(self, part, count):
        """The first poems of a part."""
        return dict(list(getattr(self, part).items())[:count])

    def examples(self, part, contexts):
        """list of (source, target) to train on; `contexts` as `keras_seq.recipes.verse.VerseConfig` has it."""
        poems = getattr(self, part)
        if not contexts:
            return verse.alone(poems)
        return verse.mixed(poems) + verse.from_titles(self.quatrains.get(part, []))[0]

    def tokenizer(self, min_count):
        """The `Tokenizer` of the characters that training has at least `min_count` times, the marks included.

        Raises:
            ValueError: if no character comes so often.
        """
        counts = collections.Counter(
            character for pairs in self.train.values() for pair in pairs for line in pair for character in line
        )
        kept = [character for character in counts if counts[character] >= min_count and character not in verse.MARKS]
        if not kept:
            raise ValueError(
                f"no character comes {min_count} times in {len(self.train)} poems; give more, or min_count=1"
            )
        ranked = [*verse.MARKS, *sorted(kept, key=lambda character: (-counts[character], character))]
        # Each is given as often as its place from the end, since a vocabulary is put in order by frequency.
        return Tokenizer.train([character * (len(ranked) - place) for place, character in enumerate(ranked)])
