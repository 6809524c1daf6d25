# %% [markdown]
# # 07 Intents
#
# **Question.** "What time is it" wants the `time`, "what's the time difference to Tokyo" the `timezone`. A sentence of
# any length comes in, one of 150 labels comes out (N-1). Which reader does it best: the last state of an RNN, an LSTM
# or a GRU, a mean over all of them that chooses its weights, a Transformer? Should it see words, pieces of words or
# characters? And does it know when none of the 150 is meant?
#
#     python tutorials/07_intents.py                        about 20 minutes on two cores; it continues when killed
#     python tutorials/07_intents.py --text "what time is it"
#     python tutorials/07_intents.py --data my.tsv          a file of yours: text, tab, label; or JSON Lines
#     python tutorials/07_intents.py --data imdb_reviews --limit 400     sentiment: two labels, one sigmoid
#
# The data is CLINC150 (Larson et al., 2019; `KERAS_SEQ_DATA` or the network has it): 100 training sentences an intent,
# and 1000 test sentences that are none of them.

# %%
import csv
import dataclasses
import json
import sys
import time
from pathlib import Path

import numpy as np
from lesson import Lesson

SMOKE = {"epochs": 1, "units": 8, "embedding_size": 8, "character_size": 4, "character_filters": 6, "num_layers": 1,
         "num_heads": 2, "feed_forward": 12}  # fmt: skip
NAMES = {"rnn": "simple RNN, last state", "lstm": "LSTM, last state", "gru": "GRU, last state",
         "bilstm": "BiLSTM, last states", "bigru": "BiGRU, last states", "bag": "bag of words, max + mean + attention",
         "attention": "BiGRU, attention pooling", "transformer": "Transformer encoder, attention pooling"}  # fmt: skip
INPUT_NAMES = {"characters": "characters", "subwords": "pieces of words (BPE)", "words": "words",
               "words_characters": "words and their characters"}  # fmt: skip
EXAMPLES = ("what time is it", "what's the time difference between here and tokyo", "how do i say thank you in spanish",
            "i want to know how many calories are in a slice of pizza")  # fmt: skip
BAR, STRETCH, PARAMETERS = 0.925, 0.94, 1_000_000
OPTIONS = {
    "--data": {"default": None, "metavar": "NAME or FILE", "help": "clinc_oos, imdb_reviews, or texts and labels"},
    "--text": {"default": None, "help": "a sentence of yours: its label, by the best reader"},
    "--from": {"dest": "start", "type": Path, "metavar": "RUN", "help": "a trained run to begin with, for --data"},
    "--limit": {"type": int, "default": None, "help": "longest text in tokens; longer ones are left out and counted"},
    "--preset": {"choices": ("laptop", "gpu"), "default": "laptop", "help": "gpu: a wider model, larger batches"},
}


def main(argv=None):
    """Trains every kind of reader on every kind of input, looks into the best one, and ships it."""
    lesson = Lesson(__file__, "The intent of a sentence, by every kind of reader.", argv, OPTIONS)
    if is_own(lesson):
        lesson.run = lesson.run / Path(lesson.options.data).stem
        lesson.run.mkdir(exist_ok=True)
    if lesson.options.text is not None:
        answer(lesson)
        return
    begin, own = time.perf_counter(), is_own(lesson)
    parts = look_at_the_data(lesson)
    baseline = count_words(lesson, parts)
    table = [] if own else compare_kinds(lesson)
    table += [] if own or lesson.smoke else compare_inputs(lesson)
    reader, results = train_the_best(lesson, own)
    if not own:
        draw_the_table(lesson, table, baseline, results[0])
    where_it_looks(lesson, reader, parts, own)
    what_it_confuses(lesson, reader, parts)
    out_of_scope(lesson, reader, parts, results[0])
    from shipping import ship

    print("\nEvery format and precision")
    rows = ship(lesson, lesson.run / "best")
    # What was trained before this call counts as if it had been trained now.
    before = sum(row["minutes"] for row in table + results if row.pop("was_there"))
    took = round(before + (time.perf_counter() - begin) / 60, 1)
    found = scores(lesson, baseline, results)
    lesson.finish(minutes=took, table=table, baseline=baseline, scores=found, matrix=rows)


# %% [markdown]
# ## The data


# %%
def is_own(lesson):
    """Whether other data was asked for: then the best reader alone is trained, in a folder of its own."""
    return lesson.options.data not in (None, "clinc_oos")


def data_of(lesson):
    """Name or path of the data: a generated stand-in at --smoke size."""
    return lesson.options.data or ("toy" if lesson.smoke else "clinc_oos")


def look_at_the_data(lesson):
    """The parts of the data, with some of it printed; without the data the lesson ends here and says how to get it."""
    from keras_seq.recipes.labelled_texts import labels_of, read_parts

    print("The data")
    try:
        parts = read_parts(data_of(lesson))
    except (OSError, ValueError) as error:
        sys.exit(f"{lesson.name}: {error}")
    lengths = [len(row["text"].split()) for row in parts["train"]]
    lesson.number("labels", len(labels_of(parts["train"])), "d")
    for name, part in parts.items():
        lesson.number(f"texts: {name.replace('_', ' ')}", len(part), ",d")
    lesson.number("words of a text, median", float(np.median(lengths)), "g")
    lesson.number("words of the longest", max(lengths), "d")
    for row in parts["train"][:4]:
        print(f"  {row['label']:24} {row['text']:.90}")
    return parts


# %% [markdown]
# ## Before any network: count
# How often each word, pair of words and piece of two to five characters comes, weighted by how rare it is (TF-IDF), and
# a linear support vector machine on that. It knows nothing of order beyond those pairs, and trains in a minute.
# Whatever a network is for, it is for what comes on top of this.


# %%
def count_words(lesson, parts):
    """Test accuracy of the linear models on counts: words alone, and words and characters."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    print("\nBefore any network: count")
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    found = {}
    for name, features in (("words", words), ("words and characters", make_union(words, pieces))):
        model = make_pipeline(features, LinearSVC())
        model.fit(*zip(*[(row["text"], row["label"]) for row in parts["train"]], strict=True))
        for part in ("validation", "test"):
            right = np.mean(
                model.predict([row["text"] for row in parts[part]]) == [row["label"] for row in parts[part]]
            )
            lesson.number(f"right, {part}: counts of {name}", right, ".2%")
        found[name] = float(right)
    return found


# %% [markdown]
# ## Every kind of reader
# All read words and are trained alike, eight epochs. The first five keep what the recurrence ends with, of a
# bidirectional one the last state of each direction. The others pool: over all states of a bidirectional GRU, over the
# embedded words as they are (a bag, which knows no order at all), over what a Transformer's encoder made of them.
# Attention pooling is a weighted mean with weights that a small network gives,
#
# $$e_t = v^\top \tanh(W h_t + b), \qquad \alpha_t = \mathrm{softmax}_t(e_t), \qquad s = \sum_t \alpha_t h_t$$
#
# (`AttentionPooling`; the models are `Classifier` and `TextClassifier` in `keras_seq/models`, the training is
# `keras_seq/recipes/intents.py`).


# %%
def train_one(lesson, name, config, start=None, samples=()):
    """Trains or finds one run; returns its reader and results."""
    from keras_seq.recipes import intents

    config = dataclasses.replace(config, data=data_of(lesson), **(SMOKE if lesson.smoke else {}))
    was_there = (lesson.run / name / "model.keras").exists()
    reader, results = intents.train(config, lesson.run / name, start=start, samples=samples, verbose=0)
    results |= {
        "was_there": was_there,
        "name": name,
        "minutes": minutes(lesson.run / name),
        "epochs": config.epochs,
        "seed": config.seed,
    }
    low, high = results["test"]["interval"]
    print(
        f"  {name:20} right {results['test']['accuracy']:7.2%} of the test ({low:.2%} to {high:.2%}), "
        f"{results['validation']['accuracy']:.2%} of validation; {results['parameters']:9,} parameters, "
        f"{results['minutes']} minutes",
        flush=True,
    )
    return reader, results


def minutes(run):
    """Minutes that a run's epochs took."""
    with open(run / "seconds.csv", encoding="utf-8", newline="") as file:
        return round(sum(float(row["seconds"]) for row in csv.DictReader(file)) / 60, 1)


def kinds_of(lesson):
    """The kinds to compare; --smoke makes do with two."""
    return ("attention", "transformer") if lesson.smoke else tuple(NAMES)


def compare_kinds(lesson):
    """Trains every kind of reader over words; returns their results."""
    from keras_seq.recipes import intents

    print("\nEvery kind of reader, over words")
    table = []
    for name in kinds_of(lesson):
        _, results = train_one(lesson, name, intents.KINDS[name])
        table.append({**results, "label": NAMES[name], "inputs": "words"})
    others = [row["validation"]["accuracy"] for row in table if row["name"] != "rnn"]
    lesson.claim(
        "all but the simple RNN lie within {spread:.1f} points of one another on validation, {low:.1%} to {high:.1%}",
        max(others) - min(others) < 0.025,
        spread=100 * (max(others) - min(others)), low=min(others), high=max(others),
    )  # fmt: skip
    draw_learning(
        lesson, "learning_kinds", {NAMES[name]: name for name in kinds_of(lesson)}, "Every kind of reader, over words"
    )
    return table


def draw_learning(lesson, figure, runs, title):
    """The share of validation that is wrong after each epoch."""
    from keras_seq.plots.curves import curves

    series = {}
    for label, name in runs.items():
        with open(lesson.run / name / "metrics.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        series[label] = [int(row["epoch"]) for row in rows], [1 - float(row["val_accuracy"]) for row in rows]
    path = lesson.run / f"{figure}.png"
    lesson.figure(curves(path, series, "epochs", "wrong, validation", title, percent=True, log="y"))


# %% [markdown]
# ## Every kind of input
# The same reader, a bidirectional GRU with attention pooling, over characters, over byte pairs (a rare word comes in
# pieces), over words, and over words with their characters beside them: a small convolution makes a second vector of
# each word from its letters, so that a word that training has never seen still looks like something.


# %%
def compare_inputs(lesson):
    """Trains one reader over every kind of input; returns the results of those that the table has not yet."""
    from keras_seq.recipes import intents

    print("\nEvery kind of input, by the BiGRU with attention pooling")
    table = []
    for name, config in intents.INPUTS.items():
        _, results = train_one(lesson, name, config)
        table.append({**results, "label": NAMES["attention"], "inputs": INPUT_NAMES[name]})
    right = {row["name"]: row["validation"]["accuracy"] for row in table}
    letters = right.pop("characters")
    lesson.claim(
        "whatever has words or pieces of them is far ahead of characters alone: {least:.1%} of validation and more, "
        "not {letters:.1%}",
        min(right.values()) > letters + 0.05, least=min(right.values()), letters=letters,
    )  # fmt: skip
    return table


# %% [markdown]
# ## The best one, three times
# Words with their characters, a bidirectional GRU, maximum, mean and attention side by side, more epochs, and noise
# against learning by heart: embedded features are dropped, words are taken for unknown, labels are smoothed. What is in
# it was chosen on validation. A score of one training is a draw, so it is trained three times.


# %%
def best_config(lesson):
    """The configuration of the best reader, of the size and for the data that the flags ask for."""
    from keras_seq.recipes import intents

    config = intents.GPU if lesson.options.preset == "gpu" else intents.BEST
    return dataclasses.replace(config, limit=lesson.options.limit)


def train_the_best(lesson, own):
    """The reader, and the results of each seed: the first is the one that is looked into and shipped."""
    lesson.use_precision()
    print("\nThe best one, three times")
    seeds = (1,) if own or lesson.smoke else (1, 2, 3)
    trained = []
    for seed in seeds:
        name = "best" if seed == 1 else f"best_seed_{seed}"
        config = dataclasses.replace(best_config(lesson), seed=seed)
        trained.append(train_one(lesson, name, config, lesson.options.start, () if own else EXAMPLES))
    results = [own_results for _, own_results in trained]
    right = [row["test"]["accuracy"] for row in results]
    lesson.number("right, test: mean of the trainings", np.mean(right), ".2%")
    lesson.number("right, test: lowest", min(right), ".2%")
    lesson.number("right, test: highest", max(right), ".2%")
    if not own:
        lesson.claim(
            "{right:.1%} of the test right, mean of three, with {count:,} parameters",
            np.mean(right) >= BAR and results[0]["parameters"] <= PARAMETERS,
            right=np.mean(right), count=results[0]["parameters"],
        )  # fmt: skip
    draw_learning(lesson, "learning_best", {f"seed {row['seed']}": row["name"] for row in results}, "The best reader")
    return trained[0][0], results


def draw_the_table(lesson, table, baseline, best):
    """All readers, as a picture."""
    from keras_seq.plots.bars import bars

    rows = [(f"{row['label']}; {row['inputs']}", row["test"]["accuracy"], row["parameters"]) for row in table]
    rows.append(("the best one; words and their characters", best["test"]["accuracy"], best["parameters"]))
    rows.sort(key=lambda row: row[1])
    measures = {"right, %": [100 * row[1] for row in rows], "parameters": [row[2] for row in rows]}
    title = f"Who reads intents best (counts and a linear model: {baseline['words and characters']:.1%})"
    lighter = [row[0] for row in rows if row[0].startswith("the best")]
    lesson.figure(bars(lesson.run / "table.png", [row[0] for row in rows], measures, title, lighter=lighter))


# %% [markdown]
# ## Where it looks
# The weights $\alpha_t$ of the pooling say what a sentence is judged by. The Transformer has such weights inside it
# too: for each word, by each head, how much it takes of each other word.


# %%
def where_it_looks(lesson, reader, parts, own):
    """Draws the pooling's weights on some sentences, and the Transformer's on one."""
    from keras_seq.plots.heat_maps import HeatMap, heat_maps
    from keras_seq.recipes.intent_reader import Reader, draw_attention

    print("\nWhere it looks")
    texts = [row["text"] for row in parts["test"]] if own or lesson.smoke else EXAMPLES
    texts = [text for text in texts if 0 < len(reader.texts.source.encode(text)) <= min(reader.texts.limit, 24)][:4]
    for text, label, sure in zip(texts, *reader.read(texts), strict=True):
        weights = np.asarray(reader.model.attention(reader.texts.padded([text]))["pooling"])[0]  # (time,)
        most = reader.texts.tokens(text)[int(weights.argmax())]
        print(f"  {label:20} {sure:.2f}  looks most at {most!r} in {text!r}")
    path = lesson.run / "attention.png"
    lesson.figure(draw_attention(path, reader, texts, "What the pooling looks at"))
    if own:
        return
    transformer = Reader.load(lesson.run / "transformer")
    tokens = transformer.texts.tokens(texts[1])
    weights = np.asarray(transformer.model.attention(transformer.texts.padded([texts[1]]))["encoder"][0])[0]
    panels = [HeatMap(head, f"head {number}", tokens, tokens, "is looked at") for number, head in enumerate(weights, 1)]
    title = "The Transformer's first layer: what each word (down) takes of the others"
    lesson.figure(heat_maps(lesson.run / "transformer.png", panels, title, across=2))


# %% [markdown]
# ## What it confuses
# Errors are not spread evenly: a few pairs of intents, which people would have to think about too, make up a good part.


# %%
def what_it_confuses(lesson, reader, parts):
    """Prints and draws the pairs of labels that are most often taken for each other, and some errors."""
    import collections

    from keras_seq.plots.convolution import confusion

    print("\nWhat it confuses")
    test = reader.texts.short_enough(parts["test"])
    labels, sure = reader.read([row["text"] for row in test])
    wrong = [(row["label"], label, row["text"], own) for row, label, own in zip(test, labels, sure, strict=True)
             if row["label"] != label]  # fmt: skip
    pairs = collections.Counter(tuple(sorted(pair[:2])) for pair in wrong)
    for (one, other), count in pairs.most_common(8):
        print(f"  {count:4} times: {one} and {other}")
    lesson.number("errors in the test", len(wrong), "d")
    share = sum(count for _, count in pairs.most_common(20)) / max(len(wrong), 1)
    lesson.number("of these in the 20 pairs confused most", share, ".1%")
    print("  errors that it was most sure of:")
    for wanted, label, text, own in sorted(wrong, key=lambda row: -row[3])[:8]:
        print(f"    {text:.70}: {label} ({own:.2f}), should be {wanted}")
    shown = list(dict.fromkeys(label for pair, _ in pairs.most_common() for label in pair))[:14] or reader.labels[:2]
    counts = collections.Counter((row["label"], label) for row, label in zip(test, labels, strict=True))
    matrix = [[counts[wanted, label] for label in shown] for wanted in shown]
    title = f"The {len(shown)} labels that are confused most"
    lesson.figure(confusion(lesson.run / "confusions.png", matrix, shown, title))


# %% [markdown]
# ## What is none of the 150
# A softmax always answers. Does it at least know when it is guessing? The confidence is the largest probability; the
# AUROC says how often a sentence of the test in scope has more of it than one out of scope.


# %%
def out_of_scope(lesson, reader, parts, results):
    """Draws confidence in scope and out of scope, and prints how well it tells them apart."""
    from keras_seq.plots.confidence import confidence
    from keras_seq.rejection import accepted_outside

    print("\nWhat is out of scope")
    lesson.number("threshold of confidence: 95 % of validation are above", results["threshold"])
    lesson.number("refused by it: test in scope", results["test_refused"], ".1%")
    if "out_of_scope" not in parts:
        return
    test = reader.texts.short_enough(parts["test"])
    labels, inside = reader.read([row["text"] for row in test])
    outside_texts = reader.texts.short_enough(parts["out_of_scope"])
    outside = reader.read([row["text"] for row in outside_texts])[1]
    hits = np.array([label == row["label"] for label, row in zip(labels, test, strict=True)])
    lesson.number("AUROC by confidence", results["out_of_scope"]["auroc"])
    lesson.number("refused by it: out of scope", results["out_of_scope"]["refused"], ".1%")
    lesson.number("out of scope accepted, where 95 % of the test are", accepted_outside(inside, outside), ".1%")
    histograms = {"in scope, right": inside[hits], "in scope, wrong": inside[~hits], "out of scope": outside}
    histograms = {name: values for name, values in histograms.items() if len(values)}
    title = "How sure it is of what it can know and of what it cannot"
    lesson.figure(confidence(lesson.run / "out_of_scope.png", histograms, inside, outside, title))
    for place in np.argsort(-outside)[:4]:
        print(f"  out of scope, and {outside[place]:.2f} sure: {outside_texts[int(place)]['text']}")
    lesson.claim(
        "confidence tells what is out of scope: AUROC {auroc:.3f}; {refused:.0%} of it are refused",
        results["out_of_scope"]["auroc"] > 0.9,
        auroc=results["out_of_scope"]["auroc"], refused=results["out_of_scope"]["refused"],
    )  # fmt: skip


# %% [markdown]
# ## Ask it, and ship it
# `--text` reads one sentence with the best reader, which is trained first if it is not there. The export has the same
# two inputs, words and characters, in every format.


# %%
def answer(lesson):
    """Prints the label of a sentence, and how sure the reader is."""
    from keras_seq.recipes.intents import Reader

    run = lesson.run / "best"
    if not (run / "results.json").exists():
        print("no trained reader yet: training one")
        train_one(lesson, "best", best_config(lesson), lesson.options.start)
    reader = Reader.load(run)
    threshold = json.loads((run / "results.json").read_text(encoding="utf-8"))["threshold"]
    try:
        (label,), (sure,) = reader.read([lesson.options.text])
    except ValueError as error:
        sys.exit(f"{lesson.name}: {error}")
    doubt = f"; below {threshold:.2f}: it may be none of the {len(reader.labels)}" if sure < threshold else ""
    print(f"{lesson.options.text!r}: {label} (confidence {sure:.2f}{doubt})")


def scores(lesson, baseline, results):
    """The rows of README's table."""
    right = [row["test"]["accuracy"] for row in results]
    common = {"what": "intents (N-1)", "data": f"{data_of(lesson)}, test", "metric": "accuracy", "bar": BAR,
              "stretch": STRETCH, "command": "python tutorials/07_intents.py"}  # fmt: skip
    low, high = results[0]["test"]["interval"]
    best = {"model": "words + characters, BiGRU, max + mean + attention", "parameters": results[0]["parameters"],
            "minutes": results[0]["minutes"]}  # fmt: skip
    counted = {"model": "counts of words and characters, linear SVM", "value": baseline["words and characters"]}
    rows = [
        {**common, **best, "value": float(np.mean(right)), "low": min(right), "high": max(right),
         "how": f"{len(right)} seeds", "seed": [row["seed"] for row in results]},
        {**common, **best, "value": right[0], "low": low, "high": high, "how": "bootstrap, 1000 draws", "seed": 1},
        {**common, **counted},
    ]  # fmt: skip
    if "out_of_scope" in results[0]:
        areas = [row["out_of_scope"]["auroc"] for row in results]
        rows.append({**common, **best, "what": "intents, out of scope", "metric": "AUROC by confidence", "bar": None,
                     "stretch": None, "value": float(np.mean(areas)), "low": min(areas), "high": max(areas),
                     "how": f"{len(areas)} seeds", "seed": [row["seed"] for row in results]})  # fmt: skip
    return rows


# %% [markdown]
# ## What it says, and an exercise
# - **Counting is hard to beat.** With a hundred examples an intent, a linear model on counts of words and pieces of
#   words is ahead of every network of the comparison, in a minute. The best reader is half a point ahead of it in the
#   mean of three trainings, within what the test's interval allows for chance. It got there not by its kind but by its
#   inputs, by longer training and by noise against learning by heart.
# - **The kinds are close together.** Gated or attending, one way or both, all but the simple RNN lie within two points;
#   the intervals of the test overlap, and validation and test put them in another order. Attention pooling is no better
#   than the last states here, where a sentence has eight words. A bag of words, which knows no order at all, is hardly
#   two points behind the best of them: an intent is mostly said by which words come. The simple RNN learns far more
#   slowly (the learning curves), and so does a reader of characters alone.
# - **Characters beside words help confidence.** They add less than a point to the accuracy of the short training, and a
#   point to the AUROC: a word that was never seen still looks like something.
# - **Errors are people's errors too.** *To do list* or its update, a recipe or its ingredients: several of the surest
#   errors are labels that one could dispute. And the time difference to Tokyo of the first paragraph is taken for
#   `time`, with a confidence below the threshold.
# - **It knows when it does not know, mostly.** One threshold, set on validation, refuses three of four sentences out of
#   scope and loses one in twenty of the others. Those that get through share the words of an intent.
#
# **Exercise.** Train `attention` with `word_dropout=0.0` and `embedding_dropout=0.0`. What becomes of the training
# accuracy, of validation, and of the confidence out of scope?

# %%
if __name__ == "__main__":
    main()
