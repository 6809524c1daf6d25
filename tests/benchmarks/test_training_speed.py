"""The contestants of the training speed are one model, their batches hold what is said, and the command runs."""

import dataclasses
import functools
import json

import numpy as np
import pytest

from benchmarks.training_speed import __main__ as command
from benchmarks.training_speed import batches, child
from benchmarks.training_speed.row import Row
from benchmarks.training_speed.settings import Settings

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e .[backends]")

SETTINGS = Settings(
    vocabulary=23,
    units=6,
    layers=2,
    heads=3,
    feed_forward=11,
    dropout=0.0,
    batch=5,
    length=7,
    boundaries=(7, 13),
    steps=3,
)
_OF_LAYER = {
    "encoder": ("self_attention", "feed_forward"),
    "decoder": ("self_attention", "cross_attention", "feed_forward"),
}
_PARTS = ("query", "key", "value", "output")


def some_pairs(count=150):
    """Pairs of 1 to 12 ids, source and target of unequal length."""
    random = np.random.default_rng(3)
    return [
        [random.integers(4, SETTINGS.vocabulary, length).tolist() for length in random.integers(1, 13, count)]
        for _ in range(2)
    ]


@functools.cache
def trainer(name, **changed):
    made = child.trainer(name, some_pairs(), dataclasses.replace(SETTINGS, **changed))
    if name == "ours":
        random = np.random.default_rng(0)
        for weight in made.model.trainable_weights:
            weight.assign(random.normal(0, 0.5, weight.shape))
    return made


def our_arrays():
    """Our weights by stack and path below it."""
    parts = trainer("ours").model._parts
    arrays = {"embedding": parts["source_embedding"].embeddings.numpy()}
    for stack in _OF_LAYER:
        for weight in parts[stack].weights:
            arrays[f"{stack}/{weight.path.split(f'{stack}/', 1)[1]}"] = weight.numpy()
    return arrays


def give_keras_our_weights(model):
    """Keras numbers the layers of a kind in the order in which they were made, which is that of the model."""
    arrays = our_arrays()
    made = {"attention": [], "dense": [], "normalization": []}
    for stack, sublayers in _OF_LAYER.items():
        for i in range(SETTINGS.layers):
            for sublayer in sublayers:
                path = f"{stack}/layer_{i}/{sublayer}"
                kinds = ("hidden", "output") if sublayer == "feed_forward" else _PARTS
                weights = [arrays[f"{path}/{kind}/{what}"] for kind in kinds for what in ("kernel", "bias")]
                if sublayer == "feed_forward":
                    made["dense"] += [weights[:2], weights[2:]]
                else:
                    made["attention"].append(weights)
                made["normalization"].append([arrays[f"{path}_residual/norm/{what}"] for what in ("gain", "bias")])
        made["normalization"].append([arrays[f"{stack}/norm/{what}"] for what in ("gain", "bias")])
    for kind, weights in made.items():
        layers = [layer for layer in model.layers if layer.name.rstrip("_0123456789").endswith(kind)]
        layers.sort(key=lambda layer: int("0" + layer.name.rpartition("_")[2].strip("abcdefghijklmnopqrstuvwxyz")))
        for layer, of_layer in zip(layers, weights, strict=True):
            for weight, array in zip(layer.trainable_weights, of_layer, strict=True):
                weight.assign(array.reshape(weight.shape))
    (embedded,) = [layer for layer in model.layers if layer.name.startswith("embedded")]
    embedded.tokens.set_weights([arrays["embedding"]])


def give_torch_our_weights(model):
    from benchmarks.parity.transformer import stack_to_torch

    arrays = our_arrays()
    state = {"embedding.weight": arrays["embedding"]}
    for stack in _OF_LAYER:
        of_stack = {path.removeprefix(f"{stack}/"): array for path, array in arrays.items() if path.startswith(stack)}
        state |= {f"transformer.{stack}.{name}": array for name, array in stack_to_torch(of_stack).items()}
    parameters = dict(model.named_parameters())
    assert parameters.keys() == state.keys()
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.from_numpy(state[name]))


def test_all_have_as_many_parameters():
    units, hidden = SETTINGS.units, SETTINGS.feed_forward
    attention, feed_forward, norm = 4 * units * (units + 1), 2 * units * hidden + hidden + units, 2 * units
    layer = 2 * (attention + feed_forward + 2 * norm) + attention + norm  # of the encoder, and of the decoder
    wanted = SETTINGS.vocabulary * units + SETTINGS.layers * layer + 2 * norm
    assert {name: trainer(name).parameters for name in ("ours", "keras", "torch")} == dict.fromkeys(
        ("ours", "keras", "torch"), wanted
    )


@pytest.mark.parametrize(("name", "give"), [("keras", give_keras_our_weights), ("torch", give_torch_our_weights)])
def test_a_peer_with_our_weights_has_our_loss_on_padded_batches(name, give):
    give(trainer(name).model)
    for batch in batches.shuffled_batches(some_pairs(), SETTINGS, 0)[:2]:
        assert (batch[0] == 0).any() and (batch[2] == 0).any()
        assert trainer(name).loss(batch) == pytest.approx(trainer("ours").loss(batch), rel=1e-5)


def test_a_padded_batch_by_hand():
    source, target, labels = batches.padded([[9], [8, 7]], [[5, 6], []], [0, 1], target_length=4)
    assert source.tolist() == [[9, 0], [8, 7]]
    assert target.tolist() == [[1, 5, 6, 0], [1, 0, 0, 0]] and labels.tolist() == [[5, 6, 2, 0], [2, 0, 0, 0]]
    assert batches.useful_tokens([labels, labels[:1]]) == 4 + 3
    assert batches.padded([[9], [8, 7]], [[5, 6], []], [1])[1].shape == (1, 1)


def test_equal_batches_are_of_one_shape_and_each_pair_comes_once_before_the_first_again():
    fitting = [pair for pair in zip(*some_pairs(), strict=True) if len(pair[0]) <= 7 > len(pair[1])]
    windows = len(fitting) // SETTINGS.batch // SETTINGS.steps
    made = [batch for window in range(windows) for batch in batches.equal_batches(some_pairs(), SETTINGS, window)]
    assert windows > 1 and {array.shape for batch in made for array in batch} == {(5, 7)}
    seen = [tuple(row[row > 0]) for source, _, _ in made for row in source]
    wanted = sorted(tuple(source) for source, _ in fitting)
    assert len(seen) == windows * 15 and all(seen.count(row) <= wanted.count(row) for row in seen)
    again = batches.equal_batches(some_pairs(), SETTINGS, windows)
    np.testing.assert_array_equal(again[0][0], made[0][0])


def test_too_few_pairs_for_a_round_are_refused():
    with pytest.raises(ValueError, match="9 pairs make 1 batches of 5; give more pairs, or steps=1"):
        batches.shuffled_batches(some_pairs(9), SETTINGS, 0)


def weights_of(model):
    if isinstance(model, torch.nn.Module):
        return [parameter.detach().numpy().copy() for parameter in model.parameters()]
    return [weight.numpy() for weight in model.trainable_weights]


@pytest.mark.parametrize(
    ("name", "table"), [("ours", "own"), ("keras", "equal"), ("keras", "own"), ("torch", "equal"), ("torch", "own")]
)
def test_a_round_trains_and_counts_its_tokens(name, table):
    contestant = trainer(name, layers=1, boundaries=(13,))
    contestant.warm_up(table)
    before = weights_of(contestant.model)
    seconds, tokens = contestant.train(table, 1)
    still = [np.array_equal(*pair) for pair in zip(before, weights_of(contestant.model), strict=True)]
    assert seconds > 0 and sum(still) < len(still) / 2
    if name != "ours":
        make = batches.equal_batches if table == "equal" else batches.shuffled_batches
        assert tokens == sum((labels != 0).sum() for _, _, labels in make(some_pairs(), contestant.settings, 1))


def test_our_own_batches_hold_every_pair_and_as_many_tokens_as_the_shuffled_ones():
    ours = trainer("ours")
    pairs = some_pairs()
    labels = [labels.numpy() for _, labels in ours._own()(0)]
    useful = batches.useful_tokens(labels)
    assert useful == sum(len(target) + 1 for target in pairs[1])
    shuffled = sum(len(target) + 1 for target in pairs[1]) * SETTINGS.batch / len(pairs[1])
    assert useful / len(labels) == pytest.approx(shuffled, rel=0.15)
    assert {batch[2].shape for batch in ours.shapes("own")} == {array.shape for array in labels}


def test_random_pairs_fit_the_longest_bucket():
    source, target = batches.sentence_pairs(dataclasses.replace(SETTINGS, boundaries=(9, 17)), real=False)
    assert len(source) == len(target) > 10_000
    assert max(map(len, source)) == 17 and max(map(len, target)) == 16
    assert min(map(min, source)) == 4 and max(map(max, target)) == SETTINGS.vocabulary - 1


def test_a_row_holds_at_its_bar_and_says_where_it_misses():
    row = Row("equal", "keras", 100, first=3.21, step=40.0, tokens=800.0, speed=400.0, ours=500.0, bar=1.25)
    assert row.holds and row.line("who").split() == ["who", "100", "3.2", "40", "800", "400", "1.25", "1.25"]
    missed = dataclasses.replace(row, ours=499.0)
    assert not missed.holds and missed.line("who").endswith("MISSED")
    assert row.to_json() | {"ratio": 1.25, "first": 3.2} == row.to_json()
    assert dataclasses.replace(row, ours=1.0, bar=None).holds


class InThisProcess:
    """Stands in for a `Child`; the seconds are given, so that the ratios are known."""

    def __init__(self, name, task, threads):
        said = json.loads(task.read_text())
        assert Settings(**said["settings"]).threads == threads and len(said["pairs"][0]) == len(said["pairs"][1])
        self.name, self.parameters = name, 1800

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def warm_up(self, table):
        return 1.5

    def train(self, table, window):
        return {"ours": 2.0, "keras": 3.0, "torch": 2.2}[self.name] + window, 600


def test_the_command_prints_and_records_the_rows_and_fails_where_a_bar_is_missed(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "Child", InThisProcess)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "training_speed.json")
    monkeypatch.setattr(command, "_SPINNING", 0)
    given = ["--random", "--rounds", "1", "--threads", "2", "--against", "torch", "keras"]
    assert command.main([*given, "--record"]) == 1
    printed = capsys.readouterr().out
    assert "3 bars are MISSED" in printed and "threads: 2; random pairs" in printed
    recorded = json.loads((tmp_path / "training_speed.json").read_text())
    assert recorded["command"] == " ".join(["python -m benchmarks.training_speed", *given, "--record"])
    ratios = {"ours": 1, "keras": 1.5, "torch": 1.1}
    assert [(row["table"], row["name"], row["ratio"]) for row in recorded["rows"]] == [
        (table, *ratio) for table in ("equal", "own") for ratio in ratios.items()
    ]
    assert [row["bar"] for row in recorded["rows"]] == [None, 1.25, 1.25, None, 1.6, 1.6]
    assert command.main(["--smoke", "--rounds", "3", "--threads", "1", "--against", "torch"]) == 0


def test_a_child_answers_and_says_when_it_has_died(tmp_path):
    task = tmp_path / "task.json"
    task.write_text(json.dumps({"pairs": some_pairs(), "settings": dataclasses.asdict(SETTINGS)}))
    with child.Child("torch", task, threads=1) as asked:
        assert asked.parameters == trainer("torch").parameters and asked.warm_up("own") > 0
        seconds, tokens = asked.train("own", 1)
        wanted = batches.shuffled_batches(some_pairs(), SETTINGS, 1)
        assert seconds > 0 and tokens == batches.useful_tokens(labels for _, _, labels in wanted)
        with pytest.raises(RuntimeError, match="torch ended with exit code 1"):
            asked.train("own", "no window")
