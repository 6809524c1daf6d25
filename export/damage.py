"""Where 8 bits hurt: what each layer does to the answers when it alone is rounded."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from export import build_bundle, children, convert, verification
from export.bundle import remove
from export.judge import judge_of

_TIMEOUT = 600
_TEST_EXAMPLES = 200


def damage_by_layer(run, format="tflite", precision="dynamic_int8", timeout=_TIMEOUT):
    """Rounds each layer of a run's model alone, and measures how far the answers move.

    Args:
        run: path of a run directory.
        format: "tflite" or "onnx".
        precision: one that has 8 bits.
        timeout: float, seconds.

    Returns:
        dict of layer name -> damage, the mean error of the (log-)probabilities against Keras; "all" is of the artefact
        with all layers in 8 bits, "none" of the one with none.

    Raises:
        ExportError: if the model cannot have the precision.
        ValueError: if `run` is not a run directory.
    """
    task = build_bundle.task_of(run)
    with tempfile.TemporaryDirectory() as folder:
        asked = {"run": str(run), "task": asdict(task), "most": _TEST_EXAMPLES}
        asked["numbers"] = str(Path(folder, verification.CASES))
        reference, _ = children.call("export.reference", asked, what="the reference in Keras", timeout=timeout)
        path = Path(folder, "reference.json")
        path.write_text(json.dumps(reference), encoding="utf-8")
        work = {"run": str(run), "task": asdict(task), "format": format, "precision": precision}
        work |= {"reference": str(path), "folder": folder}
        return children.call("export.damage", work, what=f"{format} {precision}: damage by layer", timeout=timeout)


def measure(run, task, format, precision, reference, folder):
    """The child's work; see `damage_by_layer`."""
    from export.quantise import maker_of

    limits = task["limits"]
    maker = maker_of(convert.load_model(run), run, task, limits, format, precision, Path(folder))
    judge = judge_of(task["kind"], format, limits, json.loads(Path(reference).read_text(encoding="utf-8")))
    names = list(maker.layers())

    def damage(keep):
        artefact = maker.make(keep)
        try:
            return judge(artefact)[1]
        finally:
            remove(artefact)

    found = {name: damage([other for other in names if other != name]) for name in names}
    return {**found, "all": damage(()), "none": damage(names)}


if __name__ == "__main__":
    children.answer(measure)
