"""Transformer parts of ours against Keras's, PyTorch's and plain formulas: outputs, gradients, masks.

PyTorch's padding masks say True where a position is hidden, the opposite of ours, and its decoder sees the future
unless it is told not to. Its `nn.Transformer` puts a normalisation behind encoder and decoder for post-norm too; ours
is given one by hand. It runs in training mode without dropout, where it takes no shortcut around its own equations.
"""

import functools
import math

import keras
import numpy as np
import tensorflow as tf

from benchmarks.parity.row import compare
from keras_seq.layers.masks import length_mask
from keras_seq.layers.normalization import LayerNormalization
from keras_seq.layers.positions import sinusoidal_positions
from keras_seq.layers.transformer import Decoder, DecoderLayer, Encoder, EncoderLayer

BATCH, TARGET, SOURCE, UNITS, HEADS, FEED_FORWARD, ENCODERS, DECODERS = 3, 6, 5, 8, 2, 11, 2, 3
SOURCE_LENGTHS, TARGET_LENGTHS = (5, 2, 3), (4, 6, 1)
_PARTS = ("query", "key", "value")
_ATTENTIONS = {"self_attn": "self_attention", "multihead_attn": "cross_attention"}
_LINEARS = {"linear1": "feed_forward/hidden", "linear2": "feed_forward/output"}


def rows(dtype):
    """All rows of this module in one dtype, "float64" or "float32"."""
    yield from _normalization(dtype)
    yield from _positions(dtype)
    for norm in ("pre", "post"):
        for activation in ("relu", "gelu"):
            for masked in (False, True):
                yield from _encoder_layer(dtype, norm, activation, masked)
                yield from _decoder_layer(dtype, norm, activation, masked)
            yield from _whole(dtype, norm, activation)


def layer_to_torch(arrays):
    """Weights of an `EncoderLayer` or `DecoderLayer` in PyTorch's names and layout; linear, so gradients go too.

        in_proj_weight = [W_query^T; W_key^T; W_value^T]        every kernel is (inputs, outputs) here, transposed there
        norm1, norm2, norm3                                     in the order of the sub-layers

    Args:
        arrays: dict of our path below the layer, such as "self_attention/query/kernel", to array.

    Returns:
        dict of names in the state of `nn.TransformerEncoderLayer` or `nn.TransformerDecoderLayer` to array.
    """
    state = {}
    for theirs, ours in _attentions(arrays):
        state[f"{theirs}.in_proj_weight"] = np.concatenate([arrays[f"{ours}/{part}/kernel"].T for part in _PARTS])
        state[f"{theirs}.in_proj_bias"] = np.concatenate([arrays[f"{ours}/{part}/bias"] for part in _PARTS])
    for theirs, ours in _linears(arrays):
        state[f"{theirs}.weight"], state[f"{theirs}.bias"] = arrays[f"{ours}/kernel"].T, arrays[f"{ours}/bias"]
    for theirs, ours in _norms(arrays):
        state[f"{theirs}.weight"], state[f"{theirs}.bias"] = arrays[f"{ours}/gain"], arrays[f"{ours}/bias"]
    return state


def layer_from_torch(state):
    """The inverse of `layer_to_torch`: what to assign to our weights, by their path below the layer."""
    arrays = {}
    for theirs, ours in _attentions(state):
        kernels, biases = np.split(state[f"{theirs}.in_proj_weight"], 3), np.split(state[f"{theirs}.in_proj_bias"], 3)
        for part, kernel, bias in zip(_PARTS, kernels, biases, strict=True):
            arrays[f"{ours}/{part}/kernel"], arrays[f"{ours}/{part}/bias"] = kernel.T, bias
    for theirs, ours in _linears(state):
        arrays[f"{ours}/kernel"], arrays[f"{ours}/bias"] = state[f"{theirs}.weight"].T, state[f"{theirs}.bias"]
    for theirs, ours in _norms(state):
        arrays[f"{ours}/gain"], arrays[f"{ours}/bias"] = state[f"{theirs}.weight"], state[f"{theirs}.bias"]
    return arrays


def stack_to_torch(arrays):
    """`layer_to_torch` for an `Encoder` or `Decoder` and the normalisation behind it."""
    state = {"norm.weight": arrays["norm/gain"], "norm.bias": arrays["norm/bias"]}
    for i in range(_depth(arrays, "layer_{}/")):
        layer = layer_to_torch(_below(arrays, f"layer_{i}/"))
        state |= {f"layers.{i}.{name}": array for name, array in layer.items()}
    return state


def stack_from_torch(state):
    """The inverse of `stack_to_torch`."""
    arrays = {"norm/gain": state["norm.weight"], "norm/bias": state["norm.bias"]}
    for i in range(_depth(state, "layers.{}.")):
        layer = layer_from_torch(_below(state, f"layers.{i}."))
        arrays |= {f"layer_{i}/{path}": array for path, array in layer.items()}
    return arrays


def _attentions(names):
    """PyTorch's and our name of each attention that a layer has."""
    return [pair for pair in _ATTENTIONS.items() if any(name.startswith(pair) for name in names)]


def _linears(names):
    attentions = [(f"{theirs}.out_proj", f"{ours}/output") for theirs, ours in _attentions(names)]
    return [*attentions, *_LINEARS.items()]


def _norms(names):
    sublayers = [*(ours for _, ours in _attentions(names)), "feed_forward"]
    return [(f"norm{i}", f"{sublayer}_residual/norm") for i, sublayer in enumerate(sublayers, 1)]


def _below(names, prefix):
    return {name.removeprefix(prefix): array for name, array in names.items() if name.startswith(prefix)}


def _depth(names, prefix):
    return next(i for i in range(len(names)) if not _below(names, prefix.format(i)))


def _normalization(dtype):
    import torch

    random = np.random.default_rng(1)
    inputs = random.normal(2, 3, size=(BATCH, TARGET, UNITS)).astype(dtype)
    gain, bias = random.normal(size=(2, UNITS)).astype(dtype)
    ours, of_keras = LayerNormalization(dtype=dtype), keras.layers.LayerNormalization(epsilon=1e-5, dtype=dtype)
    for layer in (ours, of_keras):
        layer.build(inputs.shape)
        layer.set_weights([gain, bias])
    of_torch = torch.nn.LayerNorm(UNITS, dtype=getattr(torch, dtype))
    _load(of_torch, {"weight": gain, "bias": bias})
    names = "weight", "bias"
    numbers, their_numbers = (
        _our_numbers(layer, [inputs], dict(zip(names, layer.weights, strict=True))) for layer in (ours, of_keras)
    )
    yield from _compare("LayerNormalization", "Keras", numbers, their_numbers, dtype)
    yield from _compare("LayerNormalization", "PyTorch", numbers, _torch_numbers(of_torch, [inputs]), dtype)


def _positions(dtype):
    """Against the formula, position by position and feature by feature."""
    for length, features in ((TARGET, 4), (70, 10)):
        wanted = np.zeros((length, features))
        for t in range(length):
            for i in range(0, features, 2):
                angle = t / math.pow(10000, i / features)
                wanted[t, i], wanted[t, i + 1] = math.sin(angle), math.cos(angle)
        ours = sinusoidal_positions(length, features, dtype=dtype)
        yield compare(f"sinusoidal_positions, {length} x {features}", "formula", "outputs", ours, wanted, dtype)


def _encoder_layer(dtype, norm, activation, masked):
    import torch

    theirs = torch.nn.TransformerEncoderLayer(**_settings(torch, dtype, norm, activation))
    _randomise(theirs)
    source, _, mask, _ = _arrays(dtype)
    ours = EncoderLayer(UNITS, HEADS, FEED_FORWARD, norm=norm, activation=activation, dtype=dtype)
    ours.build(source.shape)
    _assign(_paths(ours), layer_from_torch(_state(theirs)))
    kept = mask if masked else None
    numbers = _our_numbers(ours, [source], _paths(ours), kept, layer_to_torch, mask=kept)
    hidden = torch.tensor(~mask) if masked else None
    their_numbers = _torch_numbers(theirs, [source], kept, src_key_padding_mask=hidden)
    name = f"EncoderLayer, {norm}, {activation}, {'padding' if masked else 'no mask'}"
    yield from _compare(name, "PyTorch", numbers, their_numbers, dtype)


def _decoder_layer(dtype, norm, activation, masked):
    import torch

    theirs = torch.nn.TransformerDecoderLayer(**_settings(torch, dtype, norm, activation))
    _randomise(theirs)
    memory, target, memory_mask, target_mask = _arrays(dtype)
    ours = DecoderLayer(UNITS, HEADS, FEED_FORWARD, norm=norm, activation=activation, dtype=dtype)
    ours.build(target.shape, memory.shape)
    _assign(_paths(ours), layer_from_torch(_state(theirs)))
    masks, hidden = {}, {"tgt_mask": torch.tensor(_future())}
    if masked:
        masks = {"target_mask": target_mask, "memory_mask": memory_mask}
        hidden["tgt_key_padding_mask"] = torch.tensor(~target_mask)
        hidden["memory_key_padding_mask"] = torch.tensor(~memory_mask)
    kept = target_mask if masked else None
    numbers = _our_numbers(ours, [target, memory], _paths(ours), kept, layer_to_torch, **masks)
    their_numbers = _torch_numbers(theirs, [target, memory], kept, **hidden)
    name = f"DecoderLayer, {norm}, {activation}, {'padding' if masked else 'no mask'}"
    yield from _compare(name, "PyTorch", numbers, their_numbers, dtype)


def _whole(dtype, norm, activation):
    """Encoder and decoder against `nn.Transformer`: padded source, padded target, no look into the future."""
    import torch

    settings = _settings(torch, dtype, norm, activation)
    layer, last = torch.nn.TransformerEncoderLayer(**settings), torch.nn.LayerNorm(UNITS, dtype=settings["dtype"])
    encoder = torch.nn.TransformerEncoder(layer, ENCODERS, last, enable_nested_tensor=False)
    theirs = torch.nn.Transformer(num_decoder_layers=DECODERS, custom_encoder=encoder, **settings)
    _randomise(theirs)
    source, target, source_mask, target_mask = _arrays(dtype)
    masks = {"source_mask": source_mask, "target_mask": target_mask}
    ours = _EncoderDecoder(norm, activation, dtype)
    ours(source, target, **masks)
    _assign(ours.weights(), _both(stack_from_torch, _state(theirs)))
    to_torch = functools.partial(_both, stack_to_torch)
    numbers = _our_numbers(ours, [source, target], ours.weights(), target_mask, to_torch, **masks)
    hidden = {
        "tgt_mask": torch.tensor(_future()),
        "src_key_padding_mask": torch.tensor(~source_mask),
        "memory_key_padding_mask": torch.tensor(~source_mask),
        "tgt_key_padding_mask": torch.tensor(~target_mask),
    }
    their_numbers = _torch_numbers(theirs, [source, target], target_mask, **hidden)
    yield from _compare(f"Encoder and Decoder, {norm}, {activation}", "PyTorch", numbers, their_numbers, dtype)


class _EncoderDecoder:
    """Our encoder and decoder as `nn.Transformer` joins them: each ends with a normalisation."""

    def __init__(self, norm, activation, dtype):
        settings = {"norm": norm, "activation": activation, "dtype": dtype}
        self.encoder = Encoder(ENCODERS, UNITS, HEADS, FEED_FORWARD, **settings)
        self.decoder = Decoder(DECODERS, UNITS, HEADS, FEED_FORWARD, **settings)
        # With "pre" both have it already.
        self.ends = [LayerNormalization(dtype=dtype) if norm == "post" else None for _ in range(2)]

    def __call__(self, source, target, source_mask, target_mask):
        memory = self.encoder(source, mask=source_mask)
        if self.ends[0] is not None:
            memory = self.ends[0](memory)
        decoded = self.decoder(target, memory, target_mask=target_mask, memory_mask=source_mask)
        return decoded if self.ends[1] is None else self.ends[1](decoded)

    def weights(self):
        """Our weights by "encoder." or "decoder." and the path below it."""
        named = {}
        for name, stack, end in zip(("encoder", "decoder"), (self.encoder, self.decoder), self.ends, strict=True):
            named |= {f"{name}.{path}": weight for path, weight in _paths(stack).items()}
            if end is not None:
                named |= {f"{name}.norm/{path}": weight for path, weight in _paths(end).items()}
        return named


def _both(convert, names):
    """Converts what is below "encoder." and below "decoder."."""
    parts = {stack: convert(_below(names, f"{stack}.")) for stack in ("encoder", "decoder")}
    return {f"{stack}.{name}": array for stack, part in parts.items() for name, array in part.items()}


def _arrays(dtype):
    """Source, target, and their masks."""
    random = np.random.default_rng(5)
    source, target = (random.normal(size=(BATCH, time, UNITS)).astype(dtype) for time in (SOURCE, TARGET))
    masks = ((SOURCE_LENGTHS, SOURCE), (TARGET_LENGTHS, TARGET))
    return source, target, *(length_mask(lengths, time).numpy() for lengths, time in masks)


def _settings(torch, dtype, norm, activation):
    return {
        "d_model": UNITS,
        "nhead": HEADS,
        "dim_feedforward": FEED_FORWARD,
        "dropout": 0.0,
        "activation": activation,
        "batch_first": True,
        "norm_first": norm == "pre",
        "dtype": getattr(torch, dtype),
    }


def _future():
    """PyTorch's mask of what lies in the future, True where hidden."""
    return np.triu(np.ones((TARGET, TARGET), bool), 1)


def _randomise(module):
    """Random numbers for every parameter, since biases and gains that are 0 and 1 would hide a mistake."""
    random = np.random.default_rng(3)
    _load(module, {name: random.normal(0, 0.4, size=tuple(p.shape)) for name, p in module.named_parameters()})


def _load(module, state):
    import torch

    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.tensor(state[name]))


def _state(module):
    return {name: parameter.detach().numpy() for name, parameter in module.named_parameters()}


def _paths(layer):
    """Our weights by their path below the layer."""
    return {weight.path.split("/", 1)[1]: weight for weight in layer.weights}


def _assign(weights, arrays):
    if weights.keys() != arrays.keys():
        raise ValueError(f"weights and arrays have different names: {sorted(weights.keys() ^ arrays.keys())}")
    for path, weight in weights.items():
        weight.assign(arrays[path])


def _our_numbers(function, inputs, weights, kept=None, to_torch=dict, **masks):
    """Outputs and gradients, those of the weights in PyTorch's layout."""
    tensors = [tf.constant(array) for array in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        outputs = function(*tensors, **masks)
        loss = tf.reduce_sum(outputs * _direction(outputs.shape, kept, inputs[0].dtype))
    *of_inputs, of_weights = tape.gradient(loss, [*tensors, {name: weight.value for name, weight in weights.items()}])
    return _numbers(outputs, kept, of_inputs, to_torch({name: array.numpy() for name, array in of_weights.items()}))


def _torch_numbers(module, inputs, kept=None, **masks):
    import torch

    tensors = [torch.tensor(array, requires_grad=True) for array in inputs]
    outputs = module(*tensors, **masks)
    (outputs * torch.tensor(_direction(outputs.shape, kept, inputs[0].dtype))).sum().backward()
    of_weights = {name: parameter.grad.numpy() for name, parameter in module.named_parameters()}
    return _numbers(outputs.detach(), kept, [tensor.grad for tensor in tensors], of_weights)


def _direction(shape, kept, dtype):
    """Fixed numbers that make one loss of all kept outputs, so that every gradient counts."""
    direction = np.cos(np.arange(np.prod(shape))).reshape(tuple(shape)).astype(dtype)
    return direction if kept is None else direction * kept[..., None].astype(dtype)


def _numbers(outputs, kept, of_inputs, of_weights):
    outputs = np.asarray(outputs)
    return {
        "outputs": outputs if kept is None else outputs[kept],
        "gradient of inputs": np.concatenate([np.ravel(gradient) for gradient in of_inputs]),
        "gradient of weights": np.concatenate([np.ravel(of_weights[name]) for name in sorted(of_weights)]),
    }


def _compare(layer, peer, ours, theirs, dtype):
    for quantity in ours:
        yield compare(layer, peer, quantity, ours[quantity], theirs[quantity], dtype)
