"""Proves a bundle again: checksums, then every artefact's structure, numbers, task and runtimes."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from export import bundle as bundles
from export import children, errors, report, runtime, verification
from export.examples import Task
from export.generator_scores import DEFAULT, SCORES

_TIMEOUT = 600
_TEST_EXAMPLES = 1000


def verify(bundle, run=None, timeout=_TIMEOUT, progress=print):
    """Checks what a bundle claims, and writes `verification.json` and `verification.md` into it.

    Args:
        bundle: path of the bundle.
        run: path of the run directory that it was built from; Keras then answers the run's whole test set anew. None
            takes Keras's answers to the bundle's own samples, which needs neither Keras nor the run; an artefact of
            less precision then has to score on them what it scored when it was built.
        timeout: float, seconds that one proof may take.
        progress: called with a line of text for each check.

    Returns:
        dict of artefact path -> what `export.verification.examine` says of it.

    Raises:
        BundleError: if the manifest or a file is missing or damaged.
        ExportError: if an artefact differs from Keras: the first input and step. The report is written before.
    """
    bundle = Path(bundle)
    manifest = bundles.verify_checksums(bundle)
    progress(f"{bundle}: {len(manifest['files'])} files, checksums right")
    _check_score(manifest)
    with tempfile.TemporaryDirectory() as folder:
        answers, cases = Path(folder, "reference.json"), Path(folder, "cases.npz")
        if run is None:
            cases = bundle / verification.CASES
        answers.write_text(json.dumps(_reference(bundle, run, manifest, cases, timeout)), encoding="utf-8")
        entries = []
        for artefact in manifest["artefacts"]:
            progress(f"  {artefact['path']}: ...")
            own = artefact.get("samples") if run is None else None
            entries.append(_examined(bundle, manifest, artefact, answers, cases, timeout, own))
            progress("\n".join(f"  {line}" for line in report.lines(entries[-1])))
    try:
        verification.write_report(bundle, manifest["name"], entries)
    except OSError as error:
        progress(f"the report is not written: {error}")
    failures = [entry["refused"] for entry in entries if entry["refused"]]
    if failures:
        kind = next(getattr(errors, entry["error"]) for entry in entries if entry["refused"])
        raise kind("\n".join(failures))
    return {entry["path"]: entry for entry in entries}


def _examined(bundle, manifest, artefact, answers, cases, timeout, own):
    entry = verification.examine(
        bundle / artefact["path"],
        artefact["format"],
        artefact["precision"],
        manifest["task"],
        manifest.get("limits", {}),
        answers,
        cases,
        timeout,
        artefact.get("profile", "portable"),
        own,
        _score(bundle, manifest),
    )
    if not entry["refused"] and artefact["signatures"] != entry["signatures"]:
        reason = f"{artefact['path']}: its signatures are not those of the manifest; build the bundle again"
        entry |= {"refused": reason, "error": "StructureError"}
    return entry


def _check_score(manifest):
    name = manifest.get("score", DEFAULT)  # bundles of before there was a choice have none
    if name not in tuple(SCORES):
        raise runtime.BundleError(
            f"manifest.json has score {name!r}, this exporter knows {', '.join(SCORES)}; build the bundle again"
        )


def _score(bundle, manifest):
    if manifest["task"] != "generate":
        return None
    vocabulary = str(bundle / manifest["vocabularies"]["target"])
    return {"name": manifest.get("score", DEFAULT), "vocabulary": vocabulary}


def _reference(bundle, run, manifest, cases, timeout):
    if run is not None:
        task = Task(
            manifest["name"],
            manifest["task"],
            manifest.get("limits", {}),
            manifest.get("picture"),
            "sentence_labels" in manifest,
            manifest.get("score", DEFAULT),
            manifest.get("audio"),
        )
        asked = {"run": str(run), "task": asdict(task), "most": _TEST_EXAMPLES, "beams": manifest.get("beams")}
        asked["numbers"] = str(cases)
        return children.call("export.reference", asked, what="the reference in Keras", timeout=timeout)[0]
    return samples_of(bundle)


def samples_of(bundle):
    """The bundle's samples, as a dict of lists.

    Raises:
        BundleError: if they cannot be read.
    """
    try:
        samples = json.loads((Path(bundle) / "samples.json").read_text(encoding="utf-8"))
        return {name: [sample[name] for sample in samples] for name in samples[0]}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise runtime.BundleError(
            f"{bundle}/samples.json cannot be read ({error!r}); build the bundle again, or name its run with --run"
        ) from None
