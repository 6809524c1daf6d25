"""A bundle's README.md: what the model does, which file to ship where, how to run it, and how to port it.

    readme(manifest, folder) -> Markdown

The code that loads it in other languages is in `export.snippets`, how a text becomes ids in
`export.readme_vocabularies`.
"""

from export import readme_kinds, ship, snippets, tables
from export.readme_vocabularies import vocabularies
from export.snippets.call import WRITING, kind_of

_PACKAGES = {"tflite": "ai-edge-litert", "onnx": "onnxruntime", "saved_model": "tensorflow"}
_GENERATE = """\
`generate` is the whole of it: `ids` end with the end token (2) and padding (0), `length` counts the ids before the
end. `encode` once and `step` once a token do the same by hand: the first token is 1, and `next_state_*` goes in as
`state_*`."""
# What a generator's score is, where its name does not say it.
_SCORES = {
    "bleu": "BLEU is the corpus's, by sacrebleu: tokens as in 13a, upper and lower case apart.",
    "bleu_lowercase": "BLEU is the corpus's, by sacrebleu: tokens as in 13a, upper case as lower.",
    "word_accuracy": (
        "Word accuracy is 1 less the word error rate: the fewest words to be replaced, left out or put in, as a share "
        "of the words of the targets."
    ),
    "next_token": (
        "Next token is the share of the test outputs' tokens, ends included, that it finds likeliest where the tokens "
        "before them are given."
    ),
}
# Labels named in the introduction.
_SHOWN = 8


def readme(manifest, folder=None):
    """The text of the bundle's README.md.

    Args:
        manifest: dict; "files" is not needed yet.
        folder: path of the bundle, for what its tokenizer.json says of normalisation; None leaves that out.

    Returns:
        str, Markdown.
    """
    task = kind_of(manifest)
    parts = [
        f"# {manifest['name']}\n\n{_what_it_does(manifest, task)}",
        _which_to_ship(manifest),
        _how_to_run(manifest, task),
        f"## Files\n\n{_files(manifest, task)}",
        f"## Signatures\n\n{_signatures(manifest, task)}",
        "" if task == "picture" else f"## Vocabularies\n\n{vocabularies(manifest, folder)}",
        f"## In your own code\n\n{_code(manifest, task)}",
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


def _what_it_does(manifest, task):
    names, limits = manifest.get("label_names"), manifest.get("limits")
    lines = [
        readme_kinds.DOES[task].format(
            labels=f"{len(names)} labels" if names else f"the labels in `{manifest.get('labels')}`"
        )
    ]
    if names:
        shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
        lines.append(f"The labels are {shown}{', ...' if len(names) > _SHOWN else ''}: see `{manifest['labels']}`.")
    if task in ("picture", "caption"):
        size = "{height} x {width} pixels of {channels} channels".format(**manifest["picture"])
        dark = ", light things on a dark ground" if _is_on_dark(manifest) else ""
        lines.append(f"It reads {size}, as floats from 0 to 1{dark}.")
    elif task == "audio":
        rate = manifest["audio"]["rate"]
        lines.append(
            f"It reads one channel at {rate} samples a second, as floats from -1 to 1, at most {limits['source']} "
            f"samples ({limits['source'] / rate:.2f} s)."
        )
        lines += _front_end(manifest["audio"])
    else:
        writes = f" and writes at most {limits['target']}, the end token included" if task == "generate" else ""
        lines.append(f"It reads at most {limits['source']} tokens{writes}.")
        if "source" in manifest.get("characters", {}):
            lines.append("A token that it reads is a character.")
    if task in ("audio", "caption"):
        lines.append(f"It writes at most {limits['target']} tokens, the end token included.")
    if "characters" in (limits or {}):
        lines.append(f"Of each token it reads the first {limits['characters']} characters too.")
    if "sentence_labels" in manifest:
        count = len(manifest.get("sentence_label_names", ()))
        lines.append(f"It gives the whole text a label too, one of {count}: see `{manifest['sentence_labels']}`.")
    threshold = (manifest.get("confidence") or {}).get("threshold")
    if threshold is not None:
        whole = "the probability of the whole output" if task in WRITING else "its probability"
        lines.append(f"An output is accepted when its confidence, {whole}, is {threshold:.4g} or more.")
    score = manifest.get("keras", {}).get("score")
    if score:
        lines.append(
            f"Keras's own score on {score.get('examples', 'the')} test examples: {tables.score_in_words(score)}."
        )
    if manifest.get("score") in _SCORES:
        lines.append(_SCORES[manifest["score"]])
    return "\n".join(lines)


def _is_on_dark(manifest):
    return manifest.get("picture", {}).get("ground") == "dark"


def _takes(manifest, task):
    """What run.py makes of what it is given."""
    return readme_kinds.ON_DARK if _is_on_dark(manifest) else readme_kinds.TAKES.get(task, "")


def _front_end(audio):
    """What a run tells of its front end beside rate and channels, for whoever wants to know."""
    told = [f"{name.replace('_', ' ')} {value}" for name, value in audio.items() if name not in ("rate", "channels")]
    return [f"Of the front end inside: {', '.join(told)}."] if told else []


def _which_to_ship(manifest):
    if not manifest.get("ship"):
        return ""
    lines = "\n".join(f"- {line}" for line in ship.lines(manifest["ship"]))
    return f"## Which file to ship\n\n{lines}\n\nMilliseconds are those of the machine that built the bundle."


def _how_to_run(manifest, task):
    formats = {artefact["format"] for artefact in manifest["artefacts"]}
    package = next((_PACKAGES[format] for format in ("tflite", "onnx") if format in formats), None)
    if package is None:
        return "It is a SavedModel only: `tf.saved_model.load` reads it; `run.py` runs TFLite and ONNX."
    packages = f"numpy {'' if task == 'picture' else 'tokenizers '}{package}"
    given, another, _ = readme_kinds.GIVEN.get(task, readme_kinds.TEXT)
    commands = "\n".join(f"    {line}" for line in _commands(manifest, task))
    return f"""## Run it here

Neither Keras nor TensorFlow is needed:

    pip install {packages}
{commands}
{_takes(manifest, task)}
From Python, in this folder:

```python
import run

bundle = run.load(".")
for result in bundle.{"generate" if task in WRITING else "tag" if task == "tag" else "classify"}([{given}, {another}]):
    print(result.output, result.confidence, result.accepted, result.refusal)
```"""


def _commands(manifest, task):
    given, _, what = readme_kinds.GIVEN.get(task, readme_kinds.TEXT)
    given = given if what == "text" else given.strip('"')
    lines = [(f"python run.py {given}", f"one {what}, or several")]
    if what == "text":
        lines.append(("python run.py < texts.txt", "a line out for each line in"))
    signatures = {name for artefact in manifest["artefacts"] for name in artefact["signatures"]}
    if {"encode", "step"} <= signatures:
        lines.append((f"python run.py --stream {given}", "each token as soon as it is decided"))
    if "generate_beam" in signatures:
        beams = f" of {manifest['beams']}" if "beams" in manifest else ""
        lines.append((f"python run.py --beam {given}", f"beam search{beams}"))
    lines.append(("python run.py --help", "formats, precisions, threads, JSON"))
    return [f"{command:<32}{meaning}" for command, meaning in lines]


def _files(manifest, task):
    rows = "\n".join(_row(artefact) for artefact in manifest["artefacts"])
    kept = [
        f"In `{artefact['path']}` these stayed in float32, where fewer bits cost too much: "
        f"{', '.join(artefact['kept_in_float'])}.\n\n"
        for artefact in manifest["artefacts"]
        if artefact.get("kept_in_float")
    ]
    kept += [
        f"`{artefact['path']}` has its LSTMs as one operator each (profile `interpreter`): LiteRT's Interpreter alone "
        "loads it, neither CompiledModel nor LiteRT.js.\n\n"
        for artefact in manifest["artefacts"]
        if artefact.get("profile") == "interpreter"
    ]
    needed = "the labels" if task == "picture" else "the vocabularies" + ("" if task in WRITING else ", the labels")
    return f"""| file | format | precision | bytes | score | one input | seen to run in | pip install |
|---|---|---|---|---|---|---|---|
{rows}

{"".join(kept)}Keep one artefact and delete the others if you like: `run.py` needs `manifest.json`, {needed} and one
artefact. `manifest.json` has the size and the SHA-256 of every file, and what each artefact scored.
`verification.md`, where there is one, says how each artefact was held against Keras: structure, numbers, answers and
runtimes."""


def _row(artefact):
    score = tables.score_in_words(artefact["score"]) if "score" in artefact else ""
    latency = tables.latency_in_words(artefact) if "latency_ms" in artefact else ""
    cells = (
        f"`{artefact['path']}`",
        artefact["format"],
        artefact["precision"],
        artefact.get("bytes", ""),
        score,
        latency,
        _runtimes(artefact),
        _PACKAGES.get(artefact["format"], ""),
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _runtimes(artefact):
    """Such as "ai-edge-litert 2.3.0: Interpreter, CompiledModel"."""
    found = {}
    for name, seen in artefact.get("runtimes", {}).items():
        if seen in ("runs", "loads"):
            package, _, kind = name.rpartition(" ")
            found.setdefault(package, []).append(kind)
    return "; ".join(f"{package} {', '.join(kinds)}".strip() for package, kinds in found.items())


def _signatures(manifest, task):
    rows = {
        "tag": "the probabilities of the labels, a row for each token",
        "classify": "the probability of each label",
        "picture": "the probability of each label; `image` is from 0 to 1",
    }
    says = _GENERATE if task in WRITING else f"`predict` gives {rows[task]}, in the order of `{manifest['labels']}`."
    if "characters" in manifest.get("limits", {}):
        says += (
            f" `characters` has for each of the `ids` those of the token's first {manifest['limits']['characters']} "
            "characters, padded with 0."
        )
    if "sentence_labels" in manifest:
        says += f" `label_probabilities` are the whole text's, in the order of `{manifest['sentence_labels']}`."
    padded = {"audio": "samples", "caption": None, "picture": None}.get(task, "ids")
    static = f"A size of ? is yours to choose; where there is none, pad {padded} on the right with 0." if padded else ""
    says += readme_kinds.SIGNATURE.get(task, "")
    same = {}  # lines -> the artefacts that have them
    for artefact in manifest["artefacts"]:
        same.setdefault(_signatures_of(artefact), []).append(f"`{artefact['path']}`")
    listed = [f"{', '.join(paths)}:\n\n{lines}" for lines, paths in same.items()]
    return "\n\n".join(filter(None, [says, static, *listed]))


def _signatures_of(artefact):
    lines = []
    for name, sides in sorted(artefact["signatures"].items()):
        inputs, outputs = (
            ", ".join(f"{tensor} {entry['dtype']} {_shape(entry['shape'])}" for tensor, entry in sides[side].items())
            for side in ("inputs", "outputs")
        )
        lines.append(f"- `{name}`: {inputs} -> {outputs}")
    return "\n".join(lines)


def _shape(shape):
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _code(manifest, task):
    return f"""Ids, samples or pixels in, text or labels out. What is marked as run was run by the exporter's tests on
bundles of this task, and answered as Keras does.

{snippets.section(manifest)}
### Test your port

`numbers.npz`, where there is one, has what Keras computes in every signature, for `python -m export verify`.
`samples.json`, where there is one, has examples of the test set to hold a port against: {_samples(manifest, task)}.
A float32 artefact gives these to rounding; another precision may differ in a few."""


def _samples(manifest, task):
    says = readme_kinds.SAMPLES[task]
    if "characters" in manifest.get("limits", {}):
        says = says.replace("`source_ids` go in", "`source_ids` and `character_ids` go in")
    if "sentence_labels" in manifest:
        says += "; `label_probabilities` and `label_output` are the whole text's"
    if manifest.get("score") == "next_token":
        says += "; `next_ids` are what is likeliest in the place of each of `target_ids` and of the end"
    if "beams" in manifest:
        says += "; `beam_ids`, `beam_length` and `beam_log_probability` come out of `generate_beam`"
    return says
