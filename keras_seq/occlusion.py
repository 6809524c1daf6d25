"""Which source tokens an output hangs on, for any encoder-decoder, with attention or without.

    influence[t, s] = log p(y_t | source) - log p(y_t | source with token s replaced by <unknown>)

Reference: Zeiler and Fergus, 2014, "Visualizing and Understanding Convolutional Networks", section 4.2, for pictures;
Li, Monroe and Jurafsky, 2016, "Understanding Neural Networks through Representation Erasure", for text.
"""

import numpy as np
from keras import ops

_START, _END, _UNKNOWN = 1, 2, 3


def occlusion(model, source_ids, target_ids):
    """Influence of every source token on every output token.

    Args:
        model: called on `{"source", "target"}`, gives logits `(batch, target, vocabulary)`.
        source_ids: list of int, one source.
        target_ids: list of int, what was written, without start and end.

    Returns:
        float `(target + 1, source)`: rows are the output tokens and the end, each scaled to sum to 1; negative
        influence (the token speaks against the output) counts as 0.
    """
    labels = np.asarray([*target_ids, _END])
    sources = np.tile(np.asarray(source_ids, "int32"), (len(source_ids) + 1, 1))  # (1 + source, source)
    sources[np.arange(1, len(sources)), np.arange(len(source_ids))] = _UNKNOWN
    targets = np.tile(np.asarray([_START, *target_ids], "int32"), (len(sources), 1))  # (1 + source, target + 1)
    logits = model({"source": sources, "target": targets})
    scores = ops.convert_to_numpy(ops.log_softmax(logits))[
        :, np.arange(len(labels)), labels
    ]  # (1 + source, target + 1)
    influence = np.maximum(scores[0] - scores[1:], 0).T  # (target + 1, source)
    return influence / np.maximum(influence.sum(axis=1, keepdims=True), 1e-9)
