"""Topologies, gates, gradients and bars: a picture where the numbers fit, an error and no file where they do not."""

import numpy as np
import pytest

from keras_seq.plots.bars import bars
from keras_seq.plots.gates import gate_maps, unit_over_tokens
from keras_seq.plots.gradients import gradient_flow, slopes
from keras_seq.plots.topology import Topology, topologies, unrolled


def width(path):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big")


def test_an_unrolled_cell_grows_with_its_steps(tmp_path):
    assert width(unrolled(tmp_path / "6.png", steps=6)) > 1.2 * width(unrolled(tmp_path / "3.png", steps=3, title="t"))


def test_all_four_topologies_are_drawn(tmp_path):
    diagrams = [
        Topology("N-N", "a", tuple("101"), tuple("abc")),
        Topology("N-1", "b", tuple("1011"), (None, None, None, "yes")),
        Topology("1-N", "c", ("7",), tuple("seven")),
        Topology("N-M", "d", (*"XIV", "start", "1"), (None, None, None, "1", "4"), reads_itself_from=3),
    ]
    assert width(topologies(tmp_path / "four.png", diagrams, "title")) > 800
    assert width(topologies(tmp_path / "one.png", diagrams[:1])) > 300


def test_a_topology_with_too_few_inputs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="N-N: 2 inputs for 3 outputs; give one for all steps, or one a step"):
        topologies(tmp_path / "a.png", [Topology("N-N", "", tuple("ab"), tuple("abc"))])
    assert not list(tmp_path.iterdir())


def test_gates_and_states_are_drawn_over_their_tokens(tmp_path):
    tokens, random = "the king near the cats sings".split(), np.random.default_rng(0)
    panels = {"gate": random.random((6, 5)), "state": random.normal(size=(6, 5))}
    assert width(gate_maps(tmp_path / "gates.png", tokens, panels, "title", marked=3)) > 400
    assert width(unit_over_tokens(tmp_path / "unit.png", tokens, {"gate": panels["gate"][:, 0]}, "title")) > 400


def test_gates_that_do_not_fit_their_tokens_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"gate has shape \(3, 5\); 2 tokens want \(2, units\)"):
        gate_maps(tmp_path / "a.png", ["a", "b"], {"gate": np.zeros((3, 5))})
    with pytest.raises(ValueError, match=r"gate has shape \(3, 1\); 2 tokens want"):
        unit_over_tokens(tmp_path / "a.png", ["a", "b"], {"gate": np.zeros(3)})
    assert not list(tmp_path.iterdir())


def test_slopes_and_flows_are_drawn(tmp_path):
    x = np.linspace(-1, 1, 9)
    assert width(slopes(tmp_path / "slopes.png", x, {"tanh": (np.tanh(x), 1 - np.tanh(x) ** 2)}, "title")) > 400
    norms = 0.5 ** np.arange(11) * np.ones((3, 1))
    series = {"RNN": norms, "LSTM": norms[:1], "LSTM, open": norms**0.1}
    assert width(gradient_flow(tmp_path / "flow.png", series, "t", floor=1e-3, dashed=["LSTM, open"])) > 400


def test_bars_want_a_number_for_every_name(tmp_path):
    assert width(bars(tmp_path / "bars.png", ["a", "b"], {"ms": [1.5, 2000], "count": [3, None]}, "t", ["b"])) > 300
    with pytest.raises(ValueError, match="'ms' has 3 numbers; 2 names want one each"):
        bars(tmp_path / "other.png", ["a", "b"], {"ms": [1, 2, 3]})
    assert [path.name for path in tmp_path.iterdir()] == ["bars.png"]
