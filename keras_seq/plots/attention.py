"""Attention maps: source across, output down."""

import numpy as np

from keras_seq.plots.style import INK, MUTED, pyplot, save

_LONGEST_ACROSS = 3  # letters that a column is wide enough for; longer tokens are written upright


def attention_map(path, source, output, weights, title=None, caption=None):
    """Where the model looked: source tokens across, output tokens down, darker for more weight.

    Args:
        path: file to write, PNG.
        source: list of str, source tokens.
        output: list of str, output tokens.
        weights: `(output, source)`, each row's weights.
        title: str, above the map.
        caption: str, below the map.

    Returns:
        The path.

    Raises:
        ValueError: if the weights do not fit the tokens.
    """
    weights = _fitting(source, output, weights)
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(1.6 + 0.36 * max(len(source), 12), 1.5 + 0.36 * len(output)))
    _draw_map(axes, source, output, weights)
    if title:
        axes.set_title(title, fontsize=15, color=INK, pad=34, loc="left")
    if caption:
        axes.text(0, -0.04, caption, transform=axes.transAxes, fontsize=10, color=MUTED, va="top")
    return save(figure, path)


def attention_gallery(path, examples, title=None):
    """Several attention maps, one below another.

    Args:
        path: file to write, PNG.
        examples: list of (source tokens, output tokens, weights, heading).
        title: str, above all.

    Returns:
        The path.

    Raises:
        ValueError: if some weights do not fit their tokens.
    """
    examples = [(source, output, _fitting(source, output, weights), name) for source, output, weights, name in examples]
    plt = pyplot()
    widest = max(len(source) for source, *_ in examples)
    heights = [len(output) + 4 for _, output, *_ in examples]
    height = 0.36 * sum(heights) + 0.7
    figure, all_axes = plt.subplots(
        len(examples), 1, figsize=(2 + 0.36 * widest, height), height_ratios=heights, squeeze=False
    )
    for axes, (source, output, weights, heading) in zip(all_axes[:, 0], examples, strict=True):
        _draw_map(axes, source, output, weights)
        axes.set_title(heading, fontsize=12, color=INK, pad=26, loc="left")
        axes.set_anchor("W")
    if title:
        figure.suptitle(title, fontsize=15, color=INK, x=0.02, y=1 - 0.1 / height, va="top", ha="left")
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.6 / height))
    return save(figure, path)


def _fitting(source, output, weights):
    weights = np.asarray(weights)
    if weights.shape != (len(output), len(source)):
        raise ValueError(
            f"weights have shape {weights.shape}; {len(output)} output and {len(source)} source tokens want "
            f"({len(output)}, {len(source)})"
        )
    return weights


def _draw_map(axes, source, output, weights):
    axes.imshow(weights, cmap="GnBu", vmin=0, vmax=max(float(weights.max()), 1e-6), aspect="equal")
    axes.xaxis.tick_top()
    words = [_visible(token) for token in source]
    upright = max(map(len, words)) > _LONGEST_ACROSS
    axes.set_xticks(range(len(source)), words, fontsize=13, color=INK, rotation=90 if upright else 0)
    axes.set_yticks(range(len(output)), [_visible(token) for token in output], fontsize=13, color=INK)
    axes.set_xticks(np.arange(len(source) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(output) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _visible(token):
    return {" ": "␣", "<end>": "end"}.get(token, token)
