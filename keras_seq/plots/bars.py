"""Bars side by side: one measure a panel, one bar a name."""

from keras_seq.plots.style import ACCENT, INK, SECOND, pyplot, save


def bars(path, names, measures, title=None, lighter=()):
    """Horizontal bars, the same names in every panel, each bar with its number.

    Args:
        path: file to write, PNG.
        names: list of str, from top to bottom.
        measures: dict of a panel's heading -> list of numbers, one a name; None where there is none.
        title: str.
        lighter: names whose bars take the second colour.

    Returns:
        The path.

    Raises:
        ValueError: if a panel does not have one number a name.
    """
    for heading, values in measures.items():
        if len(values) != len(names):
            raise ValueError(f"{heading!r} has {len(values)} numbers; {len(names)} names want one each")
    plt = pyplot()
    size = 1.6 + 2.7 * len(measures), 0.9 + 0.38 * len(names)
    figure, all_axes = plt.subplots(1, len(measures), figsize=size, sharey=True, squeeze=False)
    colours = [SECOND if name in lighter else ACCENT for name in names]
    for axes, (heading, values) in zip(all_axes[0], measures.items(), strict=True):
        axes.barh(range(len(names)), [value or 0 for value in values], color=colours, height=0.7)
        largest = max(value or 0 for value in values)
        for place, value in enumerate(values):
            text = "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
            axes.text((value or 0) + 0.02 * largest, place, text, va="center", fontsize=10.5, color=INK)
        axes.set_xlim(0, 1.3 * largest or 1)
        axes.set_title(heading, fontsize=12, color=INK, loc="left")
        axes.set_xticks([])
        axes.set_yticks(range(len(names)), names, fontsize=11.5, color=INK)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    all_axes[0, 0].invert_yaxis()
    if title:
        figure.suptitle(title, fontsize=14, color=INK, x=0.01, ha="left")
    figure.tight_layout()
    return save(figure, path)
