"""A picture again and again, as each word about it is written, with what is looked at lit."""

import numpy as np

from keras_seq.plots.style import INK, MUTED, SECOND, pyplot, save


def attention_frames(path, examples, grid=1, title=None):
    """A strip of frames for each picture: one frame a word, light where the model looks.

    Args:
        path: file to write, PNG.
        examples: list of (picture `(height, width)`, words, weights `(words, rows, columns)`, heading).
        grid: int, how many places there are each way; lines are drawn between them, and the one with the largest
            weight is framed.
        title: str, above all.

    Returns:
        The path.

    Raises:
        ValueError: if weights do not fit their words.
    """
    for _, words, weights, _ in examples:
        if len(words) != len(weights):
            raise ValueError(f"{len(words)} words and weights {np.shape(weights)}; give a map for each word")
    plt = pyplot()
    most = max(len(words) for _, words, *_ in examples)
    width, height = 1.0 * most + 0.4, 1.65 * len(examples) + 0.6
    figure, all_axes = plt.subplots(len(examples), most, figsize=(width, height), squeeze=False)
    figure.subplots_adjust(0.2 / width, 0.1 / height, 1 - 0.2 / width, 1 - 1.0 / height, wspace=0.08, hspace=0.75)
    for line, (picture, words, weights, heading) in zip(all_axes, examples, strict=True):
        for axes in line:
            axes.axis("off")
        for axes, word, weight in zip(line, words, weights, strict=False):
            _frame(plt, axes, np.asarray(picture), np.asarray(weight), grid)
            axes.set_title(word, fontsize=10, color=INK, pad=3)
        line[0].text(0, 1.32, heading, transform=line[0].transAxes, fontsize=11, color=MUTED, va="bottom")
    if title:
        figure.suptitle(title, fontsize=14, color=INK, x=0.2 / width, y=1 - 0.1 / height, ha="left")
    return save(figure, path)


def _frame(plt, axes, picture, weight, grid):
    """The picture under a veil that is thinner where the weight is larger."""
    high, wide = picture.shape
    repeats = high // weight.shape[0], wide // weight.shape[1]
    lit = np.kron(weight / max(weight.max(), 1e-9), np.ones(repeats))  # (height, width)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=max(1, picture.max()))
    axes.imshow(np.zeros_like(lit), cmap="gray", vmin=0, vmax=1, alpha=0.75 * (1 - lit))
    axes.imshow(np.ones_like(lit), cmap="Oranges", vmin=0, vmax=1.6, alpha=0.35 * lit)
    for number in range(1, grid):
        axes.axhline(number * high / grid - 0.5, color="#52606d", linewidth=0.5)
        axes.axvline(number * wide / grid - 0.5, color="#52606d", linewidth=0.5)
    row, column = np.unravel_index(weight.argmax(), weight.shape)
    corner = column * grid // weight.shape[1] * wide / grid - 0.5, row * grid // weight.shape[0] * high / grid - 0.5
    box = plt.Rectangle(corner, wide / grid, high / grid, fill=False, edgecolor=SECOND, linewidth=1.6)
    axes.add_patch(box)
