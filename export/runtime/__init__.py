"""Runs a bundle with numpy, tokenizers and one of ai-edge-litert and onnxruntime.

    pip install numpy tokenizers ai-edge-litert      (or onnxruntime)
    python run.py "samedi 9 mai 1998"                one text, or several
    python run.py < texts.txt                        one line out for each line in, in order
    python run.py seven.wav                          where the bundle reads audio; picture.png where it reads pictures

    import run
    bundle = run.load(".")
    bundle.generate(["samedi 9 mai 1998"])           a list with one Result: output "1998-05-09", its confidence, ...
    bundle.generate(["seven.wav", (array, 16000)])   of audio, files or arrays with their rates; of pictures the like
    bundle.classify([...])  bundle.tag([...])        where the bundle's task is that
    bundle.stream("samedi 9 mai 1998")               pieces of the output, each as soon as it is decided

This package stands alone: a bundle carries a copy of it as `keras_seq_runtime`. A file of the bundle is used only if
it is the one that the manifest describes, to the byte, and nothing outside the bundle's folder is read.
"""

from .audio import pad_samples, read_audio, read_wav, resample
from .bundle import BATCH, Bundle, Result, TextBundle
from .command import add_arguments, main, run_command, serve
from .errors import BundleError, InputError, InputWarning
from .generator import AudioGenerator, Generator, PictureGenerator, Piece, Writer, confidence
from .labels import Classified, PictureClassifier, Tagged, Tagger, TextClassifier
from .loading import load
from .manifest import SCHEMA_VERSION, check_file, read_manifest
from .pictures import read_picture
from .sessions import LiteRTSession, ONNXSession
from .text import END, PAD, START, UNKNOWN, pad, pad_characters

__all__ = [
    "BATCH",
    "END",
    "PAD",
    "SCHEMA_VERSION",
    "START",
    "UNKNOWN",
    "AudioGenerator",
    "Bundle",
    "BundleError",
    "Classified",
    "Generator",
    "InputError",
    "InputWarning",
    "LiteRTSession",
    "ONNXSession",
    "PictureClassifier",
    "PictureGenerator",
    "Piece",
    "Result",
    "Tagged",
    "Tagger",
    "TextBundle",
    "TextClassifier",
    "Writer",
    "add_arguments",
    "check_file",
    "confidence",
    "load",
    "main",
    "pad",
    "pad_characters",
    "pad_samples",
    "read_audio",
    "read_manifest",
    "read_picture",
    "read_wav",
    "resample",
    "run_command",
    "serve",
]
