"""What generators read, as their signatures take it: texts, audio and pictures.

A source alone is a row: a list of int, the ids of a text; int16 `(samples,)`, a recording; or uint8 `(height, width,
channels)`, a picture. In what `export.reference` wrote, and in a bundle's samples.json, it has the name of its kind:

    source_ids       list of int
    source_samples   the recording, packed
    source_pixels    the picture, packed

and packed is {"dtype": "int16", "shape": [3412], "base64": its bytes, little-endian, one row after another}, which any
language reads, is a quarter of the numbers in words, and is read in no time.
"""

import base64

import numpy as np

from export import runtime

_KEYS = ("source_ids", "source_samples", "source_pixels")


def packed(array):
    """An array of uint8 or int16 as JSON holds it."""
    array = np.ascontiguousarray(array)
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "base64": base64.b64encode(raw).decode("ascii")}


def unpacked(entry):
    """The array that `packed` packed."""
    dtype = np.dtype(entry["dtype"]).newbyteorder("<")
    return np.frombuffer(base64.b64decode(entry["base64"]), dtype).reshape(entry["shape"]).astype(entry["dtype"])


def as_data(rows):
    """Rows as what `export.reference` writes: a dict of one list, an entry for each."""
    if isinstance(rows[0], list):
        return {"source_ids": rows}
    return {"source_samples" if rows[0].ndim == 1 else "source_pixels": [packed(row) for row in rows]}


def key_of(data):
    """The name of the sources in a dict of lists of `export.reference`, or in one sample; None of classifiers."""
    return next((key for key in _KEYS if key in data), None)


def inputs_of(rows, width=None):
    """What `encode` and `generate` take for some rows.

    Args:
        rows: sequence of rows of one kind.
        width: int, tokens or samples that texts and audio are padded to; None takes the longest.

    Returns:
        dict of arrays in the order of the signature's arguments: `source` int32 of texts, or float32 of audio, `(batch,
        width)`, and `source_length` int32 `(batch,)`; of pictures `image` float32 `(batch, height, width, channels)`.
    """
    if isinstance(rows[0], list):
        source, length = runtime.pad(rows, width)
    elif rows[0].ndim == 1:
        source, length = runtime.pad_samples([row.astype("float32") / 32768 for row in rows], width)
    else:
        return {"image": np.stack(rows).astype("float32") / 255}
    return {"source": source, "source_length": length}


class Sources:
    """The sources of the examples that `export.reference` wrote.

    Args:
        data: dict of lists, with one of the names above.

    Attributes:
        rows: list of rows.
        sizes: list of int, tokens or samples of each; 0 of pictures.
    """

    def __init__(self, data):
        key = key_of(data)
        self.rows = data[key] if key == "source_ids" else [unpacked(entry) for entry in data[key]]
        self.sizes = [0 if key == "source_pixels" else len(row) for row in self.rows]

    def __len__(self):
        return len(self.rows)

    def inputs(self, chosen, width=None):
        """`inputs_of` some examples.

        Args:
            chosen: sequence of int.
            width: see `inputs_of`.
        """
        return inputs_of([self.rows[example] for example in chosen], width)
