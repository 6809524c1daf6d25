# %% [markdown]
# # 09 Attention
#
# **Question.** A network has many things in front of it and needs one of them. How does it look one up, when it does
# not know where it stands, when nothing fits exactly, and when the look-up has to be learned by going down a slope?
#
#     python tutorials/09_attention.py                      about 4 minutes on two cores
#
# A *query* says what is wanted, a *key* says what something is, a *value* is what one gets for it. All of attention is
# three lines, and everything below is about the first:
#
# $$e_s = \mathrm{score}(q, k_s), \qquad \alpha_s = \frac{\exp e_s}{\sum_{s'} \exp e_{s'}}, \qquad
#   o = \sum_s \alpha_s v_s$$

# %%
import dataclasses

import numpy as np
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson."""

    points: int = 60  # of the noisy curve
    noise: float = 0.3
    width_steps: int = 300
    rules: tuple = ("dot", "scaled_dot", "general", "additive", "tanh_sum", "concat_linear")
    pairs: int = 16  # in a source of the look-up task
    symbols: int = 64
    features: int = 32
    sources: int = 2000  # seen between two looks at the accuracy
    looks: int = 15
    draws: int = 2000  # random queries, to see what sqrt(d) does
    wide: int = 256  # features of the training with scores that are too large
    seed: int = 0


SMOKE = {
    "points": 12, "width_steps": 5, "rules": ("scaled_dot", "additive", "concat_linear"), "pairs": 4, "symbols": 8,
    "features": 8, "sources": 200, "looks": 1, "draws": 50, "wide": 16,
}  # fmt: skip


def main(argv=None):
    """From a table of three rows to every scoring rule, trained."""
    lesson = Lesson(__file__, "Query, key and value; every scoring rule on one task; masks; why sqrt(d).", argv)
    config = dataclasses.replace(Config(), **SMOKE) if lesson.smoke else Config()
    look_up_softly(lesson)
    show_units_matter(lesson)
    regress(lesson, config)
    lose_the_query(lesson, config)
    trained = compare_rules(lesson, config)
    draw_what_rules_look_at(lesson, config, trained)
    mask(lesson, config, trained["scaled_dot"])
    divide_by_root_d(lesson, config)
    train_without_root_d(lesson, config)
    lesson.finish()


# %% [markdown]
# ## A table with three rows
# | weight in kg | height in cm | age |
# |---|---|---|
# | 50 | 160 | 50 |
# | 65 | 165 | 23 |
# | 60 | 175 | 21 |
#
# How old is somebody of 63 kg and 170 cm? An exact look-up finds nothing: nobody in the table is 63 kg and 170 cm. A
# *soft* look-up asks everybody, and listens more to those who are alike. Weight and height are the keys, age is the
# value, (63, 170) is the query. The plainest measure of likeness is the dot product, $e_s = q \cdot k_s$.
#
# First the columns are standardised: from each its mean is taken, and what is left is divided by its spread. Then 0 is
# an ordinary weight, and +1 a heavy one.
#
# The *temperature* $\tau$ says how hard to choose: $\alpha = \mathrm{softmax}(e / \tau)$. Attention in a Transformer
# takes $\tau = \sqrt{\text{features}}$, here $\sqrt 2$; the end of this lesson says why.

# %%
PEOPLE = np.array([[50.0, 160.0], [65.0, 165.0], [60.0, 175.0]])  # weight, height
AGES = np.array([50.0, 23.0, 21.0])
SOMEBODY = np.array([63.0, 170.0])


def standardised(rows):
    """Weights and heights counted from the table's mean, in units of its spread."""
    return (rows - PEOPLE.mean(axis=0)) / PEOPLE.std(axis=0)


def soft_look_up(query, keys, values, temperature):
    """The three lines of attention: the answer and the weights."""
    scores = keys @ query / temperature  # (rows,)
    exponentials = np.exp(scores - scores.max())  # the same weights, and nothing overflows
    weights = exponentials / exponentials.sum()
    return weights @ values, weights


def look_up_softly(lesson):
    """The age of somebody, by hand, by the library, and at every temperature."""
    from keras_seq.layers.attention import Attention
    from keras_seq.plots.curves import curves

    print("\nA table with three rows")
    query, keys = standardised(SOMEBODY), standardised(PEOPLE)
    for row, key in enumerate(keys, 1):
        lesson.number(f"score of row {row}, {key.round(2)} with {query.round(2)}", keys[row - 1] @ query, ".3f")
    age, weights = soft_look_up(query, keys, AGES, np.sqrt(2))
    for row, weight in enumerate(weights, 1):
        lesson.number(f"weight of row {row}", weight, ".3f")
    lesson.number("age, the weighted sum of 50, 23 and 21", age, ".2f")
    layer = Attention("scaled_dot")
    output = np.asarray(layer(query[None, None], AGES[None, :, None], keys[None]))[0, 0, 0]
    lesson.claim(
        "the library's Attention('scaled_dot') says {output:.4f} as well", abs(output - age) < 1e-4, output=output
    )
    temperatures = np.geomspace(0.01, 100, 81)
    answers, weights = zip(*(soft_look_up(query, keys, AGES, now) for now in temperatures), strict=True)
    lesson.claim(
        "cold, it takes the best row alone ({cold:.2f}); hot, nearly the mean of the column ({hot:.2f}; {mean:.2f})",
        abs(answers[0] - 21) < 0.01 and abs(answers[-1] - AGES.mean()) < 0.5,
        cold=answers[0], hot=answers[-1], mean=AGES.mean(),
    )  # fmt: skip
    names = ("50 kg, 160 cm, age 50", "65 kg, 165 cm, age 23", "60 kg, 175 cm, age 21")
    series = {name: (temperatures, row) for name, row in zip(names, np.transpose(weights), strict=True)}
    title = "The weights of the three rows: from one row alone to all alike"
    lesson.figure(
        curves(lesson.run / "temperature.png", series, "temperature", "weight", title, log="x", markers=False)
    )


# %% [markdown]
# A weighted mean never leaves the range of what it is a mean of: no temperature makes anybody younger than 21. And it
# is smooth in the query, the keys and the values: it has a slope everywhere, so all three can be learned. That is what
# the softness is for.
#
# ## Why standardise
# Without it the dot product measures something else. Its largest part is then that everybody is heavier than 0 kg and
# taller than 0 cm, and the unit of a column decides how much the column counts: height in metres hardly counts at all.
# An answer should not depend on the unit.
#
# One thing remains. The dot product still prefers keys that are *long*, whether they are near or not:
#
# $$-\tfrac12 |q - k|^2 \;=\; q \cdot k - \tfrac12 |k|^2 - \tfrac12 |q|^2$$
#
# The last part is the same for all keys, and the softmax does not see what is added to all scores. So the nearest
# neighbour in the sense of distance and the best match in the sense of the dot product differ by the keys' lengths,
# which is one reason to normalise what goes into attention (lesson 11 has layer normalisation).


# %%
def show_units_matter(lesson):
    """The raw table in three units of height; distance against dot product."""
    print("\nWhy standardise")
    answers = {}
    for unit, factor in (("m", 0.01), ("cm", 1.0), ("mm", 10.0)):
        scale = np.array([1.0, factor])
        raw, weights = soft_look_up(SOMEBODY * scale, PEOPLE * scale, AGES, np.sqrt(2))
        answers[unit] = raw
        lesson.number(f"age from the raw table, height in {unit}", raw, ".2f")
        lesson.number(f"largest weight, height in {unit}", weights.max(), ".6f")
    lesson.claim(
        "raw, one row gets everything, and the unit says which: age {metres:.0f} in m, {centimetres:.0f} in cm",
        abs(answers["m"] - answers["cm"]) > 1, metres=answers["m"], centimetres=answers["cm"],
    )  # fmt: skip
    query, keys = standardised(SOMEBODY), standardised(PEOPLE)
    distances = np.sum((keys - query) ** 2, axis=1)
    by_dot, by_distance = int(np.argmax(keys @ query)) + 1, int(np.argmin(distances)) + 1
    lesson.claim(
        "standardised, the dot product likes row {by_dot} best, but row {by_distance} is nearer "
        "(distances {near:.2f} and {far:.2f})",
        by_dot == 3 and by_distance == 2,
        by_dot=by_dot, by_distance=by_distance, near=distances.min() ** 0.5, far=distances[by_dot - 1] ** 0.5,
    )  # fmt: skip


# %% [markdown]
# ## Kernel regression: attention sixty years ago
# With distance as the score, attention is a method of statistics, by Nadaraya and by Watson, both of 1964. Points
# $(x_s, y_s)$ lie around a curve; what is $y$ at a new $x$? The mean of the known $y_s$, weighted by nearness:
#
# $$e_s = -\frac{(x - x_s)^2}{2 \sigma^2}, \qquad \hat y(x) = \sum_s \mathrm{softmax}_s(e)\, y_s$$
#
# The query is $x$, the keys are $x_s$, the values are $y_s$; the width $\sigma$ is how far one looks around. The
# library's `Attention` takes any scoring rule that is written as below, and `model.fit` can learn the width.
#
# What is it to learn from? From the points themselves: hide each point from itself, and predict it from the others. A
# mask does that. Without the mask there is a cheaper way to predict a point: look at nothing but the point.


# %%
def gaussian_rule(width, trainable):
    """A scoring rule of our own: nearness, with one weight, the logarithm of the width."""
    import keras
    from keras import ops

    from keras_seq.layers.scores import ScoringRule

    class Gaussian(ScoringRule):
        def build(self, query_shape, key_shape):
            start = keras.initializers.Constant(np.log(width))
            self.log_width = self.add_weight(shape=(), initializer=start, trainable=trainable, name="log_width")
            self.built = True

        def compare(self, query, key):
            differences = ops.expand_dims(query, 2) - ops.expand_dims(key, 1)  # (batch, target, source, features)
            return -ops.sum(differences**2, axis=-1) / (2 * ops.exp(2 * self.log_width))  # (batch, target, source)

    return Gaussian()


def kernel_regression(width, trainable=False):
    """A model of (x asked, x known, y known, which pairs may meet) and its rule."""
    import keras

    from keras_seq.layers.attention import Attention

    asked, known_x, known_y = (keras.Input((None, 1), name=name) for name in ("query", "key", "value"))
    meet = keras.Input((None, None), dtype="bool", name="mask")
    rule = gaussian_rule(width, trainable)
    output, weights = Attention(rule)(asked, known_y, known_x, attention_mask=meet, return_attention_scores=True)
    return keras.Model([asked, known_x, known_y, meet], [output, weights]), rule


def noisy_curve(config):
    """Points around a curve: x, rising, and y, `(points, 1)` each."""
    random = np.random.default_rng(config.seed)
    x = np.sort(random.uniform(0, 5, (config.points, 1)), axis=0)
    return x, truth(x) + config.noise * random.normal(size=x.shape)


def truth(x):
    """The curve that the points lie around."""
    return np.sin(2 * x) + x / 2


def predict_curve(model, asked, x, y):
    """The prediction at each x asked, and the weights `(asked, points)`."""
    meet = np.ones((1, len(asked), len(x)), bool)
    output, weights = model([asked[None], x[None], y[None], meet])
    return np.asarray(output)[0], np.asarray(weights)[0]


def learn_width(config, x, y, hide):
    """The width that `model.fit` ends with, where each point predicts itself, hidden from itself or not."""
    import keras
    import tensorflow as tf

    model, rule = kernel_regression(1.0, trainable=True)
    trained = keras.Model(model.inputs, model.outputs[0])
    meet = ~np.eye(len(x), dtype=bool) if hide else np.ones((len(x), len(x)), bool)
    inputs = (x[None], x[None], y[None], meet[None])
    data = tf.data.Dataset.from_tensors((inputs, y[None])).repeat(config.width_steps)
    trained.compile(keras.optimizers.Adam(0.05), "mse")
    trained.fit(data, shuffle=False, verbose=0)
    return float(np.exp(rule.log_width))


def regress(lesson, config):
    """Fixed widths against a learned one, with and without hiding each point from itself."""
    from keras_seq.plots.heat_maps import HeatMap, heat_maps
    from keras_seq.plots.regression import fits

    print("\nKernel regression")
    x, y = noisy_curve(config)
    grid = np.arange(0, 5, 0.025)[:, None]

    def error(width):
        prediction, _ = predict_curve(kernel_regression(width)[0], grid, x, y)
        return float(np.sqrt(np.mean((prediction - truth(grid)) ** 2)))

    learned, by_heart = (learn_width(config, x, y, hide) for hide in (True, False))
    widths = {"wide": 2.0, "learned": learned, "by heart": by_heart}
    for name, width in widths.items():
        lesson.number(f"width, {name}", width, ".3g")
        lesson.number(f"error against the true curve, {name}", error(width), ".3f")
    flat = float(np.sqrt(np.mean((y.mean() - truth(grid)) ** 2)))
    lesson.number("error of the plain mean of all points", flat, ".3f")
    best = min((error(width), width) for width in np.geomspace(0.03, 1, 25))
    lesson.number("error of the best width there is (found with the true curve)", best[0], ".3f")
    lesson.number("the best width", best[1], ".3g")
    lesson.claim(
        "the learned width is {ratio:.2f} times as far off as the best there is, the plain mean {mean:.1f} times",
        error(learned) < 1.25 * best[0] < flat, ratio=error(learned) / best[0], mean=flat / best[0],
    )  # fmt: skip
    lesson.claim(
        "points that see themselves teach a width of {by_heart:.1g}; its error is {worse:.1f} times the learned one's",
        by_heart < learned / 3, by_heart=by_heart, worse=error(by_heart) / error(learned),
    )  # fmt: skip
    predictions = {name: predict_curve(kernel_regression(width)[0], grid, x, y) for name, width in widths.items()}
    lines = {f"{name}, {width:.2g}": (grid, predictions[name][0]) for name, width in widths.items()}
    title = "Kernel regression: a width of each kind"
    lesson.figure(fits(lesson.run / "regression.png", (x, y), lines, title, ("true curve", (grid, truth(grid)))))
    labels = {"xlabel": "known point, by its x", "ylabel": "x asked, in steps of 0.025"}
    maps = [HeatMap(predictions[name][1], f"{name}: width {width:.2g}", **labels) for name, width in widths.items()]
    lesson.figure(heat_maps(lesson.run / "regression_weights.png", maps, "Whom each x listens to"))


# %% [markdown]
# ## Scores that are learned, and one that cannot be
# The width was one learned number in the score. A network would rather learn the score whole. The simplest idea: put
# query and key beside each other and apply a linear map, $e_s = w \cdot [q; k_s]$. It cannot work:
#
# $$w \cdot [q; k_s] = w_q \cdot q + w_k \cdot k_s$$
#
# The first part is the same for every $s$, and the softmax does not see what is added to all scores. The weights are
# the same whatever is asked, and $w_q$ gets no gradient that could change that. Bahdanau's rule (2015) puts a tanh
# between, and a sum over several of them: $e_s = v \cdot \tanh(W_q q + W_k k_s)$. That a curved function stands there
# is all the difference.


# %%
def lose_the_query(lesson, config):
    """Weights for different queries, with and without the tanh; and the gradient of what belongs to the query."""
    print("\nScores that are learned, and one that cannot be")
    random = np.random.default_rng(config.seed)
    queries, keys = random.normal(size=(5, 8)), random.normal(size=(7, 8))
    query_map, key_map, last = random.normal(size=(8, 16)), random.normal(size=(8, 16)), random.normal(size=16)

    def weights(between, query_map):
        hidden = between((queries @ query_map)[:, None] + (keys @ key_map)[None])  # (queries, keys, 16)
        exponentials = np.exp(hidden @ last)
        return exponentials / exponentials.sum(axis=1, keepdims=True)  # (queries, keys)

    differ, slope = {}, {}
    for name, between in (("without tanh", lambda x: x), ("with tanh", np.tanh)):
        differ[name] = np.abs(weights(between, query_map) - weights(between, query_map)[:1]).max()
        lesson.number(f"largest difference between the weights of five queries, {name}", differ[name], ".1e")
        nudge = 1e-5 * random.normal(size=query_map.shape)
        change = weights(between, query_map + nudge) - weights(between, query_map - nudge)
        slope[name] = np.abs(change).max() / 2e-5
        lesson.number(f"slope of the weights by W_q, {name}", slope[name], ".1e")
    lesson.claim(
        "without tanh every query gets the same weights (to {none:.0e}) and W_q has no slope; with tanh they differ by "
        "{some:.2f}",
        differ["without tanh"] < 1e-10 and slope["without tanh"] < 1e-8 and differ["with tanh"] > 0.01,
        none=differ["without tanh"], some=differ["with tanh"],
    )  # fmt: skip


# %% [markdown]
# ## Every scoring rule on one task
# | rule | score | to be learned |
# |---|---|---|
# | dot | $q \cdot k$ | nothing |
# | scaled dot | $q \cdot k / \sqrt d$ | nothing |
# | general | $q \cdot W k$ | $W$ |
# | additive | $v \cdot \tanh(W_q q + W_k k + b)$ | $W_q, W_k, b, v$ |
# | tanh sum | $\sum \tanh(W_q q + W_k k + b)$ | $W_q, W_k, b$ |
#
# The classic lesson has one more, concat-linear: a linear map of [query; one more vector] to a *fixed number of source
# positions*. It does not look at the keys of the source at all (which is how it gets around the trap above). Here the
# vector beside the query is the mean of the source's keys: it says what is in the source, not where.
#
# The task is the smallest that attention is for. A source is 16 pairs of a key and a value, such as *7 → 3*, drawn anew
# each time. The question is a key, the answer its value. The same model and the same training for each rule; only the
# rule is exchanged. Three ways to ask:
#
# - **by content**: the embeddings of keys and of questions are learned with the rest;
# - **by content, embeddings fixed**: keys and questions have different embeddings that nothing can change. Now the rule
#   itself has to learn how the two languages hang together;
# - **by position**: the question is a number, *the third pair*. Keys have their position added (lesson 11).
#
# Who knows what is in the source and not what is asked does best to say its commonest value.


# %%
CONTENT, FIXED, POSITION = "content", "content, fixed", "position"
WAYS = {
    CONTENT: {"by": "content"},
    FIXED: {"by": "content", "fixed": True, "scale": 1.0},
    POSITION: {"by": "position", "positions": True},
}


def look_up_model(config, rule, fixed=False, positions=False, scale=0.05):
    """A model from the ids of questions, keys and values to logits of the answers; its other output is the weights.

    Args:
        config: Config.
        rule: str, one of `config.rules`.
        fixed: bool, whether the embeddings of keys and questions are random and stay so.
        positions: bool, whether keys have their position added.
        scale: float, how large embeddings start.

    Returns:
        the model and its attention layer.
    """
    import keras
    from keras import ops

    from keras_seq.layers.attention import Attention
    from keras_seq.layers.concat_linear import ConcatLinearAttention
    from keras_seq.layers.positions import SinusoidalPositions

    def embed(name, scale, **kwargs):
        inputs[name] = keras.Input((None,), dtype="int32", name=name)
        start, label = keras.initializers.RandomNormal(stddev=scale), f"{name}_embedding"
        layer = keras.layers.Embedding(config.symbols + 1, config.features, start, mask_zero=True, name=label, **kwargs)
        return layer(inputs[name])

    inputs = {}
    query, key = embed("query", scale, trainable=not fixed), embed("key", scale, trainable=not fixed)
    value = embed("value", 0.05 if fixed else scale)
    key = SinusoidalPositions()(key) if positions else key
    if rule == "concat_linear":
        beside = ops.zeros_like(query) + ops.mean(key, axis=1, keepdims=True)  # (batch, asked, features)
        attention = ConcatLinearAttention(config.pairs)
        context, weights = attention(query, value, beside, return_attention_scores=True)
    else:
        attention = Attention(rule, config.features if rule in ("additive", "tanh_sum") else None)
        context, weights = attention(query, value, key, return_attention_scores=True)
    logits = keras.layers.Dense(config.symbols + 1, name="answer")(context)
    return keras.Model(inputs, [logits, weights]), attention


def train(config, model, by):
    """Trains on new sources; returns sources seen and the accuracy on others, at each look."""
    import keras
    import tensorflow as tf

    from keras_seq.data.lookup import lookup

    def look(epoch, logs):
        accuracies.append(accuracy(model(others)[0], answers))

    asked, accuracies = min(4, config.pairs), []
    sources = lookup(config.sources * config.looks, config.pairs, config.symbols, asked, by, config.seed)
    others, answers = lookup(1000, config.pairs, config.symbols, asked, by, config.seed + 1)
    data = tf.data.Dataset.from_tensor_slices(sources).batch(50, drop_remainder=True).repeat().prefetch(2)
    answering = keras.Model(model.inputs, model.outputs[0])
    answering.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    answering.fit(
        data, epochs=config.looks, steps_per_epoch=config.sources // 50, shuffle=False, verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=look)],
    )  # fmt: skip
    return [config.sources * (look + 1) for look in range(config.looks)], accuracies


def compare_rules(lesson, config):
    """Every rule on every way of asking; returns the models that were trained by content."""
    import keras

    from keras_seq.data.lookup import lookup
    from keras_seq.plots.curves import curves
    from keras_seq.plots.heat_maps import HeatMap, heat_maps

    print("\nEvery scoring rule on one task")
    score, learning, trained, weights = {}, {}, {}, {}
    for way, options in WAYS.items():
        for rule in config.rules:
            keras.utils.set_random_seed(config.seed)
            by, *others = options.items()
            model, attention = look_up_model(config, rule, **dict(others))
            seen, history = train(config, model, by[1])
            score[rule, way] = history[-1]
            lesson.number(f"accuracy by {way}: {rule}", history[-1], ".3f")
            weights[rule] = attention.count_params()
            if way == CONTENT:
                trained[rule] = model
                lesson.number(f"weights of the rule: {rule}", weights[rule], ",.0f")
            if way == FIXED:
                learning[rule] = (seen, history)
    inputs, _ = lookup(1000, config.pairs, config.symbols, seed=config.seed + 1)
    counts = (inputs["value"][:, :, None] == inputs["value"][:, None]).sum(axis=2)  # (sources, pairs)
    guess = (counts.max(axis=1) / config.pairs).mean()
    lesson.number("accuracy of saying the commonest value of the source", guess, ".3f")
    scoring = [rule for rule in config.rules if rule != "concat_linear"]
    worst = min(score[rule, CONTENT] for rule in scoring)
    lesson.claim("by content every scoring rule answers, the worst {worst:.1%}", worst > 0.99, worst=worst)
    able = min(score[rule, FIXED] for rule in scoring if weights[rule])
    unable = max(score[rule, FIXED] for rule in scoring if not weights[rule])
    lesson.claim(
        "where embeddings are fixed, rules with weights answer {able:.1%} or more, rules without {unable:.1%} at most",
        able > 0.5 and unable < guess, able=able, unable=unable,
    )  # fmt: skip
    place, content = score["concat_linear", POSITION], score["concat_linear", CONTENT]
    lesson.claim(
        "concat-linear answers by position ({place:.1%}) and not by content ({content:.1%}; guessing {guess:.1%})",
        place > 0.99 and content < guess + 0.05, place=place, content=content, guess=guess,
    )  # fmt: skip
    keras.utils.set_random_seed(config.seed)
    _, blind = train(config, look_up_model(config, "scaled_dot")[0], "position")
    lesson.claim(
        "a scoring rule sees a set: without positions in the keys it answers {blind:.1%} by position, with them "
        "{seeing:.1%}",
        blind[-1] < guess + 0.05 and score["scaled_dot", POSITION] > 0.95,
        blind=blind[-1], seeing=score["scaled_dot", POSITION],
    )  # fmt: skip
    matrix = np.array([[score[rule, way] for way in WAYS] for rule in config.rules])
    table = HeatMap(matrix, "accuracy on new sources", list(config.rules), list(WAYS), form=".3f", highest=1)
    lesson.figure(heat_maps(lesson.run / "rules.png", [table]))
    del learning["concat_linear"]
    title = "By content, embeddings fixed: who can learn what the query means"
    lesson.figure(curves(lesson.run / "learning.png", learning, "sources seen", "accuracy", title, percent=True))
    return trained


# %% [markdown]
# ## What they look at
# One source, four questions, all rules, trained by content. A row is a question, a column a pair of the source, dark is
# much weight; the right pair is outlined.
#
# The rules take sources of any length, also of one that they were not trained on. Concat-linear has its weights counted
# out: one for each position.


# %%
def draw_what_rules_look_at(lesson, config, trained):
    """Heat maps of all rules on one source; accuracy on sources three times as long."""
    from keras_seq.data.lookup import lookup
    from keras_seq.plots.heat_maps import HeatMap, heat_maps

    print("\nWhat they look at")
    inputs, _ = lookup(1, config.pairs, config.symbols, min(4, config.pairs), seed=config.seed + 2)
    query, key, value = (inputs[name][0].tolist() for name in ("query", "key", "value"))
    pairs, right = [f"{a}→{b}" for a, b in zip(key, value, strict=True)], [key.index(asked) for asked in query]
    maps = []
    for rule, model in trained.items():
        weights = np.asarray(model(inputs)[1])[0]  # (asked, pairs)
        on_right = weights[range(len(query)), right].mean()
        lesson.number(f"weight on the right pair, mean of four: {rule}", on_right, ".3f")
        maps.append(
            HeatMap(
                weights, f"{rule}: {on_right:.2f} on the right pair", [f"{asked}?" for asked in query], pairs,
                marks=tuple(enumerate(right)), highest=1,
            )
        )  # fmt: skip
    lesson.figure(heat_maps(lesson.run / "weights.png", maps, "Where each rule looks", across=2))

    length = min(3 * config.pairs, config.symbols)
    longer, answers = lookup(500, length, config.symbols, 4, seed=config.seed + 3)
    scores = {rule: accuracy(trained[rule](longer)[0], answers) for rule in trained if rule != "concat_linear"}
    for rule, score in scores.items():
        lesson.number(f"accuracy on sources of {length} pairs: {rule}", score, ".3f")
    lesson.claim(
        "trained on {pairs} pairs, the scoring rules answer {low:.1%} to {high:.1%} of {length} pairs",
        min(scores.values()) > 0.9, pairs=config.pairs, length=length, low=min(scores.values()),
        high=max(scores.values()),
    )  # fmt: skip
    try:
        trained["concat_linear"](longer)
        refused = None
    except ValueError as error:
        refused = str(error)[str(error).index("value of shape") :].partition(":")[0]
    lesson.claim("concat-linear takes no other length: {refused}", refused, refused=refused)


def accuracy(logits, answers):
    """Share of the answers that are given."""
    return float((np.argmax(np.asarray(logits), axis=-1) == answers).mean())


# %% [markdown]
# ## Masked softmax
# Sources of different lengths in one batch are padded to the longest. Padding must get no weight:
#
# $$\alpha_s = \frac{m_s \exp e_s}{\sum_{s'} m_{s'} \exp e_{s'}}, \qquad m_s = 1 \text{ where there is something, else }
#   0$$
#
# In practice the scores of the padding are replaced by a large negative number before the softmax. A classic bug is
# to replace them by a *tiny* number, 1e-9, where -1e9 was meant. A score of about 0 is not low: $\exp 0 = 1$, as much
# as an ordinary key has. Nothing breaks, the weights still sum to 1, and the model even trains. It is only wrong, and
# the more padding, the more.
#
# -1e9 itself is safe in float32, but it is minus infinity in float16, and a row with nothing but padding then becomes
# NaN. `masked_softmax` computes in float32 and gives such a row weights of zero.


# %%
def tiny_number_bug(scores, mask):
    """What not to do: softmax of scores in which padding has 1e-9."""
    exponentials = np.exp(np.where(mask, scores, 1e-9))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def mask(lesson, config, model):
    """The masked softmax by numbers; the bug in an untrained and in a trained model."""
    from keras_seq.layers.attention import masked_softmax
    from keras_seq.plots.curves import curves

    print("\nMasked softmax")
    scores, keep = np.array([[2.0, 1.0, 0.0, 0.0, 0.0]], "float32"), np.array([[True, True, False, False, False]])
    right, wrong = np.asarray(masked_softmax(scores, keep))[0], tiny_number_bug(scores, keep)[0]
    print(f"  scores 2, 1, three of padding: {right.round(3)} masked; {wrong.round(3)} with 1e-9")
    lesson.claim(
        "1e-9 gives three places of padding {share:.1%} of the weight, and takes {off:.3f} from the first key",
        wrong[2:].sum() > 0.1 and right[2:].sum() == 0, share=wrong[2:].sum(), off=right[0] - wrong[0],
    )  # fmt: skip
    nothing = np.zeros((1, 3), bool)
    with np.errstate(over="ignore", invalid="ignore"):
        half = np.where(nothing, scores[:, :3], -1e9).astype("float16")
        exponentials = np.exp(half - half.max())
        naive = float((exponentials / exponentials.sum())[0, 0])
    ours = np.asarray(masked_softmax(scores[:, :3].astype("float16"), nothing))[0]
    lesson.claim(
        "a row of padding in float16: {naive} with -1e9, {ours} by masked_softmax",
        np.isnan(naive) and not ours.any(), naive=naive, ours=ours.tolist(),
    )  # fmt: skip

    paddings = [0, 1, 2, 4, 8, 16, 32, 64, 128]
    sharp, before, after = scores_when_padded(config, model, paddings[-1])
    flat = np.random.default_rng(config.seed).normal(size=sharp.shape)
    share = {"before training": [], "the trained model": []}
    for padding in paddings:
        keep = np.arange(config.pairs + padding) < config.pairs
        for name, all_scores in zip(share, (flat, sharp), strict=True):
            wrong = tiny_number_bug(all_scores[..., : len(keep)], keep)
            share[name].append(wrong[..., ~keep].sum(axis=-1).mean())
    lesson.number(f"share of {paddings[-1]} places of padding with 1e-9, before training", share["before training"][-1])
    lesson.number(f"share of {paddings[-1]} places of padding with 1e-9, trained", share["the trained model"][-1])
    lesson.claim(
        "the trained model answers {before:.1%}, and padded with the mask {after:.1%}; its weights differ by {off:.0e}",
        before[0] - after[0] < 1e-3, before=before[0], after=after[0], off=np.abs(before[1] - after[1]).max(),
    )  # fmt: skip
    series = {name: (paddings, values) for name, values in share.items()}
    title = f"What padding takes with 1e-9 instead of a mask ({config.pairs} keys that count)"
    lesson.figure(
        curves(lesson.run / "mask_bug.png", series, "places of padding", "share of the weight", title, percent=True)
    )


def scores_when_padded(config, model, padding):
    """The trained model's scores on padded sources; accuracy and weights without padding, and padded with the mask.

    Returns:
        the scores `(sources, 1, pairs + padding)`, and two pairs of accuracy and weights `(sources, 1, pairs)`.
    """
    from keras_seq.data.lookup import lookup
    from keras_seq.layers.scores import dot_scores

    inputs, answers = lookup(500, config.pairs, config.symbols, 1, seed=config.seed + 4)
    padded = {name: np.pad(ids, ((0, 0), (0, padding))) for name, ids in inputs.items() if name != "query"}
    padded["query"] = inputs["query"]
    outcomes = []
    for given in (inputs, padded):
        logits, weights = (np.asarray(output) for output in model(given))  # the mask is made of the ids: 0 is padding
        outcomes.append((accuracy(logits, answers), weights[..., : config.pairs]))
    query, key = (model.get_layer(f"{name}_embedding")(padded[name]) for name in ("query", "key"))
    return np.asarray(dot_scores(query, key, np.sqrt(config.features))), *outcomes


# %% [markdown]
# ## Why divide by the square root of d
# Let all features of queries and keys be independent, with mean 0 and variance 1. A dot product is a sum of $d$ such
# products, so its variance is $d$, and its size grows like $\sqrt d$. The softmax of large scores gives everything to
# one key. Its derivative is
#
# $$\frac{\partial \alpha_i}{\partial e_j} = \alpha_i (\delta_{ij} - \alpha_j)$$
#
# and that is zero where the weights are 0 or 1: nothing is left to learn from. Dividing by $\sqrt d$ (Vaswani et al.,
# 2017) brings the variance back to 1, whatever $d$ is. Below: 64 random keys, and for each width the entropy of the
# weights ($\ln 64 = 4.16$ if all are alike, 0 if one has everything) and the size of that matrix of derivatives, the
# median over many queries. Up to some 60 features a choice that is a little harder has even more slope, as the figure
# shows; it is the wide ones that lose it.


# %%
def divide_by_root_d(lesson, config):
    """Variance of the scores, entropy of the weights and size of the softmax's derivative, by width."""
    from keras_seq.plots.curves import curves

    print("\nWhy divide by the square root of d")
    random = np.random.default_rng(config.seed)
    widths, keys = [1, 4, 16, 64, 256, 1024], 64
    entropy, slope, variance = ({"dot": [], "scaled_dot": []} for _ in range(3))
    for width in widths:
        query = random.normal(size=(config.draws, width))
        scores = query @ random.normal(size=(keys, width)).T  # (draws, keys)
        for name, divisor in (("dot", 1.0), ("scaled_dot", np.sqrt(width))):
            scaled = scores / divisor
            exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
            weights = exponentials / exponentials.sum(axis=1, keepdims=True)
            variance[name].append(scaled.var())
            entropy[name].append(-(weights * np.log(weights + 1e-300)).sum(axis=1).mean())
            squares = np.sum(weights**2, axis=1)
            norms = np.sqrt(np.maximum(squares - 2 * np.sum(weights**3, axis=1) + squares**2, 0))
            slope[name].append(np.median(norms) + 1e-16)
    for name in variance:
        for width, spread, mess, size in zip(widths, variance[name], entropy[name], slope[name], strict=True):
            if width in (4, 64, 1024):
                lesson.number(f"d = {width}, {name}: variance of the scores", spread)
                lesson.number(f"d = {width}, {name}: entropy of the weights", mess, ".2f")
                lesson.number(f"d = {width}, {name}: size of the derivative (median)", size, ".1e")
    lesson.claim(
        "at d = 1024 the variance is {large:.0f}, divided {small:.2f}; the entropy {sharp:.2f} against {soft:.2f}",
        0.8 < variance["dot"][-1] / 1024 < 1.2 and entropy["dot"][-1] < 0.5 < 3 < entropy["scaled_dot"][-1],
        large=variance["dot"][-1], small=variance["scaled_dot"][-1], sharp=entropy["dot"][-1],
        soft=entropy["scaled_dot"][-1],
    )  # fmt: skip
    lesson.claim(
        "a narrow head needs no division: at d = 16 the derivative is {small:.2f} without and {divided:.2f} with it",
        slope["dot"][2] > slope["scaled_dot"][2], small=slope["dot"][2], divided=slope["scaled_dot"][2],
    )  # fmt: skip
    lesson.claim(
        "from d = 64 to 1024 the derivative falls {fall:.0e}-fold without the division, and {scaled:.2f}-fold with it",
        slope["dot"][3] / slope["dot"][-1] > 100, fall=slope["dot"][3] / slope["dot"][-1],
        scaled=slope["scaled_dot"][3] / slope["scaled_dot"][-1],
    )  # fmt: skip
    for name, values, label in (("entropy", entropy, "entropy"), ("derivative", slope, "size of the derivative")):
        series = {rule: (widths, values[rule]) for rule in values}
        title = {
            "entropy": "The wider, the harder the choice",
            "derivative": "The harder the choice, the less to learn",
        }
        log = "xy" if name == "derivative" else "x"
        lesson.figure(curves(lesson.run / f"root_d_{name}.png", series, "features d", label, title[name], log=log))


# %% [markdown]
# ## Does it matter in training?
# On the task above, `dot` learned as well as `scaled_dot`. Embeddings there start small, about 0.05, so no score is
# large, and a division only makes a soft start softer. Let them start with variance 1, as features are behind a layer
# normalisation, and 256 wide: that is the case that the $\sqrt d$ is for.
#
# And `general` was late where embeddings are fixed, and have variance 1. Luong's rule does not divide. A rule of our
# own does: $q \cdot W k / \sqrt d$.


# %%
def scaled_general_rule():
    """Luong's rule, divided."""
    from keras_seq.layers.scores import GeneralScore, dot_scores

    class ScaledGeneral(GeneralScore):
        def compare(self, projected_query, projected_key):
            return dot_scores(projected_query, projected_key, np.sqrt(projected_key.shape[-1]))

    return ScaledGeneral()


def train_without_root_d(lesson, config):
    """dot and general on the look-up task, divided and not, with embeddings that start large and small."""
    import keras

    from keras_seq.plots.curves import curves

    print("\nDoes it matter in training?")
    wide = dataclasses.replace(config, features=config.wide)
    trials = {
        "dot, size 1": (wide, "dot", {"scale": 1.0}),
        "dot / √d, size 1": (wide, "scaled_dot", {"scale": 1.0}),
        "dot, size 0.05": (wide, "dot", {"scale": 0.05}),
        "general, fixed": (config, "general", {"scale": 1.0, "fixed": True}),
        "general / √d, fixed": (config, scaled_general_rule(), {"scale": 1.0, "fixed": True}),
    }
    learning = {}
    for name, (sizes, rule, options) in trials.items():
        keras.utils.set_random_seed(config.seed)
        learning[name] = train(sizes, look_up_model(sizes, rule, **options)[0], "content")
        lesson.number(f"accuracy: {name}", learning[name][1][-1], ".3f")
    last = {name: history[-1] for name, (_, history) in learning.items()}
    lesson.claim(
        "{wide} features of size 1: dot {dot:.1%}, divided {divided:.1%}; of size 0.05, not divided: {small:.1%}",
        last["dot, size 1"] < 0.6 and min(last["dot / √d, size 1"], last["dot, size 0.05"]) > 0.95,
        wide=config.wide, dot=last["dot, size 1"], divided=last["dot / √d, size 1"], small=last["dot, size 0.05"],
    )  # fmt: skip
    lesson.claim(
        "fixed embeddings of size 1: general {plain:.1%}, divided {divided:.1%}",
        last["general, fixed"] < 0.9 < 0.97 < last["general / √d, fixed"],
        plain=last["general, fixed"], divided=last["general / √d, fixed"],
    )  # fmt: skip
    for rule in ("dot", "general"):
        series = {name: curve for name, curve in learning.items() if name.startswith(rule)}
        title = f"{rule}: scores that start too large learn late or never"
        path = lesson.run / f"root_d_{rule}.png"
        lesson.figure(curves(path, series, "sources seen", "accuracy", title, percent=True))


# %% [markdown]
# ## What it says, and an exercise
# - Attention is a look-up that has a slope: a mean of the values, weighted by how well their keys fit the query.
# - The score is a choice. Distance makes it kernel regression; dot products are cheap and leave the fitting to what
#   comes before; rules with weights can fit by themselves what nothing before them can.
# - Without a curved function between, a linear score of [query; key] forgets the query. Concat-linear gets around that
#   by looking at places instead of keys, and pays with a fixed length.
# - A scoring rule sees a set. Order has to be put into the keys: lesson 11.
# - A mask is minus infinity, not a small number. The bug is silent.
# - $\sqrt d$ keeps the scores of features of variance 1 at variance 1. Where features are small it is not needed.
#
# **Exercise.** Give concat-linear the last state of a GRU over the pairs instead of the mean of their keys, so that the
# vector beside the query can say what stands where. How far does it come by content, with 4 pairs and with 16? And take
# the Gaussian rule, with a learned width, to the look-up task: by content, embeddings learned and fixed.

# %%
if __name__ == "__main__":
    main()
