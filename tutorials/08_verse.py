# %% [markdown]
# # 08 Verse
#
# **Question.** A Tang quatrain has four lines of five or seven characters; the second and the fourth rhyme. Can a
# network that has read forty thousand poems write the line that follows a line, of the same length (N-N)? And a whole
# poem, from nothing but its title (1-N)? How much better does it foresee a poet than counting does, how is one drawn
# line better than the likeliest one, and where does a rhyme come from?
#
#     python tutorials/08_verse.py                     about 50 minutes on two cores; it continues when killed
#     python tutorials/08_verse.py --line 床前明月光       what could come next
#     python tutorials/08_verse.py --title 春夜          a poem
#     python tutorials/08_verse.py --data my.tsv       lines of yours: a line, tab, the line after it
#
# The data is chinese-poetry's Tang part (`KERAS_SEQ_DATA` or the network has it): 207 286 pairs of lines of 46 900
# poems, and 14 160 quatrains with titles, one poem in ten kept for validation and test.

# %%
import csv
import dataclasses
import sys
from pathlib import Path

import numpy as np
from lesson import Lesson

NAMES = {"transformer": "Transformer", "seq2seq": "GRU with attention"}
TRIGRAMS = "3-gram"
BAR, TIMES = 0.15, 3
LINES = ("床前明月光", "白日依山盡", "兩個黃鸝鳴翠柳")
TITLES = ("春夜", "送友人", "江上", "秋日登樓")
OPTIONS = {
    "--line": {"default": None, "help": "a line of yours: what could come next"},
    "--title": {"default": None, "help": "a title of yours: a quatrain in fives and one in sevens"},
    "--data": {"default": None, "metavar": "FILE", "help": "pairs of lines, TSV or JSON Lines, instead of Tang poems"},
    "--from": {"dest": "start", "type": Path, "metavar": "RUN", "help": "a trained run to begin with, for --data"},
    "--preset": {"choices": ("laptop", "gpu"), "default": "laptop", "help": "gpu: a wider and deeper Transformer"},
    "--seed": {"type": int, "default": 1, "help": "of what is drawn (default: %(default)s)"},
}


def main(argv=None):
    """Counts, trains, compares, draws lines and poems, looks for the rhymes, and ships the Transformer."""
    lesson = Lesson(__file__, "The next line of a poem, and poems from a title.", argv, OPTIONS)
    lesson.use_own_folder()
    if lesson.options.line is not None or lesson.options.title is not None:
        answer(lesson)
        return
    lesson.use_precision()
    poems = look_at_the_data(lesson)
    trigrams = count(lesson, poems)
    poets, results = train_both(lesson, poems, trigrams)
    draw_learning(lesson, results, trigrams)
    draw_positions(lesson, results, trigrams)
    where_it_looks(lesson, poets, poems)
    poet = poets["transformer"]
    draw_lines(lesson, poet, poems)
    rhymes = where_a_rhyme_comes_from(lesson, poet, poems) if poems.quatrains else None
    from shipping import ship

    print("\nEvery format and precision")
    rows = ship(lesson, lesson.run / "transformer")
    draw_on_the_device(lesson, poet, verse_lines(poems)[0])
    lesson.finish(results=results, rhymes=rhymes, scores=scores(lesson, results, trigrams, rhymes), matrix=rows)


# %% [markdown]
# ## The data
# A line and the line after it are a couplet; often they are parallel, noun under noun and verb under verb. Characters
# that training has fewer than twenty times are read as `<unknown>`: half of all the different ones, and hardly one in
# a hundred of those on the page.


# %%
def read_poems(lesson):
    """The poems that the flags ask for: a file's, the Tang poems, or at --smoke size made-up ones."""
    from keras_seq.recipes.verse_poems import Poems

    try:
        if lesson.options.data:
            return Poems.read(lesson.options.data)
        return Poems.toy() if lesson.smoke else Poems.tang()
    except (OSError, ValueError) as error:
        sys.exit(f"{lesson.name}: {error}")


def configuration(lesson, kind):
    """The `VerseConfig` of a kind of model."""
    from keras_seq.recipes import verse as recipe

    transformer = recipe.GPU if lesson.options.preset == "gpu" else recipe.TRANSFORMER
    config = {"transformer": transformer, "seq2seq": recipe.SEQ2SEQ}[kind]
    if lesson.options.data or lesson.smoke:
        config = dataclasses.replace(config, min_count=2)
    return dataclasses.replace(config, **recipe.SMOKE) if lesson.smoke else config


def tokenizer_of(lesson, poems):
    """The `Tokenizer` that the Transformer will have, which is the n-grams' too."""
    from keras_seq.recipes.verse import tokenizer_of

    return tokenizer_of(configuration(lesson, "transformer"), poems, lesson.options.start)


def look_at_the_data(lesson):
    """The poems, with some of them printed."""
    print("The data")
    poems = read_poems(lesson)
    tokenizer = tokenizer_of(lesson, poems)
    for part in ("train", "validation", "test"):
        pairs = [pair for own in getattr(poems, part).values() for pair in own]
        lesson.number(f"poems: {part}", len(getattr(poems, part)), ",d")
        lesson.number(f"    pairs of lines: {part}", len(pairs), ",d")
    text = "".join(line for own in poems.test.values() for pair in own for line in pair)
    lesson.number("characters in the vocabulary", len(tokenizer), ",d")
    unknown = np.mean([token == tokenizer.UNKNOWN for token in tokenizer.encode(text)])
    lesson.number("characters of the test that are not in it", unknown, ".2%")
    for pairs in list(poems.test.values())[:3]:
        print("  " + "　".join("，".join(pair) + "。" for pair in pairs[:2]))
    return poems


# %% [markdown]
# ## Before any network: count
# How often was each character seen behind these two? Most threes were never seen, so counts are discounted and what is
# left is shared out by twos and ones (interpolated Kneser-Ney, `keras_seq/ngrams.py`). The lines of a poem are counted
# in sequence, and a line's first characters see the end of the line before. Which discount and whether to mark line
# breaks is chosen on the validation part.
#
# What is measured is the perplexity: to be right, among how many equally likely characters would one have to choose?
#
# $$\mathrm{perplexity} = \exp\Big(-\frac1N\sum_{t} \log p(y_t \mid \text{line before}, y_{<t})\Big)$$


# %%
def count(lesson, poems):
    """`Scores` of the best n-grams on the test part."""
    from keras_seq.recipes.verse_scores import best_trigrams, examples

    print("\nBefore any network: count")
    model, table = best_trigrams(poems.train, poems.validation, tokenizer_of(lesson, poems))
    for name, perplexity in table.items():
        lesson.number(f"perplexity, validation: {name}", perplexity, ".1f")
    found = model.scores(examples(poems.test))
    lesson.number("perplexity, test: the best of them", found.perplexity, ".1f")
    return found


# %% [markdown]
# ## Two writers
# Both are encoder-decoders over characters: a bidirectional GRU with a GRU decoder that looks back by Bahdanau
# attention (lesson 10), and a Transformer (lesson 11). One matrix embeds the source, embeds the target and reads out,
# since all three are characters of one language and the vocabulary is the largest part of either network.
#
# **A line is as long as the line before it. Always.** That is a rule, and a rule need not be learned:
# `keras_seq.models.EqualLength` counts what has been written, a number in the state beside the hidden state or the
# caches. Before the line is full the end cannot come; then nothing else can. It is part of the step, so whoever
# decodes, and in whichever file, gets lines of the right length.
#
# The GRU reads the line before alone. The Transformer reads that, or the couplet before too, or a title:
#
#     明月松間照                          -> 清泉石上流
#     空山新雨後，天氣晚來秋，明月松間照      -> 清泉石上流
#     《山居秋暝》，□□□□□                 -> 空山新雨後
#     《山居秋暝》，空山新雨後              -> 天氣晚來秋


# %%
def train_both(lesson, poems, trigrams):
    """The `Poet` of each kind, and its results on the test part; with a file of one's own, of the Transformer alone."""
    poets, results = {}, {}
    print("\nTwo writers")
    for kind in ["transformer"] if lesson.options.data else NAMES:
        poets[kind], results[kind] = train(lesson, kind, poems, trigrams)
        print(
            f"  {NAMES[kind]:20} perplexity {results[kind]['perplexity']:6.1f} on the test; "
            f"{results[kind]['parameters']:,} parameters, {results[kind]['minutes']} minutes",
            flush=True,
        )
    print("\nThe next line from the line before it alone")
    lesson.number(f"perplexity, test: {TRIGRAMS}", trigrams.perplexity, ".1f")
    for kind, own in results.items():
        lesson.number(f"perplexity, test: {NAMES[kind]}", own["perplexity"], ".1f")
        low, high = own["below_interval"]
        if lesson.options.data:  # how many poems there are is not the lesson's to claim
            lesson.number(f"below the {TRIGRAMS}", own["below_trigrams"], ".1%")
            continue
        lesson.claim(
            "{name}: {below:.1%} below the {trigrams} ({low:.1%} to {high:.1%} when poems are drawn anew)",
            own["below_trigrams"] >= (BAR if kind == "transformer" else 0),
            name=NAMES[kind], below=own["below_trigrams"], trigrams=TRIGRAMS, low=low, high=high,
        )  # fmt: skip
    own = results["transformer"]
    if "perplexity_with_couplet" in own:
        lesson.claim(
            "the couplet before helps: {given:.1f} with it, {alone:.1f} without, on the same lines",
            own["perplexity_with_couplet"] < own["perplexity_of_the_same_without"],
            given=own["perplexity_with_couplet"], alone=own["perplexity_of_the_same_without"],
        )  # fmt: skip
    return poets, results


def train(lesson, kind, poems, trigrams=None):
    """Trains or finds one run; returns its poet and results."""
    from keras_seq.recipes import verse as recipe
    from keras_seq.recipes.verse_scores import measure
    from keras_seq.recipes.verse_writing import Poet

    run, config = lesson.run / kind, configuration(lesson, kind)
    recipe.train(config, run, data=poems, start=lesson.options.start if kind == "transformer" else None)
    poet = Poet.load(run)
    results = measure(poet, poems, run, trigrams)
    with open(run / "seconds.csv", encoding="utf-8", newline="") as file:
        minutes = round(sum(float(row["seconds"]) for row in csv.DictReader(file)) / 60, 1)
    return poet, {**results, "minutes": minutes, "seed": config.seed, "epochs": config.epochs}


def draw_learning(lesson, results, trigrams):
    """Validation perplexity after each epoch, beside the n-grams' on the test."""
    from keras_seq.plots.curves import curves

    series, longest = {}, 1
    for kind in results:
        with open(lesson.run / kind / "metrics.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        series[NAMES[kind]] = [int(row["epoch"]) for row in rows], [np.exp(float(row["val_loss"])) for row in rows]
        longest = max(longest, len(rows))
    series[TRIGRAMS] = [1, longest], [trigrams.perplexity] * 2
    path, title = lesson.run / "learning.png", "The next line from the line before it"
    lesson.figure(curves(path, series, "epochs", "perplexity a character, validation", title))


# %% [markdown]
# ## Where it is better
# Place by place: at the beginning of a line nobody knows much, and n-grams least, for they have seen two characters
# where the network has read a line. Within a line the second of a pair of characters is easy for both (明月, 春風).


# %%
def draw_positions(lesson, results, trigrams):
    """Perplexity at each place of a line, of the network and of the n-grams."""
    from keras_seq.plots.curves import curves

    print("\nWhere it is better: perplexity place by place")
    for length, own in results["transformer"]["by_position"].items():
        counted = trigrams.by_position(int(length))
        series = {NAMES[kind]: results[kind]["by_position"][length] for kind in results} | {TRIGRAMS: counted}
        for name, values in series.items():
            print(f"  {length} characters, {name:20} " + "  ".join(f"{value:7.1f}" for value in values))
        places = list(range(1, int(length) + 1))
        path, title = lesson.run / f"places_{length}.png", f"Lines of {length} characters"
        drawn = {name: (places, values) for name, values in series.items()}
        lesson.figure(curves(path, drawn, "place in the line", "perplexity", title, log="y"))
        gains = [1 - one / other for one, other in zip(own, counted, strict=True)]
        best = int(np.argmax(gains))
        print(f"  it gains most at place {best + 1}, {gains[best]:.0%}, and least at place {np.argmin(gains) + 1}")


# %% [markdown]
# ## Where it looks
# The GRU's attention between the lines of a couplet, and the Transformer's (the mean over its heads) on a fourth line
# with the three lines before it. What does it look at as it writes the last character, the one that has to rhyme?


# %%
def where_it_looks(lesson, poets, poems):
    """Draws attention between lines, and measures what the last character looks at."""
    from keras_seq.data import verse
    from keras_seq.plots.attention import attention_gallery

    print("\nWhere it looks")
    fourth = {
        length: [pair for pair in verse.after_a_couplet(poems.test) if len(pair[1]) == length] for length in (5, 7)
    }
    fourth = {length: pairs for length, pairs in fourth.items() if pairs}
    for kind, poet in poets.items():
        pairs = [own[0] for own in fourth.values()] if kind == "transformer" else []
        pairs = pairs or verse.alone(poems.test)[:2]
        maps = [(list(source), list(target), look(poet, [(source, target)])[0], "") for source, target in pairs]
        title = f"{NAMES[kind]}: lines before across, the next line down"
        lesson.figure(attention_gallery(lesson.run / f"attention_{kind}.png", maps, title))


def look_at_the_rhyme(lesson, poet, poems):
    """Prints how much each layer attends to the end of the second line, as it writes the end of the fourth."""
    from keras_seq.data import verse

    found = verse.after_a_couplet(poems.test)
    for layer in range(configuration(lesson, "transformer").num_layers):
        on_rhyme, on_average = [], []
        for length in (5, 7):
            pairs = [pair for pair in found if len(pair[1]) == length][:500]
            weights = look(poet, pairs, layer=layer)[:, -1]  # (pairs, source), of the last character
            on_rhyme += weights[:, -(length + 2)].tolist()  # before the mark and the line before
            on_average += weights.mean(axis=1).tolist()
        share = np.mean(on_rhyme) / np.mean(on_average)
        lesson.number(f"attention to the end of line 2, times the mean: layer {layer + 1}", share, ".1f")


def look(poet, pairs, **options):
    """Attention weights `(pairs, target, source)` of pairs of one shape, teacher-forced; `options` of `alignments`."""
    source, target = (np.asarray([poet.tokenizer.encode(text) for text in side]) for side in zip(*pairs, strict=True))
    before = np.concatenate([np.full_like(target[:, :1], poet.tokenizer.START), target[:, :-1]], axis=1)
    inputs = {"source": source.astype("int32"), "target": before.astype("int32")}
    return np.asarray(poet.model.alignments(inputs, **options))


# %% [markdown]
# ## The likeliest line, and a drawn one
# The likeliest line is found greedily, or by beam search. It is a cautious one: the same few characters, over and
# over. A poet is not the likeliest of men. A *drawn* line takes each character by its probability
# (`keras_seq/sampling.py`): the temperature makes the likely likelier, and of the rare characters that together have a
# tenth of the probability none is drawn.


# %%
def draw_lines(lesson, poet, poems):
    """Prints lines of every way of decoding, and checks the lengths of many."""
    from keras_seq.data import verse

    print("\nThe likeliest line, and drawn ones")
    lines = verse_lines(poems)[:2] if lesson.smoke or lesson.options.data else LINES
    for line in lines:
        tell(poet, poet.line(line)[0], lesson.options.seed)
    sources = verse_lines(poems) + [source for source, _ in verse.after_a_couplet(poems.test)]
    written = {
        "likeliest": poet.next_lines(sources[:1000]),
        "beam search": poet.best_lines(sources[:200]),
        "drawn": poet.sampled_lines(sources, lesson.options.seed)[0],
        "drawn, temperature 2": poet.sampled_lines(sources, lesson.options.seed, 2.0, 1.0)[0],
    }
    wrong = 0
    for name, own in written.items():
        used = len({character for line in own[:200] for character in line})
        lesson.number(f"different characters in 200 lines: {name}", used, "d")
        wrong += sum(len(line) != len(source.split("，")[-1]) for line, source in zip(own, sources, strict=False))
    total = sum(map(len, written.values()))
    lesson.claim("{total:,} lines written, {wrong} of a wrong length", wrong == 0, total=total, wrong=wrong)
    read = {line for pairs in poems.train.values() for pair in pairs for line in pair}
    copied = np.mean([line in read for line in written["drawn"]])
    lesson.number("drawn lines that are in the training data", copied, ".2%")


def verse_lines(poems):
    """The first lines of the couplets of the test."""
    return [line for pairs in poems.test.values() for line, _ in pairs]


def tell(poet, line, seed):
    """Prints what could come after a line."""
    print(f"  {line}，")
    print(f"    likeliest    {poet.next_lines([line])[0]}。      beam search  {poet.best_lines([line])[0]}。")
    drawn = poet.sampled_lines([line] * 3, seed)[0]
    print("    drawn        " + "  ".join(f"{one}。" for one in drawn), flush=True)


# %% [markdown]
# ## Poems from a title, and where a rhyme comes from
# A quatrain is written line by line: the first from the title, with blanks that say how long a line is; the fourth
# from the three before it. Do the second and the fourth line rhyme? *Rhyme* here is what is heard today: the same
# sound from the main vowel on in Mandarin, by `pypinyin` and the fourteen rhymes of 中華新韻, and not the same
# character. Poets of a thousand years ago rhymed by the sounds of their own day; read today, some rhymes are lost.
#
# Chance is measured twice: how often the second line of one poem rhymes with the fourth of *another*, over all pairs
# of what was written (all of them end in characters that often rhyme, so this is the higher one); and any two lines of
# training.
#
# The model alone could hear the rhyme: the second line is in its source. Does it? Its attention tells. And if it does
# not, there is a poet's way: say the line eight times, and keep one that rhymes, of those one that repeats no
# character, of those the likeliest. This is how `--title` writes.


# %%
def where_a_rhyme_comes_from(lesson, poet, poems):
    """Prints poems and measures their rhymes; returns the rates."""
    from keras_seq.plots.bars import bars
    from keras_seq.recipes.verse_scores import rhyme_by_chance, rhyme_rate

    print("\nPoems from a title")
    for number, title in enumerate(TITLES if not lesson.smoke else TITLES[:1]):
        tell_poem(poet, title, (5, 7)[number % 2], lesson.options.seed)
    titled = [poem for poem in poems.quatrains["test"] if fits(poem)]
    alone = write_all(poet, titled, seeds=(1, 2))
    blind = poet.sampled_lines([poem[2] for poem in alone], [3, 3])[0]
    lines = [line for pairs in poems.train.values() for pair in pairs for line in pair]
    rates = {
        "the poets": rhyme_rate(*ends(poem["lines"] for poem in titled)),
        "best of 8 lines": rhyme_rate(*ends(write_all(poet, titled, (1,), 2 if lesson.smoke else 8))),
        "the model alone": rhyme_rate(*ends(alone)),
        "fourth line from the third alone": rhyme_rate([poem[1] for poem in alone], blind),
        "chance: lines 2 and 4 of two poems": rhyme_by_chance(*ends(alone)),
        "chance: two lines of training": rhyme_by_chance(lines, lines),
    }
    print(f"\nWhere a rhyme comes from: lines 2 and 4 of {len(alone):,} poems")
    for name, rate in rates.items():
        lesson.number(f"rhyme: {name}", rate, ".1%")
    look_at_the_rhyme(lesson, poet, poems)
    chance = rates["chance: lines 2 and 4 of two poems"]
    chosen = rates["best of 8 lines"]
    lesson.claim(
        "the best of eight lines rhymes {times:.1f} times as often as chance ({own:.1%} against {chance:.1%})",
        chosen >= TIMES * chance, times=chosen / chance, own=chosen, chance=chance,
    )  # fmt: skip
    lesson.number("the model alone, times chance", rates["the model alone"] / chance, ".2f")
    measures = {"lines 2 and 4 rhyme, %": [100 * rate for rate in rates.values()]}
    lighter = [name for name in rates if name.startswith("chance")]
    title = "Where a rhyme comes from (as read today)"
    lesson.figure(bars(lesson.run / "rhymes.png", list(rates), measures, title, lighter))
    return {**rates, "poems": len(alone), "chosen": len(titled)}


def write_all(poet, titled, seeds, candidates=1):
    """A poem for each title and seed, in lines as long as the poet's."""
    found = []
    for length in (5, 7):
        titles = [poem["title"].replace(" ", "") for poem in titled if len(poem["lines"][0]) == length]
        for seed in seeds:
            found += poet.poems(titles, length, seed, candidates)
    return found


def fits(poem):
    """Whether a quatrain has a title that the model takes, and lines of one length."""
    from keras_seq.data import verse

    title = poem["title"].replace(" ", "")
    return 0 < len(title) <= verse.LONGEST_TITLE and len({len(line) for line in poem["lines"]}) == 1


def ends(poems):
    """The second and the fourth lines of poems, two lists."""
    second_and_fourth = [(poem[1], poem[3]) for poem in poems]
    return [list(lines) for lines in zip(*second_and_fourth, strict=True)]


def tell_poem(poet, title, length, seed):
    """Prints a poem, the best of eight lines each time."""
    lines = poet.poems([title], length, seed, candidates=8)[0]
    print(f"  《{title}》\n    {lines[0]}，{lines[1]}。\n    {lines[2]}，{lines[3]}。", flush=True)


# %% [markdown]
# ## Ask it
# `--line` and `--title` answer with the trained Transformer; where there is none it is trained first.


# %%
def answer(lesson):
    """Answers --line and --title."""
    from keras_seq.data.verse import LONGEST_TITLE
    from keras_seq.recipes.verse_writing import MARKS, Poet

    title = MARKS.sub("", lesson.options.title or "")
    if lesson.options.title is not None and not 0 < len(title) <= LONGEST_TITLE:
        sys.exit(f"--title {lesson.options.title!r} has {len(title)} characters; give 1 to {LONGEST_TITLE}")
    if not (lesson.run / "transformer" / "model.keras").exists():
        train(lesson, "transformer", read_poems(lesson))
    poet = Poet.load(lesson.run / "transformer")
    if lesson.options.line is not None:
        try:
            line, unknown = poet.line(lesson.options.line)
        except ValueError as error:
            sys.exit(f"--line: {error}")
        if unknown:
            print(f"  not known: {' '.join(unknown)} (it has read traditional characters: 举頭 is 舉頭 there)")
        tell(poet, line, lesson.options.seed)
    if title:
        for length in (5, 7):
            if length <= poet.longest:
                tell_poem(poet, title, length, lesson.options.seed)


# %% [markdown]
# ## Ship it
# A line is written in one call of `generate`, or one `step` a character, where a program without Keras can draw as
# above: `keras_seq.sampling.draw_reference` is ten lines of numpy. No poet is foreseen to the character, so that the
# files are not held to whole lines: the score in the table is the share of the poets' characters that a file finds
# likeliest behind the true ones before them.


# %%
def draw_on_the_device(lesson, poet, line):
    """Draws a line with the exported step, numpy and no Keras, and with Keras from the same numbers."""
    import export
    from export import runtime
    from keras_seq.recipes.verse_writing import TEMPERATURE, TOP_K, TOP_P
    from keras_seq.sampling import draw_numbers, draw_reference

    bundle = export.load(lesson.run / "transformer" / "bundle")
    source, length = runtime.pad([bundle.encode_text(line)], poet.limits["source"])
    carried = bundle.session.call("encode", source=source, source_length=length)
    token, written = runtime.START, []
    for number in draw_numbers(1, poet.limits["target"], lesson.options.seed)[0]:
        outputs = bundle.session.call("step", token=np.asarray([token], "int32"), **carried)
        token = draw_reference(outputs.pop("logits")[0], number, TEMPERATURE, TOP_K, TOP_P)
        carried |= {name.removeprefix("next_"): array for name, array in outputs.items()}
        written.append(token)
        if token == runtime.END:
            break
    drawn, wanted = bundle.decode_ids(written), poet.sampled_lines([line], lesson.options.seed)[0][0]
    lesson.claim(
        "after {line} the {format} file draws {drawn}, and Keras from the same numbers {wanted}",
        drawn == wanted, line=line, format=bundle.artefact["format"], drawn=drawn, wanted=wanted,
    )  # fmt: skip


def scores(lesson, results, trigrams, rhymes):
    """What README's table is made from."""
    shared = {"data": "Tang poems (chinese-poetry), test", "command": "python tutorials/08_verse.py --record"}
    rows = [
        {
            **shared,
            "what": "the next line given the line before it",
            "model": NAMES[kind],
            "metric": "perplexity a character",
            "value": own["perplexity"],
            "low": own["interval"][0],
            "high": own["interval"][1],
            "how": "bootstrap over poems, 1000 draws",
            "bar": (1 - BAR) * trigrams.perplexity,
            "stretch": None,
            "parameters": own["parameters"],
            "minutes": own["minutes"],
            "seed": own["seed"],
            "below_trigrams": own["below_trigrams"],
            "below_low": own["below_interval"][0],
            "below_high": own["below_interval"][1],
        }
        for kind, own in results.items()
    ]
    if rhymes:
        chance = rhymes["chance: lines 2 and 4 of two poems"]
        rate, deviation = rhymes["best of 8 lines"], np.sqrt(rhymes["best of 8 lines"] / rhymes["chosen"])
        own = results["transformer"]
        rows.append(
            {
                **shared,
                "what": "poems from a title: lines 2 and 4 rhyme",
                "model": NAMES["transformer"],
                "metric": "share, modern reading",
                "value": rate,
                "low": rate - 1.96 * deviation * np.sqrt(1 - rate),
                "high": rate + 1.96 * deviation * np.sqrt(1 - rate),
                "how": f"binomial, {rhymes['chosen']} poems; the best of 8 drawn lines each time",
                "bar": TIMES * chance,
                "stretch": None,
                "parameters": own["parameters"],
                "minutes": own["minutes"],
                "seed": own["seed"],
            }
        )
    return rows


# %% [markdown]
# ## What it says, and an exercise
# The networks have what n-grams have not: the whole line before, at every place. That is why they gain most where a
# line begins. The length comes from a rule and is always right. What is likeliest is not what is best: drawn lines use
# many more characters, as poets do.
#
# The rhyme is not learned. Five epochs teach the Transformer which characters end a line, but not to look ten or
# fourteen characters back for the one that this line has to rhyme with: at the end of a line it looks at the end of
# the line before, where the parallel is. Drawing several lines and keeping one that rhymes is a cheap remedy, outside
# of the network.
#
# Exercise: draw with `temperature=2, top_p=1`: the lengths stay right, what about the sense? Then give the third line
# the first two without the title. Does the poem keep to its subject? And let the decoder begin with the character to
# rhyme with in place of the start token (`EqualLength.encode` can put it into the state): is the rhyme heard then?

# %%
if __name__ == "__main__":
    main()
