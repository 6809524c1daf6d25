"""Tokens as they are decided, beam search, and what the command line says of options that a bundle cannot serve."""

import io
from argparse import ArgumentParser

import numpy as np
import pytest

from export import runtime

WRITTEN = [5, 7, 9, runtime.END]  # ids of the toy bundle's target vocabulary
SURE = (0.9, 0.8, 0.7, 0.95)


class Steps:
    """`generate` writes `WRITTEN`, `generate_beam` the first of it; `step` takes the token before and the place."""

    def describe(self, signature):
        tensor = {"shape": [None, None], "dtype": "int32"}
        return {
            "inputs": dict.fromkeys(("source", "source_length"), tensor),
            "outputs": dict.fromkeys(("ids", "length", "log_probability"), tensor),
        }

    def call(self, signature, **arrays):
        if signature == "encode":
            return {"memory_length": arrays["source_length"], "state_place": np.asarray([0], "int32")}
        if signature == "step":
            place = int(arrays["state_place"][0])
            assert arrays["token"].tolist() == [[runtime.START, *WRITTEN][place]] and "memory_length" in arrays
            logits = np.full((1, 12), np.log((1 - SURE[place]) / 11), "float32")
            logits[0, WRITTEN[place]] = np.log(SURE[place])
            return {"logits": logits, "next_state_place": arrays["state_place"] + 1}
        ids = WRITTEN if signature == "generate" else [5, runtime.END, 0, 0]
        rows = len(arrays["source"])
        return {
            "ids": np.tile(np.asarray(ids, "int32"), (rows, 1)),
            "length": np.full(rows, len(ids), "int32"),
            "log_probability": np.tile(np.log(np.asarray(SURE, "float32")), (rows, 1)),
        }


@pytest.fixture
def bundle(built):
    real = runtime.load(built, "onnx")
    artefact = {**real.artefact, "signatures": {"generate": {}, "generate_beam": {}}}
    return runtime.Generator(real.manifest, artefact, Steps(), real._source, real._target)


def serve(bundle, *options):
    parser = ArgumentParser()
    runtime.add_arguments(parser)
    stdout, stderr = io.StringIO(), io.StringIO()
    code = runtime.serve(bundle, parser.parse_args(options), io.BytesIO(), stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def test_what_is_streamed_is_what_is_generated(bundle):
    pieces = list(bundle.stream("9 mai"))
    (whole,) = bundle.generate(["9 mai"])
    assert "".join(piece.text for piece in pieces) == whole.output and pieces[-1].text == ""
    assert [piece.probability for piece in pieces] == pytest.approx(SURE)
    assert np.prod([piece.probability for piece in pieces]) == pytest.approx(whole.confidence, rel=1e-5)


def test_a_text_that_is_refused_is_not_streamed(bundle):
    with pytest.raises(runtime.InputError, match="empty, or only spaces"):
        next(bundle.stream(" "))


def test_the_command_line_streams_a_line_for_each_text(bundle):
    (whole,) = bundle.generate(["9 mai"])
    code, out, error = serve(bundle, "--stream", "9 mai", " ", "9")
    assert (code, out) == (1, f"{whole.output}\n\n{whole.output}\n")
    told = error.splitlines()
    assert told[0].startswith("line 1: flagged: confidence 0.48 is under") and told[1].startswith(
        "line 2: the text is empty"
    )


def test_beam_search_asks_another_signature(bundle):
    (greedy,), (beam,) = bundle.generate(["9 mai"]), bundle.generate(["9 mai"], beam=True)
    assert len(greedy.output) == 3 and beam.output == greedy.output[0]


def test_a_bundle_without_beam_search_says_how_to_have_it(built):
    with pytest.raises(runtime.BundleError, match="no beam search; build it with .*--beam 4"):
        runtime.load(built, "onnx").generate(["9 mai"], beam=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--beam"], "the bundle has no beam search"),
        (["--stream", "--json"], "--stream writes the best token each time"),
    ],
)
def test_options_that_cannot_be_served_are_refused_before_anything_is_answered(built, options, message, capsys):
    parser = ArgumentParser()
    runtime.add_arguments(parser)
    assert runtime.run_command(built, parser.parse_args([*options, "9 mai"])) == 2
    out, error = capsys.readouterr()
    assert message in error and not out
