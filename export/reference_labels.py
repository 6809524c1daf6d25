"""What Keras answers of a classifier or tagger: the model as it was trained, on inputs as its user gives them.

Nothing here goes through `export.signatures`. Texts are not padded, pictures are as the model reads them, probabilities
are made of logits by numpy: a mistake that a signature makes, in a mask or a scale, shows as a difference.
"""

import statistics
import time

import keras
import numpy as np

from export import cases, errors
from export.examples import HEADS, padded, read_labels, read_pictures, read_texts, score_of

_BATCH = 64
_TIMED = 60
# Texts that the cases of `export.cases` are chosen from.
_NUMBERED = 12
# So many outputs of one number that are all from 0 to 1 are probabilities.
_ENOUGH = 8
# Share of the largest logit that padding may move.
_ROUNDING = 1e-3


def of_labels(model, run, task, part):
    """What Keras answers to the run's test set.

    Args:
        model: `keras.Model`.
        run: path of the run directory.
        task: `export.examples.Task` of a classifier or tagger.
        part: slice, test examples to take.

    Returns:
        dict of lists, one entry an example, and a dict of Keras's own `score` and `latency_ms`. The first has of a text
        `text`, `source_ids` and, where the model reads them, `character_ids`; of a picture `image`, pixels from 0 to
        255; and `target` and `target_ids` (what should be answered), `probabilities` and `output` (what Keras answers);
        with a label for the sentence beside the tags also `label`, `label_ids`, `label_probabilities` and
        `label_output`.

    Raises:
        ExportError: if labels, tags or the model's outputs do not agree.
    """
    labels = {"probabilities": read_labels(run)}
    if task.sentence_labels:
        labels["label_probabilities"] = read_labels(run, "sentence_labels.json")
    answers, answer = _examples(run, task, part, labels), RawModel(model)
    inputs = [_given(answers, [number], task.limits) for number in range(len(answers["target"]))]
    logits = answer.each(inputs)
    _check_heads(logits[0], task)
    if not task.picture:
        _check_padding(answer, answers, task.limits, logits)
    found = {}
    for place, (head, names) in enumerate(labels.items()):
        rows = [own[place] for own in logits]
        _check_outputs(rows, names, "sentence_labels.json" if place else "labels.json")
        found[head] = [probabilities_of(row) for row in rows]
        answers[head] = [row.tolist() for row in found[head]]
        best = [np.atleast_1d(row.argmax(axis=-1)) for row in found[head]]
        answers["label_output" if place else "output"] = [" ".join(names[one] for one in own) for own in best]
    return answers, {"score": score_of(found, answers), "latency_ms": median_ms(inputs, answer)}


def label_cases(model, task, answers):
    """The cases of `export.cases` for `predict`: several lengths, batches and paddings. Arguments as of `of_labels`."""
    answer = RawModel(model)
    if task.picture:
        images = np.asarray(answers["image"][:4], "float32") / 255
        inputs = [{"image": part} for part in (images[:1], images[1:]) if len(part)]
        return cases.predict_cases(lambda image: answer.probabilities({"image": _pixels(image)}), inputs)
    ids = answers["source_ids"][:_NUMBERED]
    rows, limit = sorted(range(len(ids)), key=lambda number: len(ids[number])), task.limits["source"]
    batches = [([rows[0]], None), (rows[1:6:2], None), ([rows[0], rows[-1]], limit)]
    inputs = [_given(answers, chosen, task.limits, width) for chosen, width in batches if chosen]
    if len(ids[rows[0]]) == limit:  # a cut text as well: it takes two widths to tell which axis is the time
        inputs.append(_cut(inputs[0], max(1, limit // 2)))
    lengths = [one["length"] for one in inputs] if limit > 1 else None
    return cases.predict_cases(answer.unpadded_probabilities, inputs, lengths)


def _cut(inputs, width):
    """The first positions of the inputs of `predict`."""
    length = np.minimum(inputs["length"], width).astype("int32")
    return {**{name: array[:, :width] for name, array in inputs.items() if array.ndim > 1}, "length": length}


class RawModel:
    """A Keras model, called as its user calls it, for logits as it gives them.

    Args:
        model: `keras.Model` with one input for each of ids, characters and pictures that it reads, whatever their
            names.
    """

    def __init__(self, model):
        import tensorflow as tf

        self._read = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
        self._call = tf.function(lambda read: model(read, training=False), autograph=False, reduce_retracing=True)

    def __call__(self, inputs):
        """The logits of each output, those of tokens first: list of arrays.

        Args:
            inputs: dict of arrays without padding: `ids`, `characters`, or `image` uint8.
        """
        by_rank = {array.ndim: array for array in inputs.values()}
        read = keras.tree.map_structure(lambda wanted: _as_read(by_rank[len(wanted.shape)], wanted.dtype), self._read)
        outputs = keras.tree.flatten(self._call(read))
        return sorted(map(np.asarray, outputs), key=lambda logits: -logits.ndim)

    def each(self, inputs):
        """The logits of many examples, those of equal length at once: list of lists of arrays.

        Args:
            inputs: list of dicts as of a call, each with a batch of one.
        """
        alike, found = {}, [None] * len(inputs)
        for number, one in enumerate(inputs):
            alike.setdefault(next(iter(one.values())).shape, []).append(number)
        for numbers in alike.values():
            for start in range(0, len(numbers), _BATCH):
                chosen = numbers[start : start + _BATCH]
                names = inputs[chosen[0]]
                answers = self({name: np.concatenate([inputs[one][name] for one in chosen]) for name in names})
                for place, number in enumerate(chosen):
                    found[number] = [rows[place] for rows in answers]
        return found

    def probabilities(self, inputs):
        """What `predict` shall answer to the inputs of a call: dict of output -> probabilities."""
        return dict(zip(HEADS, map(probabilities_of, self(inputs)), strict=False))

    def unpadded_probabilities(self, ids, length, characters=None):
        """What `predict` shall answer to padded texts, each read alone and without its padding."""
        found = []
        for row, size in enumerate(length):
            inputs = {"ids": ids[row : row + 1, :size]}
            if characters is not None:
                inputs["characters"] = characters[row : row + 1, :size]
            found.append(self.probabilities(inputs))
        return {head: np.concatenate([_widened(one[head], ids.shape[1]) for one in found]) for head in found[0]}


def _as_read(array, dtype):
    """An array as a model of that dtype reads it: pictures as pixels from 0 to 255, or as floats from 0 to 1."""
    if array.dtype == np.uint8 and keras.backend.is_float_dtype(dtype):
        return (array / 255).astype(dtype)
    return array.astype(dtype)


def _pixels(image):
    return np.round(255 * image).astype("uint8")


def _widened(rows, width):
    """Probabilities of tokens `(1, time, labels)` with zeros up to the width; others as they are."""
    return rows if rows.ndim == 2 else np.pad(rows, [(0, 0), (0, width - rows.shape[1]), (0, 0)])


def probabilities_of(logits):
    """Softmax over the last axis, float32; of a single logit, which is the second label's, both probabilities."""
    logits = logits.astype("float64")
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (raised / raised.sum(axis=-1, keepdims=True)).astype("float32")


def _examples(run, task, part, labels):
    """What is known of the examples before Keras answers; see `of_labels`."""
    number = {label: place for place, label in enumerate(labels["probabilities"])}
    if task.picture:
        images, targets = (array[part] for array in read_pictures(run, task.picture))
        wrong = [int(label) for label in targets if not 0 <= label < len(number)]
        if wrong:
            raise errors.ExportError(f"test.npz has the label {wrong[0]}, labels.json has {len(number)} labels")
        names = labels["probabilities"]
        targets = targets.tolist()
        return {"image": images.tolist(), "target": [names[label] for label in targets], "target_ids": targets}
    texts = read_texts(run, task.limits, task.sentence_labels)
    answers = {"text": texts.text[part], "source_ids": texts.source_ids[part], "target": texts.target[part]}
    if texts.character_ids is not None:
        answers["character_ids"] = texts.character_ids[part]
    if task.kind == "classify":
        answers["target_ids"] = [_numbered(number, *pair) for pair in enumerate(answers["target"])]
    else:
        tags = [target.split(" ") for target in answers["target"]]
        answers["target_ids"] = [[_numbered(number, example, tag) for tag in own] for example, own in enumerate(tags)]
        _check_tags(answers["target_ids"], answers["source_ids"])
    if task.sentence_labels:
        number = {label: place for place, label in enumerate(labels["label_probabilities"])}
        answers["label"] = texts.label[part]
        answers["label_ids"] = [
            _numbered(number, *pair, "sentence_labels.json") for pair in enumerate(answers["label"])
        ]
    return answers


def _given(answers, chosen, limits, width=None):
    """Inputs of `predict` for some examples; a picture is uint8."""
    if "image" in answers:
        return {"image": np.asarray([answers["image"][number] for number in chosen], "uint8")}
    spelled = answers.get("character_ids")
    ids = [answers["source_ids"][number] for number in chosen]
    return padded(ids, spelled and [spelled[number] for number in chosen], limits, width)


def _check_heads(outputs, task):
    wanted = [2, 1] if task.sentence_labels else [2] if task.kind == "tag" else [1]
    if [one.ndim for one in outputs] != wanted:
        shapes = ", ".join(str(list(one.shape)) for one in outputs)
        raise errors.ExportError(
            f"the model gives outputs of shapes {shapes} for one example; wanted "
            + {2: "(tokens, tags) and (labels,)", 1: "(tokens, tags)" if wanted == [2] else "(labels,)"}[len(wanted)]
        )


def _check_padding(answer, answers, limits, logits):
    """Refuses a model that reads its padding: what it says of a text would hang on the texts beside it."""
    shortest = int(np.argmin([len(ids) for ids in answers["source_ids"]]))
    size = len(answers["source_ids"][shortest])
    for rows, wanted in zip(
        answer(_given(answers, [shortest], limits, limits["source"])), logits[shortest], strict=True
    ):
        own = rows[0, :size] if wanted.ndim == 2 else rows[0]
        error = float(np.abs(own - wanted).max())
        if not error <= _ROUNDING * max(1.0, float(np.abs(wanted).max())):
            raise errors.ExportError(
                f"the model reads its padding: {answers['text'][shortest]!r:.60} padded to {limits['source']} tokens "
                f"moves a logit by {error:.2g}; let masks reach every layer, as of Embedding(mask_zero=True): "
                "Concatenate loses them where one of its inputs has none, Flatten, GlobalMaxPooling1D and Conv1D do "
                "not heed them"
            )


def _check_outputs(rows, labels, name):
    """Refuses probabilities, which would be made probabilities once more, and outputs that are not one a label.

    Args:
        rows: list of arrays, the outputs of each example.
        labels: list of str.
        name: str, of their file.
    """
    size, outputs = rows[0].shape[-1], np.concatenate([np.ravel(row) for row in rows])
    if (2 if size == 1 else size) != len(labels):
        raise errors.ExportError(
            f"the model has {size} outputs and {name} {len(labels)} labels; write one for each output, or two for the "
            "single output of a sigmoid"
        )
    if size == 1:
        if len(outputs) >= _ENOUGH and (outputs >= 0).all() and (outputs <= 1).all():
            raise errors.ExportError(
                "the model ends in sigmoid, which the export adds; let it end in a logit, and train with "
                "from_logits=True"
            )
    elif all((row >= 0).all() and np.allclose(row.sum(axis=-1), 1, atol=1e-3) for row in rows):
        raise errors.ExportError(
            "the model ends in softmax, which the export adds; let it end in logits, and train with from_logits=True"
        )


def _check_tags(tags, source_ids):
    for example, (own, ids) in enumerate(zip(tags, source_ids, strict=True)):
        if len(own) != len(ids):
            raise errors.ExportError(f"test example {example} has {len(ids)} tokens and {len(own)} tags; one for each")


def _numbered(number, example, label, name="labels.json"):
    if label not in number:
        raise errors.ExportError(f"test example {example} has the label {label!r}, which {name} has not")
    return number[label]


def median_ms(inputs, answer):
    """Median milliseconds of one input alone, after a warm-up: float.

    Args:
        inputs: list of what `answer` takes; the first few are enough.
        answer: function.
    """
    times = []
    for one in inputs[:_TIMED]:
        answer(one)
        start = time.perf_counter()
        np.asarray(answer(one)[0])
        times.append(time.perf_counter() - start)
    return round(1000 * statistics.median(times), 3)
