"""ONNX operators in a TensorFlow graph.

TensorFlow lacks some of ONNX's operators, or tf2onnx writes something slower in their place. `operator` puts a
placeholder into the traced graph, a PyFunc that nothing ever runs, whose token says what it stands for; when tf2onnx
meets it, `HANDLERS` puts the operator there. A placeholder survives a SavedModel, so that the conversion can run in
another process than the trace.
"""

import json

import tensorflow as tf

_MARK = "keras_seq:"


def operator(name, inputs, shapes, dtypes, attributes=None):
    """The outputs of one ONNX operator.

    Args:
        name: str, such as "LSTM".
        inputs: list of tensors; None where an optional one is left out.
        shapes: list of shapes, one for each output; None where a size is not known.
        dtypes: list of str, one for each output.
        attributes: dict of what JSON can hold.

    Returns:
        list of tensors.
    """
    given = [index for index, tensor in enumerate(inputs) if tensor is not None]
    description = {"operator": name, "given": given, "attributes": attributes or {}}
    token = _MARK + json.dumps(description, sort_keys=True)
    made = tf.raw_ops.PyFunc(input=[inputs[index] for index in given], token=token, Tout=list(dtypes))
    # A graph that is written and read again forgets the shapes of a PyFunc, but not what it was checked to have.
    return [tf.ensure_shape(tensor, shape) for tensor, shape in zip(made, shapes, strict=True)]


def _make_operator(graph, node, name, args):
    """tf2onnx's hook: puts the operator in the placeholder's place."""
    token = node.get_attr("token").s.decode()
    if not token.startswith(_MARK):
        raise ValueError(f"{name} is a Python function, which no other runtime can call; express it in keras.ops")
    description = json.loads(token.removeprefix(_MARK))
    inputs = [""] * (description["given"][-1] + 1)
    for index, tensor in zip(description["given"], node.input, strict=True):
        inputs[index] = tensor
    shapes, dtypes, outputs = node.output_shapes, node.output_dtypes, list(node.output)
    graph.remove_node(node.name)
    graph.make_node(
        description["operator"], inputs, attr=description["attributes"], name=node.name, outputs=outputs,
        shapes=shapes, dtypes=dtypes,
    )  # fmt: skip


def _make_where(graph, node, name, args):
    """tf2onnx's hook: its own way is six operators of arithmetic, which a NaN in the unused branch gets through."""
    node.type = "Where"


HANDLERS = {
    "PyFunc": (_make_operator, []),
    "PyFuncStateless": (_make_operator, []),
    "SelectV2": (_make_where, []),
}


def put_between(buffer, position, values, axis):
    """A writer for `keras_seq.layers.cache.writing_by`: what is before, the values, what is after.

    To select by comparing positions takes ONNX Runtime four times as long, 30 and 8 us for 8 heads of 64 keys. A
    position behind the buffer's end counts as the last one.
    """
    length = buffer.shape[axis]
    position = tf.minimum(position, length - 1)
    before, _, after = tf.split(buffer, tf.stack([position, 1, length - 1 - position]), axis)
    written = tf.concat([before, values, after], axis)
    written.set_shape(buffer.shape)
    return written
