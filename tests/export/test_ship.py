"""Which artefact goes where."""

from export import ship


def artefact(format, precision, size, latency):
    return {
        "path": f"{format}.{precision}", "format": format, "precision": precision, "bytes": size, "latency_ms": latency,
    }  # fmt: skip


def test_phones_and_browsers_get_the_smallest_and_servers_the_most_exact_of_the_fast():
    chosen = ship.advice(
        [
            artefact("tflite", "float32", 400, 1.0),
            artefact("tflite", "dynamic_int8", 100, 1.5),
            artefact("onnx", "float32", 410, 1.2),
            artefact("onnx", "dynamic_int8", 110, 1.0),
        ]
    )
    paths = {place: entry["path"] for place, entry in chosen.items()}
    assert paths == {
        "android_ios": "tflite.dynamic_int8", "browser": "tflite.dynamic_int8", "server": "onnx.float32",
    }  # fmt: skip
    assert "for a server: `onnx.float32`, with ONNX Runtime" in "\n".join(ship.lines(chosen))


def test_a_server_gets_8_bits_where_they_are_much_faster():
    chosen = ship.advice([artefact("onnx", "float32", 410, 1.3), artefact("onnx", "dynamic_int8", 110, 1.0)])
    assert chosen["server"]["path"] == "onnx.dynamic_int8" and chosen["android_ios"]["runtime"] == "ONNX Runtime Mobile"


def test_a_saved_model_alone_goes_to_servers_only():
    assert set(ship.advice([artefact("saved_model", "float32", 500, 3.0)])) == {"server"}


def test_what_the_interpreter_alone_loads_goes_to_no_browser():
    fused = artefact("tflite", "float32", 400, 1.0) | {"profile": "interpreter"}
    assert set(ship.advice([fused])) == {"android_ios", "server"}
    chosen = ship.advice([fused, artefact("onnx", "float32", 410, 1.2)])
    assert chosen["browser"]["path"] == "onnx.float32"
    assert chosen["android_ios"]["path"] == "tflite.float32"
    assert chosen["android_ios"]["runtime"] == "LiteRT's Interpreter"
