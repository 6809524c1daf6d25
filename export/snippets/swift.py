"""How Swift calls an artefact, in an app for iOS."""

_HEAD = {
    "tflite": """\
// Podfile: pod "TensorFlowLiteSwift"
import Foundation
import TensorFlowLite

final class Model {
  private let runner: SignatureRunner
""",
    "onnx": """\
// Podfile: pod "onnxruntime-objc"
import Foundation
import onnxruntime_objc

final class Model {
  private let environment: ORTEnv
  private let session: ORTSession
""",
}
_TABLE = """\
  private let TABLE: [String]
"""
_INIT = {
    "tflite": """\

  init(folder: URL) throws {
    let interpreter = try Interpreter(modelPath: folder.appendingPathComponent("$file").path)
    runner = try interpreter.signatureRunner(with: "$signature")
""",
    "onnx": """\

  init(folder: URL) throws {
    let path = folder.appendingPathComponent("$file").path
    environment = try ORTEnv(loggingLevel: .warning)
    session = try ORTSession(env: environment, modelPath: path, sessionOptions: nil)
""",
}
_LABELS = """\
    let file = try Data(contentsOf: folder.appendingPathComponent("$labels"))
    labels = try JSONDecoder().decode([String].self, from: file)
"""
_SENTENCE_LABELS = """\
    let sentences = try Data(contentsOf: folder.appendingPathComponent("$sentence_labels"))
    sentenceLabels = try JSONDecoder().decode([String].self, from: sentences)
"""
_CHARACTERS = """\
    struct Manifest: Decodable { let characters: [String: [String]] }
    let file = try Data(contentsOf: folder.appendingPathComponent("manifest.json"))
    characters = try JSONDecoder().decode(Manifest.self, from: file).characters["target"]!
"""
_IDS = {
    "tflite": """\
    precondition(sourceIds.count <= $width)
    let source = sourceIds + [Int32](repeating: 0, count: $width - sourceIds.count)  // 0 is padding
    try runner.invoke(with: ["$ids": bytes(source), "$length": bytes([Int32(sourceIds.count)])])
""",
    "onnx": """\
    let source = try tensor(sourceIds, .int32, [1, sourceIds.count])
    let length = try tensor([Int32(sourceIds.count)], .int32, [1])
    let outputs = try run(["$ids": source, "$length": length])
""",
}
_SAMPLES = {
    "tflite": """\
    precondition(samples.count <= $width)
    let source = samples + [Float](repeating: 0, count: $width - samples.count)  // silence behind it
    try runner.invoke(with: ["source": bytes(source), "source_length": bytes([Int32(samples.count)])])
""",
    "onnx": """\
    let source = try tensor(samples, .float, [1, samples.count])
    let length = try tensor([Int32(samples.count)], .int32, [1])
    let outputs = try run(["source": source, "source_length": length])
""",
}
# Where characters are read beside the ids: a line before the call, and the input.
_SPELLING = {
    "tflite": (
        "    let letters = characters + [Int32](repeating: 0, count: $width * $letters - characters.count)\n",
        '"characters": bytes(letters), ',
    ),
    "onnx": (
        "    let letters = try tensor(characters, .int32, [1, sourceIds.count, $letters])\n",
        '"characters": letters, ',
    ),
}
_IMAGE = {
    "tflite": """\
    try runner.invoke(with: ["image": bytes(pixels.map { Float($0) / 255 })])
""",
    "onnx": """\
    let outputs = try run(["image": tensor(pixels.map { Float($0) / 255 }, .float, [1, $shape])])
""",
}
_READ = {"tflite": 'try values("NAME")', "onnx": 'try values(outputs["NAME"]!)'}
_GENERATE = """\
    let ids: [Int32] = READ_ids
    let length: [Int32] = READ_length
    let logProbability: [Float] = READ_log_probability
    let written = ids.prefix(Int(length[0]))
    let confidence = exp(Double(logProbability.reduce(0, +)))
"""
_SPELLED = """\
    return (written.filter { $0 > 3 }.map { characters[Int($0)] }.joined(), confidence)
"""
_UNSPELLED = """\
    return (Array(written), confidence)  // to be decoded with target.tokenizer.json
"""
_CLASSIFY = """\
    let probabilities: [Float] = READ_probabilities
    let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] }!
    return (labels[best], probabilities[best])
"""
_TAG = """\
    let probabilities: [Float] = READ_probabilities
    return sourceIds.indices.map { place in
      let row = Array(probabilities[place * labels.count..<(place + 1) * labels.count])
      return labels[row.indices.max { row[$0] < row[$1] }!]
    }
"""
_TAG_AND_LABEL = (
    _TAG.replace("return sourceIds", "let tags = sourceIds")
    + """\
    let sentence: [Float] = READ_label_probabilities
    let best = sentence.indices.max { sentence[$0] < sentence[$1] }!
    return (tags, sentenceLabels[best])
"""
)
_TAIL = {
    "tflite": """\

  private func bytes<T>(_ values: [T]) -> Data { values.withUnsafeBytes { Data($0) } }

  private func values<T>(_ name: String) throws -> [T] {
    try runner.output(named: name).data.withUnsafeBytes { Array($0.bindMemory(to: T.self)) }
  }
}
""",
    "onnx": """\

  private func run(_ inputs: [String: ORTValue]) throws -> [String: ORTValue] {
    try session.run(withInputs: inputs, outputNames: [OUTPUTS], runOptions: nil)
  }

  private func tensor<T>(_ values: [T], _ type: ORTTensorElementDataType, _ shape: [Int]) throws -> ORTValue {
    let data = values.withUnsafeBytes { NSMutableData(bytes: $0.baseAddress!, length: $0.count) }
    return try ORTValue(tensorData: data, elementType: type, shape: shape.map { NSNumber(value: $0) })
  }

  private func values<T>(_ tensor: ORTValue) throws -> [T] {
    try (tensor.tensorData() as Data).withUnsafeBytes { Array($0.bindMemory(to: T.self)) }
  }
}
""",
}


def snippet(call):
    """The snippet in Swift.

    Args:
        call: `export.snippets.Call`.

    Returns:
        str.
    """
    ids, answer = _IDS[call.format], "String" if call.spelled else "[Int32]"
    given, tags = "_ sourceIds: [Int32]", "([String], String)" if call.sentence_labels else "[String]"
    spells = "    // characters: of each token $letters ids, padded with 0\n" if call.letters else ""
    if call.letters:
        line, value = _SPELLING[call.format]
        given += ", _ characters: [Int32]"
        place = ids.rindex("    ", 0, ids.index('["$ids"'))
        ids = ids[:place] + line + ids[place:].replace('["$ids"', "[" + value + '"$ids"')
    generated = [_GENERATE, _SPELLED if call.spelled else _UNSPELLED]
    function = {
        "generate": [f"  func generate(_ sourceIds: [Int32]) throws -> ({answer}, Double) {{\n", ids, *generated],
        "audio": [
            f"  func generate(_ samples: [Float]) throws -> ({answer}, Double) {{  // from -1 to 1, $rate a second\n",
            _SAMPLES[call.format],
            *generated,
        ],
        "caption": [
            f"  func generate(_ pixels: [UInt8]) throws -> ({answer}, Double) {{  // $shape\n",
            _IMAGE[call.format],
            *generated,
        ],
        "classify": [f"  func classify({given}) throws -> (String, Float) {{\n", spells, ids, _CLASSIFY],
        "tag": [
            f"  func tag({given}) throws -> {tags} {{\n",
            spells,
            ids,
            _TAG_AND_LABEL if call.sentence_labels else _TAG,
        ],
        "picture": [
            "  func classify(_ pixels: [UInt8]) throws -> (String, Float) {  // $shape\n",
            _IMAGE[call.format],
            _CLASSIFY,
        ],
    }[call.task]
    table, read = ("labels", _LABELS) if call.labels else ("characters", _CHARACTERS)
    tabled = bool(call.labels or call.spelled)
    text = "".join(
        [
            _HEAD[call.format],
            _TABLE.replace("TABLE", table) if tabled else "",
            _TABLE.replace("TABLE", "sentenceLabels") if call.sentence_labels else "",
            _INIT[call.format],
            read if tabled else "",
            _SENTENCE_LABELS if call.sentence_labels else "",
            "  }\n\n",
            *function,
            "  }\n",
            _TAIL[call.format],
        ]
    )
    names = ("ids", "length", "log_probability") if call.writes else ("probabilities",)
    names += ("label_probabilities",) if call.sentence_labels else ()
    for name in names:
        text = text.replace(f"READ_{name}\n", _READ[call.format].replace("NAME", name) + "\n")
    text = text.replace("OUTPUTS", ", ".join(f'"{name}"' for name in names))
    # Swift's own $0 and $1 are not for the template.
    return call.fill(text.replace("$0", "$$0").replace("$1", "$$1"))
