"""Lines over a common axis."""

from keras_seq.plots.style import COLOURS, INK, pyplot, save


def curves(path, series, xlabel, ylabel, title=None, percent=False, log="", markers=True):
    """Lines over a common axis.

    Args:
        path: file to write, PNG.
        series: dict of name -> (x values, y values).
        xlabel, ylabel: str.
        title: str.
        percent: bool, write y as percentages.
        log: "", "x", "y" or "xy", the axes that are logarithmic.
        markers: bool, a dot at each point.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.5, 4.2))
    for index, (name, (x, y)) in enumerate(series.items()):
        colour, marker = COLOURS[index % len(COLOURS)], "o" if markers else None
        axes.plot(x, y, marker=marker, markersize=4, linewidth=2, color=colour, label=name)
    axes.set_xlabel(xlabel, color=INK)
    axes.set_ylabel(ylabel, color=INK)
    axes.set_xscale("log" if "x" in log else "linear")
    axes.set_yscale("log" if "y" in log else "linear")
    for axis, name, own_percent in ((axes.xaxis, "x", False), (axes.yaxis, "y", percent)):
        if not (name in log and _spans_many_powers(axis)):  # a logarithmic axis writes powers of ten by itself
            axis.set_major_formatter(lambda value, _, own=own_percent: f"{100 * value:.4g} %" if own else _short(value))
    if title:
        axes.set_title(title, fontsize=13, color=INK, loc="left")
    axes.grid(axis="y", color="#e4e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    if len(series) > 4:  # hardly a corner is left free
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    elif len(series) > 1:
        axes.legend(frameon=False)
    figure.tight_layout()
    return save(figure, path)


def _spans_many_powers(axis):
    low, high = axis.get_view_interval()
    return high > 1e6 * low


def _short(value):
    """A tick's number: 12,000 or 0.25 or 1e-07."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e9 else f"{value:.3g}"
