"""Heat maps side by side: weights, masks, positions, tables of scores."""

import dataclasses

import numpy as np

from keras_seq.plots.style import INK, MUTED, SECOND, pyplot, save

_CELL = 0.34  # inches of a cell that has a label


@dataclasses.dataclass(frozen=True)
class HeatMap:
    """One heat map.

    Args:
        matrix: `(rows, columns)`; numbers below zero give it a scale with white at zero.
        title: str, above it.
        rows, columns: list of str, a label for each row and column; None writes their numbers.
        xlabel, ylabel: str.
        marks: pairs of row and column, cells to outline.
        form: str, how to write the numbers into the cells, such as ".2f"; "" writes none and draws a scale where there
            are no labels either.
        highest: float, what the darkest colour stands for; None takes the largest number.
    """

    matrix: np.ndarray
    title: str = ""
    rows: list | None = None
    columns: list | None = None
    xlabel: str = ""
    ylabel: str = ""
    marks: tuple = ()
    form: str = ""
    highest: float | None = None


def heat_maps(path, maps, title=None, across=3):
    """Heat maps side by side, in rows of `across`.

    Args:
        path: file to write, PNG.
        maps: list of HeatMap.
        title: str, above all.
        across: int, maps beside each other.

    Returns:
        The path.

    Raises:
        ValueError: if labels do not fit their matrix.
    """
    sizes = [_size(heat_map) for heat_map in maps]
    plt = pyplot()
    across = min(across, len(maps))
    down = -(-len(maps) // across)
    width = across * max(width for width, _ in sizes)
    height = down * max(height for _, height in sizes)
    figure, grid = plt.subplots(down, across, figsize=(width, height), squeeze=False, layout="constrained")
    for axes, heat_map in zip(grid.flat, maps, strict=False):
        _draw(figure, axes, heat_map)
    for axes in grid.flat[len(maps) :]:
        axes.axis("off")
    if title:
        figure.suptitle(title, fontsize=14, color=INK, x=0.01, ha="left")
    return save(figure, path)


def _size(heat_map):
    """Inches across and down, and whether the labels fit."""
    rows, columns = np.shape(heat_map.matrix)
    for labels, count, name in ((heat_map.rows, rows, "rows"), (heat_map.columns, columns, "columns")):
        if labels is not None and len(labels) != count:
            raise ValueError(f"{len(labels)} labels for {count} {name} of {heat_map.title!r}; give one for each")
    width = 1.3 + _column(heat_map) * columns if heat_map.columns is not None else 4.6
    height = 1.2 + _CELL * rows if heat_map.rows is not None else 3.6
    return max(width, 2.8), max(height, 1.6)


def _column(heat_map):
    """Inches across a column: labels are written across where there are numbers, else upright if they are long."""
    return max(1.8 * _CELL, 0.1 * max(map(len, heat_map.columns))) if heat_map.form else _CELL


def _draw(figure, axes, heat_map):
    matrix = np.asarray(heat_map.matrix, "float64")
    highest = np.abs(matrix).max() if heat_map.highest is None else heat_map.highest
    signed = matrix.min() < 0
    cells = heat_map.rows is not None or heat_map.columns is not None
    image = axes.imshow(
        matrix,
        cmap="RdBu_r" if signed else "GnBu",
        vmin=-highest if signed else 0,
        vmax=max(highest, 1e-9),
        aspect="equal" if cells and not heat_map.form else "auto",
        interpolation="nearest",
    )
    if heat_map.columns is not None:
        axes.set_xticks(range(len(heat_map.columns)), heat_map.columns, fontsize=10, color=INK)
        upright = not heat_map.form and max(map(len, heat_map.columns)) > 3
        axes.tick_params(axis="x", rotation=90 if upright else 0)
    if heat_map.rows is not None:
        axes.set_yticks(range(len(heat_map.rows)), heat_map.rows, fontsize=10, color=INK)
    if cells:
        axes.tick_params(length=0)
        axes.set_xticks(np.arange(matrix.shape[1] + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(matrix.shape[0] + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.2)
        axes.tick_params(which="minor", length=0)
    for row, column in heat_map.marks:
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) - 0.5 + (column, row)
        axes.plot(*corners.T, color=SECOND, linewidth=1.8, clip_on=False)
    if heat_map.form:
        _write_numbers(axes, matrix, heat_map.form, highest)
    elif not cells:
        figure.colorbar(image, ax=axes, shrink=0.9, pad=0.02).outline.set_visible(False)
    axes.set_xlabel(heat_map.xlabel, color=MUTED, fontsize=10)
    axes.set_ylabel(heat_map.ylabel, color=MUTED, fontsize=10)
    axes.set_title(heat_map.title, fontsize=11, color=INK, loc="left")
    axes.spines[:].set_visible(False)


def _write_numbers(axes, matrix, form, highest):
    for (row, column), value in np.ndenumerate(matrix):
        colour = "white" if abs(value) > 0.6 * highest else INK
        axes.text(column, row, f"{value:{form}}", ha="center", va="center", fontsize=10, color=colour)
