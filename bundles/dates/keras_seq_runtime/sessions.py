"""One artefact, loaded, to be called by signature: a TFLite file or a folder of ONNX files."""

from pathlib import Path

from .errors import MEND, BundleError, np, one_line, package


class LiteRTSession:
    """Calls a TFLite file.

    Args:
        path: str or path of the file.
        threads: int, or None for the package's own choice.
    """

    def __init__(self, path, threads=None):
        interpreter = package("ai_edge_litert.interpreter", "ai-edge-litert")
        try:
            self._interpreter = interpreter.Interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()  # an operator that this version lacks is found now
            self._runners = {
                name: self._interpreter.get_signature_runner(name) for name in self._interpreter.get_signature_list()
            }
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"LiteRT cannot read {path}: {one_line(error)}; {MEND}") from error

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
            raise BundleError(f"the TFLite file has no signature {signature}, it has {sorted(self._runners)}; {MEND}")
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
        self._onnxruntime = package("onnxruntime", "onnxruntime")
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
                raise BundleError(f"ONNX Runtime cannot read {path}: {one_line(error)}; {MEND}") from error
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
