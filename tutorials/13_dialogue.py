# %% [markdown]
# # 13 Dialogue
#
# **Question.** Somebody says *In Rome, for two*: what does one answer? It hangs on what was said before, and there are
# many good answers. Can the encoder-decoder of lesson 12 learn to answer (N-M) from nothing but conversations? Is what
# it writes better than an answer looked up? What do the turns before the last one buy? And why are the likeliest
# answers dull?
#
#     python tutorials/13_dialogue.py                     about an hour on two cores; it continues when killed
#     python tutorials/13_dialogue.py --text "I want to eat in San Jose."      one answer: the best four, and drawn ones
#     python tutorials/13_dialogue.py --chat              a conversation, a line a turn; an empty line ends it
#     python tutorials/13_dialogue.py --data my.tsv       pairs of yours: what is said, tab, what is answered
#
# The data is Schema-Guided Dialogue (Rastogi et al., 2020; `KERAS_SEQ_DATA` or the network has it): people book tables,
# look for flats and ask for the weather, in 20 domains, and an assistant answers.

# %%
import dataclasses
import re
import sys
from pathlib import Path

import numpy as np
from learning import TINY, learn
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson.

    Attributes:
        pairs, watched, tested: int, turns of drawn dialogues for training, validation and test.
        room: int, words and signs of a conversation that are read, at most; most are as many tokens or a few more.
        model: options of `keras_seq.recipes.sentence_pairs.PairsConfig`.
        fewer: int, turns that the two models with and without turns before are trained on.
        small: options of those that differ from `model`.
        temperatures: floats, what answers are drawn at; the first one in conversations.
        draws: int, draws of the bootstrap.
    """

    pairs: int = 40_000
    watched: int = 1500
    tested: int = 2000
    room: int = 54
    model: dict = dataclasses.field(
        default_factory=lambda: dict(units=128, num_layers=3, num_heads=4, feed_forward=384, dropout=0.1,
                                     vocabulary_size=5000, limits=(64, 40), epochs=10, batch_tokens=3072,
                                     learning_rate=4e-3, average=3, score="next_token")
    )  # fmt: skip
    fewer: int = 10_000
    small: dict = dataclasses.field(default_factory=lambda: dict(num_layers=2, epochs=10, average=2))
    temperatures: tuple = (0.7, 1.0)
    draws: int = 1000


SMOKE = Config(
    pairs=240, watched=24, tested=48, room=40, model=TINY, fewer=80, small={}, temperatures=(1.0,), draws=20,
)  # fmt: skip
GPU = dataclasses.replace(
    Config(),
    pairs=200_000,  # all there are
    model={**Config().model, "units": 256, "num_layers": 4, "feed_forward": 1024, "vocabulary_size": 8000,
           "epochs": 20, "batch_tokens": 8192, "learning_rate": 2e-3, "average": 5},
)  # fmt: skip
BEAMS, TOP_P = 4, 0.9
PEOPLE, RETRIEVAL, GREEDY, BEAM = "the people", "looked up", "likeliest token each time", f"{BEAMS} beams"
DATA = "Schema-Guided Dialogue, 2000 turns of dev"
OPTIONS = {
    "--text": {"metavar": "TEXT", "help": "answer this with the trained model: the best four, and drawn ones"},
    "--chat": {"action": "store_true", "help": "converse: a line a turn, an empty one ends it"},
    "--temperature": {"type": float, "help": "draw the answers of --chat, for example at 0.7; else beam search"},
    "--data": {"metavar": "FILE", "type": Path, "help": "pairs of your own, TSV or JSON Lines"},
    "--from": {"dest": "start", "type": Path, "metavar": "RUN", "help": "a trained run to begin with, for --data"},
    "--seed": {"type": int, "default": 1, "help": "of the training and of what is drawn (default: %(default)s)"},
    "--preset": {"choices": ("laptop", "gpu"), "default": "laptop", "help": "gpu: all dialogues, a larger network"},
}


def main(argv=None):
    """Looks answers up, trains, compares the answers, asks what the turns before buy, converses and ships."""
    lesson = Lesson(__file__, "What is answered to what was said.", argv, OPTIONS)
    config = SMOKE if lesson.smoke else {"laptop": Config(), "gpu": GPU}[lesson.options.preset]
    lesson.use_own_folder()
    if lesson.options.text is not None or lesson.options.chat:
        answer(lesson)
        return
    lesson.use_precision()
    rows = look_at_the_data(lesson, config)
    parts = pairs_of(config, rows)
    found = look_up(lesson, config, rows)
    print("\nLearn to answer", flush=True)
    writer, results = learn(lesson, config.model, parts)
    test = fitting(writer, parts["test"])
    perplexity = foresee(lesson, config, writer, parts["train"], test)
    outputs = answers(lesson, config, writer, test, found)
    table = compare(lesson, config, outputs)
    if any(row["context"] for row in rows["train"]):
        turns_before(lesson, config, rows)
    look(lesson, writer, test)
    numbers(lesson, test, outputs)
    read_answers(test, outputs)
    converse(lesson, config, writer, rows["test"])
    from shipping import ship

    print("\nEvery format and precision")
    shipped = ship(lesson, lesson.run / "transformer", beams=BEAMS, timeout=1200)
    lesson.finish(scores=scores(lesson, results, perplexity, table), table=table, results=results, matrix=shipped)


# %% [markdown]
# ## The data
# A pair is a turn of the user's with the three turns before it, and the answer. Marks say who spoke:
#
#     > I want to eat in San Jose. < Which food do you like? > American.      ->      I found 71 Saint Peter there.
#
# They are characters like others. A conversation that is too long loses its first words; the user's turn stays whole.
# Names and numbers are left as they are: what the assistant finds comes from a catalogue that the model does not see,
# so that it cannot know *71 Saint Peter*. It can know that here a restaurant is to be named.
#
# No dialogue is in two parts. The published dev part is the test; some of its domains and services are not in training.


# %%
def look_at_the_data(lesson, config):
    """Rows of the drawn dialogues of every part, with numbers and one dialogue printed."""
    from keras_seq.recipes import dialogue

    print("The data")
    try:
        rows = read_rows(lesson)
    except (OSError, ValueError) as error:
        sys.exit(f"{lesson.name}: {error}")
    counts = {"train": config.pairs, "validation": config.watched, "test": config.tested}
    rows = {part: dialogue.drawn(rows[part], count) for part, count in counts.items()}
    for part, own in rows.items():
        lesson.number(f"turns to answer: {part}", len(own), ",d")
        lesson.number(f"    dialogues: {part}", len({row["dialogue"] for row in own}), ",d")
    lesson.number("words in a turn of the user", np.mean([len(row["source"].split()) for row in rows["train"]]))
    lesson.number("words in an answer", np.mean([len(row["target"].split()) for row in rows["train"]]))
    told = {dialogue.turn(row["target"]) for row in rows["train"]}
    lesson.number("different answers in training", len(told) / len(rows["train"]), ".1%")
    known = np.mean([dialogue.turn(row["target"]) in told for row in rows["test"]])
    lesson.number("answers of the test that stand in training", known, ".1%")
    first = rows["test"][0]["dialogue"]
    for row in (row for row in rows["test"] if row["dialogue"] == first):
        print(f"  > {dialogue.turn(row['source'])}\n      < {dialogue.turn(row['target'])}")
    return rows


def read_rows(lesson):
    """All rows of every part: of the data set, of a file of one's own, or at --smoke made up."""
    from keras_seq import data
    from keras_seq.recipes import dialogue
    from keras_seq.recipes.sentence_pairs import load_pairs

    if lesson.options.data:
        parts = load_pairs(str(lesson.options.data))
        return {
            part: [{**row, "dialogue": str(number), "context": []} for number, row in enumerate(rows)]
            for part, rows in parts.items()
        }
    if lesson.smoke:
        return {part: dialogue.toy(count, seed) for seed, (part, count) in enumerate(TOY.items())}
    return {part: data.load("sgd", part) for part in ("train", "validation", "test")}


TOY = {"train": 80, "validation": 10, "test": 15}


def pairs_of(config, rows, turns=None):
    """What is read and answered in every part, with so many turns before the user's; None for the recipe's number."""
    from keras_seq.recipes import dialogue

    turns = dialogue.TURNS if turns is None else turns
    return {part: dialogue.pairs(own, turns, config.room) for part, own in rows.items()}


# %% [markdown]
# ## Before any network: look it up
# Which conversation of the training part is most like this one? Answer what was answered there. *Like* is measured by
# TF-IDF: the words and pairs of words that both have, rare ones weighing more (`keras_seq/recipes/retrieval.py`). Such
# an answer is well written, by a person, and may be about another city. How many turns should be compared? The
# validation part says.


# %%
def look_up(lesson, config, rows):
    """The answers to the test that are looked up, by as many turns as are best on the validation part."""
    from keras_seq import text_scores
    from keras_seq.recipes.retrieval import Retrieval

    print("\nBefore any network: look it up")
    found = {}
    for turns in (0, 1, 3):
        parts = pairs_of(config, rows, turns)
        lookup = Retrieval(parts["train"])
        sources, wanted = ([row[side] for row in parts["validation"]] for side in ("source", "target"))
        score = text_scores.bleu(lookup.answers(sources), wanted).score
        lesson.number(f"BLEU, validation: {turns} turns before the user's compared", score, ".2f")
        found[turns] = score, lookup, [row["source"] for row in parts["test"]]
    _, lookup, sources = found[max(found, key=lambda turns: found[turns][0])]
    lesson.number("likeness to the nearest conversation, test", np.mean(lookup.nearest(sources)[1]), ".2f")
    return lookup.answers(sources)


# %% [markdown]
# ## Learn to answer
# The Transformer of lesson 12, smaller: one vocabulary of byte pairs and one matrix for what is said and what is
# answered (`learning.py` has the few lines). Drawn is what is still wrong: the share of tokens that are not the
# likeliest one behind the true ones before them. It stays high: nobody can foresee how somebody will put it.


# %%
def fitting(writer, pairs):
    """The pairs, cut where the tokenizer finds more tokens than the model reads."""
    from keras_seq.recipes import dialogue

    length = dialogue.tokens_of(writer)
    return [{**row, "source": dialogue.cut(row["source"], writer.limits[0], length)} for row in pairs]


# %% [markdown]
# ## How well does it foresee an answer?
# The **perplexity**: among how many equally likely tokens would one have to choose? Beside it stands a 3-gram over the
# same tokens (lesson 08), which knows how assistants talk but has not read what was said: the rest is what reading
# buys. Turns of one dialogue are alike, so that whole dialogues are drawn anew for the interval.


# %%
def foresee(lesson, config, writer, train, test):
    """Perplexity of the test's answers with its interval: dict of `value`, `low`, `high`, `word` and `trigrams`."""
    from keras_seq.recipes import dialogue
    from keras_seq.scores import bootstrap

    print("\nHow well does it foresee an answer?")
    counts = dialogue.likelihoods(writer, test)
    value = float(dialogue.token_perplexity(counts.sum(axis=0)))
    low, high = bootstrap(counts, config.draws, score=dialogue.token_perplexity)
    word = float(dialogue.word_perplexity(counts.sum(axis=0)))
    counted = trigrams(writer.target, train, test)
    lesson.number("perplexity a token, test", value, ".2f")
    print(f"      {low:.2f} to {high:.2f} when {len(counts)} dialogues are drawn anew")
    lesson.number("perplexity a word, test", word, ".1f")
    lesson.number("perplexity a token, test: 3-gram of answers", counted, ".1f")
    lesson.finding(
        "who has read what was said chooses among {value:.1f} tokens ({low:.1f} to {high:.1f}), a 3-gram that has not "
        "among {counted:.1f}",
        high < counted, value=value, low=low, high=high, counted=counted,
    )  # fmt: skip
    return {"value": value, "low": low, "high": high, "word": word, "trigrams": counted}


def trigrams(tokenizer, train, test):
    """Perplexity a token of the test's answers by a 3-gram of the training part's."""
    from keras_seq.ngrams import KneserNey

    def ids(rows):
        return [[*own, tokenizer.END] for own in tokenizer.encode_batch([row["target"] for row in rows])]

    return KneserNey(ids(train), range(tokenizer.END, len(tokenizer)), order=3).perplexity(ids(test))


# %% [markdown]
# ## Answers, found and drawn
# From the same model: the likeliest token at every step; the likeliest answer that four **beams** find; and answers
# *drawn* by their probability, at a **temperature** below 1 (the likely becomes likelier) or at 1, in both cases from
# the likeliest tokens that together have 90 % (**top-p**).


# %%
def answers(lesson, config, writer, test, found):
    """What is answered to the test, by who answers: lists of str."""
    from keras_seq.recipes.dialogue import turn

    print("\nAnswers, found and drawn", flush=True)
    ways = {GREEDY: {}, BEAM: {"beams": BEAMS}}
    for temperature in config.temperatures:
        how = {"temperature": temperature, "top_p": TOP_P, "seed": lesson.options.seed}
        ways[f"drawn, temperature {temperature:g}"] = how
    sources, outputs = [row["source"] for row in test], {PEOPLE: [row["target"] for row in test], RETRIEVAL: found}
    for name, how in ways.items():
        outputs[name] = [turn(own) for own in writer.write(sources, cut=True, progress=not lesson.smoke, **how)]
    return outputs


# %% [markdown]
# **BLEU** asks how many words and runs of words are those of the one answer that a person gave; another answer may be
# as good. **distinct-n** is the share of all n-grams of words written that are different ones: whoever says *Is there
# anything else?* to everybody has a low one. The two pull in opposite directions.


# %%
def compare(lesson, config, outputs):
    """BLEU with its interval, chrF and distinct-n of everybody: dict of dicts of floats."""
    from keras_seq import text_scores
    from keras_seq.plots.bars import bars

    wanted, table = outputs[PEOPLE], {}
    for name, own in outputs.items():
        row = table[name] = {f"distinct_{n}": text_scores.distinct(own, n) for n in (1, 2)}
        row["words"] = float(np.mean([len(text.split()) for text in own]))
        if name != PEOPLE:
            bleu = text_scores.bleu(own, wanted, draws=config.draws)
            row |= {"bleu": bleu.score, "low": bleu.low, "high": bleu.high}
            row["chrf"] = text_scores.chrf(own, wanted).score
            lesson.number(f"BLEU: {name} ({bleu.low:.2f} to {bleu.high:.2f})", bleu.score, ".2f")
            lesson.number(f"chrF: {name}", row["chrf"], ".1f")
        for n in (1, 2):
            lesson.number(f"distinct-{n}: {name}", row[f"distinct_{n}"], ".1%")
        lesson.number(f"words in an answer: {name}", row["words"], ".1f")
    print(f"  {bleu.signature}")
    drawn = f"drawn, temperature {config.temperatures[-1]:g}"
    lesson.finding(
        "the model's answers are nearer to the people's than those looked up: BLEU {own:.1f} against {other:.1f}",
        table[GREEDY]["bleu"] > table[RETRIEVAL]["bleu"],
        own=table[GREEDY]["bleu"], other=table[RETRIEVAL]["bleu"],
    )  # fmt: skip
    lesson.finding(
        "the likeliest answers are dull: {beam:.1%} of their pairs of words are different ones, less than half as many "
        "as of drawn answers', {drawn:.1%}, and of the people's, {people:.1%}",
        2 * table[BEAM]["distinct_2"] < min(table[drawn]["distinct_2"], table[PEOPLE]["distinct_2"]),
        beam=table[BEAM]["distinct_2"], drawn=table[drawn]["distinct_2"], people=table[PEOPLE]["distinct_2"],
    )  # fmt: skip
    measures = {
        "BLEU": [row.get("bleu") for row in table.values()],
        "distinct-2, %": [100 * row["distinct_2"] for row in table.values()],
    }
    title = "Near to one answer, or varied (the people's BLEU would be 100)"
    lesson.figure(bars(lesson.run / "answers.png", list(table), measures, title, lighter=[PEOPLE, RETRIEVAL]))
    return table


# %% [markdown]
# ## What the turns before buy
# *In Rome, for two* alone could be answered in twenty ways. Two smaller models, of which one reads the user's turn
# alone and the other the three turns before it too. Their tokens differ, so that words are counted here.


# %%
def turns_before(lesson, config, rows):
    """Perplexity a word of a small model without the turns before, and of one with them."""
    from keras_seq.recipes import dialogue
    from keras_seq.recipes.sentence_pairs import PairsConfig, train
    from keras_seq.scores import bootstrap

    fewer, found = {**rows, "train": rows["train"][: config.fewer]}, {}
    print(f"\nWhat the turns before buy, learned from {len(fewer['train']):,} turns")
    for turns in (0, dialogue.TURNS):
        parts = pairs_of(config, fewer, turns)
        run = lesson.run / "turns" / str(turns)
        own = PairsConfig(seed=lesson.options.seed, **{**config.model, **config.small})
        writer, _ = lesson.trained(train, own, parts, run, verbose=0)
        counts = dialogue.likelihoods(writer, fitting(writer, parts["test"]))
        value = float(dialogue.word_perplexity(counts.sum(axis=0)))
        low, high = bootstrap(counts, config.draws, score=dialogue.word_perplexity)
        found[turns] = value, counts
        lesson.number(f"perplexity a word, {turns} turns before ({low:.1f} to {high:.1f})", value)
    (alone, before), (value, after) = found[0], found[dialogue.TURNS]
    # Both read the same dialogues, hard ones and easy ones: it is their ratio that is drawn anew.
    low, high = bootstrap(np.concatenate([after, before], axis=1), config.draws, score=perplexity_ratio)
    lesson.finding(
        "the turns before take the perplexity of a word from {alone:.1f} to {value:.1f}, {low:.2f} to {high:.2f} times",
        high < 1, alone=alone, value=value, low=low, high=high,
    )  # fmt: skip


def perplexity_ratio(counts):
    """Perplexity a word of the first half of the counts by that of the second half."""
    from keras_seq.recipes.dialogue import word_perplexity

    after, before = np.split(counts, 2, axis=-1)
    return word_perplexity(after) / word_perplexity(before)


# %% [markdown]
# ## Where it looks
# A row for each token that is answered, a column for each that is read, the mean over the heads of the last layer. Does
# it look at the user's turn, or at the question before it?


# %%
def look(lesson, writer, test):
    """Attention map of the last layer on a conversation of some 25 tokens."""
    from keras_seq.plots import attention_map
    from keras_seq.recipes import dialogue

    length = dialogue.tokens_of(writer)
    row = min(test, key=lambda row: abs(length(row["source"]) - 25))
    source, output, weights = writer.attention(row["source"], row["target"])
    title = "Last layer, as the person's answer is written"
    lesson.figure(attention_map(lesson.run / "attention.png", source, output, weights[-1].mean(axis=0), title))


# %% [markdown]
# ## What it cannot know
# Addresses, prices and hours come from a catalogue. People's answers have numbers that were not said before because the
# assistant looked there. The model writes numbers too, since people do: fluent, and made up.


# %%
def numbers(lesson, test, outputs):
    """Share of the numbers in answers that were said before."""
    print("\nWhat it cannot know")
    sources = [set(NUMBER.findall(row["source"])) for row in test]
    for name in (PEOPLE, BEAM):
        said = [
            own in known for text, known in zip(outputs[name], sources, strict=True) for own in NUMBER.findall(text)
        ]
        lesson.number(f"numbers in answers: {name}", len(said), ",d")
        lesson.number(f"    that were said before: {name}", np.mean(said or [0]), ".1%")


NUMBER = re.compile(r"\d+(?:[:.,-]\d+)*")


# %% [markdown]
# ## Read them
# Scores do not say whether an answer is apt. Eight conversations, drawn once and for all, and the four in which what
# four beams find has least in common with what the person said, by runs of characters (chrF): read them before you
# believe a score.


# %%
def read_answers(test, outputs):
    """Prints some conversations of the test, and those with the worst answers, with everybody's answers."""
    from keras_seq import text_scores

    order = np.random.default_rng(0).permutation(len(test))
    score = [text_scores.chrf([outputs[BEAM][place]], [test[place]["target"]]).score for place in order]
    worst = order[np.argsort(score, kind="stable")][:4]
    for heading, places in (("Read them", order[:8]), ("The farthest from the people's", worst)):
        print(f"\n{heading}")
        for place in places:
            print("  " + re.sub(r"(?<=.) (?=[<>])", "\n  ", test[place]["source"]))
            for name, own in outputs.items():
                print(f"      {name:26} {own[place]}")


# %% [markdown]
# ## Converse
# Now the model has to live with its own answers: the user says what a user of the test said, whatever was answered. A
# wrong answer is in the next conversation that it reads.


# %%
def converse(lesson, config, writer, rows, count=2, turns=5):
    """Prints conversations: what users of the test said, and the model's answers to it, beams' and drawn ones."""
    from keras_seq.recipes.dialogue import Talk

    print("\nConverse")
    names = list(dict.fromkeys(row["dialogue"] for row in rows))[:count]
    for name in names:
        found, drawn = Talk(writer), Talk(writer)
        for row in [row for row in rows if row["dialogue"] == name][:turns]:
            try:
                own = found.ask(row["source"], beams=BEAMS)
                how = {"temperature": config.temperatures[0], "top_p": TOP_P, "seed": lesson.options.seed}
                other = drawn.ask(row["source"], **how)
            except ValueError as error:
                print(f"  {error}")
                break
            print(f"  > {found.turns[-2]}\n      {BEAM}    {own}\n      drawn      {other}", flush=True)
        print()


# %% [markdown]
# ## Talk to it
# `--text` answers one turn, `--chat` converses: the model reads the turns before.


# %%
def answer(lesson):
    """Answers --text and --chat."""
    from keras_seq.recipes.dialogue import Talk, turn
    from keras_seq.recipes.pair_writer import PairWriter

    try:
        writer = PairWriter.load(lesson.run / "transformer")
        if lesson.options.text is not None:
            source = Talk(writer).source(lesson.options.text)
            for output, score in writer.n_best(source, BEAMS):
                print(f"  {score:6.3f}  {turn(output)}")
            for output in writer.write([source] * 3, temperature=0.7, top_p=TOP_P, seed=lesson.options.seed):
                print(f"   drawn  {turn(output)}")
    except (OSError, ValueError) as error:
        sys.exit(f"{lesson.name}: {error}")
    if lesson.options.chat:
        chat(Talk(writer), lesson.options.temperature, lesson.options.seed)


def chat(talk, temperature, seed):
    """Answers lines of standard input until an empty one; what cannot be answered is said and forgotten."""
    while text := next_line():
        how = {"beams": BEAMS} if temperature is None else {"temperature": temperature, "top_p": TOP_P, "seed": seed}
        try:
            print(f"< {talk.ask(text, **how)}", flush=True)
        except ValueError as error:
            print(error)
        seed += 1  # the same numbers again would draw like answers


def next_line():
    """What the user says; "" at an empty line and at the end."""
    try:
        return input("> ").strip()
    except EOFError:
        return ""


def scores(lesson, results, perplexity, table):
    """What README's table is made from; of a file of one's own nothing."""
    if lesson.options.data:
        return []
    common = dict(what="the answer to a turn, given three turns before", data=DATA, command=lesson.command, bar=None,
                  stretch=None, parameters=None, minutes=None, seed=lesson.options.seed)  # fmt: skip
    own = {"model": "Transformer", "parameters": results["parameters"], "minutes": results["minutes"]}
    looked_up = {"model": "TF-IDF, answer of the nearest conversation"}
    rows = [
        {**common, **own, "metric": "perplexity a token", **{key: perplexity[key] for key in ("value", "low", "high")},
         "how": f"bootstrap over dialogues; a word {perplexity['word']:.1f}", "bar": perplexity["trigrams"]}
    ]  # fmt: skip
    for name, model in ((GREEDY, own), (RETRIEVAL, looked_up)):
        row, common_row = table[name], {**common, **model}
        bar = table[RETRIEVAL]["bleu"] if name == GREEDY else None
        rows.append(
            {**common_row, "metric": "BLEU", "value": row["bleu"], "low": row["low"], "high": row["high"],
             "how": "bootstrap over turns" + (", greedy" if name == GREEDY else ""), "bar": bar}
        )  # fmt: skip
        rows.append({**common_row, "metric": "distinct-2", "value": row["distinct_2"], "low": None, "high": None})
    return rows


# %% [markdown]
# ## What it says, and an exercise
# - A network that has read what was said foresees the answer far better than counting, and what it writes is nearer to
#   what people answered than an answer looked up. Both are far from the people: of what can be said next, a person says
#   one thing.
# - The turns before matter: *yes* has no answer of its own.
# - What is likeliest is what fits everywhere. Beams make it duller still; drawing gives back some of the variety, and
#   takes words of the reference with it.
# - It has learned how assistants talk, not what they know: the numbers in its answers are made up. Whoever builds an
#   assistant lets the network choose what is to be done and looks the rest up.
#
# **Exercise.** Read the eight conversations with the names of the answerers covered: how many of each are apt? Then
# mark the turns' speakers no longer (`joined` in `keras_seq/recipes/dialogue.py`): what does the perplexity say?

# %%
if __name__ == "__main__":
    main()
