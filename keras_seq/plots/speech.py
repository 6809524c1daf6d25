"""A recording: its waveform, what the front end makes of it, and when a model heard each word."""

import numpy as np

from keras_seq.plots.style import ACCENT, INK, MUTED, pyplot, save


def recording(path, samples, rate, features, alignments=(), title=None):
    """Waveform, log-mel features and alignments, one below another over the same seconds.

    Args:
        path: file to write, PNG.
        samples: `(samples,)`, from -1 to 1.
        rate: int, samples a second.
        features: `(frames, bands)`, low frequencies first.
        alignments: list of (heading, tokens as list of str, weights `(tokens, positions)`).
        title: str, above all.

    Returns:
        The path.

    Raises:
        ValueError: if some weights do not fit their tokens.
    """
    for heading, tokens, weights in alignments:
        if len(tokens) != len(weights):
            raise ValueError(f"{heading!r} has {len(tokens)} tokens and weights of {len(weights)}; give a row for each")
    seconds = len(samples) / rate
    plt = pyplot()
    heights = [1.2, 1.8, *(0.5 + 0.24 * len(tokens) for _, tokens, _ in alignments)]
    figure, all_axes = plt.subplots(
        len(heights), 1, figsize=(9, sum(heights) + 0.45 * len(heights) + 0.6), height_ratios=heights, sharex=True,
        layout="constrained",
    )  # fmt: skip
    all_axes[0].plot(np.arange(len(samples)) / rate, samples, linewidth=0.6, color=ACCENT)
    all_axes[0].set_title("waveform", fontsize=11, color=INK, loc="left")
    _picture(all_axes[1], np.asarray(features).T, seconds, "magma", origin="lower")
    all_axes[1].set_title(
        f"log-mel: {np.shape(features)[1]} bands, low at the bottom", fontsize=11, color=INK, loc="left"
    )
    for axes, (heading, tokens, weights) in zip(all_axes[2:], alignments, strict=True):
        if len(tokens):
            _picture(axes, np.asarray(weights), seconds, "GnBu", vmin=0)
        axes.set_yticks(range(len(tokens)), [token.replace("<end>", "end") for token in tokens], fontsize=10, color=INK)
        axes.set_title(heading, fontsize=11, color=INK, loc="left")
    for axes in all_axes:
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    all_axes[1].set_yticks([])
    all_axes[-1].set_xlim(0, seconds)
    all_axes[-1].set_xlabel("seconds", fontsize=10, color=MUTED)
    if title:
        figure.suptitle(title, fontsize=14, color=INK, x=0.01, ha="left")
    return save(figure, path)


def _picture(axes, matrix, seconds, colours, **options):
    """Rows over the whole of the seconds; the last column may reach over their end a little."""
    extent = (0, seconds, -0.5, len(matrix) - 0.5) if options.get("origin") else (0, seconds, len(matrix) - 0.5, -0.5)
    axes.imshow(matrix, aspect="auto", interpolation="nearest", cmap=colours, extent=extent, **options)
