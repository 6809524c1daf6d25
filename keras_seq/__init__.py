"""Sequence models in Keras 3: layers, models, data, training and decoding.

The modules below are imported when they are first asked for, so that the parts that need no Keras, such as
`keras_seq.data.dates`, work without it. Import `keras_seq.models` before `keras.saving.load_model`: it registers the
classes.
"""

import importlib

__version__ = "0.1.0"
__all__ = ["ctc", "data", "decoding", "layers", "models", "occlusion", "plots", "recipes", "testing", "training"]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module 'keras_seq' has no attribute {name!r}; it offers {', '.join(__all__)}")
    return importlib.import_module(f"keras_seq.{name}")
