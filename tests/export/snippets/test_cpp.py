"""The snippets in C++, compiled against the libraries in the Python packages of the runtimes.

KERAS_SEQ_LITERT_SOURCE names a checkout of LiteRT, KERAS_SEQ_ONNXRUNTIME_INCLUDE a folder with ONNX Runtime's headers:
the packages have none. Nothing is downloaded: what is missing is skipped, with what is missing as the reason.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from export.snippets import cpp

FIXTURES = {"tflite": "litert", "onnx": "onnx_runtime"}


def compiler_needs(variable, what):
    """The folder that an environment variable names; skips the test where there is none, or no compiler."""
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} names no folder with {what}")
    if not shutil.which("g++"):
        pytest.skip("no g++ on this machine")
    return folder


@pytest.fixture(scope="session")
def litert(tmp_path_factory):
    """What to compile a program for LiteRT with: flags, and what to link, the library being the Python package's."""
    import ai_edge_litert

    source = compiler_needs("KERAS_SEQ_LITERT_SOURCE", "LiteRT's sources")
    home = tmp_path_factory.mktemp("litert")
    (home / "litert" / "build_common").mkdir(parents=True)
    (home / "litert" / "build_common" / "build_config.h").write_text("#pragma once\n")
    # The headers of August 2026 need this one of Abseil's functions even where they are to do without Abseil.
    (home / "shim.h").write_text(
        "#pragma once\n#include <string>\nnamespace absl {\ninline std::string StrCat(const std::string& a, "
        "const std::string& b, const std::string& c) { return a + b + c; }\n}\n"
    )
    flags = ["-std=c++20", "-DLITERT_NO_ABSL", "-fpermissive", "-w", f"-include{home / 'shim.h'}"]
    flags += [f"-I{source}", f"-I{home}"]
    link = []
    for name in ("c/internal/litert_logging", "c/internal/litert_runtime_builtin", "c/litert_layout"):
        link.append(str(home / f"{Path(name).name}.o"))
        subprocess.run(["g++", *flags, "-c", f"{source}/litert/{name}.cc", "-o", link[-1]], check=True, timeout=300)
    library = Path(ai_edge_litert.__file__).parent
    return flags, [*link, str(library / "libLiteRt.so"), f"-Wl,-rpath,{library}"]


@pytest.fixture(scope="session")
def onnx_runtime(tmp_path_factory):
    """The same for ONNX Runtime."""
    import onnxruntime

    flags = ["-std=c++17", f"-I{compiler_needs('KERAS_SEQ_ONNXRUNTIME_INCLUDE', 'onnxruntime_cxx_api.h')}"]
    library = next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"))
    named = tmp_path_factory.mktemp("onnxruntime") / "libonnxruntime.so.1"  # as it calls itself
    named.symlink_to(library)
    return flags, [str(named), f"-Wl,-rpath,{named.parent}"]


def run_cpp(code, given, folder, built, scratch):
    """Compiles the program, and gives it numbers on its standard input."""
    flags, link = built
    (scratch / "main.cc").write_text(code)
    subprocess.run(["g++", *flags, scratch / "main.cc", *link, "-o", scratch / "main"], check=True, timeout=300)
    for one in given:
        done = subprocess.run(
            [scratch / "main"], input=" ".join(map(str, one)), cwd=folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        yield [float(number) for number in done.stdout.split()]


@pytest.mark.parametrize("format", FIXTURES)
@pytest.mark.parametrize("task", ["classify", "tag", "picture"])
def test_a_label_is_keras_s(labelled, task, format, request, tmp_path):
    built, example = request.getfixturevalue(FIXTURES[format]), labelled[task]
    labels = example.manifest["label_names"]
    said = run_cpp(cpp.snippet(example.call(format)), example.inputs, example.folder, built, tmp_path)
    if task == "tag":
        example.check([[labels[int(place)] for place in places] for places in said])
    else:
        example.check([(labels[int(place)], probability) for place, probability in said])


@pytest.mark.parametrize("format", FIXTURES)
def test_tags_and_label_of_words_and_characters_are_keras_s(tagged, format, request, tmp_path):
    built, manifest = request.getfixturevalue(FIXTURES[format]), tagged.manifest
    given = [
        [number for token, letters in zip(*one, strict=True) for number in (token, *letters)] for one in tagged.inputs
    ]
    said = run_cpp(cpp.snippet(tagged.call(format)), given, tagged.folder, built, tmp_path)
    labels, sentence_labels = manifest["label_names"], manifest["sentence_label_names"]
    tagged.check([[[labels[int(tag)] for tag in tags], sentence_labels[int(label)]] for *tags, label in said])


def test_dates_are_what_the_samples_say(dates, litert, tmp_path):
    said = run_cpp(cpp.snippet(dates.call("tflite")), dates.inputs, dates.folder, litert, tmp_path)
    characters = dates.manifest["characters"]["target"]
    dates.check([("".join(characters[int(place)] for place in ids), sure) for *ids, sure in said])


@pytest.mark.parametrize("format", FIXTURES)
def test_ids_come_out_as_they_went_in(echo, format, request, tmp_path):
    built = request.getfixturevalue(FIXTURES[format])
    said = run_cpp(cpp.snippet(echo.call(format)), echo.inputs, echo.folder, built, tmp_path)
    echo.check([(ids, sure) for *ids, sure in said])
