"""Runs a bundle: text in, text out, with numpy, tokenizers and one of ai-edge-litert and onnxruntime.

    pip install numpy tokenizers ai-edge-litert      (or onnxruntime)
    python run.py "samedi 9 mai 1998"                one text, or several
    python run.py < texts.txt                        one line out for each line in, in order

    import run
    run.load(".").generate(["samedi 9 mai 1998"])    a list with one Result: output "1998-05-09", its confidence, ...

This file stands alone: a bundle carries a copy of it as `run.py`. A file of the bundle is used only if it is the one
that the manifest describes, to the byte, and nothing outside the bundle's folder is read.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import importlib
import importlib.util
import json
import math
import os
import sys
import types
import unicodedata
from pathlib import Path

try:
    import numpy as np
except ImportError:  # reported by load(), with what to install
    np = None

SCHEMA_VERSION = 1
PAD, START, END, UNKNOWN = range(4)
BATCH = 64
_RUNTIMES = {"tflite": ("ai_edge_litert", "ai-edge-litert"), "onnx": ("onnxruntime", "onnxruntime")}
_GENERATE = {"inputs": {"source", "source_length"}, "outputs": {"ids", "length", "log_probability"}}
_TENSORS = {"*": {"shape": [int | None], "dtype": str}}
_MANIFEST = {
    "name": str,
    "limits": {"source": int, "target": int},
    "vocabularies": {"source": str, "target": str},
    "files": {"*": {"bytes": int, "sha256": str}},
    "artefacts": [
        {
            "format": str,
            "precision": str,
            "path": str,
            "files": [str],
            "signatures": {"*": {"inputs": _TENSORS, "outputs": _TENSORS}},
        }
    ],
}
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "a whole number",
    int | None: "a whole number or null",
}
_MEND = "build it again with `python -m export build RUN`, or copy the whole bundle again"


class BundleError(ValueError):
    """A bundle that cannot be used: what is wrong with it, what was wanted and how to mend it."""


class InputError(ValueError):
    """A text that is refused before the model sees it, and why."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What the model made of one text.

    Args:
        text: the text as it was given.
        output: str, the model's best guess, "" where the text was refused or the model writes nothing.
        confidence: float in [0, 1], the probability of the whole output; 0 where there is none.
        accepted: bool, True where there is an output and its confidence reaches the bundle's threshold.
        refusal: str, why the text was refused before the model saw it, or None.
    """

    text: str
    output: str = ""
    confidence: float = 0.0
    accepted: bool = False
    refusal: str | None = None


def load(bundle, format=None, precision=None, threads=None):
    """Opens a bundle.

    Only the manifest, the vocabularies and the chosen artefact are needed: the other artefacts may have been deleted.

    Args:
        bundle: str or path of the folder.
        format: "tflite" or "onnx"; None takes the first that is there and whose package is installed.
        precision: str as the manifest has it, such as "float32"; None takes the first.
        threads: int, number of threads; None leaves it to the package.

    Returns:
        `Bundle`.

    Raises:
        BundleError: if the bundle is damaged or has nothing of that format and precision.
        ImportError: if a package is missing; the message says what to install.
        ValueError: if `threads` is less than 1.
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads={threads} is too few; wanted 1 or more, or None")
    _package("numpy", "numpy")
    folder = Path(bundle)
    manifest = read_manifest(folder)
    artefact = _choose(folder, manifest, format, precision)
    vocabularies = manifest["vocabularies"]
    for name in (vocabularies["source"], vocabularies["target"], *artefact["files"]):
        check_file(folder, name, manifest["files"][name])
    source, target = (_tokenizer(folder, vocabularies[role]) for role in ("source", "target"))
    session = {"tflite": LiteRTSession, "onnx": ONNXSession}[artefact["format"]](folder / artefact["path"], threads)
    return Bundle(manifest, artefact, session, source, target)


class Bundle:
    """A loaded bundle. Made by `load`.

    Attributes:
        manifest: dict, the manifest.
        artefact: dict, the manifest's entry for the artefact in use.
        session: `LiteRTSession` or `ONNXSession`, for calling signatures by hand.
        threshold: float, the confidence from which an output is accepted.
    """

    def __init__(self, manifest, artefact, session, source, target):
        self.manifest, self.artefact, self.session = manifest, artefact, session
        self.threshold = _threshold(manifest)
        self.source_limit = manifest["limits"]["source"]
        # Far more characters than any text within the limit has: such a text is not worth encoding.
        self.most_characters = 10_000 + 100 * self.source_limit
        self._source, self._target = source, target
        # TFLite's shapes are fixed: one text, padded to the limit.
        self._batch, self._width = (1, self.source_limit) if artefact["format"] == "tflite" else (BATCH, None)
        self._check_signature()

    def generate(self, texts):
        """Runs the model.

        Args:
            texts: iterable of str.

        Returns:
            list of `Result`, one for each text, in order. Texts that the model cannot take are refused one by one.

        Raises:
            TypeError: if `texts` is one str.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError(
                f"texts is one {type(texts).__name__}, {_short(texts)}; wanted a list of str: generate([text])"
            )
        results, encoded = [], []
        for text in texts:
            results.append(Result(text))
            try:
                encoded.append((len(results) - 1, self.encode_text(text)))
            except InputError as error:
                results[-1] = Result(text, refusal=str(error))
        encoded.sort(key=lambda pair: len(pair[1]))  # little padding in a batch of texts of like length
        for start in range(0, len(encoded), self._batch):
            indices, rows = zip(*encoded[start : start + self._batch], strict=True)
            for index, (output, confidence) in zip(indices, self._answer(rows), strict=True):
                accepted = bool(output) and confidence >= self.threshold
                results[index] = Result(results[index].text, output, confidence, accepted)
        return results

    def encode_text(self, text):
        """The source ids of a text.

        Args:
            text: str.

        Returns:
            list of int, 1 to `source_limit` long.

        Raises:
            InputError: if the text is refused; the message says why.
        """
        _check_text(text, self.most_characters, self.source_limit)
        encoding = self._source.encode(text, add_special_tokens=False)
        ids = list(encoding.ids)
        if not ids:
            raise InputError("nothing is left of the text after normalisation; give text with visible characters")
        if len(ids) > self.source_limit:
            raise InputError(
                f"the text is {len(ids)} tokens long after normalisation, the model reads at most {self.source_limit}; "
                "shorten it"
            )
        pieces = [(text[begin:end], token) for token, (begin, end) in zip(ids, encoding.offsets, strict=True)]
        unknown = [piece for piece, token in pieces if token == UNKNOWN and _is_visible(piece)]
        visible = sum(_is_visible(piece) for piece, _ in pieces)
        if 2 * len(unknown) >= max(visible, 1) and unknown:
            shown = ", ".join(repr(piece)[:20] for piece in dict.fromkeys(unknown[:20]))
            raise InputError(
                f"{len(unknown)} of {visible} visible characters are unknown to the model ({shown[:100]}); "
                "give text in a script that it was trained on"
            )
        return ids

    def decode_ids(self, ids):
        """The text of target ids, up to the first end token."""
        kept = []
        for token in map(int, ids):
            if token == END:
                break
            if token > UNKNOWN:
                kept.append(token)
        return self._target.decode(kept, skip_special_tokens=False)

    def _answer(self, rows):
        """(output, confidence) of each list of ids."""
        source, length = pad(rows, self._width)
        outputs = self.session.call("generate", source=source, source_length=length)
        for ids, log_probability in zip(outputs["ids"], outputs["log_probability"], strict=True):
            output = self.decode_ids(ids)
            yield output, confidence(output, log_probability)

    def _check_signature(self):
        offered = self.session.describe("generate")
        for side, names in _GENERATE.items():
            if set(offered[side]) != names:
                raise BundleError(
                    f"the artefact {self.artefact['path']} has signature generate with {side} {sorted(offered[side])}, "
                    f"wanted {sorted(names)}; {_MEND}"
                )
        shape = offered["inputs"]["source"]["shape"]
        if self._width and shape != [1, self._width]:
            raise BundleError(
                f"the artefact {self.artefact['path']} reads a source of shape {shape}, the manifest says "
                f"[1, {self._width}]; {_MEND}"
            )


def confidence(output, log_probability):
    """The probability of a whole output: exp(sum of its tokens' log-probabilities), the end token included.

    An empty output is how a model says that there is nothing to write, and has confidence 0.

    Args:
        output: str.
        log_probability: float `(target,)`, 0 in the padding.

    Returns:
        float in [0, 1].
    """
    total = float(np.sum(log_probability, dtype="float64"))
    return min(math.exp(min(total, 0.0)), 1.0) if output and not math.isnan(total) else 0.0


def pad(rows, width=None):
    """Lists of ids as one array.

    Args:
        rows: sequence of sequences of int.
        width: int, None takes the longest row's length.

    Returns:
        int32 `(len(rows), width)` with 0 on the right, and int32 `(len(rows),)` with the lengths.
    """
    length = np.asarray([len(row) for row in rows], "int32")
    padded = np.zeros((len(rows), width or int(length.max())), "int32")
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return padded, length


def _check_text(text, most_characters, limit):
    if not isinstance(text, str):
        raise InputError(f"this is of type {type(text).__name__}, wanted a str")
    if len(text) > most_characters:
        raise InputError(
            f"the text has more than {most_characters} characters, the model reads at most {limit} tokens; shorten it"
        )
    if "\0" in text:
        raise InputError(f"the text has NUL at character {text.index(chr(0)) + 1}; remove it")
    for position, character in enumerate(text, 1):
        if 0xDC80 <= ord(character) <= 0xDCFF:
            raise InputError(
                f"the text has the byte 0x{ord(character) - 0xDC00:02x}, which is not UTF-8 (or a lone surrogate), at "
                f"character {position}; save it as UTF-8"
            )
        if 0xD800 <= ord(character) <= 0xDFFF:
            raise InputError(
                f"the text has the lone surrogate U+{ord(character):04X} at character {position}; remove it"
            )
    if not _is_visible(text):
        raise InputError("the text is empty, or only spaces; give text with visible characters")


def _is_visible(text):
    """Whether anything of the text is neither space nor a control or formatting sign."""
    return any(unicodedata.category(character) not in ("Zs", "Zl", "Zp", "Cc", "Cf") for character in text)


class LiteRTSession:
    """Calls a TFLite file.

    Args:
        path: str or path of the file.
        threads: int, or None for the package's own choice.
    """

    def __init__(self, path, threads=None):
        interpreter = _package("ai_edge_litert.interpreter", "ai-edge-litert")
        try:
            self._interpreter = interpreter.Interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()  # an operator that this version lacks is found now
            self._runners = {
                name: self._interpreter.get_signature_runner(name) for name in self._interpreter.get_signature_list()
            }
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"LiteRT cannot read {path}: {_one_line(error)}; {_MEND}") from error

    @property
    def signatures(self):
        """dict of signature -> {"inputs": {name: {"shape", "dtype"}}, "outputs": ...}; None is a dynamic size."""
        return {name: self.describe(name) for name in sorted(self._runners)}

    def call(self, signature, **arrays):
        """Runs one signature: arrays by name, of the signature's shapes and dtypes, to a dict of arrays."""
        _check_arrays(signature, self.describe(signature), arrays)
        return self._runners[signature](**arrays)

    def describe(self, signature):
        """The entry of `signatures` for one signature."""
        if signature not in self._runners:
            raise BundleError(f"the TFLite file has no signature {signature}, it has {sorted(self._runners)}; {_MEND}")
        runner = self._runners[signature]
        sides = {"inputs": runner.get_input_details(), "outputs": runner.get_output_details()}
        return {
            side: {
                name: {
                    "shape": [int(size) if size >= 0 else None for size in details["shape_signature"]],
                    "dtype": np.dtype(details["dtype"]).name,
                }
                for name, details in sorted(tensors.items())
            }
            for side, tensors in sides.items()
        }


class ONNXSession:
    """Calls a folder of ONNX files, one a signature. A file is read when its signature is first used.

    Args:
        folder: str or path of the folder.
        threads: int, or None for the package's own choice.
    """

    def __init__(self, folder, threads=None):
        self._onnxruntime = _package("onnxruntime", "onnxruntime")
        self._options = self._onnxruntime.SessionOptions()
        self._options.log_severity_level = 3  # errors
        if threads is not None:
            self._options.intra_op_num_threads = threads
        self._sessions = {}
        self._folder = Path(folder)

    @property
    def signatures(self):
        """dict of signature -> {"inputs": {name: {"shape", "dtype"}}, "outputs": ...}; None is a dynamic size."""
        return {name: self.describe(name) for name in sorted(file.stem for file in self._folder.glob("*.onnx"))}

    def call(self, signature, **arrays):
        """Runs one signature: arrays by name, of the signature's shapes and dtypes, to a dict of arrays."""
        _check_arrays(signature, self.describe(signature), arrays)
        session = self._session(signature)
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, arrays), strict=True))

    def _session(self, signature):
        if signature not in self._sessions:
            path = self._folder / f"{signature}.onnx"
            try:
                self._sessions[signature] = self._onnxruntime.InferenceSession(
                    str(path), self._options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # the package has eleven classes of error, with Exception as their only base
                raise BundleError(f"ONNX Runtime cannot read {path}: {_one_line(error)}; {_MEND}") from error
        return self._sessions[signature]

    def describe(self, signature):
        """The entry of `signatures` for one signature."""
        session = self._session(signature)
        dtypes = {"tensor(float)": "float32", "tensor(int32)": "int32"}
        return {
            side: {
                tensor.name: {
                    "shape": [size if isinstance(size, int) else None for size in tensor.shape],
                    "dtype": dtypes.get(tensor.type, tensor.type),
                }
                for tensor in sorted(tensors, key=lambda tensor: tensor.name)
            }
            for side, tensors in (("inputs", session.get_inputs()), ("outputs", session.get_outputs()))
        }


def _check_arrays(signature, description, arrays):
    wanted = description["inputs"]
    if set(arrays) != set(wanted):
        raise ValueError(f"signature {signature} was given {sorted(arrays)}, wanted {sorted(wanted)}")
    for name, array in arrays.items():
        shape, dtype = wanted[name]["shape"], wanted[name]["dtype"]
        fits = len(shape) == array.ndim and all(
            size in (None, given) for size, given in zip(shape, array.shape, strict=False)
        )
        if not fits or array.dtype.name != dtype:
            raise ValueError(
                f"signature {signature} was given {name} as {array.dtype.name} {list(array.shape)}, "
                f"wanted {dtype} {shape}"
            )


def _choose(folder, manifest, format, precision):
    """The manifest's entry for the artefact to use."""
    if format is not None and format not in _RUNTIMES:
        raise BundleError(f"format {format!r} is not one that this runtime reads; choose one of {', '.join(_RUNTIMES)}")
    candidates = [
        artefact
        for known in _RUNTIMES
        for artefact in manifest["artefacts"]
        if artefact["format"] == known and format in (None, known) and precision in (None, artefact["precision"])
    ]
    if not candidates:
        there = ", ".join(f"{artefact['format']} {artefact['precision']}" for artefact in manifest["artefacts"])
        raise BundleError(
            f"the bundle has no artefact of format {format or 'tflite or onnx'} and precision {precision or 'any'}, it "
            f"has {there}; choose another, or build it with `python -m export build RUN`"
        )
    there = [artefact for artefact in candidates if any((folder / name).exists() for name in artefact["files"])]
    candidates = there or candidates
    for artefact in candidates:
        if _is_installed(_RUNTIMES[artefact["format"]][0]):
            return artefact
    packages = dict.fromkeys(_RUNTIMES[artefact["format"]][1] for artefact in candidates)
    raise ImportError(f"nothing that runs the bundle is installed: pip install {' (or) '.join(packages)}")


def read_manifest(folder):
    """The manifest of a bundle, checked in full, without the files that it names.

    Args:
        folder: str or path of the bundle.

    Returns:
        dict.

    Raises:
        BundleError: if it is missing, damaged, of another version, or names anything outside the folder.
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(
            f"{folder} is not a bundle: it has no manifest.json; give the folder that `python -m export build` wrote"
        ) from None
    except OSError as error:
        raise BundleError(f"{folder}/manifest.json cannot be read ({error.strerror}); mend its permissions") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{folder}/manifest.json is not whole JSON ({_one_line(error)}); {_MEND}") from error
    _check_manifest(folder, manifest)
    return manifest


def _check_manifest(folder, manifest):
    _check_kind(manifest, {"schema_version": int, "task": str}, "manifest.json")
    for name, known in (("schema_version", SCHEMA_VERSION), ("task", "generate")):
        if manifest[name] != known:
            raise BundleError(
                f"manifest.json has {name} {_short(manifest[name])}, this runtime reads {known!r}; use the run.py "
                "that came with the bundle"
            )
    _check_kind(manifest, _MANIFEST, "manifest.json")
    for role in ("source", "target"):
        if not 0 < manifest["limits"][role] < 2**31:
            raise _damaged(f"limits.{role} is {_short(manifest['limits'][role])}", "1 to 2147483647")
    threshold = _threshold(manifest)
    if not isinstance(threshold, int | float) or isinstance(threshold, bool) or not 0 <= threshold <= 1:
        raise _damaged(f"confidence.threshold is {_short(threshold)}", "a number from 0 to 1")
    files = manifest["files"]
    for name in (*files, *(artefact["path"] for artefact in manifest["artefacts"])):
        _check_name(folder, name)
    named = [manifest["vocabularies"][role] for role in ("source", "target")]
    for artefact in manifest["artefacts"]:
        path, listed = artefact["path"], artefact["files"]
        opened = {"tflite": [path], "onnx": [f"{path}/{signature}.onnx" for signature in artefact["signatures"]]}
        if not listed or not set(opened.get(artefact["format"], ())) <= set(listed):
            raise _damaged(f"the artefact {_short(path)} has the files {_short(listed)}", "all that it is opened from")
        named += listed
    for name in named:
        if name not in files:
            raise _damaged(f"the file {_short(name)} has no checksum", "an entry in files")


def _check_kind(value, wanted, where):
    """Compares with a type, or with an example: a dict of names ("*" is any), or a list of one entry."""
    kind = wanted if isinstance(wanted, type | types.UnionType) else type(wanted)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _damaged(f"{where[:200]} is {_short(value)}", _KINDS[kind])
    if isinstance(wanted, list):
        for index, entry in enumerate(value):
            _check_kind(entry, wanted[0], f"{where}[{index}]")
    elif isinstance(wanted, dict):
        for name in value if "*" in wanted else wanted:
            if name not in value:
                raise _damaged(f"{where[:200]} has no {name!r}", _KINDS[dict] + f" with {', '.join(wanted)}")
            _check_kind(value[name], wanted.get("*", wanted.get(name)), f"{where}: {name}")


def _threshold(manifest):
    confidence = manifest.get("confidence")
    threshold = confidence.get("threshold") if isinstance(confidence, dict) else confidence
    return 0.0 if threshold is None else threshold


def _check_name(folder, name):
    """Refuses whatever could lead out of the folder, on any system."""
    plain = name.isprintable() and not set("\\:") & set(name) and not {"", ".", ".."} & set(name.split("/"))
    if not plain:
        raise _damaged(f"the file name {_short(name)} may lead out of the bundle", "a plain relative path")
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:  # too long a name; a loop of links
        raise _damaged(
            f"the file name {_short(name)} cannot be followed ({_one_line(error)})", "a plain file"
        ) from error
    if not inside:
        raise _damaged(f"the file {_short(name)} is a link out of the bundle", "a plain file")


def check_file(folder, name, entry):
    """Compares a file of a bundle with its entry in the manifest's `files`.

    Args:
        folder: path of the bundle.
        name: str, the file's name in the manifest.
        entry: dict of `bytes` and `sha256`.

    Raises:
        BundleError: if the file is missing, truncated or changed.
    """
    path = Path(folder, name)
    try:
        if not path.is_file():
            raise BundleError(f"{path} is missing; {_MEND}")
        size = path.stat().st_size
        if size != entry["bytes"]:
            raise BundleError(f"{path} has {size} bytes, the manifest says {_short(entry['bytes'])}; {_MEND}")
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); mend its permissions, or {_MEND}") from error
    if digest != entry["sha256"]:
        raise BundleError(f"{path} is not the file that was built: its sha256 is not the manifest's; {_MEND}")


def _tokenizer(folder, name):
    tokenizers = _package("tokenizers", "tokenizers")
    try:
        tokenizer = tokenizers.Tokenizer.from_str((folder / name).read_text(encoding="utf-8"))
    except Exception as error:  # the package raises bare Exception for whatever it cannot read
        raise BundleError(f"{folder / name} is not a tokenizer.json ({_one_line(error)}); {_MEND}") from error
    special = [tokenizer.id_to_token(token) for token in range(UNKNOWN + 1)]
    if special != ["<pad>", "<start>", "<end>", "<unknown>"]:
        raise BundleError(f"{folder / name} begins with {special}, wanted <pad>, <start>, <end>, <unknown>; {_MEND}")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _short(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:76] + " ..."


def _damaged(came, wanted):
    return BundleError(f"the manifest is damaged: {came}; wanted {wanted}; {_MEND}")


def _is_installed(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _package(module, name):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"the package {name} is needed ({_one_line(error)}): pip install {name}") from error


def _one_line(error):
    return " ".join(str(error).split())[:200]


def add_arguments(parser):
    """Adds the texts and options of `run.py` to an `argparse.ArgumentParser`."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="texts; none: lines from standard input, in UTF-8")
    parser.add_argument("--format", choices=tuple(_RUNTIMES), help="default: the first that is there and installed")
    parser.add_argument("--precision", help="such as float32; default: the first in the bundle")
    parser.add_argument("--threads", type=_threads, metavar="N", help="number of threads")
    parser.add_argument("--all", action="store_true", help="write the best guess of flagged texts too")
    parser.add_argument("--json", action="store_true", help="one JSON object a text: output, confidence, refusal, ...")


def _threads(text):
    if not text.isdecimal() or not 0 < int(text) < 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of threads; wanted 1 to 1023")
    return int(text)


def serve(bundle, args, stdin=None, stdout=None, stderr=None):
    """Answers the texts of the command line, or every line of standard input as it comes.

    Writes one line for each text, in order. The line is empty where the text is refused or its output is not accepted;
    standard error says why.

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
        for result in bundle.generate(texts):
            number += 1
            code = code if result.accepted else 1
            if args.json:
                line = json.dumps(dataclasses.asdict(result), ensure_ascii=False)
            else:
                line = " ".join(result.output.splitlines()) if result.accepted or args.all else ""
                if not result.accepted:
                    print(f"line {number}: {_explain(result, bundle.threshold)}", file=stderr)
            print(line, file=stdout)
        stdout.flush()
    return code


def _explain(result, threshold):
    if result.refusal is not None:
        return result.refusal
    if not result.output:
        return "flagged: the model finds nothing to write"
    # As many digits as it takes to see the difference.
    digits = next((n for n in (2, 4, 6) if f"{result.confidence:.{n}f}" != f"{threshold:.{n}f}"), 17)
    return (
        f"flagged: confidence {result.confidence:.{digits}f} is under {threshold:.{digits}f}; "
        f"the best guess is {' '.join(result.output.splitlines())}"
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


def main(argv=None):
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="run.py", description="Runs the model of a bundle on texts.")
    add_arguments(parser)
    parser.add_argument(
        "--bundle", default=Path(__file__).resolve().parent, metavar="DIR", help="default: where run.py is"
    )
    args = parser.parse_args(argv)
    return run_command(args.bundle, args)


if __name__ == "__main__":
    sys.exit(main())
