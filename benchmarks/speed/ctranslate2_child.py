"""CTranslate2 in a process of its own: beside TensorFlow's threads its own come to a crawl.

Reads lines of JSON, {"kind", "beams"}, translates the tokens once and answers with those written.
"""

import json
import subprocess
import sys


class Translator:
    """Asks the child.

    Args:
        folder: path of the model.
        threads: int.
        tokens: list of str, the source.
        length: int, tokens to write.
    """

    def __init__(self, folder, threads, tokens, length):
        command = [sys.executable, "-m", "benchmarks.speed.ctranslate2_child", str(folder), str(threads), str(length)]
        self._child = subprocess.Popen([*command, *tokens], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._child.stdin.close()
        self._child.wait()

    def translate(self, kind, beams):
        """One translation, list of str; `kind` is "float32" or "int8"."""
        self._child.stdin.write(json.dumps({"kind": kind, "beams": beams}) + "\n")
        self._child.stdin.flush()
        return json.loads(self._child.stdout.readline())


def serve(folder, threads, length, *tokens):
    """The child's side."""
    import ctranslate2

    translators = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["kind"] not in translators:
            translators[asked["kind"]] = ctranslate2.Translator(
                folder, device="cpu", inter_threads=1, intra_threads=int(threads), compute_type=asked["kind"]
            )
        result = translators[asked["kind"]].translate_batch(
            [list(tokens)],
            beam_size=asked["beams"],
            min_decoding_length=int(length),
            max_decoding_length=int(length),
        )
        print(json.dumps(result[0].hypotheses[0]), flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
