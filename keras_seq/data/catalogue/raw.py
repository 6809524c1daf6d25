"""The raw files of a data set, by the names that their publishers give them, in a folder or just downloaded."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from keras_seq.data.encodings import read_lines


@dataclass(frozen=True)
class Raw:
    """Files by name.

    Attributes:
        origin: str, where they are, for errors.
        paths: dict of name -> path. A name is relative to the folder, with `/`.
    """

    origin: str
    paths: dict

    @classmethod
    def in_folder(cls, folder, patterns):
        """Those files anywhere in a folder whose names fit one of the patterns.

        Args:
            folder: str or path.
            patterns: tuple of str, as "*.json".

        Returns:
            `Raw`.
        """
        folder = Path(folder)
        found = sorted({path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()})
        return cls(str(folder), {path.relative_to(folder).as_posix(): path for path in found})

    def path(self, name):
        """The file whose name is, or ends in, `name`.

        Raises:
            FileNotFoundError: if there is none.
        """
        found = self.ending_in(name)
        if not found:
            raise FileNotFoundError(f"{self.origin} has no {name}; put it there under this name")
        return found[0]

    def ending_in(self, *names):
        """The paths of those `names` that are there, each by itself or at the end of a longer name."""
        return [path for name in names for key, path in self.paths.items() if f"/{key}".endswith(f"/{name}")]

    def lines(self, name):
        """list of str, the lines of a UTF-8 file, unpacked if it is gzip's."""
        return read_lines(self.path(name))

    def fingerprint(self):
        """str of 12 hexadecimal digits, another one for other names or contents."""
        digest = hashlib.sha256()
        for name, path in self.paths.items():
            digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:12]
