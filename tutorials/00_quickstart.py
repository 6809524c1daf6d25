# %% [markdown]
# # 00 Quickstart: train, export, run
#
# One model, carried all the way: an encoder-decoder with Bahdanau attention learns to read a date as people write it
# and to write it as ISO 8601; it is exported to SavedModel, TFLite and ONNX, each proven equal to Keras; and the TFLite
# file, the one for a phone, reads a date of yours without TensorFlow.
#
#     python tutorials/00_quickstart.py --text "samedi 9 mai 1998"
#
# The first run trains for some minutes. Later runs use what is there: give another --text.

# %%
import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

RUN = Path("runs", "quickstart")
RESULTS = Path(__file__).resolve().parent.parent / "results" / "00_quickstart.json"


def main(argv=None):
    """Trains and exports where that is still to do, then reads the text with the phone's file."""
    args = parse(argv)
    started = time.monotonic()
    bundle = args.run / "bundle"
    if args.fresh or not (bundle / "manifest.json").exists():
        train_and_export(args, bundle)
        minutes = (time.monotonic() - started) / 60
        print(f"\ntrained, exported and proven in {minutes:.1f} minutes\n")
        if args.record:
            record(args.run, minutes)
    result = read(bundle, args.text)
    table(bundle)
    if result.output:
        print(f"\nwhere the model looked: {picture(args.run, args.text, result)}")
    return 0 if result.accepted else 1


def parse(argv):
    """The command line."""
    from keras_seq.data import dates

    parser = argparse.ArgumentParser(
        description="Train a date reader, export it to three formats, run the phone's file.",
        epilog=dates.RULES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--text", default="samedi 9 mai 1998", help="a date as you write it (default: %(default)s)")
    parser.add_argument("--run", type=Path, default=RUN, metavar="DIR", help="run directory (default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="forget what is there and train anew")
    parser.add_argument("--smoke", action="store_true", help="a tiny model in seconds, to see that everything runs")
    parser.add_argument("--record", action="store_true", help="write the scores to results/, which README is made from")
    args = parser.parse_args(argv)
    if not 0 < len(args.text.strip()) <= dates.MAX_LENGTH:
        parser.error(f"--text has {len(args.text.strip())} characters; give a date of 1 to {dates.MAX_LENGTH}")
    if args.smoke and args.run == RUN:
        args.run = RUN.with_name("quickstart-smoke")
    return args


# %% [markdown]
# ## Train and export
# The pairs are generated from a seed, so nothing is downloaded. `recipes.dates.train` is plain `compile` and `fit`;
# killed and run again, it continues. `export.build` converts each format in a process of its own and then runs a test
# set through Keras and through the file: the tokens must be the same.


# %%
def train_and_export(args, bundle):
    """Trains the run, or continues it, and builds its bundle."""
    import export
    from keras_seq.recipes import dates as recipe

    config = recipe.SMOKE if args.smoke else recipe.QUICKSTART
    print(f"training on {config.pairs:,} generated dates in {args.run} ...", flush=True)
    _, results = recipe.train(config, args.run, fresh=args.fresh)
    exact = results["exact_match"]
    print(
        f"{results['parameters']:,} parameters; exact match on {results['examples']} fresh dates "
        f"{100 * exact['fresh']:.1f} %, in writings never trained on {100 * exact['held_out']:.1f} %\n"
    )
    if not args.smoke and exact["fresh"] < 0.97:
        sys.exit("fewer than 97 % of fresh dates are read: look at the loss in metrics.csv, and train with --fresh")
    try:
        built = export.build(args.run, bundle)
    except export.ExportError as error:
        sys.exit(str(error))
    if built.refused:
        sys.exit("not every artefact is equal to Keras: " + ", ".join(built.refused))


# %% [markdown]
# ## Read, as a phone does
# `export.runtime` needs numpy, tokenizers and LiteRT; the same code lies in the bundle as `run.py`.


# %%
def read(bundle, text):
    """What the TFLite file reads, printed."""
    import export

    result = export.load(bundle, format="tflite").generate([text])[0]
    if result.refusal:
        sys.exit(f"{text!r}: {result.refusal}")
    verdict = "" if result.accepted else "   flagged: probably not a date"
    print(
        f"  read     {text}\n  written  {result.output or '(nothing)'}   confidence {result.confidence:.3f}{verdict}\n"
    )
    return result


def table(bundle):
    """Score, size and latency of Keras and of every artefact, from the manifest."""
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    rows = [{"format": "keras", "precision": "float32", **manifest["keras"]}, *manifest["artefacts"]]
    print(f"  {'':12} {'':12} {'exact match':>11} {'size':>9} {'a date':>9}   on {rows[0]['score']['examples']} dates")
    for row in rows:
        print(
            f"  {row['format']:12} {row['precision']:12} {100 * row['score']['exact_match']:9.1f} % "
            f"{row['bytes'] / 1e6:6.2f} MB {row['latency_ms']:6.2f} ms"
        )


def record(run, minutes):
    """Writes the run's scores to the file that README is made from."""
    from keras_seq.whole_file import whole_file

    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    manifest = json.loads((run / "bundle" / "manifest.json").read_text(encoding="utf-8"))
    lesson = {
        "command": "python tutorials/00_quickstart.py --fresh --record",
        "minutes": round(minutes, 1),
        "seed": json.loads((run / "config.json").read_text(encoding="utf-8"))["seed"],
        **results,
        "keras": manifest["keras"],
        "artefacts": [
            {key: row[key] for key in ("format", "precision", "score", "bytes", "latency_ms", "parity")}
            for row in manifest["artefacts"]
        ],
    }
    with whole_file(RESULTS) as temporary:
        temporary.write_text(json.dumps(lesson, indent=2) + "\n", encoding="utf-8")


# %% [markdown]
# ## Where the model looked
# Characters across, output down: each row says which characters the model weighed as it wrote that character.


# %%
def picture(run, text, result):
    """Writes the attention map of the text and returns its path."""
    from keras_seq import plots
    from keras_seq.recipes import dates as recipe

    source, output, weights = recipe.load(run).alignment(text)
    caption = f"confidence {result.confidence:.3f}; darker: more weight"
    return plots.attention_map(run / "attention.png", source, output, weights, f"{text}  →  {result.output}", caption)


# %% [markdown]
# ## Exercise
# Write the same day in five ways, wrong weekday and all. Which of them does the model refuse, and what does the picture
# say of the one that it gets wrong?

# %%
if __name__ == "__main__":
    sys.exit(main())
