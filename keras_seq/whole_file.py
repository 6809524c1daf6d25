"""Files that are written whole: to a temporary name beside the target, then renamed.

A reader sees the old file or the new one, never half of either, whenever the writer is killed.
"""

import contextlib
import os
from pathlib import Path

_UNFINISHED = ".unfinished-"


@contextlib.contextmanager
def whole_file(path):
    """Gives a temporary path to write to; it takes the place of `path` when the block ends without an error.

    Args:
        path: str or path of the file to write. Its folder must exist.

    Yields:
        `pathlib.Path` in the same folder with the same suffix. It is removed when the block raises.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with whole_file(folder + "/greeting.txt") as temporary:
        ...     _ = temporary.write_text("hello")
        >>> print(Path(folder, "greeting.txt").read_text(), len(list(Path(folder).iterdir())))
        hello 1
    """
    path = Path(path)
    temporary = path.with_name(f"{_UNFINISHED}{os.getpid()}-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder):
    """Removes what writers that were killed have left in `folder`; call it only where no other process writes.

    Args:
        folder: str or path of an existing folder.
    """
    for path in Path(folder).glob(_UNFINISHED + "*"):
        path.unlink(missing_ok=True)
