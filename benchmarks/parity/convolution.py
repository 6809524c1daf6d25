"""Cross-correlation and pooling of ours against Keras's and PyTorch's: outputs and gradients.

Keras pads by "valid" and "same" alone: a number of zeros is a `ZeroPadding2D` before it; and it has no strides beside a
dilation. PyTorch has channels first and "same" for stride 1 alone.
"""

import keras
import numpy as np
import tensorflow as tf

from benchmarks.parity.row import compare
from keras_seq.layers.convolution import CrossCorrelation2D
from keras_seq.layers.pooling import AveragePooling2D, MaxPooling2D

BATCH, HEIGHT, WIDTH, CHANNELS, FILTERS = 2, 7, 8, 3, 5
KERNELS = ((3, 3), (2, 4), (1, 5))
STRIDES = ((1, 1), (2, 3))
PADDINGS = ("valid", "same", 1)
DILATIONS = ((2, 1), (3, 2))


def rows(dtype):
    """All rows of this module in one dtype, "float64" or "float32"."""
    for kernel_size in KERNELS:
        for strides in STRIDES:
            for padding in PADDINGS:
                yield from _cross_correlation(kernel_size, strides, padding, (1, 1), dtype)
    for dilation in DILATIONS:
        for strides in STRIDES:
            for padding in PADDINGS:
                yield from _cross_correlation((2, 3), strides, padding, dilation, dtype)
    for pool_size, strides in (((2, 3), (2, 3)), ((3, 2), (2, 1)), ((3, 4), (1, 3))):
        for padding in PADDINGS:
            for ours in (MaxPooling2D, AveragePooling2D):
                yield from _pooling(ours, pool_size, strides, padding, dtype)


def _cross_correlation(kernel_size, strides, padding, dilation, dtype):
    images = np.random.default_rng(7).normal(size=(BATCH, HEIGHT, WIDTH, CHANNELS)).astype(dtype)
    ours = CrossCorrelation2D(FILTERS, kernel_size, strides, padding, dilation, dtype=dtype)
    ours.build(images.shape)
    random = np.random.default_rng(5)
    ours.set_weights([random.normal(scale=0.5, size=weight.shape) for weight in ours.weights])
    name = f"CrossCorrelation2D, {kernel_size}, strides {strides}, {padding}, dilation {dilation}"

    numbers = _keras_numbers(ours, images)
    if (1, 1) in (strides, dilation):
        before = padding if isinstance(padding, int) else 0
        settings = {"dilation_rate": dilation, "dtype": dtype}
        theirs = keras.layers.Conv2D(FILTERS, kernel_size, strides, "valid" if before else padding, **settings)
        theirs.build(images.shape)
        theirs.set_weights(ours.get_weights())
        yield from _compared(name, "Keras", numbers, _keras_numbers(theirs, images, before), dtype)
    if padding != "same" or strides == (1, 1):
        yield from _compared(name, "PyTorch", numbers, _torch_convolution(ours, images), dtype)


def _pooling(kind, pool_size, strides, padding, dtype):
    images = np.random.default_rng(3).normal(size=(BATCH, HEIGHT, WIDTH, CHANNELS)).astype(dtype)
    ours = kind(pool_size, strides, padding, dtype=dtype)
    name = f"{kind.__name__}, {pool_size}, strides {strides}, {padding}"
    numbers = _keras_numbers(ours, images)
    if not isinstance(padding, int):
        theirs = getattr(keras.layers, kind.__name__)(pool_size, strides, padding, dtype=dtype)
        yield from _compared(name, "Keras", numbers, _keras_numbers(theirs, images), dtype)
    if padding != "same":
        yield from _compared(name, "PyTorch", numbers, _torch_pooling(ours, images), dtype)


def _keras_numbers(layer, images, zeros=0):
    """Outputs and gradients of a Keras layer, ours or theirs, after so many zeros around the images."""
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        padded = tf.pad(images, [(0, 0), (zeros, zeros), (zeros, zeros), (0, 0)])
        output = layer(padded)
        loss = tf.reduce_sum(output * _direction(output.shape, output.dtype.name))
    gradients = tape.gradient(loss, [images, *(weight.value for weight in layer.trainable_weights)])
    return [output.numpy(), *(gradient.numpy() for gradient in gradients)]


def _torch_convolution(ours, images):
    import torch

    images = torch.tensor(images.transpose(0, 3, 1, 2), requires_grad=True)  # (batch, channels, height, width)
    kernel, bias = (torch.tensor(weight.numpy()) for weight in ours.weights)
    kernel = kernel.permute(3, 2, 0, 1).contiguous().requires_grad_()  # (filters, channels, height, width)
    bias.requires_grad_()
    output = torch.nn.functional.conv2d(images, kernel, bias, ours.strides, ours.padding, ours.dilation_rate)
    numbers = _torch_numbers(output, images)
    return [*numbers, kernel.grad.permute(2, 3, 1, 0).numpy(), bias.grad.numpy()]


def _torch_pooling(ours, images):
    import torch

    images = torch.tensor(images.transpose(0, 3, 1, 2), requires_grad=True)  # (batch, channels, height, width)
    arguments = (images, ours.pool_size, ours.strides, 0 if ours.padding == "valid" else ours.padding)
    if isinstance(ours, MaxPooling2D):
        output = torch.nn.functional.max_pool2d(*arguments)
    else:
        output = torch.nn.functional.avg_pool2d(*arguments, count_include_pad=False)
    return _torch_numbers(output, images)


def _torch_numbers(output, images):
    """Outputs and the gradient of the images, channels last; the weights' gradients are left in them."""
    import torch

    output = output.permute(0, 2, 3, 1)  # (batch, rows, columns, channels)
    (output * torch.tensor(_direction(output.shape, images.detach().numpy().dtype.name))).sum().backward()
    return [output.detach().numpy(), images.grad.permute(0, 2, 3, 1).numpy()]


def _compared(name, peer, ours, theirs, dtype):
    quantities = ("outputs", "gradient of images", "gradient of kernel", "gradient of bias")[: len(ours)]
    for quantity, mine, other in zip(quantities, ours, theirs, strict=True):
        yield compare(name, peer, quantity, mine, other, dtype)


def _direction(shape, dtype):
    """Fixed numbers that make one loss of all outputs, so that every gradient counts."""
    return np.cos(np.arange(np.prod(shape))).reshape(tuple(shape)).astype(dtype)
