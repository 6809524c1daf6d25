"""What the proof of a generator catches, on artefacts that answer from the reference but for one planted fault."""

import json

import numpy as np
import pytest

from export import errors, prove, reference
from keras_seq.data.tokenizer import Tokenizer

LIMITS = {"source": 21, "target": 7}
EXAMPLES = 48


class FakeSession:
    """An artefact that answers from the reference, but for one planted fault."""

    def __init__(self, reference, fault):
        self.reference, self.fault, self.calls = reference, fault, 0
        self.signatures = {"generate_beam": {}} if "beam_ids" in reference or fault == "beam" else {}

    def call(self, signature, **arrays):
        if signature == "encode":
            return {"state_row": self._rows(arrays)}
        if signature == "step":
            return self._step(arrays)
        if signature == "generate_beam":
            return self._beam(arrays)
        self.calls += 1
        rows = self._rows(arrays)
        ids = np.array(self.reference["ids"], "int32")[rows]
        log_probability = np.array(self.reference["log_probability"], "float32")[rows]
        if self.fault == "ignores its source":
            ids, log_probability = np.full_like(ids, 99), np.full_like(log_probability, -0.5)
        elif self.fault == "keeps state" and self.calls > EXAMPLES:
            log_probability = log_probability + 0.3
        elif self.fault == "token" and 2 in rows:
            ids[list(rows).index(2), 3] += 1
        elif self.fault == "in company" and len(rows) > 32:
            ids[:5, 3] += 1
        elif self.fault == "nan":
            log_probability = log_probability * np.nan
        length = np.full(len(ids), 5 if self.fault == "length" else 6, "int32")
        return {"ids": ids, "length": length, "log_probability": log_probability}

    def _beam(self, arrays):
        """Of the inputs 7 and 8 one output is another: as good, or worse; or the same, but said to be less likely."""
        rows = self._rows(arrays)
        ids, length, log_probability = (
            np.array([self.reference[f"beam_{name}"][row] for row in rows])
            for name in ("ids", "length", "log_probability")
        )
        for place, row in enumerate(rows):
            if row in (7, 8) and self.fault in ("as good a beam", "beam"):
                ids[place, 1] += 1
            if row == 8 and self.fault in ("beam", "beam's likelihood"):
                log_probability[place, 0] -= 0.02
        return {"ids": ids, "length": length, "log_probability": log_probability}

    def _rows(self, arrays):
        pairs = zip(arrays["source"], arrays["source_length"], strict=True)
        return np.array([self.reference["source_ids"].index(row[:length].tolist()) for row, length in pairs], "int32")

    def _step(self, arrays):
        row, position = int(arrays["state_row"][0]) % 1000, int(arrays["state_row"][0]) // 1000
        logits = np.full((1, 15), -30.0, "float32")
        token = self.reference["ids"][row][position]
        score = self.reference["log_probability"][row][position]
        logits[0] = np.log((1 - np.exp(score)) / 14)
        logits[0, token] = score
        if self.fault == "step":
            logits[0, 9] += 100
        return {"logits": logits, "next_state_row": arrays["state_row"] + 1000}


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    """Proves a fake artefact with the fault; `margin` is how clear Keras was at each step."""
    random = np.random.default_rng(0)
    rows = [[int(i) for i in random.integers(4, 15, 6)] + [2] for _ in range(EXAMPLES)]
    answers = {
        "text": [f"text {index}" for index in range(EXAMPLES)],
        "target": [str(index) for index in range(EXAMPLES)],
        "target_ids": [row[:-1] for row in rows],
        "source_ids": [[4 + index % 7, 4 + index // 7, *[5] * (index % 4)] for index in range(EXAMPLES)],
        "ids": rows,
        "length": [6] * EXAMPLES,
        "log_probability": (-random.uniform(0.01, 0.3, (EXAMPLES, 7))).tolist(),
        "output": ["output"] * EXAMPLES,
    }

    def work(fault, margin=2.0, precision="float32", own=None, score=None, format="tflite", **more):
        answers.update(more)
        answers["margin"] = [[margin] * 7 for _ in range(EXAMPLES)]
        path = tmp_path / "reference.json"
        path.write_text(json.dumps(answers), encoding="utf-8")
        monkeypatch.setattr(prove, "open_session", lambda format, path: FakeSession(answers, fault))
        monkeypatch.setattr(prove.cases, "read", lambda path: [])
        monkeypatch.setattr(prove.numbers, "compare", lambda *_: {})
        return prove.prove(format, precision, "model", str(path), "cases.npz", LIMITS, own=own, score=score)

    work.answers = answers
    return work


def test_a_right_artefact_passes(faulty):
    report = faulty(None)
    assert report["score"]["exact_match"] == 1 and report["parity"]["near_ties"] == 0
    assert report["parity"]["swapped"] == {"pairs": EXAMPLES - 1, "changed": EXAMPLES - 1}


def test_a_wrong_token_is_named_with_its_input_and_step(faulty):
    with pytest.raises(errors.TaskError, match="generate: input 2, 'text 2', step 3: Keras writes id"):
        faulty("token")


def test_a_lower_precision_may_lose_half_a_point_and_no_more(faulty):
    with pytest.raises(errors.TaskError, match=r"score \(exact match\) falls from 100.00 to 97.92 %, more than half"):
        faulty("token", precision="dynamic_int8")
    parity = faulty(None, precision="dynamic_int8")["parity"]
    assert parity["same_tokens"] == parity["inputs"] == EXAMPLES and "first_difference" not in parity


def test_the_samples_are_scored_as_they_are_verified_later(faulty):
    """The scales of integers depend on what else is in a batch, and later there are the samples alone."""
    report = faulty("in company", precision="dynamic_int8", format="onnx", own={"exact_match": 0.0})
    assert report["score"] == {"exact_match": 1 - 5 / EXAMPLES, "examples": EXAMPLES}
    assert report["samples"] == {"exact_match": 1.0, "examples": 32}


@pytest.fixture
def spoken(tmp_path):
    """BLEU of words, of which each id is one."""
    words = Tokenizer.train([" ".join("abcdefghijk")], kind="token")
    words.save(tmp_path / "target.tokenizer.json")
    return words, {"name": "bleu", "vocabulary": str(tmp_path / "target.tokenizer.json")}


def test_a_fall_of_bleu_by_more_than_half_a_point_is_refused(faulty, spoken, beams):
    """One word of 288, whose place is the fourth of six, is in 2 of 240 pairs, 3 of 192 threes and 3 of 144 fours."""
    words, score = spoken
    answers = {"target": [words.decode(row) for row in faulty.answers["ids"]], **beams}
    assert faulty(None, precision="dynamic_int8", score=score, **answers)["score"]["bleu"] == pytest.approx(1)
    fallen = (287 / 288 * 238 / 240 * 189 / 192 * 141 / 144) ** (1 / 4)
    falls = rf"the score \(BLEU\) falls from 100.00 to {100 * fallen:.2f}, more than half a point; ship another"
    with pytest.raises(errors.TaskError, match=falls):
        faulty("token", precision="dynamic_int8", score=score, **answers)
    own = {"bleu": fallen, "beam_bleu": 1.0}
    report = faulty("token", precision="dynamic_int8", score=score, own=own, **answers)
    assert report["score"]["bleu"] == pytest.approx(fallen) and report["parity"]["beam"]["bleu"] == pytest.approx(1)
    assert report["samples"].keys() == {"bleu", "examples", "beam_bleu"}
    with pytest.raises(errors.TaskError, match=r"\(beam BLEU\) falls from 100.00 to 9.*, more than half"):
        faulty("beam", precision="dynamic_int8", score=score, **answers)


def test_next_tokens_are_scored_through_steps(faulty, beams):
    score = {"name": "next_token"}
    answers = {"next_ids": faulty.answers["ids"], **beams}
    report = faulty("token", precision="dynamic_int8", score=score, **answers)  # what is written need not be right
    assert report["score"] == {"next_token": 1.0, "examples": EXAMPLES}
    share = 100 * np.mean(np.asarray(faulty.answers["ids"]) == 9)  # of the only token that is found then
    with pytest.raises(errors.TaskError, match=rf"\(next token\) falls from 100.00 to {share:.2f} %, more than half"):
        faulty("step", precision="dynamic_int8", score=score, **answers)


def test_beams_without_a_score_need_only_be_as_likely_as_greedy_outputs(faulty, beams):
    score, answers = {"name": "next_token"}, {"next_ids": faulty.answers["ids"], **beams}
    exact = faulty(None, score=score, **answers)
    assert exact["parity"]["beam"].keys() == {"inputs", "same_tokens", "max_log_probability_error"}
    assert exact["samples"] == {"next_token": 1.0, "examples": 32}
    found = faulty("beam", precision="dynamic_int8", score=score, **answers)["parity"]["beam"]
    assert found.pop("likelier") == pytest.approx(0, abs=0.1)
    assert found == {"inputs": EXAMPLES - 5, "same_tokens": EXAMPLES - 7}
    for value in (-0.7, float("nan")):
        answers["beam_log_probability"] = [[value] * 7] * (EXAMPLES - 5) + [None] * 5
        with pytest.raises(errors.TaskError, match="less likely than one of generate's, by .*: it does not search"):
            faulty(None, precision="dynamic_int8", score=score, **answers)


@pytest.fixture
def beams():
    """What Keras's beam search writes for all but the last inputs, of which every one is right."""
    random = np.random.default_rng(0)
    rows = [[int(i) for i in random.integers(4, 15, 6)] + [2] for _ in range(EXAMPLES)]
    found = {"ids": rows, "length": [6] * EXAMPLES, "output": [f"beam {number}" for number in range(EXAMPLES)]}
    found["log_probability"] = (-random.uniform(0.01, 0.3, (EXAMPLES, 7))).tolist()
    return {f"beam_{name}": [*answers[:-5], *[None] * 5] for name, answers in found.items()}


def test_beams_are_held_to_tokens_and_log_probabilities(faulty, beams):
    found, searched = faulty(None, **beams)["parity"]["beam"], EXAMPLES - 5
    assert found == {"inputs": searched, "same_tokens": searched, "max_log_probability_error": 0, "exact_match": 1}
    as_good = faulty("as good a beam", **beams)["parity"]["beam"]
    assert as_good["same_tokens"] == EXAMPLES - 7 and as_good["exact_match"] == 1 - 2 / (EXAMPLES - 5)
    with pytest.raises(errors.TaskError, match="input 8, 'text 8', step 1: another output .* answer is 'beam 8'"):
        faulty("beam", **beams)
    with pytest.raises(errors.TaskError, match="generate_beam: input 8, .*step 0: the log-probability is off by 0.02"):
        faulty("beam's likelihood", **beams)


def test_beams_of_a_lower_precision_are_judged_by_their_score(faulty, beams):
    assert faulty("beam's likelihood", precision="dynamic_int8", **beams)["parity"]["beam"]["exact_match"] == 1.0
    with pytest.raises(errors.TaskError, match=r"\(beam exact match\) falls from 100.00 to 95.35 %, .* another prec"):
        faulty("beam", precision="dynamic_int8", **beams)
    own = {"exact_match": 1.0, "beam_exact_match": 1 - 2 / (EXAMPLES - 5)}
    report = faulty("beam", precision="dynamic_int8", own=own, **beams)
    assert report["samples"] == {"exact_match": 1.0, "examples": 32, "beam_exact_match": 1 - 2 / 32}
    with pytest.raises(
        errors.TaskError, match=r"\(beam exact match\) falls from 100.00 to 95.35 %, .*bundle was built"
    ):
        faulty("beam", precision="dynamic_int8", own=dict.fromkeys(own, 1.0), **beams)


def test_beams_that_keras_was_not_asked_for_are_refused(faulty):
    with pytest.raises(errors.TaskError, match="nobody knows what Keras's beam search writes; build the bundle again"):
        faulty("beam")


def test_a_lower_precision_is_held_to_its_own_score_on_the_samples(faulty):
    """Keras has 100 %, the artefact had one less when it was built, and has it still."""
    own = {"exact_match": 1 - 1 / EXAMPLES}
    assert faulty("token", precision="dynamic_int8", own=own)["score"]["exact_match"] == own["exact_match"]
    with pytest.raises(errors.TaskError, match="falls from 100.00 to 97.92 %, .*its own of when the bundle was built"):
        faulty("token", precision="dynamic_int8", own={"exact_match": 1.0})


@pytest.mark.parametrize(
    ("count", "most", "proven", "chosen_on"),
    [
        (2000, 1000, (0, 1000), (1000, 2000)),
        (1100, 1000, (0, 900), (900, 1100)),
        (400, 1000, (0, 200), (200, 400)),
        (399, 1000, (0, 399), None),
        (5000, 1000, (0, 1000), (4000, 5000)),
    ],
)
def test_the_proof_and_the_choice_of_layers_share_no_example(count, most, proven, chosen_on):
    wanted = slice(*proven), chosen_on and slice(*chosen_on)
    assert reference.parts(count, most) == wanted


def test_a_different_token_at_a_near_tie_is_counted(faulty):
    report = faulty("token", margin=5e-5)
    assert report["parity"]["near_ties"] == 1
    assert report["score"]["exact_match"] == 1 - 1 / EXAMPLES


def test_an_artefact_that_ignores_its_source_is_refused_even_where_keras_is_unsure(faulty):
    with pytest.raises(errors.TaskError, match="the source is ignored"):
        faulty("ignores its source", margin=0.0)


def test_an_artefact_that_keeps_state_between_calls_is_refused(faulty):
    with pytest.raises(errors.TaskError, match="the log-probability is off by 0.3"):
        faulty("keeps state")


def test_numbers_that_are_none_are_refused(faulty):
    with pytest.raises(errors.TaskError, match="log-probability is off by nan"):
        faulty("nan")


def test_a_wrong_length_is_refused(faulty):
    with pytest.raises(errors.TaskError, match="Keras says 6 tokens, the file 5"):
        faulty("length")


def test_a_wrong_step_is_refused(faulty):
    with pytest.raises(errors.TaskError, match="encode and step: input"):
        faulty("step")
