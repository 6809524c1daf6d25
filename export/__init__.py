"""From a trained run to a bundle that ships: SavedModel, TFLite and ONNX, proven equal to Keras.

    python -m export build RUN        makes the bundle
    python -m export run BUNDLE TEXT  uses it, without TensorFlow
    python -m export verify BUNDLE    proves it again

The names below are imported when they are first asked for, so that `export.runtime` works where neither
TensorFlow nor Keras is installed.
"""

_HOMES = {
    "BundleError": "export.runtime",
    "ExportError": "export.errors",
    "Exported": "export.any_model",
    "benchmark": "export.benchmark_bundle",
    "build": "export.build_bundle",
    "load": "export.runtime",
    "to_onnx": "export.any_model",
    "to_saved_model": "export.any_model",
    "to_tflite": "export.any_model",
    "verify": "export.verify_bundle",
}

__all__ = [
    "BundleError",
    "ExportError",
    "Exported",
    "benchmark",
    "build",
    "load",
    "to_onnx",
    "to_saved_model",
    "to_tflite",
    "verify",
]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'export' has no attribute {name!r}; it offers {', '.join(__all__)}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
