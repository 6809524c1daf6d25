"""Which artefact of a bundle goes where: to a phone, a server, a web page."""

_PLACES = {
    "android_ios": "Android and iOS",
    "server": "a server",
    "browser": "a browser",
}
# In the order of preference where they score alike.
_FORMATS = {
    "android_ios": ("tflite", "onnx"),
    "server": ("onnx", "saved_model", "tflite"),
    "browser": ("tflite", "onnx"),
}
_WITH = {
    ("android_ios", "tflite"): "LiteRT",
    ("android_ios", "onnx"): "ONNX Runtime Mobile",
    ("server", "onnx"): "ONNX Runtime",
    ("server", "saved_model"): "TensorFlow Serving",
    ("server", "tflite"): "LiteRT",
    ("browser", "tflite"): "LiteRT.js",
    ("browser", "onnx"): "ONNX Runtime Web",
}
# LSTMs as one operator each, which LiteRT's newer runtimes do not load, LiteRT.js among them.
_INTERPRETER = "interpreter"
# A download should be small; a server's disk costs nothing, so there the most exact precision is taken that is not much
# slower than the fastest.
_SMALL = ("android_ios", "browser")
_EXACT_FIRST = ("float32", "float16", "int16x8", "int8", "dynamic_int8")
_MUCH_SLOWER = 1.25


def advice(artefacts):
    """Chooses for each place among the artefacts that passed their proof.

    Phones and browsers get the smallest file of the first format there is, servers the most exact of those that are
    about as fast as the fastest; every one that passed is within half a point of Keras.

    Args:
        artefacts: list of dicts of `path`, `format`, `precision`, `bytes` and `latency_ms`, and of a TFLite file that
            LiteRT's Interpreter alone loads `profile`, "interpreter".

    Returns:
        dict of "android_ios", "server", "browser" -> dict of `path`, `runtime` and `why`; a place that nothing suits is
        left out.
    """
    found = {}
    for place, formats in _FORMATS.items():
        loading = [one for one in artefacts if place != "browser" or one.get("profile") != _INTERPRETER]
        format = next((one for one in formats if any(artefact["format"] == one for artefact in loading)), None)
        if format is None:
            continue
        candidates = [artefact for artefact in loading if artefact["format"] == format]
        best = (_smallest if place in _SMALL else _exact_and_fast)(candidates)
        size = f"{best['bytes'] / 1e6:.2f} MB, {best['latency_ms']:.2f} ms an input where it was built"
        reason = "the smallest" if place in _SMALL else "the most exact of the fast"
        why = f"{reason} of {len(candidates)} {format}: {size}" if len(candidates) > 1 else size
        runtime = "LiteRT's Interpreter" if best.get("profile") == _INTERPRETER else _WITH[place, format]
        found[place] = {"path": best["path"], "runtime": runtime, "why": why}
    return found


def _smallest(candidates):
    return min(candidates, key=lambda artefact: artefact["bytes"])


def _exact_and_fast(candidates):
    limit = _MUCH_SLOWER * min(artefact["latency_ms"] for artefact in candidates)
    fast = [artefact for artefact in candidates if artefact["latency_ms"] <= limit]
    return min(fast, key=lambda artefact: _EXACT_FIRST.index(artefact["precision"]))


def lines(chosen):
    """The advice in words.

    Args:
        chosen: what `advice` returned.

    Yields:
        str, a line for each place.
    """
    for place, entry in chosen.items():
        yield f"for {_PLACES[place]}: `{entry['path']}`, with {entry['runtime']} ({entry['why']})"
