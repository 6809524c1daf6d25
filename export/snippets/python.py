"""How Python calls an artefact."""

_LOAD = {
    "tflite": """\
from ai_edge_litert.interpreter import Interpreter

run = Interpreter("$file").get_signature_runner("$signature")
""",
    "onnx": """\
from onnxruntime import InferenceSession

session = InferenceSession("$file")
names = [output.name for output in session.get_outputs()]
""",
    "saved_model": """\
import tensorflow as tf

model = tf.saved_model.load("$file")
""",
}
# LiteRT's runner is called so already.
_RUN = {
    "tflite": "",
    "onnx": """\


def run(**inputs):
    return dict(zip(names, session.run(names, inputs)))
""",
    "saved_model": """\


def run(**inputs):
    outputs = model.signatures["$signature"](**{name: tf.constant(array) for name, array in inputs.items()})
    return {name: tensor.numpy() for name, tensor in outputs.items()}
""",
}
_LABELS = """\
with open("$labels", encoding="utf-8") as file:
    labels = json.load(file)
"""
_SENTENCE_LABELS = """\
with open("$sentence_labels", encoding="utf-8") as file:
    sentence_labels = json.load(file)
"""
_CHARACTERS = """\
with open("manifest.json", encoding="utf-8") as file:
    characters = json.load(file)["characters"]["target"]
"""
_PADDED = """\
    source = np.zeros((1, $width), "int32")  # 0 is padding
    source[0, : len(source_ids)] = source_ids
"""
_AS_LONG = """\
    source = np.array([source_ids], "int32")
"""
_SAMPLES = {
    "padded": """\
    source = np.zeros((1, $width), "float32")  # silence behind it
    source[0, : len(samples)] = samples
""",
    "as long": """\
    source = np.asarray([samples], "float32")
""",
}
_CALL = """\
    out = run($ids=source, $length=np.array([len(source_ids)], "int32"))
"""
_SPELLING = {
    "padded": """\
    letters = np.zeros((1, $width, $letters), "int32")
    letters[0, : len(source_ids)] = characters
""",
    "as long": """\
    letters = np.array([characters], "int32")
""",
}
_CALL_SPELLED = """\
    out = run(ids=source, characters=letters, length=np.array([len(source_ids)], "int32"))
"""
_GENERATE = """\
    ids = [int(token) for token in out["ids"][0, : out["length"][0]]]
    confidence = float(np.exp(out["log_probability"].sum()))
"""
_SPELLED = """\
    return "".join(characters[token] for token in ids if token > 3), confidence
"""
_UNSPELLED = """\
    return ids, confidence  # to be decoded with target.tokenizer.json
"""
_TAG = """\
    return [labels[best] for best in out["probabilities"][0, : len(source_ids)].argmax(axis=1)]
"""
_TAG_AND_LABEL = """\
    tags = [labels[best] for best in out["probabilities"][0, : len(source_ids)].argmax(axis=1)]
    return tags, sentence_labels[int(out["label_probabilities"][0].argmax())]
"""
_IMAGE = """\
    image = np.asarray(pixels, "float32").reshape(1, $shape) / 255
    out = run(image=image)
"""
_PIXELS = "(pixels):  # $shape, from 0 to 255\n"
_CLASSIFY = """\
    best = int(out["probabilities"][0].argmax())
    return labels[best], float(out["probabilities"][0, best])
"""


def snippet(call):
    """The snippet in Python.

    Args:
        call: `export.snippets.Call`.

    Returns:
        str.
    """
    tables = _LABELS if call.labels else _CHARACTERS if call.spelled else ""
    source, called, given = _PADDED if call.width else _AS_LONG, _CALL, "(source_ids):\n"
    if call.letters:
        source, called = source + _SPELLING["padded" if call.width else "as long"], _CALL_SPELLED
        given = "(source_ids, characters):  # of each token $letters character ids, padded with 0\n"
    if call.sentence_labels:
        tables += _SENTENCE_LABELS
    generated = [_GENERATE, _SPELLED if call.spelled else _UNSPELLED]
    function = {
        "generate": ["def generate(source_ids):\n", source, _CALL, *generated],
        "audio": [
            "def generate(samples):  # floats from -1 to 1, $rate a second\n",
            _SAMPLES["padded" if call.width else "as long"],
            _CALL.replace("source_ids", "samples"),
            *generated,
        ],
        "caption": [f"def generate{_PIXELS}", _IMAGE, *generated],
        "classify": [f"def classify{given}", source, called, _CLASSIFY],
        "tag": [f"def tag{given}", source, called, _TAG_AND_LABEL if call.sentence_labels else _TAG],
        "picture": [f"def classify{_PIXELS}", _IMAGE, _CLASSIFY],
    }[call.task]
    head = ["import json\n\n"] if tables else []
    parts = [*head, "import numpy as np\n", _LOAD[call.format], tables, _RUN[call.format], "\n\n", *function]
    return call.fill("".join(parts))
