"""The snippets in JavaScript, run in a headless Chromium and in Node.

KERAS_SEQ_NODE_MODULES names a node_modules folder with onnxruntime-web and @litertjs/core. Nothing is downloaded: what
is missing is skipped, with what is missing as the reason.
"""

import http.server
import json
import os
import queue
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from export.snippets import javascript, text_to_ids, words_to_ids
from keras_seq.data.tokenizer import Tokenizer

TASKS = ("classify", "tag", "picture")
PACKAGES = {"tflite": "@litertjs/core", "onnx": "onnxruntime-web"}
_PAGE = """<!doctype html><meta charset="utf-8">
<script type="importmap">{"imports": {
  "onnxruntime-web": "/node_modules/onnxruntime-web/dist/ort.bundle.min.mjs",
  "@litertjs/core": "/node_modules/@litertjs/core/dist/index.js",
  "@litertjs/wasm-utils": "/node_modules/@litertjs/wasm-utils/dist/index.js"
}}</script>
<script type="module">
  let said;
  try {
    const module = await import("/snippet.mjs");
    said = [];
    for (const input of INPUTS) said.push(await module.FUNCTION(input));
  } catch (error) {
    said = String(error.stack || error);
  }
  await fetch("/said", { method: "POST", body: JSON.stringify(said) });
</script>
"""
_NODE = """
import { readFile } from "node:fs/promises";
globalThis.fetch = async (name) => new Response(await readFile(name));
const module = await import("./snippet.mjs");
const said = [];
for (const input of INPUTS) said.push(await module.FUNCTION(input));
console.log(JSON.stringify(said));
"""
_TYPES = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}


def node_modules(*packages):
    """The folder that `KERAS_SEQ_NODE_MODULES` names; skips the test where it has not all of the packages."""
    folder = os.environ.get("KERAS_SEQ_NODE_MODULES")
    if not folder:
        pytest.skip("KERAS_SEQ_NODE_MODULES names no node_modules folder")
    for package in packages:
        if not Path(folder, package).is_dir():
            pytest.skip(f"KERAS_SEQ_NODE_MODULES has no {package}: npm install {package}")
    return Path(folder).resolve()


def in_chromium(code, function, inputs, bundle, modules, scratch):
    """Calls a module's function on each input, in a page beside the bundle's files; returns what it answers."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    page = _PAGE.replace("INPUTS", json.dumps(inputs)).replace("FUNCTION", function)
    written = {"/": page.encode(), "/snippet.mjs": code.encode()}
    said = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.lstrip("/")
            path = modules.parent / name if name.startswith("node_modules/") else Path(bundle, name)
            data = written.get(self.path) or (path.read_bytes() if path.is_file() else None)
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Type", _TYPES.get(path.suffix or ".html", "application/octet-stream"))
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def do_POST(self):
            said.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={scratch / 'profile'}"]
    process = subprocess.Popen(
        [browser, *options, f"http://127.0.0.1:{server.server_port}/"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        answer = said.get(timeout=120)
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)
        server.shutdown()
        server.server_close()
    assert isinstance(answer, list), answer
    return answer


def in_node(code, function, inputs, bundle, modules, scratch):
    """The same in Node, with a `fetch` that reads files."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine")
    copy = Path(shutil.copytree(bundle, scratch / "node"))
    if modules:
        (copy / "node_modules").symlink_to(modules)
    (copy / "snippet.mjs").write_text(code, encoding="utf-8")
    main = _NODE.replace("INPUTS", json.dumps(inputs)).replace("FUNCTION", function)
    (copy / "main.mjs").write_text(main, encoding="utf-8")
    done = subprocess.run([node, "main.mjs"], cwd=copy, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def check(example, format, where, scratch):
    code, modules = javascript.snippet(example.call(format)), node_modules(PACKAGES[format])
    example.check(where(code, example.function, example.inputs, example.folder, modules, scratch))


@pytest.mark.parametrize("task", TASKS)
def test_a_label_is_keras_s_in_node(labelled, task, tmp_path):
    check(labelled[task], "onnx", in_node, tmp_path)


@pytest.mark.parametrize(("format", "where"), [("onnx", in_node), ("onnx", in_chromium), ("tflite", in_chromium)])
def test_tags_and_label_of_words_and_characters_are_keras_s(tagged, format, where, tmp_path):
    code = javascript.snippet(tagged.call(format)) + "\nexport const both = (one) => tag(...one);\n"
    tagged.check(where(code, "both", tagged.inputs, tagged.folder, node_modules(PACKAGES[format]), tmp_path))


def test_a_vocabulary_that_is_not_listed_gives_ids_in_node(echo, tmp_path):
    check(echo, "onnx", in_node, tmp_path)


@pytest.mark.parametrize("format", ["tflite", "onnx"])
@pytest.mark.parametrize("task", TASKS)
def test_a_label_is_keras_s_in_chromium(labelled, task, format, tmp_path):
    check(labelled[task], format, in_chromium, tmp_path)


def test_dates_are_what_the_samples_say_in_chromium(dates, tmp_path):
    check(dates, "tflite", in_chromium, tmp_path)


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_vocabulary_that_is_not_listed_gives_ids_in_chromium(echo, format, tmp_path):
    check(echo, format, in_chromium, tmp_path)


def test_text_to_ids_is_what_the_tokenizer_does_in_node(dates, normalizer, tmp_path):
    odd = ["  9 MAI\u2009ﬁn ", "Ⅷ e\u0301\u3000ΟΔΟΣ\nİ", "\U0001f600 <pad>", "\x1cİ\ufeff\x1f\x85"]
    expected = Tokenizer.load(dates.folder / "source.tokenizer.json").encode_batch(odd)
    said = in_node(text_to_ids.code(normalizer)[1], "encode", dates.texts + odd, dates.folder, None, tmp_path)
    assert said == dates.inputs + expected


def test_words_to_ids_is_what_the_tokenizers_do_in_node(tagged, tmp_path):
    texts = [sample["text"] for sample in json.loads((tagged.folder / "samples.json").read_text(encoding="utf-8"))[:7]]
    texts += ["  The\u3000STARS\u2009by <pad> ", "Que\u0301en <End>\nΟΔΟΣ x<start>", "in\x85Rome \U0001f600 \x1cİ"]
    names = [f"{role}.tokenizer.json" for role in ("source", "characters")]
    source, spelling = (Tokenizer.load(tagged.folder / name) for name in names)
    normalizers = [json.loads((tagged.folder / name).read_text(encoding="utf-8"))["normalizer"] for name in names]
    letters = tagged.manifest["limits"]["characters"]
    wanted = [
        [
            source.encode(text),
            [(spelling.encode(text[start:end]) + letters * [0])[:letters] for start, end in source.offsets(text)],
        ]
        for text in texts
    ]
    assert [list(one) for one in tagged.inputs] == wanted[:7]
    code = words_to_ids.code(names[0], *normalizers, letters)[1]
    assert in_node(code, "encode", texts, tagged.folder, None, tmp_path) == wanted
