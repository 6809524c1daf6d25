"""What every artefact of a generator offers: three functions over int32 and float32 tensors.

    generate(source, source_length) -> ids, length, log_probability      the whole greedy loop
    generate_beam(source, source_length) -> the same                     the whole beam search, where it was asked for
    encode(source, source_length)   -> memory_*, state_*                 once an input
    step(token, memory_*, state_*)  -> logits, next_state_*              once an output token

The state's outputs are called `next_state_*` because an ONNX graph cannot name an output as an input is named.
"""

import tensorflow as tf

from keras_seq import decoding
from keras_seq.beam import beam

GENERATE, GENERATE_BEAM, ENCODE, STEP = "generate", "generate_beam", "encode", "step"


def generator_signatures(generator, limits, *, static, beams=None):
    """The functions to export, traced.

    Args:
        generator: has `encode` and `step`; see `keras_seq.decoding`.
        limits: dict of `source` and `target`, the longest source and output in tokens.
        beams: int, adds `generate_beam` with so many beams; None leaves it out.
        static: bool; True fixes batch 1 and a source of `limits["source"]` (TFLite), False leaves both dynamic.

    Returns:
        dict of name -> `tf.types.experimental.ConcreteFunction`.
    """
    batch, source = (1, limits["source"]) if static else (None, None)
    source_specs = [
        tf.TensorSpec((batch, source), tf.int32, name="source"),
        tf.TensorSpec((batch,), tf.int32, name="source_length"),
    ]

    def generate(source, source_length):
        return _named(decoding.greedy(generator, source, source_length, limits["target"]))

    def generate_beam(source, source_length):
        return _named(beam(generator, source, source_length, limits["target"], beams))

    def encode(source, source_length):
        memory, state = generator.encode(source, source_length)
        return {**_prefixed("memory_", memory), **_prefixed("state_", state)}

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


def _shape(tensor, static):
    """The batch is always the first axis, and is dynamic in a dynamic signature whatever the trace came to know."""
    shape = tensor.shape.as_list()
    return shape if static else [None, *shape[1:]]


def as_module(model, signatures):
    """A `tf.Module` that holds the signatures and the variables they read, as `tf.saved_model.save` wants it."""
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    module.functions = list(signatures.values())
    return module
