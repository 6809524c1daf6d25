"""How Kotlin calls an artefact, in an app for Android."""

_IMPORTS = {
    "tflite": """\
// build.gradle.kts: implementation("com.google.ai.edge.litert:litert:2.1.6")
import java.io.File
""",
    "onnx": """\
// build.gradle.kts: implementation("com.microsoft.onnxruntime:onnxruntime-android:1.30.0")
import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import java.io.File
""",
}
_MODEL = {
    "tflite": """\

class Model(folder: File) { // the bundle's files, copied out of the app's assets
    private val interpreter = Interpreter(File(folder, "$file"))
""",
    "onnx": """\

class Model(folder: File) { // the bundle's files, copied out of the app's assets
    private val environment = OrtEnvironment.getEnvironment()
    private val session = environment.createSession(File(folder, "$file").path)
""",
}
_LABELS = """\
    private val labels = JSONArray(File(folder, "$labels").readText())
"""
_SENTENCE_LABELS = """\
    private val sentenceLabels = JSONArray(File(folder, "$sentence_labels").readText())
"""
_CHARACTERS = """\
    private val manifest = JSONObject(File(folder, "manifest.json").readText())
    private val characters = manifest.getJSONObject("characters").getJSONArray("target")
"""
_IDS = {
    "tflite": """\
        require(sourceIds.size <= $width) { "more than $width ids" }
        val inputs = mapOf(
            "$ids" to arrayOf(sourceIds.copyOf($width)), // padded with 0
            "$length" to intArrayOf(sourceIds.size)
        )
""",
    "onnx": """\
        val inputs = mapOf(
            "$ids" to OnnxTensor.createTensor(environment, arrayOf(sourceIds)),
            "$length" to OnnxTensor.createTensor(environment, intArrayOf(sourceIds.size))
        )
""",
}
_SAMPLES = {
    "tflite": """\
        require(samples.size <= $width) { "more than $width samples" }
        val inputs = mapOf(
            "source" to arrayOf(samples.copyOf($width)), // silence behind it
            "source_length" to intArrayOf(samples.size)
        )
""",
    "onnx": """\
        val inputs = mapOf(
            "source" to OnnxTensor.createTensor(environment, arrayOf(samples)),
            "source_length" to OnnxTensor.createTensor(environment, intArrayOf(samples.size))
        )
""",
}
# Where characters are read beside the ids: the last line of the inputs, and what stands in its place.
_LAST = {
    "tflite": "intArrayOf(sourceIds.size)\n",
    "onnx": "OnnxTensor.createTensor(environment, intArrayOf(sourceIds.size))\n",
}
_SPELLING = {
    "tflite": """\
intArrayOf(sourceIds.size),
            "characters" to IntBuffer.wrap(characters.copyOf($width * $letters))
""",
    "onnx": """\
OnnxTensor.createTensor(environment, intArrayOf(sourceIds.size)),
            "characters" to OnnxTensor.createTensor(
                environment, IntBuffer.wrap(characters), longArrayOf(1, sourceIds.size.toLong(), $letters)
            )
""",
}
_IMAGE = {
    "tflite": """\
        val image = FloatArray($count) { pixels[it] / 255f }
        val inputs = mapOf("image" to FloatBuffer.wrap(image))
""",
    "onnx": """\
        val image = FloatBuffer.wrap(FloatArray($count) { pixels[it] / 255f })
        val inputs = mapOf("image" to OnnxTensor.createTensor(environment, image, longArrayOf(1, $shape)))
""",
}
_OUTPUTS = {
    "generate": """\
        val ids = arrayOf(IntArray($written))
        val length = IntArray(1)
        val logProbability = arrayOf(FloatArray($written))
        val outputs = mapOf("ids" to ids, "length" to length, "log_probability" to logProbability)
""",
    "classify": """\
        val probabilities = arrayOf(FloatArray(labels.length()))
        val outputs = mapOf("probabilities" to probabilities)
""",
    "tag": """\
        val probabilities = arrayOf(Array($width) { FloatArray(labels.length()) })
        val outputs = mapOf("probabilities" to probabilities)
""",
}
_OUTPUTS["tag and label"] = """\
        val probabilities = arrayOf(Array($width) { FloatArray(labels.length()) })
        val sentence = arrayOf(FloatArray(sentenceLabels.length()))
        val outputs = mapOf("probabilities" to probabilities, "label_probabilities" to sentence)
"""
_RUN = """\
        interpreter.runSignature(inputs, outputs, "$signature")
"""
_RUN_ONNX = {
    "generate": """\
        val outputs = session.run(inputs)
        val ids = outputs.get("ids").get().value as Array<IntArray>
        val length = outputs.get("length").get().value as IntArray
        val logProbability = outputs.get("log_probability").get().value as Array<FloatArray>
        outputs.close() // what it held is copied
""",
    "classify": """\
        val outputs = session.run(inputs)
        val probabilities = outputs.get("probabilities").get().value as Array<FloatArray>
        outputs.close() // what it held is copied
""",
    "tag": """\
        val outputs = session.run(inputs)
        val probabilities = outputs.get("probabilities").get().value as Array<Array<FloatArray>>
        outputs.close() // what it held is copied
""",
}
_RUN_ONNX["tag and label"] = """\
        val outputs = session.run(inputs)
        val probabilities = outputs.get("probabilities").get().value as Array<Array<FloatArray>>
        val sentence = outputs.get("label_probabilities").get().value as Array<FloatArray>
        outputs.close() // what it held is copied
"""
_CLOSE = """\
        inputs.values.forEach { it.close() } // Java does not count the memory that they hold
"""
_GENERATE = """\
        val confidence = exp(logProbability[0].sum().toDouble())
"""
_SPELLED = """\
        val written = ids[0].take(length[0]).filter { it > 3 }
        return Pair(written.joinToString("") { characters.getString(it) }, confidence)
"""
_UNSPELLED = """\
        return Pair(ids[0].take(length[0]), confidence) // to be decoded with target.tokenizer.json
"""
_CLASSIFY = """\
        val best = best(probabilities[0])
        return Pair(labels.getString(best), probabilities[0][best])
"""
_TAG = """\
        return probabilities[0].take(sourceIds.size).map { labels.getString(best(it)) }
"""
_TAG_AND_LABEL = """\
        val tags = probabilities[0].take(sourceIds.size).map { labels.getString(best(it)) }
        return Pair(tags, sentenceLabels.getString(best(sentence[0])))
"""
_BEST = """\

    private fun best(row: FloatArray) = row.indices.reduce { old, new -> if (row[new] > row[old]) new else old }
"""


def snippet(call):
    """The snippet in Kotlin.

    Args:
        call: `export.snippets.Call`.

    Returns:
        str.
    """
    kind = "classify" if call.task == "picture" else "generate" if call.writes else call.task
    ids, given = _IDS[call.format], "sourceIds: IntArray"
    if call.letters:
        ids = ids.replace(_LAST[call.format], _SPELLING[call.format])
        given += ", characters: IntArray"
    spells = "        // characters: of each token $letters ids, padded with 0\n" if call.letters else ""
    kind = "tag and label" if call.sentence_labels else kind
    run = [_OUTPUTS[kind], _RUN] if call.format == "tflite" else [_RUN_ONNX[kind], _CLOSE]
    answer = "String" if call.spelled else "List<Int>"
    generated = [*run, _GENERATE, _SPELLED if call.spelled else _UNSPELLED]
    heard, seen = "samples: FloatArray", "pixels: IntArray"
    function = {
        "generate": [f"fun generate(sourceIds: IntArray): Pair<{answer}, Double> {{\n", ids, *generated],
        "audio": [
            f"fun generate({heard}): Pair<{answer}, Double> {{ // from -1 to 1, $rate a second\n",
            _SAMPLES[call.format],
            *generated,
        ],
        "caption": [
            f"fun generate({seen}): Pair<{answer}, Double> {{ // $shape, from 0 to 255\n",
            _IMAGE[call.format],
            *generated,
        ],
        "classify": [f"fun classify({given}): Pair<String, Float> {{\n", spells, ids, *run, _CLASSIFY],
        "tag": [f"fun tag({given}): List<String> {{\n", spells, ids, *run, _TAG],
        "tag and label": [f"fun tag({given}): Pair<List<String>, String> {{\n", spells, ids, *run, _TAG_AND_LABEL],
        "picture": [
            "fun classify(pixels: IntArray): Pair<String, Float> { // $shape, from 0 to 255\n",
            _IMAGE[call.format],
            *run,
            _CLASSIFY,
        ],
    }["tag and label" if call.sentence_labels else call.task]
    tables = _LABELS if call.labels else _CHARACTERS if call.spelled else ""
    tables += _SENTENCE_LABELS if call.sentence_labels else ""
    needed = {
        "java.nio.FloatBuffer": call.picture,
        "java.nio.IntBuffer": call.letters,
        "kotlin.math.exp": call.writes,
        "org.json.JSONArray": call.labels,
        "org.json.JSONObject": call.spelled,
        "org.tensorflow.lite.Interpreter": call.format == "tflite",
    }
    imports = [_IMPORTS[call.format], *(f"import {name}\n" for name in needed if needed[name])]
    best = _BEST if call.labels else ""
    return call.fill("".join([*imports, _MODEL[call.format], tables, "\n    ", *function, "    }\n", best, "}\n"]))
