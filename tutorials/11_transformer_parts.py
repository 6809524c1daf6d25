# %% [markdown]
# # 11 The parts of a Transformer
#
# **Question.** Attention sees a set (lesson 09). What has to be put around it to make a model of sequences that can be
# deep, and what does each part do? Every part here is taken out, or exchanged, and what happens is measured.
#
#     python tutorials/11_transformer_parts.py              about eleven minutes on two cores
#
# A layer of the encoder is two sub-layers, each inside a residual connection with a normalisation (Vaswani et al.,
# 2017, here with the normalisation before):
#
# $$h = x + \mathrm{attention}(\mathrm{norm}(x)), \qquad y = h + \mathrm{feedforward}(\mathrm{norm}(h))$$

# %%
import dataclasses
import statistics
import time

import numpy as np
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson."""

    features: int = 32
    heads: int = 4
    symbols: int = 10
    batch: int = 64
    seeds: tuple = (0, 1, 2)
    length: int = 32  # places seen in training
    steps: int = 800
    looks: int = 20  # at the accuracy, in training
    probe_positions: int = 512
    gradient_depths: tuple = (1, 2, 4, 8, 16)
    depths: tuple = (1, 4, 16)
    depth_length: int = 16
    depth_steps: int = 300
    head_counts: tuple = (1, 2, 4, 8)
    head_length: int = 16
    head_steps: int = 1000
    speed_lengths: tuple = (16, 32, 64, 128, 256, 512, 1024)
    speed_tokens: int = 8192
    speed_units: int = 64
    repeats: int = 5


SMOKE = {
    "features": 8, "heads": 2, "batch": 8, "seeds": (0,), "length": 8, "steps": 4, "looks": 2, "probe_positions": 64,
    "gradient_depths": (1,), "depths": (1,), "depth_length": 8, "depth_steps": 10, "head_counts": (1, 2),
    "head_length": 8, "head_steps": 4, "speed_lengths": (8, 16), "speed_tokens": 64, "speed_units": 8, "repeats": 1,
}  # fmt: skip


def main(argv=None):
    """Positions, masks, residual connections, heads and speed, one after another."""
    lesson = Lesson(__file__, "Positions, masks, residual connections, heads and speed.", argv)
    config = dataclasses.replace(Config(), **SMOKE) if lesson.smoke else Config()
    draw_positions(lesson, config)
    turn(lesson)
    compare_positions(lesson, config)
    probe(lesson, config)
    draw_masks(lesson)
    go_deep(lesson, config)
    count_heads(lesson, config)
    measure_speed(lesson, config)
    lesson.finish()


# %% [markdown]
# ## A map of positions
# To tell a set in what order it stands, each token gets its position added, as a vector. The sinusoidal ones:
#
# $$P(t)_{2i} = \sin(t\, w_i), \qquad P(t)_{2i+1} = \cos(t\, w_i), \qquad w_i = 10000^{-2i/d}$$
#
# Each pair of features is a hand of a clock. The first turns once in 6.3 positions, the last once in tens of thousands.
# How alike are two positions? The dot product of two unit vectors is the cosine of the angle between them, so
#
# $$P(t) \cdot P(u) = \sum_i \cos\big((t - u)\, w_i\big)$$
#
# It depends on the distance alone: the same everywhere along the sequence.


# %%
def draw_positions(lesson, config):
    """The map of positions, and their dot products."""
    from keras_seq.layers.positions import sinusoidal_positions
    from keras_seq.plots.curves import curves
    from keras_seq.plots.heat_maps import HeatMap, heat_maps

    print("\nA map of positions")
    positions = np.asarray(sinusoidal_positions(128, 64))
    products = positions @ positions.T  # (positions, positions)
    maps = [
        HeatMap(positions, "positions", xlabel="feature: fast waves to slow ones", ylabel="position"),
        HeatMap(products, "dot products of positions", xlabel="position", ylabel="position"),
    ]
    lesson.figure(heat_maps(lesson.run / "positions.png", maps))
    spread = max(np.ptp(np.diagonal(products, distance)) for distance in range(128))
    by_distance = products[0]
    lesson.number("dot product of a position with itself", by_distance[0], ".2f")
    for distance in (1, 2, 4, 8, 16, 32, 64):
        lesson.number(f"with the position {distance} further", by_distance[distance], ".2f")
    lesson.claim(
        "pairs of equal distance have equal products, to {spread:.0e} of {itself:.0f}",
        spread < 1e-3, spread=spread, itself=by_distance[0],
    )  # fmt: skip
    rises = int((np.diff(by_distance) > 0).sum())
    lesson.claim(
        "likeness falls with distance only roughly: in {rises} of 127 steps it rises again", rises > 0, rises=rises
    )
    series = {f"{features} features": (range(128), dots(features)) for features in (32, 64, 256)}
    title = "How alike a position is to one further on"
    lesson.figure(
        curves(lesson.run / "distance.png", series, "distance", "dot product / largest", title, markers=False)
    )


def dots(features):
    """The dot product of position 0 with each of 128, as a share of the one with itself."""
    from keras_seq.layers.positions import sinusoidal_positions

    positions = np.asarray(sinusoidal_positions(128, features))
    return positions @ positions[0] / (features / 2)


# %% [markdown]
# ## Why sine and cosine
# To look *k places back*, whatever the place, a query must be made from $P(t)$ that fits the key made from $P(t-k)$.
# Queries and keys are made by linear maps. Sine and cosine of one frequency are a point on a circle, and going $k$
# further is a turn of the circle, the same turn everywhere:
#
# $$\begin{pmatrix} \sin((t+k)w) \\ \cos((t+k)w) \end{pmatrix} =
#   \begin{pmatrix} \cos kw & \sin kw \\ -\sin kw & \cos kw \end{pmatrix}
#   \begin{pmatrix} \sin tw \\ \cos tw \end{pmatrix}$$
#
# A matrix $R_k$ of such blocks is all it takes. What if the same number of features were all sines? Then a wave passes
# each height twice in a turn, once rising and once falling, and cannot tell the two apart; and no linear map goes from
# $t$ to $t+k$: how the wave goes on depends on whether it rises or falls, which is what the cosine says.
#
# That sine and cosine *alternate* is a matter of writing. All sines first and all cosines after them are the same
# vectors with the features in another order, and a linear map that follows does not mind.


# %%
def rotation(shift, features):
    """The matrix that takes P(t) to P(t + shift), for every t."""
    matrix = np.zeros((features, features))
    for i in range(features // 2):
        angle = shift * 10000 ** (-2 * i / features)
        matrix[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [
            [np.cos(angle), np.sin(angle)],
            [-np.sin(angle), np.cos(angle)],
        ]
    return matrix


def only_sines(length, features):
    """As many features with as wide a range of frequencies, all of them sines."""
    return np.sin(np.arange(length)[:, None] * 10000 ** (-np.arange(features) / features))


def turn(lesson):
    """The shift as a linear map, exact and fitted; and what is lost with sines only."""
    from keras_seq.layers.positions import sinusoidal_positions

    print("\nWhy sine and cosine")
    length, features, shift = 1024, 32, 7
    wide = np.asarray(sinusoidal_positions(length + shift, features, dtype="float64"))
    matrix = rotation(shift, features).T
    error = np.abs(wide[:-shift] @ matrix - wide[shift:]).max()
    single = np.asarray(sinusoidal_positions(length + shift, features))
    rounded = np.abs(single[:-shift] @ matrix - single[shift:]).max()
    lesson.claim(
        "one matrix takes P(t) to P(t + {shift}) for all of {length} positions: to {error:.0e} in float64, and to "
        "{rounded:.0e} in float32, which rounds the angles",
        error < 1e-11 and rounded < 1e-4, shift=shift, length=length, error=error, rounded=rounded,
    )  # fmt: skip
    sines = only_sines(length + shift, features)
    left = {}
    for name, positions in (("sine and cosine", wide), ("sines only", sines)):
        here, there = positions[:256], positions[shift : 256 + shift]
        left[name] = np.abs(here @ np.linalg.lstsq(here, there, rcond=None)[0] - there).max()
        lesson.number(f"best linear map on 256 positions, largest error: {name}", left[name], ".1e")
        steps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        lesson.number(f"distance of neighbours, least: {name}", steps.min(), ".3f")
        lesson.number(f"distance of neighbours, most: {name}", steps.max(), ".3f")
    lesson.claim(
        "with sines only no linear map shifts even the positions that it was fitted on: it is wrong by {error:.2f}",
        left["sines only"] > 0.1 > 1e-9 > left["sine and cosine"], error=left["sines only"],
    )  # fmt: skip
    angles = 2 * np.pi / 32 * np.arange(32)
    alone, pair = with_twin(np.sin(angles)[:, None]), with_twin(np.stack([np.sin(angles), np.cos(angles)], axis=1))
    lesson.claim(
        "one wave, 32 positions a turn: by the sine alone {alone} of them have a twin, with the cosine {pair}",
        alone == 30 and pair == 0, alone=alone, pair=pair,
    )  # fmt: skip
    grouped = np.concatenate([wide[:, ::2], wide[:, 1::2]], axis=1)  # all sines, then all cosines
    change = np.abs(grouped @ grouped.T - wide @ wide.T).max()
    lesson.claim("all sines before all cosines changes dot products by {change:.0e}", change < 1e-9, change=change)


def with_twin(positions):
    """How many rows have another row equal to them."""
    apart = np.abs(positions[:, None] - positions[None]).max(axis=2) + np.eye(len(positions))
    return int((apart.min(axis=1) < 1e-9).sum())


# %% [markdown]
# ## Sinusoidal, learned, random, none
# A task that is all order: ids are drawn by lot, and at each place the id that stood *three places before* is to be
# said. One encoder layer, 32 places, and four kinds of positions: sinusoidal; learned, one vector a place; random, the
# same size as sinusoidal, drawn once and never trained; and none.
#
# Would random do? A place has to be told from the others, and random vectors do that. What they lack is that the step
# from $t$ to $t+3$ is the same everywhere: for the model it is 29 facts to be learned one by one. And then the sequence
# gets longer than any in training.


# %%
KINDS = ("sinusoidal", "learned", "random", "none")


def positions_of(kind, length):
    """The layer that adds positions of a kind, for sequences of up to `length`."""
    import keras

    from keras_seq.layers.positions import LearnedPositions, RandomPositions, SinusoidalPositions

    if kind == "sinusoidal":
        return SinusoidalPositions()
    if kind == "learned":
        return LearnedPositions(length)
    return RandomPositions(length, seed=1) if kind == "random" else keras.layers.Identity()


def self_attention(units, heads):
    """Multi-head attention with one input, as a residual connection wants it."""
    from keras_seq.layers.multi_head import MultiHeadAttention

    class SelfAttention(MultiHeadAttention):
        def build(self, inputs_shape):
            super().build(inputs_shape, inputs_shape)

        def call(self, inputs, return_attention_scores=False):
            return super().call(inputs, inputs, return_attention_scores=return_attention_scores)

    return SelfAttention(units, heads)


def encoder(config, positions, heads, depth=1, norm="pre", residual=True, classes=None):
    """A model from ids to logits at every place: embedding, positions, `depth` encoder layers, readout.

    The layers are `keras_seq.layers.EncoderLayer`, put together from its parts so that parts can be left
    out.

    Args:
        config: Config.
        positions: layer that adds positions.
        heads: int.
        depth: int, number of layers.
        norm: "pre", "post" or None.
        residual: bool, whether the input of a sub-layer is added to its output.
        classes: int, number of labels; the symbols by default.
    """
    import keras

    from keras_seq.layers.embedding import Readout, ScaledEmbedding
    from keras_seq.layers.feed_forward import FeedForward
    from keras_seq.layers.normalization import LayerNormalization, Residual

    units = config.features
    ids = keras.Input((None,), dtype="int32")
    hidden = positions(ScaledEmbedding(config.symbols + 1, units, mask_zero=False)(ids))
    for layer in range(depth):
        hidden = Residual(self_attention(units, heads), norm, residual=residual, name=f"attention_{layer}")(hidden)
        hidden = Residual(FeedForward(2 * units), norm, residual=residual, name=f"feed_forward_{layer}")(hidden)
    hidden = LayerNormalization()(hidden) if norm == "pre" else hidden
    return keras.Model(ids, Readout((classes or config.symbols) + 1)(hidden))


def train(config, model, length, distances, steps, looks, seed, rate=3e-3):
    """Trains on fresh sequences.

    Returns:
        dict of lists: `steps` done at each look, and `loss` and `masked_accuracy` since the look before.
    """
    import keras
    import tensorflow as tf

    from keras_seq.data.order import looking_back
    from keras_seq.training import MaskedAccuracy, MaskedCrossEntropy

    sequences = looking_back(config.batch * steps, length, config.symbols, distances, seed)
    data = tf.data.Dataset.from_tensor_slices(sequences).batch(config.batch).repeat().prefetch(2)
    model.compile(keras.optimizers.Adam(rate), MaskedCrossEntropy(), weighted_metrics=[MaskedAccuracy()])
    history = model.fit(data, epochs=looks, steps_per_epoch=steps // looks, shuffle=False, verbose=0).history
    return {"steps": [steps // looks * (look + 1) for look in range(looks)], **history}


def accuracy_by_place(config, model, length, distances):
    """Share of new sequences that are right, at each place of `length`; NaN where there is nothing to say."""
    from keras_seq.data.order import looking_back

    ids, labels = looking_back(500, length, config.symbols, distances, seed=99)
    right = np.argmax(np.asarray(model(ids)), axis=-1) == labels
    return np.where(labels[0] > 0, right.mean(axis=0), np.nan)


def compare_positions(lesson, config):
    """Each kind over several seeds: how soon it learns, and what it says at places that it never saw."""
    from keras_seq.plots.curves import curves

    print("\nSinusoidal, learned, random, none")
    seen, near = config.length, config.length // 8
    learning, places, known, soon = {}, {}, {}, {}
    for kind in KINDS:
        runs = [train_kind(config, kind, seed) for seed in config.seeds]
        done = runs[0][0]
        learning[kind] = (done, np.mean([accuracies for _, accuracies, _ in runs], axis=0))
        places[kind] = np.mean([by_place for _, _, by_place in runs], axis=0)
        known[kind] = [np.nanmean(by_place[:seen]) for _, _, by_place in runs]
        soon[kind] = np.mean([steps_until(0.95, done, accuracies) for _, accuracies, _ in runs])
        lesson.number(f"accuracy at the places of training, mean of seeds: {kind}", np.mean(known[kind]), ".3f")
        lesson.number(f"worst seed: {kind}", np.min(known[kind]), ".3f")
        if np.isfinite(soon[kind]):
            lesson.number(f"steps until 95 %, mean of seeds: {kind}", soon[kind], ".0f")
        lesson.number(f"accuracy at the next {near} places: {kind}", places[kind][seen : seen + near].mean(), ".3f")
        lesson.number(f"accuracy at the next {seen} places: {kind}", places[kind][seen:].mean(), ".3f")
    ordered = KINDS[:-1]
    lesson.claim(
        "without positions {none:.1%} are right; with them, of whatever kind and seed, {worst:.1%} at the least",
        max(known["none"]) < 0.3 < 0.95 < min(min(known[kind]) for kind in ordered),
        none=np.mean(known["none"]), worst=min(min(known[kind]) for kind in ordered),
    )  # fmt: skip
    lesson.claim(
        "at those places random would do: 95 % after {random:.0f} steps, sinusoidal {sine:.0f}, learned {learned:.0f}",
        soon["random"] <= 1.5 * soon["sinusoidal"] and soon["random"] < soon["learned"],
        random=soon["random"], sine=soon["sinusoidal"], learned=soon["learned"],
    )  # fmt: skip
    beyond = {kind: places[kind][seen : seen + near].mean() for kind in ordered}
    far = max(places[kind][seen + seen // 2 :].mean() for kind in ordered)
    lesson.claim(
        "at the next {near} places sinusoidal still has {sine:.1%}, learned {learned:.1%}, random {random:.1%}; "
        "further than {half} beyond, none has more than {far:.1%}",
        beyond["sinusoidal"] > 2 * max(beyond["learned"], beyond["random"]) and far < 0.3,
        near=near, sine=beyond["sinusoidal"], learned=beyond["learned"], random=beyond["random"], half=seen // 2,
        far=far,
    )  # fmt: skip
    title = "What stood three places before? Mean of seeds"
    lesson.figure(curves(lesson.run / "kinds.png", learning, "steps", "accuracy", title, percent=True, markers=False))
    series = {kind: (range(len(places[kind])), places[kind]) for kind in KINDS}
    title = f"Trained on {seen} places, asked about {2 * seen}"
    lesson.figure(curves(lesson.run / "places.png", series, "place", "accuracy", title, percent=True, markers=False))


def train_kind(config, kind, seed):
    """Steps and accuracies of a training, and the accuracy by place, twice as far as training went."""
    import keras

    keras.utils.set_random_seed(seed)
    model = encoder(config, positions_of(kind, 2 * config.length), config.heads)
    history = train(config, model, config.length, (3,), config.steps, config.looks, seed)
    known, both = (accuracy_by_place(config, model, length, (3,)) for length in (config.length, 2 * config.length))
    return history["steps"], history["masked_accuracy"], np.concatenate([known, both[config.length :]])


def steps_until(bar, done, accuracies):
    """The steps after which the accuracy was above the bar; infinity where it never was."""
    return next((steps for steps, now in zip(done, accuracies, strict=True) if now > bar), np.inf)


# %% [markdown]
# ## Do low and high features say different things?
# The first features turn fast, the last hardly move. It is often said that the first say where exactly, the last
# whereabouts. A *probe* asks: take a quarter of the features, add a little noise (no network reads exactly), and train
# a classifier for the fine position, $t \bmod 8$, or for the coarse one, which block of 64. Two probes:
#
# - a **linear** one, as a query or key is: what can be read off directly;
# - the **nearest** position, looked up in the table: what is there at all, however it is wound up.
#
# Random positions are the check: a quarter of them is like any other.


# %%
def probe(lesson, config):
    """Fine and coarse position from each quarter of the features, by a linear probe and by the nearest position."""
    from keras_seq.layers.positions import sinusoidal_positions
    from keras_seq.plots.heat_maps import HeatMap, heat_maps

    print("\nDo low and high features say different things?")
    count, features = config.probe_positions, 64
    random = np.random.default_rng(0)
    tables = {
        "sinusoidal": np.asarray(sinusoidal_positions(count, features)),
        "random": random.normal(0, np.sqrt(1 / 2), (count, features)),
    }
    columns = ["t mod 8, linear", "t mod 8, nearest", "block, linear", "block, nearest"]
    scores = {}
    for name, table in tables.items():
        quarters = np.split(table, 4, axis=1)
        scores[name] = np.array([probe_quarter(quarter, random) for quarter in quarters])  # (quarters, columns)
        for row, quarter in zip(scores[name], ("1st", "2nd", "3rd", "4th"), strict=True):
            for value, column in zip(row, columns, strict=True):
                lesson.number(f"{name}, {quarter} quarter of the features: {column}", value, ".2f")
    sine = scores["sinusoidal"]
    lesson.claim(
        "where exactly is in the fast quarter ({fast:.0%}) and not in the slow ({slow:.0%}; by chance 12 %)",
        sine[0, 1] > 0.95 and sine[3, 1] < 0.2, fast=sine[0, 1], slow=sine[3, 1],
    )  # fmt: skip
    lesson.claim(
        "whereabouts can be read off linearly from the second quarter ({second:.0%}), not the fast one ({fast:.0%})",
        sine[1, 2] > 0.9 and sine[0, 2] < 0.5, second=sine[1, 2], fast=sine[0, 2],
    )  # fmt: skip
    lesson.claim(
        "but the fast quarter knows the block as well ({fast:.0%}, nearest), and the slowest is lost in the noise "
        "({slow:.0%})",
        sine[0, 3] > 0.95 and sine[3, 3] < 0.9, fast=sine[0, 3], slow=sine[3, 3],
    )  # fmt: skip
    lesson.claim(
        "t mod 8 is in no quarter linearly: {best:.0%} at most; no wave turns once in 8 positions",
        sine[:, 0].max() < 0.25, best=sine[:, 0].max(),
    )  # fmt: skip
    lesson.claim(
        "quarters of random positions differ by {spread:.0%} at most",
        np.ptp(scores["random"], axis=0).max() < 0.1, spread=np.ptp(scores["random"], axis=0).max(),
    )  # fmt: skip
    rows = ["1st, fastest", "2nd", "3rd", "4th, slowest"]
    maps = [HeatMap(scores[name], name, rows, columns, form=".2f", highest=1) for name in tables]
    title = "What a quarter of the features says about the position"
    lesson.figure(heat_maps(lesson.run / "probes.png", maps, title, across=1))


def probe_quarter(quarter, random, noise=0.05, copies=4):
    """Accuracy on noisy copies: t mod 8 by a linear probe and by the nearest position, then the block of 64 by both."""
    from sklearn.linear_model import LogisticRegression

    def noisy():
        rows = np.concatenate([quarter] * copies)
        return rows + random.normal(0, noise, rows.shape)

    places, known, asked = np.tile(np.arange(len(quarter)), copies), noisy(), noisy()
    apart = np.sum(asked**2, axis=1)[:, None] - 2 * asked @ quarter.T + np.sum(quarter**2, axis=1)  # (asked, positions)
    nearest = apart.argmin(axis=1)
    scores = []
    for target in (lambda t: t % 8, lambda t: t // (len(quarter) // 8)):
        linear = LogisticRegression(max_iter=200).fit(known, target(places))
        scores += [linear.score(asked, target(places)), np.mean(target(nearest) == target(places))]
    return scores


# %% [markdown]
# ## Masks
# Two things must not be looked at: padding, and in a decoder the future, since that is what is to be predicted. Both
# are masks over pairs of places; what both keep is kept. In row $t$ stands what place $t$ may attend to.


# %%
def draw_masks(lesson):
    """Padding, causal and combined masks, and what they leave of the weights of an untrained layer."""
    import keras

    from keras_seq.layers.masks import causal_mask, combine_masks, padding_mask
    from keras_seq.layers.multi_head import MultiHeadAttention
    from keras_seq.plots.heat_maps import HeatMap, heat_maps

    print("\nMasks")
    keras.utils.set_random_seed(0)
    ids = np.array([[5, 3, 8, 1, 7, 0, 0, 0]])
    length, random = ids.shape[1], np.random.default_rng(0)
    inputs = 2 * random.normal(size=(1, length, 16)).astype("float32")
    layer = MultiHeadAttention(16, num_heads=2)
    tokens = [str(token) if token else "pad" for token in ids[0]]
    everything = np.ones((length, length), bool)
    padding = np.asarray(combine_masks(padding_mask(ids), None))[0] & everything
    causal = np.asarray(causal_mask(length))
    masks = {"padding": padding, "causal": causal, "both": padding & causal}
    weights = {}
    for name, mask in masks.items():
        weights[name] = np.asarray(layer(inputs, inputs, attention_mask=mask[None], return_attention_scores=True)[1])[0]
        leak, sums = weights[name][:, ~mask].max(), weights[name].sum(axis=-1)
        lesson.number(f"{name}: places kept, of {mask.size}", mask.sum(), ".0f")
        lesson.claim(
            "{name}: the largest weight on what is hidden is {leak:g}, and each row sums to 1 within {off:.0e}",
            leak == 0 and np.abs(sums - 1).max() < 1e-5, name=name, leak=leak, off=np.abs(sums - 1).max(),
        )  # fmt: skip
    before = np.asarray(layer(inputs, inputs, use_causal_mask=True))
    changed = inputs.copy()
    changed[:, 4:] += 1
    difference = np.abs(np.asarray(layer(changed, changed, use_causal_mask=True)) - before)[0].max(axis=1)
    lesson.claim(
        "causal: new tokens from place 4 on change places 0 to 3 by {past:g}, later ones by up to {later:.2f}",
        difference[:4].max() == 0 < difference[4:].min(), past=difference[:4].max(), later=difference[4:].max(),
    )  # fmt: skip
    maps = [HeatMap(mask, f"mask: {name}", tokens, tokens) for name, mask in masks.items()]
    maps += [
        HeatMap(weights[name][0], f"weights, head 1: {name}", tokens, tokens, "attended to", "attends")
        for name in masks
    ]
    lesson.figure(heat_maps(lesson.run / "masks.png", maps))


# %% [markdown]
# ## Depth: residual connections and normalisation
# $x + f(x)$ instead of $f(x)$: what does the sum do? Its derivative is $1 + f'$. Through many layers of $f$ alone the
# gradient is a product of many factors, which vanishes or explodes (lesson 04); with the sum there is one way back that
# nothing multiplies. The normalisation keeps the size of what is summed. Three questions: what if one leaves out the
# sum, the normalisation, or both? Does it matter where the normalisation stands?
#
# - **pre**: $x + f(\mathrm{norm}(x))$, and one last normalisation; **post**: $\mathrm{norm}(x + f(x))$, the original
# - **residual only**: $x + f(x)$
# - **norm only**: $f(\mathrm{norm}(x))$; **neither**: $f(x)$
#
# The task is again what stood three places before; a stack of any depth gets the same steps at the same learning rate.

# %%
STACKS = {
    "pre": ("pre", True),
    "post": ("post", True),
    "residual only": (None, True),
    "norm only": ("pre", False),
    "neither": (None, False),
}


def gradient_at_the_start(config, model):
    """The norm of the loss's gradient by the embeddings, before any training."""
    import tensorflow as tf

    from keras_seq.data.order import looking_back
    from keras_seq.training import MaskedCrossEntropy

    ids, labels = looking_back(config.batch, config.depth_length, config.symbols, (3,), seed=5)
    with tf.GradientTape() as tape:
        loss = MaskedCrossEntropy()(labels, model(ids))
    return float(tf.norm(tape.gradient(loss, model.trainable_weights[0].value)))


def go_deep(lesson, config):
    """The loss after the same number of steps, by depth, for each way to stack layers; and gradients at the start."""
    import keras

    from keras_seq.plots.curves import curves
    from keras_seq.training import WarmupLinear

    print("\nDepth: residual connections and normalisation")

    def stack(name, depth):
        keras.utils.set_random_seed(0)
        norm, residual = STACKS[name]
        return encoder(config, positions_of("sinusoidal", config.depth_length), config.heads, depth, norm, residual)

    def last_loss(name, depth, rate=2e-3):
        model = stack(name, depth)
        return train(config, model, config.depth_length, (3,), config.depth_steps, 10, seed=0, rate=rate)["loss"][-1]

    gradients = {
        name: [gradient_at_the_start(config, stack(name, depth)) for depth in config.gradient_depths] for name in STACKS
    }
    losses = {name: [last_loss(name, depth) for depth in config.depths] for name in STACKS}
    for name in STACKS:
        for depth, size in zip(config.gradient_depths, gradients[name], strict=True):
            lesson.number(f"{name}, depth {depth}: gradient by the embeddings at the start", size, ".1e")
        for depth, loss in zip(config.depths, losses[name], strict=True):
            lesson.number(f"{name}, depth {depth}: loss after {config.depth_steps} steps", loss, ".3f")
    guess, depth = np.log(config.symbols), config.depths[-1]
    lesson.number("loss of guessing", guess, ".3f")
    shallow = {name: values[0] for name, values in losses.items()}
    deep = {name: values[-1] for name, values in losses.items()}
    lesson.claim(
        "one layer needs neither sum nor norm: the worst of the five is at {worst:.2f}, norm only at {norm:.3f}",
        max(shallow.values()) < 0.3 * guess, worst=max(shallow.values()), norm=shallow["norm only"],
    )  # fmt: skip
    lesson.claim(
        "{depth} layers: pre learns ({pre:.2f}); norm only and neither guess ({norm:.2f}, {neither:.2f}); residual "
        "only blows up ({blown:,.0f})",
        deep["pre"] < 0.7 * guess < 0.98 * guess < min(deep["norm only"], deep["neither"])
        and deep["residual only"] > 2 * guess,
        depth=depth, pre=deep["pre"], norm=deep["norm only"], neither=deep["neither"], blown=deep["residual only"],
    )  # fmt: skip
    warm = last_loss("post", depth, WarmupLinear(2e-3, config.depth_steps, config.depth_steps // 2))
    lesson.claim(
        "{depth} layers, post: hardly better than guessing ({post:.2f}); a rate that is warmed up helps ({warm:.2f}), "
        "and pre, which needs none, is far ahead",
        deep["post"] > 0.95 * guess and 2 * deep["pre"] < warm < deep["post"],
        depth=depth, post=deep["post"], warm=warm,
    )  # fmt: skip
    first = {name: values[-1] for name, values in gradients.items()}
    lesson.claim(
        "at the start, through {depth} layers, the embeddings' gradient is {pre:.1e} (pre), {norm:.1e} (norm only), "
        "{neither:.1e} (neither) and {residual:.1e} (residual only)",
        first["norm only"] < first["pre"] < first["residual only"],
        depth=config.gradient_depths[-1], pre=first["pre"], norm=first["norm only"], neither=first["neither"],
        residual=first["residual only"],
    )  # fmt: skip
    for file, values, depths, label in (
        ("depth", losses, config.depths, "loss"),
        ("depth_gradients", gradients, config.gradient_depths, "gradient by the embeddings"),
    ):
        series = {name: (depths, values[name]) for name in STACKS}
        title = {"depth": f"After {config.depth_steps} steps", "depth_gradients": "Before training"}[file]
        lesson.figure(curves(lesson.run / f"{file}.png", series, "layers", label, title, log="xy"))


# %% [markdown]
# ## Many heads against one
# A head is one softmax: one choice of where to look. What if two places are wanted at once, and must not be mixed up?
# The task: say the id one place before *and* the id three places before, in this order, as one label of a hundred. The
# width is the same, and so is the number of weights; only the number of parts that it is cut into changes.
#
# One head is not helpless in principle. It can give one place more weight than the other, so that the mixture still
# says which is which. But then the two must be told apart in a sum, and the proportion has to be found and kept.


# %%
def count_heads(lesson, config):
    """Accuracy by number of heads, same width, same weights, over several seeds; and where the heads look."""
    import keras

    from keras_seq.plots.curves import curves
    from keras_seq.plots.heat_maps import HeatMap, heat_maps

    print("\nMany heads against one")
    length, distances = config.head_length, (1, 3)
    learning, soon, last, sizes, maps = {}, {}, {}, set(), []
    for heads in config.head_counts:
        runs = []
        for seed in config.seeds:
            keras.utils.set_random_seed(seed)
            positions = positions_of("sinusoidal", length)
            model = encoder(config, positions, heads, classes=config.symbols**2)
            runs.append(train(config, model, length, distances, config.head_steps, config.looks, seed))
            sizes.add(model.count_params())
        name = f"{heads} head{'s' * (heads > 1)}"
        steps, accuracies = runs[0]["steps"], np.array([run["masked_accuracy"] for run in runs])  # (seeds, looks)
        learning[name] = (steps, accuracies.mean(axis=0))
        soon[heads] = np.mean([steps_until(0.95, steps, accuracy) for accuracy in accuracies])
        last[heads] = accuracies[:, -1]
        lesson.number(f"accuracy, {name}, mean of seeds", last[heads].mean(), ".3f")
        lesson.number(f"accuracy, {name}, worst seed", last[heads].min(), ".3f")
        middle = accuracies[:, accuracies.shape[1] // 3]
        lesson.number(f"accuracy after a third of the steps, {name}, worst seed", middle.min(), ".3f")
        lesson.number(f"accuracy after a third of the steps, {name}, best seed", middle.max(), ".3f")
        if heads <= 2:
            weights = where_heads_look(config, model)
            for head, map_of_head in enumerate(weights, 1):
                shares = [np.diagonal(map_of_head, -distance)[3:].mean() for distance in distances]
                title = f"{name}, head {head}: {shares[0]:.2f} one before, {shares[1]:.2f} three before"
                print(f"  weights of {title}")
                labels = [str(place) for place in range(length)]
                maps.append(HeatMap(map_of_head, title, labels, labels, "attended to", "attends", highest=1))
    lesson.figure(heat_maps(lesson.run / "heads.png", maps, "Where one head looks, and where two look"))
    title = "Two places at once: the same width, cut into heads. Mean of seeds"
    path = lesson.run / "heads_learning.png"
    lesson.figure(curves(path, learning, "steps", "accuracy", title, percent=True, markers=False))
    one, two, most = 1, 2, config.head_counts[-1]
    lesson.claim(
        "all have {size:,} weights; 95 % is reached after {two:.0f} steps with two heads, {many:.0f} with {most}, and "
        "{one} with one",
        len(sizes) == 1 and 2 * soon[two] < soon[one], size=max(sizes), two=soon[two], most=most, many=soon[most],
        one=f"{soon[one]:.0f}" if np.isfinite(soon[one]) else f"not within {config.head_steps}",
    )  # fmt: skip
    lesson.claim(
        "one head comes to {one:.1%} all the same: the order can be told from unequal weights; two are at {two:.1%}",
        last[one].mean() > 0.8 and last[two].min() > 0.99, one=last[one].mean(), two=last[two].mean(),
    )  # fmt: skip
    lesson.claim(
        "more heads than places to look at do not help: {most} heads come to 95 % no sooner than two",
        soon[most] >= soon[two], most=most,
    )  # fmt: skip


def where_heads_look(config, model):
    """The weights of the first layer's heads on one sequence, `(heads, places, places)`."""
    import keras

    from keras_seq.data.order import looking_back

    ids, _ = looking_back(1, config.head_length, config.symbols, seed=99)
    around = model.get_layer("attention_0")
    hidden = keras.Model(model.inputs[0], around.input)(ids)
    return np.asarray(around.sublayer(around.before(hidden), return_attention_scores=True)[1])[0]


# %% [markdown]
# ## Speed against length: what has to wait
# A recurrent network needs its state before the next one: a sequence of $T$ is $T$ steps that wait for one another.
# Self-attention does all places in a few matrix products, however long the sequence, but it compares all pairs:
#
# | | multiplications for one token | steps that wait |
# |---|---|---|
# | GRU | $6 d^2$ | $T$ |
# | self-attention | $4 d^2 + 2 T d$ | 1 |
#
# To see the waiting and nothing else, the number of tokens is kept, and only cut into longer and fewer sequences. For
# the GRU the arithmetic is then the same to the last multiplication, and all that changes is how much may be done at
# once. (The GRU is Keras's, as models use it. Self-attention is one layer of this library.)


# %%
def layer_to_time(kind, config):
    """A function from inputs to outputs, and its layer."""
    import keras

    from keras_seq.layers.multi_head import MultiHeadAttention

    if kind == "GRU":
        layer = keras.layers.GRU(config.speed_units, return_sequences=True)
        return layer, layer
    layer = MultiHeadAttention(config.speed_units, config.heads)
    return lambda inputs: layer(inputs, inputs), layer


def seconds_of_a_step(kind, length, config):
    """Median time of a training step, forward and back, over the same number of tokens whatever the length."""
    import tensorflow as tf

    apply, layer = layer_to_time(kind, config)
    inputs = tf.random.normal((config.speed_tokens // length, length, config.speed_units))
    apply(inputs)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(apply(inputs) ** 2)
        return tape.gradient(loss, [weight.value for weight in layer.trainable_weights])

    step()
    taken = []
    for _ in range(config.repeats):
        begin = time.perf_counter()
        step()[0].numpy()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def megabytes_of_weights(length, config):
    """Size of the attention weights, which training keeps for the way back."""
    import tensorflow as tf

    layer = layer_to_time("self-attention", config)[1]
    inputs = tf.random.normal((config.speed_tokens // length, length, config.speed_units))
    return layer(inputs, inputs, return_attention_scores=True)[1].numpy().nbytes / 1e6


def measure_speed(lesson, config):
    """Tokens a second of a training step, GRU and self-attention, by length; multiplications a second; memory."""
    from keras_seq.plots.curves import curves

    print("\nSpeed against length")
    lengths, units = np.array(config.speed_lengths), config.speed_units
    work = {"GRU": 6 * units**2 + 0 * lengths, "self-attention": 4 * units**2 + 2 * lengths * units}  # a token
    speed = {
        kind: config.speed_tokens / np.array([seconds_of_a_step(kind, length, config) for length in lengths.tolist()])
        for kind in work
    }
    memory = [megabytes_of_weights(length, config) for length in config.speed_lengths]
    for place, length in enumerate(config.speed_lengths):
        for kind in work:
            lesson.number(f"length {length}, {kind}: tokens a second in training", speed[kind][place], ",.0f")
        ratio = speed["self-attention"][place] / speed["GRU"][place]
        lesson.number(f"length {length}: speed of self-attention / GRU", ratio, ".2f")
        lesson.number(f"length {length}: megabytes of attention weights", memory[place], ",.1f")
    gru, attention = (speed[kind] * work[kind] for kind in work)  # multiplications forward, a second
    lesson.claim(
        "the same arithmetic, and the GRU makes {fall:.1f} times fewer tokens a second at {longest} than at its best: "
        "that is what waiting costs here",
        gru.max() / gru[-1] > 2, fall=gru.max() / gru[-1], longest=lengths[-1],
    )  # fmt: skip
    grown = work["self-attention"][-1] / work["self-attention"][0]
    lesson.claim(
        "self-attention slows down {fall:.1f} times, for {grown:.1f} times the arithmetic a token",
        speed["self-attention"][0] / speed["self-attention"][-1] < 2 * grown,
        fall=speed["self-attention"][0] / speed["self-attention"][-1], grown=grown,
    )  # fmt: skip
    lesson.claim(
        "its weights take {least:.1f} MB at length {shortest} and {most:.1f} MB at {longest}, for the same tokens",
        np.isclose(memory[-1] / memory[0], lengths[-1] / lengths[0]),
        least=memory[0], most=memory[-1], shortest=lengths[0], longest=lengths[-1],
    )  # fmt: skip
    title = f"The same {config.speed_tokens:,} tokens, cut into longer and fewer sequences"
    series = {kind: (lengths, values) for kind, values in speed.items()}
    path = lesson.run / "speed.png"
    lesson.figure(curves(path, series, "length", "tokens a second in training", title, log="xy"))
    series = {"GRU": (lengths, gru / 1e9), "self-attention": (lengths, attention / 1e9)}
    title = "Multiplications done a second (forward): what waiting leaves of them"
    path = lesson.run / "arithmetic.png"
    lesson.figure(curves(path, series, "length", "billions of multiplications a second", title, log="xy"))


# %% [markdown]
# ## What it says, and an exercise
# - Positions must be added: without them the model guesses. Where training went, any vectors that tell places apart
#   will do, random ones as soon as sinusoidal; learned ones have to be learned first.
# - A little beyond the lengths of training sinusoidal positions still help, much beyond none does. "Any length" means
#   that they can be computed, not that the model understands them.
# - Low and high features do differ: only fast waves say where exactly, and whereabouts can be read off linearly from
#   slower ones alone. In random positions every part says as much as any other.
# - What makes depth possible is the sum: with it and a normalisation before, 16 layers learn at the rate that suits
#   one. A sum without normalisation blows up, normalisation without a sum and neither stop learning.
# - Two heads look at two places without mixing them up; one head gets there late and not quite, eight no sooner.
# - What has to wait costs more the longer it is. Self-attention waits for nothing, and pays with memory and arithmetic
#   instead. On two cores the one eats up much of what the other spares: the ratios above say how much. The more is done
#   at once, the more the waiting counts.
#
# **Exercise.** Train `compare_positions` on lengths drawn from 8 to 32 instead of 32 alone. How far does each kind go
# then? And with post and a warmed-up rate, how many steps do 16 layers need to come to where pre is after 300?

# %%
if __name__ == "__main__":
    main()
