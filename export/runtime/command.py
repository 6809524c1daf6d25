"""The command line of a bundle: texts, or names of recordings or pictures in, a line out for each."""

import argparse
import contextlib
import dataclasses
import json
import os
import sys
import warnings

from .bundle import BATCH, RUNTIMES, Result
from .errors import BundleError, InputError, InputWarning
from .generator import Writer
from .loading import load


def add_arguments(parser):
    """Adds the texts and options of `run.py` to an `argparse.ArgumentParser`."""
    parser.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help="texts, or names of recordings (WAV) or pictures (PNG); none: lines from standard input, in UTF-8",
    )
    parser.add_argument("--format", choices=tuple(RUNTIMES), help="default: the first that is there and installed")
    parser.add_argument("--precision", help="such as float32; default: the first in the bundle")
    parser.add_argument("--threads", type=_threads, metavar="N", help="number of threads")
    parser.add_argument("--beam", action="store_true", help="beam search, where the bundle was built with it")
    parser.add_argument("--stream", action="store_true", help="write each token as soon as it is decided")
    parser.add_argument("--all", action="store_true", help="write the best guess of flagged texts too")
    parser.add_argument("--json", action="store_true", help="one JSON object a text: output, confidence, refusal, ...")


def _threads(text):
    if not text.isdecimal() or not 0 < int(text) < 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of threads; wanted 1 to 1023")
    return int(text)


def serve(bundle, args, stdin=None, stdout=None, stderr=None):
    """Answers the texts of the command line, or every line of standard input as it comes.

    Writes one line for each text, in order. The line is empty where the text is refused or its output is not accepted;
    standard error says why, and what is doubtful about an input that was read.

    Args:
        bundle: `Bundle`.
        args: what the parser of `add_arguments` parsed.
        stdin: binary stream, the standard input by default.
        stdout: text stream, the standard output by default.
        stderr: text stream, the standard error by default.

    Returns:
        int, the exit code: 0 if all was accepted, 1 if anything was refused or flagged.
    """
    stdin, stdout, stderr = stdin or sys.stdin.buffer, stdout or sys.stdout, stderr or sys.stderr
    number, code = 0, 0
    for texts in [args.texts] if args.texts else _lines(stdin, 4 * bundle.most_characters + 4):
        for result in _answers(bundle, texts, args, stdout, stderr):
            number += 1
            code = code if result.accepted else 1
            if args.json:
                print(json.dumps(dataclasses.asdict(result), ensure_ascii=False), file=stdout)
                continue
            if not result.accepted:
                print(f"line {number}: {_explain(result, bundle.threshold)}", file=stderr)
            shown = (result.accepted or args.all) and not args.stream
            print(result.line if shown else "", file=stdout)
        stdout.flush()
    return code


def _answers(bundle, texts, args, stdout, stderr):
    if args.stream:
        return (_streamed(bundle, text, stdout, stderr) for text in texts)
    with _warnings_to(stderr):
        return bundle.generate(texts, beam=True) if args.beam else bundle.answer(texts)


@contextlib.contextmanager
def _warnings_to(stderr):
    """Writes what is doubtful about inputs as lines of their own, without the place in this code."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message, category, *place):
            if issubclass(category, InputWarning):
                print(f"warning: {message}", file=stderr)
            else:
                usual(message, category, *place)

        warnings.simplefilter("always", InputWarning)
        warnings.showwarning = show
        yield


def _streamed(bundle, text, stdout, stderr):
    """Writes an output as it comes, but for the line's end; returns what `generate` would have."""
    output, probability = "", 1.0
    try:
        with _warnings_to(stderr):
            for piece in bundle.stream(text):
                stdout.write(" ".join(piece.text.split("\n")))
                stdout.flush()
                output, probability = output + piece.text, probability * piece.probability
    except InputError as error:
        return Result(text, refusal=str(error))
    sure = probability if output else 0.0
    return Result(text, output, sure, bool(output) and sure >= bundle.threshold)


def _check_options(bundle, args):
    """Refuses options that the bundle has nothing for, before anything is answered."""
    for option in ("beam", "stream"):
        if getattr(args, option) and not isinstance(bundle, Writer):
            raise BundleError(
                f"--{option} is for bundles that write texts; this one's task is {bundle.manifest['task']}"
            )
    if args.beam and not bundle.has_beam:
        raise BundleError("the bundle has no beam search; build it with `python -m export build RUN --beam 4`")
    if args.stream and (args.beam or args.json):
        raise BundleError("--stream writes the best token each time, as plain text; leave out --beam and --json")


def _explain(result, threshold):
    if result.refusal is not None:
        return result.refusal
    if not result.output:
        return "flagged: the model finds nothing to write"
    # As many digits as it takes to see the difference.
    digits = next((n for n in (2, 4, 6) if f"{result.confidence:.{n}f}" != f"{threshold:.{n}f}"), 17)
    return (
        f"flagged: confidence {result.confidence:.{digits}f} is under {threshold:.{digits}f}; "
        f"the best guess is {result.line}"
    )


def _lines(stream, longest):
    """Lists of at most `BATCH` lines, of what there is without waiting: a slow writer gets its answers at once."""
    rest = b""
    while chunk := stream.read1(1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[:longest]  # enough to see that it is too long
        for start in range(0, len(lines), BATCH):
            yield [_decode(line) for line in lines[start : start + BATCH]]
    if rest:
        yield [_decode(rest)]


def _decode(line):
    return line.removesuffix(b"\r").decode("utf-8", "surrogateescape").removeprefix("\ufeff")  # Windows begins files so


def run_command(folder, args):
    """Loads a bundle and serves it, with what can go wrong said in one line.

    Args:
        folder: str or path of the bundle.
        args: what the parser of `add_arguments` parsed.

    Returns:
        int, the exit code: that of `serve`, 2 if the bundle cannot be used, 130 if interrupted.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started this
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    try:
        # What the command line or a file held that is not UTF-8 must not stop the answers.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        if not args.texts and sys.stdin.isatty():
            print("reading lines; end with Ctrl-D", file=sys.stderr)
        with _quiet_libraries():
            bundle = load(folder, args.format, args.precision, args.threads)
        _check_options(bundle, args)
        return serve(bundle, args)
    except BrokenPipeError:
        _discard_output()
        return 0
    except KeyboardInterrupt:
        return 130
    except (BundleError, ImportError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"the answers cannot be written or the texts read: {error}", file=sys.stderr)
        _discard_output()
    return 2


@contextlib.contextmanager
def _quiet_libraries():
    """Standard error is for what becomes of the texts; LiteRT greets there, and has no switch. Errors are raised."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _discard_output():
    """Nobody reads it any more: Python's last flush must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(folder, argv=None):
    """The command line of the bundle in `folder`; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="run.py", description="Runs the model of a bundle on texts, recordings or pictures."
    )
    add_arguments(parser)
    parser.add_argument("--bundle", default=folder, metavar="DIR", help="default: where run.py is")
    args = parser.parse_args(argv)
    return run_command(args.bundle, args)
