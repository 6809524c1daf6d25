# %% [markdown]
# # 12 Translation
#
# **Question.** English in, German out: neither as long as the other, nor in the same order. What does attention buy
# over one vector for the whole sentence, and what does the Transformer buy over both? What is each of its tricks worth
# (warm-up, label smoothing, averaged weights, one matrix for all vocabularies), and what does beam search add?
#
#     python tutorials/12_translation.py                       2.6 hours on two cores; it continues when killed
#     python tutorials/12_translation.py --text "Two dogs are running."     the best four translations, with scores
#     python tutorials/12_translation.py --translate my.txt > my.de.txt     a sentence a line, with a progress bar
#     python tutorials/12_translation.py --data my.tsv         pairs of yours: source, tab, target
#     python tutorials/12_translation.py --ablations           what each trick is worth, alone: a table in 45 minutes
#
# The data is Multi30k (Elliott et al., 2016): 29 000 captions of pictures and their translations; the test part is
# test_2016_flickr, 1000 sentences (`KERAS_SEQ_DATA` or the network has it).

# %%
import dataclasses
import sys
from pathlib import Path

import numpy as np
from lesson import Lesson
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

KINDS = {"last_state": "GRU, last state", "attention": "GRU, attention", "transformer": "Transformer"}
RNN = dict(model="seq2seq", units=192, embedding_size=128, dropout=0.3, epochs=8, batch_tokens=1536,
           learning_rate=3e-3, warmup_share=0.05, average=2)  # fmt: skip
# What each row of the ablation changes in the common model.
ABLATIONS = {
    "all of it": {},
    "no label smoothing": {"label_smoothing": 0.0},
    "no warm-up": {"warmup_share": 0.0},
    "a matrix for each vocabulary": {"tied": False},
    "1000 byte pairs": {"vocabulary_size": 1000},
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson.

    Attributes:
        models: kind -> options of `keras_seq.recipes.sentence_pairs.PairsConfig` that differ from the recipe's run.
        ablation: options of the ablations' common model; `ablated_on` training pairs; `ablations`, what is changed.
        beams: numbers of beams that are tried on the validation part, 1 (greedy) among them.
        penalties: length penalties that the best number of beams is tried with.
        lengths: upper ends of the groups of source lengths, in words.
        decoded: output lengths, in tokens, that decoding is timed at.
        draws: draws of the bootstrap.
    """

    models: dict = dataclasses.field(
        default_factory=lambda: {"last_state": {**RNN, "attention": False}, "attention": RNN, "transformer": {}}
    )
    ablation: dict = dataclasses.field(
        default_factory=lambda: dict(num_layers=2, vocabulary_size=4000, epochs=12, batch_tokens=1024, average=3)
    )
    ablated_on: int = 10_000
    ablations: tuple = tuple(ABLATIONS)
    beams: tuple = (1, 2, 4, 8)
    penalties: tuple = (0.0, 0.5, 1.0, 1.5)
    lengths: tuple = (8, 10, 12, 15, 40)
    decoded: tuple = (16, 32, 64, 128, 256)
    draws: int = 1000


TINY = dict(units=8, embedding_size=8, num_layers=1, num_heads=2, feed_forward=12, vocabulary_size=300, epochs=1,
            batch_tokens=300, limits=(24, 26), average=1)  # fmt: skip
SMOKE = Config(
    models={
        "last_state": {**TINY, "model": "seq2seq", "attention": False},
        "attention": {**TINY, "model": "seq2seq"},
        "transformer": TINY,
    },
    ablation=TINY,
    ablated_on=60,
    ablations=("all of it", "a matrix for each vocabulary"),
    beams=(1, 2),
    penalties=(1.0,),
    lengths=(3, 40),
    decoded=(4, 8),
    draws=20,
)
GPU = Config(
    models={
        "last_state": {**RNN, "attention": False, "units": 512, "embedding_size": 256, "batch_tokens": 4096},
        "attention": {**RNN, "units": 512, "embedding_size": 256, "batch_tokens": 4096},
        "transformer": dict(epochs=100, batch_tokens=8192, dropout=0.3, average=10),
    }
)
OPTIONS = {
    **TRANSLATING,
    "--data": {"metavar": "FILE", "type": Path, "help": "pairs of your own, TSV or JSON Lines"},
    "--from": {"dest": "start", "type": Path, "metavar": "RUN", "help": "a trained run to begin with, for --data"},
    "--ablations": {"action": "store_true", "help": "only the ablations, on fewer pairs: their table"},
    "--seed": {"type": int, "default": 1, "help": "of the training (default: %(default)s)"},
    "--preset": {"choices": ("laptop", "gpu"), "default": "laptop", "help": "gpu: wider RNNs, longer training"},
}


def main(argv=None):
    """Trains three translators, compares them, takes the Transformer apart and ships it."""
    lesson = Lesson(__file__, "English to German, by recurrent networks and by the Transformer.", argv, OPTIONS)
    config = SMOKE if lesson.smoke else {"laptop": Config(), "gpu": GPU}[lesson.options.preset]
    lesson.use_own_folder()
    if lesson.options.text is not None or lesson.options.translate:
        answer(lesson, lesson.run / "transformer")
        return
    lesson.use_precision()
    parts = look_at_the_data(lesson)
    if lesson.options.ablations:
        ablate(lesson, config, parts)
        return
    writers, results = train_all(lesson, config, parts)
    transformer, test = writers["transformer"], parts["test"]
    beams, penalty = search(lesson, config, transformer, parts["validation"])
    outputs = translate_all(writers, test, beams, penalty)
    scores = compare(lesson, config, writers, results, outputs, test, f"{beams} beams, penalty {penalty:g}")
    by_length(lesson, config, outputs, test)
    teacher(lesson, writers, outputs, test)
    ablation = ablate(lesson, config, parts)
    time_decoding(lesson, config, transformer)
    short = readable(transformer, test)
    look(lesson, writers, short)
    read_errors(lesson, transformer, test, outputs["transformer"]["beam"], short)
    from shipping import ship

    print("\nEvery format and precision")
    rows = ship(lesson, lesson.run / "transformer", beams=4, timeout=1200)
    files = score_files(lesson, lesson.run / "transformer", short)
    lesson.finish(scores=scores, ablation=ablation, results=results, files=files, matrix=rows)


# %% [markdown]
# ## The data, and what a token is
# A vocabulary of words never ends: German writes *Feuerwehrleute*, *Feuerwehrauto*, *Feuerwehrschlauch*. **Byte pairs**
# (Sennrich et al., 2016) begin with single bytes and join, again and again, the two neighbours that come most often: a
# frequent word is one token, a rare one comes in pieces, and nothing is unknown. Both languages share one vocabulary,
# so that one matrix can embed both.


# %%
def look_at_the_data(lesson):
    """The parts, with numbers and examples printed."""
    from keras_seq.recipes.sentence_pairs import load_pairs

    print("The data")
    if lesson.smoke and not lesson.options.data:
        parts = toy_pairs()
    else:
        try:
            parts = load_pairs(str(lesson.options.data or "multi30k"))
        except (OSError, ValueError) as error:
            sys.exit(f"{lesson.name}: {error}")
    for part, rows in parts.items():
        lesson.number(f"pairs: {part}", len(rows), ",d")
    for side in ("source", "target"):
        lesson.number(f"words in a sentence: {side}", np.mean([len(row[side].split()) for row in parts["train"]]))
    for row in parts["test"][:2]:
        print(f"  {row['source']}\n    {row['target']}")
    return parts


def toy_pairs():
    """Made-up pairs, for --smoke."""
    from keras_seq.data import toy_sentences

    rows = [{"source": " ".join(row["tokens"]), "target": " ".join(row["tags"])} for row in toy_sentences.tagged(400)]
    return {"train": rows[:320], "validation": rows[320:360], "test": rows[360:]}


# %% [markdown]
# ## Three translators
# All three read the same pairs in the same tokens. Batches and epochs are each kind's own: the GRUs are trained for 8
# epochs in batches of 1536 tokens, the Transformer for 44 in batches of 2048. The minutes stand beside the scores.
#
# - **GRU, last state**: the encoder's last states are all that the decoder sees of the source, at every step (Cho et
#   al., 2014).
# - **GRU, attention**: the decoder looks back at every source position (Bahdanau et al., 2015); see lesson 10.
# - **Transformer**: attention alone, in four layers on each side (Vaswani et al., 2017); see lesson 11.
#
# The learning rate rises in a straight line first and falls along a cosine then. A share of 0.1 of each label's
# probability is spread over the vocabulary (**label smoothing**), and what is kept is the mean of the weights after the
# last few epochs.


# %%
def configuration(lesson, options):
    """The `PairsConfig` of a model."""
    from keras_seq.recipes.sentence_pairs import RUNS

    return dataclasses.replace(RUNS["multi30k"], seed=lesson.options.seed, **options)


def train_all(lesson, config, parts):
    """The three `PairWriter`s and the contents of their results.json, by kind; finished runs are only loaded."""
    from keras_seq.plots.curves import curves
    from keras_seq.recipes.sentence_pairs import train

    print("\nThree translators")
    writers, results, series = {}, {}, {}
    for kind, options in config.models.items():
        print(f"  {KINDS[kind]} in {lesson.run / kind} ...", flush=True)
        start = lesson.options.start if kind == "transformer" else None
        own, run, verbose = configuration(lesson, options), lesson.run / kind, 0 if lesson.smoke else 2
        writers[kind], results[kind] = lesson.trained(train, own, parts, run, start=start, verbose=verbose)
        results[kind]["minutes"] = round(results[kind]["seconds"] / 60, 1)
        lesson.number(f"parameters: {KINDS[kind]}", results[kind]["parameters"], ",d")
        lesson.number(f"minutes of training: {KINDS[kind]}", results[kind]["minutes"], ".1f")
        series[KINDS[kind]] = validation_accuracy(lesson.run / kind)
    lesson.number("padding in the batches", results["transformer"]["padding"]["target"], ".1%")
    lesson.figure(
        curves(
            lesson.run / "learning.png", series, "minutes of training", "next token right, validation",
            "Learning curves (teacher forcing)", percent=True,
        )
    )  # fmt: skip
    return writers, results


# %% [markdown]
# ## Beam search
# The likeliest next token is not always the way to the likeliest sentence. **Beam search** keeps several unfinished
# sentences side by side. The likelihood of a sentence falls with every token, so that a sum of log-probabilities
# prefers the short; it is divided by $\text{length}^\alpha$ (the **length penalty**). Beams and $\alpha$ are chosen on
# the validation part for the Transformer, and taken for the GRUs too, which might do better with others.


# %%
def search(lesson, config, writer, rows):
    """Number of beams and length penalty with the best BLEU on the validation part: first the one, then the other."""
    from keras_seq import text_scores
    from keras_seq.plots.bars import bars

    print("\nBeam search, on the validation part")
    sources, wanted = ([row[side] for row in rows] for side in ("source", "target"))
    found, names = {}, {}

    def measure(beams, penalty):
        outputs = writer.write(sources, beams=beams, length_penalty=penalty, cut=True)
        found[beams, penalty] = text_scores.bleu(outputs, wanted, lowercase=True).score
        names[beams, penalty] = f"{beams} beams, penalty {penalty:g}" if beams > 1 else "greedy"
        length = sum(map(len, outputs)) / sum(map(len, wanted))
        name = f"BLEU, {names[beams, penalty]} ({length:.1%} as long as the references)"
        lesson.number(name, found[beams, penalty], ".2f")

    for beams in config.beams:
        measure(beams, 1.0)
    most = max(found, key=found.get)[0]
    for penalty in config.penalties if most > 1 else ():
        if (most, penalty) not in found:
            measure(most, penalty)
    title = "What beam search adds (validation)"
    values = {"BLEU, lower-cased": list(found.values())}
    lesson.figure(bars(lesson.run / "beams.png", [names[key] for key in found], values, title))
    best = max(found, key=found.get)
    lesson.finding(
        "{beams} beams with a length penalty of {penalty:g} gain {gain:.2f} BLEU over the likeliest token each time",
        best[0] > 1, beams=best[0], penalty=best[1], gain=found[best] - found[1, 1.0],
    )  # fmt: skip
    return best


# %% [markdown]
# ## How good are they?
# **BLEU** counts how many of the 1- to 4-grams of words are in the reference, times a penalty for what is too short.
# It comes on several scales: what is compared here with others is lower-cased; cased BLEU and chrF (character n-grams)
# stand beside it, each with sacreBLEU's signature. The bounds hold 95 of 100 draws of 1000 sentences.


# %%
def translate_all(writers, rows, beams, penalty):
    """What each writes for the test: kind -> dict of "greedy" and "beam" -> list of str."""
    sources = [row["source"] for row in rows]
    return {
        kind: {
            "greedy": writer.write(sources, cut=True),
            "beam": writer.write(sources, beams=beams, length_penalty=penalty, cut=True),
        }
        for kind, writer in writers.items()
    }


def compare(lesson, config, writers, results, outputs, rows, how):
    """Scores of all three on the test, greedy and with beams; what README's table is made from."""
    from keras_seq import text_scores

    print("\nThe test")
    table, wanted = [], [row["target"] for row in rows]
    for kind, writer in writers.items():
        name, own, perplexity = KINDS[kind], results[kind], {"perplexity": writer.perplexity(rows)}
        for search, draws in (("greedy", 0), ("beam", config.draws)):
            own[search] = text_scores.of_translations(outputs[kind][search], wanted, draws=draws) | perplexity
        print_scores(lesson, name, own)
        own["how"] = f"bootstrap; {how}"
        row = score_row(lesson, own, "bleu_lowercase", BARS.get(kind), 41.0 if kind == "transformer" else None)
        table.append(row | {"what": "English to German", "data": "Multi30k, test_2016_flickr", "model": name})
    values = {entry["model"]: entry["value"] for entry in table}
    lesson.finding(
        "attention takes BLEU from {without:.1f} to {with_:.1f}, the Transformer to {transformer:.1f}",
        list(values.values()) == sorted(values.values()),
        without=values[KINDS["last_state"]], with_=values[KINDS["attention"]], transformer=values[KINDS["transformer"]],
    )  # fmt: skip
    return table if not lesson.options.data else []


BARS = {"attention": 33.0, "transformer": 38.5}


# %% [markdown]
# ## What attention buys, by sentence length
# One vector has to hold the whole sentence. The longer the sentence, the more is lost.


# %%
def by_length(lesson, config, outputs, rows):
    """BLEU of the greedy outputs by the number of source words."""
    from keras_seq import text_scores
    from keras_seq.plots.curves import curves

    print("\nBy sentence length")
    lengths = np.array([len(row["source"].split()) for row in rows])
    group = np.searchsorted(config.lengths, np.minimum(lengths, config.lengths[-1]))
    series = {}
    for kind, written in outputs.items():
        points = []
        for number, edge in enumerate(config.lengths):
            chosen = np.flatnonzero(group == number)
            if len(chosen):
                pairs = [(written["greedy"][index], rows[index]["target"]) for index in chosen]
                score = text_scores.bleu(*map(list, zip(*pairs, strict=True)), lowercase=True).score
                points.append((float(np.mean(lengths[chosen])), score))
                lesson.number(f"{KINDS[kind]}: up to {edge} words ({len(chosen)})", score, ".2f")
        series[KINDS[kind]] = tuple(zip(*points, strict=True))
    title = "What attention buys, by sentence length"
    lesson.figure(curves(lesson.run / "by_length.png", series, "words in the sentence", "BLEU, lower-cased", title))
    gains = np.subtract(series[KINDS["attention"]][1], series[KINDS["last_state"]][1])
    lesson.finding(
        "attention buys {short:.1f} BLEU on the shortest sentences and {long:.1f} on the longest",
        gains[-1] > gains[0], short=gains[0], long=gains[-1],
    )  # fmt: skip


# %% [markdown]
# ## The teacher, and without
# In training the decoder is given the true tokens before each one (**teacher forcing**); alone it is given its own,
# errors included. How much easier is it with the teacher? BLEU both ways: of what is likeliest behind the reference's
# own tokens, at each of its places, and of what is written without them.


# %%
def teacher(lesson, writers, outputs, rows):
    """BLEU of what is likeliest behind the reference's own tokens, and of what is written freely."""
    from keras_seq import text_scores

    print("\nThe teacher, and without")
    for kind, writer in writers.items():
        forced, free, wanted = writer.forced(rows), outputs[kind]["greedy"], [row["target"] for row in rows]
        scores = [text_scores.bleu(texts, wanted, lowercase=True).score for texts in (forced, free)]
        lesson.number(f"{KINDS[kind]}: BLEU behind the teacher's tokens", scores[0], ".2f")
        lesson.number(f"{KINDS[kind]}: BLEU behind its own", scores[1], ".2f")


# %% [markdown]
# ## What is each part worth?
# A smaller Transformer, on 10 000 pairs, with one thing changed at a time; `--ablations` trains these alone. Beside
# each BLEU stands its difference to the common model, with the bounds of 95 of 100 draws of as many sentences, the same
# ones for both. A difference whose bounds lie on both sides of 0 says nothing. And the bounds know of the sentences
# alone: each row is one seed, another would move it too, and by how much is not measured here.


# %%
def ablate(lesson, config, parts):
    """BLEU on the validation part of the common model and of each that differs from it in one thing, dict of dicts."""
    from keras_seq.plots.bars import bars

    print(f"\nWhat each part is worth, on {config.ablated_on:,} pairs")
    table, common = {}, None
    for name, outputs, results in ablated(lesson, config, parts):
        common = common or outputs
        table[name] = row = measured(outputs, common, parts["validation"], config.draws)
        row |= {"parameters": results["parameters"], "minutes": round(results["seconds"] / 60, 1)}
        lesson.number(f"BLEU: {name}", row["bleu_lowercase"], ".2f")
    print(f"\n  {'':30} {'BLEU':>6} {'to all of it':>13} {'95 of 100 draws':>17} {'parameters':>11} {'minutes':>8}")
    for name, row in table.items():
        print(
            f"  {name:30} {row['bleu_lowercase']:6.2f} {row['gain']:+13.2f} {row['low']:+8.2f} to {row['high']:+5.2f} "
            f"{row['parameters']:11,} {row['minutes']:8.1f}"
        )
    values = {"BLEU, lower-cased, validation": [row["bleu_lowercase"] for row in table.values()]}
    lesson.figure(bars(lesson.run / "ablation.png", list(table), values, "One thing changed at a time"))
    return table


def ablated(lesson, config, parts):
    """Gives of each ablation its name, what it writes for the validation part and its results, the common one first."""
    from keras_seq.recipes.sentence_pairs import train
    from keras_seq.training.checkpoints import restore_mean

    fewer = {**parts, "train": parts["train"][: config.ablated_on]}
    sources = [row["source"] for row in parts["validation"]]
    for name in config.ablations:
        run = lesson.run / "ablation" / name.replace(" ", "_")
        options = configuration(lesson, {**config.ablation, **ABLATIONS[name]})
        writer, results = lesson.trained(train, options, fewer, run, verbose=0)
        yield name, writer.write(sources, cut=True), results
        if not ABLATIONS[name]:
            restore_mean(writer.model, run / "checkpoints", 1)
            yield "last weights, not averaged", writer.write(sources, cut=True), results


def measured(outputs, common, rows, draws):
    """BLEU of outputs, and what it is above that of the common model's, with bounds."""
    from keras_seq import text_scores

    wanted = [row["target"] for row in rows]
    gain, low, high = text_scores.bleu_gain(outputs, common, wanted, lowercase=True, draws=draws)
    score = text_scores.bleu(outputs, wanted, lowercase=True).score
    return {"bleu_lowercase": score, "gain": gain, "low": low, "high": high}


# %% [markdown]
# ## Why a cache
# At every step the decoder attends to all tokens before. Without a cache their keys and values are computed again each
# time: the time a token takes grows with the length, and that of a sentence with its square. With the cache
# (`Transformer.step`) a token costs about the same wherever it stands.


# %%
def time_decoding(lesson, config, writer):
    """Seconds of greedy decoding by output length, with the key/value cache and without."""
    from keras_seq.decode_time import decode_times, growth
    from keras_seq.plots.curves import curves

    print("\nWhy a cache")
    # The same weights with longer caches: an output may be as long as the longest that is measured.
    model = writer.model.from_config({**writer.model.get_config(), "max_target": max(config.decoded)})
    model.set_weights(writer.model.get_weights())
    series = decode_times(model, config.decoded)
    for name, (lengths, seconds) in series.items():
        for length, one in zip(lengths, seconds, strict=True):
            lesson.number(f"ms for {length} tokens, {name}", 1000 * one)
    dearer = {name: growth(*measured)[1] for name, measured in series.items()}
    lesson.claim(
        "with a cache a token costs {cached:.1f} times as much in the longest output as in the shortest, without one "
        "{bare:.1f} times as much",
        dearer["with cache"] < dearer["without cache"],
        cached=dearer["with cache"], bare=dearer["without cache"],
    )  # fmt: skip
    title = "Time of decoding by length"
    lesson.figure(curves(lesson.run / "decode_time.png", series, "tokens", "seconds", title, log="xy"))


# %% [markdown]
# ## Where it looks
# A row for each token that is written, a column for each that is read; darker is more attention. Bahdanau's one
# attention finds the word to be translated. The Transformer's heads share the work: some do the same, some look at the
# end of the sentence when there is nothing to look for.


# %%
def look(lesson, writers, rows):
    """Attention maps: of the GRU, and by head of the Transformer's layers."""
    from keras_seq import plots
    from keras_seq.plots.heat_maps import HeatMap, heat_maps

    if not rows:
        return
    text = min((row["source"] for row in rows), key=lambda source: abs(len(source.split()) - 9))
    source, output, weights = writers["attention"].attention(text)
    lesson.figure(
        plots.attention_map(lesson.run / "attention.png", source, output, weights[0, 0], "Bahdanau's attention")
    )
    source, output, weights = writers["transformer"].attention(text)
    maps = [
        HeatMap(head, f"layer {layer + 1}, head {number + 1}", output, source)
        for layer, heads in enumerate(weights)
        for number, head in enumerate(heads)
    ]
    title = "Cross-attention of the Transformer: a row of maps for each layer, a map for each head"
    lesson.figure(heat_maps(lesson.run / "heads.png", maps, title, across=len(weights[0])))


# %% [markdown]
# ## What it gets wrong
# The sentences with the lowest chrF, and some from the middle. A translation may be right and share no word with the
# reference: read them before you believe a score.


# %%
def read_errors(lesson, writer, rows, outputs, short):
    """Prints the worst translations and some of the middle, the best few of one that is `short`, and drawn ones."""
    print("\nWhat it gets wrong")
    print_errors(rows, outputs)
    print("\nThe best four, and drawn ones")
    for row in short[:1]:
        tell(writer, row["source"], 4, None, lesson.options.seed)
        tell(writer, row["source"], 4, 0.7, lesson.options.seed)


# %% [markdown]
# ## Translate
# `--text` and `--translate` use the trained Transformer; `translating.py` has the few lines that do.

# %% [markdown]
# ## The files themselves, on the whole test
# What a file scored while it was made, it scored on those sentences that had no say in which of its layers stay in
# float. Here each file translates the whole test, without Keras, as a phone or a server would: greedily, and by the
# beam search of 4 beams that is in it (`score_files` in `translating.py`).

# %% [markdown]
# ## What it says, and an exercise
# - One vector holds a short sentence better than a long one; attention mends that, and the Transformer, which is
#   nothing but attention, does better still. It also trains for more than three times the minutes of either GRU.
# - Beam search brings one and a half BLEU: two beams most of it, and eight no more than four. It is not that more is
#   written: with a penalty of 1 the translations are as short as those of the likeliest token each time, 94 % of the
#   references' length. Without a length penalty they come out shorter, 88 %, and the gain is gone.
# - On few pairs a vocabulary of 1000 byte pairs costs 5.2 BLEU (4.3 to 6.0 when sentences are drawn anew), and to leave
#   the warm-up out 1.5 (0.8 to 2.4). No smoothing (-1.0 to +0.3) and a matrix for each vocabulary (-0.6 to +1.1) cannot
#   be told from the common model.
# - Behind the teacher's tokens the score is a little higher than behind its own: its errors follow from one another.
# - BLEU is blind to meaning: a right sentence in other words counts as wrong.
#
# **Exercise.** Train in the other direction: swap the columns in `load_pairs`, which is one line. Is German to English
# easier? Why may lower-cased BLEU rise more than cased BLEU says?

# %%
if __name__ == "__main__":
    main()
