"""Sentences whose words are shaded by a weight each."""

from keras_seq.plots.style import INK, MUTED, font_families, pyplot, save

_GAP = 1.4  # around a word, in characters


def weighted_words(path, sentences, title=None):
    """A line a sentence, each word on a ground that is darker for more weight, and its number where it has a good part.

    Args:
        path: file to write, PNG.
        sentences: list of (words, weights, heading): list of str, `(words,)` from 0 to 1, and str.
        title: str.

    Returns:
        The path.

    Raises:
        ValueError: if a sentence has not one weight a word.
    """
    for words, weights, heading in sentences:
        if len(words) != len(weights):
            raise ValueError(f"{heading!r} has {len(words)} words and {len(weights)} weights; give one for each")
    plt = pyplot()
    widest = max(sum(len(word) + _GAP for word in words) for words, _, _ in sentences)
    size = 0.6 + 0.115 * max(widest, 40), 0.4 + 0.85 * len(sentences)
    figure, axes = plt.subplots(figsize=size)
    shade, fonts = plt.get_cmap("GnBu"), ["DejaVu Sans Mono", *font_families()]
    for row, (words, weights, heading) in enumerate(sentences):
        axes.text(0, row - 0.28, heading, fontsize=11, color=MUTED)
        left = 0.0
        for word, weight in zip(words, weights, strict=True):
            width = len(word) + _GAP
            axes.add_patch(plt.Rectangle((left, row - 0.2), width - 0.15, 0.4, color=shade(0.9 * float(weight))))
            colour = "white" if weight > 0.6 else INK
            middle = left + (width - 0.15) / 2
            axes.text(middle, row, word, ha="center", va="center", fontsize=11, color=colour, family=fonts)
            if weight >= 0.1:
                axes.text(middle, row + 0.33, f"{weight:.2f}", ha="center", va="center", fontsize=8.5, color=MUTED)
            left += width
    axes.set_xlim(0, max(widest, 40))
    axes.set_ylim(len(sentences) - 0.5, -0.6)
    axes.axis("off")
    if title:
        axes.set_title(title, fontsize=13, color=INK, loc="left")
    figure.tight_layout()
    return save(figure, path)
