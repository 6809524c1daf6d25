"""Points with names: what one measure costs in another."""

from keras_seq.plots.style import COLOURS, INK, pyplot, save

_MARKERS = ("o", "s", "^", "D", "v")
_POINT = 0.01  # room above and below shares: what differs by less than a point shall look so


def trade_off(path, series, xlabel, ylabel, title=None, percent=False, log=""):
    """Named points of several series.

    Args:
        path: file to write, PNG.
        series: dict of name -> dict of a point's name -> (x, y).
        xlabel, ylabel: str.
        title: str.
        percent: bool, write y as percentages; the axis then spans two points at least.
        log: "", "x", "y" or "xy", the axes that are logarithmic.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(8.4, 4.8))
    for number, (name, points) in enumerate(series.items()):
        x, y = zip(*points.values(), strict=True)
        colour = COLOURS[number % len(COLOURS)]
        axes.scatter(x, y, s=52, color=colour, marker=_MARKERS[number % len(_MARKERS)], label=name, zorder=3)
    axes.set_xscale("log" if "x" in log else "linear")
    axes.set_yscale("log" if "y" in log else "linear")
    axes.margins(0.12, 0.22)
    if percent:
        shares = [y for points in series.values() for _, y in points.values()]
        room = max(_POINT, 0.25 * (max(shares) - min(shares)))
        axes.set_ylim(min(shares) - room, max(shares) + room)
    _write_names(axes, [(point, *place) for points in series.values() for point, place in points.items()])
    if percent:
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %" if value <= 1 else "")
    axes.set_xlabel(xlabel, color=INK)
    axes.set_ylabel(ylabel, color=INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:.3g}" if "x" in log else "")
    if title:
        axes.set_title(title, fontsize=13, color=INK, loc="left")
    axes.grid(color="#e4e7eb", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.tight_layout()
    return save(figure, path)


def _write_names(axes, points):
    """Each name beside its point, above or below those that would cover it."""
    taken = []
    for name, x, y in sorted(points, key=lambda point: (point[1], point[2])):
        place = axes.transData.transform((x, y))
        for offset in (8, -14, 20, -26, 32, -38):
            corner = place[0], place[1] + offset
            if not any(abs(corner[0] - other[0]) < 90 and abs(corner[1] - other[1]) < 11 for other in taken):
                break
        taken.append(corner)
        axes.annotate(name, (x, y), xytext=(4, offset), textcoords="offset points", fontsize=9, color=INK)
