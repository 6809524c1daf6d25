"""Encoder and decoder: who sees whom, and that decoding step by step is the call."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.layers import Decoder, DecoderLayer, Encoder, EncoderLayer, FeedForward, gelu
from keras_seq.layers.masks import length_mask
from keras_seq.layers.positions import SinusoidalPositions

BATCH, TARGET, SOURCE, UNITS, HEADS, HIDDEN, LAYERS, MEMORY = 2, 4, 5, 6, 3, 11, 2, 7
SOURCE_MASK = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
TARGET_MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)
NORMS = ["pre", "post", None]
on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function is TensorFlow's")


def arrays():
    random = np.random.default_rng(0)
    shapes = (BATCH, SOURCE, UNITS), (BATCH, TARGET, UNITS), (BATCH, SOURCE, MEMORY)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def array(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def made(layer, *inputs):
    """The layer, built, with random numbers for weights, so that no bias is 0 and no gain 1."""
    layer.build(*(tensor.shape for tensor in inputs))
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(0, 0.5, size=weight.shape) for weight in layer.weights])
    return layer


def encoder(norm="pre", **options):
    return made(Encoder(LAYERS, UNITS, HEADS, HIDDEN, norm=norm, **options), arrays()[0])


def decoder(norm="pre", **options):
    return made(Decoder(LAYERS, UNITS, HEADS, HIDDEN, norm=norm, **options), *arrays()[1:])


def test_a_feed_forward_of_one_unit_by_hand():
    layer = FeedForward(1)
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0], [2.0]]), np.array([-1.0]), np.array([[3.0, -4.0]]), np.array([0.5, 0.0])])
    np.testing.assert_allclose(array(layer(np.array([[2.0, 1.0], [-2.0, 1.0]]))), [[9.5, -12], [0.5, 0]], atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_gelu_is_x_times_the_normal_distribution_at_x(dtype):
    """0.8413 of a normal distribution is below 1, 0.1587 below -1, 0.00135 below -3."""
    made = gelu(ops.cast(np.array([0.0, 1.0, -1.0, -3.0, 50.0]), dtype))
    assert keras.backend.standardize_dtype(made.dtype) == dtype
    np.testing.assert_allclose(array(made), [0, 0.8413, -0.1587, -0.00405, 50], rtol=1e-2)


@on_tensorflow
def test_gelu_is_one_kernel_in_tflite_and_nothing_that_onnx_lacks():
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    layer = made(FeedForward(HIDDEN, "gelu"), arrays()[0])
    function = tf.function(layer, autograph=False).get_concrete_function(tf.TensorSpec((1, SOURCE, UNITS)))
    assert "Erfc" not in {node.op for node in function.graph.as_graph_def().node}
    content = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module()).convert()
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    assert "GELU" in {operation["op_name"] for operation in interpreter._get_ops_details()}
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], arrays()[0][:1])
    interpreter.invoke()
    output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(output, layer(arrays()[0][:1]), atol=1e-5)


def test_a_feed_forward_sees_one_position_at_a_time():
    layer, x = made(FeedForward(HIDDEN, "gelu"), arrays()[0]), arrays()[0]
    for t in range(SOURCE):
        np.testing.assert_allclose(array(layer(x[:, t])), array(layer(x))[:, t], atol=1e-5)


def test_an_encoder_layer_is_its_two_equations():
    x = arrays()[0]
    layer = made(EncoderLayer(UNITS, HEADS, HIDDEN), x)
    w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o, g_1, n_1, w_1, b_1, w_2, b_2, g_2, n_2 = layer.get_weights()

    def norm(x, gain, bias):
        return gain * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) + bias

    read, joined = norm(x, g_1, n_1), np.zeros((BATCH, SOURCE, UNITS))
    for b in range(BATCH):
        for head in np.split(np.arange(UNITS), HEADS):
            query, key, value = (
                (read[b, SOURCE_MASK[b]] @ w + bias)[:, head] for w, bias in ((w_q, b_q), (w_k, b_k), (w_v, b_v))
            )
            weights = np.exp(query @ key.T / np.sqrt(UNITS / HEADS))
            joined[b][np.ix_(SOURCE_MASK[b], head)] = weights / weights.sum(1, keepdims=True) @ value
    hidden = x + joined @ w_o + b_o
    wanted = hidden + np.maximum(norm(hidden, g_2, n_2) @ w_1 + b_1, 0) @ w_2 + b_2
    np.testing.assert_allclose(array(layer(x, mask=SOURCE_MASK))[SOURCE_MASK], wanted[SOURCE_MASK], atol=2e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_in_the_padding_changes_nothing(norm):
    source, target, memory = arrays()
    encode, decode = encoder(norm), decoder(norm)
    encoded = array(encode(source, mask=SOURCE_MASK))
    decoded = array(decode(target, memory, target_mask=TARGET_MASK, memory_mask=SOURCE_MASK))
    source[~SOURCE_MASK], memory[~SOURCE_MASK], target[~TARGET_MASK] = 30, -40, 50
    np.testing.assert_allclose(array(encode(source, mask=SOURCE_MASK))[SOURCE_MASK], encoded[SOURCE_MASK], atol=1e-5)
    again = array(decode(target, memory, target_mask=TARGET_MASK, memory_mask=SOURCE_MASK))
    np.testing.assert_allclose(again[TARGET_MASK], decoded[TARGET_MASK], atol=1e-5)


def test_a_batch_equals_its_rows_without_padding():
    source, target, memory = arrays()
    encode, decode = encoder(), decoder()
    encoded = array(encode(source, mask=SOURCE_MASK))
    decoded = array(decode(target, memory, target_mask=TARGET_MASK, memory_mask=SOURCE_MASK))
    for row in range(BATCH):
        s, t, one = SOURCE_MASK[row].sum(), TARGET_MASK[row].sum(), slice(row, row + 1)
        np.testing.assert_allclose(array(encode(source[one, :s]))[0], encoded[row, :s], atol=1e-5)
        np.testing.assert_allclose(array(decode(target[one, :t], memory[one, :s]))[0], decoded[row, :t], atol=1e-5)


def test_the_decoder_sees_every_source_position_that_is_there_and_no_target_position_to_come():
    _, target, memory = arrays()
    decode = decoder()
    before = array(decode(target, memory))
    for t in range(TARGET):
        other = target.copy()
        other[:, t, 0] += 1  # one feature: what all of them share is taken out by the norm
        moved = np.abs(array(decode(other, memory)) - before).max(axis=(0, 2)) > 1e-4
        assert moved.tolist() == [position >= t for position in range(TARGET)]
    for s in range(SOURCE):
        other = memory.copy()
        other[:, s, 0] += 1
        assert np.all(np.abs(array(decode(target, other)) - before).max(axis=2) > 1e-4)


def test_without_scores_to_tell_keys_apart_each_that_is_there_gets_an_equal_weight():
    """W_q = W_k = 0: of 3 keys each has 1/3, of 5 each 1/5, whatever the head."""
    source, target, memory = arrays()
    encode, decode = encoder(), decoder()
    for layer in (encode, decode):
        for weight in layer.weights:
            if "/query/" in weight.path:
                weight.assign(np.zeros(weight.shape))
    wanted = SOURCE_MASK / SOURCE_MASK.sum(axis=1, keepdims=True)  # (batch, source)
    _, weights = encode(source, mask=SOURCE_MASK, return_attention_scores=True)
    assert [tuple(of_layer.shape) for of_layer in weights] == [(BATCH, HEADS, SOURCE, SOURCE)] * LAYERS
    for of_layer in weights:
        np.testing.assert_allclose(array(of_layer), wanted[:, None, None] + np.zeros((HEADS, SOURCE, 1)), atol=1e-6)
    _, weights = decode(target, memory, memory_mask=SOURCE_MASK, return_attention_scores=True)
    assert [tuple(of_layer.shape) for of_layer in weights] == [(BATCH, HEADS, TARGET, SOURCE)] * LAYERS
    for of_layer in weights:
        np.testing.assert_allclose(array(of_layer), wanted[:, None, None] + np.zeros((HEADS, TARGET, 1)), atol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_asking_for_attention_scores_changes_no_output_and_they_are_those_of_each_layer(norm):
    source, target, memory = arrays()
    encode, decode = encoder(norm), decoder(norm)
    output, weights = encode(source, mask=SOURCE_MASK, return_attention_scores=True)
    np.testing.assert_allclose(array(output), array(encode(source, mask=SOURCE_MASK)), atol=1e-5)
    hidden = source
    for layer, of_layer in zip(encode._stack, weights, strict=True):
        read = layer._self_attention.before(hidden)
        attention = layer._self_attention.sublayer
        wanted = attention(read, read, value_mask=SOURCE_MASK, return_attention_scores=True)[1]
        np.testing.assert_allclose(array(of_layer), array(wanted), atol=1e-5)
        hidden = layer(hidden, mask=SOURCE_MASK)
    assert np.abs(array(weights[0]) - array(weights[1])).max() > 0.01
    masks = {"target_mask": TARGET_MASK, "memory_mask": SOURCE_MASK}
    output, weights = decode(target, memory, **masks, return_attention_scores=True)
    np.testing.assert_allclose(array(output), array(decode(target, memory, **masks)), atol=1e-5)
    hidden = target
    for layer, of_layer in zip(decode._stack, weights, strict=True):
        hidden, wanted = layer(hidden, memory, **masks, return_attention_scores=True)
        np.testing.assert_allclose(array(of_layer), array(wanted), atol=1e-6)
        assert not array(of_layer)[0, :, :, 3:].any()  # the source's padding


@on_tensorflow
def test_the_attention_of_every_layer_can_be_an_output_of_a_model(tmp_path):
    source, target = keras.Input((None, UNITS)), keras.Input((None, UNITS))
    memory, of_encoder = Encoder(LAYERS, UNITS, HEADS, HIDDEN)(source, return_attention_scores=True)
    output, of_decoder = Decoder(LAYERS, UNITS, HEADS, HIDDEN)(target, memory, return_attention_scores=True)
    assert {weights.shape for weights in of_encoder} == {(None, HEADS, None, None)} == {w.shape for w in of_decoder}
    model = keras.Model([source, target], [output, *of_encoder, *of_decoder])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = arrays()[:2]
    for made, wanted in zip(loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0), strict=True):
        np.testing.assert_allclose(made, wanted, atol=1e-6)
    assert loaded.predict(inputs, verbose=0)[-1].shape == (BATCH, HEADS, TARGET, SOURCE)


def test_a_hole_in_the_target_mask_is_not_attended_to():
    _, target, memory = arrays()
    decode, hole = decoder(), np.array([[True, False, True, True]] * BATCH)
    before = array(decode(target, memory, target_mask=hole))
    target[:, 1] += 9
    after = array(decode(target, memory, target_mask=hole))
    np.testing.assert_allclose(after[:, [0, 2, 3]], before[:, [0, 2, 3]], atol=1e-5)


def test_an_encoder_has_no_order_until_positions_are_added():
    source, order, encode = arrays()[0], [3, 0, 4, 1, 2], encoder()
    np.testing.assert_allclose(array(encode(source[:, order])), array(encode(source))[:, order], atol=1e-5)
    placed = array(encode(SinusoidalPositions()(source)))
    shuffled = array(encode(SinusoidalPositions()(source[:, order])))
    assert np.abs(shuffled - placed[:, order]).max() > 0.1


@pytest.mark.parametrize("norm", NORMS)
def test_step_after_step_equals_the_call(norm):
    _, target, memory = arrays()
    decode = decoder(norm)
    whole = array(decode(target, memory, memory_mask=SOURCE_MASK))
    prepared, cache = decode.prepare(memory), decode.empty_cache(BATCH, TARGET + 5)
    for position in range(TARGET):
        at = ops.convert_to_tensor(position, "int32")
        output, cache = decode.step(target[:, position], cache, prepared, at, memory_mask=SOURCE_MASK)
        np.testing.assert_allclose(array(output), whole[:, position], atol=1e-5)


def test_cache_and_memory_are_flat_dicts_of_fixed_shapes():
    _, target, memory = arrays()
    decode = decoder()
    names = ["layer_0_key", "layer_0_value", "layer_1_key", "layer_1_value"]
    prepared, cache = decode.prepare(memory), decode.empty_cache(BATCH, 9)
    filled = decode.step(target[:, 0], cache, prepared, 0)[1]
    for flat, length in ((prepared, SOURCE), (cache, 9), (filled, 9)):
        assert sorted(flat) == names
        assert {tuple(tensor.shape) for tensor in flat.values()} == {(BATCH, HEADS, length, UNITS // HEADS)}


@on_tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_compiled_loop_of_steps_equals_the_call(jit_compile):
    import tensorflow as tf

    _, target, memory = arrays()
    decode = decoder()

    @tf.function(autograph=False, jit_compile=jit_compile)
    def walk(target, memory, mask):
        prepared, cache = decode.prepare(memory), decode.empty_cache(BATCH, TARGET)

        def body(position, cache, outputs):
            output, cache = decode.step(tf.gather(target, position, axis=1), cache, prepared, position, mask)
            here = tf.reshape(tf.range(TARGET) == position, (1, TARGET, 1))
            return position + 1, cache, tf.where(here, tf.expand_dims(output, 1), outputs)

        start = tf.constant(0), cache, tf.zeros_like(target)
        return tf.while_loop(lambda position, *_: position < TARGET, body, start)[2]

    wanted = decode(target, memory, memory_mask=SOURCE_MASK)
    np.testing.assert_allclose(walk(target, memory, SOURCE_MASK), wanted, atol=1e-5)


def translator(norm="pre", dtype=None):
    """A small Transformer over ids, whose masks are those of the embeddings."""
    source, target = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    embed = [keras.layers.Embedding(13, UNITS, mask_zero=True, dtype=dtype) for _ in range(2)]
    settings = {"norm": norm, "dropout": 0.1, "dtype": dtype}
    memory = Encoder(LAYERS, UNITS, HEADS, HIDDEN, **settings)(SinusoidalPositions(dtype=dtype)(embed[0](source)))
    placed = SinusoidalPositions(dtype=dtype)(embed[1](target))
    decoded = Decoder(LAYERS, UNITS, HEADS, HIDDEN, **settings)(placed, memory)
    return keras.Model([source, target], keras.layers.Dense(13, dtype=dtype)(decoded))


def test_the_implicit_masks_of_embeddings_arrive_and_go_on():
    model = translator()
    short = np.array([[3, 9, 4]]), np.array([[8, 2]])
    padded = np.array([[3, 9, 4, 0, 0]]), np.array([[8, 2, 0]])
    np.testing.assert_allclose(array(model(padded))[:, :2], array(model(short)), atol=1e-5)
    embedded = keras.layers.Embedding(13, UNITS, mask_zero=True)(padded[0])
    mask = encoder()(embedded)._keras_mask
    assert ops.convert_to_numpy(mask).tolist() == [[True, True, True, False, False]]


@pytest.mark.usefixtures("quick_fits")
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_model_learns_to_copy_a_token_and_survives_saving(norm, tmp_path):
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(2)
    source = random.integers(1, 13, size=(64, TARGET))
    target = np.concatenate([np.ones((64, 1), int), source[:, :-1]], axis=1)
    model = translator(norm)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
    losses = model.fit([source, target], source, epochs=4, batch_size=16, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(array(loaded([source, target])), array(model([source, target])), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_finite_and_steps_agree_with_the_call(policy):
    source, target, memory = arrays()
    encoded = encoder(dtype=policy)(100 * source, mask=np.zeros_like(SOURCE_MASK))
    decode = decoder(dtype=policy)
    whole = decode(target, memory)
    for output in (encoded, whole):
        assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
        assert np.isfinite(array(output)).all()
    first, cache = decode.step(target[:, 0], decode.empty_cache(BATCH, 3), decode.prepare(memory), 0)
    for tensor in (first, *cache.values()):
        assert keras.backend.standardize_dtype(tensor.dtype) == policy.removeprefix("mixed_")
    np.testing.assert_allclose(array(first), array(whole)[:, 0], atol=0.05)


def test_dropout_acts_in_training_alone():
    source, target, memory = arrays()
    for layer, inputs in ((encoder(dropout=0.5), [source]), (decoder(dropout=0.5), [target, memory])):
        calm = array(layer(*inputs))
        np.testing.assert_array_equal(array(layer(*inputs, training=False)), calm)
        assert np.abs(array(layer(*inputs, training=True)) - calm).max() > 1e-3


def test_the_parameters_are_those_of_the_formula():
    attention, maps = 4 * (UNITS * UNITS + UNITS), UNITS * HIDDEN + HIDDEN + HIDDEN * UNITS + UNITS
    norm, wider = 2 * UNITS, 2 * (MEMORY - UNITS) * UNITS
    assert encoder("pre").count_params() == LAYERS * (attention + maps + 2 * norm) + norm
    assert encoder("post").count_params() == LAYERS * (attention + maps + 2 * norm)
    assert decoder("pre").count_params() == LAYERS * (2 * attention + wider + maps + 3 * norm) + norm
    assert decoder(None).count_params() == LAYERS * (2 * attention + wider + maps)


@pytest.mark.parametrize("make", [Encoder, Decoder, EncoderLayer, DecoderLayer])
def test_their_configuration_makes_them_again(make):
    layers = (LAYERS,) if make in (Encoder, Decoder) else ()
    layer = make(*layers, UNITS, HEADS, HIDDEN, 0.25, "post", "gelu", name="part", dtype="mixed_float16")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is make and again.get_config() == layer.get_config()
    assert again.get_config()["activation"] == "gelu" and again.get_config()["norm"] == "post"


def test_shapes_are_known_before_there_are_values():
    source, target = keras.Input((None, UNITS)), keras.Input((TARGET, UNITS))
    assert Encoder(LAYERS, UNITS, HEADS, HIDDEN)(source).shape == (None, None, UNITS)
    assert Decoder(LAYERS, UNITS, HEADS, HIDDEN)(target, source).shape == (None, TARGET, UNITS)
    assert encoder().compute_output_shape((3, 8, UNITS)) == (3, 8, UNITS)
    assert decoder().compute_output_shape((3, 8, UNITS), (3, 9, MEMORY)) == (3, 8, UNITS)
    assert FeedForward(HIDDEN).compute_output_shape((3, 8, UNITS)) == (3, 8, UNITS)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"units": 0}, "units=0 is not a width"),
        ({"num_heads": 4}, "num_heads=4 does not divide units=6"),
        ({"feed_forward": 1.5}, "feed_forward=1.5 is not a width"),
        ({"dropout": 1.0}, "dropout=1.0 is outside"),
        ({"norm": "first"}, "norm='first' is unknown"),
        ({"activation": "swing"}, "swing"),
        ({"num_layers": 0}, "num_layers=0 is not"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    settings = {"num_layers": LAYERS, "units": UNITS, "num_heads": HEADS, "feed_forward": HIDDEN, **wrong}
    for make in (Encoder, Decoder):
        with pytest.raises(ValueError, match=message):
            make(**settings)


def test_inputs_and_masks_that_do_not_fit_are_refused():
    source, target, memory = arrays()
    with pytest.raises(ValueError, match=r"shape \(2, 5, 7\) have 7 features.*units=6; make them equal"):
        Encoder(LAYERS, UNITS, HEADS, HIDDEN)(memory)
    with pytest.raises(ValueError, match=r"shape \(2, 5, 7\) have 7 features.*units=6; make them equal"):
        Decoder(LAYERS, UNITS, HEADS, HIDDEN)(memory, source)
    with pytest.raises(ValueError, match=r"attention wants \(batch, time, features\)"):
        encoder()(source[0])
    with pytest.raises(ValueError, match="must be equal"):
        decoder()(target, memory, memory_mask=TARGET_MASK)
    with pytest.raises(ValueError, match="must be equal"):
        decoder()(target, memory, target_mask=SOURCE_MASK)
    with pytest.raises(ValueError, match="must be equal"):
        decoder()(target, memory[:1])
    with pytest.raises(ValueError, match="wants bool"):
        encoder()(source, mask=SOURCE_MASK.astype("int32"))


def test_lengths_make_the_masks():
    source = arrays()[0]
    np.testing.assert_array_equal(
        array(encoder()(source, mask=length_mask([3, 5], SOURCE))), array(encoder()(source, mask=SOURCE_MASK))
    )


def test_wrong_masks_are_refused_before_there_are_values():
    source, target = keras.Input((SOURCE, UNITS)), keras.Input((TARGET, UNITS))
    floats, short = keras.Input((SOURCE,)), keras.Input((SOURCE - 1,), dtype="bool")
    with pytest.raises(ValueError, match="value_mask is float32; attention wants bool"):
        Encoder(LAYERS, UNITS, HEADS, HIDDEN)(source, mask=floats)
    with pytest.raises(ValueError, match="value_mask .* has 4 on axis 1, but value .* has 5 on axis 1"):
        EncoderLayer(UNITS, HEADS, HIDDEN)(source, mask=short)
    with pytest.raises(ValueError, match="value_mask is float32; attention wants bool"):
        Decoder(LAYERS, UNITS, HEADS, HIDDEN)(target, source, memory_mask=floats)
    with pytest.raises(ValueError, match="value_mask .* has 5 on axis 1, but value .* has 4 on axis 1"):
        DecoderLayer(UNITS, HEADS, HIDDEN)(target, source, target_mask=keras.Input((SOURCE,), dtype="bool"))
