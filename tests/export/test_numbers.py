"""Cases are Keras's answers at several lengths, batches and paddings; an artefact is held beside every one of them."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from export import cases as kept_cases
from export import errors, numbers, runtime

LIMITS = {"source": 13, "target": 7}
SOURCES = [[4, 5], [6, 7, 8, 4, 9], [5], [9, 8, 7, 6, 5, 4, 6, 8], [7, 4, 4]]


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


class Traced:
    """Keras's own signatures as an artefact, in TFLite's static shapes or in dynamic ones."""

    def __init__(self, generator, static):
        from export.saved_model import _describe
        from export.signatures import generator_signatures, input_specs

        self._functions = generator_signatures(generator, LIMITS, static=static, beams=2)
        self._specs = {name: input_specs(function) for name, function in self._functions.items()}
        self.signatures = {}
        for name, function in self._functions.items():
            inputs = {
                spec.name: {"shape": spec.shape.as_list(), "dtype": spec.dtype.name} for spec in self._specs[name]
            }
            self.signatures[name] = {**_describe(function), "inputs": inputs}

    def call(self, signature, **arrays):
        import tensorflow as tf

        tensors = [tf.constant(arrays[spec.name]) for spec in self._specs[signature]]
        return {name: tensor.numpy() for name, tensor in self._functions[signature](*tensors).items()}


@pytest.fixture(scope="module", params=["recurrent", "transformer"])
def generator(request):
    from keras_seq.models.seq2seq import Seq2Seq
    from keras_seq.models.transformer import Transformer

    keras.utils.set_random_seed(1)
    if request.param == "recurrent":
        model = Seq2Seq(11, 9, embedding_size=3, units=5)
    else:
        model = Transformer(11, 9, units=8, num_layers=1, num_heads=2, feed_forward=6, max_target=8)
    bias = next(weight for weight in model.weights[::-1] if tuple(weight.shape) == (9,))
    bias.assign([-9, -9, -9, *[0] * 6])  # no padding and no end: the outputs are as long as they may be
    return model


@pytest.fixture(scope="module")
def generator_cases(generator, tmp_path_factory):
    """As they come back from a file."""
    path = tmp_path_factory.mktemp("cases") / "cases.npz"
    kept_cases.write(path, kept_cases.generator_cases(generator, LIMITS, SOURCES, beams=2))
    return kept_cases.read(path)


@pytest.fixture(scope="module")
def traced(generator):
    return Traced(generator, static=True)


def test_a_generators_cases_have_several_lengths_batches_paddings_and_states(generator_cases, tmp_path):
    cases = generator_cases
    encoded = [case for case in cases if case.signature == "encode"]
    assert [(case.batch, case.inputs["source"].shape[1], case.lengths.tolist()) for case in encoded] == [
        (1, 1, [1]),
        (3, 4, [3, 1, 2]),
        (2, 13, [1, 3]),
        (1, 13, [13]),
    ]
    steps = [case for case in cases if case.signature == "step"]
    assert len(steps) == 2 * len(encoded)
    for case in steps:
        states = [array for name, array in case.inputs.items() if name.startswith("state_")]
        assert any(np.abs(array).max() > 0 for array in states) or (case.inputs["token"] == 1).all()
    # One axis is the source: of the ids, and of what attention reads.
    sized = {name: axis for case in cases for name, axis in case.open_axes.items()}
    assert sized.pop("source") == 1 and set(sized.values()) <= {1, 2} and all(name[:7] == "memory_" for name in sized)
    kept_cases.write(tmp_path / "cases.npz", cases)
    assert (tmp_path / "cases.npz").stat().st_size < 50_000


def test_a_generators_cases_hold_an_artefact_in_every_signature(traced, generator_cases):
    report = numbers.compare(traced, generator_cases, "float32")
    counts = {signature: one["cases"] for signature, one in report.items()}
    assert counts == {"encode": 4, "step": 8, "generate": 4, "generate_beam": 4}
    assert max(one["max_error"] for one in report.values()) < 1e-5
    assert report["generate"]["other_tokens"] == report["generate_beam"]["other_tokens"] == 0
    assert "other_tokens" not in report["step"]


def test_the_margin_is_that_of_the_two_best_logits(generator, generator_cases):
    """By teacher forcing, which knows nothing of steps."""
    for case in generator_cases:
        if case.signature != "generate":
            assert case.margin is None
            continue
        ids = case.outputs["ids"]
        before = np.concatenate([np.full_like(ids[:, :1], runtime.START), ids[:, :-1]], axis=1)
        best = np.sort(np.asarray(generator({"source": case.inputs["source"], "target": before})), axis=-1)
        wanted = np.where(ids == runtime.PAD, np.inf, best[..., -1] - best[..., -2])
        np.testing.assert_allclose(case.margin, wanted, atol=1e-5)


class Faulty:
    """An artefact of which one signature's answers are changed."""

    def __init__(self, traced, signature, change):
        self._traced, self._signature, self._change = traced, signature, change
        self.signatures = traced.signatures

    def call(self, signature, **arrays):
        outputs = {name: array.copy() for name, array in self._traced.call(signature, **arrays).items()}
        if signature == self._signature:
            self._change(outputs)
        return outputs


def other_token(outputs):
    outputs["ids"][:, 2] += 1
    outputs["log_probability"][:, 2] -= 1


def other_likelihood(outputs):
    outputs["log_probability"][0, 0] -= 0.002


def other_length(outputs):
    outputs["length"] += 1


def not_a_number(outputs):
    outputs["log_probability"][0, 0] = np.nan


@pytest.mark.parametrize(
    ("signature", "change", "message"),
    [
        ("generate", other_token, r"case 3: generate \(batch 1, lengths \[1\].*: row 0, step 2: Keras writes id"),
        ("generate", other_likelihood, r"log_probability is -\S+ at \[0, 0\], Keras has .*: 0.002 apart"),
        ("generate", other_length, "Keras says 7 tokens, the file 8"),
        ("generate_beam", other_token, "another output than Keras's, of score"),
        ("generate_beam", other_likelihood, r"generate_beam .*log_probability is -\S+ at \[0, 0\], Keras has"),
        ("generate_beam", not_a_number, r"log_probability is nan at \[0, 0\]; wanted a finite number"),
    ],
)
def test_what_is_written_must_be_what_keras_writes(traced, generator_cases, signature, change, message):
    faulty = Faulty(traced, signature, change)
    with pytest.raises(errors.NumbersError, match=message):
        numbers.compare(faulty, generator_cases, "float32")
    if change in (other_token, other_likelihood):  # with fewer bits it is the score that counts, which the proof has
        report = numbers.compare(faulty, generator_cases, "dynamic_int8")
        assert (report[signature]["other_tokens"] > 0) == (change is other_token)


def test_another_token_at_a_near_tie_is_counted(traced, generator_cases):
    ties = [
        replace(case, margin=np.full_like(case.margin, 9e-5)) if case.signature == "generate" else case
        for case in generator_cases
    ]
    report = numbers.compare(Faulty(traced, "generate", other_token), ties, "float32")
    assert report["generate"]["other_tokens"] == 7


def test_tokens_that_differ_in_a_second_call_are_refused_in_any_precision(traced, generator_cases):
    calls = iter(range(1000))

    def later(outputs):
        if next(calls):
            other_token(outputs)

    with pytest.raises(errors.NumbersError, match="called twice: generate .*the first call writes id .* a state stays"):
        numbers.compare(Faulty(traced, "generate", later), generator_cases, "dynamic_int8")


@pytest.mark.parametrize("signature", ["encode", "generate", "generate_beam"])
def test_a_signature_that_no_case_covers_is_refused(traced, generator_cases, signature):
    others = [case for case in generator_cases if case.signature != signature]
    with pytest.raises(errors.NumbersError, match=f"no case covers {signature}: what nobody looked at proves nothing"):
        numbers.compare(traced, others, "float32")
    with pytest.raises(errors.NumbersError, match="no case covers encode, generate, generate_beam, step"):
        numbers.compare(traced, [], "float32")


def test_without_sources_there_are_no_cases():
    with pytest.raises(ValueError, match="source_ids holds no source with an id"):
        kept_cases._sources([[], []], 13)
