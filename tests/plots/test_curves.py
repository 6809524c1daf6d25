"""Numbers on the axes of curves: short ones, powers of ten where there are many, each point of a few."""

import importlib

import pytest

module = importlib.import_module("keras_seq.plots.curves")


@pytest.fixture
def labels(monkeypatch):
    """A function from series and log to the numbers that are written at both axes."""
    monkeypatch.setattr(module, "save", lambda figure, path: figure)

    def draw(x, y, **options):
        figure = module.curves("unused.png", {"line": (x, y)}, "x", "y", **options)
        figure.canvas.draw()
        axes = figure.axes[0]
        return [
            [label.get_text() for label in axis.get_ticklabels(which="both") if label.get_text()]
            for axis in (axes.xaxis, axes.yaxis)
        ]

    return draw


def test_few_places_of_a_logarithmic_axis_are_each_named(labels):
    assert labels([16, 64, 1024], [1, 2, 3], log="x")[0] == ["16", "64", "1,024"]


def test_less_than_a_power_of_ten_has_plain_numbers_between(labels):
    written = labels(range(9), range(20_000, 74_000, 6000), log="y")[1]
    assert "20,000" in written and "40,000" in written and not [text for text in written if "times" in text]


def test_many_powers_of_ten_are_written_as_powers(labels):
    written = labels(range(3), [1e-20, 1, 1e20], log="y")[1]
    assert written and all("10^{" in text for text in written)


def test_percentages_are_written_as_such(labels):
    assert "40 %" in labels(range(3), [0.0, 0.5, 1.0], percent=True)[1]
    assert "10 %" in labels(range(3), [0.01, 0.1, 1.0], percent=True, log="y")[1]


def test_between_whole_places_there_is_none(labels):
    assert set(labels([1, 2], [0.1, 0.3])[0]) <= {"0", "1", "2", "3"}
    assert "0.2" in labels([0.0, 0.5, 1.0], [1, 2, 3])[0]
