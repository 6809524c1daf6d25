"""How much memory a piece of work takes: the most that this process held meanwhile, where the system tells."""

import os
import resource
import sys
from pathlib import Path

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_STATM = Path("/proc/self/statm")


class Watch:
    """Watches from now on.

    Linux keeps the most that a process has held (`VmHWM`), and forgets it when 5 is written to `clear_refs`: the peak
    is then that of the work alone. Where it does not, as in some containers and on other systems, all that can be said
    is by how much the process has grown.
    """

    def __init__(self):
        self._tells_peak = _forget_peak()
        self._before = _held()

    def taken(self):
        """dict of `memory_bytes`, int, since the watch began, and `memory_is`, "peak" or "growth"."""
        after = _peak() if self._tells_peak else _held()
        return {"memory_bytes": max(after - self._before, 0), "memory_is": "peak" if self._tells_peak else "growth"}


def _forget_peak():
    """Whether the system can tell the peak from now on."""
    try:
        _FORGET.write_text("5")
        return _peak() is not None
    except OSError:
        return False


def _peak():
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    return None


def _held():
    """The bytes that this process holds; where the system does not tell, the most that it has held."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
