# %% [markdown]
# # 13b Summaries
#
# **Question.** A sentence of news in, its headline out: most words are left out, some are moved, a few are new. The
# lesson is that of the dialogue, the data another. Is what the network writes better than the first words of the text?
#
#     python tutorials/13b_summaries.py                     Gigaword over the network; hours on two cores
#     python tutorials/13b_summaries.py --data my.tsv       pairs of yours: text, tab, summary
#     python tutorials/13b_summaries.py --text "rain is expected in the north on monday , the weather service said ."
#
# Gigaword (Rush et al., 2015): first sentences of news and their headlines, lower-cased, digits as `#`. It comes by
# tensorflow-datasets and was not to be had where this was written: no score is claimed here. What was tried is a small
# file (`tests/tutorials/summaries.tsv`) and `--smoke`.

# %%
import dataclasses
import sys
from pathlib import Path

import numpy as np
from learning import TINY, learn
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson.

    Attributes:
        counts: pairs of Gigaword in each part.
        model: options of `keras_seq.recipes.sentence_pairs.PairsConfig`.
        longest: int, words of the longest lead that is tried.
        draws: int, draws of the bootstrap.
    """

    counts: dict = dataclasses.field(default_factory=lambda: dict(train=200_000, validation=1500, test=1951))
    model: dict = dataclasses.field(
        default_factory=lambda: dict(units=128, num_layers=3, num_heads=4, feed_forward=384, dropout=0.1,
                                     vocabulary_size=8000, limits=(72, 32), epochs=6, batch_tokens=3072,
                                     learning_rate=4e-3, average=2, score="next_token")
    )  # fmt: skip
    longest: int = 16
    draws: int = 1000


SMOKE = Config(
    counts=dict(train=160, validation=16, test=24),
    model=TINY,
    longest=6,
    draws=20,
)
GPU = dataclasses.replace(
    Config(),
    counts=dict(train=3_803_957, validation=5000, test=1951),
    model={**Config().model, "units": 384, "num_layers": 4, "feed_forward": 1536, "vocabulary_size": 16_000,
           "epochs": 4, "batch_tokens": 16_384, "learning_rate": 1e-3},
)  # fmt: skip
BEAMS = 4
METRICS = ("rouge1", "rouge2", "rougeL")
OPTIONS = {
    "--text": {"metavar": "TEXT", "help": "summarise this with the trained model: the best four"},
    "--data": {"metavar": "FILE", "type": Path, "help": "pairs of your own, TSV or JSON Lines"},
    "--from": {"dest": "start", "type": Path, "metavar": "RUN", "help": "a trained run to begin with, for --data"},
    "--seed": {"type": int, "default": 1, "help": "of the training (default: %(default)s)"},
    "--preset": {"choices": ("laptop", "gpu"), "default": "laptop", "help": "gpu: all pairs, a larger network"},
}


def main(argv=None):
    """Finds the best lead, trains, compares both with what people wrote, looks, and ships."""
    lesson = Lesson(__file__, "A headline for a sentence, beside its first words.", argv, OPTIONS)
    config = SMOKE if lesson.smoke else {"laptop": Config(), "gpu": GPU}[lesson.options.preset]
    lesson.use_own_folder()
    if lesson.options.text is not None:
        answer(lesson)
        return
    lesson.use_precision()
    parts = look_at_the_data(lesson, config)
    leads = first_words(lesson, config, parts)
    print("\nLearn to leave out", flush=True)
    writer, results = learn(lesson, config.model, parts)
    lesson.number("perplexity a token, test", writer.perplexity(parts["test"]), ".2f")
    table = compare(lesson, config, writer, parts["test"], leads)
    look(lesson, writer, parts["test"])
    from shipping import ship

    print("\nEvery format and precision")
    shipped = ship(lesson, lesson.run / "transformer", beams=BEAMS, timeout=1200)
    lesson.finish(scores=scores(lesson, results, table), table=table, results=results, matrix=shipped)


# %% [markdown]
# ## The data


# %%
def look_at_the_data(lesson, config):
    """The parts, with numbers and examples printed."""
    print("The data")
    try:
        parts = read_pairs(lesson, config)
    except (OSError, ValueError) as error:
        sys.exit(f"{lesson.name}: {error}")
    for part, rows in parts.items():
        lesson.number(f"pairs: {part}", len(rows), ",d")
    for side, name in (("source", "text"), ("target", "summary")):
        lesson.number(f"words in a {name}", np.mean([len(row[side].split()) for row in parts["train"]]))
    new = [np.mean([word not in row["source"].split() for word in row["target"].split()]) for row in parts["train"]]
    lesson.number("words of a summary that are not in the text", np.mean(new), ".1%")
    for row in parts["test"][:2]:
        print(f"  {row['source']}\n    {row['target']}")
    return parts


def read_pairs(lesson, config):
    """The pairs of every part: Gigaword's, a file's, or at --smoke made up."""
    from keras_seq.recipes import summaries
    from keras_seq.recipes.sentence_pairs import load_pairs

    if lesson.options.data:
        return load_pairs(str(lesson.options.data))
    if lesson.smoke:
        return {part: summaries.toy(count, seed) for seed, (part, count) in enumerate(config.counts.items())}
    return summaries.gigaword(config.counts)


# %% [markdown]
# ## Before any network: the first words
# Who writes news says the most important first. The first $n$ words of the text are a summary; $n$ is chosen on the
# validation part, by the mean of three scores. **ROUGE-1** is the F-score of the words that both summaries have,
# **ROUGE-2** that of the pairs of words, **ROUGE-L** that of the longest sequence of words that both have in the same
# order; endings are taken off first (Porter's stemmer), so that *rains* and *raining* are one word.


# %%
def first_words(lesson, config, parts):
    """The leads of the test's texts, as many words as are best on the validation part."""
    from keras_seq.plots.curves import curves
    from keras_seq.recipes.summaries import best_lead, lead

    print("\nBefore any network: the first words")
    count, means = best_lead(parts["validation"], config.longest)
    lesson.number("words of the best lead, validation", count, "d")
    series = {"validation": (list(means), [100 * mean for mean in means.values()])}
    path, title = lesson.run / "leads.png", "How many of the first words?"
    lesson.figure(curves(path, series, "words", "mean of ROUGE-1, -2 and -L", title))
    return [lead(row["source"], count) for row in parts["test"]]


# %% [markdown]
# ## Learn to leave out
# The same recipe as in lesson 13: a Transformer with one vocabulary of byte pairs and one matrix for both sides
# (`learning.py`).

# %% [markdown]
# ## Is it better than the first words?
# The bounds hold 95 of 100 draws of as many texts. Whether the network is better is asked of the difference, text by
# text: an easy text is easy for both.


# %%
def compare(lesson, config, writer, rows, leads):
    """ROUGE of the leads, the likeliest tokens and beams on the test, dict of dicts; with the worst and some others."""
    from keras_seq import text_scores
    from keras_seq.scores import bootstrap

    print("\nIs it better than the first words?")
    sources, wanted = ([row[side] for row in rows] for side in ("source", "target"))
    outputs = {
        "first words": leads,
        "likeliest token each time": writer.write(sources, cut=True),
        f"{BEAMS} beams": writer.write(sources, beams=BEAMS, cut=True),
    }
    found = {name: text_scores.rouge(own, wanted) for name, own in outputs.items()}
    table = {}
    for name, by_metric in found.items():
        table[name] = {}
        for metric, values in by_metric.items():
            low, high = bootstrap(values, config.draws)
            table[name][metric] = {"value": float(values.mean()), "low": low, "high": high}
            lesson.number(f"{metric}: {name} ({low:.1%} to {high:.1%})", values.mean(), ".1%")
    gain = found[f"{BEAMS} beams"]["rougeL"] - found["first words"]["rougeL"]
    low, high = bootstrap(gain, config.draws)
    lesson.number(f"rougeL: beams more than first words ({100 * low:+.1f} to {100 * high:+.1f})", 100 * gain.mean())
    order = np.argsort(found[f"{BEAMS} beams"]["rougeL"], kind="stable")
    for place in dict.fromkeys([*order[:3], *order[len(order) // 2 :][:3]]):
        print(f"  {rows[place]['source']}\n    {'a person':26} {wanted[place]}")
        for name, own in outputs.items():
            print(f"    {name:26} {own[place]}")
    return table


# %% [markdown]
# ## Where it looks
# A row for each token that is written, a column for each that is read. Columns that stay light are what is left out.


# %%
def look(lesson, writer, rows):
    """Attention map of the last layer, the mean over its heads."""
    from keras_seq.plots import attention_map

    rows = [row for row in rows if writer.reads(row["source"])]
    if not rows:
        return
    row = min(rows, key=lambda row: abs(len(row["source"].split()) - 20))
    source, output, weights = writer.attention(row["source"], row["target"])
    title = "Last layer, as the person's summary is written"
    lesson.figure(attention_map(lesson.run / "attention.png", source, output, weights[-1].mean(axis=0), title))


# %% [markdown]
# ## Summarise
# `--text` uses the trained run. The lesson ends with its files in every format and precision. A headline may be put in
# many ways, so that they are scored by the share of its tokens that they find likeliest, as in lesson 13.


# %%
def answer(lesson):
    """Answers --text."""
    from keras_seq.recipes.pair_writer import PairWriter

    try:
        writer = PairWriter.load(lesson.run / "transformer")
        for output, score in writer.n_best(lesson.options.text, BEAMS):
            print(f"  {score:6.3f}  {' '.join(output.split())}")
    except (OSError, ValueError) as error:
        sys.exit(f"{lesson.name}: {error}")


def scores(lesson, results, table):
    """What README's table is made from; of a file of one's own or made-up pairs nothing."""
    if lesson.options.data or lesson.smoke:
        return []
    own = {"model": f"Transformer, {BEAMS} beams", "parameters": results["parameters"], "minutes": results["minutes"]}
    lead = {"model": "the first words", "parameters": None, "minutes": None}
    return [
        {
            "what": "a headline for a sentence", "data": "Gigaword, test", "command": lesson.command, **model,
            "metric": metric, **table[name][metric], "how": "bootstrap over texts",
            "bar": table["first words"][metric]["value"] if name != "first words" else None, "stretch": None,
            "seed": lesson.options.seed,
        }
        for name, model in ((f"{BEAMS} beams", own), ("first words", lead))
        for metric in METRICS
    ]  # fmt: skip


# %% [markdown]
# ## What it says, and an exercise
# Look at the words that a summary has and its text has not: those the first words can never write. A network may, and
# may be wrong: it writes what is likely, not what is so. ROUGE sees neither.
#
# **Exercise.** Summaries of your own pairs (`--data`), beginning with a run on Gigaword (`--from`): with how many pairs
# does that become better than beginning from nothing?

# %%
if __name__ == "__main__":
    main()
