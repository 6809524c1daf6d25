"""Lines of verse: a generator whose every output is as long as the line before it.

    source   a line, or several with separators between           明月松間照
    length   ids of the source's last line                        5
    logits   before that many characters: characters alone; then: the end alone

The length is a rule of the form and need not be learned. It is part of the step, so greedy decoding, beam search,
sampling and every exported file keep it, and the teacher-forced model counts it the same way: probabilities sum to 1
among the characters, and the end costs nothing.
"""

import keras
import numpy as np
from keras import ops

from keras_seq.decoding import END
from keras_seq.layers import mask_lengths, padding_mask

UNKNOWN = 3
"""The last special id, see `keras_seq.data.tokenizer`: it is read, but never written."""

# Far below every logit that is kept, and near enough that an export's numbers are still compared closely.
_HIGHEST, _FORBIDDEN = 50.0, -100.0


@keras.saving.register_keras_serializable("keras_seq")
class EqualLength(keras.Model):
    """A generator that writes exactly as many characters as its source's last line has.

    Args:
        writer: `Seq2Seq` or `Transformer`, or any such model: `{"source", "target"} -> logits`, `encode` and `step`.
        separator: int, the id that ends a line within the source. It is never written.
        marks: sequence of int, other ids that sources have and lines have not, such as blanks: never written either.

    Call arguments:
        inputs: dict of `source`, int32 `(batch, source)`, and `target`, int32 `(batch, target)`: the start token and
            the target's tokens but the last; both padded with 0 on the right.

    Returns:
        logits float32 `(batch, target, vocabulary)`: -100 for whatever cannot come, within +-50 for what can

    Raises:
        ValueError: if `separator` or a mark is no id of a character.

    Example:
        >>> from keras_seq.models import Seq2Seq
        >>> model = EqualLength(Seq2Seq(11, 11, embedding_size=3, units=5), separator=4)
        >>> source = np.array([[5, 6, 4, 7, 8, 9]])  # two characters, a separator, three characters
        >>> print(model.line_length(source).numpy().tolist())
        [3]
    """

    def __init__(self, writer, separator, marks=(), name="equal_length", **kwargs):
        for mark in (separator, *marks):
            if not isinstance(mark, int) or mark <= UNKNOWN:
                raise ValueError(f"{mark!r} among separator and marks is no character's id; give whole numbers above 3")
        never = sorted({separator, *marks})
        source = keras.Input((None,), dtype="int32", name="source")
        target = keras.Input((None,), dtype="int32", name="target")
        logits = writer({"source": source, "target": target})  # (batch, target, vocabulary)
        position = ops.cumsum(ops.ones_like(target), axis=1) - 1  # (batch, target)
        length = _last_line(source, mask_lengths(padding_mask(source)), separator)  # (batch,)
        logits = keep_length(logits, position, ops.expand_dims(length, 1), never)
        super().__init__(inputs={"source": source, "target": target}, outputs=logits, name=name, **kwargs)
        self.writer = writer
        self.shares_memory = getattr(writer, "shares_memory", False)
        self._separator = separator
        self._never = never

    def line_length(self, source_ids):
        """How many characters the output has.

        Args:
            source_ids: int32 `(batch, source)`, padded with 0 on the right.

        Returns:
            int32 `(batch,)`
        """
        source_ids = ops.convert_to_tensor(source_ids, "int32")
        return _last_line(source_ids, mask_lengths(padding_mask(source_ids)), self._separator)

    def encode(self, source_ids, source_length=None):
        """Reads a source, once.

        Args:
            source_ids: int32 `(batch, source)`, padded with 0 on the right.
            source_length: int32 `(batch,)`, defaults to the number of ids that are not padding.

        Returns:
            memory: the writer's, and `line_length (batch,)`.
            state: the writer's, and `written (batch,)`, which is 0.
        """
        if source_length is None:
            source_length = mask_lengths(padding_mask(source_ids))
        memory, state = self.writer.encode(source_ids, source_length)
        line_length = _last_line(source_ids, source_length, self._separator)
        return {**memory, "line_length": line_length}, {**state, "written": ops.zeros_like(source_length)}

    def step(self, token, state, memory, group=None):
        """Writes one token.

        Args:
            token: int32 `(batch,)`, the previous token, at first the start token.
            state: flat dict of tensors, from `encode` or from the step before.
            memory: flat dict of tensors, from `encode`.
            group: int, how many tokens in a row share a row of the memory, where the writer has `shares_memory`.

        Returns:
            logits float32 `(batch, vocabulary)` and the new state.
        """
        memory, state = dict(memory), dict(state)
        length, written = memory.pop("line_length"), state.pop("written")
        if group is not None:
            length = ops.repeat(length, group, axis=0)
        logits, state = self.writer.step(token, state, memory, **({} if group is None else {"group": group}))
        return keep_length(logits, written, length, self._never), {**state, "written": written + 1}

    def alignments(self, inputs, **options):
        """The writer's attention weights `(batch, target, source)`, see its own `alignments`."""
        return self.writer.alignments(inputs, **options)

    def get_config(self):
        writer = keras.saving.serialize_keras_object(self.writer)
        return {"writer": writer, "separator": self._separator, "marks": list(self._never), "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        writer = keras.saving.deserialize_keras_object(config["writer"], custom_objects)
        return cls(**{**config, "writer": writer})


def keep_length(logits, position, length, never=()):
    """Logits with all but what may come at a position put out of reach.

    Args:
        logits: `(..., vocabulary)`
        position: int32 `(...)`, characters written before.
        length: int32 `(...)` or what broadcasts to it, characters of the line.
        never: sequence of int, ids of characters that cannot come.

    Returns:
        `(..., vocabulary)`: at `position < length` the characters' logits, cut to +-50, and -100 for the special ids
        and those of `never`; from there on the end's, and -100 for the others.
    """
    ids = np.arange(logits.shape[-1])
    characters = np.logical_and(ids > UNKNOWN, np.isin(ids, never, invert=True))
    writing = ops.expand_dims(ops.less(position, length), -1)  # (..., 1)
    character = ops.logical_and(writing, characters)  # (..., vocabulary)
    end = ops.logical_and(ops.logical_not(writing), ids == END)
    kept = ops.clip(logits, -_HIGHEST, _HIGHEST)
    return ops.where(ops.logical_or(character, end), kept, _FORBIDDEN)


def _last_line(source, length, separator):
    """Ids behind the last separator, int32 `(batch,)`."""
    place = ops.cumsum(ops.ones_like(source), axis=1)  # (batch, source): 1, 2, ...
    real = ops.less_equal(place, ops.expand_dims(length, 1))
    ends = ops.logical_and(real, ops.equal(source, separator))
    return length - ops.max(ops.where(ends, place, 0), axis=1)
