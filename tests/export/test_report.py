"""The report is one section an artefact and one line a proof."""

import json

from export import report

STRUCTURE = {
    "bytes": 1_840_000,
    "operators": {f"OPERATOR_{number:02}": 40 - number for number in range(17)},
    "foreign_operators": [],
    "tensor_types": {"float32": 271, "int32": 18},
    "variable_tensors": 4,
    "signatures": {
        "encode": {
            "inputs": {"source": {"shape": [1, None], "dtype": "int32"}},
            "outputs": {"memory_keys": {"shape": [1, None, 7], "dtype": "float32"}},
        }
    },
    "aliased_outputs": [],
    "weight_bytes": 1_700_000,
    "repeated_weight_bytes": 0,
}
WHOLE = {
    "bundle": "dates",
    "artefacts": [
        {
            "path": "model.float32.tflite",
            "format": "tflite",
            "precision": "float32",
            "structure": STRUCTURE,
            "numbers": {
                "encode": {"cases": 4, "max_error": 1.5e-6, "mean_error": 1e-7, "largest": 2.25},
                "generate": {"cases": 5, "max_error": 1e-6, "mean_error": 2e-7, "largest": 1.5, "other_tokens": 1},
            },
            "task": {
                "parity": {
                    "inputs": 60,
                    "near_ties": 1,
                    "max_log_probability_error": 1e-6,
                    "stepwise": {"inputs": 24, "near_ties": 1, "max_log_probability_error": 2e-6},
                    "beam": {
                        "inputs": 50,
                        "same_tokens": 49,
                        "max_log_probability_error": 3e-6,
                        "exact_match": 0.98,
                    },
                    "swapped": {"pairs": 59, "changed": 58},
                },
                "score": {"exact_match": 0.953, "examples": 60},
                "samples": {"exact_match": 0.9688, "examples": 32, "beam_exact_match": 1.0},
                "latency_ms": 4.5,
                "memory_bytes": 12_400_000,
                "memory_is": "peak",
            },
            "runtimes": [
                {"runtime": "ai-edge-litert 2.3.0 Interpreter", "loads": True, "runs": True, "reason": None},
                {
                    "runtime": "ai-edge-litert 2.3.0 CompiledModel",
                    "loads": False,
                    "runs": False,
                    "reason": "variable\ntensors",
                },
            ],
            "refused": None,
        },
        {
            "path": "onnx.dynamic_int8",
            "format": "onnx",
            "precision": "dynamic_int8",
            "structure": {**STRUCTURE, "repeated_weight_bytes": 500_000},
            "refused": "the score falls\nfrom 95.30 to 90.00 %",
        },
    ],
}


def test_every_proof_is_a_line():
    text = report.to_markdown(json.loads(json.dumps(WHOLE)))
    assert text.startswith("# Verification of dates\n\n1 of 2 artefacts pass.\n") and text.endswith("\n")
    for line in (
        "## PASS: model.float32.tflite (tflite float32)",
        "  - 1.84 MB, weights 1.70 MB, each once",
        "  - tensors: float32 271, int32 18; 4 variable",
        "  - `encode(source int32 [1, ?]) -> memory_keys float32 [1, ?, 7]`",
        "  - `encode`: 4 cases, each called three times; largest error 1.5e-06, mean 1.0e-07, of values up to 2.25",
        "  - `generate`: 5 cases, each called three times; largest error 1.0e-06, mean 2.0e-07, of values up to 1.5; "
        "other tokens in 1 rows",
        "  - Keras's tokens on all 60 inputs, 1 near ties",
        "  - `encode` and `step`: the same tokens on 23 of 24 inputs, log-probability within 2.0e-06",
        "  - `generate_beam`: the tokens of Keras's beam search on 49 of 50 inputs, log-probability within 3.0e-06, "
        "exact match 98.0 %",
        "  - swapped inputs: the answer changes in 58 of 59 pairs",
        "  - exact match 95.3 % on 60 examples",
        "  - on the 32 samples of the bundle: exact match 96.9 %, beam exact match 100.0 %",
        "  - memory, of a process that only runs it: 12 MB",
        "  - latency ms: 4.5",
        "  - PASS ai-edge-litert 2.3.0 Interpreter: loads and runs",
        "  - REFUSED ai-edge-litert 2.3.0 CompiledModel: does not load: variable tensors",
        "## REFUSED: onnx.dynamic_int8 (onnx dynamic_int8)",
        "Refused: the score falls from 95.30 to 90.00 %",
        "  - 1.84 MB, weights 1.70 MB, 0.50 MB of it twice",
        "- **Numbers**: not reached",
    ):
        assert f"{line}\n" in text


def test_each_score_is_called_by_its_name():
    beam = {"inputs": 20, "same_tokens": 17, "likelier": 0.0321}
    tasks = [
        {"score": {"bleu": 0.38412, "examples": 60}, "samples": {"bleu": 0.4, "beam_bleu": 0.41, "examples": 32}},
        {"score": {"next_token": 0.123, "examples": 60}, "parity": {"inputs": 60, "beam": beam}},
    ]
    artefacts = [
        {"path": "m", "format": "onnx", "precision": "dynamic_int8", "task": task, "refused": None} for task in tasks
    ]
    text = report.to_markdown({"bundle": "some", "artefacts": artefacts})
    assert "  - BLEU 38.4 on 60 examples\n" in text and "  - next token 12.3 % on 60 examples\n" in text
    assert "samples of the bundle: BLEU 40.0, beam BLEU 41.0\n" in text
    assert "beam search on 17 of 20 inputs, mean log-probability +0.032 beside greedy decoding's\n" in text


def test_operators_are_at_most_fifteen_a_line_and_the_most_first():
    lines = [line for line in report.to_markdown(WHOLE).splitlines() if "OPERATOR_" in line]
    assert lines[0].startswith("  - operators: OPERATOR_00 40, OPERATOR_01 39")
    assert [line.count("OPERATOR_") for line in lines] == [15, 2, 15, 2]


def test_tokens_that_differ_are_shown():
    task = {
        "parity": {
            "inputs": 32,
            "same_tokens": 30,
            "first_difference": {"input": "3 juin", "step": 4},
            "beam": {"inputs": 20, "same_tokens": 17, "exact_match": 0.85},
        },
        "score": {"exact_match": 0.5, "examples": 32},
        "samples": {"exact_match": 0.5, "examples": 32},
    }
    artefact = {"path": "m", "format": "onnx", "precision": "dynamic_int8", "task": task, "refused": None}
    text = report.to_markdown({"bundle": "dates", "artefacts": [artefact]})
    assert "the same tokens as Keras on 30 of 32 inputs\n" in text and "first difference: '3 juin', step 4\n" in text
    assert "Keras's beam search on 17 of 20 inputs, exact match 85.0 %\n" in text
    assert "samples" not in text  # they are all that was scored
