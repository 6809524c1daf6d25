"""Running a bundle: what is refused, what comes out, the command line, and that nothing of ours is needed for it."""

import copy
import functools
import hashlib
import io
import json
import math
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export import runtime

FORMATS = ("tflite", "onnx")
SOURCE_LIMIT, TARGET_LIMIT = 11, 13  # of the toy bundle in conftest.py
# Refuses to import what a device does not have.
BARE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ImportError(name + " is not to be imported")
sys.meta_path.insert(0, Refuse())
"""
HEAVY = ("tensorflow", "keras", "keras_seq", "jax", "torch", "onnx", "tf2onnx", "babel")


@pytest.fixture(scope="module", params=FORMATS)
def bundle(request, built):
    return runtime.load(built, request.param)


class FakeSession:
    """Writes the ids that it is told to."""

    def __init__(self, ids=(5, 2, 0), log_probability=(-0.1, -0.2, 0.0)):
        self.ids, self.log_probability, self.calls = ids, log_probability, []

    def describe(self, signature):
        tensor = {"shape": [None, None], "dtype": "int32"}
        return {
            "inputs": dict.fromkeys(("source", "source_length"), tensor),
            "outputs": dict.fromkeys(("ids", "length", "log_probability"), tensor),
        }

    def call(self, signature, source, source_length):
        self.calls.append((source, source_length))
        rows = len(source)
        return {
            "ids": np.tile(np.asarray(self.ids, "int32"), (rows, 1)),
            "length": np.ones(rows, "int32"),
            "log_probability": np.tile(np.asarray(self.log_probability, "float32"), (rows, 1)),
        }


def faked(built, session, **changes):
    real = runtime.load(built, "onnx")
    manifest = {**real.manifest, **changes}
    return runtime.Generator(manifest, real.artefact, session, real._source, real._target)


def serve(bundle, lines=b"", *options):
    """Exit code, output lines and error lines of the command line."""
    parser = ArgumentParser()
    runtime.add_arguments(parser)
    stdout, stderr = io.StringIO(), io.StringIO()
    stdin = io.BytesIO(lines) if isinstance(lines, bytes) else lines
    code = runtime.serve(bundle, parser.parse_args(options), stdin, stdout, stderr)
    return code, stdout.getvalue().split("\n")[:-1], stderr.getvalue().splitlines()


def command(folder, *arguments, stdin=b"", before="", **options):
    """Runs the bundle's own run.py, as a device would."""
    script = str(Path(folder, "run.py"))
    # Runs the file as __main__, with an import hook before it.
    program = f"{before}\nimport runpy, sys\nsys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-I", "-c", program, script, *arguments],
        input=stdin, capture_output=True, cwd="/", timeout=60, **options,
    )  # fmt: skip


def test_texts_come_back_normalised_and_in_order(bundle):
    texts = ["９  Mai", "3 juin 1981", "9", "1998", "mai 9"]
    assert [result.output for result in bundle.generate(texts)] == ["9 mai", "3 juin 1981", "9", "1998", "mai 9"]
    assert [result.text for result in bundle.generate(iter(texts))] == texts


def test_a_batch_equals_its_texts_one_at_a_time(bundle):
    texts = [" ".join("93"[(i >> k) & 1] for k in range(i % 5 + 1)) for i in range(150)]
    assert bundle.generate(texts) == [bundle.generate([text])[0] for text in texts]


def test_no_texts_give_no_results(bundle):
    assert bundle.generate([]) == []


def test_confidence_is_the_probability_of_the_whole_output(bundle):
    (result,) = bundle.generate(["9 mai"])  # five tokens at -0.1 each
    assert result.confidence == pytest.approx(math.exp(-0.5), rel=1e-6)
    assert result.accepted and result.refusal is None


def test_under_the_threshold_is_flagged_and_keeps_its_guess(bundle):
    (result,) = bundle.generate(["9 mai 1998"])  # exp(-1.0) < 0.5
    assert (result.output, result.accepted, result.refusal) == ("9 mai 1998", False, None)


def test_a_single_text_is_a_type_error(bundle):
    with pytest.raises(TypeError, match=r"the inputs are one str, '9 mai'; wanted a list: \[text\]"):
        bundle.generate("9 mai")
    with pytest.raises(TypeError, match="the inputs are one bytes"):
        bundle.generate(b"9 mai")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "this is of type NoneType, wanted a str"),
        (5, "this is of type int, wanted a str"),
        (b"9", "this is of type bytes"),
        ("", "empty, or only spaces"),
        (" \t\u3000\u200b\n", "empty, or only spaces"),
        ("9\0mai", "NUL at character 2"),
        ("9 \ud800", r"lone surrogate U\+D800 at character 3"),
        ("9 \udcff", "the byte 0xff, which is not UTF-8"),
        ("9 mai 1998  3", "is 12 tokens long after normalisation, the model reads at most 11"),
        ("9" * 20_000, "has more than 11100 characters, the model reads at most 11 tokens"),
        ("жжж", r"3 of 3 visible characters are unknown to the model \('ж'\)"),
        ("9 ж", "1 of 2 visible characters"),
    ],
)
def test_refused_before_the_model_sees_it(bundle, text, why):
    with pytest.raises(runtime.InputError, match=why):
        bundle.encode_text(text)
    refused, good = bundle.generate([text, "9 mai"])
    assert refused == runtime.Result(text, "", 0.0, False, refused.refusal) and refused.refusal
    assert good.output == "9 mai"


def test_a_few_unknown_characters_are_taken(bundle):
    assert bundle.encode_text("9 жmai").count(runtime.UNKNOWN) == 1


def test_the_limit_itself_is_taken(bundle):
    assert len(bundle.encode_text("  9 9 9 9  9 9  ")) == SOURCE_LIMIT


def test_specials_in_a_text_are_text(bundle):
    with pytest.raises(runtime.InputError, match="4 of 5 visible characters are unknown"):  # n is in "juin"
        bundle.encode_text("<end>")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.text(st.characters(), max_size=15), st.text("9 mai18\0\ud800\n", max_size=13)), max_size=5)
)
def test_any_text_gets_an_output_or_a_refusal(built, texts):
    results = loaded(built).generate(texts)
    assert [result.text for result in results] == texts
    for result in results:
        assert 0.0 <= result.confidence <= 1.0
        assert result.refusal is None or (result.output, result.confidence, result.accepted) == ("", 0.0, False)


@functools.cache
def loaded(folder):
    return runtime.load(folder, "onnx")


def test_batches_hold_texts_of_like_length_and_are_padded_with_zero(built):
    session = FakeSession()
    faked(built, session).generate(["9 mai 1998", "9", *["9 mai"] * 63, "3 juin"])
    (first, first_length), (second, second_length) = session.calls
    assert (first.shape, second.shape) == ((64, 5), (2, 10))
    assert first_length.tolist() == [1] + [5] * 63 and second_length.tolist() == [6, 10]
    assert not first[0, 1:].any() and not second[0, 6:].any() and second[0, :6].all()


def test_the_model_has_the_last_word_on_nothing(built):
    """The end token at once is the model's way of writing "nothing here", however sure it is."""
    bundle = faked(built, FakeSession(ids=(2, 0, 0), log_probability=(-0.001, 0.0, 0.0)), confidence=None)
    assert bundle.generate(["9 mai"]) == [runtime.Result("9 mai", "", 0.0, False, None)]
    code, out, err = serve(bundle, b"9 mai")
    assert (code, out, err) == (1, [""], ["line 1: flagged: the model finds nothing to write"])


def test_without_a_threshold_every_output_is_accepted(built):
    for confidence in (None, {}, {"definition": "..."}, {"threshold": None}):
        bundle = faked(built, FakeSession(log_probability=(-30.0, -20.0, 0.0)), confidence=confidence)
        assert bundle.generate(["9 mai"])[0].accepted


def test_not_a_number_is_no_confidence():
    assert runtime.confidence("x", np.asarray([-0.1, np.nan])) == 0.0
    assert runtime.confidence("x", np.asarray([0.0, 1e-7])) == 1.0
    assert runtime.confidence("x", np.asarray([-np.inf, -0.1])) == 0.0


def test_sessions_describe_and_check_what_they_are_given(built):
    for format, shape in (("tflite", [1, SOURCE_LIMIT]), ("onnx", [None, None])):
        session = runtime.load(built, format).session
        assert session.signatures == {"generate": session.describe("generate")}
        assert session.signatures["generate"]["inputs"] == {
            "source": {"shape": shape, "dtype": "int32"},
            "source_length": {"shape": shape[:1], "dtype": "int32"},
        }
        source, length = runtime.pad([[5, 6]], SOURCE_LIMIT)
        with pytest.raises(ValueError, match=r"was given \['source'\], wanted \['source', 'source_length'\]"):
            session.call("generate", source=source)
        with pytest.raises(ValueError, match="was given source as int64"):
            session.call("generate", source=source.astype("int64"), source_length=length)
        with pytest.raises(ValueError, match=r"was given source_length as int32 \[1, 1\]"):
            session.call("generate", source=source, source_length=length[None])
        with pytest.raises(runtime.BundleError, match="step"):
            session.call("step", token=length)


def test_tflite_is_preferred_and_a_stripped_bundle_loads(toy):
    assert runtime.load(toy).artefact["format"] == "tflite"
    (toy / "model.float32.tflite").unlink()
    (toy / "README.md").unlink()
    assert runtime.load(toy).artefact["format"] == "onnx"
    with pytest.raises(runtime.BundleError, match=r"model.float32.tflite is missing; build it again"):
        runtime.load(toy, "tflite")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "coreml"}, "format 'coreml' is not one that this runtime reads; choose one of tflite, onnx"),
        ({"format": "saved_model"}, "choose one of tflite, onnx"),
        ({"precision": "int4"}, "precision int4, it has onnx float32, tflite float32; choose another"),
        ({"threads": 0}, "threads=0 is too few"),
    ],
)
def test_unknown_choices_are_refused(built, options, message):
    with pytest.raises(ValueError, match=message):
        runtime.load(built, **options)


def test_threads_and_precision_are_taken(built):
    for format in FORMATS:
        assert runtime.load(built, format, "float32", threads=1).generate(["9 mai"])[0].output == "9 mai"


@pytest.mark.parametrize("name", ["model.float32.tflite", "source.tokenizer.json", "target.tokenizer.json"])
def test_missing_truncated_and_changed_files_are_refused(toy, name):
    path = toy / name
    data = path.read_bytes()
    path.write_bytes(data[:-7])
    with pytest.raises(runtime.BundleError, match=f"{name} has {len(data) - 7} bytes, the manifest says {len(data)}"):
        runtime.load(toy, "tflite")
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(runtime.BundleError, match=f"{name} is not the file that was built: its sha256"):
        runtime.load(toy, "tflite")
    path.unlink()
    with pytest.raises(runtime.BundleError, match=f"{name} is missing"):
        runtime.load(toy, "tflite")


@pytest.mark.parametrize(
    ("format", "name", "message"),
    [
        ("tflite", "model.float32.tflite", "LiteRT cannot read"),
        ("onnx", "onnx.float32/generate.onnx", "ONNX Runtime cannot read"),
        ("onnx", "onnx.float32/weights.bin", "ONNX Runtime cannot read"),
        ("onnx", "source.tokenizer.json", "is not a tokenizer.json"),
    ],
)
@pytest.mark.parametrize("left", [0, 0.5])
def test_what_the_libraries_reject_is_a_bundle_error(toy, format, name, message, left):
    """Even if the manifest were to vouch for it."""
    path = toy / name
    data = path.read_bytes()[: int(left * path.stat().st_size)]
    path.write_bytes(data)
    manifest = read(toy)
    manifest["files"][name] = {"bytes": len(data), "sha256": sha256(data)}
    write(toy, manifest)
    with pytest.raises(runtime.BundleError, match=message):
        runtime.load(toy, format)


def test_another_vocabulary_is_a_bundle_error(toy):
    path = toy / "source.tokenizer.json"
    data = path.read_bytes().replace(b"<unknown>", b"[UNK]")
    path.write_bytes(data)
    manifest = read(toy)
    manifest["files"][path.name] = {"bytes": len(data), "sha256": sha256(data)}
    write(toy, manifest)
    with pytest.raises(runtime.BundleError, match=r"begins with .*\[UNK\].*, wanted <pad>, <start>, <end>, <unknown>"):
        runtime.load(toy)


def test_shapes_that_do_not_fit_the_limits_are_a_bundle_error(toy):
    manifest = read(toy)
    manifest["limits"]["source"] = SOURCE_LIMIT + 2
    write(toy, manifest)
    with pytest.raises(runtime.BundleError, match=r"reads source of shape \[1, 11\], the manifest says \[1, 13\]"):
        runtime.load(toy, "tflite")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not whole JSON"),
        (b'{"schema_version": 1, "task"', "is not whole JSON"),
        (b"\xff\xfe", "is not whole JSON"),
        (b"[" * 200_000, "is not whole JSON"),
        (b"[]", "manifest.json is"),
        (b"{}", "has no 'schema_version'"),
        (
            b'{"schema_version": 2, "task": "generate"}',
            "schema_version 2, this runtime reads 1; use the run.py that came",
        ),
        (b'{"schema_version": true, "task": "generate"}', "schema_version is True; wanted a whole number"),
        (b'{"schema_version": 1, "task": "predict"}', "task 'predict', this runtime reads 'generate'"),
    ],
)
def test_a_damaged_manifest_is_a_bundle_error(toy, data, message):
    (toy / "manifest.json").write_bytes(data)
    with pytest.raises(runtime.BundleError, match=message):
        runtime.load(toy)


def test_what_is_no_bundle_is_a_bundle_error(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere", Path(__file__)):
        with pytest.raises(runtime.BundleError, match="is not a bundle: it has no manifest.json; give the folder"):
            runtime.load(path)


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        "a/../../secret",
        "..",
        ".",
        "",
        "a//b",
        "a\\..\\b",
        "C:/x",
        "a\0b",
        "\ud800",
        "a\nb",
        "/",
    ],
)
def test_names_that_lead_out_of_the_folder_are_refused(toy, name):
    (toy.parent / "secret").write_text("secret")
    sound = read(toy)
    for edit in (
        lambda manifest: manifest["files"].update({name: {"bytes": 6, "sha256": sha256(b"secret")}}),
        lambda manifest: manifest["artefacts"][0].update(path=name),
    ):
        manifest = copy.deepcopy(sound)
        edit(manifest)
        write(toy, manifest)
        with pytest.raises(runtime.BundleError, match=r"the file name .* may lead out of the bundle; wanted a plain"):
            runtime.load(toy)


def test_links_out_of_the_folder_are_refused(toy):
    outside = toy.parent / "outside"
    outside.mkdir()
    (toy / "source.tokenizer.json").rename(outside / "source.tokenizer.json")
    (toy / "source.tokenizer.json").symlink_to(outside / "source.tokenizer.json")
    with pytest.raises(runtime.BundleError, match="'source.tokenizer.json' is a link out of the bundle"):
        runtime.load(toy)
    (toy / "source.tokenizer.json").unlink()
    (toy / "source.tokenizer.json").symlink_to("source.tokenizer.json")
    with pytest.raises(runtime.BundleError, match="source.tokenizer.json"):
        runtime.load(toy)


def test_a_link_to_the_bundle_itself_is_followed(toy):
    (toy.parent / "link").symlink_to(toy)
    assert runtime.load(toy.parent / "link").generate(["9 mai"])[0].output == "9 mai"


def test_files_without_a_checksum_are_refused(toy):
    for edit, message in (
        (lambda manifest: manifest["files"].pop("onnx.float32/weights.bin"), "weights.bin' has no checksum"),
        (lambda manifest: manifest["artefacts"][0]["files"].remove("onnx.float32/generate.onnx"), "has the files"),
        (lambda manifest: manifest["artefacts"][1].update(files=["run.py"]), "has the files"),
        (lambda manifest: manifest["vocabularies"].update(source="other.json"), "'other.json' has no checksum"),
    ):
        manifest = read(toy)
        before = copy.deepcopy(manifest)
        edit(manifest)
        write(toy, manifest)
        with pytest.raises(runtime.BundleError, match=message):
            runtime.load(toy)
        write(toy, before)


ODD = (
    None,
    True,
    -1,
    0,
    1e400,
    10**4000,
    "",
    "x",
    "../x",
    "\0",
    [],
    [None],
    {},
    {"x": None},
    "a" * 5000,
    "/dev/zero",
    3.5,
)


@pytest.mark.parametrize("seed", range(300))
def test_a_mutated_manifest_loads_or_is_a_bundle_error(built, tmp_path, seed):
    """Something anywhere in it replaced, removed or added: never another exception."""
    chance = random.Random(seed)
    manifest = read(built)
    for _ in range(chance.choice((1, 1, 1, 3))):
        mutate(chance, chance.choice(list(containers(manifest))))
    shutil.copytree(built, tmp_path / "bundle", copy_function=os.link)
    write(tmp_path / "bundle", manifest)
    try:
        runtime.load(tmp_path / "bundle").generate(["9 mai"])
    except runtime.BundleError as error:
        assert len(str(error)) < 1200
        assert any(mend in str(error) for mend in ("build it again", "use the run.py that came", "build it with"))


def mutate(chance, place):
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    odd = copy.deepcopy(chance.choice(ODD))
    if not keys or chance.random() < 0.1:
        if isinstance(place, dict):
            place[str(chance.choice(ODD))[:50]] = odd
        else:
            place.append(odd)
    elif chance.random() < 0.3:
        del place[chance.choice(keys)]
    else:
        place[chance.choice(keys)] = odd


def containers(value):
    yield value
    for entry in value.values() if isinstance(value, dict) else value:
        if isinstance(entry, dict | list):
            yield from containers(entry)


def read(folder):
    return json.loads((folder / "manifest.json").read_bytes())


def write(folder, manifest):
    (folder / "manifest.json").unlink(missing_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_one_line_out_for_each_line_in(bundle):
    lines = b"9 mai\r\n\xff9\n\n9 mai 1998\n\xef\xbb\xbf9 juin\n9 m\0ai\n3 juin"
    code, out, err = serve(bundle, lines)
    assert (code, out) == (1, ["9 mai", "", "", "", "9 juin", "", "3 juin"])
    assert [line.split(":")[0] for line in err] == ["line 2", "line 3", "line 4", "line 6"]
    assert err[2] == "line 4: flagged: confidence 0.37 is under 0.50; the best guess is 9 mai 1998"


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_the_last_line_counts_with_or_without_its_end(bundle, ending):
    assert serve(bundle, b"9 mai\n3 juin" + ending) == (0, ["9 mai", "3 juin"], [])


def test_only_the_line_end_is_taken_off(bundle):
    _, out, _ = serve(bundle, b" 9 \r\n\t9\r \n9\r", "--json")
    assert [json.loads(line)["text"] for line in out] == [" 9 ", "\t9\r ", "9"]


def test_nothing_in_is_nothing_out(bundle):
    assert serve(bundle, b"") == (0, [], [])


def test_many_lines_keep_their_order(bundle):
    lines = ["".join("9183"[(i >> shift) & 3] for shift in range(0, i.bit_length() + 1, 2)) for i in range(700)]
    assert len(set(lines)) == 700
    assert serve(bundle, "\n".join(lines).encode(), "--all")[1] == lines


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200).map(lambda data: data.replace(b"\0", b"9 mai\n")))
def test_any_bytes_give_a_line_for_each_line(built, data):
    code, out, err = serve(loaded(built), data)
    assert len(out) == data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
    assert len(err) == out.count("") and code == bool(err)


def test_an_endless_line_is_refused_without_being_kept(bundle):
    class Endless(io.RawIOBase):
        left = 200

        def readable(self):
            return True

        def readinto(self, buffer):
            self.left -= 1
            data = b"9" * len(buffer) if self.left > 0 else b"\n9 mai\n" if self.left == 0 else b""
            buffer[: len(data)] = data
            return len(data)

    code, out, err = serve(bundle, io.BufferedReader(Endless()))
    assert (code, out) == (1, ["", "9 mai"]) and "more than 11100 characters" in err[0]
    lines = [line for lines in runtime.command._lines(io.BufferedReader(Endless()), 1000) for line in lines]
    assert len(lines) == 2 and len(lines[0]) < 100_000  # of 1.6 million


def test_all_writes_the_guess_and_still_flags_it(bundle):
    code, out, err = serve(bundle, b"", "--all", "9 mai 1998", "", "9 mai")
    assert (code, out) == (1, ["9 mai 1998", "", "9 mai"])
    assert [line.split(":")[0] for line in err] == ["line 1", "line 2"]


def test_json_says_everything_on_one_line_each(bundle):
    code, out, err = serve(bundle, b"", "--json", "９ Mai", "9\udcff", "9 mai 1998")
    rows = [json.loads(line) for line in out]
    assert (code, len(rows), err) == (1, 3, [])
    assert rows[0] == {
        "text": "９ Mai",
        "output": "9 mai",
        "confidence": pytest.approx(math.exp(-0.5)),
        "accepted": True,
        "refusal": None,
    }
    assert rows[1]["text"] == "9\udcff" and "0xff" in rows[1]["refusal"]
    assert rows[2]["output"] == "9 mai 1998" and not rows[2]["accepted"] and rows[2]["refusal"] is None


def test_a_flag_shows_enough_digits_to_see_the_difference(built):
    bundle = faked(built, FakeSession(log_probability=(math.log(0.8297), 0.0, 0.0)), confidence={"threshold": 0.8301})
    assert serve(bundle, b"9 mai")[2][0].startswith("line 1: flagged: confidence 0.8297 is under 0.8301; the best")


def test_run_py_needs_nothing_of_ours(toy):
    """In a fresh interpreter where TensorFlow, Keras and this project cannot be imported."""
    for format in FORMATS:
        done = command(toy, "--format", format, "9 mai", "3 juin", before=BARE.format(names=(*HEAVY, "export")))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"9 mai\n3 juin\n", b"")


def test_export_runtime_imports_without_tensorflow(built):
    program = BARE.format(names=HEAVY) + (
        "import export, export.runtime\n"
        f"print(export.load({str(built)!r}).generate(['9 mai'])[0].output)\n"
        "assert not {'tensorflow', 'keras', 'keras_seq'} & set(sys.modules)"
    )
    root = Path(runtime.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "9 mai\n"), done.stderr


def test_the_other_runtime_serves_where_one_is_missing(toy):
    for missing, format in (("ai_edge_litert", "onnx"), ("onnxruntime", "tflite")):
        done = command(toy, "9 mai", before=BARE.format(names=(missing,)))
        assert (done.returncode, done.stdout) == (0, b"9 mai\n")
        other = {"onnx": "tflite", "tflite": "onnx"}[format]
        done = command(toy, "--format", other, "9 mai", before=BARE.format(names=(missing,)))
        assert done.returncode == 2 and b"pip install" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("missing", "install"),
    [
        (("ai_edge_litert", "onnxruntime"), b"pip install ai-edge-litert (or) onnxruntime"),
        (("tokenizers",), b"pip install tokenizers"),
        (("numpy",), b"pip install numpy"),
    ],
)
def test_a_missing_package_is_named(toy, missing, install):
    done = command(toy, "9 mai", before=BARE.format(names=missing))
    assert (done.returncode, done.stdout) == (2, b"")
    assert install in done.stderr and b"Traceback" not in done.stderr


def test_the_command_line_reads_lines_and_exits_with_what_became_of_them(toy):
    done = command(toy, stdin=b"9 mai\n\xff\n3 juin")
    assert (done.returncode, done.stdout) == (1, b"9 mai\n\n3 juin\n")
    assert done.stderr.startswith(b"line 2: the text has the byte 0xff")


def test_usage_and_bundle_errors_exit_with_2(toy):
    for arguments in (
        ["--format", "coreml", "x"],
        ["--threads", "0", "x"],
        ["--precision", "int4", "x"],
        ["--nothing"],
    ):
        done = command(toy, *arguments)
        assert done.returncode == 2 and done.stderr and b"Traceback" not in done.stderr
    done = command(toy, "--bundle", str(toy / "onnx.float32"), "x")
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"is not a bundle" in done.stderr


def test_a_closed_pipe_ends_quietly(toy):
    process = start(toy)
    answer_one(process)
    process.stdout.close()
    with process.stdin as stdin:
        stdin.write(b"9 mai\n" * 500)
    assert (process.wait(30), process.stderr.read()) == (0, b"")


def test_ctrl_c_exits_with_130(toy):
    process = start(toy)
    answer_one(process)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")


def start(toy):
    # A shell's background jobs ignore Ctrl-C, and so would their children.
    program = (
        "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv = sys.argv[1:]; "
    )
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    run = "runpy.run_path(sys.argv[0], run_name='__main__')"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen([sys.executable, "-c", program + run, str(toy / "run.py")], env=environment, **pipes)


def answer_one(process):
    """A line is answered at once, before the input ends."""
    process.stdin.write(b"9 mai\n")
    process.stdin.flush()
    ready, _, _ = select.select([process.stdout], [], [], 20)
    assert ready and process.stdout.readline() == b"9 mai\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a file that is always full")
def test_a_full_disk_for_the_answers_exits_with_2(toy):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, str(toy / "run.py"), "9 mai"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2 and b"No space left" in done.stderr and b"Traceback" not in done.stderr


def test_closed_streams_do_not_mix_or_crash(toy):
    script = f'"{sys.executable}" "{toy}/run.py"'
    done = subprocess.run(f'{script} "" "9 mai" 2>&-', shell=True, capture_output=True)
    assert (done.returncode, done.stdout) == (1, b"\n9 mai\n")
    assert subprocess.run(f"{script} <&-", shell=True, capture_output=True).returncode == 0
    assert subprocess.run(f'{script} "9 mai" >&-', shell=True, capture_output=True).returncode == 0
