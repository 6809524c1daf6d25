"""Fitting a line or a curve: points and fits, the valley that descent goes down, values and gradients along a chain."""

import numpy as np

from keras_seq.plots.style import ACCENT, COLOURS, INK, MUTED, SECOND, pyplot, save


def fits(path, points, lines, title=None, best=None):
    """Points, and the lines or curves that were tried on them, darker for later.

    Args:
        path: file to write, PNG.
        points: pair of x and y values.
        lines: dict of name -> (x values, y values), in the order in which they were tried.
        title: str.
        best: pair of name and (x values, y values), drawn dashed above all.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.5, 4.4))
    axes.scatter(*points, s=16, color=MUTED, alpha=0.7, label="data", zorder=1)
    shades = plt.get_cmap("GnBu")(np.linspace(0.35, 1, len(lines)))
    for (name, line), shade in zip(lines.items(), shades, strict=True):
        axes.plot(*line, color=shade, linewidth=2, label=name, zorder=2)
    if best:
        axes.plot(*best[1], color=SECOND, linewidth=2, linestyle=(0, (5, 3)), label=best[0], zorder=3)
    _finish(axes, "x", "y", title)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return save(figure, path)


def valley(path, loss, weights, biases, descents, best, title=None):
    """The loss over weight and bias as a map, and the way of each descent over it.

    Args:
        path: file to write, PNG.
        loss: `(biases, weights)`, the loss at each place.
        weights, biases: the values of the map's axes.
        descents: dict of name -> (weights, biases), one for each step.
        best: pair, weight and bias of the lowest loss.
        title: str.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.5, 4.8))
    levels = np.geomspace(max(float(np.min(loss)) * 1.1, 1e-6), float(np.max(loss)), 18)
    axes.contour(weights, biases, loss, levels=levels, cmap="GnBu_r", linewidths=1)
    for index, (name, way) in enumerate(descents.items()):
        axes.plot(
            *way, marker="o", markersize=3, linewidth=1.2, color=(INK, SECOND, *COLOURS[2:])[index % 5], label=name
        )
    axes.plot(*best, marker="*", markersize=15, color="#c81e3a", linestyle="", label="lowest loss")
    axes.set_xlim(weights[0], weights[-1])
    axes.set_ylim(biases[0], biases[-1])
    _finish(axes, "weight W", "bias b", title)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return save(figure, path)


def chain(path, nodes, title=None):
    """A calculation as a chain: values forward above it, the gradient of its end backward below it.

    Args:
        path: file to write, PNG.
        nodes: list of (symbol, how it is made, value, how its gradient is made, gradient), from the input to the loss;
            the symbol and both hows may hold $mathematics$.
        title: str.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(2.35 * len(nodes), 3.6))
    for index, (symbol, made, value, gradient_made, gradient) in enumerate(nodes):
        x = 2.35 * index
        axes.add_patch(plt.Circle((x, 0), 0.42, facecolor="white", edgecolor=INK, linewidth=1.6))
        axes.text(x, 0, symbol, ha="center", va="center", fontsize=17, color=INK)
        axes.text(x, 0.98, f"{value:.4g}", ha="center", fontsize=14, color=ACCENT)
        axes.text(x, 0.6, made, ha="center", fontsize=11, color=ACCENT)
        axes.text(x, -0.82, gradient_made, ha="center", fontsize=11, color=SECOND)
        axes.text(x, -1.22, f"{gradient:.4g}", ha="center", fontsize=14, color=SECOND)
        if index:
            forward, backward = ((x - 1.87, 0.08), (x - 0.46, 0.08)), ((x - 0.46, -0.08), (x - 1.87, -0.08))
            for (begin, end), colour in ((forward, ACCENT), (backward, SECOND)):
                axes.annotate("", end, begin, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.6})
    axes.text(-1.0, 0.98, "value", ha="right", fontsize=12, color=ACCENT)
    axes.text(-1.0, -1.22, "gradient", ha="right", fontsize=12, color=SECOND)
    axes.set_xlim(-2.1, 2.35 * (len(nodes) - 1) + 1)
    axes.set_ylim(-1.5, 1.4)
    axes.set_aspect("equal")
    axes.axis("off")
    if title:
        axes.set_title(title, fontsize=14, color=INK, loc="left")
    return save(figure, path)


def _finish(axes, xlabel, ylabel, title):
    axes.set_xlabel(xlabel, color=INK)
    axes.set_ylabel(ylabel, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    if title:
        axes.set_title(title, fontsize=13, color=INK, loc="left")
