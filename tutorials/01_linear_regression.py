# %% [markdown]
# # 01 Linear regression and back-propagation
#
# **Question.** A machine is shown points and draws a line through them. How does it find the line? And when there is a
# second layer behind the first: how does it know which way to turn a number that is buried in the middle?
#
#     python tutorials/01_linear_regression.py              half a minute on two cores
#
# Everything is measured twice: once written out by hand, once by the framework.

# %%
import dataclasses
import time

import numpy as np
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson."""

    points: int = 100
    weight: float = 1.5
    bias: float = -1.0
    noise: float = 0.5
    steps: int = 600
    units: int = 16
    curve_steps: int = 20_000
    keras_steps: int = 300
    seed: int = 0


SMOKE = {"points": 20, "steps": 30, "units": 4, "curve_steps": 50, "keras_steps": 10}


def main(argv=None):
    """Fits a line, follows the chain rule through a small network, and fits a curve with it."""
    lesson = Lesson(__file__, "A line, the chain rule by hand, and what a second layer adds.", argv)
    config = dataclasses.replace(Config(), **SMOKE) if lesson.smoke else Config()
    x, y = noisy_line(config)
    best = least_squares(lesson, config, x, y)
    walk_down(lesson, config, x, y, best)
    try_learning_rates(lesson, config, x, y, best)
    follow_one_number(lesson)
    check_gradients(lesson, config)
    fit_a_curve(lesson, config)
    lesson.finish()


# %% [markdown]
# ## A line, and how wrong it is
# Points lie around a line that we pretend not to know. A guess $\hat y = Wx + b$ is judged by the mean squared error:
#
# $$L(W, b) = \frac1N \sum_{n=1}^N (\hat y_n - y_n)^2$$
#
# $L$ is a bowl over the plane of $W$ and $b$. At its lowest point both slopes are zero:
#
# $$\frac{\partial L}{\partial W} = \frac2N \sum_n (\hat y_n - y_n)\, x_n, \qquad
#   \frac{\partial L}{\partial b} = \frac2N \sum_n (\hat y_n - y_n)$$
#
# Both are linear in $W$ and $b$, so the lowest point solves two equations with two unknowns: *least squares*. It is
# there to check the slow way with. Most networks have no such short cut.


# %%
def noisy_line(config):
    """Points around a line: x and y, `(points, 1)` each, float64."""
    random = np.random.default_rng(config.seed)
    x = random.uniform(0, 4, size=(config.points, 1))
    return x, config.weight * x + config.bias + config.noise * random.normal(size=x.shape)


def loss(prediction, y):
    """Mean squared error."""
    return float(np.mean((prediction - y) ** 2))


def line(parameters, x):
    """y = Wx + b."""
    weight, bias = parameters
    return weight * x + bias


def line_gradients(parameters, x, y):
    """The slopes of the loss: by W and by b."""
    error = line(parameters, x) - y
    return [2 * np.mean(error * x), 2 * np.mean(error)]


def least_squares(lesson, config, x, y):
    """The best weight and bias, in closed form."""
    print("\nA line, and how wrong it is")
    columns = np.concatenate([x, np.ones_like(x)], axis=1)  # (points, 2)
    best = np.linalg.lstsq(columns, y, rcond=None)[0][:, 0]
    lesson.number("weight that made the data", config.weight)
    lesson.number("weight, least squares", best[0])
    lesson.number("bias that made the data", config.bias)
    lesson.number("bias, least squares", best[1])
    lesson.number("loss of the best line", loss(line(best, x), y))
    lesson.number("variance of the noise", config.noise**2)
    slopes = np.abs(line_gradients(best, x, y)).max()
    lesson.claim("at the best line both slopes are zero: at most {slopes:.0e}", slopes < 1e-12, slopes=slopes)
    return best


# %% [markdown]
# ## Walking down
# Gradient descent starts anywhere and goes a little way against the slope, again and again. The learning rate $\eta$
# says how far:
#
# $$W \leftarrow W - \eta \frac{\partial L}{\partial W}, \qquad b \leftarrow b - \eta \frac{\partial L}{\partial b}$$
#
# `descend` is the whole algorithm; the same function will train the network below. Keras's `model.fit` with plain `SGD`
# and all points in one batch is the same algorithm, so it must make the same steps. ($\eta = 1/16$, since Keras keeps
# its learning rate in float32, and this number float32 can hold exactly.)

# %%
LEARNING_RATE = 1 / 16


def descend(parameters, gradients, learning_rate, steps):
    """Gradient descent: the parameters before the first step and after each."""
    path = [parameters]
    for _ in range(steps):
        slopes = gradients(path[-1])
        path.append([value - learning_rate * slope for value, slope in zip(path[-1], slopes, strict=True)])
    return path


def fit_with_keras(layers, parameters, learning_rate, x, y, steps):
    """The same by `model.fit`: the weights before the first step and after each."""
    import keras
    import tensorflow as tf

    model = keras.Sequential([keras.Input(x.shape[1:], dtype="float64"), *layers])
    model.set_weights(parameters)
    path = [model.get_weights()]
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: path.append(model.get_weights()))
    model.compile(keras.optimizers.SGD(learning_rate), keras.losses.MeanSquaredError(dtype="float64"))
    data = tf.data.Dataset.from_tensors((x, y))  # as arrays they would be turned into float32
    model.fit(data, epochs=steps, callbacks=[keep], shuffle=False, verbose=0)
    return path


def largest_difference(path, other):
    """Between any number of one path and the same number of another."""
    return max(
        float(np.max(np.abs(np.ravel(mine) - np.ravel(theirs))))
        for ours, others in zip(path, other, strict=True)
        for mine, theirs in zip(ours, others, strict=True)
    )


def walk_down(lesson, config, x, y, best):
    """Descends from (0, 0), beside least squares and beside Keras."""
    import keras

    from keras_seq.plots.regression import fits

    print("\nWalking down")
    path = descend([0.0, 0.0], lambda now: line_gradients(now, x, y), LEARNING_RATE, config.steps)
    for step in (0, 1, 2, 10, config.steps):
        weight, bias = path[step]
        print(f"  step {step:4}   W {weight:8.4f}   b {bias:8.4f}   loss {loss(line(path[step], x), y):8.4f}")
    distance = np.abs(np.subtract(path[-1], best)).max()
    lesson.claim(
        "after {steps} steps it is {distance:.0e} away from least squares",
        distance < 1e-5, steps=config.steps, distance=distance,
    )  # fmt: skip

    dense, steps = keras.layers.Dense(1, dtype="float64"), config.keras_steps
    keras_path = fit_with_keras([dense], [np.zeros((1, 1)), np.zeros(1)], LEARNING_RATE, x, y, steps)
    difference = largest_difference(path[: steps + 1], keras_path)
    lesson.claim(
        "model.fit takes the same {steps} steps: they differ by {difference:.0e} at most",
        difference < 1e-12, steps=steps, difference=difference,
    )  # fmt: skip

    ends = np.array([[0.0], [4.0]])
    shown = [step for step in (0, 1, 10, 50, 100) if step <= config.steps]
    tried = {f"step {step}": (ends, line(path[step], ends)) for step in shown}
    least = ("least squares", (ends, line(best, ends)))
    lesson.figure(fits(lesson.run / "line.png", (x, y), tried, "Gradient descent turns the line into place", least))


# %% [markdown]
# ## How large a step?
# The bowl's curvature is the matrix of second derivatives,
#
# $$H = \frac2N \sum_n \begin{pmatrix} x_n^2 & x_n \\ x_n & 1 \end{pmatrix}$$
#
# with the eigenvalues $\lambda_{\max}$ (across the valley) and $\lambda_{\min}$ (along it). In the direction of either,
# a step multiplies the distance to the lowest point by $1 - \eta\lambda$. Two predictions follow before anything runs.
# Descent diverges as soon as $\eta > 2/\lambda_{\max}$. And late on the way, when only the distance along the valley is
# left, each step keeps $1 - \eta\lambda_{\min}$ of it, however good $\eta$ is for the other direction.


# %%
def try_learning_rates(lesson, config, x, y, best):
    """Descends with learning rates around the largest that the curvature allows."""
    from keras_seq.plots.curves import curves
    from keras_seq.plots.regression import valley

    print("\nHow large a step?")
    curvature = 2 * np.array([[np.mean(x * x), np.mean(x)], [np.mean(x), 1]])
    smallest, largest = np.linalg.eigvalsh(curvature)
    limit = 2 / largest
    lesson.number("curvature across the valley", largest)
    lesson.number("curvature along the valley", smallest)
    lesson.number("largest learning rate, predicted", limit)

    series, final, ways = {}, {}, {}
    lowest = loss(line(best, x), y)
    for share in (0.1, 0.5, 0.98, 1.02):
        path = descend([0.0, 0.0], lambda now: line_gradients(now, x, y), share * limit, min(config.steps, 200))
        above = [loss(line(parameters, x), y) - lowest for parameters in path]
        final[share] = above[-1]
        series[f"{share:g} of the limit"] = (list(range(len(above))), above)
        ways[f"{share:g} of the limit"] = np.transpose(path[:25])  # (2, steps)
        lesson.number(f"loss above the lowest, {share:g} of the limit, {len(path) - 1} steps", above[-1])
    lesson.claim(
        "just below the limit it arrives, just above it it runs away: {below:.1e} and {over:.1e} above the lowest loss",
        final[0.98] < 0.5 < final[1.02], below=final[0.98], over=final[1.02],
    )  # fmt: skip

    path = descend([0.0, 0.0], lambda now: line_gradients(now, x, y), LEARNING_RATE, 101)
    before, after = (np.linalg.norm(np.subtract(path[step], best)) for step in (100, 101))
    predicted, measured = 1 - LEARNING_RATE * smallest, after / before
    lesson.claim(
        "late in the descent a step keeps {measured:.6f} of the distance; predicted {predicted:.6f}",
        abs(measured - predicted) < 1e-6, measured=measured, predicted=predicted,
    )  # fmt: skip
    lesson.figure(
        curves(
            lesson.run / "learning_rates.png", series, "step", "loss above the lowest",
            "The same valley, four learning rates", log="y", markers=False,
        )
    )  # fmt: skip
    weights, biases = np.linspace(-0.3, 2.6, 120), np.linspace(-1.7, 0.9, 120)
    losses = np.array([[loss(line((weight, bias), x), y) for weight in weights] for bias in biases])
    shown = {name: ways[name] for name in ("0.1 of the limit", "0.98 of the limit")}
    title = "The first 24 steps: creeping along the valley, or leaping across it"
    lesson.figure(valley(lesson.run / "valley.png", losses, weights, biases, shown, best, title))


# %% [markdown]
# ## Two layers: the chain rule, one number at a time
# A line cannot bend. Put a bent function between two of them:
#
# $$a = w_1 x + b_1, \qquad h = \tanh a, \qquad \hat y = w_2 h + b_2, \qquad L = (\hat y - y)^2$$
#
# How does $L$ depend on $w_1$, four functions away? By the chain rule: the slopes of the functions in between,
# multiplied. Starting at the end, each slope needs only the one after it and numbers known from the way forward. That
# is all of back-propagation (Rumelhart, Hinton and Williams, 1986):
#
# $$\frac{\partial L}{\partial \hat y} = 2(\hat y - y), \quad
#   \frac{\partial L}{\partial h} = \frac{\partial L}{\partial \hat y} w_2, \quad
#   \frac{\partial L}{\partial a} = \frac{\partial L}{\partial h} (1 - h^2), \quad
#   \frac{\partial L}{\partial w_1} = \frac{\partial L}{\partial a} x$$


# %%
def follow_one_number(lesson):
    """One example through the chain and back; the gradient of w1 is checked by nudging w1."""
    from keras_seq.plots.regression import chain

    print("\nTwo layers: the chain rule, one number at a time")
    x, y, w1, b1, w2, b2 = 0.5, 1.0, 1.2, -0.2, 0.8, 0.1

    def forward(w1):
        a = w1 * x + b1
        h = np.tanh(a)
        prediction = w2 * h + b2
        return a, h, prediction, (prediction - y) ** 2

    a, h, prediction, end = forward(w1)
    d_prediction = 2 * (prediction - y)
    d_h = d_prediction * w2
    d_a = d_h * (1 - h**2)
    d_w1 = d_a * x
    nodes = [
        ("$w_1$", "weight", w1, r"$\partial L/\partial a \cdot x$", d_w1),
        ("$a$", "$w_1 x + b_1$", a, r"$\partial L/\partial h \cdot (1-h^2)$", d_a),
        ("$h$", r"$\tanh a$", h, r"$\partial L/\partial \hat y \cdot w_2$", d_h),
        (r"$\hat y$", "$w_2 h + b_2$", prediction, r"$2(\hat y - y)$", d_prediction),
        ("$L$", r"$(\hat y - y)^2$", end, r"$\partial L/\partial L$", 1.0),
    ]
    title = "Values go forward, gradients come back (x = 0.5, y = 1)"
    lesson.figure(chain(lesson.run / "chain.png", nodes, title))
    nudged = (forward(w1 + 1e-6)[-1] - forward(w1 - 1e-6)[-1]) / 2e-6
    lesson.number("dL/dw1 by the chain rule", d_w1, ".8f")
    lesson.number("dL/dw1 by nudging w1 up and down by a millionth", nudged, ".8f")
    difference = abs(d_w1 - nudged)
    lesson.claim("both agree to {difference:.0e}", difference < 1e-9, difference=difference)


# %% [markdown]
# ## The same with arrays
# With many units and many examples the products become matrix products: forward `hidden @ kernel`, backward
# `gradient @ kernel.T` to the inputs and `inputs.T @ gradient` to the kernel. A sum over examples appears wherever one
# parameter served all of them. Every line of `backward` is one line of the chain above.


# %%
def forward(parameters, x):
    """A network of two layers: the prediction and the hidden units."""
    kernel, bias, out_kernel, out_bias = parameters
    hidden = np.tanh(x @ kernel + bias)  # (points, units)
    return hidden @ out_kernel + out_bias, hidden  # (points, 1)


def backward(parameters, x, y):
    """The gradients of the loss by the chain rule, in the order of the parameters."""
    out_kernel = parameters[2]
    prediction, hidden = forward(parameters, x)
    d_prediction = 2 * (prediction - y) / len(x)  # (points, 1)
    d_out_kernel = hidden.T @ d_prediction  # (units, 1)
    d_hidden = d_prediction @ out_kernel.T  # (points, units)
    d_sum = d_hidden * (1 - hidden**2)  # (points, units), by tanh' = 1 - tanh^2
    d_kernel = x.T @ d_sum  # (1, units)
    return [d_kernel, d_sum.sum(axis=0), d_out_kernel, d_prediction.sum(axis=0)]


def small_network(config):
    """Parameters to start with: kernel (1, units), bias, out_kernel (units, 1), out_bias."""
    random, units = np.random.default_rng(config.seed), config.units
    return [
        random.normal(size=(1, units)),
        random.normal(size=units),
        random.normal(size=(units, 1)) / units,
        np.zeros(1),
    ]


def noisy_curve(points, seed):
    """Points around a sine: x and y, `(points, 1)` each, float64."""
    random = np.random.default_rng(seed)
    x = random.uniform(-3, 3, size=(points, 1))
    return x, np.sin(2 * x) + 0.2 * random.normal(size=x.shape)


# %% [markdown]
# ## Is it right? Two independent judges
# **Automatic differentiation** applies the chain rule to each operation that a program runs; it should agree to the
# last digit or two. **Finite differences** know nothing of rules: nudge one parameter, look at the loss.
#
# $$\frac{\partial L}{\partial p} \approx \frac{L(p+\varepsilon) - L(p)}{\varepsilon} \quad\text{(error grows like }
#   \varepsilon), \qquad
#   \frac{\partial L}{\partial p} \approx \frac{L(p+\varepsilon) - L(p-\varepsilon)}{2\varepsilon} \quad\text{(like }
#   \varepsilon^2)$$
#
# A small $\varepsilon$ is not always better: the losses are then nearly equal, and their rounding, about $10^{-16}$, is
# divided by $\varepsilon$. The best $\varepsilon$ should be near $\sqrt{10^{-16}} = 10^{-8}$ for one side and
# $\sqrt[3]{10^{-16}} \approx 5 \cdot 10^{-6}$ for both.


# %%
def check_gradients(lesson, config):
    """The chain rule by hand against automatic differentiation and against finite differences."""
    from keras_seq.plots.curves import curves

    print("\nIs it right?")
    parameters, (x, y) = small_network(config), noisy_curve(config.points, config.seed)
    by_hand = np.concatenate([gradient.ravel() for gradient in backward(parameters, x, y)])
    automatic = automatic_gradients(parameters, x, y)
    difference = np.abs(by_hand - automatic).max()
    lesson.number("largest gradient", np.abs(by_hand).max())
    lesson.claim(
        "by hand and automatic differ by {difference:.0e} at most, over {count} parameters",
        difference < 1e-14, difference=difference, count=len(by_hand),
    )  # fmt: skip

    nudges = 10.0 ** -np.arange(1, 13)
    series, best = {}, {}
    for sides, name in ((1, "one side"), (2, "both sides")):
        errors = [np.abs(finite_differences(parameters, x, y, nudge, sides) - by_hand).max() for nudge in nudges]
        series[name] = (nudges, errors)
        best[sides] = (nudges[np.argmin(errors)], min(errors))
        lesson.number(f"finite differences, {name}: best nudge", best[sides][0], ".0e")
        lesson.number(f"finite differences, {name}: error there", best[sides][1], ".0e")
    lesson.claim(
        "finite differences agree to {one:.0e} from one side and to {two:.0e} from both",
        best[1][1] < 1e-6 and best[2][1] < 1e-9, one=best[1][1], two=best[2][1],
    )  # fmt: skip
    price = seconds(lambda: backward(parameters, x, y)) / seconds(lambda: forward(parameters, x))
    lesson.claim(
        "all gradients by the chain rule take the time of {price:.1f} passes forward; nudging takes {passes} passes",
        price < 10, price=price, passes=2 * len(by_hand),
    )  # fmt: skip
    lesson.figure(
        curves(
            lesson.run / "finite_differences.png", series, "nudge", "largest error of a gradient",
            "Too large a nudge bends, too small a nudge drowns in rounding", log="xy",
        )
    )  # fmt: skip


def seconds(function, times=200):
    """The shortest time that a call takes."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        function()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def automatic_gradients(parameters, x, y):
    """The gradients by TensorFlow's tape, through a Keras model with the same weights."""
    import keras
    import tensorflow as tf

    layers = two_layers(len(parameters[1]))
    model = keras.Sequential([keras.Input((1,), dtype="float64"), *layers])
    model.set_weights(parameters)
    with tf.GradientTape() as tape:
        end = tf.reduce_mean((model(x) - y) ** 2)
    gradients = tape.gradient(end, [weight.value for weight in model.trainable_weights])
    return np.concatenate([gradient.numpy().ravel() for gradient in gradients])


def two_layers(units):
    """Keras's layers for the same network."""
    import keras

    return [keras.layers.Dense(units, "tanh", dtype="float64"), keras.layers.Dense(1, dtype="float64")]


def finite_differences(parameters, x, y, nudge, sides):
    """The gradients by nudging every parameter up, and with two sides also down."""

    def nudged(index, place, amount):
        moved = [value.copy() for value in parameters]
        moved[index].flat[place] += amount
        return loss(forward(moved, x)[0], y)

    here = loss(forward(parameters, x)[0], y)
    places = [(index, place) for index, value in enumerate(parameters) for place in range(value.size)]
    return np.array(
        [
            (nudged(*place, nudge) - (here if sides == 1 else nudged(*place, -nudge))) / (sides * nudge)
            for place in places
        ]
    )


# %% [markdown]
# ## What the second layer buys
# The points lie around a sine now. The best line is still found in closed form; for the network there is none, so it
# walks down with the `descend` from above and the gradients by hand. What noise has put in, no curve can take out of
# points that it has not seen: there the loss cannot come below the noise's variance, 0.04. Below that on its own
# points, the network is learning them by heart.


# %%
def fit_a_curve(lesson, config):
    """Trains the network by hand and by Keras, and compares it with the best line."""
    from keras_seq.plots.curves import curves
    from keras_seq.plots.regression import fits

    print("\nWhat the second layer buys")
    x, y = noisy_curve(config.points, config.seed)
    columns = np.concatenate([x, np.ones_like(x)], axis=1)  # (points, 2)
    best = np.linalg.lstsq(columns, y, rcond=None)[0][:, 0]
    path = descend(small_network(config), lambda now: backward(now, x, y), LEARNING_RATE, config.curve_steps)
    shown = np.unique(np.geomspace(1, config.curve_steps, 60).astype(int))
    fresh_x, fresh_y = noisy_curve(1000, config.seed + 1)
    own = [loss(forward(path[step], x)[0], y) for step in shown]
    fresh = [loss(forward(path[step], fresh_x)[0], fresh_y) for step in shown]
    of_line = loss(line(best, fresh_x), fresh_y)
    lesson.number("loss of the best line, fresh points", of_line)
    lesson.number(f"loss of the network after {config.curve_steps} steps, fresh points", fresh[-1])
    lesson.number(f"loss of the network after {config.curve_steps} steps, its own points", own[-1])
    lesson.number("variance of the noise", 0.04)
    lesson.claim(
        "on fresh points the network's loss is {ratio:.0f} times smaller than the best line's",
        of_line > 5 * fresh[-1], ratio=of_line / fresh[-1],
    )  # fmt: skip
    lesson.claim(
        "no curve is below the noise on fresh points, {fresh:.3f}; on its own points the network is, {own:.3f}",
        own[-1] < 0.04 < fresh[-1], fresh=fresh[-1], own=own[-1],
    )  # fmt: skip

    steps = config.keras_steps
    keras_path = fit_with_keras(two_layers(config.units), path[0], LEARNING_RATE, x, y, steps)
    difference = largest_difference(path[: steps + 1], keras_path)
    lesson.claim(
        "model.fit takes the same {steps} steps: they differ by {difference:.0e} at most",
        difference < 1e-12, steps=steps, difference=difference,
    )  # fmt: skip

    grid = np.linspace(-3, 3, 200)[:, None]
    marks = [0, *(step for step in (100, 1000, 5000) if step < config.curve_steps), config.curve_steps]
    tried = {f"step {step:,}": (grid, forward(path[step], grid)[0]) for step in marks}
    straight = ("best line", (grid, line(best, grid)))
    title = f"{config.units} units of tanh bend into a sine"
    lesson.figure(fits(lesson.run / "curve.png", (x, y), tried, title, straight))
    series = {
        "fresh points": (shown, fresh),
        "its own points": (shown, own),
        "variance of the noise": (shown[[0, -1]], [0.04] * 2),
    }
    title = "The loss curve: below the noise, points are learned by heart"
    lesson.figure(curves(lesson.run / "loss.png", series, "step", "loss", title, log="x", markers=False))


# %% [markdown]
# ## What it says, and an exercise
# - Learning is going down a slope. For a line the lowest point has a formula, and the walk ends at it.
# - The learning rate has a hard limit that the curvature sets, and a narrow valley is slow whatever one chooses.
#   Everything that is called an optimiser (momentum, Adam) is about this valley.
# - Back-propagation is the chain rule from the end to the beginning. It is exact, and it costs a few passes forward
#   however many parameters there are, where nudging costs two passes for *each*.
# - A second layer behind a bent function fits what no line can, and given time also what it should not: the noise.
#
# **Exercise.** Start the network with all entries of `kernel` equal, and all of `bias` and of `out_kernel`. Predict
# from `backward` what becomes of the units, then look at `path[-1]`. And give the line its `x` in centimetres
# (`x * 100`): what becomes of the largest learning rate, and how would you mend it?

# %%
if __name__ == "__main__":
    main()
