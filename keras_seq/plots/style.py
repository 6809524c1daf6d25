"""What every figure shares: colours, fonts, and a file written whole."""

import importlib.util
import logging
import os
from pathlib import Path

_CHINESE_FONT = "NotoSansSC-Regular.ttf"
INK, MUTED, ACCENT, SECOND = "#1f2933", "#7b8794", "#0b6e99", "#d9822b"
COLOURS = (ACCENT, SECOND, "#5b8c5a", "#8d5a97", MUTED)


def pyplot():
    """matplotlib.pyplot, set up to write files and to have the characters that the course needs."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams["font.family"] = font_families()
    return plt


def font_families():
    """DejaVu Sans, and behind it a font with Chinese characters (from the package zhplot)."""
    from matplotlib import font_manager

    families = ["DejaVu Sans"]
    package = importlib.util.find_spec("zhplot")
    font = Path(package.submodule_search_locations[0], "fonts", _CHINESE_FONT) if package else None
    if font is None or not font.exists():
        logging.getLogger(__name__).warning("no font for Chinese characters: pip install zhplot")
        return families
    family = font_manager.FontProperties(fname=font).get_name()
    if family not in font_manager.fontManager.get_font_names():
        font_manager.fontManager.addfont(font)
    return [*families, family]


def save(figure, path):
    """Writes a figure as PNG, whole, closes it and returns the path."""
    import matplotlib.pyplot as plt

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    figure.savefig(unfinished, format="png", dpi=130, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    os.replace(unfinished, path)
    return path
