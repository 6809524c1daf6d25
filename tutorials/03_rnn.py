# %% [markdown]
# # 03 Recurrent networks
#
# **Question.** A sentence has no fixed length, and the same word means the same wherever it stands. What network reads
# such a thing? And in how many ways can what it reads and what it writes be laid out in time?
#
#     python tutorials/03_rnn.py                            about three minutes on two cores

# %%
import dataclasses
from types import SimpleNamespace

import numpy as np
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Task:
    """How one of the small models is made and trained."""

    units: int
    learning_rate: float
    epochs: int
    batch_size: int


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson."""

    steps: int = 100  # of the experiment with tanh
    examples: int = 5000  # of the three tasks with generated ids
    parity: Task = Task(units=32, learning_rate=5e-3, epochs=25, batch_size=50)
    parity_seeds: int = 3
    majority: Task = Task(units=32, learning_rate=3e-3, epochs=15, batch_size=50)
    star: Task = Task(units=64, learning_rate=3e-3, epochs=30, batch_size=50)
    words: Task = Task(units=256, learning_rate=1e-3, epochs=60, batch_size=32)
    roman: Task = Task(units=256, learning_rate=1e-3, epochs=40, batch_size=32)
    largest: int = 3999  # Roman numeral
    held_out: float = 0.2  # share of the numbers that training does not see
    xla: bool = True
    seed: int = 0


_TINY = Task(units=8, learning_rate=1e-2, epochs=1, batch_size=50)
SMOKE = {"steps": 10, "examples": 50, "parity_seeds": 1, "largest": 99, "xla": False} | dict.fromkeys(
    ("parity", "majority", "star", "words", "roman"), _TINY
)


def main(argv=None):
    """Runs the cell by hand, looks at tanh, and trains the four topologies."""
    lesson = Lesson(__file__, "The recurrent cell, what tanh does, and the four topologies.", argv)
    config = dataclasses.replace(Config(), **SMOKE) if lesson.smoke else Config()
    run_by_hand(lesson)
    without_tanh(lesson, config)
    draw_topologies(lesson)
    histories = {
        "N-N": tag_every_bit(lesson, config),
        "N-1, sigmoid": decide(lesson, config),
        "N-1, softmax": choose(lesson, config),
        "1-N": write_words(lesson, config),
        "N-M": read_roman(lesson, config),
    }
    draw_learning(lesson, histories)
    lesson.finish()


# %% [markdown]
# ## One cell, used again at every step
# A dense layer maps a vector to a vector. A recurrent layer does so once a step, and mixes in what it made the step
# before, its *hidden state* $h$:
#
# $$h_t = \tanh(x_t W + h_{t-1} U + b), \qquad h_0 = 0$$
#
# $W$, $U$ and $b$ are the same at every step (Elman, 1990). So a sequence may have any length, and what is learned at
# one place is known at all places. `unrolled.png` shows the loop, and the same thing laid out in time.
#
# `by_hand` below is the whole layer. With the weights of a `keras.layers.SimpleRNN` it must give what Keras gives, and
# so must the cell of this library, whose equation is `simple_rnn_step` in `keras_seq/layers/recurrent_steps.py`.


# %%
def by_hand(x, w, u, b):
    """The states of one sequence `(time, features)`: `(time, units)`."""
    h, states = np.zeros(len(u)), []
    for x_t in x:
        h = np.tanh(x_t @ w + h @ u + b)  # (units,)
        states.append(h)
    return np.stack(states)


def run_by_hand(lesson):
    """Four steps with two units: by hand, by Keras's layer and by this library's cell."""
    import keras

    from keras_seq.layers.recurrent import SimpleRNNCell
    from keras_seq.plots.topology import unrolled

    print("\nOne cell, used again at every step")
    lesson.figure(unrolled(lesson.run / "unrolled.png", title="A loop in the network is a chain in time"))
    x = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])  # (time, features)
    w = np.array([[1.0, 0], [0, 1], [-1, 1]])  # (features, units)
    u = np.array([[0.5, 0.5], [-0.5, 0.5]])  # (units, units)
    b = np.array([0.0, 0.1])
    states = by_hand(x, w, u, b)
    for step, (x_t, h_t) in enumerate(zip(x, states, strict=True), start=1):
        print(f"  step {step}   x {x_t.astype(int).tolist()}   h {np.round(h_t, 4).tolist()}")

    layers = {
        "keras.layers.SimpleRNN": keras.layers.SimpleRNN(2, return_sequences=True, dtype="float64"),
        "keras.layers.RNN(SimpleRNNCell)": keras.layers.RNN(
            SimpleRNNCell(2, dtype="float64"), return_sequences=True, dtype="float64"
        ),
    }
    for name, layer in layers.items():
        layer.build((None, None, 3))
        layer.set_weights([w, u, b])
        difference = np.abs(keras.ops.convert_to_numpy(layer(x[None]))[0] - states).max()
        lesson.claim("{name} differs from by_hand by {difference:.0e} at most", difference < 1e-12, name=name,
                     difference=difference)  # fmt: skip


# %% [markdown]
# Look at the last step. Its input is zero, and yet $h_4$ is not: the layer remembers. What it remembers is bent and
# turned a little further at every step, which is the subject of lesson 04.
#
# ## What tanh does
# The state goes through $U$ again and again. Without tanh, after $t$ steps $h_0$ has been multiplied by $U^t$: like the
# powers of a number, that dies out or grows without end. Each entry of $U$ is drawn with the deviation
# $g / \sqrt{\text{units}}$, so that the linear layer neither grows nor shrinks at a gain of $g = 1$. A relu cuts off
# half of the units on the average, so it should hold up to $g = \sqrt 2$, and explode too. tanh stays in $(-1, 1)$, so
# the state's length can never exceed $\sqrt{\text{units}}$.


# %%
def state_after(steps, gain, activation, units=64, seed=0):
    """The length of the state after some steps without input, from a random state of length 1."""
    from keras import ops

    from keras_seq.layers.recurrent_steps import simple_rnn_step

    random = np.random.default_rng(seed)
    h = random.normal(size=(1, units))
    h /= np.linalg.norm(h)
    u = gain * random.normal(size=(units, units)) / np.sqrt(units)
    x, w = np.zeros((1, 1)), np.zeros((1, units))
    for _ in range(steps):
        h = ops.convert_to_numpy(simple_rnn_step(x, h, {"state": (w, u, 0.0)}, activation))
    return float(np.linalg.norm(h))


def without_tanh(lesson, config):
    """The state's length by the gain of U, with tanh, with relu and with nothing."""
    from keras import ops

    from keras_seq.plots.curves import curves

    print("\nWhat tanh does")
    gains = np.linspace(0.8, 2.4, 17)
    activations = {"nothing": lambda h: h, "relu": ops.relu, "tanh": ops.tanh}
    lengths = {
        name: [np.median([state_after(config.steps, gain, activation, seed=seed) for seed in range(5)])
               for gain in gains]
        for name, activation in activations.items()
    }  # fmt: skip
    for name, values in lengths.items():
        for gain in (0.8, 1.2, 2.0):
            lesson.number(f"length of the state, {name}, gain {gain}", values[int(np.argmin(np.abs(gains - gain)))])
    linear, relu, tanh = (np.array(lengths[name]) for name in activations)
    lesson.claim(
        "at a gain of 2 the state grows to {linear:.0e} with nothing and to {relu:.0e} with relu; with tanh it has "
        "{tanh:.1f}, and never more than 8, at any gain",
        linear[12] > 1e20 and relu[12] > 1e6 and tanh.max() < 8, linear=linear[12], relu=relu[12], tanh=tanh[12],
    )  # fmt: skip
    lesson.claim(
        "the linear state grows from a gain of {linear:.1f} on, relu from {relu:.1f} on",
        0.9 < gains[linear > 1][0] < 1.2 and 1.3 < gains[relu > 1][0] < 1.7,
        linear=gains[linear > 1][0], relu=gains[relu > 1][0],
    )  # fmt: skip
    series = {name: (gains, values) for name, values in lengths.items()}
    title = f"The state's length after {config.steps} steps: only tanh bounds it"
    lesson.figure(curves(lesson.run / "tanh.png", series, "gain of U", "length of the state", title, log="y"))


# %% [markdown]
# tanh holds the state, whatever the weights are. It has a price: where it holds, it is flat, and nothing can be learned
# through what is flat (lesson 04). With a small gain all three forget.
#
# ## Four topologies
# The cell makes one state a step. Which steps are given an input, and which of the states are read, is up to us:
#
# | | reads | writes | here |
# |---|---|---|---|
# | N-N | at every step | at every step | is the number of ones so far odd? |
# | N-1 | at every step | after the last | more ones than zeros? which digit came after the star? |
# | 1-N | one thing, given at every step | at every step | 342: three hundred forty-two |
# | N-M | at every step | afterwards, reading what it wrote | MCMXCIV: 1994 |
#
# `topologies.png` draws them with one example each.


# %%
def draw_topologies(lesson):
    """The four diagrams."""
    from keras_seq.plots.topology import Topology, topologies

    diagrams = [
        Topology("N-N", "is the number of ones so far odd?", tuple("1101001"),
                 ("odd", "even", "even", "odd", "odd", "odd", "even")),
        Topology("N-1", "are there more ones than zeros?", tuple("1101001"), (None,) * 6 + ("yes",)),
        Topology("1-N", "a number, and its name", ("7",), (*"seven", "end")),
        Topology("N-M", "a Roman numeral, and what it is", (*"XIV", "start", *"14"), (None,) * 3 + (*"14", "end"), 3),
    ]  # fmt: skip
    title = "What goes in (below) and what comes out (above), step by step"
    lesson.figure(topologies(lesson.run / "topologies.png", diagrams, title))


# %% [markdown]
# Every one of them is a functional Keras model of three or four layers. The difference lies in `return_sequences` (all
# states, or the last one), in what is repeated, and in what is fed back. They are trained alike, by `train`: Adam, a
# learning rate that falls along half a cosine, and gradients clipped to length 1 (why, says lesson 04).


# %%
def train(model, task, config, dataset, validation, loss, metric):
    """Compiles and fits a model; returns the metric on what was held out, one value an epoch."""
    import keras

    from keras_seq.training import WarmupCosine

    steps = task.epochs * int(dataset.cardinality())
    optimizer = keras.optimizers.Adam(WarmupCosine(task.learning_rate, steps + 1), global_clipnorm=1.0)
    model.compile(optimizer, loss, metrics=[metric], jit_compile=config.xla)
    history = model.fit(dataset, epochs=task.epochs, validation_data=validation, shuffle=False, verbose=0).history
    return next(values for name, values in history.items() if name not in ("loss", "val_loss") and "val_" in name)


def print_shapes(model):
    """Name and output shape of every layer, in the order of the graph."""
    print("  " + " -> ".join(f"{layer.name} {tuple(layer.output.shape)}" for layer in model.layers))


def outputs(model, inputs):
    """What the model writes for a few inputs, as a numpy array."""
    import keras

    return keras.ops.convert_to_numpy(model(inputs))


# %% [markdown]
# ### N-N: an answer at every step
# Running parity: is the number of ones so far odd? No window of the last few bits answers that; the state has to carry
# one bit and flip it at every one. All states are read, each by the same little dense layer. Not every start finds that
# flip in its pure form: some find a rule that is good for 20 bits only. Three seeds show both.


# %%
def tagger(units):
    """N-N: `(batch, time, 1)` to a probability at every step."""
    import keras

    bits = keras.Input((None, 1), name="bits")
    states = keras.layers.SimpleRNN(units, return_sequences=True, name="states")(bits)  # (batch, time, units)
    odd = keras.layers.Dense(1, activation="sigmoid", name="odd")(states)  # (batch, time, 1)
    return keras.Model(bits, odd)


def tag_every_bit(lesson, config):
    """Trains N-N on sequences of 20 bits from three seeds, and tries each on longer ones."""
    import keras

    from keras_seq.data import toy

    print("\nN-N: is the number of ones so far odd?")
    task, histories, of_long = config.parity, [], []
    dataset = toy.batches(*toy.running_parity(config.examples, length=20, seed=1), task.batch_size)
    held_out = toy.batches(*toy.running_parity(1000, length=20, seed=2), 1000)
    long_bits, long_odd = toy.running_parity(100, length=400, seed=3)
    for seed in range(config.parity_seeds):
        keras.utils.set_random_seed(seed)
        model = tagger(task.units)
        histories.append(train(model, task, config, dataset, held_out, "binary_crossentropy", "accuracy"))
        of_long.append(np.mean((outputs(model, long_bits) > 0.5) == long_odd))
        lesson.number(f"right on 20 bits, seed {seed}", histories[-1][-1], ".2%")
        lesson.number(f"right on 400 bits, seed {seed}", of_long[-1], ".2%")
    print_shapes(model)
    bits, odd = toy.running_parity(1, length=16, seed=4)
    written = outputs(model, bits)[0, :, 0] > 0.5
    print(f"  bits     {digits(bits)}\n  written  {digits(written)}\n  right    {digits(odd)}")
    accuracy = np.median([history[-1] for history in histories])
    lesson.claim("N-N: {accuracy:.2%} of the answers are right", accuracy >= 0.99, accuracy=accuracy)
    lesson.claim(
        "the same weights at every step: on 400 bits, twenty times as long, {best:.2%} are right at the best seed",
        max(of_long) >= 0.99, best=max(of_long),
    )  # fmt: skip
    return histories[int(np.argmax(of_long))]


def digits(values):
    """Bits as text."""
    return "".join(str(int(value)) for value in np.ravel(values))


# %% [markdown]
# ### N-1: one answer at the end
# The last state is a summary of all that was read. A **sigmoid** on it answers yes or no: are there more ones than
# zeros? A **softmax** chooses among many: which of ten digits came right after the star? The first has to count, the
# second to keep one thing and let the rest go by.


# %%
def decider(units):
    """N-1 with a sigmoid: `(batch, time, 1)` to one probability."""
    import keras

    bits = keras.Input((None, 1), name="bits")
    last = keras.layers.SimpleRNN(units, name="last_state")(bits)  # (batch, units)
    more = keras.layers.Dense(1, activation="sigmoid", name="more_ones")(last)  # (batch, 1)
    return keras.Model(bits, more)


def decide(lesson, config):
    """Trains N-1 with a sigmoid on the last state."""
    import keras

    from keras_seq.data import toy

    print("\nN-1, sigmoid: are there more ones than zeros?")
    keras.utils.set_random_seed(config.seed)
    task = config.majority
    dataset = toy.batches(*toy.majority(config.examples, length=21, seed=1), task.batch_size)
    held_out = toy.batches(*toy.majority(1000, length=21, seed=2), 1000)
    model = decider(task.units)
    print_shapes(model)
    accuracy = train(model, task, config, dataset, held_out, "binary_crossentropy", "accuracy")
    lesson.claim("N-1, sigmoid: {accuracy:.2%} of the answers are right", accuracy[-1] >= 0.98, accuracy=accuracy[-1])
    return accuracy


def chooser(units):
    """N-1 with a softmax: ids `(batch, time)` to the probabilities of ten digits."""
    import keras

    from keras_seq.data import toy

    ids = keras.Input((None,), dtype="int32", name="ids")
    vectors = keras.layers.Embedding(toy.STAR + 1, 16, name="vectors")(ids)  # (batch, time, features)
    last = keras.layers.SimpleRNN(units, name="last_state")(vectors)  # (batch, units)
    digit = keras.layers.Dense(10, activation="softmax", name="digit")(last)  # (batch, 10)
    return keras.Model(ids, digit)


def choose(lesson, config):
    """Trains N-1 with a softmax on the last state."""
    import keras

    from keras_seq.data import toy

    print("\nN-1, softmax: which digit came after the star?")
    keras.utils.set_random_seed(config.seed)
    task = config.star
    dataset = toy.batches(*toy.after_the_star(2 * config.examples, length=12, seed=1), task.batch_size)
    held_out = toy.batches(*toy.after_the_star(1000, length=12, seed=2), 1000)
    model = chooser(task.units)
    print_shapes(model)
    accuracy = train(model, task, config, dataset, held_out, "sparse_categorical_crossentropy", "accuracy")
    ids, _ = toy.after_the_star(1, length=12, seed=3)
    text = "".join("*" if token == toy.STAR else str(token) for token in ids[0])
    print(f"  read {text}, written {outputs(model, ids)[0].argmax()}")
    lesson.claim("N-1, softmax: {accuracy:.2%} of the answers are right", accuracy[-1] >= 0.98, accuracy=accuracy[-1])
    return accuracy


# %% [markdown]
# ### 1-N: one thing in, many out
# A number goes in, its name comes out, letter by letter. The number is given at every step (`RepeatVector`), so the
# state need not hold it: it only has to know how far the word has come. What is written is *not* fed back here. It need
# not be, since a number has only one name; verses, in lesson 08, are another matter.
#
# A fifth of the numbers from 100 on is held out. If 342 is among them, the network has never seen it, but it has seen
# "three hundred" in 371, and "forty-two" in 842.


# %%
def writer(units, steps, vocabulary_size):
    """1-N: three one-hot digits to the logits of a letter at every step."""
    import keras

    number = keras.Input((30,), name="number")
    repeated = keras.layers.RepeatVector(steps, name="at_every_step")(number)  # (batch, steps, 30)
    states = keras.layers.SimpleRNN(units, return_sequences=True, name="states")(repeated)  # (batch, steps, units)
    letters = keras.layers.Dense(vocabulary_size, name="letters")(states)  # (batch, steps, vocabulary)
    return keras.Model(number, letters)


def one_hot_digits(numbers):
    """Hundreds, tens and ones, each as ten zeros and ones: `(numbers, 30)`."""
    figures = np.stack([numbers // 100, numbers // 10 % 10, numbers % 10], axis=1)  # (numbers, 3)
    return np.eye(10, dtype="float32")[figures].reshape(-1, 30)


def words_as_ids(numbers):
    """The letters of every number's name, the end, and padding: int32 `(numbers, steps)`; and the tokenizer."""
    from keras_seq.data import toy
    from keras_seq.data.tokenizer import Tokenizer

    names = [toy.number_words(int(number)) for number in numbers]
    tokenizer = Tokenizer.train(names)
    ids = [[*tokenizer.encode(name), Tokenizer.END] for name in names]
    labels = np.zeros((len(ids), max(map(len, ids))), "int32")
    for row, own in zip(labels, ids, strict=True):
        row[: len(own)] = own
    return labels, tokenizer


def split(numbers, config):
    """Which of the numbers are held out: bool, one a number."""
    random = np.random.default_rng(config.seed)
    held_out = np.zeros(len(numbers), bool)
    held_out[random.permutation(len(numbers))[: round(config.held_out * len(numbers))]] = True
    return held_out


def write_words(lesson, config):
    """Trains 1-N on four fifths of the numbers below 1000 and spells the others."""
    import keras

    from keras_seq.data import toy
    from keras_seq.training import ExactMatch, MaskedCrossEntropy

    print("\n1-N: a number's name")
    keras.utils.set_random_seed(config.seed)
    numbers, task = np.arange(1000), config.words
    inputs, (labels, tokenizer) = one_hot_digits(numbers), words_as_ids(numbers)
    unseen = split(numbers, config)
    unseen[:100] = False  # a name without "hundred" comes only once: it can be learned, not worked out
    model = writer(task.units, labels.shape[1], len(tokenizer))
    print_shapes(model)
    dataset = toy.batches(inputs[~unseen], labels[~unseen], task.batch_size)
    held_out = toy.batches(inputs[unseen], labels[unseen], int(unseen.sum()))
    exact = train(model, task, config, dataset, held_out, MaskedCrossEntropy(), ExactMatch())
    for number in numbers[unseen][:: int(unseen.sum()) // 4][:4]:
        written = outputs(model, inputs[number : number + 1])[0].argmax(axis=-1)
        print(f"  read {number}, written {tokenizer.decode(written)!r}")
    lesson.claim(
        "1-N: {exact:.1%} of {count} numbers that were held out are spelled without a mistake",
        exact[-1] >= 0.95, exact=exact[-1], count=int(unseen.sum()),
    )  # fmt: skip
    return exact


# %% [markdown]
# ### N-M: first read, then write
# A Roman numeral and its digits differ in length, and they do not go side by side: C adds a hundred in MC and takes one
# away in MCM. So one network, the *encoder*, reads everything and hands its last state to another, the *decoder*, which
# writes, and at every step reads what it wrote the step before (Cho et al., 2014; Sutskever, Vinyals and Le, 2014).
#
# In training the decoder is given the right digits to read, all at once: *teacher forcing*. Left to itself it has only
# its own. So `roman_reader` returns two things made of the same layers: the model that `fit` trains, and `encode` and
# `step`, by which `keras_seq.decoding.greedy` writes one token after another.
#
# A fifth is held out again. Look at what goes wrong: mostly numerals of one to three signs. They are the shortest, and
# for that the hardest: there are few of them to learn from.


# %%
def roman_reader(units, source_size, target_size):
    """N-M: the teacher-forced model, and the generator that is made of the same layers."""
    import keras

    signs = keras.layers.Embedding(source_size, 16, mask_zero=True, name="signs")
    encoder = keras.layers.SimpleRNN(units, name="encoder_last_state")
    figures = keras.layers.Embedding(target_size, 16, name="figures")
    decoder = keras.layers.SimpleRNN(units, return_sequences=True, name="decoder_states")
    readout = keras.layers.Dense(target_size, name="logits")

    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    summary = encoder(signs(source))  # (batch, units)
    states = decoder(figures(target), initial_state=summary)  # (batch, target, units)
    model = keras.Model({"source": source, "target": target}, readout(states))  # (batch, target, vocabulary)

    def encode(source_ids, source_length):
        return {}, {"hidden": encoder(signs(source_ids))}

    def step(token, state, memory):
        hidden, _ = decoder.cell(figures(token), [state["hidden"]])  # (batch, units)
        return readout(hidden), {"hidden": hidden}

    return model, SimpleNamespace(encode=encode, step=step)


def read_roman(lesson, config):
    """Trains N-M on four fifths of the Roman numerals and lets it read the others by itself."""
    import keras

    from keras_seq.data import toy
    from keras_seq.data.batching import PairBatches
    from keras_seq.data.tokenizer import Tokenizer
    from keras_seq.decoding import greedy
    from keras_seq.training import ExactMatch, MaskedCrossEntropy

    print("\nN-M: what is MCMXCIV?")
    keras.utils.set_random_seed(config.seed)
    numbers, task = np.arange(1, config.largest + 1), config.roman
    texts = [toy.roman(int(number)) for number in numbers], [str(number) for number in numbers]
    source, target = (Tokenizer.train(side) for side in texts)
    pairs = list(zip(source.encode_batch(texts[0]), target.encode_batch(texts[1]), strict=True))
    unseen = split(numbers, config)

    def pipeline(kept, **options):
        rows = [pair for pair, keep in zip(pairs, kept, strict=True) if keep]
        return PairBatches(*zip(*rows, strict=True), boundaries=[(15, 5)], **options)

    model, generator = roman_reader(task.units, len(source), len(target))
    print_shapes(model)
    dataset = pipeline(~unseen, batch_size=task.batch_size, remainder="drop").dataset()
    held_out = pipeline(unseen, batch_size=int(unseen.sum()), shuffle=False).dataset()
    exact = train(model, task, config, dataset, held_out, MaskedCrossEntropy(), ExactMatch())

    inputs, _ = next(iter(held_out))
    lengths = np.count_nonzero(inputs["source"], axis=1).astype("int32")
    ids, _, _ = greedy(generator, inputs["source"], lengths, max_length=5)
    written = [target.decode(row) for row in ids.numpy()]
    right = np.array(written) == numbers[unseen].astype(str)
    for row in range(0, len(right), max(1, len(right) // 4)):
        print(f"  read {toy.roman(int(numbers[unseen][row]))}, written {written[row]}")
    short = lengths <= 3
    lesson.number("right, numerals of 1 to 3 signs", right[short].mean(), ".1%")
    lesson.number("right, longer ones", right[~short].mean(), ".1%")
    for row in np.flatnonzero(~right)[:3]:
        print(f"  wrong: read {toy.roman(int(numbers[unseen][row]))}, written {written[row]}")
    lesson.claim(
        "N-M: left to itself it reads {exact:.1%} of {count} Roman numerals that were held out",
        right.mean() >= 0.95, exact=right.mean(), count=len(right),
    )  # fmt: skip
    lesson.claim(
        "that is what teacher forcing promised: {exact:.1%} without a wrong digit",
        abs(exact[-1] - right.mean()) < 1e-6, exact=exact[-1],
    )  # fmt: skip
    return exact


# %% [markdown]
# ## How they learned


# %%
def draw_learning(lesson, histories):
    """All five learning curves."""
    from keras_seq.plots.curves import curves

    series = {
        name: ([(epoch + 1) / len(values) for epoch in range(len(values))], values)
        for name, values in histories.items()
    }
    title = "What the five models get right of what was held out"
    lesson.figure(
        curves(lesson.run / "learning.png", series, "share of the training", "right", title, percent=True,
               markers=False)
    )  # fmt: skip


# %% [markdown]
# ## What it says, and an exercise
# - A recurrent layer is one dense layer on $[x_t; h_{t-1}]$, used again at every step. What it learned on 20 steps it
#   can do on 400.
# - tanh keeps the state from exploding, whatever the weights are. Linear and relu cells explode once $U$ is large.
# - N-N, N-1, 1-N and N-M are the same cell. What differs is which states are read, and what is fed in.
# - The curves of the counting tasks stay flat for a while and then jump: the network finds the trick all at once.
# - All sequences here are short: 28 steps at most. Lesson 04 shows what becomes of a simple cell on longer ones.
#
# **Exercise.** Turn 1-N around: let `writer` have its number at the first step only, and zeros after it. Which numbers
# go wrong first, and why? Then train `tagger` with `return_sequences=False` on the parity of all 20 bits: the same
# question, asked once instead of twenty times. Does it still learn it?

# %%
if __name__ == "__main__":
    main()
