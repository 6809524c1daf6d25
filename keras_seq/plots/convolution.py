"""Windows over pictures, pictures in rows, and which classes are taken for which."""

import numpy as np

from keras_seq.plots.style import ACCENT, INK, MUTED, SECOND, pyplot, save


def sliding_window(path, image, kernel, output, place, title=None):
    """A picture, the kernel over one place of it, and the map, with the sum written out.

    Args:
        path: file to write, PNG.
        image: `(height, width)`, numbers.
        kernel: `(kernel height, kernel width)`, numbers.
        output: `(rows, columns)`, the map for stride 1 without padding.
        place: pair, row and column of the map to show.
        title: str.

    Returns:
        The path.
    """
    image, kernel, output = (np.asarray(array) for array in (image, kernel, output))
    plt = pyplot()
    widths = [array.shape[1] for array in (image, kernel, output)]
    figure, all_axes = plt.subplots(1, 3, figsize=(0.62 * sum(widths) + 2.6, 4.6), width_ratios=widths)
    headings = (f"picture {image.shape[0]} x {image.shape[1]}", "kernel", f"map {output.shape[0]} x {output.shape[1]}")
    for axes, numbers, heading in zip(all_axes, (image, kernel, output), headings, strict=True):
        _numbers(axes, numbers)
        axes.set_title(heading, fontsize=13, color=INK)
    _frame(plt, all_axes[0], place, kernel.shape, SECOND)
    _frame(plt, all_axes[1], (0, 0), kernel.shape, SECOND)
    _frame(plt, all_axes[2], place, (1, 1), SECOND)
    window = image[place[0] : place[0] + kernel.shape[0], place[1] : place[1] + kernel.shape[1]]
    terms = " + ".join(f"{_text(w)}·{_signed(k)}" for w, k in zip(window.ravel(), kernel.ravel(), strict=True))
    figure.text(0.5, 0.04, f"{terms} = {_text(output[place])}", ha="center", fontsize=12, color=SECOND)
    if title:
        figure.suptitle(title, fontsize=14, color=INK, x=0.02, ha="left")
    figure.tight_layout(rect=(0, 0.08, 1, 0.98), w_pad=2.5)
    return save(figure, path)


def placements(path, settings, title=None):
    """Where a window stands for some paddings and strides: its centre at each place, and its first and last place.

    Args:
        path: file to write, PNG.
        settings: list of (size, kernel, stride, before, after, heading): pixels of a square picture, of the window, to
            the next window, and of padding before and after the picture.
        title: str.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, all_axes = plt.subplots(1, len(settings), figsize=(3.1 * len(settings), 3.9), squeeze=False)
    largest = max(size + before + after for size, _, _, before, after, _ in settings)
    for axes, (size, kernel, stride, before, after, heading) in zip(all_axes[0], settings, strict=True):
        pixels = np.zeros((size + before + after,) * 2)
        pixels[before : before + size, before : before + size] = 1
        axes.imshow(pixels, cmap="GnBu", vmin=0, vmax=3.5)
        starts = range(0, len(pixels) - kernel + 1, stride)
        centres = [start + (kernel - 1) / 2 for start in starts]
        axes.scatter(*np.meshgrid(centres, centres), s=34, color=ACCENT, zorder=3)
        _frame(plt, axes, (0, 0), (kernel, kernel), SECOND)
        _frame(plt, axes, (starts[-1], starts[-1]), (kernel, kernel), INK)
        _grid(axes, pixels.shape, "#cbd2d9")
        axes.set_xlim(-0.7, largest - 0.3)
        axes.set_ylim(largest - 0.3, -0.7)
        axes.set_title(heading, fontsize=12, color=INK)
    if title:
        figure.suptitle(title, fontsize=14, color=INK, x=0.02, ha="left")
    figure.tight_layout()
    return save(figure, path)


def pooled(path, image, results, title=None):
    """A picture cut into windows, and what each kind of pooling makes of it.

    Args:
        path: file to write, PNG.
        image: `(height, width)`, numbers.
        results: dict of name -> `(rows, columns)`; the windows lie side by side.
        title: str.

    Returns:
        The path.
    """
    image = np.asarray(image)
    plt = pyplot()
    rows, columns = next(iter(results.values())).shape
    colours = (np.arange(rows)[:, None] + np.arange(columns)) % 2 + 1.0  # (rows, columns)
    height, width = image.shape[0] // rows, image.shape[1] // columns
    widths = [image.shape[1], *(result.shape[1] for result in results.values())]
    figure, all_axes = plt.subplots(1, len(widths), figsize=(0.62 * sum(widths) + 2.8, 3.7), width_ratios=widths)
    panels = [(image, np.kron(colours, np.ones((height, width))), f"picture {image.shape[0]} x {image.shape[1]}")]
    panels += [(result, colours, f"{name}: {rows} x {columns}") for name, result in results.items()]
    for axes, (numbers, shade, heading) in zip(all_axes, panels, strict=True):
        _numbers(axes, numbers, shade)
        axes.set_title(heading, fontsize=12, color=INK)
    if title:
        figure.suptitle(title, fontsize=14, color=INK, x=0.02, ha="left")
    figure.tight_layout(w_pad=2.5)
    return save(figure, path)


def picture_rows(path, rows, title=None, signed=False):
    """Rows of small pictures, each row under its heading.

    Args:
        path: file to write, PNG.
        rows: list of (heading, `(count, height, width)`).
        title: str.
        signed: bool, blue for numbers below zero and red above, on one scale for all; else dark for large numbers, on
            a scale for each picture.

    Returns:
        The path.
    """
    plt = pyplot()
    most = max(len(pictures) for _, pictures in rows)
    width, height = 0.85 * most + 0.4, 1.16 * len(rows) + 0.6
    figure, all_axes = plt.subplots(len(rows), most, figsize=(width, height), squeeze=False)
    figure.subplots_adjust(0.2 / width, 0.1 / height, 1 - 0.2 / width, 1 - 0.8 / height, wspace=0.1, hspace=0.5)
    reach = max(float(np.abs(pictures).max()) for _, pictures in rows)
    scale = {"cmap": "RdBu_r", "vmin": -reach, "vmax": reach} if signed else {"cmap": "gray_r"}
    for line, (heading, pictures) in zip(all_axes, rows, strict=True):
        for axes in line:
            axes.axis("off")
        for axes, picture in zip(line, pictures, strict=False):
            axes.imshow(picture, **scale)
            axes.add_patch(
                plt.Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, edgecolor="#cbd2d9", linewidth=1)
            )
        line[0].text(0, 1.08, heading, transform=line[0].transAxes, fontsize=11, color=INK, va="bottom")
    if title:
        figure.suptitle(title, fontsize=14, color=INK, x=0.2 / width, y=1 - 0.1 / height, ha="left")
    return save(figure, path)


def confusion(path, counts, classes, title=None):
    """How often each class (down) was taken for each class (across); the right ones are printed in grey.

    Args:
        path: file to write, PNG.
        counts: `(classes, classes)`, int, true class by predicted class.
        classes: sequence of str.
        title: str.

    Returns:
        The path.
    """
    counts = np.asarray(counts)
    plt = pyplot()
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    figure, axes = plt.subplots(figsize=(0.68 * len(counts) + 2.2, 0.56 * len(counts) + 1.8))
    axes.imshow(wrong, cmap="OrRd", vmin=0, vmax=max(1, wrong.max()), aspect="auto")
    for row, column in np.ndindex(counts.shape):
        if counts[row, column]:
            dark = row != column and wrong[row, column] > 0.6 * wrong.max()
            colour = "white" if dark else MUTED if row == column else INK
            axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", fontsize=10, color=colour)
    axes.set_xticks(range(len(classes)), classes, rotation=35, ha="right", fontsize=11, color=INK)
    axes.set_yticks(range(len(classes)), classes, fontsize=11, color=INK)
    axes.set_xlabel("taken for", fontsize=12, color=INK)
    axes.set_ylabel("is", fontsize=12, color=INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_title(title, fontsize=14, color=INK, loc="left")
    return save(figure, path)


def _numbers(axes, numbers, shade=None):
    """A grid of numbers, shaded by their size or as given."""
    shade = np.abs(numbers) if shade is None else shade
    axes.imshow(shade, cmap="GnBu", vmin=0, vmax=3.2 * max(float(np.max(shade)), 1e-6))
    for row, column in np.ndindex(numbers.shape):
        axes.text(column, row, _text(numbers[row, column]), ha="center", va="center", fontsize=14, color=INK)
    _grid(axes, numbers.shape, "white")


def _grid(axes, shape, colour):
    axes.set_xticks(np.arange(shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(shape[0] + 1) - 0.5, minor=True)
    axes.hlines(np.arange(shape[0] + 1) - 0.5, -0.5, shape[1] - 0.5, color=colour, linewidth=1)
    axes.vlines(np.arange(shape[1] + 1) - 0.5, -0.5, shape[0] - 0.5, color=colour, linewidth=1)
    axes.axis("off")


def _frame(plt, axes, place, size, colour):
    corner = (place[1] - 0.5, place[0] - 0.5)
    axes.add_patch(
        plt.Rectangle(corner, size[1], size[0], fill=False, edgecolor=colour, linewidth=3, zorder=4, clip_on=False)
    )


def _text(number):
    return f"{float(number):.4g}"


def _signed(number):
    return f"({_text(number)})" if number < 0 else _text(number)
