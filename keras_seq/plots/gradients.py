"""Gradients through time: activations and their slopes, and what is left of a gradient some steps back."""

import numpy as np

from keras_seq.plots.style import COLOURS, INK, pyplot, save


def slopes(path, x, functions, title=None):
    """Functions, and beside them their derivatives.

    Args:
        path: file to write, PNG.
        x: `(points,)`
        functions: dict of name -> (values, derivatives), `(points,)` each.
        title: str.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    for (name, (values, derivatives)), colour in zip(functions.items(), COLOURS, strict=False):
        left.plot(x, values, color=colour, linewidth=2, label=name)
        right.plot(x, derivatives, color=colour, linewidth=2, label=name)
    left.set_title("the function", fontsize=12, color=INK, loc="left")
    right.set_title("its derivative", fontsize=12, color=INK, loc="left")
    for axes in (left, right):
        axes.grid(color="#e4e7eb")
        axes.spines[["top", "right"]].set_visible(False)
    right.legend(frameon=False)
    if title:
        figure.suptitle(title, fontsize=14, color=INK, x=0.01, ha="left")
    figure.tight_layout()
    return save(figure, path)


def gradient_flow(path, series, title=None, floor=None, dashed=()):
    """The size of a gradient by the distance that it has come, on a logarithmic scale.

    Args:
        path: file to write, PNG.
        series: dict of name -> `(seeds, distances)`, the gradient's norm 0, 1, 2, ... steps back. The line is the
            median, the band goes from the least to the most. A dashed line takes the colour of the line before it.
        title: str.
        floor: float, where the scale ends; defaults to the least value.
        dashed: names to draw dashed.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(9, 4.8))
    colours, colour = iter(COLOURS), INK
    for name, norms in series.items():
        colour = colour if name in dashed else next(colours)
        norms, steps = np.asarray(norms, "float64"), np.arange(np.shape(norms)[1])
        axes.plot(steps, np.median(norms, axis=0), color=colour, linewidth=2, label=name,
                  linestyle=(0, (5, 2)) if name in dashed else "-")  # fmt: skip
        if len(norms) > 1:
            axes.fill_between(steps, norms.min(axis=0), norms.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.set_yscale("log")
    if floor:
        axes.set_ylim(bottom=floor)
    axes.set_xlabel("steps back", color=INK)
    axes.set_ylabel("norm of the gradient", color=INK)
    axes.grid(axis="y", color="#e4e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    if title:
        axes.set_title(title, fontsize=13, color=INK, loc="left")
    return save(figure, path)
