"""Cases are Keras's answers at several lengths, batches and paddings; an artefact is held beside every one of them."""

import numpy as np
import pytest

from export import cases as kept_cases
from export import errors, numbers


def running_sums(ids, length):
    """Sums of the real ids so far `(batch, time, 1)` and their total `(batch, 1)`."""
    real = np.arange(ids.shape[1]) < length[:, None]  # (batch, time)
    sums = np.cumsum(np.where(real, ids, 0), axis=1, dtype="float32")  # (batch, time)
    return {"sums": sums[:, :, None], "total": sums[:, -1:]}


class Session:
    """An artefact that is a Python function; `batch` and `width` make its shapes static."""

    def __init__(self, function, batch=None, width=None):
        self.function, self.calls = function, []
        self.signatures = {
            "predict": {
                "inputs": {
                    "ids": {"shape": [batch, width], "dtype": "int32"},
                    "length": {"shape": [batch], "dtype": "int32"},
                },
                "outputs": {
                    "sums": {"shape": [batch, width, 1], "dtype": "float32"},
                    "total": {"shape": [batch, 1], "dtype": "float32"},
                },
            }
        }

    def call(self, signature, **arrays):
        self.calls.append({name: array.shape for name, array in arrays.items()})
        return self.function(**arrays)


def inputs_of(*lengths, width):
    random = np.random.default_rng(width)
    length = np.asarray(lengths, "int32")
    ids = random.integers(1, 9, (len(lengths), width)).astype("int32")
    return {"ids": np.where(np.arange(width) < length[:, None], ids, 0).astype("int32"), "length": length}


@pytest.fixture
def cases():
    given = [inputs_of(3, width=3), inputs_of(2, 5, 4, width=6), inputs_of(7, 11, width=11)]
    return kept_cases.predict_cases(running_sums, given, [one["length"] for one in given])


def test_the_time_axes_are_those_that_follow_the_inputs_width(cases):
    assert all(case.open_axes == {"ids": 1, "sums": 1} for case in cases)
    pictures = kept_cases.predict_cases(
        lambda image: image.sum(axis=(1, 2)), [{"image": np.ones((2, 5, 3), "float32")}]
    )
    assert pictures[0].open_axes == {} and pictures[0].outputs["probabilities"].shape == (2,)


def test_one_width_does_not_tell_the_time_axis():
    with pytest.raises(ValueError, match="every input is 6 wide, which does not tell its time axis; give several"):
        kept_cases.predict_cases(running_sums, [inputs_of(2, 5, width=6)], [[2, 5]])


def test_what_is_behind_the_lengths_is_not_compared(cases):
    def careless(ids, length):
        answer = running_sums(ids, length)
        answer["sums"] = np.where((np.arange(ids.shape[1]) < length[:, None])[:, :, None], answer["sums"], 1e9)
        return {name: array.astype("float32") for name, array in answer.items()}

    report = numbers.compare(Session(careless), cases, "float32")
    assert report == {
        "predict": {"cases": 3, "max_error": 0.0, "mean_error": 0.0, "largest": report["predict"]["largest"]}
    }


def test_a_static_file_is_fed_row_by_row_with_padding(cases):
    session = Session(running_sums, batch=1, width=13)
    numbers.compare(session, cases, "float32")
    assert len(session.calls) == 3 * (1 + 3 + 2)
    assert all(call == {"ids": (1, 13), "length": (1,)} for call in session.calls)


def test_a_static_batch_is_filled_up(cases):
    session = Session(running_sums, batch=2)
    numbers.compare(session, cases, "float32")
    assert {call["length"] for call in session.calls} == {(2,)} and len(session.calls) == 3 * (1 + 2 + 1)


def test_a_difference_is_told_with_its_case_and_place(cases):
    def wrong(ids, length):
        answer = running_sums(ids, length)
        if len(ids) == 3:
            answer["total"][1] += 0.5
        return answer

    with pytest.raises(errors.NumbersError) as caught:
        numbers.compare(Session(wrong), cases, "float32")
    message = str(caught.value)
    assert "case 1: predict (batch 3, lengths [2, 5, 4] padded to 6): total is " in message
    assert "at [1, 0], Keras has" in message and "0.5 apart, wanted at most" in message


def test_errors_are_measured_and_the_tolerance_follows_the_precision(cases):
    def coarse(ids, length):
        return {name: array + np.float32(0.01) for name, array in running_sums(ids, length).items()}

    report = numbers.compare(Session(coarse), cases, "float16")["predict"]
    assert 0.0099 < report["mean_error"] <= report["max_error"] < 0.0101 and report["largest"] > 10
    with pytest.raises(errors.NumbersError, match="0.01 apart"):
        numbers.compare(Session(coarse), cases, "float32")


def test_an_int8_file_may_be_coarse_but_must_be_finite(cases):
    def off(ids, length):
        return {name: array + np.float32(3) for name, array in running_sums(ids, length).items()}

    assert numbers.compare(Session(off), cases, "dynamic_int8")["predict"]["max_error"] == pytest.approx(3)

    def broken(ids, length):
        return {**running_sums(ids, length), "total": np.full((len(ids), 1), np.nan, "float32")}

    with pytest.raises(errors.NumbersError, match=r"total is nan at \[0, 0\]; wanted a finite number"):
        numbers.compare(Session(broken), cases, "dynamic_int8")


@pytest.mark.parametrize("precision", ["float32", "dynamic_int8"])
def test_a_state_that_stays_behind_is_seen_in_the_second_call(cases, precision):
    kept = np.zeros((1, 1), "float32")

    def stateful(ids, length):
        answer = running_sums(ids, length)
        answer["total"] = answer["total"] + kept
        kept[:] = answer["total"][-1:]
        return answer

    with pytest.raises(errors.NumbersError, match="case 0, called twice: .* a state stays behind from call to call"):
        numbers.compare(Session(stateful), cases, precision)


def test_a_state_that_shows_in_another_order_only_is_seen(cases):
    before = [len(cases[0].inputs["ids"])]

    def stateful(ids, length):
        grown, before[0] = before[0] > len(ids), len(ids)
        return {name: array + np.float32(grown) for name, array in running_sums(ids, length).items()}

    in_order = [cases[0], cases[2], cases[1]]  # of 1, 2 and 3 rows: only backwards does a batch shrink
    with pytest.raises(errors.NumbersError, match="case 1, called in the reverse order: "):
        numbers.compare(Session(stateful), in_order, "float32")


def test_other_signatures_names_shapes_and_dtypes_are_refused(cases):
    session = Session(running_sums)
    session.signatures = {"encode": session.signatures["predict"]}
    with pytest.raises(errors.StructureError, match="no signature predict, it has encode"):
        numbers.compare(session, cases, "float32")
    session = Session(running_sums)
    session.signatures["predict"]["outputs"].pop("total")
    with pytest.raises(errors.StructureError, match="predict: the artefact's outputs are sums, Keras's sums, total"):
        numbers.compare(session, cases, "float32")
    with pytest.raises(
        errors.StructureError, match=r"ids is int32 \[1, 9\] in the artefact, Keras has int32 \[2, 11\]"
    ):
        numbers.compare(Session(running_sums, 1, 9), cases, "float32")
    wide = Session(lambda ids, length: {**running_sums(ids, length), "total": np.zeros((len(ids), 1), "float64")})
    with pytest.raises(
        errors.StructureError, match=r"total comes out as float64 \[1, 1\], Keras's is float32 \[1, 1\]"
    ):
        numbers.compare(wide, cases, "float32")


def test_a_runtime_that_stops_is_told_with_the_case(cases):
    def stops(ids, length):
        if len(ids) > 1:
            raise KeyError("no kernel for this batch")
        return running_sums(ids, length)

    with pytest.raises(
        errors.NumbersError, match=r"predict \(batch 3, .*the runtime stops \('no kernel for this batch'"
    ):
        numbers.compare(Session(stops), cases, "float32")


def test_cases_are_read_as_they_were_written_and_the_same_cases_give_the_same_bytes(cases, tmp_path):
    pictures = kept_cases.predict_cases(lambda image: image[:, 0], [{"image": np.ones((2, 5, 3), "float32")}])
    for name in ("one", "other"):
        kept_cases.write(tmp_path / f"{name}.npz", cases + pictures)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.npz", "other.npz"]
    for wanted, got in zip(cases + pictures, kept_cases.read(tmp_path / "one.npz"), strict=True):
        assert (got.signature, got.open_axes) == (wanted.signature, wanted.open_axes)
        assert (got.lengths is None) == (wanted.lengths is None)
        for side in ("inputs", "outputs"):
            mine, theirs = getattr(got, side), getattr(wanted, side)
            assert list(mine) == list(theirs) and all(mine[name].dtype == theirs[name].dtype for name in mine)
            assert all(np.array_equal(mine[name], theirs[name]) for name in mine)


def test_a_file_that_is_cut_off_or_another_is_refused(cases, tmp_path):
    kept_cases.write(tmp_path / "cases.npz", cases)
    whole = (tmp_path / "cases.npz").read_bytes()
    (tmp_path / "cases.npz").write_bytes(whole[: len(whole) // 2])
    np.savez(tmp_path / "other.npz", weights=np.ones(3))
    kept_cases.write(tmp_path / "empty.npz", [])
    np.savez(tmp_path / "pickled.npz", cases=np.asarray([{"a": 1}], object))
    for name in ("cases", "other", "pickled", "missing", "empty"):
        with pytest.raises(errors.ExportError, match=f"{name}.npz is no file of cases"):
            kept_cases.read(tmp_path / f"{name}.npz")
