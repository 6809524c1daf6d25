"""One row of a parity table: how far a layer of ours is from another library's, and how far it may be."""

from dataclasses import dataclass

import numpy as np

TOLERANCES = {"float64": 1e-10, "float32": 1e-5}


@dataclass(frozen=True)
class Row:
    """The largest absolute difference between our numbers and a peer's, beside what is allowed.

    Attributes:
        layer: str, the layer of ours and its setting, such as "GRUCell(reset_after=False)".
        peer: str, the library compared with: "Keras" or "PyTorch".
        quantity: str, what was compared, such as "outputs" or "gradient of inputs".
        difference: float, the largest absolute difference.
        tolerance: float, the largest difference allowed.

    Example:
        >>> Row("GRUCell", "Keras", "outputs", 2e-12, 1e-10).holds
        True
    """

    layer: str
    peer: str
    quantity: str
    difference: float
    tolerance: float

    @property
    def holds(self):
        """Whether the difference is a number and within the tolerance."""
        return self.difference <= self.tolerance


def compare(layer, peer, quantity, ours, theirs, dtype):
    """A row from two arrays of one shape.

    Args:
        layer, peer, quantity: str, see `Row`.
        ours, theirs: arrays of one shape, with at least one number.
        dtype: "float64" (tolerance 1e-10) or "float32" (1e-5), what both sides computed in.

    Returns:
        `Row`. A NaN on either side makes the difference NaN, which does not hold.

    Raises:
        ValueError: if the shapes differ, an array is empty, or the dtype has no tolerance.

    Example:
        >>> compare("GRUCell", "Keras", "outputs", [1.0, 2.0], [1.0, 2.5], "float32").difference
        0.5
    """
    if dtype not in TOLERANCES:
        raise ValueError(f"dtype={dtype!r} has no tolerance; choose one of {', '.join(TOLERANCES)}")
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        raise ValueError(
            f"{layer} against {peer}, {quantity}: ours has shape {ours.shape}, theirs {theirs.shape}; "
            "bring both to one layout"
        )
    if not ours.size:
        raise ValueError(f"{layer} against {peer}, {quantity}: shape {ours.shape} has no number; compare at least one")
    difference = float(np.max(np.abs(ours.astype("float64") - theirs.astype("float64"))))
    return Row(layer, peer, quantity, difference, TOLERANCES[dtype])
