# %% [markdown]
# # 05 LSTM and GRU
#
# **Question.** A gate is a number between 0 and 1 by which something is let through. What do the gates of a trained
# LSTM do while it reads a sentence? What sets the GRU apart, and why are there two of them? What do gates cost, and how
# long do they remember?
#
#     python tutorials/05_lstm_gru.py                       about seven minutes on two cores
#
# With `KERAS_SEQ_DATA` set to a folder with `raw/snips`, real sentences are read too.

# %%
import dataclasses
import json
import os
import time
from pathlib import Path

import numpy as np
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson."""

    sentences: int = 6000  # examples of the language model, each of three sentences
    language_units: int = 16
    language_epochs: int = 12
    test_sentences: int = 400
    snips: int = 14_000  # real sentences at most
    snips_units: int = 32
    snips_epochs: int = 6
    timed_batch: int = 32
    timed_steps: int = 64
    timed_units: int = 128
    repeats: int = 15
    lengths: tuple = (25, 100)  # of the memory task
    memory_examples: int = 20_000
    memory_units: int = 64
    memory_epochs: int = 8
    memory_epoch_steps: int = 150
    xla: bool = True


SMOKE = {"sentences": 70, "language_units": 5, "language_epochs": 1, "test_sentences": 20, "snips": 300,
         "snips_units": 4, "snips_epochs": 1, "timed_batch": 2, "timed_steps": 3, "timed_units": 4, "repeats": 2,
         "lengths": (11,), "memory_examples": 70, "memory_units": 4, "memory_epochs": 1, "memory_epoch_steps": 1,
         "xla": False}  # fmt: skip
BATCH = 64


def main(argv=None):
    """Looks into the gates, compares the GRU's conventions, counts, times, and tests the memory."""
    lesson = Lesson(__file__, "Gates drawn, conventions compared, parameters, time and memory.", argv)
    config = dataclasses.replace(Config(), **SMOKE) if lesson.smoke else Config()
    model, tokenizer = train_language_model(lesson, config)
    gates = check_gates(lesson, model, tokenizer)
    agree(lesson, config, model, tokenizer)
    unit = find_the_unit(lesson, config, gates, tokenizer)
    draw_the_unit(lesson, gates, tokenizer, unit)
    change_its_mind(lesson, config, model, gates, tokenizer, unit)
    read_real_sentences(lesson, config)
    compare_conventions(lesson)
    costs = count_and_time(lesson, config)
    memory = long_memory(lesson, config)
    lesson.finish(costs=costs, memory=memory)


# %% [markdown]
# ## The equations
# The **LSTM** (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers, Schmidhuber and Cummins, 2000) has a
# second state $c$, the cell. What is in it is multiplied by the forget gate $f$, and the input gate $i$ lets a
# candidate $g$ in. The output gate $o$ decides what of it is shown:
#
# $$i, f, o = \sigma(x W_. + h U_. + b_.), \qquad g = \tanh(x W_g + h U_g + b_g)$$
# $$c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh c'$$
#
# With $f = 1$ and $i = 0$ the cell keeps its content unchanged, for as long as it likes: no matrix, no tanh on the way.
#
# The **GRU** (Cho et al., 2014) has one state and two gates. The update gate $z$ is forget and input gate in one, the
# reset gate $r$ decides how much of the old state the candidate sees:
#
# $$z, r = \sigma(x W_. + h U_. + b_.), \qquad g = \tanh(x W_g + r \odot (h U_g + d_g) + b_g)$$
# $$h' = z \odot h + (1 - z) \odot g$$
#
# `lstm_step` and `gru_step` in `keras_seq/layers/recurrent_steps.py` are these lines, and they also return the gates.
#
# ## A task for a memory
# *The king near the cats behind the girls sings.* It is *sings*, because of the king, whatever comes in between.
# Whoever writes the next word must keep one bit over any number of words, and use it once. A small language model is
# trained on generated sentences of that kind, three in a row, with two such phrases at most. Then it reads sentences
# with up to four. (Linzen, Dupoux and Goldberg, 2016, asked this of English.)


# %%
def language_model(units, vocabulary_size):
    """Ids `(batch, time)` to the logits of the next word."""
    import keras

    ids = keras.Input((None,), dtype="int32", name="ids")
    vectors = keras.layers.Embedding(vocabulary_size, 8, mask_zero=True, name="vectors")(ids)  # (batch, time, 8)
    states = keras.layers.LSTM(units, return_sequences=True, name="lstm")(vectors)  # (batch, time, units)
    logits = keras.layers.Dense(vocabulary_size, name="next_word")(states)  # (batch, time, vocabulary)
    return keras.Model(ids, logits)


def encode(tokenizer, texts, longest=None):
    """Texts as rows of the start, the words' ids and padding, int32 `(texts, longest)`; one word, one id."""
    ids = [[tokenizer.START, *tokenizer.encode(f" {text}")] for text in texts]
    rows = np.zeros((len(ids), longest or max(map(len, ids))), "int32")
    for row, own in zip(rows, ids, strict=True):
        row[: len(own)] = own
    return rows


def train_language_model(lesson, config):
    """The language model, trained on generated sentences, and its tokenizer."""
    import keras

    from keras_seq.data import toy
    from keras_seq.data.tokenizer import Tokenizer
    from keras_seq.training import MaskedCrossEntropy

    print("\nA task for a memory")
    keras.utils.set_random_seed(0)
    texts = [" ".join(words) for words in toy.agreement(config.sentences, seed=1, sentences=3)[0]]
    tokenizer = Tokenizer.train([f" {text}" for text in texts], kind="word")
    ids = encode(tokenizer, texts)
    model = language_model(config.language_units, len(tokenizer))
    model.compile(keras.optimizers.Adam(1e-2), MaskedCrossEntropy(), jit_compile=config.xla)
    dataset = toy.batches(ids[:, :-1], ids[:, 1:], BATCH)
    losses = model.fit(dataset, epochs=config.language_epochs, shuffle=False, verbose=0).history["loss"]
    print(f"  {texts[0]}")
    lesson.number("entries of the vocabulary", len(tokenizer))
    lesson.number("loss of the next word, first epoch", losses[0])
    lesson.number("loss of the next word, last epoch", losses[-1])
    return model, tokenizer


# %% [markdown]
# ## Reaching inside
# `keras.layers.LSTM` does not show its gates. `convert_recurrent_weights` takes its weights apart, one matrix a gate,
# and `lstm_step` runs them word by word. It is the same LSTM, so the states must be the same:


# %%
def gate_reader(model):
    """A function from ids `(batch, time)` to h, c and the gates after every word, by `lstm_step`, in float64."""
    from keras import ops

    from keras_seq.layers.recurrent import LSTMCell
    from keras_seq.layers.recurrent_steps import lstm_step
    from keras_seq.layers.recurrent_weights import convert_recurrent_weights

    vectors = model.get_layer("vectors").get_weights()[0].astype("float64")
    arrays = convert_recurrent_weights(model.get_layer("lstm").get_weights(), "lstm", "keras", "keras_seq")
    arrays = [array.astype("float64") for array in arrays]
    weights = {gate: arrays[3 * place : 3 * place + 3] for place, gate in enumerate(LSTMCell.gates)}

    def read(ids, change=None):
        h = c = np.zeros((len(ids), len(weights["forget"][2])))
        seen = []
        for step in range(ids.shape[1]):
            if change is not None:
                c = change(step, c)
            h, c, gates = lstm_step(vectors[ids[:, step]], h, c, weights)
            h, c = ops.convert_to_numpy(h), ops.convert_to_numpy(c)  # (batch, units)
            seen.append({"hidden": h, "cell": c, **{name: ops.convert_to_numpy(gate) for name, gate in gates.items()}})
        return {name: np.stack([now[name] for now in seen], axis=1) for name in seen[0]}  # (batch, time, units) each

    return read


def check_gates(lesson, model, tokenizer):
    """The gate reader, once its states are equal to Keras's."""
    import keras

    from keras_seq.data import toy

    print("\nReaching inside")
    read = gate_reader(model)
    ids = encode(tokenizer, [" ".join(words) for words in toy.agreement(30, seed=2, phrases=(2, 2))[0]])
    states = keras.Model(model.input, model.get_layer("lstm").output)(ids)
    difference = np.abs(read(ids)["hidden"] - keras.ops.convert_to_numpy(states)).max()
    lesson.claim("lstm_step gives what keras.layers.LSTM gives, to {difference:.0e}", difference < 1e-5,
                 difference=difference)  # fmt: skip
    return read


# %% [markdown]
# Does it agree? The model is asked, before each verb, whether the verbs of the plural together are likelier than those
# of the singular. The nouns in between are singular or plural by chance.


# %%
def before_the_verb(config, tokenizer, phrases, seed=3):
    """Ids of sentences up to their verb, `(sentences, time)`, and whether the first noun is plural."""
    from keras_seq.data import toy

    texts, plural = toy.agreement(config.test_sentences, seed=seed, phrases=(phrases, phrases))
    return encode(tokenizer, [" ".join(words[:-2]) for words in texts]), np.array(plural)[:, 0]


def says_plural(logits, tokenizer):
    """Whether the verbs of the plural are likelier than those of the singular: bool `(batch,)`."""
    from keras_seq.data import toy

    plural, singular = ([tokenizer.encode(f" {verb}{ending}")[0] for verb in toy.VERBS] for ending in ("", "s"))
    return np.logaddexp.reduce(logits[:, plural], axis=1) > np.logaddexp.reduce(logits[:, singular], axis=1)


def agree(lesson, config, model, tokenizer):
    """Share of the verbs that agree with the first noun, by the number of phrases in between."""
    import keras

    right = {}
    for phrases in range(5):
        ids, plural = before_the_verb(config, tokenizer, phrases)
        logits = keras.ops.convert_to_numpy(model(ids))[:, -1]  # (batch, vocabulary)
        right[phrases] = np.mean(says_plural(logits, tokenizer) == plural)
        lesson.number(f"verbs that agree, {phrases} phrases in between", right[phrases], ".2%")
    lesson.claim(
        "it agrees over two phrases ({two:.1%}), and over four, which it never saw ({four:.1%})",
        min(right[phrases] for phrases in range(3)) >= 0.98 and right[4] >= 0.95, two=right[2], four=right[4],
    )  # fmt: skip


# %% [markdown]
# ## The unit that remembers
# Where is that bit? For each unit: how well does its cell state, just before the verb, tell singular from plural? One
# knows best. `unit.png` shows its gates over three sentences, `gates.png` those of all units.
#
# Read `unit.png` by columns. The forget gate is as in a textbook: open (1.00) at every word of the sentence, and shut
# at the verb, where the number has been used. The rest is less tidy than a textbook's drawing. The input gate stays
# open in between, and what comes in cancels out: each *the* adds about what each preposition takes away. And a noun in
# between does not write its own number, but adds to the one that is there: the two correlations below tell. Nobody has
# told the network how to keep a number; this is one way.


# %%
def find_the_unit(lesson, config, read, tokenizer):
    """The unit whose cell state tells best, before the verb, whether the first noun was plural."""
    print("\nThe unit that remembers")
    known = []
    for phrases in (2, 3, 4):
        ids, plural = before_the_verb(config, tokenizer, phrases, seed=4)
        seen = read(ids)
        cells = seen["cell"][:, -1]  # (batch, units)
        known.append([abs(np.corrcoef(cells[:, unit], plural)[0, 1]) for unit in range(cells.shape[1])])
    known = np.min(known, axis=0)
    unit = int(np.argmax(known))
    forget = seen["forget"][:, 3:, unit]  # from the first phrase to the word before the verb
    lesson.number("the unit", unit)
    lesson.number("correlation of its cell state with singular or plural", known[unit])
    lesson.number("the same, the next best unit", np.sort(known)[-2])
    lesson.number("forget gate, mean over the words in between", forget.mean())
    lesson.number("what that leaves after twelve words in between", forget.prod(axis=1).mean())
    nouns = seen["candidate"][:, 5::3, unit]  # of the four nouns in between
    own = np.array([[tokenizer.vocabulary[token].endswith("s") for token in row] for row in ids[:, 5::3]])
    first = np.repeat(plural[:, None], own.shape[1], axis=1)
    for name, number in (("the first noun's", first), ("their own", own)):
        correlation = np.corrcoef(nouns.ravel(), number.ravel())[0, 1]
        lesson.number(f"candidate at the nouns in between, correlation with {name} number", correlation)
    lesson.claim(
        "unit {unit} keeps the number: correlation {correlation:.3f}, forget gate in between {forget:.3f}",
        known[unit] > 0.9 and forget.mean() > 0.9, unit=unit, correlation=known[unit], forget=forget.mean(),
    )  # fmt: skip
    return unit


def draw_the_unit(lesson, read, tokenizer, unit):
    """The gates of all units and of the one that remembers, over three sentences."""
    from keras_seq.plots.gates import gate_maps, unit_over_tokens

    text = "the king near the cats behind the girls sings . the boys near the cat wait . the queen runs ."
    seen = {name: values[0, 1:] for name, values in read(encode(tokenizer, [text])).items()}  # without the start
    words = text.split()
    for place in [index for index, word in enumerate(words) if word in ("sings", "wait", "runs")]:
        lesson.number(f"forget gate at {words[place]!r}", seen["forget"][place, unit])
    rows = {name: seen[key][:, unit] for name, key in (("input gate", "input"), ("candidate", "candidate"),
            ("forget gate", "forget"), ("cell state", "cell"), ("output gate", "output"))}  # fmt: skip
    title = f"Unit {unit}: it takes in the number, holds it to the verb, and lets it go"
    lesson.figure(unit_over_tokens(lesson.run / "unit.png", words, rows, title))
    panels = {name: seen[key] for name, key in (("input gate", "input"), ("forget gate", "forget"),
              ("output gate", "output"), ("cell state", "cell"))}  # fmt: skip
    title = f"All gates over three sentences (the arrow: unit {unit})"
    lesson.figure(gate_maps(lesson.run / "gates.png", words, panels, title, marked=unit))


# %% [markdown]
# A correlation is not yet a cause. So we reach in and change that one number: after the first phrase, the unit's cell
# state changes its sign. If the bit is there, the verb must change its mind. As a check, the same is done to each other
# unit.


# %%
def change_its_mind(lesson, config, model, read, tokenizer, unit):
    """Share of the verbs that change their number when one unit's cell state changes its sign."""
    print("\nReaching in")
    kernel, bias = model.get_layer("next_word").get_weights()
    ids, _ = before_the_verb(config, tokenizer, phrases=2)

    def verbs(flipped=None):
        def change(step, cells):
            if step == 6 and flipped is not None:  # after the start and "the king near the cats"
                cells = cells.copy()
                cells[:, flipped] *= -1
            return cells

        return says_plural(read(ids, change)["hidden"][:, -1] @ kernel + bias, tokenizer)

    changed = [np.mean(verbs(other) != verbs()) for other in range(config.language_units)]
    others = np.delete(changed, unit)
    lesson.claim(
        "with the sign of unit {unit} changed on the way, {own:.0%} of the verbs change their number; with any other "
        "unit's, {others:.0%} at most",
        changed[unit] > 0.5 and others.max() < 0.2, unit=unit, own=changed[unit], others=others.max(),
    )  # fmt: skip


# %% [markdown]
# ## Real sentences
# Snips (Coucke et al., 2018) are 14 000 commands to a voice assistant in seven intents. The LSTM guesses the intent
# after *each* word: when does it know? And what do the gates look like when nobody has arranged the sentences?


# %%
def snips_sentences(config):
    """Snips's sentences with the number of their intent, to train and to test; None where this machine has none."""
    folder = Path(os.environ.get("KERAS_SEQ_DATA", ""), "raw", "snips")
    if not os.environ.get("KERAS_SEQ_DATA") or not folder.is_dir():
        return None
    intents = sorted(path.name for path in folder.iterdir() if path.is_dir())
    train, test = (
        [(text, number) for number, intent in enumerate(intents) for text in snips_texts(folder / intent, name, intent)]
        for name in ("train_{}_full.json", "validate_{}.json")
    )
    np.random.default_rng(0).shuffle(train)
    return train[: config.snips], test, intents


def snips_texts(folder, name, intent):
    """The texts of one of Snips's files; some files are latin-1, and some emoji are halves that belong together."""
    content = (folder / name.format(intent)).read_bytes()
    try:
        content = content.decode("utf-8")
    except UnicodeDecodeError:
        content = content.decode("latin-1")
    for query in json.loads(content)[intent]:
        text = " ".join("".join(piece["text"] for piece in query["data"]).lower().split())
        yield text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def intent_model(units, vocabulary_size, intents):
    """Ids `(batch, time)` to the logits of the intent after every word."""
    import keras

    ids = keras.Input((None,), dtype="int32", name="ids")
    vectors = keras.layers.Embedding(vocabulary_size, 32, mask_zero=True, name="vectors")(ids)  # (batch, time, 32)
    states = keras.layers.LSTM(units, return_sequences=True, name="lstm")(vectors)  # (batch, time, units)
    return keras.Model(ids, keras.layers.Dense(intents, name="intent")(states))  # (batch, time, intents)


def read_real_sentences(lesson, config):
    """Trains on Snips and draws the gates over one of its test sentences."""
    import keras

    from keras_seq.data import toy
    from keras_seq.data.tokenizer import Tokenizer
    from keras_seq.plots.curves import curves
    from keras_seq.plots.gates import gate_maps
    from keras_seq.training import MaskedCrossEntropy

    print("\nReal sentences")
    found = snips_sentences(config)
    if found is None:
        print("  KERAS_SEQ_DATA names no folder with raw/snips: left out")
        return
    train, test, intents = found
    keras.utils.set_random_seed(0)
    longest = 24
    tokenizer = Tokenizer.train([f" {text}" for text, _ in train], kind="word")

    def arrays(part):
        part = [(text, intent) for text, intent in part if len(tokenizer.encode(f" {text}")) < longest]
        ids = encode(tokenizer, [text for text, _ in part], longest)
        labels = np.array([intent for _, intent in part])[:, None] + 1  # 0 is padding
        return ids, np.where(ids > 0, labels, 0)

    model = intent_model(config.snips_units, len(tokenizer), len(intents) + 1)
    model.compile(keras.optimizers.Adam(3e-3), MaskedCrossEntropy(), jit_compile=config.xla)
    model.fit(toy.batches(*arrays(train), BATCH), epochs=config.snips_epochs, shuffle=False, verbose=0)

    ids, labels = arrays(test)
    guesses = keras.ops.convert_to_numpy(model(ids)).argmax(axis=-1)  # (batch, time)
    lengths = np.count_nonzero(ids, axis=1)
    final = np.mean([row[length - 1] == label[0] for row, label, length in zip(guesses, labels, lengths, strict=True)])
    by_word = [np.mean((guesses[:, read] == labels[:, 0])[lengths > read]) for read in range(11)]
    for read in (0, 1, 2, 4, 10):
        lesson.number(f"intents known after {read} words", by_word[read], ".1%")
    lesson.claim("after the last word {final:.1%} of {count} test sentences are right", final > 0.95, final=final,
                 count=len(ids))  # fmt: skip
    series = {"intents": (np.arange(11), by_word)}
    title = "Snips: how soon the LSTM knows what is wanted"
    lesson.figure(curves(lesson.run / "by_word.png", series, "words read", "right", title, percent=True))

    # Of the test sentences of middling length: the one at which it changes its mind most often.
    wavering = np.sum((guesses[:, 2:] != guesses[:, 1:-1]) & (ids[:, 2:] > 0), axis=1)
    wavering[(lengths < 9) | (lengths > 12) | (ids == tokenizer.UNKNOWN).any(axis=1)] = -1
    row = ids[[np.argmax(wavering)]]
    row = row[:, : np.count_nonzero(row)]
    seen = {name: values[0, 1:] for name, values in gate_reader(model)(row).items()}
    words = [tokenizer.vocabulary[token].strip() for token in row[0, 1:]]
    guesses = keras.ops.convert_to_numpy(model(row))[0, 1:].argmax(axis=-1)
    for word, guess in zip(words, guesses, strict=True):
        print(f"  {word:14} {intents[max(0, guess - 1)]}")
    panels = {name: seen[key] for name, key in (("input gate", "input"), ("forget gate", "forget"),
              ("output gate", "output"), ("cell state", "cell"))}  # fmt: skip
    title = "The gates over a sentence of Snips"
    lesson.figure(gate_maps(lesson.run / "gates_snips.png", words, panels, title))


# %% [markdown]
# ## One GRU, four conventions
# Two questions are answered in two ways each. Is the reset gate applied before the product with $U_g$, as Cho et al.
# (2014) write it, or after it, as cuDNN, PyTorch and Keras do, since then one product serves all gates? And is $z$ the
# share of the *old* state (Keras, PyTorch, Cho et al.) or of the *new* (Chung et al., 2014)?
#
# The second makes no difference but in name: $1 - \sigma(a) = \sigma(-a)$, so with the update gate's weights negated
# the outputs are equal. The first does: $(r \odot h) U$ is not $r \odot (h U)$.


# %%
def compare_conventions(lesson):
    """The four conventions with the same weights, and z against 1 - z with the update gate negated."""
    import keras

    from keras_seq.layers.recurrent import GRUCell

    print("\nOne GRU, four conventions")
    x = np.random.default_rng(0).normal(size=(5, 13, 3))

    def layer(**convention):
        cell = GRUCell(7, dtype="float64", bias_initializer=keras.initializers.RandomNormal(seed=2), **convention)
        made = keras.layers.RNN(cell, dtype="float64")
        made.build((None, None, 3))
        return made

    def outputs(weights, **convention):
        made = layer(**convention)
        for weight in made.weights:
            weight.assign(weights[weight.name])
        return keras.ops.convert_to_numpy(made(x))

    keras.utils.set_random_seed(0)
    weights = {weight.name: keras.ops.convert_to_numpy(weight) for weight in layer().weights}
    negated = {name: -value if name.startswith("update_") else value for name, value in weights.items()}
    ours = outputs(weights)
    for after in (True, False):
        for keeps in (True, False):
            difference = np.abs(outputs(weights, reset_after=after, update_keeps_state=keeps) - ours).max()
            name = f"reset {'after' if after else 'before'} the product, z keeps the {'old' if keeps else 'new'}"
            lesson.number(f"{name}: differs from Keras's by", difference)
    for after in (True, False):
        kept = outputs(weights, reset_after=after)
        other = outputs(negated, reset_after=after, update_keeps_state=False)
        difference = np.abs(kept - other).max()
        lesson.claim(
            "reset {when}: with the update gate's weights negated z and 1 - z agree, to {difference:.0e}",
            difference < 1e-12, when="after" if after else "before", difference=difference,
        )  # fmt: skip
    reset = np.abs(outputs(weights, reset_after=False) - ours).max()
    lesson.claim("reset before and after are two models: {reset:.2g} apart", reset > 1e-4, reset=reset)


# %% [markdown]
# ## What they cost
# With $f$ features and $u$ units, one gate or candidate has a matrix $f \times u$, a matrix $u \times u$ and a bias:
# $u(f + u + 1)$ numbers. A simple RNN has one of these, an LSTM four, a GRU three; with the reset after the product
# (Keras's default) each of the three has a second bias in Keras: $3u(f + u + 2)$. Both directions: twice that. Time is
# another matter: one large product is done nearly as fast as a small one, and no step can begin before the one before
# it has ended.


# %%
def predicted_parameters(features, units):
    """Number of parameters of each layer, by the formulas above."""
    own = units * (features + units + 1)
    one_way = {"simple RNN": own, "GRU": 3 * (own + units), "LSTM": 4 * own}
    return one_way | {f"bidirectional {name}": 2 * count for name, count in one_way.items()}


def recurrent_models(config):
    """A model of each of the six layers with as many features as units."""
    import keras

    kinds = {"simple RNN": keras.layers.SimpleRNN, "GRU": keras.layers.GRU, "LSTM": keras.layers.LSTM}
    models = {}
    for both_ways in (False, True):
        for name, kind in kinds.items():
            inputs = keras.Input((config.timed_steps, config.timed_units))
            layer = kind(config.timed_units)
            layer = keras.layers.Bidirectional(layer) if both_ways else layer
            model = keras.Model(inputs, keras.layers.Dense(1, name="readout")(layer(inputs)))
            model.compile("sgd", "mse", jit_compile=config.xla)
            models[f"bidirectional {name}" if both_ways else name] = model
    return models


def median_milliseconds(functions, repeats):
    """Median time of each function, measured in turns, so that a slow moment of the machine hits all alike."""
    times = {name: [] for name in functions}
    for _ in range(repeats + 1):
        for name, function in functions.items():
            begin = time.perf_counter()
            function()
            times[name].append(1000 * (time.perf_counter() - begin))
    return {name: float(np.median(values[1:])) for name, values in times.items()}  # the first compiles


def count_and_time(lesson, config):
    """Parameters, predicted and counted, and the time of a forward pass and of a training step."""
    from keras_seq.plots.bars import bars

    print("\nWhat they cost")
    models = recurrent_models(config)
    counted = {name: model.layers[1].count_params() for name, model in models.items()}
    predicted = predicted_parameters(config.timed_units, config.timed_units)
    random = np.random.default_rng(0)
    x = random.normal(size=(config.timed_batch, config.timed_steps, config.timed_units)).astype("float32")
    y = x[:, 0, :1]
    forward = {name: lambda model=model: model.predict_on_batch(x) for name, model in models.items()}
    training = {name: lambda model=model: model.train_on_batch(x, y) for name, model in models.items()}
    forward, training = (median_milliseconds(functions, config.repeats) for functions in (forward, training))
    rows = [
        {"layer": name, "predicted": predicted[name], "parameters": counted[name],
         "forward_ms": round(forward[name], 2), "training_ms": round(training[name], 2),
         "training_ratio": round(training[name] / training["simple RNN"], 2)} for name in models
    ]  # fmt: skip
    print(f"  {'':26} {'predicted':>10} {'parameters':>10} {'forward':>10} {'training':>10}   to simple RNN's")
    for row in rows:
        print(f"  {row['layer']:26} {row['predicted']:10,} {row['parameters']:10,} {row['forward_ms']:7.1f} ms "
              f"{row['training_ms']:7.1f} ms {row['training_ratio']:8.1f}")  # fmt: skip
    lesson.claim("all {count} parameter counts are as predicted", predicted == counted, count=len(counted))
    lesson.claim(
        "the LSTM has {more:.1f} times the simple RNN's parameters and its training step takes {time:.1f} times as "
        "long; the GRU {gru_more:.1f} and {gru_time:.1f}",
        training["LSTM"] > training["simple RNN"] and training["GRU"] > training["simple RNN"],
        more=counted["LSTM"] / counted["simple RNN"], time=training["LSTM"] / training["simple RNN"],
        gru_more=counted["GRU"] / counted["simple RNN"], gru_time=training["GRU"] / training["simple RNN"],
    )  # fmt: skip
    double = [training[f"bidirectional {name}"] / training[name] for name in ("simple RNN", "GRU", "LSTM")]
    lesson.claim(
        "two directions take {least:.1f} to {most:.1f} times as long as one",
        min(double) > 1.2 and max(double) < 3.5, least=min(double), most=max(double),
    )  # fmt: skip
    measures = {"parameters": [counted[name] for name in models],
                "forward, ms": [forward[name] for name in models],
                "training step, ms": [training[name] for name in models]}  # fmt: skip
    title = f"{config.timed_steps} steps, {config.timed_units} units, batch {config.timed_batch}, XLA, this machine"
    both = [name for name in models if name.startswith("bidirectional")]
    lesson.figure(bars(lesson.run / "costs.png", list(models), measures, title, lighter=both))
    return rows


# %% [markdown]
# ## How long they remember
# Digits come by; near the beginning one of them has a star before it. Which one was it? At a length of 100 the answer
# has to wait for 90 steps and more, and unlike in the adding problem (lesson 04) there are no easy examples among the
# difficult ones: a network that loses the gradient over 90 steps gets no help.
#
# Lesson 04 says what to expect: LSTM and GRU can keep, but start with gates that do not. So there are two more, which
# start with gates of many *time constants* (Tallec and Ollivier, 2018): an entry of the forget bias is $\log u$ with
# $u$ drawn evenly from $[1, T - 1]$, so that $\sigma(\log u)^u \approx 1/e$: that unit forgets over $u$ steps.


# %%
def spread_time_constants(layer, length, seed=5):
    """Starts a built LSTM's or GRU's gates with time constants from 1 to `length` steps."""
    weights, units = layer.get_weights(), layer.units
    keep = np.log(np.random.default_rng(seed).uniform(1, length - 1, size=units))
    bias = weights[2]
    if len(weights[1][0]) == 4 * units:  # the biases of input, forget, candidate, output gate, side by side
        bias[:units], bias[units : 2 * units] = -keep, keep
    else:  # the two biases of update, reset, candidate
        bias[0, :units] = keep
    layer.set_weights(weights)


def memory_model(kind, config, length, spread):
    """Ids `(batch, time)` to ten probabilities, by the last state."""
    import keras

    from keras_seq.data import toy

    ids = keras.Input((length,), dtype="int32")
    layer = getattr(keras.layers, kind)(config.memory_units)
    last = layer(keras.layers.Embedding(toy.STAR + 1, 16)(ids))  # (batch, units)
    if spread:
        spread_time_constants(layer, length)
    return keras.Model(ids, keras.layers.Dense(10, activation="softmax")(last))


def long_memory(lesson, config):
    """Trains five networks on the memory task at each length; returns the accuracies."""
    import keras

    from keras_seq.data import toy
    from keras_seq.plots.curves import curves

    kinds = {"simple RNN": ("SimpleRNN", False), "GRU": ("GRU", False), "LSTM": ("LSTM", False),
             "GRU, spread": ("GRU", True), "LSTM, spread": ("LSTM", True)}  # fmt: skip
    final = {}
    for length in config.lengths:
        print(f"\nHow long they remember: {length} steps")
        data = toy.after_the_star(config.memory_examples, length, seed=1, within=10)
        held_out = toy.after_the_star(1000, length, seed=2, within=10)
        dataset = toy.batches(*data, BATCH).repeat()
        series = {}
        for name, (kind, spread) in kinds.items():
            keras.utils.set_random_seed(0)
            model = memory_model(kind, config, length, spread)
            model.compile(keras.optimizers.Adam(3e-3, global_clipnorm=1.0), "sparse_categorical_crossentropy",
                          metrics=["accuracy"], jit_compile=config.xla)  # fmt: skip
            accuracy = model.fit(
                dataset, epochs=config.memory_epochs, steps_per_epoch=config.memory_epoch_steps,
                validation_data=held_out, validation_batch_size=500, shuffle=False, verbose=0,
            ).history["val_accuracy"]  # fmt: skip
            steps = config.memory_epoch_steps * np.arange(1, config.memory_epochs + 1)
            series[name], final[f"{name}, {length} steps"] = (steps, accuracy), accuracy[-1]
            lesson.number(f"right: {name}, {length} steps", accuracy[-1], ".1%")
        title = f"A digit kept for {length} steps: what starts with open gates learns"
        path = lesson.run / f"memory_{length}.png"
        lesson.figure(curves(path, series, "training steps", "right", title, percent=True))
    longest = max(config.lengths)
    plain, spread = ([final[f"{kind}{ending}, {longest} steps"] for kind in ("LSTM", "GRU")]
                     for ending in ("", ", spread"))  # fmt: skip
    lesson.claim(
        "over {length} steps LSTM and GRU as they come do no better than chance ({plain:.0%}), with spread time "
        "constants they know nearly all ({spread:.0%})",
        max(plain) < 0.3 and min(spread) > 0.9, length=longest, plain=max(plain), spread=min(spread),
    )  # fmt: skip
    return final


# %% [markdown]
# ## What it says, and an exercise
# - Gates are not a metaphor. In a trained LSTM one can find the unit that holds a fact, see its forget gate stay open
#   until the fact is used, and change the sentence by changing that one number.
# - The two readings of a GRU's $z$ are one model, reset before and after are two. Weights from elsewhere must come with
#   their convention.
# - An LSTM has four times the parameters of a simple RNN; what it takes in time is another number, measured above.
# - "LSTMs remember" is half the truth. They *can*; whether they learn to depends on where the gates start.
#
# **Exercise.** Train the language model with `language_units=8`. Does it still agree over four phrases? Is there still
# one unit that knows? Then do the same with a GRU and `gru_step`: which gate does what the forget gate did?

# %%
if __name__ == "__main__":
    main()
