"""Runs a bundle with numpy, tokenizers and one of ai-edge-litert and onnxruntime.

    pip install numpy tokenizers ai-edge-litert      (or onnxruntime)
    python run.py "samedi 9 mai 1998"                one text, or several
    python run.py < texts.txt                        one line out for each line in, in order

    import run
    bundle = run.load(".")
    bundle.generate(["samedi 9 mai 1998"])           a list with one Result: output "1998-05-09", its confidence, ...
    bundle.classify([...])  bundle.tag([...])        where the bundle's task is that
    bundle.stream("samedi 9 mai 1998")               pieces of the output, each as soon as it is decided

This package stands alone: a bundle carries a copy of it as `keras_seq_runtime`. A file of the bundle is used only if
it is the one that the manifest describes, to the byte, and nothing outside the bundle's folder is read.
"""

from .bundle import BATCH, Bundle, Result, TextBundle
from .command import add_arguments, main, run_command, serve
from .errors import BundleError, InputError
from .generator import Generator, Piece, confidence
from .labels import Classified, PictureClassifier, Tagged, Tagger, TextClassifier
from .loading import load
from .manifest import SCHEMA_VERSION, check_file, read_manifest
from .sessions import LiteRTSession, ONNXSession
from .text import END, PAD, START, UNKNOWN, pad, pad_characters

__all__ = [
    "BATCH",
    "END",
    "PAD",
    "SCHEMA_VERSION",
    "START",
    "UNKNOWN",
    "Bundle",
    "BundleError",
    "Classified",
    "Generator",
    "InputError",
    "LiteRTSession",
    "ONNXSession",
    "PictureClassifier",
    "Piece",
    "Result",
    "Tagged",
    "Tagger",
    "TextBundle",
    "TextClassifier",
    "add_arguments",
    "check_file",
    "confidence",
    "load",
    "main",
    "pad",
    "pad_characters",
    "read_manifest",
    "run_command",
    "serve",
]
