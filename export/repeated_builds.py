"""A run exported again: which artefacts came out as in the bundle that is replaced, to the byte, and which not."""

from export import bundle as bundles
from export import runtime


def checksums(bundle):
    """Checksums of what an older bundle holds.

    Args:
        bundle: path of where it would be.

    Returns:
        dict of file name -> SHA-256; {} where there is none.
    """
    try:
        return {name: entry["sha256"] for name, entry in runtime.read_manifest(bundle)["files"].items()}
    except runtime.BundleError:
        return {}


def files_at(path, before):
    """The files of an artefact in an older bundle, list of names; see `checksums`."""
    return [name for name in before if name == path or name.startswith(f"{path}/")]


def compare(folder, manifest, before):
    """Holds the artefacts of a new bundle against those of the older one.

    Args:
        folder: path of the new bundle.
        manifest: dict, the new bundle's.
        before: dict that `checksums` returned.

    Returns:
        dict of `same_bytes_as_before`, list of artefacts; `other_bytes_than_before`, dict of artefact -> the files that
        changed, came or went; `new_since_before` and `gone_since_before`, lists of artefacts. {} without an older one.
    """
    if not before:
        return {}
    report = {"same_bytes_as_before": [], "other_bytes_than_before": {}, "new_since_before": []}
    now = {artefact["path"]: artefact["files"] for artefact in manifest["artefacts"]}
    for path, files in now.items():
        older = files_at(path, before)
        changed = [name for name in files if before.get(name) != bundles.sha256_of(folder / name)]
        changed += [name for name in older if name not in files]
        if not older:
            report["new_since_before"].append(path)
        elif changed:
            report["other_bytes_than_before"][path] = changed
        else:
            report["same_bytes_as_before"].append(path)
    artefacts = (name.split("/")[0] for name in before if _is_artefact(name))
    report["gone_since_before"] = [path for path in dict.fromkeys(artefacts) if path not in now]
    return report


def _is_artefact(name):
    return name.endswith(".tflite") or name.startswith(("saved_model/", "onnx."))


def lines(report):
    """What `compare` found, in words.

    Yields:
        str, a line an artefact.
    """
    for path in report.get("same_bytes_as_before", ()):
        yield f"{path}: the same bytes as in the bundle before"
    for path, names in report.get("other_bytes_than_before", {}).items():
        yield f"{path}: other bytes than in the bundle before, in {', '.join(names)}"
    for path in report.get("new_since_before", ()):
        yield f"{path}: was not in the bundle before"
    for path in report.get("gone_since_before", ()):
        yield f"{path}: was in the bundle before and is not in this one"
