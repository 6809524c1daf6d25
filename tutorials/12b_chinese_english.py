# %% [markdown]
# # 12b Chinese to English
#
# **Question.** Chinese writes no spaces. Must its words be found first, or can a network read character by character?
# The recipe is lesson 12's, the Transformer too; only what it reads differs: characters in, byte pairs out.
#
#     python tutorials/12b_chinese_english.py                    half an hour on two cores; it continues when killed
#     python tutorials/12b_chinese_english.py --text 我喜歡讀書。   the best four translations, with scores
#     python tutorials/12b_chinese_english.py --translate my.txt > my.en.txt
#     python tutorials/12b_chinese_english.py --data my.tsv          pairs of your own, read character by character
#
# The data is Tatoeba's Chinese-English sentences (CC BY 2.0 FR; `KERAS_SEQ_DATA` or the network has it). One sentence
# often has several translations: a split by line would put *Tom left.* into training and, behind another Chinese
# sentence, into the test. Here no sentence is in two parts, on either side.

# %%
import collections
import dataclasses
import sys
from pathlib import Path

import numpy as np
from lesson import Lesson
from shipping import ship
from translating import (
    TRANSLATING,
    answer,
    print_errors,
    print_scores,
    readable,
    score_files,
    score_row,
    tell,
    validation_accuracy,
)

SMOKE = dict(units=8, num_layers=1, num_heads=2, feed_forward=12, vocabulary_size=300, epochs=1, batch_tokens=300,
             limits=(24, 40), average=1)  # fmt: skip
GPU = dict(units=256, feed_forward=1024, dropout=0.3, epochs=100, batch_tokens=8192, average=10)
BEAMS = 4
TEXTS = ("我喜歡讀書。", "你会说英语吗？", "他昨天晚上没有来。")
OPTIONS = {
    **TRANSLATING,
    "--data": {"metavar": "FILE", "type": Path, "help": "pairs of your own, TSV or JSON Lines"},
    "--seed": {"type": int, "default": 1, "help": "of the training (default: %(default)s)"},
    "--preset": {"choices": ("laptop", "gpu"), "default": "laptop", "help": "gpu: wider, and trained for longer"},
}


def main(argv=None):
    """Looks at the data, trains, scores, looks at the attention and ships."""
    lesson = Lesson(__file__, "Chinese to English, character by character.", argv, OPTIONS)
    lesson.use_own_folder()
    run = lesson.run / "transformer"
    if lesson.options.text is not None or lesson.options.translate:
        answer(lesson, run)
        return
    lesson.use_precision()
    parts = look_at_the_data(lesson)
    writer, results = train(lesson, run, parts)
    test, outputs = parts["test"], writer.write([row["source"] for row in parts["test"]], beams=BEAMS, cut=True)
    scores = score(lesson, writer, results, test, outputs)
    shown = texts(lesson, writer, test)
    look(lesson, writer, shown)
    print("\nWhat it gets wrong")
    print_errors(test, outputs)
    print("\nThe best four")
    for text in shown:
        tell(writer, text, BEAMS, None, lesson.options.seed)
    print("\nEvery format and precision")
    shipped = ship(lesson, run, beams=BEAMS, timeout=1200)
    files = score_files(lesson, run, readable(writer, test), lowercase=False)
    lesson.finish(scores=scores, results=results, files=files, matrix=shipped)


# %% [markdown]
# ## The data


# %%
def look_at_the_data(lesson):
    """The parts; that no sentence is in two of them is counted anew."""
    from keras_seq.recipes.sentence_pairs import load_pairs

    print("The data")
    try:
        made_up = lesson.smoke and not lesson.options.data
        parts = toy_pairs() if made_up else load_pairs(str(lesson.options.data or "tatoeba_cmn_eng"))
    except (OSError, ValueError) as error:
        sys.exit(f"{lesson.name}: {error}")
    for part, rows in parts.items():
        lesson.number(f"pairs: {part}", len(rows), ",d")
    lesson.number("characters in a source", np.mean([len(row["source"]) for row in parts["train"]]))
    lesson.number("words in a target", np.mean([len(row["target"].split()) for row in parts["train"]]))
    shared = {side: count_shared(parts, side) for side in ("source", "target")}
    unshared = not any(shared.values())
    lesson.finding("{source} sources and {target} targets are in more than one part", unshared, **shared)
    return parts


def count_shared(parts, side):
    """How many different sentences of a side are in more than one part."""
    found = collections.Counter(text for rows in parts.values() for text in {row[side] for row in rows})
    return sum(count > 1 for count in found.values())


def toy_pairs():
    """Made-up pairs, for --smoke: numbers in Chinese and in English."""
    figures = dict(zip("一二三四五六七八九", "one two three four five six seven eight nine".split(), strict=True))
    drawn = np.random.default_rng(0)
    texts = sorted({"".join(drawn.choice(list(figures), drawn.integers(2, 7))) for _ in range(400)})
    targets = [" ".join(figures[character] for character in text) for text in texts]
    rows = [{"source": text, "target": target} for text, target in zip(texts, targets, strict=True)]
    drawn.shuffle(rows)
    return {"train": rows[60:], "validation": rows[:30], "test": rows[30:60]}


# %% [markdown]
# ## Train it
# Simplified and traditional characters are mixed in the data, and are different characters to the network: *讀* and
# *读* have to be learned one by one.


# %%
def train(lesson, run, parts):
    """The `PairWriter` and the contents of its results.json; a finished run is only loaded."""
    from keras_seq.plots.curves import curves
    from keras_seq.recipes import sentence_pairs

    print("\nTrain it")
    options = SMOKE if lesson.smoke else {"laptop": {}, "gpu": GPU}[lesson.options.preset]
    config = dataclasses.replace(sentence_pairs.RUNS["tatoeba_cmn_eng"], seed=lesson.options.seed, **options)
    verbose = 0 if lesson.smoke else 2
    writer, results = lesson.trained(sentence_pairs.train, config, parts, run, verbose=verbose)
    results["minutes"] = round(results["seconds"] / 60, 1)
    lesson.number("parameters", results["parameters"], ",d")
    lesson.number("minutes of training", results["minutes"], ".1f")
    lesson.number("characters that it knows", len(writer.source), ",d")
    series = {"Transformer": validation_accuracy(run)}
    title = "Learning curve (teacher forcing)"
    lesson.figure(
        curves(
            lesson.run / "learning.png", series, "minutes of training", "next token right, validation", title,
            percent=True,
        )
    )  # fmt: skip
    return writer, results


# %% [markdown]
# ## How good is it?
# BLEU is cased here, with its signature; chrF counts n-grams of characters. The bounds hold 95 of 100 draws.


# %%
def score(lesson, writer, results, rows, outputs):
    """Prints the scores on the test, of which `outputs` are by beam search; the rows of README's table."""
    from keras_seq import text_scores

    print("\nHow good is it?")
    results["greedy"], wanted = writer.scores(rows), [row["target"] for row in rows]
    results["beam"] = text_scores.of_translations(outputs, wanted, draws=20 if lesson.smoke else 1000)
    results["beam"]["perplexity"] = results["greedy"]["perplexity"]
    print_scores(lesson, "Transformer", results)
    results["how"] = f"bootstrap; {BEAMS} beams"
    shared = {"what": "Chinese to English", "data": "Tatoeba, no sentence shared", "model": "Transformer"}
    metrics = () if lesson.options.data else ("bleu", "chrf")
    return [score_row(lesson, results, metric) | shared for metric in metrics]


# %% [markdown]
# ## Where it looks
# Nobody told it which characters make a word. Where two make one, does the English token look at both? See for
# yourself: the picture is not counted.


# %%
def texts(lesson, writer, rows):
    """What is looked at: sentences of ours, or where others are learned the first of the test."""
    if lesson.smoke or lesson.options.data:
        return [row["source"] for row in readable(writer, rows)[: len(TEXTS)]]
    return TEXTS


def look(lesson, writer, shown):
    """Attention maps, the mean over the heads of the last layer."""
    from keras_seq import plots

    maps = []
    for text in shown:
        source, output, weights = writer.attention(text)
        maps.append((source, output, weights[-1].mean(axis=0), text))
    title = "Cross-attention, mean over the heads of the last layer"
    lesson.figure(plots.attention_gallery(lesson.run / "attention.png", maps, title))


# %% [markdown]
# ## What it says, and an exercise
# - It reads character by character and is told nothing of words: that is enough for the BLEU above. A model that reads
#   words is not trained here, so that nothing is said of which is better.
# - Beams bring three BLEU over the likeliest token each time, twice what they bring in lesson 12.
# - Its vocabulary has every character that training has, and no other: read the sentences with the lowest chrF for what
#   it makes of a name or a character that is rare there.
# - A score is as good as its split: here no sentence is in more than one part, on either side, which is counted above.
#
# **Exercise.** Put one translation of each test sentence back into training. How much does BLEU rise, and has the model
# become better?

# %%
if __name__ == "__main__":
    main()
