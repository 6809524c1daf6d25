"""Code that loads a bundle's artefact in the languages of its users: ids, samples or pixels in, text or labels out.

What is called is a `Call`; how a language calls it is in the module of its name.
"""

from export.snippets import cpp, javascript, kotlin, python, swift
from export.snippets.call import Call

# The marks are about snippets of these forms on small bundles of every task, in tests/export/snippets/.
_TESTED = "**Run here**, by the exporter's tests"
_NOT_RUN = "**Not run here**, nor compiled; its names are those in"
_AS_FOR_IDS = f"{_NOT_RUN} the snippet for ids, which is run by the exporter's tests."
# Of each language: title, block, where it runs as in `export.ship`, its writer, and of each format the runtime and
# what was seen of the snippet.
_LANGUAGES = (
    (
        "Python",
        "python",
        "server",
        python.snippet,
        {
            "onnx": ("ONNX Runtime", f"{_TESTED}."),
            "tflite": ("LiteRT", f"{_TESTED}."),
            "saved_model": ("TensorFlow", f"{_TESTED}."),
        },
    ),
    (
        "Kotlin",
        "kotlin",
        "android_ios",
        kotlin.snippet,
        {
            "tflite": ("LiteRT on Android", f"{_NOT_RUN} the sources of LiteRT's `Interpreter`."),
            "onnx": (
                "ONNX Runtime on Android",
                f"{_NOT_RUN} the sources of ONNX Runtime's `OnnxTensor` and `OrtSession`.",
            ),
        },
    ),
    (
        "Swift",
        "swift",
        "android_ios",
        swift.snippet,
        {
            "tflite": ("TensorFlowLiteSwift on iOS", f"{_NOT_RUN} the sources of its `SignatureRunner`."),
            "onnx": ("ONNX Runtime on iOS", f"{_NOT_RUN} its headers `ort_session.h` and `ort_value.h`."),
        },
    ),
    (
        "JavaScript",
        "js",
        "browser",
        javascript.snippet,
        {
            "tflite": ("LiteRT.js", f"{_TESTED}: @litertjs/core 2.5.3 in Chromium 150."),
            "onnx": (
                "ONNX Runtime Web",
                f"{_TESTED}: onnxruntime-web 1.30.0 in Chromium 150; and in Node 20, with a `fetch` that reads files.",
            ),
        },
    ),
    (
        "C++",
        "cpp",
        "server",
        cpp.snippet,
        {
            "tflite": (
                "LiteRT",
                f"{_TESTED}: g++ 12, LiteRT's headers of August 2026, the `libLiteRt.so` of ai-edge-litert 2.3.0.",
            ),
            "onnx": ("ONNX Runtime", f"{_TESTED}: g++ 12, ONNX Runtime 1.31.1."),
        },
    ),
)


# Blocks of code that load a TFLite file in CompiledModel, which has no operator for the profile "interpreter".
_COMPILED = ("js", "cpp")


def chosen(manifest, place, formats, block=None):
    """The artefact that a place is to have: the one that the manifest advises, or the first of the first format.

    Args:
        manifest: dict.
        place: "android_ios", "server" or "browser".
        formats: iterable of str, those that will do, the preferred first.
        block: str, name of the language's blocks; what its code cannot load is passed over.

    Returns:
        dict, the manifest's entry; None where there is none.
    """
    advised = manifest.get("ship", {}).get(place, {}).get("path")
    loading = [one for one in manifest["artefacts"] if block not in _COMPILED or one.get("profile") != "interpreter"]
    candidates = [one for format in formats for one in loading if one["format"] == format]
    return next((one for one in candidates if one["path"] == advised), next(iter(candidates), None))


def snippets(manifest):
    """The snippets of a bundle.

    Args:
        manifest: dict.

    Yields:
        tuple of title, such as "Python, LiteRT"; what was seen of it; name of the block's language; code.
    """
    for title, block, place, write, formats in _LANGUAGES:
        artefacts = [chosen(manifest, place, formats, block)]
        if block == "js":  # a page may load either
            artefacts = [chosen(manifest, place, [format], block) for format in formats]
        for artefact in filter(None, artefacts):
            (runtime, seen), call = formats[artefact["format"]], Call.of(manifest, artefact)
            untested = block == "cpp" or (block == "js" and artefact["format"] == "tflite")
            seen = _AS_FOR_IDS if untested and call.task in ("audio", "caption") else seen
            yield f"{title}, {runtime}", seen, block, write(call)


def section(manifest):
    """The snippets as Markdown, each under a heading; and for which languages there is nothing.

    Args:
        manifest: dict.

    Returns:
        str.
    """
    parts = [f"### {title}\n\n{seen}\n\n```{block}\n{code}```\n" for title, seen, block, code in snippets(manifest)]
    missing = [title for title, block, place, _, formats in _LANGUAGES if not chosen(manifest, place, formats, block)]
    if missing:
        parts.append(f"For {', '.join(missing)} build the bundle with a TFLite or ONNX artefact too.\n")
    return "\n".join(parts)
