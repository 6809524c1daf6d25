"""Recurrent networks as graphs: the loop and its unrolling, and what goes in and comes out at which step.

Inputs are drawn below, states in the middle, outputs above; time runs to the right.
"""

import dataclasses

from keras_seq.plots.style import ACCENT, INK, MUTED, SECOND, pyplot, save

_STEP, _LEVEL, _SIZE = 1.5, 1.35, 0.8  # from step to step, from level to level, a box's height and least width
_PALE = {ACCENT: "#dcedf4", SECOND: "#fbe8d3", MUTED: "#f0f2f4"}


@dataclasses.dataclass(frozen=True)
class Topology:
    """What one diagram of `topologies` shows.

    Args:
        name: str, above the diagram, such as "N-1".
        caption: str, behind the name.
        inputs: tuple of str or None, what is read at each step; a single one is drawn as given to every step.
        outputs: tuple of str or None, what is written at each step.
        reads_itself_from: int, the step from which on each output is the next step's input; None for never.
    """

    name: str
    caption: str
    inputs: tuple
    outputs: tuple
    reads_itself_from: int | None = None


def unrolled(path, steps=4, title=None):
    """A recurrent cell as a loop, and the same cell unrolled over time.

    Args:
        path: file to write, PNG.
        steps: int, steps to unroll.
        title: str.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(2.0 + 1.5 * (steps + 3), 4.0))
    _box(axes, (0, 0), "$x_t$", MUTED)
    _box(axes, (0, _LEVEL), "$h_t$", ACCENT)
    _arrow(axes, (0, _SIZE / 2), (0, _LEVEL - _SIZE / 2), "$W$")
    _arrow(axes, (0, _LEVEL + _SIZE / 2), (0, 2 * _LEVEL - _SIZE / 2))
    _box(axes, (0, 2 * _LEVEL), "$y_t$", SECOND)
    loop = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
    loop["connectionstyle"] = "arc,angleA=0,angleB=0,armA=28,armB=28,rad=9"
    axes.annotate("", (_SIZE / 2, _LEVEL - 0.2), (_SIZE / 2, _LEVEL + 0.2), arrowprops=loop)
    axes.text(0.82, _LEVEL, "$U$", fontsize=13, color=INK, va="center")
    axes.text(1.9, _LEVEL, "=", fontsize=26, color=INK, ha="center", va="center")
    begin = 3.0
    _box(axes, (begin, _LEVEL), "$h_0$", MUTED)
    for step in range(1, steps + 1):
        x = begin + step * _STEP
        for level, letter, colour in ((0, "x", MUTED), (1, "h", ACCENT), (2, "y", SECOND)):
            _box(axes, (x, level * _LEVEL), f"${letter}_{step}$", colour)
        _arrow(axes, (x, _SIZE / 2), (x, _LEVEL - _SIZE / 2), "$W$")
        _arrow(axes, (x, _LEVEL + _SIZE / 2), (x, 2 * _LEVEL - _SIZE / 2))
        _arrow(axes, (x - _STEP + _SIZE / 2, _LEVEL), (x - _SIZE / 2, _LEVEL), "$U$")
    return _finish(figure, axes, path, (-0.6, begin + steps * _STEP + 0.6), (-0.5, 2 * _LEVEL + 0.5), title)


def topologies(path, diagrams, title=None):
    """Several topologies, two in a row.

    Args:
        path: file to write, PNG.
        diagrams: list of `Topology`.
        title: str, above all.

    Returns:
        The path.

    Raises:
        ValueError: if a diagram has neither one input nor one an output.
    """
    for diagram in diagrams:
        if len(diagram.inputs) not in (1, len(diagram.outputs)):
            raise ValueError(
                f"{diagram.name}: {len(diagram.inputs)} inputs for {len(diagram.outputs)} outputs; give one for all "
                "steps, or one a step, with None where there is none"
            )
    plt = pyplot()
    widest, rows = max(len(diagram.outputs) for diagram in diagrams), -(-len(diagrams) // 2)
    figure, all_axes = plt.subplots(rows, 2, figsize=(2.0 * widest, 3.3 * rows), squeeze=False)
    for axes in all_axes.flat[len(diagrams) :]:
        axes.axis("off")
    for axes, diagram in zip(all_axes.flat, diagrams, strict=False):
        _draw(axes, diagram)
        axes.set_xlim(-0.7, (widest - 1) * _STEP + 0.7)
        axes.set_ylim(-0.55, 2 * _LEVEL + 0.55)
        axes.set_aspect("equal")
        axes.axis("off")
        axes.set_title(f"{diagram.name}: {diagram.caption}", fontsize=13, color=INK, loc="left")
    if title:
        figure.suptitle(title, fontsize=15, color=INK, x=0.005, ha="left")
    figure.tight_layout()
    return save(figure, path)


def _draw(axes, diagram):
    steps = len(diagram.outputs)
    given_to_all = len(diagram.inputs) == 1 < steps
    if given_to_all:
        middle = (steps - 1) * _STEP / 2
        _box(axes, (middle, 0), diagram.inputs[0], MUTED, width=(steps - 1) * _STEP + _SIZE)
    for step, output in enumerate(diagram.outputs):
        x = step * _STEP
        own = diagram.reads_itself_from is not None and step >= diagram.reads_itself_from
        _box(axes, (x, _LEVEL), f"$h_{{{step + 1}}}$", SECOND if own else ACCENT)
        if step:
            _arrow(axes, (x - _STEP + _SIZE / 2, _LEVEL), (x - _SIZE / 2, _LEVEL))
        if given_to_all or diagram.inputs[step] is not None:
            _arrow(axes, (x, _SIZE / 2), (x, _LEVEL - _SIZE / 2))
            if not given_to_all:
                _box(axes, (x, 0), diagram.inputs[step], SECOND if own else MUTED)
        if output is not None:
            _arrow(axes, (x, _LEVEL + _SIZE / 2), (x, 2 * _LEVEL - _SIZE / 2))
            _box(axes, (x, 2 * _LEVEL), output, SECOND)
        if own and step + 1 < steps:
            back = {"arrowstyle": "-|>", "color": SECOND, "linewidth": 1.3, "linestyle": (0, (4, 2))}
            begin, end = (x + _SIZE / 2, 2 * _LEVEL - 0.25), (x + _STEP - _SIZE / 2, 0.25)
            axes.annotate("", end, begin, arrowprops=back)


def _box(axes, centre, text, colour, width=_SIZE):
    from matplotlib.patches import FancyBboxPatch

    corner = centre[0] - width / 2, centre[1] - _SIZE / 2
    shape = "round,pad=0,rounding_size=0.15"
    axes.add_patch(
        FancyBboxPatch(corner, width, _SIZE, shape, facecolor=_PALE[colour], edgecolor=colour, linewidth=1.6)
    )
    axes.text(*centre, text, ha="center", va="center", fontsize=14 if len(text) < 4 or "$" in text else 11, color=INK)


def _arrow(axes, begin, end, label=None):
    axes.annotate("", end, begin, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.5})
    if label:
        x, y = (begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2
        beside = begin[0] == end[0]
        axes.text(x + 0.1 * beside, y + 0.1 * (not beside), label, fontsize=13, color=INK,
                  ha="left" if beside else "center", va="center" if beside else "bottom")  # fmt: skip


def _finish(figure, axes, path, xlim, ylim, title):
    axes.set_xlim(*xlim)
    axes.set_ylim(*ylim)
    axes.set_aspect("equal")
    axes.axis("off")
    if title:
        axes.set_title(title, fontsize=14, color=INK, loc="left")
    return save(figure, path)
