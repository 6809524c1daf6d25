# %% [markdown]
# # 04 Vanishing and exploding gradients
#
# **Question.** A recurrent network could remember for ever: nothing in its equation forbids it. Why does it not learn
# to? And why does its training sometimes end in NaN?
#
#     python tutorials/04_vanishing_gradients.py            about six minutes on two cores

# %%
import dataclasses

import numpy as np
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson."""

    distance: int = 200  # steps back
    seeds: int = 5
    units: int = 64
    features: int = 16
    length: int = 100  # of the adding problem
    examples: int = 20_000
    batch_size: int = 64
    epochs: int = 12
    epoch_steps: int = 200
    clipping_steps: int = 300
    xla: bool = True


SMOKE = {"distance": 8, "seeds": 2, "units": 4, "features": 3, "length": 10, "examples": 128, "epochs": 1,
         "epoch_steps": 2, "clipping_steps": 2, "xla": False}  # fmt: skip


def main(argv=None):
    """Follows gradients through activations and through time, then lets the adding problem show what that means."""
    lesson = Lesson(__file__, "Vanishing and exploding gradients, and what helps.", argv)
    config = dataclasses.replace(Config(), **SMOKE) if lesson.smoke else Config()
    multiply_slopes(lesson)
    through_time(lesson, config)
    models = solve_adding(lesson, config)
    after_training(lesson, config, models)
    explode(lesson, config)
    clip_one_step(lesson, config)
    train_with_clipping(lesson, config)
    beyond_clipping(lesson, config)
    lesson.finish()


# %% [markdown]
# ## Many slopes, multiplied
# By the chain rule (lesson 01) a gradient that passes through an activation is multiplied by its slope. The sigmoid
# $\sigma$ is nowhere steep:
#
# $$\sigma'(a) = \sigma(a)\,(1 - \sigma(a)) \le \tfrac14$$
#
# since $p(1-p)$ is greatest at $p = \tfrac12$. Ten sigmoids in a row leave at most $4^{-10}$, a millionth. tanh is
# steeper, $\tanh'(a) = 1 - \tanh^2 a \le 1$, with the 1 only at $a = 0$. So even at its best it only keeps what there
# is, and everywhere else it loses.


# %%
def multiply_slopes(lesson):
    """The steepest slope of sigmoid and tanh, and the product of many."""
    from keras_seq.plots.curves import curves
    from keras_seq.plots.gradients import slopes

    print("\nMany slopes, multiplied")
    a = np.linspace(-6, 6, 2001)
    sigmoid, tanh = 1 / (1 + np.exp(-a)), np.tanh(a)
    of_sigmoid, of_tanh = sigmoid * (1 - sigmoid), 1 - tanh**2
    functions = {"sigmoid": (sigmoid, of_sigmoid), "tanh": (tanh, of_tanh)}
    lesson.figure(slopes(lesson.run / "slopes.png", a, functions, "The sigmoid is nowhere steeper than 1/4"))
    lesson.number("steepest slope of the sigmoid", of_sigmoid.max())
    lesson.number("at", a[of_sigmoid.argmax()])
    lesson.number("steepest slope of tanh", of_tanh.max())
    lesson.claim("the sigmoid's slope is 1/4 at most: {slope:.6f}", abs(of_sigmoid.max() - 0.25) < 1e-9,
                 slope=of_sigmoid.max())  # fmt: skip

    # The mean of the slope's logarithm says how a long product of such slopes goes, when a is drawn anew each time.
    usual = np.random.default_rng(0).normal(size=100_000)
    typical = {
        "sigmoid, typical": np.exp(np.mean(np.log(0.25 / np.cosh(usual / 2) ** 2))),
        "tanh, typical": np.exp(np.mean(np.log(1 / np.cosh(usual) ** 2))),
    }
    rates = {"tanh, at best": 1.0, "tanh, typical": typical["tanh, typical"], "sigmoid, at best": 0.25,
             "sigmoid, typical": typical["sigmoid, typical"]}  # fmt: skip
    steps = np.arange(51)
    for name, rate in rates.items():
        lesson.number(f"left after 50 slopes: {name}", rate**50)
    lesson.claim(
        "of a gradient that goes through 50 sigmoids, {best:.0e} is left at best",
        rates["sigmoid, at best"] ** 50 < 1e-30, best=rates["sigmoid, at best"] ** 50,
    )  # fmt: skip
    series = {name: (steps, rate**steps) for name, rate in rates.items()}
    title = "What is left of a gradient: typical means a drawn from N(0, 1)"
    lesson.figure(
        curves(lesson.run / "product.png", series, "activations gone through", "left", title, log="y", markers=False)
    )


# %% [markdown]
# ## Through time
# In a recurrent network every step is one such factor, and a matrix comes in between:
#
# $$\frac{\partial h_t}{\partial h_{t-k}} = \prod_{j=0}^{k-1} U^\top \mathrm{diag}(1 - h_{t-j}^2)$$
#
# The product of $k$ similar factors goes like a power: it vanishes or explodes with $k$ (Hochreiter, 1991; Bengio,
# Simard and Frasconi, 1994). An LSTM has a second way, its cell state, on which the factor is the forget gate, a GRU
# its update gate; and self-attention looks at every place in one step, so that there is no product at all.
#
# Here, for networks fresh from their initialisation: how much does the output at the last step change with the input
# $k$ steps back? The line is the median over seeds, the band the range.


# %%
def recurrent(name, units, bias=None):
    """An untrained recurrent layer in float64 with our cells; `bias` is where the gate that keeps the state starts."""
    import keras

    from keras_seq.layers.recurrent import GRUCell, LSTMCell, SimpleRNNCell

    cells = {"simple RNN": SimpleRNNCell, "LSTM": LSTMCell, "GRU": GRUCell}

    def make(features):
        layer = keras.layers.RNN(cells[name](units, dtype="float64"), dtype="float64")
        layer.build((None, None, features))
        for weight in layer.weights:
            if bias is not None and weight.name in ("forget_bias", "update_bias"):
                weight.assign(keras.ops.full((units,), bias, dtype="float64"))
        return layer

    return make


def attention(units):
    """Untrained self-attention in float64: the output at the last position."""
    import keras

    from keras_seq.layers.multi_head import MultiHeadAttention

    def make(features):
        inputs = keras.Input((None, features), dtype="float64")
        outputs = MultiHeadAttention(units, num_heads=4, dtype="float64")(inputs, inputs)
        return keras.Model(inputs, outputs[:, -1])

    return make


def gradient_norms(network, x, seed=0):
    """How much the last output, seen from a random direction, changes with the input 0, 1, 2, ... steps back."""
    import tensorflow as tf

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = network(x)  # (batch, units)
            direction = tf.random.stateless_normal(tf.shape(outputs), (seed, 1), dtype=outputs.dtype)
            seen = tf.reduce_sum(outputs * tf.math.l2_normalize(direction, axis=-1))
        return tape.gradient(seen, x)  # (batch, time, features)

    norms = np.linalg.norm(gradient(tf.convert_to_tensor(x)), axis=-1)  # (batch, time)
    return norms.mean(axis=0)[::-1]  # (time,), the last step first


def fresh_norms(make, config):
    """`gradient_norms` of fresh networks on random inputs: `(seeds, distances)`."""
    import keras

    norms = []
    for seed in range(config.seeds):
        keras.utils.set_random_seed(seed)
        x = np.random.default_rng(seed).normal(size=(16, config.distance + 1, config.features))
        norms.append(gradient_norms(make(config.features), x, seed))
    return np.stack(norms)


def through_time(lesson, config):
    """The gradient's norm against the distance, at the start of training."""
    from keras_seq.plots.gradients import gradient_flow

    print("\nThrough time")
    networks = {
        "simple RNN": recurrent("simple RNN", config.units),
        "LSTM": recurrent("LSTM", config.units),
        "LSTM, forget bias 5": recurrent("LSTM", config.units, bias=5.0),
        "GRU": recurrent("GRU", config.units),
        "GRU, update bias 5": recurrent("GRU", config.units, bias=5.0),
        "self-attention": attention(config.units),
    }
    norms = {name: fresh_norms(make, config) for name, make in networks.items()}
    far = {}
    for name, values in norms.items():
        middle = np.median(values, axis=0)
        far[name] = middle[-1] / middle[1]
        for distance in (1, config.distance // 2, config.distance):
            lesson.number(f"{name}: gradient {distance} steps back", middle[distance])
    lesson.claim(
        "from 1 to {distance} steps back the gradient of a fresh simple RNN falls to {ratio:.0e}",
        far["simple RNN"] < 1e-10, distance=config.distance, ratio=far["simple RNN"],
    )  # fmt: skip
    lesson.claim(
        "so does that of a fresh LSTM ({lstm:.0e}) and a fresh GRU ({gru:.0e})",
        far["LSTM"] < 1e-10 and far["GRU"] < 1e-10, lstm=far["LSTM"], gru=far["GRU"],
    )  # fmt: skip
    lesson.claim(
        "with gates that start open it is not lost: {gru:.2g} of it in a GRU, and in an LSTM it even grows, {lstm:.0f} "
        "times",
        far["LSTM, forget bias 5"] > 0.1 and far["GRU, update bias 5"] > 0.1,
        lstm=far["LSTM, forget bias 5"], gru=far["GRU, update bias 5"],
    )  # fmt: skip
    lesson.claim(
        "self-attention does not care for the distance: {ratio:.2f}",
        0.5 < far["self-attention"] < 2, ratio=far["self-attention"],
    )  # fmt: skip
    lesson.figure(
        gradient_flow(
            lesson.run / "flow.png", norms, "Fresh networks: the last output's gradient by distance", floor=1e-32,
            dashed=("LSTM, forget bias 5", "GRU, update bias 5"),
        )
    )  # fmt: skip


# %% [markdown]
# That is not what one reads everywhere. An LSTM is said not to lose the gradient; a fresh one does. Its forget gate
# starts at $\sigma(1) = 0.73$, and $0.73^{200}$ is nothing; a GRU's update gate starts at $\tfrac12$, worse. What is
# new is that the factor on the way is a *gate*: a number that the network can learn to put at 1. The dashed lines are
# the same networks with the gate's bias at 5, $\sigma(5) = 0.993$. The LSTM's line even rises: all its states add up,
# and through the other gates each reaches all later ones. A simple RNN has no such knob; its factor is a matrix, with
# tanh in it.
#
# ## The adding problem
# Does it matter? Hochreiter and Schmidhuber (1997) made a task of it. At each of 100 steps comes a random number with a
# mark. Two of the marks are 1, one in the first half, one in the second; what is asked at the end is the sum of these
# two numbers. To answer 1, whatever comes, gives a mean squared error of $2 \cdot \tfrac1{12} = 0.167$. Who is below
# has remembered something.
#
# A simple RNN may only have the wrong learning rate, so it gets three. Beside it runs its best-known repair (Le, Jaitly
# and Hinton, 2015): relu in the place of tanh and $U$ started as the identity, so that a fresh state is simply kept.


# %%
def adding_model(layer, config):
    """A recurrent layer and a linear readout of its last state."""
    import keras

    return keras.Sequential([keras.Input((config.length, 2)), layer, keras.layers.Dense(1)])


def identity_rnn(units, scale=1.0):
    """relu, and a recurrent matrix that starts as the identity, or a multiple of it."""
    import keras

    return keras.layers.SimpleRNN(
        units,
        activation="relu",
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        recurrent_initializer=keras.initializers.Identity(scale),
    )


def adding_data(config):
    """The adding problem as a dataset without end, and held-out examples."""
    from keras_seq.data import toy

    training = toy.batches(*toy.adding(config.examples, config.length, seed=1), config.batch_size)
    return training.repeat(), toy.adding(2000, config.length, seed=2)


def solve_adding(lesson, config):
    """Trains every kind on the adding problem; returns the models, fresh and trained, by name."""
    import keras

    from keras_seq.plots.curves import curves

    print(f"\nThe adding problem, {config.length} steps")
    dataset, (inputs, sums) = adding_data(config)
    baseline = float(np.mean((sums - 1) ** 2))
    lesson.number("mean squared error of the answer 1", baseline)
    layers = {f"simple RNN, rate {rate:g}": (keras.layers.SimpleRNN, rate) for rate in (1e-2, 1e-3, 1e-4)} | {
        "relu, identity": (identity_rnn, 1e-3),
        "GRU": (keras.layers.GRU, 1e-2),
        "LSTM": (keras.layers.LSTM, 1e-2),
    }
    models, errors = {}, {}
    for name, (layer, rate) in layers.items():
        keras.utils.set_random_seed(0)
        model = adding_model(layer(config.units), config)
        fresh = keras.models.clone_model(model)
        fresh.set_weights(model.get_weights())
        model.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), "mse", jit_compile=config.xla)
        history = model.fit(
            dataset, epochs=config.epochs, steps_per_epoch=config.epoch_steps, validation_data=(inputs, sums),
            validation_batch_size=500, shuffle=False, verbose=0,
        )  # fmt: skip
        models[name], errors[name] = (fresh, model), history.history["val_loss"]
        lesson.number(f"error after {config.epochs * config.epoch_steps} steps: {name}", errors[name][-1])

    simple = {name: values for name, values in errors.items() if name.startswith("simple")}
    best = min(min(values) for values in simple.values())
    lesson.claim(
        "the simple RNN does not solve it at any of three rates: {best:.3f} at best, of {baseline:.3f} for answering 1",
        best > baseline / 2, best=best, baseline=baseline,
    )  # fmt: skip
    lesson.claim(
        "LSTM and GRU solve it: {lstm:.4f} and {gru:.4f}",
        errors["LSTM"][-1] < 0.01 and errors["GRU"][-1] < 0.01, lstm=errors["LSTM"][-1], gru=errors["GRU"][-1],
    )  # fmt: skip
    lesson.claim(
        "so it is not recurrence that fails: relu with U = 1 comes to {error:.3f}",
        min(errors["relu, identity"]) < baseline / 2, error=min(errors["relu, identity"]),
    )  # fmt: skip
    shown = {"simple RNN (best of three rates)": simple[min(simple, key=lambda name: simple[name][-1])]}
    shown |= {name: errors[name] for name in ("relu, identity", "GRU", "LSTM")}
    shown["answering 1"] = [baseline] * config.epochs
    steps = config.epoch_steps * np.arange(1, config.epochs + 1)
    series = {name: (steps, values) for name, values in shown.items()}
    title = f"The adding problem over {config.length} steps"
    lesson.figure(curves(lesson.run / "adding.png", series, "training steps", "mean squared error", title, log="y"))
    return models


# %% [markdown]
# Look at the flat beginning of the LSTM's curve, then the fall. A fresh LSTM cannot see the first mark either. But in
# some examples both marks are near the end. From those it learns to keep a number for a while; with that it sees
# further back, and so on. The gradients before (dashed) and after training (solid) show it: the gates have opened, and
# the first input counts about as much as the last. The simple RNN, at the best of its rates, has come some of that way:
# its gradient reaches further back than at the start, and its error is a third below that of the answer 1, far from
# solved.


# %%
def after_training(lesson, config, models):
    """The gradient's norm against the distance, before and after training on the adding problem."""
    from keras_seq.data import toy
    from keras_seq.plots.gradients import gradient_flow

    print("\nAfter training")
    inputs, _ = toy.adding(64, config.length, seed=3)
    norms, far = {}, {}
    for name in ("simple RNN, rate 0.001", "GRU", "LSTM"):
        for state, model in zip(("fresh", "trained"), models[name], strict=True):
            label = f"{name.split(',')[0]}, {state}"
            values = gradient_norms(model, inputs)
            norms[label] = values[None]
            far[label] = values[-10:].mean() / values[:10].mean()
            lesson.number(f"{label}: first ten inputs' gradient over last ten's", far[label])
    lesson.claim(
        "training multiplies it by {lstm:.0e} (LSTM) and {gru:.0e} (GRU)",
        far["LSTM, trained"] > 1000 * far["LSTM, fresh"] and far["GRU, trained"] > 1000 * far["GRU, fresh"],
        lstm=far["LSTM, trained"] / far["LSTM, fresh"], gru=far["GRU, trained"] / far["GRU, fresh"],
    )  # fmt: skip
    shown = {f"{name}, {state}": norms[f"{name}, {state}"] for name in ("simple RNN", "GRU", "LSTM")
             for state in ("trained", "fresh")}  # fmt: skip
    dashed = [name for name in shown if name.endswith("fresh")]
    title = "Before (dashed) and after training on the adding problem"
    lesson.figure(gradient_flow(lesson.run / "after_training.png", shown, title, dashed=dashed))


# %% [markdown]
# ## Exploding
# The same product can grow. With tanh and a recurrent matrix of larger and larger *gain* (an orthogonal matrix times a
# number), the gradient vanishes, then, somewhere between, it holds, then it explodes. tanh bounds the state, not the
# gradient.


# %%
def explode(lesson, config):
    """The gradient's norm against the distance, for recurrent matrices of several gains."""
    import keras

    from keras_seq.plots.gradients import gradient_flow

    print("\nExploding")

    def with_gain(gain):
        def make(features):
            initializer = keras.initializers.Orthogonal(gain)
            return keras.layers.SimpleRNN(config.units, recurrent_initializer=initializer, dtype="float64")

        return make

    norms = {f"gain {gain:g}": fresh_norms(with_gain(gain), config) for gain in (4, 2, 1.5, 1, 0.5)}
    last = {name: np.median(values[:, -1]) for name, values in norms.items()}
    for name, value in last.items():
        lesson.number(f"{name}: gradient {config.distance} steps back", value)
    lesson.claim(
        "{distance} steps back it is {small:.0e} at a gain of 0.5 and {large:.0e} at a gain of 4",
        last["gain 0.5"] < 1e-30 and last["gain 4"] > 1e20, distance=config.distance, small=last["gain 0.5"],
        large=last["gain 4"],
    )  # fmt: skip
    title = "tanh networks by the gain of U: vanishing, holding, exploding"
    lesson.figure(gradient_flow(lesson.run / "explosion.png", norms, title, floor=1e-40))


# %% [markdown]
# ## What clipping does
# One step along a gradient of length $10^6$ throws the weights away. *Clipping* (Pascanu, Mikolov and Bengio, 2013)
# keeps its direction and bounds its length $\lVert g \rVert$ to $c$:
#
# $$g \leftarrow g \cdot \min\!\left(1, \frac{c}{\lVert g \rVert}\right)$$
#
# In Keras that is `global_clipnorm`, with the length taken over all weights together. `clipnorm` does it for each
# weight by itself and so turns the direction, `clipvalue` clips each number by itself and turns it more. One step of
# plain gradient descent shows all four.


# %%
def step_taken(model, inputs, sums, **clipping):
    """How one step of gradient descent with learning rate 1 moves the weights: one long vector."""
    import keras
    import tensorflow as tf

    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((copy(inputs) - sums) ** 2)
    weights = copy.trainable_variables
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    keras.optimizers.SGD(1.0, **clipping).apply(gradients, weights)
    moves = [old - new for old, new in zip(model.get_weights(), copy.get_weights(), strict=True)]
    return np.concatenate([move.ravel() for move in moves]).astype("float64")


def clip_one_step(lesson, config):
    """One step of a network whose gradient is large, without clipping and with each of Keras's three kinds."""
    import keras

    print("\nWhat clipping does")
    keras.utils.set_random_seed(0)
    _, (inputs, sums) = adding_data(config)
    model = adding_model(identity_rnn(config.units, scale=1.02), config)
    batch = inputs[: config.batch_size], sums[: config.batch_size]
    plain = step_taken(model, *batch)
    lesson.number("length of the step, not clipped", np.linalg.norm(plain))
    found = {}
    for name in ("global_clipnorm", "clipnorm", "clipvalue"):
        step = step_taken(model, *batch, **{name: 1.0})
        length = np.linalg.norm(step)
        found[name] = length, step @ plain / length / np.linalg.norm(plain)
        lesson.number(f"length of the step, {name}=1", length)
        lesson.number(f"cosine to the step not clipped, {name}=1", found[name][1], ".6f")
    lesson.claim(
        "global_clipnorm gives length {length:.4f} and keeps the direction: cosine {cosine:.6f}",
        abs(found["global_clipnorm"][0] - 1) < 1e-3 and found["global_clipnorm"][1] > 0.9999,
        length=found["global_clipnorm"][0], cosine=found["global_clipnorm"][1],
    )  # fmt: skip
    lesson.claim("clipvalue turns it: cosine {cosine:.2f}", found["clipvalue"][1] < 0.9, cosine=found["clipvalue"][1])


# %% [markdown]
# Now a training with it and without. The network is the relu one from above, with $U$ started a little above the
# identity, at 1.03 times it: over a sequence its state grows by $1.03^{100} = 19$. The optimiser is plain gradient
# descent with a tiny learning rate. Without clipping the first steps throw the weights so far off that hardly a unit is
# left that is not cut off by relu, and where relu is flat no gradient leads back. Started at 1.05 the loss is NaN at
# once.
#
# Clipping keeps such a training alive, and no more: its loss stays above the 0.16 of answering 1, and at every step
# there is something to clip. A network that starts with gradients this long has a start to be mended, not a length.


# %%
def training_losses(config, scale, rate, clipnorm, before_step=lambda model: None):
    """The loss at each step of gradient descent from a multiple of the identity."""
    import keras

    keras.utils.set_random_seed(0)
    model = adding_model(identity_rnn(config.units, scale), config)
    model.compile(keras.optimizers.SGD(rate, global_clipnorm=clipnorm), "mse", jit_compile=config.xla)
    callback = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: before_step(model))
    dataset, _ = adding_data(config)
    return model.fit(dataset, epochs=config.clipping_steps, steps_per_epoch=1, callbacks=[callback], shuffle=False,
                     verbose=0).history["loss"]  # fmt: skip


def train_with_clipping(lesson, config):
    """Loss by step, without clipping and with it, and the gradient's length before it is clipped."""
    import tensorflow as tf

    from keras_seq.plots.curves import curves

    _, (all_inputs, all_sums) = adding_data(config)
    inputs, sums = all_inputs[: config.batch_size], all_sums[: config.batch_size]
    lengths = []

    @tf.function(jit_compile=config.xla)
    def length(model):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(inputs) - sums) ** 2)
        return tf.linalg.global_norm(tape.gradient(loss, [weight.value for weight in model.trainable_variables]))

    clipped = training_losses(config, 1.03, 3e-4, 1.0, lambda model: lengths.append(float(length(model))))
    plain = training_losses(config, 1.03, 3e-4, None)
    lesson.number("loss at the first step", plain[0])
    lesson.number("highest loss on the way, not clipped", max(plain))
    lesson.claim(
        "without clipping it ends at {plain:.0e}; with clipping at {clipped:.3f}, alive and no better than answering 1 "
        "({baseline:.3f})",
        plain[-1] > 1000 and np.mean(clipped[-20:]) < 0.3, plain=plain[-1], clipped=np.mean(clipped[-20:]),
        baseline=np.mean((all_sums - 1) ** 2),
    )  # fmt: skip
    lesson.number("longest gradient on the way, before it is clipped", max(lengths))
    lesson.number("share of steps at which there was something to clip", float(np.mean(np.array(lengths) > 1)))
    larger = [training_losses(config, 1.05, 1e-4, clipnorm) for clipnorm in (None, 1.0)]
    first = next((step for step, loss in enumerate(larger[0], start=1) if not np.isfinite(loss)), None)
    lesson.claim(
        "started at 1.05 it is NaN at step {first}; clipped it falls from {begin:.0f} to {end:.3f}",
        first is not None and np.mean(larger[1][-20:]) < 0.5, first=first, begin=larger[1][0],
        end=np.mean(larger[1][-20:]),
    )  # fmt: skip

    shown = min(60, config.clipping_steps)
    steps = np.arange(1, shown + 1)
    series = {"not clipped": (steps, plain[:shown]), "clipped to 1": (steps, clipped[:shown])}
    title = "The same network without clipping and with it"
    lesson.figure(curves(lesson.run / "clipping.png", series, "training step", "loss", title, log="y", markers=False))
    steps = np.arange(1, len(lengths) + 1)
    series = {"before clipping": (steps, lengths), "after": (steps, np.minimum(lengths, 1))}
    title = "The length of the gradient along the clipped training"
    lesson.figure(curves(lesson.run / "lengths.png", series, "training step", "length", title, log="y", markers=False))


# %% [markdown]
# ## Where clipping cannot help
# Clipping needs the length, and the length needs the squares of the gradient. In float32 these are infinite from
# $\sqrt{3.4 \cdot 10^{38}} = 1.8 \cdot 10^{19}$ on, and then $g \cdot c / \infty$ is 0, or NaN where $g$ itself is
# infinite. So clipping mends steps that are too long, not networks that were started badly.


# %%
def beyond_clipping(lesson, config):
    """What clipping makes of a gradient whose length float32 cannot hold, and of one that is infinite."""
    import tensorflow as tf

    print("\nWhere clipping cannot help")
    outcome = {}
    for gradient in (1e18, 1e20, float("inf")):
        (clipped,), _ = tf.clip_by_global_norm([tf.constant([gradient, gradient])], 1.0)
        outcome[gradient] = float(clipped[0])
        lesson.number(f"a gradient of ({gradient:g}, {gradient:g}), clipped to 1: each is", outcome[gradient])
    lesson.claim(
        "1e18 is clipped to {small:.2f}, 1e20 to {large}, infinity to {infinite}",
        abs(outcome[1e18] - 0.5**0.5) < 1e-3 and not np.isclose(outcome[1e20], 0.5**0.5)
        and not np.isfinite(outcome[float("inf")]),
        small=outcome[1e18], large=outcome[1e20], infinite=outcome[float("inf")],
    )  # fmt: skip


# %% [markdown]
# ## What it says, and an exercise
# - A gradient that goes through many steps is a product of many factors. It vanishes or explodes, unless the factors
#   are near 1.
# - At the start LSTM and GRU lose it as well. They can *learn* to keep it, since the factor is a gate. An open gate
#   from the start (a forget bias of 5) gives them the long way at once; lesson 05 makes use of that.
# - Self-attention has no product: one step from anywhere to anywhere. It pays with work that grows as the square of the
#   length (lesson 11).
# - The simple RNN does not fail for want of power: with relu and an identity, which keep the gradient at the start, it
#   can do the task too. With tanh and a random matrix it gets a small part of the way in the same time.
# - Clip the length of all gradients together. It costs nothing where they are short.
#
# **Exercise.** At which length does the simple RNN begin to learn the adding problem? Try `length=20` and 40. Then
# start the LSTM of `solve_adding` with a forget bias of 5: is the flat beginning of its curve gone?

# %%
if __name__ == "__main__":
    main()
