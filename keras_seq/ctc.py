"""Reading what a CTC model says: from a token or blank at every position to the tokens.

    path      - - 3 3 - 3 - 1 1 1 -        the likeliest at every position; - is the blank, id 0
    tokens    3 3 1                        repetitions count once, then the blanks go

The likeliest path is not always the path of the likeliest tokens, whose probability is a sum over all their paths; it
is what one takes for its speed.

Reference: Graves, Fernandez, Gomez and Schmidhuber, 2006, "Connectionist Temporal Classification: Labelling Unsegmented
Sequence Data with Recurrent Neural Networks", section 3.2.
"""

import numpy as np

BLANK = 0


def best_path(logits):
    """The tokens of the likeliest path.

    Args:
        logits: array `(batch, positions, vocabulary)`; where a recording has ended, the blank must be the likeliest, as
            `keras_seq.models.CTCRecognizer` has it.

    Returns:
        list of lists of int.

    Example:
        >>> print(best_path(np.eye(4)[[[0, 3, 3, 0, 3, 0, 1, 1]]]))
        [[3, 3, 1]]
    """
    return collapse(np.asarray(logits).argmax(axis=-1))


def collapse(paths):
    """Tokens of paths: repetitions count once, then blanks go.

    Args:
        paths: int array `(batch, positions)`.

    Returns:
        list of lists of int.
    """
    paths = np.asarray(paths)
    first = np.diff(paths, axis=1, prepend=BLANK) != 0  # (batch, positions)
    return [path[kept].tolist() for path, kept in zip(paths, first & (paths != BLANK), strict=True)]
