# %% [markdown]
# # 02 Convolution
#
# **Question.** A picture has thousands of pixels, and what is in it may be anywhere. How can a network with few numbers
# see it, wherever it is?
#
#     python tutorials/02_convolution.py                    about 4 minutes on two cores
#
# The pictures are Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): install Debian's or Ubuntu's package
# `dataset-fashion-mnist`, set `KERAS_SEQ_DATA` to a folder that has it, or let tensorflow-datasets fetch it. Where none
# of these works, scikit-learn's small handwritten digits stand in, and it is said.

# %%
import dataclasses
import itertools
import time

import numpy as np
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson."""

    examples: int | None = None
    validation: int = 5000
    filters: int = 32
    units: int = 128
    dropout: float = 0.4
    batch: int = 128
    updates: int = 5000
    learning_rate: float = 2e-3
    timed_steps: int = 20
    seed: int = 0


SMOKE = {"examples": 600, "validation": 100, "filters": 4, "units": 8, "batch": 32, "updates": 30, "timed_steps": 2}


def main(argv=None):
    """Slides a window by hand, counts, and trains a small convolutional network."""
    lesson = Lesson(__file__, "The sliding window, sizes and counts, and a network that sees.", argv)
    config = dataclasses.replace(Config(), **SMOKE) if lesson.smoke else Config()
    slide(lesson)
    flip(lesson)
    predict_sizes(lesson)
    count_parameters(lesson)
    pool(lesson)
    shift(lesson)
    data = load(lesson, config)
    predict_network(lesson, config, data)
    compare_with_ours(lesson, config, data)
    compiled = measure_compilation(lesson, config, data)
    model, minutes = train(lesson, config, data, compiled)
    judge(lesson, data, model, minutes)
    look_inside(lesson, data, model)
    lesson.finish(data={"name": data.name, "origin": data.origin})


# %% [markdown]
# ## The sliding window
# Lay a small table of weights, the *kernel*, over a corner of the picture. Multiply each weight with the pixel under
# it, add up, write the sum down. Move one pixel on, and so on. The sums are a new picture, the *map*:
#
# $$\text{map}[y, x] = \sum_{i, j} \text{image}[y + i, x + j] \cdot \text{kernel}[i, j]$$
#
# The kernel below weighs the right neighbour against the left. Where both are equal the sum is zero, so predict: the
# map is zero except where dark meets light.


# %%
def slide(lesson):
    """A vertical edge, found by a kernel of three columns."""
    from keras_seq.layers.convolution import cross_correlation
    from keras_seq.plots.convolution import sliding_window

    print("\nThe sliding window")
    image = np.array([[0, 0, 0, 3, 3, 3]] * 5, "float32")
    kernel = np.array([[-1, 0, 1]] * 3, "float32")
    output = np.asarray(cross_correlation(image[None, :, :, None], kernel[:, :, None, None]))[0, :, :, 0]
    title = "A window of 3 x 3 slides over a picture of 5 x 6"
    lesson.figure(sliding_window(lesson.run / "sliding_window.png", image, kernel, output, (1, 1), title))
    lesson.number("the sum drawn", output[1, 1])
    lesson.claim(
        "the map is 0 where neighbours are equal, and {edge:.0f} at the edge",
        not output[:, [0, 3]].any() and np.all(output[:, 1:3] == output[1, 1]), edge=output[1, 1],
    )  # fmt: skip


# %% [markdown]
# In mathematics a convolution flips the kernel first, `kernel[-i, -j]`; without the flip it is a *cross-correlation*,
# and that is what all deep learning libraries compute under the name of convolution. Since the kernel is learned, it
# does not matter: the flipped one is learned then. `numpy.convolve` is the one of mathematics.


# %%
def flip(lesson):
    """In one dimension: cross-correlation is numpy's convolution with the kernel turned round."""
    from keras_seq.layers.convolution import cross_correlation

    print("\nWithout the flip")
    line, kernel = np.array([1, 5, 2, 0, 3.0]), np.array([1, 2, 4.0])
    ours = np.asarray(cross_correlation(line[None, None, :, None], kernel[None, :, None, None])).ravel()
    print("  cross-correlation            ", ours)
    print("  convolution of mathematics   ", np.convolve(line, kernel, "valid"))
    turned = np.convolve(line, kernel[::-1], "valid")
    difference = np.abs(ours - turned).max()
    lesson.claim(
        "with the kernel turned round they differ by {difference:.0e}", difference < 1e-12, difference=difference
    )


# %% [markdown]
# ## Padding, stride, and the size of the map
# Without padding the window has fewer places than the picture has pixels. $p$ zeros on every side give it more; a
# *stride* $s > 1$ skips places. For a picture of size $n$ and a kernel of size $k$ (Dumoulin and Visin, 2016):
#
# $$\text{size} = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1, \qquad
#   \text{"same"}: \left\lceil \frac{n}{s} \right\rceil$$
#
# First the prediction by the formula (`output_size`), then the map itself, by our layer and by Keras's.


# %%
def predict_sizes(lesson):
    """Sizes predicted by formula, and found."""
    import keras

    from keras_seq.layers.convolution import cross_correlation
    from keras_seq.layers.windows import output_size
    from keras_seq.plots.convolution import placements

    print("\nPadding, stride, and the size of the map")
    print(f"  {'size':>5} {'kernel':>7} {'padding':>8} {'stride':>7} {'predicted':>10} {'found':>6}")
    right = cases = 0
    for size, kernel, padding, stride in itertools.product((5, 28), (2, 3, 5), ("valid", "same", 1), (1, 2)):
        image, weights = np.zeros((1, size, size, 1), "float32"), np.zeros((kernel, kernel, 1, 1), "float32")
        predicted = output_size(size, kernel, stride, padding)
        found = cross_correlation(image, weights, stride, padding).shape[1]
        keras_found = found if padding == 1 else keras.ops.conv(image, weights, stride, padding).shape[1]
        cases, right = cases + 1, right + (predicted == found == keras_found)
        if kernel == 3:
            print(f"  {size:5} {kernel:7} {padding!s:>8} {stride:7} {predicted:10} {found:6}")
    lesson.claim("{right} of {cases} sizes came out as predicted", right == cases, right=right, cases=cases)

    settings = []
    for zeros, stride in ((0, 1), (1, 1), (0, 2), (1, 2)):
        size = output_size(7, 3, stride, zeros)
        settings.append((7, 3, stride, zeros, zeros, f"padding {zeros}, stride {stride}:  7 → {size}"))
    title = "First window orange, last window black, a dot at the centre of each"
    lesson.figure(placements(lesson.run / "padding_and_stride.png", settings, title))


# %% [markdown]
# ## Channels, and how many numbers it takes
# A colour picture has three channels, and so has the kernel: it sums over them too. Each map, or *filter*, has a kernel
# of its own. With a bias a filter,
#
# $$\text{map}[y, x, o] = b_o + \sum_{i, j, c} \text{image}[y+i, x+j, c] \cdot \text{kernel}[i, j, c, o], \qquad
#   \text{parameters} = k_h k_w\, c_{\text{in}}\, c_{\text{out}} + c_{\text{out}}$$
#
# From 3 to 10 channels by 3 x 3 that is $9 \cdot 3 \cdot 10 + 10 = 280$, whatever the size of the picture. A dense
# layer from every pixel to every place of the same map grows with the square of the picture.


# %%
def count_parameters(lesson):
    """Parameters predicted, and found in our layer and in Keras's; and those of a dense layer."""
    import keras

    from keras_seq.layers.convolution import CrossCorrelation2D, parameter_count
    from keras_seq.layers.windows import output_size

    print("\nChannels, and how many numbers it takes")
    predicted = parameter_count(3, 10, 3)
    found = []
    for layer in (CrossCorrelation2D(10, 3), keras.layers.Conv2D(10, 3)):
        layer.build((None, 28, 28, 3))
        found.append(layer.count_params())
    lesson.number("3 -> 10 channels, 3 x 3, bias: predicted", predicted, "d")
    lesson.number("found in CrossCorrelation2D", found[0], "d")
    lesson.number("found in keras.layers.Conv2D", found[1], "d")
    lesson.claim("both have the {predicted} parameters predicted", set(found) == {predicted}, predicted=predicted)
    places = output_size(28, 3) ** 2 * 10
    dense = 28 * 28 * 3 * places + places
    lesson.number("a dense layer from 28 x 28 x 3 to the same map", dense, ",d")
    lesson.claim(
        "sharing one kernel among all places takes {share:,.0f} times fewer numbers", dense > 50_000 * predicted,
        share=dense / predicted,
    )  # fmt: skip


# %% [markdown]
# ## Pooling
# Often it matters that something was seen, and not on which pixel. *Pooling* keeps one number of each window, the
# largest or the mean; it has nothing to learn. Windows of 2 x 2 side by side make of 4 x 4 a picture of 2 x 2: $\lfloor
# (4 - 2) / 2 \rfloor + 1 = 2$.


# %%
def pool(lesson):
    """4 x 4 becomes 2 x 2."""
    from keras_seq.layers.pooling import average_pooling, max_pooling
    from keras_seq.layers.windows import output_size
    from keras_seq.plots.convolution import pooled

    print("\nPooling")
    image = np.array([[1, 2, 0, 0], [3, 4, 0, 8], [5, 5, 1, 2], [5, 5, 3, 6]], "float32")
    results = {
        name: np.asarray(pooling(image[None, :, :, None]))[0, :, :, 0]
        for name, pooling in (("max", max_pooling), ("average", average_pooling))
    }
    predicted = (output_size(4, 2, 2),) * 2
    for name, result in results.items():
        print(f"  {name:8} {result.tolist()}")
    right = all(result.shape == predicted for result in results.values())
    lesson.claim("4 x 4 becomes {rows} x {columns}, as predicted", right, rows=predicted[0], columns=predicted[1])
    lesson.figure(pooled(lesson.run / "pooling.png", image, results, "Pooling by 2 x 2"))


# %% [markdown]
# ## Shift the picture, and the map shifts
# That is what "wherever it is" means: one kernel for all places, so what is found here is found there. A dense layer
# would have to learn each place anew. Pooling then makes small shifts matter less. Both are measured on a random
# picture with a random kernel, shifted by one pixel; inside, away from the border that the shift brings in.


# %%
def shift(lesson):
    """What a shift by one pixel does to a map, and to a pooled map."""
    from keras_seq.layers.convolution import cross_correlation
    from keras_seq.layers.pooling import max_pooling

    print("\nShift the picture, and the map shifts")
    random = np.random.default_rng(0)
    image = random.normal(size=(1, 40, 40, 1)).astype("float32")
    kernel = random.normal(size=(3, 3, 1, 8)).astype("float32")
    moved = np.roll(image, 1, axis=2)
    output, of_moved = (np.asarray(cross_correlation(picture, kernel)) for picture in (image, moved))
    difference = np.abs(of_moved[:, :, 1:] - output[:, :, :-1]).max()
    lesson.claim(
        "the shifted picture's map is the shifted map: {difference:.0e}", difference < 1e-5, difference=difference
    )
    change = {"map": relative_change(output[:, :, 1:], of_moved[:, :, 1:])}
    for size in (2, 4):
        pooled = [np.asarray(max_pooling(array[:, :, 1:], size)) for array in (output, of_moved)]
        change[f"pooled by {size}"] = relative_change(*pooled)
    for name, value in change.items():
        lesson.number(f"relative change by a shift of one pixel, {name}", value)
    values = list(change.values())
    lesson.claim(
        "pooling makes the shift matter less, the more so the larger its window", values == sorted(values)[::-1]
    )


def relative_change(before, after):
    """Distance of two arrays, over their spread."""
    return float(np.sqrt(np.mean((after - before) ** 2)) / before.std())


# %% [markdown]
# ## Pictures
# 60 000 pictures of clothes for training (5000 of them set aside to validate on), 10 000 to test: grey, 28 x 28, ten
# classes. Where that set cannot be had, 1797 handwritten digits of 8 x 8 stand in; then `origin` says why.


# %%
def load(lesson, config):
    """The pictures, and a look at them."""
    from keras_seq.data.images import images
    from keras_seq.plots.convolution import picture_rows

    print("\nPictures")
    data = images(config.validation, config.examples, config.seed)
    print(f"  {data.name}: {data.origin}")
    if data.name != "fashion_mnist":
        print("  !! Fashion-MNIST cannot be had: scikit-learn's DIGITS stand in, and the scores below are theirs.")
    for part in ("train", "validation", "test"):
        lesson.number(f"pictures, {part}", len(getattr(data, part)[1]), ",d")
    pictures, labels = data.train
    rows = [(name, pictures[labels == label, :, :, 0][:12]) for label, name in enumerate(data.classes)]
    lesson.figure(picture_rows(lesson.run / "pictures.png", rows, f"Twelve of each class: {data.name}"))
    return data


# %% [markdown]
# ## A network, predicted
# Convolution, ReLU, pooling, twice; then a dense layer on what is left of the picture. "same" keeps the size, pooling
# halves it, and with more channels further in, the picture becomes smaller and richer. All sizes and counts below are
# first computed by `output_size` and `parameter_count`, and then read off the model.


# %%
def network(config, data, convolution=None, pooling=None):
    """Convolution, ReLU, pooling, twice, and two dense layers; of Keras's layers, or of those given."""
    import keras

    convolution, pooling = convolution or keras.layers.Conv2D, pooling or keras.layers.MaxPooling2D
    return keras.Sequential(
        [
            keras.Input(data.train[0].shape[1:], dtype="uint8"),
            keras.layers.Rescaling(1 / 255),
            convolution(config.filters, 3, padding="same", activation="relu", name="first"),
            pooling(2, name="first_pooled"),
            convolution(2 * config.filters, 3, padding="same", activation="relu", name="second"),
            pooling(2, name="second_pooled"),
            keras.layers.Flatten(),
            keras.layers.Dropout(config.dropout, seed=config.seed),
            keras.layers.Dense(config.units, activation="relu", name="dense"),
            keras.layers.Dropout(config.dropout, seed=config.seed + 1),
            keras.layers.Dense(len(data.classes), name="logits"),
        ]
    )


def predict_network(lesson, config, data):
    """Sizes and counts of every layer: predicted, then found."""
    from keras_seq.layers.convolution import parameter_count
    from keras_seq.layers.windows import output_size

    print("\nA network, predicted")
    size, filters, units = data.train[0].shape[1], config.filters, config.units
    half, quarter = output_size(size, 2, 2), output_size(output_size(size, 2, 2), 2, 2)
    flat = quarter * quarter * 2 * filters
    predicted = {
        "first": ((size, size, filters), parameter_count(1, filters, 3)),
        "first_pooled": ((half, half, filters), 0),
        "second": ((half, half, 2 * filters), parameter_count(filters, 2 * filters, 3)),
        "second_pooled": ((quarter, quarter, 2 * filters), 0),
        "dense": ((units,), flat * units + units),
        "logits": ((len(data.classes),), units * len(data.classes) + len(data.classes)),
    }
    model = network(config, data)
    print(f"  {'layer':15} {'predicted':>22} {'found':>22}")
    right = True
    for name, (shape, count) in predicted.items():
        layer = model.get_layer(name)
        found = (layer.output.shape[1:], layer.count_params())
        right &= found == (shape, count)
        cells = [f"{' x '.join(map(str, sizes)):>13} {parameters:8,}" for sizes, parameters in ((shape, count), found)]
        print(f"  {name:15} {cells[0]} {cells[1]}")
    total = sum(count for _, count in predicted.values())
    lesson.claim(
        "all sizes are as predicted, and all {total:,} parameters", right and model.count_params() == total, total=total
    )


# %% [markdown]
# ## Ours and Keras's are the same
# The same network of `keras_seq`'s layers, with the weights copied over, must give the same logits. Ours lays every
# window out in memory, so that one can read it; Keras's calls a library that does not. What that buys is measured.


# %%
def compare_with_ours(lesson, config, data):
    """Logits and seconds of both networks on the same pictures."""
    from keras_seq.layers.convolution import CrossCorrelation2D
    from keras_seq.layers.pooling import MaxPooling2D

    print("\nOurs and Keras's are the same")
    theirs, ours = network(config, data), network(config, data, CrossCorrelation2D, MaxPooling2D)
    ours.set_weights(theirs.get_weights())
    pictures = data.test[0][: 2 * config.batch]
    results, seconds = {}, {}
    for name, model in (("ours", ours), ("Keras's", theirs)):
        results[name] = model.predict(pictures, batch_size=config.batch, verbose=0)  # traces it
        begin = time.perf_counter()
        model.predict(pictures, batch_size=config.batch, verbose=0)
        seconds[name] = time.perf_counter() - begin
        lesson.number(f"milliseconds for {len(pictures)} pictures, {name}", 1000 * seconds[name])
    difference = np.abs(results["ours"] - results["Keras's"]).max()
    lesson.claim("the logits differ by {difference:.0e} at most", difference < 1e-5, difference=difference)


# %% [markdown]
# ## Compile with XLA or not?
# Keras can have each training step compiled by XLA (`jit_compile=True`). On the CPU, TensorFlow without XLA calls
# oneDNN's convolutions, which are written for it by hand, and XLA's are not. So it is measured, and the faster is used.


# %%
def batches(part, batch, seed=None):
    """Batches for `fit`: cached as bytes, then shuffled anew each epoch where there is a seed, and prefetched.

    Cache first, then shuffle: the other way round the first epoch's order is cached with the pictures.
    """
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(part).cache()
    if seed is not None:
        dataset = dataset.shuffle(len(part[1]), seed=seed)
    return dataset.batch(batch, drop_remainder=seed is not None).prefetch(tf.data.AUTOTUNE)


def compiled_network(config, data, jit_compile):
    """The network with its optimizer: Adam, its learning rate going down along a cosine."""
    import keras

    keras.utils.set_random_seed(config.seed)
    model = network(config, data)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(config.learning_rate, config.updates)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=jit_compile,
    )
    return model


def measure_compilation(lesson, config, data):
    """Whether XLA makes training steps faster here; and whether the pipeline keeps up."""
    print("\nCompile with XLA or not?")
    dataset = batches(data.train, config.batch, config.seed)
    milliseconds = {}
    for jit_compile in (False, True):
        model = compiled_network(config, data, jit_compile)
        begin = time.perf_counter()
        model.fit(dataset.take(1), shuffle=False, verbose=0)
        first = time.perf_counter() - begin
        steps = dataset.repeat().take(config.timed_steps)
        begin = time.perf_counter()
        model.fit(steps, shuffle=False, verbose=0)
        milliseconds[jit_compile] = 1000 * (time.perf_counter() - begin) / config.timed_steps
        name = "with XLA" if jit_compile else "without XLA"
        lesson.number(f"seconds until the first step is done, {name}", first)
        lesson.number(f"milliseconds a step of {config.batch} pictures, {name}", milliseconds[jit_compile])
    begin = time.perf_counter()
    count = sum(1 for _ in dataset)
    lesson.number("milliseconds a batch, the pipeline alone", 1000 * (time.perf_counter() - begin) / count)
    faster = min(milliseconds, key=milliseconds.get)
    print(f"  -> trained {'with' if faster else 'without'} XLA")
    return faster


# %% [markdown]
# ## Training
# `tf.data` feeds, `model.fit` does the rest. The bytes become numbers of 0 to 1 inside the model, so the pipeline moves
# a quarter of the memory and a shipped model takes pixels as they come.


# %%
def train(lesson, config, data, jit_compile):
    """The trained network and the minutes that took."""
    from keras_seq.plots.curves import curves

    print("\nTraining")
    model = compiled_network(config, data, jit_compile)
    train_data = batches(data.train, config.batch, config.seed)
    epochs = max(1, round(config.updates / int(train_data.cardinality())))
    begin = time.perf_counter()
    history = model.fit(
        train_data, epochs=epochs, validation_data=batches(data.validation, 500), shuffle=False, verbose=0
    ).history
    minutes = (time.perf_counter() - begin) / 60
    lesson.number("epochs", epochs, "d")
    lesson.number("minutes of training", minutes)
    lesson.number("accuracy, train (with dropout)", history["accuracy"][-1])
    lesson.number("accuracy, validation", history["val_accuracy"][-1])
    passed = range(1, epochs + 1)
    series = {"train (with dropout)": (passed, history["accuracy"]), "validation": (passed, history["val_accuracy"])}
    title = "Learning curves"
    lesson.figure(
        curves(
            lesson.run / "learning.png", series, "epoch", "accuracy", title, percent=True, markers=epochs < 30
        )
    )  # fmt: skip
    return model, minutes


# %% [markdown]
# ## How good, and what is mixed up?
# One number hides where the errors are. The confusion table has the true class down and the predicted class across. If
# errors fell anywhere, each of the 45 pairs of classes would have about 2 % of them, and any three 7 %.


# %%
def judge(lesson, data, model, minutes):
    """Test accuracy, and the pairs of classes that are taken for one another."""
    from keras_seq.plots.convolution import confusion
    from keras_seq.recipes.pictures import save_run

    print("\nHow good, and what is mixed up?")
    pictures, labels = data.test
    predicted = model.predict(pictures, batch_size=500, verbose=0).argmax(axis=1)
    accuracy = float(np.mean(predicted == labels))
    wanted = {"fashion_mnist": 0.92, "digits": 0.97}[data.name]
    lesson.claim(
        "{accuracy:.2%} of the test pictures of {name} are right ({wanted:.0%} wanted) after {minutes:.1f} minutes",
        accuracy >= wanted and minutes <= 6, accuracy=accuracy, name=data.name, wanted=wanted, minutes=minutes,
    )  # fmt: skip
    lesson.number(f"accuracy, test, {data.name}", accuracy)

    counts = np.zeros((len(data.classes),) * 2, int)
    np.add.at(counts, (labels, predicted), 1)
    couples = itertools.combinations(range(len(counts)), 2)
    pairs = sorted(((counts[a, b] + counts[b, a], data.classes[a], data.classes[b]) for a, b in couples), reverse=True)
    errors = int(np.sum(predicted != labels))
    for count, one, other in pairs[:3]:
        print(f"  {one} and {other}: {count} of {errors} errors")
    if errors < 50:
        print(f"  {errors} errors are too few to say where they fall")
    else:
        share = sum(count for count, *_ in pairs[:3]) / errors
        lesson.claim(
            "three pairs of classes of 45 make {share:.0%} of the errors, where chance would give 7 %",
            share > 0.2, share=share,
        )  # fmt: skip
    title = f"{accuracy:.2%} right; what is taken for what"
    lesson.figure(confusion(lesson.run / "confusion.png", counts, data.classes, title))
    print(f"  to ship it: python -m export build {save_run(model, data, lesson.run / 'classifier', accuracy)}")


# %% [markdown]
# ## What it looks for
# The first layer's kernels are 3 x 3 and can be looked at. An edge finder like the one at the top is a slope, light on
# one side and dark on the other. How much of a kernel is slope is a number: the share of its squares that slopes down
# and across explain. Random kernels, as training began with, have 2 of 9 dimensions' worth: 0.22. The maps show where
# each kernel finds something.


# %%
def look_inside(lesson, data, model):
    """The first layer's kernels, and the maps of two pictures."""
    import keras

    from keras_seq.plots.convolution import picture_rows

    print("\nWhat it looks for")
    kernels = model.get_layer("first").get_weights()[0][:, :, 0].transpose(2, 0, 1)  # (filters, 3, 3)
    columns = 8
    rows = [
        (f"filters {begin + 1} to {begin + len(kernels[begin : begin + columns])}", kernels[begin : begin + columns])
        for begin in range(0, len(kernels), columns)
    ]
    title = "The first layer's kernels: red above zero, blue below"
    lesson.figure(picture_rows(lesson.run / "filters.png", rows, title, signed=True))
    slope = np.array([-1, 0, 1]) / np.sqrt(6)
    down, across = kernels.sum(axis=2) @ slope, kernels.sum(axis=1) @ slope  # (filters,)
    share = (down**2 + across**2) / (kernels**2).sum(axis=(1, 2))
    lesson.number("share of slope in a kernel, random", 2 / 9)
    lesson.number("share of slope in a kernel, trained, mean", np.mean(share))
    lesson.number("kernels that are more than half slope", int(np.sum(share > 0.5)), "d")

    names = ("first", "first_pooled", "second", "second_pooled")
    inside = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    chosen = [int(np.flatnonzero(data.test[1] == label)[0]) for label in (0, 9)]
    pictures = np.concatenate([data.test[0][chosen], data.test[0][:500]])
    maps = dict(zip(names, inside.predict(pictures, batch_size=len(pictures), verbose=0), strict=True))
    rows = []
    for index, label in enumerate((0, 9)):
        rows.append((f"{data.classes[label]}: the picture", data.test[0][chosen[index] : chosen[index] + 1, :, :, 0]))
        for name in ("first", "second_pooled"):
            shown = maps[name][index].transpose(2, 0, 1)[:columns]  # (filters, rows, columns)
            rows.append((f"{name.replace('_', ', ')}: {shown.shape[1]} x {shown.shape[2]}", shown))
    lesson.figure(picture_rows(lesson.run / "maps.png", rows, "Eight maps each of the first layer and of the last"))
    for name, values in maps.items():
        lesson.number(f"share of places that answer (above zero), {name}", float(np.mean(values[2:] > 0)))


# %% [markdown]
# ## What it says, and an exercise
# - A convolution is a sum under a window that slides. Few numbers, the same everywhere: what is found here is found
#   there.
# - Sizes and counts follow from two formulas, so a network's shape can be written down before it is built.
# - The same equation written to be read and written to be fast gives the same numbers; which is faster, and whether a
#   compiler helps, is measured and not guessed.
# - One score hides where the errors are. Where there are enough of them to count, a few pairs of classes that look
#   alike make far more than their part.
#
# **Exercise.** Replace both poolings by `strides=2` in the convolutions before them. Predict all sizes, counts and the
# time of a step, then measure. Then shift every test picture by three pixels (`np.roll`): which of the two networks
# loses less, and why does either lose anything, when convolution does not care where things are?

# %%
if __name__ == "__main__":
    main()
