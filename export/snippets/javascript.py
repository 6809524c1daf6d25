"""How JavaScript calls an artefact, in a module of a web page; that for ONNX runs in Node as well."""

_LOAD = {
    "tflite": """\
import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core"; // npm install @litertjs/core

await loadLiteRt("node_modules/@litertjs/core/wasm/"); // a folder that your server serves
const model = await loadAndCompile("$file", { accelerator: "wasm" });
""",
    "onnx": """\
import * as ort from "onnxruntime-web"; // npm install onnxruntime-web

const session = await ort.InferenceSession.create("$file");
""",
    "onnx with weights": """\
import * as ort from "onnxruntime-web"; // npm install onnxruntime-web

const session = await ort.InferenceSession.create("$file", {
  externalData: [WEIGHTS],
});
""",
}
_LABELS = """\
const labels = await (await fetch("$labels")).json();
"""
_SENTENCE_LABELS = """\
const sentenceLabels = await (await fetch("$sentence_labels")).json();
"""
_CHARACTERS = """\
const { characters } = await (await fetch("manifest.json")).json();
"""
_IDS = {
    "tflite": """\
  const source = new Int32Array($width); // 0 is padding
  source.set(sourceIds);
  const inputs = {
    $ids: new Tensor(source, [1, $width]),
    $length: new Tensor(Int32Array.of(sourceIds.length), [1]),
  };
""",
    "onnx": """\
  const inputs = {
    $ids: new ort.Tensor("int32", Int32Array.from(sourceIds), [1, sourceIds.length]),
    $length: new ort.Tensor("int32", Int32Array.of(sourceIds.length), [1]),
  };
""",
}
_SAMPLES = {
    "tflite": """\
  const source = new Float32Array($width); // silence behind it
  source.set(samples);
  const inputs = {
    source: new Tensor(source, [1, $width]),
    source_length: new Tensor(Int32Array.of(samples.length), [1]),
  };
""",
    "onnx": """\
  const inputs = {
    source: new ort.Tensor("float32", Float32Array.from(samples), [1, samples.length]),
    source_length: new ort.Tensor("int32", Int32Array.of(samples.length), [1]),
  };
""",
}
_SPELLING = {
    "tflite": """\
  const letters = new Int32Array($width * $letters);
  letters.set(characters.flat());
  inputs.characters = new Tensor(letters, [1, $width, $letters]);
""",
    "onnx": """\
  const letters = Int32Array.from(characters.flat());
  inputs.characters = new ort.Tensor("int32", letters, [1, sourceIds.length, $letters]);
""",
}
_IMAGE = {
    "tflite": """\
  const image = Float32Array.from(pixels, (value) => value / 255);
  const inputs = { image: new Tensor(image, [1, $shape]) };
""",
    "onnx": """\
  const image = Float32Array.from(pixels, (value) => value / 255);
  const inputs = { image: new ort.Tensor("float32", image, [1, $shape]) };
""",
}
_RUN = {
    "tflite": """\
  const outputs = await model.run("$signature", inputs);
  const out = {};
  for (const name in outputs) out[name] = await outputs[name].data();
  for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
""",
    "onnx": """\
  const outputs = await session.run(inputs);
  const out = {};
  for (const name in outputs) out[name] = await outputs[name].getData();
""",
}
_GENERATE = """\
  const ids = Array.from(out.ids).slice(0, out.length[0]);
  const confidence = Math.exp(out.log_probability.reduce((sum, one) => sum + one, 0));
"""
_SPELLED = """\
  const text = ids.map((id) => (id > 3 ? characters.target[id] : "")).join("");
  return { text, confidence };
"""
_UNSPELLED = """\
  return { ids, confidence }; // to be decoded with target.tokenizer.json
"""
_CLASSIFY = """\
  const best = out.probabilities.indexOf(Math.max(...out.probabilities));
  return { label: labels[best], probability: out.probabilities[best] };
"""
_TAG = """\
  return TAGS;
"""
_TAG_AND_LABEL = """\
  const tags = TAGS;
  const said = out.label_probabilities;
  return { tags, label: sentenceLabels[said.indexOf(Math.max(...said))] };
"""
_TAGS = """\
Array.from(sourceIds, (_, place) => {
    const row = out.probabilities.slice(place * labels.length, (place + 1) * labels.length);
    return labels[row.indexOf(Math.max(...row))];
  })"""


def snippet(call):
    """The snippet in JavaScript.

    Args:
        call: `export.snippets.Call`.

    Returns:
        str.
    """
    ids, image, run, given = _IDS[call.format], _IMAGE[call.format], _RUN[call.format], "(sourceIds) {\n"
    if call.letters:
        ids += _SPELLING[call.format]
        given = "(sourceIds, characters) { // of each token an array of $letters character ids, padded with 0\n"
    answer = _TAG_AND_LABEL if call.sentence_labels else _TAG
    generated = [_GENERATE, _SPELLED if call.spelled else _UNSPELLED]
    samples = ["generate(samples) { // floats from -1 to 1, $rate a second\n", _SAMPLES[call.format]]
    function = {
        "generate": ["generate(sourceIds) {\n", ids, run, *generated],
        "audio": [*samples, run, *generated],
        "caption": ["generate(pixels) { // $shape, from 0 to 255\n", image, run, *generated],
        "classify": [f"classify{given}", ids, run, _CLASSIFY],
        "tag": [f"tag{given}", ids, run, answer.replace("TAGS", _TAGS)],
        "picture": ["classify(pixels) { // $shape, from 0 to 255\n", image, run, _CLASSIFY],
    }[call.task]
    weights = ", ".join(f'{{ path: "{name}", data: "$path/{name}" }}' for name in call.weights)
    load = _LOAD["onnx with weights"].replace("WEIGHTS", weights) if weights else _LOAD[call.format]
    tables = _LABELS if call.labels else _CHARACTERS if call.spelled else ""
    tables += _SENTENCE_LABELS if call.sentence_labels else ""
    return call.fill("".join([load, tables, "\nexport async function ", *function, "}\n"]))
