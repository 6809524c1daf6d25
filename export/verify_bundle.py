"""Proves a bundle again: checksums, then every artefact against Keras's answers, in a process each."""

import json
import tempfile
from pathlib import Path

from export import bundle as bundles
from export import children, errors, runtime

_TIMEOUT = 600
_TEST_EXAMPLES = 1000


def verify(bundle, run=None, timeout=_TIMEOUT, progress=print):
    """Checks what a bundle claims.

    Args:
        bundle: path of the bundle.
        run: path of the run directory that it was built from; Keras then answers the run's whole test set anew. None
            takes Keras's answers to the bundle's own samples, which needs neither Keras nor the run.
        timeout: float, seconds that one proof may take.
        progress: called with a line of text for each check.

    Returns:
        dict of artefact path -> report.

    Raises:
        BundleError: if the manifest or a file is missing or damaged.
        ExportError: if an artefact differs from Keras: the first input and step.
    """
    bundle = Path(bundle)
    manifest = runtime.read_manifest(bundle)
    bundles.verify_checksums(bundle)
    progress(f"{bundle}: {len(manifest['files'])} files, checksums right")
    reference = _reference(bundle, run, manifest["limits"], manifest.get("beams"), timeout)
    reports, failures = {}, []
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder, "reference.json")
        answers.write_text(json.dumps(reference), encoding="utf-8")
        for artefact in manifest["artefacts"]:
            name = artefact["path"]
            chosen = {key: artefact[key] for key in ("format", "precision")}
            task = {**chosen, "path": str(bundle / name), "limits": manifest["limits"]}
            try:
                report = children.call(
                    "export.prove", {**task, "reference": str(answers)}, what=f"{name}: proof", timeout=timeout
                )
                _compare_signatures(name, artefact["signatures"], report["signatures"])
            except errors.ExportError as error:
                failures.append(str(error))
                progress(f"  {name}: NOT EQUAL: {error}")
                continue
            reports[name] = report
            progress(f"  {name}: {_told(report)}")
    if failures:
        raise errors.ExportError("\n".join(failures))
    return reports


def _told(report):
    parity = report["parity"]
    if "same_tokens" in parity:
        score = 100 * report["score"]["exact_match"]
        return f"{score:.1f} % right, the same tokens as Keras on {parity['same_tokens']} of {parity['inputs']} inputs"
    return (
        f"equal on {parity['inputs']} inputs, twice, and {parity['stepwise']['inputs']} step by step "
        f"({parity['near_ties']} near ties, log-probability within {parity['max_log_probability_error']:.1e})"
    )


def _reference(bundle, run, limits, beams, timeout):
    if run is not None:
        task = {"run": str(run), "limits": limits, "most": _TEST_EXAMPLES, "beams": beams}
        return children.call("export.reference", task, what="the reference in Keras", timeout=timeout)[0]
    try:
        samples = json.loads((bundle / "samples.json").read_text(encoding="utf-8"))
        return {name: [sample[name] for sample in samples] for name in samples[0]}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise runtime.BundleError(
            f"{bundle}/samples.json cannot be read ({error!r}); build the bundle again, or name its run with --run"
        ) from None


def _compare_signatures(name, claimed, seen):
    if claimed != seen:
        raise errors.StructureError(f"{name}: its signatures are not those of the manifest; build the bundle again")
