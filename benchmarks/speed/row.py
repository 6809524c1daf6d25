"""One line of a speed table."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """What was measured, of ours and of the peer, at a number of threads.

    Attributes:
        what: str, the model and what runs it.
        peer: str, what it is compared with.
        threads: int.
        ours, theirs: float, microseconds.
        bar: float, largest ours / theirs that is wanted; None where nothing is.
    """

    what: str
    peer: str
    threads: int
    ours: float
    theirs: float
    bar: float | None = None

    @property
    def ratio(self):
        return self.ours / self.theirs

    @property
    def holds(self):
        return self.bar is None or self.ratio <= self.bar

    def line(self):
        """As text."""
        bar = "" if self.bar is None else f"{self.bar:6.2f}" + ("" if self.holds else "  MISSED")
        return (
            f"  {self.what:44} {self.peer:34} {self.threads:7} {self.ours:9.0f} {self.theirs:9.0f} "
            f"{self.ratio:7.2f} {bar}"
        )

    def to_json(self):
        """As a dict that JSON can hold."""
        rounded = {"ours": round(self.ours, 1), "theirs": round(self.theirs, 1), "ratio": round(self.ratio, 3)}
        return {**asdict(self), **rounded}
