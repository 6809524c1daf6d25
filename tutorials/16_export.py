# %% [markdown]
# # 16 Export
#
# **Question.** A trained model is a Python object that needs two gigabytes of TensorFlow. What becomes of it on a
# phone, a server, a web page: how small, how fast, and is it still the same model? What do 8 bits cost, and where do
# they hurt? How would one notice that an export went wrong?
#
#     python tutorials/16_export.py                         about six minutes on two cores
#
# Two models are shipped: a tagger that finds the date in a line (two layers of bidirectional GRUs), and the reader of
# dates from the quickstart (encoder-decoder with attention), which is trained first if it is not there.

# %%
import contextlib
import dataclasses
import json
import shutil
import statistics
import time
from pathlib import Path

import numpy as np
from lesson import Lesson

FULL = {"saved_model": ("float32",), "tflite": ("float32", "float16", "dynamic_int8", "int8"),
        "onnx": ("float32", "float16", "dynamic_int8", "int8")}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson."""

    formats: tuple = ("saved_model", "tflite", "onnx")
    precisions: tuple = ("float32", "float16", "dynamic_int8", "int8")
    lengths: tuple = (6, 12, 24, 36, 48)
    rounds: int = 40
    reader: str = "runs/quickstart"
    beams: int | None = 4


SMOKE = Config(formats=("tflite",), precisions=("float32", "dynamic_int8"), lengths=(6, 48), rounds=2, beams=None)


def main(argv=None):
    """Trains, exports, measures, and breaks what was exported."""
    lesson = Lesson(__file__, "Every format and precision: size, score, latency, and how an export is proven.", argv)
    config = dataclasses.replace(SMOKE, reader=str(lesson.run / "reader")) if lesson.smoke else Config()
    tagger, reader = train(lesson, config)
    one_operator(lesson)
    bundles = {"tagger": ship(lesson, config, tagger), "reader": ship(lesson, config, reader, config.beams)}
    size_against_score(lesson, bundles)
    latency_against_length(lesson, config, bundles["tagger"])
    where_it_hurts(lesson, config, {"tagger": tagger, "reader": reader})
    break_it(lesson, bundles["tagger"])
    twice(lesson)
    on_the_device(lesson, bundles)
    lesson.finish(artefacts={name: built.manifest["artefacts"] for name, built in bundles.items()})


# %% [markdown]
# ## Two models to ship
# A run directory is all that the exporter reads: the model, the vocabularies or labels, and a test set to hold every
# artefact against.


# %%
def train(lesson, config):
    """The run directories of the two models; what is finished is not trained again."""
    from keras_seq.recipes import date_labels, dates

    print("Two models to ship")
    options = {"units": 4, "num_layers": 1, "examples": 200, "epochs": 1, "test_examples": 40} if lesson.smoke else {}
    options = {**date_labels.RECURRENT["deep_bigru"], **options}
    _, results = date_labels.train(date_labels.DateLabelsConfig("tag", **options), lesson.run / "tagger")
    lesson.number("tagger: parameters", results["parameters"], ",")
    lesson.number("tagger: tags right", results["accuracy"], ".1%")
    _, results = dates.train(dates.SMOKE if lesson.smoke else dates.QUICKSTART, config.reader)
    lesson.number("reader: parameters", results["parameters"], ",")
    lesson.number("reader: dates right", results["exact_match"]["fresh"], ".1%")
    return lesson.run / "tagger", Path(config.reader)


# %% [markdown]
# ## One operator, or a loop
# A recurrent layer can be one operator of the format, or a loop that the runtime walks through step by step. Keras's
# own export writes ONNX loops for a GRU, and for every layer with a mask. Ours traces the same model with the layers
# replaced: ONNX has an operator for each kind, and its `sequence_lens` is the mask.


# %%
def one_operator(lesson):
    """The same masked GRU by Keras's own export and by ours: operators, and time."""
    import keras

    import export
    from export.runtime import ONNXSession

    print("\nOne operator, or a loop")
    keras.utils.set_random_seed(0)
    ids = keras.Input((48,), dtype="int32", name="ids")
    hidden = keras.layers.GRU(64)(keras.layers.Embedding(100, 64, mask_zero=True)(ids))
    model = keras.Model(ids, keras.layers.Dense(5, name="logits")(hidden))
    folder = lesson.run / "gru"
    folder.mkdir(exist_ok=True)
    ours = export.to_onnx(model, folder / "ours.onnx")
    with contextlib.redirect_stdout(None):
        model.export(folder / "keras.onnx", format="onnx", verbose=False)
    counts = {name: operators(folder / f"{name}.onnx") for name in ("keras", "ours")}
    for name, found in counts.items():
        print(
            f"  {name:6} {sum(found.values())} operators: " + ", ".join(f"{key} {found[key]}" for key in sorted(found))
        )
    sample = np.random.default_rng(0).integers(1, 100, (1, 48)).astype("int32")
    times = {name: milliseconds(lambda name=name: call(folder, name, sample, ONNXSession), 30) for name in counts}
    lesson.number("Keras's export, ms", times["keras"])
    lesson.number("ours, ms", times["ours"])
    is_one = counts["keras"]["Loop"] and counts["ours"]["GRU"] == 1 and "Loop" not in counts["ours"]
    lesson.claim(
        "Keras writes {loops} Loop, we one GRU and no Loop: {speed:.1f} times as fast, the largest error {error:.0e}",
        is_one and ours.max_error < 1e-5,
        loops=counts["keras"]["Loop"], speed=times["keras"] / times["ours"], error=ours.max_error,
    )  # fmt: skip


def operators(path):
    """How often each operator stands in an ONNX file, inside loops too."""
    from export import structure

    return structure.inspect("onnx", path)["operators"]


_SESSIONS = {}


def call(folder, name, sample, session_class):
    """One inference; sessions are opened once."""
    session = _SESSIONS.setdefault(folder, session_class(folder, threads=1))
    (given,) = session.describe(name)["inputs"]
    return session.call(name, **{given: sample})


def milliseconds(function, rounds):
    """Median time of a call, after a warm-up."""
    function()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


# %% [markdown]
# ## Every format and precision
# float16 halves the weights. Dynamic int8 stores them in 8 bits, a scale for each output; TFLite also rounds what meets
# them as it comes, ONNX computes in float32. int8 does all arithmetic in 8 bits, with ranges measured beforehand on
# real inputs; it cannot see inside a loop, so recurrent layers are written out step by step, and a decoding loop cannot
# have it. Each artefact is proven before it may stay: structure, numbers, task, runtimes. What fails is refused, with
# the reason in its cell.


# %%
def ship(lesson, config, run, beams=None):
    """The bundle of a run, in every precision there is."""
    import export

    print(f"\nEvery format and precision: {run}")
    out = lesson.run / f"bundle-{Path(run).name}"
    built = export.build(run, out, config.formats, config.precisions, beams, progress=print)
    for name, reason in built.refused.items():
        print(f"  refused: {name}: {reason}")
    return built


def score_of(artefact):
    """The task's measure, whatever it is called."""
    return next(value for name, value in artefact["score"].items() if name != "examples")


# %% [markdown]
# ## Size against score


# %%
def size_against_score(lesson, bundles):
    """What smaller files cost in score."""
    from keras_seq.plots.trade_off import trade_off

    print("\nSize against score")
    for name, built in bundles.items():
        keras, artefacts = built.manifest["keras"], built.manifest["artefacts"]
        series = {"Keras": {"float32": (keras["bytes"] / 1e6, score_of(keras))}}
        for artefact in artefacts:
            place = artefact["bytes"] / 1e6, score_of(artefact)
            series.setdefault(artefact["format"], {})[artefact["precision"]] = place
        title = f"The {name}: half a point is the most that may be lost"
        path = lesson.run / f"size_and_score_{name}.png"
        lesson.figure(trade_off(path, series, "size, MB", "right answers", title, percent=True, log="x"))
        smallest = min(artefacts, key=lambda artefact: artefact["bytes"])
        lost = score_of(keras) - score_of(smallest)
        lesson.number(f"{name}: smallest artefact, MB", smallest["bytes"] / 1e6)
        lesson.claim(
            "the {name}'s smallest artefact, {path}, is {times:.1f} times smaller than its weights in float32 and "
            "scores {lost:+.2f} points",
            smallest["bytes"] < keras["bytes"] / 2 and lost <= 0.005,
            name=name, path=smallest["path"], times=keras["bytes"] / smallest["bytes"], lost=-100 * lost or 0.0,
        )  # fmt: skip


# %% [markdown]
# ## Latency against length
# A TFLite file has fixed shapes: every text is padded to the limit. That need not cost anything in a recurrent layer:
# the loop ends where the text ends. int8 has no loop to end, its steps are written out.


# %%
def latency_against_length(lesson, config, built):
    """Milliseconds of one text of each length, in every artefact."""
    from export.runtime import LiteRTSession, ONNXSession, pad
    from keras_seq.plots.curves import curves

    print("\nLatency against length")
    sessions = {
        f"{artefact['format']} {artefact['precision']}": (
            {"tflite": LiteRTSession, "onnx": ONNXSession}[artefact["format"]](built.path / artefact["path"], 1),
            built.manifest["limits"]["source"] if artefact["format"] == "tflite" else None,
        )
        for artefact in built.manifest["artefacts"]
        if artefact["format"] != "saved_model" and artefact["precision"] in ("float32", "int8", "dynamic_int8")
    }
    series = {}
    for name, (session, width) in sessions.items():
        times = []
        for length in config.lengths:
            ids, real = pad([[5] * length], width)
            times.append(milliseconds(lambda: session.call("predict", ids=ids, length=real), config.rounds))  # noqa: B023
        series[name] = (config.lengths, times)
        print(f"  {name:22} " + "  ".join(f"{length}: {ms:.3f} ms" for length, ms in zip(*series[name], strict=True)))
    path, title = lesson.run / "latency_by_length.png", "One text, one thread: the loop ends with the text"
    lesson.figure(curves(path, series, "tokens", "milliseconds", title))
    share = series["tflite float32"][1][0] / series["tflite float32"][1][-1]
    lesson.claim(
        "padded alike, a text of {short} tokens takes the TFLite file {share:.0%} of the time of one of {long}",
        share < 0.5, short=config.lengths[0], long=config.lengths[-1], share=share,
    )  # fmt: skip


# %% [markdown]
# ## Where int8 hurts
# Round one layer alone to 8 bits and see how far the probabilities move. If the score of an artefact falls by more than
# half a point, the exporter keeps in float32 what such a list has at its top, one layer after another, until the score
# is back, and the manifest says which.


# %%
def where_it_hurts(lesson, config, runs):
    """The damage that each layer does alone."""
    from export.damage import damage_by_layer
    from keras_seq.plots.bars import bars

    print("\nWhere int8 hurts")
    for name, run in list(runs.items())[: 1 if lesson.smoke else None]:
        damage = damage_by_layer(run)
        everything, nothing = damage.pop("all"), damage.pop("none")
        names = sorted(damage, key=lambda layer: -damage[layer])
        title = f"The {name}: how far one layer in 8 bits moves the answers"
        path = lesson.run / f"damage_{name}.png"
        shown = {"mean error against Keras, in millionths": [1e6 * damage[layer] for layer in names]}
        lesson.figure(bars(path, names, shown, title))
        lesson.number(f"{name}: mean error with every layer in 8 bits", everything, ".2e")
        lesson.number(f"{name}: the same with none", nothing, ".2e")
        lesson.claim(
            "in the {name} {worst} alone does {share:.0%} of what all layers together do",
            nothing < everything / 10, name=name, worst=names[0], share=damage[names[0]] / everything,
        )  # fmt: skip


# %% [markdown]
# ## Breaking it
# A proof that cannot fail proves nothing. Turn one byte, cut a file short, exchange the weights and bring the manifest
# into line: each must be noticed, and said in a sentence.


# %%
def break_it(lesson, built):
    """Three damages, and what `verify` says of each."""
    import export
    from export import bundle as bundles

    print("\nBreaking it")

    def turn_a_byte(path):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    def cut_short(path):
        path.write_bytes(path.read_bytes()[:-1000])

    def exchange_weights(path):
        data = np.frombuffer(path.read_bytes()[: path.stat().st_size // 4 * 4], "float32").copy()
        middle = slice(len(data) // 4, 3 * len(data) // 4)
        data[middle] = -data[middle]
        path.write_bytes(data.tobytes() + path.read_bytes()[data.nbytes :])

    broken = lesson.run / "broken"
    for damage, seals in ((turn_a_byte, False), (cut_short, True), (exchange_weights, True)):
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(built.path, broken)
        manifest = json.loads((broken / "manifest.json").read_text(encoding="utf-8"))
        manifest["artefacts"] = [one for one in manifest["artefacts"] if one["path"] == "model.float32.tflite"]
        damage(broken / "model.float32.tflite")
        if seals:
            bundles.write_manifest(broken, manifest)
        said = "nothing"
        try:
            export.verify(broken, progress=lambda line: None)
        except (export.BundleError, export.ExportError) as error:
            said = f"{type(error).__name__}: {str(error)[:150]}"
        what = damage.__name__.replace("_", " ")
        print(f"  {what}: {said}")
        lesson.claim("'{what}' is noticed", said != "nothing", what=what)
    shutil.rmtree(broken)


# %% [markdown]
# ## The same bytes
# Whoever builds twice wants to know whether anything changed. A TFLite file comes out the same to the byte. In an ONNX
# file TensorFlow's optimiser may merge equal nodes the other way round, so that names change and nothing else. A
# SavedModel carries a fingerprint of its own each time. `python -m export build` says what differs from the bundle that
# it replaces.


# %%
def twice(lesson):
    """Two exports of one model: bytes, and of ONNX the operators."""
    import keras

    import export

    print("\nThe same bytes")
    keras.utils.set_random_seed(1)
    inputs = keras.Input((7, 3), name="inputs")
    model = keras.Model(inputs, keras.layers.Bidirectional(keras.layers.LSTM(5))(inputs))
    folder = lesson.run / "twice"
    first, second = (export.to_tflite(model, folder / f"{number}.tflite").path for number in (1, 2))
    is_same = first.read_bytes() == second.read_bytes()
    lesson.claim("TFLite: the same {size} bytes twice", is_same, size=first.stat().st_size)
    first, second = (export.to_onnx(model, folder / f"{number}.onnx").path for number in (1, 2))
    print(f"  ONNX: {'the same' if first.read_bytes() == second.read_bytes() else 'other'} bytes")
    is_same = operators(first) == operators(second)
    lesson.claim("ONNX: the same {count} operators twice", is_same, count=sum(operators(first).values()))


# %% [markdown]
# ## On the device
# `run.py` in the bundle needs numpy, tokenizers and LiteRT or ONNX Runtime. It answers whole texts, and it streams:
# `encode` once, then `step` for each token.


# %%
def on_the_device(lesson, bundles):
    """Tags with places, and a date written token by token."""
    from export import runtime

    print("\nOn the device")
    tagger = runtime.load(bundles["tagger"].path, "tflite", threads=1)
    (result,) = tagger.tag(["Room 12, Friday 9 May 1998, at noon"])
    found = "".join(piece for piece, tag, _ in result.tags if tag == "date")
    print(f"  {result.text!r}: the date is {found!r}")
    reader = runtime.load(bundles["reader"].path, "tflite", threads=1)
    pieces = [piece.text for piece in reader.stream("samedi 9 mai 1998")]
    print("  " + " | ".join(pieces))
    (whole,) = reader.generate(["samedi 9 mai 1998"])
    is_same = "".join(pieces) == whole.output
    lesson.claim("what is streamed, {output!r}, is what is generated whole", is_same, output=whole.output)
    for name, built in bundles.items():
        for place, entry in built.manifest["ship"].items():
            print(f"  the {name} for {place}: {entry['path']}, {entry['runtime']}")


# %% [markdown]
# ## What it says, and an exercise
# - The format's own operator is several times as fast as a loop of small ones, and computes the same.
# - A quarter of the size costs less than half a point here; where it would cost more, it shows which layer costs it.
# - Padding is free where a loop can end early, and costs full price where it cannot.
# - An export is as good as its proof: the same tokens, on inputs of every length, called twice.
#
# **Exercise.** Give one layer of the tagger outliers (multiply one of its weights by 50 and divide what reads it by
# 50): predict which bar grows, then look which layer `python -m export build` keeps in float32.

# %%
if __name__ == "__main__":
    main()
