"""The command line: `python -m export build | run | verify | benchmark | matrix`."""

import argparse
import os
import sys
from pathlib import Path

_NOTHING = "nothing was written"


def main(argv=None):
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m export", description="Trained runs to bundles that ship.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="build | run | verify | benchmark | matrix")
    _add_build(commands)
    _add_run(commands)
    _add_verify(commands)
    _add_benchmark(commands)
    _add_matrix(commands)
    args = parser.parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what TensorFlow tells of this machine is nobody's concern
    return args.work(args)


def _add_build(commands):
    parser = commands.add_parser(
        "build",
        help="export a trained run to SavedModel, TFLite and ONNX, and prove each equal to Keras",
        description="Exports a trained run to a bundle. What is not equal to Keras is refused, and the exit code is 1.",
    )
    parser.add_argument("run", metavar="RUN", help="run directory, as the tutorials write it")
    parser.add_argument("--out", metavar="DIR", help="the bundle (default: RUN/bundle); an older one is replaced")
    parser.add_argument("--formats", metavar="LIST", help="comma-separated: saved_model, tflite, onnx (default: all)")
    parser.add_argument(
        "--precision",
        metavar="LIST",
        help="comma-separated: float32, float16, dynamic_int8, int8, int16x8 (default: float32, and dynamic_int8 for "
        "TFLite)",
    )
    parser.add_argument("--beam", type=int, metavar="N", help="add generate_beam, beam search with N beams")
    _add_profile(parser)
    _add_timeout(parser)
    parser.set_defaults(work=_build)


def _add_run(commands):
    from export import runtime

    parser = commands.add_parser(
        "run",
        help="run a bundle on texts, recordings or pictures, without TensorFlow",
        description="Runs a bundle on the texts or files given, or on the lines of standard input: one output line "
        "for each.",
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle's folder")
    runtime.add_arguments(parser)
    parser.set_defaults(work=lambda args: runtime.run_command(args.bundle, args))


def _add_verify(commands):
    parser = commands.add_parser(
        "verify",
        help="prove a bundle's artefacts again",
        description="Checks a bundle's checksums, then runs every artefact against Keras's answers.",
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle's folder")
    parser.add_argument("--run", metavar="RUN", help="ask Keras anew, on this run's whole test set")
    _add_timeout(parser)
    parser.set_defaults(work=_verify)


def _add_benchmark(commands):
    parser = commands.add_parser(
        "benchmark",
        help="size, latency, memory and score of a bundle's artefacts on this machine",
        description="Times every artefact of a bundle on the bundle's samples, one text at a time.",
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle's folder")
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder for benchmark.txt, .json and .png (default: BUNDLE, whose checksums leave them out)",
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    _add_timeout(parser)
    parser.set_defaults(work=_benchmark)


def _add_matrix(commands):
    parser = commands.add_parser(
        "matrix",
        help="every format and precision of some runs: score, size, latency and memory, or why not",
        description="Builds, proves and measures every artefact that there could be. The artefacts are not kept.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directories")
    parser.add_argument("--beam", type=int, metavar="N", help="with beam search of N beams")
    parser.add_argument("--out", metavar="FILE", help="write the rows as JSON, after each run those so far")
    _add_profile(parser)
    _add_timeout(parser)
    parser.set_defaults(work=_matrix)


def _add_profile(parser):
    parser.add_argument(
        "--profile",
        default="portable",
        metavar="NAME",
        help="of TFLite: portable, which loads everywhere (default), or interpreter: LSTMs as one operator each, which "
        "LiteRT's Interpreter alone has, not CompiledModel nor the browser",
    )


def _add_timeout(parser):
    parser.add_argument(
        "--timeout", type=float, default=600, metavar="S", help="seconds that one conversion or proof may take (600)"
    )


def _build(args):
    from export.build_bundle import FORMATS, build

    formats = _listed(args.formats) if args.formats is not None else FORMATS
    precisions = None if args.precision is None else _listed(args.precision)

    def work():
        built = build(args.run, args.out, formats, precisions, args.beam, args.timeout, _say, args.profile)
        _say(f"wrote {built.path}")
        return 1 if built.refused else 0

    return _guarded("build", work)


def _listed(text):
    return tuple(text.replace(" ", "").split(","))


def _verify(args):
    from export.verify_bundle import verify

    return _guarded("verify", lambda: verify(args.bundle, args.run, args.timeout, progress=_say) and 0, elsewhere="")


def _benchmark(args):
    from export.benchmark_bundle import benchmark

    return _guarded(
        "benchmark",
        lambda: benchmark(args.bundle, args.out, args.threads, timeout=args.timeout, progress=_say) and 0,
    )


def _matrix(args):
    from export import bundle as bundles
    from export import matrix, tables
    from export.benchmark_bundle import machine

    command = ["python -m export matrix", *args.runs, *(["--beam", str(args.beam)] if args.beam else [])]
    command += ["--profile", args.profile] if args.profile != "portable" else []
    done = []

    def keep(rows):
        if args.out:
            bundles.write_json(args.out, {"command": " ".join(command), "machine": machine(), "rows": rows})
            done.append(rows[-1]["run"])

    def work():
        if args.out:
            Path(args.out).resolve().parent.mkdir(parents=True, exist_ok=True)
        rows = matrix.matrix(args.runs, args.beam, args.timeout, _say, keep, args.profile)
        _say("\n" + tables.markdown(rows))
        return 0

    def written():
        return f"{args.out} has the rows of {', '.join(done)}" if done else _NOTHING

    return _guarded("matrix", work, written)


def _guarded(command, work, written=lambda: _NOTHING, elsewhere=None):
    """The exit code of `work`; what the user can mend is a short message and exit code 1, not a traceback.

    Args:
        command: str, its name.
        work: function.
        written: function that says what was written so far.
        elsewhere: str, what to do about a disk other than to mend it; None is `export.bundle.ELSEWHERE`.
    """
    from export.bundle import ELSEWHERE, disk_message
    from export.errors import DiskError, ExportError

    try:
        return work()
    except DiskError as error:
        message = f"{error}; {written()}"
    except (ValueError, ExportError) as error:
        message = str(error)
    except OSError as error:
        message = f"{disk_message(error, ELSEWHERE if elsewhere is None else elsewhere)}; {written()}"
    except KeyboardInterrupt:
        print(f"export {command}: stopped; {written()}", file=sys.stderr)
        return 130
    print(f"export {command}: {message}", file=sys.stderr)
    return 1


def _say(line):
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
