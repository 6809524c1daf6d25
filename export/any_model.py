"""Anybody's Keras model to one artefact: `to_tflite`, `to_onnx`, `to_saved_model`.

Traced here, with recurrent layers replaced (`export.recurrent`), so that layers of one's own need not be importable
elsewhere; converted, and then run beside Keras's answers, in a process each. What does not agree is not written.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from export import children
from export.bundle import disk_error, files_of, remove
from export.layer_names import names_of
from export.recurrent import recurrent_by
from export.recurrent_onnx import onnx_operator
from export.samples import checked_samples, input_names, output_names, plain, random_samples, write_samples
from export.traced import SIGNATURE

_TIMEOUT = 600
# Precisions whose ranges are measured on inputs.
_CALIBRATED = ("int8", "int16x8")


@dataclass(frozen=True)
class Exported:
    """One artefact.

    Attributes:
        path: `pathlib.Path` of the file or folder.
        bytes: int, its size.
        inputs, outputs: dict of name -> {"shape", "dtype"}, in the order of the model.
        max_error: float, the largest difference from Keras on the samples.
        loops: dict of layer name -> why that recurrent layer stayed Keras's loop.
        kept: tuple of names of the layers that stay in float32 in an artefact of 8 bits, which would be too far from
            Keras otherwise.
    """

    path: Path
    bytes: int
    inputs: dict
    outputs: dict
    max_error: float
    loops: dict
    kept: tuple = ()


def to_saved_model(model, path, samples=None, padding="any", timeout=_TIMEOUT):
    """Writes a SavedModel: float32, dynamic batch and lengths, no cuDNN operators.

    Args:
        model: `keras.Model`, functional or Sequential; it is left as it is.
        path: str or path of the folder to write. One that is there is replaced.
        samples: see `to_tflite`.
        padding: see `to_tflite`.
        timeout: float, seconds that conversion and proof may take, each.

    Returns:
        `Exported`.

    Raises:
        ExportError: if the model cannot be converted, or the artefact differs from Keras.
    """
    return _export(model, path, "saved_model", None, samples, padding=padding, timeout=timeout)


def to_tflite(
    model, path, precision="float32", batch=1, length=None, profile="portable", samples=None, padding="any",
    timeout=_TIMEOUT,
):  # fmt: skip
    """Writes a TFLite file of builtin operators.

    Args:
        model: `keras.Model`, functional or Sequential; it is left as it is.
        path: str or path of the file to write. One that is there is replaced.
        precision: "float32", "float16", "dynamic_int8", "int8" or "int16x8".
        batch: int, TFLite's batch is fixed.
        length: int, the length of every dimension that the model leaves open; needed if there is one.
        profile: "portable": loads in every LiteRT runtime. "interpreter": LSTMs become the fused operator that the
            Interpreter alone has.
        samples: list of arrays, one for each input, `(examples, ...)`: real data that the artefact is proven on, and
            that "int8" and "int16x8" are calibrated on, which need them. None makes random ones.
        padding: "any": whatever the masks. "right": sequences are padded on the right alone, which is faster.
        timeout: float, seconds that conversion and proof may take, each.

    Returns:
        `Exported`.

    Raises:
        ValueError: if an argument is not known, or `length` or the samples to calibrate on are missing.
        ExportError: if the model cannot be converted, the artefact differs from Keras, or it cannot be written.

    Example:
        export.to_tflite(model, "model.tflite", length=64)
    """
    from export.precision_tflite import kernel_for

    _check_functional(model)
    open_axes = [tensor.name for tensor in model.inputs if None in tensor.shape[1:]]
    if open_axes and length is None:
        raise ValueError(f"the length of {', '.join(open_axes)} is open and TFLite's is fixed; give length=...")
    kernel = kernel_for(precision, profile)
    return _export(
        model, path, "tflite", kernel, samples, precision=precision, batch=batch, length=length, padding=padding,
        timeout=timeout,
    )  # fmt: skip


def to_onnx(model, path, precision="float32", samples=None, padding="any", timeout=_TIMEOUT):
    """Writes an ONNX file: one operator a recurrent layer, dynamic batch and lengths.

    Args:
        model: `keras.Model`, functional or Sequential; it is left as it is.
        path: str or path of the file to write, which ends in .onnx. One that is there is replaced.
        precision: "float32", "float16", "dynamic_int8" or "int8".
        samples: see `to_tflite`.
        padding: see `to_tflite`.
        timeout: float, seconds that conversion and proof may take, each.

    Returns:
        `Exported`.

    Raises:
        ValueError: if an argument is not known, the samples to calibrate on are missing, or the path ends otherwise.
        ExportError: if the model cannot be converted, the artefact differs from Keras, or it cannot be written.
    """
    from export.precision_onnx import PRECISIONS

    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} is not known; choose from {', '.join(PRECISIONS)}")
    if Path(path).suffix != ".onnx":
        raise ValueError(
            f"{path} does not end in .onnx, by which tools know such a file; name it {Path(path).name}.onnx"
        )
    return _export(model, path, "onnx", onnx_operator, samples, precision=precision, padding=padding, timeout=timeout)


def _export(
    model, path, format, kernel, samples, precision="float32", batch=None, length=None, padding="any", timeout=_TIMEOUT
):
    path = Path(path).resolve()
    what = f"{path.name}: {format} {precision}"
    _check_model(model, path)
    if precision in _CALIBRATED and samples is None:
        raise ValueError(
            f"precision={precision!r} measures ranges on real inputs, and random ones would set wrong ones; give "
            f"samples=[...], an array (examples, ...) for each of {', '.join(input_names(model))}, such as 100 "
            "examples of what it was trained on; or take precision='dynamic_int8', which needs none"
        )
    samples = checked_samples(model, samples) if samples is not None else random_samples(model, length)
    tracing = {"kernel": kernel, "batch": batch, "length": length, "padding": padding}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.unfinished-") as folder:
            traced, data, made = (Path(folder, name) for name in ("traced", "samples.npz", path.name))
            loops = trace(model, folder=traced, **tracing)
            answers = [model(_packed(model, sample), training=False) for sample in samples]
            write_samples(data, model, samples, answers)
            task = {"format": format, "precision": precision, "path": str(made), "samples": str(data)}
            converting = {"step": "convert", "traced": str(traced), "batch": batch, "names": names_of(model.variables)}
            kept = children.call("export.traced", converting | task, what=f"{what}: conversion", timeout=timeout)
            report = children.call("export.traced", {"step": "prove", **task}, what=f"{what}: proof", timeout=timeout)
            remove(path)
            os.replace(made, path)
        size = sum(Path(path.parent, name).stat().st_size for name in files_of(path.parent, path.name))
    except OSError as error:
        raise disk_error(error, "choose another path") from error
    return Exported(path, size, loops=loops, kept=tuple(kept), **report)


def trace(model, kernel, folder, batch=None, length=None, padding="any"):
    """Writes a model as a SavedModel with one signature, its recurrent layers computed by a kernel.

    Args:
        model: functional `keras.Model`.
        kernel: see `export.recurrent`; None keeps Keras's loops, without cuDNN.
        folder: path of the SavedModel to write.
        batch: int, or None to leave it dynamic.
        length: int for the dimensions that the model leaves open, or None to leave them dynamic.
        padding: "any" or "right".

    Returns:
        dict of layer name -> why that recurrent layer stayed Keras's loop.
    """
    specs = [
        tf.TensorSpec(
            (batch, *(length if size is None else size for size in tensor.shape[1:])), plain(tensor.dtype), name=name
        )
        for name, tensor in zip(input_names(model), model.inputs, strict=True)
    ]
    names = output_names(model)

    def call(*tensors):
        outputs = keras.tree.flatten(model(_packed(model, tensors), training=False))
        return {name: tf.cast(output, plain(output.dtype)) for name, output in zip(names, outputs, strict=True)}

    with recurrent_by(kernel, model, padding) as loops:
        function = tf.function(call, autograph=False).get_concrete_function(*specs)
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    module.function = function
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: function})
    return loops


def _check_functional(model):
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError(
            f"{model!r} is not a functional or Sequential model with known inputs; build it with keras.Model(inputs, "
            "outputs), or call it once on keras.Input"
        )


def _check_model(model, path):
    _check_functional(model)
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and isinstance(layer, keras.layers.RNN):
            raise ValueError(
                f"the layer {layer.name!r} is stateful: it keeps its state inside the model, which no artefact does; "
                "make the state an input (initial_state) and an output (return_state=True)"
            )
    if path.exists() and path.is_dir() and not (path / "saved_model.pb").is_file():
        raise ValueError(f"{path} is a folder that is no SavedModel, so it is not replaced; choose another path")


def _packed(model, tensors):
    """The inputs in the structure that the model was built with."""
    inner = getattr(model, "_functional", None) or model
    return keras.tree.pack_sequence_as(inner._inputs_struct, list(tensors))
