"""How C++ calls an artefact: a program that reads ids, samples or pixels from its standard input, and writes ids, or
places of labels."""

_INCLUDES = {
    "tflite": """\
#include "litert/cc/litert_compiled_model.h"
#include "litert/cc/litert_environment.h"
#include "litert/cc/litert_macros.h"
#include "litert/cc/litert_tensor_buffer.h"
""",
    "onnx": """\
#include <onnxruntime_cxx_api.h>
""",
}
_HEAD = """\
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <numeric>
#include <vector>

"""
_MAIN = {
    "tflite": """\
int main() {
""",
    "onnx": """\
template <class T>
std::vector<T> Values(const Ort::Value& tensor) {
  const T* data = tensor.GetTensorData<T>();
  return {data, data + tensor.GetTensorTypeAndShapeInfo().GetElementCount()};
}

int main() {
""",
}
_IDS = {
    "tflite": """\
  std::vector<int32_t> source{std::istream_iterator<int32_t>(std::cin), {}};
  std::vector<int32_t> length{static_cast<int32_t>(source.size())};
  if (source.size() > $width) return 1;
  source.resize($width);  // padded with 0
""",
    "onnx": """\
  std::vector<int32_t> source{std::istream_iterator<int32_t>(std::cin), {}};
  std::vector<int32_t> length{static_cast<int32_t>(source.size())};
""",
}
# In place of the first line, where characters are read too.
_SPELLED = """\
  // Of each token its id and then those of $letters characters, padded with 0.
  std::vector<int32_t> source, letters;
  for (std::istream_iterator<int32_t> read(std::cin), end; read != end; ++read)
    (source.size() * $letters > letters.size() ? letters : source).push_back(*read);
"""
_IMAGE = """\
  std::vector<float> image{std::istream_iterator<float>(std::cin), {}};  // $shape, from 0 to 255
  if (image.size() != $count) return 1;
  for (float& value : image) value /= 255;
"""
_LOAD = {
    "tflite": """\

  LITERT_ASSIGN_OR_ABORT(auto environment, litert::Environment::Create({}));
  LITERT_ASSIGN_OR_ABORT(auto model, litert::CompiledModel::Create(
      environment, "$file", litert::HwAccelerators::kCpu));
  litert::FlatHashMap<litert::StringView, litert::TensorBuffer> in, out;
""",
    "onnx": """\

  Ort::Env environment;
  Ort::Session model(environment, "$file", Ort::SessionOptions{});
""",
}
_SAMPLES = {
    "tflite": """\
  std::vector<float> source{std::istream_iterator<float>(std::cin), {}};  // from -1 to 1, $rate a second
  std::vector<int32_t> length{static_cast<int32_t>(source.size())};
  if (source.size() > $width) return 1;
  source.resize($width);  // silence behind it
""",
    "onnx": """\
  std::vector<float> source{std::istream_iterator<float>(std::cin), {}};  // from -1 to 1, $rate a second
  std::vector<int32_t> length{static_cast<int32_t>(source.size())};
""",
}
_LENGTH = """\
  std::vector<int32_t> length(1);
"""
# Of each task: its inputs and outputs, as (name, type, vector, shape).
_TENSORS = {
    "generate": (
        [("source", "int32_t", "source", "{1, length[0]}"), ("source_length", "int32_t", "length", "{1}")],
        [
            ("ids", "int32_t", "ids", "$written"),
            ("length", "int32_t", "length", "1"),
            ("log_probability", "float", "log_probability", "$written"),
        ],
    ),
    "classify": (
        [("ids", "int32_t", "source", "{1, length[0]}"), ("length", "int32_t", "length", "{1}")],
        [("probabilities", "float", "row", "$classes")],
    ),
    "tag": (
        [("ids", "int32_t", "source", "{1, length[0]}"), ("length", "int32_t", "length", "{1}")],
        [("probabilities", "float", "rows", "$width * $classes")],
    ),
    "picture": (
        [("image", "float", "image", "{1, $shape}")],
        [("probabilities", "float", "row", "$classes")],
    ),
}
_WRITTEN = _TENSORS["generate"][1]
_TENSORS["audio"] = ([("source", "float", "source", "{1, length[0]}"), _TENSORS["generate"][0][1]], _WRITTEN)
_TENSORS["caption"] = (_TENSORS["picture"][0], _WRITTEN)
_LETTERS = ("characters", "int32_t", "letters", "{1, length[0], $letters}")
_SENTENCE = ("label_probabilities", "float", "sentence", "$sentence_classes")
_SENTENCE_ANSWER = """\
  std::cout << std::max_element(sentence.begin(), sentence.end()) - sentence.begin();  // the one in $sentence_labels
}
"""
_ANSWER = {
    "generate": """\

  float total = std::accumulate(log_probability.begin(), log_probability.end(), 0.0f);
  for (int32_t place = 0; place < length[0]; ++place) std::cout << ids[place] << " ";
  std::cout << std::exp(total) << "\\n";  // the ids, to be decoded with VOCABULARY, and the confidence
}
""",
    "classify": """\

  auto best = std::max_element(row.begin(), row.end());
  std::cout << best - row.begin() << " " << *best << "\\n";  // the place in $labels, and the probability
}
""",
    "tag": """\

  for (size_t place = 0; place < length[0] * $classes; place += $classes) {
    auto row = rows.begin() + place;
    std::cout << std::max_element(row, row + $classes) - row << " ";  // the place in $labels
  }
}
""",
}


def snippet(call):
    """The snippet in C++.

    Args:
        call: `export.snippets.Call`.

    Returns:
        str.
    """
    inputs, outputs = _TENSORS[call.task]
    read = _IMAGE if call.picture else (_SAMPLES if call.task == "audio" else _IDS)[call.format]
    read += _LENGTH if call.task == "caption" else ""
    if call.letters:
        first = read.splitlines(keepends=True)[0]
        inputs, read = [*inputs, _LETTERS], read.replace(first, _SPELLED)
        read = read.replace("  // padded with 0\n", "  // padded with 0\n  letters.resize($width * $letters);\n")
    outputs = [*outputs, _SENTENCE] if call.sentence_labels else outputs
    calling = (_litert if call.format == "tflite" else _onnx)(inputs, outputs)
    answer = _ANSWER["classify" if call.task == "picture" else "generate" if call.writes else call.task]
    answer = answer.replace("VOCABULARY", "manifest.json" if call.spelled else "target.tokenizer.json")
    if call.sentence_labels:
        answer = answer.removesuffix("}\n") + _SENTENCE_ANSWER
    parts = [_INCLUDES[call.format], _HEAD, _MAIN[call.format], read, _LOAD[call.format], calling, answer]
    return call.fill("".join(parts))


def _litert(inputs, outputs):
    lines = [
        f"for (auto name : {{{_names(inputs)}}}) {{",
        '  LITERT_ASSIGN_OR_ABORT(in[name], model.CreateInputBuffer("$signature", name));',
        "}",
        f"for (auto name : {{{_names(outputs)}}}) {{",
        '  LITERT_ASSIGN_OR_ABORT(out[name], model.CreateOutputBuffer("$signature", name));',
        "}",
        *(f'LITERT_ABORT_IF_ERROR(in["{name}"].Write<{type}>({vector}));' for name, type, vector, _ in inputs),
        'LITERT_ABORT_IF_ERROR(model.Run("$signature", in, out));',
        *(f"std::vector<{type}> {vector}({size});" for name, type, vector, size in outputs if name != "length"),
        *(
            f'LITERT_ABORT_IF_ERROR(out["{name}"].Read<{type}>(litert::Span<{type}>({vector})));'
            for name, type, vector, _ in outputs
        ),
    ]
    return "".join(f"  {line}\n" for line in lines)


def _onnx(inputs, outputs):
    lines = [
        "auto tensor = [](auto& values, std::vector<int64_t> shape) {",
        "  auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);",
        "  return Ort::Value::CreateTensor(memory, values.data(), values.size(), shape.data(), shape.size());",
        "};",
        f"const char* in_names[] = {{{_names(inputs)}}};",
        f"const char* out_names[] = {{{_names(outputs)}}};",
        f"Ort::Value in[] = {{{', '.join(f'tensor({vector}, {shape})' for _, _, vector, shape in inputs)}}};",
        f"auto out = model.Run(Ort::RunOptions{{}}, in_names, in, {len(inputs)}, out_names, {len(outputs)});",
    ]
    for place, (_, type, vector, _) in enumerate(outputs):
        value = f"Values<{type}>(out[{place}])"
        lines.append(f"length = {value};" if vector == "length" else f"std::vector<{type}> {vector} = {value};")
    return "".join(f"  {line}\n" for line in lines)


def _names(tensors):
    return ", ".join(f'"{name}"' for name, *_ in tensors)
