"""Gates and states of a recurrent network over the tokens that it reads: tokens across, units down."""

import numpy as np

from keras_seq.plots.style import INK, MUTED, SECOND, pyplot, save

_CELL = 0.5  # inches from token to token


def gate_maps(path, tokens, panels, title=None, marked=None):
    """Heat maps of all units, one below another: gates from 0 to 1, states around 0.

    Args:
        path: file to write, PNG.
        tokens: list of str.
        panels: dict of name -> `(time, units)`. A panel with negative values is drawn as a state, blue below 0 and red
            above, the others as gates, darker for more open.
        title: str.
        marked: int, a unit to point at.

    Returns:
        The path.

    Raises:
        ValueError: if a panel does not have one row a token.
    """
    panels = {name: _fitting(tokens, name, values) for name, values in panels.items()}
    plt = pyplot()
    heights = [min(0.14 * values.shape[1], 2.4) + 0.35 for values in panels.values()]
    figure, all_axes = plt.subplots(
        len(panels), 1, figsize=(1.9 + _CELL * len(tokens), sum(heights) + 1.4), height_ratios=heights, squeeze=False
    )
    for place, (axes, (name, values)) in enumerate(zip(all_axes[:, 0], panels.items(), strict=True)):
        image = axes.imshow(values.T, aspect="auto", interpolation="nearest", **_colours(values))
        _label_tokens(axes, tokens, shown=place == 0)
        axes.set_yticks([] if marked is None else [marked], [] if marked is None else ["▸"], fontsize=13, color=SECOND)
        axes.set_ylabel(f"{name}\n({values.shape[1]} units)", fontsize=11, color=INK)
        bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.02)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=9, length=0, colors=MUTED)
    return _finish(figure, path, title)


def unit_over_tokens(path, tokens, rows, title=None):
    """One unit over the tokens: each row a gate or a state, its value written into every field.

    Args:
        path: file to write, PNG.
        tokens: list of str.
        rows: dict of name -> `(time,)` values, coloured as in `gate_maps`.
        title: str.

    Returns:
        The path.

    Raises:
        ValueError: if a row does not have one value a token.
    """
    rows = {name: _fitting(tokens, name, np.asarray(values)[:, None]) for name, values in rows.items()}
    plt = pyplot()
    size = 1.9 + 1.15 * _CELL * len(tokens), 0.42 * len(rows) + 1.5
    figure, all_axes = plt.subplots(len(rows), 1, figsize=size, squeeze=False, gridspec_kw={"hspace": 0.12})
    for place, (axes, (name, values)) in enumerate(zip(all_axes[:, 0], rows.items(), strict=True)):
        image = axes.imshow(values.T, aspect="auto", **_colours(values))
        for step, value in enumerate(values[:, 0]):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
            axes.text(step, 0, f"{value:.2f}", ha="center", va="center", fontsize=9.5, color="white" if dark else INK)
        _label_tokens(axes, tokens, shown=place == 0)
        axes.set_yticks([0], [name], fontsize=12, color=INK)
    return _finish(figure, path, title, tight=False)


def _fitting(tokens, name, values):
    values = np.asarray(values)
    if values.ndim != 2 or len(values) != len(tokens):
        raise ValueError(
            f"{name} has shape {values.shape}; {len(tokens)} tokens want ({len(tokens)}, units): one row a token"
        )
    return values


def _colours(values):
    if values.min() < 0:
        largest = float(np.abs(values).max())
        return {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest}
    return {"cmap": "GnBu", "vmin": 0, "vmax": max(1.0, float(values.max()))}


def _label_tokens(axes, tokens, shown):
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(tokens)), tokens if shown else [], fontsize=12, color=INK, rotation=45, ha="left")
    axes.set_xticks(np.arange(len(tokens) + 1) - 0.5, minor=True)
    axes.grid(which="minor", axis="x", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _finish(figure, path, title, tight=True):
    if tight:
        figure.tight_layout()
    if title:
        top = max(axes.get_tightbbox().y1 for axes in figure.axes) / figure.dpi / figure.get_figheight()
        figure.suptitle(
            title, fontsize=14, color=INK, x=0.01, y=top + 0.12 / figure.get_figheight(), ha="left", va="bottom"
        )
    return save(figure, path)
