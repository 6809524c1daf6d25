"""Attention of ours against Keras's and PyTorch's: outputs, weights of attention, gradients, masks.

PyTorch's masks say True where a key is hidden, the opposite of Keras's and ours. Its `in_proj_weight` is our three
kernels transposed and stacked; with keys or values of another width than the query it keeps them apart.
"""

import keras
import numpy as np
import tensorflow as tf

from benchmarks.parity.row import compare
from keras_seq.layers import Attention, MultiHeadAttention, additive_scores, masked_softmax

# Keras rounds 1 / sqrt(head size) to float32 in float64 too; for a head size of 4 that is exact.
BATCH, TARGET, SOURCE, UNITS, HEADS, VALUE, KEY = 3, 6, 5, 8, 2, 7, 9
LENGTHS = np.array([5, 2, 3])


def rows(dtype):
    """All rows of this module in one dtype, "float64" or "float32"."""
    yield from _multi_head(dtype)
    yield from _rules(dtype)
    yield from _softmax(dtype)


def _arrays(dtype, self_attention=False):
    random = np.random.default_rng(7)
    query, value, key = (
        random.normal(size=shape).astype(dtype)
        for shape in ((BATCH, TARGET, UNITS), (BATCH, SOURCE, VALUE), (BATCH, SOURCE, KEY))
    )
    return (query, query, query) if self_attention else (query, value, key)


def _masks(kind, target, source):
    """A mask of keys and a mask of pairs for one row of the table."""
    lengths = np.minimum(LENGTHS, source)
    padding = np.arange(source) < lengths[:, None]  # (batch, source)
    pairs = np.random.default_rng(3).random((BATCH, target, source)) < 0.6
    pairs[:, :, 0] = True  # PyTorch gives NaN where there is nothing to attend to
    return {
        "no mask": (None, None),
        "padding": (padding, None),
        "causal": (None, np.broadcast_to(np.tril(np.ones((target, source), bool)), pairs.shape)),
        "pairs and padding": (padding, pairs),
    }[kind]


def _multi_head(dtype):
    for self_attention in (True, False):
        query, value, key = _arrays(dtype, self_attention)
        ours = MultiHeadAttention(UNITS, HEADS, dtype=dtype)
        ours(query, value, key)
        random = np.random.default_rng(5)
        for weight in ours.weights:
            weight.assign(random.normal(scale=0.5, size=weight.shape))
        for kind in ("no mask", "padding", "causal", "pairs and padding"):
            masks = _masks(kind, query.shape[1], value.shape[1])
            name = f"MultiHeadAttention, {'self' if self_attention else 'cross'}, {kind}"
            for fast in (True, False):
                ours_numbers = _our_numbers(ours, (query, value, key), masks, fast, causal=kind == "causal")
                for peer, theirs in (("Keras", _keras_numbers), ("PyTorch", _torch_numbers)):
                    their_numbers = theirs(ours, (query, value, key), masks, dtype)
                    for quantity in ours_numbers:
                        label = f"{name}, {'fused' if fast else 'with scores'}"
                        yield compare(label, peer, quantity, ours_numbers[quantity], their_numbers[quantity], dtype)


def _our_numbers(layer, inputs, masks, fast, causal):
    tensors = [tf.constant(array) for array in inputs]
    value_mask, attention_mask = masks
    options = {"use_causal_mask": True} if causal else {"value_mask": value_mask, "attention_mask": attention_mask}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        made = layer(*tensors, **options, return_attention_scores=not fast)
        output = made if fast else made[0]
        loss = tf.reduce_sum(output * _direction(output.shape, output.dtype))
    numbers = {"outputs": output.numpy()} | ({} if fast else {"weights of attention": made[1].numpy()})
    return numbers | _gradient_numbers(tape.gradient(loss, [*tensors, *(w.value for w in layer.trainable_weights)]))


def _keras_numbers(ours, inputs, masks, dtype):
    query, value, key = inputs
    theirs = keras.layers.MultiHeadAttention(HEADS, UNITS // HEADS, output_shape=UNITS, dtype=dtype)
    theirs.build(query.shape, value.shape, key.shape)
    # Keras keeps (features, heads, head size), ours (features, units): the same numbers in the same order.
    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        other.assign(np.reshape(mine.numpy(), other.shape))
    value_mask, attention_mask = masks
    pairs = np.ones((BATCH, query.shape[1], value.shape[1]), bool) if attention_mask is None else attention_mask
    if value_mask is not None:
        pairs = pairs & value_mask[:, None]
    tensors = [tf.constant(array) for array in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        output, weights = theirs(*tensors, attention_mask=pairs, return_attention_scores=True)
        loss = tf.reduce_sum(output * _direction(output.shape, output.dtype))
    gradients = tape.gradient(loss, [*tensors, *(weight.value for weight in theirs.trainable_weights)])
    shapes = [*(array.shape for array in inputs), *(weight.shape for weight in ours.weights)]
    gradients = [tf.reshape(gradient, shape) for gradient, shape in zip(gradients, shapes, strict=True)]
    return {"outputs": output.numpy(), "weights of attention": weights.numpy()} | _gradient_numbers(gradients)


def _torch_numbers(ours, inputs, masks, dtype):
    import torch

    query, value, key = (torch.tensor(array, requires_grad=True) for array in inputs)
    theirs = torch.nn.MultiheadAttention(
        UNITS, HEADS, kdim=key.shape[-1], vdim=value.shape[-1], batch_first=True, dtype=getattr(torch, dtype)
    )
    kernels = {weight.path.split("/")[-2] + "/" + weight.name: weight.numpy() for weight in ours.weights}
    projections = [kernels[f"{name}/kernel"].T for name in ("query", "key", "value")]
    with torch.no_grad():
        if theirs.in_proj_weight is None:
            for name, kernel in zip("qkv", projections, strict=True):
                getattr(theirs, f"{name}_proj_weight").copy_(torch.tensor(kernel))
        else:
            theirs.in_proj_weight.copy_(torch.tensor(np.concatenate(projections)))
        theirs.in_proj_bias.copy_(
            torch.tensor(np.concatenate([kernels[f"{n}/bias"] for n in ("query", "key", "value")]))
        )
        theirs.out_proj.weight.copy_(torch.tensor(kernels["output/kernel"].T))
        theirs.out_proj.bias.copy_(torch.tensor(kernels["output/bias"]))
    value_mask, attention_mask = masks
    hidden_keys = None if value_mask is None else torch.tensor(~value_mask)
    hidden_pairs = None if attention_mask is None else torch.tensor(~np.repeat(attention_mask, HEADS, axis=0))
    output, weights = theirs(
        query, key, value, key_padding_mask=hidden_keys, attn_mask=hidden_pairs, average_attn_weights=False
    )
    (output * torch.tensor(_direction(output.shape, dtype))).sum().backward()
    biases = theirs.in_proj_bias.grad.chunk(3)
    if theirs.in_proj_weight is None:
        in_kernels = [getattr(theirs, f"{name}_proj_weight").grad for name in "qkv"]
    else:
        in_kernels = theirs.in_proj_weight.grad.chunk(3)
    gradients = {name: tensor.grad.numpy() for name, tensor in (("query", query), ("value", value), ("key", key))}
    of_weights = {}
    for name, kernel, bias in zip(("query", "key", "value"), in_kernels, biases, strict=True):
        of_weights[name] = [kernel.numpy().T, bias.numpy()]
    of_weights["output"] = [theirs.out_proj.weight.grad.numpy().T, theirs.out_proj.bias.grad.numpy()]
    flat = [*gradients.values(), *(array for name in ("query", "key", "value", "output") for array in of_weights[name])]
    return {"outputs": output.detach().numpy(), "weights of attention": weights.detach().numpy()} | _gradient_numbers(
        flat
    )


def _rules(dtype):
    """The rules that Keras has: dot, and additive without maps; PyTorch has the scaled dot as a function."""
    import torch

    random = np.random.default_rng(9)
    query, key, value = (
        random.normal(size=shape).astype(dtype)
        for shape in ((BATCH, TARGET, UNITS), (BATCH, SOURCE, UNITS), (BATCH, SOURCE, VALUE))
    )
    mask, _ = _masks("padding", TARGET, SOURCE)
    peer = keras.layers.Attention(dtype=dtype)
    theirs, scores = peer([query, value, key], mask=[None, mask], return_attention_scores=True)
    output, weights = Attention("dot", dtype=dtype)(query, value, key, value_mask=mask, return_attention_scores=True)
    yield compare('Attention("dot"), padding', "Keras", "outputs", output, theirs, dtype)
    yield compare('Attention("dot"), padding', "Keras", "weights of attention", weights, scores, dtype)

    scale = random.normal(size=UNITS).astype(dtype)
    peer = keras.layers.AdditiveAttention(dtype=dtype)
    peer.build([query.shape, value.shape, key.shape])
    peer.scale.assign(scale)
    theirs, scores = peer([query, value, key], mask=[None, mask], return_attention_scores=True)
    weights = masked_softmax(additive_scores(query, key, scale), mask[:, None])
    yield compare("additive_scores, padding", "Keras", "weights of attention", weights, scores, dtype)

    theirs = torch.nn.functional.scaled_dot_product_attention(
        *(torch.tensor(array) for array in (query, key, value)), attn_mask=torch.tensor(mask[:, None])
    )
    output = Attention("scaled_dot", dtype=dtype)(query, value, key, value_mask=mask)
    yield compare('Attention("scaled_dot"), padding', "PyTorch", "outputs", output, theirs.numpy(), dtype)


def _softmax(dtype):
    import torch

    scores = np.random.default_rng(11).normal(scale=4, size=(BATCH, TARGET, SOURCE)).astype(dtype)
    mask = _masks("padding", TARGET, SOURCE)[0][:, None]
    theirs = torch.softmax(torch.tensor(np.where(mask, scores, -np.inf)), dim=-1).numpy()
    yield compare("masked_softmax", "PyTorch", "weights of attention", masked_softmax(scores, mask), theirs, dtype)


def _direction(shape, dtype):
    """Fixed numbers that make one loss of all outputs, so that every gradient counts."""
    dtype = dtype if isinstance(dtype, str) else dtype.name
    return np.cos(np.arange(np.prod(shape))).reshape(tuple(shape)).astype(dtype)


def _gradient_numbers(gradients):
    query, value, key, *weights = (np.asarray(gradient) for gradient in gradients)
    named = {"query": query, "value": value, "key": key}
    numbers = {f"gradient of {name}": gradient for name, gradient in named.items()}
    # The bias of the keys is left out of the softmax, so its gradient is zero but for rounding: it is compared too.
    return numbers | {"gradient of weights": np.concatenate([weight.ravel() for weight in weights])}
