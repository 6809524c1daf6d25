"""Lines over a common axis."""

from keras_seq.plots.style import COLOURS, INK, pyplot, save

_FEW = 8  # points on a logarithmic x axis that have room for a tick each


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
        line = ("-", "--", ":")[index // len(COLOURS) % 3]  # where the colours come round again
        axes.plot(x, y, line, marker=marker, markersize=4, linewidth=2, color=colour, label=name)
    axes.set_xlabel(xlabel, color=INK)
    axes.set_ylabel(ylabel, color=INK)
    axes.set_xscale("log" if "x" in log else "linear")
    axes.set_yscale("log" if "y" in log else "linear")
    _write_ticks(axes.xaxis, "x" in log, _short)
    _write_ticks(axes.yaxis, "y" in log, (lambda value: f"{100 * value:.4g} %") if percent else _short)
    places = sorted({float(place) for x, _ in series.values() for place in x})
    if "x" in log and len(places) <= _FEW:
        axes.set_xticks(places)
        axes.set_xticks([], minor=True)
    elif "x" not in log and all(place == int(place) for place in places):
        axes.xaxis.set_major_locator(plt.MaxNLocator(integer=True))  # there is no epoch 1.5
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


def _write_ticks(axis, logarithmic, write):
    """Has an axis write its numbers by a function; one over many powers of ten writes those by itself."""
    from matplotlib.ticker import LogFormatter

    class Minor(LogFormatter):
        """Writes where matplotlib would, between powers of ten where there are few of them."""

        def __call__(self, value, pos=None):
            return write(value) if super().__call__(value, pos) else ""

    low, high = axis.get_view_interval()
    if logarithmic and high > 1e6 * low:
        return
    axis.set_major_formatter(lambda value, _: write(value))
    if logarithmic:
        axis.set_minor_formatter(Minor())


def _short(value):
    """A tick's number: 12,000 or 0.25 or 1e-07."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e9 else f"{value:.3g}"
