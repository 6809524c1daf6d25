"""Which runtimes load an artefact, and run it: each in a process of its own, since one that crashes is a finding."""

import math
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from export import cases, children, errors, numbers, runtime

_TIMEOUT = 120
# Name in the report -> the package that has it.
RUNTIMES = {
    "tflite": {"Interpreter": "ai-edge-litert", "CompiledModel": "ai-edge-litert"},
    "onnx": {"InferenceSession": "onnxruntime"},
    "saved_model": {"saved_model.load": "tensorflow"},
}


class CompiledSession:
    """Calls a TFLite file through LiteRT's CompiledModel, the successor of the Interpreter that LiteRT.js is built on.

    Args:
        path: str or path of the file.

    Raises:
        LoadError: if CompiledModel cannot load the file.
    """

    def __init__(self, path):
        from ai_edge_litert.compiled_model import CompiledModel

        try:
            self._model = CompiledModel.from_file(str(path))
        except (RuntimeError, ValueError) as error:
            raise errors.LoadError(f"CompiledModel cannot load {path}: {_one_line(error)}") from error
        self.signatures = {name: self._describe(name) for name in sorted(self._model.get_signature_list())}

    def _describe(self, signature):
        sides = {
            "inputs": self._model.get_input_tensor_details(signature),
            "outputs": self._model.get_output_tensor_details(signature),
        }
        return {
            side: {
                name: {
                    "shape": [int(size) if size >= 0 else None for size in details["shape"]],
                    "dtype": np.dtype(details["dtype"]).name,
                }
                for name, details in sorted(tensors.items())
            }
            for side, tensors in sides.items()
        }

    def call(self, signature, **arrays):
        """Runs one signature: arrays by name, of the signature's shapes and dtypes, to a dict of arrays."""
        entry = self.signatures[signature]
        inputs = {name: self._model.create_input_buffer_by_name(signature, name) for name in entry["inputs"]}
        outputs = {name: self._model.create_output_buffer_by_name(signature, name) for name in entry["outputs"]}
        for name, buffer in inputs.items():
            buffer.write(arrays[name])
        self._model.run_by_name(signature, inputs, outputs)
        return {
            name: buffer.read(math.prod(entry["outputs"][name]["shape"]), entry["outputs"][name]["dtype"]).reshape(
                entry["outputs"][name]["shape"]
            )
            for name, buffer in outputs.items()
        }


def load_everywhere(format, path, case_file, precision="float32", timeout=_TIMEOUT, seen_in=()):
    """Loads an artefact in every runtime of its format, and holds every signature against Keras.

    Args:
        format: "tflite", "onnx" or "saved_model".
        path: str or path of the artefact.
        case_file: path of a file of `export.cases`, whose numbers must come out.
        precision: str, of the artefact; see `export.numbers.compare`.
        timeout: float, seconds for each.
        seen_in: names of runtimes that it was seen to run in already.

    Returns:
        list of {"runtime": such as "ai-edge-litert 2.3.0 Interpreter", "loads": bool, "runs": bool, "reason": str or
        None}, one for each runtime.
    """
    lines = []
    for name, package in RUNTIMES[format].items():
        task = {"name": name, "path": str(Path(path).resolve()), "precision": precision}
        task["case_file"] = str(Path(case_file).resolve())
        if name in seen_in:
            said = {"loads": True, "runs": True, "reason": None}
            lines.append({"runtime": f"{package} {_version(package)} {name}", **said})
            continue
        try:
            said = children.call("export.runtimes", task, what=name, timeout=timeout)
        except errors.DiskError:  # says nothing of the runtime
            raise
        except errors.ExportError as error:
            said = {"loads": False, "runs": False, "reason": _one_line(error)}
        lines.append({"runtime": f"{package} {_version(package)} {name}", **said})
    return lines


def load(name, path, case_file, precision):
    """The child's work: one line of `load_everywhere`, without the runtime's name."""
    said = {"loads": False, "runs": False, "reason": None}
    try:
        session = _open(name, path)
    except (errors.ExportError, runtime.BundleError, ImportError, OSError) as error:
        return {**said, "reason": _one_line(error)}
    said["loads"] = True
    try:
        numbers.compare(session, cases.read(case_file), precision)
    except errors.ExportError as error:
        return {**said, "reason": _one_line(error)}
    return {**said, "runs": True}


def _open(name, path):
    if name == "saved_model.load":
        from export.saved_model import SavedModelSession

        return SavedModelSession(path)
    return {
        "Interpreter": runtime.LiteRTSession,
        "CompiledModel": CompiledSession,
        "InferenceSession": runtime.ONNXSession,
    }[name](path)


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _one_line(error):
    return " ".join(str(error).split())[:400]


if __name__ == "__main__":
    children.answer(load)
