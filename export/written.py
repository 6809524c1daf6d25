"""Outputs that were written token by token, held beside Keras's: the same tokens, as likely.

    greedy   another token is allowed only where Keras's two best logits are nearer than `NEAR_TIE`; behind it the
             outputs go their own ways
    beam     another output is allowed only where its score, the mean log-probability of its tokens, is Keras's

The third thing to agree is the log-probability of each token before the first other one.
"""

from dataclasses import dataclass

import numpy as np

NEAR_TIE = 1e-4
# Largest difference of a token's log-probability; the artefacts compute in float32, in another order.
LOG_PROBABILITY_TOLERANCE = 1e-3
NAMES = {"ids", "length", "log_probability"}


@dataclass(frozen=True)
class Tokens:
    """How two outputs' tokens agree.

    Attributes:
        before: bool `(batch, target)`, the steps before the first other token.
        excused: int, rows that differ and may.
        fault: (row, step, what differs) of the first that may not, or None.
    """

    before: np.ndarray
    excused: int
    fault: tuple | None


def tokens(got, wanted, margin=None):
    """Compares tokens and lengths.

    Args:
        got, wanted: dicts of `ids` int32 `(batch, target)`, `length` int32 `(batch,)` and `log_probability` float32
            `(batch, target)`; `wanted` is Keras's.
        margin: float32 `(batch, target)`, how far apart Keras's two best logits are at each step of greedy decoding;
            None where a beam search has written.

    Returns:
        `Tokens`.
    """
    differs = got["ids"] != wanted["ids"]
    first = np.where(differs.any(axis=1), differs.argmax(axis=1), differs.shape[1])  # (batch,)
    excused, fault = 0, None
    for row, step in enumerate(first.tolist()):
        found = _fault(got, wanted, margin, row, step)
        excused += found is None and step < differs.shape[1]
        fault = fault or (found and (row, *found))
    return Tokens(np.arange(differs.shape[1]) < first[:, None], excused, fault)


def _fault(got, wanted, margin, row, step):
    """The step and what differs at it, or None."""
    if step == wanted["ids"].shape[1]:
        length, own = int(wanted["length"][row]), int(got["length"][row])
        return None if own == length else (length, f"Keras says {length} tokens, the file {own}")
    if margin is None:
        score, own = score_of(wanted, row), score_of(got, row)
        if abs(own - score) <= LOG_PROBABILITY_TOLERANCE:  # NaN is not
            return None
        return step, f"another output than Keras's, of score {own:.4f}, Keras's has {score:.4f}"
    if margin[row, step] < NEAR_TIE:
        return None
    return step, f"Keras writes id {wanted['ids'][row, step]}, the file {got['ids'][row, step]}"


def score_of(output, row):
    """What beam search goes by: the mean log-probability of the tokens of one row, the end token included."""
    scores = output["log_probability"][row]
    return float(scores.sum() / min(int(output["length"][row]) + 1, len(scores)))
