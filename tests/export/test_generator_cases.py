"""Cases of generators hold every signature: states in `step`, tokens in `generate` and `generate_beam`."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from export import cases as kept_cases
from export import errors, numbers, runtime

LIMITS = {"source": 13, "target": 7}
SOURCES = [[4, 5], [6, 7, 8, 4, 9], [5], [9, 8, 7, 6, 5, 4, 6, 8], [7, 4, 4]]


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
    with pytest.raises(ValueError, match="the sources are all empty"):
        kept_cases._inputs([[], []], LIMITS)
