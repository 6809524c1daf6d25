"""The picture of a recording: three kinds of rows over the same seconds."""

import importlib

import numpy as np
import pytest

module = importlib.import_module("keras_seq.plots.speech")


def test_all_rows_run_over_the_seconds_of_the_recording(monkeypatch):
    monkeypatch.setattr(module, "save", lambda figure, path: figure)
    samples, features = np.sin(np.arange(2000)), np.ones((25, 6))
    alignments = [("attention", ["one", "<end>"], np.eye(2, 7)), ("CTC", [], np.zeros((0, 7)))]
    figure = module.recording("unused.png", samples, 8000, features, alignments, "one")
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert axes.get_xlim() == (0, 0.25)
    assert [label.get_text() for label in figure.axes[2].get_yticklabels()] == ["one", "end"]


def test_a_row_for_each_token_is_wanted():
    with pytest.raises(ValueError, match="'CTC' has 2 tokens and weights of 3; give a row for each"):
        module.recording("unused.png", np.ones(9), 8000, np.ones((2, 3)), [("CTC", ["a", "b"], np.ones((3, 4)))])
