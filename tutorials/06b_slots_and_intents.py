# %% [markdown]
# # 06b Slots and intents
#
# **Question.** *Add step to me to the 50 clásicos playlist*: what does somebody want (the **intent**, one label for the
# sentence), and with what (the **slots**, spans of words: a track, a playlist)? One network answers both at once. Does
# the one answer help the other? And what of names that it has never read?
#
#     python tutorials/06b_slots_and_intents.py             about eight minutes on two cores
#     python tutorials/06b_slots_and_intents.py --data my.tsv             the same on a file of your own; with
#                                       --from runs/06b_slots_and_intents/best_seed_1 beginning with this reader
#     python tutorials/06b_slots_and_intents.py --text "play some jazz"   reads a sentence with the trained model
#
# The data is SNIPS (Coucke et al., 2018): seven intents, 39 slots, 700 test sentences. A file of your own has a line a
# sentence: tokens with spaces between, a tab, as many tags (`B-artist I-artist O`), a tab, the intent; or JSON Lines
# with `tokens`, `tags` and `label`.

# %%
import collections
import dataclasses
from pathlib import Path

import numpy as np
from lesson import Lesson
from shipping import ship


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson.

    Attributes:
        best: options of `keras_seq.recipes.tagging.TaggingConfig` that differ from those of the recipe's run.
        small: the same for the two models that are compared.
        compared_on: int, sentences that those are trained on.
        seeds: seeds of the best model.
    """

    best: dict = dataclasses.field(default_factory=dict)
    small: dict = dataclasses.field(
        default_factory=lambda: dict(epochs=8, units=64, num_layers=1, batch_tokens=400, dropout=0.3)
    )
    compared_on: int = 4000
    seeds: tuple = (1, 2, 3)


TINY = dict(epochs=8, units=12, num_layers=1, embedding_size=12, character_size=4, character_filters=8, limit=14,
            width=8, batch_tokens=300, learning_rate=3e-2, dropout=0.0)  # fmt: skip
SMOKE = Config(best=TINY, small={**TINY, "epochs": 1}, compared_on=60, seeds=(1,))
GPU = Config(best=dict(units=256, embedding_size=200, character_filters=192, dropout=0.5, epochs=30, batch_tokens=2400))
OPTIONS = {
    "--data": {"metavar": "FILE", "type": Path, "help": "a file of your own with tags and labels, TSV or JSON Lines"},
    "--text": {"metavar": "TEXT", "help": "read this sentence with the trained model, its tokens with spaces between"},
    "--seeds": {"type": int, "nargs": "+", "metavar": "N", "help": "trainings of the best model (default: 1 2 3)"},
    "--from": {"dest": "start", "type": Path, "metavar": "RUN", "help": "a trained run to begin with, for --data"},
    "--preset": {"choices": ("laptop", "gpu"), "default": "laptop", "help": "gpu: wider, and trained for longer"},
}
SNIPS = "SNIPS"
BARS = {"span_f1": ("slot F1 (conlleval)", 0.90, 0.94), "label_accuracy": ("intent accuracy", 0.975, 0.98)}


def main(argv=None):
    """Counts, asks whether two heads help each other, trains the best, looks at its errors and ships it."""
    lesson = Lesson(__file__, "Slots and intent of a sentence by one network with two heads.", argv, OPTIONS)
    config = SMOKE if lesson.smoke else {"laptop": Config(), "gpu": GPU}[lesson.options.preset]
    if lesson.options.seeds:
        config = dataclasses.replace(config, seeds=tuple(lesson.options.seeds))
    home = lesson.run / lesson.options.data.stem if lesson.options.data else lesson.run
    if lesson.options.text:
        read_text(home / f"best_seed_{config.seeds[0]}", lesson.options.text)
        return
    records, name = load_sentences(lesson)
    count(lesson, records)
    baseline(lesson, records)
    two_heads(lesson, config, home, records)
    tagger, scores = train_the_best(lesson, config, home, records, name)
    names_never_read(lesson, tagger, records)
    errors(lesson, tagger, records)
    print("\nShip it")
    lesson.finish(scores=scores, matrix=ship(lesson, home / f"best_seed_{config.seeds[0]}"))


# %% [markdown]
# ## Spans, and how they are counted
# Tags say where a span begins (`B-artist`), goes on (`I-artist`) and where none is (`O`). A span counts as found only
# with both ends and its kind right. Of spans found right $c$, guessed $g$ and wanted $w$:
#
# $$\text{precision} = c / g, \qquad \text{recall} = c / w, \qquad F_1 = \frac{2c}{g + w}$$
#
# That is the rule of `conlleval` (Tjong Kim Sang and Buchholz, 2000), and `keras_seq/scores.py` has it. Most words are
# `O`, so that the share of right tags says little.


# %%
def load_sentences(lesson):
    """The parts, dict of list of `{"tokens", "tags", "label"}`, and what they are called."""
    from keras_seq.data import read_tagged, split, toy_sentences
    from keras_seq.recipes.tagging import load_records

    if lesson.options.data:
        rows = read_tagged(lesson.options.data)
        if "label" not in rows[0]:
            raise SystemExit(
                f"{lesson.options.data} has no label for the sentences, wanted tokens, tags and a label in each line; "
                "add one, or use tutorials/06_tagging.py"
            )
        return split(rows, {"validation": 0.1, "test": 0.1}), lesson.options.data.name
    if lesson.smoke:
        sizes = (("train", 300), ("validation", 30), ("test", 60))
        return {part: toy_sentences.commands(many, seed) for seed, (part, many) in enumerate(sizes)}, "generated"
    return load_records("snips"), SNIPS


def values_of(rows):
    """The spans of sentences: list of (kind, their words in lower case) for each."""
    from keras_seq.scores import spans

    return [
        [(kind, " ".join(row["tokens"][begin:end]).lower()) for kind, begin, end in spans(row["tags"])] for row in rows
    ]


def count(lesson, records):
    """What there is."""
    print("What there is")
    for part, rows in records.items():
        lesson.number(f"{part}: sentences", len(rows), ",.0f")
    known = {value for values in values_of(records["train"]) for value in values}
    asked = [value for values in values_of(records["test"]) for value in values]
    lesson.number("intents", len({row["label"] for row in records["train"]}), "d")
    lesson.number("kinds of slots", len({kind for kind, _ in known}), "d")
    lesson.number("slots in the test sentences", len(asked), ",.0f")
    new = np.mean([value not in known for value in asked])
    lesson.number("of these with a value that training has not", new, ".1%")


# %% [markdown]
# ## What one could know without a network
# For the slots: the tag that each word had most often. For the intent: naive Bayes, the product over the words of how
# often each is in sentences of that intent.


# %%
def baseline(lesson, records):
    """Slot F1 of the most frequent tags, intent accuracy of naive Bayes."""
    from keras_seq.scores import f1, span_counts

    print("\nWhat one could know without a network")
    tags, words = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
    labels = collections.Counter(row["label"] for row in records["train"])
    for row in records["train"]:
        for token, tag in zip(row["tokens"], row["tags"], strict=True):
            tags[token.lower()][tag] += 1
            words[row["label"]][token.lower()] += 1
    most = {word: counts.most_common(1)[0][0] for word, counts in tags.items()}
    test = records["test"]
    guessed = [[most.get(token.lower(), "O") for token in row["tokens"]] for row in test]
    lesson.number("slot F1, most frequent tags", f1(span_counts(guessed, [row["tags"] for row in test]).sum(0)), ".1%")

    def log_probability(label, row):
        total = words[label].total() + len(tags)
        seen = [np.log((words[label][token.lower()] + 1) / total) for token in row["tokens"]]
        return np.log(labels[label]) + sum(seen)

    hits = [max(labels, key=lambda label: log_probability(label, row)) == row["label"] for row in test]
    lesson.number("intents right, naive Bayes", np.mean(hits), ".1%")


# %% [markdown]
# ## One network, two heads
# The encoder is the one of lesson 06: words and their letters, LSTMs both ways. One head reads every word's state and
# gives tags; the other reads the largest value of each feature over all words and gives the intent. The losses are
# added. And what the network thinks of the intent has a say in the tags, since each slot belongs to some intents only:
#
# $$p(\text{intent}) = \mathrm{softmax}(V \max_n h_n + c), \qquad
#   p(\text{tag}_n) = \mathrm{softmax}(W h_n + b + U\,p(\text{intent}))$$
#
# (Qin et al., 2019, call it stack-propagation.) Does it help? Two small readers, one without the second head:


# %%
def two_heads(lesson, config, home, records):
    """Slot F1 with and without the intent's head."""
    from keras_seq.recipes.tagging import RUNS, train

    print("\nOne network, two heads")
    part = {**records, "train": records["train"][:: max(1, len(records["train"]) // config.compared_on)]}
    alone = {name: [{key: row[key] for key in ("tokens", "tags")} for row in list(rows)] for name, rows in part.items()}
    recipe, found = dataclasses.replace(RUNS["snips"], **config.small), {}
    for name, rows in (("slots alone", alone), ("slots and intent", part)):
        _, results = train(recipe, rows, home / "compared" / name.replace(" ", "_"), verbose=0)
        found[name] = score = results["span_f1"]
        print(f"  {name:20} slot F1 {score['value']:.2%} ({score['low']:.2%}-{score['high']:.2%})", flush=True)
    change = found["slots and intent"]["value"] - found["slots alone"]["value"]
    lesson.number("slot F1 with the intent's head, points more", 100 * change, "+.2f")


# %% [markdown]
# ## As good as it gets here


# %%
def train_the_best(lesson, config, home, records, name):
    """Trains the best model with each seed; returns the first and the rows of scores."""
    from keras_seq.plots.curves import curves
    from keras_seq.recipes.tagging import RUNS, config_of, train
    from keras_seq.training.run_directory import read_rows

    print("\nAs good as it gets here")
    taggers, found, series, start = [], [], {}, lesson.options.start
    recipe = dataclasses.replace(config_of(start) if start else RUNS["snips"], **config.best)
    for seed in config.seeds:
        run = home / f"best_seed_{seed}"
        tagger, results = train(dataclasses.replace(recipe, seed=seed), records, run, start=start)
        taggers.append(tagger)
        found.append(results)
        slots, intents = results["span_f1"], results["label_accuracy"]
        print(f"  seed {seed}: slot F1 {slots['value']:.2%} ({slots['low']:.2%}-{slots['high']:.2%}), intents "
              f"{intents['value']:.2%} ({intents['low']:.2%}-{intents['high']:.2%})", flush=True)  # fmt: skip
        rows = read_rows(run / "metrics.csv")
        for key, label in (("val_tags_accuracy", "tags"), ("val_label_accuracy", "intents")):
            series[f"{label}, seed {seed}"] = [row["epoch"] for row in rows], [1 - row[key] for row in rows]
    title = f"{name}: both heads learn (validation)"
    lesson.figure(curves(lesson.run / "learning.png", series, "epoch", "wrong", title, percent=True, log="y"))
    return taggers[0], [score_row(lesson, config, measure, found, name) for measure in BARS]


def score_row(lesson, config, measure, found, name):
    """What README's table takes; and the claim."""
    metric, bar, stretch = BARS[measure]
    values = [results[measure]["value"] for results in found]
    lesson.number(f"{metric}, mean of the seeds", np.mean(values), ".2%")
    if name == SNIPS:
        lesson.claim("{metric} is {value:.2%}: the bar is {bar:.1%}", np.mean(values) >= bar, metric=metric,
                     value=np.mean(values), bar=bar)  # fmt: skip
    many = len(values) > 1
    seeds = " ".join(map(str, config.seeds))
    return {
        "what": "slots and intent together", "data": name, "model": "BiLSTM, 2 layers, words and characters, two heads",
        "metric": metric, "value": float(np.mean(values)),
        "low": min(values) if many else found[0][measure]["low"],
        "high": max(values) if many else found[0][measure]["high"],
        "how": f"{len(values)} seeds" if many else "bootstrap, 1000 draws",
        "bar": bar, "stretch": stretch, "parameters": found[0]["parameters"],
        "minutes": round(float(np.mean([results["seconds"] for results in found])) / 60, 1),
        "seed": list(config.seeds), "command": f"python tutorials/{lesson.name}.py --record --seeds {seeds}",
    }  # fmt: skip


# %% [markdown]
# ## Names that it has never read
# A slot's value is a name more often than not, and names are without end. Of the slots whose value stood in training,
# and of those whose value did not, how many are found?


# %%
def names_never_read(lesson, tagger, records):
    """Share of the wanted spans that are found, by whether training has their value in that slot."""
    from keras_seq.scores import spans

    print("\nNames that it has never read")
    known = {value for values in values_of(records["train"]) for value in values}
    guessed, _ = tagger.tag([row["tokens"] for row in records["test"]])
    found = {"known": [], "new": []}
    for tags, row, values in zip(guessed, records["test"], values_of(records["test"]), strict=True):
        ours = set(spans(tags))
        for span, value in zip(spans(row["tags"]), values, strict=True):
            found["known" if value in known else "new"].append(span in ours)
    for name, hits in found.items():
        lesson.number(f"recall of slots with a {name} value ({len(hits):,})", np.mean(hits or [0]), ".1%")
    lesson.claim("it knows the names it has read better: {known:.1%} against {new:.1%}",
                 np.mean(found["known"]) > np.mean(found["new"] or [0]),
                 known=np.mean(found["known"]), new=np.mean(found["new"] or [0]))  # fmt: skip


# %% [markdown]
# ## Where it is wrong


# %%
def errors(lesson, tagger, records):
    """F1 of each kind of slot, the confusion of intents, and sentences that it gets wrong."""
    from keras_seq.plots.bars import bars
    from keras_seq.plots.convolution import confusion
    from keras_seq.scores import f1, spans

    print("\nWhere it is wrong")
    test = records["test"]
    guessed, labels = tagger.tag([row["tokens"] for row in test])
    counts, taken = collections.defaultdict(lambda: np.zeros(3)), collections.Counter()
    for tags, row in zip(guessed, test, strict=True):
        ours, wanted = set(spans(tags)), set(spans(row["tags"]))
        for column, group in enumerate((ours & wanted, ours, wanted)):
            for kind, _, _ in group:
                counts[kind][column] += 1
        places = {(begin, end): kind for kind, begin, end in ours}
        taken.update((kind, places[begin, end]) for kind, begin, end in wanted - ours if (begin, end) in places)
    kinds = sorted((kind for kind in counts if counts[kind][2] >= 10), key=lambda kind: f1(counts[kind]))[:16]
    measures = {"F1, %": [100 * f1(counts[kind]) for kind in kinds], "in the test": [counts[kind][2] for kind in kinds]}
    lesson.figure(bars(lesson.run / "slots.png", kinds, measures, "The slots that are hardest"))
    missed = sum(int(total - right) for right, _, total in counts.values())
    lesson.number("slots missed", missed, "d")
    lesson.number("of these with both ends right and another kind", sum(taken.values()), "d")
    for (kind, other), times in taken.most_common(5):
        print(f"  {times:3} times {kind} taken for {other}")
    place = {label: number for number, label in enumerate(tagger.labels)}
    table = np.zeros((len(place), len(place)), int)
    for label, row in zip(labels, test, strict=True):
        table[place[row["label"]], place[label]] += 1
    title = f"{table.sum() - table.trace()} of {table.sum()} intents are wrong"
    lesson.figure(confusion(lesson.run / "intents.png", table, tagger.labels, title))
    shown = 0
    for tags, label, row in zip(guessed, labels, test, strict=True):
        if label != row["label"] or (list(tags) != row["tags"] and shown < 6):
            shown += 1
            print(f"  {marked(row['tokens'], row['tags'])}  {row['label']}")
            print(f"      read as {marked(row['tokens'], tags)}  {label}")


def marked(tokens, tags):
    """A sentence with its slots in brackets."""
    from keras_seq.scores import spans

    words = list(tokens)
    for kind, begin, end in spans(tags):
        words[begin] = f"[{words[begin]}"
        words[end - 1] += f" :{kind}]"
    return " ".join(words)


def read_text(run, text):
    """Prints the intent and the slots of a sentence."""
    from keras_seq.recipes.sentence_tagger import SentenceTagger

    tokens = text.split()
    (tags,), (label,) = SentenceTagger.load(run).tag([tokens])
    print(f"  {label}: {marked(tokens, tags)}")


# %% [markdown]
# ## What it says, and an exercise
# - One encoder serves two answers, and the second head costs next to nothing. Whether it helps the first is the number
#   above, with its interval: trained for a few steps only it is in the way, since both learn at once.
# - The share of right tags flatters: F1 counts whole spans, and half a name is no name.
# - New names are where the slots are lost. What tells them is the words around and the letters; a list of all artists
#   would tell more than a larger network.
#
# **Exercise.** Leave `U p(intent)` out of `WordTagger` and train the two small readers again: is the second head still
# of use? Then write twenty sentences of your own with a new intent into a file and train on it with `--data`.

# %%
if __name__ == "__main__":
    main()
