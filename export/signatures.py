"""What every artefact offers: functions over int32 and float32 tensors.

A generator:

    generate(source, source_length) -> ids, length, log_probability      the whole greedy loop
    generate_beam(source, source_length) -> the same                     the whole beam search, where it was asked for
    encode(source, source_length)   -> memory_*, state_*                 once an input
    step(token, memory_*, state_*)  -> logits, next_state_*              once an output token

The source is ids int32 `(batch, tokens)`, or audio float32 `(batch, samples)` from -1 to 1, whose front end is in the
graph. A picture, float32 `(batch, height, width, channels)` from 0 to 1, has no length: generate(image), encode(image).
The state's outputs are called `next_state_*` because an ONNX graph cannot name an output as an input is named.

A classifier or tagger of texts, and a classifier of pictures, whose pixels are from 0 to 1:

    predict(ids (batch, time), length (batch,)) -> probabilities (batch, labels) or (batch, time, labels)
    predict(image (batch, height, width, channels)) -> probabilities (batch, labels)

A model with a second input reads the characters of each token beside its id, and one with two outputs labels the tokens
and the sentence:

    predict(ids, characters (batch, time, width), length) -> probabilities (batch, time, labels),
                                                             label_probabilities (batch, sentence labels)

A model of a single logit gives the probabilities of two labels, 1 - p and p.
"""

import keras
import tensorflow as tf

from keras_seq import decoding
from keras_seq.beam import beam

GENERATE, GENERATE_BEAM, ENCODE, STEP = "generate", "generate_beam", "encode", "step"
PREDICT = "predict"


def model_signatures(model, limits, *, static, beams=None):
    """The functions to export of whatever model it is, traced.

    Args:
        model: a generator, which has `encode` and `step`; or a `keras.Model` to logits from ids `(batch, time)`, with
            or without characters `(batch, time, width)` beside them, or from pictures `(batch, height, width,
            channels)`.
        limits: dict of `source`, in tokens, of audio in samples, and of a generator `target`, in tokens, and where it
            reads them `characters`, of each token; `source` is not looked at for pictures.
        static, beams: see `generator_signatures`.

    Returns:
        dict of name -> `tf.types.experimental.ConcreteFunction`.
    """
    if hasattr(model, "step"):
        return generator_signatures(model, limits, static=static, beams=beams)
    if len(model.inputs[0].shape) == 4:
        return {PREDICT: _picture_function(model, 1 if static else None)}
    return {PREDICT: _labels_function(model, limits, static)}


def _labels_function(model, limits, static):
    batch, time = (1, limits["source"]) if static else (None, None)
    specs = [tf.TensorSpec((batch, time), tf.int32, "ids"), tf.TensorSpec((batch,), tf.int32, "length")]
    if any(len(read.shape) == 3 for read in model.inputs):
        specs.insert(1, tf.TensorSpec((batch, time, limits["characters"]), tf.int32, "characters"))

    def predict(ids, *rest):
        *characters, length = rest
        real = tf.expand_dims(tf.range(tf.shape(ids)[1]), 0) < tf.expand_dims(length, 1)  # (batch, time)
        read = {2: tf.where(real, ids, 0)}
        if characters:
            read[3] = tf.where(tf.expand_dims(real, 2), characters[0], 0)
        return _probabilities(model(_arranged(model, read), training=False))

    return _trace(predict, specs)


def _arranged(model, tensors):
    """Tensors by rank as the model takes them: one, a list, or a dict."""
    read = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    return keras.tree.map_structure(lambda one: tensors[len(one.shape)], read)


def _probabilities(outputs):
    """What each of a model's outputs says of the labels; of two, the one of lower rank is of the sentence."""
    outputs = sorted(keras.tree.flatten(outputs), key=lambda logits: -len(logits.shape))
    names = ("probabilities", "label_probabilities")
    return {name: _softmax(logits) for name, logits in zip(names, outputs, strict=False)}


def _softmax(logits):
    if logits.shape[-1] == 1:  # of the second of two labels, the first one's logit being 0
        logits = tf.concat([tf.zeros_like(logits), logits], axis=-1)
    return tf.nn.softmax(logits)


def _picture_function(model, batch):
    shape = (batch, *model.inputs[0].shape[1:])
    whole_numbers = not tf.as_dtype(model.inputs[0].dtype).is_floating
    if whole_numbers:
        # Its pixels are from 0 to 255; runtimes feed floats, which the model would make whole numbers of.
        weights = model.get_weights()
        model = keras.models.clone_model(model, input_tensors=keras.Input(shape[1:], dtype="float32"))
        model.set_weights(weights)

    def predict(image):
        pixels = image * 255.0 if whole_numbers else image
        return _probabilities(model(pixels, training=False))

    function = _trace(predict, [tf.TensorSpec(shape, tf.float32, "image")])
    function.keras_model = model  # a traced function does not keep alive what it reads
    return function


def generator_signatures(generator, limits, *, static, beams=None):
    """The functions to export, traced.

    Args:
        generator: has `encode` and `step`; see `keras_seq.decoding`. What it reads its inputs tell: a `keras.Model`
            with the input `image` reads pictures of that shape, with a `source` of floats audio, anything else ids.
        limits: dict of `source` and `target`, the longest source and output in tokens, of audio in samples; of pictures
            without `source`.
        beams: int, adds `generate_beam` with so many beams; None leaves it out.
        static: bool; True fixes batch 1 and a source of `limits["source"]` (TFLite), False leaves both dynamic.

    Returns:
        dict of name -> `tf.types.experimental.ConcreteFunction`.

    Raises:
        ValueError: if a tensor of the memory or the state is neither of floats nor int32.
    """
    batch = 1 if static else None
    source_specs = _source_specs(generator, limits, static)

    def generate(*given):
        return _named(decoding.greedy(generator, *_source(given), limits["target"]))

    def generate_beam(*given):
        return _named(beam(generator, *_source(given), limits["target"], beams))

    def encode(*given):
        memory, state = generator.encode(*given)
        outputs = {**_prefixed("memory_", memory), **_prefixed("state_", state)}
        _check_dtypes(outputs)
        return _each_its_own(outputs, *_source(given)) if static else outputs

    encoded = _trace(encode, source_specs)
    step_specs = [tf.TensorSpec((batch,), tf.int32, name="token")]
    for name, tensor in encoded.structured_outputs.items():
        step_specs.append(tf.TensorSpec(_shape(tensor, static), tensor.dtype, name=name))

    def step(token, *tensors):
        named = dict(zip((spec.name for spec in step_specs[1:]), tensors, strict=True))
        memory = {name.removeprefix("memory_"): named[name] for name in named if name.startswith("memory_")}
        state = {name.removeprefix("state_"): named[name] for name in named if name.startswith("state_")}
        logits, state = generator.step(token, state, memory)
        return {"logits": logits, **_prefixed("next_state_", state)}

    signatures = {GENERATE: _trace(generate, source_specs), ENCODE: encoded, STEP: _trace(step, step_specs)}
    return signatures if beams is None else {**signatures, GENERATE_BEAM: _trace(generate_beam, source_specs)}


def _source_specs(generator, limits, static):
    """What `encode` reads, and so `generate` too."""
    read = generator.input if getattr(generator, "inputs", None) else {}
    read, batch = read if isinstance(read, dict) else {}, 1 if static else None
    if "image" in read:
        return [tf.TensorSpec((batch, *read["image"].shape[1:]), tf.float32, "image")]
    is_audio = "source" in read and keras.backend.is_float_dtype(read["source"].dtype)
    return [
        tf.TensorSpec((batch, limits["source"] if static else None), tf.float32 if is_audio else tf.int32, "source"),
        tf.TensorSpec((batch,), tf.int32, "source_length"),
    ]


def _source(given):
    """A source and its length, None where it has none, out of the arguments of a signature."""
    return given if len(given) == 2 else (*given, None)


def _check_dtypes(tensors):
    for name, tensor in tensors.items():
        if not tensor.dtype.is_floating and tensor.dtype != tf.int32:
            raise ValueError(
                f"encode gives {name} as {tensor.dtype.name}, which not every runtime can be fed: wanted floats or "
                "int32; of a mask give the lengths, int32 (batch,)"
            )


def _named(written):
    return dict(zip(("ids", "length", "log_probability"), written, strict=True))


def input_specs(function):
    """The `tf.TensorSpec`s of a traced signature, in the order of its arguments."""
    return list(function.structured_input_signature[0]) + list(function.structured_input_signature[1].values())


def _trace(function, specs):
    return tf.function(function, autograph=False).get_concrete_function(*specs)


def _prefixed(prefix, tensors):
    # identity: an output that is an input itself has no name of its own
    return {prefix + name: tf.identity(tensors[name]) for name in sorted(tensors)}


def _each_its_own(tensors, source, length):
    """Outputs that are neither an input nor one another.

    TFLite's converter drops an identity, and makes one tensor of equal constants, such as first caches of zeros. The
    Interpreter copes; CompiledModel then gives out memory that nobody has written (seen: lengths of 1.4e9). Neither a
    length nor a pixel is negative, which the converter does not know.
    """
    own, known = {}, source[:, 0, 0, 0] if length is None else length  # (1,)
    for number, (name, tensor) in enumerate(tensors.items(), 1):
        always = tf.reshape(known > tf.cast(-number, known.dtype), [1] * len(tensor.shape))
        own[name] = tf.where(always, tensor, tf.ones((), tensor.dtype))
    return own


def _shape(tensor, static):
    """The batch is always the first axis, and is dynamic in a dynamic signature whatever the trace came to know."""
    shape = tensor.shape.as_list()
    return shape if static else [None, *shape[1:]]


def as_module(signatures):
    """A `tf.Module` that holds the signatures and the variables they read, as `tf.saved_model.save` wants it."""
    module = tf.Module()
    read = {id(variable): variable for function in signatures.values() for variable in function.variables}
    module.weights = list(read.values())
    module.functions = list(signatures.values())
    return module
