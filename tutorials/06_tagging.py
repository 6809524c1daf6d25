# %% [markdown]
# # 06 Bidirectional and deep
#
# **Question.** In *they saw the saw* one word is a verb and then a noun. What must a reader see to know: the word, its
# letters, the words before it, the words behind it? How deep must it be? And how good is a tagger that anybody can
# train in minutes on a laptop, on real sentences of the web?
#
#     python tutorials/06_tagging.py                        about twenty minutes on two cores
#     python tutorials/06_tagging.py --data my.tsv          the same on a file of your own; with
#                                                           --from runs/06_tagging/best_seed_1 begun with this tagger
#     python tutorials/06_tagging.py --text "They saw the saw ."          tags a sentence with the trained model
#
# The data is the English Web Treebank of Universal Dependencies (Silveira et al., 2014): 12 543 sentences to learn
# from, each word with one of 17 word classes. A file of your own has a line a sentence: the tokens with spaces between,
# a tab, a tag for each token with spaces between; or JSON Lines with `tokens` and `tags`.

# %%
import collections
import dataclasses
import time
from pathlib import Path

import numpy as np
from lesson import Lesson
from shipping import ship

VARIANTS = {
    "one way, 1 layer": {"bidirectional": False, "num_layers": 1},
    "one way, 2 layers": {"bidirectional": False, "num_layers": 2},
    "one way, 3 layers": {"bidirectional": False, "num_layers": 3},
    "one way, 1 layer, twice as wide": {"bidirectional": False, "num_layers": 1, "wide": 2},
    "both ways, 1 layer": {"bidirectional": True, "num_layers": 1},
    "both ways, 2 layers": {"bidirectional": True, "num_layers": 2},
    "both ways, 3 layers": {"bidirectional": True, "num_layers": 3},
    "both ways, 2 layers, no characters": {"bidirectional": True, "num_layers": 2, "characters": False},
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson.

    Attributes:
        best: options of `keras_seq.recipes.tagging.TaggingConfig` for the best model.
        small: the same for the models that are compared.
        variants: names of those, of `VARIANTS`.
        compared_on: int, sentences that the compared models are trained on.
        seeds: seeds of the best model.
        cut: int, test sentences that are read word by word.
    """

    best: dict = dataclasses.field(default_factory=dict)
    small: dict = dataclasses.field(
        default_factory=lambda: dict(
            batch_tokens=500,
            epochs=8,
            dropout=0.2,
            units=48,
            embedding_size=64,
            character_size=16,
            character_filters=32,
        )
    )
    variants: tuple = tuple(VARIANTS)
    compared_on: int = 3000
    seeds: tuple = (1, 2, 3)
    cut: int = 300


TINY = dict(epochs=2, units=6, embedding_size=6, character_size=4, character_filters=6, limit=12, width=8,
            batch_tokens=200, learning_rate=2e-2, num_layers=1)  # fmt: skip
SMOKE = Config(best=TINY, small={**TINY, "epochs": 1}, variants=("one way, 1 layer", "both ways, 1 layer"),
               compared_on=60, seeds=(1,), cut=10)  # fmt: skip
GPU = Config(best=dict(units=256, embedding_size=200, character_filters=192, dropout=0.5, epochs=25, batch_tokens=2400))
OPTIONS = {
    "--data": {"metavar": "FILE", "type": Path, "help": "a tagged file of your own, TSV or JSON Lines"},
    "--text": {"metavar": "TEXT", "help": "tag this sentence with the trained model, its tokens with spaces between"},
    "--seeds": {"type": int, "nargs": "+", "metavar": "N", "help": "trainings of the best model (default: 1 2 3)"},
    "--from": {"dest": "start", "type": Path, "metavar": "RUN", "help": "a trained run to begin with, for --data"},
    "--preset": {"choices": ("laptop", "gpu"), "default": "laptop", "help": "gpu: wider, and trained for longer"},
}
EWT, BAR, STRETCH = "UD English EWT", 0.94, 0.95


def main(argv=None):
    """Counts, compares readers, trains the best one, looks into it and ships it."""
    lesson = Lesson(__file__, "What the right context buys; a tagger of real sentences.", argv, OPTIONS)
    config = SMOKE if lesson.smoke else {"laptop": Config(), "gpu": GPU}[lesson.options.preset]
    if lesson.options.seeds:
        config = dataclasses.replace(config, seeds=tuple(lesson.options.seeds))
    home = lesson.run / lesson.options.data.stem if lesson.options.data else lesson.run
    if lesson.options.text:
        tag_text(home / f"best_seed_{config.seeds[0]}", lesson.options.text)
        return
    records, name = load_sentences(lesson)
    seen = count_words(lesson, records)
    given = feed_the_model(lesson, config, records)
    table = compare(lesson, config, home, records)
    scores = train_the_best(lesson, config, home, records, seen, name, given)
    read_word_by_word(lesson, config, home, records)
    confusions(lesson, config, home, records)
    unheard_of(lesson, config, home)
    matrix = export_it(lesson, config, home)
    lesson.finish(scores=scores, table=table, matrix=matrix)


# %% [markdown]
# ## The equations
# Of word $n$ the tagger reads an embedding of the word, lower-cased, and what a small convolution sees in its letters,
# as they are written (`keras_seq/layers/characters.py`):
#
# $$x_n = [\,E_{\text{word}_n} ; \max_i \mathrm{relu}(W [c_{i-1}; c_i; c_{i+1}] + b)\,]$$
#
# A recurrent layer knows at $n$ what came before. A *bidirectional* one is two of them, one reading backwards, side by
# side (Schuster and Paliwal, 1997). A *deep* one reads what the layer below it has written at each word:
#
# $$h^{\rightarrow}_n = \mathrm{LSTM}(x_n, h^{\rightarrow}_{n-1}), \quad
#   h^{\leftarrow}_n = \mathrm{LSTM}(x_n, h^{\leftarrow}_{n+1}), \quad
#   p(\text{tag}_n) = \mathrm{softmax}(W [h^{\rightarrow}_n ; h^{\leftarrow}_n] + b)$$
#
# That is N-N: as many answers as words, each given with the whole sentence read. `WordTagger` in
# `keras_seq/models/word_tagger.py` is this, as a functional Keras model.
#
# ## What one could know without a network
# Take for each word the tag that it had most often, and for words never seen the tag that such words have most often.


# %%
def load_sentences(lesson):
    """The parts, dict of list of `{"tokens", "tags"}`, and what they are called."""
    from keras_seq.data import read_tagged, split, toy_sentences
    from keras_seq.recipes.tagging import load_records

    if lesson.options.data:
        parts = split(read_tagged(lesson.options.data), {"validation": 0.1, "test": 0.1})
        return {
            name: [{key: row[key] for key in ("tokens", "tags")} for row in rows] for name, rows in parts.items()
        }, (lesson.options.data.name)
    if lesson.smoke:
        sizes = (("train", 120), ("validation", 30), ("test", 40))
        return {part: toy_sentences.tagged(count, seed) for seed, (part, count) in enumerate(sizes)}, "generated"
    return load_records("universal_dependencies"), EWT


def count_words(lesson, records):
    """Counts and the baseline; returns word -> Counter of its tags in training."""
    print("What one could know without a network")
    seen = tags_of_words(records["train"])
    for part, rows in records.items():
        lesson.number(f"{part}: sentences", len(rows), ",.0f")
        lesson.number(f"{part}: words", sum(len(row["tokens"]) for row in rows), ",.0f")
    once = collections.Counter(tag for tags in seen.values() if tags.total() == 1 for tag in tags)
    guess = {word: tags.most_common(1)[0][0] for word, tags in seen.items()}
    rare = once.most_common(1)[0][0] if once else "NOUN"
    guessed = [[guess.get(token.lower(), rare) for token in row["tokens"]] for row in records["test"]]
    groups = by_group(guessed, records["test"], seen)
    for name, (right, total) in groups.items():
        lesson.number(f"most frequent tag: {name} ({total:,} words)", right / max(1, total), ".2%")
    return seen


def tags_of_words(rows):
    """dict of lower-cased word -> Counter of the tags that it has in these sentences."""
    seen = collections.defaultdict(collections.Counter)
    for row in rows:
        for token, tag in zip(row["tokens"], row["tags"], strict=True):
            seen[token.lower()][tag] += 1
    return seen


def by_group(guessed, rows, seen):
    """dict of group -> (right, words): all, never seen in training, seen with several tags, seen with one."""
    groups = {name: [0, 0] for name in ("all", "unknown", "ambiguous", "with one tag")}
    for tags, row in zip(guessed, rows, strict=True):
        for guess, token, tag in zip(tags, row["tokens"], row["tags"], strict=True):
            for name in ("all", group_of(token, seen)):
                groups[name][0] += guess == tag
                groups[name][1] += 1
    return {name: tuple(counts) for name, counts in groups.items()}


def group_of(token, seen):
    """The group of a word by what training has seen of it."""
    kinds = len(seen.get(token.lower(), ()))
    return "unknown" if not kinds else "ambiguous" if kinds > 1 else "with one tag"


# %% [markdown]
# ## Feeding it
# Sentences of equal length share a batch, so that little is padding, and a batch holds a number of *words* and not of
# sentences. Is the model waiting for its input?


# %%
def feed_the_model(lesson, config, records):
    """Share of padding with and without buckets, and how fast the batches come: words a second."""
    from keras_seq.data.label_batches import LabelBatches
    from keras_seq.data.words import WordCoder
    from keras_seq.recipes.sentence_tagger import boundaries
    from keras_seq.recipes.tagging import TaggingConfig

    print("\nFeeding it")
    recipe = TaggingConfig(**config.best)
    rows = [row for row in records["train"] if len(row["tokens"]) <= recipe.limit]
    coder = WordCoder.train([row["tokens"] for row in rows])
    inputs = coder.inputs([row["tokens"] for row in rows])
    labels = [np.zeros(len(row["tokens"]), int) for row in rows]
    options = {"batch_tokens": recipe.batch_tokens}
    bucketed = LabelBatches(inputs, labels, boundaries=boundaries(recipe.limit), **options)
    padded = LabelBatches(inputs, labels, boundaries=[recipe.limit], **options)
    begin = time.perf_counter()
    words = sum(int(np.count_nonzero(batch["ids"])) for batch, _ in bucketed(0))
    seconds = time.perf_counter() - begin
    lesson.number("words that the input gives a second", words / seconds, ",.0f")
    shares = bucketed.padding_share(), padded.padding_share()
    lesson.claim(
        "with buckets {bucketed:.0%} of what is read is padding, without them {padded:.0%}",
        shares[0] < shares[1], bucketed=shares[0], padded=shares[1],
    )  # fmt: skip
    return words / seconds


def input_is_no_bottleneck(lesson, records, results, given):
    """Words a second of the input beside those of the training step."""
    words = sum(len(row["tokens"]) for row in records["train"]) * results["epochs"] / results["seconds"]
    lesson.number("words that are trained on a second", words, ",.0f")
    lesson.claim("the input is {times:.0f} times as fast as the model", given > words, times=given / words)


# %% [markdown]
# ## One way or both, one layer or three
# Six small readers, alike but for direction and depth; a seventh that reads one way with twice the units, lest it be
# the parameters; and one that is not shown the letters. They are trained on a part of the sentences and for few epochs,
# so as to be compared and not to be
# good. The interval is a bootstrap over the test sentences.


# %%
def compare(lesson, config, home, records):
    """Trains the variants; prints, draws and returns the table."""
    from keras_seq.plots.bars import bars
    from keras_seq.recipes.tagging import TaggingConfig, train

    print("\nOne way or both, one layer or three")
    # Every fourth or so: the sentences stand by their kind, letters behind blogs.
    part = {**records, "train": list(records["train"])[:: max(1, len(records["train"]) // config.compared_on)]}
    seen = tags_of_words(part["train"])
    rows, guesses, tokens = {}, {}, [row["tokens"] for row in records["test"]]
    for name in config.variants:
        options = {**config.small, **VARIANTS[name]}
        options["units"] = options["units"] * options.pop("wide", 1)
        run = home / "compared" / name.replace(",", "").replace(" ", "_")
        tagger, results = train(TaggingConfig(**options), part, run, verbose=0)
        guesses[name], _ = tagger.tag(tokens)
        groups = by_group(guesses[name], records["test"], seen)
        rows[name] = {
            "reader": name, "parameters": results["parameters"], **results["accuracy"],
            **{group: right / max(1, total) for group, (right, total) in groups.items()},
            "seconds": results["seconds"],
        }  # fmt: skip
    print(f"  {'':36} {'parameters':>10} {'test':>7} {'interval':>15} {'unknown':>8} {'ambiguous':>9}")
    for name, row in rows.items():
        print(f"  {name:36} {row['parameters']:10,} {row['value']:7.2%} {row['low']:7.2%}-{row['high']:.2%} "
              f"{row['unknown']:8.1%} {row['ambiguous']:9.1%}")  # fmt: skip
    shown = {"wrong tags, %": [100 * (1 - row["value"]) for row in rows.values()],
             "of unknown words": [100 * (1 - row["unknown"]) for row in rows.values()],
             "of ambiguous words": [100 * (1 - row["ambiguous"]) for row in rows.values()]}  # fmt: skip
    title = "What direction, depth and letters do"
    both = [name for name in rows if name.startswith("both")]
    lesson.figure(bars(lesson.run / "compared.png", list(rows), shown, title, lighter=both))
    claims_of_the_table(lesson, rows)
    right_context(lesson, records["test"], guesses)
    return list(rows.values())


def claims_of_the_table(lesson, rows):
    """What the table says."""
    one, both = rows["one way, 1 layer"], rows["both ways, 1 layer"]
    lesson.claim(
        "reading both ways takes {one:.1%} wrong tags to {both:.1%}, far outside the interval",
        both["low"] > one["high"], one=1 - one["value"], both=1 - both["value"],
    )  # fmt: skip
    if len(rows) < len(VARIANTS):
        return
    wide, deep = rows["one way, 1 layer, twice as wide"], rows["both ways, 2 layers"]
    lesson.claim(
        "it is not the parameters: twice the units one way leave {wide:.1%} wrong",
        both["low"] > wide["high"], wide=1 - wide["value"],
    )  # fmt: skip
    lesson.claim(
        "a second layer changes {change:+.2f} points, less than the second direction's {direction:+.2f}",
        abs(deep["value"] - both["value"]) < both["value"] - one["value"],
        change=100 * (deep["value"] - both["value"]), direction=100 * (both["value"] - one["value"]),
    )  # fmt: skip
    blind = rows["both ways, 2 layers, no characters"]
    lesson.claim(
        "without letters {blind:.1%} of the unknown words are right, with them {deep:.1%}",
        deep["unknown"] > blind["unknown"] + 0.1, blind=blind["unknown"], deep=deep["unknown"],
    )  # fmt: skip


# %% [markdown]
# ## What the right context buys
# The same words, read one way and both ways by the two smallest readers. Where does the tag flip from wrong to right,
# and what stands behind such a word?


# %%
def right_context(lesson, rows, guesses):
    """Words whose tag the right context mends, with examples, and the other way round."""
    print("\nWhat the right context buys")
    one, both = guesses["one way, 1 layer"], guesses["both ways, 1 layer"]
    mended, spoiled, words = [], 0, collections.Counter()
    for row, before, after in zip(rows, one, both, strict=True):
        for place, tag in enumerate(row["tags"]):
            if before[place] != tag and after[place] == tag:
                mended.append((row["tokens"], place, before[place], tag))
                words[row["tokens"][place].lower()] += 1
            spoiled += before[place] == tag and after[place] != tag
    lesson.number("wrong one way, right both ways", len(mended), ",.0f")
    lesson.number("right one way, wrong both ways", spoiled, ",.0f")
    print("  mended most often: " + ", ".join(f"{word} ({count})" for word, count in words.most_common(12)))
    shown = set()
    for tokens, place, before, tag in sorted(mended, key=lambda one: -words[one[0][one[1]].lower()]):
        word = tokens[place].lower()
        if word not in shown and place + 1 < len(tokens) and len(shown) < 8:
            shown.add(word)
            left, right = " ".join(tokens[max(0, place - 3) : place]), " ".join(tokens[place + 1 : place + 4])
            print(f"  {left:>28} [{tokens[place]}] {right:28} {before} one way, {tag} both ways")


# %% [markdown]
# ## As good as it gets here
# Two layers both ways, wider, on all sentences. Words that training has seen once are unknown to it, and one in seven
# others is taken for unknown at random, so that the letters learn to speak for themselves. Three seeds, because one
# training is one throw of the dice.


# %%
def train_the_best(lesson, config, home, records, seen, name, given):
    """Trains the best model with each seed; returns its row of scores."""
    from keras_seq.plots.curves import curves
    from keras_seq.recipes.tagging import TaggingConfig, config_of, train
    from keras_seq.training.run_directory import read_rows

    print("\nAs good as it gets here")
    found, series, start = [], {}, lesson.options.start
    recipe = dataclasses.replace(config_of(start) if start else TaggingConfig(), **config.best)
    for seed in config.seeds:
        run = home / f"best_seed_{seed}"
        tagger, results = train(dataclasses.replace(recipe, seed=seed), records, run, start=start)
        accuracy = results["accuracy"]
        found.append(results)
        interval = f"{accuracy['low']:.2%}-{accuracy['high']:.2%}"
        minutes = results["seconds"] / 60
        print(
            f"  seed {seed}: {accuracy['value']:.2%} of the test words ({interval}), {minutes:.1f} minutes", flush=True
        )
        rows = read_rows(run / "metrics.csv")
        for key, label in (("accuracy", "training, dropout on"), ("val_accuracy", "validation")):
            if seed == config.seeds[0] or key == "val_accuracy":
                series[f"{label}, seed {seed}"] = [row["epoch"] for row in rows], [1 - row[key] for row in rows]
        if seed == config.seeds[0]:
            guessed, _ = tagger.tag([row["tokens"] for row in records["test"]])
            for group, (right, total) in by_group(guessed, records["test"], seen).items():
                lesson.number(f"best, seed {seed}: {group} ({total:,} words)", right / max(1, total), ".2%")
    path, title = lesson.run / "learning.png", f"{name}: the best tagger learns"
    lesson.figure(curves(path, series, "epoch", "tags wrong", title, percent=True, log="y"))
    input_is_no_bottleneck(lesson, records, found[0], given)
    values = [results["accuracy"]["value"] for results in found]
    lesson.number("test accuracy, mean of the seeds", np.mean(values), ".2%")
    if name == EWT:
        lesson.claim("{value:.2%} of the test words are right: the bar is {bar:.0%}", np.mean(values) >= BAR,
                     value=np.mean(values), bar=BAR)  # fmt: skip
    return [score_row(lesson, config, found, values, name)]


def score_row(lesson, config, found, values, name):
    """What README's table takes."""
    many = len(values) > 1
    seeds = " ".join(map(str, config.seeds))
    return {
        "what": "word classes (upos)", "data": name, "model": "BiLSTM, 2 layers, words and characters",
        "metric": "accuracy", "value": float(np.mean(values)),
        "low": min(values) if many else found[0]["accuracy"]["low"],
        "high": max(values) if many else found[0]["accuracy"]["high"],
        "how": f"{len(values)} seeds" if many else "bootstrap, 1000 draws",
        "bar": BAR, "stretch": STRETCH, "parameters": found[0]["parameters"],
        "minutes": round(float(np.mean([results["seconds"] for results in found])) / 60, 1),
        "seed": list(config.seeds), "command": f"python tutorials/{lesson.name}.py --record --seeds {seeds}",
    }  # fmt: skip


# %% [markdown]
# ## How far must it look ahead?
# Cut a sentence some words behind the one in question, and ask for its tag. The tagger has never seen sentences that
# stop in the middle, so a cut costs something for being a cut, most of all where it comes at once. The question is
# where the curve gets flat.


# %%
def read_word_by_word(lesson, config, home, records):
    """Accuracy of the best model by the number of words to the right that it sees."""
    from keras_seq.plots.curves import curves
    from keras_seq.recipes.sentence_tagger import SentenceTagger

    print("\nHow far must it look ahead?")
    tagger = SentenceTagger.load(home / f"best_seed_{config.seeds[0]}")
    rows = [row for row in records["test"] if 8 <= len(row["tokens"]) <= 25 or lesson.smoke][: config.cut]
    ahead, shares = (0, 1, 2, 3, 5, 8, 25), []
    for words in ahead:
        cut = [row["tokens"][: place + 1 + words] for row in rows for place in range(len(row["tokens"]))]
        tags, _ = tagger.tag(cut)
        places = [place for row in rows for place in range(len(row["tokens"]))]
        wanted = [tag for row in rows for tag in row["tags"]]
        right = [own[place] == tag for own, place, tag in zip(tags, places, wanted, strict=True)]
        shares.append(float(np.mean(right)))
        lesson.number(f"right with {words} words ahead", shares[-1], ".2%")
    series = {"best tagger": (ahead[:-1], shares[:-1]), "the whole sentence": (ahead[:-1], [shares[-1]] * 6)}
    title = f"{len(wanted):,} test words, by how much of what follows is read"
    path = lesson.run / "ahead.png"
    lesson.figure(curves(path, series, "words seen to the right", "tags right", title, percent=True))
    bought = shares[-1] - shares[0]
    lesson.claim(
        "with nothing that follows {none:.1%} are right, with the next word alone {one:.1%}, with all {all:.1%}",
        bought > 0.01 and shares[1] - shares[0] > 0.8 * bought,
        none=shares[0], all=shares[-1], one=shares[1],
    )  # fmt: skip


# %% [markdown]
# ## Where it is wrong


# %%
def confusions(lesson, config, home, records):
    """The confusion picture, the pairs that are confused most, and sentences with the surest errors."""
    from keras_seq.plots.convolution import confusion
    from keras_seq.recipes.sentence_tagger import SentenceTagger

    print("\nWhere it is wrong")
    tagger = SentenceTagger.load(home / f"best_seed_{config.seeds[0]}")
    place = {tag: number for number, tag in enumerate(tagger.tags)}
    counts, wrong = np.zeros((len(place), len(place)), int), []
    logits, _ = tagger.logits([row["tokens"] for row in records["test"]])
    for row, own in zip(records["test"], logits, strict=True):
        sure = np.exp(own - own.max(axis=1, keepdims=True))
        sure /= sure.sum(axis=1, keepdims=True)  # (time, tags)
        for at, (tag, guess) in enumerate(zip(row["tags"], own.argmax(axis=1), strict=True)):
            counts[place[tag], guess] += 1
            if place[tag] != guess:
                wrong.append((float(sure[at, guess]), row["tokens"], at, tag, tagger.tags[guess]))
    title = f"{counts.sum():,} test words, {counts.sum() - counts.trace():,} of them wrong"
    lesson.figure(confusion(lesson.run / "confusion.png", counts, tagger.tags, title))
    both = counts + counts.T
    pairs = sorted(((both[a, b], a, b) for a in range(len(both)) for b in range(a)), reverse=True)[:5]
    for count, a, b in pairs:
        print(f"  {tagger.tags[a]} and {tagger.tags[b]}: {count} ({count / max(1, len(wrong)):.0%} of all errors)")
    for chance, tokens, at, tag, guess in sorted(wrong, key=lambda one: -one[0])[:8]:
        left, right = " ".join(tokens[max(0, at - 4) : at]), " ".join(tokens[at + 1 : at + 4])
        print(f"  {left:>30} [{tokens[at]}] {right:26} is {tag}, taken for {guess} ({chance:.0%} sure)")
    share = sum(count for count, _, _ in pairs) / max(1, len(wrong))
    lesson.number("share of the errors in the five pairs", share, ".1%")


# %% [markdown]
# ## Words that nobody has ever read
# Lewis Carroll made them up. What is left to go by is letters and order.


# %%
JABBERWOCKY = "Twas brillig , and the slithy toves did gyre and gimble in the wabe .".split()
WANTED = dict(brillig="ADJ", slithy="ADJ", toves="NOUN", gyre="VERB", gimble="VERB", wabe="NOUN")


def unheard_of(lesson, config, home):
    """Tags of made-up words."""
    from keras_seq.recipes.sentence_tagger import SentenceTagger

    print("\nWords that nobody has ever read")
    tagger = SentenceTagger.load(home / f"best_seed_{config.seeds[0]}")
    sentence = JABBERWOCKY[: tagger.limit]
    (tags,), _ = tagger.tag([sentence])
    print("  " + "  ".join(f"{word}/{tag}" for word, tag in zip(sentence, tags, strict=True)))
    hits = sum(WANTED.get(word) == tag for word, tag in zip(sentence, tags, strict=True))
    lesson.number(f"made-up words tagged as a reader would, of {len(WANTED)}", hits, "d")


# %% [markdown]
# ## Ship it
# The tagger in every format and precision: what each costs, and that it is still the same tagger.


# %%
def export_it(lesson, config, home):
    """Rows of the matrix for the first seed's model."""
    print("\nShip it")
    return ship(lesson, home / f"best_seed_{config.seeds[0]}")


def tag_text(run, text):
    """Prints each word of a sentence with its tag."""
    from keras_seq.recipes.sentence_tagger import SentenceTagger

    tagger = SentenceTagger.load(run)
    tokens = text.split()
    (tags,), _ = tagger.tag([tokens])
    for token, tag in zip(tokens, tags, strict=True):
        print(f"  {token:20} {tag}")


# %% [markdown]
# ## What it says, and an exercise
# - The second direction is worth more than twice the units one way: part of what decides about a word stands behind
#   it, and the next word is nearly all of that.
# - Depth is not for nothing and not for free. On a quarter of the sentences and in a few epochs a second layer is no
#   better than one, within the interval, and a third is worse; what a second is worth with all the data, one would have
#   to train to know.
# - Letters are what there is for words never seen; the picture of errors shows what they cannot tell, names from nouns.
# - Three trainings that differ in their seed alone differ too. A difference between models that is smaller than that
#   is none.
#
# **Exercise.** Set `cell="gru"` in `Config.best`: how many parameters fewer, and is it worse by more than the seeds
# differ? Then train on a file of your own with `--data`, a few hundred sentences of another language: which words does
# it get wrong that you would not?

# %%
if __name__ == "__main__":
    main()
