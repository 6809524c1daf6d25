"""A bundle's README: what it says of each task, and that its code runs."""

import json
import re
import subprocess
import sys

import pytest

from export import bundle as bundles
from export import runtime, ship
from export.readme import readme
from export.snippets import text_to_ids, words_to_ids
from keras_seq.data.tokenizer import Tokenizer

LABELS = ["cheese", "tea", "weather"]


def tensors(**shapes):
    return {name: {"shape": shape, "dtype": dtype} for name, (dtype, shape) in shapes.items()}


def artefact(format, signatures):
    path = {"tflite": "model.dynamic_int8.tflite", "onnx": "onnx.float32", "saved_model": "saved_model"}[format]
    names = [path] if format == "tflite" else [*(f"{path}/{name}.onnx" for name in signatures), f"{path}/weights.bin"]
    return {
        "format": format,
        "precision": "dynamic_int8" if format == "tflite" else "float32",
        "path": path,
        "files": names,
        "bytes": 1234 if format == "tflite" else 4321,
        "signatures": signatures,
        "score": {"accuracy": 0.987, "examples": 41},
        "latency_ms": 0.5,
        "runtimes": {"a-runtime 1.2 Interpreter": "runs", "an-old-runtime 0.1": "operator MISSING"},
    }


def written(format, beam=False, task="generate"):
    batch = 1 if format == "tflite" else None
    dtype = "float32" if task == "audio" else "int32"
    ids = tensors(source=(dtype, [batch, 17 if batch else None]), source_length=("int32", [batch]))
    ids = tensors(image=("float32", [batch, 7, 11, 3])) if task == "caption" else ids
    outputs = tensors(ids=("int32", [batch, 19]), length=("int32", [batch]), log_probability=("float32", [batch, 19]))
    state = tensors(state_hidden=("float32", [batch, 5]))
    step = {"inputs": tensors(token=("int32", [batch])) | state, "outputs": tensors(logits=("float32", [batch, 23]))}
    signatures = {"generate": {"inputs": ids, "outputs": outputs}, "encode": {"inputs": ids, "outputs": state}}
    signatures["step"] = step
    return signatures | ({"generate_beam": signatures["generate"]} if beam else {})


def predicted(format, task):
    batch = 1 if format == "tflite" else None
    time = 17 if batch else None
    if task == "picture":
        inputs = tensors(image=("float32", [batch, 7, 11, 3]))
    else:
        inputs = tensors(ids=("int32", [batch, time]), length=("int32", [batch]))
    shape = [batch, time, len(LABELS)] if task == "tag" else [batch, len(LABELS)]
    return {"predict": {"inputs": inputs, "outputs": tensors(probabilities=("float32", shape))}}


def manifest_of(task, formats=("tflite", "onnx"), beam=False):
    kind = {"picture": "classify", "audio": "generate", "caption": "generate"}.get(task, task)
    manifest = {"schema_version": 1, "task": kind, "name": f"small {task}"}
    roles = {"generate": ("source", "target"), "audio": ("target",), "caption": ("target",)}.get(task, ("source",))
    if task in ("picture", "caption"):
        manifest["picture"] = {"height": 7, "width": 11, "channels": 3}
    if task == "audio":
        manifest["audio"] = {"rate": 8000, "channels": 1, "mel_bands": 40}
    if task != "picture":
        manifest |= {
            "limits": {role: 17 if role == "source" else 19 for role in roles},
            "vocabularies": {role: f"{role}.tokenizer.json" for role in roles},
            "characters": {role: ["<pad>", "<start>", "<end>", "<unknown>", "a", "b"] for role in roles},
        }
    if task == "audio":
        manifest["limits"]["source"] = 17
    if kind != "generate":
        manifest |= {"labels": "labels.json", "label_names": LABELS}
    signatures = (lambda one: written(one, beam, task)) if kind == "generate" else (lambda one: predicted(one, task))
    manifest["artefacts"] = [artefact(one, signatures(one)) for one in formats]
    manifest["keras"] = {"score": {"accuracy": 0.991, "examples": 41}, "bytes": 9, "latency_ms": 2.0}
    return manifest | {"ship": ship.advice(manifest["artefacts"])}


def blocks(text):
    """The code blocks of a Markdown text: list of (language, code)."""
    return re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)


TASKS = ("generate", "audio", "caption", "classify", "tag", "picture")


@pytest.mark.parametrize("task", TASKS)
def test_the_readme_says_what_the_model_does_and_which_file_goes_where(task):
    text = readme(manifest_of(task))
    for said in (
        f"# small {task}\n",
        {
            "generate": "reads text and writes text.\nIt reads at most 17 tokens and writes at most 19, the end token",
            "audio": "at 8000 samples a second, as floats from -1 to 1, at most 17 samples (0.00 s).\n"
            "Of the front end inside: mel bands 40.\nIt writes at most 19 tokens, the end token included.",
            "caption": "7 x 11 pixels of 3 channels, as floats from 0 to 1.\nIt writes at most 19 tokens, the end",
            "classify": "gives a text one of 3 labels.\nThe labels are `cheese`, `tea`, `weather`: see `labels.json`.",
            "tag": "gives each token of a text one of 3 labels.",
            "picture": "gives a picture one of 3 labels.",
        }[task],
        "Keras's own score on 41 test examples: 99.1 %.",
        "for Android and iOS: `model.dynamic_int8.tflite`, with LiteRT",
        "for a server: `onnx.float32`, with ONNX Runtime",
        "for a browser: `model.dynamic_int8.tflite`, with LiteRT.js",
        "| `model.dynamic_int8.tflite` | tflite | dynamic_int8 | 1234 | 98.7 % | 0.50 ms | a-runtime 1.2 Interpreter |",
        "`samples.json`",
        "`verification.md`",
    ):
        assert said in text
    assert "`model.dynamic_int8.tflite`:\n\n- `" in text and "`onnx.float32`:\n\n- `" in text
    assert "an-old-runtime" not in text and "None" not in text and "$" not in text.replace("$0", "").replace("$1", "")


def test_the_readme_explains_a_generator_s_score():
    manifest = manifest_of("generate")
    for name, value, said in (
        (
            "bleu",
            0.384,
            "test examples: BLEU 38.4.\nBLEU is the corpus's, by sacrebleu: tokens as in 13a, upper and lower",
        ),
        ("bleu_lowercase", 0.4, "test examples: lower-case BLEU 40.0.\nBLEU is the corpus's, by sacrebleu"),
        ("next_token", 0.123, "test examples: next token 12.3 %.\nNext token is the share of the test outputs' tokens"),
    ):
        manifest["keras"]["score"] = manifest["artefacts"][0]["score"] = {name: value, "examples": 41}
        text = readme(manifest | {"score": name})
        assert said in text and f"| {said.split(': ')[1].split('.' + chr(10))[0]} |" in text
        assert ("`next_ids` are what is likeliest" in text) == (name == "next_token")


def test_the_readme_s_commands_are_those_that_the_bundle_has():
    generator, with_beam = readme(manifest_of("generate")), readme(manifest_of("generate", beam=True) | {"beams": 4})
    tagger, pictures = readme(manifest_of("tag")), readme(manifest_of("picture"))
    assert "--stream" in generator and "--beam" not in generator
    assert "python run.py --beam" in with_beam and "beam search of 4" in with_beam
    assert "`beam_ids`, `beam_length` and `beam_log_probability` come out of `generate_beam`" in with_beam
    assert "beam_ids" not in generator
    assert "--stream" not in tagger and "run.py < texts.txt" in tagger and "bundle.tag([" in tagger
    heard, seen = readme(manifest_of("audio", beam=True)), readme(manifest_of("caption"))
    assert "run.py --stream example.wav" in heard and "run.py --beam example.wav" in heard and "WAV files" in heard
    assert "run.py example.png" in seen and 'bundle.generate(["example.png", ' in seen and "pillow" in seen
    assert "`target.tokenizer.json` for what is written" in heard and "for what is read" not in heard + seen
    assert "run.py picture.png" in pictures and "pip install numpy ai-edge-litert" in pictures
    assert "okeniz" not in pictures and "Vocabularies" not in pictures


@pytest.mark.parametrize("formats", [("tflite",), ("onnx",), ("tflite", "onnx"), ("saved_model",)])
@pytest.mark.parametrize("task", TASKS)
def test_every_snippet_names_only_files_and_signatures_that_are_there(task, formats):
    manifest = manifest_of(task, formats)
    there = {name for one in manifest["artefacts"] for name in one["files"]} | {"manifest.json", "labels.json"}
    there |= {one["path"] for one in manifest["artefacts"]} | {"weights.bin"}  # as the graphs call it
    found = blocks(readme(manifest))
    languages = {language for language, _ in found}
    assert languages == {"python", "kotlin", "swift", "js", "cpp"} or (
        formats == ("saved_model",) and "python" in languages
    )
    for _, code in found:
        named = re.findall(r'"((?:[\w.]+/)?[\w.]+\.(?:tflite|onnx|bin|json))"|"(saved_model)"', code)
        assert {name for pair in named for name in pair if name} <= there
        other = "generate" if task in ("classify", "tag", "picture") else "predict"
        assert f'"{other}"' not in code and "source_length" not in (code if task not in ("generate", "audio") else "")


@pytest.mark.parametrize("task", TASKS)
def test_every_snippet_is_short_and_says_whether_it_was_run(task):
    text = readme(manifest_of(task))
    section = text[text.index("## In your own code") :]
    for part in section.split("\n### ")[1:-1]:
        title, mark, _ = part.split("\n\n", 2)
        assert mark.startswith(
            ("**Run here**, by the exporter's tests", "**Not run here**, nor compiled; its names are")
        ), title
        assert part.count("\n") < 60


def test_kotlin_gives_back_what_onnx_runtime_allocated():
    text = readme(manifest_of("generate", formats=("onnx",)))
    kotlin = next(code for language, code in blocks(text) if language == "kotlin")
    assert "outputs.close()" in kotlin and "inputs.values.forEach { it.close() }" in kotlin


def test_code_for_compiled_model_passes_over_what_the_interpreter_alone_loads():
    manifest = manifest_of("classify")
    manifest["artefacts"][0]["profile"] = "interpreter"
    manifest["ship"] = ship.advice(manifest["artefacts"])
    text = readme(manifest)
    assert "`model.dynamic_int8.tflite` has its LSTMs as one operator each (profile `interpreter`)" in text
    using = {language for language, code in blocks(text) if "model.dynamic_int8.tflite" in code}
    assert using == {"kotlin", "swift"}
    manifest["artefacts"] = manifest["artefacts"][:1]
    assert "For JavaScript, C++ build the bundle with" in readme(manifest)


def test_a_manifest_of_an_older_exporter_will_do():
    manifest = manifest_of("classify")
    for name in ("characters", "ship", "label_names", "keras"):
        del manifest[name]
    for one in manifest["artefacts"]:
        for name in ("bytes", "score", "latency_ms", "runtimes"):
            del one[name]
    text = readme(manifest)
    assert "one of the labels in `labels.json`" in text and "| onnx | float32 |  |  |  |  | onnxruntime |" in text
    assert "None" not in text


def test_artefacts_of_the_same_signatures_are_listed_together():
    manifest = manifest_of("tag")
    manifest["artefacts"].append(manifest["artefacts"][0] | {"path": "model.float32.tflite", "precision": "float32"})
    text = readme(manifest)
    assert "`model.dynamic_int8.tflite`, `model.float32.tflite`:\n\n- `predict`" in text
    assert text.count("- `predict`: ") == 2


def test_layers_kept_in_float_are_named():
    manifest = manifest_of("tag")
    manifest["artefacts"][0]["kept_in_float"] = ["dense", "embedding"]
    assert "`model.dynamic_int8.tflite` these stayed in float32" in readme(manifest)


def test_the_readme_of_the_toy_bundle(toy):
    manifest = runtime.read_manifest(toy)
    text = (toy / "README.md").read_text(encoding="utf-8")
    for said in (
        "# echo",
        "pip install numpy tokenizers ai-edge-litert",
        "`generate`: source int32 [1, 11], source_length int32 [1] -> ids int32 [1, 11]",
        "source int32 [?, ?]",
        "at most 11 tokens and writes at most 13",
        "`source.tokenizer.json`",
        "is 0.5 or more",
    ):
        assert said in text
    only_onnx = readme(manifest | {"artefacts": manifest["artefacts"][:1], "confidence": None})
    assert "tokenizers onnxruntime\n" in only_onnx and "accepted when" not in only_onnx
    saved_model = manifest["artefacts"][0] | {"format": "saved_model", "path": "saved_model"}
    only_saved_model = readme(manifest | {"artefacts": [saved_model]})
    assert "SavedModel only" in only_saved_model and "import run" not in only_saved_model


def test_the_readme_s_python_runs(toy):
    program = blocks((toy / "README.md").read_text(encoding="utf-8"))[0][1]
    done = subprocess.run(
        [sys.executable, "-c", program.replace('"text"', '"9 mai"')],
        cwd=toy,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stdout.startswith("9 mai 0.60653"), done.stderr


TEXTS = ["  9 MAI\u20091998 ", "ﬁn ΟΔΟΣ\n3", "Ⅷ é e\u0301 \u3000x", "\U0001f600 <pad>", "\x1cİ\ufeff\x1f\x85"]


@pytest.mark.parametrize("options", [{"normalization": "nfkc", "lowercase": True, "collapse_spaces": True}, {}])
def test_text_to_ids_without_a_library_is_what_the_tokenizer_does(tmp_path, monkeypatch, options):
    tokenizer = Tokenizer.train(["9 mai 1998 fin οδοσ é"], **options)
    tokenizer.save(tmp_path / "source.tokenizer.json")
    normalizer = json.loads((tmp_path / "source.tokenizer.json").read_text(encoding="utf-8"))["normalizer"]
    bundles.write_json(tmp_path / "manifest.json", {"characters": {"source": tokenizer.vocabulary}})
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(text_to_ids.code(normalizer)[0], found)
    assert [found["encode"](text) for text in TEXTS] == tokenizer.encode_batch(TEXTS)
    words = [words for words, *_ in text_to_ids.steps(normalizer)]
    assert words[0] == ("Unicode's NFKC" if options else "Unicode's NFC") and ("lower case" in words) == bool(options)


def test_a_normaliser_of_somebody_else_has_words_but_no_code():
    assert text_to_ids.steps({"type": "StripAccents"}) == [("its step `StripAccents`", None, None)]
    assert text_to_ids.code({"type": "StripAccents"}) is None and text_to_ids.steps(None) == []


def test_the_vocabularies_section_tells_the_normaliser(toy):
    manifest = runtime.read_manifest(toy)
    characters = Tokenizer.load(toy / "source.tokenizer.json").vocabulary
    text = readme(manifest | {"characters": {"source": characters, "target": characters}}, toy)
    assert "1. Unicode's NFKC\n2. lower case\n3. `σ` for `ς`\n4. Unicode's NFKC\n5. one space for each run of" in text
    assert "def encode(text):" in text and "export function encode(text)" in text


def test_the_readme_of_words_and_characters_says_how_both_are_made(words):
    text = (words[0] / "README.md").read_text(encoding="utf-8")
    for said in (
        "It reads at most 9 tokens.\nOf each token it reads the first 5 characters too.",
        "It gives the whole text a label too, one of 2: see `sentence_labels.json`.",
        "`characters` has for each of the `ids` those of the token's first 5 characters, padded with 0.",
        "`label_probabilities` are the whole text's, in the order of `sentence_labels.json`.",
        "`characters.tokenizer.json` for the characters of a token",
        "A token is what stands between spaces. A text becomes ids so:\n\n1. Unicode's NFC\n2. lower case\n",
        "`‹` for the `<` of `<pad>`, `<start>`, `<end>` and `<unknown>`\n\nand then it is split at the spaces; `model",
        "each code point with its place in `characters.characters`",
        "`source_ids` and `character_ids` go in and `probabilities` come out",
        "def tag(source_ids, characters):  # of each token 5 character ids",
        "fun tag(sourceIds: IntArray, characters: IntArray): Pair<List<String>, String> {",
        "func tag(_ sourceIds: [Int32], _ characters: [Int32]) throws -> ([String], String) {",
        'in_names[] = {"ids", "length", "characters"};',
    ):
        assert said in text, said
    assert "A token that it reads is a character" not in text and "None" not in text


WORDS = ["  The\u3000STARS\u2009by <pad> ", "Que\u0301en <End>\nΟΔΟΣ x<start>", "in\x85Rome \U0001f600 \x1cİ"]


@pytest.mark.parametrize("options", [{"lowercase": True}, {"normalization": "nfkc"}])
def test_words_to_ids_without_a_library_is_what_the_tokenizers_do(tmp_path, monkeypatch, options):
    source, spelling = (
        Tokenizer.train(["the stars by queen in rome"], kind="token", **options),
        Tokenizer.train(["theRom"]),
    )
    source.save(tmp_path / "source.tokenizer.json")
    spelling.save(tmp_path / "characters.tokenizer.json")
    normalizers = [
        json.loads((tmp_path / f"{role}.tokenizer.json").read_text(encoding="utf-8"))["normalizer"]
        for role in ("source", "characters")
    ]
    bundles.write_json(tmp_path / "manifest.json", {"characters": {"characters": spelling.vocabulary}})
    monkeypatch.chdir(tmp_path)
    both, alone = {}, {}
    exec(words_to_ids.code("source.tokenizer.json", *normalizers, 3)[0], both)
    exec(words_to_ids.code("source.tokenizer.json", normalizers[0])[0], alone)
    for text in WORDS:
        pieces = [text[begin:end] for begin, end in source.offsets(text)]
        spelled = [[*spelling.encode(piece), 0, 0, 0][:3] for piece in pieces]
        assert both["encode"](text) == (source.encode(text), spelled)
        assert alone["encode"](text) == source.encode(text)
    assert words_to_ids.code("x", {"type": "StripAccents"}) is None
