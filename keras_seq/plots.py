"""Figures: attention maps and curves. Each function writes one PNG and returns its path."""

import importlib.util
import logging
import os
from pathlib import Path

import numpy as np

_CHINESE_FONT = "NotoSansSC-Regular.ttf"
_INK, _MUTED, _ACCENT, _SECOND = "#1f2933", "#7b8794", "#0b6e99", "#d9822b"


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
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(1.6 + 0.36 * max(len(source), 12), 1.5 + 0.36 * len(output)))
    _draw_map(axes, source, output, weights)
    if title:
        axes.set_title(title, fontsize=15, color=_INK, pad=34, loc="left")
    if caption:
        axes.text(0, -0.04, caption, transform=axes.transAxes, fontsize=10, color=_MUTED, va="top")
    return _save(figure, path)


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
    plt = _pyplot()
    widest = max(len(source) for source, *_ in examples)
    heights = [len(output) + 4 for _, output, *_ in examples]
    height = 0.36 * sum(heights) + 0.7
    figure, all_axes = plt.subplots(
        len(examples), 1, figsize=(2 + 0.36 * widest, height), height_ratios=heights, squeeze=False
    )
    for axes, (source, output, weights, heading) in zip(all_axes[:, 0], examples, strict=True):
        _draw_map(axes, source, output, weights)
        axes.set_title(heading, fontsize=12, color=_INK, pad=26, loc="left")
        axes.set_anchor("W")
    if title:
        figure.suptitle(title, fontsize=15, color=_INK, x=0.02, y=1 - 0.1 / height, va="top", ha="left")
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.6 / height))
    return _save(figure, path)


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
    axes.set_xticks(range(len(source)), [_visible(token) for token in source], fontsize=13, color=_INK)
    axes.set_yticks(range(len(output)), [_visible(token) for token in output], fontsize=13, color=_INK)
    axes.set_xticks(np.arange(len(source) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(output) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def curves(path, series, xlabel, ylabel, title=None, percent=False):
    """Lines over a common axis.

    Args:
        path: file to write, PNG.
        series: dict of name -> (x values, y values).
        xlabel, ylabel: str. Both axes are written as whole numbers.
        title: str.
        percent: bool, write y as percentages.

    Returns:
        The path.
    """
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(7.5, 4.2))
    colours = [_ACCENT, _SECOND, "#5b8c5a", "#8d5a97", _MUTED]
    for index, (name, (x, y)) in enumerate(series.items()):
        axes.plot(x, y, marker="o", markersize=4, linewidth=2, color=colours[index % len(colours)], label=name)
    axes.set_xlabel(xlabel, color=_INK)
    axes.set_ylabel(ylabel, color=_INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %" if percent else f"{value:,.0f}")
    if title:
        axes.set_title(title, fontsize=13, color=_INK, loc="left")
    axes.grid(axis="y", color="#e4e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    if len(series) > 1:
        axes.legend(frameon=False)
    figure.tight_layout()
    return _save(figure, path)


def _visible(token):
    return {" ": "␣", "<end>": "end"}.get(token, token)


def _pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams["font.family"] = _font_families()
    return plt


def _font_families():
    """DejaVu Sans, and behind it a font with Chinese characters (from the package zhplot)."""
    from matplotlib import font_manager

    families = ["DejaVu Sans"]
    package = importlib.util.find_spec("zhplot")
    font = Path(package.submodule_search_locations[0], "fonts", _CHINESE_FONT) if package else None
    if font is None or not font.exists():
        logging.getLogger(__name__).warning("no font for Chinese characters: pip install zhplot")
        return families
    family = font_manager.FontProperties(fname=font).get_name()
    if family not in font_manager.fontManager.get_font_names():
        font_manager.fontManager.addfont(font)
    return [*families, family]


def _save(figure, path):
    import matplotlib.pyplot as plt

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    figure.savefig(unfinished, format="png", dpi=130, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    os.replace(unfinished, path)
    return path
