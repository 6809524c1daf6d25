"""A run directory -> a bundle: converts, proves and describes every artefact, each in a process of its own."""

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from export import bundle as bundles
from export import children, errors, repeated_builds, ship, verification
from export.convert import PRECISIONS, artefact_name
from export.describe import describe, manifest_of
from export.examples import Task
from export.structure import PROFILES
from export.tables import table

FORMATS = tuple(PRECISIONS)
# What is built when nobody says what: float32 everywhere, and the small file for phones.
SENSIBLE = {"saved_model": ("float32",), "tflite": ("float32", "dynamic_int8"), "onnx": ("float32",)}
_TIMEOUT = 600
_TEST_EXAMPLES = 1000
# Keras's answers to the test examples on which layers are chosen.
_OTHERS = "others.json"


@dataclass(frozen=True)
class Built:
    """What `build` made: the bundle's folder, its manifest, and the refused artefacts with their reasons."""

    path: Path
    manifest: dict
    refused: dict


def build(
    run, out=None, formats=FORMATS, precisions=None, beams=None, timeout=_TIMEOUT, progress=print, profile="portable"
):
    """Exports a trained run to a bundle, in which every artefact was held against Keras.

    A float32 artefact answers what Keras answers; another precision scores at most half a point less.

    Args:
        run: path of a run directory: `model.keras`, `config.json`, `results.json`, and what `export.examples.Task` says
            of its kind: tokenizers or labels, and a test set.
        out: path of the bundle; by default `bundle` in the run directory. An older bundle there is replaced.
        formats: some of "saved_model", "tflite" and "onnx".
        precisions: some of those in `export.convert.PRECISIONS`, each made in every format that has it; None takes
            what suits most: float32, and for TFLite "dynamic_int8" too.
        beams: int, adds the signature `generate_beam` with so many beams to a generator; None leaves it out.
        timeout: float, seconds that one conversion or proof may take.
        progress: called with a line of text as things are done.
        profile: "portable", or "interpreter" for TFLite files in which LSTMs are one operator each, which LiteRT's
            Interpreter alone has; the manifest says so of each file.

    Returns:
        `Built`. Artefacts that failed are in `refused` and not in the bundle.

    Raises:
        ValueError: if a format, precision or profile is unknown, or the run directory lacks something.
        DiskError: if a disk is full. Nothing is written then, as in the cases below.
        TimeError: if an artefact that the older bundle has took too long this time.
        ExportError: if no artefact passed.
    """
    run, wanted = Path(run), _wanted(tuple(dict.fromkeys(formats)), precisions)
    config, results, task = _read_run(run)
    _check_options(run, task, beams, profile)
    out = Path(out) if out else run / "bundle"
    before = repeated_builds.checksums(out)
    with bundles.Staging(out) as staging:
        _copy_vocabularies(run, task, staging)
        progress(f"Keras answers the test set of {run} ...")
        asked = {"run": str(run), "task": asdict(task), "most": _TEST_EXAMPLES, "beams": beams}
        asked["numbers"] = str(staging / verification.CASES)
        asked["others"] = str(staging / _OTHERS) if any(_rounded(precision) for _, precision in wanted) else None
        reference, keras = children.call("export.reference", asked, what="the reference in Keras", timeout=timeout)
        answers = staging / "reference.json"
        answers.write_text(json.dumps(reference), encoding="utf-8")
        keras |= verification.memory_of("keras", run, task.kind, task.limits, answers, timeout)
        maker = _Maker(run, task, staging, before, timeout, progress, _options(beams, profile))
        entries = [maker.make(number, len(wanted), *pair) for number, pair in enumerate(wanted, 1)]
        answers.unlink()
        (staging / _OTHERS).unlink(missing_ok=True)
        passed = [entry for entry in entries if not entry["refused"]]
        refused = {f"{entry['format']} {entry['precision']}": entry["refused"] for entry in entries if entry["refused"]}
        if not passed:
            raise errors.ExportError("no artefact passed; nothing is written.\n" + _reasons(refused))
        manifest = manifest_of(config, results, task, keras, passed, staging)
        manifest |= {"beams": beams} if beams else {}
        describe(staging, manifest, reference)
        repeated = repeated_builds.compare(staging, manifest, before)
        verification.write_report(staging, task.name, entries, **repeated)
        manifest = bundles.write_manifest(staging, manifest)
    _tell(progress, keras, manifest, entries, repeated)
    return Built(out, manifest, refused)


def task_of(run):
    """The `export.examples.Task` of a run directory; raises `ValueError` as `build`."""
    return _read_run(Path(run))[2]


def _check_options(run, task, beams, profile):
    if beams is not None and task.kind != "generate":
        raise ValueError(f"beams={beams}: {run} does not write, so there is nothing to search; leave --beam out")
    if beams is not None and beams < 1:
        raise ValueError(f"beams={beams} is too few; wanted 1 or more, or leave --beam out")
    if profile not in PROFILES:
        raise ValueError(f"profile {profile!r} is not known; choose from {', '.join(PROFILES)}")


def _options(beams, profile):
    """What the converters of each format are told."""
    every = {"beams": beams} if beams else {}
    return {format: every | ({"profile": profile} if format == "tflite" else {}) for format in FORMATS}


def _wanted(formats, precisions):
    """The pairs of format and precision to build."""
    for format in formats:
        if format not in FORMATS:
            raise ValueError(f"unknown format {format!r}; choose from {', '.join(FORMATS)}")
    if not formats:
        raise ValueError(f"no format was given; choose from {', '.join(FORMATS)}")
    known = list(dict.fromkeys(name for names in PRECISIONS.values() for name in names))
    for precision in precisions or ():
        if precision not in known:
            raise ValueError(f"unknown precision {precision!r}; choose from {', '.join(known)}")
    wanted = [
        (format, precision)
        for format in formats
        for precision in (SENSIBLE[format] if precisions is None else precisions)
        if precision in PRECISIONS[format]
    ]
    if not wanted:
        raise ValueError(f"{', '.join(formats)} has none of the precisions {', '.join(precisions)}")
    return wanted


def _read_run(run):
    """config.json, results.json and the `Task`."""
    if not run.is_dir():
        raise ValueError(f"{run} is not a run directory; train one with python tutorials/00_quickstart.py")
    needed = ["model.keras", "config.json", "results.json"]
    missing = [name for name in needed if not (run / name).is_file()]
    task = None
    if "config.json" not in missing:
        try:
            config = json.loads((run / "config.json").read_text(encoding="utf-8"))
            task = Task.of(config)
        except ValueError as error:
            raise ValueError(f"{run}: config.json is damaged ({error}); train the run again") from None
        missing += [name for name in task.files if not (run / name).is_file()]
    if missing:
        raise ValueError(
            f"{run} has no {', '.join(missing)}: the training did not finish there, or it is not a run directory. "
            "Run the same training command again: it continues"
        )
    try:
        results = json.loads((run / "results.json").read_text(encoding="utf-8"))
        if not isinstance(results, dict):
            raise ValueError(f"it holds a {type(results).__name__}")
    except ValueError as error:
        raise ValueError(f"{run}: results.json is damaged ({error}); train the run again") from None
    return config, results, task


def _copy_vocabularies(run, task, staging):
    for name in task.files:
        if not name.startswith("test."):
            shutil.copyfile(run / name, staging / name)


class _Maker:
    """Converts and examines the artefacts of one run; a refused one leaves nothing in the staging folder."""

    def __init__(self, run, task, staging, before, timeout, progress, options):
        self._run, self._task, self._staging, self._before = run, task, staging, before
        self._timeout, self._progress, self._options = timeout, progress, options
        self._float32_bytes = {}  # format -> size of its float32 artefact, where it is made first

    def make(self, number, count, format, precision):
        """What `export.verification.examine` says of it, with what the conversion has to tell.

        Raises:
            DiskError: if a disk is full, which says nothing of the artefact.
            TimeError: if it took too long, which says little, and the bundle that would be replaced has it.
        """
        path = self._staging / artefact_name(format, precision)
        begin, before = time.perf_counter(), set(self._staging.iterdir())
        self._progress(f"  [{number}/{count}] {format} {precision}: converting ...")
        notes = {}
        try:
            notes = self._convert(format, precision, path) or {}
            entry = self._examine(format, precision, path)
        except errors.ExportError as error:
            kind = type(error).__name__
            entry = {"path": path.name, "format": format, "precision": precision, "refused": str(error), "error": kind}
        seconds = time.perf_counter() - begin
        if entry["refused"]:
            self._stop_at(entry)
            for left in set(self._staging.iterdir()) - before:  # a crashed child's scratch too
                bundles.remove(left)
            self._progress(f"  {format:12} {precision:12}  REFUSED: {entry['refused']}")
            return entry
        files = bundles.files_of(self._staging, path.name)
        size = sum((self._staging / name).stat().st_size for name in files)
        if precision == "float32":
            self._float32_bytes[format] = size
        kept = notes.get("kept_in_float")
        self._progress(
            f"  {format:12} {precision:12}  {_proof(entry['task']['parity'])}, {seconds:.0f} s"
            + (f"; kept in float32: {', '.join(kept)}" if kept else "")
        )
        if self._options[format].get("profile") == "interpreter":
            entry["profile"] = "interpreter"
        return {**entry, **notes, "files": files, "bytes": size}

    def _stop_at(self, entry):
        if entry["error"] == "DiskError":
            raise errors.DiskError(entry["refused"])
        if entry["error"] == "TimeError" and repeated_builds.files_at(entry["path"], self._before):
            raise errors.TimeError(
                f"{entry['refused']}. The bundle that is there has this artefact, so it stays as it is; leave the "
                "artefact out with --formats and --precision to replace it"
            )

    def _convert(self, format, precision, path):
        converting = {"run": str(self._run), "limits": self._task.limits, "format": format, "precision": precision}
        converting |= {"path": str(path), **self._options[format]}
        if _rounded(precision):
            others, proven = self._staging / _OTHERS, self._staging / "reference.json"
            converting |= {"task": asdict(self._task), "reference": str(others if others.is_file() else proven)}
            converting["float32_bytes"] = self._float32_bytes.get(format)
        module = "export.quantise" if _rounded(precision) else "export.convert"
        what = f"{format} {precision}: conversion"
        return children.call(module, converting, what=what, timeout=self._timeout)

    def _examine(self, format, precision, path):
        return verification.examine(
            path,
            format,
            precision,
            self._task.kind,
            self._task.limits,
            self._staging / "reference.json",
            self._staging / verification.CASES,
            self._timeout,
            self._options[format].get("profile", "portable"),
            score=_score(self._task, self._staging),
        )


def _score(task, staging):
    """A generator's score, as `export.verification.examine` takes it."""
    if task.kind != "generate":
        return None
    return {"name": task.score, "vocabulary": str(staging / "target.tokenizer.json")}


def _rounded(precision):
    return precision not in ("float32", "float16")


def _proof(parity):
    if "near_ties" not in parity:
        same = parity.get("same_tokens", parity.get("same_labels"))
        return f"the same as Keras on {same} of {parity['inputs']} inputs{_beam_proof(parity)}"
    error = parity.get("max_log_probability_error", parity.get("max_probability_error"))
    return (
        f"equal on {parity['inputs']} inputs ({parity['near_ties']} near ties, "
        f"{'log-' if 'max_log_probability_error' in parity else ''}probability within {error:.0e}){_beam_proof(parity)}"
    )


def _beam_proof(parity):
    beam = parity.get("beam")
    return f", beam search on {beam['same_tokens']} of {beam['inputs']}" if beam else ""


def _reasons(refused):
    return "\n".join(refused.values())


def _tell(progress, keras, manifest, entries, repeated):
    rows = [{"format": "keras", "precision": "float32", **keras}]
    rows += [{**entry, **entry.get("task", {})} for entry in entries]
    progress("\n" + table(rows) + "\n")
    for line in ship.lines(manifest["ship"]):
        progress(line)
    for line in repeated_builds.lines(repeated):
        progress(line)
