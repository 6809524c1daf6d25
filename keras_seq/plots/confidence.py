"""How sure a model is of what it knows and of what it cannot know."""

import numpy as np

from keras_seq.plots.style import ACCENT, COLOURS, INK, MUTED, pyplot, save
from keras_seq.rejection import auroc, roc_curve


def confidence(path, scores, inside, outside, title=None):
    """Histograms of confidence, and beside them the ROC curve.

    Args:
        path: file to write, PNG.
        scores: dict of name -> confidences `(examples,)` from 0 to 1, a histogram each.
        inside, outside: confidences of all that should be accepted and of all that should not, for the curve.
        title: str.

    Returns:
        The path.
    """
    plt = pyplot()
    figure, (bars, curve) = plt.subplots(1, 2, figsize=(11, 4.2), width_ratios=(1.5, 1), layout="constrained")
    edges = np.linspace(0, 1, 26)
    for number, (name, values) in enumerate(scores.items()):
        share = np.histogram(values, edges)[0] / len(values)
        bars.stairs(share, edges, fill=True, alpha=0.25, color=COLOURS[number])
        bars.stairs(share, edges, linewidth=2, color=COLOURS[number], label=f"{name} ({len(values):,})")
    bars.set_xlabel("confidence: the largest probability", color=INK)
    bars.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    bars.set_ylabel("share of them", color=INK)
    bars.legend(frameon=False, loc="upper center")
    wrong, right = roc_curve(inside, outside)
    curve.plot(wrong, right, linewidth=2, color=ACCENT, label=f"AUROC {auroc(inside, outside):.3f}")
    curve.plot([0, 1], [0, 1], linewidth=1, linestyle="--", color=MUTED, label="chance")
    curve.set_xlabel("accepted of what is out of scope", color=INK)
    curve.set_ylabel("accepted of what is in scope", color=INK)
    curve.legend(frameon=False, loc="lower right")
    for axes in (bars, curve):
        axes.spines[["top", "right"]].set_visible(False)
    if title:
        figure.suptitle(title, fontsize=13, color=INK, x=0.01, ha="left")
    return save(figure, path)
