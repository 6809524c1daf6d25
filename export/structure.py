"""What an artefact is made of, and whether it may be: operators, tensors, signatures and sizes, before anything runs.

`inspect` reads the files alone. `check` refuses what would fail on somebody's device: operators that its runtime lacks,
tensors that a page in the browser cannot feed, weights that are stored once a signature.
"""

import importlib

from export import errors

FORMATS = ("tflite", "onnx", "saved_model")
PROFILES = ("portable", "interpreter")
# Of ONNX Runtime's own operators, those that its quantisation brings.
QUANTISED_OPERATORS = frozenset(
    f"com.microsoft.{name}"
    for name in (
        "DequantizeLinear",
        "DynamicQuantizeLSTM",
        "DynamicQuantizeMatMul",
        "GatherBlockQuantized",
        "MatMulInteger16",
        "MatMulIntegerToFloat",
        "MatMulNBits",
        "QGemm",
        "QLinearAdd",
        "QLinearAveragePool",
        "QLinearConcat",
        "QLinearGlobalAveragePool",
        "QLinearLeakyRelu",
        "QLinearMul",
        "QLinearSigmoid",
        "QLinearSoftmax",
        "QLinearWhere",
        "QuantizeLinear",
    )
)
_FOREIGN_TYPES = ("resource", "variant", "string")
_BORDER = ("int32", "float32")
# Share of the weights that may be there twice: constants that happen to be equal, such as zeros.
_REPEATED_SHARE = 0.05
_LOOPS = "replace the layer by one that computes the same in keras.ops, or convert with export.recurrent's kernels"


def inspect(format, path):
    """Reads what an artefact is made of.

    Args:
        format: "tflite", "onnx" or "saved_model".
        path: str or path of the file or folder.

    Returns:
        dict that JSON can hold:
            bytes: int, on disk.
            operators: dict of name -> count, those of inner graphs and functions too; ONNX's domains before the name.
            foreign_operators: list of those that the format itself does not have.
            tensor_types: dict of dtype -> count.
            variable_tensors: int, tensors that keep their value from call to call (TFLite).
            signatures: dict of name -> {"inputs": {name: {"shape", "dtype"}}, "outputs": ...}; None is a dynamic size.
            aliased_outputs: list of str, outputs that are the same tensor as an input or another output (TFLite).
            weight_bytes: int, of the constants.
            repeated_weight_bytes: int, of those from 1 KB that are there already, as they are or transposed.

    Raises:
        StructureError: if a file is missing, cut off or damaged.
        ValueError: if the format is not known.
    """
    _check_known("format", format, FORMATS)
    return importlib.import_module(f"export.inspect_{format}").inspect(path)


def check(report, format, profile="portable"):
    """Refuses an artefact for what it is made of.

    Args:
        report: dict, what `inspect` returned.
        format: "tflite", "onnx" or "saved_model".
        profile: "portable", or "interpreter", which may have variable tensors (TFLite).

    Raises:
        StructureError: naming what came, what is wanted and how to mend it.
        ValueError: if the format or profile is not known.
    """
    _check_known("format", format, FORMATS)
    _check_known("profile", profile, PROFILES)
    _check_operators(report, format)
    if format == "tflite":
        _check_tensors(report, profile)
    _check_border(report)
    _check_weights(report)


def _check_known(what, given, known):
    if given not in known:
        raise ValueError(f"{what} {given!r} is not known; choose from {', '.join(known)}")


def _check_operators(report, format):
    foreign = [name for name in report["foreign_operators"] if name not in QUANTISED_OPERATORS]
    if not foreign:
        return
    named = ", ".join(f"{name} ({report['operators'].get(name, 1)})" for name in foreign)
    wanted, mend = {
        "tflite": ("builtin operators alone: no pip, mobile or web runtime has Flex or custom ones", _LOOPS),
        "onnx": ("operators of ONNX itself, or those of ONNX Runtime's quantisation", _LOOPS),
        "saved_model": (
            "operators that run on any machine: no cuDNN, no Python",
            "export with export.recurrent.recurrent_by, which keeps Keras from cuDNN, or set use_cudnn=False in each "
            "recurrent layer, also inside Bidirectional",
        ),
    }[format]
    raise errors.StructureError(f"the artefact holds {named}; wanted {wanted}; {mend}")


def _check_tensors(report, profile):
    foreign = [f"{report['tensor_types'][name]} {name}" for name in _FOREIGN_TYPES if name in report["tensor_types"]]
    if foreign:
        raise errors.StructureError(
            f"the artefact has {' and '.join(foreign)} tensors; wanted numbers: no list, table or string; {_LOOPS}"
        )
    if report["variable_tensors"] and profile == "portable":
        raise errors.StructureError(
            f"the artefact has {report['variable_tensors']} variable tensors, which keep their value from call to "
            "call; wanted none in the profile 'portable', since CompiledModel and LiteRT.js do not load them; "
            "convert with the kernel portable_loop, or ship it for the Interpreter alone with profile='interpreter'"
        )
    if report["aliased_outputs"] and profile == "portable":
        raise errors.StructureError(
            f"{'; '.join(report['aliased_outputs'])}; wanted a tensor for each, since CompiledModel loses one of them; "
            "compute something that the converter cannot take out, a different one for each, such as "
            "maximum(length, 0) or where(length > -1, zeros, 1)"
        )


def _check_border(report):
    if not report["signatures"]:
        raise errors.StructureError("the artefact has no signature; wanted one or more; export it with signatures")
    for signature, sides in report["signatures"].items():
        for side, tensors in sides.items():
            for name, entry in tensors.items():
                if entry["dtype"] not in _BORDER:
                    raise errors.StructureError(
                        f"{signature}: {name}, one of the {side}, is {entry['dtype']}; wanted int32 or float32, which "
                        "every runtime can feed; cast it at the border of the traced function"
                    )


def _check_weights(report):
    repeated, total = report["repeated_weight_bytes"], report["weight_bytes"]
    if repeated > _REPEATED_SHARE * total:
        raise errors.StructureError(
            f"{repeated} of {total} bytes of weights are stored already; wanted each once, shared by the signatures; "
            "convert all signatures in one go (TFLite), or with export.onnx.SharedWeights (ONNX)"
        )
